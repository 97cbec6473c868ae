// SPDX-License-Identifier: GPL-2.0-only
/*
 * The image of an exec: everything of the caller that the new program inherits,
 * except its memory, which it does not. And that of a process that moves: all that
 * it has, of its memory the layout. Each thread writes down what is its own: the one
 * that drives the move into the image, the others into small ones that are appended.
 *
 * Files. A regular file or directory of a shared mount is opened again at the
 * guest's node when nobody at home can tell: its description is referenced by
 * this process alone, it has no locks or leases, and on a close-to-open mount
 * nobody else at home has it open for writing; what was written is written back
 * first. Devices without state are opened again always. Files without a name are made
 * anew, see move_anon.c. Every other file stays where it is, and the guest gets a remote
 * file. Of a process that comes home a regular file may stay as well, and home gets a
 * hosted one (fs/holon/hosted.c); with any other it cannot come.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/binfmts.h>
#include <linux/cpumask.h>
#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/filelock.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/ioprio.h>
#include <linux/mm.h>
#include <linux/personality.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include <linux/holon_file.h>

#include "cred_value.h"
#include "image.h"
#include "move.h"
#include "task.h"

static int put_exec(struct holon_image *image, const struct linux_binprm *bprm)
{
	struct holon_record_exec record = {
		.version = cpu_to_le32(HOLON_IMAGE_VERSION),
		.argc = cpu_to_le32(bprm->argc),
		.envc = cpu_to_le32(bprm->envc),
	};

	return holon_image_put(image, HOLON_RECORD_EXEC, &record, sizeof(record));
}

static int put_creds(struct holon_image *image)
{
	void *data = holon_image_add(image, HOLON_RECORD_CREDS, holon_creds_size());

	if (!data)
		return -ENOMEM;
	holon_creds_pack(data);
	return 0;
}

static int put_task(struct holon_image *image)
{
	struct holon_record_task *record;
	u64 blocked = 0, ignored = 0;
	int i;

	record = holon_image_add(image, HOLON_RECORD_TASK, sizeof(*record));
	if (!record)
		return -ENOMEM;
	record->policy = cpu_to_le32(current->policy);
	record->nice = cpu_to_le32(task_nice(current));
	record->priority = cpu_to_le32(current->rt_priority);
	record->ioprio = cpu_to_le32(get_current_ioprio());
	record->personality = cpu_to_le32(current->personality);
	record->umask = cpu_to_le32(current_umask());
	record->oom_score_adj = cpu_to_le32(current->signal->oom_score_adj);
	record->oom_score_adj_min = cpu_to_le32(current->signal->oom_score_adj_min);
	record->timer_slack = cpu_to_le64(current->timer_slack_ns);
	spin_lock_irq(&current->sighand->siglock);
	for (i = 1; i <= _NSIG; i++) {
		if (sigismember(&current->blocked, i))
			blocked |= BIT_ULL(i - 1);
		if (current->sighand->action[i - 1].sa.sa_handler == SIG_IGN)
			ignored |= BIT_ULL(i - 1);
	}
	spin_unlock_irq(&current->sighand->siglock);
	record->blocked = cpu_to_le64(blocked);
	record->ignored = cpu_to_le64(ignored);
	BUILD_BUG_ON(ARRAY_SIZE(record->rlimit) != RLIM_NLIMITS);
	task_lock(current->group_leader);
	for (i = 0; i < RLIM_NLIMITS; i++) {
		record->rlimit[i][0] = cpu_to_le64(current->signal->rlim[i].rlim_cur);
		record->rlimit[i][1] = cpu_to_le64(current->signal->rlim[i].rlim_max);
	}
	task_unlock(current->group_leader);
	return 0;
}

/*
 * What it has asked for, not what it has got: another node has other processors. Nothing
 * if it never did.
 */
