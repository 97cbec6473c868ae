/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Forwarded system calls: the bytes between a guest and its deputy.
 *
 * The guest lays out the memory that a call reads and writes as segments of a
 * window. The deputy has an anonymous mapping of that size, copies the input
 * in, turns offsets into addresses where the relocations say so, runs the
 * native entry point, and answers with the bytes that the call wrote. So the
 * deputy needs to know nothing about the arguments of a call; what it does
 * check is that every offset and length stays inside the window and that the
 * call is one that may be forwarded.
 */
#ifndef _KERNEL_HOLON_FORWARD_H
#define _KERNEL_HOLON_FORWARD_H

#include <linux/holon_file.h>
#include <linux/holon_rpc.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/uio.h>

struct holon_task;

/* Data of one request or reply; what is larger is sent in several calls. */
#define HOLON_FORWARD_DATA	(HOLON_MSG_MAX - SZ_64K)
/* Window of a deputy: all segments of one call. */
#define HOLON_FORWARD_WINDOW	SZ_2M
#define HOLON_FORWARD_SEGMENTS	16
#define HOLON_FORWARD_FDS	253	/* SCM_MAX_FD */

/*
 * Requests that are no system call, in holon_forward_request.nr. They are
 * above every number of the native table.
 */
#define HOLON_FORWARD_CREDS	0x10001	/* segment 0: struct holon_forward_creds */
#define HOLON_FORWARD_SIGCHLD	0x10002	/* args: ignored?, sa_flags */

/**
 * struct holon_forward_request - what travels to the deputy
 * @nr: native number or HOLON_FORWARD_*
 * @umask: of the guest
 * @segments: number of segments that follow
 * @relocations: number of relocations that follow the segments
 * @fds: number of reserved descriptor numbers (__le32) that follow
 * @fd_result: the call's new descriptors: HOLON_FORWARD_FD_*
 * @flags: none yet, must be 0
 * @fd_offset: of the descriptor array or control data in the window
 * @cloexec: new descriptors are close-on-exec
 * @window: bytes of window the call needs
 * @blocked: signals that the guest blocks or ignores
 * @args: arguments; those that a relocation names are replaced
 *
 * The input bytes of all segments follow in their order.
 */
struct holon_forward_request {
	__le32 nr;
	__le16 umask;
	__u8 segments;
	__u8 relocations;
	__le16 fds;
	__u8 fd_result;
	__u8 flags;
	__le32 fd_offset;
	__le32 cloexec;
	__le32 window;
	__le64 blocked;
	__le64 args[6];
} __packed __aligned(4);

/* Where the new descriptors of a call are found. */
enum holon_forward_fd {
	HOLON_FORWARD_FD_NONE,
	HOLON_FORWARD_FD_RETURN,	/* the result */
	HOLON_FORWARD_FD_PAIR,		/* int[2] at fd_offset */
	HOLON_FORWARD_FD_CMSG,		/* SCM_RIGHTS below the msghdr at fd_offset */
};

/**
 * struct holon_forward_segment - a piece of the window
 * @offset: in the window
 * @in: bytes given with the request
 * @out: most bytes wanted back
 * @unit: with HOLON_FORWARD_BY_RESULT: bytes wanted are result * unit + base
 * @base: see @unit
 * @length: with HOLON_FORWARD_BY_LENGTH: offset of an int that limits @out
 * @flags: HOLON_FORWARD_BY_*, HOLON_FORWARD_ALWAYS
 */
struct holon_forward_segment {
	__le32 offset;
	__le32 in;
	__le32 out;
	__le32 length;
	__le16 unit;
	__u8 base;
	__u8 flags;
};

#define HOLON_FORWARD_BY_RESULT	0x01
#define HOLON_FORWARD_BY_LENGTH	0x02
#define HOLON_FORWARD_ALWAYS	0x04	/* wanted even when the call failed */

/**
 * struct holon_forward_relocation - an address for the call
 * @where: an argument (HOLON_FORWARD_ARG | n) or the offset of a pointer
 * @target: offset it points to
 */
struct holon_forward_relocation {
	__le32 where;
	__le32 target;
};

#define HOLON_FORWARD_ARG	0x80000000U

/**
 * struct holon_forward_reply - what travels back
 * @result: of the call, restart codes included
 * @fds: number of struct holon_file_info that follow
 * @segments: as in the request
 *
 * Then for each segment with output its length (__le32) and its bytes.
 */
struct holon_forward_reply {
	__le64 result;
	__le16 fds;
	__u8 segments;
	__u8 pad[5];
};

/**
 * struct holon_forward - a call as its two ends see it
 * @request: bytes for the deputy
 * @request_len: their number
 * @reply: bytes from the deputy: struct holon_forward_reply and what follows
 * @reply_len: their number
 * @raw: what @reply points into; given back with holon_reply_free()
 */
struct holon_forward {
	const void *request;
	size_t request_len;
	const void *reply;
	size_t reply_len;
	struct holon_reply raw;
};

/**
 * holon_forward_run - deputy: execute one request
 * @ht: of the current task, which is the deputy
 * @request: untrusted bytes
 * @len: their number
 * @reply: set to kvmalloc()ed bytes on success
 * @reply_len: their number
 *
 * Sets the request's signal mask for the call and empties it again; runs task
 * work, so that a file which the call closed is gone. Signals raised meanwhile
 * are left for the caller, who puts them into the same message before the
 * reply.
 *
 * Context: the deputy in process context, no locks.
 * Return: 0, -EBADMSG for a malformed request, -ENOMEM.
 */
int holon_forward_run(struct holon_task *ht, const void *request, size_t len, void **reply,
		      size_t *reply_len);

bool holon_forward_check(const void *request, size_t len);

/*
 * Guest side, implemented with the deputy's protocol: send @f->request, wait
 * as long as the call takes (one INTR on a signal, then killably), queue the
 * signals that came with the reply, set @f->reply. Returns 0 or -EHOSTDOWN,
 * -EINTR (killed), -ENOMEM.
 */
int holon_deputy_call(struct holon_task *ht, struct holon_forward *f);

#endif /* _KERNEL_HOLON_FORWARD_H */
