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
 *	image with number ----------->	found or made, then mapped
 *					page fault:
 *	  <------- PAGED_READ --------
 *	bytes ----------------------->	page is uptodate
 *					last mapping has gone: inode is evicted
 *	  <------- PAGED_DROP --------
 *	file is closed
 *
 * An export is one file of home, with the nodes that may ask for it. It is open until
 * the last of them drops it or leaves the view. An image that names it may be on its
 * way while the node drops it: so each time it is named there is a new sequence number,
 * the node drops the last one that it has seen, and home forgets the node only if that
 * is the last one that it has sent. An image that does not arrive leaves the file open
 * until that node has got another one, or leaves.
 *
 * As with any private mapping it is not said whether a later change of the file is
 * seen. A page of a version that home has no more is asked for again at the next
 * move of a program that maps it.
 *
 * Locks: exports_lock, innermost, for the table; nothing is read or closed under it. An
 * inode is filled in under its own I_NEW, and changed under its lock.
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
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "remote.h"

#define HOLON_PAGED_MAGIC	0x686c7067	/* "hlpg" */

/* Most bytes of one request. */
#define PAGED_READ_MAX		SZ_128K

/* PAGED_READ; the reply has the bytes, fewer at the end of the file. */
struct wire_paged_read {
	__le64 id;
	__le64 incarnation;	/* of the owner */
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

static int paged_read_handler(struct holon_request *request);
static int paged_drop_handler(struct holon_request *request);

static HOLON_RPC(paged_read, HOLON_RPC_ID_PAGED_READ, HOLON_REQ, HOLON_RPC_LONG,
		 sizeof(struct wire_paged_read), paged_read_handler);
static HOLON_RPC(paged_drop, HOLON_RPC_ID_PAGED_DROP, HOLON_REQ, HOLON_RPC_ONEWAY,
		 sizeof(struct wire_paged_drop), paged_drop_handler);

/* --- owner: exports ---------------------------------------------------------- */

/**
 * struct holon_export - a file that other nodes may read
 * @by_inode: in the table of those
 * @file: any open file of the inode
 * @id: in messages; never used again
 * @sequence: of the last image that named it
 * @nodes: node -> sequence of the last image for it
 */
struct holon_export {
	struct hlist_node by_inode;
	struct file *file;
	u64 id;
	u64 sequence;
	struct xarray nodes;
};

static DEFINE_MUTEX(exports_lock);
static DEFINE_HASHTABLE(exports_by_inode, 6);
static DEFINE_XARRAY(exports);		/* by id */
static struct kmem_cache *export_cache;
static u64 last_export;
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
		if (file_inode(export->file) == inode)
			return export;
	return NULL;
}

static struct holon_export *export_new(struct file *file)
{
	struct holon_export *export = kmem_cache_zalloc(export_cache, GFP_KERNEL);

	lockdep_assert_held(&exports_lock);
	if (!export)
		return NULL;
	export->id = ++last_export;
	if (xa_err(xa_store(&exports, export->id, export, GFP_KERNEL))) {
		kmem_cache_free(export_cache, export);
		return NULL;
	}
	atomic_inc(&export_count);
	export->file = get_file(file);
	xa_init(&export->nodes);
	hash_add(exports_by_inode, &export->by_inode, (unsigned long)file_inode(file));
	return export;
}

/* Unless some node has it. Return: a file to be put without the lock, or NULL. */
static struct file *export_close(struct holon_export *export)
{
	struct file *file = export->file;

	lockdep_assert_held(&exports_lock);
	if (!xa_empty(&export->nodes))
		return NULL;
	hash_del(&export->by_inode);
	xa_erase(&exports, export->id);
	atomic_dec(&export_count);
	kmem_cache_free(export_cache, export);
	return file;
}

int holon_paged_export(struct file *file, u8 node, struct holon_paged *paged)
{
	struct inode *inode = file_inode(file);
	struct timespec64 changed = inode_get_ctime(inode);
	struct file *gone = NULL;
	struct holon_export *export;
	int err = -ENOMEM;

	mutex_lock(&exports_lock);
	export = export_find(inode) ?: export_new(file);
	if (export) {
		err = xa_err(xa_store(&export->nodes, node,
				      xa_mk_value(export->sequence + 1), GFP_KERNEL));
		if (err)
			gone = export_close(export);
	}
	if (!err) {
		*paged = (struct holon_paged){
			.id = cpu_to_le64(export->id),
			.sequence = cpu_to_le64(++export->sequence),
			.version = cpu_to_le64(timespec64_to_ns(&changed)),
			.size = cpu_to_le64(i_size_read(inode)),
		};
	}
	mutex_unlock(&exports_lock);
	if (gone)
		fput(gone);
	return err;
}

