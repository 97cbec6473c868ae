// SPDX-License-Identifier: GPL-2.0-only
/*
 * From one view to the next.
 *
 *	P -> members	PREPARE(e+1, b, V_e)	what may have been chosen already?
 *	member -> P	PROMISE(e+1, b, accepted, hears)	or NACK, or COMMIT of a newer view
 *	P -> members	ACCEPT(e+1, b, S)
 *	member -> P	ACCEPTED(e+1, b)	or NACK
 *	P -> S		COMMIT(S); to members that are not in S: EVICTED(S)
 *	member -> C	STEP_DONE(installed)
 *	C -> S		STEP(i), answered by STEP_DONE(i), for each stage
 *	C -> S		STEP(resume)
 *
 * P is whoever finds a reason to change the view and no lower member that would
 * do it; several at a time are safe (paxos.c). C, who leads the barrier, is P,
 * or the lowest member if P is not in S. When anybody dies on the way the next
 * view change begins; nothing here waits.
 *
 * PREPARE carries V_e, so that a member that missed its COMMIT can vote.
 * Founding a cluster is the same with a V_0 that the founders bind themselves
 * to (join.c): there all of them must promise before anything is proposed,
 * so that no founder can be bound to two sets.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/kernel.h>
#include <linux/random.h>

#include "fence.h"
#include "freeze.h"
#include "membership.h"
#include "view.h"

static bool is_member(const struct holon_view *view, u8 id)
{
	struct view_node *node = view_nodes[id];

	if (!view)
		return false;
	if (id == mship.me.id)
		return view->incarnation[id] == mship.me.incarnation;
	return node && view->incarnation[id] && view->incarnation[id] == node->up_incarnation;
}

static void send_commit(u8 to, const struct holon_view *view, u8 coordinator)
{
	view_send(to, is_member(view, to) ? VIEW_MSG_COMMIT : VIEW_MSG_EVICTED, view->epoch,
		  (struct holon_ballot){}, NULL, 0, view, coordinator);
}

/* A member that jumps to the last round would leave none for the others. */
#define ROUNDS_AT_ONCE	0x10000

static bool ballot_of(u8 from, struct holon_ballot ballot)
{
	return ballot.node == from && ballot.round &&
	       ballot.round <= mship.max_round + ROUNDS_AT_ONCE;
}

static void see_round(struct holon_ballot ballot)
{
	if (ballot.round <= mship.max_round + ROUNDS_AT_ONCE)
		mship.max_round = max(mship.max_round, ballot.round);
}

static void back_off(void)
{
	paxos_proposer_reset(&mship.proposer);
	mship.backoff_until = view_now() + detector_rank() * view_hb_ms +
			   get_random_u32_inclusive(view_hb_ms / 4, view_hb_ms);
}

/* --- as an acceptor ------------------------------------------------------- */

static void voted(void)
{
	mship.vote_at = view_now();
	/* Somebody is at it: our own reasons to do it can wait. */
	mship.work_since = 0;
	view_set_steady(false);
}

static bool same_members(const struct holon_view *a, const struct holon_view *b)
{
	return !memcmp(a->incarnation, b->incarnation, sizeof(a->incarnation));
}

/*
 * Is this a proposal on top of our view, by one of its members? Brings us up to
 * date, and the proposer.
 */
static bool votable(u8 from, const struct view_msg *msg, const struct holon_view *previous)
{
	if (mship.view && msg->epoch <= mship.view->epoch) {
		send_commit(from, mship.view, mship.coordinator);
		return false;
	}
	if (previous && previous->epoch) {
		if (!mship.view || !uuid_equal(&previous->cluster_uuid, &mship.view->cluster_uuid))
			return false;
		if (previous->epoch > mship.view->epoch) {
			if (!is_member(previous, mship.me.id)) {
				view_put_out(previous);
				return false;
			}
			view_install(previous, test_bit(from, previous->members) ? from : 0);
		}
	} else if (previous && !mship.basis) {
		if (join_bind(previous))
			return false;
	}
	if (!mship.basis || msg->epoch != mship.basis->epoch + 1 || !is_member(mship.basis, from))
		return false;
	return !previous || same_members(previous, mship.basis);
}

static void send_nack(u8 to, u64 epoch)
{
	view_send(to, VIEW_MSG_NACK, epoch, mship.acceptor.promised, NULL, 0, NULL, 0);
}

