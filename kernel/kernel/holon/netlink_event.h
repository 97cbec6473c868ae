/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control plane: events to whoever listens. All may sleep.
 */
#ifndef _KERNEL_HOLON_NETLINK_EVENT_H
#define _KERNEL_HOLON_NETLINK_EVENT_H

#include <linux/types.h>

struct sk_buff;

/* A message of @size bytes, with its header; or NULL. */
struct sk_buff *holon_nl_event_begin(u8 command, size_t size, void **header);

/* Send it to @group, HOLON_NLGRP_*; of all network namespaces, or of the first alone. */
void holon_nl_event_end(struct sk_buff *msg, void *header, unsigned int group);
void holon_nl_event_end_init(struct sk_buff *msg, void *header, unsigned int group);

/* Listeners learn of an event that could not be sent as of one that overflowed. */
void holon_nl_event_lost(unsigned int group);

#endif /* _KERNEL_HOLON_NETLINK_EVENT_H */
