/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leases: how long a member may act, as plain logic without messages, clocks or
 * locks. The caller serialises. Times are nanoseconds of one clock of this node
 * that goes on while the machine is suspended; see lease.c for the rule.
 */
#ifndef _HOLON_LEASE_H
#define _HOLON_LEASE_H

#include <linux/holon_view.h>

/* Heartbeats that an echo may be about: enough for the shortest interval. */
#define LEASE_STAMPS	256

/* No end: nobody else has a say. */
#define LEASE_FOREVER	U64_MAX

struct lease_lender {
	u64 at;
	u8 node;
};

/**
 * struct view_lease - what the members have lent this node
 * @stamp: of our last heartbeats: what was written into them, and when
 * @next_stamp: place of the next one
 * @lender: by node: @proof, a moment at or after which it had voted for no
 *	successor of our view; @latest, the same of any view with an epoch of
 *	@from or more. 0: never
 * @scratch: of lease_end()
 */
struct view_lease {
	struct {
		u64 value, at;
	} stamp[LEASE_STAMPS];
	unsigned int next_stamp;
	struct {
		u64 proof, latest, from;
	} lender[HOLON_NODE_IDS];
	struct lease_lender scratch[HOLON_NODE_IDS];
};

/* A heartbeat with this stamp, which is not 0, leaves at @now. */
void lease_stamp(struct view_lease *lease, u64 stamp, u64 now);

/**
 * lease_hear - a heartbeat came
 * @lease: ours
 * @node: from whom
 * @epoch: of our view, 0: none
 * @theirs: epoch of the sender's view, 0: none; untrusted
 * @lends: the sender has voted for no successor of that view
 * @echo: stamp of ours that it has received before it sent this; untrusted
 */
void lease_hear(struct view_lease *lease, u8 node, u64 epoch, u64 theirs, bool lends, u64 echo);

/* Until @now this node itself has voted for no successor of its view. */
void lease_self(struct view_lease *lease, u8 me, u64 now);

/* A new life of a node has lent us nothing. */
void lease_forget(struct view_lease *lease, u8 node);

/* A view with this epoch is installed: what was lent is kept as far as it holds. */
void lease_install(struct view_lease *lease, u64 epoch);

/**
 * lease_end - until when may this node act?
 * @lease: ours
 * @view: installed
 * @dead: members that do not count
 * @length: of a lease, from the moment that is proved
 *
 * Return: the moment, which may be past; 0 when too few have ever lent;
 * LEASE_FOREVER when this node is the only voter.
 */
u64 lease_end(struct view_lease *lease, const struct holon_view *view, const unsigned long *dead,
	      u64 length);

#endif /* _HOLON_LEASE_H */
