// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deputy side of forwarded calls: fill the window, run the native entry point,
 * send back what it wrote.
 *
 * All of it runs in the deputy's own context, so the call finds the right
 * terminal, files, credentials and relations. New descriptors get the
 * numbers that the guest has reserved: the table of the deputy is a sparse
 * mirror of the guest's, which holds exactly the files that stay at home.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/errno.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs_struct.h>
#include <linux/holon_file.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/task_work.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include <asm/syscall.h>

#include "creds.h"
#include "forward.h"
#include "marshal.h"
#include "syscall.h"
#include "task.h"

/* A request whose lengths have been checked. */
struct run {
	const struct holon_forward_request *request;
	const struct holon_forward_segment *segment;
	const struct holon_forward_relocation *relocation;
	const __le32 *fd;
	const u8 *data;
	u32 nr, window;
	unsigned int nsegments, nrelocations, nfds;
	u64 args[6];
	void __user *base;
	/* results */
	long ret;
	struct holon_file_info *info;
	unsigned int ninfo;
};

static bool run_may(u32 nr)
{
	const struct holon_syscall *call;

	if (nr == HOLON_FORWARD_CREDS || nr == HOLON_FORWARD_SIGCHLD)
		return true;
	call = holon_syscall_entry(nr);
	return call && call->forward;
}

/* Set up @r; false when a count or an offset is not inside its bounds. */
static bool run_parse(struct run *r, const void *bytes, size_t len)
{
	const struct holon_forward_request *request = bytes;
	size_t need = sizeof(*request), in = 0, out = 0;
	unsigned int i;

	if (len < need)
		return false;
	r->request = request;
	r->nr = le32_to_cpu(request->nr);
	r->window = le32_to_cpu(request->window);
	r->nsegments = request->segments;
	r->nrelocations = request->relocations;
	r->nfds = le16_to_cpu(request->fds);
	if (!run_may(r->nr) || r->window > HOLON_FORWARD_WINDOW || request->flags ||
	    r->nsegments > HOLON_FORWARD_SEGMENTS || r->nrelocations > HOLON_FORWARD_SEGMENTS ||
	    r->nfds > HOLON_FORWARD_FDS)
		return false;
	need += r->nsegments * sizeof(*r->segment) + r->nrelocations * sizeof(*r->relocation) +
		r->nfds * sizeof(*r->fd);
	if (len < need)
		return false;
	r->segment = (const void *)(request + 1);
	r->relocation = (const void *)(r->segment + r->nsegments);
	r->fd = (const void *)(r->relocation + r->nrelocations);
	r->data = (const void *)(r->fd + r->nfds);

	for (i = 0; i < r->nsegments; i++) {
		const struct holon_forward_segment *s = &r->segment[i];
		u32 offset = le32_to_cpu(s->offset);
		u32 size = max(le32_to_cpu(s->in), le32_to_cpu(s->out));

		if (offset > r->window || size > r->window - offset)
			return false;
		if ((s->flags & HOLON_FORWARD_BY_LENGTH) &&
		    (r->window < sizeof(int) ||
		     le32_to_cpu(s->length) > r->window - sizeof(int)))
			return false;
		in += le32_to_cpu(s->in);
		out += le32_to_cpu(s->out);
	}
	if (in != len - need || out > HOLON_FORWARD_DATA + SZ_16K)
		return false;
	for (i = 0; i < r->nrelocations; i++) {
		u32 where = le32_to_cpu(r->relocation[i].where);

		if (le32_to_cpu(r->relocation[i].target) > r->window)
			return false;
		if (where & HOLON_FORWARD_ARG) {
			if ((where & ~HOLON_FORWARD_ARG) >= ARRAY_SIZE(r->args))
				return false;
		} else if (r->window < sizeof(u64) || where > r->window - sizeof(u64)) {
			return false;
		}
	}
	switch (request->fd_result) {
	case HOLON_FORWARD_FD_NONE:
		return true;
	case HOLON_FORWARD_FD_RETURN:
		return r->nfds == 1;
	case HOLON_FORWARD_FD_PAIR:
		return r->nfds == 2 && r->window >= 2 * sizeof(int) &&
		       le32_to_cpu(request->fd_offset) <= r->window - 2 * sizeof(int);
	case HOLON_FORWARD_FD_CMSG:
		return r->window >= sizeof(struct user_msghdr) &&
		       le32_to_cpu(request->fd_offset) <= r->window - sizeof(struct user_msghdr);
	default:
		return false;
	}
}

/**
 * holon_forward_check - is this a request?
 * @request: untrusted
 * @len: its length
 *
 * Return: true when every count and offset is inside its bounds and the call
 * is one that may be forwarded.
 */
bool holon_forward_check(const void *request, size_t len)
{
	struct run r = {};

	return run_parse(&r, request, len);
}

