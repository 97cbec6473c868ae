// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control plane: what containers for the processes of a node have to look
 * like. Said by the holond of that node, asked by those of the others.
 */
#include <linux/holon_view.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "facts.h"
#include "netlink-gen.h"
#include "netlink_event.h"

static int fill_facts(struct sk_buff *msg, u8 id, const struct holon_facts *facts)
{
	if (nla_put_u8(msg, HOLON_A_FACTS_ID, id) ||
	    nla_put_string(msg, HOLON_A_FACTS_HOST, facts->host) ||
	    nla_put_string(msg, HOLON_A_FACTS_DOMAIN, facts->domain) ||
	    (facts->has_mounts &&
	     nla_put(msg, HOLON_A_FACTS_MOUNTS, facts->mounts_len, facts->mounts)))
		return -EMSGSIZE;
	return 0;
}

/*
 * The facts of a member. Listeners look at everything again at any event, so
 * this is one more of "state", which says what still holds.
 */
void holon_nl_facts_changed(void)
{
	struct holon_cluster_info info;
	struct sk_buff *msg;
	void *header;

	holon_cluster_info(&info);
	msg = holon_nl_event_begin(HOLON_CMD_STATE_NTF, NLMSG_DEFAULT_SIZE, &header);
	if (msg && !nla_put_uint(msg, HOLON_A_VIEW_EPOCH, info.epoch) &&
	    !nla_put_u32(msg, HOLON_A_VIEW_STATE, info.state)) {
		holon_nl_event_end(msg, header, HOLON_NLGRP_VIEW);
		return;
	}
	nlmsg_free(msg);
	holon_nl_event_lost(HOLON_NLGRP_VIEW);
}

int holon_nl_facts_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct holon_facts *facts;
	struct sk_buff *msg;
	void *header;
	int err;
	u8 id;

	if (GENL_REQ_ATTR_CHECK(info, HOLON_A_FACTS_ID)) {
		NL_SET_ERR_MSG(info->extack, "say the id of the node");
		return -EINVAL;
	}
	id = nla_get_u8(info->attrs[HOLON_A_FACTS_ID]);
	facts = kmalloc(sizeof(*facts), GFP_KERNEL);
	if (!facts)
		return -ENOMEM;
	err = holon_facts_get(id, facts);
	if (err == -EHOSTDOWN)
		NL_SET_ERR_MSG_FMT(info->extack, "node %u is no member of the cluster", id);
	if (err)
		goto free_facts;
	err = -ENOMEM;
	msg = genlmsg_new(HOLON_FACTS_MOUNTS_MAX + SZ_512, GFP_KERNEL);
	if (!msg)
		goto free_facts;
	err = -EMSGSIZE;
	header = genlmsg_iput(msg, info);
	if (!header)
		goto free_msg;
	err = fill_facts(msg, id, facts);
	if (err)
		goto free_msg;
	genlmsg_end(msg, header);
	kfree(facts);
	return genlmsg_reply(msg, info);

free_msg:
	nlmsg_free(msg);
free_facts:
	kfree(facts);
	return err;
}

int holon_nl_facts_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *mounts = info->attrs[HOLON_A_FACTS_MOUNTS];
	int err;

	if (GENL_REQ_ATTR_CHECK(info, HOLON_A_FACTS_MOUNTS)) {
		NL_SET_ERR_MSG(info->extack, "say the mount points that only this node has");
		return -EINVAL;
	}
	err = holon_facts_set(nla_data(mounts), nla_len(mounts));
	if (err == -EINVAL)
		NL_SET_ERR_MSG_ATTR(info->extack, mounts,
				    "mount points are absolute paths, each with a final NUL, together at most 6144 bytes");
	return err;
}
