// SPDX-License-Identifier: GPL-2.0-only
/* Open files of all kinds of a process that moves. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>

#include "move.h"

static int fds[4], count;

static bool echoes(int to, int from)
{
	char sent[40], got[40] = "";
	int len = snprintf(sent, sizeof(sent), "message %d", ++count);

	return write(to, sent, len) == len && read(from, got, sizeof(got)) == len &&
	       !memcmp(sent, got, len);
}

static void make_pipe(void)
{
	CHECK(!pipe(fds));
	CHECK(write(fds[1], "left", 4) == 4);
}

static void look_pipe(void)
{
	char data[8];

	CHECK(read(fds[0], data, sizeof(data)) == 4 && !memcmp(data, "left", 4));
	CHECK(echoes(fds[1], fds[0]));
	CHECK(write(fds[1], "left", 4) == 4);
}

static void make_pair(void)
{
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds));
}

static void look_pair(void)
{
	CHECK(echoes(fds[0], fds[1]) && echoes(fds[1], fds[0]));
}

/* On a mount that the nodes share: opened again there. */
static void make_regular(void)
{
	fds[0] = open(in_shared("data"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fds[0] >= 0 && write(fds[0], "0123456789", 10) == 10 && lseek(fds[0], 4, SEEK_SET) == 4);
}

static void look_regular(void)
{
	char data[4];

	CHECK(lseek(fds[0], 0, SEEK_CUR) == 4);
	CHECK(read(fds[0], data, 3) == 3 && !memcmp(data, "456", 3));
	CHECK(lseek(fds[0], 0, SEEK_END) == 10 && lseek(fds[0], 4, SEEK_SET) == 4);
	CHECK(fcntl(fds[0], F_GETFL) & O_RDWR);
}

static void make_append(void)
{
	fds[0] = open(in_shared("log"), O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	count = 0;
}

static void look_append(void)
{
	struct stat status;

	CHECK(lseek(fds[0], 0, SEEK_SET) == 0 && write(fds[0], "line\n", 5) == 5);
	count++;
	CHECK(!fstat(fds[0], &status) && status.st_size == count * 5);
	CHECK(fcntl(fds[0], F_GETFL) & O_APPEND);
}

/* Home's own: it stays there. */
static void make_home(void)
{
	fds[0] = open(in_scratch("data"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fds[0] >= 0 && write(fds[0], "0123456789", 10) == 10 && lseek(fds[0], 4, SEEK_SET) == 4);
}

static void make_deleted(void)
{
	make_home();
	CHECK(!unlink(in_scratch("data")));
}

/* Each look where the last one was made: files opened while away, too. */
static void make_later(void)
{
	fds[0] = -1;
}

static void look_later(void)
{
	char data[4];

	if (fds[0] >= 0) {
		CHECK(pread(fds[0], data, 3, 2) == 3 && !memcmp(data, "234", 3));
		CHECK(pread(fds[1], data, 3, 2) == 3 && !memcmp(data, "234", 3));
		CHECK(echoes(fds[3], fds[2]));
		close(fds[0]);
		close(fds[1]);
		close(fds[2]);
		close(fds[3]);
	}
	make_home();
	/* Not for the child that has us moved: what is shared over there cannot come home. */
	fds[1] = open(in_shared("later"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fds[1] >= 0 && write(fds[1], "0123456789", 10) == 10);
	CHECK(!pipe(fds + 2));
}

static void make_dup(void)
{
	make_regular();
	fds[1] = dup(fds[0]);
	fds[2] = fcntl(fds[0], F_DUPFD_CLOEXEC, 100);
	CHECK(fds[1] >= 0 && fds[2] >= 100);
}

static void look_dup(void)
{
	look_regular();
	CHECK(lseek(fds[1], 7, SEEK_SET) == 7 && lseek(fds[0], 0, SEEK_CUR) == 7 &&
	      lseek(fds[2], 0, SEEK_CUR) == 7);
	CHECK(lseek(fds[2], 4, SEEK_SET) == 4);
	CHECK(!(fcntl(fds[0], F_GETFD) & FD_CLOEXEC) && fcntl(fds[2], F_GETFD) & FD_CLOEXEC);
}

static void make_dup_home(void)
{
	make_home();
	fds[1] = dup(fds[0]);
	fds[2] = fcntl(fds[0], F_DUPFD_CLOEXEC, 100);
}

static int directory;

static void make_cwd(void)
{
	CHECK(!mkdir(in_shared("cwd"), 0755) && !chdir(in_shared("cwd")));
	directory = open(".", O_RDONLY | O_DIRECTORY);
	CHECK(directory >= 0);
}

static void look_cwd(void)
{
	char name[200];
	struct stat status, other;

	CHECK(getcwd(name, sizeof(name)) && !strcmp(name, in_shared("cwd")));
	CHECK(close(open("file", O_CREAT | O_WRONLY, 0600)) == 0);
	CHECK(!stat(in_shared("cwd/file"), &status));
	CHECK(!fstatat(directory, "file", &other, 0) && other.st_ino == status.st_ino);
	CHECK(!unlinkat(directory, "file", 0));
}

static void make_cwd_home(void)
{
	CHECK(!mkdir(in_scratch("cwd"), 0755) && !chdir(in_scratch("cwd")));
	directory = open(".", O_RDONLY | O_DIRECTORY);
	CHECK(directory >= 0);
}

static void look_cwd_home(void)
{
	char name[200];
	struct stat status;

	CHECK(getcwd(name, sizeof(name)) && !strcmp(name, in_scratch("cwd")));
	CHECK(close(open("file", O_CREAT | O_WRONLY, 0600)) == 0);
	CHECK(!stat(in_scratch("cwd/file"), &status));
	CHECK(!unlinkat(directory, "file", 0));
}

/* A changed directory is changed everywhere. */
static void make_chdir(void)
{
	CHECK(!mkdir(in_shared("a"), 0755) && !mkdir(in_scratch("b"), 0755));
}

static void look_chdir(void)
{
	char name[200];

	CHECK(getcwd(name, sizeof(name)) &&
	      (!count || !strcmp(name, count % 2 ? in_shared("a") : in_scratch("b"))));
	CHECK(!chdir(++count % 2 ? in_shared("a") : in_scratch("b")));
}

static DIR *listing;

static void make_listing(void)
{
	int i;

	for (i = 0; i < 20; i++) {
		char name[20];

		snprintf(name, sizeof(name), "entry%d", i);
		close(open(in_shared(name), O_CREAT | O_WRONLY, 0600));
	}
	listing = opendir(shared);
	CHECK(listing);
	CHECK(readdir(listing) && readdir(listing) && readdir(listing));
}

static void look_listing(void)
{
	struct dirent *entry;
	int entries = 0;

	rewinddir(listing);
	while ((entry = readdir(listing)))
		entries += !strncmp(entry->d_name, "entry", 5);
	CHECK(entries == 20);
}

static void make_passed(void)
{
	struct iovec iov = { "x", 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds) && !pipe(fds + 2));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &fds[3], sizeof(int));
	CHECK(sendmsg(fds[0], &message, 0) == 1);
	close(fds[3]);
}

/* A descriptor that was on its way. */
static void look_passed(void)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	CHECK(recvmsg(fds[1], &message, 0) == 1 && control.header.cmsg_type == SCM_RIGHTS);
	memcpy(&fds[3], CMSG_DATA(&control.header), sizeof(int));
	CHECK(echoes(fds[3], fds[2]));
	close(fds[0]);
	close(fds[1]);
	close(fds[2]);
	close(fds[3]);
	make_passed();
}

static void make_tcp(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!bind(fds[0], (void *)&address, len) && !listen(fds[0], 5));
	CHECK(!getsockname(fds[0], (void *)&address, &len));
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!connect(fds[1], (void *)&address, len));
	fds[2] = accept(fds[0], NULL, NULL);
	CHECK(fds[2] >= 0);
}

