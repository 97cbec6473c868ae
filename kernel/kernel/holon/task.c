// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that are away from home.
 *
 * Every process has a home, where its number was given out and where its
 * parent, group, session and terminal are. When it runs on another node it has
 * two halves. The original task stays at home as the *deputy*: it sleeps in
 * the last step before user mode (deputy.c), does what the guest asks for
 * (TASK_FORWARD) and passes on what it is sent (signal.c). The *guest* has the
 * memory and the registers and does most system calls itself (guest.c,
 * syscall.c). The tree of processes, wait(), job control and /proc at home see
 * the deputy and need to know nothing of this.
 *
 * Placement at exec (exec.c, image.c, spawner.c):
 *
 *	home					node
 *	netlink task-place: PLACED
 *	execve(): the binary format of exec.c
 *	  state EXEC
 *	  TASK_EXEC(image) ------------------>	spawner clones the guest: EXEC
 *						guest imports the image,
 *						kernel_execve()
 *	  <----------------- reply ----------	errno, or READY: waits for GO
 *	  begin_new_exec(): commit
 *	  state STABLE
 *	  TASK_GO --------------------------->	STABLE, user mode
 *	  deputy loop
 *
 * Up to the reply nothing has happened at home, and an errno there is what
 * execve() returns. A caller that is killed meanwhile leaves the call to
 * TASK_EXEC's orphan(), which throws the guest away (TASK_GO with ABORT).
 *
 * State of a deputy (->state, under ->lock)
 *
 *	PLACED --execve()--> EXEC --errno--> PLACED
 *	EXEC --READY--> STABLE --do_exit()--> EXITING
 *	PLACED, EXEC --do_exit()--> EXITING
 *	FORKED --BORN, loss of the node--> STABLE	(a child, see fork.c)
 *	FORKED --ABORT--> EXITING
 *	MOVING --READY, pages--> STABLE --HOME--> LANDING --LAND--> no half any more
 *	MOVING --errno--> no half any more	LANDING --STAY--> STABLE	(see move.c)
 *
 * and of a guest
 *
 *	EXEC --GO--> STABLE --do_exit()--> EXITING
 *	EXEC --ABORT, errno, kill--> EXITING
 *
 * Death. Whatever kills the deputy, the first statement of do_exit() sends
 * TASK_KILL and waits for TASK_EXIT, so the process has stopped everywhere
 * before its files close, its number is free and its parent is told (exit.c).
 * Whatever ends the guest, TASK_EXIT takes the deputy down with the code and
 * the usage of the guest. A node that leaves the view takes the other halves
 * with it: a deputy dies as by SIGKILL, a guest is killed. Both sides do that
 * from the view, never from a guess.
 *
 * Messages. Each carries {home, pid, inc}; inc numbers the stays, and what
 * does not fit is dropped. GO, BORN, SIGNAL, KILL, STOPPED and EXIT are one-way
 * messages of rank HOLON_FWD with inline handlers, so they are worked off in
 * the order in which they were sent. FORWARD and FORK are deferred requests of
 * rank HOLON_REQ: their handler queues them for the deputy. An answer says which signal
 * was the last one sent before it, and the guest waits for that one: so a
 * signal that a call raised is there before the call returns.
 *
 * References. task->holon holds one, the table one, every queued request and
 * running work one. current->holon changes only by current itself (for a new
 * guest: by its creator before the first run), other tasks read it under RCU.
 *
 * Locks, outermost first:
 *
 *	spawner_lock (spawner.c) | table_lock
 *	  tasklist_lock
 *	    sighand->siglock
 *	      holon_task->lock
 *	        wait queue and scheduler locks
 *
 * No lock is held while a message is waited for, except that execve() at home
 * has the caller's own cred_guard_mutex, as every execve(); no handler takes
 * that of another task. All waits end when the other node leaves the view; all
 * but the one in do_exit() are killable.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/hashtable.h>
#include <linux/init.h>
#include <linux/rculist.h>
#include <linux/resume_user_mode.h>
#include <linux/slab.h>

#include <linux/holon.h>
#include <linux/holon_file.h>
#include <linux/holon_node.h>
#include <linux/holon_task.h>
#include <linux/holon_view.h>

