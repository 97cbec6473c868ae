/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Remote procedure calls between the kernels of a cluster.
 *
 * A call ends exactly once: with the handler's reply, or with -EHOSTDOWN when
 * the peer leaves the view. There are no timeouts. See kernel/holon/rpc.c for
 * the states and the lock order, and holon_rpc_types.h for the list of types.
 */
#ifndef _LINUX_HOLON_RPC_H
#define _LINUX_HOLON_RPC_H

#include <linux/init.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include <linux/holon_node.h>
#include <linux/holon_rpc_types.h>

struct cred;
struct holon_view;

/**
 * enum holon_rank - the order in which messages may depend on one another
 * @HOLON_CONTROL: membership
 * @HOLON_RSP: replies, page data, acknowledgements
 * @HOLON_FWD: invalidate, fetch, wake-up, signal
 * @HOLON_REQ: requests
 * @HOLON_BULK: images, streams
 * @HOLON_RANKS: their number
 *
 * A handler of a rank sends or waits only for lower numbers (higher ranks), so
 * waiting can never close a cycle. Each rank has a connection of its own per
 * peer. A lockdep map per rank checks the rule.
 */
enum holon_rank {
	HOLON_CONTROL,
	HOLON_RSP,
	HOLON_FWD,
	HOLON_REQ,
	HOLON_BULK,
	HOLON_RANKS
};

/* Largest payload of one message; larger things are sent in pieces. */
#define HOLON_MSG_MAX		SZ_1M

/* A handler that answers later, by holon_reply(), returns this. */
#define HOLON_DEFER		1

/* holon_rpc_type.flags */
#define HOLON_RPC_INLINE	0x01	/* runs in the receive work: must not block */
#define HOLON_RPC_ONEWAY	0x02	/* no reply, no call record */
#define HOLON_RPC_CREDS		0x04	/* the handler runs under the caller's credentials */
#define HOLON_RPC_IDEMPOTENT	0x08	/* may be sent again to another node after a loss */
#define HOLON_RPC_LONG		0x10	/* for any time: its credit comes back when taken */

/**
 * struct holon_request - a call as its handler sees it
 * @type: what was called
 * @node: who called
 * @incarnation: of the caller
 * @epoch: view in which it was sent
 * @data: payload, @len bytes, untrusted; aligned to 8; valid until the reply
 * @len: at least @type->request_min
 * @cred: of the calling task with HOLON_RPC_CREDS, else NULL
 * @private: of a handler that defers
 *
 * With HOLON_DEFER the handler owns the request until it calls holon_reply().
 */
struct holon_request {
	const struct holon_rpc_type *type;
	u8 node;
	u64 incarnation;
	u64 epoch;
	const void *data;
	size_t len;
	const struct cred *cred;
	void *private;
};

/**
 * struct holon_reply - what came back
 * @data: payload of the reply, to be given back with holon_reply_free()
 * @len: its length
 */
struct holon_reply {
	void *data;
	size_t len;
};

/**
 * struct holon_rpc_type - one kind of call
 * @name: for tracepoints and statistics
 * @id: stable number from holon_rpc_types.h
 * @rank: lane of the request; replies travel on HOLON_RSP
 * @flags: HOLON_RPC_*
 * @request_min: a shorter request is malformed and costs the peer its connection
 * @handler: returns 0 or a negative errno (the reply's status; data set with
 *	holon_reply_data() before), or HOLON_DEFER. Without HOLON_RPC_INLINE it
 *	runs on an unbound workqueue of its class and may sleep, and may wait
 *	for calls of higher ranks
 * @cancel: deferred calls only: the caller has lost interest (a hint; any
 *	context, may race with the reply); the one final reply is still due
 *	A deferred call of a node that left the view is cancelled, too
 * @orphan: at the caller: the end of a call whose caller was killed; gives the
 *	effect back (references, bytes, wake-ups). @status is -EHOSTDOWN when
 *	the callee left the view. Process context, may sleep
 */
struct holon_rpc_type {
	const char *name;
	u16 id;
	u8 rank;
	u8 flags;
	u32 request_min;
	int (*handler)(struct holon_request *request);
	void (*cancel)(struct holon_request *request);
	void (*orphan)(u8 node, int status, const void *data, size_t len);
};

/* A piece of a payload. */
struct holon_vec {
	const void *base;
	size_t len;
};

/**
 * HOLON_RPC - define a call type beside its handler
 * @_name: of the variable, holon_rpc_NAME, and in traces and statistics
 * @_id: number from holon_rpc_types.h
 * @_rank: lane of the request
 * @_flags: HOLON_RPC_*
 * @_request_min: least length of a request
 * @_handler: what the callee runs
 *
 * "static HOLON_RPC(poke, HOLON_RPC_ID_POKE, HOLON_REQ, 0, sizeof(struct poke),
 * poke_handler, .cancel = poke_cancel);" defines holon_rpc_poke. Registers at
 * boot; a second type with the same id is refused with a WARN.
 */
#define HOLON_RPC(_name, _id, _rank, _flags, _request_min, _handler, ...)	\
	const struct holon_rpc_type holon_rpc_##_name = {			\
		.name = #_name, .id = (_id), .rank = (_rank), .flags = (_flags),\
		.request_min = (_request_min), .handler = (_handler),		\
		##__VA_ARGS__							\
	};									\
	HOLON_RPC_REGISTER(_name)

