// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building a guest from the image of an exec: the other end of image_export.c,
 * run by the guest itself, which has inherited its container from the spawner
 * and throws everything else of the spawner away. A process that comes home is built
 * from one by its deputy, which has most of it already.
 *
 * The image comes from a member, which may be wrong: whatever is out of range is
 * refused. Files are opened as the spawner, who may see all of the container:
 * the process had them open already.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/binfmts.h>
#include <linux/cpumask.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/init_task.h>
#include <linux/kdev_t.h>
#include <linux/ioprio.h>
#include <linux/namei.h>
#include <linux/oom.h>
#include <linux/posix-timers.h>
#include <linux/resource.h>
#include <linux/sched/coredump.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <uapi/linux/sched/types.h>

#include <linux/holon.h>
#include <linux/holon_file.h>

#include "cred_value.h"
#include "guest.h"
#include "hold.h"
#include "image.h"
#include "move.h"
#include "task.h"

/**
 * struct import_thread - what one thread has for itself
 * @list: in holon_import->siblings
 * @pid: its number
 * @inc: its stay
 */
struct import_thread {
	struct list_head list;
	pid_t pid;
	u64 inc;
	const struct holon_record_task *task;
	const void *affinity;
	unsigned int affinity_words;
	const struct holon_record_thread *thread;
	struct holon_regs_import regs;
	const void *creds;
	size_t creds_len;
	const struct holon_image *image;
	size_t seccomp;			/* where these records begin in it, or 0 */
};

/* What holon_image_parse() found; points into the image. */
struct holon_import {
	const struct holon_image *image;
	const struct holon_record_exec *exec;
	const struct holon_record_move *move;	/* or this one */
	struct import_thread own;		/* of who imports */
	struct import_thread *now;		/* whose records come */
	struct list_head siblings;
	const struct holon_record_process *process;
	const struct holon_record_action *actions;
	const struct holon_record_cgroup *cgroup;
	struct holon_mm_import mm;
	const char *cwd, *name, *program;
	const char *strings;
	size_t strings_len;
	unsigned int argc, envc, files;

	const char **argv;		/* arguments, NULL, environment, NULL */
	char *page;
	__le32 *reopened;
	unsigned int n_reopened;
};

/* A path: one string that fills the record. */
static const char *record_path(const struct holon_record *record)
{
	const char *path = record->data;

	if (!record->len || record->len > PATH_MAX || path[record->len - 1] ||
	    strlen(path) != record->len - 1)
		return NULL;
	return path;
}

static bool valid_file(const struct holon_record *record)
{
	const struct holon_record_file *file = record->data;
	struct holon_record path = {
		.data = record->data + sizeof(*file),
		.len = record->len - sizeof(*file),
	};

	return record->len > sizeof(*file) && record_path(&path) &&
	       le32_to_cpu(file->info.fd) < INT_MAX && (s64)le64_to_cpu(file->pos) >= 0 &&
	       le32_to_cpu(file->first) <= le32_to_cpu(file->info.fd);
}

static bool valid_anon(const struct holon_record *record)
{
	const struct holon_record_anon *anon = record->data;

	return record->len == sizeof(*anon) && le32_to_cpu(anon->fd) < INT_MAX;
}

static int parse_sibling(struct holon_import *import, const struct holon_record *record)
{
	const struct holon_record_sibling *sibling = record->data;
	struct import_thread *thread;

	if (record->len != sizeof(*sibling))
		return -EBADMSG;
	thread = kzalloc(sizeof(*thread), GFP_KERNEL_ACCOUNT);
	if (!thread)
		return -ENOMEM;
	list_add_tail(&thread->list, &import->siblings);
	thread->image = import->image;
	thread->pid = le32_to_cpu(sibling->pid);
	thread->inc = le64_to_cpu(sibling->inc);
	import->now = thread;
	return thread->pid > 1 && thread->pid < HOLON_PID_MAX && thread->inc ? 0 : -EBADMSG;
}

