// SPDX-License-Identifier: GPL-2.0-only
/*
 * Readiness of remote files.
 *
 * ->poll must not wait for a message: epoll calls it under its mutex. So it
 * answers from what home has said last, and asks with a one-way message when
 * that is not known. Home watches the real file with a poll table of its own
 * and pushes its mask, once as an answer and again at every wake-up, until the
 * descriptor is closed there. What a guest does to the file itself makes the
 * mask unknown.
 *
 *	guest				home
 *	POLL_ASK {fd, id, sequence} -> watch (made at the first one)
 *	mask, wake-up		    <- POLL_MASK {id, sequence, mask}
 *
 * Both travel on HOLON_FWD. Questions of a node have one sequence, and home
 * drops what comes after a later one about the same number. A mask that answers
 * no current question is dropped: the guest may have used the file since. But
 * something happened, so who waits asks again.
 *
 * A ->poll may sleep for as long as it likes (FUSE), and a view change waits for
 * handlers: so they only write the question down, and a work per watch looks and
 * sends. It never runs beside itself, so an older look is not sent after a newer
 * one. Who ends a watch waits for its own work, and for no other.
 *
 * Locks: xa_lock of holon_task->watches > task_lock(); xa_lock of remote_table >
 * remote->lock. All of them are spinlocks of process context. Wake-ups come
 * under wait queue locks and only queue work; a question may come under
 * files->file_lock.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/holon.h>
#include <linux/holon_file.h>
#include <linux/holon_rpc.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "../../kernel/holon/task.h"
#include "remote.h"

struct wire_ask {
	__le64 inc;
	__le64 sequence;
	__le32 pid;
	__le32 fd;
	__le32 id;
	__le32 pad;
};

struct wire_mask {
	__le64 inc;
	__le64 sequence;
	__le32 pid;
	__le32 id;
	__le32 mask;
	__le32 pad;
};

static int poll_ask(struct holon_request *request);
static int poll_mask(struct holon_request *request);

static HOLON_RPC(poll_ask, HOLON_RPC_ID_POLL_ASK, HOLON_FWD, HOLON_RPC_ONEWAY,
		 sizeof(struct wire_ask), poll_ask);
static HOLON_RPC(poll_mask, HOLON_RPC_ID_POLL_MASK, HOLON_FWD,
		 HOLON_RPC_INLINE | HOLON_RPC_ONEWAY, sizeof(struct wire_mask), poll_mask);

/* --- guest ----------------------------------------------------------------- */

static DEFINE_XARRAY_ALLOC1(remote_table);
static u32 remote_next;

int holon_remote_register(struct holon_remote *remote)
{
	int err = xa_alloc_cyclic(&remote_table, &remote->id, remote, xa_limit_32b, &remote_next,
				  GFP_KERNEL);

	return err < 0 ? err : 0;
}

void holon_remote_unregister(struct holon_remote *remote)
{
	xa_erase(&remote_table, remote->id);
}

static void ask_again(struct work_struct *work);
static DECLARE_DELAYED_WORK(ask_again_work, ask_again);

/* Ask home, unless it watches; the answer comes by itself. Any context. */
static void remote_ask(struct holon_remote *remote)
{
	static atomic64_t last_sequence;
	struct wire_ask msg = {
		.inc = cpu_to_le64(remote->ht->inc),
		.pid = cpu_to_le32(remote->ht->pid),
		.id = cpu_to_le32(remote->id),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };
	bool ask = false;

	spin_lock(&remote->lock);
	if (!remote->watched && remote->fd >= 0) {
		ask = true;
		remote->watched = true;
		remote->sequence = atomic64_inc_return(&last_sequence);
		msg.fd = cpu_to_le32(remote->fd);
		msg.sequence = cpu_to_le64(remote->sequence);
	}
	spin_unlock(&remote->lock);
	if (!ask || holon_send(remote->ht->home, &holon_rpc_poll_ask, &vec, 1, GFP_ATOMIC) !=
	    -ENOMEM)
		return;
	/* Who polls may be asleep when there is memory again. */
	spin_lock(&remote->lock);
	remote->watched = false;
	spin_unlock(&remote->lock);
	schedule_delayed_work(&ask_again_work, HZ / 10);
}

