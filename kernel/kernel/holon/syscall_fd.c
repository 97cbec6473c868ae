// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls of a guest on descriptors.
 *
 * The guest's table has all descriptors, the deputy's those whose file stays at
 * home, under the same numbers. So what changes the table is done here, and
 * for numbers of remote files at the deputy too; for close() home comes first,
 * because there the effect is.
 */
#include <linux/close_range.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/holon_file.h>
#include <linux/if.h>
#include <linux/ioctl.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/serial.h>
#include <linux/socket.h>
#include <linux/sockios.h>
#include <linux/splice.h>
#include <linux/time_namespace.h>
#include <linux/uaccess.h>

#include <asm/ioctls.h>
#include <asm/syscall.h>
#include <asm/termios.h>
#include <asm/unistd.h>

#include "marshal.h"
#include "syscall.h"
#include "task.h"

static bool fd_is_remote(unsigned int fd)
{
	CLASS(fd_raw, f)(fd);

	return !fd_empty(f) && holon_file_is_remote(fd_file(f));
}

static bool fd_is_open(unsigned int fd)
{
	CLASS(fd_raw, f)(fd);

	return !fd_empty(f);
}

static bool fd_has_mode(unsigned int fd, fmode_t mode)
{
	CLASS(fd_raw, f)(fd);

	return !fd_empty(f) && (fd_file(f)->f_mode & mode);
}

struct find_fd {
	const struct file *file;
	unsigned int first, last;	/* not in this range */
};

static int find_fd(const void *arg, struct file *file, unsigned int fd)
{
	const struct find_fd *find = arg;

	return file == find->file && (fd < find->first || fd > find->last) ? fd + 1 : 0;
}

/*
 * A number of a remote file is closed, together with all from @first to @last:
 * the file's own operations have to use another one.
 */
static void remote_leaves(unsigned int fd, unsigned int first, unsigned int last)
{
	struct find_fd find = { .first = first, .last = last };
	int other;

	CLASS(fd_raw, f)(fd);

	if (fd_empty(f) || holon_remote_fd(fd_file(f)) != fd)
		return;
	find.file = fd_file(f);
	other = iterate_fd(current->files, 0, find_fd, &find);
	holon_remote_set_fd(fd_file(f), other - 1);
}

HOLON_HANDLER(close)
{
	unsigned int fd = regs->di;
	int err;

	if (!fd_is_remote(fd))
		return HOLON_DO_LOCAL;
	*ret = holon_forward_call(ht, regs, call);
	remote_leaves(fd, fd, fd);
	err = close_fd(fd);
	/* After a lost home or a signal the number is gone all the same. */
	if (*ret == -EBADF)
		*ret = err;
	if (holon_restarts(*ret))
		*ret = -EINTR;
	return HOLON_DONE;
}

