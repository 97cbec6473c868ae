// SPDX-License-Identifier: GPL-2.0-only
/*
 * Paged files: a file of one node that a program on another node has mapped.
 *
 * A program that moves takes its mappings along, also those of files that only its
 * home has, or of which home has another version. What is private of them travels as
 * memory; the rest is read from home when it is touched, into a page cache here that
 * all guests of that home share.
 *
 *	home: export			other node: inode
 *	image with number ----------->	has it, or makes one:
 *	  <------- PAGED_OPEN --------
 *	sequence number ------------->	is mapped
 *					page fault:
 *	  <------- PAGED_READ --------
 *	bytes ----------------------->	page is uptodate
 *					last mapping has gone: inode is evicted
 *	  <------- PAGED_DROP --------
 *	file is closed
 *
 * An export is one file of home, open for reading, with the nodes that have opened it,
 * and the moves on their way that offer it to a node: it stays as long as there is one
 * of them. A move withdraws its offers at its end, whatever that is; by then the other
 * node has opened what it wants. A node that opens again after it has dropped may be
 * faster than the drop: so each open has a sequence number, and the drop of an earlier
 * one does nothing. A node that leaves the view has nothing open.
 *
 * As with any private mapping it is not said whether a later change of the file is
 * seen. A page of a version that home has no more is asked for again at the next
 * move of a program that maps it.
 *
 * Locks: exports_lock, innermost, for the table; nothing is allocated, read or closed
 * under it. An inode is filled in under its own I_NEW, and changed under its lock.
 */
#include <linux/dcache.h>
#include <linux/errno.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/holon_file.h>
#include <linux/holon_node.h>
#include <linux/holon_rpc.h>
#include <linux/holon_view.h>
#include <linux/init.h>
#include <linux/init_task.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "remote.h"

#define HOLON_PAGED_MAGIC	0x686c7067	/* "hlpg" */

/* Most bytes of one request. */
#define PAGED_READ_MAX		SZ_128K

/* PAGED_OPEN */
struct wire_paged_open {
	__le64 id;
	__le64 incarnation;	/* of the owner */
};

struct wire_paged_opened {
	__le64 id;
	__le64 incarnation;
	__le64 sequence;
};

/* PAGED_READ; the reply has the bytes, fewer at the end of the file. */
struct wire_paged_read {
	__le64 id;
	__le64 incarnation;
	__le64 pos;
	__le32 len;
	__le32 pad;
};

/* PAGED_DROP */
struct wire_paged_drop {
	__le64 id;
	__le64 incarnation;
	__le64 sequence;
};

static int paged_open_handler(struct holon_request *request);
static void paged_open_orphan(u8 node, int status, const void *data, size_t len);
static int paged_read_handler(struct holon_request *request);
static int paged_drop_handler(struct holon_request *request);

static HOLON_RPC(paged_open, HOLON_RPC_ID_PAGED_OPEN, HOLON_REQ, 0,
		 sizeof(struct wire_paged_open), paged_open_handler,
		 .orphan = paged_open_orphan);
static HOLON_RPC(paged_read, HOLON_RPC_ID_PAGED_READ, HOLON_REQ, HOLON_RPC_LONG,
		 sizeof(struct wire_paged_read), paged_read_handler);
static HOLON_RPC(paged_drop, HOLON_RPC_ID_PAGED_DROP, HOLON_REQ, HOLON_RPC_ONEWAY,
		 sizeof(struct wire_paged_drop), paged_drop_handler);

/* --- owner: exports ---------------------------------------------------------- */

/**
 * struct holon_export - a file that other nodes may read
 * @by_inode, @by_id: in the tables of those
 * @file: opened for that
 * @id: in messages; never used again
 * @users: offers, and nodes that have opened it
 * @offers: as many moves to that node offer it
 * @opened: by node: sequence of its last open, or 0
 */
struct holon_export {
	struct hlist_node by_inode, by_id;
	struct file *file;
	u64 id;
	unsigned int users;
	unsigned int offers[HOLON_NODE_IDS];
	u64 opened[HOLON_NODE_IDS];
};

