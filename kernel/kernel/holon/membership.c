// SPDX-License-Identifier: GPL-2.0-only
/*
 * Membership: the view thread.
 *
 * Everything that happens becomes an entry of one queue: what the transport
 * calls up (copied; upcalls never do more), ticks of the clock, ends of barrier
 * steps, wishes of the administrator. One ordered work takes them one by one and
 * then does what is due, so the protocol (join.c, change.c, detector.c) needs
 * no locks. It never waits for the network, and it calls the transport with no
 * lock held. What may wait, the steps of subscribers, runs on a second ordered
 * workqueue, the step worker, one step at a time.
 *
 * view_facts_lock, a leaf spinlock, protects what others read (membership.h).
 *
 * States are in view_fsm.c. "Gone" lasts until the step worker is idle and a few
 * heartbeats have passed, so that what was queued for the others is sent; then
 * all lanes are closed, a new incarnation begins, and the node is alone.
 *
 * A node that is out of the cluster, because it left, was evicted, or hears that
 * others have gone on without it, ends what it had of it (view_gone()): guests whose
 * home is elsewhere are killed; processes of this node whose guest is elsewhere end
 * as by SIGKILL, for the guest is killed there; who waits for another node gets
 * -EHOSTDOWN. Frozen ones are woken for that. Both sides do it, so neither has to
 * believe the other. The new life does not begin before the last of them has gone:
 * so a new incarnation says that nothing of the old one acts (fence.c).
 *
 * Memory: a peer may have VIEW_QUEUE_MAX frames in the queue. One that sends
 * more, or whose frame finds no memory, has a broken lane, and goes.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/ctype.h>
#include <linux/holon_setting.h>
#include <linux/inetdevice.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "fence.h"
#include "freeze.h"
#include "membership.h"
#include "task.h"
#include "view.h"

#ifdef MODULE_PARAM_PREFIX
#undef MODULE_PARAM_PREFIX
#endif
#define MODULE_PARAM_PREFIX "holon."

#define VIEW_QUEUE_MAX		512
#define VIEW_HELLOS_MAX		256

struct membership mship;
struct view_node *view_nodes[HOLON_NODE_IDS];
DEFINE_SPINLOCK(view_facts_lock);
const unsigned long view_no_nodes[BITS_TO_LONGS(HOLON_NODE_IDS)];

static char boot_cluster[HOLON_CLUSTER_NAME_MAX];
holon_setting_string(cluster, boot_cluster);
MODULE_PARM_DESC(cluster, "name of the cluster to join or form");
static unsigned int boot_expect;
module_param_cb(expect, &holon_setting_uint_ops, &boot_expect, 0644);
MODULE_PARM_DESC(expect, "form the cluster when so many nodes are there");

static struct workqueue_struct *view_wq, *step_wq;

/* --- the queue ------------------------------------------------------------ */

enum entry_kind {
	ENTRY_HELLO,
	ENTRY_UP,
	ENTRY_DOWN,
	ENTRY_REFUSED,
	ENTRY_REBOOT,
	ENTRY_FRAME,
	ENTRY_COMMAND,
};

/**
 * struct entry - something that happened
 * @peer: whom it is about
 * @ident: with UP and REBOOT
 * @hello: with HELLO
 * @from: with HELLO
 * @command: with COMMAND, a reference
 * @type: with FRAME
 * @len: with FRAME
 * @data: with FRAME: payload; with REFUSED and DOWN: text
 */
struct entry {
	struct list_head list;
	enum entry_kind kind;
	struct holon_peer_id peer;
	union {
		struct holon_ident ident;
		struct {
			struct holon_hello hello;
			struct sockaddr_storage from;
		};
		struct command *command;
	};
	u16 type;
	size_t len;
	u8 data[] __aligned(8);
};

static LIST_HEAD(queue);
static DEFINE_SPINLOCK(queue_lock);
static atomic_t queued_hellos;

static void view_thread(struct work_struct *work);
static DECLARE_WORK(view_work, view_thread);
static void view_tick(struct work_struct *work);
static DECLARE_DELAYED_WORK(view_tick_work, view_tick);

/* Peers whose frame was lost for want of memory; set by upcalls. */
static DECLARE_BITMAP(lost_frames, HOLON_NODE_IDS);
static bool address_changed;

static struct entry *entry_alloc(enum entry_kind kind, size_t len)
{
	struct entry *entry = kzalloc(struct_size(entry, data, len), GFP_NOIO);

	if (entry) {
		entry->kind = kind;
		entry->len = len;
	}
	return entry;
}

static void entry_queue(struct entry *entry)
{
	spin_lock(&queue_lock);
	list_add_tail(&entry->list, &queue);
	spin_unlock(&queue_lock);
	queue_work(view_wq, &view_work);
}

int view_queue_command(struct command *command)
{
	struct entry *entry = entry_alloc(ENTRY_COMMAND, 0);

	if (!entry)
		return -ENOMEM;
	entry->command = command;
	entry_queue(entry);
	return 0;
}

