// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest: the half that runs the program.
 *
 * It is born as a child of the spawner, builds itself from the image, executes
 * the program, or takes on one that was running, says READY and waits for home to
 * commit (GO). From then on its
 * system calls go through syscall.c, and what concerns home is asked of the
 * deputy: holon_deputy_call().
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/sched/coredump.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/resume_user_mode.h>
#include <linux/slab.h>
#include <linux/tty.h>

#include <linux/holon.h>
#include <linux/holon_file.h>
#include <linux/holon_rpc.h>

#include "cred_value.h"
#include "creds.h"
#include "forward.h"
#include "freeze.h"
#include "guest.h"
#include "hold.h"
#include "image.h"
#include "move.h"
#include "spawner.h"
#include "task.h"

static int holon_go_handler(struct holon_request *request);

HOLON_RPC(task_go, HOLON_RPC_ID_TASK_GO, HOLON_FWD, HOLON_RPC_INLINE | HOLON_RPC_ONEWAY,
	  sizeof(struct holon_wire_task), holon_go_handler);

/* --- birth ---------------------------------------------------------------- */

static int holon_go_handler(struct holon_request *request)
{
	const struct holon_wire_task *msg = request->data;
	bool abort = le32_to_cpu(msg->flags) & HOLON_GO_ABORT;
	struct holon_task *ht;
	unsigned long flags;

	ht = holon_task_find(HOLON_ROLE_GUEST, request->node, le32_to_cpu(msg->pid),
			     le64_to_cpu(msg->inc));
	if (!ht) {
		if (abort)
			holon_image_drop(request->node, le32_to_cpu(msg->pid),
					 le64_to_cpu(msg->inc));
		return 0;
	}
	spin_lock_irqsave(&ht->lock, flags);
	if (abort)
		ht->aborted = true;
	else
		ht->go = true;
	spin_unlock_irqrestore(&ht->lock, flags);
	wake_up(&ht->wait);
	holon_task_put(ht);
	return 0;
}

/* Tell home that the program is there. Consumes the birth. */
static void say_ready(struct holon_task *ht, const struct holon_import *import)
{
	struct holon_birth *birth = ht->birth;
	struct holon_wire_ready *wire;
	const __le32 *reopened;
	unsigned int n;
	size_t len, creds_len;
	int err = -ENOMEM;

	reopened = holon_import_reopened(import, &n);
	len = sizeof(*wire) + holon_creds_size() + n * sizeof(__le32);
	wire = kvzalloc(len, GFP_KERNEL);
	if (wire) {
		wire->task.inc = cpu_to_le64(ht->inc);
		wire->task.pid = cpu_to_le32(ht->pid);
		wire->dumpable = cpu_to_le32(get_dumpable(current->mm));
		wire->reopened = cpu_to_le32(n);
		creds_len = holon_creds_pack(wire + 1);
		memcpy((void *)(wire + 1) + creds_len, reopened, n * sizeof(__le32));
		err = holon_reply_data(birth->request, wire, len);
		kvfree(wire);
	}
	/* From here on home hears of our end. */
	ht->ready = !err;
	ht->birth = NULL;
	holon_birth_end(birth, err);
}

/* Home has committed: user mode follows. */
static void begin(struct holon_task *ht)
{
	spin_lock_irq(&ht->lock);
	ht->state = HOLON_TASK_STABLE;
	spin_unlock_irq(&ht->lock);
	ht->exec_id = current->self_exec_id;
	set_task_syscall_work(current, HOLON);
	/* We may have been made after a freeze has kicked those that it found. */
	set_notify_resume(current);
}

/* From READY on home wants to hear of the end of each thread. */
static void ready_siblings(struct holon_task *leader)
{
	struct holon_task *ht;

	list_for_each_entry(ht, &leader->held, hold_node)
		ht->ready = true;
}

static void end_thread(struct holon_task *ht)
{
	do_exit(SIGKILL);
}

