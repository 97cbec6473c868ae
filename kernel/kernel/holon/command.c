// SPDX-License-Identifier: GPL-2.0-only
/*
 * Wishes of the administrator: found a cluster, join one, leave it, put a member out.
 *
 * A caller queues a command to the view thread and waits, killably. The command
 * is begun there and kept in a list until what it wants has come true or cannot;
 * if the caller is killed the wish stands and only the answer is dropped.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/netlink.h>
#include <linux/slab.h>

#include "membership.h"

enum command_kind {
	COMMAND_CREATE,
	COMMAND_JOIN,
	COMMAND_LEAVE,
	COMMAND_EVICT,
};

/**
 * struct command - waits in @commands until it has come true or failed
 * @ref: of the waiter and of the view thread
 * @node: with EVICT, whom
 * @incarnation: of it, once that is known
 * @why: sentence for the waiter
 */
struct command {
	struct list_head list;
	refcount_t ref;
	enum command_kind kind;
	char name[HOLON_CLUSTER_NAME_MAX];
	bool force;
	u8 node;
	u64 incarnation;
	u64 since;
	int err;
	const char *why;
	char text[HOLON_REASON_MAX];
	struct completion done;
};

static LIST_HEAD(commands);

static void command_put(struct command *command)
{
	if (refcount_dec_and_test(&command->ref))
		kfree(command);
}

/* Ends a command that is not in the list. */
static void command_end(struct command *command, int err, const char *why)
{
	command->err = err;
	command->why = why;
	complete(&command->done);
	command_put(command);
}

static void set_name(const char *name)
{
	spin_lock(&view_facts_lock);
	strscpy_pad(mship.name, name);
	spin_unlock(&view_facts_lock);
}

static void command_create(struct command *command)
{
	struct holon_view *founders;

	founders = holon_view_alloc();
	if (!founders) {
		command_end(command, -ENOMEM, "out of memory");
		return;
	}
	holon_view_add(founders, mship.me.id, mship.me.incarnation, &mship.me.uuid);
	if (join_bind(founders))
		command_end(command, -EBUSY, "this node is on the way into a cluster");
	else
		list_add_tail(&command->list, &commands);
	holon_view_put(founders);
}

static void command_evict(struct command *command)
{
	DECLARE_BITMAP(rest, HOLON_NODE_IDS);

	if (!mship.view) {
		command_end(command, -ENOTCONN, "this node is in no cluster");
		return;
	}
	if (command->node == mship.me.id) {
		command_end(command, -EINVAL, "this is the node itself; use leave");
		return;
	}
	command->incarnation = mship.view->incarnation[command->node];
	if (!command->incarnation) {
		command_end(command, -ENOENT, "this node is no member of the cluster");
		return;
	}
	if (mship.state != HOLON_NODE_MEMBER) {
		command_end(command, -EBUSY,
			    "there is no quorum to agree to it, or this node is leaving");
		return;
	}
	if (mship.evicting && mship.evicting != command->node) {
		command_end(command, -EBUSY, "another member is being evicted; try again");
		return;
	}
	detector_suspected(rest);
	bitmap_andnot(rest, mship.view->members, rest, HOLON_NODE_IDS);
	__clear_bit(command->node, rest);
	if (!holon_view_quorum(mship.view, rest, mship.dead)) {
		command_end(command, -EBUSY, "the others would be no quorum without it");
		return;
	}
	mship.evicting = command->node;
	mship.evicting_incarnation = command->incarnation;
	list_add_tail(&command->list, &commands);
}

void command_begin(struct command *command)
{
	int err;

	command->since = view_now();
	if (command->kind == COMMAND_EVICT) {
		command_evict(command);
		return;
	}
	if (command->kind == COMMAND_LEAVE) {
		if (mship.state == HOLON_NODE_ALONE || mship.state == HOLON_NODE_JOINING) {
			if (!mship.enabled) {
				command_end(command, -ENOTCONN, "this node is in no cluster");
				return;
			}
			mship.enabled = false;
			/* A founder has voted perhaps: only a new life is clean. */
			if (mship.basis) {
				view_gone("left while founding");
			} else {
				if (mship.state == HOLON_NODE_JOINING)
					view_event(VIEW_CANCEL);
				view_stop_transport();
			}
		} else if (mship.state == HOLON_NODE_FROZEN && !command->force) {
			command_end(command, -EBUSY,
				    "there is no quorum to agree to it; leave by force loses what the others hold");
			return;
		} else if (command->force || (mship.view && mship.view->count == 1)) {
			mship.enabled = false;
			if (mship.state != HOLON_NODE_GONE)
				view_gone("left");
		} else if (mship.state == HOLON_NODE_MEMBER) {
			view_event(VIEW_LEAVE);
		}
		list_add_tail(&command->list, &commands);
		return;
	}

	if (mship.state != HOLON_NODE_ALONE && mship.state != HOLON_NODE_JOINING) {
		command_end(command, -EBUSY, "this node is in a cluster; leave it first");
		return;
	}
	if (!holon_node_id()) {
		command_end(command, -EINVAL, "this node has no id; give holon.node= or set one");
		return;
	}
	if (!command->name[0] && !mship.name[0]) {
		command_end(command, -EINVAL,
			    "no cluster name given, and no holon.cluster= at boot");
		return;
	}
	if (command->name[0] && strcmp(command->name, mship.name)) {
		if (mship.started) {
			command_end(command, -EBUSY,
				    "this node looks for a cluster of another name; leave that first");
			return;
		}
		set_name(command->name);
	}
	mship.enabled = true;
	err = mship.started ? 0 : view_start_transport();
	if (err) {
		/* It may come up later: an address is added, for example. */
		command_end(command, err, err == -ENOKEY ?
			    "no cluster key is loaded: holon cluster key load" :
			    err == -EADDRNOTAVAIL ?
			    "the cluster's address is not configured on this node" :
			    "the transport does not start");
		return;
	}
	if (command->kind == COMMAND_CREATE)
		command_create(command);
	else
		list_add_tail(&command->list, &commands);
}

