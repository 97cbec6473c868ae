// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process to be moved: touches KIB of memory, says its number, then looks at the
 * clock all the time. Each byte of its input is answered with the longest time, in
 * ns, for which it did not look since the last one.
 *
 *	mover KIB [THREADS]		THREADS: that sleep meanwhile
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* The input is home's: asking for it costs messages. */
#define LOOK_MS 20

static long long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void *sleeps(void *unused)
{
	for (;;)
		pause();
	return unused;
}

int main(int argc, char **argv)
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 4) << 10, i;
	unsigned char *memory = malloc(size);
	long long before, after, gap, longest = 0, asked = 0;
	int threads = argc > 2 ? atoi(argv[2]) : 0;
	pthread_t thread;
	char byte;

	if (!memory)
		return 1;
	while (threads--)
		if (pthread_create(&thread, NULL, sleeps, NULL))
			return 1;
	for (i = 0; i < size; i++)
		memory[i] = i * 2654435761U >> 24 | 1;
	printf("pid %d\n", getpid());
	fflush(stdout);
	for (before = now();; before = after) {
		struct pollfd fd = { .fd = 0, .events = POLLIN };

		after = now();
		gap = after - before;
		if (gap > longest)
			longest = gap;
		if (after - asked < LOOK_MS * 1000000LL)
			continue;
		asked = after;
		if (poll(&fd, 1, 0) <= 0)
			continue;
		if (read(0, &byte, 1) != 1)
			return 0;
		printf("gap %lld\n", longest);
		fflush(stdout);
		longest = 0;
		after = now();
	}
}