static void entry_count(struct entry *entry)
{
	struct view_node *node = view_nodes[entry->peer.node];

	if (entry->kind == ENTRY_HELLO)
		atomic_dec(&queued_hellos);
	else if (entry->kind == ENTRY_FRAME && node && entry->peer.node != mship.me.id)
		atomic_dec_if_positive(&node->queued);
}

void view_kick(void)
{
	queue_work(view_wq, &view_work);
}

/* The transport has stopped: nothing of what it said is true any more. */
static void purge_queue(void)
{
	struct entry *entry, *tmp;
	LIST_HEAD(old);

	spin_lock(&queue_lock);
	list_for_each_entry_safe(entry, tmp, &queue, list)
		if (entry->kind != ENTRY_COMMAND)
			list_move(&entry->list, &old);
	spin_unlock(&queue_lock);
	list_for_each_entry_safe(entry, tmp, &old, list) {
		entry_count(entry);
		kfree(entry);
	}
}

/* --- facts ---------------------------------------------------------------- */

struct view_node *view_node(u8 id)
{
	struct view_node *node = view_nodes[id];

	if (node || !id)
		return node;
	node = kzalloc(sizeof(*node), GFP_NOIO);
	if (!node)
		return NULL;
	atomic64_set(&node->heard, view_now());
	/* Never freed: readers need no more than the pointer, with find_node(). */
	smp_store_release(&view_nodes[id], node);
	return node;
}

/* For those who are not the view thread. */
static struct view_node *find_node(u8 id)
{
	/* Pairs with view_node(). */
	return smp_load_acquire(&view_nodes[id]);
}

void view_refusal(u8 id, const char *reason)
{
	struct view_node *node = view_node(id);
	char text[HOLON_REASON_MAX];
	unsigned int i;
	bool same;

	if (!node)
		return;
	strscpy(text, reason);
	/* It may come from the wire. */
	for (i = 0; text[i]; i++)
		if (!isascii(text[i]) || !isprint(text[i]))
			text[i] = '?';
	spin_lock(&view_facts_lock);
	same = !strcmp(node->refused, text);
	strscpy(node->refused, text);
	spin_unlock(&view_facts_lock);
	if (same)
		return;
	/* Several reasons may take turns, with each attempt. */
	if (!node->refused_logged || view_now() - node->refused_logged > 60000)
		pr_warn("node %u: %s\n", id, text);
	node->refused_logged = view_now() | 1;
	view_notify(HOLON_VIEW_EVENT_REFUSED, id);
}

static void view_forget_refusal(u8 id)
{
	struct view_node *node = view_nodes[id];

	if (!node)
		return;
	spin_lock(&view_facts_lock);
	node->refused[0] = 0;
	spin_unlock(&view_facts_lock);
}

static const struct sockaddr_storage *addr_of(u8 id)
{
	struct view_node *node = view_nodes[id];

	return node && node->addr.ss_family ? &node->addr : NULL;
}

/* --- sending -------------------------------------------------------------- */

static void send_self(u16 type, const struct holon_vec *vec, unsigned int nvec, size_t len)
{
	struct entry *entry = entry_alloc(ENTRY_FRAME, len);
	size_t at = 0;
	unsigned int i;

	if (!entry)
		return;		/* the attempt ends by time and is repeated */
	entry->peer.node = mship.me.id;
	entry->peer.incarnation = mship.me.incarnation;
	entry->type = type;
	for (i = 0; i < nvec; i++) {
		memcpy(entry->data + at, vec[i].base, vec[i].len);
		at += vec[i].len;
	}
	entry_queue(entry);
}

void view_send(u8 id, u16 type, u64 epoch, struct holon_ballot ballot,
	       const void *body, size_t body_len, const struct holon_view *view, u8 coordinator)
{
	struct view_node *node = view_nodes[id];
	struct wire_view_head head = {
		.epoch = cpu_to_le64(epoch),
		.round = cpu_to_le32(ballot.round),
		.proposer = ballot.node,
	};
	struct holon_vec vec[3] = { { &head, sizeof(head) } };
	struct wire_view *wire = NULL;
	struct holon_peer_id peer;
	unsigned int nvec = 1;
	int err;

	if (id != mship.me.id && (!node || !node->up))
		return;
	if (mship.basis)
		export_uuid(head.cluster_uuid, &mship.basis->cluster_uuid);
	if (body_len)
		vec[nvec++] = (struct holon_vec){ body, body_len };
	if (view) {
		wire = kmalloc(wire_view_len(view), GFP_NOIO);
		if (!wire)
			return;		/* as if lost: attempts are repeated */
		wire_view_encode(wire, view, coordinator, addr_of);
		vec[nvec++] = (struct holon_vec){ wire, wire_view_len(view) };
	}
	if (id == mship.me.id) {
		send_self(type, vec, nvec, sizeof(head) + body_len +
			  (view ? wire_view_len(view) : 0));
	} else {
		peer.node = id;
		peer.incarnation = node->up_incarnation;
		err = holon_transport_send(&peer, HOLON_CONTROL, type, 0, 0, vec, nvec, GFP_NOIO);
		if (err)
			pr_debug("%s to node %u: %d\n", view_msg_name(type), id, err);
	}
	kfree(wire);
}

