// SPDX-License-Identifier: GPL-2.0-only
/*
 * The deputy: what is left at home of a process that is away.
 *
 * It sleeps in the last step before user mode, interruptibly, so it counts as
 * an idle process, and serves one thing at a time: signals (signal.c), requests
 * of the guest, stops, the end. It never reaches user mode: the loop is left
 * only with a fatal signal pending, or when the program has come back (move.c).
 * While this node is frozen (freeze.c) it begins none of them but the end.
 *
 * A request is queued by the handler, run by the deputy with the signal mask
 * that it carries (forward.c), and answered after what it raised has been
 * relayed. The RPC layer's cancel says that the guest was interrupted: the
 * call in the deputy is then broken off by TIF_NOTIFY_SIGNAL, but only while it
 * is that call which runs.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>

#include <linux/holon.h>
#include <linux/holon_rpc.h>

#include <asm/syscall.h>

#include "forward.h"
#include "freeze.h"
#include "guest.h"
#include "hold.h"
#include "marshal.h"
#include "move.h"
#include "task.h"

/* What an ordinary call needs; more is given back after the call. */
#define HOLON_WINDOW_KEEP	SZ_64K

/**
 * struct holon_deputy_request - a request of the guest on its way
 * @list: in holon_task->requests
 * @rcu: cancel may still look at it
 * @ht: of the deputy, with a reference
 * @request: to be answered once
 * @interrupted: the guest has a signal
 * @done: the call is over, too late to break it off
 * @reply: kvmalloc()ed bytes of the answer
 */
struct holon_deputy_request {
	struct list_head list;
	struct rcu_head rcu;
	struct holon_task *ht;
	struct holon_request *request;
	bool interrupted, done;
	void *reply;
};

static int holon_forward_handler(struct holon_request *request);
static void holon_forward_cancel(struct holon_request *request);

HOLON_RPC(task_forward, HOLON_RPC_ID_TASK_FORWARD, HOLON_REQ, HOLON_RPC_INLINE | HOLON_RPC_LONG,
	  sizeof(struct holon_wire_task) + sizeof(__le32), holon_forward_handler,
	  .cancel = holon_forward_cancel);
HOLON_RPC(task_fork, HOLON_RPC_ID_TASK_FORK, HOLON_REQ, HOLON_RPC_INLINE | HOLON_RPC_LONG,
	  sizeof(struct holon_wire_task) + sizeof(__le32), holon_forward_handler,
	  .cancel = holon_forward_cancel, .orphan = holon_fork_orphan);

/* --- requests ------------------------------------------------------------- */

static int holon_forward_handler(struct holon_request *request)
{
	const struct holon_wire_task *msg = request->data;
	struct holon_deputy_request *rq;
	struct holon_task *ht;
	unsigned long flags;
	bool taken;

	ht = holon_task_find(HOLON_ROLE_DEPUTY, holon_node_id(), le32_to_cpu(msg->pid),
			     le64_to_cpu(msg->inc));
	if (!ht)
		return -ESRCH;
	rq = kzalloc(sizeof(*rq), GFP_ATOMIC);
	if (!rq || ht->node != request->node) {
		kfree(rq);
		holon_task_put(ht);
		return rq ? -ESRCH : -ENOMEM;
	}
	rq->ht = ht;
	rq->request = request;
	request->private = rq;
	spin_lock_irqsave(&ht->lock, flags);
	/* Of one that is being born its guest may be faster than we. */
	taken = ht->state >= HOLON_TASK_FORKED && ht->state <= HOLON_TASK_LANDING;
	if (taken)
		list_add_tail(&rq->list, &ht->requests);
	spin_unlock_irqrestore(&ht->lock, flags);
	if (!taken) {
		request->private = NULL;
		kfree_rcu(rq, rcu);
		holon_task_put(ht);
		return -ESRCH;
	}
	wake_up(&ht->wait);
	return HOLON_DEFER;
}

/*
 * The guest was interrupted. The request stays in memory for this call, even
 * when it is answered meanwhile.
 */
static void holon_forward_cancel(struct holon_request *request)
{
	struct holon_deputy_request *rq;
	struct holon_task *ht;
	unsigned long flags;

	rcu_read_lock();
	rq = READ_ONCE(request->private);
	if (rq) {
		ht = rq->ht;
		spin_lock_irqsave(&ht->lock, flags);
		rq->interrupted = true;
		if (ht->running == rq && !rq->done && ht->task)
			set_notify_signal(ht->task);
		spin_unlock_irqrestore(&ht->lock, flags);
	}
	rcu_read_unlock();
}

