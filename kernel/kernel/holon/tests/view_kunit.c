// SPDX-License-Identifier: GPL-2.0-only
/*
 * Membership: agreement under loss and crashes, leases, the state machine, messages.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "../lease.h"
#include "../paxos.h"
#include "../view_fsm.h"
#include "../view_wire.h"

static void put_view(void *view)
{
	holon_view_put(view);
}

/* A view of the nodes of a mask: bit n is node n. Freed with the test. */
static struct holon_view *make_view(struct kunit *test, u64 epoch, unsigned long mask)
{
	struct holon_view *view = holon_view_alloc();
	unsigned int id;

	KUNIT_ASSERT_NOT_NULL(test, view);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, put_view, view), 0);
	view->epoch = epoch;
	uuid_gen(&view->cluster_uuid);
	for_each_set_bit(id, &mask, BITS_PER_LONG) {
		uuid_t uuid;

		uuid_gen(&uuid);
		holon_view_add(view, id, 1000 + id, &uuid);
	}
	return view;
}

static const unsigned long nobody[BITS_TO_LONGS(HOLON_NODE_IDS)];

static bool quorum(const struct holon_view *view, unsigned long mask)
{
	DECLARE_BITMAP(set, HOLON_NODE_IDS) = { mask };

	return holon_view_quorum(view, set, nobody);
}

static void quorums_intersect(struct kunit *test)
{
	unsigned int n, a, b;

	for (n = 1; n <= 6; n++) {
		struct holon_view *view = make_view(test, 1, GENMASK(n, 1));

		for (a = 0; a < 1 << n; a++)
			for (b = 0; b < 1 << n; b++)
				if (!(a & b))
					KUNIT_EXPECT_FALSE(test, quorum(view, a << 1) &&
							   quorum(view, b << 1));
		KUNIT_EXPECT_TRUE(test, quorum(view, GENMASK(n, 1)));
	}
}

static void half_needs_the_lowest(struct kunit *test)
{
	struct holon_view *view = make_view(test, 1, BIT(2) | BIT(5) | BIT(7) | BIT(9));

	KUNIT_EXPECT_TRUE(test, quorum(view, BIT(2) | BIT(9)));
	KUNIT_EXPECT_FALSE(test, quorum(view, BIT(5) | BIT(9)));
	KUNIT_EXPECT_TRUE(test, quorum(view, BIT(5) | BIT(7) | BIT(9)));
	KUNIT_EXPECT_FALSE(test, quorum(view, BIT(2)));
	/* Others do not count. */
	KUNIT_EXPECT_FALSE(test, quorum(view, BIT(2) | BIT(1) | BIT(3) | BIT(4)));
}

static void dead_members_do_not_count(struct kunit *test)
{
	struct holon_view *view = make_view(test, 1, GENMASK(5, 1));
	DECLARE_BITMAP(dead, HOLON_NODE_IDS) = { BIT(1) | BIT(2) | BIT(3) };
	DECLARE_BITMAP(both, HOLON_NODE_IDS) = { BIT(4) | BIT(5) };
	DECLARE_BITMAP(higher, HOLON_NODE_IDS) = { BIT(5) | BIT(1) | BIT(2) };

	KUNIT_EXPECT_FALSE(test, holon_view_quorum(view, both, nobody));
	KUNIT_EXPECT_TRUE(test, holon_view_quorum(view, both, dead));
	/* Whatever the dead seem to say; of those that are left 4 is the lowest. */
	KUNIT_EXPECT_FALSE(test, holon_view_quorum(view, higher, dead));
	__set_bit(4, dead);
	__set_bit(5, dead);
	KUNIT_EXPECT_FALSE(test, holon_view_quorum(view, both, dead));
}

/* --- leases --------------------------------------------------------------- */

#define LENGTH	1000

/* Of node 1, in view 5 of 1, 2 and 3; stamps 101.. were sent at 10001.. */
static struct view_lease *make_lease(struct kunit *test)
{
	struct view_lease *lease = kunit_kzalloc(test, sizeof(*lease), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, lease);
	for (i = 1; i <= 50; i++)
		lease_stamp(lease, 100 + i, 10000 + i);
	return lease;
}

