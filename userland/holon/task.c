// SPDX-License-Identifier: GPL-2.0-only
/*
 * holon task show|migrate
 */
#include "command.h"
#include "output.h"

/* The number of a process that was given as @text. */
static bool parse_pid(const char *text, uint32_t *pid)
{
	unsigned long number;

	if (!holon_number(text, 1, HOLON_PIDS - 1, &number))
		return false;
	*pid = number;
	return true;
}

static void print(const struct holon_task_get_rsp *task)
{
	output_record();
	output_number("pid", task->pid);
	output_number("home", task->home);
	output_number("node", task->node);
	output_string("state", holon_whereabouts_str(task->state));
	output_number("threads", task->threads);
	output_number("moves", task->moves);
	if (task->_present.memory)
		output_number("memory-kib", task->memory / 1024);
	else
		output_string("memory-kib", NULL);
	output_string("comm", task->_present.comm_len ? task->comm : NULL);
}

static int show_one(struct ynl_sock *ys, uint32_t pid)
{
	struct holon_task_get_req request = { ._present.pid = 1, .pid = pid };
	struct holon_task_get_rsp *task = holon_task_get(ys, &request);

	if (!task)
		return refused(ys);
	output_begin(OUTPUT_RECORD);
	print(task);
	output_flag("movable", task->_present.movable);
	output_string("reason", task->_present.reason_len ? task->reason : NULL);
	holon_task_get_rsp_free(task);
	return output_end();
}

static int show_all(struct ynl_sock *ys)
{
	struct holon_task_get_list *list = holon_task_get_dump(ys);

	if (!list)
		return refused(ys);
	output_begin(OUTPUT_TABLE);
	ynl_dump_foreach(list, task)
		print(task);
	holon_task_get_list_free(list);
	return output_end();
}

static int show(const struct verb *verb)
{
	const char *wanted = given(verb, "pid");
	struct ynl_sock *ys;
	uint32_t pid;
	int err;

	if (wanted && !parse_pid(wanted, &pid))
		return misused("\"%s\" is not the number of a process", wanted);
	ys = kernel(REFUSED);
	err = wanted ? show_one(ys, pid) : show_all(ys);
	ynl_sock_destroy(ys);
	return err;
}

static int migrate(const struct verb *verb)
{
	struct holon_task_migrate_req request = {};
	const char *pid = given(verb, "pid"), *to = given(verb, "to");
	unsigned long number;
	struct ynl_sock *ys;

	if (!pid || !to)
		return misused("say which process to move, and where to: holon task migrate pid P to N");
	if (!parse_pid(pid, &request.pid))
		return misused("\"%s\" is not the number of a process", pid);
	request._present.pid = 1;
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

static struct parameter show_parameters[] = { { .key = "pid" }, {} };

static struct parameter migrate_parameters[] = {
	{ .key = "pid" }, { .key = "to" }, {}
};

static const struct verb verbs[] = {
	{
		.name = "show", .synopsis = "[pid P]", .parameters = show_parameters,
		.help = "processes that are away from this node, or here from others; or one, and whether it can move",
		.run = show,
	}, {
		.name = "migrate", .synopsis = "pid P to N", .parameters = migrate_parameters,
		.help = "move process P to node N while it runs; its home is one of them",
		.run = migrate,
	}, {}
};

const struct object object_task = { .name = "task", .verbs = verbs };
