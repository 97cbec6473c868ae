// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls that a move breaks off.
 *
 * Who wants a process to move breaks its sleep as a signal would. Most calls have a code
 * for that, which is worked off where signals are, and there they go on or begin anew.
 * Others return EINTR at once, and their callers do not expect that when there was no
 * signal. Those that have done nothing yet, and wait without an end, are begun anew as
 * well. One with a timeout is not: it would have to know how much of that is left.
 */
#include <linux/holon.h>
#include <linux/sched/signal.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

#include "hold.h"
#include "task.h"

/* Does current come to the hook to be moved, or held for that? */
static bool about_to_move(struct holon_task *ht)
{
	if (ht->role == HOLON_ROLE_DEPUTY)
		return ht->state == HOLON_TASK_MOVING;
	return ht->role == HOLON_ROLE_GUEST &&
	       (ht->recall_call || READ_ONCE(ht->called) || READ_ONCE(ht->leader->recalled) ||
		holon_hold_wanted(ht));
}

/*
 * The signal that decides whether a call begins anew or returns EINTR may come while the
 * process moves. Not of a call with a signal mask of its own, sigsuspend() for instance:
 * it has the other mask back by then, and a signal that it had blocked is not for it.
 */
bool __holon_keeps_restart(void)
{
	if (!about_to_move(current->holon) || test_restore_sigmask())
		return false;
	set_thread_flag(TIF_NOTIFY_RESUME);
	return true;
}

/* Has it waited without a timeout? */
static bool waits_for_ever(int nr, const unsigned long *args)
{
	switch (nr) {
	case __NR_epoll_wait:
	case __NR_epoll_pwait:
		return (int)args[3] < 0;
	case __NR_epoll_pwait2:
	case __NR_semtimedop:
		return !args[3];
	case __NR_rt_sigtimedwait:
		return !args[2];
	case __NR_semop:
		return true;
	default:
		return false;
	}
}

/**
 * holon_restart_waiting - have a call that waited for ever begin anew
 * @regs: of current, on its way to user mode
 *
 * Only if it is broken off because current is about to move: a handler of a signal would
 * have other registers, or none of a system call. What comes from now on breaks it off.
 */
void holon_restart_waiting(struct pt_regs *regs)
{
	int nr = syscall_get_nr(current, regs);
	unsigned long args[6];

	if (nr == -1 || in_ia32_syscall() || syscall_get_error(current, regs) != -EINTR ||
	    !about_to_move(current->holon))
		return;
	syscall_get_arguments(current, regs, args);
	if (waits_for_ever(nr, args))
		syscall_set_return_value(current, regs, -ERESTARTNOHAND, 0);
}