/* There will be no program; threads that wait for it must not go on without us. */
static void __noreturn end_guest(struct holon_task *ht, int code)
{
	if (ht->driver)
		holon_release(ht, end_thread);
	do_group_exit(code);
}

static int build(struct holon_task *ht, struct holon_import **import)
{
	int err;

	if (!holon_task_peer_alive(ht))
		return -EHOSTDOWN;
	*import = holon_image_parse(&ht->birth->image);
	if (IS_ERR(*import)) {
		err = PTR_ERR(*import);
		*import = NULL;
		return err;
	}
	err = holon_image_import(*import, ht);
	if (err)
		return err;
	if (!holon_import_moves(*import))
		return holon_image_execute(*import);
	WRITE_ONCE(ht->importing, true);
	ready_siblings(ht);
	return 0;
}

/**
 * holon_guest_main - first function of a guest
 * @data: struct holon_birth, consumed
 *
 * Return: 0, to user mode.
 */
int holon_guest_main(void *data)
{
	struct holon_task *ht = current->holon;
	struct mm_struct *old = current->mm;
	struct holon_import *import = NULL;
	int err;

	err = build(ht, &import);
	/*
	 * Past the point of no return a failed exec is the death of the
	 * program, at home as well: a signal is pending. A program that moves
	 * goes on where it was.
	 */
	if (err && (current->mm == old || holon_import_moves(import))) {
		struct holon_birth *birth = ht->birth;

		if (fatal_signal_pending(current) || err <= -ERESTARTSYS)
			err = -EAGAIN;
		holon_import_free(import);
		ht->birth = NULL;
		holon_birth_end(birth, err);
		end_guest(ht, 0);
	}
	say_ready(ht, import);
	holon_import_free(import);
	if (!ht->ready)
		end_guest(ht, 0);

	wait_event_killable(ht->wait, READ_ONCE(ht->go) || READ_ONCE(ht->aborted) ||
			    READ_ONCE(ht->lost));
	if (READ_ONCE(ht->aborted) || READ_ONCE(ht->lost))
		end_guest(ht, SIGKILL);
	WRITE_ONCE(ht->importing, false);
	if (ht->driver)
		holon_release(ht, begin);
	begin(ht);
	return 0;
}

/**
 * holon_guest_abandon - does home know nothing of this guest?
 * @ht: of current, which exits
 *
 * Answers a birth that did not come to its end.
 * Return: true when there is nobody to report to.
 */
bool holon_guest_abandon(struct holon_task *ht)
{
	struct holon_birth *birth = ht->birth;

	if (ht->unborn)
		holon_fork_born(ht);
	if (birth) {
		ht->birth = NULL;
		holon_birth_end(birth, -EAGAIN);
		return true;
	}
	return !ht->ready || ht->homed || READ_ONCE(ht->leader->aborted);
}

/* --- requests to the deputy ----------------------------------------------- */

/* Has every signal up to the one with these low bits been queued here? */
static bool taken(const struct holon_task *leader, u32 sequence)
{
	return (s32)(((u32)READ_ONCE(leader->taken) - sequence) << 1) >= 0;
}

/* Return: the status of the reply, which is in @f->raw, or an errno. */
static int call_home(struct holon_task *ht, const struct holon_rpc_type *type,
		     struct holon_forward *f)
{
	struct holon_wire_task task = {
		.inc = cpu_to_le64(ht->inc),
		.pid = cpu_to_le32(ht->pid),
	};
	struct holon_vec vec[2] = {
		{ &task, sizeof(task) },
		{ f->request, f->request_len },
	};
	int status;