/* @pos: where it begins */
static int parse_record(struct holon_import *import, const struct holon_record *record, size_t pos)
{
	struct import_thread *now = import->now;
	int err;

	err = holon_mm_parse(&import->mm, record);
	if (err > 0)
		err = holon_regs_parse(&now->regs, record);
	if (err <= 0)
		return err;
	switch (record->type) {
	case HOLON_RECORD_EXEC:
		import->exec = record->data;
		return record->len == sizeof(*import->exec) ? 0 : -EBADMSG;
	case HOLON_RECORD_MOVE:
		import->move = record->data;
		return record->len == sizeof(*import->move) ? 0 : -EBADMSG;
	case HOLON_RECORD_THREAD:
		now->thread = record->data;
		return record->len == sizeof(*now->thread) ? 0 : -EBADMSG;
	case HOLON_RECORD_SIBLING:
		return parse_sibling(import, record);
	case HOLON_RECORD_PROCESS:
		import->process = record->data;
		return record->len == sizeof(*import->process) ? 0 : -EBADMSG;
	case HOLON_RECORD_ACTIONS:
		import->actions = record->data;
		return record->len == _NSIG * sizeof(*import->actions) ? 0 : -EBADMSG;
	case HOLON_RECORD_CGROUP:
		import->cgroup = record->data;
		return record->len == sizeof(*import->cgroup) ? 0 : -EBADMSG;
	case HOLON_RECORD_CREDS:
		now->creds = record->data;
		now->creds_len = record->len;
		return 0;
	case HOLON_RECORD_TASK:
		now->task = record->data;
		return record->len == sizeof(*now->task) ? 0 : -EBADMSG;
	case HOLON_RECORD_AFFINITY:
		now->affinity = record->data;
		now->affinity_words = record->len / sizeof(u64);
		return record->len % sizeof(u64) ? -EBADMSG : 0;
	case HOLON_RECORD_SECCOMP:
		now->seccomp = now->seccomp ?: pos;
		return holon_seccomp_valid(record) ? 0 : -EBADMSG;
	case HOLON_RECORD_FILE:
		import->files++;
		return valid_file(record) ? 0 : -EBADMSG;
	case HOLON_RECORD_ANON:
		import->files++;
		return valid_anon(record) ? 0 : -EBADMSG;
	case HOLON_RECORD_TIMER:
		return record->len == sizeof(struct holon_record_timer) ? 0 : -EBADMSG;
	case HOLON_RECORD_EPOLL:
		return record->len == sizeof(struct holon_record_epoll) ? 0 : -EBADMSG;
	case HOLON_RECORD_CWD:
		import->cwd = record_path(record);
		return import->cwd ? 0 : -EBADMSG;
	case HOLON_RECORD_NAME:
		import->name = record_path(record);
		return import->name ? 0 : -EBADMSG;
	case HOLON_RECORD_PROGRAM:
		import->program = record_path(record);
		return import->program ? 0 : -EBADMSG;
	case HOLON_RECORD_STRINGS:
		import->strings = record->data;
		import->strings_len = record->len;
		return 0;
	}
	return record->type & HOLON_RECORD_MUST ? -EOPNOTSUPP : 0;
}

/* Point argv and envp into the strings. */
static int parse_strings(struct holon_import *import)
{
	size_t left = import->strings_len, n;
	const char *at = import->strings;
	unsigned int i, k = 0;

	import->argc = le32_to_cpu(import->exec->argc);
	import->envc = le32_to_cpu(import->exec->envc);
	if (!import->argc || import->argc > left || import->envc > left ||
	    import->argc + import->envc > left)
		return -EBADMSG;
	import->argv = kvcalloc(import->argc + import->envc + 2, sizeof(char *),
				GFP_KERNEL_ACCOUNT);
	if (!import->argv)
		return -ENOMEM;
	for (i = 0; i < import->argc + import->envc; i++) {
		n = strnlen(at, left);
		if (n == left)
			return -EBADMSG;
		if (i == import->argc)
			k++;
		import->argv[k++] = at;
		at += n + 1;
		left -= n + 1;
	}
	return 0;
}

