// SPDX-License-Identifier: GPL-2.0-only
/*
 * RPC, the callee's side: requests, handlers, the one reply.
 *
 * A request has a reference for the run of its handler and one for the reply
 * that is due; whoever replies drops the latter, in whatever context. With
 * HOLON_DEFER the two part: the handler may return long after somebody else has
 * replied. Until the reply the request is in the hash of its caller's node,
 * where a cancel, or the loss of the caller, finds it.
 *
 * The cancel callback of a type runs for deferred requests only. A cancel that
 * comes while the handler still runs is remembered and told when it returns
 * HOLON_DEFER. It may race with the reply: the request stays in memory for it.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/cred.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <trace/events/holon.h>

#include "cred_value.h"
#include "rpc.h"

static void request_put(struct rpc_request *request)
{
	if (!refcount_dec_and_test(&request->ref))
		return;
	if (request->cred)
		put_cred(request->cred);
	holon_message_free(request->reply);
	holon_message_free(request->message);
	kfree(request);
}

static void request_cancel(struct rpc_request *request)
{
	const struct holon_rpc_type *type = request->public.type;

	rpc_count(type, HOLON_RPC_CANCELLED);
	trace_holon_rpc_cancelled(type, request->public.node, request->call, 0);
	if (type->cancel)
		type->cancel(&request->public);
}

/* --- replying ---------------------------------------------------------------*/

int holon_reply_data(struct holon_request *public, const void *data, size_t len)
{
	struct rpc_request *request = container_of(public, struct rpc_request, public);
	struct holon_message *message = request->reply;

	if (len > HOLON_MSG_MAX)
		return -EMSGSIZE;
	if (WARN_ON_ONCE(!message))
		return -EINVAL;
	if (len > RPC_REPLY_ROOM) {
		gfp_t gfp = request->inline_task == current ? GFP_NOWAIT | __GFP_NOWARN : GFP_NOIO;

		message = holon_message_alloc(HOLON_RSP, HOLON_RPC_ID_REPLY, request->call,
					      sizeof(struct holon_wire_reply) + len, gfp);
		if (!message)
			return -ENOMEM;
		holon_message_free(request->reply);
		request->reply = message;
	}
	memcpy(message->data + sizeof(struct holon_wire_reply), data, len);
	request->reply_len = len;
	return 0;
}

static void reply(struct holon_request *public, int status,
		  int (*send)(const struct holon_peer_id *peer, struct holon_message *message))
{
	struct rpc_request *request = container_of(public, struct rpc_request, public);
	struct holon_peer_id to = { .node = public->node, .incarnation = public->incarnation };
	struct holon_wire_reply *wire;
	struct holon_message *message;
	unsigned long flags;

	if (WARN_ONCE(test_and_set_bit(0, &request->replied), "holon: %s replied twice\n",
		      public->type->name))
		return;
	spin_lock_irqsave(&request->from->lock, flags);
	hash_del(&request->hash);
	spin_unlock_irqrestore(&request->from->lock, flags);

	message = request->reply;
	request->reply = NULL;
	wire = (void *)message->data;
	wire->status = cpu_to_le32(status);
	wire->reserved = 0;
	message->frame.length = cpu_to_le32(sizeof(*wire) + request->reply_len);
	message->frame.epoch = cpu_to_le64(rpc_epoch());
	rpc_fault_mutate(public->type, message);
	trace_holon_rpc_reply(public->type, public->node, request->call, status,
			      request->reply_len);
	/* When the caller has left there is nobody to tell. */
	send(&to, message);
	rpc_gauge_add(HOLON_RPC_REQUESTS_OPEN, -1);
	request_put(request);
}

void holon_reply(struct holon_request *public, int status)
{
	reply(public, status, holon_transport_queue);
}

void holon_reply_now(struct holon_request *public, int status)
{
	reply(public, status, holon_transport_push);
}

/* --- running handlers -------------------------------------------------------*/

