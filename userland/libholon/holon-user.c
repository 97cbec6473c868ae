// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/holon.yaml */
/* YNL-GEN user source */

#include <stdlib.h>
#include <string.h>
#include "holon-user.h"
#include "ynl.h"
#include <linux/holon.h>

#include <linux/genetlink.h>

/* Enums */
static const char * const holon_op_strmap[] = {
	[HOLON_CMD_CLUSTER_GET] = "cluster-get",
	[HOLON_CMD_CLUSTER_CREATE] = "cluster-create",
	[HOLON_CMD_CLUSTER_JOIN] = "cluster-join",
	[HOLON_CMD_CLUSTER_LEAVE] = "cluster-leave",
	[HOLON_CMD_NODE_GET] = "node-get",
	[HOLON_CMD_NODE_SET] = "node-set",
	[HOLON_CMD_NODE_EVICT] = "node-evict",
	[HOLON_CMD_VIEW_NTF] = "view-ntf",
	[HOLON_CMD_STATE_NTF] = "state-ntf",
	[HOLON_CMD_REFUSED_NTF] = "refused-ntf",
	[HOLON_CMD_FENCED_NTF] = "fenced-ntf",
	[HOLON_CMD_TASK_PLACE] = "task-place",
	[HOLON_CMD_FACTS_GET] = "facts-get",
	[HOLON_CMD_FACTS_SET] = "facts-set",
	[HOLON_CMD_KEY_GET] = "key-get",
	[HOLON_CMD_KEY_SET] = "key-set",
	[HOLON_CMD_STATS_RPC_GET] = "stats-rpc-get",
	[HOLON_CMD_STATS_SYSCALL_GET] = "stats-syscall-get",
	[HOLON_CMD_STATS_COUNTER_GET] = "stats-counter-get",
	[HOLON_CMD_TASK_MIGRATE] = "task-migrate",
	[HOLON_CMD_TASK_GET] = "task-get",
	[HOLON_CMD_TASK_NTF] = "task-ntf",
};

const char *holon_op_str(int op)
{
	if (op < 0 || op >= (int)YNL_ARRAY_SIZE(holon_op_strmap))
		return NULL;
	return holon_op_strmap[op];
}

static const char * const holon_membership_strmap[] = {
	[0] = "off",
	[1] = "alone",
	[2] = "joining",
	[3] = "member",
	[4] = "frozen",
	[5] = "leaving",
	[6] = "gone",
};

const char *holon_membership_str(enum holon_membership value)
{
	if (value < 0 || value >= (int)YNL_ARRAY_SIZE(holon_membership_strmap))
		return NULL;
	return holon_membership_strmap[value];
}

static const char * const holon_whereabouts_strmap[] = {
	[0] = "home",
	[1] = "away",
	[2] = "moving",
	[3] = "ending",
};

const char *holon_whereabouts_str(enum holon_whereabouts value)
{
	if (value < 0 || value >= (int)YNL_ARRAY_SIZE(holon_whereabouts_strmap))
		return NULL;
	return holon_whereabouts_strmap[value];
}

/* Policies */
const struct ynl_policy_attr holon_cluster_policy[HOLON_A_CLUSTER_MAX + 1] = {
	[HOLON_A_CLUSTER_NAME] = { .name = "name", .type = YNL_PT_NUL_STR, },
	[HOLON_A_CLUSTER_UUID] = { .name = "uuid", .type = YNL_PT_BINARY,},
	[HOLON_A_CLUSTER_EPOCH] = { .name = "epoch", .type = YNL_PT_UINT, },
	[HOLON_A_CLUSTER_NODE] = { .name = "node", .type = YNL_PT_U8, },
	[HOLON_A_CLUSTER_STATE] = { .name = "state", .type = YNL_PT_U32, },
	[HOLON_A_CLUSTER_MEMBER] = { .name = "member", .type = YNL_PT_U8, },
	[HOLON_A_CLUSTER_COORDINATOR] = { .name = "coordinator", .type = YNL_PT_U8, },
	[HOLON_A_CLUSTER_STEADY] = { .name = "steady", .type = YNL_PT_FLAG, },
	[HOLON_A_CLUSTER_HEARTBEAT] = { .name = "heartbeat", .type = YNL_PT_U32, },
	[HOLON_A_CLUSTER_SILENCE] = { .name = "silence", .type = YNL_PT_U32, },
	[HOLON_A_CLUSTER_FORCE] = { .name = "force", .type = YNL_PT_FLAG, },
	[HOLON_A_CLUSTER_LEASE] = { .name = "lease", .type = YNL_PT_U32, },
	[HOLON_A_CLUSTER_QUORUM] = { .name = "quorum", .type = YNL_PT_NUL_STR, },
	[HOLON_A_CLUSTER_SURVIVES] = { .name = "survives", .type = YNL_PT_U8, },
};

const struct ynl_policy_nest holon_cluster_nest = {
	.max_attr = HOLON_A_CLUSTER_MAX,
	.table = holon_cluster_policy,
};

const struct ynl_policy_attr holon_node_policy[HOLON_A_NODE_MAX + 1] = {
	[HOLON_A_NODE_ID] = { .name = "id", .type = YNL_PT_U8, },
	[HOLON_A_NODE_SELF] = { .name = "self", .type = YNL_PT_FLAG, },
	[HOLON_A_NODE_MEMBER] = { .name = "member", .type = YNL_PT_FLAG, },
	[HOLON_A_NODE_STATE] = { .name = "state", .type = YNL_PT_U32, },
	[HOLON_A_NODE_UUID] = { .name = "uuid", .type = YNL_PT_BINARY,},
	[HOLON_A_NODE_INCARNATION] = { .name = "incarnation", .type = YNL_PT_UINT, },
	[HOLON_A_NODE_EPOCH] = { .name = "epoch", .type = YNL_PT_UINT, },
	[HOLON_A_NODE_ADDRESS] = { .name = "address", .type = YNL_PT_NUL_STR, },
	[HOLON_A_NODE_CONNECTED] = { .name = "connected", .type = YNL_PT_FLAG, },
	[HOLON_A_NODE_HEARD] = { .name = "heard", .type = YNL_PT_U32, },
	[HOLON_A_NODE_ROUND_TRIP] = { .name = "round-trip", .type = YNL_PT_U32, },
	[HOLON_A_NODE_CLOCK_OFFSET] = { .name = "clock-offset", .type = YNL_PT_UINT, },
	[HOLON_A_NODE_REASON] = { .name = "reason", .type = YNL_PT_NUL_STR, },
	[HOLON_A_NODE_FENCED] = { .name = "fenced", .type = YNL_PT_U8, },
	[HOLON_A_NODE_FENCE] = { .name = "fence", .type = YNL_PT_NUL_STR, },
};