/* The record with the version comes first. */
static bool known_version(const struct holon_import *import)
{
	__le32 version = cpu_to_le32(HOLON_IMAGE_VERSION);

	return import->exec ? import->exec->version == version && !import->move :
	       import->move && import->move->version == version;
}

static bool is_thread(const struct import_thread *thread)
{
	return thread->task && thread->creds && thread->thread && thread->regs.regs &&
	       thread->regs.xstate;
}

static bool is_complete(const struct holon_import *import)
{
	const struct import_thread *thread;

	if (import->exec)
		return import->own.task && import->own.creds && import->name &&
		       import->program && import->strings && list_empty(&import->siblings);
	list_for_each_entry(thread, &import->siblings, list)
		if (!is_thread(thread))
			return false;
	return import->move && is_thread(&import->own) && import->own.regs.cpu &&
	       import->process && import->actions && import->mm.mm && import->mm.exe;
}

bool holon_import_moves(const struct holon_import *import)
{
	return import->move;
}

void holon_import_free(struct holon_import *import)
{
	struct import_thread *thread, *next;

	if (IS_ERR_OR_NULL(import))
		return;
	list_for_each_entry_safe(thread, next, &import->siblings, list)
		kfree(thread);
	if (import->page)
		__putname(import->page);
	kvfree(import->argv);
	kvfree(import->reopened);
	kfree(import);
}

/**
 * holon_image_parse - look at all records of an image
 * @image: untrusted; must stay until holon_import_free()
 *
 * Return: what to import, or an ERR_PTR(): -EBADMSG, -EOPNOTSUPP, -ENOMEM.
 */
struct holon_import *holon_image_parse(const struct holon_image *image)
{
	struct holon_import *import;
	struct holon_record record;
	size_t pos = 0, at = 0;
	int more, err = -ENOMEM;

	import = kzalloc(sizeof(*import), GFP_KERNEL);
	if (!import)
		return ERR_PTR(-ENOMEM);
	import->image = image;
	import->now = &import->own;
	import->own.image = image;
	INIT_LIST_HEAD(&import->siblings);
	import->page = __getname();
	if (!import->page)
		goto free;
	while ((more = holon_image_next(image, &pos, &record)) > 0) {
		err = parse_record(import, &record, at);
		if (err)
			goto free;
		at = pos;
		err = -EOPNOTSUPP;
		if (!known_version(import))
			goto free;
	}
	err = -EBADMSG;
	if (more < 0 || !is_complete(import))
		goto free;
	err = import->exec ? parse_strings(import) : 0;
	if (err)
		goto free;
	err = -ENOMEM;
	import->reopened = kvmalloc_array(import->files + 1, sizeof(__le32), GFP_KERNEL_ACCOUNT);
	if (import->reopened)
		return import;
free:
	holon_import_free(import);
	return ERR_PTR(err);
}

const __le32 *holon_import_reopened(const struct holon_import *import, unsigned int *n)
{
	*n = import->n_reopened;
	return import->reopened;
}

/* --- files ---------------------------------------------------------------- */

/* What is open belongs to the spawner. */
static void close_all(void)
{
	unsigned int fd, max;

	rcu_read_lock();
	max = files_fdtable(current->files)->max_fds;
	rcu_read_unlock();
	for (fd = 0; fd < max; fd++)
		close_fd(fd);
}

static struct file *reopen(const struct holon_record_file *record, const struct cred *cred)
{
	unsigned int flags = le32_to_cpu(record->info.flags);
	const char *name = (const char *)(record + 1);
	struct file *file;
	struct path path;
	bool device;
	int err;

