/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the RPC layer share. */
#ifndef _KERNEL_HOLON_RPC_H
#define _KERNEL_HOLON_RPC_H

#include <linux/completion.h>
#include <linux/hashtable.h>
#include <linux/holon_rpc.h>
#include <linux/holon_rpc_stats.h>
#include <linux/holon_transport.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

struct cred;
struct holon_view;

#define RPC_HASH_BITS	6

/* Bytes that always fit into the reply allocated with a request. */
#define RPC_REPLY_ROOM	192

/* A reply's payload begins with this. */
struct holon_wire_reply {
	__le32 status;		/* >= 0, or a negative errno */
	__le32 reserved;
};

/* HOLON_RPC_ID_FLUSH */
struct holon_wire_flush {
	__le64 epoch;
	__le32 round;
	__le32 reserved;
};

/* HOLON_RPC_ID_CREDIT */
struct holon_wire_credit {
	__le32 rank;
	__le32 bytes;
};

/* Place of a FLUSH marker in the history of a lane. */
struct rpc_mark {
	u64 epoch;
	unsigned int round;
};

/**
 * struct rpc_node - what RPC knows about a node; made when first needed, kept
 * @id: node
 * @lock: protects everything below; irq-safe; inside of every lock of callers
 * @incarnation: the member we talk to, 0 while it is none
 * @calls: our call records that wait for this node, by call id
 * @requests: its calls that have no reply yet, by call id
 * @credit: bytes that may still be sent, by rank; may be negative
 * @credit_wait: callers that wait for it
 * @owed: bytes of one-way messages handled and not yet given back, by rank
 * @credit_work: gives @owed back
 * @forwards: requests of HOLON_FWD being handled, by arrival
 * @reached: last marker before which everything is handled, of FWD and RSP
 * @early: messages of a view that we have not installed yet, by arrival
 * @early_bytes: their size
 * @early_incarnation: their sender
 * @replaying: @early is being worked off: what arrives queues behind it
 */
struct rpc_node {
	u8 id;
	spinlock_t lock;	/* all of what follows */
	u64 incarnation;
	DECLARE_HASHTABLE(calls, RPC_HASH_BITS);
	DECLARE_HASHTABLE(requests, RPC_HASH_BITS);
	s64 credit[HOLON_RANKS];
	wait_queue_head_t credit_wait;
	u32 owed[HOLON_RANKS];
	struct work_struct credit_work;
	struct list_head forwards;
	struct rpc_mark reached[2];
	struct list_head early;
	size_t early_bytes;
	u64 early_incarnation;
	bool replaying;
};

/**
 * struct rpc_call - record of a call at its caller
 * @hash: in @node->calls while it has not ended; who takes it out ends it
 * @id: never reused
 * @node: callee
 * @type: what is called
 * @start: for the histogram
 * @cost: credit taken
 * @orphaned: the caller was killed: the end belongs to @work. Lock: node
 * @done: the caller waits
 * @status: how it ended
 * @reply: the message that ended it, or NULL
 * @work: orphan()
 */
struct rpc_call {
	struct hlist_node hash;
	u64 id;
	struct rpc_node *node;
	const struct holon_rpc_type *type;
	ktime_t start;
	size_t cost;
	bool orphaned;
	struct completion done;
	int status;
	struct holon_message *reply;
	struct work_struct work;
};

/**
 * struct rpc_request - a call, or a one-way message, at its callee
 * @public: what the handler sees
 * @call: id at the caller, 0 for one-way messages
 * @from: caller
 * @message: the request
 * @reply: allocated with the request, so that replying cannot fail
 * @reply_len: bytes of data in it
 * @cred: of the caller, or NULL
 * @hash: in @from->requests until it is replied to
 * @forward: in @from->forwards until its handler has returned
 * @mark: marker that came right behind it, see rpc_flush.c. Lock: node
 * @work: for handlers that may sleep
 * @inline_task: who runs an inline handler
 * @deferred: the handler has returned HOLON_DEFER. Lock: node
 * @cancelled: a cancel came, or the caller left. Lock: node
 * @replied: catches a second reply
 * @ref: one of the handler's run, one of the reply due, temporary ones
 */
