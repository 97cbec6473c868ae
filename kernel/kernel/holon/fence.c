// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fencing: when is it certain that a node that was lost does nothing any more?
 *
 * A life that is not in the view is refused by all members, so it cannot touch
 * memory, files, numbers and terminals that are homed there. What it can still do
 * on its own, in file systems that it reaches without us for example, ends:
 *
 *	- with its lease, which is over a lease after we installed the view without
 *	  it, and a quarter of that for clocks that do not run alike (lease.c);
 *	- when holon.fence= says so: a command that switches a machine off;
 *	- when its machine has connected in a new life: a node begins one after a
 *	  reset, or when nothing of the old one runs (membership.c).
 *
 * The command is run as
 *
 *	COMMAND NODE-ID UUID INCARNATION
 *
 * as root, with no files open. Exit 0 means that this machine is certainly off,
 * or was reset after that life. The coordinator of a view runs it for members
 * that were lost on the way to it; not for those that left or were put out by
 * the administrator, and not when their machine has said hello in a new life: that
 * one would be shot. If it fails there is still the lease.
 *
 * holon.quorum=one, "last man standing": members without a quorum run it
 * themselves, for every member they miss, and again when it fails. Those that have
 * a quorum are given time to do it first. When all that are missing are off they
 * count no more (mship.dead), and the rest goes on. Machines that are off neither
 * vote nor act, so nothing can contradict that.
 *
 * A command runs in a work of its own, and is killed with its session after a
 * while. The view thread looks at what has ended.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/err.h>
#include <linux/holon_setting.h>
#include <linux/init.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/umh.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "fence.h"
#include "freeze.h"
#include "membership.h"
#include "view.h"

#ifdef MODULE_PARAM_PREFIX
#undef MODULE_PARAM_PREFIX
#endif
#define MODULE_PARAM_PREFIX "holon."

/* A command that takes longer is killed. */
#define FENCE_LIMIT		(60 * HZ)
/* After a failure, running time. */
#define FENCE_AGAIN_MS		30000

static char fence_path[256];
holon_setting_string(fence, fence_path);
MODULE_PARM_DESC(fence, "command that switches a machine off: NODE-ID UUID INCARNATION");
static char quorum_word[32] = "majority";
holon_setting_string(quorum, quorum_word);
MODULE_PARM_DESC(quorum, "majority, or one: go on when all others are fenced");

static bool quorum_one;
static struct workqueue_struct *fence_wq;

/**
 * struct fence_job - one run of the command
 * @limit: kills it
 * @pid: of the command, its session leader; under @lock
 * @late: it was killed
 * @status: of the command as wait(2) has it, or a negative errno
 * @ended: all of this is settled
 * @incarnation: the life that it is about
 * @argv: of the command; the three last are its arguments
 * @envp: its environment
 */
struct fence_job {
	struct work_struct work;
	struct delayed_work limit;
	spinlock_t lock;	/* of @pid */
	struct pid *pid;
	bool late;
	int status;
	bool ended;
	u64 incarnation;
	char *argv[5], *envp[3];
	char node[4], uuid[UUID_STRING_LEN + 1], life[20];
};

/* Of the view thread. */
static struct fence_job *jobs[HOLON_NODE_IDS];
static u64 again_at[HOLON_NODE_IDS];
static u64 no_quorum_since;

bool fence_last_man(void)
{
	return quorum_one;
}

/* --- the command ---------------------------------------------------------- */

/* In the command's process, before it executes. */
static int fence_child(struct subprocess_info *info, struct cred *new)
{
	struct fence_job *job = info->data;

	ksys_setsid();
	spin_lock(&job->lock);
	job->pid = get_pid(task_pid(current));
	spin_unlock(&job->lock);
	queue_delayed_work(fence_wq, &job->limit, FENCE_LIMIT);
	return 0;
}

static void fence_limit(struct work_struct *work)
{
	struct fence_job *job = container_of(to_delayed_work(work), struct fence_job, limit);

	job->late = true;
	spin_lock(&job->lock);
	kill_pgrp(job->pid, SIGKILL, 1);
	spin_unlock(&job->lock);
}