struct file *holon_paged_exported(u64 id, u8 node)
{
	struct file *file = NULL;
	struct holon_export *export;

	mutex_lock(&exports_lock);
	export = xa_load(&exports, id);
	if (export && xa_load(&export->nodes, node))
		file = get_file(export->file);
	mutex_unlock(&exports_lock);
	return file;
}

/* @sequence: of the last image that the node has seen. */
static void export_drop(u64 id, u8 node, u64 sequence)
{
	struct file *gone = NULL;
	struct holon_export *export;
	void *entry;

	mutex_lock(&exports_lock);
	export = xa_load(&exports, id);
	entry = export ? xa_load(&export->nodes, node) : NULL;
	if (entry && xa_to_value(entry) <= sequence) {
		xa_erase(&export->nodes, node);
		gone = export_close(export);
	}
	mutex_unlock(&exports_lock);
	if (gone)
		fput(gone);
}

static int paged_drop_handler(struct holon_request *request)
{
	const struct wire_paged_drop *msg = request->data;

	if (le64_to_cpu(msg->incarnation) == holon_view_incarnation(holon_node_id()))
		export_drop(le64_to_cpu(msg->id), request->node, le64_to_cpu(msg->sequence));
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
	if (le64_to_cpu(msg->incarnation) != holon_view_incarnation(holon_node_id()))
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
	/* What has been read is good. */
	if (done || !err)
		err = holon_reply_data(request, data, done);
	kvfree(data);
	return err;
}

static void paged_lost(const struct holon_view *view, const unsigned long *lost)
{
	struct holon_export *export;
	unsigned long id, node;
	struct file *gone;

	mutex_lock(&exports_lock);
	xa_for_each(&exports, id, export) {
		for_each_set_bit(node, lost, HOLON_NODE_IDS)
			xa_erase(&export->nodes, node);
		gone = export_close(export);
		/* Of a kernel thread the file is closed by a worker, later. */
		if (gone)
			fput(gone);
	}
	mutex_unlock(&exports_lock);
}

static int paged_step(const struct holon_view *view)
{
	return 0;
}

static struct holon_view_subscriber paged_view = {
	.name = "paged",
	.prio = HOLON_VIEW_FILES,
	.lost = paged_lost,
	.step = paged_step,
};

/* --- inodes of files of other nodes ------------------------------------------ */

/**
 * struct paged_inode - a file of another node
 * @owner: which node
 * @incarnation: of that
 * @id: of the export
 * @sequence: of the last image that named it; under the lock of the inode
 * @version: of what is cached; the same
 * @name: as its owner calls it
 */
struct paged_inode {
	struct inode inode;
	u8 owner;
	u64 incarnation;
	u64 id;
	u64 sequence;
	u64 version;
	char *name;
};

static struct kmem_cache *paged_cache;
static struct vfsmount *paged_mount __ro_after_init;

static struct paged_inode *to_paged(const struct inode *inode)
{
	return container_of(inode, struct paged_inode, inode);
}

/* Return: the bytes that there are, or an errno. @reply is to be freed if there are any. */
static ssize_t paged_fetch(const struct inode *inode, loff_t pos, size_t len,
			   struct holon_reply *reply)
{
	const struct paged_inode *paged = to_paged(inode);
	struct wire_paged_read msg = {
		.id = cpu_to_le64(paged->id),
		.incarnation = cpu_to_le64(paged->incarnation),
		.pos = cpu_to_le64(pos),
		.len = cpu_to_le32(len),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };
	int err;

	err = holon_call(paged->owner, &holon_rpc_paged_read, &vec, 1, reply);
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

static void send_drop(u8 owner, u64 incarnation, u64 id, u64 sequence)
{
	struct wire_paged_drop msg = {
		.id = cpu_to_le64(id),
		.incarnation = cpu_to_le64(incarnation),
		.sequence = cpu_to_le64(sequence),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };

	/* If that fails its owner has gone, or keeps it open for longer. */
	holon_send(owner, &holon_rpc_paged_drop, &vec, 1, GFP_NOFS);
}

static void paged_evict(struct inode *inode)
{
	const struct paged_inode *paged = to_paged(inode);

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (!paged->id)
		return;
	atomic_dec(&inode_count);
	send_drop(paged->owner, paged->incarnation, paged->id, paged->sequence);
}

static struct inode *paged_alloc(struct super_block *sb)
{
	struct paged_inode *paged = alloc_inode_sb(sb, paged_cache, GFP_KERNEL);

