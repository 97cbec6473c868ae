/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _HOLON_SETTING_H
#define _HOLON_SETTING_H

/*
 * Give this node its id: from now on the settings are constant, and new processes
 * have numbers of this node. Process context.
 * Returns what holon_node_set_id() does.
 */
int setting_fix_id(unsigned int id);

#endif
