// SPDX-License-Identifier: GPL-2.0-only
/*
 * Credentials by value, in front of the payload of a request.
 *
 * Ids are those of the initial user namespace: the nodes of a cluster share
 * their users. Capabilities of a task in another user namespace mean nothing
 * outside of it and are left behind. What depends on the file system root,
 * umask, limits or other namespaces is not here: it runs in the deputy.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/sched/user.h>
#include <linux/securebits.h>
#include <linux/user_namespace.h>

#include "rpc.h"

struct holon_wire_cred {
	__le32 uid, gid, suid, sgid, euid, egid, fsuid, fsgid;
	__le32 securebits;
	__le32 groups;		/* number of __le32 that follow, then padding to 8 */
	__le64 inheritable, permitted, effective, bounding, ambient;
};

static_assert(sizeof(struct holon_wire_cred) == 80);

static size_t cred_size(unsigned int groups)
{
	return ALIGN(sizeof(struct holon_wire_cred) + groups * sizeof(__le32), 8);
}

size_t rpc_cred_size(const struct cred *cred)
{
	return cred_size(cred->group_info->ngroups);
}

static __le32 wire_uid(kuid_t uid)
{
	return cpu_to_le32(from_kuid_munged(&init_user_ns, uid));
}

static __le32 wire_gid(kgid_t gid)
{
	return cpu_to_le32(from_kgid_munged(&init_user_ns, gid));
}

void rpc_cred_put(void *to, const struct cred *cred)
{
	struct holon_wire_cred *wire = to;
	__le32 *groups = (__le32 *)(wire + 1);
	int i, n = cred->group_info->ngroups;

	memset(to, 0, rpc_cred_size(cred));
	wire->uid = wire_uid(cred->uid);
	wire->gid = wire_gid(cred->gid);
	wire->suid = wire_uid(cred->suid);
	wire->sgid = wire_gid(cred->sgid);
	wire->euid = wire_uid(cred->euid);
	wire->egid = wire_gid(cred->egid);
	wire->fsuid = wire_uid(cred->fsuid);
	wire->fsgid = wire_gid(cred->fsgid);
	wire->securebits = cpu_to_le32(cred->securebits);
	wire->groups = cpu_to_le32(n);
	if (cred->user_ns == &init_user_ns) {
		wire->inheritable = cpu_to_le64(cred->cap_inheritable.val);
		wire->permitted = cpu_to_le64(cred->cap_permitted.val);
		wire->effective = cpu_to_le64(cred->cap_effective.val);
		wire->bounding = cpu_to_le64(cred->cap_bset.val);
		wire->ambient = cpu_to_le64(cred->cap_ambient.val);
	}
	for (i = 0; i < n; i++)
		groups[i] = wire_gid(cred->group_info->gid[i]);
}

static bool get_uid_field(kuid_t *uid, __le32 wire)
{
	*uid = make_kuid(&init_user_ns, le32_to_cpu(wire));
	return uid_valid(*uid);
}

static bool get_gid_field(kgid_t *gid, __le32 wire)
{
	*gid = make_kgid(&init_user_ns, le32_to_cpu(wire));
	return gid_valid(*gid);
}

static bool get_ids(struct cred *cred, const struct holon_wire_cred *wire)
{
	return get_uid_field(&cred->uid, wire->uid) && get_gid_field(&cred->gid, wire->gid) &&
	       get_uid_field(&cred->suid, wire->suid) && get_gid_field(&cred->sgid, wire->sgid) &&
	       get_uid_field(&cred->euid, wire->euid) && get_gid_field(&cred->egid, wire->egid) &&
	       get_uid_field(&cred->fsuid, wire->fsuid) &&
	       get_gid_field(&cred->fsgid, wire->fsgid);
}

static kernel_cap_t wire_cap(__le64 value)
{
	return (kernel_cap_t){ .val = le64_to_cpu(value) & CAP_VALID_MASK };
}

static int get_groups(struct cred *cred, const __le32 *wire, unsigned int n)
{
	struct group_info *groups = groups_alloc(n);
	unsigned int i;

	if (!groups)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		if (!get_gid_field(&groups->gid[i], wire[i])) {
			put_group_info(groups);
			return -EPROTO;
		}
	}
	groups_sort(groups);
	set_groups(cred, groups);
	put_group_info(groups);
	return 0;
}

/**
 * rpc_cred_get - take credentials out of a request
 * @from: payload, untrusted
 * @len: its length
 * @used: set to where the rest begins
 *
 * Return: credentials with one reference, -EPROTO, -ENOMEM.
 */
struct cred *rpc_cred_get(const void *from, size_t len, size_t *used)
{
	const struct holon_wire_cred *wire = from;
	struct user_struct *user;
	struct cred *cred;
	unsigned int n;
	int err;

	if (len < sizeof(*wire))
		return ERR_PTR(-EPROTO);
	n = le32_to_cpu(wire->groups);
	if (n > NGROUPS_MAX || len < cred_size(n))
		return ERR_PTR(-EPROTO);
	cred = prepare_kernel_cred(&init_task);
	if (!cred)
		return ERR_PTR(-ENOMEM);
	err = -EPROTO;
	if (!get_ids(cred, wire))
		goto put;
	err = get_groups(cred, (const __le32 *)(wire + 1), n);
	if (err)
		goto put;
	cred->securebits = le32_to_cpu(wire->securebits) & (SECURE_ALL_BITS | SECURE_ALL_LOCKS);
	cred->cap_inheritable = wire_cap(wire->inheritable);
	cred->cap_permitted = wire_cap(wire->permitted);
	cred->cap_effective = wire_cap(wire->effective);
	cred->cap_bset = wire_cap(wire->bounding);
	cred->cap_ambient = wire_cap(wire->ambient);
	err = -ENOMEM;
	user = alloc_uid(cred->uid);
	if (!user)
		goto put;
	free_uid(cred->user);
	cred->user = user;
	*used = cred_size(n);
	return cred;
put:
	put_cred(cred);
	return ERR_PTR(err);
}