static void on_prepare(u8 from, const struct view_msg *msg)
{
	DECLARE_BITMAP(hears, HOLON_NODE_IDS);
	struct wire_promise promise = {};

	if (!ballot_of(from, msg->ballot) || !votable(from, msg, msg->view))
		return;
	see_round(msg->ballot);
	if (!paxos_promise(&mship.acceptor, msg->ballot)) {
		send_nack(from, msg->epoch);
		return;
	}
	voted();
	promise.round = cpu_to_le32(mship.acceptor.accepted.round);
	promise.proposer = mship.acceptor.accepted.node;
	detector_hears(hears);
	wire_bitmap_encode(promise.hears, hears);
	view_send(from, VIEW_MSG_PROMISE, msg->epoch, msg->ballot, &promise, sizeof(promise),
		  mship.acceptor.value, 0);
}

static void on_accept(u8 from, const struct view_msg *msg)
{
	if (!ballot_of(from, msg->ballot) || !votable(from, msg, NULL))
		return;
	see_round(msg->ballot);
	if (!paxos_accept(&mship.acceptor, msg->ballot, msg->view)) {
		send_nack(from, msg->epoch);
		return;
	}
	voted();
	view_send(from, VIEW_MSG_ACCEPTED, msg->epoch, msg->ballot, NULL, 0, NULL, 0);
}

/* --- as a proposer -------------------------------------------------------- */

static void begin(void)
{
	DECLARE_BITMAP(suspected, HOLON_NODE_IDS);
	struct holon_ballot ballot = { .round = ++mship.max_round, .node = mship.me.id };
	unsigned int id;

	view_fault(VIEW_FAULT_SUSPECT);
	paxos_begin(&mship.proposer, mship.basis, mship.dead, ballot);
	mship.attempt_at = view_now();
	view_set_steady(false);
	detector_suspected(suspected);
	pr_debug("proposing view %llu, round %u\n", mship.basis->epoch + 1, ballot.round);
	for_each_set_bit(id, mship.basis->members, HOLON_NODE_IDS)
		if (!test_bit(id, suspected))
			view_send(id, VIEW_MSG_PREPARE, mship.basis->epoch + 1, ballot, NULL, 0,
				  mship.basis, 0);
	view_fault(VIEW_FAULT_PREPARE);
}

static const unsigned long *hears_of(u8 id, void *arg)
{
	return id == mship.me.id ? arg : view_nodes[id]->hears;
}

static bool is_leaver(u8 id)
{
	if (id == mship.me.id)
		return mship.state == HOLON_NODE_LEAVING;
	return view_nodes[id] && view_nodes[id]->leaver;
}

static struct holon_view *founding_view(void)
{
	struct holon_view *view;

	if (!bitmap_equal(mship.proposer.promised, mship.basis->members, HOLON_NODE_IDS))
		return NULL;
	view = holon_view_alloc();
	if (!view)
		return NULL;
	view->count = mship.basis->count;
	bitmap_copy(view->members, mship.basis->members, HOLON_NODE_IDS);
	memcpy(view->incarnation, mship.basis->incarnation, sizeof(view->incarnation));
	memcpy(view->uuid, mship.basis->uuid, sizeof(view->uuid));
	uuid_gen(&view->cluster_uuid);
	view->epoch = 1;
	return view;
}

/*
 * What we would like the next view to be: a clique of those who promised and
 * want to stay, with the joiners that all of them can talk to. NULL when that
 * is no quorum of the previous view.
 */
static struct holon_view *wanted_view(void)
{
	DECLARE_BITMAP(set, HOLON_NODE_IDS);
	DECLARE_BITMAP(joiners, HOLON_NODE_IDS);
	DECLARE_BITMAP(hears, HOLON_NODE_IDS);
	DECLARE_BITMAP(voters, HOLON_NODE_IDS);
	struct holon_view *view;
	unsigned int id;

	if (!mship.basis->epoch)
		return founding_view();
	detector_hears(hears);
	bitmap_copy(set, mship.proposer.promised, HOLON_NODE_IDS);
	bitmap_zero(voters, HOLON_NODE_IDS);
	for_each_set_bit(id, mship.proposer.promised, HOLON_NODE_IDS)
		if (is_leaver(id)) {
			__clear_bit(id, set);
			__set_bit(id, voters);
		}
	/* It is not asked whether it agrees. */
	if (mship.evicting)
		__clear_bit(mship.evicting, set);
	holon_clique(set, hears_of, hears);
	/* The last two cannot both leave at once: somebody has to be left to tell. */
	if (bitmap_empty(set, HOLON_NODE_IDS))
		__set_bit(mship.me.id, set);
	bitmap_or(voters, voters, set, HOLON_NODE_IDS);
	if (!holon_view_quorum(mship.basis, voters, mship.dead))
		return NULL;
	join_ready(joiners, set);
	bitmap_or(set, set, joiners, HOLON_NODE_IDS);
	holon_clique(set, hears_of, hears);

