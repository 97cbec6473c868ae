// SPDX-License-Identifier: GPL-2.0-only
/*
 * holon task migrate
 */
#include "command.h"

static int migrate(const struct verb *verb)
{
	struct holon_task_migrate_req request = {};
	const char *pid = given(verb, "pid"), *to = given(verb, "to");
	unsigned long number;
	struct ynl_sock *ys;

	if (!pid || !to)
		return misused("say which process to move, and where to: holon task migrate pid P to N");
	if (!holon_number(pid, 1, HOLON_PIDS - 1, &number))
		return misused("\"%s\" is not the number of a process", pid);
	request._present.pid = 1;
	request.pid = number;
	if (!holon_number(to, 1, HOLON_NODES - 1, &number))
		return misused("\"%s\" is not a node id: say a number from 1 to 255", to);
	request._present.node = 1;
	request.node = number;
	ys = kernel(REFUSED);
	if (holon_task_migrate(ys, &request)) {
		complain("process %u stays where it is: %s", request.pid, holon_why(ys));
		return REFUSED;
	}
	ynl_sock_destroy(ys);
	return DONE;
}

static struct parameter migrate_parameters[] = {
	{ .key = "pid" }, { .key = "to" }, {}
};

static const struct verb verbs[] = {
	{
		.name = "migrate", .synopsis = "pid P to N", .parameters = migrate_parameters,
		.help = "move process P to node N while it runs; its home is one of them",
		.run = migrate,
	}, {}
};

const struct object object_task = { .name = "task", .verbs = verbs };
