// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls of a guest that wait for readiness.
 *
 * When all descriptors are remote the call waits at the deputy. When only some
 * are, it waits here: home says in one call how ready they are now, and then
 * pushes changes to the remote files, see fs/holon/poll.c. Temporary signal
 * masks are the guest's affair: they are set here, and the deputy runs with
 * what is blocked as a result.
 */
#include <linux/errno.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/holon_file.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/time64.h>
#include <linux/uaccess.h>

#include <asm/syscall.h>
#include <asm/unistd.h>

#include "marshal.h"
#include "syscall.h"
#include "task.h"

#define HOLON_POLL_BATCH	256

/* What kinds of files a set has. */
struct fd_set_kind {
	bool remote, local;
};

static void look_at_fd(struct fd_set_kind *kind, unsigned int fd)
{
	CLASS(fd_raw, f)(fd);

	/* One that is not open is not open at home either. */
	if (fd_empty(f))
		return;
	if (holon_file_is_remote(fd_file(f)))
		kind->remote = true;
	else
		kind->local = true;
}

static bool poll_home_now(struct holon_task *ht, struct pollfd *fds, unsigned int n)
{
	struct holon_marshal *m __free(holon_marshal) =
		holon_marshal_new(ht, __NR_ppoll, NULL);
	struct __kernel_timespec zero = {};
	int set, time;

	if (!m)
		return false;
	m->args[1] = n;
	set = holon_marshal_kernel(m, fds, n * sizeof(*fds), n * sizeof(*fds), 0);
	time = holon_marshal_kernel(m, &zero, sizeof(zero), 0, 0);
	if (set < 0 || time < 0)
		return false;
	holon_marshal_arg(m, 0, set);
	holon_marshal_arg(m, 2, time);
	return holon_marshal_run(m) >= 0;
}

/* Ask home how ready some descriptors are now; never waits for readiness. */
static void poll_now(struct holon_task *ht, struct pollfd *fds, unsigned int n)
{
	bool told = n && poll_home_now(ht, fds, n);
	unsigned int i;

	for (i = 0; i < n; i++) {
		CLASS(fd_raw, f)(fds[i].fd);

		if (fd_empty(f) || !holon_file_is_remote(fd_file(f)))
			continue;
		if (told)
			holon_remote_mask(fd_file(f), demangle_poll(fds[i].revents));
		else
			holon_remote_watch(fd_file(f));
	}
}

#define POLL_ALL	(POLLIN | POLLPRI | POLLOUT | POLLRDHUP | POLLRDNORM | POLLRDBAND | \
			 POLLWRNORM | POLLWRBAND)

/* Descriptors of one call, a batch at a time. */
struct poll_batch {
	struct holon_task *ht;
	struct pollfd *fds;
	unsigned int n;
};

static void batch_flush(struct poll_batch *batch)
{
	poll_now(batch->ht, batch->fds, batch->n);
	batch->n = 0;
}

static void batch_add(struct poll_batch *batch, int fd)
{
	{
		CLASS(fd_raw, f)(fd);

		if (fd_empty(f) || !holon_file_is_remote(fd_file(f)))
			return;
	}
	batch->fds[batch->n].fd = fd;
	batch->fds[batch->n].events = POLL_ALL;
	batch->fds[batch->n++].revents = 0;
	if (batch->n == HOLON_POLL_BATCH)
		batch_flush(batch);
}

static int batch_new(struct poll_batch *batch, struct holon_task *ht)
{
	batch->ht = ht;
	batch->n = 0;
	batch->fds = kmalloc_array(HOLON_POLL_BATCH, sizeof(*batch->fds), GFP_KERNEL);
	return batch->fds ? 0 : -ENOMEM;
}

/* --- poll ------------------------------------------------------------------ */

/* The whole set at home. @time: user's, the kernel's, or none. */
static long poll_home(struct holon_task *ht, struct pollfd __user *ufds, unsigned int nfds,
		      struct __kernel_timespec __user *utime, struct __kernel_timespec *time)
{
	struct holon_marshal *m __free(holon_marshal) =
		holon_marshal_new(ht, __NR_ppoll, NULL);
	size_t len = nfds * sizeof(*ufds);
	int index;

	if (!m)
		return -ENOMEM;
	m->args[1] = nfds;
	index = holon_marshal_user(m, ufds, len, len, 0);
	if (index < 0)
		return index;
	holon_marshal_arg(m, 0, index);
	if (utime || time) {
		if (utime)
			index = holon_marshal_user(m, utime, sizeof(*utime), sizeof(*utime),
						   HOLON_FORWARD_ALWAYS);
		else
			index = holon_marshal_kernel(m, time, sizeof(*time), sizeof(*time),
						     HOLON_FORWARD_ALWAYS);
		if (index < 0)
			return index;
		holon_marshal_arg(m, 2, index);
	}
	return holon_marshal_run(m);
}