	view = holon_view_alloc();
	if (!view)
		return NULL;
	view->cluster_uuid = mship.basis->cluster_uuid;
	view->epoch = mship.basis->epoch + 1;
	view->evicted = mship.evicting;
	for_each_set_bit(id, set, HOLON_NODE_IDS) {
		if (test_bit(id, mship.basis->members))
			holon_view_add(view, id, mship.basis->incarnation[id],
				       &mship.basis->uuid[id]);
		else
			holon_view_add(view, id, view_nodes[id]->up_incarnation,
				       &view_nodes[id]->ident.uuid);
	}
	return view;
}

/* Enough promises? Then propose. */
static void try_propose(void)
{
	DECLARE_BITMAP(suspected, HOLON_NODE_IDS);
	DECLARE_BITMAP(waiting, HOLON_NODE_IDS);
	struct holon_view *wish = NULL;
	const struct holon_view *value;
	unsigned int id;

	if (!paxos_readable(&mship.proposer))
		return;
	detector_suspected(suspected);
	bitmap_andnot(waiting, mship.basis->members, mship.proposer.promised, HOLON_NODE_IDS);
	bitmap_andnot(waiting, waiting, suspected, HOLON_NODE_IDS);
	/* Whoever lives answers, or is suspected in the end: leave nobody out in haste. */
	if (!bitmap_empty(waiting, HOLON_NODE_IDS) &&
	    view_now() - mship.attempt_at < 2 * view_fd_ms)
		return;
	view_fault(VIEW_FAULT_PROMISE);
	if (!mship.proposer.value) {
		wish = wanted_view();
		if (!wish) {
			pr_debug("no quorum for view %llu\n", mship.basis->epoch + 1);
			back_off();
			return;
		}
	}
	value = paxos_propose(&mship.proposer, wish);
	if (wish)
		holon_view_put(wish);
	mship.attempt_at = view_now();
	for_each_set_bit(id, mship.basis->members, HOLON_NODE_IDS)
		if (!test_bit(id, suspected))
			view_send(id, VIEW_MSG_ACCEPT, value->epoch, mship.proposer.ballot, NULL, 0,
				  value, 0);
	view_fault(VIEW_FAULT_ACCEPT);
}

static void on_promise(u8 from, const struct view_msg *msg)
{
	struct holon_ballot accepted = {
		.round = le32_to_cpu(msg->promise->round),
		.node = msg->promise->proposer,
	};

	if (!mship.basis || msg->epoch != mship.basis->epoch + 1 || !is_member(mship.basis, from))
		return;
	if (!paxos_promised(&mship.proposer, from, msg->ballot, accepted, msg->view))
		return;
	bitmap_copy(view_nodes[from]->hears, msg->hears, HOLON_NODE_IDS);
	try_propose();
}

static void on_nack(u8 from, const struct view_msg *msg)
{
	if (!mship.basis || msg->epoch != mship.basis->epoch + 1 || !is_member(mship.basis, from))
		return;
	see_round(msg->ballot);
	if (mship.proposer.phase != PAXOS_IDLE &&
	    holon_ballot_cmp(msg->ballot, mship.proposer.ballot) > 0)
		back_off();
}

static void chosen(void)
{
	const struct holon_view *view = mship.proposer.value;
	DECLARE_BITMAP(tell, HOLON_NODE_IDS);
	unsigned int id, sent = 0;
	u8 coordinator;

	refcount_inc(&((struct holon_view *)view)->ref);
	view_fault(VIEW_FAULT_ACCEPTED);
	coordinator = is_member(view, mship.me.id) ? mship.me.id :
		      find_first_bit(view->members, HOLON_NODE_IDS);
	bitmap_or(tell, view->members, mship.basis->members, HOLON_NODE_IDS);
	__clear_bit(mship.me.id, tell);
	for_each_set_bit(id, tell, HOLON_NODE_IDS) {
		if (sent++ == 1)
			view_fault(VIEW_FAULT_COMMIT);
		send_commit(id, view, coordinator);
	}
	if (is_member(view, mship.me.id))
		view_install(view, coordinator);
	else
		view_put_out(view);
	holon_view_put(view);
}

static void on_accepted(u8 from, const struct view_msg *msg)
{
	if (!mship.basis || msg->epoch != mship.basis->epoch + 1 || !is_member(mship.basis, from))
		return;
	if (paxos_accepted(&mship.proposer, from, msg->ballot))
		chosen();
}

