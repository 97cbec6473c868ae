// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls of a guest about processes: signals, limits, credentials,
 * scheduling, System V ipc. What concerns the caller itself happens here, what
 * concerns others at home, where they are.
 */
#include <linux/errno.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/msg.h>
#include <linux/prctl.h>
#include <linux/reboot.h>
#include <linux/resource.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>
#include <linux/sem.h>
#include <uapi/linux/shm.h>
#include <linux/times.h>
#include <linux/uaccess.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

#include "creds.h"
#include "marshal.h"
#include "syscall.h"
#include "task.h"

bool holon_names_self(long pid)
{
	struct task_struct *task;
	bool ours = false;

	if (!(int)pid || (int)pid == task_pid_vnr(current) || (int)pid == task_tgid_vnr(current))
		return true;
	if (thread_group_empty(current))
		return false;
	rcu_read_lock();
	task = find_task_by_vpid(pid);
	ours = task && same_thread_group(task, current);
	rcu_read_unlock();
	return ours;
}

HOLON_HANDLER(self)
{
	return holon_names_self(regs->di) ? HOLON_DO_LOCAL : HOLON_DO_FORWARD;
}

HOLON_HANDLER(home_other)
{
	return holon_names_self(regs->di) ? HOLON_DO_LOCAL : HOLON_DO_HOME;
}

HOLON_HANDLER(capget)
{
	struct __user_cap_header_struct {
		u32 version;
		int pid;
	} header;

	if (copy_from_user(&header, (void __user *)regs->di, sizeof(header)))
		return HOLON_DO_LOCAL;	/* says EFAULT */
	return holon_names_self(header.pid) ? HOLON_DO_LOCAL : HOLON_DO_FORWARD;
}

/* To the own thread group: here, without the wire. 0 is the process group. */
HOLON_HANDLER(kill)
{
	int pid = regs->di;

	return pid > 0 && holon_names_self(pid) ? HOLON_DO_LOCAL : HOLON_DO_FORWARD;
}

HOLON_HANDLER(tgkill)
{
	return (int)regs->di == task_tgid_vnr(current) ? HOLON_DO_LOCAL : HOLON_DO_FORWARD;
}

HOLON_HANDLER(getrusage)
{
	return (int)regs->di == RUSAGE_CHILDREN ? HOLON_DO_FORWARD : HOLON_DO_LOCAL;
}

/* Children are home's, the caller's own time is here. */
HOLON_HANDLER(times)
{
	struct tms __user *utms = (void __user *)regs->di;
	u64 utime, stime;

	*ret = holon_forward_call(ht, regs, call);
	if (*ret < 0 || !utms)
		return HOLON_DONE;
	thread_group_cputime_adjusted(current, &utime, &stime);
	if (put_user(nsec_to_clock_t(utime), &utms->tms_utime) ||
	    put_user(nsec_to_clock_t(stime), &utms->tms_stime))
		*ret = -EFAULT;
	return HOLON_DONE;
}

/* Home decides and keeps the value, then it is applied here. */
HOLON_HANDLER(setrlimit)
{
	*ret = holon_forward_call(ht, regs, call);
	if (!*ret)
		*ret = holon_run_local(regs, call);
	return HOLON_DONE;
}

HOLON_HANDLER(prlimit)
{
	if (!holon_names_self(regs->di))
		return HOLON_DO_FORWARD;
	if (!regs->dx)
		return HOLON_DO_LOCAL;
	*ret = holon_forward_call(ht, regs, call);
	if (!*ret)
		*ret = holon_run_local(regs, call);
	return HOLON_DONE;
}

/* Applied here; the deputy keeps the value, as far as it has any use for it. */
HOLON_HANDLER(mirror_self)
{
	if (!holon_names_self(regs->di))
		return HOLON_DO_FORWARD;
	*ret = holon_run_local(regs, call);
	if (!*ret)
		holon_forward_call(ht, regs, call);
	return HOLON_DONE;
}

/* getpriority, setpriority, ioprio_get, ioprio_set: which, who. */
HOLON_HANDLER(priority)
{
	unsigned int nr = holon_syscall_nr(call);
	int process = nr == __NR_ioprio_get || nr == __NR_ioprio_set ?
		      IOPRIO_WHO_PROCESS : PRIO_PROCESS;

	if ((int)regs->di != process || !holon_names_self(regs->si))
		return HOLON_DO_FORWARD;
	if (nr == __NR_getpriority || nr == __NR_ioprio_get)
		return HOLON_DO_LOCAL;
	*ret = holon_run_local(regs, call);
	if (!*ret)
		holon_forward_call(ht, regs, call);
	return HOLON_DONE;
}

