// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults by order, under /sys/kernel/debug/holon:
 *
 *	rpc_delay/	handlers that may sleep begin delay_ms later
 *	rpc_fail/	the handler does not run, its call gets -errno
 *	rpc_drop/	the caller's connection is closed as for a malformed frame
 *	rpc_mutate/	a few bytes of a request, or of its reply, are sent wrong;
 *			"seed" begins their sequence again
 *
 * Each has the files of a fault_attr, and "type": an id of holon_rpc_types.h,
 * 0 for all that is no part of the RPC layer itself.
 */
#include <linux/bits.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fault-inject.h>
#include <linux/holon_debugfs.h>
#include <linux/init.h>
#include <linux/prandom.h>

#include "rpc.h"

struct rpc_fault {
	struct fault_attr attr;
	u32 type;
	u32 value;
};

static struct rpc_fault delay_fault = { .attr = FAULT_ATTR_INITIALIZER, .value = 100 };
static struct rpc_fault fail_fault = { .attr = FAULT_ATTR_INITIALIZER, .value = EIO };
static struct rpc_fault mutate_fault = { .attr = FAULT_ATTR_INITIALIZER };
static struct rpc_fault drop_fault = { .attr = FAULT_ATTR_INITIALIZER };

static bool fault_hits(struct rpc_fault *fault, const struct holon_rpc_type *type)
{
	u32 only = READ_ONCE(fault->type);

	if (!READ_ONCE(fault->attr.probability) || (only && only != type->id))
		return false;
	return should_fail_ex(&fault->attr, 1, FAULT_NOWARN);
}

void rpc_fault_delay(const struct holon_rpc_type *type)
{
	if (fault_hits(&delay_fault, type))
		msleep(READ_ONCE(delay_fault.value));
}

int rpc_fault_status(const struct holon_rpc_type *type)
{
	if (!fault_hits(&fail_fault, type))
		return 0;
	return -(int)min(READ_ONCE(fail_fault.value), MAX_ERRNO);
}

bool rpc_fault_drop(const struct holon_rpc_type *type)
{
	return fault_hits(&drop_fault, type);
}

/* Values that are often at an edge of something. */
static u8 mutate_byte(u8 old, u32 random)
{
	static const u8 edges[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };

	if (random & 1)
		return old ^ BIT(random >> 1 & 7);
	return edges[(random >> 1) % ARRAY_SIZE(edges)];
}

void rpc_fault_mutate(const struct holon_rpc_type *type, struct holon_message *message)
{
	u32 len = le32_to_cpu(message->frame.length);
	struct rnd_state random;
	unsigned int i, count;

	if (!len || !fault_hits(&mutate_fault, type))
		return;
	/* Which message gets which number is a matter of who comes first. */
	prandom_seed_state(&random, READ_ONCE(mutate_fault.value));
	WRITE_ONCE(mutate_fault.value, prandom_u32_state(&random));
	count = 1 + prandom_u32_state(&random) % 4;
	for (i = 0; i < count; i++) {
		/* Half of them at the beginning, where lengths and numbers are. */
		u32 room = prandom_u32_state(&random) & 1 ? min(len, 64U) : len;
		u32 at = prandom_u32_state(&random) % room;

		message->data[at] = mutate_byte(message->data[at], prandom_u32_state(&random));
	}
}

static void fault_files(const char *name, struct rpc_fault *fault, const char *value)
{
	struct dentry *dir = fault_create_debugfs_attr(name, holon_debugfs(), &fault->attr);

	if (IS_ERR(dir))
		return;
	fault->attr.verbose = 0;
	debugfs_create_u32("type", 0600, dir, &fault->type);
	if (value)
		debugfs_create_u32(value, 0600, dir, &fault->value);
}

static int __init rpc_fault_init(void)
{
	fault_files("rpc_delay", &delay_fault, "delay_ms");
	fault_files("rpc_fail", &fail_fault, "errno");
	fault_files("rpc_drop", &drop_fault, NULL);
	fault_files("rpc_mutate", &mutate_fault, "seed");
	return 0;
}
late_initcall(rpc_fault_init);
