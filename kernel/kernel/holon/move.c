// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moving a process that runs.
 *
 * It is moved by itself: in the hook on its way to user mode, where signals have
 * been worked off and its registers are settled. Who wants it moved breaks its
 * sleep as a signal would, and a system call that was broken off goes on at the
 * other node by the means it has for that: restart codes, and restart_syscall().
 * The code stays in the registers until then, for a signal that comes meanwhile may
 * want the call to return EINTR.
 * One thread does it, and holds the others (hold.c), here and where it comes to: away
 * from home the leader, on the way home whoever is first.
 *
 * To another node, a process that is at home:
 *
 *	process				node
 *	MOVING
 *	TASK_EXEC(image) ------------->	a guest is made of the image: address space
 *					without contents, files, registers
 *	  <------------ READY --------	waits
 *	TASK_PAGES ------------------->	contents, into its address space
 *	  <------------- reply -------
 *	commit: becomes the deputy
 *	TASK_GO ---------------------->	runs
 *
 * Home, a guest: because home wants it (TASK_RECALL), or because a system call has
 * to run there, which it then begins anew:
 *
 *	guest				deputy
 *	HOME(image) ------------------>	LANDING: relays nothing any more; takes on
 *					address space, files and registers
 *	  <------------- reply -------	the number of the last signal that it relayed
 *	TASK_PAGES ------------------->
 *	LAND(signals, usage) --------->	commit: is an ordinary process again
 *	  <------------- reply -------
 *	vanishes: no report, nothing of its end is seen
 *
 * Up to the commit any failure leaves the process where it was, and so does the
 * end of the other node, except that the end of home is the end of the process.
 * To a third node a guest goes by way of home.
 *
 * Who only wants to know whether it could move (TASK_RECALL with ASK, or the same at
 * home) has it write its image, and throw that away.
 *
 * Locks: holon_task->lock for ->move and ->state. Nothing is locked while a message
 * is waited for; all waits are killable.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/fdtable.h>
#include <linux/netlink.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>

#include <linux/holon.h>
#include <linux/holon_file.h>
#include <linux/holon_rpc.h>
#include <linux/holon_task.h>
#include <linux/holon_view.h>

#include "creds.h"
#include "freeze.h"
#include "guest.h"
#include "hold.h"
#include "image.h"
#include "marshal.h"
#include "move.h"
#include "spawner.h"
#include "task.h"

/* How long the report of a thread that has ended may take. */
#define HOLON_MOVE_REPORT	(10 * HZ)
/* For a call that has to run at home, what passes by itself may take so long. */
#define HOLON_MOVE_TRIES	100
#define HOLON_MOVE_PAUSE_MS	5

/* Signals that a guest takes home with it. */
#define HOLON_LAND_SIGNALS	8192

/**
 * struct holon_landing - the deputy takes its program back
 * @image: of the guest
 * @import: looks at it
 * @signal: what waited there, in the request
 * @signals: their number
 */
struct holon_landing {
	struct holon_image image;
	struct holon_import *import;
	const struct wire_land_signal *signal;
	unsigned int signals;
};

/* LAND: behind the request, then the signals. */
struct wire_land {
	struct holon_wire_exit usage;
	__le32 signals;
	__le32 pad;
};

struct wire_land_signal {
	__le32 signo;
	__le32 directed;	/* number of the thread, 0: to the process */
	__u8 info[48];
};

static int holon_recall_handler(struct holon_request *request);

HOLON_RPC(task_recall, HOLON_RPC_ID_TASK_RECALL, HOLON_FWD,
	  HOLON_RPC_INLINE | HOLON_RPC_ONEWAY, sizeof(struct holon_wire_task),
	  holon_recall_handler);

/* A reason that is known has its own errno. */
static int stay_error(enum holon_stay *stay, int err)
{
	/* It was killed, not who waits for it. */
	if (err == -EINTR)
		*stay = HOLON_STAY_GONE;
	if (*stay)
		return holon_stay_errno(*stay);
	switch (err) {
	case -EOPNOTSUPP:
		*stay = HOLON_STAY_OTHER_KERNEL;
		break;
	case -EHOSTDOWN:
		*stay = HOLON_STAY_NODE;
		break;
	case -EDQUOT:
		*stay = HOLON_STAY_CGROUP;
		break;
	default:
		*stay = HOLON_STAY_ERROR;
	}
	return err;
}

