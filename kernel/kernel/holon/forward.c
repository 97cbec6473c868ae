// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest side of forwarded calls: what the arguments point to becomes segments
 * of the deputy's window, see forward.h.
 *
 * A call that moves more data than one message holds is made in pieces: only
 * reads and writes have so much, and a piece that came back short ends them.
 * Messages (datagrams, packets, pipe writes up to PIPE_BUF) are far below that
 * size, so they stay whole.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/errno.h>
#include <linux/dcache.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/overflow.h>
#include <linux/path.h>
#include <linux/sched/signal.h>
#include <linux/socket.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include <asm/syscall.h>

#include "forward.h"
#include "marshal.h"
#include "syscall.h"
#include "task.h"

#define HOLON_SEGMENT_ALIGN	16

struct holon_marshal *holon_marshal_new(struct holon_task *ht, u32 nr, const struct pt_regs *regs)
{
	struct holon_marshal *m = kzalloc(sizeof(*m), GFP_KERNEL);
	unsigned long args[6];
	unsigned int i;

	if (!m)
		return NULL;
	m->ht = ht;
	m->nr = nr;
	m->stream = -1;
	m->position = -1;
	m->message_segment = -1;
	if (regs) {
		syscall_get_arguments(current, (struct pt_regs *)regs, args);
		for (i = 0; i < 6; i++)
			m->args[i] = args[i];
	}
	return m;
}

void holon_marshal_free(struct holon_marshal *m)
{
	unsigned int i;

	for (i = 0; i < m->nsegments; i++) {
		kfree(m->segment[i].iov);
		kvfree(m->segment[i].kernel);
	}
	for (i = m->taken; i < m->nfds; i++)
		put_unused_fd(m->fds[i]);
	kfree(m);
}

static int marshal_segment(struct holon_marshal *m, size_t in, size_t out, u8 flags)
{
	struct holon_marshal_segment *s;
	size_t len = max(in, out);

	if (m->nsegments == HOLON_FORWARD_SEGMENTS)
		return -E2BIG;
	s = &m->segment[m->nsegments];
	if (len > HOLON_FORWARD_WINDOW - HOLON_SEGMENT_ALIGN - m->window)
		return -E2BIG;
	s->offset = m->window;
	s->in = in;
	s->out = out;
	s->unit = 1;
	s->flags = flags;
	m->window += ALIGN(len, HOLON_SEGMENT_ALIGN);
	return m->nsegments++;
}

int holon_marshal_user(struct holon_marshal *m, void __user *ptr, size_t in, size_t out, u8 flags)
{
	size_t len = max(in, out);
	struct iov_iter iter;
	int err, index;

	err = import_ubuf(in >= out ? ITER_SOURCE : ITER_DEST, ptr, len, &iter);
	if (err)
		return err;
	index = marshal_segment(m, in, out, flags);
	if (index >= 0)
		m->segment[index].iter = iter;
	return index;
}

int holon_marshal_kernel(struct holon_marshal *m, void *ptr, size_t in, size_t out, u8 flags)
{
	int index = marshal_segment(m, in, out, flags);
	struct holon_marshal_segment *s;

	if (index < 0)
		return index;
	/* A kvec of its own: the iterator refers to it. */
	s = &m->segment[index];
	BUILD_BUG_ON(sizeof(struct kvec) > sizeof(s->room));
	((struct kvec *)s->room)->iov_base = ptr;
	((struct kvec *)s->room)->iov_len = max(in, out);
	iov_iter_kvec(&s->iter, in ? ITER_SOURCE : ITER_DEST, (struct kvec *)s->room, 1,
		      max(in, out));
	return index;
}

int holon_marshal_room(struct holon_marshal *m, const void *data, size_t len, size_t out, u8 flags)
{
	struct holon_marshal_segment *s;
	void *copy;
	int index;

	copy = kvzalloc(max(len, out), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, len);
	index = holon_marshal_kernel(m, copy, len, out, flags);
	if (index < 0) {
		kvfree(copy);
		return index;
	}
	s = &m->segment[index];
	s->kernel = copy;
	return index;
}

