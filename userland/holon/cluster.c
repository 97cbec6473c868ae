// SPDX-License-Identifier: GPL-2.0-only
/*
 * holon cluster show|create|leave|key
 */
#include <string.h>

#include "command.h"
#include "output.h"

static int show(const struct verb *verb)
{
	struct ynl_sock *ys = kernel(REFUSED);
	struct holon_cluster_get_rsp *cluster = holon_cluster_get(ys);
	char uuid[HOLON_UUID_TEXT];

	if (!cluster)
		return refused(ys);
	output_begin(OUTPUT_RECORD);
	output_record();
	output_string("name", cluster->_present.name_len ? cluster->name : NULL);
	output_string("uuid", cluster->_present.uuid_len ?
		      holon_uuid_text(cluster->uuid, cluster->_present.uuid_len, uuid) : NULL);
	output_number("epoch", cluster->epoch);
	output_ids("members", cluster->member, cluster->n_member);
	output_number("node", cluster->node);
	output_string("state", holon_membership_str(cluster->state));
	output_flag("steady", cluster->_present.steady);
	output_number("coordinator", cluster->coordinator);
	output_number("heartbeat-ms", cluster->heartbeat);
	output_number("silence-ms", cluster->silence);
	output_number("lease-ms", cluster->lease);
	output_string("quorum", cluster->_present.quorum_len ? cluster->quorum : NULL);
	output_ids("survives-loss-of", cluster->survives, cluster->n_survives);
	holon_cluster_get_rsp_free(cluster);
	ynl_sock_destroy(ys);
	return output_end();
}

static int create(const struct verb *verb)
{
	struct holon_cluster_create_req request = {};
	const char *name = given(verb, "name");
	struct ynl_sock *ys = kernel(REFUSED);

	if (name) {
		request._present.name_len = strlen(name);
		request.name = (char *)name;
	}
	if (holon_cluster_create(ys, &request))
		return refused(ys);
	ynl_sock_destroy(ys);
	return DONE;
}

int join_cluster(const char *name)
{
	struct holon_cluster_join_req request = {};
	struct ynl_sock *ys = kernel(REFUSED);

	if (name) {
		request._present.name_len = strlen(name);
		request.name = (char *)name;
	}
	if (holon_cluster_join(ys, &request))
		return refused(ys);
	ynl_sock_destroy(ys);
	return DONE;
}

int leave_cluster(bool force)
{
	struct holon_cluster_leave_req request = { ._present.force = force };
	struct ynl_sock *ys = kernel(REFUSED);

	if (holon_cluster_leave(ys, &request))
		return refused(ys);
	ynl_sock_destroy(ys);
	return DONE;
}

static int leave(const struct verb *verb)
{
	return leave_cluster(given(verb, "force"));
}

static struct parameter create_parameters[] = { { .key = "name" }, { .key = NULL } };
static struct parameter leave_parameters[] = { { .key = "force", .lone = true }, { .key = NULL } };

static const struct verb verbs[] = {
	{ "show", "", "the cluster as this node sees it", NULL, show },
	{ "create", "[name NAME]", "found a cluster with this node as its only member",
	  create_parameters, create },
	{ "leave", "[force]", "leave the cluster; the same as `holon node leave`",
	  leave_parameters, leave },
	{ "key", "[show | generate | add | promote | prune | load] [file FILE]",
	  "the cluster keys: show what is loaded; make, change or load the file of keys",
	  key_parameters, cluster_key },
	{ .name = NULL }
};

const struct object object_cluster = {
	.name = "cluster",
	.verbs = verbs,
};
