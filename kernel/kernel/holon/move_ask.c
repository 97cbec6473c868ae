// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who wants a process moved, or to know whether it could be.
 *
 * Home is asked, whoever asks: a process that is at home gets a half by task work
 * and moves (move.c); a guest is called back, and from home goes on to where it shall
 * be. Who only wants to know has it go all the way up to the point where something
 * would be sent, and hears what a move would have heard.
 *
 * Whoever waits has a struct holon_move, which the process ends: when it has moved,
 * when it cannot, or when it exits. It is found in ->move of the leader's half, under
 * its lock.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/completion.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/pid.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/task_work.h>

#include <linux/holon.h>
#include <linux/holon_rpc.h>
#include <linux/holon_task.h>
#include <linux/holon_view.h>

#include "move.h"
#include "task.h"

/* How long a process may take to come to its hook; for one that only wants to know. */
#define HOLON_MOVE_WAIT		(10 * HZ)
#define HOLON_MOVE_LOOK		(2 * HZ)
/* And how long it may then take before nobody waits any more. */
#define HOLON_MOVE_END		(300 * HZ)
/* What passes by itself: a reader of /proc, a look at the clock. */
#define HOLON_MOVE_TRIES	100
#define HOLON_MOVE_PAUSE_MS	5

/**
 * struct holon_move - somebody waits for a process to move
 * @ref: who waits, and the process
 * @work: brings the process to its hook
 * @done: it has moved or will not
 * @node: where to; 0: nowhere, could it?
 * @number: of the question, in RECALL and in the guest's STAY
 * @stay: why not, with HOLON_STAY_ERROR as in @err
 * @err: negative errno
 * @memory: bytes that it has where it runs, when it has said so
 */
struct holon_move {
	refcount_t ref;
	struct callback_head work;
	struct completion done;
	u8 node;
	u32 number;
	enum holon_stay stay;
	int err;
	u64 memory;
};

/**
 * struct verdict - what becomes of a request
 * @stay: why not
 * @memory: see above
 */
struct verdict {
	enum holon_stay stay;
	u64 memory;
};

/* TASK_MIGRATE */
struct wire_migrate {
	__le32 pid;
	__u8 node;		/* where to; 0: nowhere, only tell */
	__u8 pad[3];
};

struct wire_migrated {
	__le32 stay;
	__le32 err;
	__le64 memory;
	__le32 threads;
	__le32 moves;
	__u8 node;
	__u8 state;
	__u8 pad[6];
	char comm[TASK_COMM_LEN];
};

static int holon_migrate_handler(struct holon_request *request);

static HOLON_RPC(task_migrate, HOLON_RPC_ID_TASK_MIGRATE, HOLON_REQ,
		 HOLON_RPC_CREDS | HOLON_RPC_LONG, sizeof(struct wire_migrate),
		 holon_migrate_handler);

/* --- who waits ----------------------------------------------------------------- */

static struct holon_move *move_alloc(u8 node)
{
	static atomic_t last;
	struct holon_move *move = kzalloc(sizeof(*move), GFP_KERNEL);

	if (!move)
		return NULL;
	refcount_set(&move->ref, 2);
	init_completion(&move->done);
	move->node = node;
	/* Never 0, which is what a guest says that was not asked. */
	move->number = atomic_inc_return(&last) % HOLON_RECALL_NUMBERS + 1;
	return move;
}

static void move_put(struct holon_move *move)
{
	if (refcount_dec_and_test(&move->ref))
		kfree(move);
}

/* Of a peer. Netlink answers no request that ends with EINTR: who asked was not killed. */
static int sane_error(int err)
{
	return err < -MAX_ERRNO || err == -EINTR ? -EIO : min(err, 0);
}

static void move_end(struct holon_move *move, enum holon_stay stay, int err)
{
	/* Who was to move cannot get away with saying that it could. */
	if (stay == HOLON_STAY_MOVABLE && move->node) {
		stay = HOLON_STAY_ERROR;
		err = -EBADMSG;
	}
	move->stay = stay;
	move->err = sane_error(err);
	complete_all(&move->done);
	move_put(move);
}