int holon_marshal_iter(struct holon_marshal *m, const struct iov_iter *iter, bool in, u8 flags)
{
	size_t len = min_t(size_t, iov_iter_count(iter), HOLON_FORWARD_DATA);
	int index = marshal_segment(m, in ? len : 0, in ? 0 : len, flags);

	if (index >= 0)
		m->segment[index].iter = *iter;
	return index;
}

int holon_marshal_string(struct holon_marshal *m, const char __user *ptr, size_t max)
{
	long len = strnlen_user(ptr, max);

	if (!len)
		return -EFAULT;
	/* Too long: the deputy sees no end within its limit and says so. */
	return holon_marshal_user(m, (void __user *)ptr, min_t(size_t, len, max), 0, 0);
}

static void marshal_relocation(struct holon_marshal *m, u32 where, int segment)
{
	/* Every relocation has a segment of its own, so there is room. */
	if (WARN_ON_ONCE(m->nrelocations == HOLON_FORWARD_SEGMENTS))
		return;
	m->relocation[m->nrelocations].where = where;
	m->relocation[m->nrelocations++].target = m->segment[segment].offset;
}

void holon_marshal_arg(struct holon_marshal *m, unsigned int arg, int segment)
{
	marshal_relocation(m, HOLON_FORWARD_ARG | arg, segment);
}

void holon_marshal_pointer(struct holon_marshal *m, int in, u32 offset, int segment)
{
	marshal_relocation(m, m->segment[in].offset + offset, segment);
}

/* Calls that move bytes and may do so in several pieces. */
static bool marshal_is_stream(u32 nr)
{
	switch (nr) {
	case __NR_read:
	case __NR_write:
	case __NR_pread64:
	case __NR_pwrite64:
	case __NR_sendto:
	case __NR_recvfrom:
		return true;
	default:
		return false;
	}
}

/* A buffer of any length, its length in argument @n: the first piece of it. */
static int marshal_buffer(struct holon_marshal *m, void __user *ptr, size_t len, bool in, u8 flags,
			  unsigned int n, size_t extra)
{
	struct iov_iter iter;
	int err, index;

	err = import_ubuf(in ? ITER_SOURCE : ITER_DEST, ptr, len, &iter);
	if (err)
		return err;
	if (len > HOLON_FORWARD_DATA && in && !marshal_is_stream(m->nr))
		return -E2BIG;
	index = holon_marshal_iter(m, &iter, in, flags);
	if (index < 0 || len <= HOLON_FORWARD_DATA)
		return index;
	m->args[n] = HOLON_FORWARD_DATA - extra;
	if (marshal_is_stream(m->nr))
		m->stream = index;
	return index;
}

/* One iovec for the deputy, whatever the guest's array looks like. */
static int marshal_vector(struct holon_marshal *m, const struct iovec __user *uvec,
			  unsigned long count, bool in, int *data)
{
	struct iovec fast[1], *iov = fast;
	struct iov_iter iter;
	struct {
		u64 base, len;
	} one = { };
	ssize_t err;
	int index;

	/* One element becomes a plain buffer, more are in memory of their own. */
	err = import_iovec(in ? ITER_SOURCE : ITER_DEST, uvec, count, ARRAY_SIZE(fast), &iov,
			   &iter);
	if (err < 0)
		return err;
	index = holon_marshal_iter(m, &iter, in, in ? 0 : HOLON_FORWARD_BY_RESULT);
	if (index < 0) {
		kfree(iov);
		return index;
	}
	m->segment[index].iov = iov;
	if (iov_iter_count(&iter) > HOLON_FORWARD_DATA)
		m->stream = index;
	*data = index;
	one.len = max(m->segment[index].in, m->segment[index].out);
	index = holon_marshal_room(m, &one, sizeof(one), 0, 0);
	if (index >= 0)
		holon_marshal_pointer(m, index, 0, *data);
	return index;
}

