// SPDX-License-Identifier: GPL-2.0-only
/*
 * stamp FILE: count in FILE, ten times a second, for ever. On a shared file
 * system a guest opens it at the node where it runs: it says "I run" without
 * asking its home.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	unsigned long count;
	char text[32];
	int fd, length;

	if (argc != 2)
		return 2;
	fd = open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return 3;
	for (count = 1;; count++) {
		length = snprintf(text, sizeof(text), "%020lu\n", count);
		if (pwrite(fd, text, length, 0) != length || fdatasync(fd))
			return 4;
		if (count == 1 && write(1, "ready\n", 6) != 6)
			return 5;
		nanosleep(&pause, NULL);
	}
}