const struct ynl_policy_nest holon_node_nest = {
	.max_attr = HOLON_A_NODE_MAX,
	.table = holon_node_policy,
};

const struct ynl_policy_attr holon_view_policy[HOLON_A_VIEW_MAX + 1] = {
	[HOLON_A_VIEW_EPOCH] = { .name = "epoch", .type = YNL_PT_UINT, },
	[HOLON_A_VIEW_UUID] = { .name = "uuid", .type = YNL_PT_BINARY,},
	[HOLON_A_VIEW_STATE] = { .name = "state", .type = YNL_PT_U32, },
	[HOLON_A_VIEW_MEMBER] = { .name = "member", .type = YNL_PT_U8, },
	[HOLON_A_VIEW_JOINED] = { .name = "joined", .type = YNL_PT_U8, },
	[HOLON_A_VIEW_LEFT] = { .name = "left", .type = YNL_PT_U8, },
};

const struct ynl_policy_nest holon_view_nest = {
	.max_attr = HOLON_A_VIEW_MAX,
	.table = holon_view_policy,
};

const struct ynl_policy_attr holon_task_policy[HOLON_A_TASK_MAX + 1] = {
	[HOLON_A_TASK_NODE] = { .name = "node", .type = YNL_PT_U8, },
	[HOLON_A_TASK_PID] = { .name = "pid", .type = YNL_PT_U32, },
	[HOLON_A_TASK_HOME] = { .name = "home", .type = YNL_PT_U8, },
	[HOLON_A_TASK_STATE] = { .name = "state", .type = YNL_PT_U32, },
	[HOLON_A_TASK_COMM] = { .name = "comm", .type = YNL_PT_NUL_STR, },
	[HOLON_A_TASK_THREADS] = { .name = "threads", .type = YNL_PT_U32, },
	[HOLON_A_TASK_MOVES] = { .name = "moves", .type = YNL_PT_U32, },
	[HOLON_A_TASK_MEMORY] = { .name = "memory", .type = YNL_PT_UINT, },
	[HOLON_A_TASK_MOVABLE] = { .name = "movable", .type = YNL_PT_FLAG, },
	[HOLON_A_TASK_REASON] = { .name = "reason", .type = YNL_PT_NUL_STR, },
	[HOLON_A_TASK_FROM] = { .name = "from", .type = YNL_PT_U8, },
};

const struct ynl_policy_nest holon_task_nest = {
	.max_attr = HOLON_A_TASK_MAX,
	.table = holon_task_policy,
};

const struct ynl_policy_attr holon_facts_policy[HOLON_A_FACTS_MAX + 1] = {
	[HOLON_A_FACTS_ID] = { .name = "id", .type = YNL_PT_U8, },
	[HOLON_A_FACTS_HOST] = { .name = "host", .type = YNL_PT_NUL_STR, },
	[HOLON_A_FACTS_DOMAIN] = { .name = "domain", .type = YNL_PT_NUL_STR, },
	[HOLON_A_FACTS_MOUNTS] = { .name = "mounts", .type = YNL_PT_BINARY,},
};

const struct ynl_policy_nest holon_facts_nest = {
	.max_attr = HOLON_A_FACTS_MAX,
	.table = holon_facts_policy,
};

const struct ynl_policy_attr holon_key_policy[HOLON_A_KEY_MAX + 1] = {
	[HOLON_A_KEY_ID] = { .name = "id", .type = YNL_PT_U64, },
	[HOLON_A_KEY_BYTES] = { .name = "bytes", .type = YNL_PT_BINARY,},
};

const struct ynl_policy_nest holon_key_nest = {
	.max_attr = HOLON_A_KEY_MAX,
	.table = holon_key_policy,
};

const struct ynl_policy_attr holon_rpc_policy[HOLON_A_RPC_MAX + 1] = {
	[HOLON_A_RPC_ID] = { .name = "id", .type = YNL_PT_U16, },
	[HOLON_A_RPC_NAME] = { .name = "name", .type = YNL_PT_NUL_STR, },
	[HOLON_A_RPC_RANK] = { .name = "rank", .type = YNL_PT_U8, },
	[HOLON_A_RPC_CALLS] = { .name = "calls", .type = YNL_PT_UINT, },
	[HOLON_A_RPC_REPLIES] = { .name = "replies", .type = YNL_PT_UINT, },
	[HOLON_A_RPC_ERRORS] = { .name = "errors", .type = YNL_PT_UINT, },
	[HOLON_A_RPC_HOSTDOWN] = { .name = "hostdown", .type = YNL_PT_UINT, },
	[HOLON_A_RPC_REFUSED] = { .name = "refused", .type = YNL_PT_UINT, },
	[HOLON_A_RPC_CANCELS] = { .name = "cancels", .type = YNL_PT_UINT, },
	[HOLON_A_RPC_ORPHANED] = { .name = "orphaned", .type = YNL_PT_UINT, },
	[HOLON_A_RPC_SENT] = { .name = "sent", .type = YNL_PT_UINT, },
	[HOLON_A_RPC_HANDLED] = { .name = "handled", .type = YNL_PT_UINT, },
	[HOLON_A_RPC_CANCELLED] = { .name = "cancelled", .type = YNL_PT_UINT, },
	[HOLON_A_RPC_CREDIT_WAITS] = { .name = "credit-waits", .type = YNL_PT_UINT, },
	[HOLON_A_RPC_BYTES_OUT] = { .name = "bytes-out", .type = YNL_PT_UINT, },
	[HOLON_A_RPC_BYTES_IN] = { .name = "bytes-in", .type = YNL_PT_UINT, },
	[HOLON_A_RPC_LATENCY] = { .name = "latency", .type = YNL_PT_U64, },
};

const struct ynl_policy_nest holon_rpc_nest = {
	.max_attr = HOLON_A_RPC_MAX,
	.table = holon_rpc_policy,
};

const struct ynl_policy_attr holon_syscall_policy[HOLON_A_SYSCALL_MAX + 1] = {
	[HOLON_A_SYSCALL_NUMBER] = { .name = "number", .type = YNL_PT_U32, },
	[HOLON_A_SYSCALL_NAME] = { .name = "name", .type = YNL_PT_NUL_STR, },
	[HOLON_A_SYSCALL_FORWARDED] = { .name = "forwarded", .type = YNL_PT_UINT, },
	[HOLON_A_SYSCALL_REFUSED] = { .name = "refused", .type = YNL_PT_UINT, },
};

const struct ynl_policy_nest holon_syscall_nest = {
	.max_attr = HOLON_A_SYSCALL_MAX,
	.table = holon_syscall_policy,
};

const struct ynl_policy_attr holon_counter_policy[HOLON_A_COUNTER_MAX + 1] = {
	[HOLON_A_COUNTER_GROUP] = { .name = "group", .type = YNL_PT_NUL_STR, },
	[HOLON_A_COUNTER_NAME] = { .name = "name", .type = YNL_PT_NUL_STR, },
	[HOLON_A_COUNTER_VALUE] = { .name = "value", .type = YNL_PT_UINT, },
};

