// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open file descriptions of a process that moves which cannot move with it: files that
 * are opened where it is, on a mount that the nodes share, and are then shared with a
 * child, locked, or deleted. The child stays there, and says what it sees.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "move.h"

#define LARGE	(1200 << 10)

enum order {
	WRITE,		/* a character; where it went */
	SEEK,		/* there; where it is */
	SIZE,
	MODE,
	LOCK,		/* the first byte, as a process; 0 or who has it */
	UNLOCK,
	FLOCK,		/* with an own description; 0 or errno */
	FUNLOCK,
	UNLOCK_LATER,
	TRUNCATE,
	SUM,		/* of what is in the file */
};

struct message {
	enum order order;
	long value;
};

static int fd, same, orders[2], answers[2];
static pid_t child;

/* --- the child ------------------------------------------------------------- */

static long lock_byte(int type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };

	if (!fcntl(fd, F_SETLK, &lock))
		return 0;
	lock.l_type = F_WRLCK;
	if (fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK)
		return -1;
	/* Of a lock that is made from another node it is negative. */
	return labs(lock.l_pid);
}

static long sum_of(int file)
{
	static unsigned char data[LARGE];
	long sum = 0, got, at = 0, i;

	while ((got = pread(file, data, sizeof(data), at)) > 0) {
		for (i = 0; i < got; i++)
			sum += data[i] * (1 + (at + i) % 251);
		at += got;
	}
	return got < 0 ? -1 : sum;
}

static long obey(const struct message *message, int own)
{
	char c = message->value;
	struct stat st;

	switch (message->order) {
	case WRITE:
		return write(fd, &c, 1) == 1 ? lseek(fd, 0, SEEK_CUR) : -1;
	case SEEK:
		return lseek(fd, message->value, SEEK_SET);
	case SIZE:
		return fstat(fd, &st) ? -1 : st.st_size;
	case MODE:
		return fstat(fd, &st) ? -1 : st.st_mode & 07777;
	case LOCK:
		return lock_byte(F_WRLCK);
	case UNLOCK:
		return lock_byte(F_UNLCK);
	case UNLOCK_LATER:
		usleep(message->value * 1000);
		return flock(own, LOCK_UN) | lock_byte(F_UNLCK);
	case FLOCK:
		return flock(own, message->value | LOCK_NB) ? errno : 0;
	case FUNLOCK:
		return flock(own, LOCK_UN);
	case TRUNCATE:
		return ftruncate(fd, message->value);
	case SUM:
		return sum_of(fd);
	}
	return -2;
}

