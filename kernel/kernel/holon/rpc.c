// SPDX-License-Identifier: GPL-2.0-only
/*
 * Remote procedure calls: what comes in, and what a change of the view does.
 *
 *	caller (rpc_call.c)			callee (rpc_serve.c)
 *	waits for credit, makes a record
 *	request, on the lane of its rank ---->	request, work or inline handler
 *						returns a status: replies
 *						or HOLON_DEFER: replies later
 *	record ends			<----	REPLY on HOLON_RSP, exactly one
 *
 *	a signal: CANCEL on the lane of the request, once; a hint
 *	a kill: the record stays, its end goes to orphan()
 *	the callee leaves the view: every record of it ends with -EHOSTDOWN
 *	the caller leaves the view: its deferred requests are cancelled
 *
 * Ranks: CONTROL > RSP > FWD > REQ > BULK. A handler waits only for calls of a
 * higher rank. Each rank has its own connections, its own work queue and its
 * own credit, so that none is held up by a lower one; replies need no credit
 * and no allocation. A caller holds the lockdep map of the rank while it waits,
 * a handler while it runs: lockdep reports a wait for the same or a lower rank,
 * and a lock that is held across a call and taken by its handler.
 *
 * Credit: at most a window of bytes per node and rank is out, counted by the
 * sender. A call's part comes back with its reply, that of one-way messages by
 * CREDIT messages of the receiver. Only callers in task context wait for it.
 *
 * Who is a member: each struct rpc_node has the incarnation of the installed
 * view; a message from any other is dropped. Exception: a sender that has
 * installed the next view before us. Its messages, recognised by their epoch,
 * are kept and handled when we have installed it, too. Among survivors nothing
 * is ever dropped.
 *
 * Locks: rpc_node.lock is the only one. No two are held together, nothing is
 * called under it but the transport's queueing.
 *
 * Files: rpc.c (this), rpc_node.c (nodes, credit), rpc_call.c, rpc_serve.c,
 * rpc_flush.c (markers), rpc_stats.c, rpc_show.c, rpc_fault.c, rpc_forge.c,
 * rpc_bench.c, rpc_stress.c; the credentials of requests are in cred_value.c.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/holon_view.h>
#include <linux/init.h>

#include "rpc.h"

/* A member keeps to its windows, and one-way FWD messages are small. */
#define EARLY_MAX	(32U << 20)

static struct workqueue_struct *queues[HOLON_RANKS];

#ifdef CONFIG_DEBUG_LOCK_ALLOC
static struct lock_class_key rank_keys[HOLON_RANKS];
static struct lockdep_map rank_maps[HOLON_RANKS];
#endif

struct workqueue_struct *rpc_queue(enum holon_rank rank)
{
	return queues[rank];
}

void rpc_rank_acquire(enum holon_rank rank)
{
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	lock_map_acquire(&rank_maps[rank]);
#endif
}

void rpc_rank_release(enum holon_rank rank)
{
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	lock_map_release(&rank_maps[rank]);
#endif
}

/* --- arrival ----------------------------------------------------------------*/

static int receive_credit(struct rpc_node *node, enum holon_rank rank,
			  struct holon_message *message)
{
	const struct holon_wire_credit *credit = (void *)message->data;
	int err = -EPROTO;

	if (rank == HOLON_RSP && le32_to_cpu(message->frame.length) == sizeof(*credit) &&
	    le32_to_cpu(credit->rank) < HOLON_RANKS) {
		rpc_credit_give(node, le32_to_cpu(credit->rank), le32_to_cpu(credit->bytes));
		err = 0;
	}
	holon_message_free(message);
	return err;
}

/* A message of a member. Return: as holon_rpc_receive(). */
static int dispatch(struct rpc_node *node, u64 incarnation, enum holon_rank rank,
		    struct holon_message *message)
{
	switch (le16_to_cpu(message->frame.type)) {
	case HOLON_RPC_ID_REPLY:
		if (rank != HOLON_RSP)
			break;
		return rpc_receive_reply(node, incarnation, message);
	case HOLON_RPC_ID_CANCEL:
		return rpc_receive_cancel(node, incarnation, rank, message);
	case HOLON_RPC_ID_FLUSH:
		return rpc_receive_flush(node, rank, message);
	case HOLON_RPC_ID_CREDIT:
		return receive_credit(node, rank, message);
	default:
		return rpc_receive_request(node, incarnation, rank, message);
	}
	holon_message_free(message);
	return -EPROTO;
}

/*
 * Epoch of the last view of which every member has its incarnation here. It
 * trails rpc_epoch() while a view is being installed: a member whose turn has
 * not come is early, no stranger.
 */
static u64 settled_epoch;

/*
 * The sender is no member of our view, or is one whose early messages are being
 * worked off. Return: true when the message has been disposed of, @err set.
 */
static bool hold_or_drop(struct rpc_node *node, u64 incarnation, struct holon_message *message,
			 int *err)
{
	size_t size = rpc_cost(message);
	bool keep, member;

	*err = 0;
	spin_lock_irq(&node->lock);
	member = node->incarnation == incarnation;
	if (member && !node->replaying) {
		spin_unlock_irq(&node->lock);
		return false;
	}
	keep = member || le64_to_cpu(message->frame.epoch) > READ_ONCE(settled_epoch);
	if (keep && node->early_bytes + size > EARLY_MAX) {
		keep = false;
		*err = -EPROTO;
	}
	if (keep) {
		if (node->early_incarnation != incarnation && !member) {
			/* The life before this one never became a member. */
			struct holon_message *old, *next;

			list_for_each_entry_safe(old, next, &node->early, link)
				holon_message_free(old);
			INIT_LIST_HEAD(&node->early);
			node->early_bytes = 0;
			node->early_incarnation = incarnation;
		}
		list_add_tail(&message->link, &node->early);
		node->early_bytes += size;
	}
	spin_unlock_irq(&node->lock);
	rpc_gauge_add(keep ? HOLON_RPC_EARLY : HOLON_RPC_STRAY, 1);
	if (!keep)
		holon_message_free(message);
	return true;
}