void view_update_hello(void)
{
	struct holon_hello hello = {
		.ident = mship.me,
		.expect = mship.expect,
		.state = mship.state,
		.protocol_min = holon_protocol_min(),
		.protocol_max = holon_protocol_max(),
	};

	if (!mship.started)
		return;
	strscpy_pad(hello.cluster, mship.name);
	if (mship.view) {
		hello.cluster_uuid = mship.view->cluster_uuid;
		hello.epoch = mship.view->epoch;
	}
	holon_transport_hello(&hello);
}

/* --- states and views ----------------------------------------------------- */

void view_event(enum view_fsm_event event)
{
	int next = view_fsm_next(mship.state, event);

	if (next < 0) {
		pr_err("event %u in state %s\n", event, holon_node_state_name(mship.state));
		return;
	}
	if (next == mship.state)
		return;
	spin_lock(&view_facts_lock);
	mship.state = next;
	spin_unlock(&view_facts_lock);
	view_set_state(next);
	view_update_hello();
	view_notify(HOLON_VIEW_EVENT_STATE, 0);
}

void view_set_basis(const struct holon_view *basis)
{
	const struct holon_view *old = mship.basis;
	unsigned int id;

	if (basis) {
		refcount_inc(&((struct holon_view *)basis)->ref);
		for_each_set_bit(id, basis->members, HOLON_NODE_IDS) {
			bool same = old && old->incarnation[id] == basis->incarnation[id];
			struct view_node *node = view_node(id);

			if (!same)
				__clear_bit(id, mship.broken);
			if (!node)
				continue;
			/* That was said in another epoch. */
			node->deaf = false;
			/* Lanes that are not up have from now on to come up. */
			if (!same && !node->up)
				atomic64_set(&node->heard, view_now());
		}
		bitmap_and(mship.broken, mship.broken, basis->members, HOLON_NODE_IDS);
	} else {
		bitmap_zero(mship.broken, HOLON_NODE_IDS);
	}
	bitmap_zero(mship.dead, HOLON_NODE_IDS);
	if (!basis || basis->incarnation[mship.evicting] != mship.evicting_incarnation)
		mship.evicting = 0;
	paxos_proposer_reset(&mship.proposer);
	paxos_acceptor_reset(&mship.acceptor);
	bitmap_zero(mship.reported, HOLON_NODE_IDS);
	bitmap_zero(mship.told, HOLON_NODE_IDS);
	mship.work_since = 0;
	mship.backoff_until = 0;
	mship.max_round = 0;
	mship.basis = basis;
	if (old)
		holon_view_put(old);
}

static void close_lanes(u8 id, const char *why)
{
	struct view_node *node = view_nodes[id];
	struct holon_peer_id peer;

	if (!node || !node->up)
		return;
	peer.node = id;
	peer.incarnation = node->up_incarnation;
	spin_lock(&view_facts_lock);
	node->up = false;
	spin_unlock(&view_facts_lock);
	node->linger_until = 0;
	node->joiner = false;
	node->stamp = 0;
	bitmap_zero(node->hears, HOLON_NODE_IDS);
	holon_transport_drop(&peer, why);
}

void view_dead(u8 id, u64 incarnation)
{
	struct view_node *node = view_nodes[id];

	if (mship.basis && mship.basis->incarnation[id] == incarnation)
		__set_bit(id, mship.broken);
	if (node->up && node->up_incarnation == incarnation)
		close_lanes(id, "switched off");
}

/* Nodes of one view whose life is not in the other one. */
static void find_lost(unsigned long *lost, const struct holon_view *old,
		      const struct holon_view *new)
{
	unsigned int id;

	bitmap_zero(lost, HOLON_NODE_IDS);
	if (!old)
		return;
	for_each_set_bit(id, old->members, HOLON_NODE_IDS)
		if (id != mship.me.id && (!new || new->incarnation[id] != old->incarnation[id]))
			__set_bit(id, lost);
}

static void remove_lost(const struct holon_view *old, const struct holon_view *new,
			const unsigned long *lost)
{
	unsigned int id;

	for_each_set_bit(id, lost, HOLON_NODE_IDS) {
		struct view_node *node = view_nodes[id];

		if (!node)
			continue;
		fence_removed(id, old, !node->leaver && id != new->evicted);
		node->leaver = false;
		if (!node->up || node->up_incarnation != old->incarnation[id])
			continue;
		/* One that can hear shall hear that it was removed. */
		if (detector_alive(id))
			node->linger_until = view_now() + 4 * view_hb_ms;
		else
			close_lanes(id, "removed from the view");
	}
}

