// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls that wait while the process is moved: they end as if nothing had
 * happened, at the time they would have.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "move.h"

#define WAIT_MS 700

static int fds[2], epoll, semaphore;
static long long begun;

static void make_nothing(void)
{
}

static void begin(void)
{
	begun = now_ms();
}

/* A sleep may be late, beside other load, but never early. */
static void slept(void)
{
	long long took = now_ms() - begun;

	CHECK(took >= WAIT_MS && took < WAIT_MS + 60000);
}

static void look_nanosleep(void)
{
	struct timespec ts = { 0, WAIT_MS * 1000000L };

	begin();
	CHECK(!nanosleep(&ts, NULL));
	slept();
}

static void look_absolute(void)
{
	struct timespec ts;

	begin();
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += WAIT_MS * 1000000L;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	CHECK(!clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL));
	slept();
}

static void look_poll_time(void)
{
	begin();
	CHECK(poll(NULL, 0, WAIT_MS) == 0);
	slept();
}

static void make_pipe(void)
{
	CHECK(!pipe(fds));
}

static void look_poll(void)
{
	struct pollfd poll_fd = { .fd = fds[0], .events = POLLIN };

	begin();
	CHECK(poll(&poll_fd, 1, WAIT_MS) == 0);
	slept();
}

static void look_futex(void)
{
	struct timespec ts = { 0, WAIT_MS * 1000000L };
	int word = 5;

	begin();
	CHECK(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 5, &ts, NULL, 0) < 0);
	CHECK(errno == ETIMEDOUT);
	slept();
}

/* Somebody writes later. */
static pid_t write_later(void)
{
	struct timespec ts = { 0, WAIT_MS * 1000000L };
	pid_t child = fork();

	if (child)
		return child;
	nanosleep(&ts, NULL);
	_exit(write(fds[1], "x", 1) != 1);
}

static void reap(pid_t child)
{
	int status = -1;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	CHECK(status == 0);
}

static void look_read(void)
{
	pid_t child = write_later();
	char c = 0;

	CHECK(read(fds[0], &c, 1) == 1 && c == 'x');
	reap(child);
}

static void look_poll_pipe(void)
{
	struct pollfd poll_fd = { .fd = fds[0], .events = POLLIN };
	pid_t child = write_later();
	char c = 0;

	CHECK(poll(&poll_fd, 1, -1) == 1);
	CHECK(read(fds[0], &c, 1) == 1 && c == 'x');
	reap(child);
}

static void look_select(void)
{
	pid_t child = write_later();
	fd_set set;
	char c = 0;
	int ret;

	do {
		FD_ZERO(&set);
		FD_SET(fds[0], &set);
		ret = select(fds[0] + 1, &set, NULL, NULL, NULL);
	} while (ret < 0 && errno == EINTR);
	CHECK(ret == 1 && FD_ISSET(fds[0], &set));
	CHECK(read(fds[0], &c, 1) == 1 && c == 'x');
	reap(child);
}

static void look_wait(void)
{
	pid_t child = fork();
	struct timespec ts = { 0, WAIT_MS * 1000000L };
	int status = -1;

	if (!child) {
		nanosleep(&ts, NULL);
		_exit(33);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 33);
}

static void on_signal(int sig)
{
}

static void look_pause(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct itimerval timer = { {}, { 0, WAIT_MS * 1000 } };
	sigset_t block, old;

	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, &old);
	sigaction(SIGALRM, &action, NULL);
	begin();
	setitimer(ITIMER_REAL, &timer, NULL);
	CHECK(sigsuspend(&old) < 0 && errno == EINTR);
	slept();
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void make_epoll(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 7 };

	make_pipe();
	epoll = epoll_create1(EPOLL_CLOEXEC);
	CHECK(!epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event));
}

static void look_epoll(void)
{
	pid_t child = write_later();
	struct epoll_event event;
	char c = 0;

	CHECK(epoll_wait(epoll, &event, 1, -1) == 1 && event.data.u32 == 7);
	CHECK(read(fds[0], &c, 1) == 1 && c == 'x');
	reap(child);
}

static void make_semaphore(void)
{
	semaphore = semget(IPC_PRIVATE, 1, 0600);
	CHECK(semaphore >= 0);
	/* It goes with us: nobody looks for it by its number. */
	if (!fork()) {
		pid_t parent = getppid();

		while (getppid() == parent)
			usleep(100000);
		semctl(semaphore, 0, IPC_RMID);
		_exit(0);
	}
}

static void look_semaphore(void)
{
	struct timespec ts = { 0, WAIT_MS * 1000000L };
	struct sembuf down = { 0, -1, 0 }, up = { 0, 1, 0 };
	pid_t child = fork();

	if (!child) {
		nanosleep(&ts, NULL);
		_exit(semop(semaphore, &up, 1) != 0);
	}
	CHECK(!semop(semaphore, &down, 1));
	reap(child);
}

static void look_sigwait(void)
{
	struct itimerval timer = { {}, { 0, WAIT_MS * 1000 } };
	sigset_t block, old;

	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	sigprocmask(SIG_BLOCK, &block, &old);
	begin();
	setitimer(ITIMER_REAL, &timer, NULL);
	CHECK(sigwaitinfo(&block, NULL) == SIGALRM);
	slept();
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void look_running(void)
{
	volatile unsigned long sum = 0, i;
	unsigned long again = 0;

	for (i = 0; i < 30000000; i++)
		sum += i * i;
	for (unsigned long k = 0; k < 30000000; k++)
		again += k * k;
	CHECK(sum == again);
}

const struct state waiting_states[] = {
	{ "nanosleep", make_nothing, look_nanosleep, true },
	{ "clock_nanosleep", make_nothing, look_absolute, true },
	{ "poll for time", make_nothing, look_poll_time, true },
	{ "poll with a timeout", make_pipe, look_poll, true },
	{ "futex", make_nothing, look_futex, true },
	{ "read", make_pipe, look_read, true },
	{ "poll", make_pipe, look_poll_pipe, true },
	{ "select", make_pipe, look_select, true },
	{ "wait", make_nothing, look_wait, true },
	{ "epoll_wait", make_epoll, look_epoll, true },
	{ "semop", make_semaphore, look_semaphore, true },
	{ "sigwaitinfo", make_nothing, look_sigwait, true },
	{ "sigsuspend", make_nothing, look_pause, true },
	{ "computing", make_nothing, look_running, true },
	{}
};
