// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measuring RPC from user space, under /sys/kernel/debug/holon:
 *
 *	echo	write "NODE REQUEST REPLY COUNT" (sizes in bytes): COUNT calls one
 *		after the other; reading gives their times in ns, one per line
 *	sink	write "NODE SIZE COUNT": COUNT one-way messages on BULK, as fast as
 *		credit allows; reading gives "BYTES NS", NS until all have been
 *		handled
 *
 * The handlers do nothing but what is measured, and are inline.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/holon_debugfs.h>
#include <linux/init.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "rpc.h"

#define ECHO_MAX	100000U
#define PATTERN		65536U
#define PIECES		(HOLON_MSG_MAX / PATTERN + 1)

struct holon_wire_echo {
	__le32 reply;		/* bytes wanted back */
	__le32 reserved;
};

static u8 *pattern;		/* PATTERN bytes, all the same */

/* @len bytes of pattern as pieces. Return: their number. */
static unsigned int pieces(struct holon_vec *vec, size_t len)
{
	unsigned int n = 0;

	while (len) {
		vec[n].base = pattern;
		vec[n].len = min_t(size_t, len, PATTERN);
		len -= vec[n++].len;
	}
	return n;
}

static int echo_handler(struct holon_request *request)
{
	const struct holon_wire_echo *wire = request->data;
	u32 len = le32_to_cpu(wire->reply);

	return len <= PATTERN ? holon_reply_data(request, pattern, len) : -EINVAL;
}

static int sink_handler(struct holon_request *request)
{
	return 0;
}

static HOLON_RPC(echo, HOLON_RPC_ID_ECHO, HOLON_REQ, HOLON_RPC_INLINE,
		 sizeof(struct holon_wire_echo), echo_handler);
static HOLON_RPC(sink, HOLON_RPC_ID_SINK, HOLON_BULK, HOLON_RPC_INLINE | HOLON_RPC_ONEWAY, 0,
		 sink_handler);
static HOLON_RPC(sink_end, HOLON_RPC_ID_SINK_END, HOLON_BULK, HOLON_RPC_INLINE, 0, sink_handler);

static DEFINE_MUTEX(echo_mutex);
static u64 *echo_times;		/* Lock: echo_mutex */
static unsigned int echo_count;
static DEFINE_MUTEX(sink_mutex);
static u64 sink_bytes, sink_ns;	/* Lock: sink_mutex */

static int echo_once(u8 node, size_t request, u32 reply, u64 *ns)
{
	struct holon_wire_echo wire = { .reply = cpu_to_le32(reply) };
	struct holon_vec vec[PIECES + 1] = { { .base = &wire, .len = sizeof(wire) } };
	unsigned int n = 1 + pieces(vec + 1, request - sizeof(wire));
	struct holon_reply answer;
	u64 start = ktime_get_ns();
	int err;

	err = holon_call(node, &holon_rpc_echo, vec, n, &answer);
	*ns = ktime_get_ns() - start;
	if (!err && (answer.len != reply || memcmp(answer.data, pattern, reply)))
		err = -EIO;
	holon_reply_free(&answer);
	return err;
}

static int echo_run(u8 node, size_t request, u32 reply, unsigned int count)
{
	unsigned int i;
	u64 *times;
	int err = 0;

	if (request < sizeof(struct holon_wire_echo) || request > HOLON_MSG_MAX ||
	    reply > PATTERN || !count || count > ECHO_MAX)
		return -EINVAL;
	times = kvcalloc(count, sizeof(*times), GFP_KERNEL);
	if (!times)
		return -ENOMEM;
	for (i = 0; i < count && !err; i++) {
		err = echo_once(node, request, reply, &times[i]);
		if (!err && signal_pending(current))
			err = -EINTR;
	}
	if (err) {
		kvfree(times);
		return err;
	}
	mutex_lock(&echo_mutex);
	swap(echo_times, times);
	echo_count = count;
	mutex_unlock(&echo_mutex);
	kvfree(times);
	return 0;
}

static int sink_run(u8 node, size_t size, unsigned int count)
{
	struct holon_vec vec[PIECES];
	u64 start = ktime_get_ns();
	unsigned int i, n;
	int err = 0;

	if (size > HOLON_MSG_MAX)
		return -EINVAL;
	n = pieces(vec, size);
	for (i = 0; i < count && !err; i++) {
		err = holon_send_wait(node, &holon_rpc_sink, vec, n);
		if (!err && signal_pending(current))
			err = -EINTR;
	}
	if (!err)
		err = holon_call(node, &holon_rpc_sink_end, NULL, 0, NULL);
	if (err)
		return err;
	mutex_lock(&sink_mutex);
	sink_bytes = (u64)size * count;
	sink_ns = ktime_get_ns() - start;
	mutex_unlock(&sink_mutex);
	return 0;
}

static ssize_t echo_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	unsigned int request, reply, count;
	char line[64];
	u8 node;
	int err;

	err = holon_debugfs_line(from, len, line, sizeof(line));
	if (!err && sscanf(line, "%hhu %u %u %u", &node, &request, &reply, &count) != 4)
		err = -EINVAL;
	return err ?: echo_run(node, request, reply, count) ?: len;
}

static int echo_show(struct seq_file *seq, void *unused)
{
	unsigned int i;

	mutex_lock(&echo_mutex);
	for (i = 0; i < echo_count; i++)
		seq_printf(seq, "%llu\n", echo_times[i]);
	mutex_unlock(&echo_mutex);
	return 0;
}

DEFINE_SHOW_STORE_ATTRIBUTE(echo);

static ssize_t sink_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	unsigned int size, count;
	char line[64];
	u8 node;
	int err;

	err = holon_debugfs_line(from, len, line, sizeof(line));
	if (!err && sscanf(line, "%hhu %u %u", &node, &size, &count) != 3)
		err = -EINVAL;
	return err ?: sink_run(node, size, count) ?: len;
}

static int sink_show(struct seq_file *seq, void *unused)
{
	mutex_lock(&sink_mutex);
	seq_printf(seq, "%llu %llu\n", sink_bytes, sink_ns);
	mutex_unlock(&sink_mutex);
	return 0;
}

DEFINE_SHOW_STORE_ATTRIBUTE(sink);

static int __init rpc_bench_init(void)
{
	pattern = kmalloc(PATTERN, GFP_KERNEL);
	if (!pattern)
		return -ENOMEM;
	memset(pattern, 0x5a, PATTERN);
	debugfs_create_file("echo", 0600, holon_debugfs(), NULL, &echo_fops);
	debugfs_create_file("sink", 0600, holon_debugfs(), NULL, &sink_fops);
	return 0;
}
late_initcall(rpc_bench_init);
