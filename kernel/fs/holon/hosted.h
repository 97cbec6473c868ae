/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hosted files: what their user and their host say to each other. See hosted.c.
 *
 * All numbers are little endian. Each message begins with the number of the export and
 * the incarnation of the host.
 */
#ifndef _FS_HOLON_HOSTED_H
#define _FS_HOLON_HOSTED_H

#include <linux/holon_rpc.h>
#include <linux/minmax.h>
#include <linux/sizes.h>
#include <linux/time64.h>
#include <linux/types.h>

/* Most bytes of one message. */
#define HOSTED_DATA_MAX		(HOLON_MSG_MAX - SZ_4K)

/* Of a description, also where it is used. */
#define HOSTED_FLAGS		(O_ACCMODE | O_APPEND | O_NONBLOCK | O_LARGEFILE | O_NOATIME | \
				 O_SYNC | O_DIRECT)

/* Instead of a position: that of the description, which goes on. */
#define HOSTED_HERE		(-1LL)

struct wire_hosted {
	__le64 id;
	__le64 incarnation;
};

/*
 * HOSTED_READ; the reply has the bytes, fewer at the end of the file. Here and below
 * -EAGAIN says that somebody else is at the position: ask again.
 */
struct wire_hosted_read {
	struct wire_hosted file;
	__le64 pos;		/* or HOSTED_HERE */
	__le32 len;
	__le32 pad;
};

/* HOSTED_WRITE: the bytes follow; the reply is how many were written, as __le64. */
struct wire_hosted_write {
	struct wire_hosted file;
	__le64 pos;		/* or HOSTED_HERE */
	__le64 limit;		/* RLIMIT_FSIZE, all ones: none */
	__le32 flags;		/* HOSTED_WRITE_*: whatever the description says */
	__le32 pad;
};

#define HOSTED_WRITE_APPEND	0x01
#define HOSTED_WRITE_DSYNC	0x02
#define HOSTED_WRITE_SYNC	0x04

enum wire_hosted_op {
	HOSTED_SEEK = 1,	/* offset, whence */
	HOSTED_SYNC,		/* begin, end, datasync */
	HOSTED_ALLOCATE,	/* mode, offset, length */
	HOSTED_FLUSH,		/* - */
};

/* HOSTED_CALL; the reply is the result, as __le64. */
struct wire_hosted_call {
	struct wire_hosted file;
	__le32 op;		/* enum wire_hosted_op */
	__le32 pad;
	__le64 arg[3];
};

/* HOSTED_OPEN: another description of the file; the reply is that of EXPORT_OPEN. */
struct wire_hosted_open {
	struct wire_hosted file;
	__le32 flags;		/* O_* of HOSTED_FLAGS */
	__le32 pad;
};

/* HOSTED_STAT; the reply is a struct wire_hosted_attributes. */
struct wire_hosted_stat {
	struct wire_hosted file;
	__le32 mask;		/* STATX_* */
	__le32 flags;		/* AT_STATX_* */
};

struct wire_hosted_time {
	__le64 seconds;
	__le32 nanoseconds;
	__le32 pad;
};

/* @time: untrusted */
static inline struct timespec64 hosted_get_time(const struct wire_hosted_time *time)
{
	return (struct timespec64){
		.tv_sec = le64_to_cpu(time->seconds),
		.tv_nsec = min_t(u32, le32_to_cpu(time->nanoseconds), NSEC_PER_SEC - 1),
	};
}

static inline struct wire_hosted_time hosted_put_time(struct timespec64 time)
{
	return (struct wire_hosted_time){
		.seconds = cpu_to_le64(time.tv_sec),
		.nanoseconds = cpu_to_le32(time.tv_nsec),
	};
}

struct wire_hosted_attributes {
	__le32 mask, mode, nlink, blksize;
	__le32 uid, gid;	/* of the first user namespace */
	__le64 attributes, attributes_mask;
	__le64 ino, dev, rdev;	/* new_encode_dev() */
	__le64 size, blocks;
	struct wire_hosted_time atime, mtime, ctime, btime;
};

#define HOSTED_KILLS	(ATTR_KILL_SUID | ATTR_KILL_SGID)
/* What may be changed; if set-ID bits are lifted the mode is not. */
#define HOSTED_CHANGES	(ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_SIZE | ATTR_ATIME | \
			 ATTR_MTIME | ATTR_CTIME | ATTR_ATIME_SET | ATTR_MTIME_SET | \
			 HOSTED_KILLS)

/* HOSTED_CHANGE: what notify_change() takes; who may was decided by the user. */
struct wire_hosted_change {
	struct wire_hosted file;
	__le32 valid;		/* ATTR_* of HOSTED_CHANGES */
	__le32 mode, uid, gid;
	__le64 size;
	struct wire_hosted_time atime, mtime;
};

enum wire_hosted_lock_kind {
	HOSTED_LOCK_FLOCK = 1,
	HOSTED_LOCK_POSIX,
	HOSTED_LOCK_OFD,
};

/*
 * HOSTED_LOCK, and HOSTED_UNLOCK, which is for F_UNLCK alone; the reply of the former is
 * the request, or for @test the lock in the way.
 */
struct wire_hosted_lock {
	struct wire_hosted file;
	__le32 kind;		/* enum wire_hosted_lock_kind */
	__le32 type;		/* F_RDLCK, F_WRLCK, F_UNLCK */
	__le32 test;		/* only say whether it could be had */
	__le32 pid;
	__le64 start, end;
	__le64 owner;		/* of a POSIX lock: no two processes have the same number */
};

/* hosted_serve.c */
extern const struct holon_rpc_type holon_rpc_hosted_read, holon_rpc_hosted_write,
	holon_rpc_hosted_call, holon_rpc_hosted_open, holon_rpc_hosted_stat,
	holon_rpc_hosted_change, holon_rpc_hosted_lock, holon_rpc_hosted_unlock;

#endif /* _FS_HOLON_HOSTED_H */