/* Numbers for descriptors that may come with the reply. */
static int marshal_reserve(struct holon_marshal *m, unsigned int count, bool cloexec)
{
	int fd;

	m->cloexec = cloexec;
	while (m->nfds < min_t(unsigned int, count, HOLON_FORWARD_FDS)) {
		fd = get_unused_fd_flags(cloexec ? O_CLOEXEC : 0);
		if (fd < 0)
			return fd;
		m->fds[m->nfds++] = fd;
	}
	return 0;
}

/* All descriptors of control data must be open at the deputy. */
static int marshal_control_fds(const u8 *control, size_t len)
{
	size_t at = 0;

	while (at + sizeof(struct cmsghdr) <= len) {
		const struct cmsghdr *c = (const void *)(control + at);
		size_t i;

		if (c->cmsg_len < sizeof(*c) || c->cmsg_len > len - at)
			return 0;	/* the call will find it */
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			const int *fd = (const void *)(c + 1);

			for (i = 0; i < (c->cmsg_len - sizeof(*c)) / sizeof(int); i++) {
				CLASS(fd_raw, f)(fd[i]);

				if (!fd_empty(f) && !holon_file_is_remote(fd_file(f)))
					return -EOPNOTSUPP;
			}
		}
		at += CMSG_ALIGN(c->cmsg_len);
	}
	return 0;
}

static int marshal_message(struct holon_marshal *m, struct user_msghdr __user *umsg, bool in,
			   unsigned int flags)
{
	struct user_msghdr msg;
	int index, vector, data, err;
	int name = -1, control = -1;

	if (copy_from_user(&msg, umsg, sizeof(msg)))
		return -EFAULT;
	if (msg.msg_iovlen > UIO_MAXIOV)
		return -EMSGSIZE;
	if (msg.msg_name && msg.msg_namelen > 0) {
		msg.msg_namelen = min_t(int, msg.msg_namelen, SZ_4K);
		name = holon_marshal_user(m, msg.msg_name, in ? msg.msg_namelen : 0,
					  in ? 0 : msg.msg_namelen, 0);
		if (name < 0)
			return name;
	} else {
		msg.msg_name = NULL;
	}
	if (msg.msg_control && msg.msg_controllen) {
		if (msg.msg_controllen > SZ_64K)
			return -ENOBUFS;
		control = holon_marshal_user(m, msg.msg_control, in ? msg.msg_controllen : 0,
					     in ? 0 : msg.msg_controllen, 0);
		if (control < 0)
			return control;
	} else {
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
	}
	if (control >= 0 && in) {
		u8 *copy __free(kvfree) = kvmalloc(msg.msg_controllen, GFP_KERNEL);

		if (!copy)
			return -ENOMEM;
		if (copy_from_user(copy, msg.msg_control, msg.msg_controllen))
			return -EFAULT;
		err = marshal_control_fds(copy, msg.msg_controllen);
		if (err)
			return err;
	}
	vector = marshal_vector(m, msg.msg_iov, msg.msg_iovlen, in, &data);
	if (vector < 0)
		return vector;
	if (name >= 0 || control >= 0)
		m->stream = -1;		/* belongs to the one message */
	msg.msg_iovlen = 1;
	index = holon_marshal_room(m, &msg, sizeof(msg), in ? 0 : sizeof(msg), 0);
	if (index < 0)
		return index;
	if (!in && name >= 0) {
		m->segment[name].flags = HOLON_FORWARD_BY_LENGTH;
		m->segment[name].length = m->segment[index].offset +
					  offsetof(struct user_msghdr, msg_namelen);
	}
	if (!in && control >= 0) {
		/* Its low half: the length is far below 4 GiB. */
		m->segment[control].flags = HOLON_FORWARD_BY_LENGTH;
		m->segment[control].length = m->segment[index].offset +
					     offsetof(struct user_msghdr, msg_controllen);
	}
	holon_marshal_pointer(m, index, offsetof(struct user_msghdr, msg_iov), vector);
	if (name >= 0)
		holon_marshal_pointer(m, index, offsetof(struct user_msghdr, msg_name), name);
	if (control >= 0)
		holon_marshal_pointer(m, index, offsetof(struct user_msghdr, msg_control), control);
	if (in)
		return index;
	m->message = umsg;
	m->message_segment = index;
	if (control >= 0) {
		/* Numbers for every descriptor that fits. */
		size_t room = msg.msg_controllen > sizeof(struct cmsghdr) ?
			      msg.msg_controllen - sizeof(struct cmsghdr) : 0;

		err = marshal_reserve(m, room / sizeof(int), flags & MSG_CMSG_CLOEXEC);
		m->fd_result = HOLON_FORWARD_FD_CMSG;
		m->fd_offset = m->segment[index].offset;
		/* Too few numbers: the call truncates the control data. */
		if (err && err != -EMFILE)
			return err;
	}
	return index;
}