/* Bytes and addresses into the window. */
static int run_fill(struct run *r)
{
	const u8 *data = r->data;
	unsigned int i;

	for (i = 0; i < 6; i++)
		r->args[i] = le64_to_cpu(r->request->args[i]);
	for (i = 0; i < r->nsegments; i++) {
		u32 in = le32_to_cpu(r->segment[i].in);

		if (copy_to_user(r->base + le32_to_cpu(r->segment[i].offset), data, in))
			return -ENOMEM;
		data += in;
	}
	for (i = 0; i < r->nrelocations; i++) {
		u32 where = le32_to_cpu(r->relocation[i].where);
		u64 target = (u64)(unsigned long)r->base + le32_to_cpu(r->relocation[i].target);

		if (where & HOLON_FORWARD_ARG)
			r->args[where & ~HOLON_FORWARD_ARG] = target;
		else if (copy_to_user(r->base + where, &target, sizeof(target)))
			return -ENOMEM;
	}
	return 0;
}

static void run_close(unsigned int fd)
{
	close_fd(fd);
	/* A late question about an earlier file may have met this one. */
	holon_watch_prune(current->holon, fd, fd);
}

/* Describe what the call has opened: it has the numbers of the guest. */
static int run_describe(struct run *r, const int *fd, unsigned int count)
{
	unsigned int i, flags = 0;
	struct file *file;
	int err = 0;

	if (le32_to_cpu(r->request->cloexec))
		flags = O_CLOEXEC;
	r->info = kcalloc(count, sizeof(*r->info), GFP_KERNEL);
	if (!r->info)
		err = -ENOMEM;
	for (i = 0; !err && i < count; i++) {
		file = i < r->nfds && fd[i] == le32_to_cpu(r->fd[i]) ? fget_raw(fd[i]) : NULL;
		if (!file) {
			err = -EBADF;
			break;
		}
		set_close_on_exec(fd[i], flags);
		holon_file_describe(file, fd[i], flags, &r->info[i]);
		fput(file);
		r->ninfo = i + 1;
	}
	if (err) {
		for (i = 0; i < count; i++)
			run_close(fd[i]);
		r->ninfo = 0;
	}
	return err;
}

/* Descriptors in received control data. */
static int run_control_fds(struct run *r)
{
	struct user_msghdr msg;
	void __user *at;
	size_t left;

	if (copy_from_user(&msg, r->base + le32_to_cpu(r->request->fd_offset), sizeof(msg)))
		return -EFAULT;
	/* The call set this length; it lies in a segment of ours. */
	at = msg.msg_control;
	left = msg.msg_controllen;
	while (left >= sizeof(struct cmsghdr)) {
		struct cmsghdr c;
		size_t step;

		if (copy_from_user(&c, at, sizeof(c)))
			return -EFAULT;
		if (c.cmsg_len < sizeof(c) || c.cmsg_len > left)
			return 0;
		if (c.cmsg_level == SOL_SOCKET && c.cmsg_type == SCM_RIGHTS) {
			size_t n = (c.cmsg_len - sizeof(c)) / sizeof(int);
			int *own __free(kfree) = NULL;

			/* The guest may have written to the window, too. */
			if (n > HOLON_FORWARD_FDS)
				return -EBADMSG;
			own = kcalloc(n, sizeof(int), GFP_KERNEL);
			if (!own)
				return -ENOMEM;
			if (copy_from_user(own, at + sizeof(c), n * sizeof(int)))
				return -EFAULT;
			/* There is at most one of them. */
			return run_describe(r, own, n);
		}
		step = CMSG_ALIGN(c.cmsg_len);
		if (step > left)
			return 0;
		at += step;
		left -= step;
	}
	return 0;
}

static int run_fds(struct run *r)
{
	u32 offset = le32_to_cpu(r->request->fd_offset);
	int own[2];

	if (r->ret < 0)
		return 0;
	switch (r->request->fd_result) {
	case HOLON_FORWARD_FD_RETURN:
		own[0] = r->ret;
		return run_describe(r, own, 1);
	case HOLON_FORWARD_FD_PAIR:
		if (copy_from_user(own, r->base + offset, sizeof(own)))
			return -EFAULT;
		return run_describe(r, own, 2);
	case HOLON_FORWARD_FD_CMSG:
		return run_control_fds(r);
	default:
		return 0;
	}
}

/* Bytes of a segment that go back. */
static u32 run_wanted(const struct run *r, const struct holon_forward_segment *s)
{
	u32 out = le32_to_cpu(s->out), limit;

	if (r->ret < 0 && !(s->flags & HOLON_FORWARD_ALWAYS))
		return 0;
	if (s->flags & HOLON_FORWARD_BY_RESULT) {
		u64 n;

		if (r->ret < 0)
			return 0;
		if (check_mul_overflow((u64)r->ret, (u64)le16_to_cpu(s->unit), &n) ||
		    check_add_overflow(n, (u64)s->base, &n))
			return out;
		return min_t(u64, out, n);
	}
	if (s->flags & HOLON_FORWARD_BY_LENGTH) {
		if (copy_from_user(&limit, r->base + le32_to_cpu(s->length), sizeof(limit)))
			return 0;
		return (s32)limit < 0 ? 0 : min(out, limit);
	}
	return out;
}

