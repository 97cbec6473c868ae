/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/holon.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_HOLON_GEN_H
#define _LINUX_HOLON_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/holon.h>

int holon_nl_pre_operate(const struct genl_split_ops *ops, struct sk_buff *skb,
			 struct genl_info *info);
int holon_nl_pre_admin(const struct genl_split_ops *ops, struct sk_buff *skb,
		       struct genl_info *info);

int holon_nl_cluster_get_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_cluster_create_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_cluster_join_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_cluster_leave_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_node_get_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_node_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int holon_nl_node_set_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_node_evict_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_task_place_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_facts_get_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_facts_set_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_key_get_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_key_set_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_stats_rpc_get_dumpit(struct sk_buff *skb,
				  struct netlink_callback *cb);
int holon_nl_stats_syscall_get_dumpit(struct sk_buff *skb,
				      struct netlink_callback *cb);
int holon_nl_stats_counter_get_dumpit(struct sk_buff *skb,
				      struct netlink_callback *cb);
int holon_nl_task_migrate_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_task_get_doit(struct sk_buff *skb, struct genl_info *info);
int holon_nl_task_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

enum {
	HOLON_NLGRP_VIEW,
	HOLON_NLGRP_TASK,
};

extern struct genl_family holon_nl_family;

#endif /* _LINUX_HOLON_GEN_H */
