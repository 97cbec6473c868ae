// SPDX-License-Identifier: GPL-2.0-only
/*
 * Facts about a node that the user space of other nodes needs, in order to
 * build containers for its processes.
 *
 * One question, one answer; nothing of it is kept at the node that asks. The
 * mounts are those that user space has set; the kernel does not look into them.
 * A change is announced without saying what it is: who wants to know asks again.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/holon_node.h>
#include <linux/holon_rpc.h>
#include <linux/holon_view.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/utsname.h>

#include "facts.h"

/* @host, @domain and, unless MOUNTS_UNKNOWN, @mounts bytes follow. */
struct facts_wire {
	__le16 host;
	__le16 domain;
	__le32 mounts;
};

#define MOUNTS_UNKNOWN	U32_MAX

static DEFINE_MUTEX(facts_mutex);
/* Under facts_mutex; NULL until it has been set. */
static char *own_mounts;
static size_t own_mounts_len;

static void facts_of_this_node(struct holon_facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	down_read(&uts_sem);
	strscpy(facts->host, init_uts_ns.name.nodename);
	strscpy(facts->domain, init_uts_ns.name.domainname);
	up_read(&uts_sem);
	mutex_lock(&facts_mutex);
	facts->has_mounts = own_mounts;
	facts->mounts_len = own_mounts_len;
	if (own_mounts)
		memcpy(facts->mounts, own_mounts, own_mounts_len);
	mutex_unlock(&facts_mutex);
}

/* Absolute paths, each with its final NUL. */
static bool mounts_valid(const char *mounts, size_t len)
{
	const char *end = mounts + len;

	if (len > HOLON_FACTS_MOUNTS_MAX || (len && end[-1]))
		return false;
	while (mounts < end) {
		if (*mounts != '/')
			return false;
		mounts += strlen(mounts) + 1;
	}
	return true;
}

static int facts_changed_handler(struct holon_request *request)
{
	holon_nl_facts_changed();
	return 0;
}

static HOLON_RPC(node_facts_changed, HOLON_RPC_ID_FACTS_CHANGED, HOLON_FWD, HOLON_RPC_ONEWAY, 0,
		 facts_changed_handler);

/* A node that joins later asks anyway. */
static void tell_members(void)
{
	const struct holon_view *view = holon_view_get();
	unsigned int id;

	if (!view)
		return;
	for_each_set_bit(id, view->members, HOLON_NODE_IDS)
		if (id != holon_node_id() &&
		    holon_send(id, &holon_rpc_node_facts_changed, NULL, 0, GFP_KERNEL) == -ENOMEM)
			pr_warn("node %u was not told of a change of the mounts\n", id);
	holon_view_put(view);
}

int holon_facts_set(const char *mounts, size_t len)
{
	bool changed;
	char *copy;

	if (!mounts_valid(mounts, len))
		return -EINVAL;
	copy = kmemdup(mounts, len ?: 1, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	mutex_lock(&facts_mutex);
	changed = !own_mounts || own_mounts_len != len || memcmp(own_mounts, copy, len);
	swap(own_mounts, copy);
	own_mounts_len = len;
	mutex_unlock(&facts_mutex);
	kfree(copy);
	if (changed)
		tell_members();
	return 0;
}

static int facts_handler(struct holon_request *request)
{
	struct holon_facts *facts;
	struct facts_wire *wire;
	size_t host, domain, len;
	char *at;
	int err = -ENOMEM;

	facts = kmalloc(sizeof(*facts), GFP_KERNEL);
	if (!facts)
		return err;
	facts_of_this_node(facts);
	host = strlen(facts->host);
	domain = strlen(facts->domain);
	len = sizeof(*wire) + host + domain + facts->mounts_len;
	wire = kmalloc(len, GFP_KERNEL);
	if (!wire)
		goto free_facts;
	wire->host = cpu_to_le16(host);
	wire->domain = cpu_to_le16(domain);
	wire->mounts = cpu_to_le32(facts->has_mounts ? facts->mounts_len : MOUNTS_UNKNOWN);
	at = (char *)(wire + 1);
	memcpy(at, facts->host, host);
	memcpy(at + host, facts->domain, domain);
	memcpy(at + host + domain, facts->mounts, facts->mounts_len);
	err = holon_reply_data(request, wire, len);
	kfree(wire);
free_facts:
	kfree(facts);
	return err;
}

static HOLON_RPC(node_facts, HOLON_RPC_ID_FACTS, HOLON_REQ, HOLON_RPC_IDEMPOTENT, 0,
		 facts_handler);

static int facts_decode(const void *data, size_t len, struct holon_facts *facts)
{
	const struct facts_wire *wire = data;
	size_t host, domain, mounts;
	const char *at;

	memset(facts, 0, sizeof(*facts));
	if (len < sizeof(*wire))
		return -EPROTO;
	host = le16_to_cpu(wire->host);
	domain = le16_to_cpu(wire->domain);
	facts->has_mounts = le32_to_cpu(wire->mounts) != MOUNTS_UNKNOWN;
	mounts = facts->has_mounts ? le32_to_cpu(wire->mounts) : 0;
	if (host >= sizeof(facts->host) || domain >= sizeof(facts->domain) ||
	    mounts > HOLON_FACTS_MOUNTS_MAX || len != sizeof(*wire) + host + domain + mounts)
		return -EPROTO;
	at = (const char *)(wire + 1);
	memcpy(facts->host, at, host);
	memcpy(facts->domain, at + host, domain);
	memcpy(facts->mounts, at + host + domain, mounts);
	facts->mounts_len = mounts;
	return mounts_valid(facts->mounts, mounts) ? 0 : -EPROTO;
}

int holon_facts_get(u8 node, struct holon_facts *facts)
{
	struct holon_reply reply = {};
	int err;

	if (node == holon_node_id()) {
		facts_of_this_node(facts);
		return 0;
	}
	err = holon_call(node, &holon_rpc_node_facts, NULL, 0, &reply);
	if (err >= 0)
		err = facts_decode(reply.data, reply.len, facts);
	holon_reply_free(&reply);
	return err;
}