/* Address and length behind two pointers, as in accept() and getsockopt(). */
static int marshal_address(struct holon_marshal *m, void __user *ptr, int __user *ulen,
			   unsigned int arg, unsigned int arglen)
{
	int len, address, index;

	if (!ulen)
		return 0;
	if (get_user(len, ulen))
		return -EFAULT;
	len = min_t(int, len, SZ_64K);
	index = holon_marshal_user(m, ulen, sizeof(len), sizeof(len), 0);
	if (index < 0)
		return index;
	holon_marshal_arg(m, arglen, index);
	if (!ptr)
		return 0;
	/* Some options read their value too. */
	address = holon_marshal_user(m, ptr, max(len, 0), max(len, 0), HOLON_FORWARD_BY_LENGTH);
	if (address < 0)
		return address;
	m->segment[address].length = m->segment[index].offset;
	holon_marshal_arg(m, arg, address);
	return 0;
}

static int marshal_argument(struct holon_marshal *m, unsigned int arg, u32 descriptor)
{
	void __user *ptr = (void __user *)m->args[arg];
	u64 n = m->args[HOLON_ARG_N(descriptor) % 6];
	size_t size = HOLON_ARG_SIZE(descriptor), len;
	unsigned int kind = HOLON_ARG_KIND(descriptor);
	int index, data;

	switch (kind) {
	case HOLON_ARG_VALUE:
	case HOLON_ARG_FD:
	case HOLON_ARG_DIRFD:
	case HOLON_ARG_LENGTH:
		return 0;
	case HOLON_ARG_NULL:
		m->args[arg] = 0;
		return 0;
	default:
		break;
	}
	if (!ptr && kind != HOLON_ARG_ADDR_OUT)
		return 0;

	switch (kind) {
	case HOLON_ARG_PATH:
		index = holon_marshal_string(m, ptr, PATH_MAX);
		break;
	case HOLON_ARG_STRING:
		index = holon_marshal_string(m, ptr, size);
		break;
	case HOLON_ARG_IN:
		if ((s64)n < 0 || check_add_overflow(n, size, &len))
			return -EINVAL;
		index = marshal_buffer(m, ptr, len, true, 0, HOLON_ARG_N(descriptor), size);
		break;
	case HOLON_ARG_OUT:
		if ((s64)n < 0)
			return -EINVAL;
		/* With a size: that many bytes more than the result says. */
		if (check_add_overflow(n, size, &len))
			return -EINVAL;
		index = marshal_buffer(m, ptr, len, false, HOLON_FORWARD_BY_RESULT,
				       HOLON_ARG_N(descriptor), size);
		if (index >= 0)
			m->segment[index].base = size;
		break;
	case HOLON_ARG_OUT_FULL:
		if (n > SZ_64K)
			return -EINVAL;
		index = holon_marshal_user(m, ptr, n, n, 0);
		break;
	case HOLON_ARG_IN_FIXED:
		index = holon_marshal_user(m, ptr, size, 0, 0);
		break;
	case HOLON_ARG_OUT_FIXED:
		index = holon_marshal_user(m, ptr, 0, size, 0);
		break;
	case HOLON_ARG_INOUT_FIXED:
		index = holon_marshal_user(m, ptr, size, size, 0);
		break;
	case HOLON_ARG_INOUT_ALWAYS:
		index = holon_marshal_user(m, ptr, size, size, HOLON_FORWARD_ALWAYS);
		break;
	case HOLON_ARG_IN_ARRAY:
	case HOLON_ARG_OUT_ARRAY:
	case HOLON_ARG_INOUT_ARRAY:
		n = (u32)n;
		if ((s32)n < 0)
			return 0;	/* the call says EINVAL */
		len = n * size;
		if (len > HOLON_FORWARD_DATA / 2)
			return kind == HOLON_ARG_IN_ARRAY ? -E2BIG : -EINVAL;
		index = holon_marshal_user(m, ptr, kind == HOLON_ARG_OUT_ARRAY ? 0 : len,
					   kind == HOLON_ARG_IN_ARRAY ? 0 : len,
					   kind == HOLON_ARG_OUT_ARRAY ?
					   HOLON_FORWARD_BY_RESULT : 0);
		if (index >= 0)
			m->segment[index].unit = size;
		break;
	case HOLON_ARG_IOVEC_IN:
	case HOLON_ARG_IOVEC_OUT:
		index = marshal_vector(m, ptr, n, kind == HOLON_ARG_IOVEC_IN, &data);
		m->args[HOLON_ARG_N(descriptor)] = 1;
		break;
	case HOLON_ARG_MSG_IN:
	case HOLON_ARG_MSG_OUT:
		index = marshal_message(m, ptr, kind == HOLON_ARG_MSG_IN, m->args[2]);
		break;
	case HOLON_ARG_ADDR_OUT:
		return marshal_address(m, ptr, (int __user *)n, arg, HOLON_ARG_N(descriptor));
	default:
		return -EINVAL;
	}
	if (index < 0)
		return index;
	holon_marshal_arg(m, arg, index);
	return 0;
}

