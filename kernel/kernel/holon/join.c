// SPDX-License-Identifier: GPL-2.0-only
/*
 * Into a cluster: founding one, and joining one.
 *
 * A cluster is never founded because nobody was heard: either the administrator
 * says so, or holon.expect=N does and N nodes without a cluster hear one
 * another. The lowest of them proposes the first view to exactly these N.
 * Each founder is bound to one set: it votes in that set only, and a founding
 * that fails costs it its incarnation (so that what it voted is void).
 *
 *	hello                   of a node without or with a cluster: connect
 *	J -> each member        JOIN_REQ, when its lanes are up, and again from time to time
 *	member -> J             JOIN_WAIT(V): connect to all of these; or JOIN_NO(reason)
 *	                        heartbeats say who hears whom; when J and all
 *	                        members hear one another, the next view has J in it
 *	P -> J                  COMMIT
 *
 * A node that is in a cluster never joins another one. Two clusters of one name
 * that meet leave each other alone and say so.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/kernel.h>
#include <linux/slab.h>

#include "membership.h"

/* --- founding ------------------------------------------------------------- */

int join_bind(const struct holon_view *founders)
{
	if (mship.state != HOLON_NODE_ALONE || mship.basis || founders->epoch || !mship.enabled ||
	    founders->incarnation[mship.me.id] != mship.me.incarnation)
		return -EPERM;
	/* With create alone the set is this node; others must be expected. */
	if (founders->count > 1 && founders->count != mship.expect)
		return -EPERM;
	view_event(VIEW_JOIN);
	view_set_basis(founders);
	mship.join_since = view_now();
	return 0;
}

/* Is this a node that we could found a cluster with? */
static bool founder(u8 id)
{
	struct view_node *node = view_nodes[id];

	if (id == mship.me.id)
		return true;
	return detector_alive(id) && node->state == HOLON_NODE_ALONE &&
	       node->expect == mship.expect && uuid_is_null(&node->cluster_uuid);
}

/* Has a cluster of our name been heard lately? Then it is joined, not founded again. */
static bool cluster_heard(void)
{
	unsigned int id;

	for (id = 1; id < HOLON_NODE_IDS; id++) {
		struct view_node *node = view_nodes[id];

		if (node && id != mship.me.id && !uuid_is_null(&node->cluster_uuid) &&
		    view_now() - atomic64_read(&node->seen) < 2 * view_fd_ms)
			return true;
	}
	return false;
}

static const unsigned long *hears_of(u8 id, void *arg)
{
	return id == mship.me.id ? arg : view_nodes[id]->hears;
}

static void try_found(void)
{
	DECLARE_BITMAP(set, HOLON_NODE_IDS);
	DECLARE_BITMAP(hears, HOLON_NODE_IDS);
	struct holon_view *founders;
	unsigned int id, count = 0;

	if (!mship.expect || cluster_heard())
		return;
	bitmap_zero(set, HOLON_NODE_IDS);
	for (id = 1; id < HOLON_NODE_IDS; id++)
		if (founder(id))
			__set_bit(id, set);
	detector_hears(hears);
	holon_clique(set, hears_of, hears);
	if (find_first_bit(set, HOLON_NODE_IDS) != mship.me.id ||
	    bitmap_weight(set, HOLON_NODE_IDS) < mship.expect)
		return;
	founders = holon_view_alloc();
	if (!founders)
		return;
	for_each_set_bit(id, set, HOLON_NODE_IDS) {
		if (count++ == mship.expect)
			break;
		if (id == mship.me.id)
			holon_view_add(founders, id, mship.me.incarnation, &mship.me.uuid);
		else
			holon_view_add(founders, id, view_nodes[id]->up_incarnation,
				       &view_nodes[id]->ident.uuid);
	}
	pr_info("founding a cluster of %u: %*pbl\n", founders->count, HOLON_NODE_IDS,
		founders->members);
	join_bind(founders);
	holon_view_put(founders);
}

