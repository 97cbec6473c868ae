/* SPDX-License-Identifier: GPL-2.0-only */
/* A peer: a node in one of its lives, and its five lanes. */
#ifndef _NET_HOLON_PEER_H
#define _NET_HOLON_PEER_H

#include <linux/holon_transport.h>

struct holon_lane;
struct holon_peer;

const struct holon_peer_id *holon_peer_id(const struct holon_peer *peer);

/* All lanes are up and peer_up() has been told: frames may be delivered. */
bool holon_peer_reading(const struct holon_peer *peer);

/* Fail-stop: tear the peer down. Any context; @why is a literal. */
void holon_peer_fail(struct holon_peer *peer, const char *why);

/*
 * Steps of the handshake, in the receive work of @lane. Return: true when it goes
 * on; false when it has come to its end, and the lane will be closed.
 */
bool holon_peer_send_call(struct holon_peer *peer, struct holon_lane *lane);
bool holon_peer_answered(struct holon_peer *peer, struct holon_lane *lane);
bool holon_peer_judged(struct holon_peer *peer, struct holon_lane *lane);
/* The same of the accepting side. */
bool holon_peer_called(struct holon_lane *lane);
bool holon_peer_proven(struct holon_lane *lane);

/* What both sides say of a node whose key we do not have. */
#define HOLON_WRONG_KEY	"the cluster keys differ: compare `holon cluster key show` on both nodes"

/*
 * Show the administrator, within limits, that somebody was refused who says to
 * be @node and has not proven it. May sleep.
 */
void holon_peer_show_stranger(u8 node, const char *reason);

/* listen.c: an accepted connection turned out to be of no use. */
void holon_peer_stranger(struct holon_lane *lane);

/* listen.c: give up an accepted connection; listen.c closes it. */
void holon_half_open_discard(struct holon_lane *lane);

/* listen.c: the connection has a peer now. False when it is being closed. */
bool holon_half_open_take(struct holon_lane *lane);

/* Tear down every peer, without peer_down(), and wait for the end. */
void holon_peers_stop(void);

#endif /* _NET_HOLON_PEER_H */