static void a_quorum_of_lenders(struct kunit *test)
{
	struct holon_view *view = make_view(test, 5, GENMASK(3, 1));
	struct holon_view *four = make_view(test, 5, GENMASK(4, 1));
	struct view_lease *lease = make_lease(test);

	KUNIT_EXPECT_EQ(test, lease_end(lease, view, nobody, LENGTH), 0);
	lease_self(lease, 1, 10050);
	KUNIT_EXPECT_EQ(test, lease_end(lease, view, nobody, LENGTH), 0);
	/* It ends a lease after the stamp was sent, whenever the echo comes. */
	lease_hear(lease, 2, 5, 5, true, 120);
	KUNIT_EXPECT_EQ(test, lease_end(lease, view, nobody, LENGTH), 10020 + LENGTH);
	/* One more than needed: the later counts. */
	lease_hear(lease, 3, 5, 5, true, 130);
	KUNIT_EXPECT_EQ(test, lease_end(lease, view, nobody, LENGTH), 10030 + LENGTH);
	/* An echo that comes late takes nothing away. */
	lease_hear(lease, 3, 5, 5, true, 110);
	KUNIT_EXPECT_EQ(test, lease_end(lease, view, nobody, LENGTH), 10030 + LENGTH);
	/* Of four two are enough with the lowest. */
	KUNIT_EXPECT_EQ(test, lease_end(lease, four, nobody, LENGTH), 10030 + LENGTH);
	lease_forget(lease, 1);
	KUNIT_EXPECT_EQ(test, lease_end(lease, four, nobody, LENGTH), 0);
	/* We ourselves are no more than one of them. */
	KUNIT_EXPECT_EQ(test, lease_end(lease, view, nobody, LENGTH), 10020 + LENGTH);
}

static void alone_one_needs_no_lease(struct kunit *test)
{
	DECLARE_BITMAP(dead, HOLON_NODE_IDS) = { BIT(2) | BIT(3) };
	struct view_lease *lease = make_lease(test);

	KUNIT_EXPECT_EQ(test, lease_end(lease, make_view(test, 5, BIT(1)), nobody, LENGTH),
			LEASE_FOREVER);
	KUNIT_EXPECT_EQ(test, lease_end(lease, make_view(test, 5, GENMASK(3, 1)), dead, LENGTH),
			LEASE_FOREVER);
}

static void only_our_own_stamps_count(struct kunit *test)
{
	struct holon_view *view = make_view(test, 5, GENMASK(3, 1));
	struct view_lease *lease = make_lease(test);
	unsigned int i;

	lease_self(lease, 1, 10050);
	lease_hear(lease, 2, 5, 5, true, 151);		/* not sent yet */
	lease_hear(lease, 2, 5, 5, true, U64_MAX);
	lease_hear(lease, 2, 5, 5, true, 0);		/* none, and what unused places hold */
	lease_hear(lease, 2, 5, 5, true, 100);
	KUNIT_EXPECT_EQ(test, lease_end(lease, view, nobody, LENGTH), 0);
	for (i = 0; i < LEASE_STAMPS; i++)
		lease_stamp(lease, 1000 + i, 20000 + i);
	lease_hear(lease, 2, 5, 5, true, 150);		/* forgotten */
	KUNIT_EXPECT_EQ(test, lease_end(lease, view, nobody, LENGTH), 0);
	lease_hear(lease, 2, 5, 5, true, 1000);		/* the oldest */
	KUNIT_EXPECT_EQ(test, lease_end(lease, view, nobody, 100000), 10050 + 100000);
	lease_self(lease, 1, 30000);
	KUNIT_EXPECT_EQ(test, lease_end(lease, view, nobody, LENGTH), 20000 + LENGTH);
}

static void a_vote_ends_the_lending(struct kunit *test)
{
	struct holon_view *view = make_view(test, 5, GENMASK(3, 1));
	struct view_lease *lease = make_lease(test);

	lease_self(lease, 1, 10050);
	lease_hear(lease, 2, 5, 5, true, 120);
	lease_hear(lease, 2, 5, 5, false, 140);
	KUNIT_EXPECT_EQ(test, lease_end(lease, view, nobody, LENGTH), 10020 + LENGTH);
	/* Nor does one that has gone on lend in our view. */
	lease_hear(lease, 3, 5, 6, true, 140);
	lease_hear(lease, 3, 5, U64_MAX, false, 140);
	KUNIT_EXPECT_EQ(test, lease_end(lease, view, nobody, LENGTH), 10020 + LENGTH);
	/* One that is behind cannot have voted for what comes after our view. */
	lease_hear(lease, 3, 5, 4, false, 130);
	KUNIT_EXPECT_EQ(test, lease_end(lease, view, nobody, LENGTH), 10030 + LENGTH);
}

