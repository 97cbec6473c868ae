// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that a process which moves has mapped, its program among them.
 *
 * A file on a mount that all nodes share is opened by its name, if it is the same one
 * there: the same inode of one file server, or on mounts that are only said to be
 * identical, size, time of modification and first page. Whatever else home has mapped is read from
 * home, see fs/holon/paged.c: files of other mounts, deleted ones, those of another
 * version. Home itself takes only what it has.
 */
#include <linux/crc32.h>
#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init_task.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/pagemap.h>

#include <linux/holon_file.h>
#include <linux/holon_node.h>
#include <linux/holon_view.h>

#include "image.h"
#include "move.h"
#include "task.h"

/* Of a layered file system its own file, not that of the layer. */
static const struct path *path_of(const struct file *file)
{
	return file_user_path(file);
}

static bool deleted(const struct path *path)
{
	return d_unlinked(path->dentry) || !d_backing_inode(path->dentry)->i_nlink;
}

static bool readable(const struct file *file)
{
	return file->f_mode & FMODE_READ && file->f_op->read_iter && !file->f_op->read;
}

/* Of the first page, in which the linker has put the number of the build. */
static int checksum(struct file *file, u32 *crc)
{
	loff_t pos = 0;
	ssize_t got;
	void *page;

	page = (void *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	got = kernel_read(file, page, PAGE_SIZE, &pos);
	if (got >= 0)
		*crc = crc32(~0, page, got);
	free_page((unsigned long)page);
	return min_t(ssize_t, got, 0);
}

/* @file: any that is open to read the same inode */
static int identify(const struct path *path, struct file *file, enum holon_share share,
		    struct holon_record_map *map)
{
	const struct inode *inode = d_backing_inode(path->dentry);
	struct timespec64 modified = inode_get_mtime(inode);
	u32 crc = 0;
	int err = 0;

	if (share == HOLON_SHARE_IDENTICAL)
		err = checksum(file, &crc);
	map->ino = cpu_to_le64(inode->i_ino);
	map->size = cpu_to_le64(i_size_read(inode));
	map->modified = cpu_to_le64(timespec64_to_ns(&modified));
	map->crc = cpu_to_le32(crc);
	return err;
}

static enum holon_stay check(bool guest, struct file *file, enum holon_share share, bool shared)
{
	const struct path *path = path_of(file);

	/* Nobody but home lets others read its files. */
	if (!d_is_reg(path->dentry) || !readable(file) ||
	    (share == HOLON_SHARE_NONE && (guest || shared)))
		return HOLON_STAY_MAP_LOCAL;
	return deleted(path) && (guest || shared) ? HOLON_STAY_MAP_DELETED : HOLON_STAY_NONE;
}

int holon_map_export(struct holon_task *ht, struct file *file, bool shared,
		     struct holon_record_map *map, enum holon_stay *stay)
{
	const struct path *path = path_of(file);
	bool guest = ht->role == HOLON_ROLE_GUEST, named;
	enum holon_share share;
	int err;

	*map = (struct holon_record_map){};
	if (holon_inode_is_paged(file_inode(file))) {
		map->paged.id = cpu_to_le64(holon_paged_id(file_inode(file), ht->home));
		*stay = map->paged.id ? HOLON_STAY_NONE : HOLON_STAY_MAP_LOCAL;
		return *stay ? -EBUSY : 0;
	}
	share = holon_share_path(path);
	*stay = check(guest, file, share, shared);
	if (*stay)
		return -EBUSY;
	named = share != HOLON_SHARE_NONE && !deleted(path);
	if (named) {
		map->flags |= cpu_to_le32(HOLON_MAP_NAMED);
		err = identify(path, file, share, map);
		if (err)
			return err;
	}
	/* The other node reads what has been written. */
	if (named && share >= HOLON_SHARE_CLOSE_TO_OPEN)
		return filemap_write_and_wait(file->f_mapping) ? -EIO : 0;
	/* Nowhere, when it is only looked at. */
	if (guest || ht->node == holon_node_id())
		return 0;
	err = holon_paged_offer(file, ht->node, &ht->offers, &map->paged);
	/* One that is written to, on a server that does not know it any more. */
	if (err && err != -ENOMEM && deleted(path))
		*stay = HOLON_STAY_MAP_DELETED;
	return *stay ? -EBUSY : err;
}

static bool is_same(const struct path *path, struct file *file, const struct holon_record_map *map)
{
	enum holon_share share = holon_share_path(path);
	struct holon_record_map here;

	if (identify(path, file, share, &here))
		return false;
	if (share != HOLON_SHARE_IDENTICAL)
		return here.ino == map->ino;
	return here.size == map->size && here.modified == map->modified && here.crc == map->crc;
}

/* As the kernel: the program had it open already. NULL when that is another file. */
static struct file *open_by_name(const struct holon_record_map *map, const char *name)
{
	struct file *file = NULL;
	struct path path;

	if (!(map->flags & cpu_to_le32(HOLON_MAP_NAMED)) ||
	    kern_path(name, LOOKUP_NO_SYMLINKS, &path))
		return NULL;
	if (holon_share_path(&path) != HOLON_SHARE_NONE && d_is_reg(path.dentry))
		file = dentry_open(&path, O_RDONLY | O_LARGEFILE, &init_cred);
	if (!IS_ERR_OR_NULL(file) && !is_same(&path, file, map)) {
		fput(file);
		file = NULL;
	}
	path_put(&path);
	return file;
}

struct file *holon_map_import(const struct holon_task *ht, const struct holon_record_map *map,
			      const char *name)
{
	bool guest = ht->role == HOLON_ROLE_GUEST;
	struct file *file;

	if (!guest && map->paged.id)
		file = holon_paged_exported(le64_to_cpu(map->paged.id), ht->node);
	else
		file = open_by_name(map, name);
	if (guest && map->paged.id && IS_ERR_OR_NULL(file))
		return holon_paged_file(ht->home, ht->peer_incarnation, &map->paged, name);
	return file ?: ERR_PTR(-ESTALE);
}
