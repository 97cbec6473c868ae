// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits of control groups, away from home.
 *
 * What a process may have of memory and processor time is bounded by the control groups
 * that it is in at home. Where it is a guest it is put into a leaf below the group of its
 * home's container, one for each group of home, and that gets the lowest of the limits
 * that hold at home:
 *
 *	home			node
 *	/user.slice/a.scope	/holon.slice/home-1/cg-ID	ID: of the group at home
 *
 * The number of its processes is bounded at home: each has its deputy there.
 *
 * holond makes /holon.slice/home-N, with the controllers for its children, and its child
 * "init", which the spawner is in and so what it clones; and it removes leaves that are
 * empty. A limit that cannot be set refuses the guest, and so does one that those who are
 * there, and what comes, exceed: nobody is killed for a newcomer. Each node applies them
 * to what runs there: the processes of a group may have as much on each as at home.
 *
 * The controllers have no other interface in common than their files. They are reached
 * through a mount of our own, whatever is mounted where in the file system of current.
 *
 * Locks: leaf_lock, killably, before those of cgroup2; no message is waited for with it.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/cgroup.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init_task.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/namei.h>
#include <linux/slab.h>

#include "image.h"
#include "task.h"

#define HOLON_CGROUP_TRIES	3

static struct vfsmount *cgroups __ro_after_init;
/* Two that come at once see what the other one has set. */
static DEFINE_MUTEX(leaf_lock);

/* --- files -------------------------------------------------------------------- */

