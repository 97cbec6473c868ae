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
 *	POLL_ASK {fd, id, generation} -> watch (made at the first one)
 *	mask, wake-up		      <- POLL_MASK {id, generation, mask}
 *
 * Both travel on HOLON_FWD. An answer to a question before the last one is
 * dropped: the guest may have used the file since.
 *
 * Locks: watch_mutex > (locks of ->poll). remote->lock and watch->lock are
 * innermost. Wake-ups come under wait queue locks and only queue work.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/holon.h>
#include <linux/holon_file.h>
#include <linux/holon_rpc.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "../../kernel/holon/task.h"
#include "remote.h"

struct wire_ask {
	__le64 inc;
	__le32 pid;
	__le32 fd;
	__le32 id;
	__le32 generation;
};

struct wire_mask {
	__le64 inc;
	__le32 pid;
	__le32 id;
	__le32 generation;
	__le32 mask;
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

/* Ask home; the answer comes by itself. Any context. */
static void remote_ask(struct holon_remote *remote)
{
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
		msg.fd = cpu_to_le32(remote->fd);
		msg.generation = cpu_to_le32(++remote->generation);
	}
	spin_unlock(&remote->lock);
	if (!ask || !holon_send(remote->ht->home, &holon_rpc_poll_ask, &vec, 1, GFP_ATOMIC))
		return;
	spin_lock(&remote->lock);
	remote->watched = false;	/* the next ->poll tries again */
	spin_unlock(&remote->lock);
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
	remote->known = false;
	remote->watched = false;
	spin_unlock(&remote->lock);
}

void holon_remote_mask(struct file *file, __poll_t mask)
{
	struct holon_remote *remote = file->private_data;

	spin_lock(&remote->lock);
	remote->mask = mask;
	remote->known = true;
	spin_unlock(&remote->lock);
	if (mask)
		wake_up_poll(&remote->wait, mask);
}