static void answer(struct holon_deputy_request *rq, int status)
{
	struct holon_task *ht = rq->ht;

	spin_lock_irq(&ht->lock);
	if (ht->running == rq)
		ht->running = NULL;
	spin_unlock_irq(&ht->lock);
	/* A cancel that is late finds nothing, or an rq that RCU keeps. */
	WRITE_ONCE(rq->request->private, NULL);
	holon_reply_now(rq->request, status);
	kvfree(rq->reply);
	kfree_rcu(rq, rcu);
	holon_task_put(ht);
}

static struct holon_deputy_request *next_request(struct holon_task *ht)
{
	struct holon_deputy_request *rq;

	spin_lock_irq(&ht->lock);
	rq = list_first_entry_or_null(&ht->requests, struct holon_deputy_request, list);
	if (rq) {
		list_del_init(&rq->list);
		ht->running = rq;
		if (rq->interrupted)
			set_thread_flag(TIF_NOTIFY_SIGNAL);
	}
	spin_unlock_irq(&ht->lock);
	return rq;
}

/* Also those for the process of which another thread was told. */
static bool signals_wait(void)
{
	return signal_pending(current) ||
	       !sigisemptyset(&current->signal->shared_pending.signal);
}

static void run_request(struct holon_task *ht, struct holon_deputy_request *rq)
{
	const void *data = rq->request->data + sizeof(struct holon_wire_task);
	size_t len = rq->request->len - sizeof(struct holon_wire_task);
	size_t reply_len = 0;
	int status;

	if (le32_to_cpup(data) >= HOLON_FORWARD_OWN)
		status = holon_guest_request(ht, data, len, &rq->reply, &reply_len);
	else
		status = holon_forward_run(ht, data, len, &rq->reply, &reply_len);

	/* A cancel that comes now is too late. */
	spin_lock_irq(&ht->lock);
	rq->done = true;
	spin_unlock_irq(&ht->lock);
	clear_notify_signal();

	if (task_work_pending(current))
		task_work_run();
	/*
	 * Signals first, then the reply that names the last of them. But a child
	 * that is there must be told of before anything may stop us.
	 */
	if (signals_wait() && le32_to_cpup(data) != HOLON_FORWARD_FORK &&
	    ht->state != HOLON_TASK_LANDING)
		holon_relay(ht);
	if (!status)
		status = holon_reply_data(rq->request, rq->reply, reply_len);
	if (!status)
		status = READ_ONCE(ht->leader->sequence) & HOLON_SEQUENCE_MASK;
	answer(rq, status);
}

/**
 * holon_deputy_refuse - take no more requests, answer those that wait
 * @ht: of current, which is on its way out
 */
void holon_deputy_refuse(struct holon_task *ht)
{
	struct holon_deputy_request *rq, *next;
	LIST_HEAD(waiting);

	spin_lock_irq(&ht->lock);
	ht->state = HOLON_TASK_EXITING;
	list_splice_init(&ht->requests, &waiting);
	rq = ht->running;
	spin_unlock_irq(&ht->lock);
	if (rq)		/* we died in its call, or relaying afterwards */
		answer(rq, -ESRCH);
	list_for_each_entry_safe(rq, next, &waiting, list)
		answer(rq, -ESRCH);
}

/* --- the loop ------------------------------------------------------------- */

static bool deputy_wanted(struct holon_task *ht)
{
	return !list_empty_careful(&ht->requests) || READ_ONCE(ht->exited) ||
	       READ_ONCE(ht->lost) || holon_hold_wanted(ht);
}

/* Signals and stops wait while the guest comes home. */
static void deputy_wait(struct holon_task *ht)
{
	if (ht->state == HOLON_TASK_LANDING)
		wait_event_killable(ht->wait, deputy_wanted(ht));
	else
		wait_event_interruptible(ht->wait,
					 deputy_wanted(ht) || READ_ONCE(ht->stop_signal));
}

void holon_deputy_unblock(void)
{
	spin_lock_irq(&current->sighand->siglock);
	sigemptyset(&current->blocked);
	recalc_sigpending();
	spin_unlock_irq(&current->sighand->siglock);
}