struct rpc_request {
	struct holon_request public;
	u64 call;
	struct rpc_node *from;
	struct holon_message *message;
	struct holon_message *reply;
	size_t reply_len;
	const struct cred *cred;
	struct hlist_node hash;
	struct list_head forward;
	struct rpc_mark mark;
	struct work_struct work;
	struct task_struct *inline_task;
	bool deferred;
	bool cancelled;
	unsigned long replied;
	refcount_t ref;
};

/* rpc_node.c */
struct rpc_node *rpc_node_find(u8 id);
struct rpc_node *rpc_node_make(u8 id, gfp_t gfp);
u64 rpc_epoch(void);
void rpc_node_install(struct rpc_node *node, u64 incarnation);
int rpc_credit_wait(struct rpc_node *node, const struct holon_rpc_type *type, size_t cost);
int rpc_credit_take(struct rpc_node *node, enum holon_rank rank, size_t cost, bool beyond);
void rpc_credit_give(struct rpc_node *node, enum holon_rank rank, size_t cost);
void rpc_credit_owe(struct rpc_node *node, u64 incarnation, enum holon_rank rank, size_t cost);
size_t rpc_cost(const struct holon_message *message);

/* rpc_call.c: the caller's side */
int rpc_receive_reply(struct rpc_node *node, u64 incarnation, struct holon_message *message);
void rpc_calls_lost(struct rpc_node *node);

/* rpc_serve.c: the callee's side */
int rpc_receive_request(struct rpc_node *node, u64 incarnation, enum holon_rank rank,
			struct holon_message *message);
int rpc_receive_cancel(struct rpc_node *node, u64 incarnation, enum holon_rank rank,
		       struct holon_message *message);
void rpc_requests_lost(struct rpc_node *node);

/* rpc_flush.c */
int rpc_receive_flush(struct rpc_node *node, enum holon_rank rank, struct holon_message *message);
void rpc_forward_done(struct rpc_request *request);
void rpc_flush_forget(struct rpc_node *node);
void rpc_flush_install(u64 epoch);

/* rpc_stats.c */
const struct holon_rpc_type *rpc_type(unsigned int id);
void rpc_count(const struct holon_rpc_type *type, enum holon_rpc_counter counter);
void rpc_add(const struct holon_rpc_type *type, enum holon_rpc_counter counter, u64 value);
void rpc_latency(const struct holon_rpc_type *type, ktime_t start);
void rpc_gauge_add(enum holon_rpc_gauge gauge, int value);
unsigned int rpc_latency_bucket(u64 us);

/* rpc.c */
struct workqueue_struct *rpc_queue(enum holon_rank rank);
void rpc_rank_acquire(enum holon_rank rank);
void rpc_rank_release(enum holon_rank rank);
void rpc_view_lost(const struct holon_view *view, const unsigned long *lost);

/* rpc_fault.c */
#ifdef CONFIG_HOLON_DEBUG
void rpc_fault_delay(const struct holon_rpc_type *type);
int rpc_fault_status(const struct holon_rpc_type *type);
bool rpc_fault_drop(const struct holon_rpc_type *type);
void rpc_fault_mutate(const struct holon_rpc_type *type, struct holon_message *message);

/* rpc_forge.c: is this the id of a call that nobody here waits for? */
bool rpc_forged(u64 call);
#else
static inline void rpc_fault_delay(const struct holon_rpc_type *type) {}
static inline int rpc_fault_status(const struct holon_rpc_type *type) { return 0; }
static inline bool rpc_fault_drop(const struct holon_rpc_type *type) { return false; }
static inline void rpc_fault_mutate(const struct holon_rpc_type *type,
				    struct holon_message *message) {}
static inline bool rpc_forged(u64 call) { return false; }
#endif

#endif /* _KERNEL_HOLON_RPC_H */