/* There are only remote ones at home, so the range is right there as it is. */
HOLON_HANDLER(close_range)
{
	unsigned int first = regs->di, last = regs->si, flags = regs->dx;
	unsigned int fd, end;
	bool any = false;

	if (first > last || (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
		return HOLON_DO_LOCAL;	/* says EINVAL */
	rcu_read_lock();
	end = files_fdtable(current->files)->max_fds;
	rcu_read_unlock();
	for (fd = first; fd <= last && fd < end; fd++) {
		if (!fd_is_remote(fd))
			continue;
		any = true;
		if (!(flags & CLOSE_RANGE_CLOEXEC))
			remote_leaves(fd, first, last);
	}
	if (!any)
		return HOLON_DO_LOCAL;
	*ret = holon_forward_call(ht, regs, call);
	if (!*ret)
		*ret = holon_run_local(regs, call);
	return HOLON_DONE;
}

/* The new number is known here; give it to the deputy's file too. */
static long mirror_dup(struct holon_task *ht, unsigned int old, long new, bool cloexec)
{
	long err = holon_forward_simple(ht, __NR_dup3, old, new, cloexec ? O_CLOEXEC : 0, 0);

	if (err >= 0)
		return new;
	close_fd(new);
	return holon_restarts(err) ? -EINTR : err;
}

HOLON_HANDLER(dup)
{
	if (!fd_is_remote(regs->di))
		return HOLON_DO_LOCAL;
	*ret = holon_run_local(regs, call);
	if (*ret >= 0)
		*ret = mirror_dup(ht, regs->di, *ret, false);
	return HOLON_DONE;
}

/* dup2 and dup3. */
HOLON_HANDLER(dup2)
{
	unsigned int old = regs->di, new = regs->si;
	bool three = holon_syscall_nr(call) == __NR_dup3;
	bool old_remote = fd_is_remote(old), new_remote = fd_is_remote(new);
	long err;

	if (!old_remote && !new_remote)
		return HOLON_DO_LOCAL;
	/* Errors and dup2(n, n) first: nothing may be closed for them. */
	if (old == new || !fd_is_open(old) || (three && (regs->dx & ~O_CLOEXEC)) ||
	    new >= rlimit(RLIMIT_NOFILE))
		return HOLON_DO_LOCAL;
	if (new_remote)
		remote_leaves(new, new, new);
	if (old_remote)
		err = holon_forward_simple(ht, __NR_dup3, old, new,
					   three ? regs->dx & O_CLOEXEC : 0, 0);
	else
		err = holon_forward_simple(ht, __NR_close, new, 0, 0, 0);
	if (err < 0 && old_remote) {
		*ret = holon_restarts(err) ? -EINTR : err;
		return HOLON_DONE;
	}
	*ret = holon_run_local(regs, call);
	return HOLON_DONE;
}

/* One buffer behind the third argument. */
static long forward_arg2(struct holon_task *ht, const struct pt_regs *regs, unsigned int nr,
			 size_t in, size_t out)
{
	struct holon_marshal *m __free(holon_marshal) = holon_marshal_new(ht, nr, regs);
	int index;

	if (!m)
		return -ENOMEM;
	if ((in || out) && m->args[2]) {
		index = holon_marshal_user(m, (void __user *)m->args[2], in, out, 0);
		if (index < 0)
			return index;
		holon_marshal_arg(m, 2, index);
	}
	return holon_marshal_run(m);
}

/* Flags that users inside the kernel look at. */
static void copy_flags(unsigned int fd, unsigned int set, unsigned int mask)
{
	CLASS(fd_raw, f)(fd);

	if (fd_empty(f))
		return;
	spin_lock(&fd_file(f)->f_lock);
	fd_file(f)->f_flags = (fd_file(f)->f_flags & ~mask) | (set & mask);
	spin_unlock(&fd_file(f)->f_lock);
}

HOLON_HANDLER(fcntl)
{
	unsigned int fd = regs->di;

	if (!fd_is_remote(fd))
		return HOLON_DO_LOCAL;
	switch ((unsigned int)regs->si) {
	case F_GETFD:
		return HOLON_DO_LOCAL;
	case F_SETFD:
		*ret = holon_forward_call(ht, regs, call);
		if (!*ret)
			*ret = holon_run_local(regs, call);
		return HOLON_DONE;
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		*ret = holon_run_local(regs, call);
		if (*ret >= 0)
			*ret = mirror_dup(ht, fd, *ret, regs->si == F_DUPFD_CLOEXEC);
		return HOLON_DONE;
	case F_DUPFD_QUERY:
		/* Two remote files are compared at home, others differ. */
		return fd_is_remote(regs->dx) ? HOLON_DO_FORWARD : HOLON_DO_LOCAL;
	case F_SETFL:
		*ret = holon_forward_call(ht, regs, call);
		if (!*ret)
			copy_flags(fd, regs->dx, O_APPEND | O_NONBLOCK | O_NDELAY | O_DIRECT |
				   O_NOATIME);
		return HOLON_DONE;
	case F_GETLK:
	case F_OFD_GETLK:
		*ret = forward_arg2(ht, regs, __NR_fcntl, sizeof(struct flock),
				    sizeof(struct flock));
		return HOLON_DONE;
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		*ret = forward_arg2(ht, regs, __NR_fcntl, sizeof(struct flock), 0);
		return HOLON_DONE;
	case F_GETOWN_EX:
		*ret = forward_arg2(ht, regs, __NR_fcntl, 0, sizeof(struct f_owner_ex));
		return HOLON_DONE;
	case F_SETOWN_EX:
		*ret = forward_arg2(ht, regs, __NR_fcntl, sizeof(struct f_owner_ex), 0);
		return HOLON_DONE;
	case F_GETOWNER_UIDS:
		*ret = forward_arg2(ht, regs, __NR_fcntl, 0, 2 * sizeof(uid_t));
		return HOLON_DONE;
	case F_GET_RW_HINT:
	case F_GET_FILE_RW_HINT:
		*ret = forward_arg2(ht, regs, __NR_fcntl, 0, sizeof(u64));
		return HOLON_DONE;
	case F_SET_RW_HINT:
	case F_SET_FILE_RW_HINT:
		*ret = forward_arg2(ht, regs, __NR_fcntl, sizeof(u64), 0);
		return HOLON_DONE;
	default:
		/* Their argument is a number; unknown ones get EINVAL there. */
		return HOLON_DO_FORWARD;
	}
}

#define IOCTL_NONE	0	/* the argument is a number or unused */
#define IOCTL_IN	1
#define IOCTL_OUT	2
#define IOCTL_UNKNOWN	4

struct ioctl_size {
	unsigned int cmd;
	u8 dir;
	u16 size;
};

/* Commands whose number does not say what they read and write. */
static const struct ioctl_size ioctl_sizes[] = {
	{ TCGETS, IOCTL_OUT, sizeof(struct termios) },
	{ TCSETS, IOCTL_IN, sizeof(struct termios) },
	{ TCSETSW, IOCTL_IN, sizeof(struct termios) },
	{ TCSETSF, IOCTL_IN, sizeof(struct termios) },
	{ TCGETA, IOCTL_OUT, sizeof(struct termio) },
	{ TCSETA, IOCTL_IN, sizeof(struct termio) },
	{ TCSETAW, IOCTL_IN, sizeof(struct termio) },
	{ TCSETAF, IOCTL_IN, sizeof(struct termio) },
	{ TCSBRK, IOCTL_NONE }, { TCXONC, IOCTL_NONE }, { TCFLSH, IOCTL_NONE },
	{ TCSBRKP, IOCTL_NONE }, { TIOCSBRK, IOCTL_NONE }, { TIOCCBRK, IOCTL_NONE },
	{ TIOCEXCL, IOCTL_NONE }, { TIOCNXCL, IOCTL_NONE }, { TIOCSCTTY, IOCTL_NONE },
	{ TIOCNOTTY, IOCTL_NONE }, { TIOCVHANGUP, IOCTL_NONE }, { TIOCMIWAIT, IOCTL_NONE },
	{ TIOCCONS, IOCTL_NONE },
	{ TIOCGPGRP, IOCTL_OUT, sizeof(int) },
	{ TIOCSPGRP, IOCTL_IN, sizeof(int) },
	{ TIOCGSID, IOCTL_OUT, sizeof(int) },
	{ TIOCOUTQ, IOCTL_OUT, sizeof(int) },
	{ TIOCSTI, IOCTL_IN, 1 },
	{ TIOCGWINSZ, IOCTL_OUT, sizeof(struct winsize) },
	{ TIOCSWINSZ, IOCTL_IN, sizeof(struct winsize) },
	{ TIOCMGET, IOCTL_OUT, sizeof(int) },
	{ TIOCMSET, IOCTL_IN, sizeof(int) },
	{ TIOCMBIS, IOCTL_IN, sizeof(int) },
	{ TIOCMBIC, IOCTL_IN, sizeof(int) },
	{ TIOCGSOFTCAR, IOCTL_OUT, sizeof(int) },
	{ TIOCSSOFTCAR, IOCTL_IN, sizeof(int) },
	{ TIOCPKT, IOCTL_IN, sizeof(int) },
	{ TIOCGETD, IOCTL_OUT, sizeof(int) },
	{ TIOCSETD, IOCTL_IN, sizeof(int) },
	{ TIOCGSERIAL, IOCTL_OUT, sizeof(struct serial_struct) },
	{ TIOCSSERIAL, IOCTL_IN, sizeof(struct serial_struct) },
	{ TIOCGLCKTRMIOS, IOCTL_OUT, sizeof(struct termios) },
	{ TIOCSLCKTRMIOS, IOCTL_IN, sizeof(struct termios) },
	{ TIOCGICOUNT, IOCTL_OUT, sizeof(struct serial_icounter_struct) },
	{ FIONREAD, IOCTL_OUT, sizeof(int) },
	{ FIONBIO, IOCTL_IN, sizeof(int) },
	{ FIOASYNC, IOCTL_IN, sizeof(int) },
	{ FIOQSIZE, IOCTL_OUT, sizeof(loff_t) },
	/* sockets */
	{ FIOSETOWN, IOCTL_IN, sizeof(int) },
	{ SIOCSPGRP, IOCTL_IN, sizeof(int) },
	{ FIOGETOWN, IOCTL_OUT, sizeof(int) },
	{ SIOCGPGRP, IOCTL_OUT, sizeof(int) },
	{ SIOCATMARK, IOCTL_OUT, sizeof(int) },
	{ SIOCGIFNAME, IOCTL_IN | IOCTL_OUT, sizeof(struct ifreq) },
	{ SIOCGIFFLAGS, IOCTL_IN | IOCTL_OUT, sizeof(struct ifreq) },
	{ SIOCSIFFLAGS, IOCTL_IN, sizeof(struct ifreq) },
	{ SIOCGIFADDR, IOCTL_IN | IOCTL_OUT, sizeof(struct ifreq) },
	{ SIOCSIFADDR, IOCTL_IN, sizeof(struct ifreq) },
	{ SIOCGIFDSTADDR, IOCTL_IN | IOCTL_OUT, sizeof(struct ifreq) },
	{ SIOCGIFBRDADDR, IOCTL_IN | IOCTL_OUT, sizeof(struct ifreq) },
	{ SIOCGIFNETMASK, IOCTL_IN | IOCTL_OUT, sizeof(struct ifreq) },
	{ SIOCSIFNETMASK, IOCTL_IN, sizeof(struct ifreq) },
	{ SIOCGIFMETRIC, IOCTL_IN | IOCTL_OUT, sizeof(struct ifreq) },
	{ SIOCGIFMTU, IOCTL_IN | IOCTL_OUT, sizeof(struct ifreq) },
	{ SIOCSIFMTU, IOCTL_IN, sizeof(struct ifreq) },
	{ SIOCGIFHWADDR, IOCTL_IN | IOCTL_OUT, sizeof(struct ifreq) },
	{ SIOCGIFINDEX, IOCTL_IN | IOCTL_OUT, sizeof(struct ifreq) },
	{ SIOCGIFTXQLEN, IOCTL_IN | IOCTL_OUT, sizeof(struct ifreq) },
};

static void ioctl_describe(unsigned int cmd, u8 *dir, size_t *size)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ioctl_sizes); i++) {
		if (ioctl_sizes[i].cmd != cmd)
			continue;
		*dir = ioctl_sizes[i].dir;
		*size = ioctl_sizes[i].size;
		return;
	}
	*size = _IOC_SIZE(cmd);
	*dir = IOCTL_UNKNOWN;
	/* Types below 'A' and the old network numbers do not follow the scheme. */
	if (_IOC_TYPE(cmd) == 0x89 || !_IOC_TYPE(cmd))
		return;
	switch (_IOC_DIR(cmd)) {
	case _IOC_NONE:
		/* A number, if the scheme was followed; else it is EFAULT there. */
		*dir = *size ? IOCTL_UNKNOWN : IOCTL_NONE;
		break;
	case _IOC_READ:
		*dir = IOCTL_OUT;
		break;
	case _IOC_WRITE:
		*dir = IOCTL_IN;
		break;
	default:
		*dir = IOCTL_IN | IOCTL_OUT;
		break;
	}
}

