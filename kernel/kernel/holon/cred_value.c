// SPDX-License-Identifier: GPL-2.0-only
/*
 * Credentials travel by value, not as the calls that changed them: so the
 * halves cannot disagree when one of the calls fails. The nodes of a cluster
 * are one domain of trust: ids mean the same on all of them.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/cred.h>
#include <linux/overflow.h>
#include <linux/sched/coredump.h>
#include <linux/sched/user.h>
#include <linux/securebits.h>

#include "cred_value.h"

/**
 * holon_creds_size - bytes that holon_creds_pack() will write for current
 */
size_t holon_creds_size(void)
{
	return struct_size_t(struct { struct holon_wire_creds creds; __le32 group[]; }, group,
			     current_cred()->group_info->ngroups);
}

/**
 * holon_creds_pack - write down the credentials of current
 * @buffer: holon_creds_size() bytes, aligned to 4
 *
 * Return: bytes written.
 */
size_t holon_creds_pack(void *buffer)
{
	const struct cred *cred = current_cred();
	struct holon_wire_creds *wire = buffer;
	__le32 *group = (__le32 *)(wire + 1);
	int i;

	memset(wire, 0, sizeof(*wire));
	wire->ids[0] = cpu_to_le32(from_kuid(&init_user_ns, cred->uid));
	wire->ids[1] = cpu_to_le32(from_kuid(&init_user_ns, cred->euid));
	wire->ids[2] = cpu_to_le32(from_kuid(&init_user_ns, cred->suid));
	wire->ids[3] = cpu_to_le32(from_kuid(&init_user_ns, cred->fsuid));
	wire->ids[4] = cpu_to_le32(from_kgid(&init_user_ns, cred->gid));
	wire->ids[5] = cpu_to_le32(from_kgid(&init_user_ns, cred->egid));
	wire->ids[6] = cpu_to_le32(from_kgid(&init_user_ns, cred->sgid));
	wire->ids[7] = cpu_to_le32(from_kgid(&init_user_ns, cred->fsgid));
	wire->caps[0] = cpu_to_le64(cred->cap_inheritable.val);
	wire->caps[1] = cpu_to_le64(cred->cap_permitted.val);
	wire->caps[2] = cpu_to_le64(cred->cap_effective.val);
	wire->caps[3] = cpu_to_le64(cred->cap_bset.val);
	wire->caps[4] = cpu_to_le64(cred->cap_ambient.val);
	wire->securebits = cpu_to_le32(cred->securebits);
	if (task_no_new_privs(current))
		wire->flags = cpu_to_le32(HOLON_CREDS_NO_NEW_PRIVS);
	wire->dumpable = cpu_to_le32(get_dumpable(current->mm));
	wire->groups = cpu_to_le32(cred->group_info->ngroups);
	for (i = 0; i < cred->group_info->ngroups; i++)
		group[i] = cpu_to_le32(from_kgid(&init_user_ns, cred->group_info->gid[i]));
	return holon_creds_size();
}

static int apply_groups(struct cred *new, const __le32 *group, unsigned int n)
{
	struct group_info *info = groups_alloc(n);
	unsigned int i;

	if (!info)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		info->gid[i] = make_kgid(&init_user_ns, le32_to_cpu(group[i]));
		if (!gid_valid(info->gid[i])) {
			put_group_info(info);
			return -EBADMSG;
		}
	}
	groups_sort(info);
	set_groups(new, info);
	put_group_info(info);
	return 0;
}

static int apply_ids(struct cred *new, const struct holon_wire_creds *wire)
{
	kuid_t *uid[4] = { &new->uid, &new->euid, &new->suid, &new->fsuid };
	kgid_t *gid[4] = { &new->gid, &new->egid, &new->sgid, &new->fsgid };
	struct user_struct *user;
	kuid_t old = new->uid;
	int i;

	for (i = 0; i < 4; i++) {
		*uid[i] = make_kuid(&init_user_ns, le32_to_cpu(wire->ids[i]));
		*gid[i] = make_kgid(&init_user_ns, le32_to_cpu(wire->ids[4 + i]));
		if (!uid_valid(*uid[i]) || !gid_valid(*gid[i]))
			return -EBADMSG;
	}
	if (uid_eq(old, new->uid))
		return 0;
	user = alloc_uid(new->uid);
	if (!user)
		return -ENOMEM;
	free_uid(new->user);
	new->user = user;
	return 0;
}

/**
 * holon_creds_prepare - make credentials from what was written down
 * @buffer: from holon_creds_pack() on the other side, untrusted
 * @len: bytes that may be read
 *
 * Context: process context, in the initial user namespace.
 * Return: a copy of the credentials of current with those values, to be
 *	committed or put; or an ERR_PTR().
 */
struct cred *holon_creds_prepare(const void *buffer, size_t len)
{
	const struct holon_wire_creds *wire = buffer;
	kernel_cap_t *cap[5];
	struct cred *new;
	unsigned int n;
	int i, err;

	if (len < sizeof(*wire))
		return ERR_PTR(-EBADMSG);
	n = le32_to_cpu(wire->groups);
	if (n > NGROUPS_MAX || (len - sizeof(*wire)) / sizeof(__le32) < n)
		return ERR_PTR(-EBADMSG);
	new = prepare_creds();
	if (!new)
		return ERR_PTR(-ENOMEM);
	err = apply_ids(new, wire) ?: apply_groups(new, (const __le32 *)(wire + 1), n);
	if (err)
		goto abort;
	cap[0] = &new->cap_inheritable;
	cap[1] = &new->cap_permitted;
	cap[2] = &new->cap_effective;
	cap[3] = &new->cap_bset;
	cap[4] = &new->cap_ambient;
	for (i = 0; i < 5; i++)
		cap[i]->val = le64_to_cpu(wire->caps[i]) & CAP_VALID_MASK;
	new->securebits = le32_to_cpu(wire->securebits);
	err = set_cred_ucounts(new);
	if (err)
		goto abort;
	return new;
abort:
	abort_creds(new);
	return ERR_PTR(err);
}

/**
 * holon_creds_commit - become what holon_creds_prepare() has made
 * @new: consumed
 * @buffer: that it was made from
 */
void holon_creds_commit(struct cred *new, const void *buffer)
{
	const struct holon_wire_creds *wire = buffer;

	if (le32_to_cpu(wire->flags) & HOLON_CREDS_NO_NEW_PRIVS)
		task_set_no_new_privs(current);
	commit_creds(new);
}

/* Both at once. Return: 0, -EBADMSG, -ENOMEM. */
int holon_creds_apply(const void *buffer, size_t len)
{
	struct cred *new = holon_creds_prepare(buffer, len);

	if (IS_ERR(new))
		return PTR_ERR(new);
	holon_creds_commit(new, buffer);
	return 0;
}
