// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exports: files that stay open at one node, their owner, for the sake of another one.
 *
 *	owner				other node
 *	offer, number in an image --->	has an inode of it, or makes one:
 *	  <------- EXPORT_OPEN -------
 *	sequence number ------------->	uses it
 *	  <--- PAGED_*, HOSTED_* -----
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
#include <linux/bitmap.h>
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
#include <linux/workqueue.h>

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
static int export_drop_handler(struct holon_request *request);

static HOLON_RPC(export_open, HOLON_RPC_ID_EXPORT_OPEN, HOLON_REQ, 0,
		 sizeof(struct wire_export_open), export_open_handler,
		 .orphan = holon_export_orphan);
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
 * @lost: nodes that had it open when they left
 * @close: gives back what those had locked; counts as a user
 * @closing: it is under way
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
	DECLARE_BITMAP(lost, HOLON_NODE_IDS);
	struct work_struct close;
	bool closing;
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

static void export_close(struct work_struct *work);

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
	INIT_WORK(&export->close, export_close);
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

int holon_export_give(enum holon_export_kind kind, struct holon_request *request,
		      struct file *file, __le64 incarnation)
{
	struct wire_export_opened opened = { .incarnation = incarnation };
	struct holon_export *export, *gone = NULL;

	export = export_new(kind, file, file);
	if (IS_ERR(export))
		return PTR_ERR(export);
	spin_lock(&exports_lock);
	export_add(export);
	export->users++;
	if (is_current(request, incarnation)) {
		export->opened[request->node] = ++last_open;
		opened.id = cpu_to_le64(export->id);
		opened.sequence = cpu_to_le64(last_open);
	} else {
		gone = export_leave(export);
	}
	spin_unlock(&exports_lock);
	export_free(gone);
	return opened.sequence ? holon_reply_data(request, &opened, sizeof(opened)) : -ESTALE;
}

/* Is it what that node opened last? Then it has it open no longer. */
static bool end_open(struct holon_export *export, const struct holon_request *request)
{
	const struct wire_export_drop *msg = request->data;
	u64 sequence = le64_to_cpu(msg->sequence);

	lockdep_assert_held(&exports_lock);
	if (!sequence || export->opened[request->node] != sequence ||
	    !is_current(request, msg->incarnation))
		return false;
	export->opened[request->node] = 0;
	return true;
}

static int export_drop_handler(struct holon_request *request)
{
	const struct wire_export_drop *msg = request->data;
	struct holon_export *export, *gone;
	bool ended;

	spin_lock(&exports_lock);
	export = export_load(le64_to_cpu(msg->id));
	ended = export && end_open(export, request);
	spin_unlock(&exports_lock);
	if (!ended)
		return 0;
	/* It is still one of its users. */
	if (export->kind == HOLON_EXPORT_HOSTED)
		holon_hosted_unlock(export->file, request->node);
	spin_lock(&exports_lock);
	gone = export_leave(export);
	spin_unlock(&exports_lock);
	export_free(gone);
	return 0;
}

/* Nobody waits for the file server here: locks are given back, and files closed, later. */
static void export_close(struct work_struct *work)
{
	struct holon_export *export = container_of(work, struct holon_export, close), *gone;
	DECLARE_BITMAP(lost, HOLON_NODE_IDS);
	unsigned long node;

	spin_lock(&exports_lock);
	while (!bitmap_empty(export->lost, HOLON_NODE_IDS)) {
		bitmap_copy(lost, export->lost, HOLON_NODE_IDS);
		bitmap_zero(export->lost, HOLON_NODE_IDS);
		spin_unlock(&exports_lock);
		if (export->kind == HOLON_EXPORT_HOSTED)
			for_each_set_bit(node, lost, HOLON_NODE_IDS)
				holon_hosted_unlock(export->file, node);
		spin_lock(&exports_lock);
	}
	export->closing = false;
	gone = export_leave(export);
	spin_unlock(&exports_lock);
	export_free(gone);
}

/* @node has had it open. */
static void export_lose(struct holon_export *export, unsigned long node)
{
	lockdep_assert_held(&exports_lock);
	export->opened[node] = 0;
	__set_bit(node, export->lost);
	/* One user is left, for the work. */
	if (export->closing)
		export->users--;
	else
		queue_work(system_unbound_wq, &export->close);
	export->closing = true;
}

static void export_lost(const struct holon_view *view, const unsigned long *lost)
{
	struct holon_export *export;
	unsigned long node;
	int bucket;

	spin_lock(&exports_lock);
	hash_for_each(exports_by_id, bucket, export, by_id)
		for_each_set_bit(node, lost, HOLON_NODE_IDS)
			if (export->opened[node])
				export_lose(export, node);
	spin_unlock(&exports_lock);
}

static struct holon_view_subscriber export_view = {
	.name = "export",
	.prio = HOLON_VIEW_FILES,
	.lost = export_lost,
};

/* --- user --------------------------------------------------------------------- */

int holon_export_taken(const struct holon_reply *reply, u64 *id, u64 *sequence)
{
	const struct wire_export_opened *opened = reply->data;

	if (reply->len < sizeof(*opened))
		return -EBADMSG;
	*id = le64_to_cpu(opened->id);
	*sequence = le64_to_cpu(opened->sequence);
	return *id && *sequence ? 0 : -EBADMSG;
}

int holon_export_open(const struct holon_export_key *key, u64 *sequence)
{
	struct wire_export_open msg = {
		.id = cpu_to_le64(key->id),
		.incarnation = cpu_to_le64(key->incarnation),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };
	struct holon_reply reply = {};
	int err;
	u64 id;

	err = holon_call(key->owner, &holon_rpc_export_open, &vec, 1, &reply);
	if (err >= 0)
		err = holon_export_taken(&reply, &id, sequence);
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
void holon_export_orphan(u8 node, int status, const void *data, size_t len)
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
