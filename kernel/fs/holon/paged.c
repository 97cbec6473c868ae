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
 *	offered with the image ------>	has it, or opens it, and maps it
 *					page fault:
 *	  <------- PAGED_READ --------
 *	bytes ----------------------->	page is uptodate
 *					last mapping has gone: inode is evicted
 *
 * Exports and inodes: see export.c and foreign.c. An export for pages is open to be read,
 * one per inode of home.
 *
 * As with any private mapping it is not said whether a later change of the file is
 * seen. A page of a version that home has no more is asked for again at the next
 * move of a program that maps it. An inode is changed under its lock.
 */
#include <linux/dcache.h>
#include <linux/errno.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/holon_file.h>
#include <linux/holon_rpc.h>
#include <linux/init_task.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "export.h"
#include "foreign.h"
#include "remote.h"

/* Most bytes of one request. */
#define PAGED_READ_MAX		SZ_128K

/* PAGED_READ; the reply has the bytes, fewer at the end of the file. */
struct wire_paged_read {
	__le64 id;
	__le64 incarnation;
	__le64 pos;
	__le32 len;
	__le32 pad;
};

static atomic_t paged_count = ATOMIC_INIT(0);

static int paged_read_handler(struct holon_request *request);

static HOLON_RPC(paged_read, HOLON_RPC_ID_PAGED_READ, HOLON_REQ, HOLON_RPC_LONG,
		 sizeof(struct wire_paged_read), paged_read_handler);

/* --- owner -------------------------------------------------------------------- */

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

int holon_paged_offer(struct file *file, u8 node, struct list_head *offers,
		      struct holon_paged *paged)
{
	struct inode *inode = d_backing_inode(file_user_path(file)->dentry);
	struct timespec64 modified = inode_get_mtime(inode);
	u64 id;
	int err;

	err = holon_export_offer(HOLON_EXPORT_PAGES, inode, file, open_again, node, offers, &id);
	if (err)
		return err;
	*paged = (struct holon_paged){
		.id = cpu_to_le64(id),
		.version = cpu_to_le64(timespec64_to_ns(&modified)),
		.size = cpu_to_le64(i_size_read(inode)),
	};
	return 0;
}

struct file *holon_paged_exported(u64 id, u8 node)
{
	return holon_export_get(HOLON_EXPORT_PAGES, id, node);
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
	file = holon_export_asked(HOLON_EXPORT_PAGES, request, msg->id, msg->incarnation);
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

/* --- files of other nodes ----------------------------------------------------- */

/*
 * Return: the bytes that there are, fewer than @len only at the end of the file, or an
 * errno. @reply is to be freed if there are any.
 */
static ssize_t paged_fetch(const struct inode *inode, loff_t pos, size_t len,
			   struct holon_reply *reply)
{
	const struct holon_export_key *key = &holon_foreign(inode)->key;
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

bool holon_inode_is_paged(const struct inode *inode)
{
	return inode->i_fop == &paged_fops;
}

u64 holon_paged_id(const struct inode *inode, u8 owner)
{
	const struct holon_export_key *key = &holon_foreign(inode)->key;

	return holon_inode_is_paged(inode) && key->owner == owner ? key->id : 0;
}

unsigned int holon_paged_files(void)
{
	return atomic_read(&paged_count);
}

static void paged_set_up(struct inode *inode)
{
	inode->i_mode = S_IFREG | 0555;
	inode->i_flags |= S_NOATIME | S_NOCMTIME;
	inode->i_op = &holon_left_inode_operations;
	inode->i_fop = &paged_fops;
	inode->i_data.a_ops = &paged_aops;
}

/* What an image says of it. Pages of another version are read again. */
static void paged_refresh(struct inode *inode, const struct holon_paged *said)
{
	u64 version = le64_to_cpu(said->version), size = le64_to_cpu(said->size);
	struct holon_foreign *paged = holon_foreign(inode);

	inode_lock(inode);
	if (paged->version != version || i_size_read(inode) != size) {
		paged->version = version;
		i_size_write(inode, size);
		invalidate_inode_pages2(inode->i_mapping);
	}
	inode_unlock(inode);
}

struct file *holon_paged_file(u8 owner, u64 incarnation, const struct holon_paged *said,
			      const char *name)
{
	struct holon_export_key key = {
		.owner = owner,
		.incarnation = incarnation,
		.id = le64_to_cpu(said->id),
	};
	struct inode *inode;
	struct file *file;

	if (!key.id || le64_to_cpu(said->size) > MAX_LFS_FILESIZE)
		return ERR_PTR(-EBADMSG);
	inode = holon_foreign_get(&key, &paged_count, paged_set_up);
	if (IS_ERR(inode))
		return ERR_CAST(inode);
	paged_refresh(inode, said);
	file = holon_foreign_file(inode, name, O_RDONLY, &paged_fops);
	if (IS_ERR(file))
		return file;
	file->f_ra.ra_pages = PAGED_READ_MAX / PAGE_SIZE;
	file->f_ra.prev_pos = -1;
	return file;
}