/* A connection from before, and a new one to the same socket. */
static void look_tcp(void)
{
	struct sockaddr_in address;
	socklen_t len = sizeof(address);
	int client, server;

	CHECK(echoes(fds[1], fds[2]) && echoes(fds[2], fds[1]));
	CHECK(!getsockname(fds[0], (void *)&address, &len));
	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(!connect(client, (void *)&address, len));
	server = accept(fds[0], NULL, NULL);
	CHECK(echoes(client, server));
	close(client);
	close(server);
}

static void make_eventfd(void)
{
	fds[0] = eventfd(5, 0);
}

static void look_eventfd(void)
{
	unsigned long long value = 0;

	CHECK(read(fds[0], &value, 8) == 8 && value == 5);
	CHECK(write(fds[0], &value, 8) == 8);
}

static void make_timerfd(void)
{
	struct itimerspec timer = { { 0, 20000000 }, { 0, 20000000 } };

	fds[0] = timerfd_create(CLOCK_MONOTONIC, 0);
	CHECK(!timerfd_settime(fds[0], 0, &timer, NULL));
}

static void look_timerfd(void)
{
	unsigned long long value = 0;
	int ret;

	do {
		ret = read(fds[0], &value, 8);
	} while (ret < 0 && errno == EINTR);
	CHECK(ret == 8 && value >= 1);
}

