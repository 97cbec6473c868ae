// SPDX-License-Identifier: GPL-2.0-only
/*
 * Spawners: the guest's node, from TASK_EXEC to the first run of the guest.
 *
 * Guests of one home live in a container that userland has built. Its first
 * process sits in the ioctl HOLON_SPAWNER_RUN of /dev/holon-spawner and clones
 * the guests, which so inherit namespaces, root directory and cgroup; its
 * SIGCHLD is ignored, so they are reaped by themselves. When it dies, the
 * kernel kills what lives in its pid namespace, and each guest reports that to
 * its home as its death.
 *
 * A birth is a TASK_EXEC request on its way: queued at the spawner, then owned
 * by the new guest (guest.c), which answers it.
 *
 * spawner_lock protects the table, each spawner's queue, and the images that
 * arrive in pieces.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/pid_namespace.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <linux/holon.h>
#include <linux/holon_rpc.h>
#include <linux/holon_view.h>
#include <uapi/linux/holon_spawner.h>

#include "freeze.h"
#include "guest.h"
#include "image.h"
#include "spawner.h"
#include "task.h"

/* Images in pieces that one home may have here at a time. */
#define HOLON_PARTIAL_MAX	64
/* How often, and how long each time, a guest may keep the number of the next one. */
#define HOLON_BIRTH_TRIES	5
#define HOLON_BIRTH_WAIT	HZ

struct holon_spawner {
	u64 incarnation;	/* of the home */
	struct list_head births;
	wait_queue_head_t wait;
	bool lost;
};

/* An image of which pieces have arrived. */
struct partial {
	struct list_head list;
	u64 incarnation;
	u64 inc;
	pid_t pid;
	u8 home;
	size_t received;
	struct holon_image image;
};

static DEFINE_SPINLOCK(spawner_lock);
static struct holon_spawner *spawners[HOLON_NODE_IDS];
static LIST_HEAD(partials);

static int holon_exec_handler(struct holon_request *request);
static int holon_image_handler(struct holon_request *request);

HOLON_RPC(task_exec, HOLON_RPC_ID_TASK_EXEC, HOLON_REQ, 0, sizeof(struct holon_wire_task),
	  holon_exec_handler, .orphan = holon_exec_orphan);
HOLON_RPC(task_image, HOLON_RPC_ID_TASK_IMAGE, HOLON_BULK, 0, sizeof(struct holon_wire_piece),
	  holon_image_handler, .orphan = holon_image_orphan);

bool holon_spawner_exists(u8 home)
{
	return READ_ONCE(spawners[home]);
}

unsigned int holon_spawner_count(void)
{
	unsigned int i, n = 0;

	for (i = 1; i < HOLON_NODE_IDS; i++)
		n += !!READ_ONCE(spawners[i]);
	return n;
}

/* --- images in pieces ----------------------------------------------------- */

static struct partial *find_partial(u8 home, pid_t pid, u64 inc)
{
	struct partial *partial;

	lockdep_assert_held(&spawner_lock);
	list_for_each_entry(partial, &partials, list)
		if (partial->home == home && partial->pid == pid && partial->inc == inc)
			return partial;
	return NULL;
}

static void free_partial(struct partial *partial)
{
	if (!partial)
		return;
	holon_image_free(&partial->image);
	kfree(partial);
}

/**
 * holon_image_drop - forget an image of which pieces may have arrived
 * @home: who sent it
 * @pid: process
 * @inc: stay
 */
void holon_image_drop(u8 home, pid_t pid, u64 inc)
{
	struct partial *partial;

	spin_lock(&spawner_lock);
	partial = find_partial(home, pid, inc);
	if (partial)
		list_del(&partial->list);
	spin_unlock(&spawner_lock);
	free_partial(partial);
}

/* Forget the images of nodes that are no members any more. */
void holon_image_lost(void)
{
	struct partial *partial, *next;
	LIST_HEAD(gone);

	spin_lock(&spawner_lock);
	list_for_each_entry_safe(partial, next, &partials, list)
		if (holon_view_incarnation(partial->home) != partial->incarnation)
			list_move(&partial->list, &gone);
	spin_unlock(&spawner_lock);
	list_for_each_entry_safe(partial, next, &gone, list)
		free_partial(partial);
}

