/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks and KTAP output of programs that run at home and as guests: so nothing
 * here forks.
 */
#ifndef HOLON_CHECK_H
#define HOLON_CHECK_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/**
 * struct test - one line of the report
 * @name: in the report; as an argument of the program it selects this test alone
 * @run: uses CHECK() and FAILS()
 * @mode: NULL, or the argument without which it does not run
 */
struct test {
	const char *name;
	void (*run)(void);
	const char *mode;
};

static int failures;
static char scratch[128];	/* a directory on a tmpfs of home */

#define CHECK(condition)						\
	do {								\
		if (!(condition)) {					\
			int error = errno;				\
									\
			printf("# line %d: %s (errno %d, %s)\n", __LINE__, #condition, \
			       error, strerror(error));			\
			failures++;					\
		}							\
	} while (0)

#define FAILS(error, call)						\
	do {								\
		errno = 0;						\
		CHECK((long)(call) == -1 && errno == (error));		\
	} while (0)

static char *below(const char *name)
{
	static char path[4][200];
	static int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", scratch, name);
	return p;
}

static bool selected(const struct test *test, const char *what)
{
	if (!what)
		return !test->mode;
	return !strcmp(what, test->name) || (test->mode && !strcmp(what, test->mode));
}

/* Run what @what selects of @tests, which end with one without a name. */
static int run_tests(const char *program, const struct test *tests, const char *what)
{
	unsigned int plan = 0, run = 0, bad = 0;
	const struct test *test;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (test = tests; test->name; test++)
		plan += selected(test, what);
	printf("KTAP version 1\n1..%u\n", plan);
	snprintf(scratch, sizeof(scratch), "/tmp/%s-%d", program, getpid());
	if (!plan || mkdir(scratch, 0755)) {
		printf("Bail out! %s: %s\n", plan ? scratch : what,
		       plan ? strerror(errno) : "no such test");
		return 1;
	}
	for (test = tests; test->name; test++) {
		if (!selected(test, what))
			continue;
		failures = 0;
		test->run();
		printf("%sok %u %s\n", failures ? "not " : "", ++run, test->name);
		bad += !!failures;
	}
	if (chdir("/") || rmdir(scratch)) {
		printf("# %s is left: %s\n", scratch, strerror(errno));
		bad++;
	}
	return bad ? 1 : 0;
}

#endif /* HOLON_CHECK_H */