static void fence_work(struct work_struct *work)
{
	struct fence_job *job = container_of(work, struct fence_job, work);
	struct subprocess_info *info;

	job->status = -ENOMEM;
	info = call_usermodehelper_setup(fence_path, job->argv, job->envp, GFP_KERNEL,
					 fence_child, NULL, job);
	if (info)
		job->status = call_usermodehelper_exec(info, UMH_WAIT_PROC);
	cancel_delayed_work_sync(&job->limit);
	put_pid(job->pid);
	/* Pairs with poll_job(). */
	smp_store_release(&job->ended, true);
	view_kick();
}

static void set_text(u8 id, const char *text)
{
	spin_lock(&view_facts_lock);
	strscpy(view_nodes[id]->fence, text);
	spin_unlock(&view_facts_lock);
}

static void shoot(u8 id, u64 incarnation, const uuid_t *uuid)
{
	struct fence_job *job;

	if (!fence_path[0] || jobs[id])
		return;
	job = kzalloc(sizeof(*job), GFP_NOIO);
	if (!job)
		return;		/* there is the lease, or another attempt */
	INIT_WORK(&job->work, fence_work);
	INIT_DELAYED_WORK(&job->limit, fence_limit);
	spin_lock_init(&job->lock);
	job->incarnation = incarnation;
	scnprintf(job->node, sizeof(job->node), "%u", id);
	scnprintf(job->uuid, sizeof(job->uuid), "%pUb", uuid);
	scnprintf(job->life, sizeof(job->life), "%llx", incarnation);
	job->argv[0] = fence_path;
	job->argv[1] = job->node;
	job->argv[2] = job->uuid;
	job->argv[3] = job->life;
	job->envp[0] = "HOME=/";
	job->envp[1] = "PATH=/sbin:/bin:/usr/sbin:/usr/bin";
	jobs[id] = job;
	set_text(id, "running");
	pr_info("node %u: running %s\n", id, fence_path);
	queue_work(fence_wq, &job->work);
}

/* --- lives that were removed ---------------------------------------------- */

static void set_fenced(u8 id, const char *why)
{
	struct view_node *node = view_nodes[id];

	spin_lock(&view_facts_lock);
	node->fenced = true;
	spin_unlock(&view_facts_lock);
	pr_info("node %u: its last life has certainly ended: %s\n", id, why);
	view_notify(HOLON_VIEW_EVENT_FENCED, id);
}

void fence_removed(u8 id, const struct holon_view *old, bool lost)
{
	u64 incarnation = old->incarnation[id];
	struct view_node *node = view_nodes[id];
	u64 lease = max(freeze_lease(), node->lease_ns);

	spin_lock(&view_facts_lock);
	node->gone_incarnation = incarnation;
	node->gone_uuid = old->uuid[id];
	node->fenced = false;
	spin_unlock(&view_facts_lock);
	node->fenced_at = ktime_get_boottime_ns() + lease + lease / 4;
	if (lost && mship.coordinator == mship.me.id && node->off_incarnation != incarnation &&
	    !(uuid_equal(&node->ident.uuid, &old->uuid[id]) &&
	      node->ident.incarnation > incarnation))
		shoot(id, incarnation, &old->uuid[id]);
}

static void poll_removed(u8 id)
{
	struct view_node *node = view_nodes[id];

	if (!node->gone_incarnation || node->fenced)
		return;
	if (node->off_incarnation == node->gone_incarnation)
		set_fenced(id, "the fence command has said so");
	else if (node->up && node->up_incarnation > node->gone_incarnation &&
		 uuid_equal(&node->ident.uuid, &node->gone_uuid))
		set_fenced(id, "it has begun another");
	else if (ktime_get_boottime_ns() >= node->fenced_at)
		set_fenced(id, "its lease is over");
}

static void job_text(const struct fence_job *job, char *text, size_t size)
{
	if (job->late)
		scnprintf(text, size, "killed, it took too long");
	else if (job->status < 0)
		scnprintf(text, size, "did not run: error %d", -job->status);
	else if (job->status & 0x7f)
		scnprintf(text, size, "ended by signal %d", job->status & 0x7f);
	else
		scnprintf(text, size, "exit %d", job->status >> 8 & 0xff);
}