/* TIOCGPTPEER opens the other end of a pty. */
static long ioctl_peer(struct holon_task *ht, const struct pt_regs *regs)
{
	struct holon_syscall call = { .fd_result = HOLON_FORWARD_FD_RETURN };
	struct holon_marshal *m __free(holon_marshal) = holon_marshal_new(ht, __NR_ioctl, regs);
	int err;

	if (!m)
		return -ENOMEM;
	err = holon_marshal_call(m, &call);
	return err ?: holon_marshal_run(m);
}

HOLON_HANDLER(ioctl)
{
	unsigned int fd = regs->di, cmd = regs->si;
	size_t size;
	int value;
	u8 dir;

	if (!fd_is_remote(fd))
		return HOLON_DO_LOCAL;
	switch (cmd) {
	case FIOCLEX:
	case FIONCLEX:
		*ret = holon_forward_call(ht, regs, call);
		if (!*ret)
			*ret = holon_run_local(regs, call);
		return HOLON_DONE;
	case FIONBIO:
		*ret = forward_arg2(ht, regs, __NR_ioctl, sizeof(int), 0);
		if (!*ret && !get_user(value, (int __user *)regs->dx))
			copy_flags(fd, value ? O_NONBLOCK : 0, O_NONBLOCK);
		return HOLON_DONE;
	case TIOCGPTPEER:
		*ret = ioctl_peer(ht, regs);
		return HOLON_DONE;
	default:
		break;
	}
	ioctl_describe(cmd, &dir, &size);
	if (dir & IOCTL_UNKNOWN)
		return HOLON_DO_HOME;
	if (dir == IOCTL_NONE)
		return HOLON_DO_FORWARD;
	/* Bytes that the driver leaves alone keep their value. */
	*ret = forward_arg2(ht, regs, __NR_ioctl, size, dir & IOCTL_OUT ? size : 0);
	return HOLON_DONE;
}

