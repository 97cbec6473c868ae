/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/holon.yaml */
/* YNL-GEN user header */

#ifndef _LINUX_HOLON_GEN_H
#define _LINUX_HOLON_GEN_H

#include <stdlib.h>
#include <string.h>
#include <linux/types.h>
#include <linux/holon.h>

struct ynl_sock;

extern const struct ynl_family ynl_holon_family;

/* Enums */
const char *holon_op_str(int op);
const char *holon_membership_str(enum holon_membership value);
const char *holon_whereabouts_str(enum holon_whereabouts value);

/* Common nested types */
/* ============== HOLON_CMD_CLUSTER_GET ============== */
/* HOLON_CMD_CLUSTER_GET - do */

struct holon_cluster_get_rsp {
	struct {
		__u32 name_len;
		__u32 uuid_len;
		__u32 epoch:1;
		__u32 node:1;
		__u32 state:1;
		__u32 coordinator:1;
		__u32 steady:1;
		__u32 heartbeat:1;
		__u32 silence:1;
		__u32 lease:1;
		__u32 quorum_len;
	} _present;

	char *name;
	void *uuid;
	__u64 epoch;
	__u8 node;
	enum holon_membership state;
	unsigned int n_member;
	__u8 *member;
	__u8 coordinator;
	__u32 heartbeat;
	__u32 silence;
	__u32 lease;
	char *quorum;
	unsigned int n_survives;
	__u8 *survives;
};

void holon_cluster_get_rsp_free(struct holon_cluster_get_rsp *rsp);

/*
 * the cluster as this node sees it
 */
struct holon_cluster_get_rsp *holon_cluster_get(struct ynl_sock *ys);

/* ============== HOLON_CMD_CLUSTER_CREATE ============== */
/* HOLON_CMD_CLUSTER_CREATE - do */
struct holon_cluster_create_req {
	struct {
		__u32 name_len;
	} _present;

	char *name;
};

static inline struct holon_cluster_create_req *
holon_cluster_create_req_alloc(void)
{
	return calloc(1, sizeof(struct holon_cluster_create_req));
}
void holon_cluster_create_req_free(struct holon_cluster_create_req *req);

static inline void
holon_cluster_create_req_set_name(struct holon_cluster_create_req *req,
				  const char *name)
{
	free(req->name);
	req->_present.name_len = strlen(name);
	req->name = malloc(req->_present.name_len + 1);
	memcpy(req->name, name, req->_present.name_len);
	req->name[req->_present.name_len] = 0;
}

/*
 * found a cluster with this node as its only member; answers when the first view is in force
 */
int holon_cluster_create(struct ynl_sock *ys,
			 struct holon_cluster_create_req *req);

/* ============== HOLON_CMD_CLUSTER_JOIN ============== */
/* HOLON_CMD_CLUSTER_JOIN - do */
struct holon_cluster_join_req {
	struct {
		__u32 name_len;
	} _present;

	char *name;
};

static inline struct holon_cluster_join_req *holon_cluster_join_req_alloc(void)
{
	return calloc(1, sizeof(struct holon_cluster_join_req));
}
void holon_cluster_join_req_free(struct holon_cluster_join_req *req);

static inline void
holon_cluster_join_req_set_name(struct holon_cluster_join_req *req,
				const char *name)
{
	free(req->name);
	req->_present.name_len = strlen(name);
	req->name = malloc(req->_present.name_len + 1);
	memcpy(req->name, name, req->_present.name_len);
	req->name[req->_present.name_len] = 0;
}

/*
 * join the cluster of a name, or of the one given at boot; answers when this node is a member, was refused, or nobody was heard
 */
int holon_cluster_join(struct ynl_sock *ys, struct holon_cluster_join_req *req);

/* ============== HOLON_CMD_CLUSTER_LEAVE ============== */
/* HOLON_CMD_CLUSTER_LEAVE - do */
struct holon_cluster_leave_req {
	struct {
		__u32 force:1;
	} _present;
};

static inline struct holon_cluster_leave_req *
holon_cluster_leave_req_alloc(void)
{
	return calloc(1, sizeof(struct holon_cluster_leave_req));
}
void holon_cluster_leave_req_free(struct holon_cluster_leave_req *req);

static inline void
holon_cluster_leave_req_set_force(struct holon_cluster_leave_req *req)
{
	req->_present.force = 1;
}

/*
 * leave the cluster; answers when this node is alone
 */
