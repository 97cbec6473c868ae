/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Placing processes: what the control plane calls.
 */
#ifndef _LINUX_HOLON_TASK_H
#define _LINUX_HOLON_TASK_H

#include <linux/sched.h>
#include <linux/types.h>
#include <uapi/linux/holon.h>

struct netlink_ext_ack;

/**
 * holon_task_place - run the caller's next program on another node
 * @node: where; 0 takes an earlier choice back
 * @extack: gets a sentence, may be NULL
 *
 * The choice holds for the next execve() of current that succeeds, and is not
 * inherited. This node's own id means home, unless home has a spawner for
 * itself (tests).
 *
 * Context: process context of the task that is to be placed.
 * Return: 0; -EHOSTDOWN when @node is no member; -EAGAIN while this node is frozen;
 *	-EBUSY when current has several threads or is placed already; -ENOMEM.
 */
int holon_task_place(u8 node, struct netlink_ext_ack *extack);

/**
 * holon_task_migrate - move a process that runs
 * @pid: its number; of any home
 * @node: where to: its home, or another member
 * @extack: gets a sentence, may be NULL
 *
 * Whoever may set the priority of the process may move it.
 *
 * Context: process context, waits until it has moved; killable.
 * Return: 0 when it is there; -ESRCH; -EPERM; -EHOSTDOWN when @node is no member;
 *	-EBUSY for what passes; -EOPNOTSUPP for what cannot move; -EINTR when killed.
 */
int holon_task_migrate(pid_t pid, u8 node, struct netlink_ext_ack *extack);

/**
 * struct holon_task_info - what there is to know of a process
 * @pid: its number
 * @home: node that it belongs to
 * @node: where it runs
 * @state: what it is doing
 * @threads: their number
 * @moves: how often it has changed its node
 * @memory: bytes that are resident where it runs; 0 when that is not known here
 * @comm: name of its main thread
 * @movable: it could be moved; holon_task_show() alone finds out
 * @reason: why not, or NULL
 */
struct holon_task_info {
	pid_t pid;
	u8 home, node;
	enum holon_whereabouts state;
	u32 threads, moves;
	u64 memory;
	char comm[TASK_COMM_LEN];
	bool movable;
	const char *reason;
};

/**
 * holon_task_show - ask about a process, also whether it could be moved
 * @pid: its number; of any home
 * @info: filled in
 * @extack: gets a sentence, may be NULL
 *
 * For whoever may move it, it is interrupted for that as by a stop that is continued
 * at once. For others the reason is that they may not.
 *
 * Context: process context, waits for the process, and for its home; killable.
 * Return: 0; -ESRCH when there is none; or what became of a call to its home.
 */
int holon_task_show(pid_t pid, struct holon_task_info *info, struct netlink_ext_ack *extack);

/**
 * struct holon_task_position - a walk over the processes that have halves here
 * @bucket: of the table
 * @done: entries of that bucket
 */
struct holon_task_position {
	unsigned int bucket, done;
};

/* The next process here that is away from home, or of another home. False: no more. */
bool holon_task_next(struct holon_task_position *position, struct holon_task_info *info);

/* Tell listeners that a process of this home now runs on node @to. May sleep. */
void holon_netlink_task_moved(pid_t pid, u8 home, u8 from, u8 to);

/* Numbers for netlink and tests. */
struct holon_task_counts {
	u64 placed;		/* guests sent away so far */
	u64 taken;		/* guests taken so far */
	u64 refused;		/* placements that failed */
	u64 signals;		/* relayed */
	u64 moved;		/* processes that were running, sent away */
	u64 homed;		/* ... and come home */
	u32 deputies;		/* now */
	u32 guests;		/* now */
	u32 spawners;		/* now */
};

void holon_task_counts(struct holon_task_counts *counts);

#endif /* _LINUX_HOLON_TASK_H */
