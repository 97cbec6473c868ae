// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals of a process in two halves.
 *
 * What is sent to the process arrives natively at the deputy, whose actions
 * are an empty handler that never runs, so everything is queued. The deputy
 * takes it from the queue and relays it with its siginfo; blocking, ignoring,
 * handlers, default actions and core dumps are then native at the guest. Two
 * actions stay: SIGKILL is SIG_DFL, which takes the deputy down at once
 * (exit.c then ends the guest), and SIGCHLD is the guest's as far as it decides
 * about zombies and stop notifications.
 *
 * Stops. A stop signal is relayed like any other. If the guest stops, it
 * reports the signal and the number of the last relayed signal that it had
 * queued. The deputy then stops natively, so the parent's wait() works, unless
 * a SIGCONT has been relayed after that number or waits to be relayed: it will
 * continue the guest. SIGCONT to a stopped deputy wakes it natively, with the
 * notification to the parent, and is then relayed.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/cgroup.h>
#include <linux/freezer.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/task_work.h>

#include <linux/holon.h>
#include <linux/holon_rpc.h>

#include "task.h"

/* Never called: a deputy does not reach user mode. */
#define HOLON_EMPTY_HANDLER	((__sighandler_t)8)

static int holon_signal_handler(struct holon_request *request);
static int holon_stopped_handler(struct holon_request *request);

static HOLON_RPC(task_signal, HOLON_RPC_ID_TASK_SIGNAL, HOLON_FWD,
		 HOLON_RPC_INLINE | HOLON_RPC_ONEWAY, sizeof(struct holon_wire_signal),
		 holon_signal_handler);
static HOLON_RPC(task_stopped, HOLON_RPC_ID_TASK_STOPPED, HOLON_FWD,
		 HOLON_RPC_INLINE | HOLON_RPC_ONEWAY, sizeof(struct holon_wire_stopped),
		 holon_stopped_handler);

/* --- deputy --------------------------------------------------------------- */

/**
 * holon_signal_become_deputy - set the signal actions of a deputy
 *
 * Of current, whose threads run no program any more.
 */
void holon_signal_become_deputy(void)
{
	int sig;

	spin_lock_irq(&current->sighand->siglock);
	for (sig = 1; sig <= _NSIG; sig++) {
		struct k_sigaction *ka = &current->sighand->action[sig - 1];

		if (sig == SIGKILL || (sig == SIGCHLD && ka->sa.sa_handler == SIG_IGN))
			continue;
		ka->sa.sa_handler = HOLON_EMPTY_HANDLER;
		ka->sa.sa_flags &= SA_NOCLDSTOP | SA_NOCLDWAIT;
		sigemptyset(&ka->sa.sa_mask);
	}
	spin_unlock_irq(&current->sighand->siglock);
	/* execve() returns through get_signal() once more, before the deputy's loop. */
	holon_signal_block();
}

void holon_signal_block(void)
{
	spin_lock_irq(&current->sighand->siglock);
	siginitsetinv(&current->blocked, sigmask(SIGKILL));
	recalc_sigpending();
	spin_unlock_irq(&current->sighand->siglock);
}

/*
 * Does get_signal() have to run for the native protocols of group stop,
 * continue, freezer and ptrace?
 */
static bool native_work(void)
{
	lockdep_assert_held(&current->sighand->siglock);
	return (current->signal->flags & SIGNAL_CLD_MASK) ||
	       (current->jobctl & (JOBCTL_PENDING_MASK | JOBCTL_TRAP_FREEZE)) ||
	       cgroup_task_frozen(current);
}

/* With everything blocked, get_signal() dequeues nothing. */
static void run_native_work(void)
{
	sigset_t all, old = current->blocked;
	struct ksignal ksig = {};

	/* SIGSTOP as well: it is to be relayed. */
	sigfillset(&all);
	sigdelset(&all, SIGKILL);
	__set_current_blocked(&all);
	set_thread_flag(TIF_SIGPENDING);
	get_signal(&ksig);
	set_current_blocked(&old);
}

static bool continue_pending(void)
{
	struct task_struct *t;

	lockdep_assert_held(&current->sighand->siglock);
	for_each_thread(current, t)
		if (sigismember(&t->pending.signal, SIGCONT))
			return true;
	return sigismember(&current->signal->shared_pending.signal, SIGCONT);
}

