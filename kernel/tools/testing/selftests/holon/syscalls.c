// SPDX-License-Identifier: GPL-2.0-only
/*
 * What system calls promise, for a process that may be away from home.
 *
 * The same program runs at home and as a guest and has to pass both times; it
 * uses nothing but the calls themselves. No fork: a guest cannot yet.
 *
 *	cc -O2 -static syscalls.c -o syscalls
 *	holon run -n 2 -- ./syscalls
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>

#include "check.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC	4
#endif

#ifndef TIOCGPTPEER
#define TIOCGPTPEER		0x5441
#endif

static void test_files(void)
{
	char *name = below("file"), buffer[100];
	struct iovec iov[3];
	struct stat st, st2;
	struct statfs fs;
	int fd, other;

	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0640);
	CHECK(fd >= 3);
	FAILS(EEXIST, open(name, O_RDWR | O_CREAT | O_EXCL, 0640));
	CHECK(write(fd, "0123456789", 10) == 10);
	CHECK(lseek(fd, 0, SEEK_CUR) == 10);
	CHECK(lseek(fd, 2, SEEK_SET) == 2);
	CHECK(read(fd, buffer, 3) == 3 && !memcmp(buffer, "234", 3));
	CHECK(pread(fd, buffer, 4, 6) == 4 && !memcmp(buffer, "6789", 4));
	CHECK(pwrite(fd, "ab", 2, 0) == 2);
	CHECK(lseek(fd, 0, SEEK_CUR) == 5);
	iov[0] = (struct iovec){ "x", 1 };
	iov[1] = (struct iovec){ "", 0 };
	iov[2] = (struct iovec){ "yz", 2 };
	CHECK(writev(fd, iov, 3) == 3);
	iov[0] = (struct iovec){ buffer, 4 };
	iov[1] = (struct iovec){ buffer + 50, 30 };
	CHECK(preadv(fd, iov, 2, 1) == 9);
	CHECK(!memcmp(buffer, "b234", 4) && !memcmp(buffer + 50, "xyz89", 5));
	CHECK(!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size == 10);
	CHECK((st.st_mode & 0777) == (0640 & ~umask(umask(0))));
	CHECK(!stat(name, &st2) && st.st_ino == st2.st_ino && st.st_dev == st2.st_dev);
	CHECK(!ftruncate(fd, 4) && !fstat(fd, &st) && st.st_size == 4);
	CHECK(!fchmod(fd, 0600) && !fstat(fd, &st) && (st.st_mode & 0777) == 0600);
	CHECK(!fsync(fd));
	CHECK(!fstatfs(fd, &fs) && fs.f_bsize > 0);
	CHECK(!flock(fd, LOCK_EX));
	other = open(name, O_RDONLY);
	CHECK(other > fd);
	FAILS(EWOULDBLOCK, flock(other, LOCK_EX | LOCK_NB));
	CHECK(!close(other));
	FAILS(EBADF, read(other, buffer, 1));
	FAILS(EBADF, close(other));
	CHECK(!rename(name, below("other")));
	FAILS(ENOENT, stat(name, &st));
	CHECK(!unlink(below("other")));
	CHECK(!close(fd));
	FAILS(ENOENT, open(below("no/such"), O_RDONLY));
	FAILS(EFAULT, open((char *)8, O_RDONLY));
	FAILS(ENOENT, open("", O_RDONLY));
}

static void test_directories(void)
{
	char cwd[300], buffer[1000];
	struct stat st;
	int dir, fd;
	long n;

	CHECK(!mkdir(below("d"), 0755));
	CHECK(!chdir(below("d")));
	CHECK(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, below("d")));
	fd = open("inside", O_WRONLY | O_CREAT, 0600);
	CHECK(fd >= 0 && !close(fd));
	CHECK(!stat(below("d/inside"), &st));
	CHECK(!stat("../d/./inside", &st));
	dir = open(".", O_RDONLY | O_DIRECTORY);
	CHECK(dir >= 0);
	CHECK(!fstatat(dir, "inside", &st, 0));
	FAILS(ENOENT, fstatat(dir, "outside", &st, 0));
	n = syscall(SYS_getdents64, dir, buffer, sizeof(buffer));
	CHECK(n > 0 && memmem(buffer, n, "inside", 7));
	CHECK(!renameat(dir, "inside", dir, "renamed"));
	CHECK(!symlinkat("renamed", dir, "link"));
	memset(buffer, 0, sizeof(buffer));
	CHECK(readlinkat(dir, "link", buffer, sizeof(buffer)) == 7 && !strcmp(buffer, "renamed"));
	CHECK(!unlinkat(dir, "link", 0) && !unlinkat(dir, "renamed", 0));
	/* From there to a shared place and back. */
	CHECK(!chdir("/") && getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/"));
	CHECK(!stat("etc", &st));
	CHECK(!fchdir(dir) && getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, below("d")));
	CHECK(!chdir("../../../..") && getcwd(cwd, sizeof(cwd)));
	CHECK(!chdir("/"));
	FAILS(ENOTEMPTY, rmdir(scratch));
	CHECK(!rmdir(below("d")) && !close(dir));
	/* Over the border: two file systems. */
	fd = open(below("here"), O_WRONLY | O_CREAT, 0600);
	CHECK(fd >= 0 && !close(fd));
	FAILS(EXDEV, rename(below("here"), "/home/there"));
	CHECK(!unlink(below("here")));
}

