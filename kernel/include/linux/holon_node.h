/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who this node is: its id, its uuid and its incarnation.
 */
#ifndef _LINUX_HOLON_NODE_H
#define _LINUX_HOLON_NODE_H

#include <linux/jump_label.h>
#include <linux/types.h>
#include <linux/uuid.h>

/* Ids are 1..255; 0 means "not in a cluster". */
#define HOLON_NODE_MAX		255
#define HOLON_NODE_IDS		(HOLON_NODE_MAX + 1)
#define HOLON_CLUSTER_NAME_MAX	32

/**
 * struct holon_ident - one life of one machine
 * @uuid: of the machine (DMI), the same after a reboot
 * @incarnation: new at every boot and at every eviction, never 0
 * @id: configured node id
 *
 * The same uuid with another incarnation is a reboot; the same id with another
 * uuid is a second machine that claims our id.
 */
struct holon_ident {
	uuid_t uuid;
	u64 incarnation;
	u8 id;
};

/**
 * holon_node_id - id of this node
 *
 * Context: any.
 * Return: 1..255, or 0 while no id has been configured.
 */
u8 holon_node_id(void);

/**
 * holon_node_ident - identity of this node
 * @ident: filled in
 *
 * Context: any; a consistent copy is taken under a sequence lock.
 */
void holon_node_ident(struct holon_ident *ident);

/**
 * holon_node_new_incarnation - begin a new life
 *
 * Called by the membership code alone, after an eviction has been worked off.
 *
 * Context: process context.
 * Return: the new incarnation.
 */
u64 holon_node_new_incarnation(void);

/**
 * holon_node_set_id - configure the node id once
 * @id: 1..255
 *
 * Context: process context.
 * Return: 0, -EINVAL for a bad id, -EBUSY when an id has been set.
 */
int holon_node_set_id(unsigned int id);

#endif /* _LINUX_HOLON_NODE_H */
