// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process away from home neither misses that a file of home becomes ready nor
 * believes so when it no longer is: whatever call has used the file, and whatever
 * becomes of the descriptor by which home knows it.
 *
 * The same program runs at home and as a guest and has to pass both times. No
 * fork: a guest cannot yet.
 *
 *	cc -O2 -static poll.c -o poll
 *	holon run -n 2 -- ./poll
 *	holon run -n 2 -- ./poll exec
 *	holon run -n 2 -- ./poll stdin		and a byte once it says "# waiting"
 *	./poll feed | holon run -n 2 -- ./poll level
 *	./poll feed | holon run -n 2 -- ./poll edge
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"

#define LONG	30000	/* ms: something is wrong if it takes so long */
#define SHORT	30	/* ms: what must not come would be here by now */

/* Lines that "feed" writes, and so many of them at once. */
#define LINES	1500
#define BURST	7

/* Descriptors that exec leaves open, besides 0. */
#define WRITER	77
#define READER	78

/* An epoll with @fd alone. */
static int watch(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };
	int epoll = epoll_create1(0);

	CHECK(epoll >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	return epoll;
}

/* How many files of @epoll are ready, after at most @ms milliseconds. */
static int ready(int epoll, int ms)
{
	struct epoll_event event;

	return epoll_wait(epoll, &event, 1, ms);
}

