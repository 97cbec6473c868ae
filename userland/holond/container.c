// SPDX-License-Identifier: GPL-2.0-only
/*
 * A container as seen from outside.
 *
 * It is made by a child that enters the cgroup and the new namespaces and
 * forks their first process, which becomes a child of init when the one
 * between exits. So holond may end and be started again without touching what
 * runs in the containers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "holond.h"

#define STATE	"/run/holon"

/*
 * How long a container may take to be ready. Nodes may be emulated and slow, but
 * everything else waits meanwhile.
 */
#define START_TIMEOUT_MS	30000

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME	0x80
#endif

static int pidfd_of(pid_t pid)
{
	return syscall(SYS_pidfd_open, pid, 0);
}

static void state_path(uint8_t id, char path[64])
{
	snprintf(path, 64, STATE "/home-%u", id);
}

/* Written before the container is made: no container without it. */
static bool state_write(const struct home *home)
{
	char path[64];
	FILE *file;
	bool ok;

	mkdir(STATE, 0755);
	state_path(home->id, path);
	file = fopen(path, "we");
	if (!file)
		return false;
	ok = fprintf(file, "%" PRIu64 "\n", home->incarnation) > 0;
	return !fclose(file) && ok;
}

static bool state_matches(uint8_t id, uint64_t wanted)
{
	uint64_t incarnation = 0;
	char path[64];
	FILE *file;

	state_path(id, path);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%" SCNu64, &incarnation) != 1)
		incarnation = 0;
	fclose(file);
	return incarnation == wanted;
}

/* Offsets count for children of the task that unshared, set before the first. */
static bool set_clock(const struct home *home)
{
	int64_t seconds = home->clock_offset / 1000000000;
	int64_t nanoseconds = home->clock_offset % 1000000000;
	FILE *file;
	bool ok;

	if (nanoseconds < 0) {
		nanoseconds += 1000000000;
		seconds--;
	}
	file = fopen("/proc/self/timens_offsets", "we");
	if (!file)
		return false;
	ok = fprintf(file, "monotonic %" PRId64 " %" PRId64 "\nboottime %" PRId64 " %" PRId64 "\n",
		     seconds, nanoseconds, seconds, nanoseconds) > 0;
	return !fclose(file) && ok;
}

/* Between holond and the container; @report gets the pid, or why there is none. */
static _Noreturn void go_between(const struct home *home, int report)
{
	pid_t pid;

	if (!cgroup_enter(home->id)) {
		dprintf(report, "entering the cgroup: %m\n");
		_exit(1);
	}
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWPID |
		    CLONE_NEWTIME)) {
		dprintf(report, "new namespaces: %m\n");
		_exit(1);
	}
	if (!set_clock(home)) {
		dprintf(report, "/proc/self/timens_offsets: %m\n");
		_exit(1);
	}
	/* Without SIGCHLD: its children are told of by nobody, and init reaps it. */
	pid = fork();
	if (pid < 0) {
		dprintf(report, "fork: %m\n");
		_exit(1);
	}
	if (!pid)
		inside(home, report);
	dprintf(report, "pid %d\n", pid);
	_exit(0);
}

/*
 * Read what the two processes report. The line of the first process may come
 * before the one with its pid. Return: true with *pid set when it is ready.
 */
static bool read_report(int fd, uint8_t id, pid_t *pid)
{
	char text[512], *line, *rest;
	size_t length = 0;
	bool ready = false;

	while (!ready || *pid <= 0) {
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		ssize_t count;

		if (poll(&poller, 1, START_TIMEOUT_MS) <= 0) {
			say("home %u: the container does not get ready", id);
			return false;
		}
		count = read(fd, text + length, sizeof(text) - 1 - length);
		if (count <= 0) {
			say("home %u: the container ended before it was ready", id);
			return false;
		}
		length += count;
		text[length] = 0;
		for (line = text; (rest = strchr(line, '\n')); line = rest + 1) {
			*rest = 0;
			if (!strcmp(line, "ready")) {
				ready = true;
			} else if (sscanf(line, "pid %d", pid) != 1) {
				say("home %u: %s", id, line);
				return false;
			}
		}
		length -= line - text;
		memmove(text, line, length + 1);
	}
	return true;
}

int container_start(const struct home *home)
{
	pid_t between, pid = -1;
	int report[2], pidfd = -1;

	if (!state_write(home)) {
		say("home %u: " STATE ": %m", home->id);
		return -1;
	}
	if (!cgroup_create(home->id))
		return -1;
	if (pipe2(report, O_CLOEXEC)) {
		say("home %u: pipe: %m", home->id);
		return -1;
	}
	between = fork();
	if (!between) {
		close(report[0]);
		go_between(home, report[1]);
	}
	close(report[1]);
	if (between < 0)
		say("home %u: fork: %m", home->id);
	else if (read_report(report[0], home->id, &pid))
		pidfd = pidfd_of(pid);
	close(report[0]);
	if (between > 0) {
		if (pid <= 0)
			kill(between, SIGKILL);
		waitpid(between, NULL, 0);
	}
	if (pidfd < 0)
		cgroup_kill(home->id);
	return pidfd;
}

/* Is it process 1 of a namespace one below ours? */
static bool is_first(pid_t pid, void *arg)
{
	char path[64], line[256];
	int outer, inner, more, count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		count = sscanf(line, "NSpid: %d %d %d", &outer, &inner, &more);
		if (count > 0)
			break;
	}
	fclose(file);
	if (count != 2 || inner != 1)
		return false;
	*(pid_t *)arg = pid;
	return true;
}

int container_find(uint8_t id, uint64_t incarnation)
{
	pid_t pid, again;
	int fd;

	if (!state_matches(id, incarnation) || !cgroup_each(id, is_first, &pid))
		return -1;
	fd = pidfd_of(pid);
	/* Is it still that process, now that the number cannot be reused? */
	if (fd >= 0 && (!cgroup_each(id, is_first, &again) || again != pid)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

bool container_cover(int pidfd, const struct home *home)
{
	int status = 1;
	pid_t child;

	/* A mount namespace is not for one thread of a process, nor for a while. */
	child = fork();
	if (!child)
		_exit(mounts_add(pidfd, home) ? 0 : 1);
	if (child < 0)
		say("home %u: fork: %m", home->id);
	else
		waitpid(child, &status, 0);
	return !status;
}

void container_kill(uint8_t id)
{
	cgroup_kill(id);
}

bool container_remove(uint8_t id)
{
	char path[64];

	if (!cgroup_remove(id))
		return false;
	state_path(id, path);
	unlink(path);
	return true;
}
