// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process with several threads: its life and its end.
 *
 *	cc -O2 -static -pthread threads.c -o threads
 *	./threads MODE
 *
 * It says "pid N", waits for a line of standard input, and does what MODE says; who
 * starts it may move it in between. See the table for what is to come out.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WAITING		8
#define MANY		200
#define CONNECTIONS	20

static pthread_barrier_t started;

static void check(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static void wait_line(void)
{
	char line[64];

	check(!!fgets(line, sizeof(line), stdin), "a line");
}

static void *wait_for_ever(void *arg)
{
	pthread_barrier_wait(&started);
	for (;;)
		pause();
	return NULL;
}

static pthread_t start(void *(*function)(void *), void *arg)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, function, arg);

	if (err) {
		fprintf(stderr, "a thread: %s\n", strerror(err));
		exit(1);
	}
	return thread;
}

static void start_threads(int n, void *(*function)(void *))
{
	int i;

	check(!pthread_barrier_init(&started, NULL, n + 1), "a barrier");
	for (i = 0; i < n; i++)
		start(function, NULL);
	pthread_barrier_wait(&started);
	printf("pid %d\n", getpid());
	fflush(stdout);
	wait_line();
}

static void start_waiting(int n)
{
	start_threads(n, wait_for_ever);
}

/* --- the end ------------------------------------------------------------------- */

static void *exits(void *arg)
{
	exit(3);
}

static void *crashes(void *arg)
{
	raise(SIGSEGV);
	return NULL;
}

static void *executes(void *arg)
{
	execl("/bin/sh", "sh", "-c", "echo executed; exit 5", NULL);
	check(0, "execl");
	return NULL;
}

static void *ends_last(void *arg)
{
	/* The main thread is on its way. */
	usleep(200000);
	printf("main has ended\n");
	return NULL;
}

static void in_a_thread(void *(*function)(void *))
{
	start_waiting(WAITING);
	start(function, NULL);
	for (;;)
		pause();
}

static void exit_mode(void)
{
	in_a_thread(exits);
}

static void crash_mode(void)
{
	in_a_thread(crashes);
}

static void exec_mode(void)
{
	in_a_thread(executes);
}

static void main_mode(void)
{
	start_waiting(0);
	start(ends_last, NULL);
	pthread_exit(NULL);
}

static void main_exec_mode(void)
{
	start_waiting(WAITING);
	executes(NULL);
}

/* --- numbers -------------------------------------------------------------------- */

static void many_mode(void)
{
	start_waiting(MANY);
	printf("%d threads\n", MANY);
	exit(0);
}

static int listening, served[CONNECTIONS];

/* Each call gets a descriptor while others open and close theirs. */
static void *serve(void *arg)
{
	char byte;
	int fd;

	for (;;) {
		fd = accept(listening, NULL, NULL);
		check(fd >= 0, "accept");
		check(read(fd, &byte, 1) == 1, "read");
		served[(int)byte]++;
		check(write(fd, &byte, 1) == 1, "write");
		check(!close(fd), "close");
	}
	return NULL;
}

static void *open_and_close(void *arg)
{
	char name[64], byte;
	int fd;

	snprintf(name, sizeof(name), "/tmp/threads-%ld", syscall(SYS_gettid));
	for (;;) {
		fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
		check(fd >= 0, name);
		check(write(fd, name, 1) == 1 && pread(fd, &byte, 1, 0) == 1, name);
		check(!close(fd) && !unlink(name), name);
	}
	return NULL;
}

static void files_mode(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	char i, byte;
	int fd, n;

	listening = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(!bind(listening, (struct sockaddr *)&address, len), "bind");
	check(!listen(listening, 100), "listen");
	check(!getsockname(listening, (struct sockaddr *)&address, &len), "getsockname");
	start_waiting(0);
	for (n = 0; n < 4; n++)
		start(serve, NULL);
	start(open_and_close, NULL);
	start(open_and_close, NULL);
	for (i = 0; i < CONNECTIONS; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		check(fd >= 0, "socket");
		check(!connect(fd, (struct sockaddr *)&address, len), "connect");
		check(write(fd, &i, 1) == 1 && read(fd, &byte, 1) == 1 && byte == i, "an echo");
		check(!close(fd), "close");
	}
	for (i = 0; i < CONNECTIONS; i++)
		check(served[(int)i] == 1, "served once");
	printf("served\n");
	exit(0);
}

/* --- a wait without an end ------------------------------------------------------- */

static atomic_int broken;

static void *polls(void *arg)
{
	struct epoll_event event;
	int fd = epoll_create1(0);

	check(fd >= 0, "epoll_create1");
	pthread_barrier_wait(&started);
	for (;;) {
		epoll_wait(fd, &event, 1, -1);
		broken++;
	}
	return NULL;
}

static void polls_mode(void)
{
	start_threads(WAITING, polls);
	printf("%d broken off\n", broken);
	exit(0);
}

static const struct {
	const char *name;
	void (*run)(void);
} modes[] = {
	{ "exit", exit_mode },		/* status 3 */
	{ "crash", crash_mode },	/* SIGSEGV */
	{ "exec", exec_mode },		/* "executed", status 5 */
	{ "main-exec", main_exec_mode }, /* the same */
	{ "main-ends", main_mode },	/* "main has ended", status 0 */
	{ "many", many_mode },		/* "200 threads" */
	{ "files", files_mode },	/* "served" */
	{ "polls", polls_mode },	/* "0 broken off" */
};

int main(int argc, char **argv)
{
	unsigned int i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (argc > 1 && !strcmp(argv[1], modes[i].name))
			modes[i].run();
	fprintf(stderr, "usage: threads MODE\n");
	return 2;
}