/* What could not be asked when it was to be asked. */
static void ask_again(struct work_struct *work)
{
	struct holon_remote *remote;
	unsigned long id;

	xa_lock(&remote_table);
	xa_for_each(&remote_table, id, remote)
		/* Who is not there yet asks when it has queued itself. */
		if (waitqueue_active(&remote->wait))
			remote_ask(remote);
	xa_unlock(&remote_table);
}

/* Nothing is known any more, and no mask that is under way says more. */
static void remote_forget(struct holon_remote *remote)
{
	lockdep_assert_held(&remote->lock);
	remote->known = false;
	remote->watched = false;
	remote->sequence = 0;
}

__poll_t holon_remote_poll(struct file *file, struct poll_table_struct *table)
{
	struct holon_remote *remote = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &remote->wait, table);
	spin_lock(&remote->lock);
	if (remote->known)
		mask = remote->mask;
	spin_unlock(&remote->lock);
	/* Also when all is known: from now on somebody waits for changes. */
	remote_ask(remote);
	return mask;
}

void holon_remote_touch(struct file *file)
{
	struct holon_remote *remote = file->private_data;

	spin_lock(&remote->lock);
	remote_forget(remote);
	spin_unlock(&remote->lock);
}

void holon_remote_set_fd(struct file *file, int fd)
{
	struct holon_remote *remote = file->private_data;

	spin_lock(&remote->lock);
	WRITE_ONCE(remote->fd, fd);
	remote_forget(remote);	/* home watches a number */
	spin_unlock(&remote->lock);
	/* An epoll that waits does not call ->poll again. */
	if (waitqueue_active(&remote->wait))
		remote_ask(remote);
}

void holon_remote_mask(struct file *file, __poll_t mask)
{
	struct holon_remote *remote = file->private_data;

	spin_lock(&remote->lock);
	/* A push may have overtaken the reply: a new question settles it. */
	if (remote->known && remote->mask != mask)
		remote->watched = false;
	remote->mask = mask;
	remote->known = true;
	spin_unlock(&remote->lock);
	remote_ask(remote);
	if (mask)
		wake_up_poll(&remote->wait, mask);
}

void holon_remote_watch(struct file *file)
{
	remote_ask(file->private_data);
}

unsigned int holon_remote_unknown(struct holon_task *ht, unsigned long *cursor, int *fds,
				  unsigned int max)
{
	struct holon_remote *remote;
	unsigned long id;
	unsigned int n = 0;
	int fd;

	xa_lock(&remote_table);
	xa_for_each_start(&remote_table, id, remote, *cursor) {
		if (n == max)
			break;
		*cursor = id + 1;
		fd = READ_ONCE(remote->fd);
		/* Only a hint: one that is missed is asked for by ->poll. */
		if (remote->ht == ht->leader && !remote->known && waitqueue_active(&remote->wait) &&
		    fd >= 0)
			fds[n++] = fd;
	}
	xa_unlock(&remote_table);
	return n;
}

/* Runs in the receive work. */
static int poll_mask(struct holon_request *request)
{
	const struct wire_mask *msg = request->data;
	struct holon_remote *remote;
	__poll_t mask = (__force __poll_t)le32_to_cpu(msg->mask);

	rcu_read_lock();
	remote = xa_load(&remote_table, le32_to_cpu(msg->id));
	if (remote && remote->ht->home == request->node &&
	    remote->ht->pid == le32_to_cpu(msg->pid) && remote->ht->inc == le64_to_cpu(msg->inc)) {
		bool ask;

		spin_lock(&remote->lock);
		ask = !remote->watched;
		if (remote->sequence == le64_to_cpu(msg->sequence)) {
			remote->mask = mask;
			remote->known = true;
		} else {
			mask = 0;
		}
		spin_unlock(&remote->lock);
		if (mask)
			wake_up_poll(&remote->wait, mask);
		/* Not from here: a handler sends no message of its own rank. */
		if (ask && waitqueue_active(&remote->wait))
			mod_delayed_work(system_wq, &ask_again_work, 0);
	}
	rcu_read_unlock();
	return 0;
}

/* --- home ------------------------------------------------------------------ */

struct watch_entry {
	struct list_head list;
	wait_queue_entry_t wait;
	wait_queue_head_t *head;	/* NULL once the head has gone */
	struct watch *watch;
};