/* Who has not voted behind view 5 has not voted behind view 6. */
static void leases_outlive_a_view_change(struct kunit *test)
{
	struct holon_view *next = make_view(test, 6, GENMASK(4, 1));
	struct view_lease *lease = make_lease(test);

	lease_self(lease, 1, 10050);
	lease_hear(lease, 2, 5, 5, true, 120);
	lease_hear(lease, 2, 5, 5, false, 130);	/* votes for 6, so not yet behind 6 */
	lease_hear(lease, 3, 5, 6, true, 125);	/* is in 6 before us */
	lease_hear(lease, 4, 5, 6, false, 140);	/* votes behind 6 already */
	lease_install(lease, 6);
	lease_self(lease, 1, 10050);
	KUNIT_EXPECT_EQ(test, lease_end(lease, next, nobody, LENGTH), 10030 + LENGTH);
	lease_forget(lease, 2);
	KUNIT_EXPECT_EQ(test, lease_end(lease, next, nobody, LENGTH), 10025 + LENGTH);
	lease_forget(lease, 3);
	KUNIT_EXPECT_EQ(test, lease_end(lease, next, nobody, LENGTH), 0);
	/* A joiner has heard the members before it was one. */
	lease_hear(lease, 2, 0, 5, true, 150);
	lease_hear(lease, 3, 0, 5, false, 150);
	lease_install(lease, 6);
	KUNIT_EXPECT_EQ(test, lease_end(lease, next, nobody, LENGTH), 10050 + LENGTH);
}

/* --- agreement ------------------------------------------------------------ */

/*
 * Nodes 1..n decide on one epoch. Messages lie in a bag and are delivered in any
 * order, more than once, or never; nodes begin an attempt, or die, at any time.
 * A node that dies stays dead: its next life is no acceptor of this epoch.
 */

enum sim_type { SIM_PREPARE, SIM_PROMISE, SIM_ACCEPT, SIM_ACCEPTED };

struct sim_msg {
	enum sim_type type;
	u8 from, to;
	struct holon_ballot ballot, accepted;
	const struct holon_view *value;
};

#define SIM_NODES	4
#define SIM_BAG		64
#define SIM_VOTES	256

struct sim {
	struct rnd_state rnd;
	unsigned int n, messages;
	const struct holon_view *basis;
	struct paxos_acceptor acceptor[SIM_NODES + 1];
	struct paxos_proposer proposer[SIM_NODES + 1];
	const struct holon_view *wish[SIM_NODES + 1];
	bool dead[SIM_NODES + 1];
	u32 round;
	struct sim_msg bag[SIM_BAG];
	/* Every acceptance that ever happened, as an onlooker sees it. */
	struct {
		struct holon_ballot ballot;
		const struct holon_view *value;
		u8 node;
	} votes[SIM_VOTES];
	unsigned int nvotes;
	const struct holon_view *chosen;
	unsigned int times_chosen;
};

static u32 sim_random(struct sim *sim, u32 below)
{
	return prandom_u32_state(&sim->rnd) % below;
}

static void sim_send(struct sim *sim, struct sim_msg msg)
{
	unsigned int slot = sim->messages < SIM_BAG ? sim->messages++ : sim_random(sim, SIM_BAG);

	/* A full bag loses one. */
	sim->bag[slot] = msg;
}

static void sim_send_all(struct sim *sim, struct sim_msg msg)
{
	for (msg.to = 1; msg.to <= sim->n; msg.to++)
		sim_send(sim, msg);
}

/* An acceptance happened: does it make a quorum under one ballot? */
static void sim_vote(struct kunit *test, struct sim *sim, struct sim_msg *msg, u8 node)
{
	DECLARE_BITMAP(set, HOLON_NODE_IDS) = {};
	unsigned int i;

	if (sim->nvotes == SIM_VOTES)
		return;
	sim->votes[sim->nvotes].ballot = msg->ballot;
	sim->votes[sim->nvotes].value = msg->value;
	sim->votes[sim->nvotes++].node = node;
	for (i = 0; i < sim->nvotes; i++)
		if (!holon_ballot_cmp(sim->votes[i].ballot, msg->ballot)) {
			KUNIT_ASSERT_PTR_EQ(test, sim->votes[i].value, msg->value);
			__set_bit(sim->votes[i].node, set);
		}
	if (!holon_view_quorum(sim->basis, set, nobody))
		return;
	if (sim->chosen)
		KUNIT_ASSERT_PTR_EQ_MSG(test, sim->chosen, msg->value, "two views of one epoch");
	sim->chosen = msg->value;
	sim->times_chosen++;
}