/* --- as a member ---------------------------------------------------------- */

static void on_commit(u8 from, const struct view_msg *msg)
{
	const struct holon_view *view = msg->view;

	if (!is_member(view, from) && !is_member(mship.basis, from))
		return;
	if (mship.view) {
		if (!uuid_equal(&view->cluster_uuid, &mship.view->cluster_uuid) ||
		    view->epoch <= mship.view->epoch)
			return;
		if (!is_member(view, mship.me.id)) {
			view_put_out(view);
			return;
		}
	} else if (mship.state != HOLON_NODE_JOINING || !is_member(view, mship.me.id) ||
		   !(mship.basis || uuid_equal(&view->cluster_uuid, &mship.target))) {
		return;
	}
	view_install(view, msg->coordinator ?: test_bit(from, view->members) ? from : 0);
}

static void on_suspect(u8 from, const struct view_msg *msg)
{
	DECLARE_BITMAP(set, HOLON_NODE_IDS);

	if (!mship.view || msg->epoch != mship.view->epoch || !is_member(mship.view, from))
		return;
	bitmap_and(set, msg->hears, mship.view->members, HOLON_NODE_IDS);
	__clear_bit(mship.me.id, set);
	bitmap_or(mship.reported, mship.reported, set, HOLON_NODE_IDS);
}

/* --- the barrier ---------------------------------------------------------- */

static void resume(void)
{
	mship.resumed = true;
	view_set_steady(!mship.acceptor.promised.round);
	pr_info("view %llu: %u member%s %*pbl, resumed\n", mship.view->epoch, mship.view->count,
		mship.view->count == 1 ? "" : "s", HOLON_NODE_IDS, mship.view->members);
	view_notify(HOLON_VIEW_EVENT_RESUMED, 0);
}

/* Go on with the stages that have been ordered. */
static void follow(void)
{
	if (!mship.view || mship.resumed || mship.stage_running)
		return;
	if (mship.order >= VIEW_STAGE_STEP(0))
		view_set_ready(mship.view->members);
	if (mship.order == VIEW_STAGE_RESUME && mship.done == VIEW_STAGE_LAST)
		resume();
	else if (mship.order > mship.done)
		view_run_stage(mship.done + 1);
}

static void send_stage(u8 to, u16 type, u8 stage)
{
	struct wire_step step = { .stage = stage };

	view_send(to, type, mship.view->epoch, (struct holon_ballot){}, &step, sizeof(step),
		  NULL, 0);
}

/* As the leader: order the next stage when everybody has ended the last one. */
static void lead(void)
{
	unsigned int id, sent = 0;

	if (!mship.view || mship.resumed || mship.coordinator != mship.me.id ||
	    mship.order == VIEW_STAGE_RESUME || mship.done < mship.order)
		return;
	for_each_set_bit(id, mship.view->members, HOLON_NODE_IDS)
		if (id != mship.me.id && view_nodes[id]->done < mship.order)
			return;
	if (mship.order == VIEW_STAGE_INSTALLED)
		view_fault(VIEW_FAULT_INSTALL);
	if (mship.order == VIEW_STAGE_STEP(HOLON_VIEW_RPC))
		view_fault(VIEW_FAULT_FLUSH);
	if (mship.order == VIEW_STAGE_STEP(HOLON_VIEW_FILES))
		view_fault(VIEW_FAULT_STEP);
	mship.order++;
	for_each_set_bit(id, mship.view->members, HOLON_NODE_IDS) {
		if (id == mship.me.id)
			continue;
		if (mship.order == VIEW_STAGE_RESUME && sent++ == 1)
			view_fault(VIEW_FAULT_RESUME);
		send_stage(id, VIEW_MSG_STEP, mship.order);
	}
}

void change_stage_done(void)
{
	mship.done++;
	if (mship.coordinator != mship.me.id)
		send_stage(mship.coordinator, VIEW_MSG_STEP_DONE, mship.done);
	/* A single member goes through all stages from here. */
	lead();
	follow();
}

void change_progress(u8 from, u8 done, u8 order)
{
	if (!is_member(mship.view, from))
		return;
	if (done <= VIEW_STAGE_LAST)
		view_nodes[from]->done = max(view_nodes[from]->done, done);
	if (from == mship.coordinator && order <= VIEW_STAGE_RESUME)
		mship.order = max(mship.order, order);
	lead();
	follow();
}

static void on_step(u8 from, const struct view_msg *msg)
{
	if (!mship.view || msg->epoch != mship.view->epoch)
		return;
	if (msg->type == VIEW_MSG_STEP)
		change_progress(from, 0, msg->step->stage);
	else
		change_progress(from, msg->step->stage, 0);
}

