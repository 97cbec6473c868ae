// SPDX-License-Identifier: GPL-2.0-only
/*
 * process_vm_readv() and process_vm_writev() between processes wherever they run.
 *
 * Home decides whether the caller may: there both have their numbers, credentials and
 * relations. A guest that calls has its deputy call (holon_do_process_vm()); and where
 * the target turns out to be a deputy, its guest's node is asked for the bytes, or given
 * them (TASK_MEMORY).
 *
 *	caller, or its deputy		node of the target
 *	mm_access() to the deputy
 *	TASK_MEMORY(ranges) --------->	of the guest's address space
 *	  <----------- reply --------	how many bytes, and those that were read
 *
 * Nothing is written to an address space that is being left. Who copies to or from one
 * is a visitor of the process (signal_struct->holon_visitors); a process that moves first
 * says so (MOVING, ->leaving), then waits until there is no visitor any more, who would
 * also be taken for somebody that it shares its memory with, and then is written down:
 *
 *	visitor				mover
 *	holon_visitors++		->state = MOVING, or ->leaving = true
 *	full barrier			full barrier
 *	does it move? then out again	holon_visitors == 0?
 *
 * A visitor that has to go waits until the move is over, and looks again where the process
 * is. Whatever the node that is asked cannot tell, since the process is about to arrive,
 * to leave, to execute another program or to end, is answered EAGAIN: home hears of
 * it, and knows better the next time.
 *
 * Rights are those to one program. Both halves count the executions that home has
 * been told of (->programs): the guest's node answers only who was let at the program that it has.
 *
 * Ranks: the handler touches pages that its own node may have to ask for (PAGED_READ, of
 * HOLON_REQ), so TASK_MEMORY is of HOLON_BULK. Locks: none is held while a message is
 * waited for. All waits are killable.
 */
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include <linux/holon.h>
#include <linux/holon_node.h>
#include <linux/holon_rpc.h>

#include <asm/unistd.h>

#include "marshal.h"
#include "move.h"
#include "syscall.h"
#include "task.h"

/* Bytes of one message; the ranges have to fit beside them. */
#define HOLON_MEMORY_DATA	(HOLON_MSG_MAX - SZ_64K)
/* Between two looks at a process that moves; nobody says when that is over. */
#define HOLON_MEMORY_PAUSE	(HZ / 100)
/* And how often a process that moves looks for visitors. */
#define HOLON_MEMORY_LOOKS	100

struct wire_range {
	__le64 addr, len;
};

/**
 * struct wire_memory - bytes of a guest
 *
 * The answer to a write is their number, __le32; to a read they themselves.
 *
 * @task: which thread
 * @programs: executions during this stay that home knows of
 * @ranges: number of @range
 * @write: they are written; the bytes follow the ranges
 */
struct wire_memory {
	struct holon_wire_task task;
	__le32 programs;
	__le16 ranges;
	__u8 write;
	__u8 pad;
	struct wire_range range[];
};

static int memory_handler(struct holon_request *request);

static HOLON_RPC(task_memory, HOLON_RPC_ID_TASK_MEMORY, HOLON_BULK, HOLON_RPC_LONG,
		 sizeof(struct wire_memory), memory_handler);

/* --- visitors ----------------------------------------------------------------- */

