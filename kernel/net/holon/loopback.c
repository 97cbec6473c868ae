// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages of this node to itself. They take the way of all others, an ordered
 * queue per rank and a work that delivers, so that a caller never runs a
 * handler in its own context and meets the same order as on the wire.
 */
#include <linux/init.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "net.h"

struct loopback {
	spinlock_t lock;		/* irq-safe; protects queue */
	struct list_head queue;
	struct delayed_work work;
	enum holon_rank rank;
};

static struct loopback loopback[HOLON_RANKS];

static struct holon_message *loopback_next(struct loopback *loop)
{
	struct holon_message *message;

	spin_lock_irq(&loop->lock);
	message = list_first_entry_or_null(&loop->queue, struct holon_message, link);
	if (message)
		list_del_init(&message->link);
	spin_unlock_irq(&loop->lock);
	return message;
}

static void loopback_work(struct work_struct *work)
{
	struct loopback *loop = container_of(to_delayed_work(work), struct loopback, work);
	struct holon_message *message;
	struct holon_peer_id self;
	struct holon_ident ident;

	holon_node_ident(&ident);
	self = (struct holon_peer_id){ .node = ident.id, .incarnation = ident.incarnation };
	while ((message = loopback_next(loop))) {
		if (loop->rank == HOLON_CONTROL) {
			if (holon_net_events)
				holon_net_events->control(&self, le16_to_cpu(message->frame.type),
							  message->data,
							  le32_to_cpu(message->frame.length));
			holon_message_free(message);
			continue;
		}
		if (holon_rpc_receive(&self, loop->rank, message) == -ENOMEM) {
			spin_lock_irq(&loop->lock);
			list_add(&message->link, &loop->queue);
			spin_unlock_irq(&loop->lock);
			queue_delayed_work(holon_net_wq, &loop->work, HZ / 100 + 1);
			return;
		}
	}
}

void holon_loopback_queue(struct holon_message *message)
{
	struct loopback *loop = &loopback[message->frame.rank];
	unsigned long flags;

	spin_lock_irqsave(&loop->lock, flags);
	list_add_tail(&message->link, &loop->queue);
	spin_unlock_irqrestore(&loop->lock, flags);
	queue_delayed_work(holon_net_wq, &loop->work, 0);
}

/* Deliver what is queued; what it causes to be queued, too. */
void holon_loopback_stop(void)
{
	int rank;

	for (rank = HOLON_RANKS - 1; rank >= 0; rank--)
		flush_delayed_work(&loopback[rank].work);
}

static int __init loopback_init(void)
{
	int rank;

	for (rank = 0; rank < HOLON_RANKS; rank++) {
		spin_lock_init(&loopback[rank].lock);
		INIT_LIST_HEAD(&loopback[rank].queue);
		INIT_DELAYED_WORK(&loopback[rank].work, loopback_work);
		loopback[rank].rank = rank;
	}
	return 0;
}
core_initcall(loopback_init);