/**
 * struct watch - home looks after one file for a guest
 * @list: of those that are to be freed
 * @ht: of the deputy, its leader; the entry in ->watches is at @fd
 * @file: the real file
 * @fd: its number
 * @id: what the guest calls it; under xa_lock of ->watches
 * @sequence: of the last question; under xa_lock of ->watches
 * @entries: on the wait queues of the file; of @work alone, then of who frees
 * @hooked: @entries have been made; the same
 * @table: makes them
 * @work: looks, and sends the mask
 */
struct watch {
	struct list_head list;
	struct holon_task *ht;
	struct file *file;
	unsigned int fd;
	u32 id;
	u64 sequence;
	struct list_head entries;
	bool hooked;
	struct poll_table_struct table;
	struct work_struct work;
};

/* Not the system's: a ->poll that hangs must not take others' workers. */
static struct workqueue_struct *watch_queue __ro_after_init;

static void watch_work(struct work_struct *work)
{
	struct watch *watch = container_of(work, struct watch, work);
	struct holon_task *ht = watch->ht;
	struct wire_mask msg = {
		.inc = cpu_to_le64(ht->inc),
		.pid = cpu_to_le32(ht->pid),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };
	__poll_t mask;

	/* First the question, then the look: the answer is never older. */
	xa_lock(&ht->watches);
	msg.id = cpu_to_le32(watch->id);
	msg.sequence = cpu_to_le64(watch->sequence);
	xa_unlock(&ht->watches);
	mask = vfs_poll(watch->file, watch->hooked ? NULL : &watch->table);
	watch->hooked = true;
	msg.mask = cpu_to_le32((__force u32)mask);
	/* A guest whose node has gone needs no answer. */
	holon_send(ht->node, &holon_rpc_poll_mask, &vec, 1, GFP_KERNEL | __GFP_NOFAIL);
}

/* Under the lock of the file's wait queue. */
static int watch_wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct watch_entry *entry = container_of(wait, struct watch_entry, wait);

	if (key_to_poll(key) & POLLFREE) {
		list_del_init(&wait->entry);
		/* Pairs with watch_free(): the entry is off the list before. */
		smp_store_release(&entry->head, NULL);
		return 1;
	}
	queue_work(watch_queue, &entry->watch->work);
	return 1;
}

static void watch_hook(struct file *file, wait_queue_head_t *head, poll_table *table)
{
	struct watch *watch = container_of(table, struct watch, table);
	/* With one missing a guest would sleep for ever. */
	struct watch_entry *entry = kzalloc(sizeof(*entry), GFP_KERNEL | __GFP_NOFAIL);

	entry->head = head;
	entry->watch = watch;
	init_waitqueue_func_entry(&entry->wait, watch_wake);
	list_add(&entry->list, &watch->entries);
	add_wait_queue(head, &entry->wait);
}

/* It is in no table any more. Waits for ->poll of its file. */
static void watch_free(struct watch *watch)
{
	struct watch_entry *entry, *next;
	wait_queue_head_t *head;

	/* From here on wake-ups queue nothing. */
	disable_work_sync(&watch->work);
	list_for_each_entry_safe(entry, next, &watch->entries, list) {
		/* A head that goes away does so after RCU has been waited for. */
		rcu_read_lock();
		/* Pairs with watch_wake(). */
		head = smp_load_acquire(&entry->head);
		if (head)
			remove_wait_queue(head, &entry->wait);
		rcu_read_unlock();
		kfree(entry);
	}
	fput(watch->file);
	holon_task_put(watch->ht);
	kfree(watch);
}

/* Does the number still stand for the file? */
static bool watch_valid(const struct watch *watch)
{
	bool valid;

	rcu_read_lock();
	valid = files_lookup_fd_raw(current->files, watch->fd) == watch->file;
	rcu_read_unlock();
	return valid;
}

static void watch_end(struct holon_task *ht, unsigned int first, unsigned int last, bool all)
{
	struct watch *watch, *next;
	unsigned long fd;
	LIST_HEAD(list);

	ht = ht->leader;
	xa_lock(&ht->watches);
	xa_for_each_range(&ht->watches, fd, watch, first, last) {
		if (!all && watch_valid(watch))
			continue;
		__xa_erase(&ht->watches, fd);
		list_add(&watch->list, &list);
	}
	xa_unlock(&ht->watches);
	list_for_each_entry_safe(watch, next, &list, list)
		watch_free(watch);
}