/* --- away from home ---------------------------------------------------------- */

/* A thread that is held gets the address space of the driver. */
static struct mm_struct *driver_mm(const struct holon_task *ht)
{
	return ht->leader->driver->task->mm;
}

/* What a thread that is held says against it. */
static enum holon_stay siblings_stay(struct holon_task *leader)
{
	enum holon_stay stay = HOLON_STAY_NONE;
	struct holon_task *ht;

	list_for_each_entry(ht, &leader->held, hold_node) {
		stay = stay ?: ht->stay;
		if (!stay && holon_seccomp_changed(ht))
			stay = HOLON_STAY_LATE;
	}
	return stay;
}

/* And what it has written down. */
static int append_siblings(struct holon_task *leader, struct holon_image *image)
{
	struct holon_task *ht;
	int err = 0;

	list_for_each_entry(ht, &leader->held, hold_node)
		err = err ?: holon_image_append(image, &ht->image);
	return err;
}

static void write_down(struct holon_task *ht)
{
	enum holon_stay stay = holon_thread_check();

	if (!stay && holon_image_export_sibling(ht, &stay))
		stay = stay ?: HOLON_STAY_ERROR;
	ht->stay = stay;
}

static int join_deputy(struct holon_task *ht)
{
	holon_mm_join(driver_mm(ht));
	holon_signal_block();
	return 0;
}

/* What was pending is there before the program asks. */
static int relay_pending(struct holon_task *ht)
{
	holon_deputy_unblock();
	holon_relay_queued(ht);
	return 0;
}

static void become_deputy(struct holon_task *ht, const struct holon_ready *ready)
{
	struct holon_task *sibling;
	unsigned int i;

	holon_order(ht, join_deputy);
	holon_timers_deputy(ht);
	for (i = 0; i < ready->n; i++)
		close_fd(le32_to_cpu(ready->reopened[i]));
	/* They, and what was mapped, are let go of now and not when somebody asks. */
	if (task_work_pending(current))
		task_work_run();
	holon_signal_become_deputy();
	spin_lock_irq(&ht->lock);
	ht->state = HOLON_TASK_STABLE;
	list_for_each_entry(sibling, &ht->held, hold_node)
		WRITE_ONCE(sibling->state, HOLON_TASK_STABLE);
	spin_unlock_irq(&ht->lock);
	relay_pending(ht);
	holon_order(ht, relay_pending);
	holon_image_go(ht, false);
	holon_release(ht, NULL);
	atomic64_inc(&holon_task_stat.moved);
	holon_task_moved(ht, ht->home, ht->node);
}

static int hash_siblings(struct holon_task *leader)
{
	struct holon_task *ht;
	int err = 0;

	list_for_each_entry(ht, &leader->held, hold_node) {
		ht->peer_incarnation = leader->peer_incarnation;
		err = err ?: holon_task_hash(ht);
	}
	return err;
}

static int begin_move(struct holon_task *ht)
{
	u64 incarnation = holon_view_incarnation(ht->node);
	int err;

	if (!incarnation)
		return -EHOSTDOWN;
	spin_lock_irq(&ht->lock);
	ht->inc = holon_task_new_inc();
	ht->peer_incarnation = incarnation;
	spin_unlock_irq(&ht->lock);
	err = holon_task_hash(ht) ?: hash_siblings(ht);
	if (!err && !holon_task_peer_alive(ht))
		err = -EHOSTDOWN;
	return err;
}

/* All but the memory. */
static int write_image(struct holon_task *leader, struct holon_image *image,
		       enum holon_stay *stay)
{
	*stay = holon_move_check() ?: holon_thread_check() ?: siblings_stay(leader);
	if (*stay)
		return -EBUSY;
	return holon_image_export_move(image, stay) ?: append_siblings(leader, image);
}