static void relay_one(struct holon_task *ht, int sig, const kernel_siginfo_t *info,
		      enum pid_type type, u64 sequence)
{
	struct holon_wire_signal msg = {
		.task.inc = cpu_to_le64(ht->leader->inc),
		.task.pid = cpu_to_le32(ht->leader->pid),
		.sequence = cpu_to_le64(sequence),
		.signo = cpu_to_le32(sig),
		.directed = cpu_to_le32(type == PIDTYPE_PID ? ht->pid : 0),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };

	BUILD_BUG_ON(sizeof(*info) != sizeof(msg.info));
	memcpy(msg.info, info, sizeof(msg.info));
	/* A lost signal would make the guest wait for it: memory will come. */
	holon_send(ht->node, &holon_rpc_task_signal, &vec, 1, GFP_KERNEL | __GFP_NOFAIL);
	atomic64_inc(&holon_task_stat.signals);
}

/*
 * We were continued, but a stop signal, or a tracer, has thrown the SIGCONT away
 * before it was relayed: the guest, which has stopped, must not miss it. Return:
 * the sequence number of the one to send instead, or 0. Lock: siglock.
 */
static u64 lost_continue(struct holon_task *leader)
{
	if (current->signal->flags & SIGNAL_CLD_CONTINUED)
		leader->owes_continue = true;
	if (!leader->owes_continue || continue_pending())
		return 0;
	leader->owes_continue = false;
	leader->continued = ++leader->sequence;
	return leader->continued;
}

static void relay_continue(struct holon_task *ht, u64 sequence)
{
	kernel_siginfo_t info;

	clear_siginfo(&info);
	info.si_signo = SIGCONT;
	relay_one(ht, SIGCONT, &info, PIDTYPE_TGID, sequence);
}

/* Take a signal past the tracer, who sees each first and may drop it. */
static int dequeue_traced(kernel_siginfo_t *info)
{
	struct ksignal ksig = {};

	if (!get_signal(&ksig))
		return 0;
	copy_siginfo(info, &ksig.info);
	return ksig.sig;
}

/* What one look at the queues has found. */
enum relayed {
	RELAYED_ALL,
	RELAYED_ONE,
	RELAYED_NATIVE,	/* get_signal() has to run */
	RELAYED_TRACED,	/* the same, for the tracer to see the next one */
};

/* Give a signal its number. Lock: siglock. */
static u64 count_signal(struct holon_task *leader, int sig)
{
	u64 sequence = ++leader->sequence;

	if (sig == SIGCONT) {
		leader->continued = sequence;
		leader->owes_continue = false;
	}
	return sequence;
}

/* Lock: the leader's ->relay, so that the number and the message stay together. */
static enum relayed relay_next(struct holon_task *ht)
{
	struct holon_task *leader = ht->leader;
	kernel_siginfo_t info;
	enum pid_type type;
	u64 sequence;
	bool native;
	int sig;

	lockdep_assert_held(&leader->relay);
	spin_lock_irq(&current->sighand->siglock);
	if (current->signal->flags & SIGNAL_GROUP_EXIT) {
		spin_unlock_irq(&current->sighand->siglock);
		return RELAYED_ALL;
	}
	native = native_work();
	sequence = lost_continue(leader);
	if (native || sequence) {
		spin_unlock_irq(&current->sighand->siglock);
		if (sequence)
			relay_continue(ht, sequence);
		return native ? RELAYED_NATIVE : RELAYED_ONE;
	}
	if (current->ptrace) {
		spin_unlock_irq(&current->sighand->siglock);
		return RELAYED_TRACED;
	}
	clear_siginfo(&info);
	sig = dequeue_signal(&current->blocked, &info, &type);
	if (sig)
		sequence = count_signal(leader, sig);
	spin_unlock_irq(&current->sighand->siglock);
	if (!sig)
		return RELAYED_ALL;
	relay_one(ht, sig, &info, type, sequence);
	return RELAYED_ONE;
}

/* The tracer may keep us, or drop the signal, also a SIGCONT that we owe. */
static enum relayed relay_traced(struct holon_task *ht)
{
	struct holon_task *leader = ht->leader;
	kernel_siginfo_t info;
	u64 sequence = 0;
	bool owes;
	int sig;

	clear_siginfo(&info);
	sig = dequeue_traced(&info);
	if (mutex_lock_killable(&leader->relay))
		return RELAYED_ALL;
	spin_lock_irq(&current->sighand->siglock);
	owes = leader->owes_continue;
	if (sig)
		sequence = count_signal(leader, sig);
	spin_unlock_irq(&current->sighand->siglock);
	if (sig)
		relay_one(ht, sig, &info, PIDTYPE_TGID, sequence);
	mutex_unlock(&leader->relay);
	return sig || owes ? RELAYED_ONE : RELAYED_ALL;
}