const struct ynl_policy_nest holon_counter_nest = {
	.max_attr = HOLON_A_COUNTER_MAX,
	.table = holon_counter_policy,
};

/* Common nested types */
/* ============== HOLON_CMD_CLUSTER_GET ============== */
/* HOLON_CMD_CLUSTER_GET - do */
void holon_cluster_get_rsp_free(struct holon_cluster_get_rsp *rsp)
{
	free(rsp->name);
	free(rsp->uuid);
	free(rsp->member);
	free(rsp->quorum);
	free(rsp->survives);
	free(rsp);
}

int holon_cluster_get_rsp_parse(const struct nlmsghdr *nlh,
				struct ynl_parse_arg *yarg)
{
	struct holon_cluster_get_rsp *dst;
	unsigned int n_survives = 0;
	const struct nlattr *attr;
	unsigned int n_member = 0;
	int i;

	dst = yarg->data;

	if (dst->member)
		return ynl_error_parse(yarg, "attribute already present (cluster.member)");
	if (dst->survives)
		return ynl_error_parse(yarg, "attribute already present (cluster.survives)");

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_CLUSTER_NAME) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.name_len = len;
			dst->name = malloc(len + 1);
			memcpy(dst->name, ynl_attr_get_str(attr), len);
			dst->name[len] = 0;
		} else if (type == HOLON_A_CLUSTER_UUID) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = ynl_attr_data_len(attr);
			dst->_present.uuid_len = len;
			dst->uuid = malloc(len);
			memcpy(dst->uuid, ynl_attr_data(attr), len);
		} else if (type == HOLON_A_CLUSTER_EPOCH) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.epoch = 1;
			dst->epoch = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_CLUSTER_NODE) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.node = 1;
			dst->node = ynl_attr_get_u8(attr);
		} else if (type == HOLON_A_CLUSTER_STATE) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.state = 1;
			dst->state = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_CLUSTER_MEMBER) {
			n_member++;
		} else if (type == HOLON_A_CLUSTER_COORDINATOR) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.coordinator = 1;
			dst->coordinator = ynl_attr_get_u8(attr);
		} else if (type == HOLON_A_CLUSTER_STEADY) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.steady = 1;
		} else if (type == HOLON_A_CLUSTER_HEARTBEAT) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.heartbeat = 1;
			dst->heartbeat = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_CLUSTER_SILENCE) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.silence = 1;
			dst->silence = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_CLUSTER_LEASE) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.lease = 1;
			dst->lease = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_CLUSTER_QUORUM) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.quorum_len = len;
			dst->quorum = malloc(len + 1);
			memcpy(dst->quorum, ynl_attr_get_str(attr), len);
			dst->quorum[len] = 0;
		} else if (type == HOLON_A_CLUSTER_SURVIVES) {
			n_survives++;
		}
	}

	if (n_member) {
		dst->member = calloc(n_member, sizeof(*dst->member));
		dst->n_member = n_member;
		i = 0;
		ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
			if (ynl_attr_type(attr) == HOLON_A_CLUSTER_MEMBER) {
				dst->member[i] = ynl_attr_get_u8(attr);
				i++;
			}
		}
	}
	if (n_survives) {
		dst->survives = calloc(n_survives, sizeof(*dst->survives));
		dst->n_survives = n_survives;
		i = 0;
		ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
			if (ynl_attr_type(attr) == HOLON_A_CLUSTER_SURVIVES) {
				dst->survives[i] = ynl_attr_get_u8(attr);
				i++;
			}
		}
	}

	return YNL_PARSE_CB_OK;
}

struct holon_cluster_get_rsp *holon_cluster_get(struct ynl_sock *ys)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct holon_cluster_get_rsp *rsp;
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_CLUSTER_GET, 1);
	ys->req_policy = &holon_cluster_nest;
	yrs.yarg.rsp_policy = &holon_cluster_nest;

	rsp = calloc(1, sizeof(*rsp));
	yrs.yarg.data = rsp;
	yrs.cb = holon_cluster_get_rsp_parse;
	yrs.rsp_cmd = HOLON_CMD_CLUSTER_GET;

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		goto err_free;

	return rsp;

err_free:
	holon_cluster_get_rsp_free(rsp);
	return NULL;
}

/* ============== HOLON_CMD_CLUSTER_CREATE ============== */
/* HOLON_CMD_CLUSTER_CREATE - do */
void holon_cluster_create_req_free(struct holon_cluster_create_req *req)
{
	free(req->name);
	free(req);
}

int holon_cluster_create(struct ynl_sock *ys,
			 struct holon_cluster_create_req *req)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_CLUSTER_CREATE, 1);
	ys->req_policy = &holon_cluster_nest;

	if (req->_present.name_len)
		ynl_attr_put_str(nlh, HOLON_A_CLUSTER_NAME, req->name);

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		return -1;

	return 0;
}

/* ============== HOLON_CMD_CLUSTER_JOIN ============== */
/* HOLON_CMD_CLUSTER_JOIN - do */
void holon_cluster_join_req_free(struct holon_cluster_join_req *req)
{
	free(req->name);
	free(req);
}

int holon_cluster_join(struct ynl_sock *ys, struct holon_cluster_join_req *req)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_CLUSTER_JOIN, 1);
	ys->req_policy = &holon_cluster_nest;

	if (req->_present.name_len)
		ynl_attr_put_str(nlh, HOLON_A_CLUSTER_NAME, req->name);

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		return -1;

	return 0;
}

/* ============== HOLON_CMD_CLUSTER_LEAVE ============== */
/* HOLON_CMD_CLUSTER_LEAVE - do */
void holon_cluster_leave_req_free(struct holon_cluster_leave_req *req)
{
	free(req);
}

int holon_cluster_leave(struct ynl_sock *ys,
			struct holon_cluster_leave_req *req)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_CLUSTER_LEAVE, 1);
	ys->req_policy = &holon_cluster_nest;

	if (req->_present.force)
		ynl_attr_put(nlh, HOLON_A_CLUSTER_FORCE, NULL, 0);

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		return -1;

	return 0;
}

/* ============== HOLON_CMD_NODE_GET ============== */
/* HOLON_CMD_NODE_GET - do */
void holon_node_get_req_free(struct holon_node_get_req *req)
{
	free(req);
}

void holon_node_get_rsp_free(struct holon_node_get_rsp *rsp)
{
	free(rsp->uuid);
	free(rsp->address);
	free(rsp->reason);
	free(rsp->fence);
	free(rsp);
}

int holon_node_get_rsp_parse(const struct nlmsghdr *nlh,
			     struct ynl_parse_arg *yarg)
{
	struct holon_node_get_rsp *dst;
	const struct nlattr *attr;