/* --- hellos --------------------------------------------------------------- */

static void note_hello(struct view_node *node, const struct holon_hello *hello,
		       const struct sockaddr_storage *from)
{
	spin_lock(&view_facts_lock);
	node->ident = hello->ident;
	node->addr = *from;
	node->state = hello->state;
	node->expect = hello->expect;
	node->cluster_uuid = hello->cluster_uuid;
	node->epoch = hello->epoch;
	spin_unlock(&view_facts_lock);
	atomic64_set(&node->seen, view_now());
}

static bool wants_contact(const struct holon_hello *hello)
{
	bool theirs = !uuid_is_null(&hello->cluster_uuid);

	if (hello->state != HOLON_NODE_ALONE && hello->state != HOLON_NODE_JOINING &&
	    hello->state != HOLON_NODE_MEMBER)
		return false;
	switch (mship.state) {
	case HOLON_NODE_ALONE:
		return true;
	case HOLON_NODE_JOINING:
		if (!theirs)
			return true;
		/* Bound founders and those on their way into another cluster do not switch. */
		return !mship.basis && uuid_equal(&hello->cluster_uuid, &mship.target);
	case HOLON_NODE_MEMBER:
		return !theirs;
	default:
		return false;
	}
}

void join_hello(const struct holon_hello *hello, const struct sockaddr_storage *from)
{
	struct holon_peer_id peer = { .incarnation = hello->ident.incarnation };
	u8 id = hello->ident.id;
	struct view_node *node;

	if (id == mship.me.id) {
		if (!uuid_equal(&hello->ident.uuid, &mship.me.uuid))
			view_refusal(id, "another machine claims this node's id");
		return;
	}
	node = view_node(id);
	if (!node)
		return;
	if (mship.basis && test_bit(id, mship.basis->members)) {
		if (!uuid_equal(&hello->ident.uuid, &mship.basis->uuid[id])) {
			view_refusal(id, "a second machine claims the id of this member");
			return;
		}
		/*
		 * Late; or of its next life, which the member in the view makes
		 * place for when its connections break, or when the new life
		 * proves on a connection that it is there. A datagram may be old.
		 */
		if (hello->ident.incarnation != mship.basis->incarnation[id])
			return;
	} else if (node->up && !uuid_equal(&hello->ident.uuid, &node->ident.uuid)) {
		view_refusal(id, "two machines claim this id");
		return;
	}
	note_hello(node, hello, from);

	if (mship.view && !uuid_is_null(&hello->cluster_uuid)) {
		if (!uuid_equal(&hello->cluster_uuid, &mship.view->cluster_uuid))
			view_refusal(id,
				     "is in another cluster of this name; dissolve one of them");
		/* Whom we hear will say so itself, or give us that view. */
		else if (mship.state == HOLON_NODE_FROZEN && hello->epoch > mship.view->epoch &&
			 hello->state == HOLON_NODE_MEMBER && !detector_alive(id))
			view_gone("others have gone on without this node");
		return;
	}
	if (!mship.view && hello->state == HOLON_NODE_FROZEN)
		view_refusal(id,
			     "its cluster has no quorum; leave it by force there to dissolve it");
	if (node->gone_incarnation == peer.incarnation || !mship.enabled || !wants_contact(hello))
		return;
	if (node->up && node->up_incarnation == peer.incarnation)
		return;
	/* Lanes to a member are made once: fail-stop. */
	if (mship.basis && test_bit(id, mship.broken) &&
	    mship.basis->incarnation[id] == peer.incarnation)
		return;
	peer.node = id;
	holon_transport_connect(&peer, from);
	/* A lower one has to connect to us, and members say hello rarely. */
	if (mship.view && id < mship.me.id)
		view_update_hello();
}

/* --- joining -------------------------------------------------------------- */