static void make_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 99 };

	CHECK(!pipe(fds));
	fds[2] = epoll_create1(0);
	CHECK(!epoll_ctl(fds[2], EPOLL_CTL_ADD, fds[0], &event));
}

static void look_epoll(void)
{
	struct epoll_event event = {};

	CHECK(epoll_wait(fds[2], &event, 1, 0) == 0);
	CHECK(write(fds[1], "x", 1) == 1);
	CHECK(epoll_wait(fds[2], &event, 1, 10000) == 1 && event.data.u32 == 99);
	CHECK(read(fds[0], &event, 1) == 1);
}

static void make_inotify(void)
{
	fds[0] = inotify_init1(IN_NONBLOCK);
	CHECK(inotify_add_watch(fds[0], scratch, IN_CREATE) >= 0);
}

static void look_inotify(void)
{
	struct pollfd poll_fd = { .fd = fds[0], .events = POLLIN };
	char buffer[500];

	CHECK(read(fds[0], buffer, sizeof(buffer)) < 0 && errno == EAGAIN);
	close(open(in_scratch("new"), O_CREAT | O_WRONLY, 0600));
	CHECK(poll(&poll_fd, 1, 10000) == 1);
	CHECK(read(fds[0], buffer, sizeof(buffer)) > 0);
	CHECK(!unlink(in_scratch("new")));
}

static void make_pty(void)
{
	struct termios termios;
	struct winsize size = { 33, 77 };

	CHECK(!openpty(&fds[0], &fds[1], NULL, NULL, &size));
	CHECK(!tcgetattr(fds[1], &termios));
	cfmakeraw(&termios);
	CHECK(!tcsetattr(fds[1], TCSANOW, &termios));
}

static void look_pty(void)
{
	struct winsize size = {};
	struct termios termios;

	CHECK(echoes(fds[0], fds[1]) && echoes(fds[1], fds[0]));
	CHECK(!ioctl(fds[1], TIOCGWINSZ, &size) && size.ws_row == 33 && size.ws_col == 77);
	CHECK(!tcgetattr(fds[1], &termios) && !(termios.c_lflag & ECHO));
	CHECK(isatty(fds[1]));
}

static void make_null(void)
{
	fds[0] = open("/dev/null", O_RDWR);
	fds[1] = open("/dev/zero", O_RDONLY);
}