	dst = yarg->data;

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_NODE_ID) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.id = 1;
			dst->id = ynl_attr_get_u8(attr);
		} else if (type == HOLON_A_NODE_SELF) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.self = 1;
		} else if (type == HOLON_A_NODE_MEMBER) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.member = 1;
		} else if (type == HOLON_A_NODE_STATE) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.state = 1;
			dst->state = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_NODE_UUID) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = ynl_attr_data_len(attr);
			dst->_present.uuid_len = len;
			dst->uuid = malloc(len);
			memcpy(dst->uuid, ynl_attr_data(attr), len);
		} else if (type == HOLON_A_NODE_INCARNATION) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.incarnation = 1;
			dst->incarnation = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_NODE_EPOCH) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.epoch = 1;
			dst->epoch = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_NODE_ADDRESS) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.address_len = len;
			dst->address = malloc(len + 1);
			memcpy(dst->address, ynl_attr_get_str(attr), len);
			dst->address[len] = 0;
		} else if (type == HOLON_A_NODE_CONNECTED) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.connected = 1;
		} else if (type == HOLON_A_NODE_HEARD) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.heard = 1;
			dst->heard = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_NODE_ROUND_TRIP) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.round_trip = 1;
			dst->round_trip = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_NODE_CLOCK_OFFSET) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.clock_offset = 1;
			dst->clock_offset = ynl_attr_get_sint(attr);
		} else if (type == HOLON_A_NODE_REASON) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.reason_len = len;
			dst->reason = malloc(len + 1);
			memcpy(dst->reason, ynl_attr_get_str(attr), len);
			dst->reason[len] = 0;
		} else if (type == HOLON_A_NODE_FENCED) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.fenced = 1;
			dst->fenced = ynl_attr_get_u8(attr);
		} else if (type == HOLON_A_NODE_FENCE) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.fence_len = len;
			dst->fence = malloc(len + 1);
			memcpy(dst->fence, ynl_attr_get_str(attr), len);
			dst->fence[len] = 0;
		}
	}

	return YNL_PARSE_CB_OK;
}

struct holon_node_get_rsp *
holon_node_get(struct ynl_sock *ys, struct holon_node_get_req *req)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct holon_node_get_rsp *rsp;
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_NODE_GET, 1);
	ys->req_policy = &holon_node_nest;
	yrs.yarg.rsp_policy = &holon_node_nest;

	if (req->_present.id)
		ynl_attr_put_u8(nlh, HOLON_A_NODE_ID, req->id);

	rsp = calloc(1, sizeof(*rsp));
	yrs.yarg.data = rsp;
	yrs.cb = holon_node_get_rsp_parse;
	yrs.rsp_cmd = HOLON_CMD_NODE_GET;

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		goto err_free;

	return rsp;

err_free:
	holon_node_get_rsp_free(rsp);
	return NULL;
}

/* HOLON_CMD_NODE_GET - dump */
void holon_node_get_list_free(struct holon_node_get_list *rsp)
{
	struct holon_node_get_list *next = rsp;

	while ((void *)next != YNL_LIST_END) {
		rsp = next;
		next = rsp->next;

		free(rsp->obj.uuid);
		free(rsp->obj.address);
		free(rsp->obj.reason);
		free(rsp->obj.fence);
		free(rsp);
	}
}

struct holon_node_get_list *holon_node_get_dump(struct ynl_sock *ys)
{
	struct ynl_dump_state yds = {};
	struct nlmsghdr *nlh;
	int err;

	yds.yarg.ys = ys;
	yds.yarg.rsp_policy = &holon_node_nest;
	yds.yarg.data = NULL;
	yds.alloc_sz = sizeof(struct holon_node_get_list);
	yds.cb = holon_node_get_rsp_parse;
	yds.rsp_cmd = HOLON_CMD_NODE_GET;

	nlh = ynl_gemsg_start_dump(ys, ys->family_id, HOLON_CMD_NODE_GET, 1);

	err = ynl_exec_dump(ys, nlh, &yds);
	if (err < 0)
		goto free_list;

	return yds.first;

free_list:
	holon_node_get_list_free(yds.first);
	return NULL;
}

/* ============== HOLON_CMD_NODE_SET ============== */
/* HOLON_CMD_NODE_SET - do */
void holon_node_set_req_free(struct holon_node_set_req *req)
{
	free(req);
}

int holon_node_set(struct ynl_sock *ys, struct holon_node_set_req *req)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_NODE_SET, 1);
	ys->req_policy = &holon_node_nest;

	if (req->_present.id)
		ynl_attr_put_u8(nlh, HOLON_A_NODE_ID, req->id);

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		return -1;

	return 0;
}

/* ============== HOLON_CMD_NODE_EVICT ============== */
/* HOLON_CMD_NODE_EVICT - do */
void holon_node_evict_req_free(struct holon_node_evict_req *req)
{
	free(req);
}

int holon_node_evict(struct ynl_sock *ys, struct holon_node_evict_req *req)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_NODE_EVICT, 1);
	ys->req_policy = &holon_node_nest;

	if (req->_present.id)
		ynl_attr_put_u8(nlh, HOLON_A_NODE_ID, req->id);

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		return -1;

	return 0;
}

/* ============== HOLON_CMD_TASK_PLACE ============== */
/* HOLON_CMD_TASK_PLACE - do */
void holon_task_place_req_free(struct holon_task_place_req *req)
{
	free(req);
}

void holon_task_place_rsp_free(struct holon_task_place_rsp *rsp)
{
	free(rsp);
}

int holon_task_place_rsp_parse(const struct nlmsghdr *nlh,
			       struct ynl_parse_arg *yarg)
{
	struct holon_task_place_rsp *dst;
	const struct nlattr *attr;

	dst = yarg->data;

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_TASK_NODE) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.node = 1;
			dst->node = ynl_attr_get_u8(attr);
		}
	}

	return YNL_PARSE_CB_OK;
}

struct holon_task_place_rsp *
holon_task_place(struct ynl_sock *ys, struct holon_task_place_req *req)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct holon_task_place_rsp *rsp;
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_TASK_PLACE, 1);
	ys->req_policy = &holon_task_nest;
	yrs.yarg.rsp_policy = &holon_task_nest;

	if (req->_present.node)
		ynl_attr_put_u8(nlh, HOLON_A_TASK_NODE, req->node);

	rsp = calloc(1, sizeof(*rsp));
	yrs.yarg.data = rsp;
	yrs.cb = holon_task_place_rsp_parse;
	yrs.rsp_cmd = HOLON_CMD_TASK_PLACE;

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		goto err_free;

	return rsp;

err_free:
	holon_task_place_rsp_free(rsp);
	return NULL;
}

