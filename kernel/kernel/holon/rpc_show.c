// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the RPC layer has done and is doing, under /sys/kernel/debug/holon:
 *
 *	rpc	all counters
 *	open	calls that have not ended, and requests without a reply; a line
 *		each: "call|request NODE ID TYPE", how long, and what is special
 */
#include <linux/debugfs.h>
#include <linux/holon_debugfs.h>
#include <linux/init.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "rpc.h"

/* One "NAME VALUE" a line; of types "TYPE.NAME VALUE", those that are not 0. */
static int rpc_show(struct seq_file *seq, void *unused)
{
	struct holon_rpc_type_stats *stats;
	unsigned int id = 0;
	int i;

	stats = kmalloc(sizeof(*stats), GFP_KERNEL);
	if (!stats)
		return -ENOMEM;
	for (i = 0; i < HOLON_TRANSPORT_COUNTERS; i++)
		seq_printf(seq, "transport.%s %llu\n", holon_transport_counter_name(i),
			   holon_transport_counter(i));
	for (i = 0; i < HOLON_RPC_GAUGES; i++)
		seq_printf(seq, "rpc.%s %llu\n", holon_rpc_gauge_name(i), holon_rpc_gauge(i));
	while (holon_rpc_stats_next(id, stats)) {
		id = stats->id + 1;
		for (i = 0; i < HOLON_RPC_COUNTERS; i++) {
			if (stats->counter[i])
				seq_printf(seq, "%s.%s %llu\n", stats->name,
					   holon_rpc_counter_name(i), stats->counter[i]);
		}
		for (i = 0; i < HOLON_RPC_BUCKETS; i++) {
			if (stats->latency[i])
				seq_printf(seq, "%s.us-%u %llu\n", stats->name, 1U << i,
					   stats->latency[i]);
		}
	}
	kfree(stats);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(rpc);

static void show_calls(struct seq_file *seq, struct rpc_node *node)
{
	struct rpc_request *request;
	struct rpc_call *call;
	int bucket;

	spin_lock_irq(&node->lock);
	hash_for_each(node->calls, bucket, call, hash)
		seq_printf(seq, "call %u %llu %s %lld ms%s\n", node->id, call->id, call->type->name,
			   ktime_ms_delta(ktime_get(), call->start),
			   call->orphaned ? " orphaned" : "");
	hash_for_each(node->requests, bucket, request, hash)
		seq_printf(seq, "request %u %llu %s%s%s%s\n", node->id, request->call,
			   request->public.type->name, request->deferred ? " deferred" : "",
			   request->cancelled ? " cancelled" : "",
			   request->public.incarnation == node->incarnation ? "" : " stray");
	spin_unlock_irq(&node->lock);
}

static int open_show(struct seq_file *seq, void *unused)
{
	unsigned int id;

	for (id = 1; id < HOLON_NODE_IDS; id++) {
		struct rpc_node *node = rpc_node_find(id);

		if (node)
			show_calls(seq, node);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(open);

static int __init rpc_show_init(void)
{
	debugfs_create_file("rpc", 0400, holon_debugfs(), NULL, &rpc_fops);
	debugfs_create_file("open", 0400, holon_debugfs(), NULL, &open_fops);
	return 0;
}
late_initcall(rpc_show_init);
