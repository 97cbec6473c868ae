// SPDX-License-Identifier: GPL-2.0-only
/*
 * FLUSH markers: the cut between two views.
 *
 * A marker (epoch, round) travels on the FWD and the RSP lane like any message,
 * and is reached when everything that came before it on its lane has been
 * handled. Replies are handled as they arrive, so on RSP that is at once.
 * Handlers of FWD may sleep: the requests of a node stand in a list by arrival
 * and leave it when their handlers return. A marker sticks to the last request
 * of the list; when that one leaves, to the one before it; and when there is
 * none, it is reached.
 */
#include <linux/holon_view.h>
#include <trace/events/holon.h>

#include "rpc.h"

static DECLARE_WAIT_QUEUE_HEAD(flush_wait);
/* Rounds of this epoch and older ones have ended. */
static atomic64_t aborted_epoch = ATOMIC64_INIT(0);

static int lane_index(enum holon_rank rank)
{
	return rank == HOLON_FWD ? 0 : 1;
}

static void mark_raise(struct rpc_mark *mark, const struct rpc_mark *to)
{
	if (mark->epoch < to->epoch || (mark->epoch == to->epoch && mark->round < to->round))
		*mark = *to;
}

int rpc_receive_flush(struct rpc_node *node, enum holon_rank rank, struct holon_message *message)
{
	const struct holon_wire_flush *wire = (void *)message->data;
	struct rpc_request *last;
	struct rpc_mark mark;

	if ((rank != HOLON_FWD && rank != HOLON_RSP) ||
	    le32_to_cpu(message->frame.length) != sizeof(*wire) || !wire->round) {
		holon_message_free(message);
		return -EPROTO;
	}
	mark.epoch = le64_to_cpu(wire->epoch);
	mark.round = le32_to_cpu(wire->round);
	holon_message_free(message);
	trace_holon_rpc_marker(node->id, rank, mark.epoch, mark.round);

	spin_lock_irq(&node->lock);
	last = list_empty(&node->forwards) ? NULL :
	       list_last_entry(&node->forwards, struct rpc_request, forward);
	if (rank == HOLON_FWD && last)
		mark_raise(&last->mark, &mark);
	else
		mark_raise(&node->reached[lane_index(rank)], &mark);
	spin_unlock_irq(&node->lock);
	wake_up_all(&flush_wait);
	return 0;
}

/* The handler of a request has returned. */
void rpc_forward_done(struct rpc_request *request)
{
	struct rpc_node *node = request->from;
	unsigned long flags;
	bool marked;

	if (request->public.type->rank != HOLON_FWD)
		return;
	spin_lock_irqsave(&node->lock, flags);
	marked = request->mark.epoch;
	if (marked && list_is_first(&request->forward, &node->forwards))
		mark_raise(&node->reached[lane_index(HOLON_FWD)], &request->mark);
	else if (marked)
		mark_raise(&list_prev_entry(request, forward)->mark, &request->mark);
	list_del_init(&request->forward);
	spin_unlock_irqrestore(&node->lock, flags);
	if (marked)
		wake_up_all(&flush_wait);
}

/* The node is no member any more; epochs of another cluster may be lower. */
void rpc_flush_forget(struct rpc_node *node)
{
	struct rpc_request *request;

	spin_lock_irq(&node->lock);
	memset(node->reached, 0, sizeof(node->reached));
	list_for_each_entry(request, &node->forwards, forward)
		memset(&request->mark, 0, sizeof(request->mark));
	spin_unlock_irq(&node->lock);
	wake_up_all(&flush_wait);
}

static bool node_reached(struct rpc_node *node, u64 epoch, unsigned int round)
{
	bool reached = true;
	int i;

	spin_lock_irq(&node->lock);
	for (i = 0; i < ARRAY_SIZE(node->reached); i++) {
		const struct rpc_mark *mark = &node->reached[i];

		if (mark->epoch < epoch || (mark->epoch == epoch && mark->round < round))
			reached = false;
	}
	spin_unlock_irq(&node->lock);
	return reached;
}

static bool all_reached(const struct holon_view *view, unsigned int round)
{
	unsigned long id;

	for_each_set_bit(id, view->members, HOLON_NODE_IDS) {
		struct rpc_node *node = rpc_node_find(id);

		if (!node || !node_reached(node, view->epoch, round))
			return false;
	}
	return true;
}

static void send_marker(u8 id, u64 incarnation, enum holon_rank rank, u64 epoch, unsigned int round)
{
	struct holon_peer_id peer = { .node = id, .incarnation = incarnation };
	struct holon_wire_flush *wire;
	struct holon_message *message;

	/* Everybody waits for it. */
	message = holon_message_alloc(rank, HOLON_RPC_ID_FLUSH, 0, sizeof(*wire),
				      GFP_NOIO | __GFP_NOFAIL);
	wire = (void *)message->data;
	wire->epoch = cpu_to_le64(epoch);
	wire->round = cpu_to_le32(round);
	wire->reserved = 0;
	message->frame.epoch = cpu_to_le64(epoch);
	/* A connection that is down aborts the round by the loss it causes. */
	holon_transport_queue(&peer, message);
}

static bool aborted(u64 epoch)
{
	return (u64)atomic64_read(&aborted_epoch) >= epoch;
}

int holon_rpc_flush(const struct holon_view *view, unsigned int round)
{
	unsigned long id;

	for_each_set_bit(id, view->members, HOLON_NODE_IDS) {
		u64 incarnation = view->incarnation[id];

		send_marker(id, incarnation, HOLON_FWD, view->epoch, round);
		send_marker(id, incarnation, HOLON_RSP, view->epoch, round);
	}
	wait_event_idle(flush_wait, all_reached(view, round) || aborted(view->epoch));
	return aborted(view->epoch) ? -ESTALE : 0;
}

void holon_rpc_flush_abort(u64 epoch)
{
	s64 old = atomic64_read(&aborted_epoch);

	while ((u64)old < epoch && !atomic64_try_cmpxchg(&aborted_epoch, &old, epoch))
		;
	wake_up_all(&flush_wait);
}

/* A view is installed: everything before it has ended, it has not. */
void rpc_flush_install(u64 epoch)
{
	atomic64_set(&aborted_epoch, epoch - 1);
	wake_up_all(&flush_wait);
}
