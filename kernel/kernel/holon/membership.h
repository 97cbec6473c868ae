/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State of the membership protocol, shared by membership.c (thread, upcalls,
 * installing views), change.c (agreement and barrier), detector.c (heartbeats),
 * join.c (formation, join, leave), freeze.c and fence.c (who may act).
 *
 * Everything here belongs to the view thread, an ordered workqueue, and needs
 * no lock, except what is marked
 *  F: written by the view thread under facts_lock, read by anybody under it
 *  A: atomic
 *
 * Times are milliseconds of "running time" (mship.clock, detector.c): it does not
 * advance while this machine is stopped, so that a stopped machine does not
 * find that all the others have died.
 */
#ifndef _HOLON_MEMBERSHIP_H
#define _HOLON_MEMBERSHIP_H

#include <linux/holon_transport.h>
#include <linux/spinlock.h>

#include "lease.h"
#include "paxos.h"
#include "view_fsm.h"
#include "view_wire.h"

/* Stages of the barrier: 1 is "installed", then one per subscriber priority. */
#define VIEW_STAGE_INSTALLED	1
#define VIEW_STAGE_STEP(prio)	((prio) + 2)
#define VIEW_STAGE_LAST		VIEW_STAGE_STEP(HOLON_VIEW_PRIOS - 1)
#define VIEW_STAGE_RESUME	(VIEW_STAGE_LAST + 1)

/**
 * struct view_node - what is known of a node
 * @ident: F: of its life heard last; id 0 when never
 * @addr: F: family 0 when unknown
 * @state: F: as it said last
 * @expect: F: its holon.expect
 * @cluster_uuid: F: as it said last
 * @epoch: F: as it said last
 * @refused: F: last reason of a refusal, either way
 * @up: F: all lanes are up, to @up_incarnation
 * @up_incarnation: F
 * @gone_incarnation: F: a life that was removed from our cluster
 * @gone_uuid: F: of its machine
 * @fenced: F: that life does certainly not act any more
 * @fence: F: what became of the last fence command for this node
 * @rtt_ns: F: round trip of a heartbeat
 * @clock_offset_ns: F: its CLOCK_MONOTONIC minus ours
 * @heard: A: when the last frame arrived
 * @queued: A: frames of it that wait for the view thread
 * @seen: A: wall of running time of the last hello
 * @hears: as it said last
 * @lease_ns: length of its lease, as it said last
 * @fenced_at: CLOCK_BOOTTIME at which the lease of @gone_incarnation is over
 * @off_incarnation: the fence command said that it is off
 * @stamp: of its last heartbeat, its clock
 * @stamp_at: when that arrived, CLOCK_MONOTONIC
 * @joiner: has asked to join, in the life @up_incarnation
 * @leaver: has asked to leave
 * @deaf: it said in our epoch that it does not hear us
 * @done: stage of the barrier of our epoch that it has ended
 * @refused_logged: when @refused was last printed, 0: never
 * @linger_until: close its lanes then; 0: no
 */
struct view_node {
	struct holon_ident ident;
	struct sockaddr_storage addr;
	enum holon_node_state state;
	u8 expect;
	uuid_t cluster_uuid;
	u64 epoch;
	char refused[HOLON_REASON_MAX];
	bool up;
	u64 up_incarnation;
	u64 gone_incarnation;
	uuid_t gone_uuid;
	bool fenced;
	char fence[HOLON_FENCE_MAX];
	u64 rtt_ns;
	s64 clock_offset_ns;
	atomic64_t heard;
	atomic64_t seen;
	atomic_t queued;

	DECLARE_BITMAP(hears, HOLON_NODE_IDS);
	u64 lease_ns, fenced_at, off_incarnation;
	u64 stamp, stamp_at;
	bool joiner, leaver, deaf;
	u8 done;
	u64 refused_logged;
	u64 linger_until;
};

/**
 * struct membership
 * @me: F: identity of this life
 * @name: F: of the cluster, empty when not configured
 * @expect: form a cluster when so many are there; 0: do not
 * @enabled: be in a cluster: listen, join what is heard
 * @started: the transport runs
 * @retry_start_at: try again then
 * @state: F (view.c has the copy for others)
 * @basis: the view whose members are the acceptors: the installed one; the
 *	founding set, with epoch 0, while a cluster is being formed; or NULL
 * @view: installed, or NULL
 * @coordinator: F: who leads the barrier of @view
 * @done: stage that has ended here
 * @order: stage that was ordered
 * @stage_running: the step worker is busy; its end comes as an event
 * @resumed: the barrier of @view has ended
 * @broken: members of @basis that are dead for certain (lanes broken, a newer life)
 * @dead: members of @basis that are off and do not count as voters (fence.c)
 * @reported: members that another member suspects
 * @told: what we have told the others that we suspect
 * @told_at: when
 * @acceptor: our vote on basis->epoch + 1
 * @vote_at: when we last promised or accepted
 * @proposer: our attempt
 * @attempt_at: when it began
 * @work_since: since when there is a reason to change the view; 0: none
 * @backoff_until: no attempt before
 * @max_round: highest round seen
 * @lease: what the members have lent us
 * @evicting: member that the administrator wants out, 0: none
 * @evicting_incarnation: of it
 * @target: cluster we are joining
 * @join_since: since when
 * @join_again_at: ask again then
 * @no_join_until: after a refusal
 * @clock: A: running time, ms
 */
struct membership {
	struct holon_ident me;
	char name[HOLON_CLUSTER_NAME_MAX];
	unsigned int expect;
	bool enabled, started;
	u64 retry_start_at;
	enum holon_node_state state;

	const struct holon_view *basis, *view;
	u8 coordinator;
	u8 done, order;
	bool stage_running, resumed;

