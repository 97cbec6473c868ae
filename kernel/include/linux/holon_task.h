/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Placing processes: what the control plane calls.
 */
#ifndef _LINUX_HOLON_TASK_H
#define _LINUX_HOLON_TASK_H

#include <linux/types.h>

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
