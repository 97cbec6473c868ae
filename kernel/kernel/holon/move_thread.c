// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel keeps of a thread for its program: addresses that it was given,
 * and the call that restart_syscall() is to continue. And of all threads: signal
 * actions and the time that they have used.
 */
#include <linux/compat.h>
#include <linux/futex.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/poll.h>
#include <linux/ptrace.h>
#include <linux/rseq.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/string.h>

#include <asm/unistd.h>

#include <linux/holon.h>

#include "move.h"
#include "syscall.h"
#include "task.h"

/* Of futex_wait: the time is of CLOCK_REALTIME. As in kernel/futex/futex.h. */
#define FUTEX_REALTIME	0x0020

/* --- the call that goes on ------------------------------------------------- */

/* Sleeps by these clocks only are known, so that what is left can be told. */
static ktime_t clock_now(clockid_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
		return ktime_get_real();
	case CLOCK_BOOTTIME:
		return ktime_get_boottime();
	case CLOCK_TAI:
		return ktime_get_clocktai();
	default:
		return ktime_get();
	}
}

static clockid_t futex_clock(u64 flags)
{
	return flags & FUTEX_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
}

static void set_left(u64 value[5], clockid_t clock, s64 expires)
{
	s64 ns = expires - ktime_to_ns(clock_now(clock));

	value[4] = max_t(s64, ns, 0);
}

/* Return: enum holon_restart, or -1 for one that is not known. */
static int export_restart(u64 value[5])
{
	const struct restart_block *block = &current->restart_block;

	if (block->fn == do_no_restart_syscall)
		return HOLON_RESTART_NONE;
	if (block->fn == hrtimer_nanosleep_restart) {
		value[0] = block->nanosleep.clockid;
		value[1] = block->nanosleep.type;
		value[2] = (unsigned long)block->nanosleep.rmtp;
		set_left(value, block->nanosleep.clockid, block->nanosleep.expires);
		return HOLON_RESTART_SLEEP;
	}
	if (block->fn == futex_wait_restart) {
		value[0] = (unsigned long)block->futex.uaddr;
		value[1] = block->futex.val;
		value[2] = block->futex.flags;
		value[3] = block->futex.bitset;
		set_left(value, futex_clock(value[2]), block->futex.time);
		return HOLON_RESTART_FUTEX;
	}
	if (block->fn == do_restart_poll || block->fn == holon_poll_again) {
		value[0] = (unsigned long)block->poll.ufds;
		value[1] = block->poll.nfds;
		value[2] = block->poll.has_timeout;
		set_left(value, CLOCK_MONOTONIC,
			 block->poll.tv_sec * NSEC_PER_SEC + block->poll.tv_nsec);
		return HOLON_RESTART_POLL;
	}
	/* Left over from a call that has ended. */
	return (long)current_pt_regs()->ax == -ERESTART_RESTARTBLOCK ||
	       current_pt_regs()->ax == __NR_restart_syscall ? -1 : HOLON_RESTART_NONE;
}

static int import_restart(unsigned int restart, const __le64 *from)
{
	struct restart_block *block = &current->restart_block;
	u64 value[5], end;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(value); i++)
		value[i] = le64_to_cpu(from[i]);
	/* Hundreds of years are enough, and do not overflow. */
	value[4] = min_t(u64, value[4], KTIME_MAX / 2);
	end = ktime_get_ns() + value[4];
	block->fn = do_no_restart_syscall;
	switch (restart) {
	case HOLON_RESTART_NONE:
		return 0;
	case HOLON_RESTART_SLEEP:
		if (value[0] != CLOCK_REALTIME && value[0] != CLOCK_MONOTONIC &&
		    value[0] != CLOCK_BOOTTIME && value[0] != CLOCK_TAI)
			return -EBADMSG;
		if (value[1] > TT_NATIVE)
			return -EBADMSG;
		block->nanosleep.clockid = value[0];
		block->nanosleep.type = value[1];
		block->nanosleep.rmtp = (void __user *)(unsigned long)value[2];
		block->nanosleep.expires = ktime_to_ns(clock_now(value[0])) + value[4];
		block->fn = hrtimer_nanosleep_restart;
		return 0;
	case HOLON_RESTART_FUTEX:
		block->futex.uaddr = (u32 __user *)(unsigned long)value[0];
		block->futex.val = value[1];
		block->futex.flags = value[2];
		block->futex.bitset = value[3];
		block->futex.time = ktime_to_ns(clock_now(futex_clock(value[2]))) + value[4];
		block->fn = futex_wait_restart;
		return 0;
	case HOLON_RESTART_POLL:
		block->poll.ufds = (struct pollfd __user *)(unsigned long)value[0];
		block->poll.nfds = value[1];
		block->poll.has_timeout = !!value[2];
		block->poll.tv_sec = end / NSEC_PER_SEC;
		block->poll.tv_nsec = end % NSEC_PER_SEC;
		/* In a guest as well: some of the descriptors may be of files there. */
		block->fn = do_restart_poll;
		return 0;
	default:
		return -EBADMSG;
	}
}

/* --- the thread ------------------------------------------------------------ */

static int export_actions(struct holon_image *image)
{
	struct holon_record_action *record;
	int i;

	record = holon_image_add(image, HOLON_RECORD_ACTIONS, _NSIG * sizeof(*record));
	if (!record)
		return -ENOMEM;
	spin_lock_irq(&current->sighand->siglock);
	for (i = 0; i < _NSIG; i++) {
		const struct sigaction *sa = &current->sighand->action[i].sa;

		record[i].handler = cpu_to_le64((unsigned long)sa->sa_handler);
		record[i].flags = cpu_to_le64(sa->sa_flags);
		record[i].restorer = cpu_to_le64((unsigned long)sa->sa_restorer);
		record[i].mask = cpu_to_le64(sa->sa_mask.sig[0]);
	}
	spin_unlock_irq(&current->sighand->siglock);
	return 0;
}