static void sim_deliver(struct kunit *test, struct sim *sim, struct sim_msg msg)
{
	struct paxos_acceptor *acceptor = &sim->acceptor[msg.to];
	struct paxos_proposer *proposer = &sim->proposer[msg.to];
	struct sim_msg answer = { .from = msg.to, .to = msg.from, .ballot = msg.ballot };

	if (sim->dead[msg.to])
		return;
	switch (msg.type) {
	case SIM_PREPARE:
		if (!paxos_promise(acceptor, msg.ballot))
			return;
		answer.type = SIM_PROMISE;
		answer.accepted = acceptor->accepted;
		answer.value = acceptor->value;
		sim_send(sim, answer);
		return;
	case SIM_PROMISE:
		paxos_promised(proposer, msg.from, msg.ballot, msg.accepted, msg.value);
		return;
	case SIM_ACCEPT:
		if (!paxos_accept(acceptor, msg.ballot, msg.value))
			return;
		sim_vote(test, sim, &msg, msg.to);
		answer.type = SIM_ACCEPTED;
		sim_send(sim, answer);
		return;
	case SIM_ACCEPTED:
		if (paxos_accepted(proposer, msg.from, msg.ballot))
			KUNIT_ASSERT_PTR_EQ(test, proposer->value, sim->chosen);
		return;
	}
}

/* Nodes other than these never get a say: @die of them, at any time. */
static void sim_run(struct kunit *test, struct sim *sim, unsigned int steps, unsigned int die)
{
	unsigned int step;

	for (step = 0; step < steps; step++) {
		u8 node = 1 + sim_random(sim, sim->n);
		struct paxos_proposer *proposer = &sim->proposer[node];
		u32 what = sim_random(sim, 100);

		if (what < 4 && !sim->dead[node]) {
			struct sim_msg prepare = { .type = SIM_PREPARE, .from = node };

			/* Sometimes the round of somebody else. */
			sim->round += !sim->round || sim_random(sim, 2);
			prepare.ballot.round = sim->round;
			prepare.ballot.node = node;
			/* A round is used once by a node. */
			if (proposer->ballot.round >= prepare.ballot.round)
				continue;
			paxos_begin(proposer, sim->basis, nobody, prepare.ballot);
			sim_send_all(sim, prepare);
		} else if (what < 20 && !sim->dead[node] && paxos_readable(proposer)) {
			struct sim_msg accept = { .type = SIM_ACCEPT, .from = node };

			accept.ballot = proposer->ballot;
			accept.value = paxos_propose(proposer, sim->wish[node]);
			sim_send_all(sim, accept);
		} else if (what < 21 && die) {
			die -= !sim->dead[node];
			sim->dead[node] = true;
		} else if (sim->messages) {
			u32 slot = sim_random(sim, sim->messages);
			struct sim_msg msg = sim->bag[slot];

			/* One in eight stays and comes again, one in eight is lost. */
			if (sim_random(sim, 8))
				sim->bag[slot] = sim->bag[--sim->messages];
			if (sim_random(sim, 8))
				sim_deliver(test, sim, msg);
		}
	}
}

static void at_most_one_view_is_chosen(struct kunit *test)
{
	struct sim *sim = kunit_kzalloc(test, sizeof(*sim), GFP_KERNEL);
	unsigned int seed, i, chosen = 0;

	KUNIT_ASSERT_NOT_NULL(test, sim);
	for (i = 1; i <= SIM_NODES; i++)
		sim->wish[i] = make_view(test, 2, BIT(i));
	for (seed = 0; seed < 3000; seed++) {
		static const struct holon_view *basis[2];

		if (!seed) {
			basis[0] = make_view(test, 1, GENMASK(3, 1));
			basis[1] = make_view(test, 1, GENMASK(4, 1));
		}
		prandom_seed_state(&sim->rnd, seed);
		sim->n = 3 + seed % 2;
		sim->basis = basis[seed % 2];
		sim->messages = 0;
		sim->nvotes = 0;
		sim->round = 0;
		sim->chosen = NULL;
		memset(sim->dead, 0, sizeof(sim->dead));
		sim_run(test, sim, 400, seed % 3);
		chosen += !!sim->chosen;
		for (i = 1; i <= SIM_NODES; i++) {
			paxos_acceptor_reset(&sim->acceptor[i]);
			paxos_proposer_reset(&sim->proposer[i]);
		}
		if (!(seed % 100))
			cond_resched();
	}
	/* The run says something only if views were chosen, often by several attempts. */
	KUNIT_EXPECT_GT(test, chosen, 1000);
	KUNIT_EXPECT_GT(test, sim->times_chosen, 2 * chosen);
}