static enum holon_verdict poll_where(struct holon_task *ht, struct pollfd __user *ufds,
				     unsigned int nfds)
{
	struct fd_set_kind kind = {};
	struct poll_batch batch;
	struct pollfd *fds __free(kvfree) = NULL;
	unsigned int i;

	if (!nfds || nfds > rlimit(RLIMIT_NOFILE) || nfds > HOLON_FORWARD_DATA / 2 / sizeof(*fds))
		return HOLON_DO_LOCAL;
	fds = kvmalloc_array(nfds, sizeof(*fds), GFP_KERNEL);
	if (!fds || copy_from_user(fds, ufds, nfds * sizeof(*fds)))
		return HOLON_DO_LOCAL;	/* says why */
	for (i = 0; i < nfds; i++)
		if (fds[i].fd >= 0)
			look_at_fd(&kind, fds[i].fd);
	if (!kind.remote)
		return HOLON_DO_LOCAL;
	if (!kind.local)
		return HOLON_DO_FORWARD;
	if (batch_new(&batch, ht))
		return HOLON_DO_LOCAL;
	for (i = 0; i < nfds; i++)
		if (fds[i].fd >= 0)
			batch_add(&batch, fds[i].fd);
	batch_flush(&batch);
	kfree(batch.fds);
	return HOLON_DO_LOCAL;
}

/* @end: absolute, or NULL. */
static long poll_until(struct holon_task *ht, struct pollfd __user *ufds, unsigned int nfds,
		       const struct timespec64 *end)
{
	struct restart_block *block = &current->restart_block;
	struct __kernel_timespec time = {};
	struct timespec64 now;
	long ret;

	if (end) {
		ktime_get_ts64(&now);
		if (timespec64_compare(end, &now) > 0) {
			now = timespec64_sub(*end, now);
			time.tv_sec = now.tv_sec;
			time.tv_nsec = now.tv_nsec;
		}
	}
	ret = poll_home(ht, ufds, nfds, NULL, end ? &time : NULL);
	if (ret != -ERESTARTNOHAND)
		return ret;
	block->poll.ufds = ufds;
	block->poll.nfds = nfds;
	block->poll.has_timeout = !!end;
	if (end) {
		block->poll.tv_sec = end->tv_sec;
		block->poll.tv_nsec = end->tv_nsec;
	}
	return set_restart_fn(block, holon_poll_again);
}

long holon_poll_again(struct restart_block *block)
{
	struct timespec64 end = { .tv_sec = block->poll.tv_sec, .tv_nsec = block->poll.tv_nsec };

	if (!holon_is_guest(current))
		return -EINTR;
	return poll_until(current->holon, block->poll.ufds, block->poll.nfds,
			  block->poll.has_timeout ? &end : NULL);
}

HOLON_HANDLER(poll)
{
	struct pollfd __user *ufds = (void __user *)regs->di;
	enum holon_verdict verdict = poll_where(ht, ufds, regs->si);
	int timeout = regs->dx;
	struct timespec64 end;

	if (verdict != HOLON_DO_FORWARD)
		return verdict;
	if (timeout >= 0)
		poll_select_set_timeout(&end, timeout / MSEC_PER_SEC,
					NSEC_PER_MSEC * (timeout % MSEC_PER_SEC));
	*ret = poll_until(ht, ufds, regs->si, timeout >= 0 ? &end : NULL);
	return HOLON_DONE;
}

HOLON_HANDLER(ppoll)
{
	struct pollfd __user *ufds = (void __user *)regs->di;
	enum holon_verdict verdict = poll_where(ht, ufds, regs->si);

	if (verdict != HOLON_DO_FORWARD)
		return verdict;
	*ret = set_user_sigmask((void __user *)regs->r10, regs->r8);
	if (*ret)
		return HOLON_DONE;
	*ret = poll_home(ht, ufds, regs->si, (void __user *)regs->dx, NULL);
	restore_saved_sigmask_unless(*ret == -ERESTARTNOHAND);
	return HOLON_DONE;
}

/* --- select ---------------------------------------------------------------- */

static enum holon_verdict select_where(struct holon_task *ht, const struct pt_regs *regs, int n)
{
	size_t bytes = DIV_ROUND_UP(n, BITS_PER_LONG) * sizeof(long);
	void __user *sets[3] = { (void __user *)regs->si, (void __user *)regs->dx,
				 (void __user *)regs->r10 };
	unsigned long *all __free(kvfree) = NULL, *set __free(kvfree) = NULL;
	struct fd_set_kind kind = {};
	struct poll_batch batch;
	unsigned int i, fd;

