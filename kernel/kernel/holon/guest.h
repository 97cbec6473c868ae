/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the guest side offers to the other files of the process core.
 */
#ifndef _KERNEL_HOLON_GUEST_H
#define _KERNEL_HOLON_GUEST_H

#include <linux/list.h>
#include <linux/types.h>

#include "image.h"

struct holon_request;
struct holon_task;
struct kernel_clone_args;

/* Requests of guest.c; below are those of forward.c. */
#define HOLON_FORWARD_OWN	0x20000
#define HOLON_FORWARD_ORPHANED	0x20001	/* is the process group orphaned? */
#define HOLON_FORWARD_EXECED	0x20002	/* another program runs: comm, cloexec */
#define HOLON_FORWARD_FORK	0x20003	/* make a child, see fork.c */
#define HOLON_FORWARD_UNFORK	0x20004	/* take the child away that was told to end */
#define HOLON_FORWARD_HOME	0x20005	/* the guest comes home, see move.c; an image follows */
#define HOLON_FORWARD_LAND	0x20006	/* the rest of it, from here on it is home */
#define HOLON_FORWARD_STAY	0x20007	/* it does not */

struct holon_guest_request {
	__le32 nr;
	__le32 pad;
	union {
		struct {
			__u8 comm[16];
			__u8 dumpable;
			__u8 pad[7];
		} program;
		struct {
			__le32 exit_signal;
			__u8 clear_sighand;
			__u8 thread;	/* one more of the same process */
			__u8 pad[2];
			__le32 pid;
			__le32 taken;	/* last signal that had arrived */
		} fork;
		struct {
			__le32 pieces;	/* of HOME: the image was sent before */
			__le32 stay;	/* of STAY: why, enum holon_stay, and errno */
			__le32 err;
			__le32 number;	/* of STAY: of the RECALL, or 0 */
			__le64 memory;	/* of STAY: bytes that it has here */
		} move;
	};
};

/**
 * struct holon_guest_answer - what it says to one of them
 * @result: the answer; of FORK the number of the child, or an errno
 * @inc: of FORK: the child's stay
 */
struct holon_guest_answer {
	__le32 result;
	__le32 pad;
	__le64 inc;
};

/* The status of a forward's reply: low bits of the last signal's number. */
#define HOLON_SEQUENCE_MASK	0x7fffffff

extern const struct holon_rpc_type holon_rpc_task_forward;
extern const struct holon_rpc_type holon_rpc_task_fork;

int holon_guest_main(void *data);
bool holon_guest_abandon(struct holon_task *ht);
int holon_guest_request(struct holon_task *ht, const void *data, size_t len, void **reply,
			size_t *reply_len);

/**
 * holon_guest_ask - have the deputy do one of the above
 * @ht: of current, the guest
 * @request: what
 * @answer: filled in
 *
 * Return: 0, or as holon_deputy_call().
 */
int holon_guest_ask(struct holon_task *ht, const struct holon_guest_request *request,
		    struct holon_guest_answer *answer);

/* The same with data behind the request: @len bytes in all. */
int holon_guest_ask_data(struct holon_task *ht, const struct holon_guest_request *request,
			 size_t len, struct holon_guest_answer *answer);

/* fork.c, the deputy's part. @answer->result is a number; or an errno is returned. */
int holon_fork_deputy(struct holon_task *ht, const struct holon_guest_request *request,
		      struct holon_guest_answer *answer);
int holon_unfork(const struct holon_guest_request *request);
void holon_fork_orphan(u8 node, int status, const void *data, size_t len);

/**
 * struct holon_birth - a placement at the guest's node, from request to READY
 * @list: at the spawner
 * @ht: of the guest, with a reference
 * @request: TASK_EXEC, to be answered once
 * @image: what came; lies in the request unless @owned
 * @owned: @image has to be freed
 * @pid: number of the process
 * @inc: of the stay
 * @tries: made so far, while an earlier guest of that number vanishes
 */
struct holon_birth {
	struct list_head list;
	struct holon_task *ht;
	struct holon_request *request;
	struct holon_image image;
	bool owned;
	pid_t pid;
	u64 inc;
	unsigned int tries;
};

/**
 * holon_fork_half - make a task for a half
 * @ht: of current, a guest; ->child_blocked is the mask that the new task begins with
 * @child: its half, in no table; holon_task_leave() has been called on failure
 * @args: but for the number
 *
 * Return: the number, or an errno.
 */
long holon_fork_half(struct holon_task *ht, struct holon_task *child,
		     struct kernel_clone_args *args);

/* spawner.c */
void holon_birth_end(struct holon_birth *birth, int status);
void holon_image_drop(u8 home, pid_t pid, u64 inc);

#endif /* _KERNEL_HOLON_GUEST_H */