/* Are the call's new descriptors close-on-exec? */
static bool marshal_cloexec(const struct holon_marshal *m)
{
	switch (m->nr) {
	case __NR_open:
	case __NR_pipe2:
	case __NR_mq_open:
		return m->args[1] & O_CLOEXEC;
	case __NR_openat:
	case __NR_ioctl:	/* TIOCGPTPEER */
		return m->args[2] & O_CLOEXEC;
	case __NR_accept4:
		return m->args[3] & SOCK_CLOEXEC;
	case __NR_socket:
	case __NR_socketpair:
		return m->args[1] & SOCK_CLOEXEC;
	case __NR_inotify_init1:
		return m->args[0] & O_CLOEXEC;
	case __NR_pidfd_open:
		return true;
	case __NR_openat2: {
		u64 how;

		return !get_user(how, (u64 __user *)m->args[2]) && (how & O_CLOEXEC);
	}
	default:
		return false;
	}
}

/*
 * The directory of the name in argument @arg, when it is a descriptor that the
 * deputy does not have: the name becomes a whole path. 0: nothing to do; 1:
 * done.
 */
static int marshal_dirfd(struct holon_marshal *m, unsigned int arg)
{
	const char __user *uname = (void __user *)m->args[arg];
	int dirfd = m->args[arg - 1], index;
	char *page __free(kfree) = NULL;
	struct path path = {};
	size_t len, rest;
	char first = 0;
	char *name;

	if (dirfd == AT_FDCWD)
		return 0;
	if (uname && get_user(first, uname))
		return -EFAULT;
	if (first == '/') {
		m->args[arg - 1] = AT_FDCWD;
		return 0;
	}
	{
		CLASS(fd_raw, f)(dirfd);

		if (fd_empty(f) || holon_file_is_remote(fd_file(f)))
			return 0;
		path = fd_file(f)->f_path;
		path_get(&path);
	}
	rest = uname ? strnlen_user(uname, PATH_MAX) : 1;
	page = kmalloc(2 * PATH_MAX, GFP_KERNEL);
	name = page ? d_path(&path, page, PATH_MAX) : ERR_PTR(-ENOMEM);
	path_put(&path);
	if (IS_ERR(name))
		return PTR_ERR(name);
	len = strlen(name);
	memmove(page, name, len);
	page[len] = 0;
	if (first) {
		if (!rest || rest > PATH_MAX || len + 1 + rest > PATH_MAX)
			return -ENAMETOOLONG;
		page[len++] = '/';
		if (copy_from_user(page + len, uname, rest))
			return -EFAULT;
		len += rest - 1;
		page[len] = 0;
	}
	index = holon_marshal_room(m, page, len + 1, 0, 0);
	if (index < 0)
		return index;
	m->args[arg - 1] = AT_FDCWD;
	holon_marshal_arg(m, arg, index);
	return 1;
}

