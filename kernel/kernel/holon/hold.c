// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holding the threads of a process.
 *
 * Before a process moves all its threads have to stand still, each on its own way
 * to user mode, where its registers are settled. One of them, the *driver*, has the
 * others come there, and tells them step by step what to do, for much of it only a
 * thread itself can do: write down its registers, change its address space, exit.
 *
 *	driver				the others
 *	holon_hold(): ->driver is set
 *	  breaks their sleep		come by the hook: holon_held(), wait
 *	holon_order(): a function	call it, wait again
 *	holon_release(): ->driver	call it, if there is one, and go on
 *	  is unset
 *
 * A thread that is at home and has no half yet gets one by task work. Those that are
 * about to exit do so: who holds a process waits for them, until their last
 * write to its memory has been made.
 *
 * A thread that is held stays so until it is released, even when it is killed: the
 * driver relies on it. So the driver is the one who is killable, and releases the others
 * whatever becomes of it: do_exit() does if nobody else has. It waits killably for
 * threads to come, and then only for what they do at once. A process that is to
 * stop or to freeze does that first: who holds it gives up, and tries again.
 *
 * The state is that of the leader's half: under its ->lock. The list of those that are
 * held is the driver's alone once all are there.
 */
#include <linux/freezer.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include <linux/holon.h>

#include "freeze.h"
#include "hold.h"
#include "move.h"
#include "task.h"

/* How long the next thread may take to come. */
#define HOLON_HOLD_WAIT		(2 * HZ)
/* And how often the driver looks for new ones, and for those that have exited. */
#define HOLON_HOLD_LOOK		(HZ / 50)

/* --- threads of home that have no half ---------------------------------------- */

/**
 * struct summons - a thread is to come to the hook
 * @ref: the driver, and the task work
 * @work: runs in the thread
 * @task: the thread, with a reference
 * @ht: becomes its half
 */
struct summons {
	refcount_t ref;
	struct callback_head work;
	struct task_struct *task;
	struct holon_task *ht;
};

static void summons_put(struct summons *s)
{
	if (!refcount_dec_and_test(&s->ref))
		return;
	put_task_struct(s->task);
	kfree(s);
}

static void drop_half(struct holon_task *ht)
{
	holon_task_leave(ht);
	holon_task_put(ht);
}

static void answer_summons(struct callback_head *work)
{
	struct summons *s = container_of(work, struct summons, work);

	if (current->flags & PF_EXITING || current->holon) {
		drop_half(s->ht);
	} else {
		WRITE_ONCE(current->holon, s->ht);
		set_notify_resume(current);
	}
	summons_put(s);
}

static struct summons *summon(struct holon_task *leader, struct task_struct *task)
{
	struct summons *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	s->ht = holon_task_alloc(leader->role, GFP_KERNEL);
	if (!s->ht) {
		kfree(s);
		return NULL;
	}
	holon_task_join(s->ht, leader);
	s->ht->pid = task_pid_nr(task);
	s->ht->task = task;
	s->ht->state = HOLON_TASK_MOVING;
	s->ht->inc = holon_task_new_inc();
	s->task = get_task_struct(task);
	refcount_set(&s->ref, 2);
	init_task_work(&s->work, answer_summons);
	if (task_work_add(task, &s->work, TWA_SIGNAL)) {
		/* It exits. */
		drop_half(s->ht);
		refcount_dec(&s->ref);
		summons_put(s);
		return NULL;
	}
	return s;
}

static void take_back(struct summons *s)
{
	if (task_work_cancel(s->task, &s->work)) {
		drop_half(s->ht);
		refcount_dec(&s->ref);
	}
	summons_put(s);
}

/* --- the driver ---------------------------------------------------------------- */

/* Is one of the threads of current the kernel's? It never comes: it has no user mode. */
static bool has_worker(void)
{
	struct task_struct *t;
	bool found = false;

	rcu_read_lock();
	for_each_thread(current, t)
		found = found || t->flags & PF_USER_WORKER;
	rcu_read_unlock();
	return found;
}

/* The next thread of current with a number above @after, with a reference. */
static struct task_struct *thread_above(pid_t after)
{
	struct task_struct *t, *next = NULL;

	rcu_read_lock();
	for_each_thread(current, t) {
		if (t == current || t->pid <= after || t->flags & (PF_EXITING | PF_USER_WORKER))
			continue;
		if (!next || t->pid < next->pid)
			next = t;
	}
	if (next)
		get_task_struct(next);
	rcu_read_unlock();
	return next;
}

