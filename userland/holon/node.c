// SPDX-License-Identifier: GPL-2.0-only
/*
 * holon node show|set|configure|private|check|join|leave|evict
 */
#include <stdlib.h>

#include "command.h"
#include "configure.h"
#include "output.h"

static bool parse_id(const char *text, uint8_t *id)
{
	unsigned long number;

	if (!holon_number(text, 1, HOLON_NODES - 1, &number))
		return false;
	*id = number;
	return true;
}

/* The kernel's reason, or what user space knows of a node that is in no cluster. */
static const char *reason(const struct holon_node_get_rsp *node)
{
	if (node->_present.reason_len)
		return node->reason;
	return node->_present.self && !node->_present.member ? reason_noted() : NULL;
}

static void print(const struct holon_node_get_rsp *node)
{
	char uuid[HOLON_UUID_TEXT];

	output_record();
	output_number("node", node->id);
	output_flag("self", node->_present.self);
	output_flag("member", node->_present.member);
	output_string("state", holon_membership_str(node->state));
	output_number("epoch", node->epoch);
	output_string("address", node->_present.address_len ? node->address : NULL);
	output_flag("connected", node->_present.connected);
	if (node->_present.heard)
		output_number("heard-ms", node->heard);
	else
		output_string("heard-ms", NULL);
	if (node->_present.round_trip)
		output_number("round-trip-us", node->round_trip);
	else
		output_string("round-trip-us", NULL);
	output_string("reason", reason(node));
	/* What few people read at a glance is in JSON and for a single node. */
	output_detail();
	output_string("uuid", node->_present.uuid_len ?
		      holon_uuid_text(node->uuid, node->_present.uuid_len, uuid) : NULL);
	output_number("incarnation", node->incarnation);
	output_signed("clock-offset-ns", node->clock_offset);
	/* Only of one that was removed can it be asked. */
	if (node->_present.fenced)
		output_flag("fenced", node->fenced);
	else
		output_string("fenced", NULL);
	output_string("fence-command", node->_present.fence_len ? node->fence : NULL);
}

static int show_one(struct ynl_sock *ys, uint8_t id)
{
	struct holon_node_get_req request = { ._present.id = 1, .id = id };
	struct holon_node_get_rsp *node = holon_node_get(ys, &request);

	if (!node)
		return refused(ys);
	output_begin(OUTPUT_RECORD);
	print(node);
	holon_node_get_rsp_free(node);
	return output_end();
}

static int by_id(const void *a, const void *b)
{
	const struct holon_node_get_rsp *const *left = a, *const *right = b;

	return (*left)->id - (*right)->id;
}

static int show_all(struct ynl_sock *ys)
{
	const struct holon_node_get_rsp *nodes[HOLON_NODES];
	struct holon_node_get_list *list;
	unsigned int count = 0, i;
	bool known = false;
	int err;

	list = holon_node_get_dump(ys);
	if (!list)
		return refused(ys);
	ynl_dump_foreach(list, node) {
		if (count < HOLON_NODES)
			nodes[count++] = node;
	}
	qsort(nodes, count, sizeof(nodes[0]), by_id);
	output_begin(OUTPUT_TABLE);
	for (i = 0; i < count; i++) {
		known |= nodes[i]->_present.self;
		print(nodes[i]);
	}
	holon_node_get_list_free(list);
	err = output_end();
	/* A machine without an id has no line to put it in. */
	if (!known && reason_noted())
		complain("this machine is in no cluster: %s", reason_noted());
	return err;
}

static int show(const struct verb *verb)
{
	const char *wanted = given(verb, "id");
	struct ynl_sock *ys;
	uint8_t id;
	int err;

	if (wanted && !parse_id(wanted, &id))
		return misused("\"%s\" is not a node id: say a number from 1 to 255", wanted);
	ys = kernel(REFUSED);
	err = wanted ? show_one(ys, id) : show_all(ys);
	ynl_sock_destroy(ys);
	return err;
}

static int set(const struct verb *verb)
{
	struct holon_node_set_req request = {};
	const char *id = given(verb, "id");
	struct ynl_sock *ys;

	if (!id)
		return misused("say which id this node shall have: holon node set id N");
	if (!parse_id(id, &request.id))
		return misused("\"%s\" is not a node id: say a number from 1 to 255", id);
	request._present.id = 1;
	ys = kernel(REFUSED);
	if (holon_node_set(ys, &request))
		return refused(ys);
	ynl_sock_destroy(ys);
	return DONE;
}

static int join(const struct verb *verb)
{
	int err = join_cluster(given(verb, "cluster"));

	reason_note(err);
	return err;
}

static int leave(const struct verb *verb)
{
	return leave_cluster(given(verb, "force"));
}

static int evict(const struct verb *verb)
{
	struct holon_node_evict_req request = {};
	const char *id = given(verb, "id");
	struct ynl_sock *ys;

	if (!id)
		return misused("say which member to put out: holon node evict id N");
	if (!parse_id(id, &request.id))
		return misused("\"%s\" is not a node id: say a number from 1 to 255", id);
	request._present.id = 1;
	ys = kernel(REFUSED);
	if (holon_node_evict(ys, &request))
		return refused(ys);
	ynl_sock_destroy(ys);
	return DONE;
}

static struct parameter show_parameters[] = { { .key = "id" }, { .key = NULL } };
static struct parameter set_parameters[] = { { .key = "id" }, { .key = NULL } };
static struct parameter config_parameters[] = {
	{ .key = "file" }, { .key = "root" }, { .key = NULL }
};
static struct parameter private_parameters[] = { { .key = "file" }, { .key = NULL } };
static struct parameter join_parameters[] = { { .key = "cluster" }, { .key = NULL } };
static struct parameter evict_parameters[] = { { .key = "id" }, { .key = NULL } };
static struct parameter leave_parameters[] = { { .key = "force", .lone = true }, { .key = NULL } };

static const struct verb verbs[] = {
	{ "show", "[id N]", "the nodes this one knows of, or one of them", show_parameters, show },
	{ "set", "id N", "give this node its id, once, before it joins", set_parameters, set },
	{ "configure", "[file FILE] [root DIR]", "give this node what /etc/holon/node.conf says",
	  config_parameters, node_configure },
	{ "private", "[file FILE]", "make the directories of private= this node's own",
	  private_parameters, node_private },
	{ "check", "[file FILE] [root DIR]", "look for mistakes in /etc/holon/node.conf",
	  config_parameters, node_check },
	{ "join", "[cluster NAME]", "ask the cluster to let this node in", join_parameters, join },
	{ "leave", "[force]", "leave the cluster", leave_parameters, leave },
	{ "evict", "id N", "put a member out, until it is told to join", evict_parameters, evict },
	{ .name = NULL }
};

const struct object object_node = {
	.name = "node",
	.verbs = verbs,
};