/*
 * V7 = {1,2,3}. The link 1-3 breaks; 1 gets {1,2} accepted by itself and 2, and
 * knows. Before 2 learns it, the link 1-2 breaks; 2 would like {2,3}. With a
 * two-phase commit both would go on.
 */
static void a_cut_coordinator_does_not_split(struct kunit *test)
{
	struct holon_view *v7 = make_view(test, 7, BIT(1) | BIT(2) | BIT(3));
	struct holon_view *v12 = make_view(test, 8, BIT(1) | BIT(2));
	struct holon_view *v23 = make_view(test, 8, BIT(2) | BIT(3));
	struct holon_ballot b1 = { 1, 1 }, b2 = { 2, 2 }, none = {};
	struct paxos_acceptor acceptor[4] = {};
	struct paxos_proposer one = {}, two = {};
	int i;

	paxos_begin(&one, v7, nobody, b1);
	for (i = 1; i <= 2; i++) {
		KUNIT_ASSERT_TRUE(test, paxos_promise(&acceptor[i], b1));
		KUNIT_ASSERT_TRUE(test, paxos_promised(&one, i, b1, none, NULL));
	}
	KUNIT_ASSERT_TRUE(test, paxos_readable(&one));
	KUNIT_ASSERT_PTR_EQ(test, paxos_propose(&one, v12), v12);
	KUNIT_ASSERT_TRUE(test, paxos_accept(&acceptor[1], b1, v12));
	KUNIT_ASSERT_TRUE(test, paxos_accept(&acceptor[2], b1, v12));
	KUNIT_ASSERT_FALSE(test, paxos_accepted(&one, 1, b1));
	KUNIT_ASSERT_TRUE(test, paxos_accepted(&one, 2, b1));

	paxos_begin(&two, v7, nobody, b2);
	for (i = 2; i <= 3; i++) {
		KUNIT_ASSERT_TRUE(test, paxos_promise(&acceptor[i], b2));
		KUNIT_ASSERT_TRUE(test, paxos_promised(&two, i, b2, acceptor[i].accepted,
						       acceptor[i].value));
	}
	KUNIT_ASSERT_TRUE(test, paxos_readable(&two));
	KUNIT_EXPECT_PTR_EQ(test, paxos_propose(&two, v23), v12);

	/* Then 2 stands alone in V8, and only 1 may go on. */
	KUNIT_EXPECT_FALSE(test, quorum(v12, BIT(2)));
	KUNIT_EXPECT_TRUE(test, quorum(v12, BIT(1)));
	for (i = 1; i <= 3; i++)
		paxos_acceptor_reset(&acceptor[i]);
	paxos_proposer_reset(&one);
	paxos_proposer_reset(&two);
}

static void old_ballots_lose(struct kunit *test)
{
	struct holon_view *view = make_view(test, 1, BIT(1) | BIT(2));
	struct paxos_acceptor acceptor = {};
	struct holon_ballot low = { 3, 1 }, high = { 3, 2 };

	KUNIT_EXPECT_TRUE(test, paxos_promise(&acceptor, high));
	KUNIT_EXPECT_TRUE(test, paxos_promise(&acceptor, high));
	KUNIT_EXPECT_FALSE(test, paxos_promise(&acceptor, low));
	KUNIT_EXPECT_FALSE(test, paxos_accept(&acceptor, low, view));
	KUNIT_EXPECT_NULL(test, acceptor.value);
	KUNIT_EXPECT_TRUE(test, paxos_accept(&acceptor, high, view));
	KUNIT_EXPECT_PTR_EQ(test, acceptor.value, (const struct holon_view *)view);
	paxos_acceptor_reset(&acceptor);
}

/* --- cliques -------------------------------------------------------------- */

static unsigned long links[8];

static const unsigned long *link_of(u8 node, void *arg)
{
	return (unsigned long *)arg + node * BITS_TO_LONGS(HOLON_NODE_IDS);
}

static unsigned long clique(struct kunit *test, unsigned long nodes)
{
	unsigned long *hears = kunit_kzalloc(test, 8 * BITS_TO_LONGS(HOLON_NODE_IDS) * sizeof(long),
					     GFP_KERNEL);
	DECLARE_BITMAP(set, HOLON_NODE_IDS) = { nodes };
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, hears);
	for (i = 0; i < 8; i++)
		hears[i * BITS_TO_LONGS(HOLON_NODE_IDS)] = links[i];
	holon_clique(set, link_of, hears);
	return set[0];
}

