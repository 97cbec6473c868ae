// SPDX-License-Identifier: GPL-2.0-only
/*
 * Agreement on the next view.
 *
 * Views form a chain: the members of view e, each as (id, incarnation), are the
 * acceptors that decide, once, what view e+1 is. A vote lives in memory only.
 * That is enough because a node that restarts, or that was evicted, comes back
 * with another incarnation and is no acceptor of the old view any more.
 *
 * At most one view is chosen per epoch: a value is chosen when a quorum has
 * accepted it under one ballot; a proposer with a higher ballot first reads a
 * quorum; the two quorums share an acceptor, which either reports the value or
 * has promised before it could accept it. A proposer that reads an accepted
 * value finishes that one and keeps its own wish for the next epoch.
 */
#include <linux/bitmap.h>

#include "paxos.h"

bool holon_view_quorum(const struct holon_view *view, const unsigned long *set,
		       const unsigned long *dead)
{
	DECLARE_BITMAP(voters, HOLON_NODE_IDS);
	unsigned int have, count;

	bitmap_andnot(voters, view->members, dead, HOLON_NODE_IDS);
	count = bitmap_weight(voters, HOLON_NODE_IDS);
	have = bitmap_weight_and(voters, set, HOLON_NODE_IDS);
	if (2 * have != count)
		return 2 * have > count;
	return have && test_bit(find_first_bit(voters, HOLON_NODE_IDS), set);
}

static void put_value(const struct holon_view **value)
{
	if (*value)
		holon_view_put(*value);
	*value = NULL;
}

static void set_value(const struct holon_view **slot, const struct holon_view *value)
{
	refcount_inc(&((struct holon_view *)value)->ref);
	put_value(slot);
	*slot = value;
}

void paxos_acceptor_reset(struct paxos_acceptor *acceptor)
{
	put_value(&acceptor->value);
	memset(acceptor, 0, sizeof(*acceptor));
}

bool paxos_promise(struct paxos_acceptor *acceptor, struct holon_ballot ballot)
{
	/* An equal ballot is the same proposer asking again. */
	if (holon_ballot_cmp(ballot, acceptor->promised) < 0)
		return false;
	acceptor->promised = ballot;
	return true;
}

bool paxos_accept(struct paxos_acceptor *acceptor, struct holon_ballot ballot,
		  const struct holon_view *value)
{
	if (holon_ballot_cmp(ballot, acceptor->promised) < 0)
		return false;
	acceptor->promised = ballot;
	acceptor->accepted = ballot;
	set_value(&acceptor->value, value);
	return true;
}

void paxos_proposer_reset(struct paxos_proposer *proposer)
{
	put_value(&proposer->value);
	memset(proposer, 0, sizeof(*proposer));
}

void paxos_begin(struct paxos_proposer *proposer, const struct holon_view *basis,
		 const unsigned long *dead, struct holon_ballot ballot)
{
	paxos_proposer_reset(proposer);
	proposer->phase = PAXOS_PREPARE;
	proposer->ballot = ballot;
	proposer->basis = basis;
	bitmap_copy(proposer->dead, dead, HOLON_NODE_IDS);
}

bool paxos_promised(struct paxos_proposer *proposer, u8 node, struct holon_ballot ballot,
		    struct holon_ballot accepted, const struct holon_view *value)
{
	if (proposer->phase != PAXOS_PREPARE || holon_ballot_cmp(ballot, proposer->ballot) ||
	    !test_bit(node, proposer->basis->members))
		return false;
	__set_bit(node, proposer->promised);
	if (value && holon_ballot_cmp(accepted, proposer->best) > 0) {
		proposer->best = accepted;
		set_value(&proposer->value, value);
	}
	return true;
}

bool paxos_readable(const struct paxos_proposer *proposer)
{
	return proposer->phase == PAXOS_PREPARE &&
	       holon_view_quorum(proposer->basis, proposer->promised, proposer->dead);
}

const struct holon_view *paxos_propose(struct paxos_proposer *proposer,
				       const struct holon_view *wish)
{
	if (!proposer->value)
		set_value(&proposer->value, wish);
	proposer->phase = PAXOS_ACCEPT;
	return proposer->value;
}

bool paxos_accepted(struct paxos_proposer *proposer, u8 node, struct holon_ballot ballot)
{
	if (proposer->phase != PAXOS_ACCEPT || holon_ballot_cmp(ballot, proposer->ballot) ||
	    !test_bit(node, proposer->basis->members))
		return false;
	__set_bit(node, proposer->accepted);
	return holon_view_quorum(proposer->basis, proposer->accepted, proposer->dead);
}

void holon_clique(unsigned long *set, const unsigned long *(*hears)(u8 node, void *arg), void *arg)
{
	for (;;) {
		unsigned int a, b, missing, worst = 0, most = 0;

		for_each_set_bit(a, set, HOLON_NODE_IDS) {
			missing = 0;
			for_each_set_bit(b, set, HOLON_NODE_IDS) {
				if (a == b)
					continue;
				if (!test_bit(b, hears(a, arg)) || !test_bit(a, hears(b, arg)))
					missing++;
			}
			if (missing && missing >= most) {
				most = missing;
				worst = a;
			}
		}
		if (!most)
			return;
		__clear_bit(worst, set);
	}
}