static void ask(u8 id)
{
	struct wire_join join = {
		.protocol_min = cpu_to_le16(holon_protocol_min()),
		.protocol_max = cpu_to_le16(holon_protocol_max()),
	};

	export_uuid(join.uuid, &mship.me.uuid);
	strscpy_pad(join.cluster, mship.name);
	view_send(id, VIEW_MSG_JOIN_REQ, 0, (struct holon_ballot){}, &join, sizeof(join), NULL, 0);
}

static bool of_target(u8 id)
{
	struct view_node *node = view_nodes[id];

	return node && id != mship.me.id && node->up &&
	       uuid_equal(&node->cluster_uuid, &mship.target);
}

static void ask_all(void)
{
	unsigned int id;

	for (id = 1; id < HOLON_NODE_IDS; id++)
		if (of_target(id))
			ask(id);
	mship.join_again_at = view_now() + 4 * view_hb_ms;
}

void join_peer_up(u8 id)
{
	if (mship.state == HOLON_NODE_JOINING && !mship.basis && of_target(id))
		ask(id);
}

static void find_cluster(void)
{
	unsigned int id;

	for (id = 1; id < HOLON_NODE_IDS; id++) {
		struct view_node *node = view_nodes[id];

		if (id == mship.me.id || !detector_alive(id) || uuid_is_null(&node->cluster_uuid) ||
		    node->state != HOLON_NODE_MEMBER)
			continue;
		mship.target = node->cluster_uuid;
		mship.join_since = view_now();
		pr_info("joining the cluster of node %u\n", id);
		view_event(VIEW_JOIN);
		ask_all();
		return;
	}
}

static bool target_alive(void)
{
	unsigned int id;

	for (id = 1; id < HOLON_NODE_IDS; id++)
		if (of_target(id) && detector_alive(id))
			return true;
	return false;
}

static void give_up_joining(const char *why)
{
	pr_info("joining failed: %s\n", why);
	mship.target = uuid_null;
	view_event(VIEW_REFUSED);
}

static const char *refuse_reason(u8 id, const struct view_msg *msg)
{
	const struct wire_join *join = msg->join;
	struct view_node *node = view_nodes[id];
	uuid_t uuid;

	import_uuid(&uuid, join->uuid);
	if (strcmp(join->cluster, mship.name))
		return "this is a cluster of another name";
	if (!holon_protocol_agree(le16_to_cpu(join->protocol_min),
				  le16_to_cpu(join->protocol_max)))
		return "no protocol version in common";
	if (!uuid_equal(&uuid, &node->ident.uuid))
		return "the machine's uuid is not the one of its connection";
	if (mship.view->incarnation[id] && !uuid_equal(&uuid, &mship.view->uuid[id]))
		return "the node id belongs to another machine";
	if (node->gone_incarnation == node->up_incarnation)
		return "this life was removed from the cluster";
	return NULL;
}

static void on_join_req(u8 id, const struct view_msg *msg)
{
	struct view_node *node = view_nodes[id];
	const char *reason;

	if (!mship.view || (mship.state != HOLON_NODE_MEMBER && mship.state != HOLON_NODE_FROZEN))
		return;
	if (mship.view->incarnation[id] == node->up_incarnation) {
		/* It is in and does not know yet. */
		view_send(id, VIEW_MSG_COMMIT, mship.view->epoch, (struct holon_ballot){}, NULL, 0,
			  mship.view, mship.coordinator);
		return;
	}
	reason = refuse_reason(id, msg);
	if (reason) {
		view_refusal(id, reason);
		view_send(id, VIEW_MSG_JOIN_NO, 0, (struct holon_ballot){}, reason, strlen(reason),
			  NULL, 0);
		return;
	}
	node->joiner = true;
	view_send(id, VIEW_MSG_JOIN_WAIT, mship.view->epoch, (struct holon_ballot){}, NULL, 0,
		  mship.view, mship.coordinator);
}

