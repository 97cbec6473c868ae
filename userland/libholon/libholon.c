// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libholon.h"

static char sentence[sizeof(((struct ynl_error *)0)->msg) + 64];

struct ynl_sock *holon_open(const char **why)
{
	struct ynl_error error = {};
	struct ynl_sock *ys;
	int fd;

	errno = 0;
	ys = ynl_sock_create(&ynl_holon_family, &error);
	if (!ys) {
		if (error.code == ENOENT) {
			*why = "this kernel has no Holon (CONFIG_HOLON is off, or it is another kernel)";
		} else {
			snprintf(sentence, sizeof(sentence), "cannot ask the kernel: %s",
				 error.msg[0] ? error.msg : strerror(errno));
			*why = sentence;
		}
		return NULL;
	}
	fd = ynl_socket_get_fd(ys);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return ys;
}

/*
 * The library wraps the kernel's sentence as  Kernel error: 'SENTENCE' (bad
 * attribute: ...);  what is in the quotes is what a user should read.
 */
const char *holon_why(struct ynl_sock *ys)
{
	static const char prefix[] = "Kernel error: '";
	const char *text = ys->err.msg;
	size_t length;
	char *end;

	if (strncmp(text, prefix, sizeof(prefix) - 1)) {
		if (text[0])
			return text;
		return strerror(ys->err.code && ys->err.code < __YNL_ERRNO_END ?
				(int)ys->err.code : errno);
	}
	text += sizeof(prefix) - 1;
	length = strnlen(text, sizeof(sentence) - 1);
	memmove(sentence, text, length);
	sentence[length] = 0;
	end = strrchr(sentence, '\'');
	if (end)
		*end = 0;
	return sentence;
}

/* A process cannot wait for its own move: it asks whether that is over. */
#define MIGRATE_LOOKS	500
#define MIGRATE_PAUSE_US	10000
/* The one before may stand in the way for a moment: until all threads have seen its end. */
#define MIGRATE_AGAIN	10

int holon_migrate(struct ynl_sock *ys, unsigned int node)
{
	struct holon_task_get_req who = { ._present.pid = 1, .pid = getpid() };
	struct holon_task_migrate_req move = {
		._present = { .pid = 1, .node = 1 }, .pid = who.pid,
	};
	unsigned int here, home, next, looks;
	struct holon_task_get_rsp *task;
	bool settled;

	/* The attribute is a byte: 257 would be node 1. */
	if (!node || node >= HOLON_NODES) {
		snprintf(ys->err.msg, sizeof(ys->err.msg),
			 "%u is not a node id: say a number from 1 to 255", node);
		errno = EINVAL;
		return -1;
	}
	/* A move that has begun ends, and is waited for. */
	for (looks = 1; looks < MIGRATE_LOOKS; looks += settled) {
		task = holon_task_get(ys, &who);
		if (!task)
			return -1;
		here = task->node;
		home = task->home;
		/* One that is on its way is said to be where it may never arrive. */
		settled = task->state == HOLON_WHEREABOUTS_HOME ||
			  task->state == HOLON_WHEREABOUTS_AWAY;
		holon_task_get_rsp_free(task);
		if (settled && here == node)
			return 0;
		next = here == home ? node : home;
		if (settled && (move.node != next || looks % MIGRATE_AGAIN == 0)) {
			move.node = next;
			if (holon_task_migrate(ys, &move))
				return -1;
		} else {
			usleep(MIGRATE_PAUSE_US);
		}
	}
	snprintf(ys->err.msg, sizeof(ys->err.msg),
		 "it has not moved; holon task show pid %u, by another process, says why", move.pid);
	errno = EBUSY;
	return -1;
}

const char *holon_uuid_text(const void *uuid, size_t len, char text[HOLON_UUID_TEXT])
{
	const unsigned char *u = uuid;

	if (!uuid || len != 16)
		return strcpy(text, "-");
	snprintf(text, HOLON_UUID_TEXT,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7],
		 u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
	return text;
}

bool holon_number(const char *text, unsigned long min, unsigned long max, unsigned long *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoul(text, &end, 10);
	return !errno && !*end && *value >= min && *value <= max;
}