/* Returns true when the command has ended. */
static bool command_over(struct command *command, int *err, const char **why)
{
	unsigned int id;

	*err = 0;
	*why = NULL;
	if (command->kind == COMMAND_LEAVE) {
		if (mship.state == HOLON_NODE_ALONE)
			return true;
		if (mship.state == HOLON_NODE_FROZEN) {
			*err = -EBUSY;
			*why = "quorum was lost while leaving";
			return true;
		}
		return false;
	}
	if (command->kind == COMMAND_EVICT) {
		if (!mship.view) {
			*err = -ECANCELED;
			*why = "this node is out of the cluster itself";
			return true;
		}
		if (mship.view->incarnation[command->node] != command->incarnation)
			return mship.resumed;
		if (mship.state == HOLON_NODE_MEMBER)
			return false;
		mship.evicting = 0;
		*err = -EBUSY;
		*why = "quorum was lost meanwhile";
		return true;
	}
	if (mship.view)
		return mship.resumed;
	if (!mship.enabled) {
		*err = -ECANCELED;
		*why = "leave was asked for meanwhile";
		return true;
	}
	if (command->kind == COMMAND_CREATE) {
		*err = -ECANCELED;
		*why = "founding failed";
		return !mship.basis;
	}
	if (mship.state == HOLON_NODE_ALONE && mship.no_join_until > command->since) {
		for (id = 1; id < HOLON_NODE_IDS; id++)
			if (view_nodes[id] && view_nodes[id]->refused[0] &&
			    !uuid_is_null(&view_nodes[id]->cluster_uuid))
				strscpy(command->text, view_nodes[id]->refused);
		*err = -ECONNREFUSED;
		*why = command->text[0] ? command->text : "refused";
		return true;
	}
	if (view_now() - command->since > 10 * view_fd_ms) {
		*err = mship.state == HOLON_NODE_ALONE ? -ENETUNREACH : -ETIMEDOUT;
		*why = mship.state == HOLON_NODE_ALONE ?
			"no member of a cluster of this name is heard; looking on" :
			"not admitted yet; trying on";
		return true;
	}
	return false;
}

/* A leaver asks until the view without it is there. */
static void poll_leaving(void)
{
	static u64 again_at;
	unsigned int id;

	if (mship.state != HOLON_NODE_LEAVING || view_now() < again_at)
		return;
	again_at = view_now() + 4 * view_hb_ms;
	for_each_set_bit(id, mship.view->members, HOLON_NODE_IDS)
		if (id != mship.me.id)
			view_send_plain(id, VIEW_MSG_LEAVE_REQ, mship.view->epoch);
}

void command_poll(void)
{
	struct command *command, *tmp;

	poll_leaving();
	list_for_each_entry_safe(command, tmp, &commands, list) {
		const char *why;
		int err;

		/* The waiter was killed. */
		if (refcount_read(&command->ref) == 1) {
			list_del(&command->list);
			command_put(command);
		} else if (command_over(command, &err, &why)) {
			list_del(&command->list);
			command_end(command, err, why);
		}
	}
}

static int command_run(enum command_kind kind, const char *name, bool force, u8 node,
		       struct netlink_ext_ack *extack)
{
	struct command *command;
	int err;

	if (name && strnlen(name, HOLON_CLUSTER_NAME_MAX) == HOLON_CLUSTER_NAME_MAX) {
		NL_SET_ERR_MSG(extack, "the cluster name is too long");
		return -EINVAL;
	}
	if (name && !*name)
		name = NULL;
	command = kzalloc(sizeof(*command), GFP_KERNEL);
	if (!command)
		return -ENOMEM;
	refcount_set(&command->ref, 2);
	command->kind = kind;
	command->force = force;
	command->node = node;
	if (name)
		strscpy(command->name, name);
	init_completion(&command->done);
	err = view_queue_command(command);
	if (err) {
		kfree(command);
		return err;
	}
	err = wait_for_completion_killable(&command->done);
	if (!err) {
		err = command->err;
		if (err && command->why)
			NL_SET_ERR_MSG_FMT(extack, "%.70s", command->why);
	} else {
		err = -EINTR;
	}
	command_put(command);
	return err;
}

int holon_cluster_create(const char *name, struct netlink_ext_ack *extack)
{
	return command_run(COMMAND_CREATE, name, false, 0, extack);
}

int holon_cluster_join(const char *name, struct netlink_ext_ack *extack)
{
	return command_run(COMMAND_JOIN, name, false, 0, extack);
}

int holon_cluster_leave(bool force, struct netlink_ext_ack *extack)
{
	return command_run(COMMAND_LEAVE, NULL, force, 0, extack);
}

int holon_node_evict(u8 node, struct netlink_ext_ack *extack)
{
	return command_run(COMMAND_EVICT, NULL, false, node, extack);
}