static void test_devices(void)
{
	char buffer[64], name[64];
	struct stat st;
	int fd;

	fd = open("/dev/null", O_RDWR);
	CHECK(fd >= 0 && write(fd, "x", 1) == 1 && read(fd, buffer, 1) == 0 && !close(fd));
	fd = open("/dev/zero", O_RDONLY);
	CHECK(fd >= 0 && read(fd, buffer, 64) == 64 && !buffer[63] && !close(fd));
	fd = open("/dev/urandom", O_RDONLY);
	CHECK(fd >= 0 && read(fd, buffer, 64) == 64 && !close(fd));
	FAILS(ENOENT, open("/dev/nothing", O_RDONLY));
	CHECK(!stat("/dev", &st) && S_ISDIR(st.st_mode));
	CHECK(!stat("/dev/null", &st) && S_ISCHR(st.st_mode));
	fd = open("/dev", O_PATH);
	CHECK(fd >= 0 && !fstat(fd, &st) && S_ISDIR(st.st_mode));
	CHECK(!fchdir(fd) && !chdir("/") && !close(fd));
	if (!geteuid()) {
		CHECK(!chmod("/dev/null", 0666) && !chown("/dev/null", 0, 0));
		fd = open("/dev/null", O_RDWR);
		CHECK(fd >= 0 && !futimens(fd, NULL) && !close(fd));
	}
	/* A FIFO is one thing, wherever its name is. */
	unlink("/home/fifo");
	if (!mkfifo("/home/fifo", 0600)) {
		fd = open("/home/fifo", O_RDWR | O_NONBLOCK);
		CHECK(fd >= 0 && write(fd, "f", 1) == 1 && read(fd, buffer, 5) == 1);
		CHECK(!fstat(fd, &st) && S_ISFIFO(st.st_mode) && !close(fd));
		CHECK(!unlink("/home/fifo"));
	}
	/* Names of descriptors. */
	fd = open(below("named"), O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && write(fd, "abc", 3) == 3);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	memset(buffer, 0, sizeof(buffer));
	CHECK(readlink(name, buffer, sizeof(buffer) - 1) > 0 && !strcmp(buffer, below("named")));
	CHECK(!stat(name, &st) && st.st_size == 3);
	snprintf(name, sizeof(name), "/dev/fd/%d", fd);
	int again = open(name, O_RDONLY);

	CHECK(again >= 0 && read(again, buffer, 10) == 3 && !close(again));
	CHECK(!close(fd) && !unlink(below("named")));
}

static void test_terminals(void)
{
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY), no = 0, peer;

	CHECK(fd >= 0 && !ioctl(fd, TIOCSPTLCK, &no));
	peer = ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(peer > fd && fcntl(peer, F_GETFD) == FD_CLOEXEC && isatty(peer) && !close(peer));
	peer = ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	CHECK(peer > fd && fcntl(peer, F_GETFD) == 0 && isatty(peer) && !close(peer));
	CHECK(!close(fd));
}

