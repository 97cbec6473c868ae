/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of tasks that are away from home: remote files, the stub filesystem,
 * shared mounts. Implemented in fs/holon.
 */
#ifndef _LINUX_HOLON_FILE_H
#define _LINUX_HOLON_FILE_H

#include <linux/list.h>
#include <linux/types.h>

struct file;
struct inode;
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
 * @path: held by the caller
 *
 * Context: process context, walks the paths of holon.shared=.
 */
enum holon_share holon_share_path(const struct path *path);
enum holon_share holon_share_file(const struct file *file);
ssize_t holon_share_show(char *buf);

/* A device without state: /dev/null and its like, the same on every node. */
bool holon_stateless_device(const struct inode *inode);

/**
 * struct holon_file_info - an open file as the other half has to see it
 * @fd: number, the same on both sides
 * @flags: f_flags
 * @mode: i_mode
 * @cloexec: of the descriptor
 * @pollable: the real file has ->poll
 * @rdev: i_rdev, new_encode_dev()
 *
 * Little endian, on the wire and in images.
 */
struct holon_file_info {
	__le32 fd;
	__le32 flags;
	__le32 mode;
	__le16 cloexec;
	__le16 pollable;
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

/**
 * holon_remote_fork - stand-ins of its own for a guest that was forked
 * @ht: of current, which shares its descriptors with nobody
 *
 * Those it has inherited belong to its parent.
 * Return: 0 or -ENOMEM, then some are still the parent's.
 */
int holon_remote_fork(struct holon_task *ht);

bool holon_file_is_remote(const struct file *file);
/* Has it a name at home only? */
bool holon_inode_is_remote(const struct inode *inode);
/* May the real file be a member of an epoll? */
bool holon_remote_pollable(const struct file *file);

/**
 * struct holon_paged - a file that is mapped on a node which does not have it
 * @id: number of the export at its owner; 0: none
 * @version: of its contents
 * @size: in bytes
 *
 * Little endian, in images.
 */
struct holon_paged {
	__le64 id, version, size;
};

/**
 * holon_paged_offer - owner: let a node read a file
 * @file: open to be read, by anybody
 * @node: which
 * @offers: a list, to be given to holon_export_withdraw()
 * @paged: filled in, for an image
 *
 * The node has to open it before the offer is withdrawn.
 * Context: process context. Return: 0; -ENOMEM; or why it cannot be opened.
 */
int holon_paged_offer(struct file *file, u8 node, struct list_head *offers,
		      struct holon_paged *paged);

/* A move has ended: what it has offered stays open only if it has been opened. */
void holon_export_withdraw(struct list_head *offers);

/* The file behind a number that @node has opened, with a reference, or NULL. */
struct file *holon_paged_exported(u64 id, u8 node);

/**
 * holon_paged_file - a file of another node, to be mapped
 * @owner: node that has it
 * @incarnation: of that
 * @said: untrusted, from an image
 * @name: as it is called there, for people
 *
 * Private and read-only shared mappings can be made; each of its pages is read from
 * @owner when it is touched first by anybody here. A page that cannot be had, because
 * that node has left, is a SIGBUS.
 * Context: process context, asks @owner; killable. Return: an open file, or an ERR_PTR().
 */
struct file *holon_paged_file(u8 owner, u64 incarnation, const struct holon_paged *said,
			      const char *name);

/**
 * struct holon_hosted - a description that is open at a node which its process has left
 * @id: number of the export there; 0: none
 * @incarnation: of the host
 * @host: that node
 * @pad: 0
 *
 * Little endian, in images.
 */
struct holon_hosted {
	__le64 id, incarnation;
	__le32 host;
	__le32 pad;
};

/**
 * holon_hosted_offer - host: let a node use a description
 * @file: it; a regular file
 * @node: which
 * @offers: a list, to be given to holon_export_withdraw()
 * @hosted: filled in, for an image
 *
 * The node has to open it before the offer is withdrawn.
 * Context: process context. Return: 0 or -ENOMEM.
 */
int holon_hosted_offer(struct file *file, u8 node, struct list_head *offers,
		       struct holon_hosted *hosted);

/* The description itself, if it is open here for @node; with a reference, or NULL. */
struct file *holon_hosted_here(const struct holon_hosted *hosted, u8 node);

/**
 * holon_hosted_file - a file that is operated at its host
 * @host: node that the image comes from
 * @hosted: untrusted, from the image
 * @flags: O_* of the description
 * @name: as it is called there
 *
 * Everything that has no place of its own uses the position of the description.
 * Context: process context, asks @host; killable. Return: an open file, or an ERR_PTR().
 */
struct file *holon_hosted_file(u8 host, const struct holon_hosted *hosted, unsigned int flags,
			       const char *name);

bool holon_file_is_hosted(const struct file *file);
/* Which description it is; @hosted->id is 0 for other files. */
void holon_hosted_describe(const struct file *file, struct holon_hosted *hosted);

/* How many of them there are here. */
unsigned int holon_hosted_files(void);

/* How many files others may read, and how many of others are mapped here. */
unsigned int holon_export_count(void);
unsigned int holon_paged_files(void);

/* Number of the export behind an inode of a file of @owner, or 0. */
u64 holon_paged_id(const struct inode *inode, u8 owner);
bool holon_inode_is_paged(const struct inode *inode);

/* Is it the root of a stub filesystem, which only home has? */
bool holon_inode_is_stub(const struct inode *inode);

/**
 * holon_left_shared - a walk of current has met something that is home's own
 *
 * A guest's call is then made at home.
 * Context: any of current, also inside rcu_read_lock().
 * Return: -EREMOTE.
 */
int holon_left_shared(void);

/**
 * holon_remote_touch - current has used a remote file by a forwarded call
 * @file: a remote file
 *
 * What is known about its readiness may be wrong now.
 */
void holon_remote_touch(struct file *file);

/**
 * holon_remote_mask - set the readiness of a remote file, as home has just said
 * @file: a remote file
 * @mask: EPOLL*
 *
 * From now on home pushes changes. Context: any.
 */
void holon_remote_mask(struct file *file, __poll_t mask);

/**
 * holon_remote_watch - let home say how ready a remote file is, sooner or later
 * @file: a remote file
 *
 * Context: any.
 */
void holon_remote_watch(struct file *file);

/**
 * holon_remote_unknown - remote files of a task whose readiness is asked for
 * @ht: of current
 * @cursor: 0 at first, then as it was left
 * @fds: filled in with their numbers
 * @max: room
 *
 * Return: how many; fewer than @max are the last ones.
 */
unsigned int holon_remote_unknown(struct holon_task *ht, unsigned long *cursor, int *fds,
				  unsigned int max);

/* Number of a remote file at home, -1 when @file is none or is closed there. */
int holon_remote_fd(const struct file *file);
/* Its number has become another one. Context: any, also under file_lock. */
void holon_remote_set_fd(struct file *file, int fd);

/**
 * holon_watch_drop - home: forget who watches descriptors
 * @ht: of the deputy
 * @first: descriptor
 * @last: end of the range
 *
 * For a deputy that exits: a watch holds a reference to the file.
 * Context: process context, no locks; waits for ->poll of the files.
 */
void holon_watch_drop(struct holon_task *ht, unsigned int first, unsigned int last);

/**
 * holon_watch_prune - home: the same for those whose descriptor has been closed
 * @ht: of current, the deputy
 * @first: descriptor
 * @last: end of the range
 *
 * To be called after whatever closes or replaces descriptors, and before task
 * work is run, which then has the last reference.
 * Context: as holon_watch_drop().
 */
void holon_watch_prune(struct holon_task *ht, unsigned int first, unsigned int last);

#endif /* _LINUX_HOLON_FILE_H */
