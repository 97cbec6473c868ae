// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control plane: generic netlink family "holon".
 *
 * Documentation/netlink/specs/holon.yaml says what there is; netlink-gen.c is
 * made from it and has checked types and lengths of the attributes, and the
 * privilege, before anything here runs. Whatever is refused is refused with a
 * sentence that says what to do.
 *
 * Requests run in the context of the task that sent them. So those that change
 * the membership may wait: they hold no lock that the view thread or a message
 * handler takes (generic netlink holds its callback lock for reading, which
 * only delays the registration of further families).
 *
 * Events come from the notifier of the views, which runs on the view thread,
 * one at a time; that alone protects @reported.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/bitmap.h>
#include <linux/holon_node.h>
#include <linux/holon_view.h>
#include <linux/init.h>
#include <linux/inet.h>
#include <linux/notifier.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "netlink-gen.h"
#include "netlink_event.h"
#include "setting.h"

/* What user space is told is the number the kernel has. */
static_assert(HOLON_MEMBERSHIP_OFF == (int)HOLON_NODE_OFF);
static_assert(HOLON_MEMBERSHIP_ALONE == (int)HOLON_NODE_ALONE);
static_assert(HOLON_MEMBERSHIP_JOINING == (int)HOLON_NODE_JOINING);
static_assert(HOLON_MEMBERSHIP_MEMBER == (int)HOLON_NODE_MEMBER);
static_assert(HOLON_MEMBERSHIP_FROZEN == (int)HOLON_NODE_FROZEN);
static_assert(HOLON_MEMBERSHIP_LEAVING == (int)HOLON_NODE_LEAVING);
static_assert(HOLON_MEMBERSHIP_GONE == (int)HOLON_NODE_GONE);
static_assert(HOLON_MEMBERSHIP_GONE + 1 == HOLON_NODE_STATES);

/* A list of ids takes this much of a message. */
#define IDS_SIZE	(HOLON_NODE_MAX * nla_total_size(sizeof(u8)))

static int put_ids(struct sk_buff *msg, int attr, const unsigned long *ids)
{
	unsigned int id;

	for_each_set_bit(id, ids, HOLON_NODE_IDS) {
		if (nla_put_u8(msg, attr, id))
			return -EMSGSIZE;
	}
	return 0;
}

static int put_uuid(struct sk_buff *msg, int attr, const uuid_t *uuid)
{
	return uuid_is_null(uuid) ? 0 : nla_put(msg, attr, sizeof(*uuid), uuid);
}

/* The cluster */

static int fill_cluster(struct sk_buff *msg, const struct holon_cluster_info *info)
{
	if (nla_put_string(msg, HOLON_A_CLUSTER_NAME, info->name) ||
	    put_uuid(msg, HOLON_A_CLUSTER_UUID, &info->uuid) ||
	    nla_put_uint(msg, HOLON_A_CLUSTER_EPOCH, info->epoch) ||
	    nla_put_u8(msg, HOLON_A_CLUSTER_NODE, holon_node_id()) ||
	    nla_put_u32(msg, HOLON_A_CLUSTER_STATE, info->state) ||
	    put_ids(msg, HOLON_A_CLUSTER_MEMBER, info->members) ||
	    (info->coordinator &&
	     nla_put_u8(msg, HOLON_A_CLUSTER_COORDINATOR, info->coordinator)) ||
	    (info->steady && nla_put_flag(msg, HOLON_A_CLUSTER_STEADY)) ||
	    nla_put_u32(msg, HOLON_A_CLUSTER_HEARTBEAT, info->hb_ms) ||
	    nla_put_u32(msg, HOLON_A_CLUSTER_SILENCE, info->fd_ms) ||
	    nla_put_u32(msg, HOLON_A_CLUSTER_LEASE, info->lease_ms) ||
	    nla_put_string(msg, HOLON_A_CLUSTER_QUORUM, info->quorum) ||
	    put_ids(msg, HOLON_A_CLUSTER_SURVIVES, info->survives))
		return -EMSGSIZE;
	return 0;
}