/* Here, and on the whole of the home machine. */
HOLON_HANDLER(also_here)
{
	*ret = holon_forward_call(ht, regs, call);
	if (!*ret)
		holon_run_local(regs, call);
	return HOLON_DONE;
}

/* Changed here by the native code, then the deputy gets the values. */
HOLON_HANDLER(creds)
{
	unsigned int nr = holon_syscall_nr(call);
	long err;

	*ret = holon_run_local(regs, call);
	/* These two answer with the old value and have no error. */
	if (*ret >= 0 || nr == __NR_setfsuid || nr == __NR_setfsgid) {
		err = holon_creds_push(ht);
		/* The halves must not differ in what they may do. */
		if (err)
			send_sig(SIGKILL, current, 1);
	}
	return HOLON_DONE;
}

HOLON_HANDLER(prctl)
{
	switch ((int)regs->di) {
	case PR_SET_NAME:
	case PR_SET_DUMPABLE:
	case PR_SET_IO_FLUSHER:
	case PR_SET_NO_NEW_PRIVS: {
		struct holon_marshal *m __free(holon_marshal) = NULL;
		int index;

		m = holon_marshal_new(ht, __NR_prctl, regs);
		if (!m) {
			*ret = -ENOMEM;
			return HOLON_DONE;
		}
		*ret = holon_run_local(regs, call);
		if (*ret < 0)
			return HOLON_DONE;
		if (regs->di == PR_SET_NAME) {
			index = holon_marshal_kernel(m, current->comm, TASK_COMM_LEN, 0, 0);
			if (index < 0)
				return HOLON_DONE;
			holon_marshal_arg(m, 1, index);
		}
		holon_marshal_run(m);
		return HOLON_DONE;
	}
	/* Relations: they exist at home alone. */
	case PR_SET_PDEATHSIG:
	case PR_SET_CHILD_SUBREAPER:
	case PR_SET_PTRACER:
		return HOLON_DO_FORWARD;
	case PR_GET_PDEATHSIG:
	case PR_GET_CHILD_SUBREAPER: {
		struct holon_marshal *m __free(holon_marshal) =
			holon_marshal_new(ht, __NR_prctl, regs);
		int index;

		*ret = -ENOMEM;
		if (!m)
			return HOLON_DONE;
		index = holon_marshal_user(m, (void __user *)regs->si, 0, sizeof(int), 0);
		*ret = index;
		if (index < 0)
			return HOLON_DONE;
		holon_marshal_arg(m, 1, index);
		*ret = holon_marshal_run(m);
		return HOLON_DONE;
	}
	case PR_SET_KEEPCAPS:
	case PR_SET_SECUREBITS:
	case PR_CAPBSET_DROP:
	case PR_CAP_AMBIENT:
		return holon_do_creds(ht, regs, call, ret);
	case PR_SCHED_CORE:
	case PR_TASK_PERF_EVENTS_DISABLE:
	case PR_TASK_PERF_EVENTS_ENABLE:
		return HOLON_DO_HOME;
	default:
		/* What only concerns this task or its memory; unknown: EINVAL. */
		return HOLON_DO_LOCAL;
	}
}

/* Home reads the action for SIGCHLD when a child ends or stops. */
HOLON_HANDLER(sigaction)
{
	struct k_sigaction old, new;
	bool changed;

	if ((int)regs->di != SIGCHLD || !regs->si)
		return HOLON_DO_LOCAL;
	old = current->sighand->action[SIGCHLD - 1];
	*ret = holon_run_local(regs, call);
	new = current->sighand->action[SIGCHLD - 1];
	changed = (old.sa.sa_flags ^ new.sa.sa_flags) & (SA_NOCLDWAIT | SA_NOCLDSTOP);
	if (old.sa.sa_handler == SIG_IGN || new.sa.sa_handler == SIG_IGN)
		changed |= old.sa.sa_handler != new.sa.sa_handler;
	if (*ret || !changed)
		return HOLON_DONE;
	holon_forward_simple(ht, HOLON_FORWARD_SIGCHLD, new.sa.sa_handler == SIG_IGN,
			     new.sa.sa_flags & (SA_NOCLDWAIT | SA_NOCLDSTOP), 0, 0);
	return HOLON_DONE;
}

