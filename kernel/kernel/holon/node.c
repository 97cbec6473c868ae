// SPDX-License-Identifier: GPL-2.0-only
/*
 * Identity of this node.
 *
 * The id comes from holon.node= or, once, from netlink. The uuid is the
 * machine's (DMI), so that a reboot can be told from a second machine with the
 * same id; it must not come from a file, because nodes may share their root.
 * A machine without a DMI uuid gets a random one, and each of its reboots then
 * looks like another machine: peers wait for the old one to time out.
 *
 * The incarnation is the wall clock in the upper and a random number in the
 * lower half: it grows from life to life as far as the clock does, and two
 * lives never share one even when the clock does not.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/dmi.h>
#include <linux/holon_node.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/random.h>
#include <linux/seqlock.h>
#include <linux/timekeeping.h>

#ifdef MODULE_PARAM_PREFIX
#undef MODULE_PARAM_PREFIX
#endif
#define MODULE_PARAM_PREFIX "holon."

/* Written with interrupts off: it is read in any context. */
static DEFINE_SEQLOCK(ident_lock);
static struct holon_ident self;

static int node_param_set(const char *val, const struct kernel_param *kp)
{
	unsigned int id;
	int err;

	err = kstrtouint(val, 0, &id);
	return err ?: holon_node_set_id(id);
}

static int node_param_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%u\n", holon_node_id());
}

static const struct kernel_param_ops node_param_ops = {
	.set = node_param_set,
	.get = node_param_get,
};

module_param_cb(node, &node_param_ops, NULL, 0444);
MODULE_PARM_DESC(node, "id of this node, 1..255");

u8 holon_node_id(void)
{
	return READ_ONCE(self.id);
}

void holon_node_ident(struct holon_ident *ident)
{
	unsigned int seq;

	do {
		seq = read_seqbegin(&ident_lock);
		*ident = self;
	} while (read_seqretry(&ident_lock, seq));
}

u64 holon_node_new_incarnation(void)
{
	u64 incarnation = (u64)ktime_get_real_seconds() << 32 | (get_random_u32() | 1);
	unsigned long flags;

	write_seqlock_irqsave(&ident_lock, flags);
	self.incarnation = incarnation;
	write_sequnlock_irqrestore(&ident_lock, flags);
	return incarnation;
}

int holon_node_set_id(unsigned int id)
{
	unsigned long flags;
	int err = 0;

	if (!id || id > HOLON_NODE_MAX)
		return -EINVAL;
	write_seqlock_irqsave(&ident_lock, flags);
	if (self.id)
		err = -EBUSY;
	else
		self.id = id;
	write_sequnlock_irqrestore(&ident_lock, flags);
	return err;
}

static int __init holon_node_init(void)
{
	const char *dmi = dmi_get_system_info(DMI_PRODUCT_UUID);
	unsigned long flags;
	uuid_t uuid;

	if (!dmi || uuid_parse(dmi, &uuid) || uuid_is_null(&uuid))
		uuid_gen(&uuid);
	write_seqlock_irqsave(&ident_lock, flags);
	self.uuid = uuid;
	write_sequnlock_irqrestore(&ident_lock, flags);
	holon_node_new_incarnation();
	return 0;
}
/* After dmi_id (arch) and the random pool, before anything that joins. */
fs_initcall(holon_node_init);