	/* It is root who looks: a link was put there after home had named the file. */
	err = kern_path(name, LOOKUP_NO_SYMLINKS, &path);
	if (err)
		return ERR_PTR(err);
	file = ERR_PTR(-EREMOTE);
	device = holon_stateless_device(d_backing_inode(path.dentry));
	if (device || holon_share_path(&path) != HOLON_SHARE_NONE)
		file = dentry_open(&path, flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC), cred);
	path_put(&path);
	if (IS_ERR(file))
		return file;
	if ((device ? new_encode_dev(file_inode(file)->i_rdev) != le64_to_cpu(record->info.rdev) :
	     file_inode(file)->i_ino != le64_to_cpu(record->ino)) ||
	    (file_inode(file)->i_mode & S_IFMT) != (le32_to_cpu(record->info.mode) & S_IFMT)) {
		fput(file);
		return ERR_PTR(-ESTALE);
	}
	file->f_pos = le64_to_cpu(record->pos);
	return file;
}

/* A descriptor below @fd, with the same file, that was opened again? */
static struct file *same_file(const struct holon_import *import,
			      const struct holon_record_file *record)
{
	unsigned int i;

	for (i = 0; i < import->n_reopened; i++)
		if (import->reopened[i] == record->first)
			return fget_raw(le32_to_cpu(record->first));
	return NULL;
}

static int import_file(struct holon_import *import, struct holon_task *ht,
		       const struct holon_record_file *record, const struct cred *cred)
{
	unsigned int fd = le32_to_cpu(record->info.fd);
	struct file *file;
	int err;

	if (record->first != record->info.fd) {
		file = same_file(import, record);
	} else if (record->reopen) {
		file = reopen(record, cred);
	} else {
		/* It comes back to where it has left it. */
		file = holon_hosted_here(&record->hosted, ht->home);
	}
	if (!IS_ERR_OR_NULL(file)) {
		import->reopened[import->n_reopened++] = record->info.fd;
	} else {
		file = holon_remote_file(ht, &record->info);
		if (IS_ERR(file))
			return PTR_ERR(file);
	}
	err = replace_fd(fd, file, record->info.cloexec ? O_CLOEXEC : 0);
	fput(file);
	return err < 0 ? err : 0;
}

static int import_anon(struct holon_import *import, const struct holon_record_anon *record)
{
	int err = holon_anon_import(current->holon, record);

	if (!err)
		import->reopened[import->n_reopened++] = record->fd;
	return err;
}

static int fill_epolls(struct holon_import *import)
{
	struct holon_record record;
	size_t pos = 0;
	int err = 0;

	while (!err && holon_image_next(import->image, &pos, &record) > 0) {
		if (record.type == HOLON_RECORD_EPOLL)
			err = holon_epoll_import(record.data);
		cond_resched();
	}
	return err;
}

static int import_files(struct holon_import *import, struct holon_task *ht,
			const struct cred *cred)
{
	struct holon_record record;
	size_t pos = 0;
	int err = 0;

	close_all();
	/* Descriptors may lie beyond a limit that was lowered later. */
	task_lock(current->group_leader);
	current->signal->rlim[RLIMIT_NOFILE].rlim_cur = sysctl_nr_open;
	task_unlock(current->group_leader);
	while (!err && holon_image_next(import->image, &pos, &record) > 0) {
		if (record.type == HOLON_RECORD_FILE)
			err = import_file(import, ht, record.data, cred);
		else if (record.type == HOLON_RECORD_ANON)
			err = import_anon(import, record.data);
		cond_resched();
	}
	/* It lies in the address space of the spawner. */
	holon_window_free(ht);
	return err ?: fill_epolls(import);
}

static void import_cwd(struct holon_import *import, struct holon_task *ht)
{
	struct path path;

	if (import->cwd &&
	    !kern_path(import->cwd, LOOKUP_NO_SYMLINKS | LOOKUP_DIRECTORY, &path)) {
		if (holon_share_path(&path) != HOLON_SHARE_NONE) {
			set_fs_pwd(current->fs, &path);
			path_put(&path);
			return;
		}
		path_put(&path);
	}
	/* Relative paths are home's, until the next chdir(). */
	get_fs_root(current->fs, &path);
	set_fs_pwd(current->fs, &path);
	path_put(&path);
	ht->leader->cwd_remote = true;
}