static void recvmmsg_takes_readiness_away(void)
{
	char buffer[8];
	struct iovec iov = { buffer, sizeof(buffer) };
	struct mmsghdr message = { .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	int pair[2], epoll, i;

	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	epoll = watch(pair[0], EPOLLIN);
	CHECK(ready(epoll, 0) == 0);
	for (i = 0; i < 20; i++) {
		CHECK(write(pair[1], "x", 1) == 1);
		CHECK(ready(epoll, LONG) == 1);
		CHECK(recvmmsg(pair[0], &message, 1, MSG_DONTWAIT, NULL) == 1);
		CHECK(ready(epoll, SHORT) == 0);
	}
	CHECK(!close(epoll) && !close(pair[0]) && !close(pair[1]));
}

static void vmsplice_takes_readiness_away(void)
{
	char buffer[3];
	struct iovec iov = { buffer, sizeof(buffer) };
	int p[2], epoll;

	CHECK(!pipe(p));
	epoll = watch(p[0], EPOLLIN);
	CHECK(write(p[1], "abc", 3) == 3 && ready(epoll, LONG) == 1);
	CHECK(vmsplice(p[0], &iov, 1, 0) == 3 && !memcmp(buffer, "abc", 3));
	CHECK(ready(epoll, SHORT) == 0);
	CHECK(!close(epoll) && !close(p[0]) && !close(p[1]));
}

/* From a file that is no more home's than ours, into a pipe of home. */
static void sendfile_takes_room_away(void)
{
	int fd = open("/home/room", O_RDWR | O_CREAT | O_TRUNC, 0600);
	size_t size = 1 << 20;
	char *big = calloc(1, size);
	int p[2], epoll;

	CHECK(fd >= 0 && big && write(fd, big, size) == (ssize_t)size && !lseek(fd, 0, SEEK_SET));
	CHECK(!pipe2(p, O_NONBLOCK));
	epoll = watch(p[1], EPOLLOUT);
	CHECK(ready(epoll, LONG) == 1);
	CHECK(sendfile(p[1], fd, NULL, size) > 0);
	CHECK(ready(epoll, SHORT) == 0);
	CHECK(read(p[0], big, size) > 0 && ready(epoll, LONG) == 1);
	CHECK(!close(epoll) && !close(p[0]) && !close(p[1]));
	CHECK(!close(fd) && !unlink("/home/room"));
	free(big);
}

static void a_duplicate_keeps_the_watch(void)
{
	char buffer[8];
	int p[2], epoll, copy;

	CHECK(!pipe(p));
	epoll = watch(p[0], EPOLLIN);
	CHECK(ready(epoll, 0) == 0);
	copy = dup(p[0]);
	CHECK(copy > p[1] && ready(epoll, 0) == 0 && !close(p[0]) && ready(epoll, 0) == 0);
	CHECK(write(p[1], "abc", 3) == 3 && ready(epoll, LONG) == 1);
	CHECK(read(copy, buffer, sizeof(buffer)) == 3 && ready(epoll, SHORT) == 0);
	CHECK(!close(epoll) && !close(copy) && !close(p[1]));
}

static void close_range_spares_a_duplicate(void)
{
	char buffer[8];
	int p[2], epoll;

	CHECK(!pipe(p));
	CHECK(dup2(p[0], 50) == 50 && dup2(50, 51) == 51 && dup2(50, 59) == 59);
	/* Home knows the file by 50 or 51, and must not by the other then. */
	CHECK(!close(p[0]) && !syscall(SYS_close_range, 50, 52, 0));
	epoll = watch(59, EPOLLIN);
	CHECK(ready(epoll, 0) == 0);
	CHECK(write(p[1], "abc", 3) == 3 && ready(epoll, LONG) == 1);
	CHECK(read(59, buffer, sizeof(buffer)) == 3 && ready(epoll, SHORT) == 0);
	CHECK(!close(epoll) && !close(59) && !close(p[1]));
}

static void epoll_refuses_what_is_always_ready(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0);
	int fd = open(below("plain"), O_RDWR | O_CREAT, 0600);
	int dir = open(scratch, O_RDONLY | O_DIRECTORY);

	CHECK(epoll >= 0 && fd >= 0 && dir >= 0);
	FAILS(EPERM, epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	FAILS(EPERM, epoll_ctl(epoll, EPOLL_CTL_ADD, dir, &event));
	CHECK(!close(epoll) && !close(fd) && !close(dir) && !unlink(below("plain")));
}

/* Somebody else writes to stdin, once this waits. */
static void home_wakes_an_epoll_after_dup_and_close(void)
{
	int epoll = watch(0, EPOLLIN), copy;
	char c;

	CHECK(ready(epoll, 0) == 0);
	copy = dup(0);
	CHECK(copy > 0 && !close(0));
	/* This settles that it is not ready: only home can say otherwise. */
	CHECK(ready(epoll, 0) == 0);
	printf("# waiting\n");
	CHECK(ready(epoll, LONG) == 1 && read(copy, &c, 1) == 1);
	CHECK(!close(epoll) && !close(copy));
}

/* Read what "feed" writes, up to @size bytes at a time, and only when told to. */
static void read_lines(uint32_t flags, size_t size)
{
	int epoll = watch(0, EPOLLIN | flags), lines = 0, waits = 0;
	char buffer[64];
	ssize_t got, i;

	do {
		CHECK(ready(epoll, LONG) == 1);
		if (failures)
			break;
		waits++;
		do {
			got = read(0, buffer, size);
			for (i = 0; i < got; i++)
				lines += buffer[i] == '\n';
		} while ((flags & EPOLLET) && got > 0);
	} while (got);
	printf("# %d lines, %d waits\n", lines, waits);
	CHECK(lines == LINES);
	CHECK(!close(epoll));
}

static void level_triggered_epoll_misses_no_line(void)
{
	read_lines(0, 8);
}

static void edge_triggered_epoll_misses_no_line(void)
{
	CHECK(!fcntl(0, F_SETFL, O_NONBLOCK));
	read_lines(EPOLLET, 64);
}

/*
 * Whenever all has been read there is more: at once, while the reader is about
 * to wait, or a little later, when it does.
 */
static int feed(void)
{
	struct pollfd out = { 1, 0 };
	int i, left;

	for (i = 1; i <= LINES; i++) {
		dprintf(1, "%d\n", i);
		if (i % BURST)
			continue;
		do {
			if (poll(&out, 1, 1))
				return 1;	/* nobody reads */
		} while (!ioctl(1, FIONREAD, &left) && left);
		if (i / BURST % 2)
			poll(NULL, 0, 3);
	}
	return 0;
}

static int set_up_and_exec(char *self)
{
	int p[2], epoll;

	/* Files go by their first number at home, which exec closes. */
	CHECK(!pipe2(p, O_CLOEXEC));
	CHECK(dup2(p[0], 0) == 0 && dup2(p[1], WRITER) == WRITER);

	/* This file goes altogether, but home watches it. */
	CHECK(!pipe(p) && dup2(p[0], READER) == READER && !close(p[0]));
	CHECK(!fcntl(p[1], F_SETFD, FD_CLOEXEC));
	epoll = watch(p[1], EPOLLERR);
	CHECK(ready(epoll, SHORT) == 0);

	if (!failures)
		execl(self, self, "after exec", NULL);
	printf("Bail out! no exec of %s: %s\n", self, strerror(errno));
	return 1;
}

static void exec_leaves_duplicates_their_files(void)
{
	int epoll = watch(0, EPOLLIN);
	char c;

	CHECK(ready(epoll, 0) == 0);
	CHECK(write(WRITER, "x", 1) == 1 && ready(epoll, LONG) == 1 && read(0, &c, 1) == 1);
	CHECK(ready(epoll, SHORT) == 0);
	CHECK(!close(WRITER) && ready(epoll, LONG) == 1 && read(0, &c, 1) == 0);
	CHECK(!close(epoll));
}

static void exec_closes_files_that_are_watched(void)
{
	struct pollfd set = { READER, POLLIN };
	char c;

	CHECK(poll(&set, 1, LONG) == 1 && set.revents == POLLHUP);
	if (set.revents)
		CHECK(read(READER, &c, 1) == 0);
	CHECK(!close(READER));
}

static const struct test tests[] = {
	{ "recvmmsg takes readiness away", recvmmsg_takes_readiness_away },
	{ "vmsplice takes readiness away", vmsplice_takes_readiness_away },
	{ "sendfile takes room away", sendfile_takes_room_away },
	{ "a duplicate keeps the watch", a_duplicate_keeps_the_watch },
	{ "close_range spares a duplicate", close_range_spares_a_duplicate },
	{ "epoll refuses what is always ready", epoll_refuses_what_is_always_ready },
	{ "home wakes an epoll after dup and close",
	  home_wakes_an_epoll_after_dup_and_close, "stdin" },
	{ "level-triggered epoll misses no line", level_triggered_epoll_misses_no_line, "level" },
	{ "edge-triggered epoll misses no line", edge_triggered_epoll_misses_no_line, "edge" },
	{ "exec leaves duplicates their files",
	  exec_leaves_duplicates_their_files, "after exec" },
	{ "exec closes files that are watched",
	  exec_closes_files_that_are_watched, "after exec" },
	{}
};

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : NULL;

	if (what && !strcmp(what, "feed"))
		return feed();
	if (what && !strcmp(what, "exec"))
		return set_up_and_exec(argv[0]);
	return run_tests("poll", tests, what);
}
