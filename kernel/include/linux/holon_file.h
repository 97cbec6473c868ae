/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of tasks that are away from home: remote files, the stub filesystem,
 * shared mounts. Implemented in fs/holon.
 */
#ifndef _LINUX_HOLON_FILE_H
#define _LINUX_HOLON_FILE_H

#include <linux/types.h>

struct file;
struct holon_task;
struct path;

/**
 * enum holon_share - what a mount guarantees on the nodes that have it
 * @HOLON_SHARE_NONE: not on the other nodes
 * @HOLON_SHARE_IDENTICAL: read only, the same bytes everywhere
 * @HOLON_SHARE_CLOSE_TO_OPEN: an open sees what was written before a close
 * @HOLON_SHARE_COHERENT: as on one machine
 */
enum holon_share {
	HOLON_SHARE_NONE,
	HOLON_SHARE_IDENTICAL,
	HOLON_SHARE_CLOSE_TO_OPEN,
	HOLON_SHARE_COHERENT,
};

/**
 * holon_share_path - class of the mount that a path lies on
 *
 * Context: process context, walks the paths of holon.shared=.
 */
enum holon_share holon_share_path(const struct path *path);
enum holon_share holon_share_file(const struct file *file);

/**
 * struct holon_file_info - an open file as the other half has to see it
 * @fd: number, the same on both sides
 * @flags: f_flags
 * @mode: i_mode
 * @cloexec: of the descriptor
 * @rdev: i_rdev, new_encode_dev()
 *
 * Little endian, on the wire and in images.
 */
struct holon_file_info {
	__le32 fd;
	__le32 flags;
	__le32 mode;
	__le32 cloexec;
	__le64 rdev;
};

/* Fill in @info from the real file, at its home. */
void holon_file_describe(const struct file *file, int fd, bool cloexec,
			 struct holon_file_info *info);

/**
 * holon_remote_file - stand-in for a file that stays open at the deputy
 * @ht: of the guest
 * @info: untrusted, from the deputy
 *
 * Context: process context.
 * Return: a file to be installed under @info->fd, or an ERR_PTR().
 */
struct file *holon_remote_file(struct holon_task *ht, const struct holon_file_info *info);

bool holon_file_is_remote(const struct file *file);

#endif /* _LINUX_HOLON_FILE_H */