/* The first piece: @total bytes will come. */
static int begin_partial(struct holon_request *request, const struct holon_wire_piece *piece)
{
	struct partial *partial, *other;
	unsigned int n = 0;
	size_t total = le32_to_cpu(piece->total);

	if (!total || total > HOLON_IMAGE_MAX)
		return -EMSGSIZE;
	partial = kzalloc(sizeof(*partial), GFP_KERNEL);
	if (!partial)
		return -ENOMEM;
	partial->image.data = kvmalloc(total, GFP_KERNEL);
	if (!partial->image.data) {
		kfree(partial);
		return -ENOMEM;
	}
	partial->image.len = total;
	partial->image.size = total;
	partial->home = request->node;
	partial->incarnation = request->incarnation;
	partial->pid = le32_to_cpu(piece->task.pid);
	partial->inc = le64_to_cpu(piece->task.inc);
	spin_lock(&spawner_lock);
	list_for_each_entry(other, &partials, list)
		n += other->home == request->node;
	if (n < HOLON_PARTIAL_MAX && !find_partial(partial->home, partial->pid, partial->inc)) {
		list_add(&partial->list, &partials);
		partial = NULL;
	}
	spin_unlock(&spawner_lock);
	if (partial) {
		free_partial(partial);
		return -EAGAIN;
	}
	if (holon_view_incarnation(request->node) != request->incarnation)
		holon_image_lost();
	return 0;
}

/* Pieces come one by one: each is a call. */
static int holon_image_handler(struct holon_request *request)
{
	const struct holon_wire_piece *piece = request->data;
	size_t offset = le32_to_cpu(piece->offset);
	size_t len = request->len - sizeof(*piece);
	struct partial *partial;
	int err;

	if (!offset) {
		err = begin_partial(request, piece);
		if (err)
			return err;
	}
	/* Taken off the list, so nobody frees it while the bytes are copied. */
	spin_lock(&spawner_lock);
	partial = find_partial(request->node, le32_to_cpu(piece->task.pid),
			       le64_to_cpu(piece->task.inc));
	if (partial)
		list_del(&partial->list);
	spin_unlock(&spawner_lock);
	if (!partial)
		return -ESTALE;
	if (offset != partial->received || len > partial->image.len - offset) {
		free_partial(partial);
		return -EBADMSG;
	}
	memcpy(partial->image.data + offset, piece + 1, len);
	partial->received += len;
	spin_lock(&spawner_lock);
	list_add(&partial->list, &partials);
	spin_unlock(&spawner_lock);
	if (holon_view_incarnation(request->node) != request->incarnation)
		holon_image_lost();
	/* For the orphan: a caller that was killed has nobody else to tell which. */
	return holon_reply_data(request, &piece->task, sizeof(piece->task));
}

/* --- births --------------------------------------------------------------- */

static void free_birth(struct holon_birth *birth)
{
	if (birth->owned)
		holon_image_free(&birth->image);
	holon_task_put(birth->ht);
	kfree(birth);
}

/**
 * holon_birth_end - answer the request of a birth, and forget it
 * @birth: gone afterwards
 * @status: 0 or a negative errno
 */
void holon_birth_end(struct holon_birth *birth, int status)
{
	struct holon_request *request = birth->request;

	/* The image may lie in the request. */
	free_birth(birth);
	holon_reply(request, status);
}

int holon_image_take(u8 node, pid_t pid, u64 inc, struct holon_image *image)
{
	struct partial *partial;

	spin_lock(&spawner_lock);
	partial = find_partial(node, pid, inc);
	if (partial)
		list_del(&partial->list);
	spin_unlock(&spawner_lock);
	if (!partial)
		return -ESTALE;
	if (partial->received != partial->image.len) {
		free_partial(partial);
		return -EBADMSG;
	}
	*image = partial->image;
	kfree(partial);
	return 0;
}

static int take_image(struct holon_request *request, struct holon_birth *birth)
{
	const struct holon_wire_task *task = request->data;
	int err;

	if (!(le32_to_cpu(task->flags) & HOLON_EXEC_PIECES)) {
		birth->image.data = (void *)(task + 1);
		birth->image.len = request->len - sizeof(*task);
		return 0;
	}
	err = holon_image_take(request->node, birth->pid, birth->inc, &birth->image);
	birth->owned = !err;
	return err;
}