static int put_affinity(struct holon_image *image)
{
	unsigned int words = DIV_ROUND_UP(nr_cpu_ids, 64), i;
	cpumask_var_t mask;
	void *record;
	u64 word;
	bool asked;

	if (!READ_ONCE(current->user_cpus_ptr))
		return 0;
	if (!zalloc_cpumask_var(&mask, GFP_KERNEL))
		return -ENOMEM;
	raw_spin_lock_irq(&current->pi_lock);
	asked = current->user_cpus_ptr;
	if (asked)
		cpumask_copy(mask, current->user_cpus_ptr);
	raw_spin_unlock_irq(&current->pi_lock);
	record = asked ? holon_image_add(image, HOLON_RECORD_AFFINITY, words * sizeof(word)) : NULL;
	for (i = 0; record && i < words; i++) {
		bitmap_to_arr64(&word, cpumask_bits(mask) + i, min(nr_cpu_ids - i * 64, 64U));
		put_unaligned_le64(word, record + i * sizeof(word));
	}
	free_cpumask_var(mask);
	return asked && !record ? -ENOMEM : 0;
}

static int put_path(struct holon_image *image, u32 type, const struct path *path, char *page)
{
	char *name = d_path(path, page, PATH_MAX);

	if (IS_ERR(name))
		return PTR_ERR(name);
	return holon_image_put(image, type, name, strlen(name) + 1);
}

/* Is this the root directory of process 1, as that of the containers is? */
static bool is_common_root(const struct path *root)
{
	struct task_struct *init = init_pid_ns.child_reaper;
	struct path top = {};

	task_lock(init);
	if (init->fs)
		get_fs_root(init->fs, &top);
	task_unlock(init);
	if (!top.mnt)
		return false;
	path_put(&top);
	return path_equal(root, &top);
}

static int put_dirs(struct holon_image *image, char *page)
{
	struct path root, pwd;
	int err = 0;

	get_fs_root(current->fs, &root);
	get_fs_pwd(current->fs, &pwd);
	/* Paths are relative to the root: a changed one stays at home. */
	if (!holon_is_guest(current) && !is_common_root(&root))
		err = -EREMOTE;
	else if (holon_share_path(&pwd) != HOLON_SHARE_NONE && !d_unlinked(pwd.dentry))
		err = put_path(image, HOLON_RECORD_CWD, &pwd, page);
	path_put(&pwd);
	path_put(&root);
	return err;
}

/* The strings lie on the new stack: arguments, environment, file name. */
static int put_strings(struct holon_image *image, struct linux_binprm *bprm)
{
	size_t len = bprm->exec - bprm->p;
	void *data;

	data = holon_image_add(image, HOLON_RECORD_STRINGS, len);
	if (!data)
		return -ENOMEM;
	if (access_remote_vm(bprm->mm, bprm->p, data, len, FOLL_FORCE) != len)
		return -EFAULT;
	return 0;
}

/* --- files ---------------------------------------------------------------- */

struct open_file {
	unsigned int fd;
	unsigned int first;	/* lowest descriptor of the same description */
	bool cloexec;
	struct file *file;
};

static bool has_locks(const struct inode *inode)
{
	struct file_lock_context *ctx = locks_inode_context(inode);

	return ctx && (!list_empty_careful(&ctx->flc_posix) ||
		       !list_empty_careful(&ctx->flc_flock) ||
		       !list_empty_careful(&ctx->flc_lease));
}

/*
 * May @file be opened again elsewhere? @refs: references that we know of, our
 * own included; @writers: descriptions of this process that write to the inode.
 */
static bool may_reopen(struct file *file, long refs, int writers)
{
	struct inode *inode = file_inode(file);
	enum holon_share share = holon_share_file(file);

	if (holon_stateless_device(inode))
		return true;
	if (share == HOLON_SHARE_NONE)
		return false;
	if (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode))
		return false;
	/* Away, others are no reason: the position in a directory is nothing that they share. */
	if (file_count(file) != refs && !(holon_is_guest(current) && S_ISDIR(inode->i_mode)))
		return false;
	if (d_unlinked(file->f_path.dentry) || has_locks(inode))
		return false;
	if (share == HOLON_SHARE_IDENTICAL)
		return true;
	if (!inode->i_nlink || atomic_read(&inode->i_writecount) > writers)
		return false;
	return !(file->f_mode & FMODE_WRITE) || !vfs_fsync(file, 0);
}

