/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frozen: this node has no lease, or no quorum, and its cluster tasks stand still.
 */
#ifndef _HOLON_FREEZE_H
#define _HOLON_FREEZE_H

#include <linux/compiler.h>
#include <linux/types.h>

extern bool holon_frozen_now;

/* Must cluster tasks of this node stand still? Any context. */
static inline bool holon_frozen(void)
{
	return unlikely(READ_ONCE(holon_frozen_now));
}

int __holon_freeze_wait(void);

/**
 * holon_freeze_wait - stand still while this node is frozen
 *
 * For what acts for a process that is away from home: its guest, its deputy. A
 * task that exits does not wait: it has to get out of here.
 *
 * Context: process context, no locks that a thaw needs; may sleep for long.
 * Return: 0, or -EINTR when current has been killed.
 */
static inline int holon_freeze_wait(void)
{
	return holon_frozen() ? __holon_freeze_wait() : 0;
}

/* For the view thread */

/* Freeze, or thaw, or leave it: by lease and quorum. */
void freeze_poll(bool quorum);

/* This node is out of the cluster: what it had of it stands still until it has ended. */
void freeze_out(void);

/* A new life begins. */
void freeze_over(void);

/* Length of a lease of this node, ns. Any context. */
u64 freeze_lease(void);

#endif /* _HOLON_FREEZE_H */
