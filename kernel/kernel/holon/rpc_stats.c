// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of call types, and what is counted about each.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/log2.h>
#include <linux/percpu.h>

#include "rpc.h"

struct type_stats {
	u64 counter[HOLON_RPC_COUNTERS];
	u64 latency[HOLON_RPC_BUCKETS];
};

/* Filled by initcalls, read-only afterwards. */
static const struct holon_rpc_type *types[HOLON_RPC_ID_MAX + 1];
static struct type_stats __percpu *type_stats[HOLON_RPC_ID_MAX + 1];
static atomic64_t gauges[HOLON_RPC_GAUGES];

int holon_rpc_register(const struct holon_rpc_type *type)
{
	struct type_stats __percpu *stats;

	if (WARN_ON(!type->id || type->id > HOLON_RPC_ID_MAX || type->rank <= HOLON_CONTROL ||
		    type->rank >= HOLON_RANKS || !type->handler))
		return -EINVAL;
	if (WARN(types[type->id], "holon: types %s and %s have the same id %u\n", type->name,
		 types[type->id]->name, type->id))
		return -EEXIST;
	stats = alloc_percpu(struct type_stats);
	if (!stats)
		return -ENOMEM;
	type_stats[type->id] = stats;
	types[type->id] = type;
	return 0;
}

const struct holon_rpc_type *rpc_type(unsigned int id)
{
	return id <= HOLON_RPC_ID_MAX ? types[id] : NULL;
}

void rpc_add(const struct holon_rpc_type *type, enum holon_rpc_counter counter, u64 value)
{
	this_cpu_add(type_stats[type->id]->counter[counter], value);
}

void rpc_count(const struct holon_rpc_type *type, enum holon_rpc_counter counter)
{
	rpc_add(type, counter, 1);
}

unsigned int rpc_latency_bucket(u64 us)
{
	return us ? min_t(unsigned int, ilog2(us), HOLON_RPC_BUCKETS - 1) : 0;
}

void rpc_latency(const struct holon_rpc_type *type, ktime_t start)
{
	u64 us = ktime_us_delta(ktime_get(), start);

	this_cpu_inc(type_stats[type->id]->latency[rpc_latency_bucket(us)]);
}

void rpc_gauge_add(enum holon_rpc_gauge gauge, int value)
{
	atomic64_add(value, &gauges[gauge]);
}

bool holon_rpc_stats_next(unsigned int id, struct holon_rpc_type_stats *stats)
{
	int cpu, i;

	while (id <= HOLON_RPC_ID_MAX && !types[id])
		id++;
	if (id > HOLON_RPC_ID_MAX)
		return false;
	memset(stats, 0, sizeof(*stats));
	stats->name = types[id]->name;
	stats->id = id;
	stats->rank = types[id]->rank;
	for_each_possible_cpu(cpu) {
		const struct type_stats *from = per_cpu_ptr(type_stats[id], cpu);

		for (i = 0; i < HOLON_RPC_COUNTERS; i++)
			stats->counter[i] += READ_ONCE(from->counter[i]);
		for (i = 0; i < HOLON_RPC_BUCKETS; i++)
			stats->latency[i] += READ_ONCE(from->latency[i]);
	}
	return true;
}

const char *holon_rpc_counter_name(enum holon_rpc_counter counter)
{
	static const char * const names[HOLON_RPC_COUNTERS] = {
		[HOLON_RPC_CALLS]	= "calls",
		[HOLON_RPC_REPLIES]	= "replies",
		[HOLON_RPC_ERRORS]	= "errors",
		[HOLON_RPC_HOSTDOWN]	= "hostdown",
		[HOLON_RPC_REFUSED]	= "refused",
		[HOLON_RPC_CANCELS]	= "cancels",
		[HOLON_RPC_ORPHANED]	= "orphaned",
		[HOLON_RPC_SENT]	= "sent",
		[HOLON_RPC_HANDLED]	= "handled",
		[HOLON_RPC_CANCELLED]	= "cancelled",
		[HOLON_RPC_CREDIT_WAITS] = "credit-waits",
		[HOLON_RPC_BYTES_OUT]	= "bytes-out",
		[HOLON_RPC_BYTES_IN]	= "bytes-in",
	};

	return counter < HOLON_RPC_COUNTERS ? names[counter] : NULL;
}

u64 holon_rpc_gauge(enum holon_rpc_gauge gauge)
{
	return atomic64_read(&gauges[gauge]);
}

const char *holon_rpc_gauge_name(enum holon_rpc_gauge gauge)
{
	static const char * const names[HOLON_RPC_GAUGES] = {
		[HOLON_RPC_CALLS_OPEN]	  = "calls-open",
		[HOLON_RPC_REQUESTS_OPEN] = "requests-open",
		[HOLON_RPC_STRAY]	  = "stray",
		[HOLON_RPC_EARLY]	  = "early",
	};

	return gauge < HOLON_RPC_GAUGES ? names[gauge] : NULL;
}
