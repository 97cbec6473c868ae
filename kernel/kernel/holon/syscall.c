// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls of a guest: where each of them runs.
 *
 * The hook at the end of syscall_trace_enter() comes here for tasks with
 * SYSCALL_WORK_HOLON, after seccomp and tracers. The table names a class for
 * every number; a handler may look at the arguments. Either the native path
 * goes on (false), or the call has been made and its result is in regs->ax.
 *
 * No lock is held here, and none is taken across a forwarded call.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/holon.h>
#include <linux/holon_file.h>
#include <linux/ptrace.h>
#include <linux/ratelimit.h>
#include <linux/resume_user_mode.h>
#include <linux/sched.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

#include "freeze.h"
#include "marshal.h"
#include "syscall.h"
#include "task.h"

static atomic64_t holon_forwarded[NR_syscalls];
static atomic64_t holon_refused[NR_syscalls];
static atomic64_t holon_foreign;	/* calls of another ABI */

void holon_syscall_count_forward(unsigned int nr)
{
	if (nr < NR_syscalls)
		atomic64_inc(&holon_forwarded[nr]);
}

long holon_syscall_refuse(unsigned int nr)
{
	const struct holon_syscall *call = holon_syscall_entry(nr);

	if (call && atomic64_inc_return(&holon_refused[nr]) == 1)
		pr_info("a process that is away called %s(), which has to run at home, and cannot come home\n",
			call->name);
	return -ENOSYS;
}

int holon_syscall_stats(unsigned int start,
			int (*each)(const struct holon_syscall_count *count, void *arg), void *arg)
{
	struct holon_syscall_count count;
	unsigned int nr;
	int ret;

	for (nr = start; nr < NR_syscalls; nr++) {
		const struct holon_syscall *call = holon_syscall_entry(nr);

		if (!call)
			continue;
		count = (struct holon_syscall_count) {
			.nr = nr,
			.name = call->name,
			.forwarded = atomic64_read(&holon_forwarded[nr]),
			.refused = atomic64_read(&holon_refused[nr]),
		};
		if (!count.forwarded && !count.refused)
			continue;
		ret = each(&count, arg);
		if (ret)
			return ret;
	}
	if (start <= HOLON_SYSCALL_FOREIGN && atomic64_read(&holon_foreign)) {
		count = (struct holon_syscall_count) {
			.nr = HOLON_SYSCALL_FOREIGN,
			.name = "ia32",
			.refused = atomic64_read(&holon_foreign),
		};
		return each(&count, arg);
	}
	return 0;
}

long holon_run_local(struct pt_regs *regs, const struct holon_syscall *call)
{
	return x64_sys_call(regs, holon_syscall_nr(call));
}

/* Is any descriptor argument a remote file? */
static bool syscall_has_remote_fd(const struct pt_regs *regs, const struct holon_syscall *call)
{
	unsigned long args[6];
	unsigned int i;

	syscall_get_arguments(current, (struct pt_regs *)regs, args);
	for (i = 0; i < 6; i++) {
		if (HOLON_ARG_KIND(call->arg[i]) != HOLON_ARG_FD)
			continue;
		CLASS(fd_raw, f)((int)args[i]);

		if (!fd_empty(f) && holon_file_is_remote(fd_file(f)))
			return true;
	}
	return false;
}

/* What the call did may have changed what its files are ready for. */
static void syscall_touch(const struct pt_regs *regs, const struct holon_syscall *call)
{
	unsigned long args[6];
	unsigned int i;

	syscall_get_arguments(current, (struct pt_regs *)regs, args);
	for (i = 0; i < 6; i++) {
		if (HOLON_ARG_KIND(call->arg[i]) != HOLON_ARG_FD)
			continue;
		CLASS(fd_raw, f)((int)args[i]);

		if (!fd_empty(f) && holon_file_is_remote(fd_file(f)))
			holon_remote_touch(fd_file(f));
	}
}

static enum holon_verdict syscall_verdict(struct holon_task *ht, struct pt_regs *regs,
					  const struct holon_syscall *call, long *ret)
{
	if (call->handler)
		return call->handler(ht, regs, call, ret);
	switch (call->class) {
	case HOLON_LOCAL:
		return HOLON_DO_LOCAL;
	case HOLON_LOCAL_FD:
		return syscall_has_remote_fd(regs, call) ? HOLON_DO_FORWARD : HOLON_DO_LOCAL;
	case HOLON_FORWARD:
		return HOLON_DO_FORWARD;
	default:
		return HOLON_DO_HOME;
	}
}

/*
 * The process comes home, and begins the call there anew. If it cannot come, the
 * call is refused.
 */
static long call_home(struct holon_task *ht, const struct pt_regs *regs, unsigned int nr)
{
	bool refuse = ht->recall_failed && ht->recall_ip == regs->ip;

	ht->recall_failed = false;
	if (refuse)
		return holon_syscall_refuse(nr);
	ht->recall_ip = regs->ip;
	ht->recall_call = true;
	set_notify_resume(current);
	/* Restart codes are worked off where signals are. */
	set_thread_flag(TIF_SIGPENDING);
	return -ERESTARTNOINTR;
}

/**
 * __holon_syscall - see holon_syscall()
 * @regs: of the caller
 * @nr: number
 *
 * A task that is no guest may hold a remote file; its calls run here, and the
 * file's own operations answer.
 */
bool __holon_syscall(struct pt_regs *regs, long nr)
{
	struct holon_task *ht = current->holon;
	const struct holon_syscall *call;
	long ret;

	if (!holon_is_guest(current))
		return false;
	if (holon_freeze_wait()) {
		regs->ax = -EINTR;
		return true;
	}
	if (in_ia32_syscall()) {
		atomic64_inc(&holon_foreign);
		regs->ax = -ENOSYS;
		return true;
	}
	/* Beyond the end and in the gap: programs probe for new calls. */
	call = holon_syscall_entry(nr);
	if (!call)
		return false;
	switch (syscall_verdict(ht, regs, call, &ret)) {
	case HOLON_DO_LOCAL:
		return false;
	case HOLON_DO_FORWARD:
		ret = holon_forward_call(ht, regs, call);
		if (call->class == HOLON_LOCAL_FD)
			syscall_touch(regs, call);
		break;
	case HOLON_DO_HOME:
		ret = call_home(ht, regs, nr);
		break;
	case HOLON_DONE:
		/* A handler may have made calls on the file. */
		if (call->class == HOLON_LOCAL_FD)
			syscall_touch(regs, call);
		break;
	}
	regs->ax = ret;
	return true;
}

/*
 * The execution of a file that only home has is later work. The end of a
 * process and restart_syscall() are what their native code does: the exit hook
 * reports, and restart blocks of forwarded calls are ours.
 */
HOLON_HANDLER(special)
{
	switch (holon_syscall_nr(call)) {
	case __NR_exit:
	case __NR_exit_group:
	case __NR_restart_syscall:
		return HOLON_DO_LOCAL;
	case __NR_execve:
		return holon_exec_verdict(ht, (const char __user *)regs->di);
	default:
		return HOLON_DO_HOME;
	}
}