int holon_cluster_leave(struct ynl_sock *ys,
			struct holon_cluster_leave_req *req);

/* ============== HOLON_CMD_NODE_GET ============== */
/* HOLON_CMD_NODE_GET - do */
struct holon_node_get_req {
	struct {
		__u32 id:1;
	} _present;

	__u8 id;
};

static inline struct holon_node_get_req *holon_node_get_req_alloc(void)
{
	return calloc(1, sizeof(struct holon_node_get_req));
}
void holon_node_get_req_free(struct holon_node_get_req *req);

static inline void
holon_node_get_req_set_id(struct holon_node_get_req *req, __u8 id)
{
	req->_present.id = 1;
	req->id = id;
}

struct holon_node_get_rsp {
	struct {
		__u32 id:1;
		__u32 self:1;
		__u32 member:1;
		__u32 state:1;
		__u32 uuid_len;
		__u32 incarnation:1;
		__u32 epoch:1;
		__u32 address_len;
		__u32 connected:1;
		__u32 heard:1;
		__u32 round_trip:1;
		__u32 clock_offset:1;
		__u32 reason_len;
		__u32 fenced:1;
		__u32 fence_len;
	} _present;

	__u8 id;
	enum holon_membership state;
	void *uuid;
	__u64 incarnation;
	__u64 epoch;
	char *address;
	__u32 heard;
	__u32 round_trip;
	__s64 clock_offset;
	char *reason;
	__u8 fenced;
	char *fence;
};

void holon_node_get_rsp_free(struct holon_node_get_rsp *rsp);

/*
 * a node, or all nodes this one knows of
 */
struct holon_node_get_rsp *
holon_node_get(struct ynl_sock *ys, struct holon_node_get_req *req);

/* HOLON_CMD_NODE_GET - dump */
struct holon_node_get_list {
	struct holon_node_get_list *next;
	struct holon_node_get_rsp obj __attribute__((aligned(8)));
};

void holon_node_get_list_free(struct holon_node_get_list *rsp);

struct holon_node_get_list *holon_node_get_dump(struct ynl_sock *ys);

/* ============== HOLON_CMD_NODE_SET ============== */
/* HOLON_CMD_NODE_SET - do */
struct holon_node_set_req {
	struct {
		__u32 id:1;
	} _present;

	__u8 id;
};

static inline struct holon_node_set_req *holon_node_set_req_alloc(void)
{
	return calloc(1, sizeof(struct holon_node_set_req));
}
void holon_node_set_req_free(struct holon_node_set_req *req);

static inline void
holon_node_set_req_set_id(struct holon_node_set_req *req, __u8 id)
{
	req->_present.id = 1;
	req->id = id;
}

/*
 * give this node its id, once and before it joins
 */
int holon_node_set(struct ynl_sock *ys, struct holon_node_set_req *req);

/* ============== HOLON_CMD_NODE_EVICT ============== */
/* HOLON_CMD_NODE_EVICT - do */
struct holon_node_evict_req {
	struct {
		__u32 id:1;
	} _present;

	__u8 id;
};

static inline struct holon_node_evict_req *holon_node_evict_req_alloc(void)
{
	return calloc(1, sizeof(struct holon_node_evict_req));
}
void holon_node_evict_req_free(struct holon_node_evict_req *req);

static inline void
holon_node_evict_req_set_id(struct holon_node_evict_req *req, __u8 id)
{
	req->_present.id = 1;
	req->id = id;
}

/*
 * put a member out of the cluster; answers when the view without it is in force
 */
int holon_node_evict(struct ynl_sock *ys, struct holon_node_evict_req *req);

/* ============== HOLON_CMD_TASK_PLACE ============== */
/* HOLON_CMD_TASK_PLACE - do */
struct holon_task_place_req {
	struct {
		__u32 node:1;
	} _present;

	__u8 node;
};

static inline struct holon_task_place_req *holon_task_place_req_alloc(void)
{
	return calloc(1, sizeof(struct holon_task_place_req));
}
void holon_task_place_req_free(struct holon_task_place_req *req);

static inline void
holon_task_place_req_set_node(struct holon_task_place_req *req, __u8 node)
{
	req->_present.node = 1;
	req->node = node;
}

struct holon_task_place_rsp {
	struct {
		__u32 node:1;
	} _present;

	__u8 node;
};

void holon_task_place_rsp_free(struct holon_task_place_rsp *rsp);