/* ============== HOLON_CMD_FACTS_GET ============== */
/* HOLON_CMD_FACTS_GET - do */
void holon_facts_get_req_free(struct holon_facts_get_req *req)
{
	free(req);
}

void holon_facts_get_rsp_free(struct holon_facts_get_rsp *rsp)
{
	free(rsp->host);
	free(rsp->domain);
	free(rsp->mounts);
	free(rsp);
}

int holon_facts_get_rsp_parse(const struct nlmsghdr *nlh,
			      struct ynl_parse_arg *yarg)
{
	struct holon_facts_get_rsp *dst;
	const struct nlattr *attr;

	dst = yarg->data;

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_FACTS_ID) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.id = 1;
			dst->id = ynl_attr_get_u8(attr);
		} else if (type == HOLON_A_FACTS_HOST) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.host_len = len;
			dst->host = malloc(len + 1);
			memcpy(dst->host, ynl_attr_get_str(attr), len);
			dst->host[len] = 0;
		} else if (type == HOLON_A_FACTS_DOMAIN) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.domain_len = len;
			dst->domain = malloc(len + 1);
			memcpy(dst->domain, ynl_attr_get_str(attr), len);
			dst->domain[len] = 0;
		} else if (type == HOLON_A_FACTS_MOUNTS) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = ynl_attr_data_len(attr);
			dst->_present.mounts_len = len;
			dst->mounts = malloc(len);
			memcpy(dst->mounts, ynl_attr_data(attr), len);
		}
	}

	return YNL_PARSE_CB_OK;
}

struct holon_facts_get_rsp *
holon_facts_get(struct ynl_sock *ys, struct holon_facts_get_req *req)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct holon_facts_get_rsp *rsp;
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_FACTS_GET, 1);
	ys->req_policy = &holon_facts_nest;
	yrs.yarg.rsp_policy = &holon_facts_nest;

	if (req->_present.id)
		ynl_attr_put_u8(nlh, HOLON_A_FACTS_ID, req->id);

	rsp = calloc(1, sizeof(*rsp));
	yrs.yarg.data = rsp;
	yrs.cb = holon_facts_get_rsp_parse;
	yrs.rsp_cmd = HOLON_CMD_FACTS_GET;

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		goto err_free;

	return rsp;

err_free:
	holon_facts_get_rsp_free(rsp);
	return NULL;
}

/* ============== HOLON_CMD_FACTS_SET ============== */
/* HOLON_CMD_FACTS_SET - do */
void holon_facts_set_req_free(struct holon_facts_set_req *req)
{
	free(req->mounts);
	free(req);
}

int holon_facts_set(struct ynl_sock *ys, struct holon_facts_set_req *req)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_FACTS_SET, 1);
	ys->req_policy = &holon_facts_nest;

	if (req->_present.mounts_len)
		ynl_attr_put(nlh, HOLON_A_FACTS_MOUNTS, req->mounts, req->_present.mounts_len);

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		return -1;

	return 0;
}

/* ============== HOLON_CMD_KEY_GET ============== */
/* HOLON_CMD_KEY_GET - do */
void holon_key_get_rsp_free(struct holon_key_get_rsp *rsp)
{
	free(rsp->id);
	free(rsp);
}

int holon_key_get_rsp_parse(const struct nlmsghdr *nlh,
			    struct ynl_parse_arg *yarg)
{
	struct holon_key_get_rsp *dst;
	const struct nlattr *attr;
	unsigned int n_id = 0;
	int i;

	dst = yarg->data;

	if (dst->id)
		return ynl_error_parse(yarg, "attribute already present (key.id)");

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_KEY_ID) {
			n_id++;
		}
	}

	if (n_id) {
		dst->id = calloc(n_id, sizeof(*dst->id));
		dst->n_id = n_id;
		i = 0;
		ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
			if (ynl_attr_type(attr) == HOLON_A_KEY_ID) {
				dst->id[i] = ynl_attr_get_u64(attr);
				i++;
			}
		}
	}

	return YNL_PARSE_CB_OK;
}

struct holon_key_get_rsp *holon_key_get(struct ynl_sock *ys)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct holon_key_get_rsp *rsp;
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_KEY_GET, 1);
	ys->req_policy = &holon_key_nest;
	yrs.yarg.rsp_policy = &holon_key_nest;

	rsp = calloc(1, sizeof(*rsp));
	yrs.yarg.data = rsp;
	yrs.cb = holon_key_get_rsp_parse;
	yrs.rsp_cmd = HOLON_CMD_KEY_GET;

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		goto err_free;

	return rsp;

err_free:
	holon_key_get_rsp_free(rsp);
	return NULL;
}

/* ============== HOLON_CMD_KEY_SET ============== */
/* HOLON_CMD_KEY_SET - do */
void holon_key_set_req_free(struct holon_key_set_req *req)
{
	free(req->bytes);
	free(req);
}

int holon_key_set(struct ynl_sock *ys, struct holon_key_set_req *req)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_KEY_SET, 1);
	ys->req_policy = &holon_key_nest;

	if (req->_present.bytes_len)
		ynl_attr_put(nlh, HOLON_A_KEY_BYTES, req->bytes, req->_present.bytes_len);

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		return -1;

	return 0;
}

/* ============== HOLON_CMD_STATS_RPC_GET ============== */
/* HOLON_CMD_STATS_RPC_GET - dump */
int holon_stats_rpc_get_rsp_dump_parse(const struct nlmsghdr *nlh,
				       struct ynl_parse_arg *yarg)
{
	struct holon_stats_rpc_get_rsp_dump *dst;
	unsigned int n_latency = 0;
	const struct nlattr *attr;
	int i;

	dst = yarg->data;

	if (dst->latency)
		return ynl_error_parse(yarg, "attribute already present (rpc.latency)");

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_RPC_ID) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.id = 1;
			dst->id = ynl_attr_get_u16(attr);
		} else if (type == HOLON_A_RPC_NAME) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.name_len = len;
			dst->name = malloc(len + 1);
			memcpy(dst->name, ynl_attr_get_str(attr), len);
			dst->name[len] = 0;
		} else if (type == HOLON_A_RPC_RANK) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.rank = 1;
			dst->rank = ynl_attr_get_u8(attr);
		} else if (type == HOLON_A_RPC_CALLS) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.calls = 1;
			dst->calls = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_RPC_REPLIES) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.replies = 1;
			dst->replies = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_RPC_ERRORS) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.errors = 1;
			dst->errors = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_RPC_HOSTDOWN) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.hostdown = 1;
			dst->hostdown = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_RPC_REFUSED) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.refused = 1;
			dst->refused = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_RPC_CANCELS) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.cancels = 1;
			dst->cancels = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_RPC_ORPHANED) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.orphaned = 1;
			dst->orphaned = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_RPC_SENT) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.sent = 1;
			dst->sent = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_RPC_HANDLED) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.handled = 1;
			dst->handled = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_RPC_CANCELLED) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.cancelled = 1;
			dst->cancelled = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_RPC_CREDIT_WAITS) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.credit_waits = 1;
			dst->credit_waits = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_RPC_BYTES_OUT) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.bytes_out = 1;
			dst->bytes_out = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_RPC_BYTES_IN) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.bytes_in = 1;
			dst->bytes_in = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_RPC_LATENCY) {
			n_latency++;
		}
	}

	if (n_latency) {
		dst->latency = calloc(n_latency, sizeof(*dst->latency));
		dst->n_latency = n_latency;
		i = 0;
		ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
			if (ynl_attr_type(attr) == HOLON_A_RPC_LATENCY) {
				dst->latency[i] = ynl_attr_get_u64(attr);
				i++;
			}
		}
	}

	return YNL_PARSE_CB_OK;
}