/* --- the task ------------------------------------------------------------- */

static void import_sched(const struct holon_record_task *task)
{
	unsigned int ioprio = le32_to_cpu(task->ioprio);
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = le32_to_cpu(task->policy),
		.sched_nice = clamp_t(int, le32_to_cpu(task->nice), MIN_NICE, MAX_NICE),
		.sched_priority = le32_to_cpu(task->priority),
	};

	/* A deadline was admitted at home, with the processors of home. */
	if (attr.sched_policy > SCHED_IDLE)
		attr.sched_policy = SCHED_NORMAL;
	if (attr.sched_policy != SCHED_FIFO && attr.sched_policy != SCHED_RR)
		attr.sched_priority = 0;
	if (sched_setattr_nocheck(current, &attr))
		pr_debug("policy %u is not possible here\n", attr.sched_policy);
	if (IOPRIO_PRIO_CLASS(ioprio) <= IOPRIO_CLASS_IDLE)
		set_task_ioprio(current, ioprio);
	current->timer_slack_ns = le64_to_cpu(task->timer_slack);
	current->default_timer_slack_ns = le64_to_cpu(task->timer_slack);
	current->personality = le32_to_cpu(task->personality);
}

/* If none of these processors is here, it runs on all. */
static void import_affinity(const struct import_thread *thread)
{
	unsigned int words = DIV_ROUND_UP(nr_cpu_ids, 64), i;
	cpumask_var_t mask;
	u64 word;

	/* More of an administrator's wish than of anybody's data: no reason to fail. */
	if (!thread->affinity || !zalloc_cpumask_var(&mask, GFP_KERNEL))
		return;
	for (i = 0; i < min(words, thread->affinity_words); i++) {
		word = get_unaligned_le64(thread->affinity + i * sizeof(word));
		bitmap_from_arr64(cpumask_bits(mask) + i, &word, min(nr_cpu_ids - i * 64, 64U));
	}
	if (sched_setaffinity(0, mask))
		pr_debug("none of its processors is here\n");
	free_cpumask_var(mask);
}

static void import_signals(const struct holon_record_task *task)
{
	u64 blocked = le64_to_cpu(task->blocked), ignored = le64_to_cpu(task->ignored);
	sigset_t set;
	int sig;

	flush_signal_handlers(current, 1);
	sigemptyset(&set);
	spin_lock_irq(&current->sighand->siglock);
	for (sig = 1; sig <= _NSIG; sig++) {
		if (ignored & BIT_ULL(sig - 1) && !sig_kernel_only(sig))
			current->sighand->action[sig - 1].sa.sa_handler = SIG_IGN;
		if (blocked & BIT_ULL(sig - 1))
			sigaddset(&set, sig);
	}
	spin_unlock_irq(&current->sighand->siglock);
	sigdelsetmask(&set, sigmask(SIGKILL) | sigmask(SIGSTOP));
	set_current_blocked(&set);
}

/*
 * As long as it has the memory of the spawner it must not be killed for want of memory:
 * that would be the end of the spawner, too.
 */
static void hold_oom(void)
{
	current->signal->oom_score_adj = OOM_SCORE_ADJ_MIN;
}

/* Now it has its own. */
static void import_oom(const struct holon_record_task *task)
{
	current->signal->oom_score_adj = clamp_t(int, le32_to_cpu(task->oom_score_adj),
						 OOM_SCORE_ADJ_MIN, OOM_SCORE_ADJ_MAX);
	current->signal->oom_score_adj_min = clamp_t(int, le32_to_cpu(task->oom_score_adj_min),
						     OOM_SCORE_ADJ_MIN, OOM_SCORE_ADJ_MAX);
}