unsigned int holon_remote_unknown(struct holon_task *ht, struct file **files, int *fds,
				  unsigned int max)
{
	struct holon_remote *remote;
	unsigned long id;
	unsigned int n = 0;

	xa_lock(&remote_table);
	xa_for_each(&remote_table, id, remote) {
		if (n == max)
			break;
		/* Only a hint: one that is missed is asked for by ->poll. */
		if (remote->ht != ht || remote->known || !waitqueue_active(&remote->wait) ||
		    remote->fd < 0)
			continue;
		/* It may be on its way out: entries leave the table in release. */
		if (!get_file_active(&remote->file))
			continue;
		files[n] = remote->file;
		fds[n++] = remote->fd;
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
		spin_lock(&remote->lock);
		if (remote->generation == le32_to_cpu(msg->generation)) {
			remote->mask = mask;
			remote->known = true;
		} else {
			mask = 0;
		}
		spin_unlock(&remote->lock);
		if (mask)
			wake_up_poll(&remote->wait, mask);
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
 * @hash: in watches, under watch_mutex
 * @ht: of the deputy
 * @file: the real file
 * @fd: its number
 * @lock: protects @generation and entries' heads
 * @generation: of the last question
 * @entries: on the wait queues of the file
 * @error: an entry could not be made
 * @work: sends the mask
 */
struct watch {
	struct hlist_node hash;
	struct holon_task *ht;
	struct file *file;
	unsigned int fd;
	u32 id;
	spinlock_t lock;	/* see above */
	u32 generation;
	struct list_head entries;
	bool error;
	struct poll_table_struct table;
	struct work_struct work;
};

static DEFINE_MUTEX(watch_mutex);
static DEFINE_HASHTABLE(watches, 8);
static atomic_t watch_count;

static void watch_send(struct watch *watch)
{
	struct wire_mask msg = {
		.inc = cpu_to_le64(watch->ht->inc),
		.pid = cpu_to_le32(watch->ht->pid),
		.id = cpu_to_le32(watch->id),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };
	__poll_t mask;

	/* First the question, then the look: the answer is never older. */
	spin_lock_irq(&watch->lock);
	msg.generation = cpu_to_le32(watch->generation);
	spin_unlock_irq(&watch->lock);
	mask = vfs_poll(watch->file, NULL);
	msg.mask = cpu_to_le32((__force u32)mask);
	/* A guest whose node has gone needs no answer. */
	holon_send(watch->ht->node, &holon_rpc_poll_mask, &vec, 1, GFP_KERNEL);
}

static void watch_work(struct work_struct *work)
{
	watch_send(container_of(work, struct watch, work));
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
	queue_work(system_unbound_wq, &entry->watch->work);
	return 1;
}

static void watch_queue(struct file *file, wait_queue_head_t *head, poll_table *table)
{
	struct watch *watch = container_of(table, struct watch, table);
	struct watch_entry *entry = kzalloc(sizeof(*entry), GFP_KERNEL);

	if (!entry) {
		watch->error = true;
		return;
	}
	entry->head = head;
	entry->watch = watch;
	init_waitqueue_func_entry(&entry->wait, watch_wake);
	list_add(&entry->list, &watch->entries);
	add_wait_queue(head, &entry->wait);
}

static void watch_free(struct watch *watch)
{
	struct watch_entry *entry, *next;
	wait_queue_head_t *head;

	lockdep_assert_held(&watch_mutex);
	hash_del(&watch->hash);
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
	cancel_work_sync(&watch->work);
	fput(watch->file);
	holon_task_put(watch->ht);
	kfree(watch);
	atomic_dec(&watch_count);
}

static struct watch *watch_find(struct holon_task *ht, unsigned int fd)
{
	struct watch *watch;

	lockdep_assert_held(&watch_mutex);
	hash_for_each_possible(watches, watch, hash, (unsigned long)ht)
		if (watch->ht == ht && watch->fd == fd)
			return watch;
	return NULL;
}

void holon_watch_drop(struct holon_task *ht, unsigned int first, unsigned int last)
{
	struct watch *watch;
	struct hlist_node *next;

	if (!atomic_read(&watch_count))
		return;
	mutex_lock(&watch_mutex);
	hash_for_each_possible_safe(watches, watch, next, hash, (unsigned long)ht)
		if (watch->ht == ht && watch->fd >= first && watch->fd <= last)
			watch_free(watch);
	mutex_unlock(&watch_mutex);
}

static struct watch *watch_new(struct holon_task *ht, unsigned int fd, u32 id)
{
	struct task_struct *task = holon_task_of(ht);
	struct watch *watch;
	struct file *file;

	lockdep_assert_held(&watch_mutex);
	if (!task)
		return NULL;
	file = fget_task(task, fd);
	put_task_struct(task);
	if (!file)
		return NULL;
	watch = kzalloc(sizeof(*watch), GFP_KERNEL);
	if (!watch) {
		fput(file);
		return NULL;
	}
	watch->ht = holon_task_get(ht);
	watch->file = file;
	watch->fd = fd;
	watch->id = id;
	spin_lock_init(&watch->lock);
	INIT_LIST_HEAD(&watch->entries);
	INIT_WORK(&watch->work, watch_work);
	hash_add(watches, &watch->hash, (unsigned long)ht);
	atomic_inc(&watch_count);
	init_poll_funcptr(&watch->table, watch_queue);
	vfs_poll(file, &watch->table);
	if (watch->error) {
		watch_free(watch);
		return NULL;
	}
	return watch;
}

static int poll_ask(struct holon_request *request)
{
	const struct wire_ask *msg = request->data;
	unsigned int fd = le32_to_cpu(msg->fd);
	struct holon_task *ht;
	struct watch *watch;

	ht = holon_task_find(HOLON_ROLE_DEPUTY, holon_node_id(), le32_to_cpu(msg->pid),
			     le64_to_cpu(msg->inc));
	if (!ht)
		return 0;
	mutex_lock(&watch_mutex);
	if (ht->node == request->node && READ_ONCE(ht->state) == HOLON_TASK_STABLE) {
		watch = watch_find(ht, fd);
		if (watch && watch->id != le32_to_cpu(msg->id)) {
			watch_free(watch);
			watch = NULL;
		}
		if (!watch)
			watch = watch_new(ht, fd, le32_to_cpu(msg->id));
		if (watch) {
			spin_lock_irq(&watch->lock);
			watch->generation = le32_to_cpu(msg->generation);
			spin_unlock_irq(&watch->lock);
			watch_send(watch);
		}
	}
	mutex_unlock(&watch_mutex);
	holon_task_put(ht);
	return 0;
}
