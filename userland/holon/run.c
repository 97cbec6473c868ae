// SPDX-License-Identifier: GPL-2.0-only
/*
 * holon run [-n N] [--] COMMAND [ARGUMENT]...
 *
 * The kernel is told where the next execve() of this process shall run, and
 * then this process executes the command: what env(1) does, on another node.
 * So the command has our pid, our parent waits for it, and what the kernel
 * says about the command is what a shell would hear.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"

/*
 * How long a node that has just booted may take to make our container, and this one
 * to hear a quorum again.
 */
#define WAIT_MS		30000
#define WAIT_STEP_MS	100

static int wrong(const char *what, const char *word)
{
	complain("%s%s", what, word);
	fputs("usage: holon run [-n NODE] [--] COMMAND [ARGUMENT]...\n", stderr);
	return RUN_FAILED;
}

static const struct timespec wait_step = { .tv_nsec = WAIT_STEP_MS * 1000000L };

static void place(uint8_t node)
{
	struct ynl_sock *ys = kernel(RUN_FAILED);
	int waited;
	struct holon_task_place_req request = {};
	struct holon_task_place_rsp *reply;

	if (node) {
		request._present.node = 1;
		request.node = node;
	}
	for (waited = 0; !(reply = holon_task_place(ys, &request)); waited += WAIT_STEP_MS) {
		if (errno != EAGAIN || waited >= WAIT_MS)
			die(RUN_FAILED, "%s", holon_why(ys));
		nanosleep(&wait_step, NULL);
	}
	holon_task_place_rsp_free(reply);
	ynl_sock_destroy(ys);
}

/* What the errno of execve() says about the command, as shells see it. */
static int explain(const char *command, int error)
{
	switch (error) {
	case ENOENT:
		complain(strchr(command, '/') ? "%s: no such file, or its interpreter is missing" :
			 "%s: command not found", command);
		return RUN_NOT_FOUND;
	case ENOTDIR:
		complain("%s: %s", command, strerror(error));
		return RUN_NOT_FOUND;
	case EREMOTE:
		complain("%s: not on a file system that all nodes share (holon.shared=), so it can only run here",
			 command);
		return RUN_NO_EXEC;
	case EHOSTDOWN:
		complain("%s: the node left the cluster before the command could start", command);
		return RUN_FAILED;
	case EAGAIN:
		complain("%s: the node cannot take it now: no container for our node yet (is holond running there?), or too many processes",
			 command);
		return RUN_FAILED;
	case EDQUOT:
		complain("%s: a limit of our control group cannot be set, or is used up there",
			 command);
		return RUN_FAILED;
	default:
		complain("%s: %s", command, strerror(error));
		return RUN_NO_EXEC;
	}
}

/* As execvp(), but a node that cannot take the command yet is given some time. */
static void execute(char **argv)
{
	int waited;

	for (waited = 0; waited <= WAIT_MS; waited += WAIT_STEP_MS) {
		execvp(argv[0], argv);
		if (errno != EAGAIN)
			return;
		nanosleep(&wait_step, NULL);
	}
	errno = EAGAIN;
}

static int run(int argc, char **argv)
{
	unsigned long node = 0;
	const char *value;

	for (; argc && argv[0][0] == '-'; argc--, argv++) {
		if (!strcmp(argv[0], "--")) {
			argc--;
			argv++;
			break;
		}
		if (!strcmp(argv[0], "-h") || !strcmp(argv[0], "--help")) {
			printf("  %s\n", object_run.help);
			return DONE;
		}
		if (!strncmp(argv[0], "-n", 2) && argv[0][2]) {
			value = argv[0] + 2;
		} else if (!strncmp(argv[0], "--node=", 7)) {
			value = argv[0] + 7;
		} else if (!strcmp(argv[0], "-n") || !strcmp(argv[0], "--node")) {
			value = argv[1];
			if (!value)
				return wrong(argv[0], " needs the id of a node");
			argc--;
			argv++;
		} else {
			return wrong("no such option: ", argv[0]);
		}
		if (!holon_number(value, 1, HOLON_NODES - 1, &node))
			return wrong("not a node id, which is a number from 1 to 255: ", value);
	}
	if (!argc)
		return wrong("say what to run", "");
	place(node);
	execute(argv);
	return explain(argv[0], errno);
}

const struct object object_run = {
	.name = "run",
	.help = "holon run [-n NODE] [--] COMMAND [ARGUMENT]...\n"
		"        run a command on a node; without -n the nodes take turns",
	.raw = run,
};