int holon_thread_export(struct holon_image *image, enum holon_stay *stay)
{
	struct holon_record_thread *record;
	u64 value[5] = {};
	unsigned int i;
	int restart;

	BUILD_BUG_ON(_NSIG_WORDS != 1);
	restart = export_restart(value);
	if (restart < 0) {
		*stay = HOLON_STAY_RESTART;
		return -EBUSY;
	}
	record = holon_image_add(image, HOLON_RECORD_THREAD, sizeof(*record));
	if (!record)
		return -ENOMEM;
#ifdef CONFIG_FUTEX
	record->robust_list = cpu_to_le64((unsigned long)current->robust_list);
#endif
	record->set_child_tid = cpu_to_le64((unsigned long)current->set_child_tid);
	record->clear_child_tid = cpu_to_le64((unsigned long)current->clear_child_tid);
#ifdef CONFIG_RSEQ
	record->rseq = cpu_to_le64((unsigned long)current->rseq);
	record->rseq_len = cpu_to_le32(current->rseq_len);
	record->rseq_sig = cpu_to_le32(current->rseq_sig);
#endif
	record->sas_sp = cpu_to_le64(current->sas_ss_sp);
	record->sas_size = cpu_to_le64(current->sas_ss_size);
	record->sas_flags = cpu_to_le32(current->sas_ss_flags);
	record->restart = cpu_to_le32(restart);
	for (i = 0; i < ARRAY_SIZE(value); i++)
		record->restart_value[i] = cpu_to_le64(value[i]);
	get_task_comm(record->comm, current);
	return 0;
}

int holon_process_export(struct holon_image *image)
{
	struct holon_record_process record = {};
	struct task_cputime time;

	thread_group_cputime(current, &time);
	record.utime = cpu_to_le64(time.utime);
	record.stime = cpu_to_le64(time.stime);
	record.runtime = cpu_to_le64(time.sum_exec_runtime);
	/* Who only looks leaves them alone. */
	return export_actions(image) ?:
	       (current->holon->looking ? 0 : holon_timers_export(image, &record)) ?:
	       holon_image_put(image, HOLON_RECORD_PROCESS, &record, sizeof(record));
}

static void import_actions(const struct holon_record_action *record)
{
	int i;

	spin_lock_irq(&current->sighand->siglock);
	for (i = 0; i < _NSIG; i++) {
		struct sigaction *sa = &current->sighand->action[i].sa;

		/* Those that have none: of a deputy SIGSTOP has one. */
		if (sig_kernel_only(i + 1)) {
			*sa = (struct sigaction){};
			continue;
		}
		sa->sa_handler = (__sighandler_t)(unsigned long)le64_to_cpu(record[i].handler);
		sa->sa_flags = le64_to_cpu(record[i].flags);
		sa->sa_restorer = (__sigrestore_t)(unsigned long)le64_to_cpu(record[i].restorer);
		sa->sa_mask.sig[0] = le64_to_cpu(record[i].mask);
		sigdelsetmask(&sa->sa_mask, sigmask(SIGKILL) | sigmask(SIGSTOP));
	}
	spin_unlock_irq(&current->sighand->siglock);
}

/* A guest goes on with what was used before; home has counted that itself. */
static void import_time(const struct holon_record_process *record)
{
	struct signal_struct *signal = current->signal;

	if (!holon_is_guest(current))
		return;
	write_seqlock_irq(&signal->stats_lock);
	signal->utime += le64_to_cpu(record->utime);
	signal->stime += le64_to_cpu(record->stime);
	signal->sum_sched_runtime += le64_to_cpu(record->runtime);
	write_sequnlock_irq(&signal->stats_lock);
}

void holon_process_import(const struct holon_record_process *process,
			  const struct holon_record_action *actions)
{
	import_actions(actions);
	import_time(process);
}

int holon_thread_import(const struct holon_record_thread *record)
{
	char comm[TASK_COMM_LEN];
	int err;

	err = import_restart(le32_to_cpu(record->restart), record->restart_value);
	if (err)
		return err;
#ifdef CONFIG_FUTEX
	current->robust_list = (void __user *)(unsigned long)le64_to_cpu(record->robust_list);
#endif
	current->set_child_tid = (int __user *)(unsigned long)le64_to_cpu(record->set_child_tid);
	current->clear_child_tid =
		(int __user *)(unsigned long)le64_to_cpu(record->clear_child_tid);
#ifdef CONFIG_RSEQ
	/* The program reads in it on which processor it is. */
	current->rseq = (struct rseq __user *)(unsigned long)le64_to_cpu(record->rseq);
	current->rseq_len = le32_to_cpu(record->rseq_len);
	current->rseq_sig = le32_to_cpu(record->rseq_sig);
	if (current->rseq) {
		preempt_disable();
		rseq_migrate(current);
		preempt_enable();
	}
#endif
	current->sas_ss_sp = le64_to_cpu(record->sas_sp);
	current->sas_ss_size = le64_to_cpu(record->sas_size);
	current->sas_ss_flags = le32_to_cpu(record->sas_flags);
	strscpy_pad(comm, (const char *)record->comm, sizeof(comm));
	set_task_comm(current, comm);
	return 0;
}

void holon_thread_forget(void)
{
#ifdef CONFIG_FUTEX
	current->robust_list = NULL;
#ifdef CONFIG_COMPAT
	current->compat_robust_list = NULL;
#endif
#endif
	current->set_child_tid = NULL;
	current->clear_child_tid = NULL;
	rseq_execve(current);
}
