// SPDX-License-Identifier: GPL-2.0-only
/*
 * States of a node, as one table.
 *
 *	off --id--> alone --join--> joining --in--> member --leave--> leaving
 *	              ^  ^            |  |            |  ^               | |
 *	              |  +--refused---+  |            |  +----cancel-----+ |
 *	              |                  |            +--no quorum-+       |
 *	              |                 out                        v       |
 *	            reborn               |         member <-quorum- frozen |
 *	              |                  v                         |       |
 *	              +---------------- gone <---------out---------+-------+
 *
 * "gone" is left only with a new incarnation: a node never takes anything of a
 * view with it into the next one it joins.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>

#include "view_fsm.h"

/* 0 is HOLON_NODE_OFF, to which nothing leads: it stands for "not legal". */
static const u8 next_state[HOLON_NODE_STATES][VIEW_FSM_EVENTS] = {
	[HOLON_NODE_OFF] = {
		[VIEW_ID_SET]		= HOLON_NODE_ALONE,
	},
	[HOLON_NODE_ALONE] = {
		[VIEW_JOIN]		= HOLON_NODE_JOINING,
	},
	[HOLON_NODE_JOINING] = {
		[VIEW_COMMIT_IN]	= HOLON_NODE_MEMBER,
		[VIEW_COMMIT_OUT]	= HOLON_NODE_GONE,
		[VIEW_REFUSED]		= HOLON_NODE_ALONE,
		[VIEW_CANCEL]		= HOLON_NODE_ALONE,
	},
	[HOLON_NODE_MEMBER] = {
		[VIEW_COMMIT_IN]	= HOLON_NODE_MEMBER,
		[VIEW_COMMIT_OUT]	= HOLON_NODE_GONE,
		[VIEW_LEAVE]		= HOLON_NODE_LEAVING,
		[VIEW_NO_QUORUM]	= HOLON_NODE_FROZEN,
	},
	[HOLON_NODE_FROZEN] = {
		[VIEW_COMMIT_IN]	= HOLON_NODE_MEMBER,
		[VIEW_COMMIT_OUT]	= HOLON_NODE_GONE,
		[VIEW_QUORUM]		= HOLON_NODE_MEMBER,
	},
	[HOLON_NODE_LEAVING] = {
		/* somebody else came or went first */
		[VIEW_COMMIT_IN]	= HOLON_NODE_LEAVING,
		[VIEW_COMMIT_OUT]	= HOLON_NODE_GONE,
		[VIEW_CANCEL]		= HOLON_NODE_MEMBER,
		[VIEW_NO_QUORUM]	= HOLON_NODE_FROZEN,
	},
	[HOLON_NODE_GONE] = {
		[VIEW_REBORN]		= HOLON_NODE_ALONE,
	},
};

int view_fsm_next(enum holon_node_state state, enum view_fsm_event event)
{
	BUILD_BUG_ON(HOLON_NODE_OFF != 0);

	if (state >= HOLON_NODE_STATES || event >= VIEW_FSM_EVENTS)
		return -EINVAL;
	return next_state[state][event] ?: -EINVAL;
}
