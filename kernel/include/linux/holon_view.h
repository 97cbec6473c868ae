/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Membership: the agreed set of nodes, numbered by an epoch.
 */
#ifndef _LINUX_HOLON_VIEW_H
#define _LINUX_HOLON_VIEW_H

#include <linux/bitmap.h>
#include <linux/holon_node.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <linux/uuid.h>

enum holon_node_state {
	HOLON_NODE_OFF,		/* no id configured */
	HOLON_NODE_ALONE,
	HOLON_NODE_JOINING,
	HOLON_NODE_MEMBER,
	HOLON_NODE_FROZEN,	/* lease lost or no quorum */
	HOLON_NODE_LEAVING,
	HOLON_NODE_GONE,
};

/**
 * struct holon_view - one agreed member set; immutable, freed by RCU
 * @epoch: grows by every change, never reused in a cluster
 * @cluster_uuid: made at formation
 * @members: bitmap of node ids
 * @incarnation: of each member, 0 for others
 * @uuid: of each member's machine
 */
struct holon_view {
	u64 epoch;
	uuid_t cluster_uuid;
	unsigned int count;
	DECLARE_BITMAP(members, HOLON_NODE_IDS);
	u64 incarnation[HOLON_NODE_IDS];
	uuid_t uuid[HOLON_NODE_IDS];
	struct rcu_head rcu;
};

/**
 * holon_view_rcu - the installed view
 *
 * Context: inside rcu_read_lock(). Return: NULL while alone.
 */
const struct holon_view *holon_view_rcu(void);

/* Is @node a member, and of which incarnation? 0 when it is none. Any context. */
u64 holon_view_incarnation(u8 node);

/* Epoch of the installed view, 0 while alone. Any context. */
u64 holon_view_epoch(void);

enum holon_node_state holon_node_state(void);

/*
 * Subscribers rebuild their state when the view changes, in the order of
 * @prio, as the cluster-wide barrier STEP/STEP_DONE: on no node does step i
 * begin before step i-1 has ended on all. A step may use RPC among the new
 * members, runs in process context, and must be repeatable: when a further
 * node is lost, @abort is called and everything begins again for the next
 * epoch; views skipped count as the union of their losses.
 */
enum holon_view_prio {
	HOLON_VIEW_RPC,
	HOLON_VIEW_COHERENCE,
	HOLON_VIEW_FILES,
	HOLON_VIEW_PROCESS,
	HOLON_VIEW_SCHEDULER,
	HOLON_VIEW_PRIOS
};

/**
 * struct holon_view_subscriber
 * @prio: place in the order
 * @lost: called when the view is installed, before the wait for markers: nodes
 *	of @lost are gone; wake everything that waits for them. Must not block
 *	on the wire. @view is the new one, or NULL when this node was evicted
 *	or has left (then all nodes are lost)
 * @step: the barrier step; 0 or a negative errno (which is logged)
 * @abort: the step of @epoch was interrupted by a further loss
 */
struct holon_view_subscriber {
	const char *name;
	enum holon_view_prio prio;
	void (*lost)(const struct holon_view *view, const unsigned long *lost);
	int (*step)(const struct holon_view *view);
	void (*abort)(u64 epoch);
	struct holon_view_subscriber *next;
};

/* At initcall time only; never removed. */
void holon_view_subscribe(struct holon_view_subscriber *subscriber);

#endif /* _LINUX_HOLON_VIEW_H */