static void *run_reply(struct run *r, size_t *len)
{
	struct holon_forward_reply *reply;
	u32 wanted[HOLON_FORWARD_SEGMENTS];
	unsigned int i;
	u8 *at;

	*len = sizeof(*reply) + r->ninfo * sizeof(*r->info);
	for (i = 0; i < r->nsegments; i++) {
		wanted[i] = run_wanted(r, &r->segment[i]);
		if (r->segment[i].out)
			*len += sizeof(__le32) + wanted[i];
	}
	reply = kvmalloc(*len, GFP_KERNEL);
	if (!reply)
		return NULL;
	*reply = (struct holon_forward_reply) {
		.fds = cpu_to_le16(r->ninfo),
		.segments = r->nsegments,
	};
	at = (u8 *)(reply + 1);
	memcpy(at, r->info, r->ninfo * sizeof(*r->info));
	at += r->ninfo * sizeof(*r->info);
	for (i = 0; i < r->nsegments; i++) {
		if (!r->segment[i].out)
			continue;
		put_unaligned_le32(wanted[i], at);
		at += sizeof(__le32);
		/* Untouched pages of the window read as zeros. */
		if (wanted[i] &&
		    copy_from_user(at, r->base + le32_to_cpu(r->segment[i].offset), wanted[i])) {
			memset(at, 0, wanted[i]);
			r->ret = -EFAULT;
		}
		at += wanted[i];
	}
	reply->result = cpu_to_le64(r->ret);
	return reply;
}

/* What is no system call. */
static long run_special(struct holon_task *ht, struct run *r)
{
	switch (r->nr) {
	case HOLON_FORWARD_CREDS:
		if (r->nsegments != 1)
			return -EBADMSG;
		return holon_creds_take(r->data, le32_to_cpu(r->segment[0].in));
	case HOLON_FORWARD_SIGCHLD:
		holon_deputy_sigchld(r->args[0], r->args[1]);
		return 0;
	default:
		return -EBADMSG;
	}
}

/* Who watches a file holds it open: let go of those that the call has closed. */
static void run_unwatch(struct holon_task *ht, const struct run *r)
{
	switch (r->nr) {
	case __NR_close:
		holon_watch_prune(ht, r->args[0], r->args[0]);
		break;
	case __NR_close_range:
		holon_watch_prune(ht, r->args[0], r->args[1]);
		break;
	case __NR_dup2:
	case __NR_dup3:
		holon_watch_prune(ht, r->args[1], r->args[1]);
		break;
	}
}

static long run_native(struct run *r)
{
	struct pt_regs regs = {
		.di = r->args[0], .si = r->args[1], .dx = r->args[2],
		.r10 = r->args[3], .r8 = r->args[4], .r9 = r->args[5],
		.orig_ax = r->nr, .ax = -ENOSYS,
	};

	return x64_sys_call(&regs, r->nr);
}

long holon_native_call(unsigned int nr, unsigned long a, unsigned long b, unsigned long c,
		       unsigned long d)
{
	struct run r = { .nr = nr, .args = { a, b, c, d } };

	return run_native(&r);
}

/* A number that the guest has for something new: what is there was not closed in time. */
static void clear_numbers(const struct run *r)
{
	unsigned int i;

	for (i = 0; i < r->nfds; i++)
		run_close(le32_to_cpu(r->fd[i]));
}

/* See __holon_fd_start(). */
static void run_opening(struct holon_task *ht, struct run *r)
{
	clear_numbers(r);
	ht->fds = r->request->fd_result == HOLON_FORWARD_FD_NONE ? NULL : r->fd;
	ht->nfds = r->nfds;
	r->ret = run_native(r);
	ht->fds = NULL;
}

int holon_forward_run(struct holon_task *ht, const void *request, size_t len, void **reply,
		      size_t *reply_len)
{
	struct run r = {};
	unsigned long base;
	sigset_t mask;
	int err;

	if (!run_parse(&r, request, len))
		return -EBADMSG;
	base = holon_window(ht, max_t(size_t, r.window, 1));
	if (IS_ERR_VALUE(base))
		return -ENOMEM;
	r.base = (void __user *)base;
	err = run_fill(&r);
	if (err)
		goto out;
	/* Nobody else uses it, but for other threads, whose umask() has come here by itself. */
	if (thread_group_empty(current))
		current->fs->umask = le16_to_cpu(r.request->umask) & 0777;

	mask.sig[0] = le64_to_cpu(r.request->blocked);
	set_current_blocked(&mask);
	if (r.nr >= HOLON_FORWARD_CREDS)
		r.ret = run_special(ht, &r);
	else
		run_opening(ht, &r);
	clear_restore_sigmask();
	sigemptyset(&mask);
	set_current_blocked(&mask);

	err = run_fds(&r);
	if (err)
		r.ret = err;
	run_unwatch(ht, &r);
	/* A file that was closed is gone before the guest knows. */
	if (task_work_pending(current))
		task_work_run();
	err = 0;
	*reply = run_reply(&r, reply_len);
	if (!*reply)
		err = -ENOMEM;
out:
	kfree(r.info);
	holon_window_trim(ht);
	return err;
}
