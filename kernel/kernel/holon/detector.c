// SPDX-License-Identifier: GPL-2.0-only
/*
 * Heartbeats and suspicion.
 *
 * Every view_hb_ms a heartbeat goes to every node whose lanes are up; any frame
 * that arrives counts as one. A member that was not heard for view_fd_ms is
 * suspected, and no more so when it is heard again; so is one whose heartbeats say
 * that it does not hear us: a link that carries one way only is none. A member whose
 * lanes broke or that has begun a new life is suspected for good (mship.broken).
 *
 * Silence is measured in running time: the clock advances with our own ticks,
 * by no more than two heartbeats per tick. After a stop of this machine (frozen
 * VM, host that was busy elsewhere) time goes on where it was, and after one
 * longer than half of view_fd_ms everybody gets the full time again. What the
 * others sent meanwhile is waiting in the sockets.
 *
 * A heartbeat also carries what heals a lost message: the epoch, how far the
 * barrier is, whom the sender hears; and clock stamps, from which leases are made
 * (lease.c).
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/timekeeping.h>

#include "freeze.h"
#include "membership.h"
#include "view.h"

#ifdef MODULE_PARAM_PREFIX
#undef MODULE_PARAM_PREFIX
#endif
#define MODULE_PARAM_PREFIX "holon."

unsigned int view_hb_ms = 250;
unsigned int view_fd_ms = 3000;

static int hb_param_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_uint_minmax(val, kp, 20, 10000);

	if (!err)
		view_pace();
	return err;
}

static int fd_param_set(const char *val, const struct kernel_param *kp)
{
	return param_set_uint_minmax(val, kp, 200, 600000);
}

static const struct kernel_param_ops hb_ops = { .set = hb_param_set, .get = param_get_uint };
static const struct kernel_param_ops fd_ops = { .set = fd_param_set, .get = param_get_uint };

module_param_cb(hb_ms, &hb_ops, &view_hb_ms, 0644);
MODULE_PARM_DESC(hb_ms, "interval of heartbeats");
module_param_cb(fd_ms, &fd_ops, &view_fd_ms, 0644);
MODULE_PARM_DESC(fd_ms, "silence after which a node is suspected");

static u64 last_tick;

static void restart_all(void)
{
	unsigned int id;

	for (id = 1; id < HOLON_NODE_IDS; id++)
		if (view_nodes[id])
			atomic64_set(&view_nodes[id]->heard, view_now());
}

void detector_tick(void)
{
	u64 now = ktime_get_boottime_ns(), passed;

	passed = last_tick ? div_u64(now - last_tick, NSEC_PER_MSEC) : 0;
	/* Keep the remainder for the next tick. */
	last_tick = last_tick ? last_tick + passed * NSEC_PER_MSEC : now;
	atomic64_add(min_t(u64, passed, 2 * view_hb_ms), &mship.clock);
	if (passed > max(2 * view_hb_ms, view_fd_ms / 2)) {
		pr_info("stopped for %llu ms: giving everybody time again\n", passed);
		restart_all();
	}
}

bool detector_alive(u8 id)
{
	struct view_node *node = view_nodes[id];

	return node && node->up && view_now() - atomic64_read(&node->heard) < view_fd_ms;
}

void detector_hears(unsigned long *set)
{
	unsigned int id;

	bitmap_zero(set, HOLON_NODE_IDS);
	for (id = 1; id < HOLON_NODE_IDS; id++)
		if (id == mship.me.id || detector_alive(id))
			__set_bit(id, set);
}

/* Lanes that are not up yet count as silence since the start. */
static bool lost(u8 id)
{
	struct view_node *node = view_nodes[id];

	return test_bit(id, mship.broken) || !node ||
	       (node->up && node->up_incarnation != mship.basis->incarnation[id]) ||
	       view_now() - atomic64_read(&node->heard) >= view_fd_ms;
}

void detector_suspected(unsigned long *set)
{
	unsigned int id;

	bitmap_zero(set, HOLON_NODE_IDS);
	if (!mship.basis)
		return;
	for_each_set_bit(id, mship.basis->members, HOLON_NODE_IDS)
		if (id != mship.me.id && (lost(id) || view_nodes[id]->deaf))
			__set_bit(id, set);
}

