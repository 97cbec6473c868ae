// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stress of RPC between the nodes of a debug kernel, under
 * /sys/kernel/debug/holon:
 *
 *	stress	write "start CALLERS": so many threads for each other member and
 *		for this node itself call it in turn, in all ways there are:
 *		inline, sleeping, nested, deferred; with signals that cancel
 *		and kill callers in the middle. "stop" ends them and waits.
 *		Reading gives what the callers have seen, for comparison with the
 *		counters of the RPC layer.
 *
 * Every payload says who called, and every reply is compared with its call.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/holon_debugfs.h>
#include <linux/holon_view.h>
#include <linux/init.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timer.h>

#include "rpc.h"

#define STRESS_DATA	4096U
#define CALLERS_MAX	32U

struct holon_wire_stress {
	__le64 token;		/* comes back */
	__le32 ms;		/* the handler takes that long */
	__le32 len;		/* bytes of data that follow and come back */
};

enum stress_count {
	STRESS_CALLS, STRESS_OK, STRESS_ERRORS, STRESS_HOSTDOWN, STRESS_INTERRUPTED,
	STRESS_KILLED, STRESS_ORPHANS, STRESS_WRONG, STRESS_NOMEM, STRESS_ONEWAY, STRESS_COUNTS
};

static const char * const count_names[STRESS_COUNTS] = {
	"calls", "ok", "errors", "hostdown", "interrupted", "killed", "orphans", "wrong",
	"nomem", "oneway"
};

static atomic64_t counts[STRESS_COUNTS];

static void count(enum stress_count what)
{
	atomic64_inc(&counts[what]);
}

/* --- handlers ---------------------------------------------------------------*/

static int check(const struct holon_request *request)
{
	const struct holon_wire_stress *wire = request->data;

	return request->len == sizeof(*wire) + le32_to_cpu(wire->len) ? 0 : -EINVAL;
}

static int answer(struct holon_request *request)
{
	int err = check(request);

	return err ?: holon_reply_data(request, request->data, request->len);
}

static int sleep_handler(struct holon_request *request)
{
	const struct holon_wire_stress *wire = request->data;

	msleep(min(le32_to_cpu(wire->ms), 1000U));
	return answer(request);
}

static void stress_orphan(u8 node, int status, const void *data, size_t len)
{
	count(STRESS_ORPHANS);
}

static HOLON_RPC(stress_inline, HOLON_RPC_ID_STRESS, HOLON_REQ, HOLON_RPC_INLINE,
		 sizeof(struct holon_wire_stress), answer, .orphan = stress_orphan);
static HOLON_RPC(stress_sleep, HOLON_RPC_ID_STRESS + 1, HOLON_FWD, HOLON_RPC_CREDS,
		 sizeof(struct holon_wire_stress), sleep_handler, .orphan = stress_orphan);

/* Calls back: the rank of what it calls is higher, so this may wait. */
static int nested_handler(struct holon_request *request)
{
	struct holon_vec vec = { .base = request->data, .len = request->len };
	int err = check(request);

	if (!err)
		err = holon_call(request->node, &holon_rpc_stress_sleep, &vec, 1, NULL);
	return err ?: answer(request);
}

static HOLON_RPC(stress_nested, HOLON_RPC_ID_STRESS + 2, HOLON_REQ, 0,
		 sizeof(struct holon_wire_stress), nested_handler, .orphan = stress_orphan);

/*
 * A deferred call, answered by a work some time later. The cancel makes it
 * come at once. Which of the two is first is settled under the lock: the work
 * takes itself out of the request before it replies.
 */
struct deferred {
	struct holon_request *request;
	struct delayed_work work;
	bool cancelled;
};

static DEFINE_SPINLOCK(deferred_lock);

static void deferred_work(struct work_struct *work)
{
	struct deferred *deferred = container_of(to_delayed_work(work), struct deferred, work);
	struct holon_request *request = deferred->request;
	int status;

	spin_lock_irq(&deferred_lock);
	request->private = NULL;
	status = deferred->cancelled ? -EINTR : 0;
	spin_unlock_irq(&deferred_lock);
	kfree(deferred);
	if (!status)
		status = answer(request);
	holon_reply(request, status);
}

