// SPDX-License-Identifier: GPL-2.0-only
/*
 * Facts about the cluster under /sys/kernel/holon, for scripts and early user
 * space. Read-only; netlink has all of it and more.
 */
#include <linux/holon_file.h>
#include <linux/holon_view.h>
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/sysfs.h>

#define FACT(_name, ...)							\
static ssize_t _name##_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf) \
{										\
	struct holon_cluster_info info;						\
										\
	holon_cluster_info(&info);						\
	return sysfs_emit(buf, __VA_ARGS__);					\
}										\
static struct kobj_attribute _name##_attr = __ATTR_RO(_name)

FACT(node, "%u\n", holon_node_id());
FACT(cluster, "%s\n", info.name);
FACT(cluster_uuid, "%pUb\n", &info.uuid);
FACT(state, "%s\n", holon_node_state_name(info.state));
FACT(epoch, "%llu\n", info.epoch);
FACT(members, "%*pbl\n", HOLON_NODE_IDS, info.members);
FACT(coordinator, "%u\n", info.coordinator);
FACT(steady, "%d\n", info.steady);

static ssize_t incarnation_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct holon_ident ident;

	holon_node_ident(&ident);
	return sysfs_emit(buf, "%llx\n", ident.incarnation);
}

static struct kobj_attribute incarnation_attr = __ATTR_RO(incarnation);

static ssize_t shared_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return holon_share_show(buf);
}
static struct kobj_attribute shared_attr = __ATTR_RO(shared);

static struct attribute *attrs[] = {
	&node_attr.attr,
	&incarnation_attr.attr,
	&cluster_attr.attr,
	&cluster_uuid_attr.attr,
	&state_attr.attr,
	&epoch_attr.attr,
	&members_attr.attr,
	&coordinator_attr.attr,
	&steady_attr.attr,
	&shared_attr.attr,
	NULL
};

static const struct attribute_group group = { .attrs = attrs };

static int __init holon_sysfs_init(void)
{
	struct kobject *kobj = kobject_create_and_add("holon", kernel_kobj);
	int err;

	if (!kobj)
		return -ENOMEM;
	err = sysfs_create_group(kobj, &group);
	if (err)
		kobject_put(kobj);
	return err;
}
late_initcall(holon_sysfs_init);