	f->raw = (struct holon_reply){};
	if (holon_freeze_wait())
		return -EINTR;
	status = holon_call(ht->home, type, vec, 2, &f->raw);
	if (status >= 0) {
		f->reply = f->raw.data;
		f->reply_len = f->raw.len;
		return status;
	}
	holon_reply_free(&f->raw);
	f->raw = (struct holon_reply){};
	if (status != -ESRCH)
		return status;
	/*
	 * A deputy that takes no more requests has us killed. The program
	 * must not see an error before that, and end by itself.
	 */
	if (!(current->flags & PF_EXITING))
		wait_event_killable(ht->wait, READ_ONCE(ht->lost));
	return -EHOSTDOWN;
}

/**
 * holon_deputy_call - have something done at home; see forward.h
 */
int holon_deputy_call(struct holon_task *ht, struct holon_forward *f)
{
	int status = call_home(ht, &holon_rpc_task_forward, f);

	if (status < 0)
		return status;
	/* What the call raised is here before it returns. */
	if (wait_event_killable(ht->leader->wait,
				taken(ht->leader, status) || READ_ONCE(ht->lost))) {
		holon_reply_free(&f->raw);
		f->raw = (struct holon_reply){};
		return -EINTR;
	}
	return 0;
}

int holon_guest_ask(struct holon_task *ht, const struct holon_guest_request *request,
		    struct holon_guest_answer *answer)
{
	return holon_guest_ask_data(ht, request, sizeof(*request), answer);
}

int holon_guest_ask_data(struct holon_task *ht, const struct holon_guest_request *request,
			 size_t len, struct holon_guest_answer *answer)
{
	struct holon_forward f = {
		.request = request,
		.request_len = len,
	};
	int err;

	/* Of a fork's answer nothing may get lost, and it raises no signal. */
	if (request->nr == cpu_to_le32(HOLON_FORWARD_FORK))
		err = call_home(ht, &holon_rpc_task_fork, &f);
	else
		err = holon_deputy_call(ht, &f);
	if (err < 0)
		return err;
	err = 0;
	if (f.reply_len >= sizeof(*answer))
		memcpy(answer, f.reply, sizeof(*answer));
	else
		err = -EBADMSG;
	holon_reply_free(&f.raw);
	return err;
}

bool __holon_pgrp_orphaned(int *orphaned)
{
	struct holon_guest_request request = { .nr = cpu_to_le32(HOLON_FORWARD_ORPHANED) };
	struct holon_task *ht = current->holon;
	struct holon_guest_answer answer;

	if (ht->role != HOLON_ROLE_GUEST || ht->state != HOLON_TASK_STABLE)
		return false;
	/* Its deputy serves nobody who has not been born. */
	if (ht->unborn)
		holon_fork_born(ht);
	/* Without an answer we are about to be killed. */
	*orphaned = 0;
	if (!holon_guest_ask(ht, &request, &answer))
		*orphaned = le32_to_cpu(answer.result);
	return true;
}

/* exec has closed the number by which a remote file goes at home: take another. */
static int renumber(const void *arg, struct file *file, unsigned int fd)
{
	if (holon_file_is_remote(file) &&
	    files_lookup_fd_locked(current->files, holon_remote_fd(file)) != file)
		holon_remote_set_fd(file, fd);
	return 0;
}

/* Another program has been executed. */
static void tell_exec(struct holon_task *ht)
{
	struct holon_guest_request request = { .nr = cpu_to_le32(HOLON_FORWARD_EXECED) };
	struct holon_guest_answer answer;

	/* Until home has heard of it as well, nobody is let at the program: process_vm.c. */
	WRITE_ONCE(ht->programs, ht->programs + 1);
	/* Pairs with program_mm(). */
	smp_store_release(&ht->exec_id, current->self_exec_id);
	/* What execve() took away must be gone at home, too. */
	if (holon_creds_push(ht)) {
		send_sig(SIGKILL, current, 1);
		return;
	}
	get_task_comm(request.program.comm, current);
	request.program.dumpable = get_dumpable(current->mm);
	/* It would answer for the program before. */
	if (holon_guest_ask(ht, &request, &answer)) {
		send_sig(SIGKILL, current, 1);
		return;
	}
	iterate_fd(current->files, 0, renumber, NULL);
}

