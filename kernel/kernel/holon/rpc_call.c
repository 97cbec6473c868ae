// SPDX-License-Identifier: GPL-2.0-only
/*
 * RPC, the caller's side: calls, one-way messages, cancel and orphans.
 *
 * A record is in the hash of its node from before the request is queued until
 * it ends. Whoever takes it out, under the node's lock, ends it: the reply, or
 * the loss of the node. A caller that is killed marks it as an orphan under the
 * same lock and leaves; if it finds the record gone it has a result to take.
 *
 * A request that cannot be queued because a connection is down ends as any
 * other, by the view change that this causes: an early -EHOSTDOWN would tell
 * the caller of a loss that has not been agreed on.
 */
#include <linux/atomic.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/holon_view.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <trace/events/holon.h>

#include "cred_value.h"
#include "rpc.h"

static atomic64_t next_call = ATOMIC64_INIT(0);

static size_t vec_len(const struct holon_vec *vec, unsigned int nvec)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < nvec; i++)
		len += min_t(size_t, vec[i].len, HOLON_MSG_MAX + 1);
	return len;
}

/**
 * message_make - put a request together
 * @type: what
 * @call: id or 0
 * @vec: pieces
 * @nvec: their number
 * @gfp: how to allocate
 *
 * Return: the message, or -EMSGSIZE, -ENOMEM.
 */
static struct holon_message *message_make(const struct holon_rpc_type *type, u64 call,
					  const struct holon_vec *vec, unsigned int nvec,
					  gfp_t gfp)
{
	size_t len = vec_len(vec, nvec), at = 0;
	struct holon_message *message;
	unsigned int i;

	if (len > HOLON_MSG_MAX)
		return ERR_PTR(-EMSGSIZE);
	if (type->flags & HOLON_RPC_CREDS)
		at = holon_cred_size(current_cred());
	message = holon_message_alloc(type->rank, type->id, call, at + len, gfp);
	if (!message)
		return ERR_PTR(-ENOMEM);
	if (type->flags & HOLON_RPC_CREDS) {
		holon_cred_pack(message->data, current_cred());
		message->frame.flags = cpu_to_le16(HOLON_FRAME_CREDS);
	}
	for (i = 0; i < nvec; i++) {
		memcpy(message->data + at, vec[i].base, vec[i].len);
		at += vec[i].len;
	}
	rpc_fault_mutate(type, message);
	return message;
}

static void message_push(struct rpc_node *node, u64 incarnation, struct holon_message *message)
{
	struct holon_peer_id peer = { .node = node->id, .incarnation = incarnation };

	message->frame.epoch = cpu_to_le64(rpc_epoch());
	holon_transport_push(&peer, message);
}

/* --- the end of a record ----------------------------------------------------*/

static void call_free(struct rpc_call *call)
{
	holon_message_free(call->reply);
	kfree(call);
}

static const void *reply_data(const struct rpc_call *call, size_t *len)
{
	*len = 0;
	if (!call->reply)
		return NULL;
	*len = le32_to_cpu(call->reply->frame.length) - sizeof(struct holon_wire_reply);
	return call->reply->data + sizeof(struct holon_wire_reply);
}

static void orphan_work(struct work_struct *work)
{
	struct rpc_call *call = container_of(work, struct rpc_call, work);
	const void *data;
	size_t len;

	data = reply_data(call, &len);
	if (call->type->orphan)
		call->type->orphan(call->node->id, call->status, data, len);
	call_free(call);
}

/* @call has been taken out of the hash by us. */
static void call_end(struct rpc_call *call, bool orphaned, int status,
		     struct holon_message *reply)
{
	struct rpc_node *node = call->node;
	size_t len;

