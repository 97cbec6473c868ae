// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves itself to one node after the other by libholon, with a second thread that counts
 * meanwhile; after each says where it is, as the kernel knows it.
 *
 *	moves_itself [shared] NODE...		shared: with memory that cannot move
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libholon.h"

static volatile unsigned long count;

static void *counts(void *unused)
{
	for (;;)
		count++;
	return unused;
}

static void *moves(void *arguments)
{
	struct holon_task_get_req request = { ._present.pid = 1, .pid = getpid() };
	const char *why, **node = arguments;
	struct holon_task_get_rsp *task;
	struct ynl_sock *ys;

	ys = holon_open(&why);
	if (!ys) {
		printf("%s\n", why);
		exit(1);
	}
	for (; *node; node++) {
		unsigned long before = count;

		if (holon_migrate(ys, atoi(*node)))
			printf("no: %s\n", holon_why(ys));
		while (count == before)
			;
		task = holon_task_get(ys, &request);
		printf("on %u%s\n", task ? task->node : 0,
		       task && task->state == HOLON_WHEREABOUTS_MOVING ? ", and moves" : "");
		if (task)
			holon_task_get_rsp_free(task);
		fflush(stdout);
	}
	ynl_sock_destroy(ys);
	return NULL;
}

/* By the main thread, then by another one. */
int main(int argc, char **argv)
{
	pthread_t counter, mover;

	if (argc < 2)
		return 2;
	if (!strcmp(argv[1], "shared")) {
		mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		argv++;
	}
	pthread_create(&counter, NULL, counts, NULL);
	moves(argv + 1);
	pthread_create(&mover, NULL, moves, argv + 1);
	pthread_join(mover, NULL);
	printf("end\n");
	return 0;
}