void view_install(const struct holon_view *view, u8 coordinator)
{
	const struct holon_view *old = mship.view;
	DECLARE_BITMAP(ready, HOLON_NODE_IDS);
	DECLARE_BITMAP(lost, HOLON_NODE_IDS);
	bool aborted = old && !mship.resumed;
	unsigned int id;

	find_lost(lost, old, view);
	bitmap_zero(ready, HOLON_NODE_IDS);
	for_each_set_bit(id, view->members, HOLON_NODE_IDS) {
		struct view_node *node = view_node(id);

		if (node) {
			node->done = 0;
			if (node->up_incarnation == view->incarnation[id])
				node->joiner = false;
			else
				lease_forget(&mship.lease, id);
		}
		if (id == mship.me.id || (old && old->incarnation[id] == view->incarnation[id]))
			__set_bit(id, ready);
	}

	refcount_inc(&((struct holon_view *)view)->ref);
	spin_lock(&view_facts_lock);
	mship.view = view;
	mship.coordinator = coordinator ?: find_first_bit(view->members, HOLON_NODE_IDS);
	spin_unlock(&view_facts_lock);
	view_set_basis(view);
	lease_install(&mship.lease, view->epoch);
	mship.resumed = false;
	mship.done = 0;
	mship.order = VIEW_STAGE_INSTALLED;
	mship.target = uuid_null;
	view_set_steady(false);
	/* First nobody new is ready, then the view, then those who know it too. */
	view_set_ready(NULL);
	view_publish(view);
	view_set_ready(ready);
	view_event(VIEW_COMMIT_IN);
	pr_info("view %llu: installed, %u member%s %*pbl, node %u leads, cluster %pUb\n",
		view->epoch, view->count, view->count == 1 ? "" : "s", HOLON_NODE_IDS,
		view->members, mship.coordinator, &view->cluster_uuid);

	if (old)
		remove_lost(old, view, lost);
	view_call_lost(view, lost);
	if (aborted)
		view_call_abort(old->epoch);
	view_notify(HOLON_VIEW_EVENT_INSTALLED, 0);
	view_update_hello();
	if (old)
		holon_view_put(old);
	change_stage_done();
	/* Says the new epoch to everybody at once. */
	detector_beat();
}

/* When the lanes of a life that has ended are closed; when its leftovers were named. */
static u64 gone_until, leftovers_said;

void view_gone(const char *why)
{
	const struct holon_view *old = mship.view;
	DECLARE_BITMAP(lost, HOLON_NODE_IDS);
	bool aborted = old && !mship.resumed;

	pr_info("%s: %s\n", old ? "out of the cluster" : "founding failed", why);
	if (mship.state == HOLON_NODE_LEAVING)
		mship.enabled = false;
	find_lost(lost, old, NULL);
	view_event(VIEW_COMMIT_OUT);
	spin_lock(&view_facts_lock);
	mship.view = NULL;
	mship.coordinator = 0;
	spin_unlock(&view_facts_lock);
	view_set_basis(NULL);
	mship.done = 0;
	mship.order = 0;
	mship.resumed = false;
	view_set_steady(false);
	view_set_ready(NULL);
	view_publish(NULL);
	freeze_out();
	if (old) {
		view_call_lost(NULL, lost);
		if (aborted)
			view_call_abort(old->epoch);
		holon_view_put(old);
	}
	view_update_hello();
	gone_until = view_now() + 2 * view_hb_ms;
	leftovers_said = gone_until;
}

void view_put_out(const struct holon_view *view)
{
	bool evicted = view->evicted == mship.me.id;

	/* The administrator says when it may join again. */
	if (evicted)
		mship.enabled = false;
	view_gone(mship.state == HOLON_NODE_LEAVING ? "left" :
		  evicted ? "evicted by the administrator" : "removed by the others");
}

static void reborn(void)
{
	unsigned int id;

	freeze_over();
	fence_forget();
	view_stop_transport();
	holon_rpc_reborn();
	holon_node_new_incarnation();
	spin_lock(&view_facts_lock);
	holon_node_ident(&mship.me);
	spin_unlock(&view_facts_lock);
	for (id = 1; id < HOLON_NODE_IDS; id++) {
		struct view_node *node = view_nodes[id];

		if (!node)
			continue;
		node->joiner = false;
		node->leaver = false;
		node->linger_until = 0;
		node->stamp = 0;
		bitmap_zero(node->hears, HOLON_NODE_IDS);
		/* What it said was said to somebody who is no more. */
		spin_lock(&view_facts_lock);
		node->cluster_uuid = uuid_null;
		spin_unlock(&view_facts_lock);
		lease_forget(&mship.lease, id);
	}
	mship.retry_start_at = 0;
	view_event(VIEW_REBORN);
}

/* Is there nothing left to do for the life that has ended? */
static void poll_gone(void)
{
	unsigned int halves;

	if (mship.state != HOLON_NODE_GONE || mship.stage_running || view_now() < gone_until)
		return;
	halves = holon_task_halves();
	if (!halves) {
		reborn();
	} else if (view_now() - leftovers_said >= 10000) {
		leftovers_said = view_now();
		pr_warn("%u processes of the old cluster have not ended yet\n", halves);
	}
}