static bool has_half(struct task_struct *task, bool *ours)
{
	struct holon_task *leader = current->holon->leader, *ht;

	rcu_read_lock();
	ht = READ_ONCE(task->holon);
	*ours = ht && ht->leader == leader;
	rcu_read_unlock();
	return ht;
}

void holon_call_thread(struct task_struct *task)
{
	struct holon_task *ht;
	unsigned long flags;

	rcu_read_lock();
	ht = READ_ONCE(task->holon);
	if (ht) {
		/* All of it before the hook, or all of it after: else a sleep that follows the
		 * hook would be broken, and nothing would say by whom.
		 */
		spin_lock_irqsave(&ht->lock, flags);
		WRITE_ONCE(ht->called, true);
		set_tsk_thread_flag(task, TIF_NOTIFY_RESUME);
		set_notify_signal(task);
		spin_unlock_irqrestore(&ht->lock, flags);
	}
	rcu_read_unlock();
}

/* Have the threads come that have not been told. */
static int call_threads(struct holon_task *leader, struct xarray *summoned)
{
	struct task_struct *task;
	struct summons *s;
	pid_t nr = 0;
	bool ours;
	int err = 0;

	while (!err && (task = thread_above(nr))) {
		nr = task->pid;
		if (has_half(task, &ours)) {
			if (ours && leader->role == HOLON_ROLE_GUEST)
				holon_call_thread(task);
		} else if (leader->role == HOLON_ROLE_DEPUTY) {
			s = xa_load(summoned, nr);
			if (s && s->task != task) {
				/* Another one had the number. */
				xa_erase(summoned, nr);
				take_back(s);
				s = NULL;
			}
			if (!s) {
				s = summon(leader, task);
				if (s)
					err = xa_err(xa_store(summoned, nr, s, GFP_KERNEL));
				if (err)
					take_back(s);
			}
		}
		put_task_struct(task);
		cond_resched();
	}
	return err;
}

/* Deputies sleep where they are told. */
static void wake_deputies(struct holon_task *leader)
{
	struct task_struct *t;
	struct holon_task *ht;

	rcu_read_lock();
	for_each_thread(current, t) {
		ht = READ_ONCE(t->holon);
		if (ht && ht->leader == leader && ht != current->holon)
			wake_up(&ht->wait);
	}
	rcu_read_unlock();
}

/* Who is held makes no other thread: so it is those that are held who are looked at first. */
static bool all_held(struct holon_task *leader)
{
	/* Pairs with enter(). */
	unsigned int held = smp_load_acquire(&leader->held_count), others = 0;
	struct task_struct *t;

	rcu_read_lock();
	for_each_thread(current, t)
		others += t != current && !READ_ONCE(t->exit_state);
	rcu_read_unlock();
	return held == others;
}

/* Does the process have to stand still for another reason? */
static bool other_stop(void)
{
	return READ_ONCE(current->jobctl) & JOBCTL_PENDING_MASK || freezing(current) ||
	       holon_frozen();
}

static int gather(struct holon_task *leader, struct xarray *summoned, enum holon_stay *stay)
{
	unsigned long end = jiffies + HOLON_HOLD_WAIT;
	unsigned int held = 0;
	long ret;
	int err;

	for (;;) {
		/* Before the sleep of any is broken. */
		if (has_worker()) {
			*stay = HOLON_STAY_IO_URING;
			return -EBUSY;
		}
		err = call_threads(leader, summoned);
		if (err)
			return err;
		wake_deputies(leader);
		ret = wait_event_killable_timeout(leader->driver_wait, all_held(leader),
						  HOLON_HOLD_LOOK);
		if (ret)
			return ret < 0 ? -EINTR : 0;
		*stay = HOLON_STAY_LATE;
		if (other_stop())
			return -ECANCELED;
		if (READ_ONCE(leader->held_count) != held) {
			held = READ_ONCE(leader->held_count);
			end = jiffies + HOLON_HOLD_WAIT;
		} else if (time_after(jiffies, end)) {
			return -EBUSY;
		}
	}
}

int holon_hold(struct holon_task *ht, enum holon_stay *stay)
{
	struct holon_task *leader = ht->leader;
	struct xarray summoned;
	struct summons *s;
	unsigned long nr;
	int err;

	spin_lock_irq(&leader->lock);
	err = leader->driver ? -EALREADY : 0;
	if (!err)
		WRITE_ONCE(leader->driver, ht);
	spin_unlock_irq(&leader->lock);
	if (err)
		return err;
	xa_init(&summoned);
	err = gather(leader, &summoned, stay);
	if (!err)
		*stay = HOLON_STAY_NONE;
	xa_for_each(&summoned, nr, s)
		take_back(s);
	xa_destroy(&summoned);
	if (err)
		holon_release(leader, NULL);
	return err;
}

