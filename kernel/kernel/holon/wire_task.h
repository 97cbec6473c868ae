/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages between the halves of a process. Little endian; a receiver checks
 * every length and number before it believes it.
 */
#ifndef _KERNEL_HOLON_WIRE_TASK_H
#define _KERNEL_HOLON_WIRE_TASK_H

#include <linux/types.h>

/**
 * struct holon_wire_task - which stay of which process; begins each message
 * @inc: number of the stay
 * @pid: global number
 * @flags: of the message
 */
struct holon_wire_task {
	__le64 inc;
	__le32 pid;
	__le32 flags;
};

/* TASK_GO, flags: throw the guest away, the exec failed at home. */
#define HOLON_GO_ABORT		0x01

/* TASK_IMAGE: bytes of an image that does not fit into one message. */
struct holon_wire_piece {
	struct holon_wire_task task;
	__le32 offset;
	__le32 total;
};

/* TASK_EXEC, flags: the image was sent before, in pieces. */
#define HOLON_EXEC_PIECES	0x01

/* One set of credentials; supplementary groups (__le32) and padding to 8 follow. */
struct holon_wire_cred {
	__le32 uid, gid, suid, sgid, euid, egid, fsuid, fsgid;
	__le32 securebits;
	__le32 groups;		/* their number */
	__le64 inheritable, permitted, effective, bounding, ambient;
} __packed __aligned(4);

/**
 * struct holon_wire_creds - what a process may do
 * @flags: HOLON_CREDS_*
 * @cred: with its groups
 */
struct holon_wire_creds {
	__le32 flags;
	__le32 pad;
	struct holon_wire_cred cred;
} __packed __aligned(4);

#define HOLON_CREDS_NO_NEW_PRIVS	0x01

/* Reply of TASK_EXEC. */
struct holon_wire_ready {
	struct holon_wire_task task;
	__le32 dumpable;	/* of the program, as get_dumpable() */
	__le32 reopened;	/* descriptors that the guest has opened again */
	/* then struct holon_wire_creds with its groups, the descriptors (__le32) */
};

/**
 * struct holon_wire_signal - one signal for the guest
 * @sequence: counts the signals of this stay; the lane keeps their order
 * @signo: 1..64
 * @directed: number of the thread that it was sent to, 0: to the process, which
 *	@task names
 * @info: kernel_siginfo, which is the same on all nodes
 */
struct holon_wire_signal {
	struct holon_wire_task task;
	__le64 sequence;
	__le32 signo;
	__le32 directed;
	__u8 info[48];
};

/* The guest's group has stopped, after signal @sequence was queued. */
struct holon_wire_stopped {
	struct holon_wire_task task;
	__le64 sequence;
	__le32 signo;
	__le32 pad;
};

/**
 * struct holon_wire_pages - contents of a process that moves
 * @pages: number of addresses, and of pages of 4096 bytes behind them
 * @addr: where they belong
 */
struct holon_wire_pages {
	struct holon_wire_task task;
	__le32 pages;
	__le32 pad;
	__le64 addr[];
};

/* TASK_RECALL, flags: nobody waits for it any more. */
#define HOLON_RECALL_CANCEL	0x01
#define HOLON_RECALL_ASK	0x02	/* stay, and say whether it could come */
/* Above them the number of the question; CANCEL takes back just that one. */
#define HOLON_RECALL_NUMBER_SHIFT	8
#define HOLON_RECALL_NUMBERS		0xffffff

/* TASK_EXIT, flags: all threads end, with this code. */
#define HOLON_EXIT_GROUP	0x01

/* The last message of a guest, of each of its threads. Times in nanoseconds, sizes in KiB. */
struct holon_wire_exit {
	struct holon_wire_task task;
	__le32 code;
	__le32 pad;
	__le64 utime, stime, runtime;
	__le64 min_flt, maj_flt, nvcsw, nivcsw, inblock, oublock;
	__le64 maxrss;
};

#endif /* _KERNEL_HOLON_WIRE_TASK_H */