int holon_nl_cluster_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct holon_cluster_info *cluster;
	struct sk_buff *msg;
	void *header;
	int err;

	cluster = kmalloc(sizeof(*cluster), GFP_KERNEL);
	if (!cluster)
		return -ENOMEM;
	err = -ENOMEM;
	msg = genlmsg_new(2 * IDS_SIZE + SZ_512, GFP_KERNEL);
	if (!msg)
		goto free_cluster;
	holon_cluster_info(cluster);
	err = -EMSGSIZE;
	header = genlmsg_iput(msg, info);
	if (!header)
		goto free_msg;
	err = fill_cluster(msg, cluster);
	if (err)
		goto free_msg;
	genlmsg_end(msg, header);
	kfree(cluster);
	return genlmsg_reply(msg, info);

free_msg:
	nlmsg_free(msg);
free_cluster:
	kfree(cluster);
	return err;
}

/* A name is optional: without one the kernel takes what it was given at boot. */
static int cluster_name(struct genl_info *info, const char **name)
{
	struct nlattr *attr = info->attrs[HOLON_A_CLUSTER_NAME];

	*name = NULL;
	if (!attr)
		return 0;
	*name = nla_data(attr);
	if (!**name) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr, "the name of a cluster cannot be empty");
		return -EINVAL;
	}
	return 0;
}

int holon_nl_cluster_create_doit(struct sk_buff *skb, struct genl_info *info)
{
	const char *name;
	int err = cluster_name(info, &name);

	return err ?: holon_cluster_create(name, info->extack);
}

int holon_nl_cluster_join_doit(struct sk_buff *skb, struct genl_info *info)
{
	const char *name;
	int err = cluster_name(info, &name);

	return err ?: holon_cluster_join(name, info->extack);
}

int holon_nl_cluster_leave_doit(struct sk_buff *skb, struct genl_info *info)
{
	return holon_cluster_leave(nla_get_flag(info->attrs[HOLON_A_CLUSTER_FORCE]), info->extack);
}

/* Nodes */

static int fill_node(struct sk_buff *msg, const struct holon_node_info *node)
{
	char address[INET6_ADDRSTRLEN + 16];

	snprintf(address, sizeof(address), "%pISpc", &node->addr);
	if (nla_put_u8(msg, HOLON_A_NODE_ID, node->id) ||
	    (node->self && nla_put_flag(msg, HOLON_A_NODE_SELF)) ||
	    (node->member && nla_put_flag(msg, HOLON_A_NODE_MEMBER)) ||
	    nla_put_u32(msg, HOLON_A_NODE_STATE, node->state) ||
	    put_uuid(msg, HOLON_A_NODE_UUID, &node->uuid) ||
	    nla_put_uint(msg, HOLON_A_NODE_INCARNATION, node->incarnation) ||
	    nla_put_uint(msg, HOLON_A_NODE_EPOCH, node->epoch) ||
	    (node->addr.ss_family && nla_put_string(msg, HOLON_A_NODE_ADDRESS, address)) ||
	    (node->connected && nla_put_flag(msg, HOLON_A_NODE_CONNECTED)) ||
	    (node->heard_ms != U32_MAX &&
	     nla_put_u32(msg, HOLON_A_NODE_HEARD, node->heard_ms)) ||
	    (node->rtt_us && nla_put_u32(msg, HOLON_A_NODE_ROUND_TRIP, node->rtt_us)) ||
	    nla_put_sint(msg, HOLON_A_NODE_CLOCK_OFFSET, node->clock_offset_ns) ||
	    (node->refused[0] && nla_put_string(msg, HOLON_A_NODE_REASON, node->refused)) ||
	    (node->removed && !node->member &&
	     nla_put_u8(msg, HOLON_A_NODE_FENCED, node->fenced)) ||
	    (node->fence[0] && nla_put_string(msg, HOLON_A_NODE_FENCE, node->fence)))
		return -EMSGSIZE;
	return 0;
}

