/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The carrier below RPC and membership: frames between nodes, one ordered lane
 * per peer and rank. net/holon implements it over TCP; nothing above knows
 * about sockets.
 *
 * A peer is a (node, incarnation). It is "up" when the connections of all
 * ranks have passed the handshake. Fail-stop: when one of them breaks, all of
 * them are closed and the peer is down for good; only a new incarnation, or an
 * order of the membership code for a peer that never became a member, connects
 * again.
 */
#ifndef _LINUX_HOLON_TRANSPORT_H
#define _LINUX_HOLON_TRANSPORT_H

#include <linux/build_bug.h>
#include <linux/holon_node.h>
#include <linux/holon_rpc.h>
#include <linux/list.h>
#include <linux/socket.h>
#include <linux/types.h>

struct holon_peer_id {
	u64 incarnation;
	u8 node;
};

/*
 * In front of every message on the wire, little endian. The handshake before
 * the first frame has records of its own, see net/holon/handshake.h.
 */
struct holon_frame {
	__le32 magic;		/* HOLON_FRAME_MAGIC */
	u8 version;		/* what the handshake agreed on */
	u8 rank;		/* enum holon_rank, must be the connection's */
	__le16 type;		/* enum holon_rpc_id */
	__le16 flags;		/* HOLON_FRAME_* */
	__le16 reserved;	/* 0 */
	__le32 length;		/* of what follows, see holon_frame_payload_max() */
	__le64 call;		/* call id, 0 for one-way messages */
	__le64 epoch;		/* of the sender's view */
};

static_assert(sizeof(struct holon_frame) == 32);

#define HOLON_FRAME_MAGIC	0x4e4c4f48U	/* "HOLN" */
#define HOLON_FRAME_CREDS	0x0001		/* payload begins with credentials */
#define HOLON_FRAME_FLAGS	(HOLON_FRAME_CREDS)

/* HOLON_MSG_MAX, and what the RPC layer puts in front of it. */
#define HOLON_FRAME_PAYLOAD_MAX	(HOLON_MSG_MAX + SZ_512K)

/* Of HOLON_CONTROL, which has no credit: the largest view, and some more. */
#define HOLON_FRAME_CONTROL_MAX	SZ_16K

static inline size_t holon_frame_payload_max(enum holon_rank rank)
{
	return rank == HOLON_CONTROL ? HOLON_FRAME_CONTROL_MAX : HOLON_FRAME_PAYLOAD_MAX;
}

/**
 * struct holon_message - one frame in memory
 * @link: for the one who owns the message
 * @frame: as on the wire; the payload follows it without a gap
 * @data: payload, aligned to 8
 */
struct holon_message {
	struct list_head link;
	struct holon_frame frame;
	u8 data[] __aligned(8);
};

static_assert(offsetof(struct holon_message, data) ==
	      offsetof(struct holon_message, frame) + sizeof(struct holon_frame));

/**
 * holon_message_alloc - a frame with room for its payload
 * @rank: lane it will travel on
 * @type: holon_rpc_id
 * @call: call id or 0
 * @len: payload, up to holon_frame_payload_max()
 * @gfp: how to allocate
 *
 * Return: the message with its header filled in and @data uninitialised, NULL
 *	without memory.
 */
struct holon_message *holon_message_alloc(enum holon_rank rank, u16 type, u64 call, size_t len,
					  gfp_t gfp);

/* Free a message; NULL is fine. Any context but NMI. */
void holon_message_free(struct holon_message *message);

/* A cluster key; the first bytes of something derived from it tell keys apart. */
#define HOLON_KEY_SIZE		32
#define HOLON_KEY_ID_SIZE	8
#define HOLON_KEYS_MAX		4

/**
 * holon_transport_set_keys - load cluster keys, instead of those that are loaded
 * @keys: HOLON_KEY_SIZE bytes each; the first one is used, all are accepted
 * @count: up to HOLON_KEYS_MAX; 0: forget those that are loaded
 *
 * Connections that stand are not touched.
 *
 * Context: may sleep. Return: 0, -EINVAL, an error of the crypto layer.
 */
int holon_transport_set_keys(const u8 *keys, unsigned int count);

/**
 * holon_transport_key_ids - which keys are loaded
 * @ids: room for HOLON_KEYS_MAX ids of HOLON_KEY_ID_SIZE bytes; the first becomes
 *	that of the key in use
 *
 * Context: any but hard interrupts. Return: their number.
 */
unsigned int holon_transport_key_ids(u8 *ids);

/* The range of protocol versions this node speaks, up to U8_MAX. */
u16 holon_protocol_min(void);
u16 holon_protocol_max(void);

/* The highest version that this node and one of that range speak, or 0. */
u16 holon_protocol_agree(u16 min, u16 max);

/* What a node says about itself, by multicast or to each address of a list. */
struct holon_hello {
	struct holon_ident ident;
	uuid_t cluster_uuid;		/* null while alone */
	char cluster[HOLON_CLUSTER_NAME_MAX];
	u64 epoch;
	u8 expect;			/* holon.expect, 0 when not given */
	u8 state;			/* enum holon_node_state */
	u16 protocol_min, protocol_max;
	u16 port;
};