void
holon_stats_rpc_get_rsp_list_free(struct holon_stats_rpc_get_rsp_list *rsp)
{
	struct holon_stats_rpc_get_rsp_list *next = rsp;

	while ((void *)next != YNL_LIST_END) {
		rsp = next;
		next = rsp->next;

		free(rsp->obj.name);
		free(rsp->obj.latency);
		free(rsp);
	}
}

struct holon_stats_rpc_get_rsp_list *
holon_stats_rpc_get_dump(struct ynl_sock *ys)
{
	struct ynl_dump_state yds = {};
	struct nlmsghdr *nlh;
	int err;

	yds.yarg.ys = ys;
	yds.yarg.rsp_policy = &holon_rpc_nest;
	yds.yarg.data = NULL;
	yds.alloc_sz = sizeof(struct holon_stats_rpc_get_rsp_list);
	yds.cb = holon_stats_rpc_get_rsp_dump_parse;
	yds.rsp_cmd = HOLON_CMD_STATS_RPC_GET;

	nlh = ynl_gemsg_start_dump(ys, ys->family_id, HOLON_CMD_STATS_RPC_GET, 1);

	err = ynl_exec_dump(ys, nlh, &yds);
	if (err < 0)
		goto free_list;

	return yds.first;

free_list:
	holon_stats_rpc_get_rsp_list_free(yds.first);
	return NULL;
}

/* ============== HOLON_CMD_STATS_SYSCALL_GET ============== */
/* HOLON_CMD_STATS_SYSCALL_GET - dump */
int holon_stats_syscall_get_rsp_dump_parse(const struct nlmsghdr *nlh,
					   struct ynl_parse_arg *yarg)
{
	struct holon_stats_syscall_get_rsp_dump *dst;
	const struct nlattr *attr;

	dst = yarg->data;

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_SYSCALL_NUMBER) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.number = 1;
			dst->number = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_SYSCALL_NAME) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.name_len = len;
			dst->name = malloc(len + 1);
			memcpy(dst->name, ynl_attr_get_str(attr), len);
			dst->name[len] = 0;
		} else if (type == HOLON_A_SYSCALL_FORWARDED) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.forwarded = 1;
			dst->forwarded = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_SYSCALL_REFUSED) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.refused = 1;
			dst->refused = ynl_attr_get_uint(attr);
		}
	}

	return YNL_PARSE_CB_OK;
}

void
holon_stats_syscall_get_rsp_list_free(struct holon_stats_syscall_get_rsp_list *rsp)
{
	struct holon_stats_syscall_get_rsp_list *next = rsp;

	while ((void *)next != YNL_LIST_END) {
		rsp = next;
		next = rsp->next;

		free(rsp->obj.name);
		free(rsp);
	}
}

struct holon_stats_syscall_get_rsp_list *
holon_stats_syscall_get_dump(struct ynl_sock *ys)
{
	struct ynl_dump_state yds = {};
	struct nlmsghdr *nlh;
	int err;

	yds.yarg.ys = ys;
	yds.yarg.rsp_policy = &holon_syscall_nest;
	yds.yarg.data = NULL;
	yds.alloc_sz = sizeof(struct holon_stats_syscall_get_rsp_list);
	yds.cb = holon_stats_syscall_get_rsp_dump_parse;
	yds.rsp_cmd = HOLON_CMD_STATS_SYSCALL_GET;

	nlh = ynl_gemsg_start_dump(ys, ys->family_id, HOLON_CMD_STATS_SYSCALL_GET, 1);

	err = ynl_exec_dump(ys, nlh, &yds);
	if (err < 0)
		goto free_list;

	return yds.first;

free_list:
	holon_stats_syscall_get_rsp_list_free(yds.first);
	return NULL;
}

/* ============== HOLON_CMD_STATS_COUNTER_GET ============== */
/* HOLON_CMD_STATS_COUNTER_GET - dump */
int holon_stats_counter_get_rsp_dump_parse(const struct nlmsghdr *nlh,
					   struct ynl_parse_arg *yarg)
{
	struct holon_stats_counter_get_rsp_dump *dst;
	const struct nlattr *attr;

	dst = yarg->data;

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_COUNTER_GROUP) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.group_len = len;
			dst->group = malloc(len + 1);
			memcpy(dst->group, ynl_attr_get_str(attr), len);
			dst->group[len] = 0;
		} else if (type == HOLON_A_COUNTER_NAME) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.name_len = len;
			dst->name = malloc(len + 1);
			memcpy(dst->name, ynl_attr_get_str(attr), len);
			dst->name[len] = 0;
		} else if (type == HOLON_A_COUNTER_VALUE) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.value = 1;
			dst->value = ynl_attr_get_uint(attr);
		}
	}

	return YNL_PARSE_CB_OK;
}

void
holon_stats_counter_get_rsp_list_free(struct holon_stats_counter_get_rsp_list *rsp)
{
	struct holon_stats_counter_get_rsp_list *next = rsp;

	while ((void *)next != YNL_LIST_END) {
		rsp = next;
		next = rsp->next;

		free(rsp->obj.group);
		free(rsp->obj.name);
		free(rsp);
	}
}

struct holon_stats_counter_get_rsp_list *
holon_stats_counter_get_dump(struct ynl_sock *ys)
{
	struct ynl_dump_state yds = {};
	struct nlmsghdr *nlh;
	int err;

	yds.yarg.ys = ys;
	yds.yarg.rsp_policy = &holon_counter_nest;
	yds.yarg.data = NULL;
	yds.alloc_sz = sizeof(struct holon_stats_counter_get_rsp_list);
	yds.cb = holon_stats_counter_get_rsp_dump_parse;
	yds.rsp_cmd = HOLON_CMD_STATS_COUNTER_GET;

	nlh = ynl_gemsg_start_dump(ys, ys->family_id, HOLON_CMD_STATS_COUNTER_GET, 1);

	err = ynl_exec_dump(ys, nlh, &yds);
	if (err < 0)
		goto free_list;

	return yds.first;

free_list:
	holon_stats_counter_get_rsp_list_free(yds.first);
	return NULL;
}

