// SPDX-License-Identifier: GPL-2.0-only
/*
 * Placement at exec, the home side.
 *
 * A task that has been placed takes its next execve() to another node. That is
 * a binary format which is asked before all others: execve() has checked the
 * file and its permissions, copied the strings and holds cred_guard_mutex, so
 * errors are native and the point of no return is ours. The other node runs the
 * execve() as well; what it says is what the caller gets. Only when it is READY
 * does begin_new_exec() end the old program here, and what goes on is no program
 * but the deputy of one.
 *
 * ENOEXEC from the other node lets the other formats try the file. A script or
 * binfmt_misc handler comes back here with its interpreter, so nothing but an
 * ELF file could run here by mistake, and that the other node knows as well.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/binfmts.h>
#include <linux/elf.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/pid_namespace.h>
#include <linux/ptrace.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/securebits.h>
#include <linux/security.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <asm/elf.h>
#include <asm/processor.h>

#include <linux/holon.h>
#include <linux/holon_file.h>
#include <linux/holon_rpc.h>
#include <linux/holon_task.h>
#include <linux/holon_view.h>

#include "cred_value.h"
#include "freeze.h"
#include "image.h"
#include "spawner.h"
#include "task.h"

static int holon_load_binary(struct linux_binprm *bprm);

static struct linux_binfmt holon_format = {
	.load_binary = holon_load_binary,
};

/**
 * holon_task_place - see <linux/holon_task.h>
 */
int holon_task_place(u8 node, struct netlink_ext_ack *extack)
{
	struct holon_task *ht = current->holon, *new = NULL;

	if (ht && (ht->role != HOLON_ROLE_DEPUTY || ht->state != HOLON_TASK_PLACED)) {
		NL_SET_ERR_MSG(extack, "the caller is away from home already");
		return -EBUSY;
	}
	if (node && !(node == holon_node_id() && !holon_spawner_exists(node))) {
		if (holon_frozen()) {
			NL_SET_ERR_MSG(extack,
				       "this node is frozen: it hears no quorum of the cluster");
			return -EAGAIN;
		}
		if (!thread_group_empty(current)) {
			NL_SET_ERR_MSG(extack, "a process with several threads cannot be placed");
			return -EBUSY;
		}
		if (task_active_pid_ns(current) != &init_pid_ns ||
		    current_user_ns() != &init_user_ns) {
			NL_SET_ERR_MSG(extack, "a process of a container cannot be placed");
			return -EPERM;
		}
		if (!holon_view_incarnation(node)) {
			NL_SET_ERR_MSG_FMT(extack, "node %u is no member of the cluster", node);
			return -EHOSTDOWN;
		}
		new = holon_task_alloc(HOLON_ROLE_DEPUTY, GFP_KERNEL);
		if (!new)
			return -ENOMEM;
		new->home = holon_node_id();
		new->node = node;
		new->task = current;
		new->pid = task_tgid_nr(current);
		static_branch_enable(&holon_task_key);
	}
	WRITE_ONCE(current->holon, new);
	holon_task_put(ht);
	return 0;
}

static int check_binary(struct linux_binprm *bprm)
{
	const struct elfhdr *elf = (const struct elfhdr *)bprm->buf;

	if (!thread_group_empty(current))
		return -EBUSY;
	/* Somebody else has the same umask and working directory. */
	if (bprm->unsafe & LSM_UNSAFE_SHARE)
		return -EBUSY;
	if (!S_ISREG(file_inode(bprm->file)->i_mode) ||
	    holon_share_file(bprm->file) == HOLON_SHARE_NONE)
		return -EREMOTE;
	/* 32-bit programs do not move: another table of system calls. */
	if (!memcmp(elf->e_ident, ELFMAG, SELFMAG) && elf->e_ident[EI_CLASS] != ELFCLASS64)
		return -EOPNOTSUPP;
	return 0;
}

/* --- becoming a deputy ---------------------------------------------------- */

/*
 * Has the program more rights than we? The guest does not know who traces us, or
 * how we have mounted the file; the latter matters for what the file gives, not
 * for what root has by itself.
 */
static int check_gain(const struct linux_binprm *bprm, const struct holon_ready *ready)
{
	const struct holon_wire_creds *creds = ready->creds;
	const struct cred *cred = current_cred();
	bool root = !issecure(SECURE_NOROOT) && (uid_eq(cred->uid, GLOBAL_ROOT_UID) ||
						 uid_eq(cred->euid, GLOBAL_ROOT_UID));
	bool ids = le32_to_cpu(creds->cred.euid) != from_kuid(&init_user_ns, cred->euid) ||
		   le32_to_cpu(creds->cred.egid) != from_kgid(&init_user_ns, cred->egid);

	if (!ids && !(le64_to_cpu(creds->cred.permitted) & ~cred->cap_permitted.val))
		return 0;
	if (!ptracer_capable(current, &init_user_ns))
		return -EPERM;
	if ((ids || !root) && !mnt_may_suid(bprm->file->f_path.mnt))
		return -EPERM;
	return 0;
}