static void test_descriptors(void)
{
	char c;
	int p[2], q, i;
	struct rlimit limit;

	CHECK(!pipe(p) && p[0] >= 3 && p[1] == p[0] + 1);
	q = dup(p[1]);
	CHECK(q == p[1] + 1);
	CHECK(!close(p[1]));
	CHECK(write(q, "a", 1) == 1 && read(p[0], &c, 1) == 1 && c == 'a');
	CHECK(dup2(q, 40) == 40 && dup2(q, 40) == 40 && dup2(40, 40) == 40);
	CHECK(fcntl(q, F_DUPFD, 50) == 50);
	CHECK(fcntl(q, F_DUPFD_CLOEXEC, 50) == 51);
	CHECK(fcntl(51, F_GETFD) == FD_CLOEXEC && fcntl(50, F_GETFD) == 0);
	CHECK(!fcntl(50, F_SETFD, FD_CLOEXEC) && fcntl(50, F_GETFD) == FD_CLOEXEC);
	CHECK(dup3(q, 52, O_CLOEXEC) == 52 && fcntl(52, F_GETFD) == FD_CLOEXEC);
	FAILS(EINVAL, dup3(q, q, 0));
	FAILS(EBADF, dup2(999, 53));
	CHECK(!syscall(SYS_close_range, 50, 60, 0));
	FAILS(EBADF, write(51, "x", 1));
	CHECK(write(40, "b", 1) == 1 && read(p[0], &c, 1) == 1 && c == 'b');
	/* A remote number becomes a local one, and back. */
	i = open("/dev/null", O_WRONLY);
	CHECK(dup2(i, 40) == 40 && write(40, "x", 1) == 1);
	CHECK(dup2(q, i) == i && write(i, "c", 1) == 1 && read(p[0], &c, 1) == 1 && c == 'c');
	CHECK(!close(i) && !close(40) && !close(q));
	/* The last writer is gone. */
	CHECK(read(p[0], &c, 1) == 0);
	CHECK(!close(p[0]));

	CHECK(!pipe2(p, O_NONBLOCK | O_CLOEXEC));
	FAILS(EAGAIN, read(p[0], &c, 1));
	CHECK(fcntl(p[0], F_GETFL) & O_NONBLOCK);
	CHECK(!fcntl(p[0], F_SETFL, 0) && !(fcntl(p[0], F_GETFL) & O_NONBLOCK));
	i = 1;
	CHECK(!ioctl(p[0], FIONBIO, &i) && (fcntl(p[0], F_GETFL) & O_NONBLOCK));
	CHECK(write(p[1], "12345", 5) == 5 && !ioctl(p[0], FIONREAD, &i) && i == 5);
	CHECK(fcntl(p[1], F_GETPIPE_SZ) >= 4096);
	CHECK(!isatty(p[0]) && errno == ENOTTY);
	CHECK(!close(p[0]) && !close(p[1]));

	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = 10;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < 20; i++)
		if (pipe(p))
			break;
	CHECK(i < 20 && errno == EMFILE);
	limit.rlim_cur = limit.rlim_max;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	CHECK(!syscall(SYS_close_range, 3, ~0U, 0));
	CHECK(!pipe(p) && p[0] == 3 && !close(3) && !close(4));
}

static void test_big_transfers(void)
{
	size_t size = 5 << 20, i, done;
	char *big = malloc(size), *back = malloc(size);
	int fd = open(below("big"), O_RDWR | O_CREAT, 0600);
	int other = open("/home/big", O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct stat st;
	char *map;
	off_t at = 0;

	for (i = 0; i < size; i++)
		big[i] = i * 7 + (i >> 11);
	CHECK(write(fd, big, size) == (ssize_t)size);
	CHECK(pread(fd, back, size, 0) == (ssize_t)size && !memcmp(big, back, size));
	map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(map != MAP_FAILED && !memcmp(big, map, size) && !munmap(map, size));
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 1 << 20);
	CHECK(map != MAP_FAILED && !memcmp(big + (1 << 20), map, 4096));
	map[0]++;
	CHECK(!munmap(map, 4096));
	/* To a file on a shared mount and back, by the kernel. */
	for (done = 0; done < size; done += i) {
		i = sendfile(other, fd, &at, size - done);
		if ((ssize_t)i <= 0)
			break;
	}
	CHECK(done == size && !fstat(other, &st) && st.st_size == (off_t)size);
	CHECK(!lseek(fd, 0, SEEK_SET) && !ftruncate(fd, 0) && !lseek(other, 0, SEEK_SET));
	for (done = 0; done < size; done += i) {
		i = sendfile(fd, other, NULL, size - done);
		if ((ssize_t)i <= 0)
			break;
	}
	memset(back, 0, size);
	CHECK(done == size && pread(fd, back, size, 0) == (ssize_t)size &&
	      !memcmp(big, back, size));
	CHECK(!close(fd) && !close(other) && !unlink(below("big")) && !unlink("/home/big"));
	free(big);
	free(back);
}