/* Would it move? */
static int look(struct holon_task *ht, enum holon_stay *stay)
{
	struct holon_image image = {};
	int err = holon_hold(ht, stay);

	if (err)
		return err;
	ht->looking = true;
	err = write_image(ht->leader, &image, stay);
	ht->looking = false;
	holon_image_free(&image);
	holon_release(ht->leader, NULL);
	if (!err)
		*stay = HOLON_STAY_MOVABLE;
	return err;
}

/* From here on nobody but its own threads, which are held, has to do with its memory. */
static int close_memory(enum holon_stay *stay)
{
	int err = holon_memory_close();

	if (err == -EBUSY)
		*stay = HOLON_STAY_LATE;
	return err;
}

static int move_held_away(struct holon_task *ht, enum holon_stay *stay)
{
	struct holon_image image = {};
	struct holon_reply reply = {};
	struct holon_ready ready;
	int err;

	if (holon_frozen()) {
		*stay = HOLON_STAY_FROZEN;
		return -EBUSY;
	}
	err = begin_move(ht) ?: close_memory(stay) ?: write_image(ht, &image, stay) ?:
	      holon_image_call(ht, &image, &reply);
	if (err > 0)
		err = -EBADMSG;
	if (err == -ESTALE)
		*stay = HOLON_STAY_VERSION;
	if (!err)
		err = holon_ready_parse(&reply, &ready) ?: holon_mm_send(ht, ht->node);
	if (!err && (READ_ONCE(ht->exited) || READ_ONCE(ht->lost)))
		err = -EHOSTDOWN;
	/* The commit. */
	if (!err)
		err = holon_mm_deputy();
	if (!err)
		become_deputy(ht, &ready);
	else if (reply.len || holon_image_in_pieces(&image))
		holon_image_go(ht, true);
	holon_reply_free(&reply);
	holon_image_free(&image);
	return err;
}

static int move_away(struct holon_task *ht, enum holon_stay *stay)
{
	int err = holon_hold(ht, stay);

	if (err)
		return err;
	err = move_held_away(ht, stay);
	if (err) {
		holon_release(ht, NULL);
		holon_timers_rearm();
	}
	return err;
}

void holon_move_away(struct holon_task *ht)
{
	enum holon_stay stay = HOLON_STAY_NONE;
	bool asked = holon_move_only_asked(ht);
	int err = asked ? look(ht, &stay) : move_away(ht, &stay);

	holon_export_withdraw(&ht->offers);
	if (err)
		err = stay_error(&stay, err);
	if (err || asked)
		holon_move_detach(stay, err);
	else
		holon_move_done(ht, stay, err);
	if (err && !asked)
		atomic64_inc(&holon_task_stat.refused);
}

void holon_move_along(struct holon_task *ht)
{
	write_down(ht);
	holon_held(ht);
	if (ht->state == HOLON_TASK_MOVING)
		holon_task_detach();
}

/* --- home: the guest ----------------------------------------------------------- */

/* Of all threads; those that exited before have told it. */
static void count_usage(struct holon_task *ht, struct holon_wire_exit *usage)
{
	struct holon_task *sibling;

	holon_usage(current, usage);
	usage->task.inc = cpu_to_le64(ht->inc);
	usage->task.pid = cpu_to_le32(ht->pid);
	list_for_each_entry(sibling, &ht->leader->held, hold_node) {
		struct holon_wire_exit more = {};

		holon_usage(sibling->task, &more);
		le64_add_cpu(&usage->utime, le64_to_cpu(more.utime));
		le64_add_cpu(&usage->stime, le64_to_cpu(more.stime));
		le64_add_cpu(&usage->runtime, le64_to_cpu(more.runtime));
		le64_add_cpu(&usage->min_flt, le64_to_cpu(more.min_flt));
		le64_add_cpu(&usage->maj_flt, le64_to_cpu(more.maj_flt));
		le64_add_cpu(&usage->nvcsw, le64_to_cpu(more.nvcsw));
		le64_add_cpu(&usage->nivcsw, le64_to_cpu(more.nivcsw));
		le64_add_cpu(&usage->inblock, le64_to_cpu(more.inblock));
		le64_add_cpu(&usage->oublock, le64_to_cpu(more.oublock));
	}
}