static void link(unsigned int a, unsigned int b, bool on)
{
	__assign_bit(b, &links[a], on);
	__assign_bit(a, &links[b], on);
}

static void cut_nodes_go(struct kunit *test)
{
	unsigned int a, b;

	for (a = 1; a < 6; a++)
		for (b = 1; b < 6; b++)
			link(a, b, true);
	KUNIT_EXPECT_EQ(test, clique(test, 0x1e), 0x1eUL);
	/* 2 and 3 do not see each other, 1 sees both: the higher goes */
	link(2, 3, false);
	KUNIT_EXPECT_EQ(test, clique(test, 0xe), 0x6UL);
	/* who misses most goes first */
	link(2, 4, false);
	KUNIT_EXPECT_EQ(test, clique(test, 0x1e), 0x1aUL);
	link(2, 3, true);
	link(2, 4, true);
	/* one direction is not enough */
	__clear_bit(4, &links[1]);
	KUNIT_EXPECT_EQ(test, clique(test, 0x1e), 0xeUL);
}

/* --- the state machine ---------------------------------------------------- */

static const struct {
	enum holon_node_state from;
	enum view_fsm_event event;
	enum holon_node_state to;
} legal[] = {
	{ HOLON_NODE_OFF, VIEW_ID_SET, HOLON_NODE_ALONE },
	{ HOLON_NODE_ALONE, VIEW_JOIN, HOLON_NODE_JOINING },
	{ HOLON_NODE_JOINING, VIEW_COMMIT_IN, HOLON_NODE_MEMBER },
	{ HOLON_NODE_JOINING, VIEW_COMMIT_OUT, HOLON_NODE_GONE },
	{ HOLON_NODE_JOINING, VIEW_REFUSED, HOLON_NODE_ALONE },
	{ HOLON_NODE_JOINING, VIEW_CANCEL, HOLON_NODE_ALONE },
	{ HOLON_NODE_MEMBER, VIEW_COMMIT_IN, HOLON_NODE_MEMBER },
	{ HOLON_NODE_MEMBER, VIEW_COMMIT_OUT, HOLON_NODE_GONE },
	{ HOLON_NODE_MEMBER, VIEW_LEAVE, HOLON_NODE_LEAVING },
	{ HOLON_NODE_MEMBER, VIEW_NO_QUORUM, HOLON_NODE_FROZEN },
	{ HOLON_NODE_FROZEN, VIEW_COMMIT_IN, HOLON_NODE_MEMBER },
	{ HOLON_NODE_FROZEN, VIEW_COMMIT_OUT, HOLON_NODE_GONE },
	{ HOLON_NODE_FROZEN, VIEW_QUORUM, HOLON_NODE_MEMBER },
	{ HOLON_NODE_LEAVING, VIEW_COMMIT_IN, HOLON_NODE_LEAVING },
	{ HOLON_NODE_LEAVING, VIEW_COMMIT_OUT, HOLON_NODE_GONE },
	{ HOLON_NODE_LEAVING, VIEW_CANCEL, HOLON_NODE_MEMBER },
	{ HOLON_NODE_LEAVING, VIEW_NO_QUORUM, HOLON_NODE_FROZEN },
	{ HOLON_NODE_GONE, VIEW_REBORN, HOLON_NODE_ALONE },
};