static void test_wrong_direction(void)
{
	int fd = open(below("here"), O_RDWR | O_CREAT, 0600);
	int out = open("/home/there", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int in = open("/home/there", O_RDONLY);
	char buffer[10];
	int p[2];

	CHECK(fd >= 0 && out >= 0 && in >= 0 && !pipe2(p, O_NONBLOCK));
	CHECK(write(fd, "abcdef", 6) == 6 && !lseek(fd, 0, SEEK_SET));
	/* Nothing is read that cannot be written. */
	CHECK(write(p[1], "q", 1) == 1);
	FAILS(EBADF, sendfile(in, p[0], NULL, 1));
	CHECK(read(p[0], buffer, sizeof(buffer)) == 1);
	FAILS(EBADF, sendfile(in, fd, NULL, 3));
	CHECK(!lseek(fd, 0, SEEK_CUR));
	CHECK(sendfile(out, fd, NULL, 3) == 3 && lseek(fd, 0, SEEK_CUR) == 3);
	FAILS(EBADF, sendfile(p[1], out, NULL, 3));
	CHECK(!close(p[0]) && !close(p[1]) && !close(in) && !close(out) && !close(fd));
	CHECK(!unlink(below("here")) && !unlink("/home/there"));
}

static void test_readiness(void)
{
	struct timeval second = { 1, 0 }, none = {};
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 77 };
	struct pollfd set[3];
	int p[2], event_fd, epoll, r[2];
	fd_set in, out;
	uint64_t one = 1;
	char c;

	CHECK(!pipe(p) && !pipe(r));
	event_fd = eventfd(0, EFD_NONBLOCK);
	CHECK(event_fd >= 0);

	/* All of one home. */
	set[0] = (struct pollfd){ p[0], POLLIN };
	set[1] = (struct pollfd){ p[1], POLLOUT };
	set[2] = (struct pollfd){ -1, POLLIN };
	CHECK(poll(set, 3, 1000) == 1 && !set[0].revents && set[1].revents == POLLOUT);
	CHECK(poll(set, 1, 20) == 0);
	CHECK(write(p[1], "x", 1) == 1 && poll(set, 1, -1) == 1 && set[0].revents == POLLIN);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(p[0], &in);
	FD_SET(r[0], &in);
	FD_SET(p[1], &out);
	CHECK(select(r[1] + 1, &in, &out, NULL, &second) == 2);
	CHECK(FD_ISSET(p[0], &in) && !FD_ISSET(r[0], &in) && FD_ISSET(p[1], &out));
	CHECK(read(p[0], &c, 1) == 1);
	FD_ZERO(&in);
	FD_SET(p[0], &in);
	CHECK(select(p[0] + 1, &in, NULL, NULL, &none) == 0 && !FD_ISSET(p[0], &in));

	/* A local file among them. */
	set[0] = (struct pollfd){ p[0], POLLIN };
	set[1] = (struct pollfd){ event_fd, POLLIN };
	CHECK(poll(set, 2, 0) == 0);
	CHECK(write(p[1], "x", 1) == 1 && poll(set, 2, -1) == 1 && set[0].revents == POLLIN);
	CHECK(write(event_fd, &one, 8) == 8 && poll(set, 2, -1) == 2);
	CHECK(read(p[0], &c, 1) == 1 && poll(set, 2, -1) == 1 && set[1].revents == POLLIN);
	CHECK(read(event_fd, &one, 8) == 8 && poll(set, 2, 20) == 0);

	epoll = epoll_create1(0);
	CHECK(epoll >= 0);
	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, p[0], &event));
	CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
	CHECK(write(p[1], "x", 1) == 1);
	CHECK(epoll_wait(epoll, &event, 1, 5000) == 1 && event.data.u32 == 77 &&
	      event.events == EPOLLIN);
	CHECK(epoll_wait(epoll, &event, 1, 0) == 1);
	CHECK(read(p[0], &c, 1) == 1 && epoll_wait(epoll, &event, 1, 20) == 0);
	CHECK(!close(p[1]) && epoll_wait(epoll, &event, 1, 5000) == 1 &&
	      (event.events & EPOLLHUP));
	CHECK(!epoll_ctl(epoll, EPOLL_CTL_DEL, p[0], NULL));
	CHECK(!close(epoll) && !close(p[0]) && !close(r[0]) && !close(r[1]) && !close(event_fd));
}

