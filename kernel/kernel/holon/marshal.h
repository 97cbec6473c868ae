/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Building one forwarded call at the guest.
 */
#ifndef _KERNEL_HOLON_MARSHAL_H
#define _KERNEL_HOLON_MARSHAL_H

#include <linux/cleanup.h>
#include <linux/slab.h>

#include "forward.h"
#include "syscall.h"

/**
 * struct holon_marshal - a call on its way
 * @ht: of the guest
 * @nr: number, or HOLON_FORWARD_*
 * @args: as the call would have them; pointers are replaced by relocations
 * @window: bytes laid out so far
 * @stream: index of the segment that may be cut into pieces, or -1
 * @position: argument that says where in the file, or -1; advanced with pieces
 * @fd_result: enum holon_forward_fd
 * @fd_offset: see struct holon_forward_request
 * @cloexec: of the new descriptors
 * @nfds: reserved numbers in @fds
 * @taken: how many of them were used
 */
struct holon_marshal {
	struct holon_task *ht;
	u32 nr;
	u64 args[6];
	u32 window;
	unsigned int nsegments, nrelocations;
	int stream, position;
	u8 fd_result;
	bool cloexec;
	u32 fd_offset;
	unsigned int nfds, taken;
	struct holon_marshal_segment {
		struct iov_iter iter;	/* where its bytes are at the guest */
		struct iovec *iov;	/* to be freed */
		u32 offset, in, out, length;
		u16 unit;
		u8 base, flags;
		void *kernel;		/* to be freed */
		u64 room[7];		/* small kernel data */
	} segment[HOLON_FORWARD_SEGMENTS];
	struct {
		u32 where, target;
	} relocation[HOLON_FORWARD_SEGMENTS];
	struct user_msghdr __user *message;	/* to be updated from segment[message_segment] */
	int message_segment;
	int fds[HOLON_FORWARD_FDS];
};

/* A cleared one for call @nr of the guest @ht with its arguments, or NULL. */
struct holon_marshal *holon_marshal_new(struct holon_task *ht, u32 nr, const struct pt_regs *regs);
void holon_marshal_free(struct holon_marshal *m);
DEFINE_FREE(holon_marshal, struct holon_marshal *, if (_T) holon_marshal_free(_T))

/**
 * holon_marshal_user - a segment that is user memory
 * @m: call
 * @ptr: its address
 * @in: bytes the call reads
 * @out: most bytes it writes
 * @flags: HOLON_FORWARD_BY_*, HOLON_FORWARD_ALWAYS
 *
 * Return: index of the segment, -EFAULT, -E2BIG.
 */
int holon_marshal_user(struct holon_marshal *m, void __user *ptr, size_t in, size_t out, u8 flags);

/* The same for kernel memory that stays valid until the call has been made. */
int holon_marshal_kernel(struct holon_marshal *m, void *ptr, size_t in, size_t out, u8 flags);

/* The same for what an iterator covers; it is copied. */
int holon_marshal_iter(struct holon_marshal *m, const struct iov_iter *iter, bool in, u8 flags);

/* A string from user space, at most @max bytes with its 0. */
int holon_marshal_string(struct holon_marshal *m, const char __user *ptr, size_t max);

/* Kernel data of at most sizeof(room) bytes that the segment keeps. */
int holon_marshal_room(struct holon_marshal *m, const void *data, size_t len, size_t out, u8 flags);

/* Let an argument, or a pointer in a segment, be the address of a segment. */
void holon_marshal_arg(struct holon_marshal *m, unsigned int arg, int segment);
void holon_marshal_pointer(struct holon_marshal *m, int in, u32 offset, int segment);

/* Lay out all arguments as the table describes them. 0 or an errno. */
int holon_marshal_call(struct holon_marshal *m, const struct holon_syscall *call);

/**
 * holon_marshal_run - send the call, wait, take the results
 *
 * Restart codes make the guest look for signals on its way out, which is what
 * turns them into a restart or EINTR.
 *
 * Return: result of the call.
 */
long holon_marshal_run(struct holon_marshal *m);

/* Forward the call in @regs as the table describes it. */
long holon_forward_call(struct holon_task *ht, const struct pt_regs *regs,
			const struct holon_syscall *call);

/* Forward a call without memory. */
long holon_forward_simple(struct holon_task *ht, u32 nr, u64 a, u64 b, u64 c, u64 d);

/* Is a result one of the codes that restart a call? */
static inline bool holon_restarts(long ret)
{
	return ret == -ERESTARTSYS || ret == -ERESTARTNOINTR || ret == -ERESTARTNOHAND ||
	       ret == -ERESTART_RESTARTBLOCK;
}

#endif /* _KERNEL_HOLON_MARSHAL_H */