/* --- what is due ---------------------------------------------------------- */

/* Whom we do not hear is told to the members that should do something about it. */
static void tell_suspected(const unsigned long *suspected)
{
	u8 wire[HOLON_NODE_IDS / 8];
	unsigned int id;

	if (bitmap_empty(suspected, HOLON_NODE_IDS) || !mship.view) {
		bitmap_zero(mship.told, HOLON_NODE_IDS);
		return;
	}
	if (bitmap_equal(suspected, mship.told, HOLON_NODE_IDS) &&
	    view_now() - mship.told_at < view_fd_ms)
		return;
	if (!bitmap_equal(suspected, mship.told, HOLON_NODE_IDS))
		pr_info("view %llu: suspecting %*pbl\n", mship.view->epoch, HOLON_NODE_IDS,
			suspected);
	bitmap_copy(mship.told, suspected, HOLON_NODE_IDS);
	mship.told_at = view_now();
	wire_bitmap_encode(wire, suspected);
	for_each_set_bit(id, mship.view->members, HOLON_NODE_IDS)
		if (id != mship.me.id && !test_bit(id, suspected))
			view_send(id, VIEW_MSG_SUSPECT, mship.view->epoch, (struct holon_ballot){},
				  wire, sizeof(wire), NULL, 0);
}

static bool work_to_do(const unsigned long *suspected, const unsigned long *present)
{
	DECLARE_BITMAP(joiners, HOLON_NODE_IDS);
	unsigned int id;

	if (!mship.basis->epoch || mship.evicting || !bitmap_empty(suspected, HOLON_NODE_IDS) ||
	    !bitmap_empty(mship.reported, HOLON_NODE_IDS))
		return true;
	for_each_set_bit(id, present, HOLON_NODE_IDS)
		if (is_leaver(id))
			return true;
	join_ready(joiners, present);
	if (!bitmap_empty(joiners, HOLON_NODE_IDS))
		return true;
	/* Somebody began and does not go on. */
	return mship.acceptor.promised.round && view_now() - mship.vote_at > 2 * view_fd_ms;
}

void change_poll(void)
{
	DECLARE_BITMAP(suspected, HOLON_NODE_IDS);
	DECLARE_BITMAP(present, HOLON_NODE_IDS);
	unsigned int delay, rank;
	u64 now = view_now();
	bool quorum;

	if (!mship.basis)
		return;
	detector_suspected(suspected);
	bitmap_andnot(present, mship.basis->members, suspected, HOLON_NODE_IDS);
	quorum = holon_view_quorum(mship.basis, present, mship.dead);
	fence_missing(suspected, quorum);
	tell_suspected(suspected);
	freeze_poll(quorum);
	lead();
	follow();

	if (mship.proposer.phase != PAXOS_IDLE) {
		try_propose();
		if (mship.proposer.phase != PAXOS_IDLE && now - mship.attempt_at > 3 * view_fd_ms)
			back_off();
		return;
	}
	if (!quorum || !work_to_do(suspected, present)) {
		mship.work_since = 0;
		return;
	}
	if (!mship.work_since)
		mship.work_since = now;
	/* Nobody else knows of an eviction. */
	rank = mship.evicting ? 0 : detector_rank();
	/* One heartbeat of time, so that what happened at once is changed at once. */
	delay = view_hb_ms + (rank ? view_fd_ms + rank * view_hb_ms : 0);
	if (is_leaver(mship.me.id) && mship.basis->count > 1)
		delay += view_fd_ms;
	if (now - mship.work_since >= delay && now >= mship.backoff_until)
		begin();
}

void change_message(u8 from, const struct view_msg *msg)
{
	switch (msg->type) {
	case VIEW_MSG_SUSPECT:
		on_suspect(from, msg);
		break;
	case VIEW_MSG_PREPARE:
		on_prepare(from, msg);
		break;
	case VIEW_MSG_PROMISE:
		on_promise(from, msg);
		break;
	case VIEW_MSG_NACK:
		on_nack(from, msg);
		break;
	case VIEW_MSG_ACCEPT:
		on_accept(from, msg);
		break;
	case VIEW_MSG_ACCEPTED:
		on_accepted(from, msg);
		break;
	case VIEW_MSG_COMMIT:
	case VIEW_MSG_EVICTED:
		on_commit(from, msg);
		break;
	case VIEW_MSG_STEP:
	case VIEW_MSG_STEP_DONE:
		on_step(from, msg);
		break;
	}
}
