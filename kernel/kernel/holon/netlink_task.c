// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control plane: processes, where they run, moving them, and placing the caller's
 * next program. A request runs in the context of the task that sent it, so "the
 * caller" is current.
 */
#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/holon_node.h>
#include <linux/holon_task.h>
#include <linux/holon_view.h>
#include <linux/pid_namespace.h>
#include <net/genetlink.h>

#include "netlink-gen.h"
#include "netlink_event.h"

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

/* In a container the numbers are others, and the processes none of its business. */
static int sees_processes(struct netlink_ext_ack *extack)
{
	if (task_active_pid_ns(current) == &init_pid_ns)
		return 0;
	NL_SET_ERR_MSG(extack, "this is a container: ask outside of it");
	return -EPERM;
}

static int put_task(struct sk_buff *msg, const struct genl_info *info,
		    const struct holon_task_info *task)
{
	void *header = genlmsg_iput(msg, info);

	if (!header)
		return -EMSGSIZE;
	if (nla_put_u32(msg, HOLON_A_TASK_PID, task->pid) ||
	    nla_put_u8(msg, HOLON_A_TASK_HOME, task->home) ||
	    nla_put_u8(msg, HOLON_A_TASK_NODE, task->node) ||
	    nla_put_u32(msg, HOLON_A_TASK_STATE, task->state) ||
	    nla_put_string(msg, HOLON_A_TASK_COMM, task->comm) ||
	    nla_put_u32(msg, HOLON_A_TASK_THREADS, task->threads) ||
	    nla_put_u32(msg, HOLON_A_TASK_MOVES, task->moves) ||
	    (task->memory && nla_put_uint(msg, HOLON_A_TASK_MEMORY, task->memory)) ||
	    (task->movable && nla_put_flag(msg, HOLON_A_TASK_MOVABLE)) ||
	    (task->reason && nla_put_string(msg, HOLON_A_TASK_REASON, task->reason))) {
		genlmsg_cancel(msg, header);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, header);
	return 0;
}

int holon_nl_task_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct holon_task_info task;
	struct sk_buff *msg;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, HOLON_A_TASK_PID)) {
		NL_SET_ERR_MSG(info->extack, "say the number of a process");
		return -EINVAL;
	}
	err = sees_processes(info->extack);
	if (err)
		return err;
	err = holon_task_show(nla_get_u32(info->attrs[HOLON_A_TASK_PID]), &task, info->extack);
	if (err)
		return err;
	msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	err = put_task(msg, info, &task);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

int holon_nl_task_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct holon_task_position position = { .bucket = cb->args[0], .done = cb->args[1] };
	struct holon_task_info task;
	int err = sees_processes(cb->extack);

	if (err)
		return err;
	while (holon_task_next(&position, &task)) {
		err = put_task(skb, genl_info_dump(cb), &task);
		if (err)
			break;
		cb->args[0] = position.bucket;
		cb->args[1] = position.done;
	}
	return err == -EMSGSIZE && skb->len ? skb->len : err;
}

void holon_netlink_task_moved(pid_t pid, u8 home, u8 from, u8 to)
{
	struct sk_buff *msg;
	void *header;

	msg = holon_nl_event_begin(HOLON_CMD_TASK_NTF, NLMSG_DEFAULT_SIZE, &header);
	if (msg && !nla_put_u32(msg, HOLON_A_TASK_PID, pid) &&
	    !nla_put_u8(msg, HOLON_A_TASK_HOME, home) &&
	    !nla_put_u8(msg, HOLON_A_TASK_FROM, from) &&
	    !nla_put_u8(msg, HOLON_A_TASK_NODE, to) &&
	    !nla_put_string(msg, HOLON_A_TASK_COMM, current->group_leader->comm)) {
		holon_nl_event_end_init(msg, header, HOLON_NLGRP_TASK);
		return;
	}
	nlmsg_free(msg);
	holon_nl_event_lost(HOLON_NLGRP_TASK);
}