static void poll_job(u8 id)
{
	struct view_node *node = view_nodes[id];
	struct fence_job *job = jobs[id];
	char text[sizeof(node->fence)];

	/* Pairs with fence_work(). */
	if (!job || !smp_load_acquire(&job->ended))
		return;
	jobs[id] = NULL;
	job_text(job, text, sizeof(text));
	set_text(id, text);
	if (job->status || job->late) {
		pr_warn("node %u: %s: %s\n", id, fence_path, text);
		again_at[id] = view_now() + FENCE_AGAIN_MS;
	} else {
		pr_info("node %u: %s: it is off\n", id, fence_path);
		node->off_incarnation = job->incarnation;
		/* Nothing that it may have said before counts any more. */
		view_dead(id, job->incarnation);
	}
	kfree(job);
}

void fence_poll(void)
{
	unsigned int id;

	for (id = 1; id < HOLON_NODE_IDS; id++) {
		if (!view_nodes[id])
			continue;
		poll_job(id);
		poll_removed(id);
	}
}

bool holon_view_fenced(u8 id, u64 incarnation)
{
	/* Pairs with view_node(). */
	struct view_node *node = smp_load_acquire(&view_nodes[id]);
	bool fenced;

	if (!node)
		return false;
	spin_lock(&view_facts_lock);
	/* A life before the one that was removed last had ended when that began. */
	if (incarnation == node->gone_incarnation)
		fenced = node->fenced;
	else
		fenced = incarnation && incarnation < node->gone_incarnation;
	spin_unlock(&view_facts_lock);
	return fenced;
}

void fence_forget(void)
{
	unsigned int id;

	for (id = 1; id < HOLON_NODE_IDS; id++) {
		struct view_node *node = view_nodes[id];

		if (!node)
			continue;
		spin_lock(&view_facts_lock);
		node->gone_incarnation = 0;
		node->fenced = false;
		spin_unlock(&view_facts_lock);
		node->lease_ns = 0;
	}
	bitmap_zero(mship.dead, HOLON_NODE_IDS);
	no_quorum_since = 0;
}

/* --- last man standing ---------------------------------------------------- */

void fence_missing(const unsigned long *suspected, bool quorum)
{
	bool all = true;
	unsigned int id;

	if (!quorum_one || !mship.view)
		return;
	if (quorum || bitmap_empty(suspected, HOLON_NODE_IDS)) {
		no_quorum_since = 0;
		return;
	}
	if (!no_quorum_since)
		no_quorum_since = view_now() | 1;
	for_each_set_bit(id, suspected, HOLON_NODE_IDS) {
		struct view_node *node = view_node(id);
		u64 life = mship.view->incarnation[id];

		if (node && node->off_incarnation == life)
			continue;
		all = false;
		if (node && view_now() - no_quorum_since >= view_fd_ms &&
		    view_now() >= again_at[id])
			shoot(id, life, &mship.view->uuid[id]);
	}
	if (all) {
		pr_warn("view %llu: %*pbl are off and count no more\n", mship.view->epoch,
			HOLON_NODE_IDS, suspected);
		bitmap_copy(mship.dead, suspected, HOLON_NODE_IDS);
	}
}

void fence_read_settings(void)
{
	if (!strcmp(quorum_word, "one")) {
		quorum_one = fence_path[0];
		if (!quorum_one)
			pr_err("holon.quorum=one needs holon.fence=: majority it is\n");
	} else if (!strncmp(quorum_word, "witness:", 8)) {
		pr_err("holon.quorum=witness: is not supported yet: majority it is\n");
	} else if (strcmp(quorum_word, "majority")) {
		pr_err("holon.quorum=%s is not known: majority it is\n", quorum_word);
	}
}

static int __init fence_init(void)
{
	fence_wq = alloc_workqueue("holon_fence", WQ_UNBOUND, 0);
	return fence_wq ? 0 : -ENOMEM;
}
subsys_initcall(fence_init);
