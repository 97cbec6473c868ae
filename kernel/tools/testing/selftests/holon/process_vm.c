// SPDX-License-Identifier: GPL-2.0-only
/*
 * process_vm_readv() and process_vm_writev() between two processes, which others place
 * and move.
 *
 *	process_vm target		has memory, and does what it is told by lines
 *	process_vm read PID ADDR LEN [PIECES]
 *	process_vm write PID ADDR LEN BYTE [PIECES]
 *	process_vm hole read|write PID ADDR LEN	of a buffer that ends in its middle
 *	process_vm count PID ADDR N	write 1 to N into N words, one call a word
 *	process_vm watch PID ADDR N	read a word that grows, until it has changed N times
 *
 * All but the first print what the call returned, or the name of its error, and of what was
 * read a checksum.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SIZE	(4UL << 20)
#define PIECES	1024

static uint64_t sum(const unsigned char *data, size_t len)
{
	uint64_t sum = 1469598103934665603ULL;

	while (len--)
		sum = (sum ^ *data++) * 1099511628211ULL;
	return sum;
}

/* --- the target ---------------------------------------------------------------- */

static void *other(void *arg)
{
	*(int *)arg = syscall(SYS_gettid);
	for (;;)
		pause();
	return NULL;
}

static int target(char **argv)
{
	unsigned char *data = mmap(NULL, SIZE + 4096, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile uint64_t *words = (uint64_t *)data;
	struct pollfd input = { .events = POLLIN };
	unsigned long first, n, i, lost;
	volatile int tid = 0;
	pthread_t thread;
	char line[200];

	if (data == MAP_FAILED || munmap(data + SIZE, 4096))
		return 1;
	for (i = 0; i < SIZE; i++)
		data[i] = i * 31 + i / 4096;
	printf("pid %d at %lu size %lu\n", getpid(), (unsigned long)data, SIZE);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "sum %lu %lu", &first, &n) == 2) {
			printf("sum %lx\n", sum(data + first, n));
		} else if (!strcmp(line, "hide\n")) {
			printf("hide %d\n", prctl(PR_SET_DUMPABLE, 0));
		} else if (!strcmp(line, "thread\n")) {
			pthread_create(&thread, NULL, other, (void *)&tid);
			while (!tid)
				usleep(1000);
			printf("thread %d\n", tid);
		} else if (!strcmp(line, "exec\n")) {
			execv("/proc/self/exe", argv);
			printf("exec failed\n");
		} else if (sscanf(line, "words %lu", &n) == 1) {
			/* All of them came, in whatever order. */
			for (i = lost = 0; i < n; i++)
				lost += words[i] != i + 1;
			printf("lost %lu\n", lost);
		} else if (!strcmp(line, "forget\n")) {
			memset(data, 0, SIZE);
			printf("forgotten\n");
		} else if (!strcmp(line, "grow\n")) {
			/* Until it is told something else. */
			while (poll(&input, 1, 1) == 0)
				words[0]++;
			printf("grown\n");
		} else {
			printf("what?\n");
		}
		fflush(stdout);
	}
	return 0;
}

/* --- the other one ---------------------------------------------------------------- */

static unsigned int cut(struct iovec *vec, unsigned long base, size_t len, unsigned int pieces)
{
	size_t each = len / pieces, at = 0;
	unsigned int i;

	for (i = 0; i < pieces; i++, at += each)
		vec[i] = (struct iovec){ (void *)(base + at), i == pieces - 1 ? len - at : each };
	return pieces;
}

static long transfer(bool write, pid_t pid, unsigned long addr, void *data, size_t len,
		     unsigned int pieces)
{
	static struct iovec local[PIECES], remote[PIECES];
	unsigned int n = cut(remote, addr, len, pieces);
	/* Another number of them here than there. */
	unsigned int m = cut(local, (unsigned long)data, len, pieces > 1 ? pieces - 1 : 1);

	return write ? process_vm_writev(pid, local, m, remote, n, 0) :
		       process_vm_readv(pid, local, m, remote, n, 0);
}

static int say(long ret, const void *data)
{
	if (ret < 0)
		printf("error %s\n", strerrorname_np(errno));
	else if (data)
		printf("done %ld sum %lx\n", ret, sum(data, ret));
	else
		printf("done %ld\n", ret);
	return ret < 0;
}

static int count(pid_t pid, unsigned long addr, uint64_t n)
{
	uint64_t i;

	for (i = 1; i <= n; i++)
		if (transfer(true, pid, addr + (i - 1) * sizeof(i), &i, sizeof(i), 1) != sizeof(i))
			return say(-1, NULL);
	return say(n, NULL);
}

static int watch(pid_t pid, unsigned long addr, unsigned long n)
{
	uint64_t last = 0, now, back = 0;
	unsigned long changes = 0;

	while (changes < n) {
		if (transfer(false, pid, addr, &now, sizeof(now), 1) != sizeof(now))
			return say(-1, NULL);
		changes += now != last;
		back += now < last;
		last = now;
	}
	printf("changes %lu back %lu\n", changes, back);
	return 0;
}

static int hole(bool write, pid_t pid, unsigned long addr, size_t len)
{
	size_t half = (len / 2 + 4095) & ~4095UL;
	unsigned char *data = mmap(NULL, half + len, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED || munmap(data + half, len))
		return 3;
	memset(data, 5, half);
	return say(transfer(write, pid, addr, data, len, 1), write ? NULL : data);
}

int main(int argc, char **argv)
{
	unsigned long number[6] = {};
	unsigned char *data;
	int i;

	if (argc >= 2 && !strcmp(argv[1], "target"))
		return target(argv);
	for (i = 2; i < argc && i < 8; i++)
		number[i - 2] = strtoul(argv[i], NULL, 0);
	if (argc < 5)
		return 2;
	if (!strcmp(argv[1], "hole"))
		return hole(!strcmp(argv[2], "write"), number[1], number[2], number[3]);
	if (!strcmp(argv[1], "count"))
		return count(number[0], number[1], number[2]);
	if (!strcmp(argv[1], "watch"))
		return watch(number[0], number[1], number[2]);
	data = malloc(number[2]);
	if (!data)
		return 3;
	if (!strcmp(argv[1], "read"))
		return say(transfer(false, number[0], number[1], data, number[2],
				    number[3] ?: 1), data);
	memset(data, number[3], number[2]);
	return say(transfer(true, number[0], number[1], data, number[2], number[4] ?: 1), NULL);
}