int holon_marshal_call(struct holon_marshal *m, const struct holon_syscall *call)
{
	unsigned int i;
	int err;

	/* Before relocations hide the pointers and the kinds change values. */
	if (call->fd_result == HOLON_FORWARD_FD_RETURN ||
	    call->fd_result == HOLON_FORWARD_FD_PAIR) {
		m->fd_result = call->fd_result;
		err = marshal_reserve(m, call->fd_result == HOLON_FORWARD_FD_PAIR ? 2 : 1,
				      marshal_cloexec(m));
		if (err)
			return err;
	}
	for (i = 0; i < 6; i++) {
		if (i && HOLON_ARG_KIND(call->arg[i]) == HOLON_ARG_PATH &&
		    HOLON_ARG_KIND(call->arg[i - 1]) == HOLON_ARG_DIRFD) {
			err = marshal_dirfd(m, i);
			if (err < 0)
				return err;
			if (err)
				continue;
		}
		err = marshal_argument(m, i, call->arg[i]);
		if (err)
			return err;
		if (call->fd_result == HOLON_FORWARD_FD_PAIR &&
		    HOLON_ARG_KIND(call->arg[i]) == HOLON_ARG_OUT_FIXED) {
			if (!m->args[i])
				return -EFAULT;
			m->fd_offset = m->segment[m->nsegments - 1].offset;
		}
	}
	switch (m->nr) {
	case __NR_pread64:
	case __NR_pwrite64:
	case __NR_preadv:
	case __NR_pwritev:
		m->position = 3;
		break;
	case __NR_preadv2:
	case __NR_pwritev2:
		m->position = (s64)m->args[3] == -1 ? -1 : 3;
		break;
	}
	return 0;
}

/* Signals that must not end the call: the guest would not notice them. */
static u64 marshal_blocked(void)
{
	sigset_t set;
	int sig;

	spin_lock_irq(&current->sighand->siglock);
	set = current->blocked;
	for (sig = 1; sig <= _NSIG; sig++) {
		__sighandler_t handler = current->sighand->action[sig - 1].sa.sa_handler;

		if (handler == SIG_IGN || (handler == SIG_DFL && sig_kernel_ignore(sig)))
			sigaddset(&set, sig);
	}
	spin_unlock_irq(&current->sighand->siglock);
	return set.sig[0];
}