/* A remote epoll in a local one, or the other way, would need a new protocol. */
HOLON_HANDLER(epoll_ctl)
{
	bool epoll_remote = fd_is_remote(regs->di), target_remote = fd_is_remote(regs->dx);

	if (!epoll_remote) {
		CLASS(fd_raw, f)(regs->dx);

		/* As natively for a file without ->poll; a stand-in always has it. */
		if (target_remote && fd_is_open(regs->di) && !fd_empty(f) &&
		    holon_file_is_remote(fd_file(f)) && !holon_remote_pollable(fd_file(f))) {
			*ret = -EPERM;
			return HOLON_DONE;
		}
		return HOLON_DO_LOCAL;
	}
	return target_remote || !fd_is_open(regs->dx) ? HOLON_DO_FORWARD : HOLON_DO_HOME;
}

/* Options whose value has pointers in it. */
HOLON_HANDLER(setsockopt)
{
	if (!fd_is_remote(regs->di))
		return HOLON_DO_LOCAL;
	if ((int)regs->si == SOL_SOCKET &&
	    ((int)regs->dx == SO_ATTACH_FILTER || (int)regs->dx == SO_ATTACH_REUSEPORT_CBPF ||
	     (int)regs->dx == SO_ATTACH_BPF || (int)regs->dx == SO_ATTACH_REUSEPORT_EBPF))
		return HOLON_DO_HOME;
	return HOLON_DO_FORWARD;
}