/**
 * holon_deputy_resume - be the deputy
 * @ht: of current, STABLE
 *
 * Returns with a fatal signal pending, or as an ordinary process.
 */
void holon_deputy_resume(struct holon_task *ht)
{
	struct holon_deputy_request *rq;

	holon_deputy_unblock();
	for (;;) {
		deputy_wait(ht);
		/* What is wanted waits; only the end does not. */
		holon_freeze_wait();
		if (READ_ONCE(ht->lost))
			holon_signal_zap(current, SIGKILL);
		if (READ_ONCE(ht->exited)) {
			if (!holon_exit_of_all(ht, current))
				do_exit(le32_to_cpu(ht->exit.code) & 0xffff);
			holon_signal_zap(current, le32_to_cpu(ht->exit.code) & 0xffff);
		}
		if (fatal_signal_pending(current) ||
		    (READ_ONCE(current->signal->flags) & SIGNAL_GROUP_EXIT))
			return;
		if (holon_hold_wanted(ht)) {
			holon_held(ht);
			/* Landed with the others. */
			if (!current->holon)
				return;
			continue;
		}
		if (signal_pending(current) && ht->state != HOLON_TASK_LANDING)
			holon_relay(ht);
		rq = next_request(ht);
		if (rq)
			run_request(ht, rq);
		if (ht->landed) {
			holon_landed(ht);
			return;
		}
		if (!rq && ht->state != HOLON_TASK_LANDING && READ_ONCE(ht->stop_signal))
			holon_stop_deputy(ht);
		cond_resched();
	}
}

static void resume(struct holon_task *ht)
{
	if (ht->role == HOLON_ROLE_DEPUTY) {
		if (ht->state == HOLON_TASK_MOVING) {
			if (ht == ht->leader)
				holon_move_away(ht);
			else
				holon_move_along(ht);
			/* It has stayed: there is no half any more. */
			if (!current->holon)
				return;
		}
		if (ht->state == HOLON_TASK_FORKED)
			holon_fork_settle(ht, false);
		if (ht->state == HOLON_TASK_STABLE)
			holon_deputy_resume(ht);
	} else if (ht->role == HOLON_ROLE_GUEST) {
		if (ht->moved)
			holon_move_settle(ht);
		if (ht->unborn)
			holon_fork_born(ht);
		/* A freeze after this kicks us back into here. */
		if (!holon_freeze_wait())
			holon_guest_resume(ht);
	}
}

void __holon_resume_user_mode(struct pt_regs *regs)
{
	if (regs)
		holon_restart_waiting(regs);
	resume(current->holon);
	/* What becomes of a call that was broken off is decided here, see there. */
	if (regs && syscall_get_nr(current, regs) != -1 &&
	    holon_restarts(syscall_get_error(current, regs)))
		set_thread_flag(TIF_NOTIFY_SIGNAL);
}

/* --- descriptors ------------------------------------------------------------ */

/*
 * What a forwarded call opens gets the numbers that the guest has reserved for it, one
 * after the other: those are free here, too, and no other thread's. More than that
 * many there are not.
 */
unsigned int __holon_fd_start(unsigned long *nofile)
{
	struct holon_task *ht = current->holon;
	unsigned int fd;

	if (!ht->fds)
		return 0;
	if (!ht->nfds) {
		*nofile = 0;
		return 0;
	}
	fd = le32_to_cpu(*ht->fds++);
	ht->nfds--;
	*nofile = fd + 1;
	return fd;
}

/* --- window --------------------------------------------------------------- */

unsigned long holon_window(struct holon_task *ht, size_t len)
{
	unsigned long window;

	len = PAGE_ALIGN(max_t(size_t, len, HOLON_WINDOW_KEEP));
	if (ht->window_len >= len)
		return ht->window;
	window = vm_mmap(NULL, 0, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(window))
		return window;
	holon_window_free(ht);
	ht->window = window;
	ht->window_len = len;
	/* A child has one thread, and would get the windows of all. */
	do_madvise(current->mm, window, len, MADV_DONTFORK);
	return window;
}

void holon_window_trim(struct holon_task *ht)
{
	if (ht->window_len > HOLON_WINDOW_KEEP)
		holon_window_free(ht);
}

void holon_window_free(struct holon_task *ht)
{
	if (ht->window_len)
		vm_munmap(ht->window, ht->window_len);
	ht->window_len = 0;
}
