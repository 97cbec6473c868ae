// SPDX-License-Identifier: GPL-2.0-only
/*
 * Credentials travel by value, not as the calls that changed them: so the
 * halves of a process cannot disagree when one of the calls fails.
 *
 * Ids are those of the initial user namespace: the nodes of a cluster are one
 * domain of trust and share their users. Capabilities of a task in another user
 * namespace mean nothing outside of it and are left behind. What depends on the
 * file system root, umask, limits or other namespaces is not here: it runs in
 * the deputy.
 *
 * struct holon_wire_cred is what one struct cred says, struct holon_wire_creds
 * what a process may do: that, and the bit no_new_privs.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/sched/user.h>
#include <linux/securebits.h>
#include <linux/user_namespace.h>

#include "cred_value.h"

static_assert(sizeof(struct holon_wire_cred) == 80);
static_assert(sizeof(struct holon_wire_creds) == 88);

/* Whole multiples of 8: what follows is aligned. */
static size_t cred_size(unsigned int groups)
{
	return ALIGN(sizeof(struct holon_wire_cred) + groups * sizeof(__le32), 8);
}

/**
 * holon_cred_size - bytes that holon_cred_pack() will write
 * @cred: the credentials
 */
size_t holon_cred_size(const struct cred *cred)
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

/**
 * holon_cred_pack - write credentials down
 * @to: holon_cred_size() bytes, aligned to 4
 * @cred: the credentials
 */
void holon_cred_pack(void *to, const struct cred *cred)
{
	struct holon_wire_cred *wire = to;
	__le32 *groups = (__le32 *)(wire + 1);
	int i, n = cred->group_info->ngroups;

	memset(to, 0, holon_cred_size(cred));
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

/* The length of what begins at @from, of which @len bytes are there; or -EPROTO. */
static ssize_t cred_length(const struct holon_wire_cred *wire, size_t len)
{
	unsigned int n;

	if (len < sizeof(*wire))
		return -EPROTO;
	n = le32_to_cpu(wire->groups);
	if (n > NGROUPS_MAX || len < cred_size(n))
		return -EPROTO;
	return cred_size(n);
}

/* Overwrite @cred, which is not in use yet. The length has been checked. */
static int cred_fill(struct cred *cred, const struct holon_wire_cred *wire)
{
	struct user_struct *user;
	int err;

	if (!get_ids(cred, wire))
		return -EPROTO;
	err = get_groups(cred, (const __le32 *)(wire + 1), le32_to_cpu(wire->groups));
	if (err)
		return err;
	cred->securebits = le32_to_cpu(wire->securebits) & (SECURE_ALL_BITS | SECURE_ALL_LOCKS);
	cred->cap_inheritable = wire_cap(wire->inheritable);
	cred->cap_permitted = wire_cap(wire->permitted);
	cred->cap_effective = wire_cap(wire->effective);
	cred->cap_bset = wire_cap(wire->bounding);
	cred->cap_ambient = wire_cap(wire->ambient);
	if (!cap_issubset(cred->cap_ambient,
			  cap_intersect(cred->cap_permitted, cred->cap_inheritable)))
		return -EPROTO;
	user = alloc_uid(cred->uid);
	if (!user)
		return -ENOMEM;
	free_uid(cred->user);
	cred->user = user;
	return 0;
}

/**
 * holon_cred_unpack - credentials for what acts for a task of another node
 * @from: from holon_cred_pack() on the other side, untrusted
 * @len: bytes that are there
 * @used: set to where the rest begins
 *
 * Context: may sleep.
 * Return: credentials with one reference, -EPROTO, -ENOMEM.
 */
struct cred *holon_cred_unpack(const void *from, size_t len, size_t *used)
{
	ssize_t length = cred_length(from, len);
	struct cred *cred;
	int err;

	if (length < 0)
		return ERR_PTR(length);
	cred = prepare_kernel_cred(&init_task);
	if (!cred)
		return ERR_PTR(-ENOMEM);
	err = cred_fill(cred, from);
	if (err) {
		put_cred(cred);
		return ERR_PTR(err);
	}
	*used = length;
	return cred;
}

/**
 * holon_creds_size - bytes that holon_creds_pack() will write for current
 */
size_t holon_creds_size(void)
{
	return offsetof(struct holon_wire_creds, cred) + holon_cred_size(current_cred());
}

/**
 * holon_creds_pack - write down what current may do
 * @buffer: holon_creds_size() bytes, aligned to 4
 *
 * Return: bytes written.
 */
size_t holon_creds_pack(void *buffer)
{
	struct holon_wire_creds *wire = buffer;

	wire->flags = cpu_to_le32(task_no_new_privs(current) ? HOLON_CREDS_NO_NEW_PRIVS : 0);
	wire->pad = 0;
	holon_cred_pack(&wire->cred, current_cred());
	return holon_creds_size();
}

/**
 * holon_creds_length - bytes of what holon_creds_pack() has written
 * @buffer: from the other side, untrusted
 * @len: bytes that are there
 *
 * Return: the length, or -EPROTO.
 */
ssize_t holon_creds_length(const void *buffer, size_t len)
{
	const struct holon_wire_creds *wire = buffer;
	ssize_t length;

	if (len < sizeof(*wire))
		return -EPROTO;
	length = cred_length(&wire->cred, len - offsetof(struct holon_wire_creds, cred));
	return length < 0 ? length : offsetof(struct holon_wire_creds, cred) + length;
}

/**
 * holon_creds_prepare - make credentials from what was written down
 * @buffer: from holon_creds_pack() on the other side, untrusted
 * @len: bytes that are there
 *
 * Context: process context, in the initial user namespace.
 * Return: a copy of the credentials of current with those values, to be
 *	committed or aborted; or -EPROTO, -ENOMEM, -EAGAIN (limits).
 */
struct cred *holon_creds_prepare(const void *buffer, size_t len)
{
	const struct holon_wire_creds *wire = buffer;
	ssize_t length = holon_creds_length(buffer, len);
	struct cred *new;
	int err;

	if (length < 0)
		return ERR_PTR(length);
	new = prepare_creds();
	if (!new)
		return ERR_PTR(-ENOMEM);
	err = cred_fill(new, &wire->cred) ?: set_cred_ucounts(new);
	if (err) {
		abort_creds(new);
		return ERR_PTR(err);
	}
	return new;
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

/**
 * holon_creds_apply - holon_creds_prepare() and holon_creds_commit() at once
 * @buffer: from holon_creds_pack() on the other side, untrusted
 * @len: bytes that are there
 *
 * Return: 0 or the error of holon_creds_prepare().
 */
int holon_creds_apply(const void *buffer, size_t len)
{
	struct cred *new = holon_creds_prepare(buffer, len);

	if (IS_ERR(new))
		return PTR_ERR(new);
	holon_creds_commit(new, buffer);
	return 0;
}