static int holon_exec_handler(struct holon_request *request)
{
	const struct holon_wire_task *task = request->data;
	struct holon_spawner *spawner;
	struct holon_birth *birth;
	int err;

	/* Home tries again; an image that came in pieces is dropped by its ABORT. */
	if (holon_frozen())
		return -EAGAIN;
	birth = kzalloc(sizeof(*birth), GFP_KERNEL);
	if (!birth)
		return -ENOMEM;
	birth->request = request;
	birth->pid = le32_to_cpu(task->pid);
	birth->inc = le64_to_cpu(task->inc);
	err = take_image(request, birth);
	if (!err && (birth->pid <= 1 || birth->pid >= HOLON_PID_MAX || !birth->inc))
		err = -EBADMSG;
	if (err) {
		free_birth(birth);
		return err;
	}
	spin_lock(&spawner_lock);
	spawner = spawners[request->node];
	if (spawner && !spawner->lost && spawner->incarnation == request->incarnation) {
		list_add_tail(&birth->list, &spawner->births);
		wake_up(&spawner->wait);
	} else {
		err = -EAGAIN;
	}
	spin_unlock(&spawner_lock);
	if (err) {
		pr_info_ratelimited("no container for processes of node %u yet\n", request->node);
		free_birth(birth);
		return err;
	}
	return HOLON_DEFER;
}

bool __holon_set_tid(void)
{
	struct holon_task *ht = current->holon;

	return ht->role == HOLON_ROLE_SPAWNER || ht->child;
}

/* In the spawner: make the guest; it answers the request. */
static int make_guest(struct holon_spawner *spawner, u8 home, struct holon_birth *birth)
{
	struct kernel_clone_args args = {
		.flags = CLONE_VM | CLONE_UNTRACED,
		.exit_signal = SIGCHLD,
		.fn = holon_guest_main,
		.fn_arg = birth,
		.set_tid = &birth->pid,
		.set_tid_size = 1,
	};
	struct task_struct *p;
	struct holon_task *ht;
	int err;

	ht = holon_task_alloc(HOLON_ROLE_GUEST, GFP_KERNEL);
	if (!ht)
		return -ENOMEM;
	ht->home = home;
	ht->node = holon_node_id();
	ht->peer_incarnation = spawner->incarnation;
	ht->pid = birth->pid;
	ht->inc = birth->inc;
	err = holon_task_hash(ht);
	if (err) {
		holon_task_put(ht);
		return err;
	}
	birth->ht = holon_task_get(ht);
	ht->birth = birth;
	p = copy_process(NULL, 0, NUMA_NO_NODE, &args);
	if (IS_ERR(p)) {
		ht->birth = NULL;
		birth->ht = NULL;
		holon_task_unhash(ht);
		holon_task_put(ht);
		holon_task_put(ht);
		return PTR_ERR(p);
	}
	/* Before it runs: handlers find it, and it finds itself. */
	spin_lock_irq(&ht->lock);
	ht->task = p;
	spin_unlock_irq(&ht->lock);
	p->holon = ht;
	wake_up_new_task(p);
	atomic64_inc(&holon_task_stat.taken);
	return 0;
}

static struct holon_birth *next_birth(struct holon_spawner *spawner)
{
	struct holon_birth *birth;

	spin_lock(&spawner_lock);
	birth = list_first_entry_or_null(&spawner->births, struct holon_birth, list);
	if (birth)
		list_del_init(&birth->list);
	spin_unlock(&spawner_lock);
	return birth;
}

/*
 * An earlier guest of that number is on its way out. Its number becomes free in
 * the section of tasklist_lock that wakes us. Bounded: a local tracer may keep a
 * zombie, and others are waiting to be born.
 */
void holon_wait_number(pid_t nr)
{
	struct pid *pid = find_get_pid(nr);

	if (!pid)
		return;
	wait_event_interruptible_timeout(pid->wait_pidfd, !pid_has_task(pid, PIDTYPE_PID),
					 HOLON_BIRTH_WAIT);
	read_lock(&tasklist_lock);
	read_unlock(&tasklist_lock);
	put_pid(pid);
}