/* Does it exist only here, though its home is elsewhere? */
static enum holon_stay stays_here(const struct file *file)
{
	const struct holon_task *ht = current->holon;

	if (!holon_is_guest(current))
		/* It tells of the signals of who reads, and those are not at home any more. */
		return ht && ht->state == HOLON_TASK_MOVING &&
		       holon_anon_kind(file) == HOLON_ANON_SIGNALFD ?
		       HOLON_STAY_FILE_KIND : HOLON_STAY_NONE;
	if (holon_file_is_remote(file))
		return HOLON_STAY_NONE;
	if (holon_share_file(file) != HOLON_SHARE_NONE)
		return HOLON_STAY_FILE;
	return HOLON_STAY_FILE_KIND;
}

/* Has current itself locked it? Such a lock would be lost on the way. */
static bool has_own_locks(const struct inode *inode)
{
	struct file_lock_context *ctx = locks_inode_context(inode);
	struct file_lock_core *lock;
	bool found = false;

	if (!ctx)
		return false;
	spin_lock(&ctx->flc_lock);
	list_for_each_entry(lock, &ctx->flc_posix, flc_list)
		found |= lock->flc_owner == current->files;
	spin_unlock(&ctx->flc_lock);
	return found;
}

/* May it stay open here, and be operated from home? */
static bool may_stay(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return holon_is_guest(current) && !holon_file_is_remote(file) &&
	       holon_share_file(file) != HOLON_SHARE_NONE && S_ISREG(inode->i_mode) &&
	       file->f_mode & (FMODE_READ | FMODE_WRITE) && file->f_op->read_iter &&
	       file->f_op->write_iter && !has_own_locks(inode);
}

static int put_hosted(const struct open_file *open, struct holon_record_file *record)
{
	struct holon_task *ht = current->holon;

	/* A second descriptor of it. */
	if (open->fd != open->first) {
		record->reopen = cpu_to_le32(1);
		return 0;
	}
	/* Nowhere, when it is only looked at. */
	return ht->looking ? 0 : holon_hosted_offer(open->file, ht->home, &ht->offers,
						    &record->hosted);
}

#define ANON_OTHER	1	/* it is no such file, or others have it as well */
#define ANON_AGAIN	2	/* it has been written down with a lower number */

/* Does nobody else miss it when it is made anew elsewhere? */
static bool is_own(const struct file *file, long refs)
{
	unsigned int kind = holon_anon_kind(file);

	return file_count(file) == refs || kind == HOLON_ANON_SIGNALFD ||
	       (kind == HOLON_ANON_EPOLL && holon_is_guest(current));
}

/* Made anew where the process goes, unless somebody else would miss it. */
static int put_anon(struct holon_image *image, const struct open_file *open, long refs)
{
	int err;

	if (!holon_anon_kind(open->file) || !is_own(open->file, refs))
		return ANON_OTHER;
	if (open->fd != open->first)
		return ANON_AGAIN;
	err = holon_anon_export(image, open->file, open->fd, open->cloexec);
	return err == -EBUSY ? ANON_OTHER : err;
}

/* @page: for the name */
static const char *name_of(const struct file *file, char *page)
{
	const char *name = d_path(&file->f_path, page, PATH_MAX);

	return IS_ERR(name) ? "" : name;
}

/* By its name, or where it is; 0, or 1 when it can be neither. */
static int put_where(const struct open_file *open, long refs, int writers,
		     struct holon_record_file *record)
{
	if (holon_file_is_remote(open->file))
		return 1;
	if (may_reopen(open->file, refs, writers)) {
		record->reopen = cpu_to_le32(1);
		return 0;
	}
	return may_stay(open->file) ? put_hosted(open, record) : 1;
}