	call->status = status;
	call->reply = reply;
	if (!(call->type->flags & HOLON_RPC_LONG))
		rpc_credit_give(node, call->type->rank, call->cost);
	rpc_gauge_add(HOLON_RPC_CALLS_OPEN, -1);
	if (!reply)
		rpc_count(call->type, HOLON_RPC_HOSTDOWN);
	else
		rpc_count(call->type, status < 0 ? HOLON_RPC_ERRORS : HOLON_RPC_REPLIES);
	if (reply)
		rpc_latency(call->type, call->start);
	reply_data(call, &len);
	trace_holon_rpc_end(call->type, node->id, call->id, status, len);
	if (orphaned)
		queue_work(system_unbound_wq, &call->work);
	else
		complete(&call->done);
}

static struct rpc_call *call_find(struct rpc_node *node, u64 id)
{
	struct rpc_call *call;

	lockdep_assert_held(&node->lock);
	hash_for_each_possible(node->calls, call, hash, id) {
		if (call->id == id)
			return call;
	}
	return NULL;
}

int rpc_receive_reply(struct rpc_node *node, u64 incarnation, struct holon_message *message)
{
	const struct holon_wire_reply *wire = (void *)message->data;
	struct rpc_call *call = NULL;
	bool orphaned = false, member = true;
	int status = 0;

	if (le32_to_cpu(message->frame.length) >= sizeof(*wire)) {
		status = (int)le32_to_cpu(wire->status);
		spin_lock_irq(&node->lock);
		member = node->incarnation == incarnation;
		call = call_find(node, le64_to_cpu(message->frame.call));
		if (call) {
			hash_del(&call->hash);
			orphaned = call->orphaned;
		}
		spin_unlock_irq(&node->lock);
	}
	/*
	 * One reply per call: one too many is as wrong as a short one. But of a
	 * node that has just left the calls have ended.
	 */
	if (!call) {
		bool wrong = member && !rpc_forged(le64_to_cpu(message->frame.call));

		holon_message_free(message);
		return wrong ? -EPROTO : 0;
	}
	call_end(call, orphaned, max(status, -MAX_ERRNO), message);
	return 0;
}

void rpc_calls_lost(struct rpc_node *node)
{
	struct rpc_call *call;
	bool orphaned;
	int bucket;

	for (;;) {
		struct rpc_call *found = NULL;

		spin_lock_irq(&node->lock);
		hash_for_each(node->calls, bucket, call, hash) {
			found = call;
			break;
		}
		if (found) {
			hash_del(&found->hash);
			orphaned = found->orphaned;
		}
		spin_unlock_irq(&node->lock);
		if (!found)
			return;
		call_end(found, orphaned, -EHOSTDOWN, NULL);
	}
}

/* --- calling ----------------------------------------------------------------*/

/**
 * call_begin - wait for credit and send a request
 * @id: callee
 * @type: what
 * @vec: pieces
 * @nvec: their number
 *
 * Return: the record, or an error: the call has ended.
 */
static struct rpc_call *call_begin(u8 id, const struct holon_rpc_type *type,
				   const struct holon_vec *vec, unsigned int nvec)
{
	struct rpc_node *node = rpc_node_find(id);
	struct holon_message *message;
	struct rpc_call *call;
	u64 incarnation;
	int err;

	rpc_count(type, HOLON_RPC_CALLS);
	if (!node) {
		rpc_count(type, HOLON_RPC_HOSTDOWN);
		return ERR_PTR(-EHOSTDOWN);
	}
	call = kzalloc(sizeof(*call), GFP_NOIO);
	if (!call) {
		rpc_count(type, HOLON_RPC_REFUSED);
		return ERR_PTR(-ENOMEM);
	}
	call->id = atomic64_inc_return(&next_call);
	call->node = node;
	call->type = type;
	call->start = ktime_get();
	init_completion(&call->done);
	INIT_WORK(&call->work, orphan_work);
	message = message_make(type, call->id, vec, nvec, GFP_NOIO);
	if (IS_ERR(message)) {
		err = PTR_ERR(message);
		goto refused;
	}
	call->cost = rpc_cost(message);

	err = rpc_credit_wait(node, type, call->cost);
	if (err)
		goto free_message;
	spin_lock_irq(&node->lock);
	incarnation = node->incarnation;
	if (incarnation)
		hash_add(node->calls, &call->hash, call->id);
	spin_unlock_irq(&node->lock);
	if (!incarnation) {
		err = -EHOSTDOWN;
		goto free_message;
	}
	rpc_gauge_add(HOLON_RPC_CALLS_OPEN, 1);
	rpc_add(type, HOLON_RPC_BYTES_OUT, le32_to_cpu(message->frame.length));
	trace_holon_rpc_call(type, id, call->id, le32_to_cpu(message->frame.length));
	message_push(node, incarnation, message);
	return call;

free_message:
	holon_message_free(message);
refused:
	rpc_count(type, err == -EHOSTDOWN ? HOLON_RPC_HOSTDOWN : HOLON_RPC_REFUSED);
	kfree(call);
	return ERR_PTR(err);
}

