// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that a process which moves has mapped, its program among them.
 *
 * A file on a mount that all nodes share is opened by its name, if it is the same one
 * there: the same inode of one file server, or on mounts that are only said to be
 * identical, size and time of modification. Whatever else home has mapped is read from
 * home, see fs/holon/paged.c: files of other mounts, deleted ones, those of another
 * version. Home itself takes only what it has.
 */
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

static bool deleted(const struct file *file)
{
	return d_unlinked(file->f_path.dentry) || !file_inode(file)->i_nlink;
}

static bool readable(const struct file *file)
{
	return file->f_mode & FMODE_READ && file->f_op->read_iter && !file->f_op->read;
}

static void identify(const struct inode *inode, struct holon_record_map *map)
{
	struct timespec64 modified = inode_get_mtime(inode);

	map->ino = cpu_to_le64(inode->i_ino);
	map->size = cpu_to_le64(i_size_read(inode));
	map->modified = cpu_to_le64(timespec64_to_ns(&modified));
}

int holon_map_export(const struct holon_task *ht, struct file *file, bool shared,
		     struct holon_record_map *map, enum holon_stay *stay)
{
	enum holon_share share = holon_share_file(file);
	bool guest = ht->role == HOLON_ROLE_GUEST, gone = deleted(file);

	*map = (struct holon_record_map){};
	if (holon_inode_is_paged(file_inode(file))) {
		map->paged.id = cpu_to_le64(holon_paged_id(file, ht->home));
		*stay = map->paged.id ? HOLON_STAY_NONE : HOLON_STAY_MAP_LOCAL;
		return *stay ? -EBUSY : 0;
	}
	if (!S_ISREG(file_inode(file)->i_mode) ||
	    (share == HOLON_SHARE_NONE && (guest || shared || !readable(file))))
		*stay = HOLON_STAY_MAP_LOCAL;
	else if (gone && (guest || shared || !readable(file)))
		*stay = HOLON_STAY_MAP_DELETED;
	if (*stay)
		return -EBUSY;
	if (share != HOLON_SHARE_NONE && !gone) {
		map->flags |= cpu_to_le32(HOLON_MAP_NAMED);
		identify(file_inode(file), map);
	}
	/* The other node reads what has been written. */
	if (share >= HOLON_SHARE_CLOSE_TO_OPEN && !gone)
		return filemap_write_and_wait(file->f_mapping) ? -EIO : 0;
	/* Nowhere, when it is only looked at. */
	if (guest || ht->node == holon_node_id())
		return 0;
	return holon_paged_export(file, ht->node, &map->paged);
}

static bool is_same(const struct path *path, const struct holon_record_map *map)
{
	enum holon_share share = holon_share_path(path);
	struct holon_record_map here;

	if (share == HOLON_SHARE_NONE || !d_is_reg(path->dentry))
		return false;
	identify(d_backing_inode(path->dentry), &here);
	if (share == HOLON_SHARE_IDENTICAL)
		return here.size == map->size && here.modified == map->modified;
	return here.ino == map->ino;
}

/* As the kernel: the program had it open already. NULL when that is another file. */
static struct file *open_by_name(const struct holon_record_map *map, const char *name)
{
	struct file *file = NULL;
	struct path path;

	if (!(map->flags & cpu_to_le32(HOLON_MAP_NAMED)) ||
	    kern_path(name, LOOKUP_NO_SYMLINKS, &path))
		return NULL;
	if (is_same(&path, map))
		file = dentry_open(&path, O_RDONLY | O_LARGEFILE, &init_cred);
	path_put(&path);
	return file;
}

struct file *holon_map_import(const struct holon_task *ht, const struct holon_record_map *map,
			      const char *name)
{
	struct file *file = NULL;

	if (ht->role != HOLON_ROLE_GUEST && map->paged.id)
		file = holon_paged_exported(le64_to_cpu(map->paged.id), ht->node);
	else
		file = open_by_name(map, name);
	if (ht->role != HOLON_ROLE_GUEST || !map->paged.id)
		return file ?: ERR_PTR(-ESTALE);
	if (!file)
		return holon_paged_file(ht->home, ht->peer_incarnation, &map->paged, name);
	holon_paged_refuse(ht->home, ht->peer_incarnation, &map->paged);
	return file;
}