	DECLARE_BITMAP(broken, HOLON_NODE_IDS);
	DECLARE_BITMAP(dead, HOLON_NODE_IDS);
	DECLARE_BITMAP(reported, HOLON_NODE_IDS);
	DECLARE_BITMAP(told, HOLON_NODE_IDS);
	u64 told_at;

	struct paxos_acceptor acceptor;
	u64 vote_at;
	struct paxos_proposer proposer;
	u64 attempt_at, work_since, backoff_until;
	u32 max_round;

	struct view_lease lease;
	u8 evicting;
	u64 evicting_incarnation;

	uuid_t target;
	u64 join_since, join_again_at, no_join_until;

	atomic64_t clock;
};

extern struct membership mship;
extern struct view_node *view_nodes[HOLON_NODE_IDS];
extern spinlock_t view_facts_lock;
extern unsigned int view_hb_ms, view_fd_ms;

/* The empty set. */
extern const unsigned long view_no_nodes[BITS_TO_LONGS(HOLON_NODE_IDS)];

static inline u64 view_now(void)
{
	return atomic64_read(&mship.clock);
}

/* --- membership.c --------------------------------------------------------- */

/* Facts of a node, made when they are first needed; NULL: no memory. */
struct view_node *view_node(u8 id);

/* Send to a node whose lanes are up, or, through the queue, to ourselves. */
void view_send(u8 node, u16 type, u64 epoch, struct holon_ballot ballot,
	       const void *body, size_t body_len, const struct holon_view *view, u8 coordinator);

static inline void view_send_plain(u8 node, u16 type, u64 epoch)
{
	view_send(node, type, epoch, (struct holon_ballot){}, NULL, 0, NULL, 0);
}

/* A state machine event; one that is not legal is logged and changes nothing. */
void view_event(enum view_fsm_event event);

/* Install a view that has been chosen and has this life in it. */
void view_install(const struct holon_view *view, u8 coordinator);

/* This life has ended as a member, voter or leaver. */
void view_gone(const char *why);

/* A view without this life is known. */
void view_put_out(const struct holon_view *view);

/* A life is off for certain: it is no more heard, and is suspected for good. */
void view_dead(u8 node, u64 incarnation);

/* Have the view thread look at what is due. Context: any. */
void view_kick(void);

/* The interval of heartbeats is another one. Context: may sleep; also before there are any. */
void view_pace(void);

/* Keep why a node refused us, or we it, for the administrator. */
void view_refusal(u8 node, const char *reason);

/* Tell the others by hello what we are now. */
void view_update_hello(void);

/* Returns 0 or an errno of holon_transport_start(). */
int view_start_transport(void);
void view_stop_transport(void);

struct command;

/* Hand a command to the view thread. 0, -ENOMEM. */
int view_queue_command(struct command *command);

/* --- command.c ------------------------------------------------------------ */

void command_begin(struct command *command);

/* End the commands that have come true or cannot; ask to be let go. */
void command_poll(void);

/* --- membership.c, for change.c -------------------------------------------- */

/* The barrier orders a stage: run its step on the step worker. */
void view_run_stage(u8 stage);

/* Replace mship.basis; takes a reference. */
void view_set_basis(const struct holon_view *basis);

/* --- detector.c ----------------------------------------------------------- */

/* Advance mship.clock by the time since the last tick, as far as we ran. */
void detector_tick(void);

/* Send heartbeats to everybody whose lanes are up. */
void detector_beat(void);
void detector_hb(u8 node, const struct view_msg *msg);

/* Is something arriving from this node? */
bool detector_alive(u8 node);

/* Nodes whom we hear, and this one. */
void detector_hears(unsigned long *set);

/* Members of the basis that we do not hear. */
void detector_suspected(unsigned long *set);

/* Number of members of the basis that are lower than we and not suspected. */
unsigned int detector_rank(void);

/* --- change.c ------------------------------------------------------------- */

void change_message(u8 node, const struct view_msg *msg);

/* Do what is due: begin, continue or give up an attempt; lead the barrier. */
void change_poll(void);

/* The step worker has ended a stage of the installed view. */
void change_stage_done(void);

/* A peer says how far it is in our epoch. */
void change_progress(u8 node, u8 done, u8 order);

/* --- join.c --------------------------------------------------------------- */

void join_hello(const struct holon_hello *hello, const struct sockaddr_storage *from);
void join_peer_up(u8 node);
void join_message(u8 node, const struct view_msg *msg);
void join_poll(void);

/* Joiners that everybody in @with hears and who hear everybody. */
void join_ready(unsigned long *set, const unsigned long *with);

/* Found a cluster of exactly these nodes: we become bound to the set. */
int join_bind(const struct holon_view *founders);

/* --- view_fault.c ---------------------------------------------------------- */

/* Points at which a test may stop a proposer. */
enum view_fault_point {
	VIEW_FAULT_NONE,
	VIEW_FAULT_SUSPECT,
	VIEW_FAULT_PREPARE,
	VIEW_FAULT_PROMISE,
	VIEW_FAULT_ACCEPT,
	VIEW_FAULT_ACCEPTED,
	VIEW_FAULT_COMMIT,	/* half of the COMMITs have been sent */
	VIEW_FAULT_INSTALL,
	VIEW_FAULT_FLUSH,
	VIEW_FAULT_STEP,
	VIEW_FAULT_RESUME,	/* half of the RESUMEs have been sent */
	VIEW_FAULT_POINTS
};

#ifdef CONFIG_HOLON_DEBUG
void view_fault(enum view_fault_point point);
#else
static inline void view_fault(enum view_fault_point point) {}
#endif

#endif /* _HOLON_MEMBERSHIP_H */
