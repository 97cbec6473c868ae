// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which mounts are the same on all nodes: holon.shared=PATH:CLASS,...
 *
 * A path is shared when what it lies on is mounted at a listed path in the tree of
 * the node's first process. The containers have mounts of their own of the same
 * filesystems, so not mounts are compared but the filesystem and the directory of it
 * that is the mount's root: a bind mount of a directory of a shared filesystem is
 * shared only when it is listed. They are looked up each time: mounts come and go, and this is
 * asked at a placement and at few calls.
 *
 * The list is a setting: given at boot, or written until the node has an id, before
 * which nothing is placed and nobody asks.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/holon_file.h>
#include <linux/holon_node.h>
#include <linux/holon_setting.h>
#include <linux/init.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#ifdef MODULE_PARAM_PREFIX
#undef MODULE_PARAM_PREFIX
#endif
#define MODULE_PARAM_PREFIX "holon."

#define HOLON_SHARED_MAX	16
#define HOLON_SHARED_DEFAULT	"/:identical,/home:close-to-open"

struct share {
	const char *path;
	enum holon_share class;
};

static struct share shares[HOLON_SHARED_MAX];
static unsigned int share_count;
static char share_text[1024];	/* what @shares points into */
static bool share_given;

static const char * const share_names[] = {
	[HOLON_SHARE_NONE] = "none",
	[HOLON_SHARE_IDENTICAL] = "identical",
	[HOLON_SHARE_CLOSE_TO_OPEN] = "close-to-open",
	[HOLON_SHARE_COHERENT] = "coherent",
};

/* Root of the first process, also for those whose root is another. */
static int first_root(struct path *root)
{
	struct task_struct *first;
	int err = -ESRCH;

	rcu_read_lock();
	first = READ_ONCE(init_pid_ns.child_reaper);
	if (first)
		get_task_struct(first);
	rcu_read_unlock();
	if (!first)
		return err;
	task_lock(first);
	if (first->fs) {
		get_fs_root(first->fs, root);
		err = 0;
	}
	task_unlock(first);
	put_task_struct(first);
	return err;
}

enum holon_share holon_share_path(const struct path *path)
{
	const struct super_block *sb = path->mnt->mnt_sb;
	enum holon_share class = HOLON_SHARE_NONE;
	struct path root, mount;
	unsigned int i;

	if (first_root(&root))
		return class;
	for (i = 0; i < share_count && class == HOLON_SHARE_NONE; i++) {
		const char *name = shares[i].path;

		/* The root itself may be a mount over the tree's first one. */
		if (vfs_path_lookup(root.dentry, root.mnt, name, LOOKUP_FOLLOW, &mount))
			continue;
		/* A listed path that is no mount of its own is its parent's. */
		if (mount.mnt->mnt_sb == sb && mount.dentry == mount.mnt->mnt_root &&
		    mount.dentry == path->mnt->mnt_root)
			class = shares[i].class;
		path_put(&mount);
	}
	path_put(&root);
	return class;
}

enum holon_share holon_share_file(const struct file *file)
{
	return holon_share_path(&file->f_path);
}

bool holon_stateless_device(const struct inode *inode)
{
	if (!S_ISCHR(inode->i_mode) || imajor(inode) != MEM_MAJOR)
		return false;
	switch (iminor(inode)) {
	case 3:		/* null */
	case 5:		/* zero */
	case 7:		/* full */
	case 8:		/* random */
	case 9:		/* urandom */
		return true;
	default:
		return false;
	}
}

static int share_add(char *entry)
{
	char *class = strrchr(entry, ':');
	int i;

	if (!class || *entry != '/' || share_count == HOLON_SHARED_MAX)
		return -EINVAL;
	*class++ = 0;
	for (i = HOLON_SHARE_IDENTICAL; i < ARRAY_SIZE(share_names); i++) {
		if (strcmp(class, share_names[i]))
			continue;
		shares[share_count].path = entry;
		shares[share_count++].class = i;
		return 0;
	}
	return -EINVAL;
}

static int share_parse(const char *list, size_t len)
{
	char *text = share_text, *entry;
	int err = 0;

	memcpy(share_text, list, len);
	share_text[len] = 0;
	share_count = 0;
	while ((entry = strsep(&text, ","))) {
		if (!*entry || !share_add(entry))
			continue;
		pr_err("holon.shared=: '%s' is not PATH:identical, PATH:close-to-open or PATH:coherent\n",
		       entry);
		err = -EINVAL;
	}
	return err;
}

static int shared_set(const char *val, const struct kernel_param *kp)
{
	size_t len = strcspn(val, "\n");
	int err;

	if (len >= sizeof(share_text))
		return -ENOSPC;
	err = holon_setting_begin();
	if (err)
		return err;
	share_given = true;
	err = share_parse(val, len);
	holon_setting_end();
	return err;
}

/* What holds is in /sys/kernel/holon/shared. */
static const struct kernel_param_ops shared_ops = { .set = shared_set };

module_param_cb(shared, &shared_ops, NULL, 0200);
MODULE_PARM_DESC(shared, "mounts that all nodes share: PATH:CLASS,...");

/**
 * holon_share_show - the list, for /sys/kernel/holon/shared
 * @buf: a page
 *
 * Return: its length.
 */
ssize_t holon_share_show(char *buf)
{
	ssize_t len = 0;
	unsigned int i;

	for (i = 0; i < share_count; i++)
		len += sysfs_emit_at(buf, len, "%s %s\n", shares[i].path,
				     share_names[shares[i].class]);
	return len;
}

static int __init holon_shared_init(void)
{
	return share_given ? 0 : share_parse(HOLON_SHARED_DEFAULT, strlen(HOLON_SHARED_DEFAULT));
}
late_initcall(holon_shared_init);
