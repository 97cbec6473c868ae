// SPDX-License-Identifier: GPL-2.0-only
/*
 * Inodes of files that are open at another node, which has exported them (export.c).
 *
 * There is one inode per export. It keeps the export open at its owner, and drops it
 * when the last file and the last mapping of it have gone. What can be done with it is
 * up to those that make it: paged.c, hosted.c.
 *
 * An inode is filled in under its own I_NEW.
 */
#include <linux/dcache.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/holon_file.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>
#include <linux/slab.h>

#include "foreign.h"

#define HOLON_FOREIGN_MAGIC	0x686c666e	/* "hlfn" */

static struct kmem_cache *foreign_cache;
static struct vfsmount *foreign_mount __ro_after_init;

bool holon_inode_is_foreign(const struct inode *inode)
{
	return inode->i_sb == foreign_mount->mnt_sb;
}

static int foreign_test(struct inode *inode, void *data)
{
	const struct holon_export_key *key = &holon_foreign(inode)->key, *wanted = data;

	return key->owner == wanted->owner && key->id == wanted->id &&
	       key->incarnation == wanted->incarnation;
}

static int foreign_set(struct inode *inode, void *data)
{
	holon_foreign(inode)->key = *(const struct holon_export_key *)data;
	return 0;
}

struct inode *holon_foreign_get(const struct holon_export_key *key, atomic_t *count,
				void (*set_up)(struct inode *inode))
{
	struct holon_export_key wanted = *key;
	struct holon_foreign *foreign;
	struct inode *inode;
	int err = 0;

	inode = iget5_locked(foreign_mount->mnt_sb, hash_long(key->id, BITS_PER_LONG),
			     foreign_test, foreign_set, &wanted);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	foreign = holon_foreign(inode);
	if (inode->i_state & I_NEW) {
		foreign->count = count;
		atomic_inc(count);
		inode->i_ino = get_next_ino();
		simple_inode_init_ts(inode);
		set_up(inode);
		err = holon_export_open(&foreign->key, &foreign->sequence);
		if (err)
			iget_failed(inode);
		else
			unlock_new_inode(inode);
	} else if (is_bad_inode(inode) || foreign->count != count) {
		err = -ESTALE;
		iput(inode);
	}
	return err ? ERR_PTR(err) : inode;
}

struct file *holon_foreign_file(struct inode *inode, const char *name, int flags,
				const struct file_operations *fops)
{
	struct file *file = alloc_file_pseudo(inode, foreign_mount, name, flags, fops);

	if (IS_ERR(file))
		iput(inode);
	return file;
}

/* --- the file system that holds them ------------------------------------------ */

static void foreign_evict(struct inode *inode)
{
	const struct holon_foreign *foreign = holon_foreign(inode);

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (foreign->count)
		atomic_dec(foreign->count);
	if (foreign->sequence)
		holon_export_drop(&foreign->key, foreign->sequence);
}

static struct inode *foreign_alloc(struct super_block *sb)
{
	struct holon_foreign *foreign = alloc_inode_sb(sb, foreign_cache, GFP_KERNEL);

	if (!foreign)
		return NULL;
	foreign->key = (struct holon_export_key){};
	foreign->sequence = 0;
	foreign->count = NULL;
	foreign->version = 0;
	foreign->file = NULL;
	foreign->written = false;
	return &foreign->inode;
}

static void foreign_free(struct inode *inode)
{
	kmem_cache_free(foreign_cache, holon_foreign(inode));
}

static const struct super_operations foreign_super_operations = {
	.statfs = simple_statfs,
	.alloc_inode = foreign_alloc,
	.free_inode = foreign_free,
	.drop_inode = generic_delete_inode,
	.evict_inode = foreign_evict,
};

/* For /proc/PID/maps, and the links exe and fd/N: as its owner calls it. */
static char *foreign_dname(struct dentry *dentry, char *buffer, int len)
{
	int size = dentry->d_name.len + 1;

	if (size > len)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + len - size, dentry->d_name.name, size);
}

static const struct dentry_operations foreign_dentry_operations = {
	.d_dname = foreign_dname,
};

static int foreign_init_fs_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, HOLON_FOREIGN_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &foreign_super_operations;
	ctx->dops = &foreign_dentry_operations;
	return 0;
}

static struct file_system_type foreign_type = {
	.name = "holonforeign",
	.init_fs_context = foreign_init_fs_context,
	.kill_sb = kill_anon_super,
};

static void foreign_init_once(void *object)
{
	struct holon_foreign *foreign = object;

	inode_init_once(&foreign->inode);
}

static int __init holon_foreign_init(void)
{
	foreign_cache = kmem_cache_create("holon_foreign", sizeof(struct holon_foreign), 0,
					  SLAB_PANIC | SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					  foreign_init_once);
	foreign_mount = kern_mount(&foreign_type);
	if (IS_ERR(foreign_mount))
		panic("holon: no file system for files of other nodes\n");
	return 0;
}
fs_initcall(holon_foreign_init);
