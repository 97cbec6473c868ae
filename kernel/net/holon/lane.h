/* SPDX-License-Identifier: GPL-2.0-only */
/* One TCP connection: a rank of a peer. */
#ifndef _NET_HOLON_LANE_H
#define _NET_HOLON_LANE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "frame.h"
#include "handshake.h"

struct holon_auth;
struct holon_peer;
struct holon_traffic_key;

enum holon_lane_state {
	LANE_CONNECTING,	/* ours: TCP is connecting */
	LANE_CALLING,		/* ours: CALL is sent, ANSWER expected */
	LANE_PROVING,		/* ours: PROOF is sent, VERDICT expected */
	LANE_CALLED,		/* accepted: CALL expected */
	LANE_ANSWERED,		/* accepted: ANSWER is sent, PROOF expected */
	LANE_READY,		/* handshake done, other lanes may not be */
	LANE_OPEN,		/* frames */
};

/**
 * struct holon_lane - a connection
 * @sock: kernel socket
 * @peer: whose; NULL while an accepted connection has not named itself. Set
 *	once, by the receive work
 * @rank: of its frames; for an accepted connection known with the CALL
 * @version: of its frames, once the handshake has agreed on it
 * @state: owned by the receive work
 * @broken: a malformed frame, or a handshake that failed: nothing more is read.
 *	Owned by the receive work
 * @receive_work: reads, decodes, delivers; the only reader
 * @send_work: drains @queue into the socket
 * @lock: protects @queue and @closed; irq-safe, innermost
 * @queue: messages to be sent
 * @closed: nothing is queued any more
 * @wq: of @send_work; the receive work stays on holon_net_wq, because the rank
 *	of an accepted lane becomes known in it
 * @budget: bytes of one run of a work
 * @send_mutex: who has it sends, or closes the socket
 * @sending: taken from @queue, the first one partly sent. Lock: @send_mutex
 * @sent: bytes of the first message that are sent. Lock: @send_mutex
 * @decoder: of the receive work
 * @received: complete, not yet delivered, in order
 * @record: handshake record being received
 * @have: bytes of @record
 * @auth: of the handshake, NULL before and after. Owned by the receive work
 * @half_open: in the list of listen.c while nobody knows who it is
 * @accepted: when it was, in jiffies
 * @source: address of an accepted connection
 * @proven: half-open, and its CALL was made with a key
 * @dead: half-open and to be closed
 */
struct holon_lane {
	struct socket *sock;
	struct holon_peer *peer;
	enum holon_rank rank;
	u8 version;
	enum holon_lane_state state;
	bool broken;
	struct delayed_work receive_work;
	struct work_struct send_work;

	spinlock_t lock;	/* queue, closed */
	struct list_head queue;
	bool closed;

	struct workqueue_struct *wq;
	size_t budget;

	struct mutex send_mutex;	/* sending, sent, the end of sock */
	struct list_head sending;
	size_t sent;

	struct holon_decoder decoder;
	struct list_head received;
	struct holon_handshake record;
	size_t have;
	struct holon_auth *auth;

	struct list_head half_open;
	unsigned long accepted;
	__be32 source;
	bool proven;
	bool dead;
	struct rcu_head rcu;
};

/**
 * holon_lane_create - make a lane around a socket
 * @sock: TCP socket; belongs to the lane afterwards, also on failure
 * @state: LANE_CONNECTING or LANE_CALLED
 * @peer: or NULL
 * @rank: with @peer
 *
 * Return: the lane, or NULL.
 */
struct holon_lane *holon_lane_create(struct socket *sock, enum holon_lane_state state,
				     struct holon_peer *peer, enum holon_rank rank);

/* Open the callbacks of the socket; from now on the receive work may run. */
void holon_lane_start(struct holon_lane *lane);

/* The handshake has agreed on the version of the frames. */
void holon_lane_set_version(struct holon_lane *lane, u8 version);

/* The rank is known: set what the socket needs for it. */
void holon_lane_set_rank(struct holon_lane *lane, enum holon_rank rank);

/* Append a message and see that it is sent. Any context. 0 or -EHOSTDOWN. */
int holon_lane_queue(struct holon_lane *lane, struct holon_message *message);

/*
 * The same from a context that may sleep: sends at once when nobody else does,
 * which saves the way over the send work.
 */
int holon_lane_send(struct holon_lane *lane, struct holon_message *message);

/* Let the receive work look. */
void holon_lane_kick(struct holon_lane *lane);

/* Write a record during the handshake. 0 or a negative errno. */
int holon_lane_write(struct holon_lane *lane, const void *data, size_t len);

/**
 * holon_lane_encrypt - from the next byte on this connection is encrypted
 * @lane: whose handshake has ended; nothing of it is queued
 * @out: for what is sent
 * @in: for what is received
 *
 * Context: the receive work. Return: 0 or an error of kTLS.
 */
int holon_lane_encrypt(struct holon_lane *lane, const struct holon_traffic_key *out,
		       const struct holon_traffic_key *in);

/*
 * Stop both works, deliver what has been received completely when the lane is
 * open, close the socket. May sleep; not from the lane's own works. Idempotent.
 */
void holon_lane_close(struct holon_lane *lane);

/* Free a closed lane after a grace period. */
void holon_lane_free(struct holon_lane *lane);

#endif /* _NET_HOLON_LANE_H */