static int spawn(struct holon_spawner *spawner, u8 home)
{
	struct holon_birth *birth;
	int err;

	for (;;) {
		if (wait_event_interruptible(spawner->wait, !list_empty(&spawner->births) ||
					     READ_ONCE(spawner->lost)))
			return -EINTR;
		if (READ_ONCE(spawner->lost))
			return -EHOSTDOWN;
		birth = next_birth(spawner);
		if (!birth)
			continue;
		err = make_guest(spawner, home, birth);
		if (err == -ERESTARTNOINTR) {
			/* A signal is pending: whoever waits is told to try again. */
			spin_lock(&spawner_lock);
			list_add(&birth->list, &spawner->births);
			spin_unlock(&spawner_lock);
			return -EINTR;
		}
		if (err == -EEXIST && birth->tries++ < HOLON_BIRTH_TRIES) {
			holon_wait_number(birth->pid);
			spin_lock(&spawner_lock);
			list_add_tail(&birth->list, &spawner->births);
			spin_unlock(&spawner_lock);
			continue;
		}
		if (err)
			holon_birth_end(birth, err == -EEXIST ? -EAGAIN : err);
		cond_resched();
	}
}

/* --- the call of userland ------------------------------------------------- */

static int check_spawner(const struct holon_spawner_run *run)
{
	if (!run->home || run->home > HOLON_NODE_MAX || run->flags || run->reserved)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (current->holon)
		return -EBUSY;
	/* Its guests would have them. */
	if (current->seccomp.mode)
		return -EINVAL;
	if (!thread_group_empty(current) || !is_child_reaper(task_pid(current)) ||
	    task_active_pid_ns(current)->level != 1)
		return -EINVAL;
	return 0;
}

static void end_births(struct list_head *births)
{
	struct holon_birth *birth, *next;

	list_for_each_entry_safe(birth, next, births, list)
		holon_birth_end(birth, -EAGAIN);
}

static int run_spawner(u8 home)
{
	struct holon_spawner *spawner;
	struct holon_task *ht;
	LIST_HEAD(rest);
	int err = -ENOMEM;

	spawner = kzalloc(sizeof(*spawner), GFP_KERNEL);
	ht = holon_task_alloc(HOLON_ROLE_SPAWNER, GFP_KERNEL);
	if (!spawner || !ht)
		goto free;
	INIT_LIST_HEAD(&spawner->births);
	init_waitqueue_head(&spawner->wait);
	spawner->incarnation = holon_view_incarnation(home);
	err = -EHOSTDOWN;
	if (!spawner->incarnation)
		goto free;
	static_branch_enable(&holon_task_key);
	err = -EBUSY;
	spin_lock(&spawner_lock);
	if (!spawners[home]) {
		spawners[home] = spawner;
		err = 0;
	}
	spin_unlock(&spawner_lock);
	if (err)
		goto free;
	/* Lost between our look at the view and the table? */
	if (holon_view_incarnation(home) != spawner->incarnation)
		holon_spawner_lost();

	ht->home = home;
	current->holon = ht;
	err = spawn(spawner, home);
	current->holon = NULL;

	spin_lock(&spawner_lock);
	spawners[home] = NULL;
	list_splice_init(&spawner->births, &rest);
	spin_unlock(&spawner_lock);
	end_births(&rest);
free:
	holon_task_put(ht);
	kfree(spawner);
	return err;
}

static long spawner_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct holon_spawner_run run;
	int err;

	if (cmd != HOLON_SPAWNER_RUN)
		return -ENOTTY;
	if (copy_from_user(&run, (void __user *)arg, sizeof(run)))
		return -EFAULT;
	err = check_spawner(&run);
	return err ?: run_spawner(run.home);
}

/* The view has changed: spawners of homes that are gone return. */
void holon_spawner_lost(void)
{
	unsigned int home;

	spin_lock(&spawner_lock);
	for (home = 1; home < HOLON_NODE_IDS; home++) {
		struct holon_spawner *spawner = spawners[home];

		if (!spawner || holon_view_incarnation(home) == spawner->incarnation)
			continue;
		WRITE_ONCE(spawner->lost, true);
		wake_up(&spawner->wait);
	}
	spin_unlock(&spawner_lock);
}

static const struct file_operations spawner_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = spawner_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice spawner_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "holon-spawner",
	.fops = &spawner_fops,
	.mode = 0600,
};

static int __init holon_spawner_init(void)
{
	return misc_register(&spawner_device);
}
device_initcall(holon_spawner_init);
