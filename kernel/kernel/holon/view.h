/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The writing side of view.c, for the view thread alone.
 */
#ifndef _HOLON_VIEW_H
#define _HOLON_VIEW_H

#include <linux/holon_view.h>

void view_set_state(enum holon_node_state state);
void view_set_steady(bool now);

/* Nodes that requests may be sent to; NULL for none. */
void view_set_ready(const unsigned long *set);

/* Make a view the installed one; takes a reference. NULL: alone. */
void view_publish(const struct holon_view *view);

/* Call all subscribers, in the order of their priorities. */
void view_call_lost(const struct holon_view *view, const unsigned long *lost);
void view_call_abort(u64 epoch);

/* Run one step of the barrier. Context: process, sleeps, not the view thread. */
void view_call_step(const struct holon_view *view, enum holon_view_prio prio);

void view_notify(enum holon_view_event event, u8 node);

#endif /* _HOLON_VIEW_H */
