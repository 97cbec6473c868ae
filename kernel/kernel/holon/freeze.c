// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freeze and thaw of cluster tasks.
 *
 * A node acts for the cluster while it is leased (lease.c) and hears a quorum.
 * Otherwise it is frozen:
 *
 *	guests		run no instruction of their program and begin no system
 *			call: they are kicked, and wait on their way to user mode
 *			(deputy.c), at the entry of system calls (syscall.c) and
 *			before they ask home for anything (guest.c)
 *	deputies	begin nothing for their guest (deputy.c)
 *	placements	are refused with EAGAIN on both sides
 *
 * What had begun goes on to its end: a system call in the kernel, a forwarded
 * call at the deputy, whose answer then waits with the guest. Nothing is taken
 * back, so a thaw continues everything where it was. All waits are killable and
 * none holds a lock. Tasks that are at home and have nothing away go on.
 *
 * The lease ends by a timer, because the view thread may be late for any reason;
 * the thread follows with the state machine. It alone thaws. The clock is
 * CLOCK_BOOTTIME: a lease also ends while the machine is suspended, and then the
 * timer fires before a guest runs again.
 *
 * freeze_lock protects @until and writing holon_frozen_now; the lock of a half of a
 * process and wait queues are taken inside. The timer runs in softirq context.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/hrtimer.h>
#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "freeze.h"
#include "membership.h"
#include "task.h"

#ifdef MODULE_PARAM_PREFIX
#undef MODULE_PARAM_PREFIX
#endif
#define MODULE_PARAM_PREFIX "holon."

static unsigned int lease_ms = 2000;

static int lease_param_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 100, 450000);
}

static const struct kernel_param_ops lease_ops = {
	.set = lease_param_set, .get = param_get_uint,
};

module_param_cb(lease_ms, &lease_ops, &lease_ms, 0644);
MODULE_PARM_DESC(lease_ms, "how long a node acts without a sign of life of a quorum");

bool holon_frozen_now __read_mostly;

static DECLARE_WAIT_QUEUE_HEAD(thaw_wait);
static DEFINE_SPINLOCK(freeze_lock);
static struct hrtimer lease_timer;
static u64 until;

u64 freeze_lease(void)
{
	unsigned int fd_ms = READ_ONCE(view_fd_ms);

	/* It has to end before the others may think of going on without us. */
	return (u64)min(READ_ONCE(lease_ms), fd_ms - fd_ms / 4) * NSEC_PER_MSEC;
}

int __holon_freeze_wait(void)
{
	if (current->flags & PF_EXITING)
		return 0;
	if (wait_event_state(thaw_wait, !holon_frozen(), (TASK_KILLABLE | TASK_FREEZABLE)))
		return -EINTR;
	return 0;
}

static void freeze(void)
{
	WRITE_ONCE(holon_frozen_now, true);
	/* Pairs with the lock of a guest's half: it is kicked, or sees this. */
	smp_mb();
	holon_task_kick();
}

static void thaw(void)
{
	WRITE_ONCE(holon_frozen_now, false);
	wake_up_all(&thaw_wait);
}

static enum hrtimer_restart lease_ended(struct hrtimer *timer)
{
	bool ended = false;

	spin_lock(&freeze_lock);
	if (until && until != LEASE_FOREVER && !holon_frozen_now &&
	    ktime_get_boottime_ns() >= until) {
		freeze();
		ended = true;
	}
	spin_unlock(&freeze_lock);
	if (ended)
		view_kick();
	return HRTIMER_NORESTART;
}

/* The node may act until @end, 0: not at all. */
static void set_end(u64 end)
{
	bool timer;

	spin_lock_bh(&freeze_lock);
	timer = end && end != LEASE_FOREVER && end != until;
	until = end;
	if (end && ktime_get_boottime_ns() < end) {
		if (holon_frozen_now)
			thaw();
	} else if (!holon_frozen_now) {
		freeze();
	}
	spin_unlock_bh(&freeze_lock);
	/* One that is in the past fires at once. */
	if (timer)
		hrtimer_start(&lease_timer, ns_to_ktime(end), HRTIMER_MODE_ABS_SOFT);
}

void freeze_poll(bool quorum)
{
	u64 now = ktime_get_boottime_ns(), end;

	if (!mship.view)
		return;
	if (!mship.acceptor.accepted.round)
		lease_self(&mship.lease, mship.me.id, now);
	end = lease_end(&mship.lease, mship.view, mship.dead, freeze_lease());
	if (quorum && end > now) {
		if (mship.state == HOLON_NODE_FROZEN) {
			pr_info("view %llu: thawed\n", mship.view->epoch);
			view_event(VIEW_QUORUM);
		}
		set_end(end);
		return;
	}
	set_end(0);
	if (mship.state == HOLON_NODE_MEMBER || mship.state == HOLON_NODE_LEAVING) {
		pr_warn("view %llu: %s, frozen\n", mship.view->epoch,
			quorum ? "the lease has ended" : "no quorum");
		view_event(VIEW_NO_QUORUM);
	}
}

void freeze_out(void)
{
	set_end(0);
}

void freeze_over(void)
{
	spin_lock_bh(&freeze_lock);
	until = 0;
	thaw();
	spin_unlock_bh(&freeze_lock);
}

static int __init freeze_init(void)
{
	hrtimer_init(&lease_timer, CLOCK_BOOTTIME, HRTIMER_MODE_ABS_SOFT);
	lease_timer.function = lease_ended;
	return 0;
}

/* Before the view thread starts. */
subsys_initcall(freeze_init);