/* Tell the callee that nobody cares any more; a hint. */
static void call_cancel(struct rpc_call *call)
{
	struct rpc_node *node = call->node;
	struct holon_message *message;
	u64 incarnation;

	if (completion_done(&call->done))
		return;
	/* Without it the caller would wait for a call that nobody breaks off. */
	message = holon_message_alloc(call->type->rank, HOLON_RPC_ID_CANCEL, call->id, 0,
				      GFP_NOIO | __GFP_NOFAIL);
	spin_lock_irq(&node->lock);
	incarnation = node->incarnation;
	spin_unlock_irq(&node->lock);
	rpc_count(call->type, HOLON_RPC_CANCELS);
	trace_holon_rpc_cancel(call->type, node->id, call->id, 0);
	message_push(node, incarnation, message);
}

/* The caller was killed. Return: false when the call has ended meanwhile. */
static bool call_orphan(struct rpc_call *call)
{
	struct rpc_node *node = call->node;
	bool open;

	spin_lock_irq(&node->lock);
	open = hash_hashed(&call->hash);
	if (open) {
		call->orphaned = true;
		/* Under the lock: afterwards the record is not ours. */
		rpc_count(call->type, HOLON_RPC_ORPHANED);
		trace_holon_rpc_orphan(call->type, node->id, call->id, 0);
	}
	spin_unlock_irq(&node->lock);
	return open;
}

/*
 * Wait for the end of a call. A signal cancels it once and goes on waiting; a
 * kill leaves it. Return: 0, or -EINTR: the record is gone.
 */
static int call_wait(struct rpc_call *call)
{
	int err;

	err = wait_for_completion_interruptible(&call->done);
	if (!err)
		return 0;
	call_cancel(call);
	err = wait_for_completion_killable(&call->done);
	if (!err)
		return 0;
	if (call_orphan(call))
		return -EINTR;
	/* Whoever ended it is about to say so. */
	wait_for_completion(&call->done);
	return 0;
}

int holon_call(u8 node, const struct holon_rpc_type *type, const struct holon_vec *vec,
	       unsigned int nvec, struct holon_reply *reply)
{
	struct rpc_call *call;
	int status;

	might_sleep();
	if (reply)
		*reply = (struct holon_reply){};
	if (WARN_ON_ONCE(type->flags & HOLON_RPC_ONEWAY))
		return -EINVAL;
	rpc_rank_acquire(type->rank);
	call = call_begin(node, type, vec, nvec);
	status = PTR_ERR_OR_ZERO(call);
	if (!status)
		status = call_wait(call);
	rpc_rank_release(type->rank);
	if (status)
		return status;

	status = call->status;
	if (reply && call->reply) {
		reply->data = (void *)reply_data(call, &reply->len);
		call->reply = NULL;
	}
	call_free(call);
	return status;
}

void holon_reply_free(struct holon_reply *reply)
{
	if (reply->data)
		holon_message_free(container_of(reply->data - sizeof(struct holon_wire_reply),
						struct holon_message, data));
	*reply = (struct holon_reply){};
}