/* @directed: number of the thread, or 0. */
static unsigned int put_signals(struct wire_land_signal *to, unsigned int max,
				const struct sigpending *pending, pid_t directed)
{
	sigset_t rest = pending->signal;
	const struct sigqueue *q;
	unsigned int n = 0;
	int sig;

	lockdep_assert_held(&current->sighand->siglock);
	list_for_each_entry(q, &pending->list, list) {
		if (n == max)
			return n;
		to[n].signo = cpu_to_le32(q->info.si_signo);
		to[n].directed = cpu_to_le32(directed);
		memcpy(to[n].info, &q->info, sizeof(to[n].info));
		sigdelset(&rest, q->info.si_signo);
		n++;
	}
	/* There was no memory for what they say. */
	for (sig = 1; sig <= _NSIG && n < max; sig++) {
		if (!sigismember(&rest, sig))
			continue;
		to[n].signo = cpu_to_le32(sig);
		to[n].directed = cpu_to_le32(directed);
		((kernel_siginfo_t *)to[n].info)->si_signo = sig;
		n++;
	}
	return n;
}

/*
 * The last word: signals that wait, and what the guest has used. Home relays
 * nothing any more, and what it had relayed has arrived.
 */
static int ask_land(struct holon_task *ht)
{
	struct holon_guest_request *request;
	struct wire_land_signal *signal;
	struct holon_guest_answer answer;
	struct holon_task *sibling;
	struct wire_land *land;
	unsigned int n;
	size_t len = sizeof(*request) + sizeof(*land);
	int err;

	request = kvzalloc(len + HOLON_LAND_SIGNALS * sizeof(*signal), GFP_KERNEL);
	if (!request)
		return -ENOMEM;
	land = (struct wire_land *)(request + 1);
	signal = (struct wire_land_signal *)(land + 1);
	request->nr = cpu_to_le32(HOLON_FORWARD_LAND);
	count_usage(ht, &land->usage);
	spin_lock_irq(&current->sighand->siglock);
	n = put_signals(signal, HOLON_LAND_SIGNALS, &current->signal->shared_pending, 0);
	n += put_signals(signal + n, HOLON_LAND_SIGNALS - n, &current->pending, ht->pid);
	list_for_each_entry(sibling, &ht->leader->held, hold_node)
		n += put_signals(signal + n, HOLON_LAND_SIGNALS - n, &sibling->task->pending,
				 sibling->pid);
	spin_unlock_irq(&current->sighand->siglock);
	land->signals = cpu_to_le32(n);
	if (n == HOLON_LAND_SIGNALS) {
		kvfree(request);
		return -E2BIG;
	}
	err = holon_guest_ask_data(ht, request, len + n * sizeof(*signal), &answer);
	kvfree(request);
	return err ?: (s32)le32_to_cpu(answer.result);
}

static int ask_home(struct holon_task *ht, const struct holon_image *image)
{
	bool pieces = holon_image_in_pieces(image);
	struct holon_guest_request *request;
	struct holon_guest_answer answer;
	size_t len = pieces ? 0 : image->len;
	int err;

	if (pieces) {
		err = holon_image_pieces(ht, ht->home, image);
		if (err)
			return err;
	}
	request = kvzalloc(sizeof(*request) + len, GFP_KERNEL);
	if (!request)
		return -ENOMEM;
	request->nr = cpu_to_le32(HOLON_FORWARD_HOME);
	request->move.pieces = cpu_to_le32(pieces);
	memcpy(request + 1, image->data, len);
	err = holon_guest_ask_data(ht, request, sizeof(*request) + len, &answer);
	kvfree(request);
	return err ?: (s32)le32_to_cpu(answer.result);
}