static int request_handle(struct rpc_request *request)
{
	const struct holon_rpc_type *type = request->public.type;
	const struct cred *saved = NULL;
	int status;

	trace_holon_rpc_handle(type, request->public.node, request->call, request->public.len);
	if (!(type->flags & HOLON_RPC_INLINE))
		rpc_fault_delay(type);
	status = rpc_fault_status(type);
	if (status)
		return status;
	if (request->cred)
		saved = override_creds(request->cred);
	rpc_rank_acquire(type->rank);
	status = type->handler(&request->public);
	rpc_rank_release(type->rank);
	if (request->cred)
		revert_creds(saved);
	return status;
}

/* In the receive work: the handler must not wait, and debug kernels check. */
static int request_handle_inline(struct rpc_request *request)
{
	int status;

	request->inline_task = current;
	non_block_start();
	status = request_handle(request);
	non_block_end();
	return status;
}

/* The handler has put off its reply: tell it of a cancel that came meanwhile. */
static void request_deferred(struct rpc_request *request)
{
	unsigned long flags;
	bool cancelled;

	trace_holon_rpc_defer(request->public.type, request->public.node, request->call, 0);
	spin_lock_irqsave(&request->from->lock, flags);
	request->deferred = true;
	cancelled = request->cancelled && hash_hashed(&request->hash);
	spin_unlock_irqrestore(&request->from->lock, flags);
	if (cancelled)
		request_cancel(request);
}

static void request_run(struct rpc_request *request)
{
	const struct holon_rpc_type *type = request->public.type;
	int status;

	if (type->flags & HOLON_RPC_INLINE)
		status = request_handle_inline(request);
	else
		status = request_handle(request);
	rpc_count(type, HOLON_RPC_HANDLED);
	rpc_forward_done(request);
	if (type->flags & (HOLON_RPC_ONEWAY | HOLON_RPC_LONG))
		rpc_credit_owe(request->from, request->public.incarnation, type->rank,
			       rpc_cost(request->message));
	if (type->flags & HOLON_RPC_ONEWAY)
		rpc_gauge_add(HOLON_RPC_REQUESTS_OPEN, -1);
	else if (status == HOLON_DEFER)
		request_deferred(request);
	else
		holon_reply_now(&request->public, status);
	request_put(request);
}

static void request_work(struct work_struct *work)
{
	request_run(container_of(work, struct rpc_request, work));
}

/* --- arrival ----------------------------------------------------------------*/

/* Does the message fit its type? Return: 0 or -EPROTO. */
static int request_check(const struct holon_rpc_type *type, enum holon_rank rank,
			 const struct holon_message *message)
{
	u16 flags = le16_to_cpu(message->frame.flags);

	if (!type || type->rank != rank)
		return -EPROTO;
	if (!(type->flags & HOLON_RPC_ONEWAY) != !!message->frame.call)
		return -EPROTO;
	if (!(type->flags & HOLON_RPC_CREDS) != !(flags & HOLON_FRAME_CREDS))
		return -EPROTO;
	return 0;
}

static int request_parse(struct rpc_request *request)
{
	struct holon_message *message = request->message;
	size_t len = le32_to_cpu(message->frame.length), used = 0;
	const struct holon_rpc_type *type = request->public.type;

	if (type->flags & HOLON_RPC_CREDS) {
		struct cred *cred = holon_cred_unpack(message->data, len, &used);

		if (IS_ERR(cred))
			return PTR_ERR(cred);
		request->cred = cred;
		request->public.cred = cred;
	}
	request->public.data = message->data + used;
	request->public.len = len - used;
	return request->public.len < type->request_min ? -EPROTO : 0;
}

/* Enter it where cancels find it; a call id that is open twice is malformed. */
static int request_enter(struct rpc_request *request)
{
	struct rpc_node *node = request->from;
	struct rpc_request *other;
	int err = 0;

	spin_lock_irq(&node->lock);
	/* It left since the message was let in: nobody will come to cancel this. */
	if (node->incarnation != request->public.incarnation)
		request->cancelled = true;
	if (request->call) {
		hash_for_each_possible(node->requests, other, hash, request->call) {
			if (other->call == request->call &&
			    other->public.incarnation == request->public.incarnation)
				err = -EPROTO;
		}
		if (!err)
			hash_add(node->requests, &request->hash, request->call);
	}
	if (!err && request->public.type->rank == HOLON_FWD)
		list_add_tail(&request->forward, &node->forwards);
	spin_unlock_irq(&node->lock);
	return err;
}