void holon_watch_drop(struct holon_task *ht, unsigned int first, unsigned int last)
{
	watch_end(ht, first, last, true);
}

void holon_watch_prune(struct holon_task *ht, unsigned int first, unsigned int last)
{
	watch_end(ht, first, last, false);
}

/* Write the question down. Return: false when nobody watches the number. */
static bool watch_ask(struct holon_task *ht, const struct wire_ask *msg)
{
	struct watch *watch = xa_load(&ht->watches, le32_to_cpu(msg->fd));

	lockdep_assert_held(&ht->watches.xa_lock);
	if (!watch)
		return false;
	/* Handlers run side by side. */
	if (le64_to_cpu(msg->sequence) > watch->sequence) {
		watch->sequence = le64_to_cpu(msg->sequence);
		watch->id = le32_to_cpu(msg->id);
		queue_work(watch_queue, &watch->work);
	}
	return true;
}

/*
 * The file that is behind the number now. A question may come late, when its
 * file is closed or even the guest has gone; who closes and who exits looks at
 * ->watches afterwards, under xa_lock.
 */
static struct file *watch_file(struct holon_task *ht, unsigned int fd)
{
	enum holon_task_state state = READ_ONCE(ht->state);
	struct task_struct *task, *t;
	struct file *file = NULL;

	lockdep_assert_held(&ht->watches.xa_lock);
	/*
	 * Of a child, or when it moves, the guest may be faster than its deputy; a
	 * leader may have exited before other threads.
	 */
	if (READ_ONCE(ht->lost) ||
	    (READ_ONCE(ht->threads) == 1 &&
	     ((state != HOLON_TASK_STABLE && state != HOLON_TASK_FORKED &&
	       state != HOLON_TASK_MOVING) || READ_ONCE(ht->exited))))
		return NULL;
	task = holon_task_of(ht);
	if (!task)
		return NULL;
	/* They share the table, until each gives it up in its exit. */
	rcu_read_lock();
	for_each_thread(task, t) {
		file = fget_task(t, fd);
		if (file)
			break;
	}
	rcu_read_unlock();
	put_task_struct(task);
	return file;
}

static void watch_new(struct holon_task *ht, const struct wire_ask *msg)
{
	/* Nobody would ask again. */
	const gfp_t gfp = GFP_NOIO | __GFP_NOFAIL;
	unsigned int fd = le32_to_cpu(msg->fd);
	struct watch *watch = kzalloc(sizeof(*watch), gfp);

	watch->fd = fd;
	INIT_LIST_HEAD(&watch->entries);
	INIT_WORK(&watch->work, watch_work);
	init_poll_funcptr(&watch->table, watch_hook);
	xa_lock(&ht->watches);
	/* Allocates without the lock, but holds it from the store on. */
	if (__xa_insert(&ht->watches, fd, watch, gfp)) {
		kfree(watch);
		watch_ask(ht, msg);
		xa_unlock(&ht->watches);
		return;
	}
	watch->file = watch_file(ht, fd);
	if (watch->file) {
		watch->ht = holon_task_get(ht);
		watch_ask(ht, msg);
	} else {
		__xa_erase(&ht->watches, fd);
		kfree(watch);
	}
	xa_unlock(&ht->watches);
}

static int poll_ask(struct holon_request *request)
{
	const struct wire_ask *msg = request->data;
	struct holon_task *ht;
	bool known = true;

	ht = holon_task_find(HOLON_ROLE_DEPUTY, holon_node_id(), le32_to_cpu(msg->pid),
			     le64_to_cpu(msg->inc));
	if (!ht)
		return 0;
	if (ht->node == request->node) {
		xa_lock(&ht->watches);
		known = watch_ask(ht, msg);
		xa_unlock(&ht->watches);
	}
	if (!known)
		watch_new(ht, msg);
	holon_task_put(ht);
	return 0;
}

static int __init watch_init(void)
{
	watch_queue = alloc_workqueue("holon_poll", WQ_UNBOUND, 0);
	return watch_queue ? 0 : -ENOMEM;
}
subsys_initcall(watch_init);