static int move_held_home(struct holon_task *ht, enum holon_stay *stay)
{
	struct holon_image image = {};
	int err;

	WRITE_ONCE(ht->leader->leaving, true);
	err = close_memory(stay) ?: write_image(ht->leader, &image, stay) ?:
	      holon_creds_push(ht);
	if (!err) {
		err = ask_home(ht, &image);
		/* The deputies are about to stop. */
		if (err == -EBUSY)
			*stay = HOLON_STAY_LATE;
		else if (err == -ESTALE)
			*stay = HOLON_STAY_VERSION;
		err = err ?: holon_mm_send(ht, ht->home) ?: ask_land(ht);
	}
	/* Killed, we do not know what has become of it. */
	if (err && !fatal_signal_pending(current))
		WRITE_ONCE(ht->leader->leaving, false);
	holon_export_withdraw(&ht->offers);
	holon_image_free(&image);
	return err;
}

/* Home hears why not, and goes on as the deputy. */
static void ask_stay(struct holon_task *ht, u32 number, enum holon_stay stay, int err)
{
	struct holon_guest_request request = {
		.nr = cpu_to_le32(HOLON_FORWARD_STAY),
		.move.stay = cpu_to_le32(stay),
		.move.err = cpu_to_le32(err),
		.move.number = cpu_to_le32(number),
		.move.memory = cpu_to_le64((u64)get_mm_rss(current->mm) << PAGE_SHIFT),
	};
	struct holon_guest_answer answer;

	holon_guest_ask(ht, &request, &answer);
}

/* It lives at home now: nothing of this end is to be seen. */
static void vanish(struct holon_task *ht)
{
	ht->homed = true;
	holon_thread_forget();
	do_exit(0);
}

static int move_home(struct holon_task *ht, enum holon_stay *stay)
{
	int err = holon_hold(ht, stay);

	if (err)
		return err;
	err = move_held_home(ht, stay);
	if (err)
		holon_timers_rearm();
	holon_release(ht->leader, err ? NULL : vanish);
	return err;
}

static void home_along(struct holon_task *ht)
{
	write_down(ht);
	if (!ht->stay && holon_creds_push(ht))
		ht->stay = HOLON_STAY_ERROR;
	holon_held(ht);
}

/* Something that passes is in the way of a call that has to run at home. */
static bool try_again(const struct holon_task *ht, enum holon_stay stay, unsigned int *tries)
{
	return ht->recall_call && (holon_stay_passes(stay) || stay == HOLON_STAY_LATE) &&
	       ++*tries < HOLON_MOVE_TRIES && !signal_pending(current);
}

/*
 * Signals, a stop or a freeze come first: the hook comes back, and the call, if there
 * is one, has not begun.
 */
static void come_back(struct holon_task *ht, bool recalled, u32 number)
{
	/* Unless it has been taken back meanwhile. */
	if (recalled && READ_ONCE(ht->leader->recall_number) == number)
		WRITE_ONCE(ht->leader->recalled, true);
	set_notify_resume(current);
}

bool holon_move_home(struct holon_task *ht)
{
	enum holon_stay stay = HOLON_STAY_NONE;
	bool recalled, asked;
	unsigned int tries = 0;
	u32 number;
	int err;

	if (holon_hold_wanted(ht)) {
		home_along(ht);
		return true;
	}
	recalled = READ_ONCE(ht->leader->recalled);
	WRITE_ONCE(ht->leader->recalled, false);
	number = recalled ? READ_ONCE(ht->leader->recall_number) : 0;
	asked = recalled && READ_ONCE(ht->leader->recall_asked) && !ht->recall_call;
	do {
		if (stay)
			msleep_interruptible(HOLON_MOVE_PAUSE_MS);
		stay = HOLON_STAY_NONE;
		err = asked ? look(ht, &stay) : move_home(ht, &stay);
	} while (err && try_again(ht, stay, &tries));
	if (!err && !asked)
		vanish(ht);
	/* The deputy dies with us, or has landed. */
	if (fatal_signal_pending(current))
		return false;
	/* Another thread does it. */
	if (err == -EALREADY)
		return true;
	if (err == -ECANCELED ||
	    (ht->recall_call && holon_stay_passes(stay) && signal_pending(current))) {
		come_back(ht, recalled, number);
		return false;
	}
	if (err)
		err = stay_error(&stay, err);
	if (ht->recall_call) {
		ht->recall_call = false;
		ht->recall_failed = true;
		pr_info_ratelimited("a system call of process %d has to run at home, but %s\n",
				    ht->pid, holon_stay_text(stay));
	}
	ask_stay(ht, number, stay, err);
	return true;
}