static DEFINE_SPINLOCK(exports_lock);
static DEFINE_HASHTABLE(exports_by_inode, 6);
static DEFINE_HASHTABLE(exports_by_id, 6);
static struct kmem_cache *export_cache;
static u64 last_export, last_open;
static atomic_t export_count = ATOMIC_INIT(0), inode_count = ATOMIC_INIT(0);

unsigned int holon_paged_exports(void)
{
	return atomic_read(&export_count);
}

unsigned int holon_paged_files(void)
{
	return atomic_read(&inode_count);
}

static struct holon_export *export_find(const struct inode *inode)
{
	struct holon_export *export;

	lockdep_assert_held(&exports_lock);
	hash_for_each_possible(exports_by_inode, export, by_inode, (unsigned long)inode)
		if (d_backing_inode(file_user_path(export->file)->dentry) == inode)
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

/*
 * Opened anew: flags and locks of the program's are not ours. A deleted file of a file
 * server cannot be opened again, perhaps; then that of the program has to do.
 */
static struct file *open_again(struct file *file)
{
	struct file *again;

	again = dentry_open(file_user_path(file), O_RDONLY | O_LARGEFILE, &init_cred);
	if (IS_ERR(again) && !(file->f_mode & FMODE_WRITE) && !(file->f_flags & O_DIRECT))
		return get_file(file);
	return again;
}

/* In no table yet. */
static struct holon_export *export_new(struct file *file)
{
	struct holon_export *export = kmem_cache_zalloc(export_cache, GFP_KERNEL);
	int err;

	if (!export)
		return ERR_PTR(-ENOMEM);
	export->file = open_again(file);
	if (IS_ERR(export->file)) {
		err = PTR_ERR(export->file);
		kmem_cache_free(export_cache, export);
		return ERR_PTR(err);
	}
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

/* One user less. Return: the export, to be freed without the lock, or NULL. */
static struct holon_export *export_leave(struct holon_export *export)
{
	lockdep_assert_held(&exports_lock);
	if (--export->users)
		return NULL;
	hash_del(&export->by_inode);
	hash_del(&export->by_id);
	return export;
}

int holon_paged_offer(struct file *file, struct holon_paged_offer *offer, struct holon_paged *paged)
{
	struct inode *inode = d_backing_inode(file_user_path(file)->dentry);
	struct timespec64 modified = inode_get_mtime(inode);
	struct holon_export *export, *made = NULL;

	spin_lock(&exports_lock);
	export = export_find(inode);
	if (!export) {
		spin_unlock(&exports_lock);
		made = export_new(file);
		if (IS_ERR(made))
			return PTR_ERR(made);
		spin_lock(&exports_lock);
		export = export_find(inode);
		if (!export) {
			export = made;
			made = NULL;
			export->id = ++last_export;
			hash_add(exports_by_inode, &export->by_inode, (unsigned long)inode);
			hash_add(exports_by_id, &export->by_id, export->id);
		}
	}
	export->users++;
	export->offers[offer->node]++;
	spin_unlock(&exports_lock);
	export_free(made);
	offer->export = export;
	*paged = (struct holon_paged){
		.id = cpu_to_le64(export->id),
		.version = cpu_to_le64(timespec64_to_ns(&modified)),
		.size = cpu_to_le64(i_size_read(inode)),
	};
	return 0;
}

void holon_paged_withdraw(const struct holon_paged_offer *offer)
{
	struct holon_export *gone;

	spin_lock(&exports_lock);
	offer->export->offers[offer->node]--;
	gone = export_leave(offer->export);
	spin_unlock(&exports_lock);
	export_free(gone);
}

struct file *holon_paged_exported(u64 id, u8 node)
{
	struct holon_export *export;
	struct file *file = NULL;