/**
 * holon_relay - work off what signal_pending() reports of a deputy
 * @ht: of current
 *
 * Context: the deputy, no locks, all signals unblocked. May stop or freeze.
 * Returns at once when the group is being killed.
 */
void holon_relay(struct holon_task *ht)
{
	enum relayed relayed;

	clear_notify_signal();
	if (task_work_pending(current))
		task_work_run();
	do {
		if (mutex_lock_killable(&ht->leader->relay))
			return;
		relayed = relay_next(ht);
		mutex_unlock(&ht->leader->relay);
		/* These may stop us, and another thread has to relay what continues us. */
		if (relayed == RELAYED_NATIVE)
			run_native_work();
		else if (relayed == RELAYED_TRACED)
			relayed = relay_traced(ht);
	} while (relayed != RELAYED_ALL);
	try_to_freeze();
}

void holon_relay_queued(struct holon_task *ht)
{
	enum relayed relayed;

	do {
		mutex_lock(&ht->leader->relay);
		relayed = relay_next(ht);
		mutex_unlock(&ht->leader->relay);
	} while (relayed == RELAYED_ONE);
}

/**
 * holon_stop_deputy - stop as the guest has stopped
 * @ht: of current, with a report in @ht->stop_signal
 *
 * Returns when continued or killed.
 */
void holon_stop_deputy(struct holon_task *ht)
{
	u64 sequence;
	int sig;

	spin_lock_irq(&current->sighand->siglock);
	if (continue_pending()) {
		/* Settled when that is relayed, or thrown away by a stop signal. */
		spin_unlock_irq(&current->sighand->siglock);
		return;
	}
	spin_lock(&ht->lock);
	sig = ht->stop_signal;
	sequence = ht->stop_sequence;
	ht->stop_signal = 0;
	spin_unlock(&ht->lock);
	if (!sig || ht->leader->continued > sequence) {
		/* The SIGCONT reaches the guest after its report: it runs. */
		spin_unlock_irq(&current->sighand->siglock);
		return;
	}
	/* The guest dequeued it, which is as good as if we had. */
	current->jobctl |= JOBCTL_STOP_DEQUEUED;
	if (!do_signal_stop(sig))
		spin_unlock_irq(&current->sighand->siglock);
	/* What woke us is notified, and relayed, by holon_relay(). */
	set_thread_flag(TIF_SIGPENDING);
	holon_relay(ht);
}

/**
 * holon_signal_zap - end a process as its other half ended
 * @task: any thread of it
 * @code: wait status
 *
 * A thread inside a system call or a stop is woken. Context: any.
 */
void holon_signal_zap(struct task_struct *task, int code)
{
	struct signal_struct *signal;
	struct task_struct *t;
	unsigned long flags;

	if (!lock_task_sighand(task, &flags))
		return;
	signal = task->signal;
	if (!(signal->flags & SIGNAL_GROUP_EXIT)) {
		signal->flags = SIGNAL_GROUP_EXIT;
		signal->group_exit_code = code;
		signal->group_stop_count = 0;
		for_each_thread(task, t) {
			task_clear_jobctl_pending(t, JOBCTL_PENDING_MASK);
			sigaddset(&t->pending.signal, SIGKILL);
			signal_wake_up(t, 1);
		}
	}
	unlock_task_sighand(task, &flags);
}

static int holon_stopped_handler(struct holon_request *request)
{
	const struct holon_wire_stopped *msg = request->data;
	int sig = le32_to_cpu(msg->signo);
	struct holon_task *ht;
	unsigned long flags;

	if (!valid_signal(sig) || !sig || !sig_kernel_stop(sig))
		return -EBADMSG;
	ht = holon_task_find(HOLON_ROLE_DEPUTY, holon_node_id(), le32_to_cpu(msg->task.pid),
			     le64_to_cpu(msg->task.inc));
	if (!ht)
		return 0;
	if (ht->node == request->node) {
		spin_lock_irqsave(&ht->lock, flags);
		ht->stop_signal = sig;
		ht->stop_sequence = le64_to_cpu(msg->sequence);
		spin_unlock_irqrestore(&ht->lock, flags);
		wake_up(&ht->wait);
	}
	holon_task_put(ht);
	return 0;
}