/*
 * Upcalls into the membership code. All run in process context on a work of
 * the transport and may take mutexes, but must not wait for a message.
 */
struct holon_transport_events {
	/* A hello of another node with a valid cluster name, proven with a key. */
	void (*hello)(const struct holon_hello *hello, const struct sockaddr_storage *from);
	/*
	 * May this incarnation connect? Called when it has proven to be there.
	 * Returns 0 or a negative errno and a reason that the peer is shown.
	 */
	int (*admit)(const struct holon_ident *ident, const char *cluster, const char **reason);
	/* The peer refused us, with its reason. */
	void (*refused)(u8 node, const char *reason);
	/* We refused somebody who says to be that node and has not proven it. */
	void (*stranger)(u8 node, const char *reason);
	void (*peer_up)(const struct holon_ident *ident);
	void (*peer_down)(const struct holon_peer_id *peer, const char *why);
	/* A frame of rank HOLON_CONTROL. @data is untrusted. */
	void (*control)(const struct holon_peer_id *peer, u16 type, const void *data, size_t len);
	/* Any frame of any rank arrived: counts as a heartbeat. Any context. */
	void (*heard)(const struct holon_peer_id *peer);
};

/**
 * holon_transport_start - listen, and say hello periodically
 * @events: upcalls, valid until stop returns
 *
 * Reads holon.addr=, holon.if=, holon.port=, holon.peers= and holon.insecure=.
 * Return: 0; -ENOKEY while no cluster key is loaded; -EADDRNOTAVAIL; errors of
 *	the socket layer.
 */
int holon_transport_start(const struct holon_transport_events *events);

/*
 * Close everything; no upcall runs after it has returned, so the caller holds
 * no lock that an upcall takes.
 */
void holon_transport_stop(void);

/**
 * holon_transport_hello - set what the hello says, and send one now
 * @hello: copied
 */
void holon_transport_hello(const struct holon_hello *hello);

/**
 * holon_transport_connect - bring up the lanes to a node
 * @peer: who it must be
 * @addr: from its hello
 *
 * The lower id connects, the higher id waits to be connected to; both call
 * this. Success is peer_up(), failure peer_down(). Idempotent.
 * Context: process context.
 */
int holon_transport_connect(const struct holon_peer_id *peer, const struct sockaddr_storage *addr);

/**
 * holon_transport_drop - close the lanes to a peer and refuse it from now on
 * @peer: connected or not
 * @why: for the log; a literal
 *
 * What the lanes of RPC received completely before is handed up before this
 * returns, nothing afterwards. A control() or heard() that is running may still
 * end later, so the caller may hold a lock that those take; it must not be an
 * RPC handler. peer_down() is not called for it. Context: process context.
 */
void holon_transport_drop(const struct holon_peer_id *peer, const char *why);

/**
 * holon_transport_send - queue one frame
 * @peer: to whom
 * @rank: lane
 * @type: holon_rpc_id
 * @flags: HOLON_FRAME_*
 * @call: call id or 0
 * @vec: pieces of the payload, copied before return
 * @nvec: number of pieces
 * @gfp: for the copy
 *
 * Never waits for credit (callers in task context do that one layer up).
 * Context: as @gfp allows. Return: 0, -EHOSTDOWN, -EMSGSIZE, -ENOMEM.
 */
int holon_transport_send(const struct holon_peer_id *peer, enum holon_rank rank, u16 type,
			 u16 flags, u64 call, const struct holon_vec *vec, unsigned int nvec,
			 gfp_t gfp);

/**
 * holon_transport_queue - queue a message that is complete
 * @peer: to whom; this node itself is legal
 * @message: given away, whatever is returned
 *
 * Context: any. Never waits, never allocates.
 * Return: 0, or -EHOSTDOWN when the peer is not connected.
 */
int holon_transport_queue(const struct holon_peer_id *peer, struct holon_message *message);

/**
 * holon_transport_push - holon_transport_queue(), and send at once if possible
 * @peer: to whom; this node itself is legal
 * @message: given away, whatever is returned
 *
 * For messages that somebody waits for. Does not wait for the peer.
 *
 * Context: may sleep, for the socket's lock.
 * Return: 0, or -EHOSTDOWN when the peer is not connected.
 */
int holon_transport_push(const struct holon_peer_id *peer, struct holon_message *message);

/**
 * holon_transport_fail - a peer broke the protocol: fail-stop
 * @peer: whose lanes are closed; peer_down() follows
 * @why: for the log; a literal
 *
 * Context: any.
 */
void holon_transport_fail(const struct holon_peer_id *peer, const char *why);

/**
 * holon_rpc_receive - upcall into the RPC layer: a frame of a lower rank
 * @peer: who sent it
 * @rank: lane; never HOLON_CONTROL
 * @message: complete and checked by its header; payload untrusted
 *
 * Context: receive work of the lane, in the order of arrival; must not wait.
 * Return: 0 when @message was taken; -ENOMEM when it was not and shall be
 *	offered again; -EPROTO when it was taken and is malformed: the peer is
 *	closed.
 */
int holon_rpc_receive(const struct holon_peer_id *peer, enum holon_rank rank,
		      struct holon_message *message);

#endif /* _LINUX_HOLON_TRANSPORT_H */
