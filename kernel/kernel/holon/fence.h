/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is it certain that a life of a node has stopped acting? For the view thread.
 */
#ifndef _HOLON_FENCE_H
#define _HOLON_FENCE_H

#include <linux/holon_view.h>
#include <linux/types.h>

/**
 * fence_removed - a life is not in the view that was just installed
 * @node: id
 * @old: the view it was in
 * @lost: nobody wished that
 */
void fence_removed(u8 node, const struct holon_view *old, bool lost);

/* The node has its id: holon.fence= and holon.quorum= hold from now on. */
void fence_read_settings(void);

/* What has come true meanwhile. */
void fence_poll(void);

/*
 * With holon.quorum=one and no quorum: @suspected are missing. Runs the fence
 * command for them, after a while. Sets mship.dead when all of them are off.
 */
void fence_missing(const unsigned long *suspected, bool quorum);

/* This life of ours has ended: the lives of the others do not concern the next. */
void fence_forget(void);

/* May one that is left go on when it has fenced the others? Any context. */
bool fence_last_man(void);

#endif /* _HOLON_FENCE_H */