/* The bytes for the wire; NULL when memory is short, ERR_PTR(-EFAULT). */
static void *marshal_request(struct holon_marshal *m, size_t *len)
{
	struct holon_forward_request *request;
	struct holon_forward_relocation *relocation;
	struct holon_forward_segment *segment;
	size_t data = 0;
	unsigned int i;
	__le32 *fds;
	u8 *at;

	for (i = 0; i < m->nsegments; i++)
		data += m->segment[i].in;
	*len = sizeof(*request) + m->nsegments * sizeof(*segment) +
	       m->nrelocations * sizeof(*relocation) + m->nfds * sizeof(*fds) + data;
	request = kvmalloc(*len, GFP_KERNEL);
	if (!request)
		return ERR_PTR(-ENOMEM);
	*request = (struct holon_forward_request) {
		.nr = cpu_to_le32(m->nr),
		.umask = cpu_to_le16(current_umask()),
		.segments = m->nsegments,
		.relocations = m->nrelocations,
		.fds = cpu_to_le16(m->nfds),
		.fd_result = m->fd_result,
		.fd_offset = cpu_to_le32(m->fd_offset),
		.cloexec = cpu_to_le32(m->cloexec),
		.window = cpu_to_le32(m->window),
		.blocked = cpu_to_le64(marshal_blocked()),
	};
	for (i = 0; i < 6; i++)
		request->args[i] = cpu_to_le64(m->args[i]);
	segment = (void *)(request + 1);
	for (i = 0; i < m->nsegments; i++, segment++)
		*segment = (struct holon_forward_segment) {
			.offset = cpu_to_le32(m->segment[i].offset),
			.in = cpu_to_le32(m->segment[i].in),
			.out = cpu_to_le32(m->segment[i].out),
			.length = cpu_to_le32(m->segment[i].length),
			.unit = cpu_to_le16(m->segment[i].unit),
			.base = m->segment[i].base,
			.flags = m->segment[i].flags,
		};
	relocation = (void *)segment;
	for (i = 0; i < m->nrelocations; i++, relocation++) {
		relocation->where = cpu_to_le32(m->relocation[i].where);
		relocation->target = cpu_to_le32(m->relocation[i].target);
	}
	fds = (void *)relocation;
	for (i = 0; i < m->nfds; i++)
		*fds++ = cpu_to_le32(m->fds[i]);
	at = (void *)fds;
	for (i = 0; i < m->nsegments; i++) {
		struct iov_iter iter = m->segment[i].iter;

		if (!m->segment[i].in)
			continue;
		iter.data_source = ITER_SOURCE;
		if (copy_from_iter(at, m->segment[i].in, &iter) != m->segment[i].in) {
			kvfree(request);
			return ERR_PTR(-EFAULT);
		}
		at += m->segment[i].in;
	}
	return request;
}

/* Files that the deputy opened get stand-ins under the reserved numbers. */
static int marshal_install(struct holon_marshal *m, const struct holon_file_info *info,
			   unsigned int count)
{
	struct file *file;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (le32_to_cpu(info[i].fd) != m->fds[i])
			file = ERR_PTR(-EIO);
		else
			file = holon_remote_file(m->ht, &info[i]);
		if (IS_ERR(file))
			break;
		fd_install(m->fds[i], file);
		m->taken = i + 1;
	}
	if (i == count)
		return 0;
	/* Nobody learns their numbers: all or none. */
	for (i = 0; i < count; i++) {
		if (i < m->taken)
			close_fd(m->fds[i]);
		holon_forward_simple(m->ht, __NR_close, m->fds[i], 0, 0, 0);
	}
	return PTR_ERR(file);
}

/* Fields of a received message; the pointers in it stay the guest's own. */
static int marshal_update_message(struct holon_marshal *m, const void *data, u32 len)
{
	const struct user_msghdr *msg = data;

	if (len != sizeof(*msg))
		return -EIO;
	if (put_user(msg->msg_namelen, &m->message->msg_namelen) ||
	    put_user(msg->msg_controllen, &m->message->msg_controllen) ||
	    put_user(msg->msg_flags, &m->message->msg_flags))
		return -EFAULT;
	return 0;
}

/* Check and take a reply; @ret is the call's result. */
static int marshal_reply(struct holon_marshal *m, const void *bytes, size_t len, long *ret)
{
	const struct holon_forward_reply *reply = bytes;
	unsigned int i, count;
	const u8 *at, *end;
	int err = 0, fault = 0;

	if (len < sizeof(*reply))
		return -EIO;
	*ret = le64_to_cpu(reply->result);
	count = le16_to_cpu(reply->fds);
	if (reply->segments != m->nsegments || count > m->nfds ||
	    len - sizeof(*reply) < count * sizeof(struct holon_file_info))
		return -EIO;
	at = (const u8 *)(reply + 1) + count * sizeof(struct holon_file_info);
	end = (const u8 *)bytes + len;
	for (i = 0; i < m->nsegments; i++) {
		struct holon_marshal_segment *s = &m->segment[i];
		struct iov_iter iter = s->iter;
		u32 n;

		if (!s->out)
			continue;
		if (end - at < sizeof(__le32))
			return -EIO;
		n = get_unaligned_le32(at);
		at += sizeof(__le32);
		if (n > s->out || n > end - at)
			return -EIO;
		if (i == m->message_segment) {
			if (n)
				fault = marshal_update_message(m, at, n) ?: fault;
		} else if (n) {
			iter.data_source = ITER_DEST;
			if (copy_to_iter(at, n, &iter) != n)
				fault = -EFAULT;
		}
		at += n;
	}
	if (count)
		err = marshal_install(m, (const void *)(reply + 1), count);
	if (err)
		return err;
	/* A time that cannot be written back does not fail a call. */
	if (fault && *ret >= 0)
		*ret = fault;
	return 0;
}

