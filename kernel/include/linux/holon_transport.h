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

#include <linux/holon_node.h>
#include <linux/holon_rpc.h>
#include <linux/socket.h>
#include <linux/types.h>

struct holon_peer_id {
	u64 incarnation;
	u8 node;
};

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
	/* A hello of another node with a valid cluster name. */
	void (*hello)(const struct holon_hello *hello, const struct sockaddr_storage *from);
	/*
	 * May this incarnation connect? Called during the handshake.
	 * Returns 0 or a negative errno and a reason that the peer is shown.
	 */
	int (*admit)(const struct holon_ident *ident, const char *cluster, const char **reason);
	/* The peer refused us, with its reason. */
	void (*refused)(u8 node, const char *reason);
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
 * Return: 0; -EACCES without holon.insecure=1 (there is no authentication in
 *	this version); -EADDRNOTAVAIL; errors of the socket layer.
 */
int holon_transport_start(const struct holon_transport_events *events);

/* Close everything; no upcall runs after it has returned. */
void holon_transport_stop(void);

/**
 * holon_transport_hello - set what the hello says, and send one now
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
 *
 * What was received completely before is still handed up.
 * peer_down() is not called for it. Context: process context.
 */
void holon_transport_drop(const struct holon_peer_id *peer, const char *why);

/**
 * holon_transport_send - queue one frame
 * @rank: lane
 * @type: holon_rpc_id
 * @flags: HOLON_FRAME_*
 * @call: call id or 0
 *
 * Never waits for credit (callers in task context do that one layer up).
 * Context: as @gfp allows. Return: 0, -EHOSTDOWN, -EMSGSIZE, -ENOMEM.
 */
int holon_transport_send(const struct holon_peer_id *peer, enum holon_rank rank, u16 type,
			 u16 flags, u64 call, const struct holon_vec *vec, unsigned int nvec,
			 gfp_t gfp);

#endif /* _LINUX_HOLON_TRANSPORT_H */
