/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Agreement on the next view: single-decree Paxos, as plain logic without
 * messages, clocks or locks. The caller serialises.
 */
#ifndef _HOLON_PAXOS_H
#define _HOLON_PAXOS_H

#include <linux/holon_view.h>

/* Compared as a pair; round 0 is below every proposal. */
struct holon_ballot {
	u32 round;
	u8 node;
};

static inline int holon_ballot_cmp(struct holon_ballot a, struct holon_ballot b)
{
	if (a.round != b.round)
		return a.round < b.round ? -1 : 1;
	return (a.node > b.node) - (a.node < b.node);
}

/**
 * struct paxos_acceptor - the vote of one (node, incarnation) in one epoch
 * @promised: nothing below it will be accepted
 * @accepted: ballot of the last acceptance, round 0 when there was none
 * @value: what was accepted; a reference is held
 */
struct paxos_acceptor {
	struct holon_ballot promised;
	struct holon_ballot accepted;
	const struct holon_view *value;
};

enum paxos_phase {
	PAXOS_IDLE,
	PAXOS_PREPARE,	/* reading: what may have been chosen already? */
	PAXOS_ACCEPT,	/* writing */
};

/**
 * struct paxos_proposer - one attempt to get a value chosen
 * @phase: see above
 * @ballot: of this attempt
 * @basis: the previous view; its members are the acceptors. Not referenced
 * @dead: acceptors that do not count
 * @promised: who has promised
 * @accepted: who has accepted
 * @best: highest ballot under which a promiser had accepted something
 * @value: before PAXOS_ACCEPT what was accepted under @best, or NULL; then
 *	what is being proposed. A reference is held
 */
struct paxos_proposer {
	enum paxos_phase phase;
	struct holon_ballot ballot;
	const struct holon_view *basis;
	DECLARE_BITMAP(dead, HOLON_NODE_IDS);
	DECLARE_BITMAP(promised, HOLON_NODE_IDS);
	DECLARE_BITMAP(accepted, HOLON_NODE_IDS);
	struct holon_ballot best;
	const struct holon_view *value;
};

/**
 * holon_view_quorum - is a set of nodes a quorum of a view?
 * @view: whose members count
 * @set: bitmap; ids that are no members are ignored
 * @dead: members that do not count, because they are certainly switched off and
 *	will never vote again (holon.quorum=one)
 *
 * More than half, or exactly half with the lowest id. Any two quorums of one
 * view with the same @dead intersect.
 */
bool holon_view_quorum(const struct holon_view *view, const unsigned long *set,
		       const unsigned long *dead);

/* Forget everything: the next epoch has begun. */
void paxos_acceptor_reset(struct paxos_acceptor *acceptor);

/**
 * paxos_promise - a proposer asks what was accepted
 * Return: true when the promise is given; false: a higher one stands.
 */
bool paxos_promise(struct paxos_acceptor *acceptor, struct holon_ballot ballot);

/**
 * paxos_accept - a proposer asks to accept
 * Return: true when @value is now accepted; false: a higher promise stands.
 */
bool paxos_accept(struct paxos_acceptor *acceptor, struct holon_ballot ballot,
		  const struct holon_view *value);

/* Give up the attempt, if there is one. */
void paxos_proposer_reset(struct paxos_proposer *proposer);

/* Begin an attempt: phase PAXOS_PREPARE. */
void paxos_begin(struct paxos_proposer *proposer, const struct holon_view *basis,
		 const unsigned long *dead, struct holon_ballot ballot);

/**
 * paxos_promised - a promise arrived
 * @proposer: in any phase
 * @node: from whom
 * @ballot: what was promised
 * @accepted: under which ballot @node had accepted something before
 * @value: what; NULL for nothing
 *
 * Return: true when it counts for this attempt.
 */
bool paxos_promised(struct paxos_proposer *proposer, u8 node, struct holon_ballot ballot,
		    struct holon_ballot accepted, const struct holon_view *value);

/* Has a quorum promised? */
bool paxos_readable(const struct paxos_proposer *proposer);

/**
 * paxos_propose - go on to PAXOS_ACCEPT
 * @proposer: in PAXOS_PREPARE with a quorum of promises
 * @wish: proposed when nothing was accepted before by the promisers; a value
 *	that may have been chosen is finished unchanged instead
 *
 * Return: what is proposed.
 */
const struct holon_view *paxos_propose(struct paxos_proposer *proposer,
				       const struct holon_view *wish);

/**
 * paxos_accepted - an acceptance arrived
 *
 * Return: true when @proposer->value is chosen, by this or earlier answers.
 */
bool paxos_accepted(struct paxos_proposer *proposer, u8 node, struct holon_ballot ballot);

/**
 * holon_clique - reduce a set until everybody in it hears everybody
 * @set: in and out
 * @hears: one bitmap of HOLON_NODE_IDS bits per id; needed for members of @set
 *
 * An edge needs both directions. Removed is, one after the other, the node
 * with most missing edges, the higher id of equals.
 */
void holon_clique(unsigned long *set, const unsigned long *(*hears)(u8 node, void *arg), void *arg);

#endif /* _HOLON_PAXOS_H */
