// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest forks: both halves do, and the child's halves are a process like any.
 *
 *	guest					deputy
 *	holds back its signals
 *	TASK_FORK ---------------------------->	forks: a child deputy, FORKED, which
 *						waits on its first way to user mode
 *	    <--------- number, inc ------------
 *	kernel_clone(), a child of that number,
 *	of the spawner as all guests
 *	  child: TASK_BORN ------------------->	child deputy: STABLE, serves
 *	  or the guest: TASK_BORN(ABORT) ----->	child deputy exits, without a word to
 *	    then UNFORK ---------------------->	its parent, which reaps it
 *
 * The child says BORN on its own first way to user mode, so before it asks for
 * anything, and before it reports its end: both on HOLON_FWD. Up to BORN its
 * deputy relays nothing, for nobody is there to take it; whatever kills it waits
 * for BORN, which comes unless the node goes, and then ends the guest as usual.
 * A guest that is killed while it asks leaves the answer to TASK_FORK's orphan(),
 * which says ABORT.
 *
 * A signal to a group reaches the child, or the parent handles it before it forks:
 * the guest says which signal was the last to arrive, and home refuses while a later
 * one is under way or pending.
 *
 * Memory and registers are copied by the native code of the guest's node, and so
 * is everything that CLONE_* say about them; vfork() waits there. Descriptors of
 * home are copied by the native code at home, under the same numbers; here the
 * child gets stand-ins of its own for them.
 *
 * A new thread is made in the same way: a thread of the guest, and one of the deputy,
 * which both share all with their process, so there is nothing to copy. Nobody has
 * to reap one that came to nothing.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/signal.h>
#include <linux/syscalls.h>
#include <linux/thread_info.h>
#include <linux/uaccess.h>
#include <uapi/linux/sched.h>
#include <uapi/linux/wait.h>

#include <asm/unistd.h>

#include <linux/holon.h>
#include <linux/holon_file.h>
#include <linux/holon_rpc.h>

#include "forward.h"
#include "guest.h"
#include "spawner.h"
#include "syscall.h"
#include "task.h"

/* What concerns memory, registers and the calling task: native here. */
#define FORK_FLAGS	(CLONE_VM | CLONE_VFORK | CLONE_SETTLS | CLONE_PARENT_SETTID | \
			 CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | CLONE_CLEAR_SIGHAND | \
			 CLONE_UNTRACED | CLONE_IO | CLONE_DETACHED)

/* What a thread shares, all of it. Deputies are threads of that kind. */
#define THREAD_FLAGS	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

/* How often an earlier guest of the number may be in the way. */
#define FORK_TRIES	5

/* TASK_BORN, flags: there will be no guest. */
#define HOLON_BORN_ABORT	0x01

static int holon_born_handler(struct holon_request *request);

static HOLON_RPC(task_born, HOLON_RPC_ID_TASK_BORN, HOLON_FWD, HOLON_RPC_INLINE | HOLON_RPC_ONEWAY,
		 sizeof(struct holon_wire_task), holon_born_handler);

/* --- deputy ---------------------------------------------------------------- */

static int holon_born_handler(struct holon_request *request)
{
	const struct holon_wire_task *msg = request->data;
	struct holon_task *ht;
	unsigned long flags;

	ht = holon_task_find(HOLON_ROLE_DEPUTY, holon_node_id(), le32_to_cpu(msg->pid),
			     le64_to_cpu(msg->inc));
	if (!ht)
		return 0;
	if (ht->node == request->node) {
		spin_lock_irqsave(&ht->lock, flags);
		if (ht->state == HOLON_TASK_FORKED && !ht->go && !ht->aborted) {
			if (le32_to_cpu(msg->flags) & HOLON_BORN_ABORT)
				ht->aborted = true;
			else
				ht->go = true;
		}
		spin_unlock_irqrestore(&ht->lock, flags);
		wake_up_all(&ht->wait);
	}
	holon_task_put(ht);
	return 0;
}

static bool settled(const struct holon_task *ht)
{
	return READ_ONCE(ht->go) || READ_ONCE(ht->aborted) || READ_ONCE(ht->lost);
}