#include "move.h"
#include "task.h"

#define HOLON_TASK_HASH_BITS	10

DEFINE_STATIC_KEY_FALSE(holon_task_key);
int holon_pid_first __read_mostly;

static DEFINE_SPINLOCK(table_lock);
static DEFINE_HASHTABLE(table, HOLON_TASK_HASH_BITS);
static struct kmem_cache *holon_task_cache;
static atomic64_t last_inc = ATOMIC64_INIT(0);

struct holon_task_stat holon_task_stat;

/**
 * holon_pid_range - hand out pids of this node's range from now on
 *
 * Called when the node id is known and process 1 may exist.
 */
void holon_pid_range(void)
{
	WRITE_ONCE(holon_pid_first, holon_node_id() << HOLON_PID_SHIFT);
}

/**
 * holon_task_alloc - one half of a process
 * @role: which
 * @gfp: how to allocate
 *
 * Return: with one reference, in no table; or NULL.
 */
struct holon_task *holon_task_alloc(enum holon_role role, gfp_t gfp)
{
	struct holon_task *ht = kmem_cache_zalloc(holon_task_cache, gfp);

	if (!ht)
		return NULL;
	refcount_set(&ht->ref, 1);
	ht->role = role;
	ht->state = role == HOLON_ROLE_GUEST ? HOLON_TASK_EXEC : HOLON_TASK_PLACED;
	spin_lock_init(&ht->lock);
	init_waitqueue_head(&ht->wait);
	INIT_HLIST_NODE(&ht->hash);
	INIT_LIST_HEAD(&ht->requests);
	xa_init(&ht->watches);
	mutex_init(&ht->relay);
	ht->leader = ht;
	ht->threads = 1;
	init_waitqueue_head(&ht->hold_wait);
	init_waitqueue_head(&ht->driver_wait);
	INIT_LIST_HEAD(&ht->held);
	INIT_LIST_HEAD(&ht->hold_node);
	INIT_LIST_HEAD(&ht->offers);
	INIT_WORK(&ht->stop_work, holon_stop_work);
	if (role == HOLON_ROLE_DEPUTY)
		atomic_inc(&holon_task_stat.deputies);
	else if (role == HOLON_ROLE_GUEST)
		atomic_inc(&holon_task_stat.guests);
	return ht;
}

/* A number that no earlier stay of any process of this home had. */
u64 holon_task_new_inc(void)
{
	return atomic64_inc_return(&last_inc);
}

struct holon_task *holon_task_get(struct holon_task *ht)
{
	refcount_inc(&ht->ref);
	return ht;
}

static void holon_task_free(struct rcu_head *rcu)
{
	kmem_cache_free(holon_task_cache, container_of(rcu, struct holon_task, rcu));
}

void holon_task_put(struct holon_task *ht)
{
	if (!ht || !refcount_dec_and_test(&ht->ref))
		return;
	WARN_ON_ONCE(!list_empty(&ht->requests) || !hlist_unhashed(&ht->hash));
	if (ht->role == HOLON_ROLE_DEPUTY)
		atomic_dec(&holon_task_stat.deputies);
	else if (ht->role == HOLON_ROLE_GUEST)
		atomic_dec(&holon_task_stat.guests);
	if (ht->leader != ht)
		holon_task_put(ht->leader);
	call_rcu(&ht->rcu, holon_task_free);
}

static struct holon_task *lookup(enum holon_role role, u8 home, pid_t pid)
{
	struct holon_task *ht;

	hash_for_each_possible_rcu(table, ht, hash, pid, lockdep_is_held(&table_lock))
		if (ht->pid == pid && ht->role == role && ht->home == home)
			return ht;
	return NULL;
}

/**
 * holon_task_find - look a half up by its number
 * @role: which half
 * @home: its home
 * @pid: global number
 * @inc: of the stay, 0 for any
 *
 * Context: any.
 * Return: with a reference, or NULL.
 */
struct holon_task *holon_task_find(enum holon_role role, u8 home, pid_t pid, u64 inc)
{
	struct holon_task *ht;