static void import_task(const struct holon_record_task *task)
{
	struct signal_struct *signal = current->signal;
	int i;

	import_sched(task);
	import_signals(task);
	current->fs->umask = le32_to_cpu(task->umask) & 0777;
	task_lock(current->group_leader);
	for (i = 0; i < RLIM_NLIMITS; i++) {
		signal->rlim[i].rlim_cur = le64_to_cpu(task->rlimit[i][0]);
		signal->rlim[i].rlim_max = le64_to_cpu(task->rlimit[i][1]);
	}
	task_unlock(current->group_leader);
	if (signal->rlim[RLIMIT_CPU].rlim_cur != RLIM_INFINITY)
		update_rlimit_cpu(current, signal->rlim[RLIMIT_CPU].rlim_cur);
}

/* --- threads ---------------------------------------------------------------- */

/* The last register, and the signal mask, are set on the way to user mode. */
static void settle_later(const struct import_thread *thread)
{
	sigset_t blocked = { .sig[0] = le64_to_cpu(thread->task->blocked) };
	struct holon_task *ht = current->holon;

	sigdelsetmask(&blocked, sigmask(SIGKILL) | sigmask(SIGSTOP));
	ht->moved_blocked = blocked;
	ht->moved_result = ((const struct user_regs_struct *)thread->regs.regs)->ax;
	ht->moved = true;
	sigfillset(&blocked);
	sigdelset(&blocked, SIGKILL);
	__set_current_blocked(&blocked);
}

/* Of the first thread, also for the others what all have. */
static int import_filters(const struct holon_import *import)
{
	const struct import_thread *own = &import->own, *thread;
	unsigned int common = list_empty(&import->siblings) ? 0 : UINT_MAX;

	list_for_each_entry(thread, &import->siblings, list)
		common = min(common, holon_seccomp_common(import->image, own->seccomp,
							  thread->seccomp));
	return holon_seccomp_import(import->image, own->seccomp, common);
}

/* The rest of another one's. */
static int import_own_filters(struct holon_task *ht)
{
	return holon_seccomp_import(ht->made_of->image, ht->made_of->seccomp, 0);
}

static int import_sibling(const struct import_thread *thread)
{
	struct cred *cred = holon_creds_prepare(thread->creds, thread->creds_len);
	int err;

	if (IS_ERR(cred))
		return PTR_ERR(cred);
	err = holon_regs_import(&thread->regs) ?: holon_thread_import(thread->thread);
	if (err) {
		abort_creds(cred);
		return err;
	}
	import_sched(thread->task);
	import_affinity(thread);
	holon_creds_commit(cred, thread->creds);
	settle_later(thread);
	return 0;
}

/* First function of a thread of a guest that moves. Return: 0, to user mode. */
static int sibling_main(void *data)
{
	const struct import_thread *thread = data;
	struct holon_task *ht = current->holon;

	spin_lock_irq(&ht->lock);
	ht->task = current;
	spin_unlock_irq(&ht->lock);
	holon_held_new(ht, import_sibling(thread));
	return 0;
}

static int make_sibling(struct import_thread *thread, struct holon_task *leader)
{
	struct kernel_clone_args args = {
		.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			 CLONE_SYSVSEM | CLONE_UNTRACED,
		.fn = sibling_main,
		.fn_arg = thread,
	};
	struct holon_task *ht = holon_task_alloc(HOLON_ROLE_GUEST, GFP_KERNEL);
	long nr;

	if (!ht)
		return -ENOMEM;
	siginitsetinv(&leader->child_blocked, sigmask(SIGKILL));
	holon_task_join(ht, leader);
	ht->pid = thread->pid;
	ht->inc = thread->inc;
	ht->made_of = thread;
	holon_hold_expect(leader);
	nr = holon_fork_half(leader, ht, &args);
	if (nr < 0)
		holon_hold_expect_less(leader);
	holon_task_put(ht);
	return nr < 0 ? nr : 0;
}

/* They import what is theirs, and wait, see hold.c. */
static int make_siblings(struct holon_import *import, struct holon_task *ht)
{
	struct import_thread *thread;
	int err = 0;

	if (list_empty(&import->siblings))
		return 0;
	holon_hold_new(ht);
	list_for_each_entry(thread, &import->siblings, list) {
		err = make_sibling(thread, ht);
		if (err)
			break;
	}
	/* They read the image, whatever happens. */
	return holon_hold_wait_new(ht) ?: err;
}