/*
 * run the next program that the caller executes on a node
 */
struct holon_task_place_rsp *
holon_task_place(struct ynl_sock *ys, struct holon_task_place_req *req);

/* ============== HOLON_CMD_FACTS_GET ============== */
/* HOLON_CMD_FACTS_GET - do */
struct holon_facts_get_req {
	struct {
		__u32 id:1;
	} _present;

	__u8 id;
};

static inline struct holon_facts_get_req *holon_facts_get_req_alloc(void)
{
	return calloc(1, sizeof(struct holon_facts_get_req));
}
void holon_facts_get_req_free(struct holon_facts_get_req *req);

static inline void
holon_facts_get_req_set_id(struct holon_facts_get_req *req, __u8 id)
{
	req->_present.id = 1;
	req->id = id;
}

struct holon_facts_get_rsp {
	struct {
		__u32 id:1;
		__u32 host_len;
		__u32 domain_len;
		__u32 mounts_len;
	} _present;

	__u8 id;
	char *host;
	char *domain;
	void *mounts;
};

void holon_facts_get_rsp_free(struct holon_facts_get_rsp *rsp);

/*
 * ask a member what containers for its processes have to look like
 */
struct holon_facts_get_rsp *
holon_facts_get(struct ynl_sock *ys, struct holon_facts_get_req *req);

/* ============== HOLON_CMD_FACTS_SET ============== */
/* HOLON_CMD_FACTS_SET - do */
struct holon_facts_set_req {
	struct {
		__u32 mounts_len;
	} _present;

	void *mounts;
};

static inline struct holon_facts_set_req *holon_facts_set_req_alloc(void)
{
	return calloc(1, sizeof(struct holon_facts_set_req));
}
void holon_facts_set_req_free(struct holon_facts_set_req *req);

static inline void
holon_facts_set_req_set_mounts(struct holon_facts_set_req *req,
			       const void *mounts, size_t len)
{
	free(req->mounts);
	req->_present.mounts_len = len;
	req->mounts = malloc(req->_present.mounts_len);
	memcpy(req->mounts, mounts, req->_present.mounts_len);
}

/*
 * say what containers for processes of this node have to look like
 */
int holon_facts_set(struct ynl_sock *ys, struct holon_facts_set_req *req);

/* ============== HOLON_CMD_KEY_GET ============== */
/* HOLON_CMD_KEY_GET - do */

struct holon_key_get_rsp {
	unsigned int n_id;
	__u64 *id;
};

void holon_key_get_rsp_free(struct holon_key_get_rsp *rsp);

/*
 * which cluster keys are loaded; the first one is used, all are accepted
 */
struct holon_key_get_rsp *holon_key_get(struct ynl_sock *ys);

/* ============== HOLON_CMD_KEY_SET ============== */
/* HOLON_CMD_KEY_SET - do */
struct holon_key_set_req {
	struct {
		__u32 bytes_len;
	} _present;

	void *bytes;
};

static inline struct holon_key_set_req *holon_key_set_req_alloc(void)
{
	return calloc(1, sizeof(struct holon_key_set_req));
}
void holon_key_set_req_free(struct holon_key_set_req *req);

static inline void
holon_key_set_req_set_bytes(struct holon_key_set_req *req, const void *bytes,
			    size_t len)
{
	free(req->bytes);
	req->_present.bytes_len = len;
	req->bytes = malloc(req->_present.bytes_len);
	memcpy(req->bytes, bytes, req->_present.bytes_len);
}

/*
 * load cluster keys instead of those that are loaded; connections that stand are not touched
 */
int holon_key_set(struct ynl_sock *ys, struct holon_key_set_req *req);

/* ============== HOLON_CMD_STATS_RPC_GET ============== */
/* HOLON_CMD_STATS_RPC_GET - dump */
struct holon_stats_rpc_get_rsp_dump {
	struct {
		__u32 id:1;
		__u32 name_len;
		__u32 rank:1;
		__u32 calls:1;
		__u32 replies:1;
		__u32 errors:1;
		__u32 hostdown:1;
		__u32 refused:1;
		__u32 cancels:1;
		__u32 orphaned:1;
		__u32 sent:1;
		__u32 handled:1;
		__u32 cancelled:1;
		__u32 credit_waits:1;
		__u32 bytes_out:1;
		__u32 bytes_in:1;
	} _present;