static void look_null(void)
{
	char data[5] = "abcd";
	struct stat status;

	CHECK(write(fds[0], data, 5) == 5 && read(fds[0], data, 5) == 0);
	CHECK(read(fds[1], data, 5) == 5 && !data[0] && !data[4]);
	CHECK(!fstat(fds[0], &status) && S_ISCHR(status.st_mode));
}

static void make_locks(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = 10, .l_len = 5 };

	make_home();
	CHECK(!fcntl(fds[0], F_SETLK, &lock) && !flock(fds[0], LOCK_EX));
}

/* Somebody else at home does not get them. */
static void look_locks(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = 12, .l_len = 1 };
	pid_t child = fork();
	int status = -1;

	if (!child) {
		int fd = open(in_scratch("data"), O_RDWR);

		_exit(fd < 0 || fcntl(fd, F_SETLK, &lock) == 0 || flock(fd, LOCK_EX | LOCK_NB) == 0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	CHECK(status == 0);
}

static void make_fifo(void)
{
	CHECK(!mkfifo(in_shared("fifo"), 0600));
	fds[0] = open(in_shared("fifo"), O_RDWR);
	CHECK(fds[0] >= 0);
}

static void look_fifo(void)
{
	int fd = open(in_shared("fifo"), O_WRONLY);

	CHECK(fd >= 0 && echoes(fd, fds[0]));
	close(fd);
}

/* Many, and a gap. */
static void make_many(void)
{
	int i, fd;

	for (i = 0; i < 200; i++) {
		fd = i % 3 ? open("/dev/null", O_RDONLY) : dup(0);
		CHECK(fd >= 0);
	}
	for (i = 100; i < 150; i++)
		close(i);
}

static void look_many(void)
{
	int i;

	for (i = 10; i < 200; i++)
		CHECK((fcntl(i, F_GETFD) >= 0) == (i < 100 || i >= 150));
	i = open("/dev/null", O_RDONLY);
	CHECK(i == 100);
	close(i);
}

/* --- files without a name, made where it runs ------------------------------------ */

static int made[6];	/* eventfd, semaphore, timerfd, signalfd, epoll, a duplicate */
static uint64_t expected;
static long long due;

/* Who moves us must not have them, too: nobody else can. */
static void make_there(void)
{
	struct itimerspec timer = { .it_value.tv_sec = 3600, .it_interval.tv_sec = 60 };
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.u64 = 1ULL << 40 | 7 };
	sigset_t set;

	made[0] = eventfd(3, EFD_CLOEXEC);
	made[1] = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
	made[2] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	due = now_ms() + 3600 * 1000;
	CHECK(!timerfd_settime(made[2], 0, &timer, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	made[3] = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	made[4] = epoll_create1(EPOLL_CLOEXEC);
	CHECK(!epoll_ctl(made[4], EPOLL_CTL_ADD, made[0], &event));
	event.data.u64 = 8;
	CHECK(!epoll_ctl(made[4], EPOLL_CTL_ADD, made[3], &event));
	made[5] = fcntl(made[0], F_DUPFD_CLOEXEC, 0);
	expected = 3;
}

/* Ready is what has been written to, or sent, and nothing else. */
static void look_ready(uint64_t a, uint64_t b)
{
	struct epoll_event event[3];
	int n = epoll_wait(made[4], event, 3, 0), i;

	CHECK(n == !!a + !!b);
	for (i = 0; i < n; i++)
		CHECK(event[i].data.u64 == a || event[i].data.u64 == b);
}

static void look_made_there(void)
{
	const uint64_t first = 1ULL << 40 | 7;
	struct signalfd_siginfo info;
	struct itimerspec timer;
	uint64_t count = 0, one = 1;
	long long left;

	if (!made[0])
		make_there();
	CHECK(fcntl(made[0], F_GETFD) == FD_CLOEXEC && fcntl(made[5], F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(made[1], F_GETFL) & O_NONBLOCK && !(fcntl(made[0], F_GETFL) & O_NONBLOCK));
	look_ready(first, 0);
	CHECK(read(made[5], &count, 8) == 8 && count == expected);
	look_ready(0, 0);
	CHECK(!kill(getpid(), SIGUSR1));
	look_ready(0, 8);
	CHECK(read(made[3], &info, sizeof(info)) == sizeof(info) && info.ssi_signo == SIGUSR1);
	CHECK(read(made[1], &count, 8) == 8 && count == 1);
	CHECK(write(made[1], &one, 8) == 8);
	CHECK(read(made[2], &count, 8) == -1 && errno == EAGAIN);
	CHECK(!timerfd_gettime(made[2], &timer) && timer.it_interval.tv_sec == 60);
	left = timer.it_value.tv_sec * 1000LL + timer.it_value.tv_nsec / 1000000;
	CHECK(now_ms() + left > due - 5000 && now_ms() + left < due + 5000);
	expected++;
	CHECK(write(made[0], &expected, 8) == 8);
}

/* What an epoll looks at is open by another number by now. */
static void make_closed(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 1 };
	int end[2];

	CHECK(!pipe2(end, O_CLOEXEC));
	made[0] = fcntl(end[0], F_DUPFD_CLOEXEC, 100);
	made[1] = end[1];
	made[2] = eventfd(0, EFD_CLOEXEC);
	made[4] = epoll_create1(EPOLL_CLOEXEC);
	CHECK(!epoll_ctl(made[4], EPOLL_CTL_ADD, end[0], &event));
	event.data.u32 = 2;
	CHECK(!epoll_ctl(made[4], EPOLL_CTL_ADD, made[2], &event));
	close(end[0]);
}

static void look_closed(void)
{
	struct epoll_event event;
	uint64_t one = 1;
	char c;

	CHECK(epoll_wait(made[4], &event, 1, 0) == 0);
	CHECK(write(made[1], "x", 1) == 1);
	CHECK(epoll_wait(made[4], &event, 1, 10000) == 1 && event.data.u32 == 1);
	CHECK(read(made[0], &c, 1) == 1);
	CHECK(write(made[2], &one, 8) == 8);
	CHECK(epoll_wait(made[4], &event, 1, 10000) == 1 && event.data.u32 == 2);
	CHECK(read(made[2], &one, 8) == 8);
}

static void nothing(void)
{
}

const struct state file_states[] = {
	{ "pipe", make_pipe, look_pipe },
	{ "socket pair", make_pair, look_pair },
	{ "shared file", make_regular, look_regular },
	{ "shared file to append", make_append, look_append },
	{ "file of home", make_home, look_regular },
	{ "deleted file", make_deleted, look_regular },
	{ "files opened on the way", make_later, look_later },
	{ "duplicates", make_dup, look_dup },
	{ "duplicates of a file of home", make_dup_home, look_dup },
	{ "shared working directory", make_cwd, look_cwd },
	{ "working directory of home", make_cwd_home, look_cwd_home },
	{ "changed directory", make_chdir, look_chdir },
	{ "directory", make_listing, look_listing },
	{ "descriptor in a message", make_passed, look_passed },
	{ "TCP", make_tcp, look_tcp },
	{ "epoll of a closed descriptor", make_closed, look_closed },
	{ "descriptors made there", nothing, look_made_there },
	{ "eventfd", make_eventfd, look_eventfd },
	{ "timerfd", make_timerfd, look_timerfd },
	{ "epoll", make_epoll, look_epoll },
	{ "inotify", make_inotify, look_inotify },
	{ "pty", make_pty, look_pty },
	{ "devices without state", make_null, look_null },
	{ "locks", make_locks, look_locks },
	{ "fifo", make_fifo, look_fifo },
	{ "many descriptors", make_many, look_many },
	{}
};
