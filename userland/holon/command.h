/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The grammar: holon OBJECT VERB [key value]...
 *
 * An object is a file with a table of verbs; main.c finds the verb, splits the
 * words behind it by the verb's table of parameters, and calls it.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>

#include <libholon.h>

#include "say.h"

/* Exit codes. */
#define DONE		0
#define REFUSED		1	/* by the kernel, or something failed */
#define USAGE		2
/* of `holon run`, as env(1), nice(1) and timeout(1) have them */
#define RUN_FAILED	125
#define RUN_NO_EXEC	126
#define RUN_NOT_FOUND	127

/* A word pair "key value" of a verb, or a lone word "key". */
struct parameter {
	const char *key;
	const char *value;	/* as given, or NULL; of a lone word: the key */
	bool lone;
};

struct verb {
	const char *name;
	const char *synopsis;	/* of the parameters, for the help text */
	const char *help;
	struct parameter *parameters;	/* ends with a NULL key */
	int (*run)(const struct verb *verb);
};

struct object {
	const char *name;
	const struct verb *verbs;	/* ends with a NULL name */
	const struct verb *only;	/* an object that is its own verb */
	int (*raw)(int argc, char **argv);	/* or one that reads its words itself */
	const char *help;		/* of the last kind */
};

extern const struct object object_cluster, object_node, object_task, object_run, object_stats;
extern const struct object object_monitor;

/* What was given for a parameter, or NULL. */
const char *given(const struct verb *verb, const char *key);

/* Wrong use: the sentence and where the help is; returns USAGE. */
__attribute__((format(printf, 1, 2)))
int misused(const char *format, ...);

/* The socket to the kernel; exits with @code when there is none. */
struct ynl_sock *kernel(int code);

/* `holon node join` and `holon node leave`; they return an exit code. */
int join_cluster(const char *name);
int leave_cluster(bool force);

/* The verb `holon cluster key`, in key.c. */
extern struct parameter key_parameters[];
int cluster_key(const struct verb *verb);

/* Say why the kernel refused; returns REFUSED. */
int refused(struct ynl_sock *ys);

#endif
