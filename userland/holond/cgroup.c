// SPDX-License-Identifier: GPL-2.0-only
/*
 * holon.slice/home-N: what the guests of a home use here is counted and can be
 * bounded there, by home and all together. The container's first process is in its
 * child "init", where guests begin; the kernel puts those that are limited at home into
 * leaves beside it, cg-ID.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "holond.h"

#define ROOT	"/sys/fs/cgroup"
#define SLICE	ROOT "/holon.slice"

static bool mounted(void)
{
	struct statfs st;

	if (statfs(ROOT, &st)) {
		say(ROOT ": %m");
		return false;
	}
	if (st.f_type == CGROUP2_SUPER_MAGIC)
		return true;
	if (mount("cgroup2", ROOT, "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL)) {
		say("cgroup2 on " ROOT ": %m");
		return false;
	}
	return true;
}

static void path_of(uint8_t id, const char *file, char path[64])
{
	snprintf(path, 64, SLICE "/home-%u%s%s", id, *file ? "/" : "", file);
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written;

	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return written;
}

/* Controllers that the children shall have, as far as this kernel has them. */
static void enable_controllers(const char *path)
{
	put(path, "+memory");
	put(path, "+pids");
	put(path, "+cpu");
}

/* Those of a container that an earlier version has made. What they fork meanwhile is next. */
static void move_in(uint8_t id)
{
	char procs[64], init[64], text[16];
	int pid, rounds = 100;
	FILE *file;

	path_of(id, "cgroup.procs", procs);
	path_of(id, "init/cgroup.procs", init);
	for (pid = 0; rounds--; pid = 0) {
		file = fopen(procs, "re");
		if (!file)
			return;
		if (fscanf(file, "%d", &pid) != 1)
			pid = -1;
		fclose(file);
		if (pid < 0)
			return;
		snprintf(text, sizeof(text), "%d", pid);
		put(init, text);
	}
}

bool cgroup_create(uint8_t id)
{
	char path[64];

	if (!mounted())
		return false;
	enable_controllers(ROOT "/cgroup.subtree_control");
	if (mkdir(SLICE, 0755) && errno != EEXIST) {
		say(SLICE ": %m");
		return false;
	}
	enable_controllers(SLICE "/cgroup.subtree_control");
	path_of(id, "", path);
	if (mkdir(path, 0755) && errno != EEXIST) {
		say("%s: %m", path);
		return false;
	}
	path_of(id, "init", path);
	if (mkdir(path, 0755) && errno != EEXIST) {
		say("%s: %m", path);
		return false;
	}
	/* A group with processes of its own can have no controllers for children. */
	move_in(id);
	path_of(id, "cgroup.subtree_control", path);
	enable_controllers(path);
	return true;
}

bool cgroup_enter(uint8_t id)
{
	char path[64];

	path_of(id, "init/cgroup.procs", path);
	return put(path, "0");
}

bool cgroup_kill(uint8_t id)
{
	char path[64];

	path_of(id, "cgroup.kill", path);
	return put(path, "1");
}

/* Remove the children that are empty and whose names begin with @prefix. */
static void remove_children(uint8_t id, const char *prefix)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	path_of(id, "", path);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    !strncmp(entry->d_name, prefix, strlen(prefix)))
			unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

void cgroup_sweep(uint8_t id)
{
	remove_children(id, "cg-");
}

bool cgroup_remove(uint8_t id)
{
	char path[64];

	remove_children(id, "");
	path_of(id, "", path);
	return !rmdir(path) || errno == ENOENT;
}

bool cgroup_each(uint8_t id, bool (*each)(pid_t pid, void *arg), void *arg)
{
	bool found = false;
	char path[64];
	FILE *file;
	int pid;

	/* Also of a container that is older than its children. */
	path_of(id, "", path);
	if (!access(path, F_OK))
		cgroup_create(id);
	path_of(id, "init/cgroup.procs", path);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!found && fscanf(file, "%d", &pid) == 1)
		found = each(pid, arg);
	fclose(file);
	return found;
}

void cgroup_homes(void (*each)(uint8_t id))
{
	struct dirent *entry;
	unsigned int id;
	char rest;
	DIR *dir;

	dir = opendir(SLICE);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (sscanf(entry->d_name, "home-%u%c", &id, &rest) == 1 && id && id < NODES)
			each(id);
	}
	closedir(dir);
}