static void every_state_and_event(struct kunit *test)
{
	unsigned int state, event, i;

	for (state = 0; state < HOLON_NODE_STATES; state++)
		for (event = 0; event < VIEW_FSM_EVENTS; event++) {
			int want = -EINVAL;

			for (i = 0; i < ARRAY_SIZE(legal); i++)
				if (legal[i].from == state && legal[i].event == event)
					want = legal[i].to;
			KUNIT_EXPECT_EQ_MSG(test, view_fsm_next(state, event), want,
					    "state %u event %u", state, event);
		}
	KUNIT_EXPECT_EQ(test, view_fsm_next(HOLON_NODE_STATES, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, view_fsm_next(0, VIEW_FSM_EVENTS), -EINVAL);
}

/* Nobody keeps a view across a new life: "member" is left to "gone" before "alone". */
static void alone_only_through_gone(struct kunit *test)
{
	unsigned int state, event;

	for (state = HOLON_NODE_MEMBER; state <= HOLON_NODE_LEAVING; state++)
		for (event = 0; event < VIEW_FSM_EVENTS; event++)
			KUNIT_EXPECT_NE(test, view_fsm_next(state, event), HOLON_NODE_ALONE);
}

/* --- messages ------------------------------------------------------------- */

#define MSG_MAX		4096

/* A well-formed message of a type; returns its length. */
static size_t make_msg(struct kunit *test, u8 *buffer, u16 type)
{
	struct wire_view_head *head = (void *)buffer;
	u8 *body = buffer + sizeof(*head);
	struct holon_view *view = make_view(test, 4, BIT(1) | BIT(3) | BIT(60));
	size_t len = 0;

	memset(buffer, 0, MSG_MAX);
	export_uuid(head->cluster_uuid, &view->cluster_uuid);
	head->epoch = cpu_to_le64(4);
	head->round = cpu_to_le32(9);
	head->proposer = 3;
	switch (type) {
	case VIEW_MSG_HB:
		len = sizeof(struct wire_hb);
		break;
	case VIEW_MSG_SUSPECT:
		len = HOLON_NODE_IDS / 8;
		break;
	case VIEW_MSG_JOIN_REQ:
		len = sizeof(struct wire_join);
		break;
	case VIEW_MSG_JOIN_NO:
		len = strscpy(body, "no", 3);
		break;
	case VIEW_MSG_PREPARE:
		head->epoch = cpu_to_le64(5);
		fallthrough;
	case VIEW_MSG_JOIN_WAIT:
	case VIEW_MSG_ACCEPT:
	case VIEW_MSG_COMMIT:
	case VIEW_MSG_EVICTED:
		wire_view_encode((void *)body, view, 3, NULL);
		len = wire_view_len(view);
		break;
	case VIEW_MSG_PROMISE:
		((struct wire_promise *)body)->round = cpu_to_le32(2);
		len = sizeof(struct wire_promise) + wire_view_len(view);
		wire_view_encode((void *)body + sizeof(struct wire_promise), view, 0, NULL);
		break;
	case VIEW_MSG_STEP:
	case VIEW_MSG_STEP_DONE:
		len = sizeof(struct wire_step);
		break;
	}
	return sizeof(*head) + len;
}

static int decode(struct kunit *test, const u8 *data, u16 type, size_t len)
{
	/* Of exactly this size, so that KFENCE and KASAN see a read beyond it. */
	u8 *copy = kmemdup(data, len, GFP_KERNEL);
	struct view_msg msg;
	int err;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	err = view_msg_decode(&msg, type, copy, len);
	if (!err)
		view_msg_release(&msg);
	kfree(copy);
	return err;
}

static void messages_have_one_length(struct kunit *test)
{
	u8 *buffer = kunit_kzalloc(test, MSG_MAX, GFP_KERNEL);
	size_t len, cut;
	u16 type;

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	for (type = VIEW_MSG_HB; type < VIEW_MSG_END; type++) {
		len = make_msg(test, buffer, type);
		KUNIT_EXPECT_EQ_MSG(test, decode(test, buffer, type, len), 0, "%s",
				    view_msg_name(type));
		/* A text is as long as it is. */
		if (type == VIEW_MSG_JOIN_NO)
			continue;
		for (cut = 1; cut < len; cut++)
			KUNIT_EXPECT_EQ_MSG(test, decode(test, buffer, type, cut), -EBADMSG,
					    "%s of %zu", view_msg_name(type), cut);
		KUNIT_EXPECT_EQ_MSG(test, decode(test, buffer, type, len + 1), -EBADMSG, "%s",
				    view_msg_name(type));
	}
	len = make_msg(test, buffer, VIEW_MSG_JOIN_NO);
	KUNIT_EXPECT_EQ(test, decode(test, buffer, VIEW_MSG_JOIN_NO,
				     sizeof(struct wire_view_head) + HOLON_REASON_MAX), -EBADMSG);
	KUNIT_EXPECT_EQ(test, decode(test, buffer, VIEW_MSG_END, len), -EBADMSG);
}

static void views_are_checked(struct kunit *test)
{
	u8 *buffer = kunit_kzalloc(test, MSG_MAX, GFP_KERNEL);
	struct wire_view_head *head = (void *)buffer;
	struct wire_view *wire = (void *)(head + 1);
	size_t len;

	KUNIT_ASSERT_NOT_NULL(test, buffer);
#define REFUSED(change) do {							\
	len = make_msg(test, buffer, VIEW_MSG_COMMIT);				\
	change;									\
	KUNIT_EXPECT_EQ_MSG(test, decode(test, buffer, VIEW_MSG_COMMIT, len), -EBADMSG, #change); \
} while (0)
	REFUSED(wire->count = 0);
	REFUSED(wire->count = cpu_to_le16(2));
	REFUSED(wire->count = cpu_to_le16(0xffff));
	REFUSED(wire->member[0].id = 0);
	REFUSED(wire->member[1].id = 1);
	REFUSED(wire->member[2].id = 2);
	REFUSED(wire->member[1].incarnation = 0);
	REFUSED(wire->coordinator = 2);
	REFUSED(wire->evicted = 3);
	REFUSED(wire->epoch = cpu_to_le64(5));
#undef REFUSED
}

static void a_view_survives_the_wire(struct kunit *test)
{
	struct holon_view *view = make_view(test, 77, BIT(2) | BIT(8) | BIT(63));
	u8 *buffer = kunit_kzalloc(test, MSG_MAX, GFP_KERNEL);
	struct wire_view_head *head = (void *)buffer;
	struct view_msg msg;
	unsigned int id;

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	head->epoch = cpu_to_le64(77);
	view->evicted = 9;
	wire_view_encode((void *)(head + 1), view, 8, NULL);
	KUNIT_ASSERT_EQ(test, view_msg_decode(&msg, VIEW_MSG_COMMIT, buffer,
					      sizeof(*head) + wire_view_len(view)), 0);
	KUNIT_EXPECT_EQ(test, msg.coordinator, 8);
	KUNIT_EXPECT_EQ(test, msg.view->epoch, 77ULL);
	KUNIT_EXPECT_EQ(test, msg.view->count, 3U);
	KUNIT_EXPECT_EQ(test, msg.view->evicted, 9);
	KUNIT_EXPECT_TRUE(test, uuid_equal(&msg.view->cluster_uuid, &view->cluster_uuid));
	KUNIT_EXPECT_MEMEQ(test, msg.view->incarnation, view->incarnation,
			   sizeof(view->incarnation));
	for (id = 0; id < HOLON_NODE_IDS; id++)
		KUNIT_EXPECT_TRUE(test, uuid_equal(&msg.view->uuid[id], &view->uuid[id]));
	view_msg_release(&msg);
}

static void random_bytes_are_harmless(struct kunit *test)
{
	u8 *buffer = kunit_kzalloc(test, MSG_MAX, GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int i, flips;
	size_t len;
	u16 type;

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	prandom_seed_state(&rnd, 5);
	for (type = VIEW_MSG_HB; type < VIEW_MSG_END; type++) {
		for (i = 0; i < 300; i++) {
			if (!(i % 50))
				len = make_msg(test, buffer, type);
			for (flips = 1 + i % 8; flips; flips--)
				buffer[prandom_u32_state(&rnd) % len] ^= prandom_u32_state(&rnd);
			decode(test, buffer, type, len);
			prandom_bytes_state(&rnd, buffer + len, 64);
			decode(test, buffer, type, 1 + prandom_u32_state(&rnd) % (len + 64));
		}
	}
}

static struct kunit_case view_cases[] = {
	KUNIT_CASE(quorums_intersect),
	KUNIT_CASE(half_needs_the_lowest),
	KUNIT_CASE(dead_members_do_not_count),
	KUNIT_CASE(a_quorum_of_lenders),
	KUNIT_CASE(alone_one_needs_no_lease),
	KUNIT_CASE(only_our_own_stamps_count),
	KUNIT_CASE(a_vote_ends_the_lending),
	KUNIT_CASE(leases_outlive_a_view_change),
	KUNIT_CASE_SLOW(at_most_one_view_is_chosen),
	KUNIT_CASE(a_cut_coordinator_does_not_split),
	KUNIT_CASE(old_ballots_lose),
	KUNIT_CASE(cut_nodes_go),
	KUNIT_CASE(every_state_and_event),
	KUNIT_CASE(alone_only_through_gone),
	KUNIT_CASE(messages_have_one_length),
	KUNIT_CASE(views_are_checked),
	KUNIT_CASE(a_view_survives_the_wire),
	KUNIT_CASE(random_bytes_are_harmless),
	{}
};

static struct kunit_suite view_suite = {
	.name = "holon_view",
	.test_cases = view_cases,
};

kunit_test_suite(view_suite);

MODULE_DESCRIPTION("KUnit tests of Holon's membership");
MODULE_LICENSE("GPL");