/* Whoever of the process comes first to the hook drives. */
static void call_to_hook(struct holon_task *leader)
{
	struct task_struct *task = holon_task_of(leader), *t;

	if (!task)
		return;
	rcu_read_lock();
	for_each_thread(task, t)
		holon_call_thread(t);
	rcu_read_unlock();
	put_task_struct(task);
}

static int holon_recall_handler(struct holon_request *request)
{
	const struct holon_wire_task *msg = request->data;
	u32 flags = le32_to_cpu(msg->flags);
	struct holon_task *ht;

	ht = holon_task_find(HOLON_ROLE_GUEST, request->node, le32_to_cpu(msg->pid),
			     le64_to_cpu(msg->inc));
	if (!ht)
		return 0;
	if (!(flags & HOLON_RECALL_CANCEL)) {
		WRITE_ONCE(ht->recall_asked, flags & HOLON_RECALL_ASK);
		WRITE_ONCE(ht->recall_number, flags >> HOLON_RECALL_NUMBER_SHIFT);
		WRITE_ONCE(ht->recalled, true);
		call_to_hook(ht);
	} else if (READ_ONCE(ht->recall_number) == flags >> HOLON_RECALL_NUMBER_SHIFT) {
		WRITE_ONCE(ht->recall_number, 0);
		WRITE_ONCE(ht->recalled, false);
	}
	holon_task_put(ht);
	return 0;
}

/* --- home: the deputy ----------------------------------------------------------- */

void holon_landing_free(struct holon_task *ht)
{
	struct holon_landing *landing = ht->landing;

	if (!landing)
		return;
	ht->landing = NULL;
	holon_import_free(landing->import);
	holon_image_free(&landing->image);
	kfree(landing);
}

static int join_landing(struct holon_task *ht)
{
	holon_mm_join(driver_mm(ht));
	/* The window goes with the address space. */
	ht->window_len = 0;
	return holon_import_home_sibling(ht->leader->driver->landing->import, ht->pid);
}

static int join_again(struct holon_task *ht)
{
	holon_mm_join(driver_mm(ht));
	ht->window_len = 0;
	ht->moved = false;
	holon_deputy_unblock();
	return 0;
}

/* The guest goes on where it is, and we as its deputy. */
static void stay_away(struct holon_task *ht)
{
	WRITE_ONCE(ht->importing, false);
	holon_image_drop(ht->node, ht->pid, ht->inc);
	if (ht->landing) {
		holon_import_undo(ht->landing->import);
		holon_landing_free(ht);
		/* Whatever of the program is here has to go. */
		if (holon_mm_deputy())
			pr_debug("a deputy keeps the memory of its program\n");
		ht->window_len = 0;
		holon_order(ht->leader, join_again);
		spin_lock_irq(&ht->lock);
		ht->state = HOLON_TASK_STABLE;
		spin_unlock_irq(&ht->lock);
		WRITE_ONCE(ht->leader->arriving, false);
		holon_release(ht->leader, NULL);
	}
}

static int take_landing(struct holon_task *ht, const struct holon_guest_request *request,
			size_t len, struct holon_landing *landing)
{
	if (le32_to_cpu(request->move.pieces))
		return holon_image_take(ht->node, ht->pid, ht->inc, &landing->image);
	/* The request goes with its answer, the image is needed longer. */
	landing->image.data = kvmemdup(request + 1, len - sizeof(*request),
				       GFP_KERNEL_ACCOUNT);
	landing->image.len = len - sizeof(*request);
	return landing->image.data ? 0 : -ENOMEM;
}

/* A thread that the guest has no more, with a reference, or NULL. */
static struct holon_task *find_ended(struct holon_task *leader, const struct holon_import *import)
{
	struct holon_task *ht;

