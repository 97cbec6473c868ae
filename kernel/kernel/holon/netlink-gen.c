// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/holon.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink-gen.h"

#include <uapi/linux/holon.h>

/* HOLON_CMD_CLUSTER_CREATE - do */
static const struct nla_policy holon_cluster_create_nl_policy[HOLON_A_CLUSTER_NAME + 1] = {
	[HOLON_A_CLUSTER_NAME] = { .type = NLA_NUL_STRING, .len = 31, },
};

/* HOLON_CMD_CLUSTER_JOIN - do */
static const struct nla_policy holon_cluster_join_nl_policy[HOLON_A_CLUSTER_NAME + 1] = {
	[HOLON_A_CLUSTER_NAME] = { .type = NLA_NUL_STRING, .len = 31, },
};

/* HOLON_CMD_CLUSTER_LEAVE - do */
static const struct nla_policy holon_cluster_leave_nl_policy[HOLON_A_CLUSTER_FORCE + 1] = {
	[HOLON_A_CLUSTER_FORCE] = { .type = NLA_FLAG, },
};

/* HOLON_CMD_NODE_GET - do */
static const struct nla_policy holon_node_get_nl_policy[HOLON_A_NODE_ID + 1] = {
	[HOLON_A_NODE_ID] = NLA_POLICY_MIN(NLA_U8, 1),
};

/* HOLON_CMD_NODE_SET - do */
static const struct nla_policy holon_node_set_nl_policy[HOLON_A_NODE_ID + 1] = {
	[HOLON_A_NODE_ID] = NLA_POLICY_MIN(NLA_U8, 1),
};

/* HOLON_CMD_NODE_EVICT - do */
static const struct nla_policy holon_node_evict_nl_policy[HOLON_A_NODE_ID + 1] = {
	[HOLON_A_NODE_ID] = NLA_POLICY_MIN(NLA_U8, 1),
};

/* HOLON_CMD_TASK_PLACE - do */
static const struct nla_policy holon_task_place_nl_policy[HOLON_A_TASK_NODE + 1] = {
	[HOLON_A_TASK_NODE] = NLA_POLICY_MIN(NLA_U8, 1),
};

/* HOLON_CMD_FACTS_GET - do */
static const struct nla_policy holon_facts_get_nl_policy[HOLON_A_FACTS_ID + 1] = {
	[HOLON_A_FACTS_ID] = NLA_POLICY_MIN(NLA_U8, 1),
};

/* HOLON_CMD_FACTS_SET - do */
static const struct nla_policy holon_facts_set_nl_policy[HOLON_A_FACTS_MOUNTS + 1] = {
	[HOLON_A_FACTS_MOUNTS] = { .type = NLA_BINARY, },
};

/* HOLON_CMD_KEY_SET - do */
static const struct nla_policy holon_key_set_nl_policy[HOLON_A_KEY_BYTES + 1] = {
	[HOLON_A_KEY_BYTES] = { .type = NLA_BINARY, },
};

/* HOLON_CMD_TASK_MIGRATE - do */
static const struct nla_policy holon_task_migrate_nl_policy[HOLON_A_TASK_PID + 1] = {
	[HOLON_A_TASK_PID] = NLA_POLICY_MIN(NLA_U32, 1),
	[HOLON_A_TASK_NODE] = NLA_POLICY_MIN(NLA_U8, 1),
};