/* Notification by a thread goes over a descriptor inside the structure. */
HOLON_HANDLER(mq_notify)
{
	int notify;

	if (!fd_is_remote(regs->di))
		return HOLON_DO_LOCAL;
	if (regs->si && !get_user(notify, &((struct sigevent __user *)regs->si)->sigev_notify) &&
	    notify == SIGEV_THREAD)
		return HOLON_DO_HOME;
	return HOLON_DO_FORWARD;
}

/* Byte by byte for one buffer between a remote and a local file. */
static long copy_piece(struct holon_task *ht, unsigned int fd, void *buffer, size_t len,
		       loff_t *pos, bool write)
{
	u32 nr = write ? (pos ? __NR_pwrite64 : __NR_write) : (pos ? __NR_pread64 : __NR_read);
	struct holon_marshal *m __free(holon_marshal) = holon_marshal_new(ht, nr, NULL);
	int index;
	long ret;

	if (!m)
		return -ENOMEM;
	m->args[0] = fd;
	m->args[2] = len;
	m->args[3] = pos ? *pos : 0;
	index = holon_marshal_kernel(m, buffer, write ? len : 0, write ? 0 : len,
				     write ? 0 : HOLON_FORWARD_BY_RESULT);
	if (index < 0)
		return index;
	holon_marshal_arg(m, 1, index);
	ret = holon_marshal_run(m);
	if (ret > 0 && pos)
		*pos += ret;
	return ret > (long)len ? -EIO : ret;
}

static long local_piece(unsigned int fd, void *buffer, size_t len, loff_t *pos, bool write)
{
	struct fd f = fdget_pos(fd);
	loff_t *at = pos;
	long ret;

	if (fd_empty(f))
		return -EBADF;
	if (!at && !(fd_file(f)->f_mode & FMODE_STREAM))
		at = &fd_file(f)->f_pos;
	/* The kernel's own users are not expected to get this wrong. */
	if (!(fd_file(f)->f_mode & (write ? FMODE_WRITE : FMODE_READ)))
		ret = -EBADF;
	else
		ret = write ? kernel_write(fd_file(f), buffer, len, at) :
			      kernel_read(fd_file(f), buffer, len, at);
	fdput_pos(f);
	return ret;
}

