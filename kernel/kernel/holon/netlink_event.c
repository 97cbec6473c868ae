// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control plane: events, see netlink_event.h.
 */
#include <net/genetlink.h>
#include <net/sock.h>

#include "netlink-gen.h"
#include "netlink_event.h"

struct sk_buff *holon_nl_event_begin(u8 command, size_t size, void **header)
{
	struct sk_buff *msg = genlmsg_new(size, GFP_KERNEL);

	if (!msg)
		return NULL;
	*header = genlmsg_put(msg, 0, 0, &holon_nl_family, 0, command);
	if (*header)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

void holon_nl_event_end(struct sk_buff *msg, void *header, unsigned int group)
{
	genlmsg_end(msg, header);
	genlmsg_multicast_allns(&holon_nl_family, msg, 0, group);
}

void holon_nl_event_end_init(struct sk_buff *msg, void *header, unsigned int group)
{
	genlmsg_end(msg, header);
	genlmsg_multicast(&holon_nl_family, msg, 0, group, GFP_KERNEL);
}

void holon_nl_event_lost(unsigned int group)
{
	netlink_set_err(init_net.genl_sock, 0, holon_nl_family.mcgrp_offset + group, -ENOBUFS);
}
