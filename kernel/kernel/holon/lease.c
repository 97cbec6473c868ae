// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leases.
 *
 * Members that cannot be reached may choose the next view, without us. We must
 * have stopped before they take over what we did, and no message can be relied
 * on to tell us. So a node acts in its view V_e only as long as it can be sure
 * that V_e+1 was not chosen more than a lease ago:
 *
 *	Every heartbeat says whether its sender y "lends": y has accepted no value
 *	for the epoch behind its own. It echoes the last stamp of ours that y had.
 *	So when we sent that stamp, or later, y had not voted for a successor of
 *	V_e; nor had it when it is still in an earlier view than we.
 *	We are leased until T_lease after the moment s that is such that members
 *	with a proof of s or later, this node included, are a quorum of V_e.
 *
 * A successor of V_e is chosen by a quorum, which shares an acceptor with that
 * one; the vote of that acceptor, so the choice at time t, came after s. So at
 * t + T_lease the lease has ended, however late messages are. Whoever installs
 * V_e+1 does that after t, and waits for T_lease, and a little for the difference
 * of the clocks, before it takes over what those did that are not in it (fence.c).
 *
 * A vote for any successor ends the lending, also for one that has us in it: we
 * might not hear that it was chosen, and those in it may go on from there to a
 * view without us. So a view change that takes longer than a lease stops
 * everybody for the rest of it.
 *
 * Proofs are kept over the installation of a view: who has not voted for a
 * successor of V_e has not voted for one of V_e+1. They belong to a life of the
 * lender. Only the clock of this node counts, from the sending of a stamp on; an
 * echo is looked up among the stamps that were sent, so it cannot be invented.
 */
#include <linux/minmax.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "lease.h"
#include "paxos.h"

void lease_stamp(struct view_lease *lease, u64 stamp, u64 now)
{
	unsigned int slot = lease->next_stamp;

	lease->stamp[slot].value = stamp;
	lease->stamp[slot].at = now;
	lease->next_stamp = (slot + 1) % LEASE_STAMPS;
}

/* When was this stamp sent? 0: not by us, or long ago. */
static u64 sent_at(const struct view_lease *lease, u64 stamp)
{
	unsigned int i, slot = lease->next_stamp;

	if (!stamp)
		return 0;
	/* The newest first: it is one of these. */
	for (i = 0; i < LEASE_STAMPS; i++) {
		slot = (slot ?: LEASE_STAMPS) - 1;
		if (lease->stamp[slot].value == stamp)
			return lease->stamp[slot].at;
	}
	return 0;
}

void lease_hear(struct view_lease *lease, u8 node, u64 epoch, u64 theirs, bool lends, u64 echo)
{
	u64 at = sent_at(lease, echo), from = lends ? theirs : theirs + 1;

	if (!at || from < theirs)
		return;
	if (from <= epoch)
		lease->lender[node].proof = max(lease->lender[node].proof, at);
	lease->lender[node].latest = max(lease->lender[node].latest, at);
	lease->lender[node].from = max(lease->lender[node].from, from);
}

void lease_self(struct view_lease *lease, u8 me, u64 now)
{
	lease->lender[me].proof = now;
}

void lease_forget(struct view_lease *lease, u8 node)
{
	memset(&lease->lender[node], 0, sizeof(lease->lender[node]));
}

void lease_install(struct view_lease *lease, u64 epoch)
{
	unsigned int node;

	for (node = 1; node < HOLON_NODE_IDS; node++)
		if (lease->lender[node].from <= epoch)
			lease->lender[node].proof = max(lease->lender[node].proof,
							lease->lender[node].latest);
}

static int later_first(const void *a, const void *b)
{
	const struct lease_lender *left = a, *right = b;

	return (left->at < right->at) - (left->at > right->at);
}

u64 lease_end(struct view_lease *lease, const struct holon_view *view, const unsigned long *dead,
	      u64 length)
{
	DECLARE_BITMAP(voters, HOLON_NODE_IDS);
	DECLARE_BITMAP(set, HOLON_NODE_IDS) = {};
	unsigned int node, count = 0, i;

	bitmap_andnot(voters, view->members, dead, HOLON_NODE_IDS);
	for_each_set_bit(node, voters, HOLON_NODE_IDS) {
		lease->scratch[count].at = lease->lender[node].proof;
		lease->scratch[count++].node = node;
	}
	if (count == 1)
		return LEASE_FOREVER;
	sort(lease->scratch, count, sizeof(lease->scratch[0]), later_first, NULL);
	for (i = 0; i < count && lease->scratch[i].at; i++) {
		__set_bit(lease->scratch[i].node, set);
		if (holon_view_quorum(view, set, dead))
			return lease->scratch[i].at + length;
	}
	return 0;
}
