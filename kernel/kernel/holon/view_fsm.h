/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HOLON_VIEW_FSM_H
#define _HOLON_VIEW_FSM_H

#include <linux/holon_view.h>

enum view_fsm_event {
	VIEW_ID_SET,		/* an id was configured */
	VIEW_JOIN,		/* a cluster to join was found, or one is being formed */
	VIEW_COMMIT_IN,		/* a view with this node was installed */
	VIEW_COMMIT_OUT,	/* a view without this node is known */
	VIEW_LEAVE,		/* the administrator wants to leave */
	VIEW_CANCEL,		/* ... or does not any more */
	VIEW_REFUSED,		/* the cluster said no, or nothing for too long */
	VIEW_NO_QUORUM,		/* no quorum of the view is heard */
	VIEW_QUORUM,		/* it is heard again and there is no newer view */
	VIEW_REBORN,		/* the old life has been worked off */
	VIEW_FSM_EVENTS
};

/**
 * view_fsm_next - the state machine of a node
 * @state: now
 * @event: what happened
 *
 * Context: any; no side effects.
 * Return: the state after @event, or -EINVAL when @event is not legal in @state.
 */
int view_fsm_next(enum holon_node_state state, enum view_fsm_event event);

#endif /* _HOLON_VIEW_FSM_H */