static struct holon_move *move_take(struct holon_task *ht)
{
	struct holon_move *move;

	spin_lock_irq(&ht->lock);
	move = ht->move;
	ht->move = NULL;
	spin_unlock_irq(&ht->lock);
	return move;
}

void holon_move_done(struct holon_task *ht, enum holon_stay stay, int err)
{
	struct holon_move *move = move_take(ht);

	if (move)
		move_end(move, stay, err);
}

void holon_move_detach(enum holon_stay stay, int err)
{
	struct holon_move *move = move_take(current->holon->leader);

	holon_task_detach();
	if (move)
		move_end(move, stay, err);
}

void holon_move_stays(struct holon_task *ht, u32 number, enum holon_stay stay, int err, u64 memory)
{
	struct holon_move *move = NULL;

	spin_lock_irq(&ht->lock);
	if (ht->move && ht->move->number == number)
		swap(move, ht->move);
	spin_unlock_irq(&ht->lock);
	if (!move)
		return;
	move->memory = memory;
	move_end(move, stay, err);
}

bool holon_move_only_asked(struct holon_task *ht)
{
	bool asked;

	spin_lock_irq(&ht->lock);
	asked = ht->move && !ht->move->node;
	spin_unlock_irq(&ht->lock);
	return asked;
}

/* Wait for its end. Return: false when the process has not begun by then. */
static bool wait_begun(struct holon_move *move)
{
	long wait = move->node ? HOLON_MOVE_WAIT : HOLON_MOVE_LOOK;

	return wait_for_completion_killable_timeout(&move->done, wait) > 0;
}

static int wait_end(struct holon_move *move, struct verdict *verdict)
{
	long left = wait_for_completion_killable_timeout(&move->done, HOLON_MOVE_END);

	if (left > 0) {
		verdict->stay = move->stay;
		verdict->memory = move->memory;
		return move->err;
	}
	/* Netlink cannot wait for ever. */
	verdict->stay = HOLON_STAY_UNDERWAY;
	return left ? -EINTR : -EBUSY;
}

/* --- a process at home ------------------------------------------------------------ */

/* In the leader of what is to move, on its way to the hook. */
static void depart(struct callback_head *work)
{
	struct holon_move *move = container_of(work, struct holon_move, work);
	struct holon_task *ht;

	if (current->flags & PF_EXITING) {
		move_end(move, HOLON_STAY_GONE, -ESRCH);
		return;
	}
	if (current->holon) {
		move_end(move, HOLON_STAY_OTHER_MOVE, -EBUSY);
		return;
	}
	ht = holon_task_alloc(HOLON_ROLE_DEPUTY, GFP_KERNEL);
	if (!ht) {
		move_end(move, HOLON_STAY_ERROR, -ENOMEM);
		return;
	}
	ht->home = holon_node_id();
	ht->node = move->node ?: holon_node_id();
	ht->pid = task_tgid_nr(current);
	ht->task = current;
	ht->state = HOLON_TASK_MOVING;
	ht->move = move;
	static_branch_enable(&holon_task_key);
	WRITE_ONCE(current->holon, ht);
	set_notify_resume(current);
}

static int send_away(struct task_struct *task, u8 node, struct verdict *verdict)
{
	struct holon_move *move = move_alloc(node);
	int err;

	if (!move)
		return -ENOMEM;
	init_task_work(&move->work, depart);
	if (task_work_add(task, &move->work, TWA_SIGNAL)) {
		kfree(move);
		verdict->stay = get_nr_threads(task) > 1 ? HOLON_STAY_LEADER : HOLON_STAY_GONE;
		return holon_stay_errno(verdict->stay);
	}
	if (!wait_begun(move) && task_work_cancel(task, &move->work)) {
		move_put(move);
		verdict->stay = HOLON_STAY_LATE;
		err = -EBUSY;
	} else {
		err = wait_end(move, verdict);
	}
	move_put(move);
	return err;
}