void holon_fork_settle(struct holon_task *ht, bool dying)
{
	if (dying)
		wait_event_idle(ht->wait, settled(ht));
	else if (wait_event_killable(ht->wait, settled(ht)))
		return;		/* do_exit() comes here again */
	if (READ_ONCE(ht->aborted)) {
		holon_deputy_refuse(ht);
		/* As if it had never been: no signal, and our parent takes us away. */
		write_lock_irq(&tasklist_lock);
		/* Init, to which we may have come, waits for SIGCHLD. */
		if (ht->forker && rcu_access_pointer(current->real_parent) == ht->forker)
			current->exit_signal = 0;
		write_unlock_irq(&tasklist_lock);
		/* So that what was told to us is told to another thread. */
		holon_deputy_unblock();
		if (!dying)
			do_exit(0);
		return;
	}
	spin_lock_irq(&ht->lock);
	ht->state = HOLON_TASK_STABLE;
	spin_unlock_irq(&ht->lock);
}

/* Nothing but SIGKILL may interrupt what follows. Return: the mask to go back to. */
static sigset_t hold_signals(void)
{
	sigset_t all, old = current->blocked;

	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	__set_current_blocked(&all);
	return old;
}

static struct holon_task *child_of(struct holon_task *ht, enum holon_role role, bool thread)
{
	struct holon_task *child = holon_task_alloc(role, GFP_KERNEL);

	if (!child)
		return NULL;
	if (thread) {
		holon_task_join(child, ht->leader);
		return child;
	}
	child->home = ht->home;
	child->node = ht->node;
	child->peer_incarnation = ht->peer_incarnation;
	return child;
}

int holon_fork_deputy(struct holon_task *ht, const struct holon_guest_request *request,
		      struct holon_guest_answer *answer)
{
	struct kernel_clone_args args = {
		.flags = CLONE_UNTRACED,
		.exit_signal = le32_to_cpu(request->fork.exit_signal),
	};
	bool thread = request->fork.thread;
	struct holon_task *child;
	struct task_struct *p;
	int err;

	if (!valid_signal(args.exit_signal))
		return -EINVAL;
	/* What is under way to the guest comes before the fork, as natively. */
	if (!thread && (u32)ht->leader->sequence != le32_to_cpu(request->fork.taken))
		return -ERESTARTNOINTR;
	if (thread)
		args.flags |= THREAD_FLAGS | CLONE_SYSVSEM;
	child = child_of(ht, HOLON_ROLE_DEPUTY, thread);
	if (!child)
		return -ENOMEM;
	child->state = HOLON_TASK_FORKED;
	child->inc = holon_task_new_inc();
	if (!thread)
		child->forker = current;
	clear_notify_signal();
	/* Refuses, too, when a signal is to be relayed. */
	p = copy_process(NULL, 0, NUMA_NO_NODE, &args);
	if (IS_ERR(p)) {
		holon_task_leave(child);
		holon_task_put(child);
		return PTR_ERR(p);
	}
	child->pid = task_pid_nr(p);
	child->task = p;
	p->holon = child;
	/* It comes by get_signal() once, before the deputy's loop. */
	siginitsetinv(&p->blocked, sigmask(SIGKILL));
	/* What is ignored stays so, as after an execve(). */
	if (request->fork.clear_sighand)
		p->sighand->action[SIGCHLD - 1].sa.sa_flags = 0;
	set_tsk_thread_flag(p, TIF_NOTIFY_RESUME);
	answer->inc = cpu_to_le64(child->inc);
	answer->result = cpu_to_le32(child->pid);
	err = holon_task_hash(child);
	/* Nobody finds it then: it ends at once. */
	if (err || !holon_task_peer_alive(child))
		WRITE_ONCE(child->lost, true);
	wake_up_new_task(p);
	return 0;
}

static bool has_ended(struct pid *pid)
{
	struct task_struct *task = get_pid_task(pid, PIDTYPE_PID);
	bool ended = !task || READ_ONCE(task->exit_state);

	if (task)
		put_task_struct(task);
	return ended;
}

int holon_unfork(const struct holon_guest_request *request)
{
	pid_t nr = le32_to_cpu(request->fork.pid);
	struct pid *pid;
	long ret;

	/* One child of ours, and it has been told to end. */
	if (nr <= 1)
		return -EINVAL;
	pid = find_get_pid(nr);
	if (!pid)
		return -ECHILD;
	ret = wait_event_killable(pid->wait_pidfd, has_ended(pid));
	/* It wakes us in the middle of its last steps. */
	read_lock(&tasklist_lock);
	read_unlock(&tasklist_lock);
	put_pid(pid);
	if (!ret)
		ret = kernel_wait4(nr, NULL, __WALL | WNOHANG, NULL);
	return ret < 0 ? ret : 0;
}

