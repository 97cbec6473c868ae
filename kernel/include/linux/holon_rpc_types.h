/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers of the message types. They are the wire protocol: a number is never
 * given to another type, and a change of a type's layout is a new number or a
 * new protocol version.
 *
 * Protocol versions
 *  1	first version
 */
#ifndef _LINUX_HOLON_RPC_TYPES_H
#define _LINUX_HOLON_RPC_TYPES_H

#define HOLON_PROTOCOL_MIN	1
#define HOLON_PROTOCOL_MAX	1

enum holon_rpc_id {
	/* 1..63: the RPC layer and the transport themselves */
	HOLON_RPC_ID_REPLY	= 1,
	HOLON_RPC_ID_CANCEL	= 2,
	HOLON_RPC_ID_FLUSH	= 3,
	HOLON_RPC_ID_CREDIT	= 4,
	HOLON_RPC_ID_ECHO	= 8,	/* benchmark and tests */
	HOLON_RPC_ID_SINK	= 9,	/* benchmark: BULK throughput */
	HOLON_RPC_ID_SINK_END	= 10,	/* ... and when all of it has arrived */
	HOLON_RPC_ID_FACTS	= 16,	/* what a node's user space says about it */
	HOLON_RPC_ID_FACTS_CHANGED = 17, /* ... is not what it was */
	HOLON_RPC_ID_STRESS	= 20,	/* 20..24: tests, debug kernels only */

	/* 64..127: membership, on HOLON_CONTROL; see kernel/holon/view.c */
	HOLON_RPC_ID_VIEW	= 64,

	/* 128..255: processes */
	HOLON_RPC_ID_TASK_IMAGE		= 128,	/* a piece of a large image */
	HOLON_RPC_ID_TASK_EXEC		= 129,	/* make a guest from an image */
	HOLON_RPC_ID_TASK_GO		= 130,	/* let it run, or throw it away */
	HOLON_RPC_ID_TASK_SIGNAL	= 131,	/* to the guest */
	HOLON_RPC_ID_TASK_KILL		= 132,	/* to the guest */
	HOLON_RPC_ID_TASK_FORWARD	= 133,	/* to the deputy: do this for me */
	HOLON_RPC_ID_TASK_STOPPED	= 134,	/* to the deputy */
	HOLON_RPC_ID_TASK_EXIT		= 135,	/* to the deputy: the last message */
	HOLON_RPC_ID_TASK_FORK		= 136,	/* to the deputy: make a child */
	HOLON_RPC_ID_TASK_BORN		= 137,	/* to the child's deputy: its guest is there */
	HOLON_RPC_ID_TASK_PAGES		= 138,	/* memory of a process that moves */
	HOLON_RPC_ID_TASK_RECALL	= 139,	/* to the guest: come home */
	HOLON_RPC_ID_TASK_MIGRATE	= 140,	/* to the home: move that process */
	HOLON_RPC_ID_TASK_MEMORY	= 141,	/* to the guest's node: read or write its memory */

	/* 256..319: files */
	HOLON_RPC_ID_POLL_ASK	= 256,
	HOLON_RPC_ID_POLL_MASK	= 257,
	HOLON_RPC_ID_EXPORT_OPEN = 258,	/* a file is to be used from here */
	HOLON_RPC_ID_PAGED_READ	= 259,	/* bytes of one that is mapped */
	HOLON_RPC_ID_EXPORT_DROP = 260,	/* it is used no more */
	HOLON_RPC_ID_HOSTED_READ = 261,	/* bytes of a description that stayed behind */
	HOLON_RPC_ID_HOSTED_WRITE = 262,
	HOLON_RPC_ID_HOSTED_CALL = 263,	/* seek, sync and the like */
	HOLON_RPC_ID_HOSTED_STAT = 264,
	HOLON_RPC_ID_HOSTED_CHANGE = 265, /* its attributes */
	HOLON_RPC_ID_HOSTED_LOCK = 266,	/* do not wait for it */
	HOLON_RPC_ID_HOSTED_UNLOCK = 267, /* at a close */
	HOLON_RPC_ID_HOSTED_OPEN = 268,	/* another description of the file */

	HOLON_RPC_ID_MAX	= 1023
};

#endif /* _LINUX_HOLON_RPC_TYPES_H */