int holon_memory_close(void)
{
	unsigned int looks;

	/* The other side is in holon_visit(). */
	smp_mb();
	for (looks = 0; atomic_read(&current->signal->holon_visitors); looks++) {
		if (looks == HOLON_MEMORY_LOOKS)
			return -EBUSY;
		schedule_timeout_killable(HOLON_MEMORY_PAUSE);
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/* --- the node of the guest ------------------------------------------------------- */

/* Copy between @data and ranges, up to what cannot be touched. Return: bytes. */
static size_t copy_ranges(struct mm_struct *mm, const struct wire_range *range, unsigned int n,
			  void *data, bool write)
{
	size_t done = 0, len, got;
	unsigned int i;

	for (i = 0; i < n; i++, done += len) {
		len = le64_to_cpu(range[i].len);
		got = holon_mm_access(mm, le64_to_cpu(range[i].addr), data + done, len,
				      write ? FOLL_WRITE : 0);
		if (got != len)
			return done + got;
	}
	return done;
}

static bool valid(const struct holon_request *request, size_t *total)
{
	const struct wire_memory *msg = request->data;
	unsigned int n = le16_to_cpu(msg->ranges), i;
	size_t len = struct_size(msg, range, n);

	*total = 0;
	if (!n || n > UIO_MAXIOV || request->len < len)
		return false;
	for (i = 0; i < n; i++) {
		u64 bytes = le64_to_cpu(msg->range[i].len);

		if (bytes > HOLON_MEMORY_DATA - *total)
			return false;
		*total += bytes;
	}
	return request->len == len + (msg->write ? *total : 0);
}

/* The address space of the program that home has let the caller at, or NULL. */
static struct mm_struct *program_mm(struct holon_task *ht, struct task_struct *task, u32 programs)
{
	struct task_struct *first = holon_task_of(ht->leader);
	struct mm_struct *mm = NULL;

	if (!first)
		return NULL;
	/* Held while another program is executed. */
	if (down_read_trylock(&task->signal->exec_update_lock)) {
		/* Pairs with tell_exec(). */
		if (smp_load_acquire(&ht->leader->exec_id) == READ_ONCE(first->self_exec_id) &&
		    READ_ONCE(ht->leader->programs) == programs)
			mm = get_task_mm(task);
		up_read(&task->signal->exec_update_lock);
	}
	put_task_struct(first);
	return mm;
}

static int visit_guest(struct holon_task *ht, struct task_struct *task,
		       struct holon_request *request, size_t total)
{
	const struct wire_memory *msg = request->data;
	unsigned int n = le16_to_cpu(msg->ranges);
	struct mm_struct *mm;
	__le32 written;
	void *data;
	size_t done;
	int err = -ENOMEM;

	if (READ_ONCE(ht->state) != HOLON_TASK_STABLE || READ_ONCE(ht->leader->leaving))
		return -EAGAIN;
	mm = program_mm(ht, task, le32_to_cpu(msg->programs));
	if (!mm)
		return -EAGAIN;
	if (msg->write) {
		/* From where it lies in the message. */
		done = copy_ranges(mm, msg->range, n, (void *)&msg->range[n], true);
		written = cpu_to_le32(done);
		err = holon_reply_data(request, &written, sizeof(written));
	} else {
		data = kvmalloc(total, GFP_KERNEL);
		if (data) {
			done = copy_ranges(mm, msg->range, n, data, false);
			err = holon_reply_data(request, data, done);
			kvfree(data);
		}
	}
	mmput_async(mm);
	return err;
}

static int memory_handler(struct holon_request *request)
{
	const struct wire_memory *msg = request->data;
	struct task_struct *task;
	struct holon_task *ht;
	int status = -EAGAIN;
	size_t total;

	if (!valid(request, &total))
		return -EBADMSG;
	ht = holon_task_find(HOLON_ROLE_GUEST, request->node, le32_to_cpu(msg->task.pid),
			     le64_to_cpu(msg->task.inc));
	if (!ht)
		return -EAGAIN;
	task = holon_task_of(ht);
	if (task) {
		holon_visit(task);
		status = visit_guest(ht, task, request, total);
		holon_visit_end(task);
		put_task_struct(task);
	}
	holon_task_put(ht);
	return status;
}

/* --- the target's home ---------------------------------------------------------- */

/* Where in the target, of a vector: what is left of it begins @offset into @vec. */
struct cursor {
	const struct iovec *vec;
	unsigned long n;
	size_t offset;
};

static void advance(struct cursor *at, size_t len)
{
	at->offset += len;
	while (at->n && at->offset >= at->vec->iov_len) {
		at->offset -= at->vec->iov_len;
		at->vec++;
		at->n--;
	}
}

/* As much as fits into one message, at most @max bytes. Return: bytes. */
static size_t gather(struct cursor at, size_t max, struct wire_range *range, unsigned int *n)
{
	size_t total = 0, len;

	*n = 0;
	/* Empty ones are passed over. */
	for (advance(&at, 0); at.n && total < max; advance(&at, len)) {
		len = min(at.vec->iov_len - at.offset, max - total);
		range[(*n)++] = (struct wire_range) {
			.addr = cpu_to_le64((unsigned long)at.vec->iov_base + at.offset),
			.len = cpu_to_le64(len),
		};
		total += len;
	}
	return total;
}

/* Where a process is, as far as its memory is concerned. */
enum place {
	HERE,
	AWAY,
	BETWEEN,
};

static bool is_between(const struct holon_task *ht)
{
	const struct holon_task *leader = ht->leader;

	switch (READ_ONCE(leader->state)) {
	case HOLON_TASK_EXEC:
	case HOLON_TASK_MOVING:
		return true;
	default:
		return READ_ONCE(leader->leaving) || READ_ONCE(leader->arriving);
	}
}

/* @half: of the thread or its leader, with a reference, when it is AWAY. */
static enum place find(struct task_struct *task, struct holon_task **half)
{
	enum place place = HERE;
	struct holon_task *ht;

	*half = NULL;
	rcu_read_lock();
	ht = READ_ONCE(task->holon);
	/* A leader that is there, of a thread that is there. */
	if (!ht && pid_alive(task))
		ht = READ_ONCE(READ_ONCE(task->group_leader)->holon);
	if (ht && is_between(ht)) {
		place = BETWEEN;
	} else if (ht && ht->role == HOLON_ROLE_DEPUTY &&
		   READ_ONCE(ht->leader->state) != HOLON_TASK_PLACED) {
		/* Without a reference it has just gone. */
		place = refcount_inc_not_zero(&ht->ref) ? AWAY : BETWEEN;
		*half = place == AWAY ? ht : NULL;
	}
	rcu_read_unlock();
	return place;
}

/*
 * @task, which is visited before and after this, moves. Return: 0, or what becomes of the
 * call: we ourselves may be wanted elsewhere.
 */
static int wait_for_move(struct task_struct *task)
{
	if (signal_pending(current))
		return -ERESTARTNOINTR;
	holon_visit_end(task);
	schedule_timeout_interruptible(HOLON_MEMORY_PAUSE);
	holon_visit(task);
	return 0;
}

/* What another node says of it. */
static ssize_t known_error(int err)
{
	switch (err) {
	case -EAGAIN:
	case -EINTR:
	case -ENOMEM:
		return err;
	case -EHOSTDOWN:	/* it dies of that, unless it has left before */
		return -EAGAIN;
	default:
		return -EIO;
	}
}

/* A message to the target's node, and the bytes that go with it. */
struct exchange {
	struct wire_memory *msg;
	void *data;
	unsigned int n;		/* ranges */
	size_t total;
	bool write;
};

static ssize_t ask(struct holon_task *ht, const struct exchange *x, u32 programs)
{
	struct holon_reply reply = {};
	struct holon_vec vec[2] = {
		{ x->msg, struct_size(x->msg, range, x->n) },
		{ x->data, x->total },
	};
	ssize_t status;	/* or bytes */

	x->msg->task = (struct holon_wire_task) {
		.inc = cpu_to_le64(ht->inc),
		.pid = cpu_to_le32(ht->pid),
	};
	x->msg->programs = cpu_to_le32(programs);
	x->msg->ranges = cpu_to_le16(x->n);
	x->msg->write = x->write;
	status = holon_call(ht->node, &holon_rpc_task_memory, vec, x->write ? 2 : 1, &reply);
	if (status < 0)
		status = known_error(status);
	else if (!x->write)
		status = reply.len;
	else if (reply.len == sizeof(__le32))
		status = le32_to_cpup(reply.data);
	else
		status = -EIO;
	if (status > 0 && status > x->total)
		status = -EIO;
	if (status > 0 && !x->write)
		memcpy(x->data, reply.data, status);
	holon_reply_free(&reply);
	return status;
}

/*
 * Make the exchange once, where the target is now. It is visited before and after this.
 * Return: bytes; -EAGAIN when it moves.
 */
static ssize_t exchange_once(struct task_struct *task, const struct exchange *x)
{
	struct holon_task *half;
	enum place place = find(task, &half);
	u32 programs = 0;
	struct mm_struct *mm;
	ssize_t done = -EAGAIN;

	if (place == BETWEEN)
		return done;
	if (half) {
		/* Before the rights: to this program or an older one. Pairs with execed(). */
		programs = smp_load_acquire(&half->leader->programs);
	}
	mm = mm_access(task, PTRACE_MODE_ATTACH_REALCREDS);
	if (IS_ERR(mm)) {
		done = PTR_ERR(mm) == -EACCES ? -EPERM : PTR_ERR(mm);
		goto out;
	}
	if (place == HERE)
		done = copy_ranges(mm, x->msg->range, x->n, x->data, x->write);
	mmput(mm);
	if (place == AWAY) {
		/* What may take long does not keep it from moving. */
		holon_visit_end(task);
		done = ask(half, x, programs);
		holon_visit(task);
	}
out:
	holon_task_put(half);
	return done;
}

static ssize_t exchange(struct task_struct *task, const struct exchange *x)
{
	ssize_t done;

	for (;;) {
		done = exchange_once(task, x);
		if (done != -EAGAIN)
			return done ?: -EFAULT;
		done = wait_for_move(task);
		if (done)
			return done;
	}
}

/* One message's worth between @iter and the target. Return: bytes, or an errno. */
static ssize_t move_bytes(struct task_struct *task, struct exchange *x, struct iov_iter *iter,
			  const struct cursor *at)
{
	size_t copied;
	ssize_t done;

	x->total = gather(*at, min_t(size_t, iov_iter_count(iter), HOLON_MEMORY_DATA),
			  x->msg->range, &x->n);
	if (!x->total)
		return 0;
	if (x->write) {
		copied = copy_from_iter(x->data, x->total, iter);
		iov_iter_revert(iter, copied);
		if (copied < x->total)
			x->total = gather(*at, copied, x->msg->range, &x->n);
		if (!x->total)
			return -EFAULT;
	}
	done = exchange(task, x);
	if (done <= 0)
		return done;
	if (x->write) {
		iov_iter_advance(iter, done);
		return done;
	}
	copied = copy_to_iter(x->data, done, iter);
	return copied ?: -EFAULT;
}

static ssize_t move_all(struct task_struct *task, struct iov_iter *iter, struct cursor at,
			bool write)
{
	struct exchange x = {
		.msg = kvmalloc(struct_size_t(struct wire_memory, range, at.n), GFP_KERNEL),
		.data = kvmalloc(min_t(size_t, iov_iter_count(iter), HOLON_MEMORY_DATA),
				 GFP_KERNEL),
		.write = write,
	};
	ssize_t total = 0, done = -ENOMEM;

	while (x.msg && x.data) {
		done = move_bytes(task, &x, iter, &at);
		if (done <= 0)
			break;
		advance(&at, done);
		total += done;
		if (!iov_iter_count(iter) || fatal_signal_pending(current))
			break;
	}
	kvfree(x.data);
	kvfree(x.msg);
	/* What has been copied counts. */
	return total ?: done;
}

bool __holon_process_vm(struct task_struct *task, struct iov_iter *iter, const struct iovec *vec,
			unsigned long n, bool write, ssize_t *done)
{
	struct cursor at = { vec, n };
	struct holon_task *half;
	enum place place;

	/* One's own threads cannot go on before they have returned from here. */
	if (same_thread_group(task, current)) {
		/* A guest asked for a thread that it has no more. */
		*done = -ESRCH;
		return holon_is_deputy(current);
	}
	for (;;) {
		place = find(task, &half);
		holon_task_put(half);
		if (place != BETWEEN)
			break;
		*done = wait_for_move(task);
		if (*done)
			return true;
	}
	if (place == HERE)
		return false;
	*done = move_all(task, iter, at, write);
	return true;
}

/* --- a guest that calls ----------------------------------------------------------- */

/* A piece of the call, at the deputy. */
static long forward(struct holon_task *ht, const struct pt_regs *regs,
		    const struct holon_syscall *call, struct iov_iter *iter,
		    const struct cursor *at, bool write)
{
	struct holon_marshal *m __free(holon_marshal) =
		holon_marshal_new(ht, holon_syscall_nr(call), regs);
	struct iovec one = { .iov_len = min_t(size_t, iov_iter_count(iter), HOLON_FORWARD_DATA) };
	struct iov_iter piece;
	struct wire_range *range __free(kvfree) = kvmalloc_array(at->n, sizeof(*range),
								 GFP_KERNEL);
	int local, index;
	unsigned int n;

	if (!m || !range)
		return -ENOMEM;
	/* As far as there is memory: natively that much is copied. */
	one.iov_len -= write ? fault_in_iov_iter_readable(iter, one.iov_len) :
			       fault_in_iov_iter_writeable(iter, one.iov_len);
	if (!one.iov_len)
		return -EFAULT;
	if (!gather(*at, one.iov_len, range, &n))
		return 0;
	/* Of the layout of an iovec. */
	BUILD_BUG_ON(sizeof(struct wire_range) != sizeof(struct iovec));
	piece = *iter;
	iov_iter_truncate(&piece, one.iov_len);
	local = holon_marshal_iter(m, &piece, write, write ? 0 : HOLON_FORWARD_BY_RESULT);
	if (local < 0)
		return local;
	index = holon_marshal_room(m, &one, sizeof(one), 0, 0);
	if (index < 0)
		return index;
	holon_marshal_pointer(m, index, 0, local);
	holon_marshal_arg(m, 1, index);
	m->args[2] = 1;
	index = holon_marshal_room(m, range, n * sizeof(*range), 0, 0);
	if (index < 0)
		return index;
	holon_marshal_arg(m, 3, index);
	m->args[4] = n;
	return holon_marshal_run(m);
}

static long forward_all(struct holon_task *ht, const struct pt_regs *regs,
			const struct holon_syscall *call, struct iov_iter *iter,
			struct cursor at, bool write)
{
	long total = 0, done;

	do {
		done = forward(ht, regs, call, iter, &at, write);
		if (done <= 0)
			break;
		iov_iter_advance(iter, done);
		advance(&at, done);
		total += done;
	} while (iov_iter_count(iter) && !fatal_signal_pending(current));
	return total ?: done;
}

HOLON_HANDLER(process_vm)
{
	bool write = holon_syscall_nr(call) == __NR_process_vm_writev;
	struct iovec fast_local[UIO_FASTIOV], fast_remote[UIO_FASTIOV];
	struct iovec *local = fast_local, *remote;
	struct cursor at = { .n = regs->r8 };
	struct iov_iter iter;

	if (holon_names_self(regs->di) || regs->r9)
		return HOLON_DO_LOCAL;
	*ret = import_iovec(write ? ITER_SOURCE : ITER_DEST, (void __user *)regs->si, regs->dx,
			    UIO_FASTIOV, &local, &iter);
	if (*ret <= 0)
		goto out;
	remote = iovec_from_user((void __user *)regs->r10, at.n, UIO_FASTIOV, fast_remote, false);
	*ret = PTR_ERR_OR_ZERO(remote);
	if (*ret)
		goto out;
	at.vec = remote;
	*ret = forward_all(ht, regs, call, &iter, at, write);
	if (remote != fast_remote)
		kfree(remote);
out:
	kfree(local);	/* NULL unless it has been allocated */
	return HOLON_DONE;
}