static int put_file(struct holon_image *image, const struct open_file *open, long refs,
		    int writers, bool anon, char *page, enum holon_stay *stay)
{
	struct holon_record_file record = {
		.pos = cpu_to_le64(max_t(loff_t, open->file->f_pos, 0)),
		.ino = cpu_to_le64(file_inode(open->file)->i_ino),
		.first = cpu_to_le32(open->first),
	};
	const char *name = "";
	void *data;
	int err;

	holon_file_describe(open->file, open->fd, open->cloexec, &record.info);
	/* A lock that was made from here is this node's: then that stays the way. */
	if (!has_own_locks(file_inode(open->file)))
		holon_hosted_describe(open->file, &record.hosted);
	err = put_where(open, refs, writers, &record);
	if (err < 0)
		return err;
	if (!err)
		name = name_of(open->file, page);
	if (err && anon) {
		err = put_anon(image, open, refs);
		if (err <= 0)
			return err;
		/* A second descriptor of it. */
		record.reopen = cpu_to_le32(err == ANON_AGAIN);
		err = err != ANON_AGAIN;
	}
	if (err) {
		*stay = stays_here(open->file);
		if (*stay)
			return -EBUSY;
	}
	data = holon_image_add(image, HOLON_RECORD_FILE, sizeof(record) + strlen(name) + 1);
	if (!data)
		return -ENOMEM;
	memcpy(data, &record, sizeof(record));
	memcpy(data + sizeof(record), name, strlen(name) + 1);
	return 0;
}

/* All, or those that survive an exec, with a reference each. */
static int collect_files(struct open_file **list, unsigned int *count, bool all)
{
	unsigned int n = 0, size = 64, fd = 0, i;
	struct open_file *open, *more;
	struct file *file;

	open = kvmalloc_array(size, sizeof(*open), GFP_KERNEL_ACCOUNT);
	if (!open)
		return -ENOMEM;
	for (;; fd++) {
		rcu_read_lock();
		file = task_lookup_next_fdget_rcu(current, &fd);
		rcu_read_unlock();
		if (!file)
			break;
		if (!all && get_close_on_exec(fd)) {
			fput(file);
			continue;
		}
		if (n == size) {
			more = kvrealloc(open, 2 * size * sizeof(*open), GFP_KERNEL_ACCOUNT);
			if (!more) {
				fput(file);
				*list = open;
				*count = n;
				return -ENOMEM;
			}
			open = more;
			size *= 2;
		}
		open[n] = (struct open_file) {
			.fd = fd, .first = fd, .file = file, .cloexec = get_close_on_exec(fd),
		};
		for (i = 0; i < n; i++) {
			if (open[i].file == file) {
				open[n].first = open[i].first;
				break;
			}
		}
		n++;
	}
	*list = open;
	*count = n;
	return 0;
}

/* Open descriptions of ours that write to the inode of @file. */
static int count_writers(const struct open_file *open, unsigned int n, const struct file *file)
{
	unsigned int i;
	int writers = 0;

	for (i = 0; i < n; i++)
		if (open[i].first == open[i].fd && (open[i].file->f_mode & FMODE_WRITE) &&
		    file_inode(open[i].file) == file_inode(file))
			writers++;
	return writers;
}

/* References that we know of, two per descriptor: the table's and that of our list. */
static long count_refs(const struct open_file *open, unsigned int n, const struct file *file)
{
	unsigned int i;
	long refs = 0;

	for (i = 0; i < n; i++)
		if (open[i].file == file)
			refs += 2;
	return refs;
}

/*
 * An epoll of home that others have, too, or one that cannot be written down, stays where it
 * is, and what it may look at with it.
 */
static bool owns_epolls(const struct open_file *open, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (holon_anon_kind(open[i].file) == HOLON_ANON_EPOLL &&
		    (!is_own(open[i].file, count_refs(open, n, open[i].file)) ||
		     holon_epoll_stays(open[i].file)))
			return false;
	return true;
}

