// SPDX-License-Identifier: GPL-2.0-only
/*
 * holon monitor [view] [task]
 *
 * The first line is what holds now, so that whoever reads knows that it is
 * being listened and from where the changes count.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "output.h"

static void print_now(struct ynl_sock *ys)
{
	struct holon_cluster_get_rsp *cluster = holon_cluster_get(ys);
	char uuid[HOLON_UUID_TEXT];

	if (!cluster)
		die(REFUSED, "%s", holon_why(ys));
	output_record();
	output_string("event", "now");
	output_number("epoch", cluster->epoch);
	output_string("state", holon_membership_str(cluster->state));
	output_ids("members", cluster->member, cluster->n_member);
	output_string("uuid", cluster->_present.uuid_len ?
		      holon_uuid_text(cluster->uuid, cluster->_present.uuid_len, uuid) : NULL);
	output_end();
	holon_cluster_get_rsp_free(cluster);
}

static void print_view(const struct holon_view_ntf_rsp *view)
{
	char uuid[HOLON_UUID_TEXT];

	output_record();
	output_string("event", "view");
	output_number("epoch", view->epoch);
	output_string("state", holon_membership_str(view->state));
	output_ids("members", view->member, view->n_member);
	output_ids("joined", view->joined, view->n_joined);
	output_ids("left", view->left, view->n_left);
	output_string("uuid", view->_present.uuid_len ?
		      holon_uuid_text(view->uuid, view->_present.uuid_len, uuid) : NULL);
	output_end();
}

static void print_state(const struct holon_state_ntf_rsp *view)
{
	output_record();
	output_string("event", "state");
	output_number("epoch", view->epoch);
	output_string("state", holon_membership_str(view->state));
	output_end();
}

static void print_refusal(const struct holon_refused_ntf_rsp *node)
{
	output_record();
	output_string("event", "refused");
	output_number("node", node->id);
	output_string("reason", node->_present.reason_len ? node->reason : NULL);
	output_end();
}

static void print_fenced(const struct holon_fenced_ntf_rsp *node)
{
	output_record();
	output_string("event", "fenced");
	output_number("node", node->id);
	output_number("incarnation", node->incarnation);
	output_end();
}

static void print_move(const struct holon_task_ntf_rsp *task)
{
	output_record();
	output_string("event", "task");
	output_number("pid", task->pid);
	output_number("home", task->home);
	output_number("from", task->from);
	output_number("node", task->node);
	output_string("comm", task->_present.comm_len ? task->comm : NULL);
	output_end();
}

static void print_events(struct ynl_sock *ys)
{
	struct ynl_ntf_base_type *event;

	while ((event = ynl_ntf_dequeue(ys))) {
		switch (event->cmd) {
		case HOLON_CMD_VIEW_NTF:
			print_view(&((struct holon_view_ntf *)event)->obj);
			break;
		case HOLON_CMD_STATE_NTF:
			print_state(&((struct holon_state_ntf *)event)->obj);
			break;
		case HOLON_CMD_REFUSED_NTF:
			print_refusal(&((struct holon_refused_ntf *)event)->obj);
			break;
		case HOLON_CMD_FENCED_NTF:
			print_fenced(&((struct holon_fenced_ntf *)event)->obj);
			break;
		case HOLON_CMD_TASK_NTF:
			print_move(&((struct holon_task_ntf *)event)->obj);
			break;
		}
		ynl_ntf_free(event);
	}
}

static int monitor(const struct verb *verb)
{
	struct ynl_sock *ys = kernel(REFUSED);
	struct pollfd poller = { .fd = ynl_socket_get_fd(ys), .events = POLLIN };
	bool tasks = given(verb, "task"), views = given(verb, "view") || !tasks;

	if ((views && ynl_subscribe(ys, "view")) || (tasks && ynl_subscribe(ys, "task")))
		return refused(ys);
	output_begin(OUTPUT_EVENT);
	print_now(ys);
	for (;;) {
		print_events(ys);
		if (ferror(stdout))
			die(REFUSED, "standard output: %s", strerror(errno));
		if (poll(&poller, 1, -1) < 0) {
			if (errno == EINTR)
				continue;
			die(REFUSED, "poll: %s", strerror(errno));
		}
		if (ynl_ntf_check(ys) < 0) {
			if (errno != ENOBUFS)
				return refused(ys);
			/* Events were lost: say so, and go on from what holds now. */
			complain("some events were lost");
			print_now(ys);
		}
	}
}

static struct parameter parameters[] = {
	{ .key = "view", .lone = true }, { .key = "task", .lone = true }, {}
};

static const struct verb verb = {
	NULL, "[view] [task]",
	"print each new view, change of this node's state, refusal and fencing, or each move of a process of this node",
	parameters, monitor
};

const struct object object_monitor = {
	.name = "monitor",
	.only = &verb,
};