/* All of them are sent before the first one is waited for. */
int holon_call_many(const unsigned long *nodes, u64 epoch, const struct holon_rpc_type *type,
		    const struct holon_vec *vec, unsigned int nvec,
		    void (*each)(u8 node, int status, const void *data, size_t len, void *arg),
		    void *arg)
{
	unsigned int count = bitmap_weight(nodes, HOLON_NODE_IDS), i = 0, n;
	struct rpc_call **calls;
	unsigned long id;
	int err = 0;

	might_sleep();
	if (WARN_ON_ONCE(type->flags & HOLON_RPC_ONEWAY))
		return -EINVAL;
	if (holon_view_epoch() != epoch)
		return -ESTALE;
	calls = kcalloc(count, sizeof(*calls), GFP_NOIO);
	if (!calls)
		return -ENOMEM;
	rpc_rank_acquire(type->rank);
	for_each_set_bit(id, nodes, HOLON_NODE_IDS) {
		calls[i] = call_begin(id, type, vec, nvec);
		if (calls[i] == ERR_PTR(-EINTR))
			err = -EINTR;
		i++;
	}
	/* Killed: those that were sent become orphans one by one. */
	for (n = 0; n < count; n++) {
		if (!IS_ERR(calls[n]) && call_wait(calls[n])) {
			calls[n] = ERR_PTR(-EINTR);
			err = -EINTR;
		}
	}
	rpc_rank_release(type->rank);

	i = 0;
	for_each_set_bit(id, nodes, HOLON_NODE_IDS) {
		struct rpc_call *call = calls[i++];
		const void *data;
		size_t len;

		if (IS_ERR(call)) {
			each(id, PTR_ERR(call), NULL, 0, arg);
			continue;
		}
		data = reply_data(call, &len);
		each(id, call->status, data, len, arg);
		call_free(call);
	}
	kfree(calls);
	return err;
}

/* --- one-way messages -------------------------------------------------------*/

static int send_message(u8 id, const struct holon_rpc_type *type, const struct holon_vec *vec,
			unsigned int nvec, gfp_t gfp, bool wait)
{
	struct rpc_node *node = rpc_node_find(id);
	struct holon_message *message;
	struct holon_peer_id peer;
	unsigned long flags;
	size_t len;
	int err;

	if (WARN_ON_ONCE(!(type->flags & HOLON_RPC_ONEWAY)))
		return -EINVAL;
	if (!node)
		return -EHOSTDOWN;
	message = message_make(type, 0, vec, nvec, gfp);
	if (IS_ERR(message))
		return PTR_ERR(message);
	if (wait) {
		err = rpc_credit_wait(node, type, rpc_cost(message));
	} else {
		err = rpc_credit_take(node, type->rank, rpc_cost(message), true);
		err = min(err, 0);
	}
	if (err) {
		holon_message_free(message);
		return err;
	}
	len = le32_to_cpu(message->frame.length);
	spin_lock_irqsave(&node->lock, flags);
	peer = (struct holon_peer_id){ .node = id, .incarnation = node->incarnation };
	spin_unlock_irqrestore(&node->lock, flags);
	message->frame.epoch = cpu_to_le64(rpc_epoch());
	err = holon_transport_queue(&peer, message);
	if (!err) {
		rpc_count(type, HOLON_RPC_SENT);
		rpc_add(type, HOLON_RPC_BYTES_OUT, len);
		trace_holon_rpc_send(type, id, 0, len);
	}
	return err;
}

int holon_send(u8 node, const struct holon_rpc_type *type, const struct holon_vec *vec,
	       unsigned int nvec, gfp_t gfp)
{
	return send_message(node, type, vec, nvec, gfp, false);
}

int holon_send_wait(u8 node, const struct holon_rpc_type *type, const struct holon_vec *vec,
		    unsigned int nvec)
{
	int err;

	might_sleep();
	rpc_rank_acquire(type->rank);
	err = send_message(node, type, vec, nvec, GFP_NOIO, true);
	rpc_rank_release(type->rank);
	return err;
}