static void serve(int own)
{
	struct message message;
	long answer;

	close(orders[1]);
	close(answers[0]);
	while (read(orders[0], &message, sizeof(message)) == sizeof(message)) {
		answer = obey(&message, own);
		if (write(answers[1], &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
	_exit(0);
}

static void tell(enum order order, long value)
{
	struct message message = { order, value };

	CHECK(write(orders[1], &message, sizeof(message)) == sizeof(message));
}

static long answer(void)
{
	long value = -3;

	CHECK(read(answers[0], &value, sizeof(value)) == sizeof(value));
	return value;
}

static long say(enum order order, long value)
{
	tell(order, value);
	return answer();
}

/* Open file @name where the process is, and have a child that shares it. */
static void begin(const char *name, int flags)
{
	int own;

	if (child)
		return;
	fd = open(in_shared(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | flags, 0600);
	same = fcntl(fd, F_DUPFD_CLOEXEC, 50);
	own = open(in_shared(name), O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0 && same >= 50 && own >= 0);
	CHECK(!pipe2(orders, O_CLOEXEC) && !pipe2(answers, O_CLOEXEC));
	fflush(stdout);
	child = fork();
	if (!child)
		serve(own);
	CHECK(child > 0);
	close(own);
	close(orders[0]);
	close(answers[1]);
}

static void nothing(void)
{
}

/* --- states ----------------------------------------------------------------- */

static void look_bytes(void)
{
	char data[8] = "";
	struct iovec out[2] = { { "cd", 2 }, { "ef", 2 } };
	struct iovec in[2] = { { data, 3 }, { data + 3, 5 } };

	begin("shared-there", 0);
	CHECK(!ftruncate(fd, 0) && say(SIZE, 0) == 0);
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	/* One position for both. */
	CHECK(write(fd, "a", 1) == 1 && say(WRITE, 'b') == 2);
	CHECK(lseek(same, 0, SEEK_CUR) == 2);
	CHECK(writev(same, out, 2) == 4 && say(WRITE, 'g') == 7);
	CHECK(say(SEEK, 1) == 1);
	CHECK(readv(fd, in, 2) == 6 && !memcmp(data, "bcdefg", 6));
	CHECK(read(fd, data, 1) == 0);
	CHECK(pwrite(fd, "BC", 2, 1) == 2 && pread(same, data, 3, 0) == 3 && !memcmp(data, "aBC", 3));
	CHECK(lseek(fd, 0, SEEK_CUR) == 7 && lseek(fd, -1, SEEK_END) == 6);
	CHECK(say(WRITE, 'h') == 7 && say(SIZE, 0) == 7);
	CHECK(!fsync(fd) && !fdatasync(same));
	CHECK(pread(fd, data, 1, 1000) == 0);
	CHECK(pread(fd, data, 1, -1) == -1 && errno == EINVAL);
	CHECK(lseek(fd, -1, SEEK_SET) == -1 && errno == EINVAL);
}

static void look_large(void)
{
	static unsigned char data[LARGE], back[LARGE];
	int i;

	begin("large-there", 0);
	for (i = 0; i < LARGE; i++)
		data[i] = i * 7 + i / 4096;
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(write(fd, data, LARGE) == LARGE && lseek(fd, 0, SEEK_CUR) == LARGE);
	CHECK(pread(fd, back, LARGE, 0) == LARGE && !memcmp(data, back, LARGE));
	CHECK(say(SUM, 0) == sum_of(fd));
	CHECK(say(TRUNCATE, 5000) == 0 && lseek(fd, 0, SEEK_END) == 5000);
	CHECK(pread(fd, back, LARGE, 0) == 5000);
}

static void look_append(void)
{
	char data[3] = "";

	begin("append-there", O_APPEND);
	CHECK(fcntl(fd, F_GETFL) & O_APPEND && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
	CHECK(!ftruncate(fd, 0) && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(write(fd, "x", 1) == 1 && lseek(fd, 0, SEEK_SET) == 0);
	CHECK(say(WRITE, 'y') == 2 && say(SEEK, 0) == 0);
	CHECK(write(same, "z", 1) == 1 && say(SIZE, 0) == 3);
	CHECK(pread(fd, data, 3, 0) == 3 && !memcmp(data, "xyz", 3));
}

static void look_attributes(void)
{
	struct timespec times[2] = { { 1000, 0 }, { 2000, 0 } };
	struct stat st, named;
	char link[40], target[200];
	int n;

	begin("attributes-there", 0);
	CHECK(!ftruncate(fd, 100) && !fstat(fd, &st) && st.st_size == 100);
	CHECK(!stat(in_shared("attributes-there"), &named));
	CHECK(st.st_ino == named.st_ino && S_ISREG(st.st_mode) && st.st_nlink == 1);
	CHECK(!fchmod(fd, 0640) && say(MODE, 0) == 0640);
	CHECK(!fstat(fd, &st) && (st.st_mode & 07777) == 0640);
	CHECK(!fchmod(fd, 0600));
	CHECK(!futimens(fd, times) && !fstat(fd, &st) && st.st_mtime == 2000);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = 0;
	CHECK(!strcmp(target, in_shared("attributes-there")));
}

static void look_process_locks(void)
{
	begin("locked-there", 0);
	CHECK(lock_byte(F_WRLCK) == 0);
	CHECK(say(LOCK, 0) == getpid());
	CHECK(lock_byte(F_UNLCK) == 0);
	CHECK(say(LOCK, 0) == 0);
	CHECK(lock_byte(F_WRLCK) == child);
	CHECK(say(UNLOCK, 0) == 0);
}

/* Until the child gives them back. */
static void look_awaited_locks(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };

	begin("awaited-there", 0);
	CHECK(say(LOCK, 0) == 0);
	tell(UNLOCK_LATER, 50);
	CHECK(!fcntl(fd, F_SETLKW, &lock));
	CHECK(answer() == 0 && say(LOCK, 0) == getpid());
	CHECK(lock_byte(F_UNLCK) == 0);
	CHECK(say(FLOCK, LOCK_EX) == 0);
	tell(UNLOCK_LATER, 50);
	CHECK(!flock(fd, LOCK_EX));
	CHECK(answer() == 0 && say(FLOCK, LOCK_SH) == EWOULDBLOCK);
	CHECK(!flock(same, LOCK_UN));
}

/* That of a description is had by whoever has the description. */
static void look_description_lock(void)
{
	bool first = !child;

	begin("flock-there", 0);
	if (first)
		CHECK(!flock(fd, LOCK_EX));
	CHECK(say(FLOCK, LOCK_SH) == EWOULDBLOCK);
	CHECK(!flock(same, LOCK_UN) && say(FLOCK, LOCK_EX) == 0);
	CHECK(flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK);
	CHECK(say(FUNLOCK, 0) == 0 && !flock(fd, LOCK_EX | LOCK_NB));
}

/* Without anybody else: it has no name under which it could be opened again. */
static void look_deleted(void)
{
	char data[8] = "";
	struct stat st;

	if (!fd) {
		fd = open(in_shared("deleted-there"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		CHECK(fd > 0 && write(fd, "content", 7) == 7 && !unlink(in_shared("deleted-there")));
	}
	CHECK(!fstat(fd, &st) && st.st_size == 7);
	CHECK(lseek(fd, 0, SEEK_CUR) == 7 && pread(fd, data, 8, 0) == 7);
	CHECK(!strcmp(data, "content"));
}

static volatile sig_atomic_t exceeded;

static void on_exceeded(int sig)
{
	exceeded++;
}

static void look_limit(void)
{
	struct rlimit limit = { .rlim_max = RLIM_INFINITY };

	begin("limited-there", 0);
	signal(SIGXFSZ, on_exceeded);
	exceeded = 0;
	limit.rlim_cur = 10;
	CHECK(!ftruncate(fd, 0) && lseek(fd, 8, SEEK_SET) == 8 && !setrlimit(RLIMIT_FSIZE, &limit));
	CHECK(write(fd, "abcd", 4) == 2);
	CHECK(write(fd, "cd", 2) == -1 && errno == EFBIG && exceeded == 1);
	limit.rlim_cur = RLIM_INFINITY;
	CHECK(!setrlimit(RLIMIT_FSIZE, &limit) && write(fd, "cd", 2) == 2);
	CHECK(say(SIZE, 0) == 12);
}

/* By a link in /proc, as /dev/stdout is one: a description of its own. */
static void look_reopened(void)
{
	char link[40], data[8] = "";
	int again;

	begin("reopened-there", 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", same);
	CHECK(!ftruncate(fd, 0) && pwrite(fd, "0123", 4, 0) == 4 && lseek(fd, 3, SEEK_SET) == 3);
	again = open(link, O_RDONLY | O_CLOEXEC);
	CHECK(again >= 0 && read(again, data, 2) == 2 && !memcmp(data, "01", 2));
	CHECK(write(again, "x", 1) == -1 && errno == EBADF);
	CHECK(lseek(fd, 0, SEEK_CUR) == 3 && lseek(again, 0, SEEK_CUR) == 2);
	close(again);
	again = open(link, O_WRONLY | O_TRUNC | O_APPEND | O_CLOEXEC);
	CHECK(again >= 0 && write(again, "new", 3) == 3 && say(SIZE, 0) == 3);
	CHECK(read(again, data, 1) == -1 && errno == EBADF);
	close(again);
	CHECK(pread(fd, data, 8, 0) == 3 && !memcmp(data, "new", 3));
}

/* It is opened again: only the position is not the child's any more. */
static void look_directory(void)
{
	static DIR *dir;
	struct dirent *entry;
	unsigned int seen = 0;
	int file;

	if (!dir) {
		CHECK(!mkdir(in_shared("directory"), 0700));
		dir = opendir(in_shared("directory"));
		CHECK(dir);
		begin("directory/file", 0);
	}
	rewinddir(dir);
	while ((entry = readdir(dir)))
		seen += !strcmp(entry->d_name, "file");
	CHECK(seen == 1);
	file = openat(dirfd(dir), "file", O_RDONLY | O_CLOEXEC);
	CHECK(file >= 0);
	close(file);
}

/* Each has its own from then on, and a signalfd tells of the signals of who reads anyway. */
static void look_watched(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 7 };
	struct signalfd_siginfo info;
	static int epoll, signals;
	sigset_t mask;

	if (!child) {
		sigemptyset(&mask);
		sigaddset(&mask, SIGUSR1);
		CHECK(!sigprocmask(SIG_BLOCK, &mask, NULL));
		epoll = epoll_create1(EPOLL_CLOEXEC);
		signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
		CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, signals, &event));
		begin("watched-there", 0);
	}
	CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
	CHECK(!kill(getpid(), SIGUSR1) && epoll_wait(epoll, &event, 1, 10000) == 1);
	CHECK(event.data.u32 == 7 && read(signals, &info, sizeof(info)) == sizeof(info));
	CHECK(info.ssi_signo == SIGUSR1);
}

const struct state hosted_states[] = {
	{ "file shared there", nothing, look_bytes, .there = true },
	{ "large file shared there", nothing, look_large, .there = true },
	{ "file appended to there", nothing, look_append, .there = true },
	{ "attributes of a file shared there", nothing, look_attributes, .there = true },
	{ "locks of a process there", nothing, look_process_locks, .there = true },
	{ "locks that are waited for there", nothing, look_awaited_locks, .there = true },
	{ "lock of a description there", nothing, look_description_lock, .there = true },
	{ "file deleted there", nothing, look_deleted, .there = true },
	{ "limit of file sizes there", nothing, look_limit, .there = true },
	{ "file opened by its link there", nothing, look_reopened, .there = true },
	{ "directory shared there", nothing, look_directory, .there = true },
	{ "epoll and signalfd shared there", nothing, look_watched, .there = true },
	{}
};
