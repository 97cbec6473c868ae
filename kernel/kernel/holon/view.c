// SPDX-License-Identifier: GPL-2.0-only
/*
 * The installed view, and those who follow it.
 *
 * One writer, the view thread (membership.c); readers use RCU or a reference.
 * "ready" is the part of the view that requests may be sent to: see
 * holon_view_ready().
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/export.h>
#include <linux/holon_view.h>
#include <linux/printk.h>
#include <linux/slab.h>

#include "view.h"

static struct holon_view __rcu *installed;
static DECLARE_BITMAP(ready, HOLON_NODE_IDS);
static bool steady;
static enum holon_node_state own_state;

static struct holon_view_subscriber *subscribers[HOLON_VIEW_PRIOS];
static BLOCKING_NOTIFIER_HEAD(notifiers);

static const char * const state_names[HOLON_NODE_STATES] = {
	[HOLON_NODE_OFF]	= "off",
	[HOLON_NODE_ALONE]	= "alone",
	[HOLON_NODE_JOINING]	= "joining",
	[HOLON_NODE_MEMBER]	= "member",
	[HOLON_NODE_FROZEN]	= "frozen",
	[HOLON_NODE_LEAVING]	= "leaving",
	[HOLON_NODE_GONE]	= "gone",
};

const char *holon_node_state_name(enum holon_node_state state)
{
	return state < HOLON_NODE_STATES ? state_names[state] : "unknown";
}

const struct holon_view *holon_view_rcu(void)
{
	return rcu_dereference(installed);
}

const struct holon_view *holon_view_get(void)
{
	struct holon_view *view;

	rcu_read_lock();
	do {
		view = rcu_dereference(installed);
	} while (view && !refcount_inc_not_zero(&view->ref));
	rcu_read_unlock();
	return view;
}

void holon_view_put(const struct holon_view *view)
{
	struct holon_view *mine = (struct holon_view *)view;

	if (refcount_dec_and_test(&mine->ref))
		kfree_rcu(mine, rcu);
}

u64 holon_view_incarnation(u8 node)
{
	const struct holon_view *view;
	u64 incarnation = 0;

	rcu_read_lock();
	view = rcu_dereference(installed);
	if (view)
		incarnation = view->incarnation[node];
	rcu_read_unlock();
	return incarnation;
}

u64 holon_view_ready(u8 node)
{
	/* Pairs with the barrier in view_publish(). */
	if (!test_bit_acquire(node, ready))
		return 0;
	return holon_view_incarnation(node);
}

u64 holon_view_epoch(void)
{
	const struct holon_view *view;
	u64 epoch = 0;

	rcu_read_lock();
	view = rcu_dereference(installed);
	if (view)
		epoch = view->epoch;
	rcu_read_unlock();
	return epoch;
}

bool holon_view_steady(void)
{
	return READ_ONCE(steady);
}

enum holon_node_state holon_node_state(void)
{
	return READ_ONCE(own_state);
}

void view_set_state(enum holon_node_state state)
{
	WRITE_ONCE(own_state, state);
}

void view_set_steady(bool now)
{
	WRITE_ONCE(steady, now);
}

void view_set_ready(const unsigned long *set)
{
	unsigned int node;

	for (node = 0; node < HOLON_NODE_IDS; node++) {
		if (set && test_bit(node, set))
			set_bit(node, ready);
		else
			clear_bit(node, ready);
	}
}

void view_publish(const struct holon_view *view)
{
	struct holon_view *old, *new = (struct holon_view *)view;

	if (new)
		refcount_inc(&new->ref);
	/* The view thread is the only writer. */
	old = rcu_replace_pointer(installed, new, true);
	/* Who sees a node ready sees the view that it is in. */
	smp_mb();
	if (old)
		holon_view_put(old);
}

void holon_view_subscribe(struct holon_view_subscriber *subscriber)
{
	struct holon_view_subscriber **link;

	if (WARN_ON(subscriber->prio >= HOLON_VIEW_PRIOS))
		return;
	for (link = &subscribers[subscriber->prio]; *link; link = &(*link)->next)
		;
	*link = subscriber;
}

void view_call_lost(const struct holon_view *view, const unsigned long *lost)
{
	struct holon_view_subscriber *s;
	unsigned int prio;

	for (prio = 0; prio < HOLON_VIEW_PRIOS; prio++)
		for (s = subscribers[prio]; s; s = s->next)
			if (s->lost)
				s->lost(view, lost);
}

void view_call_abort(u64 epoch)
{
	struct holon_view_subscriber *s;
	unsigned int prio;

	for (prio = 0; prio < HOLON_VIEW_PRIOS; prio++)
		for (s = subscribers[prio]; s; s = s->next)
			if (s->abort)
				s->abort(epoch);
}

void view_call_step(const struct holon_view *view, enum holon_view_prio prio)
{
	struct holon_view_subscriber *s;
	int err;

	for (s = subscribers[prio]; s; s = s->next) {
		if (!s->step)
			continue;
		err = s->step(view);
		if (err && view->epoch == holon_view_epoch())
			pr_err("view %llu: step of %s failed: %d\n", view->epoch, s->name, err);
	}
}

int holon_view_register_notifier(struct notifier_block *nb)
{
	return blocking_notifier_chain_register(&notifiers, nb);
}

void view_notify(enum holon_view_event event, u8 node)
{
	struct holon_view_notice notice = {
		.state = holon_node_state(),
		.node = node,
	};
	const struct holon_view *view = holon_view_get();

	if (view) {
		notice.epoch = view->epoch;
		notice.count = view->count;
		holon_view_put(view);
	}
	blocking_notifier_call_chain(&notifiers, event, &notice);
}
