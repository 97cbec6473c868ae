// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exports: files that stay open at one node, their owner, for the sake of another one.
 *
 *	owner				other node
 *	offer, number in an image --->	has an inode of it, or makes one:
 *	  <------- EXPORT_OPEN -------
 *	sequence number ------------->	uses it
 *	  <------- PAGED_READ --------
 *	reply ----------------------->
 *					inode is evicted
 *	  <------- EXPORT_DROP -------
 *	file is closed
 *
 * An export is one open file with the nodes that have opened it, and the moves on their
 * way that offer it to a node: it stays as long as there is one of them. A move withdraws
 * its offers at its end, whatever that is; by then the other node has opened what it
 * wants. A node that opens again after it has dropped may be faster than the drop: so
 * each open has a sequence number, and the drop of an earlier one does nothing. A node
 * that leaves the view has nothing open.
 *
 * Locks: exports_lock, innermost; nothing is allocated, read or closed under it.
 */
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/holon_file.h>
#include <linux/holon_node.h>
#include <linux/holon_rpc.h>
#include <linux/holon_view.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "export.h"

/* EXPORT_OPEN */
struct wire_export_open {
	__le64 id;
	__le64 incarnation;	/* of the owner */
};

struct wire_export_opened {
	__le64 id;
	__le64 incarnation;
	__le64 sequence;
};

/* EXPORT_DROP */
struct wire_export_drop {
	__le64 id;
	__le64 incarnation;
	__le64 sequence;
};

static int export_open_handler(struct holon_request *request);
static void export_open_orphan(u8 node, int status, const void *data, size_t len);
static int export_drop_handler(struct holon_request *request);

static HOLON_RPC(export_open, HOLON_RPC_ID_EXPORT_OPEN, HOLON_REQ, 0,
		 sizeof(struct wire_export_open), export_open_handler,
		 .orphan = export_open_orphan);
static HOLON_RPC(export_drop, HOLON_RPC_ID_EXPORT_DROP, HOLON_REQ, HOLON_RPC_ONEWAY,
		 sizeof(struct wire_export_drop), export_drop_handler);

/* --- owner ------------------------------------------------------------------- */

/**
 * struct holon_export - a file that other nodes may use
 * @by_object, @by_id: in the tables of those
 * @kind: what they may do
 * @object: what there is one export of
 * @file: opened for that
 * @id: in messages; never used again
 * @users: offers, and nodes that have opened it
 * @offers: as many moves to that node offer it
 * @opened: by node: sequence of its last open, or 0
 */
struct holon_export {
	struct hlist_node by_object, by_id;
	enum holon_export_kind kind;
	const void *object;
	struct file *file;
	u64 id;
	unsigned int users;
	unsigned int offers[HOLON_NODE_IDS];
	u64 opened[HOLON_NODE_IDS];
};

/**
 * struct export_offer - a node may open an export, while there is one
 * @list: of a move
 * @export: which
 * @node: which
 */
struct export_offer {
	struct list_head list;
	struct holon_export *export;
	u8 node;
};

static DEFINE_SPINLOCK(exports_lock);
static DEFINE_HASHTABLE(exports_by_object, 6);
static DEFINE_HASHTABLE(exports_by_id, 6);
static struct kmem_cache *export_cache;
static u64 last_export, last_open;
static atomic_t export_count = ATOMIC_INIT(0);

unsigned int holon_export_count(void)
{
	return atomic_read(&export_count);
}

static struct holon_export *export_find(enum holon_export_kind kind, const void *object)
{
	struct holon_export *export;

	lockdep_assert_held(&exports_lock);
	hash_for_each_possible(exports_by_object, export, by_object, (unsigned long)object)
		if (export->object == object && export->kind == kind)
			return export;
	return NULL;
}

static struct holon_export *export_load(u64 id)
{
	struct holon_export *export;

	lockdep_assert_held(&exports_lock);
	hash_for_each_possible(exports_by_id, export, by_id, id)
		if (export->id == id)
			return export;
	return NULL;
}

/* In no table yet. */
static struct holon_export *export_new(enum holon_export_kind kind, const void *object,
				       struct file *file)
{
	struct holon_export *export = kmem_cache_zalloc(export_cache, GFP_KERNEL);