static int defer_handler(struct holon_request *request)
{
	const struct holon_wire_stress *wire = request->data;
	struct deferred *deferred;
	int err = check(request);

	if (err)
		return err;
	deferred = kzalloc(sizeof(*deferred), GFP_NOWAIT);
	if (!deferred)
		return -ENOMEM;
	deferred->request = request;
	INIT_DELAYED_WORK(&deferred->work, deferred_work);
	request->private = deferred;
	queue_delayed_work(system_unbound_wq, &deferred->work,
			   msecs_to_jiffies(min(le32_to_cpu(wire->ms), 1000U)));
	return HOLON_DEFER;
}

static void defer_cancel(struct holon_request *request)
{
	struct deferred *deferred;
	unsigned long flags;

	spin_lock_irqsave(&deferred_lock, flags);
	deferred = request->private;
	if (deferred) {
		deferred->cancelled = true;
		/* If it runs already it waits for the lock, and sees the flag. */
		if (cancel_delayed_work(&deferred->work))
			queue_delayed_work(system_unbound_wq, &deferred->work, 0);
	}
	spin_unlock_irqrestore(&deferred_lock, flags);
}

static HOLON_RPC(stress_defer, HOLON_RPC_ID_STRESS + 3, HOLON_REQ, HOLON_RPC_INLINE,
		 sizeof(struct holon_wire_stress), defer_handler, .cancel = defer_cancel,
		 .orphan = stress_orphan);

static int oneway_handler(struct holon_request *request)
{
	return 0;
}

static HOLON_RPC(stress_oneway, HOLON_RPC_ID_STRESS + 4, HOLON_BULK, HOLON_RPC_ONEWAY, 0,
		 oneway_handler);

/* --- callers ----------------------------------------------------------------*/

struct caller {
	struct task_struct *task;
	struct timer_list timer;	/* sends @signal in the middle of a call */
	int signal;
	u8 node;
	struct holon_wire_stress wire;
	u8 data[STRESS_DATA];
};

static DEFINE_MUTEX(stress_mutex);
static struct caller **callers;		/* Lock: stress_mutex */
static unsigned int caller_count;

static void caller_signal(struct timer_list *timer)
{
	struct caller *caller = from_timer(caller, timer, timer);

	send_sig(caller->signal, caller->task, 1);
}

static const struct holon_rpc_type *caller_choose(void)
{
	static const struct holon_rpc_type * const choice[] = {
		&holon_rpc_stress_inline, &holon_rpc_stress_sleep,
		&holon_rpc_stress_nested, &holon_rpc_stress_defer,
	};

	return choice[get_random_u32_below(ARRAY_SIZE(choice))];
}

static void caller_judge(struct caller *caller, int status, const struct holon_reply *reply,
			 size_t len)
{
	switch (status) {
	case 0:
		if (reply->len == sizeof(caller->wire) + len &&
		    !memcmp(reply->data, &caller->wire, sizeof(caller->wire)) &&
		    !memcmp(reply->data + sizeof(caller->wire), caller->data, len))
			count(STRESS_OK);
		else
			count(STRESS_WRONG);
		break;
	case -EHOSTDOWN:
		count(STRESS_HOSTDOWN);
		break;
	case -ENOMEM:
		count(STRESS_NOMEM);
		break;
	case -EINTR:
		/* Killed, or cancelled at the callee: the caller cannot tell. */
		count(fatal_signal_pending(current) ? STRESS_KILLED : STRESS_INTERRUPTED);
		break;
	default:
		count(STRESS_ERRORS);
	}
}

static void caller_oneway(struct caller *caller, const struct holon_vec *vec)
{
	if (!holon_send_wait(caller->node, &holon_rpc_stress_oneway, vec, 2))
		count(STRESS_ONEWAY);
}

