/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages of the membership protocol, on HOLON_CONTROL. Little endian. The
 * type is the frame's type; the sender is the (node, incarnation) of the
 * connection.
 *
 *  type       body after the head                       head.epoch, head.ballot
 *  HB         wire_hb: also lends, and renews, leases    of the sender's view; -
 *  SUSPECT    32 bytes bitmap                            of the sender's view; -
 *  JOIN_REQ   wire_join                                  0; -
 *  JOIN_WAIT  view: who to connect to                    of the view; -
 *  JOIN_NO    text, up to HOLON_REASON_MAX bytes         0; -
 *  LEAVE_REQ  none                                       of the sender's view; -
 *  PREPARE    view: the previous one                     being agreed on; ballot
 *  PROMISE    wire_promise, then perhaps a view          same
 *  NACK       none                                       same; the higher ballot
 *  ACCEPT     view                                       same
 *  ACCEPTED   none                                       same
 *  COMMIT     view (also to whoever was left behind)     of the view; -
 *  EVICTED    view: the one the receiver is not in; one  of the view; -
 *             that is its "evicted" stays out
 *  STEP       wire_step: begin this stage                of the view; -
 *  STEP_DONE  wire_step: this stage has ended here       of the view; -
 */
#ifndef _HOLON_VIEW_WIRE_H
#define _HOLON_VIEW_WIRE_H

#include <linux/holon_rpc.h>
#include <linux/holon_view.h>

#include "paxos.h"

enum view_msg_type {
	VIEW_MSG_HB = HOLON_RPC_ID_VIEW,
	VIEW_MSG_SUSPECT,
	VIEW_MSG_JOIN_REQ,
	VIEW_MSG_JOIN_WAIT,
	VIEW_MSG_JOIN_NO,
	VIEW_MSG_LEAVE_REQ,
	VIEW_MSG_PREPARE,
	VIEW_MSG_PROMISE,
	VIEW_MSG_NACK,
	VIEW_MSG_ACCEPT,
	VIEW_MSG_ACCEPTED,
	VIEW_MSG_COMMIT,
	VIEW_MSG_EVICTED,
	VIEW_MSG_STEP,
	VIEW_MSG_STEP_DONE,
	VIEW_MSG_END
};

struct wire_view_head {
	u8 cluster_uuid[16];
	__le64 epoch;
	__le32 round;
	u8 proposer;
	u8 reserved[3];
} __packed;

struct wire_hb {
	__le64 stamp;		/* CLOCK_MONOTONIC of the sender, ns */
	__le64 echo;		/* stamp of the receiver's last heartbeat, 0: none */
	__le64 echo_age;	/* how long ago that arrived, ns */
	u8 state;		/* enum holon_node_state */
	u8 expect;
	u8 done;		/* stage of the barrier that has ended here */
	u8 order;		/* stage the sender has ordered, 0: it does not lead */
	u8 flags;		/* WIRE_HB_* */
	u8 reserved;
	__le16 lease;		/* length of the sender's own lease, 10 ms */
	u8 hears[HOLON_NODE_IDS / 8];
} __packed;

/* The sender has accepted no successor of its view: see lease.c. */
#define WIRE_HB_LENDS		BIT(0)

struct wire_promise {
	__le32 round;		/* of the accepted value, 0: none, and no view follows */
	u8 proposer;
	u8 reserved[3];
	u8 hears[HOLON_NODE_IDS / 8];
} __packed;

struct wire_join {
	u8 uuid[16];
	char cluster[HOLON_CLUSTER_NAME_MAX];
	__le16 protocol_min, protocol_max;
	u8 reserved[4];
} __packed;

struct wire_step {
	u8 stage;
	u8 reserved[3];
} __packed;

struct wire_member {
	__le64 incarnation;
	u8 uuid[16];
	u8 addr[16];		/* as in the socket address; a hint, not agreed on */
	__be16 port;
	u8 id;
	u8 family;		/* 4, 6, or 0: not known */
	u8 reserved[4];
} __packed;

struct wire_view {
	u8 cluster_uuid[16];
	__le64 epoch;
	__le16 count;
	u8 coordinator;		/* who leads the barrier */
	u8 evicted;		/* the administrator put this node out, 0: nobody */
	u8 reserved[4];
	struct wire_member member[];	/* by ascending id */
} __packed;

/**
 * struct view_msg - a received message, checked
 * @view: a reference, or NULL when the message has none
 * @member: the wire records of @view's members, for their addresses
 * @hears: of HB and PROMISE; of SUSPECT the suspected
 * @body: fixed part by type, NULL when there is none
 * @reason: of JOIN_NO, terminated
 */
struct view_msg {
	u16 type;
	u8 coordinator;
	uuid_t cluster_uuid;
	u64 epoch;
	struct holon_ballot ballot;
	const struct holon_view *view;
	const struct wire_member *member;
	DECLARE_BITMAP(hears, HOLON_NODE_IDS);
	union {
		const struct wire_hb *hb;
		const struct wire_promise *promise;
		const struct wire_join *join;
		const struct wire_step *step;
		const void *body;
	};
	char reason[HOLON_REASON_MAX];
};

/**
 * view_msg_decode - check a frame
 * @msg: filled in; give back with view_msg_release()
 * @type: of the frame
 * @data: untrusted; must outlive @msg
 * @len: exact length
 *
 * Return: 0, -EBADMSG, -ENOMEM.
 */
int view_msg_decode(struct view_msg *msg, u16 type, const void *data, size_t len);
void view_msg_release(struct view_msg *msg);

/* Name of a message type, for logs and tests. */
const char *view_msg_name(u16 type);

/* Wire length of a view. */
static inline size_t wire_view_len(const struct holon_view *view)
{
	return sizeof(struct wire_view) + view->count * sizeof(struct wire_member);
}

/**
 * wire_view_encode - write a view
 * @wire: wire_view_len() bytes
 * @view: what
 * @coordinator: who leads its barrier, 0 when it has none yet
 * @addr: address of a member, or NULL when it is not known; may be NULL
 */
void wire_view_encode(struct wire_view *wire, const struct holon_view *view, u8 coordinator,
		      const struct sockaddr_storage *(*addr)(u8 node));

/**
 * wire_member_addr - socket address in a member record
 * Return: true when there is one.
 */
bool wire_member_addr(const struct wire_member *member, struct sockaddr_storage *addr);

void wire_bitmap_encode(u8 *wire, const unsigned long *bitmap);
void wire_bitmap_decode(unsigned long *bitmap, const u8 *wire);

/* A view to be filled in; reference count 1. Context: may sleep. NULL: no memory. */
struct holon_view *holon_view_alloc(void);

/* Add a member to a view under construction. */
void holon_view_add(struct holon_view *view, u8 node, u64 incarnation, const uuid_t *uuid);

#endif /* _HOLON_VIEW_WIRE_H */