	spin_lock(&exports_lock);
	export = export_load(id);
	if (export && export->opened[node])
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

static int paged_open_handler(struct holon_request *request)
{
	const struct wire_paged_open *msg = request->data;
	struct wire_paged_opened opened = { .id = msg->id, .incarnation = msg->incarnation };
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

static int paged_drop_handler(struct holon_request *request)
{
	const struct wire_paged_drop *msg = request->data;
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

static int paged_read_handler(struct holon_request *request)
{
	const struct wire_paged_read *msg = request->data;
	size_t len = le32_to_cpu(msg->len), done = 0;
	loff_t pos = le64_to_cpu(msg->pos);
	struct file *file;
	ssize_t got = 0;
	void *data;
	int err;

	if (!len || len > PAGED_READ_MAX || pos < 0 || pos > MAX_LFS_FILESIZE - (loff_t)len)
		return -EBADMSG;
	if (!is_current(request, msg->incarnation))
		return -ESTALE;
	file = holon_paged_exported(le64_to_cpu(msg->id), request->node);
	if (!file)
		return -ESTALE;
	data = kvmalloc(len, GFP_KERNEL);
	while (data && done < len) {
		got = kernel_read(file, data + done, len - done, &pos);
		if (got <= 0)
			break;
		done += got;
	}
	fput(file);
	err = data ? min_t(ssize_t, got, 0) : -ENOMEM;
	/* Of a part nobody could say whether it is the end. */
	if (!err)
		err = holon_reply_data(request, data, done);
	kvfree(data);
	return err;
}

/* What those have opened is closed. */
static void paged_lost(const struct holon_view *view, const unsigned long *lost)
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

static struct holon_view_subscriber paged_view = {
	.name = "paged",
	.prio = HOLON_VIEW_FILES,
	.lost = paged_lost,
};

/* --- inodes of files of other nodes ------------------------------------------ */

/**
 * struct paged_key - which file of another node
 * @owner: that node
 * @incarnation: of it
 * @id: of the export
 */
struct paged_key {
	u8 owner;
	u64 incarnation;
	u64 id;
};

/**
 * struct paged_inode - a file of another node
 * @key: which; id 0 until it is one
 * @sequence: of its open, 0: there was none
 * @version: of what is cached; under the lock of the inode
 */
struct paged_inode {
	struct inode inode;
	struct paged_key key;
	u64 sequence;
	u64 version;
};

static struct kmem_cache *paged_cache;
static struct vfsmount *paged_mount __ro_after_init;

static struct paged_inode *to_paged(const struct inode *inode)
{
	return container_of(inode, struct paged_inode, inode);
}

/*
 * Return: the bytes that there are, fewer than @len only at the end of the file, or an
 * errno. @reply is to be freed if there are any.
 */
static ssize_t paged_fetch(const struct inode *inode, loff_t pos, size_t len,
			   struct holon_reply *reply)
{
	const struct paged_key *key = &to_paged(inode)->key;
	struct wire_paged_read msg = {
		.id = cpu_to_le64(key->id),
		.incarnation = cpu_to_le64(key->incarnation),
		.pos = cpu_to_le64(pos),
		.len = cpu_to_le32(len),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };
	int err;

	err = holon_call(key->owner, &holon_rpc_paged_read, &vec, 1, reply);
	/* It has been cut off meanwhile. */
	if (err >= 0 && reply->len < len && pos + (loff_t)reply->len < i_size_read(inode))
		err = -EIO;
	if (err >= 0)
		return min(reply->len, len);
	holon_reply_free(reply);
	return err;
}

/* @data has @len bytes from the beginning of @folio on; behind them are zeros. */
static void paged_fill(struct folio *folio, const void *data, size_t len)
{
	len = min(len, folio_size(folio));
	memcpy_to_folio(folio, 0, data, len);
	folio_zero_segment(folio, len, folio_size(folio));
	flush_dcache_folio(folio);
}

static int paged_read_folio(struct file *file, struct folio *folio)
{
	struct holon_reply reply = {};
	ssize_t got;

	got = paged_fetch(folio->mapping->host, folio_pos(folio), folio_size(folio), &reply);
	if (got >= 0)
		paged_fill(folio, reply.data, got);
	holon_reply_free(&reply);
	folio_end_read(folio, got >= 0);
	return min_t(ssize_t, got, 0);
}

static void paged_readahead(struct readahead_control *rac)
{
	loff_t pos = readahead_pos(rac), end = pos + readahead_length(rac), begin = pos;
	struct holon_reply reply = {};
	struct folio *folio;
	ssize_t got = 0;
	size_t at;

	while ((folio = readahead_folio(rac))) {
		if (pos == begin) {
			holon_reply_free(&reply);
			got = paged_fetch(rac->mapping->host, pos,
					  min_t(loff_t, end - pos, PAGED_READ_MAX), &reply);
			begin = pos + PAGED_READ_MAX;
		}
		/* What is not read now is read when it is needed. */
		if (got < 0) {
			folio_end_read(folio, false);
			return;
		}
		at = min_t(size_t, got, pos - (begin - PAGED_READ_MAX));
		pos += folio_size(folio);
		paged_fill(folio, reply.data + at, got - at);
		folio_end_read(folio, true);
	}
	holon_reply_free(&reply);
}

static const struct address_space_operations paged_aops = {
	.read_folio = paged_read_folio,
	.readahead = paged_readahead,
};

/* By name, as /proc/self/exe: it is home's. */
static int paged_open(struct inode *inode, struct file *file)
{
	return holon_left_shared();
}

static const struct file_operations paged_fops = {
	.owner = THIS_MODULE,
	.open = paged_open,
	.mmap = generic_file_readonly_mmap,
};

/* Let its owner keep it open. Return: 0 or an errno. */
static int paged_open_owner(struct paged_inode *paged)
{
	struct wire_paged_open msg = {
		.id = cpu_to_le64(paged->key.id),
		.incarnation = cpu_to_le64(paged->key.incarnation),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };
	const struct wire_paged_opened *opened;
	struct holon_reply reply = {};
	int err;

	err = holon_call(paged->key.owner, &holon_rpc_paged_open, &vec, 1, &reply);
	opened = reply.data;
	if (err >= 0)
		err = reply.len >= sizeof(*opened) ? 0 : -EBADMSG;
	if (!err)
		paged->sequence = le64_to_cpu(opened->sequence);
	holon_reply_free(&reply);
	return err;
}

static void send_drop(u8 owner, const struct wire_paged_drop *msg)
{
	struct holon_vec vec = { msg, sizeof(*msg) };

	/* If that fails its owner has gone. */
	holon_send(owner, &holon_rpc_paged_drop, &vec, 1, GFP_NOFS | __GFP_NOFAIL);
}

/* Who opened it was killed meanwhile. */
static void paged_open_orphan(u8 node, int status, const void *data, size_t len)
{
	const struct wire_paged_opened *opened = data;
	struct wire_paged_drop msg;

	if (status || len < sizeof(*opened))
		return;
	msg = (struct wire_paged_drop){
		.id = opened->id,
		.incarnation = opened->incarnation,
		.sequence = opened->sequence,
	};
	send_drop(node, &msg);
}

static void paged_drop_owner(const struct paged_inode *paged)
{
	struct wire_paged_drop msg = {
		.id = cpu_to_le64(paged->key.id),
		.incarnation = cpu_to_le64(paged->key.incarnation),
		.sequence = cpu_to_le64(paged->sequence),
	};

	send_drop(paged->key.owner, &msg);
}

static void paged_evict(struct inode *inode)
{
	const struct paged_inode *paged = to_paged(inode);

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (paged->key.id)
		atomic_dec(&inode_count);
	if (paged->sequence)
		paged_drop_owner(paged);
}

static struct inode *paged_alloc(struct super_block *sb)
{
	struct paged_inode *paged = alloc_inode_sb(sb, paged_cache, GFP_KERNEL);

	if (!paged)
		return NULL;
	paged->key = (struct paged_key){};
	paged->sequence = 0;
	paged->version = 0;
	return &paged->inode;
}

static void paged_free(struct inode *inode)
{
	kmem_cache_free(paged_cache, to_paged(inode));
}

static const struct super_operations paged_super_operations = {
	.statfs = simple_statfs,
	.alloc_inode = paged_alloc,
	.free_inode = paged_free,
	.drop_inode = generic_delete_inode,
	.evict_inode = paged_evict,
};

bool holon_inode_is_paged(const struct inode *inode)
{
	return inode->i_sb == paged_mount->mnt_sb;
}

u64 holon_paged_id(const struct inode *inode, u8 owner)
{
	const struct paged_key *key = &to_paged(inode)->key;

	return holon_inode_is_paged(inode) && key->owner == owner ? key->id : 0;
}

/* For /proc/PID/maps and the link exe: as its owner calls it. */
static char *paged_dname(struct dentry *dentry, char *buffer, int len)
{
	int size = dentry->d_name.len + 1;

	if (size > len)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + len - size, dentry->d_name.name, size);
}

static const struct dentry_operations paged_dentry_operations = {
	.d_dname = paged_dname,
};

static int paged_test(struct inode *inode, void *data)
{
	const struct paged_key *key = &to_paged(inode)->key, *wanted = data;

	return key->owner == wanted->owner && key->id == wanted->id &&
	       key->incarnation == wanted->incarnation;
}

static int paged_set(struct inode *inode, void *data)
{
	to_paged(inode)->key = *(const struct paged_key *)data;
	return 0;
}

static void paged_init_inode(struct inode *inode)
{
	atomic_inc(&inode_count);
	inode->i_ino = get_next_ino();
	inode->i_mode = S_IFREG | 0555;
	inode->i_flags |= S_NOATIME | S_NOCMTIME;
	inode->i_op = &holon_left_inode_operations;
	inode->i_fop = &paged_fops;
	inode->i_data.a_ops = &paged_aops;
	simple_inode_init_ts(inode);
}

/* What an image says of it. Pages of another version are read again. */
static void paged_refresh(struct inode *inode, const struct holon_paged *said)
{
	u64 version = le64_to_cpu(said->version), size = le64_to_cpu(said->size);
	struct paged_inode *paged = to_paged(inode);

	inode_lock(inode);
	if (paged->version != version || i_size_read(inode) != size) {
		paged->version = version;
		i_size_write(inode, size);
		invalidate_inode_pages2(inode->i_mapping);
	}
	inode_unlock(inode);
}

/* The inode of @key, opened at its owner. */
static struct inode *paged_get(struct paged_key *key)
{
	struct inode *inode;
	int err = 0;

	inode = iget5_locked(paged_mount->mnt_sb, hash_long(key->id, BITS_PER_LONG), paged_test,
			     paged_set, key);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (inode->i_state & I_NEW) {
		paged_init_inode(inode);
		err = paged_open_owner(to_paged(inode));
		if (err)
			iget_failed(inode);
		else
			unlock_new_inode(inode);
	} else if (is_bad_inode(inode)) {
		err = -ESTALE;
		iput(inode);
	}
	return err ? ERR_PTR(err) : inode;
}

struct file *holon_paged_file(u8 owner, u64 incarnation, const struct holon_paged *said,
			      const char *name)
{
	struct paged_key key = {
		.owner = owner,
		.incarnation = incarnation,
		.id = le64_to_cpu(said->id),
	};
	struct inode *inode;
	struct file *file;

	if (!key.id || le64_to_cpu(said->size) > MAX_LFS_FILESIZE)
		return ERR_PTR(-EBADMSG);
	inode = paged_get(&key);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	paged_refresh(inode, said);
	file = alloc_file_pseudo(inode, paged_mount, name, O_RDONLY, &paged_fops);
	if (IS_ERR(file)) {
		iput(inode);
		return file;
	}
	file->f_ra.ra_pages = PAGED_READ_MAX / PAGE_SIZE;
	file->f_ra.prev_pos = -1;
	return file;
}

/* --- the file system that holds them ------------------------------------------ */

static int paged_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, HOLON_PAGED_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &paged_super_operations;
	ctx->dops = &paged_dentry_operations;
	return 0;
}

static struct file_system_type paged_type = {
	.name = "holonpaged",
	.init_fs_context = paged_init_fs_context,
	.kill_sb = kill_anon_super,
};

static void paged_init_once(void *object)
{
	struct paged_inode *paged = object;

	inode_init_once(&paged->inode);
}

static int __init holon_paged_init(void)
{
	export_cache = KMEM_CACHE(holon_export, SLAB_PANIC);
	paged_cache = kmem_cache_create("holon_paged", sizeof(struct paged_inode), 0,
					SLAB_PANIC | SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					paged_init_once);
	paged_mount = kern_mount(&paged_type);
	if (IS_ERR(paged_mount))
		panic("holon: no file system for paged files\n");
	holon_view_subscribe(&paged_view);
	return 0;
}
fs_initcall(holon_paged_init);