/* A listener is a file that cannot move. */
HOLON_HANDLER(seccomp)
{
	if (regs->di == SECCOMP_SET_MODE_FILTER && (regs->si & SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return HOLON_DO_HOME;
	return HOLON_DO_LOCAL;
}

HOLON_HANDLER(sysfs)
{
	struct holon_marshal *m __free(holon_marshal) = holon_marshal_new(ht, __NR_sysfs, regs);
	char name[64];
	size_t len;
	int index;

	*ret = -ENOMEM;
	if (!m)
		return HOLON_DONE;
	switch ((int)regs->di) {
	case 1:
		index = holon_marshal_string(m, (void __user *)regs->si, PATH_MAX);
		break;
	case 2:
		index = holon_marshal_kernel(m, name, 0, sizeof(name), 0);
		break;
	default:
		*ret = holon_marshal_run(m);
		return HOLON_DONE;
	}
	*ret = index;
	if (index < 0)
		return HOLON_DONE;
	holon_marshal_arg(m, (int)regs->di == 1 ? 1 : 2, index);
	*ret = holon_marshal_run(m);
	if (*ret < 0 || (int)regs->di == 1)
		return HOLON_DONE;
	len = strnlen(name, sizeof(name) - 1);
	name[len] = 0;
	if (copy_to_user((void __user *)regs->dx, name, len + 1))
		*ret = -EFAULT;
	return HOLON_DONE;
}

HOLON_HANDLER(reboot)
{
	struct holon_marshal *m __free(holon_marshal) = NULL;
	int index;

	if ((u32)regs->dx != LINUX_REBOOT_CMD_RESTART2)
		return HOLON_DO_FORWARD;
	m = holon_marshal_new(ht, __NR_reboot, regs);
	*ret = -ENOMEM;
	if (!m)
		return HOLON_DONE;
	index = holon_marshal_string(m, (void __user *)regs->r10, 256);
	*ret = index;
	if (index < 0)
		return HOLON_DONE;
	holon_marshal_arg(m, 3, index);
	*ret = holon_marshal_run(m);
	return HOLON_DONE;
}

/* One buffer behind argument @arg, both ways. */
static enum holon_verdict forward_buffer(struct holon_task *ht, const struct pt_regs *regs,
					 unsigned int nr, unsigned int arg, size_t in, size_t out,
					 long *ret)
{
	struct holon_marshal *m __free(holon_marshal) = holon_marshal_new(ht, nr, regs);
	int index;

	*ret = -ENOMEM;
	if (!m)
		return HOLON_DONE;
	if (in || out) {
		index = holon_marshal_user(m, (void __user *)m->args[arg], in, out, 0);
		*ret = index;
		if (index < 0)
			return HOLON_DONE;
		holon_marshal_arg(m, arg, index);
	}
	*ret = holon_marshal_run(m);
	return HOLON_DONE;
}

/* shmctl and msgctl: what the third argument is depends on the command. */
HOLON_HANDLER(ipcctl)
{
	unsigned int nr = holon_syscall_nr(call);
	bool shm = nr == __NR_shmctl;
	size_t ds = shm ? sizeof(struct shmid64_ds) : sizeof(struct msqid64_ds);

	switch ((int)regs->si & ~IPC_64) {
	case IPC_STAT:
	case SHM_STAT:		/* 13 */
	case SHM_STAT_ANY:	/* 15 */
		return forward_buffer(ht, regs, nr, 2, 0, ds, ret);
	case MSG_STAT:		/* 11: of shm it is SHM_LOCK */
		return forward_buffer(ht, regs, nr, 2, 0, shm ? 0 : ds, ret);
	case IPC_SET:
		return forward_buffer(ht, regs, nr, 2, ds, 0, ret);
	case IPC_INFO:
		return forward_buffer(ht, regs, nr, 2, 0, shm ? sizeof(struct shminfo64) :
				      sizeof(struct msginfo), ret);
	case SHM_INFO:		/* 14 */
		return forward_buffer(ht, regs, nr, 2, 0, shm ? sizeof(struct shm_info) : 0, ret);
	case MSG_INFO:		/* 12: of shm it is SHM_UNLOCK */
		if (!shm)
			return forward_buffer(ht, regs, nr, 2, 0, sizeof(struct msginfo), ret);
		return forward_buffer(ht, regs, nr, 2, 0, 0, ret);
	default:
		return forward_buffer(ht, regs, nr, 2, 0, 0, ret);
	}
}

/* How many semaphores a set has, for GETALL and SETALL. */
static long sem_count(struct holon_task *ht, int semid)
{
	struct holon_marshal *m __free(holon_marshal) =
		holon_marshal_new(ht, __NR_semctl, NULL);
	struct semid64_ds ds = {};
	int index;
	long ret;

	if (!m)
		return -ENOMEM;
	m->args[0] = semid;
	m->args[2] = IPC_STAT;
	index = holon_marshal_kernel(m, &ds, 0, sizeof(ds), 0);
	if (index < 0)
		return index;
	holon_marshal_arg(m, 3, index);
	ret = holon_marshal_run(m);
	if (ret < 0)
		return ret;
	return ds.sem_nsems > SZ_64K ? -EIO : ds.sem_nsems;
}

HOLON_HANDLER(semctl)
{
	unsigned int nr = holon_syscall_nr(call);
	long n;

	switch ((int)regs->dx & ~IPC_64) {
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return forward_buffer(ht, regs, nr, 3, 0, sizeof(struct semid64_ds), ret);
	case IPC_SET:
		return forward_buffer(ht, regs, nr, 3, sizeof(struct semid64_ds), 0, ret);
	case IPC_INFO:
	case SEM_INFO:
		return forward_buffer(ht, regs, nr, 3, 0, sizeof(struct seminfo), ret);
	case GETALL:
	case SETALL:
		n = sem_count(ht, regs->di);
		if (n < 0) {
			*ret = n;
			return HOLON_DONE;
		}
		n *= sizeof(u16);
		if (((int)regs->dx & ~IPC_64) == GETALL)
			return forward_buffer(ht, regs, nr, 3, 0, n, ret);
		return forward_buffer(ht, regs, nr, 3, n, 0, ret);
	default:
		return HOLON_DO_FORWARD;
	}
}

/* Per operation: strings and buffers of the key calls. */
HOLON_HANDLER(keyctl)
{
	struct holon_marshal *m __free(holon_marshal) = NULL;
	int string[3] = { -1, -1, -1 }, in = -1, out = -1, n = -1, index, i;

	switch ((int)regs->di) {
	case KEYCTL_GET_KEYRING_ID:
	case KEYCTL_REVOKE:
	case KEYCTL_CHOWN:
	case KEYCTL_SETPERM:
	case KEYCTL_CLEAR:
	case KEYCTL_LINK:
	case KEYCTL_UNLINK:
	case KEYCTL_NEGATE:
	case KEYCTL_SET_REQKEY_KEYRING:
	case KEYCTL_SET_TIMEOUT:
	case KEYCTL_ASSUME_AUTHORITY:
	case KEYCTL_SESSION_TO_PARENT:
	case KEYCTL_REJECT:
	case KEYCTL_INVALIDATE:
	case KEYCTL_GET_PERSISTENT:
	case KEYCTL_MOVE:
		return HOLON_DO_FORWARD;
	case KEYCTL_JOIN_SESSION_KEYRING:
		string[0] = 1;
		break;
	case KEYCTL_SEARCH:
		string[0] = 2;
		string[1] = 3;
		break;
	case KEYCTL_UPDATE:
	case KEYCTL_INSTANTIATE:
		in = 2;
		n = 3;
		break;
	case KEYCTL_READ:
	case KEYCTL_DESCRIBE:
	case KEYCTL_GET_SECURITY:
		out = 2;
		n = 3;
		break;
	case KEYCTL_CAPABILITIES:
		out = 1;
		n = 2;
		break;
	case KEYCTL_RESTRICT_KEYRING:
		string[0] = 2;
		string[1] = 3;
		break;
	default:
		return HOLON_DO_HOME;
	}
	m = holon_marshal_new(ht, __NR_keyctl, regs);
	*ret = -ENOMEM;
	if (!m)
		return HOLON_DONE;
	for (i = 0; i < ARRAY_SIZE(string) && string[i] >= 0; i++) {
		if (!m->args[string[i]])
			continue;
		index = holon_marshal_string(m, (void __user *)m->args[string[i]], PATH_MAX);
		*ret = index;
		if (index < 0)
			return HOLON_DONE;
		holon_marshal_arg(m, string[i], index);
	}
	if (n >= 0 && m->args[n] > SZ_512K)
		m->args[n] = SZ_512K;
	if (in >= 0 && m->args[in]) {
		index = holon_marshal_user(m, (void __user *)m->args[in], m->args[n], 0, 0);
		*ret = index;
		if (index < 0)
			return HOLON_DONE;
		holon_marshal_arg(m, in, index);
	}
	if (out >= 0 && m->args[out]) {
		index = holon_marshal_user(m, (void __user *)m->args[out], 0, m->args[n],
					   HOLON_FORWARD_BY_RESULT);
		*ret = index;
		if (index < 0)
			return HOLON_DONE;
		holon_marshal_arg(m, out, index);
	}
	*ret = holon_marshal_run(m);
	return HOLON_DONE;
}