/**
 * holon_image_import - turn current into what the image says
 * @import: from holon_image_parse()
 * @ht: of current, a guest that has not run yet
 *
 * Context: current, alone, with nothing to lose.
 * Return: 0 or a negative errno.
 */
int holon_image_import(struct holon_import *import, struct holon_task *ht)
{
	struct cred *cred;
	int err;

	hold_oom();
	/* What it gets from here on counts. */
	err = holon_cgroup_import(import->cgroup);
	if (err)
		return err;
	cred = holon_creds_prepare(import->own.creds, import->own.creds_len);
	if (IS_ERR(cred))
		return PTR_ERR(cred);
	err = import_files(import, ht, cred);
	if (err) {
		abort_creds(cred);
		return err;
	}
	import_cwd(import, ht);
	/* Before there are limits and somebody's rights. */
	if (import->move)
		err = holon_mm_import(&import->mm, import->image) ?:
		      holon_regs_import(&import->own.regs) ?:
		      make_siblings(import, ht);
	err = err ?: import_filters(import);
	if (!err && !list_empty(&import->siblings))
		err = holon_order(ht, import_own_filters);
	if (err) {
		abort_creds(cred);
		return err;
	}
	import_task(import->own.task);
	import_affinity(&import->own);
	if (import->move)
		import_oom(import->own.task);
	holon_creds_commit(cred, import->own.creds);
	return import->move ? holon_import_program(import) : 0;
}

/* What is left when the registers are there: the program goes on in its middle. */
int holon_import_program(struct holon_import *import)
{
	unsigned long dumpable = le64_to_cpu(import->mm.mm->flags) & MMF_DUMPABLE_MASK;
	int err;

	err = holon_thread_import(import->own.thread) ?:
	      holon_timers_import(import->image, import->process);
	if (err)
		return err;
	holon_process_import(import->process, import->actions);
	if (dumpable <= SUID_DUMP_ROOT)
		set_dumpable(current->mm, dumpable);
	settle_later(&import->own);
	return 0;
}

/* --- at home ---------------------------------------------------------------- */

/* It stays open where the process was. */
static struct file *hosted(const struct holon_record_file *record, const struct cred *cred)
{
	const struct cred *old = override_creds(cred);
	struct file *file;

	file = holon_hosted_file(current->holon->node, &record->hosted,
				 le32_to_cpu(record->info.flags), (const char *)(record + 1));
	revert_creds(old);
	return file;
}

/* The deputy has what is home's under the same numbers. */
static int import_home_file(struct holon_import *import, const struct holon_record_file *record,
			    const struct cred *cred)
{
	unsigned int fd = le32_to_cpu(record->info.fd);
	struct file *file;
	int err;

	if (!record->reopen && !record->hosted.id) {
		file = fget_raw(fd);
		if (!file)
			return -EBADF;
		fput(file);
		return 0;
	}
	if (record->first != record->info.fd)
		file = same_file(import, record);
	else if (record->reopen)
		file = reopen(record, cred);
	else
		file = hosted(record, cred);
	if (IS_ERR_OR_NULL(file))
		return file ? PTR_ERR(file) : -EBADMSG;
	err = replace_fd(fd, file, record->info.cloexec ? O_CLOEXEC : 0);
	fput(file);
	if (err < 0)
		return err;
	import->reopened[import->n_reopened++] = record->info.fd;
	return 0;
}

static int import_home(struct holon_import *import, const struct cred *cred)
{
	struct holon_record record;
	size_t pos = 0;
	int err = 0;

	while (!err && holon_image_next(import->image, &pos, &record) > 0) {
		if (record.type == HOLON_RECORD_FILE)
			err = import_home_file(import, record.data, cred);
		else if (record.type == HOLON_RECORD_ANON)
			err = import_anon(import, record.data);
		cond_resched();
	}
	return err ?: fill_epolls(import) ?: holon_mm_import(&import->mm, import->image) ?:
	       holon_regs_import(&import->own.regs) ?: import_filters(import);
}

