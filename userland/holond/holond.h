/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * holond - keeps, for every other node of the cluster, a container in which
 * the guests of that node run.
 *
 *   main.c       follows the view and says which containers there shall be
 *   container.c  a container as seen from outside: start, find again, end
 *   inside.c     its first process: namespaces, then the loan to the kernel
 *   mounts.c     what its mount namespace shows
 *   cgroup.c     holon.slice/home-N
 */
#ifndef HOLOND_H
#define HOLOND_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NODES		256	/* ids are 1..255 */
#define MOUNTS_MAX	6144	/* what the kernel takes */

/* A sentence on standard error. */
__attribute__((format(printf, 1, 2)))
void say(const char *format, ...);

/*
 * The words that started holond, one after the other: what ps and pidof(1) see.
 * A container's process must not go by the same name, or who kills holond kills
 * the containers with it.
 */
extern char *command_line;
extern size_t command_line_size;

/* What a container has to be like. */
struct home {
	uint8_t id;
	uint64_t incarnation;	/* of the node that is home */
	int64_t clock_offset;	/* its CLOCK_MONOTONIC minus ours, nanoseconds */
	char name[65];		/* its host name */
	char domain[65];
	size_t mounts_length;
	char mounts[MOUNTS_MAX]; /* as mounts_own() gives them there */
};

/*
 * container.c: a container outlives holond. What identifies it are the
 * processes of its cgroup, the first of which is 1 in its pid namespace, and
 * the incarnation that was written down before it was made.
 */

/**
 * container_start - make a container and leave it to itself
 *
 * Return: a pidfd of its first process; -1 after having said why not.
 */
int container_start(const struct home *home);

/**
 * container_find - the container an earlier holond has made
 *
 * Return: a pidfd of its first process, or -1 when there is none for this
 * life of the home.
 */
int container_find(uint8_t id, uint64_t incarnation);

/**
 * container_cover - let a running container have what its home has mounted since
 *
 * Return: false after having said what could not be covered; it runs on.
 */
bool container_cover(int pidfd, const struct home *home);

/* Kill everything in it. The pidfd, which stays open, becomes readable. */
void container_kill(uint8_t id);

/* Clear away what is left of one that has ended. Return: false to try again. */
bool container_remove(uint8_t id);

/* inside.c: never returns. @report is a pipe for one line, "ready" or why not. */
_Noreturn void inside(const struct home *home, int report);

/*
 * mounts.c. The first two return NULL, or a sentence on failure.
 */

/**
 * mounts_own - the mount points of this node that are not shared
 * @list: paths, each with a final NUL; none lies below another
 */
const char *mounts_own(char *list, size_t size, size_t *length);

/**
 * mounts_build - make the caller's mount namespace that of a container
 * @home: the mount points of the home, as mounts_own() gives them there
 */
const char *mounts_build(const char *home, size_t length);

/**
 * mounts_add - enter the mount namespace of a container, and cover what is new
 * @pidfd: of a process in it
 *
 * For a process that ends afterwards.
 * Return: false when something was not done; that has been said.
 */
bool mounts_add(int pidfd, const struct home *home);

/* cgroup.c */
bool cgroup_create(uint8_t id);		/* false after having said why */
bool cgroup_enter(uint8_t id);
bool cgroup_kill(uint8_t id);
bool cgroup_remove(uint8_t id);		/* false while it is not empty */
void cgroup_sweep(uint8_t id);		/* remove leaves without processes */
/* Call @each with those in "init"; stop at the first true and return it. */
bool cgroup_each(uint8_t id, bool (*each)(pid_t pid, void *arg), void *arg);
/* Every home that has a cgroup, as left by an earlier holond. */
void cgroup_homes(void (*each)(uint8_t id));

#endif