/* HOLON_CMD_TASK_GET - do */
static const struct nla_policy holon_task_get_nl_policy[HOLON_A_TASK_PID + 1] = {
	[HOLON_A_TASK_PID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* Ops table for holon */
static const struct genl_split_ops holon_nl_ops[] = {
	{
		.cmd	= HOLON_CMD_CLUSTER_GET,
		.doit	= holon_nl_cluster_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HOLON_CMD_CLUSTER_CREATE,
		.pre_doit	= holon_nl_pre_operate,
		.doit		= holon_nl_cluster_create_doit,
		.policy		= holon_cluster_create_nl_policy,
		.maxattr	= HOLON_A_CLUSTER_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HOLON_CMD_CLUSTER_JOIN,
		.pre_doit	= holon_nl_pre_operate,
		.doit		= holon_nl_cluster_join_doit,
		.policy		= holon_cluster_join_nl_policy,
		.maxattr	= HOLON_A_CLUSTER_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HOLON_CMD_CLUSTER_LEAVE,
		.pre_doit	= holon_nl_pre_operate,
		.doit		= holon_nl_cluster_leave_doit,
		.policy		= holon_cluster_leave_nl_policy,
		.maxattr	= HOLON_A_CLUSTER_FORCE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HOLON_CMD_NODE_GET,
		.doit		= holon_nl_node_get_doit,
		.policy		= holon_node_get_nl_policy,
		.maxattr	= HOLON_A_NODE_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= HOLON_CMD_NODE_GET,
		.dumpit	= holon_nl_node_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= HOLON_CMD_NODE_SET,
		.pre_doit	= holon_nl_pre_admin,
		.doit		= holon_nl_node_set_doit,
		.policy		= holon_node_set_nl_policy,
		.maxattr	= HOLON_A_NODE_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HOLON_CMD_NODE_EVICT,
		.pre_doit	= holon_nl_pre_operate,
		.doit		= holon_nl_node_evict_doit,
		.policy		= holon_node_evict_nl_policy,
		.maxattr	= HOLON_A_NODE_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HOLON_CMD_TASK_PLACE,
		.doit		= holon_nl_task_place_doit,
		.policy		= holon_task_place_nl_policy,
		.maxattr	= HOLON_A_TASK_NODE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HOLON_CMD_FACTS_GET,
		.doit		= holon_nl_facts_get_doit,
		.policy		= holon_facts_get_nl_policy,
		.maxattr	= HOLON_A_FACTS_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HOLON_CMD_FACTS_SET,
		.pre_doit	= holon_nl_pre_admin,
		.doit		= holon_nl_facts_set_doit,
		.policy		= holon_facts_set_nl_policy,
		.maxattr	= HOLON_A_FACTS_MOUNTS,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= HOLON_CMD_KEY_GET,
		.doit	= holon_nl_key_get_doit,
		.flags	= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HOLON_CMD_KEY_SET,
		.pre_doit	= holon_nl_pre_admin,
		.doit		= holon_nl_key_set_doit,
		.policy		= holon_key_set_nl_policy,
		.maxattr	= HOLON_A_KEY_BYTES,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= HOLON_CMD_STATS_RPC_GET,
		.dumpit	= holon_nl_stats_rpc_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= HOLON_CMD_STATS_SYSCALL_GET,
		.dumpit	= holon_nl_stats_syscall_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd	= HOLON_CMD_STATS_COUNTER_GET,
		.dumpit	= holon_nl_stats_counter_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= HOLON_CMD_TASK_MIGRATE,
		.doit		= holon_nl_task_migrate_doit,
		.policy		= holon_task_migrate_nl_policy,
		.maxattr	= HOLON_A_TASK_PID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HOLON_CMD_TASK_GET,
		.doit		= holon_nl_task_get_doit,
		.policy		= holon_task_get_nl_policy,
		.maxattr	= HOLON_A_TASK_PID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= HOLON_CMD_TASK_GET,
		.dumpit	= holon_nl_task_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
};

static const struct genl_multicast_group holon_nl_mcgrps[] = {
	[HOLON_NLGRP_VIEW] = { "view", },
	[HOLON_NLGRP_TASK] = { "task", },
};

struct genl_family holon_nl_family __ro_after_init = {
	.name		= HOLON_FAMILY_NAME,
	.version	= HOLON_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= holon_nl_ops,
	.n_split_ops	= ARRAY_SIZE(holon_nl_ops),
	.mcgrps		= holon_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(holon_nl_mcgrps),
};