/* Limits of what the process has already, however low they are by now. */
static const unsigned int import_limits[] = {
	RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_STACK,
};

/* @limit: what they were. */
static void raise_limits(unsigned long limit[])
{
	unsigned int i;

	task_lock(current->group_leader);
	for (i = 0; i < ARRAY_SIZE(import_limits); i++) {
		limit[i] = current->signal->rlim[import_limits[i]].rlim_cur;
		current->signal->rlim[import_limits[i]].rlim_cur =
			import_limits[i] == RLIMIT_NOFILE ? sysctl_nr_open : RLIM_INFINITY;
	}
	task_unlock(current->group_leader);
}

static void restore_limits(const unsigned long limit[])
{
	unsigned int i;

	task_lock(current->group_leader);
	for (i = 0; i < ARRAY_SIZE(import_limits); i++)
		current->signal->rlim[import_limits[i]].rlim_cur = limit[i];
	task_unlock(current->group_leader);
}

/* What a deputy has no use for. */
static void import_changes(const struct import_thread *thread)
{
	current->personality = le32_to_cpu(thread->task->personality);
	current->timer_slack_ns = le64_to_cpu(thread->task->timer_slack);
}

int holon_import_home(struct holon_import *import)
{
	unsigned long limit[ARRAY_SIZE(import_limits)];
	const struct cred *cred;
	int err;

	/* As the spawner elsewhere: it had all of that open and mapped. */
	cred = override_creds(&init_cred);
	raise_limits(limit);
	err = import_home(import, cred);
	restore_limits(limit);
	revert_creds(cred);
	if (err)
		return err;
	current->fs->umask = le32_to_cpu(import->own.task->umask) & 0777;
	import_changes(&import->own);
	return 0;
}

static const struct import_thread *find_sibling(const struct holon_import *import, pid_t pid)
{
	const struct import_thread *thread;

	list_for_each_entry(thread, &import->siblings, list)
		if (thread->pid == pid)
			return thread;
	return NULL;
}

bool holon_import_has(const struct holon_import *import, pid_t pid)
{
	return find_sibling(import, pid);
}

int holon_import_home_sibling(struct holon_import *import, pid_t pid)
{
	const struct import_thread *thread = find_sibling(import, pid);
	int err;

	err = holon_regs_import(&thread->regs) ?: holon_thread_import(thread->thread) ?:
	      holon_seccomp_import(thread->image, thread->seccomp, 0);
	if (err)
		return err;
	import_changes(thread);
	settle_later(thread);
	return 0;
}

void holon_import_undo(struct holon_import *import)
{
	unsigned int i;

	for (i = 0; i < import->n_reopened; i++)
		close_fd(le32_to_cpu(import->reopened[i]));
	import->n_reopened = 0;
}

/*
 * The name that was given to execve(), if it leads to the same file here: it
 * shows in comm and in the auxiliary vector.
 */
static const char *program(struct holon_import *import)
{
	const struct cred *old;
	struct path path;
	const char *real;
	int err;

	old = override_creds(&init_cred);
	err = kern_path(import->name, LOOKUP_FOLLOW, &path);
	revert_creds(old);
	if (err)
		return import->program;
	real = d_path(&path, import->page, PATH_MAX);
	err = IS_ERR(real) || strcmp(real, import->program);
	path_put(&path);
	return err ? import->program : import->name;
}

/**
 * holon_image_execute - run the program
 * @import: imported
 *
 * Return: as kernel_execve().
 */
int holon_image_execute(struct holon_import *import)
{
	const char *name = program(import);
	int err;

	err = kernel_execve(name, import->argv, import->argv + import->argc + 1);
	if (!err)
		import_oom(import->own.task);
	if (!err && name != import->name)
		set_task_comm(current, kbasename(import->name));
	return err;
}