/* The members, with their addresses: connect to those whose hello has not come. */
static void on_join_wait(const struct view_msg *msg)
{
	unsigned int i;

	if (mship.state != HOLON_NODE_JOINING || mship.basis ||
	    !uuid_equal(&msg->view->cluster_uuid, &mship.target))
		return;
	for (i = 0; i < msg->view->count; i++) {
		const struct wire_member *member = &msg->member[i];
		struct holon_peer_id peer = {
			.incarnation = le64_to_cpu(member->incarnation), .node = member->id,
		};
		struct view_node *node = view_node(member->id);
		struct sockaddr_storage addr;

		if (!node || member->id == mship.me.id || node->up ||
		    !wire_member_addr(member, &addr))
			continue;
		/* Its hello or heartbeat will confirm this; it makes the node ours to ask. */
		spin_lock(&view_facts_lock);
		node->ident.id = member->id;
		node->ident.incarnation = peer.incarnation;
		import_uuid(&node->ident.uuid, member->uuid);
		node->cluster_uuid = mship.target;
		node->addr = addr;
		spin_unlock(&view_facts_lock);
		holon_transport_connect(&peer, &addr);
	}
}

static void on_join_no(u8 id, const struct view_msg *msg)
{
	if (mship.state != HOLON_NODE_JOINING || mship.basis)
		return;
	view_refusal(id, msg->reason);
	mship.no_join_until = view_now() + 2 * view_fd_ms;
	give_up_joining(msg->reason);
}

static void on_leave_req(u8 id, const struct view_msg *msg)
{
	if (mship.view && msg->epoch <= mship.view->epoch &&
	    mship.view->incarnation[id] == view_nodes[id]->up_incarnation)
		view_nodes[id]->leaver = true;
}

void join_message(u8 id, const struct view_msg *msg)
{
	switch (msg->type) {
	case VIEW_MSG_JOIN_REQ:
		on_join_req(id, msg);
		break;
	case VIEW_MSG_JOIN_WAIT:
		on_join_wait(msg);
		break;
	case VIEW_MSG_JOIN_NO:
		on_join_no(id, msg);
		break;
	case VIEW_MSG_LEAVE_REQ:
		on_leave_req(id, msg);
		break;
	}
}

static bool hears_all(u8 id, const unsigned long *with, const unsigned long *mine)
{
	unsigned int other;

	for_each_set_bit(other, with, HOLON_NODE_IDS)
		if (!test_bit(other, view_nodes[id]->hears) ||
		    !test_bit(id, other == mship.me.id ? mine : view_nodes[other]->hears))
			return false;
	return true;
}

void join_ready(unsigned long *set, const unsigned long *with)
{
	DECLARE_BITMAP(mine, HOLON_NODE_IDS);
	unsigned int id;

	bitmap_zero(set, HOLON_NODE_IDS);
	if (!mship.view)
		return;
	detector_hears(mine);
	for (id = 1; id < HOLON_NODE_IDS; id++) {
		struct view_node *node = view_nodes[id];

		if (node && node->joiner && detector_alive(id) &&
		    !test_bit(id, mship.view->members) && hears_all(id, with, mine))
			__set_bit(id, set);
	}
}

static void poll_founding(void)
{
	u64 bound = view_now() - mship.join_since;

	/*
	 * A founder that is dead, or bound to another set, would block the
	 * others for ever; what was voted becomes void with this life.
	 */
	if (bound > 6 * view_fd_ms)
		view_gone("founding the cluster failed");
}

void join_poll(void)
{
	if (mship.view || !mship.started)
		return;
	if (mship.basis) {
		poll_founding();
	} else if (mship.state == HOLON_NODE_ALONE && view_now() >= mship.no_join_until) {
		find_cluster();
		if (mship.state == HOLON_NODE_ALONE)
			try_found();
	} else if (mship.state == HOLON_NODE_JOINING) {
		if (!target_alive())
			give_up_joining("the cluster is not heard any more");
		else if (view_now() - mship.join_since > 10 * view_fd_ms)
			give_up_joining("not admitted in time");
		else if (view_now() >= mship.join_again_at)
			ask_all();
	}
}