unsigned int detector_rank(void)
{
	unsigned int id, rank = 0;

	/* Who does not hear us is as able to act as we are: it goes first. */
	for_each_set_bit(id, mship.basis->members, mship.me.id)
		if (!lost(id) && !view_nodes[id]->leaver)
			rank++;
	return rank;
}

void detector_beat(void)
{
	DECLARE_BITMAP(hears, HOLON_NODE_IDS);
	unsigned int id;
	u64 now;

	detector_hears(hears);
	now = ktime_get_ns();
	lease_stamp(&mship.lease, now, ktime_get_boottime_ns());
	for (id = 1; id < HOLON_NODE_IDS; id++) {
		struct view_node *node = view_nodes[id];
		struct wire_hb hb = {};

		if (!node || !node->up)
			continue;
		hb.stamp = cpu_to_le64(now);
		if (node->stamp) {
			hb.echo = cpu_to_le64(node->stamp);
			hb.echo_age = cpu_to_le64(now - node->stamp_at);
		}
		hb.state = mship.state;
		hb.expect = mship.expect;
		hb.done = mship.done;
		hb.order = mship.view && mship.coordinator == mship.me.id ? mship.order : 0;
		if (!mship.acceptor.accepted.round)
			hb.flags = WIRE_HB_LENDS;
		hb.lease = cpu_to_le16(div_u64(freeze_lease(), 10 * NSEC_PER_MSEC) + 1);
		wire_bitmap_encode(hb.hears, hears);
		view_send(id, VIEW_MSG_HB, mship.view ? mship.view->epoch : 0,
			  (struct holon_ballot){}, &hb, sizeof(hb), NULL, 0);
	}
}

static void measure(struct view_node *node, const struct wire_hb *hb)
{
	u64 now = ktime_get_ns(), echo = le64_to_cpu(hb->echo);
	u64 rtt = now - echo - le64_to_cpu(hb->echo_age);

	node->stamp = le64_to_cpu(hb->stamp);
	node->stamp_at = now;
	/* The echo is ours, but a liar may have changed it. */
	if (!echo || echo > now || rtt > now - echo)
		return;
	spin_lock(&view_facts_lock);
	/* A smooth value: one late beat in the queue says nothing. */
	node->rtt_ns = node->rtt_ns ? (node->rtt_ns * 7 + rtt) / 8 : rtt;
	node->clock_offset_ns = node->stamp + rtt / 2 - now;
	spin_unlock(&view_facts_lock);
}

void detector_hb(u8 id, const struct view_msg *msg)
{
	struct view_node *node = view_nodes[id];

	measure(node, msg->hb);
	lease_hear(&mship.lease, id, mship.view ? mship.view->epoch : 0, msg->epoch,
		   msg->hb->flags & WIRE_HB_LENDS, le64_to_cpu(msg->hb->echo));
	node->lease_ns = le16_to_cpu(msg->hb->lease) * 10ULL * NSEC_PER_MSEC;
	bitmap_copy(node->hears, msg->hears, HOLON_NODE_IDS);
	spin_lock(&view_facts_lock);
	node->state = msg->hb->state;
	node->expect = msg->hb->expect;
	node->epoch = msg->epoch;
	node->cluster_uuid = msg->cluster_uuid;
	spin_unlock(&view_facts_lock);

	if (!mship.view || !uuid_equal(&msg->cluster_uuid, &mship.view->cluster_uuid))
		return;
	if (msg->epoch == mship.view->epoch) {
		node->deaf = !test_bit(mship.me.id, msg->hears);
		change_progress(id, msg->hb->done, msg->hb->order);
	} else if (msg->epoch < mship.view->epoch) {
		/* It missed the COMMIT; or it was removed and has not heard so. */
		if (mship.view->incarnation[id] == node->up_incarnation)
			view_send(id, VIEW_MSG_COMMIT, mship.view->epoch, (struct holon_ballot){},
				  NULL, 0, mship.view, mship.coordinator);
		else if (msg->epoch)
			view_send(id, VIEW_MSG_EVICTED, mship.view->epoch, (struct holon_ballot){},
				  NULL, 0, mship.view, mship.coordinator);
	}
}