static int put_node(struct sk_buff *msg, const struct genl_info *info, u8 id)
{
	struct holon_node_info *node;
	void *header;
	int err;

	node = kmalloc(sizeof(*node), GFP_KERNEL);
	if (!node)
		return -ENOMEM;
	err = holon_node_info(id, node);
	if (err)
		goto free;
	err = -EMSGSIZE;
	header = genlmsg_iput(msg, info);
	if (!header)
		goto free;
	err = fill_node(msg, node);
	if (err)
		genlmsg_cancel(msg, header);
	else
		genlmsg_end(msg, header);
free:
	kfree(node);
	return err;
}

int holon_nl_node_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *msg;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, HOLON_A_NODE_ID)) {
		NL_SET_ERR_MSG(info->extack, "say the id of the node");
		return -EINVAL;
	}
	msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	err = put_node(msg, info, nla_get_u8(info->attrs[HOLON_A_NODE_ID]));
	if (err) {
		if (err == -ENOENT)
			NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[HOLON_A_NODE_ID],
					    "nothing has been heard of this node; a dump has those that are known");
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

int holon_nl_node_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	u8 *done = (u8 *)cb->ctx;
	int err = 0;
	u8 id;

	while ((id = holon_node_next(*done))) {
		err = put_node(skb, genl_info_dump(cb), id);
		/* It may have been forgotten since. */
		if (err && err != -ENOENT)
			break;
		*done = id;
	}
	return err == -EMSGSIZE && skb->len ? skb->len : err == -ENOENT ? 0 : err;
}

int holon_nl_node_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err;

	if (GENL_REQ_ATTR_CHECK(info, HOLON_A_NODE_ID)) {
		NL_SET_ERR_MSG(info->extack, "say the id that this node shall have, 1 to 255");
		return -EINVAL;
	}
	err = setting_fix_id(nla_get_u8(info->attrs[HOLON_A_NODE_ID]));
	if (err == -EBUSY)
		NL_SET_ERR_MSG_FMT(info->extack,
				   "this node is node %u; another id needs a reboot",
				   holon_node_id());
	return err;
}

int holon_nl_node_evict_doit(struct sk_buff *skb, struct genl_info *info)
{
	if (GENL_REQ_ATTR_CHECK(info, HOLON_A_NODE_ID)) {
		NL_SET_ERR_MSG(info->extack, "say the id of the member to put out");
		return -EINVAL;
	}
	return holon_node_evict(nla_get_u8(info->attrs[HOLON_A_NODE_ID]), info->extack);
}

/* Events */

/* The last view that user space was told of. Zero is no member. */
static u64 reported[HOLON_NODE_IDS];

static void report_view(enum holon_node_state state)
{
	DECLARE_BITMAP(joined, HOLON_NODE_IDS) = {};
	DECLARE_BITMAP(left, HOLON_NODE_IDS) = {};
	const struct holon_view *view;
	struct sk_buff *msg;
	unsigned int id;
	void *header;

	view = holon_view_get();
	for (id = 1; id < HOLON_NODE_IDS; id++) {
		u64 now = view ? view->incarnation[id] : 0;

		if (now == reported[id])
			continue;
		if (now)
			__set_bit(id, joined);
		if (reported[id])
			__set_bit(id, left);
		reported[id] = now;
	}
	msg = holon_nl_event_begin(HOLON_CMD_VIEW_NTF, 3 * IDS_SIZE + SZ_256, &header);
	if (!msg)
		goto lost;
	if (nla_put_uint(msg, HOLON_A_VIEW_EPOCH, view ? view->epoch : 0) ||
	    (view && put_uuid(msg, HOLON_A_VIEW_UUID, &view->cluster_uuid)) ||
	    nla_put_u32(msg, HOLON_A_VIEW_STATE, state) ||
	    (view && put_ids(msg, HOLON_A_VIEW_MEMBER, view->members)) ||
	    put_ids(msg, HOLON_A_VIEW_JOINED, joined) ||
	    put_ids(msg, HOLON_A_VIEW_LEFT, left)) {
		nlmsg_free(msg);
		goto lost;
	}
	holon_nl_event_end(msg, header, HOLON_NLGRP_VIEW);
	if (view)
		holon_view_put(view);
	return;

lost:
	holon_nl_event_lost(HOLON_NLGRP_VIEW);
	if (view)
		holon_view_put(view);
}

