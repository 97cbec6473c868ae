/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * States of a process that must survive its moves. Each state is two functions:
 * one makes it, the other looks whether it is there, any number of times. The
 * runner, move.c, moves the process in between; what a state needs of it is below.
 */
#ifndef HOLON_MOVE_H
#define HOLON_MOVE_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

struct state {
	const char *name;
	void (*make)(void);
	void (*look)(void);
	bool calls;	/* look() waits in a system call: to be moved meanwhile */
	bool there;	/* look() makes it, away from home, when it is called first */
};

/* Each file has a table that ends with one without a name. */
extern const struct state memory_states[], thread_states[], signal_states[], file_states[],
	waiting_states[], threads_states[], hosted_states[];

extern int failures;
extern char scratch[64];	/* an empty directory on a file system of home */
extern char shared[64];		/* and one on a mount that the nodes share */

#define CHECK(condition)						\
	do {								\
		if (!(condition)) {					\
			int error = errno;				\
									\
			printf("# %s:%d: %s (errno %d, %s)\n", __FILE__, __LINE__, \
			       #condition, error, strerror(error));	\
			failures++;					\
		}							\
	} while (0)

const char *in_scratch(const char *name);
const char *in_shared(const char *name);

/* System call @nr has the error @error from now on, by a filter of this thread or of all. */
void forbid(unsigned int nr, unsigned int error, bool all);
/* Does it? */
bool forbidden(unsigned int nr, int error);

/* CLOCK_MONOTONIC in milliseconds. */
long long now_ms(void);

#endif /* HOLON_MOVE_H */