/* --- guest ---------------------------------------------------------------- */

/* With a reference; NULL when it, or the thread @nr of it, has ended. */
static struct task_struct *addressee(struct holon_task *leader, pid_t nr)
{
	struct holon_task *ht = NULL;
	struct task_struct *task = NULL;

	if (!nr)
		return holon_task_of(leader);
	ht = holon_task_find(HOLON_ROLE_GUEST, leader->home, nr, 0);
	if (ht && ht->leader == leader)
		task = holon_task_of(ht);
	holon_task_put(ht);
	return task;
}

static void queue_relayed(struct holon_task *leader, struct task_struct *task,
			  const struct holon_wire_signal *msg)
{
	enum pid_type type = msg->directed ? PIDTYPE_PID : PIDTYPE_TGID;
	int sig = le32_to_cpu(msg->signo);
	kernel_siginfo_t info;
	unsigned long flags;

	memcpy(&info, msg->info, sizeof(info));
	info.si_signo = sig;
	if (!lock_task_sighand(task, &flags))
		return;
	/*
	 * As it was sent at home: a sender outside the namespace is none here, and
	 * the numbers are the same.
	 */
	if (__send_signal_locked(sig, &info, task, type, true) == -EAGAIN) {
		/* Home had room for it: at least one is pending here, too. */
		info.si_code = SI_USER;
		__send_signal_locked(sig, &info, task, type, true);
	}
	WRITE_ONCE(leader->taken, le64_to_cpu(msg->sequence));
	unlock_task_sighand(task, &flags);
}

static int holon_signal_handler(struct holon_request *request)
{
	const struct holon_wire_signal *msg = request->data;
	int sig = le32_to_cpu(msg->signo);
	struct task_struct *task;
	struct holon_task *leader;

	if (!valid_signal(sig) || !sig)
		return -EBADMSG;
	leader = holon_task_find(HOLON_ROLE_GUEST, request->node, le32_to_cpu(msg->task.pid),
				 le64_to_cpu(msg->task.inc));
	if (!leader)
		return 0;
	task = addressee(leader, le32_to_cpu(msg->directed));
	if (task) {
		queue_relayed(leader, task, msg);
		put_task_struct(task);
	}
	/* Also of one that nobody takes. */
	WRITE_ONCE(leader->taken, le64_to_cpu(msg->sequence));
	wake_up_all(&leader->wait);
	holon_task_put(leader);
	return 0;
}

/* Reports a stop; not where it is noticed, under tasklist_lock. */
void holon_stop_work(struct work_struct *work)
{
	struct holon_task *ht = container_of(work, struct holon_task, stop_work);
	struct holon_wire_stopped msg = {
		.task.inc = cpu_to_le64(ht->inc),
		.task.pid = cpu_to_le32(ht->pid),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };

	spin_lock_irq(&ht->lock);
	msg.signo = cpu_to_le32(ht->reported_signal);
	msg.sequence = cpu_to_le64(ht->reported);
	spin_unlock_irq(&ht->lock);
	holon_send(ht->home, &holon_rpc_task_stopped, &vec, 1, GFP_KERNEL | __GFP_NOFAIL);
	holon_task_put(ht);
}

/*
 * tasklist_lock is held for reading. A guest that continues is no news: it did
 * so because home relayed a SIGCONT.
 */
bool __holon_cldstop(struct task_struct *tsk, bool for_ptracer, int why)
{
	struct holon_task *ht = tsk->holon;
	unsigned long flags;
	u64 sequence = 0;
	int sig = 0;

	if (!ht || ht->role != HOLON_ROLE_GUEST || for_ptracer)
		return false;
	if (why != CLD_STOPPED)
		return true;
	/* Only if no SIGCONT was queued since, else the number would cover it. */
	if (lock_task_sighand(tsk, &flags)) {
		if (tsk->signal->flags & SIGNAL_STOP_STOPPED) {
			sig = tsk->signal->group_exit_code & 0x7f;
			sequence = ht->leader->taken;
		}
		unlock_task_sighand(tsk, &flags);
	}
	if (!sig)
		return true;
	spin_lock_irqsave(&ht->lock, flags);
	ht->reported_signal = sig;
	ht->reported = sequence;
	spin_unlock_irqrestore(&ht->lock, flags);
	holon_task_get(ht);
	if (!queue_work(system_unbound_wq, &ht->stop_work))
		holon_task_put(ht);
	return true;
}