	if (!export) {
		fput(file);
		return ERR_PTR(-ENOMEM);
	}
	export->kind = kind;
	export->object = object;
	export->file = file;
	atomic_inc(&export_count);
	return export;
}

static void export_free(struct holon_export *export)
{
	if (!export)
		return;
	fput(export->file);
	atomic_dec(&export_count);
	kmem_cache_free(export_cache, export);
}

static void export_add(struct holon_export *export)
{
	lockdep_assert_held(&exports_lock);
	export->id = ++last_export;
	hash_add(exports_by_object, &export->by_object, (unsigned long)export->object);
	hash_add(exports_by_id, &export->by_id, export->id);
}

/* One user less. Return: the export, to be freed without the lock, or NULL. */
static struct holon_export *export_leave(struct holon_export *export)
{
	lockdep_assert_held(&exports_lock);
	if (--export->users)
		return NULL;
	hash_del(&export->by_object);
	hash_del(&export->by_id);
	return export;
}

/* That of @object, made of @file if there is none yet; with one user more. */
static struct holon_export *export_use(enum holon_export_kind kind, const void *object,
				       struct file *file,
				       struct file *(*open)(struct file *file), u8 node)
{
	struct holon_export *export, *made = NULL;

	spin_lock(&exports_lock);
	export = export_find(kind, object);
	if (!export) {
		spin_unlock(&exports_lock);
		file = open(file);
		if (IS_ERR(file))
			return ERR_CAST(file);
		made = export_new(kind, object, file);
		if (IS_ERR(made))
			return made;
		spin_lock(&exports_lock);
		export = export_find(kind, object);
		if (!export) {
			export = made;
			made = NULL;
			export_add(export);
		}
	}
	export->users++;
	export->offers[node]++;
	spin_unlock(&exports_lock);
	export_free(made);
	return export;
}

int holon_export_offer(enum holon_export_kind kind, const void *object, struct file *file,
		       struct file *(*open)(struct file *file), u8 node,
		       struct list_head *offers, u64 *id)
{
	struct export_offer *offer = kmalloc(sizeof(*offer), GFP_KERNEL);
	struct holon_export *export;

	if (!offer)
		return -ENOMEM;
	export = export_use(kind, object, file, open, node);
	if (IS_ERR(export)) {
		kfree(offer);
		return PTR_ERR(export);
	}
	offer->export = export;
	offer->node = node;
	list_add(&offer->list, offers);
	*id = export->id;
	return 0;
}

void holon_export_withdraw(struct list_head *offers)
{
	struct export_offer *offer, *next;
	struct holon_export *gone;

	list_for_each_entry_safe(offer, next, offers, list) {
		list_del(&offer->list);
		spin_lock(&exports_lock);
		offer->export->offers[offer->node]--;
		gone = export_leave(offer->export);
		spin_unlock(&exports_lock);
		export_free(gone);
		kfree(offer);
	}
}

struct file *holon_export_get(enum holon_export_kind kind, u64 id, u8 node)
{
	struct holon_export *export;
	struct file *file = NULL;

	spin_lock(&exports_lock);
	export = export_load(id);
	if (export && export->kind == kind && export->opened[node])
		file = get_file(export->file);
	spin_unlock(&exports_lock);
	return file;
}

/* Is a message of @node meant for us as we are, and does it come from that node as it is? */
static bool is_current(const struct holon_request *request, __le64 incarnation)
{
	return le64_to_cpu(incarnation) == holon_view_incarnation(holon_node_id()) &&
	       request->incarnation == holon_view_incarnation(request->node);
}

struct file *holon_export_asked(enum holon_export_kind kind, const struct holon_request *request,
				__le64 id, __le64 incarnation)
{
	if (!is_current(request, incarnation))
		return NULL;
	return holon_export_get(kind, le64_to_cpu(id), request->node);
}