	if (n <= 0 || n > sysctl_nr_open)
		return HOLON_DO_LOCAL;
	all = kvzalloc(bytes, GFP_KERNEL);
	set = kvzalloc(bytes, GFP_KERNEL);
	if (!all || !set)
		return HOLON_DO_LOCAL;
	for (i = 0; i < 3; i++) {
		if (!sets[i])
			continue;
		if (copy_from_user(set, sets[i], bytes))
			return HOLON_DO_LOCAL;
		bitmap_or(all, all, set, n);
	}
	for_each_set_bit(fd, all, n)
		look_at_fd(&kind, fd);
	if (!kind.remote)
		return HOLON_DO_LOCAL;
	if (!kind.local)
		return HOLON_DO_FORWARD;
	if (batch_new(&batch, ht))
		return HOLON_DO_LOCAL;
	for_each_set_bit(fd, all, n)
		batch_add(&batch, fd);
	batch_flush(&batch);
	kfree(batch.fds);
	return HOLON_DO_LOCAL;
}

/* timeval and timespec have the same size; @nr says which it is. */
static long select_home(struct holon_task *ht, u32 nr, const struct pt_regs *regs)
{
	struct holon_marshal *m __free(holon_marshal) = holon_marshal_new(ht, nr, regs);
	size_t bytes = DIV_ROUND_UP((int)regs->di, BITS_PER_LONG) * sizeof(long);
	unsigned int i;
	int index;

	if (!m)
		return -ENOMEM;
	for (i = 1; i <= 4; i++) {
		if (!m->args[i])
			continue;
		if (i < 4)
			index = holon_marshal_user(m, (void __user *)m->args[i], bytes, bytes, 0);
		else
			index = holon_marshal_user(m, (void __user *)m->args[i],
						   sizeof(struct __kernel_timespec),
						   sizeof(struct __kernel_timespec),
						   HOLON_FORWARD_ALWAYS);
		if (index < 0)
			return index;
		holon_marshal_arg(m, i, index);
	}
	m->args[5] = 0;		/* the signal mask is set here */
	return holon_marshal_run(m);
}

HOLON_HANDLER(select)
{
	enum holon_verdict verdict = select_where(ht, regs, regs->di);

	if (verdict != HOLON_DO_FORWARD)
		return verdict;
	*ret = select_home(ht, __NR_select, regs);
	return HOLON_DONE;
}

HOLON_HANDLER(pselect6)
{
	enum holon_verdict verdict = select_where(ht, regs, regs->di);
	struct {
		sigset_t __user *mask;
		size_t size;
	} sig = {};

	if (verdict != HOLON_DO_FORWARD)
		return verdict;
	*ret = -EFAULT;
	if (regs->r9 && copy_from_user(&sig, (void __user *)regs->r9, sizeof(sig)))
		return HOLON_DONE;
	*ret = set_user_sigmask(sig.mask, sig.size);
	if (*ret)
		return HOLON_DONE;
	*ret = select_home(ht, __NR_pselect6, regs);
	restore_saved_sigmask_unless(*ret == -ERESTARTNOHAND);
	return HOLON_DONE;
}

/* --- epoll ----------------------------------------------------------------- */

/* A local epoll may have remote members: learn what is not known of them. */
static void epoll_refresh(struct holon_task *ht)
{
	int *fds __free(kfree) = kmalloc_array(HOLON_POLL_BATCH, sizeof(*fds), GFP_KERNEL);
	struct poll_batch batch;
	unsigned long cursor = 0;
	unsigned int n, i;

	if (!fds || batch_new(&batch, ht))
		return;
	do {
		n = holon_remote_unknown(ht, &cursor, fds, HOLON_POLL_BATCH);
		for (i = 0; i < n; i++)
			batch_add(&batch, fds[i]);
		batch_flush(&batch);
	} while (n == HOLON_POLL_BATCH);
	kfree(batch.fds);
}

HOLON_HANDLER(epoll_wait)
{
	bool remote;

	{
		CLASS(fd_raw, f)(regs->di);

		remote = !fd_empty(f) && holon_file_is_remote(fd_file(f));
	}
	if (!remote) {
		epoll_refresh(ht);
		return HOLON_DO_LOCAL;
	}
	if (holon_syscall_nr(call) == __NR_epoll_wait)
		return HOLON_DO_FORWARD;
	*ret = set_user_sigmask((void __user *)regs->r8, regs->r9);
	if (*ret)
		return HOLON_DONE;
	*ret = holon_forward_call(ht, regs, call);
	/* The deputy may say so for a signal of its own. */
	restore_saved_sigmask_unless(*ret == -EINTR && signal_pending(current));
	return HOLON_DONE;
}