/* --- a guest ------------------------------------------------------------------------ */

static void send_recall(struct holon_task *ht, u32 number, u32 flags)
{
	struct holon_wire_task msg = {
		.inc = cpu_to_le64(ht->inc),
		.pid = cpu_to_le32(ht->pid),
		.flags = cpu_to_le32(number << HOLON_RECALL_NUMBER_SHIFT | flags),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };

	holon_send(ht->node, &holon_rpc_task_recall, &vec, 1, GFP_KERNEL);
}

/* Take the move of @ht back, unless the guest has begun it. */
static bool take_back(struct holon_task *ht, struct holon_move *move)
{
	bool mine;

	spin_lock_irq(&ht->lock);
	mine = ht->move == move && ht->state == HOLON_TASK_STABLE && !ht->driver;
	if (mine)
		ht->move = NULL;
	spin_unlock_irq(&ht->lock);
	if (mine) {
		/* Should it just begin, it comes home, and nobody is told. */
		send_recall(ht, move->number, HOLON_RECALL_CANCEL);
		move_put(move);
	}
	return mine;
}

/* @node: its home, or 0. */
static int call_back(struct holon_task *ht, u8 node, struct verdict *verdict)
{
	struct holon_move *move = move_alloc(node);
	int err = 0;

	if (!move)
		return -ENOMEM;
	spin_lock_irq(&ht->lock);
	if (ht->move || ht->state != HOLON_TASK_STABLE || ht->driver)
		err = -EBUSY;
	else
		ht->move = move;
	spin_unlock_irq(&ht->lock);
	if (err) {
		kfree(move);
		verdict->stay = HOLON_STAY_OTHER_MOVE;
		return err;
	}
	send_recall(ht, move->number, node ? 0 : HOLON_RECALL_ASK);
	if (!wait_begun(move) && take_back(ht, move)) {
		verdict->stay = HOLON_STAY_LATE;
		err = -EBUSY;
	} else {
		err = wait_end(move, verdict);
	}
	move_put(move);
	return err;
}

/* --- either --------------------------------------------------------------------------- */

/* The half of the process of @task, with a reference, or NULL. */
static struct holon_task *half_of(struct task_struct *task)
{
	struct holon_task *ht, *found = NULL;
	struct task_struct *t;

	rcu_read_lock();
	/* The leader may have exited. Each has a reference to its leader's. */
	for_each_thread(task, t) {
		ht = READ_ONCE(t->holon);
		if (ht && refcount_inc_not_zero(&ht->leader->ref)) {
			found = ht->leader;
			break;
		}
	}
	rcu_read_unlock();
	return found;
}

/*
 * One step of the way to @node; 0 with @there set to false when it was only the first
 * one. To node 0 there is one step, which leads nowhere.
 */
static int step(struct task_struct *task, u8 node, struct verdict *verdict, bool *there)
{
	struct holon_task *ht = half_of(task);
	u8 home = holon_node_id();
	int err;

	*there = true;
	verdict->stay = HOLON_STAY_NONE;
	if (!ht)
		return node == home ? 0 : send_away(task, node, verdict);
	if (ht->state == HOLON_TASK_EXITING) {
		verdict->stay = !(task->flags & PF_EXITING) ? HOLON_STAY_OTHER_MOVE :
				ht->threads ? HOLON_STAY_LEADER : HOLON_STAY_GONE;
		err = holon_stay_errno(verdict->stay);
	} else if (ht->role != HOLON_ROLE_DEPUTY || ht->state != HOLON_TASK_STABLE) {
		verdict->stay = ht->role == HOLON_ROLE_DEPUTY ? HOLON_STAY_OTHER_MOVE :
								HOLON_STAY_KERNEL;
		err = holon_stay_errno(verdict->stay);
	} else if (ht->node == node) {
		err = 0;
	} else {
		err = call_back(ht, node ? home : 0, verdict);
		*there = !node || node == home;
	}
	holon_task_put(ht);
	return err;
}