static volatile sig_atomic_t caught, caught_pid;

static void catch(int sig, siginfo_t *info, void *context)
{
	caught = sig;
	caught_pid = info->si_pid;
}

static void on(int sig, int flags)
{
	struct sigaction action = { .sa_sigaction = catch, .sa_flags = SA_SIGINFO | flags };

	sigaction(sig, &action, NULL);
	caught = 0;
}

static void test_signals(void)
{
	struct itimerval soon = { .it_value = { 0, 50000 } };
	struct timespec ts = { 0, 10000000 };
	sigset_t set, old;
	int p[2];
	char c;

	on(SIGUSR1, 0);
	CHECK(!kill(getpid(), SIGUSR1) && caught == SIGUSR1 && caught_pid == getpid());
	caught = 0;
	/* By way of the process group: home sends it back. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(!raise(SIGUSR1) && caught == SIGUSR1);

	/* A broken pipe. */
	CHECK(!pipe(p) && !close(p[0]));
	on(SIGPIPE, 0);
	FAILS(EPIPE, write(p[1], "x", 1));
	CHECK(caught == SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	FAILS(EPIPE, write(p[1], "x", 1));
	CHECK(!close(p[1]));

	/* Interrupted and restarted reads. */
	CHECK(!pipe(p));
	on(SIGALRM, 0);
	CHECK(!setitimer(ITIMER_REAL, &soon, NULL));
	FAILS(EINTR, read(p[0], &c, 1));
	CHECK(caught == SIGALRM);
	/* Blocked signals do not interrupt. */
	caught = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	CHECK(!sigprocmask(SIG_BLOCK, &set, &old));
	CHECK(!setitimer(ITIMER_REAL, &soon, NULL));
	struct pollfd pfd = { p[0], POLLIN };

	CHECK(poll(&pfd, 1, 200) == 0 && !caught);
	/* ... but with a mask for the time of the call. */
	FAILS(EINTR, ppoll(&pfd, 1, NULL, &old));
	CHECK(caught == SIGALRM);
	CHECK(!sigprocmask(SIG_SETMASK, &old, NULL));
	/* Ignored ones neither. */
	signal(SIGALRM, SIG_IGN);
	CHECK(!setitimer(ITIMER_REAL, &soon, NULL));
	CHECK(poll(&pfd, 1, 200) == 0);
	CHECK(!nanosleep(&ts, NULL));
	CHECK(!close(p[0]) && !close(p[1]));
	FAILS(ESRCH, kill(0x3fffffff, 0));
}

static void test_sockets(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX }, peer;
	socklen_t len = sizeof(peer);
	char buffer[100], control[CMSG_SPACE(2 * sizeof(int))];
	struct iovec iov = { "with fds", 8 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct mmsghdr many[2];
	struct cmsghdr *c;
	int pair[2], p[2], got[2], server, client, conn, value;
	struct ucred cred;

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	CHECK(send(pair[0], "hello", 5, 0) == 5 && recv(pair[1], buffer, 100, MSG_PEEK) == 5);
	CHECK(recv(pair[1], buffer, 100, 0) == 5 && !memcmp(buffer, "hello", 5));
	len = sizeof(value);
	CHECK(!getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &value, &len) && value == SOCK_STREAM);
	len = sizeof(cred);
	CHECK(!getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &cred, &len) &&
	      cred.pid == getpid() && cred.uid == getuid());
	value = 8192;
	CHECK(!setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)));

	/* Descriptors in control data. */
	CHECK(!pipe(p));
	msg.msg_control = control;
	msg.msg_controllen = CMSG_SPACE(2 * sizeof(int));
	c = CMSG_FIRSTHDR(&msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(c), p, sizeof(p));
	CHECK(sendmsg(pair[0], &msg, 0) == 8);
	memset(control, 0, sizeof(control));
	iov = (struct iovec){ buffer, sizeof(buffer) };
	msg.msg_controllen = sizeof(control);
	CHECK(recvmsg(pair[1], &msg, 0) == 8 && !memcmp(buffer, "with fds", 8));
	c = CMSG_FIRSTHDR(&msg);
	CHECK(c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(2 * sizeof(int)));
	if (c) {
		memcpy(got, CMSG_DATA(c), sizeof(got));
		CHECK(got[0] > p[1] && got[1] == got[0] + 1);
		CHECK(write(got[1], "via", 3) == 3 && read(p[0], buffer, 9) == 3);
		CHECK(!close(got[0]) && !close(got[1]));
	}
	CHECK(!close(p[0]) && !close(p[1]) && !close(pair[0]));
	CHECK(recv(pair[1], buffer, 9, 0) == 0 && !close(pair[1]));

	/* Datagrams stay whole. */
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	memset(many, 0, sizeof(many));
	struct iovec parts[2] = { { "one", 3 }, { "three", 5 } };

	many[0].msg_hdr = (struct msghdr){ .msg_iov = &parts[0], .msg_iovlen = 1 };
	many[1].msg_hdr = (struct msghdr){ .msg_iov = &parts[0], .msg_iovlen = 2 };
	CHECK(sendmmsg(pair[0], many, 2, 0) == 2 && many[1].msg_len == 8);
	CHECK(recv(pair[1], buffer, 100, 0) == 3 && recv(pair[1], buffer, 4, MSG_TRUNC) == 8);
	CHECK(!close(pair[0]) && !close(pair[1]));

	/* Names. */
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", below("socket"));
	server = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!bind(server, (void *)&address, sizeof(address)) && !listen(server, 5));
	client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(!connect(client, (void *)&address, sizeof(address)));
	len = sizeof(peer);
	conn = accept4(server, (void *)&peer, &len, SOCK_CLOEXEC);
	CHECK(conn > client && (fcntl(conn, F_GETFD) & FD_CLOEXEC) && len == 2);
	len = sizeof(peer);
	CHECK(!getsockname(server, (void *)&peer, &len) && !strcmp(peer.sun_path, address.sun_path));
	FAILS(EAGAIN, read(client, buffer, 1));
	CHECK(!shutdown(conn, SHUT_WR) && read(client, buffer, 1) == 0);
	CHECK(!close(conn) && !close(client) && !close(server) && !unlink(address.sun_path));
}