	__u16 id;
	char *name;
	__u8 rank;
	__u64 calls;
	__u64 replies;
	__u64 errors;
	__u64 hostdown;
	__u64 refused;
	__u64 cancels;
	__u64 orphaned;
	__u64 sent;
	__u64 handled;
	__u64 cancelled;
	__u64 credit_waits;
	__u64 bytes_out;
	__u64 bytes_in;
	unsigned int n_latency;
	__u64 *latency;
};

struct holon_stats_rpc_get_rsp_list {
	struct holon_stats_rpc_get_rsp_list *next;
	struct holon_stats_rpc_get_rsp_dump obj __attribute__((aligned(8)));
};

void
holon_stats_rpc_get_rsp_list_free(struct holon_stats_rpc_get_rsp_list *rsp);

struct holon_stats_rpc_get_rsp_list *
holon_stats_rpc_get_dump(struct ynl_sock *ys);

/* ============== HOLON_CMD_STATS_SYSCALL_GET ============== */
/* HOLON_CMD_STATS_SYSCALL_GET - dump */
struct holon_stats_syscall_get_rsp_dump {
	struct {
		__u32 number:1;
		__u32 name_len;
		__u32 forwarded:1;
		__u32 refused:1;
	} _present;

	__u32 number;
	char *name;
	__u64 forwarded;
	__u64 refused;
};

struct holon_stats_syscall_get_rsp_list {
	struct holon_stats_syscall_get_rsp_list *next;
	struct holon_stats_syscall_get_rsp_dump obj __attribute__((aligned(8)));
};

void
holon_stats_syscall_get_rsp_list_free(struct holon_stats_syscall_get_rsp_list *rsp);

struct holon_stats_syscall_get_rsp_list *
holon_stats_syscall_get_dump(struct ynl_sock *ys);

/* ============== HOLON_CMD_STATS_COUNTER_GET ============== */
/* HOLON_CMD_STATS_COUNTER_GET - dump */
struct holon_stats_counter_get_rsp_dump {
	struct {
		__u32 group_len;
		__u32 name_len;
		__u32 value:1;
	} _present;

	char *group;
	char *name;
	__u64 value;
};

struct holon_stats_counter_get_rsp_list {
	struct holon_stats_counter_get_rsp_list *next;
	struct holon_stats_counter_get_rsp_dump obj __attribute__((aligned(8)));
};

void
holon_stats_counter_get_rsp_list_free(struct holon_stats_counter_get_rsp_list *rsp);

struct holon_stats_counter_get_rsp_list *
holon_stats_counter_get_dump(struct ynl_sock *ys);

/* ============== HOLON_CMD_TASK_MIGRATE ============== */
/* HOLON_CMD_TASK_MIGRATE - do */
struct holon_task_migrate_req {
	struct {
		__u32 pid:1;
		__u32 node:1;
	} _present;

	__u32 pid;
	__u8 node;
};

static inline struct holon_task_migrate_req *holon_task_migrate_req_alloc(void)
{
	return calloc(1, sizeof(struct holon_task_migrate_req));
}
void holon_task_migrate_req_free(struct holon_task_migrate_req *req);

static inline void
holon_task_migrate_req_set_pid(struct holon_task_migrate_req *req, __u32 pid)
{
	req->_present.pid = 1;
	req->pid = pid;
}
static inline void
holon_task_migrate_req_set_node(struct holon_task_migrate_req *req, __u8 node)
{
	req->_present.node = 1;
	req->node = node;
}

/*
 * move a process that runs; the reply comes when it is there. Whoever may set its priority may do that
 */
int holon_task_migrate(struct ynl_sock *ys, struct holon_task_migrate_req *req);

/* ============== HOLON_CMD_TASK_GET ============== */
/* HOLON_CMD_TASK_GET - do */
struct holon_task_get_req {
	struct {
		__u32 pid:1;
	} _present;

	__u32 pid;
};

static inline struct holon_task_get_req *holon_task_get_req_alloc(void)
{
	return calloc(1, sizeof(struct holon_task_get_req));
}
void holon_task_get_req_free(struct holon_task_get_req *req);

static inline void
holon_task_get_req_set_pid(struct holon_task_get_req *req, __u32 pid)
{
	req->_present.pid = 1;
	req->pid = pid;
}

struct holon_task_get_rsp {
	struct {
		__u32 pid:1;
		__u32 home:1;
		__u32 node:1;
		__u32 state:1;
		__u32 comm_len;
		__u32 threads:1;
		__u32 moves:1;
		__u32 memory:1;
		__u32 movable:1;
		__u32 reason_len;
	} _present;

