/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two halves of each thread of a process that is away from home. See task.c for
 * states, locks and messages.
 */
#ifndef _KERNEL_HOLON_TASK_H
#define _KERNEL_HOLON_TASK_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <linux/holon_rpc.h>

#include "image.h"
#include "move.h"
#include "wire_task.h"

struct holon_birth;
struct holon_deputy_request;
struct holon_landing;
struct holon_move;
struct holon_task_position;
struct import_thread;

enum holon_role {
	HOLON_ROLE_DEPUTY,	/* at home, also while only PLACED */
	HOLON_ROLE_GUEST,
	HOLON_ROLE_SPAWNER,	/* lends its context to guests */
};

/* Of a deputy: all. Of a guest: EXEC, STABLE, EXITING. */
enum holon_task_state {
	HOLON_TASK_PLACED,	/* the next execve() goes to ->node */
	HOLON_TASK_EXEC,	/* image under way, nothing committed */
	HOLON_TASK_MOVING,	/* the same, of a process that runs, see move.c */
	HOLON_TASK_FORKED,	/* the guest's half is being made, see fork.c */
	HOLON_TASK_STABLE,	/* the guest runs, the deputy serves it */
	HOLON_TASK_LANDING,	/* the guest comes home */
	HOLON_TASK_EXITING,	/* no request is taken any more */
};

/**
 * struct holon_task - one half of a thread that is away from home
 * @ref: task->holon, the table, requests, works, and of a leader the halves of the
 *	other threads hold one each
 * @role: which half
 * @state: see above
 * @home: node of the deputy
 * @node: node of the guest
 * @peer_incarnation: of the node where the other half is
 * @inc: number of this stay; in every message, stale ones are dropped
 * @pid: number of the thread, the same everywhere
 * @leader: half of the thread group's leader, or itself: has what the threads share,
 *	below, and is found until the last of them has gone
 * @threads: of a leader: halves of the process
 * @task: the half itself; NULL when it has gone. Under @lock; current may read
 *	its own
 * @wait: the half sleeps here
 * @lost: the node of the other half has left the view
 *
 * Letters: L under @lock, I constant after creation, S only by @task itself.
 */
struct holon_task {
	refcount_t ref;
	struct rcu_head rcu;
	struct hlist_node hash;
	enum holon_role role;		/* I */
	enum holon_task_state state;	/* L */
	u8 home, node;			/* I */
	u64 peer_incarnation;		/* I */
	u64 inc;			/* I */
	pid_t pid;			/* I */
	struct holon_task *leader;	/* I */
	unsigned int threads;		/* L */

	spinlock_t lock;		/* innermost but for RPC's own */
	struct task_struct *task;	/* L */
	wait_queue_head_t wait;
	bool lost;

	/* deputy: requests of the guest */
	struct list_head requests;	/* L */
	struct holon_deputy_request *running; /* L */
	unsigned long window;		/* S: anonymous mapping, see holon_window() */
	size_t window_len;		/* S */
	const __le32 *fds;		/* S: numbers for what a call opens ... */
	unsigned int nfds;		/* S: ... that are left */

	/* deputy: what the guest reported */
	struct holon_wire_exit exit;	/* L: set once */
	bool exited;			/* L: @exit is valid */
	int stop_signal;		/* L */
	u64 stop_sequence;		/* L */

	/* leader, deputy: signals; the next three under the siglock of the process */
	u64 sequence;			/* of the last one relayed */
	u64 continued;			/* of the last SIGCONT relayed */
	bool owes_continue;		/* was continued, the guest was not told */
	struct mutex relay;		/* they are sent in the order of their numbers */
	struct xarray watches;		/* its own lock; of fs/holon/poll.c */

	/* leader, guest */
	u64 taken;			/* siglock: last signal queued here */
	bool cwd_remote;		/* relative paths are home's */

	/* leader: memory that others read and write, see process_vm.c */
	u32 programs;			/* executions that home has been told of */
	bool leaving;			/* guest: it goes home */
	bool arriving;			/* deputy: the same */

	/* leader: all threads stand still, see hold.c */
	struct holon_task *driver;	/* L: who moves the process */
	struct list_head held;		/* L: the others, by ->hold_node */
	unsigned int held_count;	/* L */
	unsigned int expected;		/* L: new ones on their way */
	unsigned int order_nr, order_pending; /* L */
	int (*order)(struct holon_task *ht); /* L */
	void (*order_after)(struct holon_task *ht); /* L */
	bool order_last;		/* L */
	int order_err;			/* L */
	wait_queue_head_t hold_wait, driver_wait;
	struct list_head hold_node;	/* L of the leader */

	/* what a thread that is held has written down */
	struct holon_image image;	/* S, while held also of the driver */
	enum holon_stay stay;		/* the same */
	unsigned int filters;		/* and so many of seccomp, the same */
	const struct import_thread *made_of; /* S: of a thread that is made, while it is held */

	/* the half that imports a process that moves */
	bool importing;			/* pages are taken */
	bool moved;			/* S: the next three are to be set */
	sigset_t moved_blocked;		/* S */
	unsigned long moved_result;	/* S: of the system call it was in */
	struct holon_landing *landing;	/* S: deputy, while LANDING */
	bool landed;			/* S: and it is one no more */
	struct holon_move *move;	/* L: leader, deputy: who waits for it */

	/* the half that exports */
	struct holon_timers *timers;	/* S: what it has stopped */
	struct list_head offers;	/* S: of its files, to where it moves */
	bool looking;			/* S: only to see whether it could move */