static void test_relations(void)
{
	struct rusage usage;
	struct tms tms;
	int status;

	CHECK(getppid() > 0 && getpgrp() == getpgid(0) && getsid(0) > 0);
	CHECK(getpgid(getpid()) == getpgrp());
	FAILS(ECHILD, wait4(-1, &status, 0, &usage));
	FAILS(ECHILD, waitpid(-1, &status, WNOHANG));
	CHECK(times(&tms) != (clock_t)-1 && !tms.tms_cutime);
	CHECK(!getrusage(RUSAGE_CHILDREN, &usage) && !getrusage(RUSAGE_SELF, &usage));
	CHECK(!setpgid(0, 0) || errno == EPERM);
	CHECK(getpgrp() == getpid() || getsid(0) != getpid());
}

static void test_identity(void)
{
	struct stat st;
	char name[20] = {};
	int fd;

	CHECK(!prctl(PR_SET_NAME, "renamed") && !prctl(PR_GET_NAME, name) &&
	      !strcmp(name, "renamed"));
	CHECK(umask(077) >= 0);
	fd = open(below("masked"), O_CREAT | O_WRONLY, 0666);
	CHECK(fd >= 0 && !fstat(fd, &st) && (st.st_mode & 0777) == 0600);
	umask(022);
	CHECK(!close(fd) && !unlink(below("masked")));
	CHECK(!prctl(PR_SET_PDEATHSIG, SIGUSR2));
	CHECK(!prctl(PR_GET_PDEATHSIG, &fd) && fd == SIGUSR2);
	CHECK(!prctl(PR_SET_PDEATHSIG, 0));
	CHECK(!setpriority(PRIO_PROCESS, 0, 5) && getpriority(PRIO_PROCESS, 0) == 5);
	if (!geteuid()) {
		CHECK(!setresgid(1000, 1000, 0) && !setresuid(1000, 1000, 0));
		/* The rights are the same on both sides. */
		fd = open(below("mine"), O_CREAT | O_WRONLY, 0600);
		if (fd >= 0) {
			CHECK(!fstat(fd, &st) && st.st_uid == 1000 && st.st_gid == 1000);
			CHECK(!close(fd));
		} else {
			CHECK(errno == EACCES);
		}
		FAILS(EACCES, open("/proc/1/mem", O_RDONLY));
		CHECK(!setresuid(0, 0, 0) && !setresgid(0, 0, 0));
		unlink(below("mine"));
	}
}