	list_for_each_entry(ht, &leader->held, hold_node)
		if (!holon_import_has(import, ht->pid))
			return holon_task_get(ht);
	return NULL;
}

/* The report of a thread that has ended may be slower than the image of the others. */
static int hold_landing(struct holon_task *ht, const struct holon_import *import)
{
	enum holon_stay stay = HOLON_STAY_NONE;
	struct holon_task *ended;
	long left;
	int err;

	for (;;) {
		err = holon_hold(ht, &stay);
		if (err)
			return err == -EINTR ? err : -EBUSY;
		ended = find_ended(ht->leader, import);
		if (!ended)
			return 0;
		holon_release(ht->leader, NULL);
		left = wait_event_killable_timeout(ended->wait, READ_ONCE(ended->exited),
						   HOLON_MOVE_REPORT);
		holon_task_put(ended);
		if (left <= 0)
			return left ? -EINTR : -EBADMSG;
	}
}

static int land_begin(struct holon_task *ht, const struct holon_guest_request *request, size_t len)
{
	struct holon_landing *landing;
	int err;

	if (ht->state != HOLON_TASK_STABLE)
		return -EBUSY;
	landing = kzalloc(sizeof(*landing), GFP_KERNEL);
	if (!landing)
		return -ENOMEM;
	err = take_landing(ht, request, len, landing);
	if (!err) {
		landing->import = holon_image_parse(&landing->image);
		err = PTR_ERR_OR_ZERO(landing->import);
	}
	if (!err && !holon_import_moves(landing->import))
		err = -EBADMSG;
	if (!err)
		err = hold_landing(ht, landing->import);
	if (err) {
		holon_import_free(landing->import);
		holon_image_free(&landing->image);
		kfree(landing);
		return err;
	}
	ht->landing = landing;
	WRITE_ONCE(ht->leader->arriving, true);
	spin_lock_irq(&ht->lock);
	ht->state = HOLON_TASK_LANDING;
	spin_unlock_irq(&ht->lock);
	err = holon_import_home(landing->import);
	/* The window has gone with the address space. */
	ht->window_len = 0;
	err = err ?: holon_order(ht->leader, join_landing);
	if (err)
		stay_away(ht);
	else
		WRITE_ONCE(ht->importing, true);
	return err;
}

static bool valid_signals(const struct wire_land_signal *signal, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!signal[i].signo || le32_to_cpu(signal[i].signo) > _NSIG)
			return false;
	return true;
}

static void queue_signal(const struct wire_land_signal *signal)
{
	enum pid_type type = signal->directed ? PIDTYPE_PID : PIDTYPE_TGID;
	int sig = le32_to_cpu(signal->signo);
	kernel_siginfo_t info;

	memcpy(&info, signal->info, sizeof(info));
	info.si_signo = sig;
	/* Its timer is another one by now. */
	if (info.si_code == SI_TIMER)
		info.si_sys_private = 0;
	if (__send_signal_locked(sig, &info, current, type, true) == -EAGAIN) {
		/* There was room for it where it was: at least one is pending. */
		info.si_code = SI_USER;
		__send_signal_locked(sig, &info, current, type, true);
	}
}

/* What has come here since the guest began to come home. Lock: siglock. */
static unsigned int take_later(struct wire_land_signal *later)
{
	sigset_t kill = { .sig[0] = sigmask(SIGKILL) };
	kernel_siginfo_t info;
	enum pid_type type;
	unsigned int n = 0;
	int sig;

	while (n < HOLON_LAND_SIGNALS && (sig = dequeue_signal(&kill, &info, &type))) {
		later[n].signo = cpu_to_le32(sig);
		later[n].directed = cpu_to_le32(type == PIDTYPE_PID);
		memcpy(later[n++].info, &info, sizeof(info));
	}
	return n;
}

/*
 * The signals of the guest, and behind them the later ones. The driver does it for
 * the process, each thread for itself.
 */
