/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inodes of files that are open at another node. See foreign.c.
 */
#ifndef _FS_HOLON_FOREIGN_H
#define _FS_HOLON_FOREIGN_H

#include <linux/fs.h>
#include <linux/types.h>

#include "export.h"

/**
 * struct holon_foreign - a file of another node
 * @key: which
 * @sequence: of its open, 0: there was none
 * @count: of inodes of its sort, or NULL
 * @version: paged: of what is cached; under the lock of the inode
 * @file: hosted: the description here, without a reference; under ->i_lock
 * @written: hosted: something has been written from here
 */
struct holon_foreign {
	struct inode inode;
	struct holon_export_key key;
	u64 sequence;
	atomic_t *count;
	u64 version;
	struct file *file;
	bool written;
};

static inline struct holon_foreign *holon_foreign(const struct inode *inode)
{
	return container_of(inode, struct holon_foreign, inode);
}

bool holon_inode_is_foreign(const struct inode *inode);

/**
 * holon_foreign_get - the inode of an export, which its owner has opened for us
 * @key: which
 * @count: of inodes of its sort
 * @set_up: fills in a new one, before it is opened; the same for each @key of a sort
 *
 * Context: process context, may ask the owner; killable.
 * Return: with a reference, or an ERR_PTR(): -ESTALE when there is no such export.
 */
struct inode *holon_foreign_get(const struct holon_export_key *key, atomic_t *count,
				void (*set_up)(struct inode *inode));

/**
 * holon_foreign_file - an open file of it
 * @inode: its reference is taken over, also when that fails
 * @name: as its owner calls it
 * @flags: O_*
 * @fops: for the file
 *
 * Return: a file, or an ERR_PTR().
 */
struct file *holon_foreign_file(struct inode *inode, const char *name, int flags,
				const struct file_operations *fops);

#endif /* _FS_HOLON_FOREIGN_H */