int rpc_receive_request(struct rpc_node *node, u64 incarnation, enum holon_rank rank,
			struct holon_message *message)
{
	const struct holon_rpc_type *type = rpc_type(le16_to_cpu(message->frame.type));
	gfp_t gfp = rank <= HOLON_FWD ? GFP_NOIO | __GFP_MEMALLOC : GFP_NOIO;
	struct rpc_request *request;
	int err;

	err = request_check(type, rank, message);
	if (err) {
		holon_message_free(message);
		return err;
	}
	request = kzalloc(sizeof(*request), gfp | __GFP_NOWARN);
	if (!request)
		return -ENOMEM;
	request->call = le64_to_cpu(message->frame.call);
	request->from = node;
	request->public.type = type;
	request->public.node = node->id;
	request->public.incarnation = incarnation;
	request->public.epoch = le64_to_cpu(message->frame.epoch);
	INIT_LIST_HEAD(&request->forward);
	INIT_WORK(&request->work, request_work);
	refcount_set(&request->ref, type->flags & HOLON_RPC_ONEWAY ? 1 : 2);
	if (request->call) {
		request->reply = holon_message_alloc(HOLON_RSP, HOLON_RPC_ID_REPLY, request->call,
						     sizeof(struct holon_wire_reply) +
						     RPC_REPLY_ROOM, gfp | __GFP_NOWARN);
		if (!request->reply) {
			kfree(request);
			return -ENOMEM;
		}
	}
	request->message = message;
	err = request_parse(request);
	if (!err)
		err = request_enter(request);
	if (err) {
		if (err == -ENOMEM)
			request->message = NULL;
		refcount_set(&request->ref, 1);
		request_put(request);
		return err;
	}

	rpc_gauge_add(HOLON_RPC_REQUESTS_OPEN, 1);
	rpc_add(type, HOLON_RPC_BYTES_IN, request->public.len);
	trace_holon_rpc_receive(type, node->id, request->call, request->public.len);
	if (rpc_fault_drop(type)) {
		struct holon_peer_id peer = { .node = node->id, .incarnation = incarnation };

		holon_transport_fail(&peer, "fault injection");
	}
	if (type->flags & HOLON_RPC_INLINE)
		request_run(request);
	else
		queue_work(rpc_queue(rank), &request->work);
	return 0;
}

int rpc_receive_cancel(struct rpc_node *node, u64 incarnation, enum holon_rank rank,
		       struct holon_message *message)
{
	u64 call = le64_to_cpu(message->frame.call);
	struct rpc_request *request, *found = NULL;
	bool tell = false;
	int err = 0;

	if (message->frame.length || !call)
		err = -EPROTO;
	holon_message_free(message);
	if (err)
		return err;
	spin_lock_irq(&node->lock);
	hash_for_each_possible(node->requests, request, hash, call) {
		if (request->call == call && request->public.incarnation == incarnation)
			found = request;
	}
	/* It may have been replied to: the cancel crossed the reply. */
	if (found && found->public.type->rank != rank)
		err = -EPROTO;
	if (found && !err && !found->cancelled) {
		found->cancelled = true;
		tell = found->deferred;
		if (tell)
			refcount_inc(&found->ref);
	}
	spin_unlock_irq(&node->lock);
	if (tell) {
		request_cancel(found);
		request_put(found);
	}
	return err;
}

/* The node has left: what it asked for and nobody has answered is cancelled. */
void rpc_requests_lost(struct rpc_node *node)
{
	struct rpc_request *request, *found;
	int bucket;

	do {
		found = NULL;
		spin_lock_irq(&node->lock);
		hash_for_each(node->requests, bucket, request, hash) {
			if (request->cancelled)
				continue;
			request->cancelled = true;
			if (!request->deferred)
				continue;
			found = request;
			refcount_inc(&found->ref);
			break;
		}
		spin_unlock_irq(&node->lock);
		if (found) {
			request_cancel(found);
			request_put(found);
		}
	} while (found);
}