/* Give back what was read and could not be written. */
static void local_rewind(unsigned int fd, loff_t by)
{
	struct fd f = fdget_pos(fd);

	if (fd_empty(f))
		return;
	if (!(fd_file(f)->f_mode & FMODE_STREAM))
		vfs_llseek(fd_file(f), -by, SEEK_CUR);
	fdput_pos(f);
}

/* sendfile between the two: through a buffer. */
static long mixed_sendfile(struct holon_task *ht, unsigned int out, unsigned int in,
			   loff_t __user *upos, size_t count)
{
	bool in_remote = fd_is_remote(in);
	void *buffer __free(kvfree) = kvmalloc(SZ_64K, GFP_KERNEL);
	loff_t pos = 0, start;
	long ret = 0, done = 0;

	if (!buffer)
		return -ENOMEM;
	if (upos && copy_from_user(&pos, upos, sizeof(pos)))
		return -EFAULT;
	while (count) {
		size_t len = min_t(size_t, count, SZ_64K), put = 0;

		start = pos;
		ret = in_remote ? copy_piece(ht, in, buffer, len, upos ? &pos : NULL, false) :
				  local_piece(in, buffer, len, upos ? &pos : NULL, false);
		if (ret <= 0)
			break;
		len = ret;
		while (put < len) {
			ret = in_remote ? local_piece(out, buffer + put, len - put, NULL, true) :
					  copy_piece(ht, out, buffer + put, len - put, NULL, true);
			if (ret <= 0)
				break;
			put += ret;
		}
		done += put;
		count -= put;
		if (put < len) {
			/* What was read and not written is read again. */
			if (upos)
				pos = start + put;
			else if (in_remote)
				holon_forward_simple(ht, __NR_lseek, in, put - len, SEEK_CUR, 0);
			else
				local_rewind(in, len - put);
			break;
		}
	}
	if (upos && copy_to_user(upos, &pos, sizeof(pos)))
		return -EFAULT;
	return done ?: ret;
}

/* sendfile and copy_file_range: two files that may have different homes. */
HOLON_HANDLER(mixed)
{
	bool range = holon_syscall_nr(call) == __NR_copy_file_range;
	unsigned int one = regs->di, other = range ? regs->dx : regs->si;

	if (fd_is_remote(one) == fd_is_remote(other))
		return fd_is_remote(one) ? HOLON_DO_FORWARD : HOLON_DO_LOCAL;
	/* Before a byte is read that could not be given back. */
	if (!fd_has_mode(one, range ? FMODE_READ : FMODE_WRITE) ||
	    !fd_has_mode(other, range ? FMODE_WRITE : FMODE_READ)) {
		*ret = -EBADF;
		return HOLON_DONE;
	}
	/* As between two file systems; programs then read and write. */
	*ret = range ? -EXDEV : mixed_sendfile(ht, one, other, (void __user *)regs->dx, regs->r10);
	return HOLON_DONE;
}

HOLON_HANDLER(splice)
{
	unsigned int one = regs->di;
	unsigned int other = holon_syscall_nr(call) == __NR_splice ? regs->dx : regs->si;

	if (fd_is_remote(one) == fd_is_remote(other))
		return fd_is_remote(one) ? HOLON_DO_FORWARD : HOLON_DO_LOCAL;
	return HOLON_DO_HOME;
}

/* Pages cannot be given away over the wire: it is a read or write of them. */
HOLON_HANDLER(vmsplice)
{
	unsigned int fd = regs->di;
	struct pt_regs as = *regs;
	bool readable;

	if (!fd_is_remote(fd))
		return HOLON_DO_LOCAL;
	if (regs->r10 & ~(u64)SPLICE_F_ALL) {
		*ret = -EINVAL;
		return HOLON_DONE;
	}
	{
		CLASS(fd_raw, f)(fd);

		readable = !fd_empty(f) && (fd_file(f)->f_mode & FMODE_READ);
	}
	*ret = holon_forward_call(ht, &as, holon_syscall_entry(readable ? __NR_readv :
							       __NR_writev));
	return HOLON_DONE;
}