#define HOLON_RPC_REGISTER(_name)						\
	static int __init holon_rpc_register_##_name(void)			\
	{									\
		return holon_rpc_register(&holon_rpc_##_name);			\
	}									\
	core_initcall(holon_rpc_register_##_name)

/* What HOLON_RPC() does at boot. 0, -EINVAL, -EEXIST, -ENOMEM. */
int holon_rpc_register(const struct holon_rpc_type *type);

/**
 * holon_call - call a node and wait for its reply
 * @node: member of the view; this node itself is legal and goes through the
 *	same queues
 * @type: not HOLON_RPC_ONEWAY
 * @vec: pieces of the request, copied before return
 * @nvec: number of pieces
 * @reply: filled in when the status is >= 0 or the handler sent data; NULL
 *	when no data is expected
 *
 * A signal sends one cancel; the final reply is still waited for, and a
 * completed result is taken. If the caller is killed the call record stays
 * and @type->orphan gets the reply.
 *
 * Context: process context, no spinlock, no lock that a handler takes.
 * Return: the handler's status (>= 0 or its errno); -EHOSTDOWN when @node is
 *	not, or no longer, a member; -EINTR when killed; -EMSGSIZE; -ENOMEM.
 */
int holon_call(u8 node, const struct holon_rpc_type *type, const struct holon_vec *vec,
	       unsigned int nvec, struct holon_reply *reply);

/**
 * holon_send - one-way message
 * @node: member of the view
 * @type: HOLON_RPC_ONEWAY
 * @vec: pieces, copied before return
 * @nvec: number of pieces
 * @gfp: for the copy
 *
 * Messages of one rank to one node arrive in the order of the calls; handlers
 * that are not HOLON_RPC_INLINE may still run side by side. Never waits: a
 * message of a rank with credits is queued beyond them.
 *
 * Context: any context that may allocate with @gfp; with GFP_ATOMIC also
 *	under spinlocks.
 * Return: 0, -EHOSTDOWN, -EMSGSIZE, -ENOMEM.
 */
int holon_send(u8 node, const struct holon_rpc_type *type, const struct holon_vec *vec,
	       unsigned int nvec, gfp_t gfp);

/**
 * holon_send_wait - one-way message of a stream
 * @node: member of the view
 * @type: HOLON_RPC_ONEWAY
 * @vec: pieces, copied before return
 * @nvec: number of pieces
 *
 * As holon_send(), but waits until the receiver's handlers have worked off
 * enough of what was sent to it before: for streams on HOLON_BULK.
 *
 * Context: process context, no lock that a handler takes.
 * Return: as holon_send(); -EINTR when killed.
 */
int holon_send_wait(u8 node, const struct holon_rpc_type *type, const struct holon_vec *vec,
		    unsigned int nvec);

/**
 * holon_call_many - call several nodes at once
 * @nodes: bitmap of HOLON_NODE_IDS bits
 * @epoch: view the caller took @nodes from
 * @type: not HOLON_RPC_ONEWAY
 * @vec: request, the same for all
 * @nvec: number of pieces
 * @each: called once per node, in process context, in any order
 * @arg: for @each
 *
 * Return: 0 when every node has been accounted for in @each, -ESTALE when the
 *	view is no longer @epoch (nothing was sent), -EINTR, -ENOMEM.
 */
int holon_call_many(const unsigned long *nodes, u64 epoch, const struct holon_rpc_type *type,
		    const struct holon_vec *vec, unsigned int nvec,
		    void (*each)(u8 node, int status, const void *data, size_t len, void *arg),
		    void *arg);

/**
 * holon_reply_data - set the payload of the reply
 * @request: being handled
 * @data: copied
 * @len: up to HOLON_MSG_MAX
 *
 * Context: process context; in a HOLON_RPC_INLINE handler the copy is allocated
 *	without waiting, and up to 192 bytes always succeed.
 * Return: 0, -EMSGSIZE, -ENOMEM.
 */
int holon_reply_data(struct holon_request *request, const void *data, size_t len);

/**
 * holon_reply_now - holon_reply() from a context that may sleep
 * @request: gone afterwards
 * @status: >= 0 or a negative errno
 *
 * Sends the reply itself when nobody else is sending, which is faster.
 */
void holon_reply_now(struct holon_request *request, int status);

/**
 * holon_reply - give the one final reply of a deferred call
 * @request: gone afterwards
 * @status: >= 0 or a negative errno
 *
 * Context: any; never waits, never fails: the frame was allocated with the
 *	request.
 */
void holon_reply(struct holon_request *request, int status);

/* Free what holon_call() put into a reply; harmless on an empty one. */
void holon_reply_free(struct holon_reply *reply);

/**
 * holon_rpc_flush - one round of markers of a view change
 * @view: that has just been installed (the subscribers' lost() has run)
 * @round: 1, 2, 3
 *
 * Sends a FLUSH marker on the FWD and RSP lanes to each member, and waits until
 * the markers of this round have arrived from all members and everything that
 * came before them on those lanes has been handled. To be called by the view
 * change alone, by one task, outside of any handler and with no lock that an
 * upcall of the transport takes.
 *
 * Context: process context.
 * Return: 0; -ESTALE when holon_rpc_flush_abort() was called for this epoch or
 *	a newer view was installed.
 */
int holon_rpc_flush(const struct holon_view *view, unsigned int round);

/**
 * holon_rpc_flush_abort - a member was lost, the view change starts again
 * @epoch: holon_rpc_flush() of this and older epochs ends, now and later
 *
 * Context: any.
 */
void holon_rpc_flush_abort(u64 epoch);

/**
 * holon_rpc_reborn - this node begins a new life
 *
 * Messages that were kept for a view of the old one are forgotten. To be called
 * when the transport is stopped.
 *
 * Context: process context.
 */
void holon_rpc_reborn(void);

#endif /* _LINUX_HOLON_RPC_H */
