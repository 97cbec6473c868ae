// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nodes as RPC sees them, and the credit that bounds what is sent to each.
 */
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <trace/events/holon.h>

#include "rpc.h"

/*
 * Bytes out to one node. A message may go when there is any credit left, so one
 * that is larger than the window does not wait for ever.
 */
static const s64 windows[HOLON_RANKS] = {
	[HOLON_FWD] = 1 << 20,
	[HOLON_REQ] = 4 << 20,
	[HOLON_BULK] = 8 << 20,
};

/* Made once, never freed: looked up without a lock. */
static struct rpc_node *nodes[HOLON_NODE_IDS];

static void credit_work_fn(struct work_struct *work);

struct rpc_node *rpc_node_find(u8 id)
{
	/* Pairs with the cmpxchg() that publishes it. */
	return smp_load_acquire(&nodes[id]);
}

struct rpc_node *rpc_node_make(u8 id, gfp_t gfp)
{
	struct rpc_node *node = rpc_node_find(id);

	if (node)
		return node;
	node = kzalloc(sizeof(*node), gfp);
	if (!node)
		return NULL;
	node->id = id;
	spin_lock_init(&node->lock);
	hash_init(node->calls);
	hash_init(node->requests);
	init_waitqueue_head(&node->credit_wait);
	INIT_WORK(&node->credit_work, credit_work_fn);
	INIT_LIST_HEAD(&node->forwards);
	INIT_LIST_HEAD(&node->early);
	if (cmpxchg(&nodes[id], NULL, node)) {
		kfree(node);
		node = rpc_node_find(id);
	}
	return node;
}

/* Begin to talk to an incarnation, or with 0 to nobody. */
void rpc_node_install(struct rpc_node *node, u64 incarnation)
{
	spin_lock_irq(&node->lock);
	node->incarnation = incarnation;
	memcpy(node->credit, windows, sizeof(windows));
	memset(node->owed, 0, sizeof(node->owed));
	node->replaying = incarnation && !list_empty(&node->early);
	spin_unlock_irq(&node->lock);
	wake_up_all(&node->credit_wait);
}

size_t rpc_cost(const struct holon_message *message)
{
	return sizeof(message->frame) + le32_to_cpu(message->frame.length);
}

/**
 * rpc_credit_take - take credit if there is some
 * @node: to whom
 * @rank: of the message
 * @cost: its bytes
 * @beyond: take it also when there is none
 *
 * Return: 1 taken, 0 there is none, -EHOSTDOWN.
 */
int rpc_credit_take(struct rpc_node *node, enum holon_rank rank, size_t cost, bool beyond)
{
	unsigned long flags;
	int taken = 1;

	spin_lock_irqsave(&node->lock, flags);
	if (!node->incarnation)
		taken = -EHOSTDOWN;
	else if (windows[rank] && node->credit[rank] <= 0 && !beyond)
		taken = 0;
	else
		node->credit[rank] -= cost;
	spin_unlock_irqrestore(&node->lock, flags);
	return taken;
}

/* Wait for credit, killably, and take it. 0, -EHOSTDOWN or -EINTR. */
int rpc_credit_wait(struct rpc_node *node, const struct holon_rpc_type *type, size_t cost)
{
	int taken = rpc_credit_take(node, type->rank, cost, false);
	DEFINE_WAIT(wait);

	if (!taken) {
		rpc_count(type, HOLON_RPC_CREDIT_WAITS);
		trace_holon_rpc_credit_wait(type, node->id, 0, cost);
	}
	while (!taken) {
		prepare_to_wait(&node->credit_wait, &wait, TASK_KILLABLE);
		taken = rpc_credit_take(node, type->rank, cost, false);
		if (!taken && fatal_signal_pending(current))
			taken = -EINTR;
		if (!taken)
			schedule();
	}
	finish_wait(&node->credit_wait, &wait);
	return min(taken, 0);
}

void rpc_credit_give(struct rpc_node *node, enum holon_rank rank, size_t cost)
{
	unsigned long flags;
	bool wake;

	spin_lock_irqsave(&node->lock, flags);
	node->credit[rank] = min(node->credit[rank] + (s64)cost, windows[rank]);
	wake = node->credit[rank] > 0;
	spin_unlock_irqrestore(&node->lock, flags);
	if (wake && wq_has_sleeper(&node->credit_wait))
		wake_up_all(&node->credit_wait);
}

static void credit_work_fn(struct work_struct *work)
{
	struct rpc_node *node = container_of(work, struct rpc_node, credit_work);
	struct holon_peer_id peer = { .node = node->id };
	int rank;

	for (rank = HOLON_FWD; rank < HOLON_RANKS; rank++) {
		struct holon_wire_credit *credit;
		struct holon_message *message;
		u32 bytes;

		message = holon_message_alloc(HOLON_RSP, HOLON_RPC_ID_CREDIT, 0, sizeof(*credit),
					      GFP_NOIO | __GFP_NOFAIL);
		spin_lock_irq(&node->lock);
		bytes = node->owed[rank];
		node->owed[rank] = 0;
		peer.incarnation = node->incarnation;
		spin_unlock_irq(&node->lock);
		if (!bytes) {
			holon_message_free(message);
			continue;
		}
		credit = (void *)message->data;
		credit->rank = cpu_to_le32(rank);
		credit->bytes = cpu_to_le32(bytes);
		message->frame.epoch = cpu_to_le64(rpc_epoch());
		holon_transport_queue(&peer, message);
	}
}

/* A one-way message has been handled: give its credit back, some at a time. */
void rpc_credit_owe(struct rpc_node *node, u64 incarnation, enum holon_rank rank, size_t cost)
{
	unsigned long flags;
	bool give;

	if (!windows[rank])
		return;
	spin_lock_irqsave(&node->lock, flags);
	if (node->incarnation == incarnation)
		node->owed[rank] += cost;
	give = node->owed[rank] >= windows[rank] / 4;
	spin_unlock_irqrestore(&node->lock, flags);
	if (give)
		queue_work(rpc_queue(HOLON_RSP), &node->credit_work);
}
