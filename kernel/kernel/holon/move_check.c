// SPDX-License-Identifier: GPL-2.0-only
/*
 * What cannot move, and the sentence for it. Each reason is a row of the table;
 * what has it in its files or mappings is found when these are exported.
 */
#include <linux/aio.h>
#include <linux/array_size.h>
#include <linux/errno.h>
#include <linux/fdtable.h>
#include <linux/fs_struct.h>
#include <linux/futex.h>
#include <linux/init_task.h>
#include <linux/mm.h>
#include <linux/pid_namespace.h>
#include <linux/posix-timers.h>
#include <linux/ptrace.h>
#include <linux/sched/deadline.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/thread_info.h>

#include "move.h"
#include "task.h"

static const struct {
	int err;
	const char *text;
} reasons[HOLON_STAYS] = {
	[HOLON_STAY_NONE]	= { 0, "it is there" },
	[HOLON_STAY_ERROR]	= { EIO, "the other node could not take it" },
	[HOLON_STAY_GONE]	= { ESRCH, "the process has ended" },
	[HOLON_STAY_LATE]	= { EBUSY,
		"it cannot be moved right now: it is stopped, or waits for a device" },
	[HOLON_STAY_OTHER_MOVE]	= { EBUSY, "it is being moved, forked or executed already" },
	[HOLON_STAY_NODE]	= { EHOSTDOWN, "the node is no member of the cluster" },
	[HOLON_STAY_FROZEN] = { EAGAIN,
		"the node is frozen: it hears no quorum of the cluster" },
	[HOLON_STAY_RIGHTS]	= { EPERM, "it belongs to another user" },
	[HOLON_STAY_KERNEL] = { EINVAL,
		"it is part of the system: a kernel thread or process 1" },
	[HOLON_STAY_CONTAINER]	= { EOPNOTSUPP, "it lives in a container" },
	[HOLON_STAY_ROOT]	= { EOPNOTSUPP, "its root directory is another than the system's" },
	[HOLON_STAY_LEADER]	= { EOPNOTSUPP, "its main thread has ended, others go on" },
	[HOLON_STAY_VFORK] = { EBUSY,
		"it is a child of vfork() that has executed nothing yet" },
	[HOLON_STAY_SHARES]	= { EOPNOTSUPP,
		"it shares memory, descriptors or signal handlers with another process" },
	[HOLON_STAY_TRACED]	= { EOPNOTSUPP, "it is being traced" },
	[HOLON_STAY_SECCOMP] = { EOPNOTSUPP,
		"it has a seccomp filter with a listener, or dispatches its system calls itself" },
	[HOLON_STAY_IA32]	= { EOPNOTSUPP, "it is a 32-bit program" },
	[HOLON_STAY_ARCH] = { EOPNOTSUPP,
		"it has a local descriptor table, or the right to use I/O ports" },
	[HOLON_STAY_IO_URING]	= { EOPNOTSUPP, "it uses io_uring, or vhost" },
	[HOLON_STAY_AIO]	= { EOPNOTSUPP, "it uses asynchronous I/O (io_setup)" },
	[HOLON_STAY_TIMERS] = { EOPNOTSUPP,
		"it has several threads, and a timer of the processor time of one of them" },
	[HOLON_STAY_PI] = { EBUSY,
		"it holds, or waits for, a futex with priority inheritance" },
	[HOLON_STAY_DEADLINE]	= { EOPNOTSUPP, "it is scheduled by deadlines" },
	[HOLON_STAY_RESTART] = { EBUSY,
		"it sleeps by a clock of processor time, or an alarm clock" },
	[HOLON_STAY_VDSO]	= { EBUSY, "it reads the clock all the time" },
	[HOLON_STAY_FILE]	= { EOPNOTSUPP,
		"it has locked a file of its node, or has one open that cannot be opened again" },
	[HOLON_STAY_FILE_KIND]	= { EOPNOTSUPP,
		"it has a descriptor that cannot leave the node, of /proc say" },
	[HOLON_STAY_MAP_LOCAL]	= { EOPNOTSUPP,
		"it shares the mapping of a file that only its node has, or shared memory" },
	[HOLON_STAY_MAP_SHARED] = { EOPNOTSUPP,
		"it maps a file that it may write to, with MAP_SHARED" },
	[HOLON_STAY_MAP_DELETED] = { EOPNOTSUPP,
		"its program, or a file that it maps, has been deleted" },
	[HOLON_STAY_MAP_KIND]	= { EOPNOTSUPP,
		"it maps a device, huge pages, or memory with a key or a seal" },
	[HOLON_STAY_IMAGE]	= { E2BIG, "it has too many mappings or descriptors" },
	[HOLON_STAY_OTHER_KERNEL] = { EOPNOTSUPP,
		"the other node has another kernel, or a processor without its features" },
	[HOLON_STAY_UNDERWAY]	= { EBUSY, "it is still being moved" },
	[HOLON_STAY_SELF] = { EBUSY,
		"it is away from home, and can send itself there alone" },
	[HOLON_STAY_MOVABLE]	= { 0, "it can be moved" },
	[HOLON_STAY_VERSION] = { EOPNOTSUPP,
		"it maps a file, or is a program, of which the other node has another version" },
	[HOLON_STAY_CGROUP] = { EOPNOTSUPP,
		"a limit of its control group cannot be set, or is used up there" },
};