/* ============== HOLON_CMD_TASK_MIGRATE ============== */
/* HOLON_CMD_TASK_MIGRATE - do */
void holon_task_migrate_req_free(struct holon_task_migrate_req *req)
{
	free(req);
}

int holon_task_migrate(struct ynl_sock *ys, struct holon_task_migrate_req *req)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_TASK_MIGRATE, 1);
	ys->req_policy = &holon_task_nest;

	if (req->_present.pid)
		ynl_attr_put_u32(nlh, HOLON_A_TASK_PID, req->pid);
	if (req->_present.node)
		ynl_attr_put_u8(nlh, HOLON_A_TASK_NODE, req->node);

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		return -1;

	return 0;
}

/* ============== HOLON_CMD_TASK_GET ============== */
/* HOLON_CMD_TASK_GET - do */
void holon_task_get_req_free(struct holon_task_get_req *req)
{
	free(req);
}

void holon_task_get_rsp_free(struct holon_task_get_rsp *rsp)
{
	free(rsp->comm);
	free(rsp->reason);
	free(rsp);
}

int holon_task_get_rsp_parse(const struct nlmsghdr *nlh,
			     struct ynl_parse_arg *yarg)
{
	struct holon_task_get_rsp *dst;
	const struct nlattr *attr;

	dst = yarg->data;

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_TASK_PID) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.pid = 1;
			dst->pid = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_TASK_HOME) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.home = 1;
			dst->home = ynl_attr_get_u8(attr);
		} else if (type == HOLON_A_TASK_NODE) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.node = 1;
			dst->node = ynl_attr_get_u8(attr);
		} else if (type == HOLON_A_TASK_STATE) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.state = 1;
			dst->state = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_TASK_COMM) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.comm_len = len;
			dst->comm = malloc(len + 1);
			memcpy(dst->comm, ynl_attr_get_str(attr), len);
			dst->comm[len] = 0;
		} else if (type == HOLON_A_TASK_THREADS) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.threads = 1;
			dst->threads = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_TASK_MOVES) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.moves = 1;
			dst->moves = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_TASK_MEMORY) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.memory = 1;
			dst->memory = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_TASK_MOVABLE) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.movable = 1;
		} else if (type == HOLON_A_TASK_REASON) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.reason_len = len;
			dst->reason = malloc(len + 1);
			memcpy(dst->reason, ynl_attr_get_str(attr), len);
			dst->reason[len] = 0;
		}
	}

	return YNL_PARSE_CB_OK;
}

struct holon_task_get_rsp *
holon_task_get(struct ynl_sock *ys, struct holon_task_get_req *req)
{
	struct ynl_req_state yrs = { .yarg = { .ys = ys, }, };
	struct holon_task_get_rsp *rsp;
	struct nlmsghdr *nlh;
	int err;

	nlh = ynl_gemsg_start_req(ys, ys->family_id, HOLON_CMD_TASK_GET, 1);
	ys->req_policy = &holon_task_nest;
	yrs.yarg.rsp_policy = &holon_task_nest;

	if (req->_present.pid)
		ynl_attr_put_u32(nlh, HOLON_A_TASK_PID, req->pid);

	rsp = calloc(1, sizeof(*rsp));
	yrs.yarg.data = rsp;
	yrs.cb = holon_task_get_rsp_parse;
	yrs.rsp_cmd = HOLON_CMD_TASK_GET;

	err = ynl_exec(ys, nlh, &yrs);
	if (err < 0)
		goto err_free;

	return rsp;

err_free:
	holon_task_get_rsp_free(rsp);
	return NULL;
}

/* HOLON_CMD_TASK_GET - dump */
void holon_task_get_list_free(struct holon_task_get_list *rsp)
{
	struct holon_task_get_list *next = rsp;

	while ((void *)next != YNL_LIST_END) {
		rsp = next;
		next = rsp->next;

		free(rsp->obj.comm);
		free(rsp->obj.reason);
		free(rsp);
	}
}

struct holon_task_get_list *holon_task_get_dump(struct ynl_sock *ys)
{
	struct ynl_dump_state yds = {};
	struct nlmsghdr *nlh;
	int err;

	yds.yarg.ys = ys;
	yds.yarg.rsp_policy = &holon_task_nest;
	yds.yarg.data = NULL;
	yds.alloc_sz = sizeof(struct holon_task_get_list);
	yds.cb = holon_task_get_rsp_parse;
	yds.rsp_cmd = HOLON_CMD_TASK_GET;

	nlh = ynl_gemsg_start_dump(ys, ys->family_id, HOLON_CMD_TASK_GET, 1);

	err = ynl_exec_dump(ys, nlh, &yds);
	if (err < 0)
		goto free_list;

	return yds.first;

free_list:
	holon_task_get_list_free(yds.first);
	return NULL;
}

/* HOLON_CMD_VIEW_NTF - event */
int holon_view_ntf_rsp_parse(const struct nlmsghdr *nlh,
			     struct ynl_parse_arg *yarg)
{
	struct holon_view_ntf_rsp *dst;
	const struct nlattr *attr;
	unsigned int n_joined = 0;
	unsigned int n_member = 0;
	unsigned int n_left = 0;
	int i;

	dst = yarg->data;

	if (dst->joined)
		return ynl_error_parse(yarg, "attribute already present (view.joined)");
	if (dst->left)
		return ynl_error_parse(yarg, "attribute already present (view.left)");
	if (dst->member)
		return ynl_error_parse(yarg, "attribute already present (view.member)");

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_VIEW_EPOCH) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.epoch = 1;
			dst->epoch = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_VIEW_UUID) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = ynl_attr_data_len(attr);
			dst->_present.uuid_len = len;
			dst->uuid = malloc(len);
			memcpy(dst->uuid, ynl_attr_data(attr), len);
		} else if (type == HOLON_A_VIEW_STATE) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.state = 1;
			dst->state = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_VIEW_MEMBER) {
			n_member++;
		} else if (type == HOLON_A_VIEW_JOINED) {
			n_joined++;
		} else if (type == HOLON_A_VIEW_LEFT) {
			n_left++;
		}
	}

	if (n_joined) {
		dst->joined = calloc(n_joined, sizeof(*dst->joined));
		dst->n_joined = n_joined;
		i = 0;
		ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
			if (ynl_attr_type(attr) == HOLON_A_VIEW_JOINED) {
				dst->joined[i] = ynl_attr_get_u8(attr);
				i++;
			}
		}
	}
	if (n_left) {
		dst->left = calloc(n_left, sizeof(*dst->left));
		dst->n_left = n_left;
		i = 0;
		ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
			if (ynl_attr_type(attr) == HOLON_A_VIEW_LEFT) {
				dst->left[i] = ynl_attr_get_u8(attr);
				i++;
			}
		}
	}
	if (n_member) {
		dst->member = calloc(n_member, sizeof(*dst->member));
		dst->n_member = n_member;
		i = 0;
		ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
			if (ynl_attr_type(attr) == HOLON_A_VIEW_MEMBER) {
				dst->member[i] = ynl_attr_get_u8(attr);
				i++;
			}
		}
	}

	return YNL_PARSE_CB_OK;
}