int holon_rpc_receive(const struct holon_peer_id *peer, enum holon_rank rank,
		      struct holon_message *message)
{
	struct rpc_node *node;
	int err;

	node = rpc_node_make(peer->node, GFP_NOIO | __GFP_MEMALLOC);
	if (!node)
		return -ENOMEM;
	if (hold_or_drop(node, peer->incarnation, message, &err))
		return err;
	return dispatch(node, peer->incarnation, rank, message);
}

/* The node has become a member: handle what it sent before we knew. */
static void replay_early(struct rpc_node *node, u64 incarnation)
{
	struct holon_peer_id peer = { .node = node->id, .incarnation = incarnation };
	struct holon_message *message;
	int err;

	for (;;) {
		spin_lock_irq(&node->lock);
		message = list_first_entry_or_null(&node->early, struct holon_message, link);
		if (!message) {
			node->replaying = false;
			spin_unlock_irq(&node->lock);
			return;
		}
		list_del_init(&message->link);
		node->early_bytes -= rpc_cost(message);
		spin_unlock_irq(&node->lock);
		do {
			err = dispatch(node, incarnation, message->frame.rank, message);
		} while (err == -ENOMEM);
		if (err == -EPROTO)
			holon_transport_fail(&peer, "malformed message");
	}
}

/* --- the view ---------------------------------------------------------------*/

static u64 installed_epoch;

u64 rpc_epoch(void)
{
	return READ_ONCE(installed_epoch);
}

static void forget_early(struct rpc_node *node, u64 incarnation)
{
	struct holon_message *message, *next;
	LIST_HEAD(doomed);

	spin_lock_irq(&node->lock);
	if (node->early_incarnation != incarnation) {
		list_splice_init(&node->early, &doomed);
		node->early_bytes = 0;
	}
	spin_unlock_irq(&node->lock);
	list_for_each_entry_safe(message, next, &doomed, link) {
		rpc_gauge_add(HOLON_RPC_STRAY, 1);
		holon_message_free(message);
	}
}

/* A life of the node ends, or none was there: every wait for it ends. */
static void node_lost(struct rpc_node *node)
{
	rpc_node_install(node, 0);
	rpc_flush_forget(node);
	rpc_calls_lost(node);
	rpc_requests_lost(node);
}

/*
 * A view is installed: the lanes of the nodes that left are closed, and what
 * they carried before has been handed up.
 */
void rpc_view_lost(const struct holon_view *view, const unsigned long *lost)
{
	unsigned int id;

	if (!view)
		holon_rpc_flush_abort(rpc_epoch());
	else
		rpc_flush_install(view->epoch);
	WRITE_ONCE(installed_epoch, view ? view->epoch : 0);

	for (id = 1; id < HOLON_NODE_IDS; id++) {
		u64 incarnation = view ? view->incarnation[id] : 0;
		struct rpc_node *node = rpc_node_find(id);

		if (!node && !incarnation)
			continue;
		if (!node)
			node = rpc_node_make(id, GFP_NOIO | __GFP_NOFAIL);
		if (node->incarnation == incarnation)
			continue;
		if (node->incarnation)
			node_lost(node);
		if (incarnation) {
			forget_early(node, incarnation);
			rpc_node_install(node, incarnation);
			replay_early(node, incarnation);
		}
	}
	/* Whoever sees this under a node's lock sees its incarnation, too. */
	WRITE_ONCE(settled_epoch, view ? view->epoch : 0);
}

/* The lanes are closed: what was kept was sent to the life that has ended. */
void holon_rpc_reborn(void)
{
	unsigned int id;

	for (id = 1; id < HOLON_NODE_IDS; id++) {
		struct rpc_node *node = rpc_node_find(id);

		if (node)
			forget_early(node, 0);
	}
}

/* The barrier step: three rounds, the longest chain being three messages. */
static int rpc_view_step(const struct holon_view *view)
{
	unsigned int round;
	int err = 0;

	for (round = 1; round <= 3 && !err; round++)
		err = holon_rpc_flush(view, round);
	return err;
}

static struct holon_view_subscriber rpc_subscriber = {
	.name = "rpc",
	.prio = HOLON_VIEW_RPC,
	.lost = rpc_view_lost,
	.step = rpc_view_step,
	.abort = holon_rpc_flush_abort,
};

static int __init rpc_init(void)
{
	static const char * const names[HOLON_RANKS] = {
		[HOLON_RSP] = "holon_rsp",
		[HOLON_FWD] = "holon_fwd",
		[HOLON_REQ] = "holon_req",
		[HOLON_BULK] = "holon_bulk",
	};
	int rank;

	for (rank = HOLON_RSP; rank < HOLON_RANKS; rank++) {
#ifdef CONFIG_DEBUG_LOCK_ALLOC
		lockdep_init_map(&rank_maps[rank], names[rank], &rank_keys[rank], 0);
#endif
		queues[rank] = alloc_workqueue("%s", WQ_UNBOUND | WQ_MEM_RECLAIM, WQ_MAX_ACTIVE,
					       names[rank]);
		if (!queues[rank])
			return -ENOMEM;
	}
	holon_view_subscribe(&rpc_subscriber);
	return 0;
}
subsys_initcall(rpc_init);