	/* guest */
	bool recalled;			/* leader: home wants it back ... */
	bool recall_asked;		/* leader: ... or only to know whether it could come */
	u32 recall_number;		/* leader: of the last such message, 0: taken back */
	bool recall_call;		/* S: or a system call does */
	bool called;			/* L: this thread's sleep was broken: it is to come by */
	bool recall_failed;		/* S: which could not be ... */
	unsigned long recall_ip;	/* S: ... made here */
	bool homed;			/* S: it lives at home now */
	bool ready;			/* S: home knows about the guest */
	bool go, aborted;		/* L: home's word after READY; of FORKED the guest's */
	struct holon_task *child;	/* S: the half that kernel_clone() is to attach */
	sigset_t child_blocked;		/* S: its mask */
	struct task_struct *forker;	/* I: parent of a FORKED deputy, to compare with */
	bool unborn;			/* S: a forked guest that home has not heard of */
	bool left_shared;		/* S: a stub was met on a walk */
	u64 exec_id;			/* self_exec_id last told to home; after ->programs */
	struct work_struct stop_work;	/* reports a stop */
	u64 reported;			/* L: sequence of the report */
	int reported_signal;		/* L */
	struct holon_birth *birth;	/* S: until READY */
	void *syscall;			/* S: of kernel/holon/syscall.c */
};

struct holon_task_stat {
	atomic64_t placed, taken, refused, signals, moved, homed;
	atomic_t deputies, guests;
};

extern struct holon_task_stat holon_task_stat;

/* task.c */
struct holon_task *holon_task_alloc(enum holon_role role, gfp_t gfp);
u64 holon_task_new_inc(void);
struct holon_task *holon_task_get(struct holon_task *ht);
void holon_task_put(struct holon_task *ht);
/* With a reference, or NULL. @inc 0 means any. Any context. */
struct holon_task *holon_task_find(enum holon_role role, u8 home, pid_t pid, u64 inc);
int holon_task_hash(struct holon_task *ht);
void holon_task_unhash(struct holon_task *ht);

struct task_struct *holon_task_of(struct holon_task *ht);
/* Another thread of the process of @leader; undone by holon_task_leave(). */
void holon_task_join(struct holon_task *ht, struct holon_task *leader);
void holon_task_leave(struct holon_task *ht);
void holon_task_detach(void);
bool holon_task_peer_alive(const struct holon_task *ht);
void holon_task_lose(struct holon_task *ht);

/* Have every guest come by in __holon_resume_user_mode(). Any context. */
void holon_task_kick(void);

/*
 * The next leader's half, with a reference, or NULL. Of processes that come and go
 * meanwhile some may be missed.
 */
struct holon_task *holon_task_walk(struct holon_task_position *position);

/*
 * Of current, a deputy or one that was: the process has gone from one node to another.
 * Counts it, and tells those who listen. May sleep.
 */
void holon_task_moved(const struct holon_task *ht, u8 from, u8 to);

/* Number of halves whose other half is, or is to be, on another node. */
unsigned int holon_task_halves(void);

/* signal.c */
void holon_relay(struct holon_task *ht);
/* Only what is queued, up to a stop: does not wait for anything. */
void holon_relay_queued(struct holon_task *ht);
void holon_stop_deputy(struct holon_task *ht);
void holon_stop_work(struct work_struct *work);
void holon_signal_become_deputy(void);
/* Of current: nothing but SIGKILL gets through. */
void holon_signal_block(void);
void holon_signal_zap(struct task_struct *task, int code);

/* exit.c */
void holon_kill_guest(struct holon_task *ht);
/* Does the report in @ht, of @task, speak of all threads? */
bool holon_exit_of_all(const struct holon_task *ht, struct task_struct *task);
/* What a thread, current or held, has used here; and add what the other half has used. */
void holon_usage(struct task_struct *task, struct holon_wire_exit *msg);
void holon_add_usage(const struct holon_wire_exit *msg);

/* deputy.c */
void holon_deputy_resume(struct holon_task *ht);
void holon_deputy_refuse(struct holon_task *ht);
/* A deputy takes every signal. */
void holon_deputy_unblock(void);

/* restart.c */
void holon_restart_waiting(struct pt_regs *regs);

/* guest.c */
void holon_guest_resume(struct holon_task *ht);

/**
 * holon_fork_settle - a forked deputy waits for its guest
 * @ht: of current, FORKED
 * @dying: called by do_exit(), no signal ends the wait
 *
 * Afterwards the state is STABLE, or EXITING when there will be no guest, or
 * still FORKED with a fatal signal pending. Does not return when the fork has
 * failed, unless @dying.
 */
void holon_fork_settle(struct holon_task *ht, bool dying);

/* A forked guest runs for the first time, or never will: tell home. */
void holon_fork_born(struct holon_task *ht);

/* spawner.c, image.c */
void holon_spawner_lost(void);
unsigned int holon_spawner_count(void);
void holon_image_lost(void);

static inline bool holon_is_guest(const struct task_struct *task)
{
	const struct holon_task *ht = task->holon;

	return ht && ht->role == HOLON_ROLE_GUEST;
}

static inline bool holon_is_deputy(const struct task_struct *task)
{
	const struct holon_task *ht = task->holon;

	return ht && ht->role == HOLON_ROLE_DEPUTY && ht->state >= HOLON_TASK_STABLE;
}

/**
 * holon_window - make room for the arguments of a forwarded call
 * @ht: of current, a deputy
 * @len: bytes
 *
 * Whole messages have to fit, so the window grows. holon_window_trim() gives
 * back what an ordinary call does not need, holon_window_free() all of it.
 *
 * Return: user address, or an error as IS_ERR_VALUE() tells.
 */
unsigned long holon_window(struct holon_task *ht, size_t len);
void holon_window_trim(struct holon_task *ht);
void holon_window_free(struct holon_task *ht);

#endif /* _KERNEL_HOLON_TASK_H */
