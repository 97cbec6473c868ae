// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a process in two halves.
 *
 * A guest that exits, for whatever reason, sends TASK_EXIT when it has dropped
 * memory, files and task work; the deputy dies with its code. A deputy that
 * dies first, for whatever reason, sends TASK_KILL and waits for the same
 * report. So the parent at home is told once, when nothing of the process runs
 * any more, and with the usage of the guest.
 *
 * Each thread does so for itself. The report says whether all of them end: then
 * the first one takes all deputies down, and each waits for its own guest. What
 * the code of the process is follows natively.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/mm.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/task_io_accounting_ops.h>

#include <linux/holon.h>
#include <linux/holon_file.h>
#include <linux/holon_rpc.h>

#include "guest.h"
#include "hold.h"
#include "task.h"

static int holon_kill_handler(struct holon_request *request);
static int holon_exit_handler(struct holon_request *request);

static HOLON_RPC(task_kill, HOLON_RPC_ID_TASK_KILL, HOLON_FWD,
		 HOLON_RPC_INLINE | HOLON_RPC_ONEWAY, sizeof(struct holon_wire_task),
		 holon_kill_handler);
static HOLON_RPC(task_exit, HOLON_RPC_ID_TASK_EXIT, HOLON_FWD,
		 HOLON_RPC_INLINE | HOLON_RPC_ONEWAY, sizeof(struct holon_wire_exit),
		 holon_exit_handler);

/* --- guest ---------------------------------------------------------------- */

static int holon_kill_handler(struct holon_request *request)
{
	const struct holon_wire_task *msg = request->data;
	struct task_struct *task;
	struct holon_task *ht;

	ht = holon_task_find(HOLON_ROLE_GUEST, request->node, le32_to_cpu(msg->pid),
			     le64_to_cpu(msg->inc));
	if (!ht)
		return 0;
	task = holon_task_of(ht);
	if (task) {
		send_sig_info(SIGKILL, SEND_SIG_PRIV, task);
		put_task_struct(task);
	}
	holon_task_put(ht);
	return 0;
}

void holon_usage(struct task_struct *task, struct holon_wire_exit *msg)
{
	u64 utime, stime;

	task_cputime(task, &utime, &stime);
	if (task->mm)
		setmax_mm_hiwater_rss(&task->signal->maxrss, task->mm);
	msg->utime = cpu_to_le64(utime);
	msg->stime = cpu_to_le64(stime);
	msg->runtime = cpu_to_le64(task_sched_runtime(task));
	msg->min_flt = cpu_to_le64(task->min_flt);
	msg->maj_flt = cpu_to_le64(task->maj_flt);
	msg->nvcsw = cpu_to_le64(task->nvcsw);
	msg->nivcsw = cpu_to_le64(task->nivcsw);
	msg->inblock = cpu_to_le64(task_io_get_inblock(task));
	msg->oublock = cpu_to_le64(task_io_get_oublock(task));
	msg->maxrss = cpu_to_le64(task->signal->maxrss);
}

static void report_exit(struct holon_task *ht)
{
	struct signal_struct *signal = current->signal;
	struct holon_wire_exit msg = {
		.task.inc = cpu_to_le64(ht->inc),
		.task.pid = cpu_to_le32(ht->pid),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };
	int code = current->exit_code;

	spin_lock_irq(&current->sighand->siglock);
	if (signal->flags & SIGNAL_GROUP_EXIT) {
		code = signal->group_exit_code;
		msg.task.flags = cpu_to_le32(HOLON_EXIT_GROUP);
	}
	spin_unlock_irq(&current->sighand->siglock);
	msg.code = cpu_to_le32(code);
	holon_usage(current, &msg);
	/* The deputy waits for this one, or for us to leave the view. */
	holon_send(ht->home, &holon_rpc_task_exit, &vec, 1, GFP_KERNEL | __GFP_NOFAIL);
}

void __holon_exit_end(struct task_struct *tsk)
{
	struct holon_task *ht = tsk->holon;

	if (ht->role == HOLON_ROLE_GUEST && !holon_guest_abandon(ht))
		report_exit(ht);
	holon_task_detach();
}

/* --- deputy --------------------------------------------------------------- */

