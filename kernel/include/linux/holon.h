/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What upstream code calls: hooks of the process code, as inline functions
 * that cost one predicted branch until a node has placed or taken a task, and
 * nothing with CONFIG_HOLON=n. Call sites have no #ifdef.
 *
 * See kernel/holon/task.c for how deputies and guests work.
 */
#ifndef _LINUX_HOLON_H
#define _LINUX_HOLON_H

#include <linux/bits.h>
#include <linux/jump_label.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/threads.h>

struct iov_iter;
struct iovec;
struct mm_struct;
struct pt_regs;
struct restart_block;
struct sock_fprog_kern;
struct netlink_ext_ack;

#ifdef CONFIG_HOLON

/* Functions of upstream files that kernel/holon calls. */
#define VISIBLE_IF_HOLON

/* Each node hands out [id << 22, (id + 1) << 22). */
#define HOLON_PID_SHIFT		22
#define HOLON_PID_MAX		BIT(30)

/* True once this node has placed a task, or registered a spawner. */
DECLARE_STATIC_KEY_FALSE(holon_task_key);

/* First number of this node's range, 0 without a node id. */
extern int holon_pid_first;

void holon_pid_range(void);
/* kernel/signal.c */
int __send_signal_locked(int sig, struct kernel_siginfo *info, struct task_struct *t,
			 enum pid_type type, bool force);
bool do_signal_stop(int signr);
/**
 * holon_seccomp_filter - a filter of current
 * @nr: its number, from the oldest one on, below the number of filters
 * @flags: set to those of SECCOMP_FILTER_FLAG_* that matter later
 *
 * Return: its program, which lives as long as current has the filter; NULL when it has
 * a listener.
 */
const struct sock_fprog_kern *holon_seccomp_filter(unsigned int nr, unsigned int *flags);
/* kernel/seccomp.c: @filter is a struct sock_fprog */
long seccomp_set_mode_filter(unsigned int flags, const char __user *filter);
/* fs/exec.c: on success exec_update_lock is held for writing. */
int exec_mmap(struct mm_struct *mm);
/* fs/select.c, kernel/time/hrtimer.c, kernel/futex/waitwake.c */
long do_restart_poll(struct restart_block *restart_block);
long hrtimer_nanosleep_restart(struct restart_block *restart);
long futex_wait_restart(struct restart_block *restart);

bool __holon_syscall(struct pt_regs *regs, long nr);
void __holon_resume_user_mode(struct pt_regs *regs);
bool __holon_keeps_restart(void);
long __holon_exit_begin(long code);
void __holon_exit_end(struct task_struct *tsk);
bool __holon_cldstop(struct task_struct *tsk, bool for_ptracer, int why);
bool __holon_pgrp_orphaned(int *orphaned);
bool __holon_set_tid(void);
unsigned int __holon_fd_start(unsigned long *nofile);
void __holon_fork(struct task_struct *p);
bool __holon_process_vm(struct task_struct *task, struct iov_iter *iter, const struct iovec *vec,
			unsigned long n, bool write, ssize_t *done);

/**
 * holon_syscall - entry of a system call of a task with SYSCALL_WORK_HOLON
 * @regs: of the caller
 * @nr: number, after seccomp and tracers may have changed it
 *
 * Return: true when the call has been dealt with and @regs->ax is set.
 */
static inline bool holon_syscall(struct pt_regs *regs, long nr)
{
	return __holon_syscall(regs, nr);
}

/**
 * holon_resume_user_mode - on the way to user mode with TIF_NOTIFY_RESUME
 * @regs: of the task
 *
 * Signals have been worked off; @regs holds a restart code only of a process that is
 * about to move, see holon_keeps_restart(). A deputy stays in here; a guest does while
 * its node is frozen. No lock is held.
 */
static inline void holon_resume_user_mode(struct pt_regs *regs)
{
	if (static_branch_unlikely(&holon_task_key) && unlikely(current->holon))
		__holon_resume_user_mode(regs);
}

/**
 * holon_keeps_restart - does the restart of a broken off call have to wait?
 *
 * True when current is about to move: the code stays in its registers until it goes on,
 * there or here, where a signal may come first. It has not been to
 * holon_resume_user_mode() then, and comes by here once more.
 */
static inline bool holon_keeps_restart(void)
{
	return static_branch_unlikely(&holon_task_key) && unlikely(current->holon) &&
	       __holon_keeps_restart();
}

/**
 * holon_fork - a new task belongs to nobody, unless a guest forks
 * @p: copy of current that has not run
 */
static inline void holon_fork(struct task_struct *p)
{
	p->holon = NULL;
	clear_task_syscall_work(p, HOLON);
	if (static_branch_unlikely(&holon_task_key) && unlikely(current->holon))
		__holon_fork(p);
}

/**
 * holon_exit_begin - first thing in do_exit()
 * @code: of the exit
 *
 * A deputy ends its guest and waits for its last report, so that nothing of
 * the process runs any more when its number and its parent are told. May sleep.
 * Return: the code to go on with.
 */
static inline long holon_exit_begin(long code)
{
	if (static_branch_unlikely(&holon_task_key) && unlikely(current->holon))
		return __holon_exit_begin(code);
	return code;
}