void holon_view_ntf_free(struct holon_view_ntf *rsp)
{
	free(rsp->obj.uuid);
	free(rsp->obj.member);
	free(rsp->obj.joined);
	free(rsp->obj.left);
	free(rsp);
}

/* HOLON_CMD_STATE_NTF - event */
int holon_state_ntf_rsp_parse(const struct nlmsghdr *nlh,
			      struct ynl_parse_arg *yarg)
{
	struct holon_state_ntf_rsp *dst;
	const struct nlattr *attr;

	dst = yarg->data;

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_VIEW_EPOCH) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.epoch = 1;
			dst->epoch = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_VIEW_STATE) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.state = 1;
			dst->state = ynl_attr_get_u32(attr);
		}
	}

	return YNL_PARSE_CB_OK;
}

void holon_state_ntf_free(struct holon_state_ntf *rsp)
{
	free(rsp);
}

/* HOLON_CMD_REFUSED_NTF - event */
int holon_refused_ntf_rsp_parse(const struct nlmsghdr *nlh,
				struct ynl_parse_arg *yarg)
{
	struct holon_refused_ntf_rsp *dst;
	const struct nlattr *attr;

	dst = yarg->data;

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_NODE_ID) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.id = 1;
			dst->id = ynl_attr_get_u8(attr);
		} else if (type == HOLON_A_NODE_UUID) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = ynl_attr_data_len(attr);
			dst->_present.uuid_len = len;
			dst->uuid = malloc(len);
			memcpy(dst->uuid, ynl_attr_data(attr), len);
		} else if (type == HOLON_A_NODE_INCARNATION) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.incarnation = 1;
			dst->incarnation = ynl_attr_get_uint(attr);
		} else if (type == HOLON_A_NODE_REASON) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.reason_len = len;
			dst->reason = malloc(len + 1);
			memcpy(dst->reason, ynl_attr_get_str(attr), len);
			dst->reason[len] = 0;
		}
	}

	return YNL_PARSE_CB_OK;
}

void holon_refused_ntf_free(struct holon_refused_ntf *rsp)
{
	free(rsp->obj.uuid);
	free(rsp->obj.reason);
	free(rsp);
}

/* HOLON_CMD_FENCED_NTF - event */
int holon_fenced_ntf_rsp_parse(const struct nlmsghdr *nlh,
			       struct ynl_parse_arg *yarg)
{
	struct holon_fenced_ntf_rsp *dst;
	const struct nlattr *attr;

	dst = yarg->data;

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_NODE_ID) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.id = 1;
			dst->id = ynl_attr_get_u8(attr);
		} else if (type == HOLON_A_NODE_INCARNATION) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.incarnation = 1;
			dst->incarnation = ynl_attr_get_uint(attr);
		}
	}

	return YNL_PARSE_CB_OK;
}

void holon_fenced_ntf_free(struct holon_fenced_ntf *rsp)
{
	free(rsp);
}

/* HOLON_CMD_TASK_NTF - event */
int holon_task_ntf_rsp_parse(const struct nlmsghdr *nlh,
			     struct ynl_parse_arg *yarg)
{
	struct holon_task_ntf_rsp *dst;
	const struct nlattr *attr;

	dst = yarg->data;

	ynl_attr_for_each(attr, nlh, yarg->ys->family->hdr_len) {
		unsigned int type = ynl_attr_type(attr);

		if (type == HOLON_A_TASK_PID) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.pid = 1;
			dst->pid = ynl_attr_get_u32(attr);
		} else if (type == HOLON_A_TASK_HOME) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.home = 1;
			dst->home = ynl_attr_get_u8(attr);
		} else if (type == HOLON_A_TASK_FROM) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.from = 1;
			dst->from = ynl_attr_get_u8(attr);
		} else if (type == HOLON_A_TASK_NODE) {
			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;
			dst->_present.node = 1;
			dst->node = ynl_attr_get_u8(attr);
		} else if (type == HOLON_A_TASK_COMM) {
			unsigned int len;

			if (ynl_attr_validate(yarg, attr))
				return YNL_PARSE_CB_ERROR;

			len = strnlen(ynl_attr_get_str(attr), ynl_attr_data_len(attr));
			dst->_present.comm_len = len;
			dst->comm = malloc(len + 1);
			memcpy(dst->comm, ynl_attr_get_str(attr), len);
			dst->comm[len] = 0;
		}
	}

	return YNL_PARSE_CB_OK;
}

void holon_task_ntf_free(struct holon_task_ntf *rsp)
{
	free(rsp->obj.comm);
	free(rsp);
}

static const struct ynl_ntf_info holon_ntf_info[] =  {
	[HOLON_CMD_VIEW_NTF] =  {
		.alloc_sz	= sizeof(struct holon_view_ntf),
		.cb		= holon_view_ntf_rsp_parse,
		.policy		= &holon_view_nest,
		.free		= (void *)holon_view_ntf_free,
	},
	[HOLON_CMD_STATE_NTF] =  {
		.alloc_sz	= sizeof(struct holon_state_ntf),
		.cb		= holon_state_ntf_rsp_parse,
		.policy		= &holon_view_nest,
		.free		= (void *)holon_state_ntf_free,
	},
	[HOLON_CMD_REFUSED_NTF] =  {
		.alloc_sz	= sizeof(struct holon_refused_ntf),
		.cb		= holon_refused_ntf_rsp_parse,
		.policy		= &holon_node_nest,
		.free		= (void *)holon_refused_ntf_free,
	},
	[HOLON_CMD_FENCED_NTF] =  {
		.alloc_sz	= sizeof(struct holon_fenced_ntf),
		.cb		= holon_fenced_ntf_rsp_parse,
		.policy		= &holon_node_nest,
		.free		= (void *)holon_fenced_ntf_free,
	},
	[HOLON_CMD_TASK_NTF] =  {
		.alloc_sz	= sizeof(struct holon_task_ntf),
		.cb		= holon_task_ntf_rsp_parse,
		.policy		= &holon_task_nest,
		.free		= (void *)holon_task_ntf_free,
	},
};

const struct ynl_family ynl_holon_family =  {
	.name		= "holon",
	.hdr_len	= sizeof(struct genlmsghdr),
	.ntf_info	= holon_ntf_info,
	.ntf_info_size	= YNL_ARRAY_SIZE(holon_ntf_info),
};