/* The strings stay, so that ps shows the command line. */
static int setup_memory(struct holon_task *ht, struct linux_binprm *bprm, size_t args)
{
	struct mm_struct *mm = current->mm;
	unsigned long window;
	int err;

	err = setup_arg_pages(bprm, STACK_TOP, EXSTACK_DISABLE_X);
	if (err)
		return err;
	mm->arg_start = bprm->p;
	mm->arg_end = bprm->p + args;
	mm->env_start = mm->arg_end;
	mm->env_end = bprm->exec;
	window = holon_window(ht, 1);
	return IS_ERR_VALUE(window) ? window : 0;
}

/* Length of the arguments in the strings of the image. */
static size_t args_len(const struct holon_image *image, int argc)
{
	struct holon_record record;
	size_t pos = 0, i;

	while (holon_image_next(image, &pos, &record) > 0) {
		if (record.type != HOLON_RECORD_STRINGS)
			continue;
		for (i = 0; i < record.len && argc; i++)
			if (!((const char *)record.data)[i])
				argc--;
		return i;
	}
	return 0;
}

static int become_deputy(struct holon_task *ht, struct linux_binprm *bprm,
			 const struct holon_ready *ready, size_t args)
{
	struct linux_binfmt *format = current->mm->binfmt;
	unsigned int i;
	int err;

	err = begin_new_exec(bprm);
	if (err)
		return err;
	/* Or what a 32-bit program placed would run compat calls for ever. */
	set_personality_64bit();
	setup_new_exec(bprm);
	/* Should it come home, it dumps core as it would have. */
	set_binfmt(format);
	err = setup_memory(ht, bprm, args);
	if (err)
		return err;
	/*
	 * What the program may do was decided over there, with the same file:
	 * of a script, for instance, this side has not seen the interpreter.
	 */
	err = holon_creds_apply(ready->creds, ready->creds_len);
	if (err)
		return err;
	set_dumpable(current->mm, ready->dumpable);
	for (i = 0; i < ready->n; i++)
		close_fd(le32_to_cpu(ready->reopened[i]));
	holon_signal_become_deputy();
	finalize_exec(bprm);
	/* Should it ever get there, user mode ends in a fault. */
	start_thread(current_pt_regs(), 0, bprm->p);

	spin_lock_irq(&ht->lock);
	ht->state = HOLON_TASK_STABLE;
	spin_unlock_irq(&ht->lock);
	holon_image_go(ht, false);
	set_notify_resume(current);
	atomic64_inc(&holon_task_stat.placed);
	holon_task_moved(ht, ht->home, ht->node);
	return 0;
}

static int place(struct holon_task *ht, struct linux_binprm *bprm)
{
	struct holon_image image = {};
	struct holon_reply reply = {};
	struct holon_ready ready;
	int err;

	err = holon_image_export(&image, bprm);
	if (err)
		goto out;
	err = holon_image_call(ht, &image, &reply);
	if (err > 0)	/* no status of this call */
		err = -EBADMSG;
	if (err)
		goto drop;
	err = holon_ready_parse(&reply, &ready) ?: check_gain(bprm, &ready);
	if (!err)
		err = become_deputy(ht, bprm, &ready, args_len(&image, bprm->argc));
drop:
	/* A guest that waits, or pieces of an image. */
	if (err && (reply.len || holon_image_in_pieces(&image)))
		holon_image_go(ht, true);
out:
	holon_reply_free(&reply);
	holon_image_free(&image);
	return err;
}

static int holon_load_binary(struct linux_binprm *bprm)
{
	struct holon_task *ht = current->holon;
	int err;

	if (!static_branch_unlikely(&holon_task_key) || !ht)
		return -ENOEXEC;
	if (ht->role == HOLON_ROLE_GUEST) {
		/* A program executes another: home is told if it comes to that. */
		set_notify_resume(current);
		/*
		 * The deputy keeps its memory and its tracers, so a set-id
		 * program must not gain anything, as under a tracer.
		 */
		if (ht->state == HOLON_TASK_STABLE)
			bprm->unsafe |= LSM_UNSAFE_SHARE;
		return -ENOEXEC;
	}
	if (ht->role != HOLON_ROLE_DEPUTY || ht->state != HOLON_TASK_PLACED)
		return -ENOEXEC;
	if (holon_frozen())
		return -EAGAIN;
	err = check_binary(bprm);
	if (err)
		return err;

	spin_lock_irq(&ht->lock);
	ht->inc = holon_task_new_inc();
	ht->peer_incarnation = holon_view_incarnation(ht->node);
	ht->exited = false;
	WRITE_ONCE(ht->lost, false);
	ht->state = HOLON_TASK_EXEC;
	spin_unlock_irq(&ht->lock);
	err = -EHOSTDOWN;
	if (ht->peer_incarnation) {
		err = holon_task_hash(ht);
		if (!err && !holon_task_peer_alive(ht))
			err = -EHOSTDOWN;
		if (!err)
			err = place(ht, bprm);
	}
	if (!err)
		return 0;
	atomic64_inc(&holon_task_stat.refused);
	holon_task_unhash(ht);
	spin_lock_irq(&ht->lock);
	ht->state = HOLON_TASK_PLACED;
	spin_unlock_irq(&ht->lock);
	return err;
}

static int __init holon_exec_init(void)
{
	insert_binfmt(&holon_format);
	return 0;
}

/* After the other formats, to be asked before them. */
late_initcall(holon_exec_init);