/**
 * holon_exit_end - just before exit_notify()
 * @tsk: current; has given up its memory and files
 *
 * A guest reports to its deputy. May sleep.
 */
static inline void holon_exit_end(struct task_struct *tsk)
{
	if (static_branch_unlikely(&holon_task_key) && unlikely(tsk->holon))
		__holon_exit_end(tsk);
}

/**
 * holon_cldstop - a group has stopped or continued
 * @tsk: member of it
 * @for_ptracer: the tracer is to be told, not the parent
 * @why: CLD_*
 *
 * tasklist_lock is held for reading. Return: true for a guest, whose parent
 * lives at home and is told there.
 */
static inline bool holon_cldstop(struct task_struct *tsk, bool for_ptracer, int why)
{
	return static_branch_unlikely(&holon_task_key) && unlikely(tsk->holon) &&
	       __holon_cldstop(tsk, for_ptracer, why);
}

/**
 * holon_pgrp_orphaned - is the process group of current orphaned?
 * @orphaned: the answer
 *
 * The group of a guest is the one at home, which is asked. May sleep.
 * Return: true when @orphaned is set.
 */
static inline bool holon_pgrp_orphaned(int *orphaned)
{
	return static_branch_unlikely(&holon_task_key) && unlikely(current->holon) &&
	       __holon_pgrp_orphaned(orphaned);
}

/**
 * holon_pid_base - start of the pid range of a namespace
 * @ns: being allocated from
 *
 * Return: 0 for every namespace but the initial one.
 */
static inline int holon_pid_base(const struct pid_namespace *ns)
{
	return ns == &init_pid_ns ? READ_ONCE(holon_pid_first) : 0;
}

/**
 * holon_set_tid - may current choose numbers of other nodes for its child?
 *
 * True for a spawner, which is inside the kernel and clones a guest, and for a
 * guest that forks: the number is that of the deputy.
 */
static inline bool holon_set_tid(void)
{
	return static_branch_unlikely(&holon_task_key) && unlikely(current->holon) &&
	       __holon_set_tid();
}

/**
 * holon_fd_start - the lowest number for a new file of current
 * @nofile: numbers end here; may be raised
 *
 * Of a deputy with several threads those below are its guest's, see deputy.c.
 */
static inline unsigned int holon_fd_start(unsigned long *nofile)
{
	if (static_branch_unlikely(&holon_task_key) && unlikely(current->holon))
		return __holon_fd_start(nofile);
	return 0;
}

/**
 * holon_visit - the memory of a process is about to be read or written
 * @task: of the process, with a reference
 *
 * Until holon_visit_end() its pages go to no other node. Counted always, for the first
 * process that moves may do so at any time.
 */
static inline void holon_visit(struct task_struct *task)
{
	atomic_inc(&task->signal->holon_visitors);
	/* Whether it moves is read after this; see kernel/holon/process_vm.c. */
	smp_mb__after_atomic();
}

static inline void holon_visit_end(struct task_struct *task)
{
	/* What was copied comes before. */
	smp_mb__before_atomic();
	atomic_dec(&task->signal->holon_visitors);
}

/**
 * holon_process_vm - process_vm_readv() and process_vm_writev() of a process that is away
 * @task: it, visited, with a reference
 * @iter: the caller's memory; advanced
 * @vec: where in the other one
 * @n: elements of @vec
 * @write: to @task
 * @done: bytes, or the errno
 *
 * Waits while the process is about to move. Process context, no locks.
 * Return: true when @done is set; false when its memory is here.
 */
static inline bool holon_process_vm(struct task_struct *task, struct iov_iter *iter,
				    const struct iovec *vec, unsigned long n, bool write,
				    ssize_t *done)
{
	return static_branch_unlikely(&holon_task_key) &&
	       __holon_process_vm(task, iter, vec, n, write, done);
}

#else /* !CONFIG_HOLON */

#define VISIBLE_IF_HOLON	static

#define HOLON_PID_MAX		PID_MAX_LIMIT

static inline bool holon_syscall(struct pt_regs *regs, long nr)
{
	return false;
}

static inline void holon_resume_user_mode(struct pt_regs *regs)
{
}

static inline bool holon_keeps_restart(void)
{
	return false;
}

static inline void holon_fork(struct task_struct *p)
{
}

static inline long holon_exit_begin(long code)
{
	return code;
}

static inline void holon_exit_end(struct task_struct *tsk)
{
}

static inline bool holon_cldstop(struct task_struct *tsk, bool for_ptracer, int why)
{
	return false;
}

static inline bool holon_pgrp_orphaned(int *orphaned)
{
	return false;
}

static inline int holon_pid_base(const struct pid_namespace *ns)
{
	return 0;
}

static inline bool holon_set_tid(void)
{
	return false;
}

static inline unsigned int holon_fd_start(unsigned long *nofile)
{
	return 0;
}

static inline void holon_visit(struct task_struct *task)
{
}

static inline void holon_visit_end(struct task_struct *task)
{
}

static inline bool holon_process_vm(struct task_struct *task, struct iov_iter *iter,
				    const struct iovec *vec, unsigned long n, bool write,
				    ssize_t *done)
{
	return false;
}

#endif /* CONFIG_HOLON */

#endif /* _LINUX_HOLON_H */
