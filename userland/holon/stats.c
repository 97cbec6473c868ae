// SPDX-License-Identifier: GPL-2.0-only
/*
 * holon stats [show|rpc|syscall|counter]
 */
#include "command.h"
#include "output.h"

static const char *rank_name(unsigned int rank)
{
	static const char *const names[] = { "control", "rsp", "fwd", "req", "bulk" };

	return rank < sizeof(names) / sizeof(names[0]) ? names[rank] : "unknown";
}

/*
 * Below how many microseconds @percent of the calls ended, as far as a
 * histogram of powers of two can say.
 */
static void print_percentile(const char *key, const __u64 *buckets, unsigned int count,
			     unsigned int percent)
{
	uint64_t total = 0, sum = 0;
	unsigned int i;

	for (i = 0; i < count; i++)
		total += buckets[i];
	if (!total) {
		output_string(key, NULL);
		return;
	}
	for (i = 0; i < count - 1; i++) {
		sum += buckets[i];
		if (sum * 100 >= total * percent)
			break;
	}
	output_number(key, 2ULL << i);
}

static int print_rpc(struct ynl_sock *ys)
{
	struct holon_stats_rpc_get_rsp_list *list = holon_stats_rpc_get_dump(ys);

	if (!list)
		return refused(ys);
	output_begin(OUTPUT_TABLE);
	ynl_dump_foreach(list, type) {
		output_record();
		output_number("id", type->id);
		output_string("type", type->_present.name_len ? type->name : NULL);
		output_string("rank", rank_name(type->rank));
		output_number("calls", type->calls);
		output_number("replies", type->replies);
		output_number("errors", type->errors);
		output_number("hostdown", type->hostdown);
		output_number("refused", type->refused);
		output_number("sent", type->sent);
		output_number("handled", type->handled);
		output_number("bytes-out", type->bytes_out);
		output_number("bytes-in", type->bytes_in);
		print_percentile("p50-us", type->latency, type->n_latency, 50);
		print_percentile("p99-us", type->latency, type->n_latency, 99);
		output_detail();
		output_number("cancels", type->cancels);
		output_number("orphaned", type->orphaned);
		output_number("cancelled", type->cancelled);
		output_number("credit-waits", type->credit_waits);
		output_numbers("latency", (const uint64_t *)type->latency, type->n_latency);
	}
	holon_stats_rpc_get_rsp_list_free(list);
	return output_end();
}

static int print_syscalls(struct ynl_sock *ys)
{
	struct holon_stats_syscall_get_rsp_list *list = holon_stats_syscall_get_dump(ys);

	if (!list)
		return refused(ys);
	output_begin(OUTPUT_TABLE);
	ynl_dump_foreach(list, call) {
		output_record();
		output_number("number", call->number);
		output_string("syscall", call->_present.name_len ? call->name : NULL);
		output_number("forwarded", call->forwarded);
		output_number("refused", call->refused);
	}
	holon_stats_syscall_get_rsp_list_free(list);
	return output_end();
}

static int print_counters(struct ynl_sock *ys)
{
	struct holon_stats_counter_get_rsp_list *list = holon_stats_counter_get_dump(ys);

	if (!list)
		return refused(ys);
	output_begin(OUTPUT_TABLE);
	ynl_dump_foreach(list, counter) {
		output_record();
		output_string("group", counter->_present.group_len ? counter->group : NULL);
		output_string("counter", counter->_present.name_len ? counter->name : NULL);
		output_number("value", counter->value);
	}
	holon_stats_counter_get_rsp_list_free(list);
	return output_end();
}

static const struct section {
	const char *name;
	int (*print)(struct ynl_sock *ys);
} sections[] = {
	{ "counter", print_counters },
	{ "rpc", print_rpc },
	{ "syscall", print_syscalls },
};

#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

static int show(const struct verb *verb)
{
	struct ynl_sock *ys = kernel(REFUSED);
	unsigned int i;
	int err = DONE;

	output_group_begin();
	for (i = 0; i < SECTIONS && !err; i++) {
		output_group_next(sections[i].name);
		err = sections[i].print(ys);
	}
	output_group_end();
	ynl_sock_destroy(ys);
	return err;
}

static int one(int (*print)(struct ynl_sock *ys))
{
	struct ynl_sock *ys = kernel(REFUSED);
	int err = print(ys);

	ynl_sock_destroy(ys);
	return err;
}

static int rpc(const struct verb *verb)
{
	return one(print_rpc);
}

static int syscalls(const struct verb *verb)
{
	return one(print_syscalls);
}

static int counter(const struct verb *verb)
{
	return one(print_counters);
}

static const struct verb verbs[] = {
	{ "show", "", "everything this node has counted since it booted", NULL, show },
	{ "rpc", "", "messages by type", NULL, rpc },
	{ "syscall", "", "system calls of processes of other nodes that run here", NULL, syscalls },
	{ "counter", "", "everything else: transport, open calls, processes", NULL, counter },
	{ .name = NULL }
};

const struct object object_stats = {
	.name = "stats",
	.verbs = verbs,
};