/* sendmmsg and recvmmsg: one call per message. */
HOLON_HANDLER(mmsg)
{
	bool receive = holon_syscall_nr(call) == __NR_recvmmsg;
	const struct holon_syscall *one = holon_syscall_entry(receive ? __NR_recvmsg :
							      __NR_sendmsg);
	struct mmsghdr __user *vec = (void __user *)regs->si;
	unsigned int n = min_t(unsigned int, regs->dx, UIO_MAXIOV), i;
	struct timespec64 timeout, end = {};
	struct pt_regs as = *regs;

	if (!fd_is_remote(regs->di))
		return HOLON_DO_LOCAL;
	if (receive && regs->r8) {
		if (get_timespec64(&timeout, (void __user *)regs->r8)) {
			*ret = -EFAULT;
			return HOLON_DONE;
		}
		if (poll_select_set_timeout(&end, timeout.tv_sec, timeout.tv_nsec)) {
			*ret = -EINVAL;
			return HOLON_DONE;
		}
	}
	*ret = 0;
	for (i = 0; i < n; i++) {
		as.si = (unsigned long)&vec[i].msg_hdr;
		as.dx = regs->r10 & ~(u64)MSG_WAITFORONE;
		if (receive && i && (regs->r10 & MSG_WAITFORONE))
			as.dx |= MSG_DONTWAIT;
		*ret = holon_forward_call(ht, &as, one);
		if (*ret < 0)
			break;
		if (put_user(*ret, &vec[i].msg_len)) {
			*ret = -EFAULT;
			break;
		}
		/* Looked at after each message, as natively. */
		if (receive && regs->r8) {
			ktime_get_ts64(&timeout);
			timeout = timespec64_sub(end, timeout);
			if (timeout.tv_sec < 0)
				timeout = (struct timespec64){};
			if (put_timespec64(&timeout, (void __user *)regs->r8)) {
				*ret = -EFAULT;
				break;
			}
			if (!timeout.tv_sec && !timeout.tv_nsec) {
				i++;
				break;
			}
		}
	}
	if (i)
		*ret = i;
	return HOLON_DONE;
}

/*
 * Private mapping of a remote file: anonymous memory with its bytes, fetched
 * once. Whether later changes of the file are seen is unspecified for it.
 */
static long map_private(struct holon_task *ht, const struct pt_regs *regs)
{
	unsigned long prot = regs->dx, len = PAGE_ALIGN(regs->si), addr;
	struct pt_regs protect = {};
	unsigned long done = 0;
	long ret = 0;

	{
		CLASS(fd, f)(regs->r8);

		if (fd_empty(f))
			return -EBADF;
		if (!(fd_file(f)->f_mode & FMODE_READ))
			return -EACCES;
		if (!S_ISREG(file_inode(fd_file(f))->i_mode))
			return -ENODEV;
	}
	if (!len || !PAGE_ALIGNED(regs->r9))
		return -EINVAL;
	addr = vm_mmap(NULL, regs->di, len, PROT_READ | PROT_WRITE,
		       (regs->r10 & ~MAP_TYPE) | MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(addr))
		return addr;
	while (done < len) {
		struct holon_marshal *m __free(holon_marshal) =
			holon_marshal_new(ht, __NR_pread64, NULL);
		size_t piece = min_t(size_t, len - done, SZ_512K);
		int index;

		ret = -ENOMEM;
		if (!m)
			break;
		index = holon_marshal_user(m, (void __user *)(addr + done), 0, piece,
					   HOLON_FORWARD_BY_RESULT);
		ret = index;
		if (index < 0)
			break;
		m->args[0] = regs->r8;
		m->args[2] = piece;
		m->args[3] = regs->r9 + done;
		holon_marshal_arg(m, 1, index);
		ret = holon_marshal_run(m);
		if (ret <= 0)
			break;	/* zeros behind the end */
		done += ret;
	}
	if (ret >= 0 && prot != (PROT_READ | PROT_WRITE)) {
		protect.di = addr;
		protect.si = len;
		protect.dx = prot;
		protect.orig_ax = __NR_mprotect;
		ret = x64_sys_call(&protect, __NR_mprotect);
	}
	if (ret < 0) {
		vm_munmap(addr, len);
		return holon_restarts(ret) ? -EINTR : ret;
	}
	return addr;
}

HOLON_HANDLER(mmap)
{
	unsigned int type = regs->r10 & MAP_TYPE;
	bool shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE;

	/* Memory that cannot move until it is coherent. */
	if (regs->r10 & MAP_ANONYMOUS)
		return shared || (regs->r10 & MAP_HUGETLB) ? HOLON_DO_HOME : HOLON_DO_LOCAL;
	if (!fd_is_remote(regs->r8))
		return HOLON_DO_LOCAL;
	if (shared)
		return HOLON_DO_HOME;
	*ret = map_private(ht, regs);
	return HOLON_DONE;
}
