/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Membership: the agreed set of nodes, numbered by an epoch.
 */
#ifndef _LINUX_HOLON_VIEW_H
#define _LINUX_HOLON_VIEW_H

#include <linux/bitmap.h>
#include <linux/holon_node.h>
#include <linux/notifier.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/socket.h>
#include <linux/types.h>
#include <linux/uuid.h>

struct netlink_ext_ack;

enum holon_node_state {
	HOLON_NODE_OFF,		/* no id configured, or not heard of */
	HOLON_NODE_ALONE,
	HOLON_NODE_JOINING,	/* or forming a cluster */
	HOLON_NODE_MEMBER,
	HOLON_NODE_FROZEN,	/* lease lost or no quorum: cluster tasks stand still */
	HOLON_NODE_LEAVING,
	HOLON_NODE_GONE,
	HOLON_NODE_STATES
};

/**
 * struct holon_view - one agreed member set; immutable, freed by RCU
 * @ref: of the membership code; others use RCU or holon_view_get()
 * @rcu: for the last reference
 * @epoch: grows by every change, never reused in a cluster
 * @cluster_uuid: made at formation
 * @evicted: the administrator has put this node out on the way to this view,
 *	0: nobody
 * @count: number of members
 * @members: bitmap of node ids
 * @incarnation: of each member, 0 for others
 * @uuid: of each member's machine
 */
struct holon_view {
	refcount_t ref;
	struct rcu_head rcu;	/* kfree_rcu() wants it near the beginning */
	u64 epoch;
	uuid_t cluster_uuid;
	u8 evicted;
	unsigned int count;
	DECLARE_BITMAP(members, HOLON_NODE_IDS);
	u64 incarnation[HOLON_NODE_IDS];
	uuid_t uuid[HOLON_NODE_IDS];
};

/**
 * holon_view_rcu - the installed view
 *
 * Context: inside rcu_read_lock(). Return: NULL while alone.
 */
const struct holon_view *holon_view_rcu(void);

/**
 * holon_view_get - the installed view with a reference
 *
 * Context: any. Return: NULL while alone; give back with holon_view_put().
 */
const struct holon_view *holon_view_get(void);
void holon_view_put(const struct holon_view *view);

/* Is @node a member, and of which incarnation? 0 when it is none. Any context. */
u64 holon_view_incarnation(u8 node);

/**
 * holon_view_ready - may requests be sent to this member?
 * @node: id
 *
 * A member that has just joined refuses what comes from nodes it does not know
 * as members, and it knows them when it has installed its first view. So it is
 * ready when every member has said that it installed the view (that is before
 * the first barrier step); members that were in the view before are always ready.
 *
 * Context: any. Return: its incarnation, or 0.
 */
u64 holon_view_ready(u8 node);

/* Epoch of the installed view, 0 while alone. Any context. */
u64 holon_view_epoch(void);

/**
 * holon_view_fenced - has a life of a node certainly stopped acting?
 * @node: id
 * @incarnation: of the life, which was in a view of this node
 *
 * A life that is not in the view any more may still be running: it is refused
 * everywhere, but does not know, perhaps. Whoever takes over what it did alone
 * (restarts its tasks from a checkpoint, takes its address, writes where it wrote)
 * waits until this is true. It becomes true when its lease is over, at once when
 * the fence command or a later life of its machine says so (fence.c);
 * HOLON_VIEW_EVENT_FENCED tells. Then none of its guests and deputies runs, apart
 * from a system call that it was in the kernel for.
 *
 * Not covered: a virtual machine whose host stops it with its clock, which goes on
 * with what was left of its lease, until it notices that its connections are closed;
 * holon.fence= covers that too.
 *
 * Context: any. Return: true when it is certain; false also for a member, and for
 * a life that was never heard of.
 */
bool holon_view_fenced(u8 node, u64 incarnation);

/* Has the installed view been resumed, and no change of it begun? Any context. */
bool holon_view_steady(void);

enum holon_node_state holon_node_state(void);

