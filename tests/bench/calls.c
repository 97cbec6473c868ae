// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time single kernel operations from user space.
 * calls OPERATION ROUNDS prints ns per operation, one line per round. Under
 * -icount these are instructions and repeat from boot to boot.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void null_local(void)
{
	syscall(SYS_getpid);
}

static void null_forward(void)
{
	syscall(SYS_getppid);
}

/* One page: map, touch, unmap. */
static void fault(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	*page = 1;
	munmap(page, 4096);
}

static void reap(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "calls: child failed\n");
		exit(1);
	}
}

static void fork_exit(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	reap(pid);
}

static char *self;

static void fork_exec(void)
{
	pid_t pid = fork();

	if (!pid) {
		execl(self, self, "nothing", NULL);
		_exit(1);
	}
	reap(pid);
}

static const struct {
	const char *name;
	void (*run)(void);
	int batch;	/* operations between two looks at the clock */
} operations[] = {
	{ "local", null_local, 500 },
	{ "forward", null_forward, 1 },
	{ "getppid", null_forward, 500 },
	{ "fault", fault, 20 },
	{ "fork", fork_exit, 1 },
	{ "exec", fork_exec, 1 },
};

int main(int argc, char **argv)
{
	size_t i;

	self = argv[0];
	if (argc == 2 && !strcmp(argv[1], "nothing"))
		return 0;
	for (i = 0; argc == 3 && i < sizeof(operations) / sizeof(operations[0]); i++) {
		long count = atol(argv[2]), round;
		double *sample;

		if (strcmp(argv[1], operations[i].name))
			continue;
		if (count < 1)
			break;
		/* Printed at the end: output would be part of what is timed. */
		sample = calloc(count, sizeof(*sample));
		if (!sample) {
			perror("calls");
			return 1;
		}
		for (round = 0; round < count; round++) {
			uint64_t start = now();
			int n;

			for (n = 0; n < operations[i].batch; n++)
				operations[i].run();
			sample[round] = (double)(now() - start) / operations[i].batch;
		}
		for (round = 0; round < count; round++)
			printf("%.2f\n", sample[round]);
		return 0;
	}
	fprintf(stderr, "usage: calls local|forward|getppid|fault|fork|exec ROUNDS\n");
	return 2;
}