	rcu_read_lock();
	ht = lookup(role, home, pid);
	if (ht && ((inc && ht->inc != inc) || !refcount_inc_not_zero(&ht->ref)))
		ht = NULL;
	rcu_read_unlock();
	return ht;
}

/**
 * holon_task_hash - make a half known to the handlers
 * @ht: with its numbers set
 *
 * The table takes a reference.
 * Return: 0, or -EEXIST when the same half is there already.
 */
int holon_task_hash(struct holon_task *ht)
{
	int err = 0;

	spin_lock_bh(&table_lock);
	if (lookup(ht->role, ht->home, ht->pid))
		err = -EEXIST;
	else
		hash_add_rcu(table, &holon_task_get(ht)->hash, ht->pid);
	spin_unlock_bh(&table_lock);
	return err;
}

/* Undo holon_task_hash(); harmless when it is not in the table. */
void holon_task_unhash(struct holon_task *ht)
{
	bool was;

	spin_lock_bh(&table_lock);
	was = !hlist_unhashed(&ht->hash);
	if (was)
		hlist_del_init_rcu(&ht->hash);
	spin_unlock_bh(&table_lock);
	if (was)
		holon_task_put(ht);
}

/**
 * holon_task_of - the task of a half
 * @ht: one half
 *
 * Return: with a reference, or NULL when it has gone.
 */
struct task_struct *holon_task_of(struct holon_task *ht)
{
	struct task_struct *task;
	unsigned long flags;

	spin_lock_irqsave(&ht->lock, flags);
	task = ht->task;
	if (task)
		get_task_struct(task);
	spin_unlock_irqrestore(&ht->lock, flags);
	return task;
}

void holon_task_join(struct holon_task *ht, struct holon_task *leader)
{
	ht->leader = holon_task_get(leader);
	ht->home = leader->home;
	ht->node = leader->node;
	ht->peer_incarnation = leader->peer_incarnation;
	spin_lock_irq(&leader->lock);
	leader->threads++;
	spin_unlock_irq(&leader->lock);
}

/**
 * holon_task_leave - a half is found no more
 * @ht: as it was hashed, or not
 *
 * That of a leader stays until the last thread leaves. So does its task, dead, as
 * every leader's.
 */
void holon_task_leave(struct holon_task *ht)
{
	struct holon_task *leader = ht->leader;
	bool last;

	if (ht != leader) {
		spin_lock_irq(&ht->lock);
		ht->task = NULL;
		spin_unlock_irq(&ht->lock);
		holon_task_unhash(ht);
	}
	spin_lock_irq(&leader->lock);
	last = !--leader->threads;
	if (last)
		leader->task = NULL;
	spin_unlock_irq(&leader->lock);
	if (!last)
		return;
	holon_move_done(leader, HOLON_STAY_GONE, -ESRCH);
	holon_task_unhash(leader);
	/* Of a late question. */
	holon_watch_drop(leader, 0, ~0U);
}

/**
 * holon_task_detach - current is no half of anything any more
 *
 * Drops the reference of current->holon. Requests are not taken from here on;
 * those that wait are answered by the caller before.
 */
void holon_task_detach(void)
{
	struct holon_task *ht = current->holon;

	holon_landing_free(ht);
	holon_timers_forget(ht);
	spin_lock_irq(&ht->lock);
	ht->state = HOLON_TASK_EXITING;
	spin_unlock_irq(&ht->lock);
	clear_task_syscall_work(current, HOLON);
	WRITE_ONCE(current->holon, NULL);
	holon_task_leave(ht);
	wake_up_all(&ht->wait);
	holon_task_put(ht);
}

/* --- membership ----------------------------------------------------------- */

/* Is the node of the other half still what it was when the stay began? */
bool holon_task_peer_alive(const struct holon_task *ht)
{
	u8 peer = ht->role == HOLON_ROLE_DEPUTY ? ht->node : ht->home;

	return holon_view_incarnation(peer) == ht->peer_incarnation;
}