/* Give an order; also to be the last one. */
static int give_order(struct holon_task *leader, int (*order)(struct holon_task *ht),
		      void (*after)(struct holon_task *ht), bool last)
{
	int err;

	spin_lock_irq(&leader->lock);
	leader->order = order;
	leader->order_after = after;
	leader->order_last = last;
	leader->order_err = 0;
	leader->order_pending = leader->held_count;
	leader->order_nr++;
	/* Who comes now is held by nobody. */
	if (last)
		WRITE_ONCE(leader->driver, NULL);
	spin_unlock_irq(&leader->lock);
	wake_up_all(&leader->hold_wait);
	wait_event(leader->driver_wait, !READ_ONCE(leader->order_pending));
	spin_lock_irq(&leader->lock);
	err = leader->order_err;
	spin_unlock_irq(&leader->lock);
	return err;
}

int holon_order(struct holon_task *leader, int (*order)(struct holon_task *ht))
{
	return give_order(leader, order, NULL, false);
}

void holon_release(struct holon_task *leader, void (*after)(struct holon_task *ht))
{
	give_order(leader, NULL, after, true);
}

/* --- the others ---------------------------------------------------------------- */

bool holon_hold_wanted(struct holon_task *ht)
{
	struct holon_task *driver = READ_ONCE(ht->leader->driver);

	return driver && driver != ht;
}

static bool enter(struct holon_task *leader, struct holon_task *ht, unsigned int *seen, bool new,
		  int err)
{
	bool held;

	spin_lock_irq(&leader->lock);
	if (new) {
		leader->expected--;
		leader->order_err = leader->order_err ?: err;
	}
	held = leader->driver && leader->driver != ht;
	if (held) {
		list_add_tail(&ht->hold_node, &leader->held);
		/* Pairs with all_held(). */
		smp_store_release(&leader->held_count, leader->held_count + 1);
		*seen = leader->order_nr;
	}
	spin_unlock_irq(&leader->lock);
	wake_up(&leader->driver_wait);
	return held;
}

/* Return: true when it was the last one: we are held no more. */
static bool follow_order(struct holon_task *leader, struct holon_task *ht, unsigned int *seen,
			 void (**after)(struct holon_task *ht))
{
	int (*order)(struct holon_task *ht);
	bool last;
	int err = 0;

	spin_lock_irq(&leader->lock);
	*seen = leader->order_nr;
	order = leader->order;
	*after = leader->order_after;
	last = leader->order_last;
	spin_unlock_irq(&leader->lock);
	if (order)
		err = order(ht);
	spin_lock_irq(&leader->lock);
	leader->order_err = leader->order_err ?: err;
	leader->order_pending--;
	if (last) {
		list_del_init(&ht->hold_node);
		leader->held_count--;
	}
	spin_unlock_irq(&leader->lock);
	wake_up(&leader->driver_wait);
	return last;
}

static void be_held(struct holon_task *ht, bool new, int err)
{
	struct holon_task *leader = ht->leader;
	void (*after)(struct holon_task *ht) = NULL;
	unsigned int seen;

	if (enter(leader, ht, &seen, new, err)) {
		do {
			wait_event_idle(leader->hold_wait, READ_ONCE(leader->order_nr) != seen);
		} while (!follow_order(leader, ht, &seen, &after));
	}
	holon_image_free(&ht->image);
	if (after)
		after(ht);
}

void holon_held(struct holon_task *ht)
{
	be_held(ht, false, 0);
}

/* --- threads that are made to be held ------------------------------------------ */

static void expect(struct holon_task *leader, int change)
{
	spin_lock_irq(&leader->lock);
	leader->expected += change;
	spin_unlock_irq(&leader->lock);
}

void holon_hold_new(struct holon_task *leader)
{
	spin_lock_irq(&leader->lock);
	WRITE_ONCE(leader->driver, leader);
	leader->order_err = 0;
	spin_unlock_irq(&leader->lock);
}

void holon_hold_expect(struct holon_task *leader)
{
	expect(leader, 1);
}

void holon_hold_expect_less(struct holon_task *leader)
{
	expect(leader, -1);
}

int holon_hold_wait_new(struct holon_task *leader)
{
	int err;

	wait_event(leader->driver_wait, !READ_ONCE(leader->expected));
	spin_lock_irq(&leader->lock);
	err = leader->order_err;
	spin_unlock_irq(&leader->lock);
	return err;
}

void holon_held_new(struct holon_task *ht, int err)
{
	be_held(ht, true, err);
}