/* Lower-case name of a state, as user space sees it. */
const char *holon_node_state_name(enum holon_node_state state);

/*
 * Subscribers rebuild their state when the view changes, in the order of
 * @prio, as the cluster-wide barrier STEP/STEP_DONE: on no node does step i
 * begin before step i-1 has ended on all, and the first begins when the view is
 * installed on all. A step may use RPC among the new members, runs in process
 * context, and must be repeatable: when a further node is lost, @abort is
 * called and everything begins again for the next epoch; views skipped count as
 * the union of their losses.
 *
 * The step of HOLON_VIEW_RPC is the exchange of FLUSH markers: it sends them to
 * all members and returns when the last round of all of them has been handled.
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
 * struct holon_view_subscriber - what rebuilds its state when the view changes
 * @name: for the log
 * @prio: place in the order
 * @lost: called when the view is installed, before the first step: nodes of
 *	@lost are gone (their lanes are closed and their incarnations refused);
 *	wake everything that waits for them. Must not block on the wire. @view
 *	is the new one, or NULL when this node was evicted or has left (then
 *	all others are lost). Called for every installed view, also when @lost
 *	is empty
 * @step: the barrier step; 0 or a negative errno (which is logged)
 * @abort: the barrier of @epoch will not be finished, because a newer view is
 *	there. Called after @lost of the newer one; a step of @epoch that still
 *	runs must end soon, and the next epoch's begins only when it has
 * @next: list of view.c
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

/*
 * For user space.
 */

enum holon_view_event {
	HOLON_VIEW_EVENT_STATE,		/* the state of this node changed */
	HOLON_VIEW_EVENT_INSTALLED,	/* a view was installed; cluster work is held */
	HOLON_VIEW_EVENT_RESUMED,	/* the barrier of that view has ended */
	HOLON_VIEW_EVENT_REFUSED,	/* a node refused us, or we refused it: .node */
	HOLON_VIEW_EVENT_FENCED,	/* the life removed last does not act: .node */
};

/**
 * struct holon_view_notice - data of the notifier
 * @epoch: of the installed view, 0 when there is none
 * @count: its number of members
 * @state: of this node
 * @node: with HOLON_VIEW_EVENT_REFUSED and _FENCED, whom it is about
 */
struct holon_view_notice {
	u64 epoch;
	unsigned int count;
	enum holon_node_state state;
	u8 node;
};

/*
 * A blocking notifier chain; the action is an enum holon_view_event, the data a
 * struct holon_view_notice. Runs on the view thread: must not wait for it.
 */
int holon_view_register_notifier(struct notifier_block *nb);

#define HOLON_REASON_MAX	96
#define HOLON_FENCE_MAX		32

/**
 * struct holon_node_info - what this node knows about a node
 * @id: node id
 * @uuid: of its machine
 * @incarnation: the life that was heard last
 * @state: this node's own state, or what the other one said last; OFF when it
 *	was never heard
 * @addr: where its hello came from; family 0 when unknown
 * @member: is it in the installed view
 * @connected: are all lanes up
 * @self: is it this node
 * @epoch: the last one it said
 * @heard_ms: age of the last message, U32_MAX when never
 * @rtt_us: round trip of a heartbeat, 0 when unknown
 * @clock_offset_ns: its CLOCK_MONOTONIC minus ours, good to half a round trip
 * @refused: last reason why it refused us or we refused it, or empty
 * @removed: life that was removed from our view last, 0: none
 * @fenced: it does not act any more
 * @fence: what became of the last fence command, or empty
 */
struct holon_node_info {
	u8 id;
	bool member, connected, self, fenced;
	uuid_t uuid;
	u64 incarnation;
	u64 epoch;
	enum holon_node_state state;
	struct sockaddr_storage addr;
	u32 heard_ms;
	u32 rtt_us;
	s64 clock_offset_ns;
	u64 removed;
	char refused[HOLON_REASON_MAX];
	char fence[HOLON_FENCE_MAX];
};