/* --- the step worker ------------------------------------------------------ */

static struct {
	struct work_struct work;
	const struct holon_view *view;
	u8 stage;
	bool ended;
} step;

static void step_run(struct work_struct *work)
{
	view_call_step(step.view, step.stage - VIEW_STAGE_STEP(0));
	/* Pairs with poll_step(). */
	smp_store_release(&step.ended, true);
	queue_work(view_wq, &view_work);
}

void view_run_stage(u8 stage)
{
	refcount_inc(&((struct holon_view *)mship.view)->ref);
	step.view = mship.view;
	step.stage = stage;
	step.ended = false;
	mship.stage_running = true;
	queue_work(step_wq, &step.work);
}

static void poll_step(void)
{
	bool current_view;

	/* Pairs with step_run(): what the step did is seen. */
	if (!mship.stage_running || !smp_load_acquire(&step.ended))
		return;
	mship.stage_running = false;
	current_view = step.view == mship.view;
	holon_view_put(step.view);
	step.view = NULL;
	if (current_view)
		change_stage_done();
}

/* --- upcalls of the transport --------------------------------------------- */

static void on_hello(const struct holon_hello *hello, const struct sockaddr_storage *from)
{
	struct entry *entry;

	if (!hello->ident.id || !hello->ident.incarnation || hello->state >= HOLON_NODE_STATES)
		return;
	if (atomic_read(&queued_hellos) >= VIEW_HELLOS_MAX)
		return;
	entry = entry_alloc(ENTRY_HELLO, 0);
	if (!entry)
		return;
	entry->peer.node = hello->ident.id;
	entry->hello = *hello;
	entry->from = *from;
	atomic_inc(&queued_hellos);
	entry_queue(entry);
}

static void queue_ident(enum entry_kind kind, const struct holon_ident *ident)
{
	struct entry *entry = entry_alloc(kind, 0);

	if (!entry) {
		set_bit(ident->id, lost_frames);
		queue_work(view_wq, &view_work);
		return;
	}
	entry->peer.node = ident->id;
	entry->peer.incarnation = ident->incarnation;
	entry->ident = *ident;
	entry_queue(entry);
}

static void queue_text(enum entry_kind kind, const struct holon_peer_id *peer, const char *text)
{
	size_t len = min_t(size_t, text ? strlen(text) : 0, HOLON_REASON_MAX - 1);
	struct entry *entry = entry_alloc(kind, len + 1);

	if (!entry) {
		/* Whom a refusal is about may have nothing to do with it. */
		if (kind != ENTRY_REFUSED)
			set_bit(peer->node, lost_frames);
		queue_work(view_wq, &view_work);
		return;
	}
	entry->peer = *peer;
	memcpy(entry->data, text, len);
	entry_queue(entry);
}

static int admit_ident(const struct holon_ident *ident, const char *cluster, const char **reason)
{
	struct view_node *node;
	int err = 0;

	spin_lock(&view_facts_lock);
	node = view_nodes[ident->id];
	if (strcmp(cluster, mship.name)) {
		*reason = "this is a cluster of another name";
		err = -EPERM;
	} else if (ident->id == mship.me.id) {
		*reason = "this node has the same id";
		err = -EEXIST;
	} else if (mship.view && mship.view->incarnation[ident->id] &&
		   !uuid_equal(&mship.view->uuid[ident->id], &ident->uuid)) {
		*reason = "the node id belongs to another machine";
		err = -EEXIST;
	} else if (mship.view && mship.view->incarnation[ident->id] &&
		   mship.view->incarnation[ident->id] != ident->incarnation) {
		*reason = "its previous life is still a member";
		err = -EAGAIN;
	} else if (node && node->gone_incarnation == ident->incarnation) {
		*reason = "this life was removed from the cluster";
		err = -EHOSTDOWN;
	}
	spin_unlock(&view_facts_lock);
	return err;
}

static int on_admit(const struct holon_ident *ident, const char *cluster, const char **reason)
{
	struct holon_peer_id peer = { .incarnation = ident->incarnation, .node = ident->id };
	int err;

	if (!ident->id || !ident->incarnation) {
		*reason = "malformed identity";
		return -EBADMSG;
	}
	err = admit_ident(ident, cluster, reason);
	/* Only a handshake of now can say so: that machine has begun a new life. */
	if (err == -EAGAIN)
		queue_ident(ENTRY_REBOOT, ident);
	else if (err)
		queue_text(ENTRY_REFUSED, &peer, *reason);
	return err;
}

static void on_refused(u8 id, const char *reason)
{
	struct holon_peer_id peer = { .node = id };

	queue_text(ENTRY_REFUSED, &peer, reason);
}

static void on_stranger(u8 id, const char *reason)
{
	struct view_node *node = find_node(id);
	struct holon_peer_id peer = { .node = id };

	/* Nothing is said of the node that is connected. */
	if (!node || !READ_ONCE(node->up))
		queue_text(ENTRY_REFUSED, &peer, reason);
}

