/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a container for the processes of a node has to look like, as that node
 * says: its host name, and the mounts that only it has.
 */
#ifndef _KERNEL_HOLON_FACTS_H
#define _KERNEL_HOLON_FACTS_H

#include <linux/types.h>
#include <linux/utsname.h>

/* One netlink message holds them; user space's buffer has 8 KiB. */
#define HOLON_FACTS_MOUNTS_MAX	6144

/**
 * struct holon_facts - of one node
 * @host: its name
 * @domain: its NIS domain
 * @has_mounts: have the mounts been set?
 * @mounts_len: bytes of @mounts
 * @mounts: mount points, each with a final NUL
 */
struct holon_facts {
	char host[__NEW_UTS_LEN + 1];
	char domain[__NEW_UTS_LEN + 1];
	bool has_mounts;
	size_t mounts_len;
	char mounts[HOLON_FACTS_MOUNTS_MAX];
};

/**
 * holon_facts_set - set the mounts of this node
 * @mounts: absolute paths, each with a final NUL
 * @len: bytes
 *
 * When they are not what they were the listeners of all members hear of it.
 *
 * Context: process context. Return: 0, -EINVAL, -ENOMEM.
 */
int holon_facts_set(const char *mounts, size_t len);

/**
 * holon_facts_get - ask a member, or this node
 * @node: id
 * @facts: filled in
 *
 * Context: process context, no locks; waits for the answer.
 * Return: 0, -EPROTO for an answer that makes no sense, errors of holon_call().
 */
int holon_facts_get(u8 node, struct holon_facts *facts);

/* netlink_facts.c: wake up who listens for changes of the view. */
void holon_nl_facts_changed(void);

#endif /* _KERNEL_HOLON_FACTS_H */