/*
 * A process that moves itself, from home: when its call has ended. A guest has its
 * deputy ask, and comes home.
 */
static int migrate_self(u8 node, struct verdict *verdict)
{
	struct holon_task *ht = current->holon;
	struct holon_move *move;

	if (ht && ht->state == HOLON_TASK_STABLE && node == holon_node_id()) {
		send_recall(ht->leader, 0, 0);
		return 0;
	}
	verdict->stay = ht ? HOLON_STAY_SELF : holon_move_check();
	if (verdict->stay)
		return holon_stay_errno(verdict->stay);
	if (!node || node == holon_node_id())
		return 0;
	move = move_alloc(node);
	if (!move)
		return -ENOMEM;
	init_task_work(&move->work, depart);
	/* Should the leader have ended there is nobody to tell. */
	if (task_work_add(current->group_leader, &move->work, TWA_SIGNAL))
		move_put(move);
	move_put(move);
	return 0;
}

/* @node 0: could it be moved? */
static int migrate(struct task_struct *task, u8 node, struct verdict *verdict)
{
	unsigned int tries = 0;
	bool there;
	int err;

	if (same_thread_group(task, current))
		return migrate_self(node, verdict);
	do {
		err = step(task, node, verdict, &there);
		if (err && (holon_stay_passes(verdict->stay) ||
			    verdict->stay == HOLON_STAY_OTHER_MOVE) && ++tries < HOLON_MOVE_TRIES) {
			msleep(HOLON_MOVE_PAUSE_MS);
			err = 0;
			there = false;
		}
		if (fatal_signal_pending(current))
			return err ?: -EINTR;
	} while (!err && !there);
	if (err && !verdict->stay)
		verdict->stay = HOLON_STAY_ERROR;
	return err;
}

/* The owner of a process, and who may set its priority, may move it. */
static bool may_move(struct task_struct *task)
{
	const struct cred *cred = current_cred(), *other;
	bool same;

	rcu_read_lock();
	other = __task_cred(task);
	same = uid_eq(cred->euid, other->euid) || uid_eq(cred->euid, other->uid);
	rcu_read_unlock();
	return same || ns_capable(&init_user_ns, CAP_SYS_NICE);
}

/* @task may be NULL. */
static enum holon_stay may_ask(struct task_struct *task)
{
	if (!task)
		return HOLON_STAY_GONE;
	if (task->flags & (PF_KTHREAD | PF_USER_WORKER) || is_global_init(task))
		return HOLON_STAY_KERNEL;
	return may_move(task) ? HOLON_STAY_NONE : HOLON_STAY_RIGHTS;
}

static struct task_struct *find_process(pid_t nr)
{
	struct pid *pid = find_get_pid(nr);
	struct task_struct *task = get_pid_task(pid, PIDTYPE_TGID);

	put_pid(pid);
	return task;
}

/* --- what there is to know -------------------------------------------------------------- */

static u64 memory_of(struct task_struct *task)
{
	u64 memory = 0;

	task_lock(task);
	if (task->mm)
		memory = (u64)get_mm_rss(task->mm) << PAGE_SHIFT;
	task_unlock(task);
	return memory;
}

static enum holon_whereabouts whereabouts(const struct task_struct *task,
					  const struct holon_task *ht)
{
	switch (ht->state) {
	case HOLON_TASK_PLACED:
		return HOLON_WHEREABOUTS_HOME;
	case HOLON_TASK_STABLE:
		return HOLON_WHEREABOUTS_AWAY;
	case HOLON_TASK_EXITING:
		/* It has come home, and other threads are about to see that. */
		return task->flags & PF_EXITING || ht->role == HOLON_ROLE_GUEST ?
		       HOLON_WHEREABOUTS_ENDING : HOLON_WHEREABOUTS_HOME;
	default:
		return HOLON_WHEREABOUTS_MOVING;
	}
}