static long marshal_once(struct holon_marshal *m)
{
	struct holon_forward forward = {};
	long ret;
	int err;

	forward.request = marshal_request(m, &forward.request_len);
	if (IS_ERR(forward.request))
		return PTR_ERR(forward.request);
	err = holon_deputy_call(m->ht, &forward);
	kvfree(forward.request);
	if (!err)
		err = marshal_reply(m, forward.reply, forward.reply_len, &ret);
	holon_reply_free(&forward.raw);
	if (err)
		return err;
	/* The block is at the deputy; calls that need one are not made so. */
	if (ret == -ERESTART_RESTARTBLOCK)
		ret = -EINTR;
	return ret;
}

/* After a full piece: prepare the next one. False when there is none. */
static bool marshal_next_piece(struct holon_marshal *m, long done)
{
	struct holon_marshal_segment *s = &m->segment[m->stream];
	u32 piece = max(s->in, s->out);
	size_t left;
	unsigned int i;

	if (done != piece)
		return false;
	iov_iter_advance(&s->iter, piece);
	left = min_t(size_t, iov_iter_count(&s->iter), piece);
	if (!left)
		return false;
	if (m->position >= 0)
		m->args[m->position] += piece;
	if (s->in)
		s->in = left;
	else
		s->out = left;
	/* Where the call finds the length: in an iovec or in an argument. */
	for (i = 0; i < m->nrelocations; i++) {
		if (m->relocation[i].target != s->offset)
			continue;
		if (!(m->relocation[i].where & HOLON_FORWARD_ARG))
			((u64 *)m->segment[m->stream + 1].kernel)[1] = left;
		else
			m->args[2] = left;
	}
	return true;
}

/* May a read that filled its piece be continued? Not where it would block. */
static bool marshal_continues(const struct holon_marshal *m)
{
	CLASS(fd_raw, f)(m->args[0]);

	return m->segment[m->stream].in ||
	       (!fd_empty(f) && S_ISREG(file_inode(fd_file(f))->i_mode));
}

long holon_marshal_run(struct holon_marshal *m)
{
	long ret, total = 0;

	holon_syscall_count_forward(m->nr);
	if (m->stream < 0) {
		ret = marshal_once(m);
		goto out;
	}
	for (;;) {
		ret = marshal_once(m);
		if (ret <= 0)
			break;
		total += ret;
		if (!marshal_continues(m) || !marshal_next_piece(m, ret))
			break;
	}
	if (total)
		ret = total;	/* what has been moved counts */
out:
	if (holon_restarts(ret))
		set_thread_flag(TIF_SIGPENDING);
	return ret;
}

long holon_forward_call(struct holon_task *ht, const struct pt_regs *regs,
			const struct holon_syscall *call)
{
	struct holon_marshal *m __free(holon_marshal) =
		holon_marshal_new(ht, holon_syscall_nr(call), regs);
	int err;

	if (!m)
		return -ENOMEM;
	err = holon_marshal_call(m, call);
	return err ?: holon_marshal_run(m);
}

long holon_forward_simple(struct holon_task *ht, u32 nr, u64 a, u64 b, u64 c, u64 d)
{
	struct holon_marshal *m __free(holon_marshal) = holon_marshal_new(ht, nr, NULL);

	if (!m)
		return -ENOMEM;
	m->args[0] = a;
	m->args[1] = b;
	m->args[2] = c;
	m->args[3] = d;
	return holon_marshal_run(m);
}