static void report_state(const struct holon_view_notice *notice)
{
	struct sk_buff *msg;
	void *header;

	msg = holon_nl_event_begin(HOLON_CMD_STATE_NTF, NLMSG_DEFAULT_SIZE, &header);
	if (!msg) {
		holon_nl_event_lost(HOLON_NLGRP_VIEW);
		return;
	}
	if (nla_put_uint(msg, HOLON_A_VIEW_EPOCH, notice->epoch) ||
	    nla_put_u32(msg, HOLON_A_VIEW_STATE, notice->state)) {
		nlmsg_free(msg);
		holon_nl_event_lost(HOLON_NLGRP_VIEW);
		return;
	}
	holon_nl_event_end(msg, header, HOLON_NLGRP_VIEW);
}

static void report_refusal(u8 id)
{
	struct holon_node_info *node;
	struct sk_buff *msg;
	void *header;

	node = kmalloc(sizeof(*node), GFP_KERNEL);
	if (!node) {
		holon_nl_event_lost(HOLON_NLGRP_VIEW);
		return;
	}
	if (holon_node_info(id, node))
		goto free_node;
	msg = holon_nl_event_begin(HOLON_CMD_REFUSED_NTF, NLMSG_DEFAULT_SIZE, &header);
	if (!msg) {
		holon_nl_event_lost(HOLON_NLGRP_VIEW);
		goto free_node;
	}
	if (nla_put_u8(msg, HOLON_A_NODE_ID, id) ||
	    put_uuid(msg, HOLON_A_NODE_UUID, &node->uuid) ||
	    nla_put_uint(msg, HOLON_A_NODE_INCARNATION, node->incarnation) ||
	    nla_put_string(msg, HOLON_A_NODE_REASON, node->refused)) {
		nlmsg_free(msg);
		holon_nl_event_lost(HOLON_NLGRP_VIEW);
		goto free_node;
	}
	holon_nl_event_end(msg, header, HOLON_NLGRP_VIEW);
free_node:
	kfree(node);
}

static void report_fenced(u8 id)
{
	struct holon_node_info *node;
	struct sk_buff *msg = NULL;
	void *header;

	node = kmalloc(sizeof(*node), GFP_KERNEL);
	if (node && !holon_node_info(id, node))
		msg = holon_nl_event_begin(HOLON_CMD_FENCED_NTF, NLMSG_DEFAULT_SIZE, &header);
	if (!msg) {
		holon_nl_event_lost(HOLON_NLGRP_VIEW);
	} else if (nla_put_u8(msg, HOLON_A_NODE_ID, id) ||
		   nla_put_uint(msg, HOLON_A_NODE_INCARNATION, node->removed)) {
		nlmsg_free(msg);
		holon_nl_event_lost(HOLON_NLGRP_VIEW);
	} else {
		holon_nl_event_end(msg, header, HOLON_NLGRP_VIEW);
	}
	kfree(node);
}

static int view_event(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct holon_view_notice *notice = data;

	switch (event) {
	case HOLON_VIEW_EVENT_STATE:
		report_state(notice);
		/* Out of the cluster: there will be no view to report it with. */
		if (!notice->epoch && memchr_inv(reported, 0, sizeof(reported)))
			report_view(notice->state);
		break;
	case HOLON_VIEW_EVENT_RESUMED:
		report_view(notice->state);
		break;
	case HOLON_VIEW_EVENT_REFUSED:
		report_refusal(notice->node);
		break;
	case HOLON_VIEW_EVENT_FENCED:
		report_fenced(notice->node);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block view_notifier = {
	.notifier_call = view_event,
};

static int __init holon_netlink_init(void)
{
	int err;

	err = genl_register_family(&holon_nl_family);
	if (err) {
		pr_err("cannot register the netlink family: %d\n", err);
		return err;
	}
	return holon_view_register_notifier(&view_notifier);
}

/* After generic netlink (subsys) and before a view can change. */
fs_initcall(holon_netlink_init);