	if (!paged)
		return NULL;
	paged->id = 0;
	paged->name = NULL;
	return &paged->inode;
}

static void paged_free(struct inode *inode)
{
	kfree(to_paged(inode)->name);
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

u64 holon_paged_id(const struct file *file, u8 owner)
{
	const struct inode *inode = file_inode(file);

	return holon_inode_is_paged(inode) && to_paged(inode)->owner == owner ?
	       to_paged(inode)->id : 0;
}

/* For /proc/PID/maps and the link exe. */
static char *paged_dname(struct dentry *dentry, char *buffer, int len)
{
	const char *name = to_paged(d_inode(dentry))->name;
	int size = strlen(name) + 1;

	if (size > len)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + len - size, name, size);
}

static const struct dentry_operations paged_dentry_operations = {
	.d_dname = paged_dname,
};

static int paged_test(struct inode *inode, void *data)
{
	const struct paged_inode *paged = to_paged(inode), *wanted = data;

	return paged->owner == wanted->owner && paged->id == wanted->id &&
	       paged->incarnation == wanted->incarnation;
}

static int paged_set(struct inode *inode, void *data)
{
	struct paged_inode *paged = to_paged(inode);
	const struct paged_inode *wanted = data;

	paged->owner = wanted->owner;
	paged->incarnation = wanted->incarnation;
	paged->id = wanted->id;
	paged->sequence = 0;
	paged->version = 0;
	paged->name = kstrdup(wanted->name, GFP_ATOMIC);
	return paged->name ? 0 : -ENOMEM;
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

/* What an image says of it. Pages of an older version are read again. */
static void paged_refresh(struct inode *inode, const struct holon_paged *said)
{
	u64 version = le64_to_cpu(said->version), sequence = le64_to_cpu(said->sequence);
	struct paged_inode *paged = to_paged(inode);
	bool other = false;

	inode_lock(inode);
	if (sequence > paged->sequence) {
		other = paged->sequence && paged->version != version;
		paged->sequence = sequence;
		paged->version = version;
		i_size_write(inode, le64_to_cpu(said->size));
	}
	if (other)
		invalidate_inode_pages2(inode->i_mapping);
	inode_unlock(inode);
}

struct file *holon_paged_file(u8 owner, u64 incarnation, const struct holon_paged *said,
			      const char *name)
{
	struct paged_inode wanted = {
		.owner = owner,
		.incarnation = incarnation,
		.id = le64_to_cpu(said->id),
		.name = (char *)name,
	};
	struct inode *inode;
	struct file *file;

	if (!wanted.id || le64_to_cpu(said->size) > MAX_LFS_FILESIZE)
		return ERR_PTR(-EBADMSG);
	inode = iget5_locked(paged_mount->mnt_sb, hash_long(wanted.id, BITS_PER_LONG),
			     paged_test, paged_set, &wanted);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (inode->i_state & I_NEW) {
		paged_init_inode(inode);
		unlock_new_inode(inode);
	}
	paged_refresh(inode, said);
	file = alloc_file_pseudo(inode, paged_mount, "", O_RDONLY, &paged_fops);
	if (IS_ERR(file)) {
		iput(inode);
		return file;
	}
	file->f_ra.ra_pages = PAGED_READ_MAX / PAGE_SIZE;
	file->f_ra.prev_pos = -1;
	return file;
}

void holon_paged_refuse(u8 owner, u64 incarnation, const struct holon_paged *said)
{
	struct paged_inode wanted = {
		.owner = owner,
		.incarnation = incarnation,
		.id = le64_to_cpu(said->id),
	};
	struct inode *inode;

	/* Who has mapped it all the same drops it later. */
	inode = ilookup5(paged_mount->mnt_sb, hash_long(wanted.id, BITS_PER_LONG), paged_test,
			 &wanted);
	if (inode) {
		paged_refresh(inode, said);
		iput(inode);
	} else {
		send_drop(owner, incarnation, wanted.id, le64_to_cpu(said->sequence));
	}
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
		return PTR_ERR(paged_mount);
	holon_view_subscribe(&paged_view);
	return 0;
}
fs_initcall(holon_paged_init);