static void on_peer_up(const struct holon_ident *ident)
{
	queue_ident(ENTRY_UP, ident);
}

static void on_peer_down(const struct holon_peer_id *peer, const char *why)
{
	queue_text(ENTRY_DOWN, peer, why);
}

static void on_control(const struct holon_peer_id *peer, u16 type, const void *data, size_t len)
{
	struct view_node *node = find_node(peer->node);
	struct entry *entry = NULL;

	if (!node || atomic_read(&node->queued) < VIEW_QUEUE_MAX)
		entry = entry_alloc(ENTRY_FRAME, len);
	if (!entry) {
		set_bit(peer->node, lost_frames);
		queue_work(view_wq, &view_work);
		return;
	}
	entry->peer = *peer;
	entry->type = type;
	memcpy(entry->data, data, len);
	if (node)
		atomic_inc(&node->queued);
	entry_queue(entry);
}

static void on_heard(const struct holon_peer_id *peer)
{
	struct view_node *node = find_node(peer->node);

	if (node && READ_ONCE(node->up_incarnation) == peer->incarnation)
		atomic64_set(&node->heard, view_now());
}

static const struct holon_transport_events transport_events = {
	.hello		= on_hello,
	.admit		= on_admit,
	.refused	= on_refused,
	.stranger	= on_stranger,
	.peer_up	= on_peer_up,
	.peer_down	= on_peer_down,
	.control	= on_control,
	.heard		= on_heard,
};

int view_start_transport(void)
{
	int err;

	err = holon_transport_start(&transport_events);
	if (err)
		return err;
	mship.started = true;
	view_update_hello();
	return 0;
}

void view_stop_transport(void)
{
	unsigned int id;

	if (!mship.started)
		return;
	holon_transport_stop();
	mship.started = false;
	purge_queue();
	spin_lock(&view_facts_lock);
	for (id = 1; id < HOLON_NODE_IDS; id++)
		if (view_nodes[id])
			view_nodes[id]->up = false;
	spin_unlock(&view_facts_lock);
}

static void read_settings(void)
{
	spin_lock(&view_facts_lock);
	strscpy_pad(mship.name, boot_cluster);
	spin_unlock(&view_facts_lock);
	mship.expect = min_t(unsigned int, boot_expect, HOLON_NODE_MAX);
	mship.enabled = mship.name[0];
	fence_read_settings();
}

static void poll_start(void)
{
	static int last;
	int err;

	if (mship.state == HOLON_NODE_OFF && holon_node_id()) {
		spin_lock(&view_facts_lock);
		holon_node_ident(&mship.me);
		spin_unlock(&view_facts_lock);
		view_node(mship.me.id);
		/* Only from now on they do not change. */
		read_settings();
		view_event(VIEW_ID_SET);
	}
	if (mship.started || !mship.enabled || mship.state != HOLON_NODE_ALONE || !mship.name[0])
		return;
	if (view_now() < mship.retry_start_at && !address_changed)
		return;
	address_changed = false;
	err = view_start_transport();
	/* A key or an address that is not there yet is what one waits for at boot. */
	if (err == -ENOKEY && last == -ENOKEY)
		view_refusal(mship.me.id, "no cluster key is loaded here: holon cluster key load");
	else if (err && err != last && err != -ENOKEY && err != -EADDRNOTAVAIL)
		pr_err("cannot start the transport: %d\n", err);
	else if (!err)
		view_forget_refusal(mship.me.id);
	last = err;
	mship.retry_start_at = view_now() + 2000;
}

/* --- the thread ----------------------------------------------------------- */

static void lane_broken(const struct holon_peer_id *peer, const char *why)
{
	struct view_node *node = view_nodes[peer->node];

	if (mship.basis && mship.basis->incarnation[peer->node] == peer->incarnation &&
	    peer->node != mship.me.id && !__test_and_set_bit(peer->node, mship.broken))
		pr_info("node %u: lanes broken: %s\n", peer->node, why);
	if (node && node->up && node->up_incarnation == peer->incarnation) {
		spin_lock(&view_facts_lock);
		node->up = false;
		spin_unlock(&view_facts_lock);
		node->joiner = false;
		node->linger_until = 0;
		node->stamp = 0;
		bitmap_zero(node->hears, HOLON_NODE_IDS);
	}
}

static void entry_up(const struct entry *entry)
{
	struct view_node *node = view_node(entry->ident.id);

	if (!node) {
		holon_transport_drop(&entry->peer, "out of memory");
		return;
	}
	spin_lock(&view_facts_lock);
	if (!uuid_equal(&node->ident.uuid, &entry->ident.uuid) ||
	    node->ident.incarnation != entry->ident.incarnation) {
		node->ident = entry->ident;
		node->cluster_uuid = uuid_null;
		node->state = HOLON_NODE_ALONE;
		node->epoch = 0;
	}
	if (node->up_incarnation != entry->ident.incarnation) {
		/* The clock of this life has not been compared yet. */
		node->rtt_ns = 0;
		node->clock_offset_ns = 0;
		lease_forget(&mship.lease, entry->ident.id);
	}
	node->up = true;
	node->up_incarnation = entry->ident.incarnation;
	node->refused[0] = 0;
	spin_unlock(&view_facts_lock);
	node->joiner = false;
	node->leaver = false;
	node->deaf = false;
	node->linger_until = 0;
	node->stamp = 0;
	bitmap_zero(node->hears, HOLON_NODE_IDS);
	atomic64_set(&node->heard, view_now());
	detector_beat();
	join_peer_up(entry->ident.id);
}

