// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measuring handshakes from user space, in /sys/kernel/debug/holon/handshake:
 * write "COUNT", and that many are made one after the other with the cluster key
 * in use; reading gives their times in ns, one per line. A time has in it what
 * the processors of both nodes do for one connection, the traffic keys included,
 * and nothing of the wire.
 */
#include <linux/debugfs.h>
#include <linux/holon_debugfs.h>
#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "auth.h"

#define COUNT_MAX	10000U

/* Both sides of a handshake and the record that is under way. */
struct talk {
	struct holon_auth connecting, accepting;
	struct holon_traffic_key out, in;
	struct holon_handshake call, record;
};

static DEFINE_MUTEX(times_mutex);
static u64 *times;		/* Lock: times_mutex */
static unsigned int times_count;

/* One side signs a record, the other one checks it. */
static int pass(struct talk *t, enum holon_handshake_kind kind, struct holon_auth *from,
		struct holon_auth *to)
{
	struct holon_handshake *record = kind == HOLON_HANDSHAKE_CALL ? &t->call : &t->record;
	int err;

	holon_handshake_init(record, kind, HOLON_REQ, 1, "bench");
	err = holon_auth_sign(from, record, &t->call);
	if (err)
		return err;
	return kind == HOLON_HANDSHAKE_CALL ? holon_auth_called(to, record) :
					      holon_auth_check(to, record);
}

static int handshake(struct talk *t, u64 *ns)
{
	u64 start = ktime_get_ns();
	int err;

	err = holon_auth_begin(&t->connecting) ?:
	      pass(t, HOLON_HANDSHAKE_CALL, &t->connecting, &t->accepting) ?:
	      pass(t, HOLON_HANDSHAKE_ANSWER, &t->accepting, &t->connecting) ?:
	      pass(t, HOLON_HANDSHAKE_PROOF, &t->connecting, &t->accepting) ?:
	      pass(t, HOLON_HANDSHAKE_VERDICT, &t->accepting, &t->connecting) ?:
	      holon_auth_traffic(&t->connecting, true, &t->out, &t->in) ?:
	      holon_auth_traffic(&t->accepting, false, &t->out, &t->in);
	*ns = ktime_get_ns() - start;
	return err;
}

static int run(unsigned int count)
{
	u64 *fresh = NULL;
	struct talk *t;
	unsigned int i;
	int err;

	if (!count || count > COUNT_MAX)
		return -EINVAL;
	t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (t)
		fresh = kvcalloc(count, sizeof(*fresh), GFP_KERNEL);
	err = fresh ? 0 : -ENOMEM;
	for (i = 0; i < count && !err; i++) {
		err = handshake(t, &fresh[i]);
		if (!err && signal_pending(current))
			err = -EINTR;
	}
	if (!err) {
		mutex_lock(&times_mutex);
		swap(times, fresh);
		times_count = count;
		mutex_unlock(&times_mutex);
	}
	kvfree(fresh);
	kfree_sensitive(t);
	return err;
}

static ssize_t handshake_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	unsigned int count;
	char line[16];
	int err;

	err = holon_debugfs_line(from, len, line, sizeof(line)) ?: kstrtouint(line, 10, &count) ?:
	      run(count);
	return err ?: len;
}

static int handshake_show(struct seq_file *seq, void *unused)
{
	unsigned int i;

	mutex_lock(&times_mutex);
	for (i = 0; i < times_count; i++)
		seq_printf(seq, "%llu\n", times[i]);
	mutex_unlock(&times_mutex);
	return 0;
}

DEFINE_SHOW_STORE_ATTRIBUTE(handshake);

static int __init auth_bench_init(void)
{
	debugfs_create_file("handshake", 0600, holon_debugfs(), NULL, &handshake_fops);
	return 0;
}
late_initcall(auth_bench_init);
