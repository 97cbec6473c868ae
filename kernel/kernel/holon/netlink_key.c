// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cluster keys over netlink: they come in, and never go out again.
 *
 * And who may do what (Documentation/admin-guide/holon/security.rst): the
 * checks that run before the operations that change something.
 */
#include <linux/cred.h>
#include <linux/holon_transport.h>
#include <linux/moduleparam.h>
#include <linux/uidgid.h>
#include <linux/unaligned.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "netlink-gen.h"

#ifdef MODULE_PARAM_PREFIX
#undef MODULE_PARAM_PREFIX
#endif
#define MODULE_PARAM_PREFIX "holon."

static int operators = -1;
module_param_named(group, operators, int, 0644);
MODULE_PARM_DESC(group, "id of the group whose members may operate the cluster, -1: nobody");

/* Both count: who opened the socket, and who sends on it now. */
static bool in_operators(struct sk_buff *skb)
{
	kgid_t group = make_kgid(&init_user_ns, READ_ONCE(operators));
	const struct socket *sock = NETLINK_CB(skb).sk->sk_socket;

	if (!gid_valid(group) || !sock || !sock->file)
		return false;
	return in_egroup_p(group) &&
	       (gid_eq(sock->file->f_cred->fsgid, group) ||
		groups_search(sock->file->f_cred->group_info, group));
}

int holon_nl_pre_admin(const struct genl_split_ops *ops, struct sk_buff *skb,
		       struct genl_info *info)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;
	NL_SET_ERR_MSG(info->extack, "this needs CAP_SYS_ADMIN: do it as root");
	return -EPERM;
}

int holon_nl_pre_operate(const struct genl_split_ops *ops, struct sk_buff *skb,
			 struct genl_info *info)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN) || in_operators(skb))
		return 0;
	NL_SET_ERR_MSG(info->extack,
		       "this needs CAP_SYS_ADMIN or the group of holon.group=: do it as root");
	return -EPERM;
}

int holon_nl_key_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	u8 ids[HOLON_KEYS_MAX * HOLON_KEY_ID_SIZE];
	unsigned int i, count;
	struct sk_buff *msg;
	void *header;

	msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	header = genlmsg_iput(msg, info);
	if (!header)
		goto too_small;
	count = holon_transport_key_ids(ids);
	for (i = 0; i < count; i++)
		if (nla_put_u64_64bit(msg, HOLON_A_KEY_ID,
				      get_unaligned_be64(ids + i * HOLON_KEY_ID_SIZE), 0))
			goto too_small;
	genlmsg_end(msg, header);
	return genlmsg_reply(msg, info);

too_small:
	nlmsg_free(msg);
	return -EMSGSIZE;
}

int holon_nl_key_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *bytes = info->attrs[HOLON_A_KEY_BYTES];
	int err;

	if (!bytes || !nla_len(bytes) || nla_len(bytes) % HOLON_KEY_SIZE) {
		NL_SET_ERR_MSG(info->extack,
			       "a cluster key has 32 bytes: holon cluster key generate makes one");
		return -EINVAL;
	}
	if (nla_len(bytes) > HOLON_KEYS_MAX * HOLON_KEY_SIZE) {
		NL_SET_ERR_MSG(info->extack,
			       "up to four cluster keys can be loaded: holon cluster key prune");
		return -EINVAL;
	}
	err = holon_transport_set_keys(nla_data(bytes), nla_len(bytes) / HOLON_KEY_SIZE);
	/* The message lies in memory that others get next. */
	memzero_explicit(nla_data(bytes), nla_len(bytes));
	return err;
}