static int holon_exit_handler(struct holon_request *request)
{
	const struct holon_wire_exit *msg = request->data;
	struct task_struct *task;
	struct holon_task *ht;
	unsigned long flags;

	ht = holon_task_find(HOLON_ROLE_DEPUTY, holon_node_id(), le32_to_cpu(msg->task.pid),
			     le64_to_cpu(msg->task.inc));
	if (!ht)
		return 0;
	if (ht->node != request->node) {
		holon_task_put(ht);
		return 0;
	}
	spin_lock_irqsave(&ht->lock, flags);
	if (ht->exited || ht->inc != le64_to_cpu(msg->task.inc)) {
		spin_unlock_irqrestore(&ht->lock, flags);
		holon_task_put(ht);
		return 0;
	}
	ht->exit = *msg;
	ht->exited = true;
	/* In execve() still: it looks at ->exited when it has become a deputy. */
	task = ht->state == HOLON_TASK_STABLE || ht->state == HOLON_TASK_LANDING ? ht->task : NULL;
	if (task)
		get_task_struct(task);
	spin_unlock_irqrestore(&ht->lock, flags);
	wake_up_all(&ht->wait);
	if (task) {
		if (holon_exit_of_all(ht, task))
			holon_signal_zap(task, le32_to_cpu(msg->code) & 0xffff);
		put_task_struct(task);
	}
	holon_task_put(ht);
	return 0;
}

bool holon_exit_of_all(const struct holon_task *ht, struct task_struct *task)
{
	/* No thread of a guest ends alone while it moves. */
	return le32_to_cpu(ht->exit.task.flags) & HOLON_EXIT_GROUP || thread_group_empty(task) ||
	       ht->state == HOLON_TASK_LANDING;
}

/**
 * holon_kill_guest - end the other half
 * @ht: of a deputy
 */
void holon_kill_guest(struct holon_task *ht)
{
	struct holon_wire_task msg = {
		.inc = cpu_to_le64(ht->inc),
		.pid = cpu_to_le32(ht->pid),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };

	holon_send(ht->node, &holon_rpc_task_kill, &vec, 1, GFP_KERNEL | __GFP_NOFAIL);
}

/* As if the threads of the guest had been threads of this process. */
void holon_add_usage(const struct holon_wire_exit *msg)
{
	struct signal_struct *signal = current->signal;

	write_seqlock_irq(&signal->stats_lock);
	signal->utime += le64_to_cpu(msg->utime);
	signal->stime += le64_to_cpu(msg->stime);
	signal->sum_sched_runtime += le64_to_cpu(msg->runtime);
	signal->min_flt += le64_to_cpu(msg->min_flt);
	signal->maj_flt += le64_to_cpu(msg->maj_flt);
	signal->nvcsw += le64_to_cpu(msg->nvcsw);
	signal->nivcsw += le64_to_cpu(msg->nivcsw);
	signal->inblock += le64_to_cpu(msg->inblock);
	signal->oublock += le64_to_cpu(msg->oublock);
	signal->maxrss = max_t(unsigned long, signal->maxrss, le64_to_cpu(msg->maxrss));
	write_sequnlock_irq(&signal->stats_lock);
}

long __holon_exit_begin(long code)
{
	struct holon_task *ht = current->holon;
	bool exited, all;

	if (ht->leader->driver == ht)
		holon_release(ht->leader, NULL);
	if (ht->role == HOLON_ROLE_DEPUTY && ht->state == HOLON_TASK_FORKED)
		holon_fork_settle(ht, true);
	if (ht->role != HOLON_ROLE_DEPUTY ||
	    (ht->state != HOLON_TASK_STABLE && ht->state != HOLON_TASK_LANDING))
		return code;
	holon_deputy_refuse(ht);
	spin_lock_irq(&ht->lock);
	exited = ht->exited;
	spin_unlock_irq(&ht->lock);
	if (!exited && !READ_ONCE(ht->lost)) {
		holon_kill_guest(ht);
		/*
		 * Not killable, because we are being killed; ends with the
		 * guest or with its node.
		 */
		wait_event_idle(ht->wait, READ_ONCE(ht->exited) || READ_ONCE(ht->lost));
	}
	spin_lock_irq(&ht->lock);
	exited = ht->exited;
	spin_unlock_irq(&ht->lock);
	all = !exited || holon_exit_of_all(ht, current);
	/* The guest is gone, nobody polls through us any more. */
	if (all)
		holon_watch_drop(ht, 0, ~0U);
	if (exited) {
		code = le32_to_cpu(ht->exit.code) & 0xffff;
		holon_add_usage(&ht->exit);
	} else {
		code = SIGKILL;
	}
	if (all) {
		spin_lock_irq(&current->sighand->siglock);
		/* What one thread has reported is not undone by the end of its node. */
		if (exited || !(current->signal->flags & SIGNAL_GROUP_EXIT)) {
			current->signal->flags = SIGNAL_GROUP_EXIT;
			current->signal->group_exit_code = code;
		}
		spin_unlock_irq(&current->sighand->siglock);
	} else {
		holon_window_free(ht);
	}
	return code;
}
