// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control plane: what is counted. Dumps only, free for everybody; they
 * take no lock, so that the figures of one dump are from about one moment.
 *
 * A dump goes on where the last message ended: cb->args[0] is the position.
 */
#include <linux/holon_file.h>
#include <linux/holon_rpc_stats.h>
#include <linux/holon_task.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "netlink-gen.h"
#include "syscall.h"

/*
 * What a dump callback returns: a record that did not fit goes into the next
 * message, unless it would not fit into an empty one either.
 */
static int dump_result(const struct sk_buff *skb, int err)
{
	return err == -EMSGSIZE && skb->len ? skb->len : err;
}

static int fill_rpc(struct sk_buff *msg, const struct holon_rpc_type_stats *stats)
{
	static const u8 attrs[HOLON_RPC_COUNTERS] = {
		[HOLON_RPC_CALLS]	 = HOLON_A_RPC_CALLS,
		[HOLON_RPC_REPLIES]	 = HOLON_A_RPC_REPLIES,
		[HOLON_RPC_ERRORS]	 = HOLON_A_RPC_ERRORS,
		[HOLON_RPC_HOSTDOWN]	 = HOLON_A_RPC_HOSTDOWN,
		[HOLON_RPC_REFUSED]	 = HOLON_A_RPC_REFUSED,
		[HOLON_RPC_CANCELS]	 = HOLON_A_RPC_CANCELS,
		[HOLON_RPC_ORPHANED]	 = HOLON_A_RPC_ORPHANED,
		[HOLON_RPC_SENT]	 = HOLON_A_RPC_SENT,
		[HOLON_RPC_HANDLED]	 = HOLON_A_RPC_HANDLED,
		[HOLON_RPC_CANCELLED]	 = HOLON_A_RPC_CANCELLED,
		[HOLON_RPC_CREDIT_WAITS] = HOLON_A_RPC_CREDIT_WAITS,
		[HOLON_RPC_BYTES_OUT]	 = HOLON_A_RPC_BYTES_OUT,
		[HOLON_RPC_BYTES_IN]	 = HOLON_A_RPC_BYTES_IN,
	};
	unsigned int i, buckets;

	if (nla_put_u16(msg, HOLON_A_RPC_ID, stats->id) ||
	    nla_put_string(msg, HOLON_A_RPC_NAME, stats->name) ||
	    nla_put_u8(msg, HOLON_A_RPC_RANK, stats->rank))
		return -EMSGSIZE;
	for (i = 0; i < HOLON_RPC_COUNTERS; i++) {
		if (nla_put_uint(msg, attrs[i], stats->counter[i]))
			return -EMSGSIZE;
	}
	/* Nothing behind the last bucket that is in use. */
	for (buckets = HOLON_RPC_BUCKETS; buckets && !stats->latency[buckets - 1]; buckets--)
		;
	for (i = 0; i < buckets; i++) {
		if (nla_put(msg, HOLON_A_RPC_LATENCY, sizeof(u64), &stats->latency[i]))
			return -EMSGSIZE;
	}
	return 0;
}

int holon_nl_stats_rpc_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct holon_rpc_type_stats *stats;
	void *header;
	int err = 0;

	stats = kmalloc(sizeof(*stats), GFP_KERNEL);
	if (!stats)
		return -ENOMEM;
	while (holon_rpc_stats_next(cb->args[0], stats)) {
		if (memchr_inv(stats->counter, 0, sizeof(stats->counter))) {
			err = -EMSGSIZE;
			header = genlmsg_iput(skb, genl_info_dump(cb));
			if (!header)
				break;
			err = fill_rpc(skb, stats);
			if (err) {
				genlmsg_cancel(skb, header);
				break;
			}
			genlmsg_end(skb, header);
		}
		cb->args[0] = stats->id + 1;
	}
	kfree(stats);
	return dump_result(skb, err);
}

struct syscall_dump {
	struct sk_buff *skb;
	struct netlink_callback *cb;
};

static int put_syscall(const struct holon_syscall_count *count, void *arg)
{
	struct syscall_dump *dump = arg;
	struct sk_buff *skb = dump->skb;
	void *header = genlmsg_iput(skb, genl_info_dump(dump->cb));

	if (!header)
		return -EMSGSIZE;
	if (nla_put_u32(skb, HOLON_A_SYSCALL_NUMBER, count->nr) ||
	    nla_put_string(skb, HOLON_A_SYSCALL_NAME, count->name ?: "unknown") ||
	    nla_put_uint(skb, HOLON_A_SYSCALL_FORWARDED, count->forwarded) ||
	    nla_put_uint(skb, HOLON_A_SYSCALL_REFUSED, count->refused)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	dump->cb->args[0] = count->nr + 1;
	return 0;
}

int holon_nl_stats_syscall_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct syscall_dump dump = { .skb = skb, .cb = cb };

	return dump_result(skb, holon_syscall_stats(cb->args[0], put_syscall, &dump));
}

static bool task_count_at(unsigned long position, const char **name, u64 *value)
{
	struct holon_task_counts counts;

	holon_task_counts(&counts);

	const struct {
		const char *name;
		u64 value;
	} all[] = {
		{ "placed", counts.placed },
		{ "taken", counts.taken },
		{ "refused", counts.refused },
		{ "signals", counts.signals },
		{ "moved", counts.moved },
		{ "homed", counts.homed },
		{ "deputies", counts.deputies },
		{ "guests", counts.guests },
		{ "spawners", counts.spawners },
		{ "files-exported", holon_export_count() },
		{ "files-mapped", holon_paged_files() },
		{ "files-hosted", holon_hosted_files() },
	};

	if (position >= ARRAY_SIZE(all))
		return false;
	*name = all[position].name;
	*value = all[position].value;
	return true;
}

/* Counter number @position of all groups. Return: false behind the last. */
static bool counter_at(unsigned long position, const char **group, const char **name, u64 *value)
{
	if (position < HOLON_TRANSPORT_COUNTERS) {
		*group = "transport";
		*name = holon_transport_counter_name(position);
		*value = holon_transport_counter(position);
		return true;
	}
	position -= HOLON_TRANSPORT_COUNTERS;
	if (position < HOLON_RPC_GAUGES) {
		*group = "rpc";
		*name = holon_rpc_gauge_name(position);
		*value = holon_rpc_gauge(position);
		return true;
	}
	*group = "task";
	return task_count_at(position - HOLON_RPC_GAUGES, name, value);
}

int holon_nl_stats_counter_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const char *group, *name;
	void *header;
	int err = 0;
	u64 value;

	for (; counter_at(cb->args[0], &group, &name, &value); cb->args[0]++) {
		err = -EMSGSIZE;
		header = genlmsg_iput(skb, genl_info_dump(cb));
		if (!header)
			break;
		if (nla_put_string(skb, HOLON_A_COUNTER_GROUP, group) ||
		    nla_put_string(skb, HOLON_A_COUNTER_NAME, name) ||
		    nla_put_uint(skb, HOLON_A_COUNTER_VALUE, value)) {
			genlmsg_cancel(skb, header);
			break;
		}
		genlmsg_end(skb, header);
		err = 0;
	}
	return dump_result(skb, err);
}