const char *holon_stay_text(enum holon_stay stay)
{
	return reasons[stay < HOLON_STAYS ? stay : HOLON_STAY_ERROR].text;
}

int holon_stay_errno(enum holon_stay stay)
{
	return -reasons[stay < HOLON_STAYS ? stay : HOLON_STAY_ERROR].err;
}

bool holon_stay_passes(enum holon_stay stay)
{
	return stay == HOLON_STAY_VDSO || stay == HOLON_STAY_SHARES;
}

/* Threads that have memory and files: a leader that has exited has none. */
static unsigned int count_threads(void)
{
	struct task_struct *t;
	unsigned int n = 0;

	rcu_read_lock();
	for_each_thread(current, t)
		n += !READ_ONCE(t->exit_state);
	rcu_read_unlock();
	return n;
}

/* Memory, descriptors, directories, handlers: of nobody else. */
static bool shares(void)
{
	unsigned int n = count_threads();

	return atomic_read(&current->files->count) > n || current->fs->users > n ||
	       refcount_read(&current->sighand->count) > get_nr_threads(current) ||
	       atomic_read(&current->mm->mm_users) > n;
}

/* Who makes a timer of its own processor time has to be the one that it measures. */
static bool has_thread_timers(void)
{
	struct k_itimer *timer;
	bool found = false;

	if (thread_group_empty(current))
		return false;
	rcu_read_lock();
	hlist_for_each_entry_rcu(timer, &current->signal->posix_timers, list)
		found |= timer->it_clock < 0 && CPUCLOCK_PERTHREAD(timer->it_clock);
	rcu_read_unlock();
	return found;
}

static bool has_aio(void)
{
#ifdef CONFIG_AIO
	return rcu_access_pointer(current->mm->ioctx_table);
#else
	return false;
#endif
}

static bool has_pi(void)
{
#ifdef CONFIG_FUTEX_PI
	return !list_empty(&current->pi_state_list);
#else
	return false;
#endif
}

enum holon_stay holon_move_check(void)
{
	if (current->flags & (PF_KTHREAD | PF_USER_WORKER) || is_global_init(current))
		return HOLON_STAY_KERNEL;
	if (!holon_is_guest(current) &&
	    (current->nsproxy != init_task.nsproxy ||
	     task_active_pid_ns(current) != &init_pid_ns || current_user_ns() != &init_user_ns))
		return HOLON_STAY_CONTAINER;
	if (shares())
		return HOLON_STAY_SHARES;
	if (has_aio())
		return HOLON_STAY_AIO;
	if (has_thread_timers())
		return HOLON_STAY_TIMERS;
	return HOLON_STAY_NONE;
}

enum holon_stay holon_thread_check(void)
{
	enum holon_stay stay = holon_regs_check();

	if (stay)
		return stay;
	if (current->vfork_done)
		return HOLON_STAY_VFORK;
	if (current->ptrace)
		return HOLON_STAY_TRACED;
	if (test_syscall_work(SYSCALL_USER_DISPATCH))
		return HOLON_STAY_SECCOMP;
	if (current->io_uring)
		return HOLON_STAY_IO_URING;
	if (has_pi())
		return HOLON_STAY_PI;
	if (dl_task(current))
		return HOLON_STAY_DEADLINE;
	return holon_vdso_runs() ? HOLON_STAY_VDSO : HOLON_STAY_NONE;
}