static void entry_reboot(const struct entry *entry)
{
	u8 id = entry->ident.id;

	if (!mship.basis || !mship.basis->incarnation[id] ||
	    mship.basis->incarnation[id] == entry->ident.incarnation ||
	    !uuid_equal(&mship.basis->uuid[id], &entry->ident.uuid))
		return;
	if (!test_bit(id, mship.broken)) {
		pr_info("node %u has rebooted\n", id);
		close_lanes(id, "rebooted");
		__set_bit(id, mship.broken);
	}
	if (view_nodes[id]) {
		/* What its last life said is not true of this one. */
		spin_lock(&view_facts_lock);
		view_nodes[id]->ident = entry->ident;
		view_nodes[id]->cluster_uuid = uuid_null;
		view_nodes[id]->state = HOLON_NODE_ALONE;
		view_nodes[id]->epoch = 0;
		spin_unlock(&view_facts_lock);
	}
}

static void entry_frame(struct entry *entry)
{
	u8 id = entry->peer.node;
	struct view_node *node = view_nodes[id];
	struct view_msg msg;
	int err;

	if (id == mship.me.id) {
		if (entry->peer.incarnation != mship.me.incarnation)
			return;
	} else if (!node || !node->up || node->up_incarnation != entry->peer.incarnation) {
		return;
	}
	if (mship.state == HOLON_NODE_GONE)
		return;
	err = view_msg_decode(&msg, entry->type, entry->data, entry->len);
	if (err) {
		pr_warn_ratelimited("node %u: malformed %s message of %zu bytes\n", id,
				    view_msg_name(entry->type), entry->len);
		lane_broken(&entry->peer, "malformed message");
		holon_transport_drop(&entry->peer, "malformed message");
		return;
	}
	if (msg.type != VIEW_MSG_HB)
		pr_debug("%s from node %u, epoch %llu\n", view_msg_name(msg.type), id, msg.epoch);
	if (msg.type == VIEW_MSG_HB)
		detector_hb(id, &msg);
	else if (msg.type >= VIEW_MSG_JOIN_REQ && msg.type <= VIEW_MSG_LEAVE_REQ)
		join_message(id, &msg);
	else
		change_message(id, &msg);
	view_msg_release(&msg);
}

static void entry_run(struct entry *entry)
{
	switch (entry->kind) {
	case ENTRY_HELLO:
		if (mship.started && mship.state != HOLON_NODE_GONE)
			join_hello(&entry->hello, &entry->from);
		break;
	case ENTRY_UP:
		entry_up(entry);
		break;
	case ENTRY_DOWN:
		lane_broken(&entry->peer, (char *)entry->data);
		break;
	case ENTRY_REFUSED:
		view_refusal(entry->peer.node, (char *)entry->data);
		break;
	case ENTRY_REBOOT:
		entry_reboot(entry);
		break;
	case ENTRY_FRAME:
		entry_frame(entry);
		break;
	case ENTRY_COMMAND:
		command_begin(entry->command);
		break;
	}
}

static void poll_lost_frames(void)
{
	unsigned int id;

	for_each_set_bit(id, lost_frames, HOLON_NODE_IDS) {
		struct view_node *node = view_nodes[id];
		struct holon_peer_id peer = { .node = id };

		clear_bit(id, lost_frames);
		if (!node || !node->up)
			continue;
		peer.incarnation = node->up_incarnation;
		lane_broken(&peer, "a frame was lost here");
		holon_transport_drop(&peer, "a frame was lost here");
	}
}

static void poll_lingering(void)
{
	unsigned int id;

	for (id = 1; id < HOLON_NODE_IDS; id++)
		if (view_nodes[id] && view_nodes[id]->linger_until &&
		    view_now() >= view_nodes[id]->linger_until)
			close_lanes(id, "removed from the view");
}

static void poll_all(void)
{
	poll_lost_frames();
	poll_step();
	poll_start();
	poll_gone();
	fence_poll();
	poll_lingering();
	join_poll();
	change_poll();
	command_poll();
}

static void view_thread(struct work_struct *work)
{
	struct entry *entry;

	for (;;) {
		spin_lock(&queue_lock);
		entry = list_first_entry_or_null(&queue, struct entry, list);
		if (entry)
			list_del(&entry->list);
		spin_unlock(&queue_lock);
		if (!entry)
			break;
		entry_count(entry);
		entry_run(entry);
		kfree(entry);
		poll_step();
	}
	poll_all();
}

