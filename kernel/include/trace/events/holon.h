/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM holon

#if !defined(_TRACE_HOLON_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_HOLON_H

#include <linux/holon_rpc.h>
#include <linux/tracepoint.h>

TRACE_DEFINE_ENUM(HOLON_CONTROL);
TRACE_DEFINE_ENUM(HOLON_RSP);
TRACE_DEFINE_ENUM(HOLON_FWD);
TRACE_DEFINE_ENUM(HOLON_REQ);
TRACE_DEFINE_ENUM(HOLON_BULK);

#define show_holon_rank(rank)			\
	__print_symbolic(rank,			\
		{ HOLON_CONTROL, "CONTROL" },	\
		{ HOLON_RSP, "RSP" },		\
		{ HOLON_FWD, "FWD" },		\
		{ HOLON_REQ, "REQ" },		\
		{ HOLON_BULK, "BULK" })

/* A call, or a one-way message (call id 0), at one of its steps. */
DECLARE_EVENT_CLASS(holon_rpc_class,
		    TP_PROTO(const struct holon_rpc_type *type, u8 node, u64 call, size_t len),
		    TP_ARGS(type, node, call, len),
		    TP_STRUCT__entry(__string(name, type->name)
				     __field(u8, rank)
				     __field(u8, node)
				     __field(u64, call)
				     __field(size_t, len)),
		    TP_fast_assign(__assign_str(name);
				   __entry->rank = type->rank;
				   __entry->node = node;
				   __entry->call = call;
				   __entry->len = len;),
		    TP_printk("type=%s rank=%s node=%u call=%llu len=%zu", __get_str(name),
			      show_holon_rank(__entry->rank), __entry->node, __entry->call,
			      __entry->len));

#define DEFINE_HOLON_RPC_EVENT(name)						\
DEFINE_EVENT(holon_rpc_class, name,						\
	TP_PROTO(const struct holon_rpc_type *type, u8 node, u64 call, size_t len),\
	TP_ARGS(type, node, call, len))

DEFINE_HOLON_RPC_EVENT(holon_rpc_call);		/* at the caller: sent */
DEFINE_HOLON_RPC_EVENT(holon_rpc_send);		/* one-way: sent */
DEFINE_HOLON_RPC_EVENT(holon_rpc_cancel);	/* at the caller: cancel sent */
DEFINE_HOLON_RPC_EVENT(holon_rpc_orphan);	/* at the caller: it was killed */
DEFINE_HOLON_RPC_EVENT(holon_rpc_receive);	/* at the callee: arrived */
DEFINE_HOLON_RPC_EVENT(holon_rpc_handle);	/* at the callee: handler begins */
DEFINE_HOLON_RPC_EVENT(holon_rpc_defer);	/* at the callee: reply will come later */
DEFINE_HOLON_RPC_EVENT(holon_rpc_cancelled);	/* at the callee: cancel arrived */
DEFINE_HOLON_RPC_EVENT(holon_rpc_credit_wait);	/* at the caller: waits for credit */

/* The end of a call, at the caller or at the callee. */
DECLARE_EVENT_CLASS(holon_rpc_end_class,
		    TP_PROTO(const struct holon_rpc_type *type, u8 node, u64 call, int status,
			     size_t len),
		    TP_ARGS(type, node, call, status, len),
		    TP_STRUCT__entry(__string(name, type->name)
				     __field(u8, node)
				     __field(u64, call)
				     __field(int, status)
				     __field(size_t, len)),
		    TP_fast_assign(__assign_str(name);
				   __entry->node = node;
				   __entry->call = call;
				   __entry->status = status;
				   __entry->len = len;),
		    TP_printk("type=%s node=%u call=%llu status=%d len=%zu", __get_str(name),
			      __entry->node, __entry->call, __entry->status, __entry->len));

DEFINE_EVENT(holon_rpc_end_class, holon_rpc_end,	/* at the caller */
	TP_PROTO(const struct holon_rpc_type *type, u8 node, u64 call, int status, size_t len),
	TP_ARGS(type, node, call, status, len));
DEFINE_EVENT(holon_rpc_end_class, holon_rpc_reply,	/* at the callee */
	TP_PROTO(const struct holon_rpc_type *type, u8 node, u64 call, int status, size_t len),
	TP_ARGS(type, node, call, status, len));

TRACE_EVENT(holon_rpc_marker,
	    TP_PROTO(u8 node, u8 rank, u64 epoch, unsigned int round),
	    TP_ARGS(node, rank, epoch, round),
	    TP_STRUCT__entry(__field(u8, node)
			     __field(u8, rank)
			     __field(u64, epoch)
			     __field(unsigned int, round)),
	    TP_fast_assign(__entry->node = node;
			   __entry->rank = rank;
			   __entry->epoch = epoch;
			   __entry->round = round;),
	    TP_printk("node=%u rank=%s epoch=%llu round=%u", __entry->node,
		      show_holon_rank(__entry->rank), __entry->epoch, __entry->round));

TRACE_EVENT(holon_malformed,
	    TP_PROTO(u8 node, u8 rank),
	    TP_ARGS(node, rank),
	    TP_STRUCT__entry(__field(u8, node)
			     __field(u8, rank)),
	    TP_fast_assign(__entry->node = node;
			   __entry->rank = rank;),
	    TP_printk("node=%u rank=%s", __entry->node, show_holon_rank(__entry->rank)));

TRACE_EVENT(holon_peer,
	    TP_PROTO(u8 node, u64 incarnation, const char *what),
	    TP_ARGS(node, incarnation, what),
	    TP_STRUCT__entry(__field(u8, node)
			     __field(u64, incarnation)
			     __string(what, what)),
	    TP_fast_assign(__entry->node = node;
			   __entry->incarnation = incarnation;
			   __assign_str(what);),
	    TP_printk("node=%u incarnation=%llx %s", __entry->node, __entry->incarnation,
		      __get_str(what)));

#endif /* _TRACE_HOLON_H */

#include <trace/define_trace.h>
