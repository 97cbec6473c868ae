/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Remote files: between remote.c and poll.c.
 */
#ifndef _FS_HOLON_REMOTE_H
#define _FS_HOLON_REMOTE_H

#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct holon_task;

/**
 * struct holon_remote - private data of a remote file
 * @ht: guest it was made for, of its leader
 * @id: in messages about readiness
 * @pollable: the real file has ->poll
 * @fd: number at home; under @lock
 * @lock: protects the following; innermost
 * @mask: readiness as home said last
 * @known: @mask is of now
 * @watched: home has been told to push changes
 * @sequence: of the last question; other answers are dropped
 * @wait: pollers here
 */
struct holon_remote {
	struct holon_task *ht;
	u32 id;
	bool pollable;
	int fd;
	spinlock_t lock;	/* innermost */
	__poll_t mask;
	bool known, watched;
	u64 sequence;
	wait_queue_head_t wait;
	struct rcu_head rcu;
};

/* Of what is home's own: any use by name says so. */
extern const struct inode_operations holon_left_inode_operations;

int holon_remote_register(struct holon_remote *remote);
void holon_remote_unregister(struct holon_remote *remote);
__poll_t holon_remote_poll(struct file *file, struct poll_table_struct *table);

#endif /* _FS_HOLON_REMOTE_H */