static int put_files(struct holon_image *image, bool all, char *page, enum holon_stay *stay)
{
	struct open_file *open = NULL;
	unsigned int n = 0, i;
	bool anon;
	int err;

	err = collect_files(&open, &n, all);
	anon = all && owns_epolls(open, n);
	for (i = 0; i < n && !err; i++) {
		err = put_file(image, &open[i], count_refs(open, n, open[i].file),
			       count_writers(open, n, open[i].file), anon, page, stay);
		cond_resched();
	}
	for (i = 0; i < n; i++)
		fput(open[i].file);
	kvfree(open);
	return err;
}

/**
 * holon_image_export - write down what an exec takes along
 * @image: empty
 * @bprm: of the execve() of current, its strings copied
 *
 * Context: current in execve(). Writes back files.
 * Return: 0; -EREMOTE when something cannot be had elsewhere; -ENOMEM.
 */
int holon_image_export(struct holon_image *image, struct linux_binprm *bprm)
{
	enum holon_stay stay = HOLON_STAY_NONE;
	char *page = __getname();
	int err;

	if (!page)
		return -ENOMEM;
	err = put_exec(image, bprm) ?:
	      put_creds(image) ?:
	      put_task(image) ?:
	      put_affinity(image) ?:
	      put_dirs(image, page) ?:
	      holon_cgroup_export(image) ?:
	      holon_image_put(image, HOLON_RECORD_NAME, bprm->filename,
			      strlen(bprm->filename) + 1) ?:
	      put_path(image, HOLON_RECORD_PROGRAM, &bprm->file->f_path, page) ?:
	      put_strings(image, bprm) ?:
	      holon_seccomp_export(image, &stay) ?:
	      put_files(image, false, page, &stay);
	__putname(page);
	return err;
}

static int put_move(struct holon_image *image)
{
	struct holon_record_move record = { .version = cpu_to_le32(HOLON_IMAGE_VERSION) };

	return holon_image_put(image, HOLON_RECORD_MOVE, &record, sizeof(record));
}

/* What each thread has for itself. */
static int put_thread(struct holon_image *image, enum holon_stay *stay)
{
	return put_creds(image) ?: put_task(image) ?: put_affinity(image) ?:
	       holon_regs_export(image) ?:
	       holon_thread_export(image, stay) ?: holon_seccomp_export(image, stay);
}

static int put_sibling(struct holon_image *image, const struct holon_task *ht)
{
	struct holon_record_sibling record = {
		.pid = cpu_to_le32(ht->pid),
		.inc = cpu_to_le64(ht->inc),
	};

	return holon_image_put(image, HOLON_RECORD_SIBLING, &record, sizeof(record));
}

int holon_image_export_sibling(struct holon_task *ht, enum holon_stay *stay)
{
	return put_sibling(&ht->image, ht) ?: put_thread(&ht->image, stay);
}

int holon_image_append(struct holon_image *image, const struct holon_image *part)
{
	struct holon_record record;
	size_t pos = 0;
	int more = 0, err = 0;

	while (!err && (more = holon_image_next(part, &pos, &record)) > 0)
		err = holon_image_put(image, record.type, record.data, record.len);
	return err ?: min(more, 0);
}

int holon_image_export_move(struct holon_image *image, enum holon_stay *stay)
{
	char *page = __getname();
	int err;

	if (!page)
		return -ENOMEM;
	err = put_move(image) ?: put_dirs(image, page);
	if (err == -EREMOTE)
		*stay = HOLON_STAY_ROOT;
	err = err ?: put_thread(image, stay) ?:
	      holon_cgroup_export(image) ?:
	      put_files(image, true, page, stay) ?:
	      holon_cpu_export(image) ?:
	      holon_mm_export(image, stay) ?:
	      holon_process_export(image);	/* last: it stops the alarm */
	__putname(page);
	return err;
}