struct message {
	long type;
	char text[20];
};

static void test_ipc(void)
{
	int queue = msgget(IPC_PRIVATE, 0600 | IPC_CREAT);
	int set = semget(IPC_PRIVATE, 2, 0600 | IPC_CREAT);
	struct sembuf up = { 1, 3, 0 }, down = { 1, -4, IPC_NOWAIT };
	struct message m = { 5, "message" };
	unsigned short values[2] = { 7, 8 };
	struct msqid_ds ds;

	CHECK(queue >= 0 && !msgsnd(queue, &m, 8, 0));
	CHECK(!msgctl(queue, IPC_STAT, &ds) && ds.msg_qnum == 1 && ds.msg_lspid == getpid());
	memset(&m, 0, sizeof(m));
	CHECK(msgrcv(queue, &m, sizeof(m.text), 0, 0) == 8 && m.type == 5 &&
	      !strcmp(m.text, "message"));
	CHECK(!msgctl(queue, IPC_RMID, NULL));
	CHECK(set >= 0 && !semop(set, &up, 1) && semctl(set, 1, GETVAL) == 3);
	FAILS(EAGAIN, semop(set, &down, 1));
	CHECK(!semctl(set, 0, SETALL, values));
	memset(values, 0, sizeof(values));
	CHECK(!semctl(set, 0, GETALL, values) && values[0] == 7 && values[1] == 8);
	CHECK(!semctl(set, 0, IPC_RMID));
}

static void test_local(void)
{
	struct itimerspec time = { .it_value = { 0, 1000000 } };
	uint64_t ticks;
	void *map = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);

	CHECK(map != MAP_FAILED && !mprotect(map, 4096, PROT_READ) && !munmap(map, 1 << 20));
	CHECK(fd >= 0 && !timerfd_settime(fd, 0, &time, NULL) && read(fd, &ticks, 8) == 8 &&
	      ticks >= 1 && !close(fd));
	CHECK(getpid() == syscall(SYS_gettid));
	FAILS(ENOSYS, syscall(400));
	FAILS(ENOSYS, syscall(5000));
	FAILS(ENOSYS, syscall(-1));
}

static const struct test tests[] = {
	{ "files", test_files },
	{ "directories", test_directories },
	{ "devices", test_devices },
	{ "terminals", test_terminals },
	{ "descriptors", test_descriptors },
	{ "big transfers", test_big_transfers },
	{ "transfers in the wrong direction", test_wrong_direction },
	{ "readiness", test_readiness },
	{ "signals", test_signals },
	{ "sockets", test_sockets },
	{ "relations", test_relations },
	{ "ipc", test_ipc },
	{ "local", test_local },
	{ "identity", test_identity },
	{}
};

int main(int argc, char **argv)
{
	return run_tests("syscalls", tests, argc > 1 ? argv[1] : NULL);
}