static int export_open_handler(struct holon_request *request)
{
	const struct wire_export_open *msg = request->data;
	struct wire_export_opened opened = { .id = msg->id, .incarnation = msg->incarnation };
	struct holon_export *export;

	spin_lock(&exports_lock);
	export = export_load(le64_to_cpu(msg->id));
	/* Looked at under the lock: who leaves later loses what it has opened. */
	if (export && is_current(request, msg->incarnation) &&
	    (export->offers[request->node] || export->opened[request->node])) {
		export->users += !export->opened[request->node];
		export->opened[request->node] = ++last_open;
		opened.sequence = cpu_to_le64(last_open);
	}
	spin_unlock(&exports_lock);
	return opened.sequence ? holon_reply_data(request, &opened, sizeof(opened)) : -ESTALE;
}

static int export_drop_handler(struct holon_request *request)
{
	const struct wire_export_drop *msg = request->data;
	struct holon_export *export, *gone = NULL;
	u64 sequence = le64_to_cpu(msg->sequence);

	spin_lock(&exports_lock);
	export = export_load(le64_to_cpu(msg->id));
	if (export && sequence && export->opened[request->node] == sequence &&
	    is_current(request, msg->incarnation)) {
		export->opened[request->node] = 0;
		gone = export_leave(export);
	}
	spin_unlock(&exports_lock);
	export_free(gone);
	return 0;
}

/* What those have opened is closed. */
static void export_lost(const struct holon_view *view, const unsigned long *lost)
{
	struct holon_export *export, *gone;
	struct hlist_node *next;
	HLIST_HEAD(closed);
	unsigned long node;
	int bucket;

	spin_lock(&exports_lock);
	hash_for_each_safe(exports_by_id, bucket, next, export, by_id) {
		gone = NULL;
		for_each_set_bit(node, lost, HOLON_NODE_IDS) {
			if (!export->opened[node])
				continue;
			export->opened[node] = 0;
			gone = export_leave(export);
		}
		if (gone)
			hlist_add_head(&gone->by_id, &closed);
	}
	spin_unlock(&exports_lock);
	hlist_for_each_entry_safe(export, next, &closed, by_id)
		export_free(export);
}

static struct holon_view_subscriber export_view = {
	.name = "export",
	.prio = HOLON_VIEW_FILES,
	.lost = export_lost,
};

/* --- user --------------------------------------------------------------------- */

int holon_export_open(const struct holon_export_key *key, u64 *sequence)
{
	struct wire_export_open msg = {
		.id = cpu_to_le64(key->id),
		.incarnation = cpu_to_le64(key->incarnation),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };
	const struct wire_export_opened *opened;
	struct holon_reply reply = {};
	int err;

	err = holon_call(key->owner, &holon_rpc_export_open, &vec, 1, &reply);
	opened = reply.data;
	if (err >= 0)
		err = reply.len >= sizeof(*opened) ? 0 : -EBADMSG;
	if (!err)
		*sequence = le64_to_cpu(opened->sequence);
	holon_reply_free(&reply);
	return err;
}

static void send_drop(u8 owner, const struct wire_export_drop *msg)
{
	struct holon_vec vec = { msg, sizeof(*msg) };

	/* If that fails its owner has gone. */
	holon_send(owner, &holon_rpc_export_drop, &vec, 1, GFP_NOFS | __GFP_NOFAIL);
}

/* Who opened it was killed meanwhile. */
static void export_open_orphan(u8 node, int status, const void *data, size_t len)
{
	const struct wire_export_opened *opened = data;
	struct wire_export_drop msg;

	if (status || len < sizeof(*opened))
		return;
	msg = (struct wire_export_drop){
		.id = opened->id,
		.incarnation = opened->incarnation,
		.sequence = opened->sequence,
	};
	send_drop(node, &msg);
}

void holon_export_drop(const struct holon_export_key *key, u64 sequence)
{
	struct wire_export_drop msg = {
		.id = cpu_to_le64(key->id),
		.incarnation = cpu_to_le64(key->incarnation),
		.sequence = cpu_to_le64(sequence),
	};

	send_drop(key->owner, &msg);
}

static int __init holon_export_init(void)
{
	export_cache = KMEM_CACHE(holon_export, SLAB_PANIC);
	holon_view_subscribe(&export_view);
	return 0;
}
fs_initcall(holon_export_init);