/* @ht: the leader's half, or NULL. Of a guest there is something to know here, too. */
static void describe(struct task_struct *task, const struct holon_task *ht,
		     struct holon_task_info *info)
{
	enum holon_whereabouts state = ht ? whereabouts(task, ht) : HOLON_WHEREABOUTS_HOME;
	u8 here = holon_node_id();

	*info = (struct holon_task_info){
		.pid = ht ? ht->pid : task_tgid_nr(task),
		.home = ht ? ht->home : here,
		.node = state == HOLON_WHEREABOUTS_HOME ? here : ht->node,
		.state = state,
		.threads = state == HOLON_WHEREABOUTS_HOME ? get_nr_threads(task) :
							     READ_ONCE(ht->threads),
		.moves = READ_ONCE(task->signal->holon_moves),
	};
	if (info->node == here)
		info->memory = memory_of(task);
	get_task_comm(info->comm, task);
}

static void describe_process(struct task_struct *task, struct holon_task_info *info)
{
	struct holon_task *ht = half_of(task);

	describe(task, ht && ht->role != HOLON_ROLE_SPAWNER ? ht : NULL, info);
	holon_task_put(ht);
}

bool holon_task_next(struct holon_task_position *position, struct holon_task_info *info)
{
	struct task_struct *task;
	struct holon_task *ht;

	while ((ht = holon_task_walk(position))) {
		task = holon_task_of(ht);
		if (task) {
			describe(task, ht, info);
			put_task_struct(task);
		}
		holon_task_put(ht);
		if (task)
			return true;
	}
	return false;
}

static void set_movable(struct holon_task_info *info, enum holon_stay stay, int err)
{
	info->movable = !err;
	info->reason = err ? holon_stay_text(stay) : NULL;
}

static int show(pid_t pid, struct holon_task_info *info, enum holon_stay *stay)
{
	struct task_struct *task = find_process(pid);
	struct verdict verdict = { .stay = may_ask(task) };
	int err;

	*stay = verdict.stay;
	if (!task)
		return -ESRCH;
	err = verdict.stay ? holon_stay_errno(verdict.stay) : migrate(task, 0, &verdict);
	describe_process(task, info);
	if (!info->memory)
		info->memory = verdict.memory;
	*stay = verdict.stay;
	set_movable(info, *stay, err);
	put_task_struct(task);
	return 0;
}

/* --- another node asks --------------------------------------------------------------------- */

/* A request of another node on its way, see holon_migrate_handler(). */
struct migrate_work {
	struct work_struct work;
	struct holon_request *request;
	struct task_struct *task;
	u8 node;
	enum holon_stay stay;
};

static void migrate_work(struct work_struct *work)
{
	struct migrate_work *m = container_of(work, struct migrate_work, work);
	struct verdict verdict = { .stay = m->stay };
	struct holon_task_info info = {};
	struct wire_migrated answer;
	int err, status;

	err = m->stay ? holon_stay_errno(m->stay) : migrate(m->task, m->node, &verdict);
	if (m->task)
		describe_process(m->task, &info);
	answer = (struct wire_migrated){
		.stay = cpu_to_le32(verdict.stay),
		.err = cpu_to_le32(err),
		.memory = cpu_to_le64(info.memory ?: verdict.memory),
		.threads = cpu_to_le32(info.threads),
		.moves = cpu_to_le32(info.moves),
		.node = info.node,
		.state = info.state,
	};
	memcpy(answer.comm, info.comm, sizeof(answer.comm));
	status = holon_reply_data(m->request, &answer, sizeof(answer));
	holon_reply(m->request, status);
	if (m->task)
		put_task_struct(m->task);
	kfree(m);
}

/*
 * With the credentials of who asks. The move itself sends messages of the same
 * rank, so it is not for the handler to wait for.
 */