/* The other half is gone for good: so is this one. */
void holon_task_lose(struct holon_task *ht)
{
	struct task_struct *task;

	WRITE_ONCE(ht->lost, true);
	wake_up_all(&ht->wait);
	wake_up_all(&ht->leader->wait);
	if (ht->role == HOLON_ROLE_DEPUTY && READ_ONCE(ht->state) < HOLON_TASK_STABLE)
		return;		/* the exec fails with EHOSTDOWN */
	task = holon_task_of(ht);
	if (!task)
		return;
	send_sig_info(SIGKILL, SEND_SIG_PRIV, task);
	put_task_struct(task);
}

static void holon_task_lost(const struct holon_view *view, const unsigned long *lost)
{
	struct holon_task *ht;
	unsigned int bucket;

	/*
	 * A half is hashed before it looks at the view, and the view is
	 * installed before we look at the table: one of the two sees it.
	 */
	for (bucket = 0; bucket < HASH_SIZE(table); bucket++) {
		rcu_read_lock();
		hlist_for_each_entry_rcu(ht, &table[bucket], hash)
			if (!holon_task_peer_alive(ht))
				holon_task_lose(ht);
		rcu_read_unlock();
		cond_resched();
	}
	holon_spawner_lost();
	holon_image_lost();
}

void holon_task_kick(void)
{
	struct holon_task *ht;
	unsigned long flags;
	unsigned int bucket;

	rcu_read_lock();
	hash_for_each_rcu(table, bucket, ht, hash) {
		if (ht->role != HOLON_ROLE_GUEST)
			continue;
		spin_lock_irqsave(&ht->lock, flags);
		if (ht->task)
			set_notify_resume(ht->task);
		spin_unlock_irqrestore(&ht->lock, flags);
	}
	rcu_read_unlock();
}

struct holon_task *holon_task_walk(struct holon_task_position *position)
{
	struct holon_task *ht, *found = NULL;
	unsigned int nr;

	rcu_read_lock();
	for (; position->bucket < HASH_SIZE(table); position->bucket++) {
		nr = 0;
		hlist_for_each_entry_rcu(ht, &table[position->bucket], hash) {
			if (nr++ < position->done)
				continue;
			position->done = nr;
			if (ht->leader != ht || !refcount_inc_not_zero(&ht->ref))
				continue;
			found = ht;
			break;
		}
		if (found)
			break;
		position->done = 0;
	}
	rcu_read_unlock();
	return found;
}

void holon_task_moved(const struct holon_task *ht, u8 from, u8 to)
{
	current->signal->holon_moves++;
	holon_netlink_task_moved(ht->leader->pid, ht->home, from, to);
}

unsigned int holon_task_halves(void)
{
	unsigned int bucket, halves = 0;
	struct holon_task *ht;

	rcu_read_lock();
	hash_for_each_rcu(table, bucket, ht, hash)
		halves++;
	rcu_read_unlock();
	return halves;
}

static int holon_task_step(const struct holon_view *view)
{
	return 0;
}

static struct holon_view_subscriber holon_task_view = {
	.name = "task",
	.prio = HOLON_VIEW_PROCESS,
	.lost = holon_task_lost,
	.step = holon_task_step,
};

/* --- statistics ----------------------------------------------------------- */

void holon_task_counts(struct holon_task_counts *counts)
{
	counts->placed = atomic64_read(&holon_task_stat.placed);
	counts->taken = atomic64_read(&holon_task_stat.taken);
	counts->refused = atomic64_read(&holon_task_stat.refused);
	counts->signals = atomic64_read(&holon_task_stat.signals);
	counts->moved = atomic64_read(&holon_task_stat.moved);
	counts->homed = atomic64_read(&holon_task_stat.homed);
	counts->deputies = atomic_read(&holon_task_stat.deputies);
	counts->guests = atomic_read(&holon_task_stat.guests);
	counts->spawners = holon_spawner_count();
}

static int __init holon_task_init(void)
{
	holon_task_cache = KMEM_CACHE(holon_task, SLAB_PANIC | SLAB_ACCOUNT);
	holon_view_subscribe(&holon_task_view);
	if (holon_node_id())
		holon_pid_range();
	return 0;
}
subsys_initcall(holon_task_init);