	__u32 pid;
	__u8 home;
	__u8 node;
	enum holon_whereabouts state;
	char *comm;
	__u32 threads;
	__u32 moves;
	__u64 memory;
	char *reason;
};

void holon_task_get_rsp_free(struct holon_task_get_rsp *rsp);

/*
 * a process, also whether it could be moved, for which it is interrupted for a moment; a dump has those that are away from this node, their home, and those of other homes that run here, without an answer to that
 */
struct holon_task_get_rsp *
holon_task_get(struct ynl_sock *ys, struct holon_task_get_req *req);

/* HOLON_CMD_TASK_GET - dump */
struct holon_task_get_list {
	struct holon_task_get_list *next;
	struct holon_task_get_rsp obj __attribute__((aligned(8)));
};

void holon_task_get_list_free(struct holon_task_get_list *rsp);

struct holon_task_get_list *holon_task_get_dump(struct ynl_sock *ys);

/* HOLON_CMD_VIEW_NTF - event */
struct holon_view_ntf_rsp {
	struct {
		__u32 epoch:1;
		__u32 uuid_len;
		__u32 state:1;
	} _present;

	__u64 epoch;
	void *uuid;
	enum holon_membership state;
	unsigned int n_member;
	__u8 *member;
	unsigned int n_joined;
	__u8 *joined;
	unsigned int n_left;
	__u8 *left;
};

struct holon_view_ntf {
	__u16 family;
	__u8 cmd;
	struct ynl_ntf_base_type *next;
	void (*free)(struct holon_view_ntf *ntf);
	struct holon_view_ntf_rsp obj __attribute__((aligned(8)));
};

void holon_view_ntf_free(struct holon_view_ntf *rsp);

/* HOLON_CMD_STATE_NTF - event */
struct holon_state_ntf_rsp {
	struct {
		__u32 epoch:1;
		__u32 state:1;
	} _present;

	__u64 epoch;
	enum holon_membership state;
};

struct holon_state_ntf {
	__u16 family;
	__u8 cmd;
	struct ynl_ntf_base_type *next;
	void (*free)(struct holon_state_ntf *ntf);
	struct holon_state_ntf_rsp obj __attribute__((aligned(8)));
};

void holon_state_ntf_free(struct holon_state_ntf *rsp);

/* HOLON_CMD_REFUSED_NTF - event */
struct holon_refused_ntf_rsp {
	struct {
		__u32 id:1;
		__u32 uuid_len;
		__u32 incarnation:1;
		__u32 reason_len;
	} _present;

	__u8 id;
	void *uuid;
	__u64 incarnation;
	char *reason;
};

struct holon_refused_ntf {
	__u16 family;
	__u8 cmd;
	struct ynl_ntf_base_type *next;
	void (*free)(struct holon_refused_ntf *ntf);
	struct holon_refused_ntf_rsp obj __attribute__((aligned(8)));
};

void holon_refused_ntf_free(struct holon_refused_ntf *rsp);

/* HOLON_CMD_FENCED_NTF - event */
struct holon_fenced_ntf_rsp {
	struct {
		__u32 id:1;
		__u32 incarnation:1;
	} _present;

	__u8 id;
	__u64 incarnation;
};

struct holon_fenced_ntf {
	__u16 family;
	__u8 cmd;
	struct ynl_ntf_base_type *next;
	void (*free)(struct holon_fenced_ntf *ntf);
	struct holon_fenced_ntf_rsp obj __attribute__((aligned(8)));
};

void holon_fenced_ntf_free(struct holon_fenced_ntf *rsp);

/* HOLON_CMD_TASK_NTF - event */
struct holon_task_ntf_rsp {
	struct {
		__u32 pid:1;
		__u32 home:1;
		__u32 from:1;
		__u32 node:1;
		__u32 comm_len;
	} _present;

	__u32 pid;
	__u8 home;
	__u8 from;
	__u8 node;
	char *comm;
};

struct holon_task_ntf {
	__u16 family;
	__u8 cmd;
	struct ynl_ntf_base_type *next;
	void (*free)(struct holon_task_ntf *ntf);
	struct holon_task_ntf_rsp obj __attribute__((aligned(8)));
};

void holon_task_ntf_free(struct holon_task_ntf *rsp);

#endif /* _LINUX_HOLON_GEN_H */