/**
 * holon_guest_resume - on the way to user mode
 * @ht: of current
 *
 * Tells home when another program has been executed, and goes there when it has to:
 * then it does not return.
 */
void holon_guest_resume(struct holon_task *ht)
{
	if (ht->state != HOLON_TASK_STABLE || fatal_signal_pending(current))
		return;
	if (ht->exec_id != current->self_exec_id)
		tell_exec(ht);
	/* Who calls us from now on sends us here again. */
	spin_lock_irq(&ht->lock);
	WRITE_ONCE(ht->called, false);
	spin_unlock_irq(&ht->lock);
	while ((READ_ONCE(ht->leader->recalled) || ht->recall_call || holon_hold_wanted(ht)) &&
	       !fatal_signal_pending(current) && holon_move_home(ht))
		;
}

/* --- the same, at the deputy ---------------------------------------------- */

static int execed(struct holon_task *ht, const struct holon_guest_request *request)
{
	char comm[TASK_COMM_LEN];

	strscpy_pad(comm, (const char *)request->program.comm, sizeof(comm));
	set_task_comm(current, comm);
	/* Its parent asks before it changes the group, and is told of the end by SIGCHLD. */
	current->flags &= ~PF_FORKNOEXEC;
	write_lock_irq(&tasklist_lock);
	current->exit_signal = SIGCHLD;
	write_unlock_irq(&tasklist_lock);
	WRITE_ONCE(current->self_exec_id, current->self_exec_id + 1);
	do_close_on_exec(current->files);
	/* Their last references may be those of watches. */
	holon_watch_prune(current->holon, 0, ~0U);
	spin_lock_irq(&current->sighand->siglock);
	current->sighand->action[SIGCHLD - 1].sa.sa_flags = 0;
	spin_unlock_irq(&current->sighand->siglock);
	if (request->program.dumpable <= SUID_DUMP_ROOT)
		set_dumpable(current->mm, request->program.dumpable);
	/* Whoever sees the number sees what the program allows. */
	smp_store_release(&ht->leader->programs, ht->leader->programs + 1);
	return 0;
}

/**
 * holon_guest_request - deputy: do what holon_guest_*() asks for
 * @ht: of current
 * @data: struct holon_guest_request, untrusted
 * @len: its length
 * @reply: set to kvmalloc()ed bytes
 * @reply_len: their number
 *
 * Return: 0, -EBADMSG, -EOPNOTSUPP, -ENOMEM.
 */
int holon_guest_request(struct holon_task *ht, const void *data, size_t len, void **reply,
			size_t *reply_len)
{
	const struct holon_guest_request *request = data;
	struct holon_guest_answer *answer;
	int result;

	if (len < sizeof(*request))
		return -EBADMSG;
	answer = kvzalloc(sizeof(*answer), GFP_KERNEL);
	if (!answer)
		return -ENOMEM;
	switch (le32_to_cpu(request->nr)) {
	case HOLON_FORWARD_ORPHANED:
		result = is_current_pgrp_orphaned();
		break;
	case HOLON_FORWARD_EXECED:
		result = execed(ht, request);
		break;
	case HOLON_FORWARD_FORK:
		result = holon_fork_deputy(ht, request, answer);
		break;
	case HOLON_FORWARD_UNFORK:
		result = holon_unfork(request);
		break;
	case HOLON_FORWARD_HOME:
	case HOLON_FORWARD_LAND:
	case HOLON_FORWARD_STAY:
		result = holon_land(ht, request, len);
		break;
	default:
		kvfree(answer);
		return -EOPNOTSUPP;
	}
	if (!answer->result)
		answer->result = cpu_to_le32(result);
	*reply = answer;
	*reply_len = sizeof(*answer);
	return 0;
}
