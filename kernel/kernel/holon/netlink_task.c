// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control plane: moving processes, and placing the caller's next program. A request runs in the
 * context of the task that sent it, so "the caller" is current.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/holon_node.h>
#include <linux/holon_task.h>
#include <linux/holon_view.h>
#include <net/genetlink.h>

#include "netlink-gen.h"

/*
 * The policy while there is no scheduler: the members take turns, beginning
 * behind this node. Two callers that race may get the same node, which harms
 * nobody.
 */
static u8 next_in_turn(void)
{
	static atomic_t last;
	const struct holon_view *view;
	unsigned int id = 0;

	rcu_read_lock();
	view = holon_view_rcu();
	if (view) {
		id = find_next_bit(view->members, HOLON_NODE_IDS,
				   (atomic_read(&last) ?: holon_node_id()) + 1);
		if (id >= HOLON_NODE_IDS)
			id = find_first_bit(view->members, HOLON_NODE_IDS);
		if (id >= HOLON_NODE_IDS)
			id = 0;
		atomic_set(&last, id);
	}
	rcu_read_unlock();
	return id;
}

int holon_nl_task_place_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[HOLON_A_TASK_NODE];
	u8 node = attr ? nla_get_u8(attr) : next_in_turn();
	struct sk_buff *msg;
	void *header;
	int err;

	if (!node) {
		NL_SET_ERR_MSG(info->extack,
			       "this node is in no cluster; join one, or run the command without placing it");
		return -ENOTCONN;
	}
	msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	err = -EMSGSIZE;
	header = genlmsg_iput(msg, info);
	if (!header || nla_put_u8(msg, HOLON_A_TASK_NODE, node))
		goto free_msg;
	genlmsg_end(msg, header);
	err = holon_task_place(node, info->extack);
	if (err)
		goto free_msg;
	return genlmsg_reply(msg, info);

free_msg:
	nlmsg_free(msg);
	return err;
}

int holon_nl_task_migrate_doit(struct sk_buff *skb, struct genl_info *info)
{
	if (GENL_REQ_ATTR_CHECK(info, HOLON_A_TASK_PID) ||
	    GENL_REQ_ATTR_CHECK(info, HOLON_A_TASK_NODE))
		return -EINVAL;
	return holon_task_migrate(nla_get_u32(info->attrs[HOLON_A_TASK_PID]),
				  nla_get_u8(info->attrs[HOLON_A_TASK_NODE]), info->extack);
}