static int land_signals(struct holon_task *ht)
{
	struct holon_task *driver = ht->leader->driver;
	const struct wire_land_signal *signal = driver->landing->signal;
	struct wire_land_signal *later = NULL;
	unsigned int i, n = 0;
	pid_t directed;

	if (!sigisemptyset(&current->pending.signal) || ht == driver)
		later = kvcalloc(HOLON_LAND_SIGNALS, sizeof(*later), GFP_KERNEL | __GFP_NOFAIL);
	spin_lock_irq(&current->sighand->siglock);
	if (later)
		n = take_later(later);
	for (i = 0; i < driver->landing->signals; i++) {
		directed = le32_to_cpu(signal[i].directed);
		if (directed == ht->pid || (!directed && ht == driver))
			queue_signal(&signal[i]);
	}
	for (i = 0; i < n; i++)
		queue_signal(&later[i]);
	spin_unlock_irq(&current->sighand->siglock);
	kvfree(later);
	return 0;
}

static void landed_along(struct holon_task *ht)
{
	holon_deputy_refuse(ht);
	holon_move_settle(ht);
	holon_task_detach();
}

/* Is one of the threads of the guest dead? From here on that does not concern us. */
static bool take_over(struct holon_task *ht)
{
	bool alive;

	spin_lock_irq(&ht->lock);
	alive = !ht->exited && !READ_ONCE(ht->lost);
	if (alive)
		ht->task = NULL;
	spin_unlock_irq(&ht->lock);
	return alive;
}

static bool take_over_all(struct holon_task *ht)
{
	struct holon_task *sibling;
	bool all = take_over(ht);

	list_for_each_entry(sibling, &ht->leader->held, hold_node)
		all &= take_over(sibling);
	return all;
}

static int land_end(struct holon_task *ht, const struct holon_guest_request *request, size_t len)
{
	const struct wire_land *land = (const struct wire_land *)(request + 1);
	const struct wire_land_signal *signal = (const struct wire_land_signal *)(land + 1);
	size_t n;
	int err;

	if (ht->state != HOLON_TASK_LANDING || !ht->importing)
		return -EBUSY;
	if (len < sizeof(*request) + sizeof(*land))
		return -EBADMSG;
	n = le32_to_cpu(land->signals);
	if (n > HOLON_LAND_SIGNALS ||
	    len != sizeof(*request) + sizeof(*land) + n * sizeof(*signal) ||
	    !valid_signals(signal, n))
		return -EBADMSG;
	ht->landing->signal = signal;
	ht->landing->signals = n;
	WRITE_ONCE(ht->importing, false);
	err = holon_import_program(ht->landing->import);
	if (err)
		return err;
	/* The commit: from here on nothing that becomes of the guest concerns us. */
	if (!take_over_all(ht)) {
		holon_signal_zap(current, SIGKILL);
		return -EINTR;
	}
	land_signals(ht);
	holon_order(ht->leader, land_signals);
	holon_release(ht->leader, landed_along);
	holon_add_usage(&land->usage);
	holon_watch_drop(ht, 0, ~0U);
	ht->landed = true;
	return 0;
}

int holon_land(struct holon_task *ht, const struct holon_guest_request *request, size_t len)
{
	switch (le32_to_cpu(request->nr)) {
	case HOLON_FORWARD_HOME:
		return land_begin(ht, request, len);
	case HOLON_FORWARD_LAND:
		return land_end(ht, request, len);
	default:
		stay_away(ht);
		holon_move_stays(ht->leader, le32_to_cpu(request->move.number),
				 le32_to_cpu(request->move.stay) ?: HOLON_STAY_ERROR,
				 le32_to_cpu(request->move.err),
				 le64_to_cpu(request->move.memory));
		return 0;
	}
}

void holon_move_settle(struct holon_task *ht)
{
	ht->moved = false;
	current_pt_regs()->ax = ht->moved_result;
	/* What had to wait until now is seen before user mode. */
	set_current_blocked(&ht->moved_blocked);
}

void holon_landed(struct holon_task *ht)
{
	holon_deputy_refuse(ht);
	holon_landing_free(ht);
	holon_move_settle(ht);
	atomic64_inc(&holon_task_stat.homed);
	holon_task_moved(ht, ht->node, ht->home);
	holon_move_detach(HOLON_STAY_NONE, 0);
}