/* --- guest ----------------------------------------------------------------- */

static void say_born(u8 home, __le32 pid, __le64 inc, bool abort)
{
	struct holon_wire_task msg = {
		.inc = inc,
		.pid = pid,
		.flags = cpu_to_le32(abort ? HOLON_BORN_ABORT : 0),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };

	holon_send(home, &holon_rpc_task_born, &vec, 1, GFP_KERNEL | __GFP_NOFAIL);
}

/* The guest was killed while it asked. */
void holon_fork_orphan(u8 node, int status, const void *data, size_t len)
{
	const struct holon_guest_answer *answer = data;

	if (status >= 0 && len >= sizeof(*answer) && (s32)le32_to_cpu(answer->result) > 0)
		say_born(node, answer->result, answer->inc, true);
}

void holon_fork_born(struct holon_task *ht)
{
	int err;

	ht->unborn = false;
	spin_lock_irq(&ht->lock);
	ht->task = current;
	spin_unlock_irq(&ht->lock);
	ht->exec_id = current->self_exec_id;
	err = current->flags & PF_EXITING || ht != ht->leader ? 0 : holon_remote_fork(ht);
	ht->ready = true;
	say_born(ht->home, cpu_to_le32(ht->pid), cpu_to_le64(ht->inc), false);
	/* Whoever lost home before it could see us has not killed us. */
	if (err || READ_ONCE(ht->lost) || !holon_task_peer_alive(ht))
		send_sig(SIGKILL, current, 1);
}

void __holon_fork(struct task_struct *p)
{
	struct holon_task *ht = current->holon;

	if (!ht->child)
		return;
	p->holon = ht->child;
	p->blocked = ht->child_blocked;
	set_task_syscall_work(p, HOLON);
	set_tsk_thread_flag(p, TIF_NOTIFY_RESUME);
}

static int fork_at_home(struct holon_task *ht, const struct kernel_clone_args *args,
			u32 taken, struct holon_guest_answer *answer)
{
	struct holon_guest_request request = {
		.nr = cpu_to_le32(HOLON_FORWARD_FORK),
		.fork.exit_signal = cpu_to_le32(args->exit_signal),
		.fork.clear_sighand = !!(args->flags & CLONE_CLEAR_SIGHAND),
		.fork.thread = !!(args->flags & CLONE_THREAD),
		.fork.taken = cpu_to_le32(taken),
	};
	int err;

	err = holon_guest_ask(ht, &request, answer);
	if (err)
		return err;
	err = (s32)le32_to_cpu(answer->result);
	if (err > 1 && err < HOLON_PID_MAX)
		return 0;
	return err < 0 && err >= -MAX_ERRNO ? err : -EIO;
}

static void unfork_at_home(struct holon_task *ht, const struct holon_guest_answer *child,
			   bool thread)
{
	struct holon_guest_request request = {
		.nr = cpu_to_le32(HOLON_FORWARD_UNFORK),
		.fork.pid = child->result,
	};
	struct holon_guest_answer answer;

	say_born(ht->home, child->result, child->inc, true);
	if (thread)
		return;
	/* Should this fail we are about to die: then init reaps it. */
	holon_guest_ask(ht, &request, &answer);
}

/* Make our half of the child. Return: its number or an errno. */
long holon_fork_half(struct holon_task *ht, struct holon_task *child,
		     struct kernel_clone_args *args)
{
	unsigned int tries;
	long nr;

	args->set_tid = &child->pid;
	args->set_tid_size = 1;
	nr = holon_task_hash(child);
	if (nr) {
		holon_task_leave(child);
		return nr;
	}
	/* Of the task, should there be one. */
	holon_task_get(child);
	ht->child = child;
	for (tries = 0; tries < FORK_TRIES; tries++) {
		nr = kernel_clone(args);
		if (nr != -EEXIST)
			break;
		/* An earlier guest of that number is on its way out. */
		holon_wait_number(child->pid);
	}
	ht->child = NULL;
	if (nr < 0) {
		holon_task_leave(child);
		holon_task_put(child);
	}
	return nr;
}