/**
 * holon_node_info - facts about one node
 * @node: id; that of this node is legal
 * @info: filled in
 *
 * Context: any. Return: 0, or -ENOENT when nothing is known about it.
 */
int holon_node_info(u8 node, struct holon_node_info *info);

/**
 * holon_node_next - iterate over the nodes that are known
 * @node: 0 to begin
 *
 * Return: the next higher known id, 0 at the end.
 */
u8 holon_node_next(u8 node);

/**
 * struct holon_cluster_info - facts about the cluster
 * @name: as configured, may be empty
 * @uuid: null while alone
 * @epoch: of the installed view, 0 while alone
 * @members: bitmap
 * @count: number of members
 * @coordinator: who leads the barrier of this view, 0 while alone
 * @state: of this node
 * @steady: resumed, and no change begun
 * @hb_ms: interval of heartbeats
 * @fd_ms: silence after which a node is suspected
 * @lease_ms: how long this node acts without a sign of life of a quorum
 * @quorum: what is needed to go on, "majority" or "one"
 * @survives: members of whom any single one may be lost, and the rest goes on
 */
struct holon_cluster_info {
	char name[HOLON_CLUSTER_NAME_MAX];
	uuid_t uuid;
	u64 epoch;
	DECLARE_BITMAP(members, HOLON_NODE_IDS);
	unsigned int count;
	u8 coordinator;
	enum holon_node_state state;
	bool steady;
	unsigned int hb_ms, fd_ms, lease_ms;
	const char *quorum;
	DECLARE_BITMAP(survives, HOLON_NODE_IDS);
};

void holon_cluster_info(struct holon_cluster_info *info);

/**
 * holon_cluster_create - found a cluster with this node as its only member
 * @name: of the cluster; NULL takes holon.cluster=
 * @extack: gets a sentence on failure; may be NULL
 *
 * Waits killably until the first view has been resumed.
 *
 * Context: process context, no locks.
 * Return: 0; -EBUSY when in a cluster or on the way into one; -EINVAL without
 *	id or name; -ENOKEY, -EADDRNOTAVAIL from the transport; -EINTR.
 */
int holon_cluster_create(const char *name, struct netlink_ext_ack *extack);

/**
 * holon_cluster_join - join the cluster of a name
 * @name: NULL takes holon.cluster=
 * @extack: gets a sentence on failure; may be NULL
 *
 * Waits killably until this node is a member, or a member refused it, or no
 * member was heard for a while. A node that was refused keeps trying.
 *
 * Context: process context, no locks.
 * Return: 0; -EBUSY when in a cluster already; -EINVAL; -ECONNREFUSED;
 *	-ENETUNREACH; -ENOKEY, -EADDRNOTAVAIL from the transport; -EINTR.
 */
int holon_cluster_join(const char *name, struct netlink_ext_ack *extack);

/**
 * holon_cluster_leave - leave the cluster
 * @force: leave also when the others cannot agree to it: this node forgets the
 *	cluster on its own, and the others find it dead
 * @extack: gets a sentence on failure; may be NULL
 *
 * Waits killably until this node is alone. It does not join again by itself.
 *
 * Context: process context, no locks.
 * Return: 0; -ENOTCONN when in no cluster; -EBUSY when there is no quorum and
 *	@force is not given; -EINTR.
 */
int holon_cluster_leave(bool force, struct netlink_ext_ack *extack);

/**
 * holon_node_evict - put a member out of the cluster
 * @node: id
 * @extack: gets a sentence on failure; may be NULL
 *
 * Waits killably until the view without it is in force. It ends what it has of the
 * cluster, and does not join again by itself. One that cannot be told so, because
 * it is not reached, does join when it is.
 *
 * Context: process context, no locks.
 * Return: 0; -ENOTCONN when in no cluster; -ENOENT when @node is no member; -EINVAL
 *	for this node itself; -EBUSY when there is no quorum, or would be none
 *	without it; -ENOMEM; -EINTR.
 */
int holon_node_evict(u8 node, struct netlink_ext_ack *extack);

#endif /* _LINUX_HOLON_VIEW_H */