/* @page: room for a path. */
static struct file *open_file(const char *dir, const char *name, int flags, char *page)
{
	if (snprintf(page, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	return file_open_root_mnt(cgroups, page, flags, 0);
}

/* Return: 0 with @text, which has no newline then; or an errno. */
static int read_limit(const char *dir, const char *name, char *text, size_t size, char *page)
{
	struct file *file = open_file(dir, name, O_RDONLY, page);
	loff_t pos = 0;
	ssize_t len;

	if (IS_ERR(file))
		return PTR_ERR(file);
	len = kernel_read(file, text, size - 1, &pos);
	fput(file);
	text[max(len, 0)] = 0;
	strim(text);
	return min(len, 0);
}

static int write_limit(const char *dir, const char *name, const char *text, char *page)
{
	struct file *file = open_file(dir, name, O_WRONLY, page);
	loff_t pos = 0;
	ssize_t len;

	if (IS_ERR(file))
		return PTR_ERR(file);
	len = kernel_write(file, text, strlen(text), &pos);
	fput(file);
	return min(len, 0);
}

/* --- home ----------------------------------------------------------------------- */

struct limits {
	u64 memory;
	u64 quota, period;	/* of the processors, microseconds */
};

#define NO_LIMIT	U64_MAX

static void lower_share(struct limits *limits, char *text)
{
	char *rest = text;
	u64 quota, period;

	if (kstrtou64(strsep(&rest, " "), 10, &quota) || !rest || kstrtou64(rest, 10, &period))
		return;
	/* The quota is below 2^44 and the period below 2^20: their product is below 2^64. */
	if (limits->quota == NO_LIMIT || quota * limits->period < limits->quota * period) {
		limits->quota = quota;
		limits->period = period;
	}
}

/* Those of one group, as far as they are lower. A controller that is not there has none. */
static int add_limits(struct limits *limits, const char *dir, char *page)
{
	char text[64];
	u64 memory;
	int err;

	err = read_limit(dir, "memory.max", text, sizeof(text), page);
	if (!err && !kstrtou64(text, 10, &memory))
		limits->memory = min(limits->memory, memory);
	if (err && err != -ENOENT)
		return err;
	err = read_limit(dir, "cpu.max", text, sizeof(text), page);
	if (!err)
		lower_share(limits, text);
	return err == -ENOENT ? 0 : err;
}

/* The group of current, and its number. */
static int own_group(char *path, u64 *id)
{
	struct cgroup *group;
	int len;

	rcu_read_lock();
	group = task_dfl_cgroup(current);
	*id = cgroup_id(group);
	len = cgroup_path(group, path, PATH_MAX);
	rcu_read_unlock();
	return len < 0 || strlen(path) >= PATH_MAX - 1 ? -ENAMETOOLONG : 0;
}

static int collect_once(struct limits *limits, u64 *id, char *path, char *page)
{
	u64 again;
	int err;

	*limits = (struct limits){ NO_LIMIT, NO_LIMIT, 0 };
	err = own_group(path, id);
	/* The root has none. */
	while (!err && path[0] == '/' && path[1]) {
		err = add_limits(limits, path, page);
		*strrchr(path, '/') = 0;
	}
	if (err)
		return err;
	/* Moved to another one meanwhile, it may have been removed. */
	err = own_group(path, &again);
	return err || *id == again ? err : -EAGAIN;
}

static int collect(struct limits *limits, u64 *id, char *path, char *page)
{
	unsigned int tries;
	int err;

	for (tries = 0; tries < HOLON_CGROUP_TRIES; tries++) {
		err = collect_once(limits, id, path, page);
		if (err != -EAGAIN)
			break;
	}
	return err;
}

/* Of current, when it moves: its pages go to another node. */
static u64 own_memory(void)
{
	const struct holon_task *ht = current->holon;
	struct mm_struct *mm = current->mm;

	if (ht->state != HOLON_TASK_MOVING)
		return 0;
	return (u64)(get_mm_counter(mm, MM_ANONPAGES) + get_mm_counter(mm, MM_SWAPENTS)) <<
	       PAGE_SHIFT;
}

int holon_cgroup_export(struct holon_image *image)
{
	struct holon_record_cgroup *record;
	const struct cred *old;
	struct limits limits;
	char *path, *page;
	u64 id = 0;
	int err;

	/* A guest's are those of a leaf. */
	if (IS_ERR(cgroups) || holon_is_guest(current))
		return 0;
	path = __getname();
	page = __getname();
	err = -ENOMEM;
	if (path && page) {
		/* Whoever it is, the limits are its own. */
		old = override_creds(&init_cred);
		err = collect(&limits, &id, path, page);
		revert_creds(old);
	}
	if (path)
		__putname(path);
	if (page)
		__putname(page);
	if (err || (limits.memory == NO_LIMIT && limits.quota == NO_LIMIT))
		return err;
	record = holon_image_add(image, HOLON_RECORD_CGROUP, sizeof(*record));
	if (!record)
		return -ENOMEM;
	record->id = cpu_to_le64(id);
	record->memory = cpu_to_le64(limits.memory);
	record->used = cpu_to_le64(own_memory());
	record->quota = cpu_to_le64(limits.quota);
	record->period = cpu_to_le64(limits.period);
	return 0;
}

/* --- the guest's node --------------------------------------------------------------- */

static int make_dir(const char *dir, const char *name)
{
	struct dentry *dentry;
	struct path parent;
	int err;

	err = vfs_path_lookup(cgroups->mnt_root, cgroups, dir, LOOKUP_DIRECTORY, &parent);
	if (err)
		return err;
	inode_lock_nested(d_inode(parent.dentry), I_MUTEX_PARENT);
	dentry = lookup_one_len(name, parent.dentry, strlen(name));
	err = PTR_ERR_OR_ZERO(dentry);
	if (!err && d_is_negative(dentry))
		err = vfs_mkdir(mnt_idmap(cgroups), d_inode(parent.dentry), dentry, 0755);
	if (!IS_ERR(dentry))
		dput(dentry);
	inode_unlock(d_inode(parent.dentry));
	path_put(&parent);
	return err;
}

/*
 * Only what is another value: whoever sets a share gives a new one at once. Without a limit,
 * @text begins with "max", and its file need not be there.
 */
static int set_limit(const char *dir, const char *name, const char *text, char *page)
{
	bool none = strstarts(text, "max");
	char now[64];
	int err;

	err = read_limit(dir, name, now, sizeof(now), page);
	if (err)
		return none && err == -ENOENT ? 0 : err;
	if (!strcmp(now, text) || (none && strstarts(now, "max")))
		return 0;
	return write_limit(dir, name, text, page);
}

/* Is there room for what comes? Else who is there would have to die. */
static int has_room(const struct holon_record_cgroup *record, const char *dir, char *page)
{
	u64 memory = le64_to_cpu(record->memory), used = le64_to_cpu(record->used), now;
	char text[32];
	int err;

	if (memory == NO_LIMIT || !used)
		return 0;
	/* Its first line: what is in files can go. */
	err = read_limit(dir, "memory.stat", text, sizeof(text), page);
	if (err)
		return err;
	if (sscanf(text, "anon %llu", &now) != 1)
		return -EINVAL;
	return used > memory || now > memory - used ? -EDQUOT : 0;
}

static int set_limits(const struct holon_record_cgroup *record, const char *dir, char *page)
{
	u64 memory = le64_to_cpu(record->memory), quota = le64_to_cpu(record->quota);
	char text[48] = "max";
	int err;

	if (memory != NO_LIMIT)
		snprintf(text, sizeof(text), "%llu", memory);
	err = has_room(record, dir, page) ?: set_limit(dir, "memory.max", text, page);
	if (err)
		return err;
	strscpy(text, "max");
	if (quota != NO_LIMIT)
		snprintf(text, sizeof(text), "%llu %llu", quota, le64_to_cpu(record->period));
	return set_limit(dir, "cpu.max", text, page);
}

/* @path: of the container's group; room for more. */
static int enter_leaf(const struct holon_record_cgroup *record, char *path, char *page)
{
	size_t len = strlen(path);
	char name[24];
	int err;

	snprintf(name, sizeof(name), "cg-%llx", le64_to_cpu(record->id));
	if (len + sizeof(name) + 1 > PATH_MAX)
		return -ENAMETOOLONG;
	err = make_dir(path, name);
	if (!err) {
		snprintf(path + len, PATH_MAX - len, "/%s", name);
		err = set_limits(record, path, page) ?:
		      write_limit(path, "cgroup.procs", "0", page);
		path[len] = 0;
	}
	return err;
}

/* Current, as a clone of the spawner, is in the child "init" of the container's group. */
static int enter(const struct holon_record_cgroup *record, char *path, char *page)
{
	unsigned int tries;
	char *last;
	u64 id;
	int err;

	err = own_group(path, &id);
	if (err)
		return err;
	last = strrchr(path, '/');
	if (!last || strcmp(last, "/init"))
		return -ENOENT;
	*last = 0;
	/* Who sweeps may take an empty one away, before we are in it. */
	if (mutex_lock_killable(&leaf_lock))
		return -EINTR;
	for (tries = 0; tries < HOLON_CGROUP_TRIES; tries++) {
		err = enter_leaf(record, path, page);
		if (err != -ENOENT && err != -ENODEV)
			break;
	}
	mutex_unlock(&leaf_lock);
	return err;
}

int holon_cgroup_import(const struct holon_record_cgroup *record)
{
	const struct cred *old;
	char *path, *page;
	int err;

	if (!record)
		return 0;
	path = __getname();
	page = __getname();
	err = IS_ERR(cgroups) ? PTR_ERR(cgroups) : -ENOMEM;
	if (path && page && !IS_ERR(cgroups)) {
		old = override_creds(&init_cred);
		err = enter(record, path, page);
		revert_creds(old);
	}
	if (path)
		__putname(path);
	if (page)
		__putname(page);
	if (err && err != -ENOMEM && err != -EINTR) {
		pr_info_ratelimited("limits of a control group cannot be set here: errno %d\n",
				    -err);
		err = -EDQUOT;
	}
	return err;
}

static int __init holon_cgroup_init(void)
{
	struct file_system_type *type = get_fs_type("cgroup2");

	cgroups = type ? kern_mount(type) : ERR_PTR(-ENODEV);
	return 0;
}
late_initcall(holon_cgroup_init);