static long do_fork(struct holon_task *ht, struct kernel_clone_args *args)
{
	bool thread = args->flags & CLONE_THREAD;
	struct holon_guest_answer answer = {};
	struct holon_task *child;
	u32 taken = READ_ONCE(ht->leader->taken);
	sigset_t old;
	long ret;

	/* Whoever signals a group means all of it: first what has arrived, then the fork. */
	if (signal_pending(current))
		return -ERESTARTNOINTR;
	child = child_of(ht, HOLON_ROLE_GUEST, thread);
	if (!child)
		return -ENOMEM;
	ht->child_blocked = current->blocked;
	old = hold_signals();
	ret = fork_at_home(ht, args, taken, &answer);
	if (!ret) {
		child->pid = le32_to_cpu(answer.result);
		child->inc = le64_to_cpu(answer.inc);
		child->state = HOLON_TASK_STABLE;
		child->unborn = true;
		child->cwd_remote = ht->leader->cwd_remote;
		if (!thread)
			args->flags |= CLONE_PARENT;
		ret = holon_fork_half(ht, child, args);
		if (ret < 0)
			unfork_at_home(ht, &answer, thread);
	} else {
		holon_task_leave(child);
	}
	holon_task_put(child);
	__set_current_blocked(&old);
	/* Home was interrupted by something that is no signal of ours. */
	if (ret == -ERESTARTNOINTR)
		set_thread_flag(TIF_SIGPENDING);
	return ret == -EEXIST ? -EAGAIN : ret;
}

static int clone3_args(struct kernel_clone_args *args, const struct pt_regs *regs)
{
	struct clone_args user = {};
	size_t size = regs->si;
	int err;

	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < CLONE_ARGS_SIZE_VER0)
		return -EINVAL;
	err = copy_struct_from_user(&user, sizeof(user), (void __user *)regs->di, size);
	if (err)
		return err;
	if (user.set_tid || user.set_tid_size)
		return -ENOSYS;
	if (user.exit_signal & ~(u64)CSIGNAL || user.flags & (CLONE_DETACHED | CSIGNAL) ||
	    (user.flags & CLONE_THREAD && user.exit_signal) ||
	    !user.stack != !user.stack_size)
		return -EINVAL;
	if (user.stack) {
		if (!access_ok((void __user *)user.stack, user.stack_size))
			return -EINVAL;
		user.stack += user.stack_size;
	}
	*args = (struct kernel_clone_args) {
		.flags = user.flags,
		.child_tid = u64_to_user_ptr(user.child_tid),
		.parent_tid = u64_to_user_ptr(user.parent_tid),
		.exit_signal = user.exit_signal,
		.stack = user.stack,
		.tls = user.tls,
	};
	return 0;
}

/*
 * Who shares descriptors or signals with its parent and is no thread would need a
 * deputy that does so as well, and makes it at home. Of those that share memory
 * there is the child of vfork(), which ends that soon. A pidfd and namespaces are
 * home's.
 */
static bool may_clone(u64 flags)
{
	if (flags & CLONE_THREAD)
		return (flags & THREAD_FLAGS) == THREAD_FLAGS &&
		       !(flags & ~(THREAD_FLAGS | FORK_FLAGS | CLONE_SYSVSEM)) &&
		       !(flags & (CLONE_VFORK | CLONE_CLEAR_SIGHAND));
	return !(flags & ~FORK_FLAGS) && (!(flags & CLONE_VM) || flags & CLONE_VFORK);
}

HOLON_HANDLER(fork)
{
	struct kernel_clone_args args = { .exit_signal = SIGCHLD };

	switch (holon_syscall_nr(call)) {
	case __NR_fork:
		break;
	case __NR_vfork:
		args.flags = CLONE_VFORK | CLONE_VM;
		break;
	case __NR_clone:
		args = (struct kernel_clone_args) {
			.flags = lower_32_bits(regs->di) & ~CSIGNAL,
			.exit_signal = regs->di & CSIGNAL,
			.stack = regs->si,
			.parent_tid = (int __user *)regs->dx,
			.child_tid = (int __user *)regs->r10,
			.tls = regs->r8,
		};
		break;
	default:
		*ret = clone3_args(&args, regs);
		if (*ret == -ENOSYS)
			return HOLON_DO_HOME;
		if (*ret)
			return HOLON_DONE;
	}
	if (!may_clone(args.flags))
		return HOLON_DO_HOME;
	if (!valid_signal(args.exit_signal)) {
		*ret = -EINVAL;
		return HOLON_DONE;
	}
	*ret = do_fork(ht, &args);
	return HOLON_DONE;
}