static int holon_migrate_handler(struct holon_request *request)
{
	const struct wire_migrate *msg = request->data;
	struct migrate_work *m;

	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	m->request = request;
	m->node = msg->node;
	m->task = find_process(le32_to_cpu(msg->pid));
	m->stay = may_ask(m->task);
	INIT_WORK(&m->work, migrate_work);
	queue_work(system_long_wq, &m->work);
	return HOLON_DEFER;
}

/* Its home does it. @info may be NULL. Return: what that says, or what became of the call. */
static int ask_home(pid_t pid, u8 node, enum holon_stay *stay, struct holon_task_info *info)
{
	struct wire_migrate msg = { .pid = cpu_to_le32(pid), .node = node };
	u8 home = pid >> HOLON_PID_SHIFT;
	struct holon_vec vec = { &msg, sizeof(msg) };
	const struct wire_migrated *answer;
	struct holon_reply reply = {};
	int err;

	err = holon_call(home, &holon_rpc_task_migrate, &vec, 1, &reply);
	*stay = HOLON_STAY_ERROR;
	if (err < 0) {
		if (err == -EHOSTDOWN)
			*stay = HOLON_STAY_GONE;
		holon_reply_free(&reply);
		return err;
	}
	answer = reply.data;
	err = -EBADMSG;
	if (reply.len >= sizeof(*answer)) {
		*stay = le32_to_cpu(answer->stay);
		err = sane_error(le32_to_cpu(answer->err));
	}
	if (err != -EBADMSG && info) {
		*info = (struct holon_task_info){
			.pid = pid,
			.home = home,
			.node = answer->node,
			.state = min_t(u8, answer->state, HOLON_WHEREABOUTS_ENDING),
			.threads = le32_to_cpu(answer->threads),
			.moves = le32_to_cpu(answer->moves),
			.memory = le64_to_cpu(answer->memory),
		};
		strscpy_pad(info->comm, answer->comm, sizeof(info->comm));
		set_movable(info, *stay, err);
	}
	holon_reply_free(&reply);
	return err;
}

/* Those that are older than the name of their node have numbers of nobody. */
static bool is_of_here(pid_t pid)
{
	u8 home = pid >> HOLON_PID_SHIFT;

	return !home || home == holon_node_id();
}

/**
 * holon_task_migrate - see <linux/holon_task.h>
 */
int holon_task_migrate(pid_t pid, u8 node, struct netlink_ext_ack *extack)
{
	struct verdict verdict = {};
	struct task_struct *task;
	int err;

	if (!holon_view_incarnation(node)) {
		NL_SET_ERR_MSG_FMT(extack, "node %u is no member of the cluster", node);
		return -EHOSTDOWN;
	}
	if (!is_of_here(pid)) {
		err = ask_home(pid, node, &verdict.stay, NULL);
	} else {
		task = find_process(pid);
		verdict.stay = may_ask(task);
		err = verdict.stay ? holon_stay_errno(verdict.stay) :
				     migrate(task, node, &verdict);
		if (task)
			put_task_struct(task);
	}
	/* A constant, so it may be longer than what is formatted. */
	if (err && extack)
		extack->_msg = holon_stay_text(verdict.stay);
	return err;
}

/**
 * holon_task_show - see <linux/holon_task.h>
 */
int holon_task_show(pid_t pid, struct holon_task_info *info, struct netlink_ext_ack *extack)
{
	enum holon_stay stay;
	int err;

	*info = (struct holon_task_info){};
	if (is_of_here(pid)) {
		err = show(pid, info, &stay);
	} else {
		err = ask_home(pid, 0, &stay, info);
		/* Why it cannot be moved is an answer; that it has gone is none. */
		if (err && err != -EBADMSG && stay != HOLON_STAY_GONE && info->pid)
			err = 0;
	}
	if (err && extack)
		extack->_msg = holon_stay_text(stay);
	return err;
}