static void view_tick(struct work_struct *work)
{
	static u64 beaten_at;

	detector_tick();
	if (view_now() - beaten_at >= view_hb_ms) {
		beaten_at = view_now();
		detector_beat();
	}
	view_thread(NULL);
	queue_delayed_work(view_wq, &view_tick_work, msecs_to_jiffies(view_hb_ms / 2));
}

void view_pace(void)
{
	/* At boot the first tick is yet to come. */
	if (view_wq)
		mod_delayed_work(view_wq, &view_tick_work, 0);
}

/* --- reading -------------------------------------------------------------- */

int holon_node_info(u8 id, struct holon_node_info *info)
{
	struct view_node *node = find_node(id);
	const struct holon_view *view;
	s64 age;

	memset(info, 0, sizeof(*info));
	if (!node)
		return -ENOENT;
	view = holon_view_get();
	spin_lock(&view_facts_lock);
	info->id = id;
	info->self = id == mship.me.id;
	info->uuid = info->self ? mship.me.uuid : node->ident.uuid;
	info->incarnation = info->self ? mship.me.incarnation : node->ident.incarnation;
	info->state = info->self ? mship.state : node->state;
	info->epoch = info->self ? (view ? view->epoch : 0) : node->epoch;
	info->addr = node->addr;
	info->connected = info->self || node->up;
	info->member = view && view->incarnation[id];
	if (info->member) {
		info->incarnation = view->incarnation[id];
		info->uuid = view->uuid[id];
	}
	info->rtt_us = div_u64(node->rtt_ns, NSEC_PER_USEC);
	info->clock_offset_ns = node->clock_offset_ns;
	strscpy(info->refused, node->refused);
	info->removed = node->gone_incarnation;
	info->fenced = node->fenced;
	strscpy(info->fence, node->fence);
	spin_unlock(&view_facts_lock);
	/* In this order: the clock may tick and a frame arrive meanwhile. */
	age = atomic64_read(&node->heard);
	age = view_now() - age;
	info->heard_ms = U32_MAX;
	if (info->self)
		info->heard_ms = 0;
	else if (node->up_incarnation)
		info->heard_ms = clamp_t(s64, age, 0, U32_MAX - 1);
	if (view)
		holon_view_put(view);
	return 0;
}

u8 holon_node_next(u8 id)
{
	unsigned int next = id;

	while (++next < HOLON_NODE_IDS)
		if (find_node(next))
			return next;
	return 0;
}

/* Whose loss leaves a quorum? */
static void find_survivable(unsigned long *survives, const struct holon_view *view)
{
	DECLARE_BITMAP(rest, HOLON_NODE_IDS);
	unsigned int id;

	bitmap_zero(survives, HOLON_NODE_IDS);
	for_each_set_bit(id, view->members, HOLON_NODE_IDS) {
		bitmap_copy(rest, view->members, HOLON_NODE_IDS);
		__clear_bit(id, rest);
		if (bitmap_empty(rest, HOLON_NODE_IDS))
			continue;
		if (fence_last_man() || holon_view_quorum(view, rest, view_no_nodes))
			__set_bit(id, survives);
	}
}

void holon_cluster_info(struct holon_cluster_info *info)
{
	const struct holon_view *view = holon_view_get();

	memset(info, 0, sizeof(*info));
	spin_lock(&view_facts_lock);
	strscpy(info->name, mship.name);
	info->coordinator = mship.coordinator;
	info->state = mship.state;
	spin_unlock(&view_facts_lock);
	info->steady = holon_view_steady();
	info->hb_ms = view_hb_ms;
	info->fd_ms = view_fd_ms;
	info->lease_ms = div_u64(freeze_lease(), NSEC_PER_MSEC);
	info->quorum = fence_last_man() ? "one" : "majority";
	if (view) {
		info->uuid = view->cluster_uuid;
		info->epoch = view->epoch;
		info->count = view->count;
		bitmap_copy(info->members, view->members, HOLON_NODE_IDS);
		find_survivable(info->survives, view);
		holon_view_put(view);
	}
}

/* --- start ---------------------------------------------------------------- */

static int address_event(struct notifier_block *nb, unsigned long action, void *data)
{
	if (action == NETDEV_UP) {
		WRITE_ONCE(address_changed, true);
		queue_work(view_wq, &view_work);
	}
	return NOTIFY_DONE;
}

static struct notifier_block address_notifier = {
	.notifier_call = address_event,
};

static int __init membership_init(void)
{
	INIT_WORK(&step.work, step_run);
	view_wq = alloc_ordered_workqueue("holon_view", WQ_MEM_RECLAIM | WQ_HIGHPRI);
	step_wq = alloc_ordered_workqueue("holon_step", WQ_MEM_RECLAIM);
	if (!view_wq || !step_wq)
		return -ENOMEM;
	/* The address comes from user space, after us: try again when one is added. */
	register_inetaddr_notifier(&address_notifier);
	queue_delayed_work(view_wq, &view_tick_work, 0);
	return 0;
}
late_initcall(membership_init);