static void caller_once(struct caller *caller)
{
	size_t len = get_random_u32_below(STRESS_DATA + 1);
	struct holon_vec vec[] = {
		{ .base = &caller->wire, .len = sizeof(caller->wire) },
		{ .base = caller->data, .len = len },
	};
	struct holon_reply reply;
	int status;

	caller->wire.token = cpu_to_le64(get_random_u64());
	caller->wire.ms = cpu_to_le32(get_random_u32_below(30));
	caller->wire.len = cpu_to_le32(len);
	if (!get_random_u32_below(8)) {
		caller_oneway(caller, vec);
		return;
	}
	if (!get_random_u32_below(6)) {
		caller->signal = get_random_u32_below(3) ? SIGUSR1 : SIGKILL;
		mod_timer(&caller->timer, jiffies + get_random_u32_below(5));
	}
	count(STRESS_CALLS);
	status = holon_call(caller->node, caller_choose(), vec, ARRAY_SIZE(vec), &reply);
	timer_delete_sync(&caller->timer);
	caller_judge(caller, status, &reply, len);
	holon_reply_free(&reply);
	flush_signals(current);
}

static int caller_thread(void *arg)
{
	struct caller *caller = arg;

	allow_signal(SIGUSR1);
	allow_signal(SIGKILL);
	get_random_bytes(caller->data, sizeof(caller->data));
	while (!kthread_should_stop()) {
		if (holon_view_incarnation(caller->node))
			caller_once(caller);
		else
			schedule_timeout_interruptible(HZ / 10);
		cond_resched();
	}
	return 0;
}

static int caller_start(u8 node)
{
	struct caller *caller = kzalloc(sizeof(*caller), GFP_KERNEL);
	struct task_struct *task;

	if (!caller)
		return -ENOMEM;
	caller->node = node;
	timer_setup(&caller->timer, caller_signal, 0);
	task = kthread_create(caller_thread, caller, "holon_stress/%u", node);
	if (IS_ERR(task)) {
		kfree(caller);
		return PTR_ERR(task);
	}
	caller->task = get_task_struct(task);
	callers[caller_count++] = caller;
	wake_up_process(task);
	return 0;
}

static void stress_stop(void)
{
	unsigned int i;

	for (i = 0; i < caller_count; i++) {
		kthread_stop(callers[i]->task);
		put_task_struct(callers[i]->task);
		kfree(callers[i]);
	}
	kvfree(callers);
	callers = NULL;
	caller_count = 0;
}

static int stress_start(unsigned int per_node)
{
	DECLARE_BITMAP(members, HOLON_NODE_IDS);
	const struct holon_view *view;
	unsigned long node;
	unsigned int i;
	int err = 0;

	if (callers)
		return -EBUSY;
	rcu_read_lock();
	view = holon_view_rcu();
	if (view)
		bitmap_copy(members, view->members, HOLON_NODE_IDS);
	rcu_read_unlock();
	if (!view)
		return -ENOTCONN;
	callers = kvcalloc(bitmap_weight(members, HOLON_NODE_IDS) * per_node, sizeof(*callers),
			   GFP_KERNEL);
	if (!callers)
		return -ENOMEM;
	for_each_set_bit(node, members, HOLON_NODE_IDS) {
		for (i = 0; i < per_node && !err; i++)
			err = caller_start(node);
	}
	if (err)
		stress_stop();
	return err;
}

/* --- files ------------------------------------------------------------------*/

static ssize_t stress_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	unsigned int per_node;
	char line[64];
	int err;

	err = holon_debugfs_line(from, len, line, sizeof(line));
	if (err)
		return err;
	mutex_lock(&stress_mutex);
	if (sscanf(line, "start %u", &per_node) == 1 && per_node && per_node <= CALLERS_MAX)
		err = stress_start(per_node);
	else if (!strcmp(line, "stop"))
		stress_stop();
	else
		err = -EINVAL;
	mutex_unlock(&stress_mutex);
	return err ?: len;
}

static int stress_show(struct seq_file *seq, void *unused)
{
	int i;

	for (i = 0; i < STRESS_COUNTS; i++)
		seq_printf(seq, "%s %lld\n", count_names[i], atomic64_read(&counts[i]));
	return 0;
}

DEFINE_SHOW_STORE_ATTRIBUTE(stress);

static int __init rpc_stress_init(void)
{
	debugfs_create_file("stress", 0600, holon_debugfs(), NULL, &stress_fops);
	return 0;
}
late_initcall(rpc_stress_init);
