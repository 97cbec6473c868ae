// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mount namespace of a container.
 *
 * Mounts that all nodes share stay as they are. A path on any other mount
 * belongs to the home, so every other mount goes away and a stub of type
 * "holonstub" takes its place: a walk into it makes the kernel send the call to
 * the home. Two exceptions: /proc shows the container's own processes, and in
 * /dev the nodes without state are local.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holond.h"

#define SHARED	"/sys/kernel/holon/shared"

static char sentence[512];

__attribute__((format(printf, 1, 2)))
static const char *because(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	return sentence;
}

/* Mount points, in the order of the kernel's list. */
struct points {
	char **paths;
	size_t count;
};

/* \ooo of a mountinfo field, in place. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; text++, to++) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] && text[3]) {
			*to = (text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0');
			text += 3;
		} else {
			*to = *text;
		}
	}
	*to = 0;
}

/* @proc: a directory with the /proc of this node. */
static bool read_points(int proc, struct points *points)
{
	int fd = openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char *line = NULL, path[4096];
	size_t size = 0;

	memset(points, 0, sizeof(*points));
	if (!file)
		return false;
	while (getline(&line, &size, file) > 0) {
		if (sscanf(line, "%*d %*d %*s %*s %4095s", path) != 1)
			continue;
		unescape(path);
		points->paths = reallocarray(points->paths, points->count + 1,
					     sizeof(*points->paths));
		if (!points->paths || !(points->paths[points->count++] = strdup(path)))
			return false;
	}
	free(line);
	fclose(file);
	return true;
}

static bool read_own_points(struct points *points)
{
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool read = proc >= 0 && read_points(proc, points);

	if (proc >= 0)
		close(proc);
	return read;
}

/* The kernel's list, a line "PATH CLASS" for each, in which only the path counts. */
static bool is_shared(const char *list, const char *path)
{
	size_t length = strlen(path);

	for (; *list; list += strcspn(list, "\n"), list += *list == '\n') {
		size_t line = strcspn(list, "\n");

		if (line > length && !strncmp(list, path, length) && list[length] == ' ' &&
		    !memchr(list + length + 1, ' ', line - length - 1))
			return true;
	}
	return false;
}

static bool read_shared(char *list, size_t size)
{
	int fd = open(SHARED, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return false;
	length = read(fd, list, size - 1);
	close(fd);
	list[length > 0 ? length : 0] = 0;
	return length >= 0;
}

/* Is @path @parent itself or below it? */
static bool is_below(const char *path, const char *parent)
{
	size_t length = strlen(parent);

	return !strncmp(path, parent, length) &&
	       (!path[length] || path[length] == '/' || length == 1);
}

static const char *mount_stub(const char *path)
{
	if (mount("holonstub", path, "holonstub", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return because("holonstub on %s: %s", path, strerror(errno));
	return NULL;
}

/* With the devices that are the same everywhere; every other name is the home's. */
static const char *mount_dev(void)
{
	if (mount("holonstub", "/dev", "holonstub", MS_NOSUID | MS_NOEXEC, "devices"))
		return because("holonstub on /dev: %s", strerror(errno));
	return NULL;
}

static const char *replace(const char *path)
{
	struct stat st;

	/* Lazily, with all that is below; there may be several on top of each other. */
	while (!umount2(path, MNT_DETACH))
		;
	if (errno != EINVAL)
		return because("umount %s: %s", path, strerror(errno));
	if (!strcmp(path, "/proc")) {
		if (mount("proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
			return because("proc: %s", strerror(errno));
		return NULL;
	}
	if (!strcmp(path, "/dev"))
		return mount_dev();
	if (stat(path, &st))
		return because("%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return because("%s is a mount on a file: only directories can be left to the home", path);
	return mount_stub(path);
}

/*
 * Does @path lie below a mount point that is not shared, and so belong to what
 * is dealt with there?
 */
static bool is_hidden(const struct points *points, const char *shared, const char *path)
{
	size_t i;

	for (i = 0; i < points->count; i++) {
		const char *above = points->paths[i];

		if (strcmp(above, "/") && strcmp(above, path) && is_below(path, above) &&
		    !is_shared(shared, above))
			return true;
	}
	return false;
}

/* Is the mount point in the list before @i, too? */
static bool is_again(const struct points *points, size_t i)
{
	size_t j;

	for (j = 0; j < i; j++) {
		if (!strcmp(points->paths[j], points->paths[i]))
			return true;
	}
	return false;
}

static bool is_point(const struct points *points, const char *path)
{
	size_t i;

	for (i = 0; i < points->count; i++) {
		if (!strcmp(points->paths[i], path))
			return true;
	}
	return false;
}

/* Would a walk to @path, a mount point at home, end up in what is shared? */
static bool is_open(const struct points *points, const char *shared, const char *path)
{
	return !is_shared(shared, path) && !is_point(points, path) &&
	       !is_hidden(points, shared, path);
}

static void free_points(struct points *points)
{
	while (points->count)
		free(points->paths[--points->count]);
	free(points->paths);
}

const char *mounts_own(char *list, size_t size, size_t *length)
{
	struct points points;
	char shared[4096];
	const char *why = NULL;
	size_t i, more;

	*length = 0;
	if (!read_shared(shared, sizeof(shared)))
		return because(SHARED ": %s", strerror(errno));
	if (!read_own_points(&points))
		return because("/proc/self/mountinfo: %s", strerror(errno));
	for (i = 0; i < points.count; i++) {
		if (is_shared(shared, points.paths[i]) || is_again(&points, i) ||
		    is_hidden(&points, shared, points.paths[i]))
			continue;
		more = strlen(points.paths[i]) + 1;
		if (*length + more > size) {
			why = "too many mounts that are not shared: their names do not fit into a message";
			break;
		}
		memcpy(list + *length, points.paths[i], more);
		*length += more;
	}
	free_points(&points);
	return why;
}

/* A mount that the home has here and this node has not. */
static const char *cover(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return because("%s is a mount at home, and does not exist here: %s", path,
			       strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return because("%s is a mount on a file: only directories can be left to the home", path);
	return mount_stub(path);
}

const char *mounts_build(const char *home, size_t length)
{
	struct points points;
	char shared[4096];
	const char *why = NULL, *path;
	size_t i;

	if (!read_shared(shared, sizeof(shared)))
		return because(SHARED ": %s", strerror(errno));
	if (!is_shared(shared, "/"))
		return "holon.shared= does not name /: without a shared root nothing can run here for others";
	/* What is done here is nobody else's business. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return because("making the mounts private: %s", strerror(errno));
	if (!read_own_points(&points))
		return because("/proc/self/mountinfo: %s", strerror(errno));
	for (i = 0; i < points.count && !why; i++) {
		bool hidden;

		path = points.paths[i];
		if (!strcmp(path, "/") || is_again(&points, i))
			continue;
		hidden = is_hidden(&points, shared, path);
		if (!is_shared(shared, path))
			why = hidden ? NULL : replace(path);
		else if (hidden)
			why = because("%s is shared, but lies below a mount that is not", path);
	}
	for (path = home; path < home + length && !why; path += strlen(path) + 1) {
		if (is_open(&points, shared, path))
			why = cover(path);
	}
	free_points(&points);
	return why;
}

bool mounts_add(int pidfd, const struct home *home)
{
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *path, *end = home->mounts + home->mounts_length, *why;
	struct points points;
	char shared[4096];
	bool done = true;

	/* Both from outside: in the container one is a stub and one another's. */
	if (proc < 0 || !read_shared(shared, sizeof(shared))) {
		say("home %u: %s: %m", home->id, proc < 0 ? "/proc" : SHARED);
		return false;
	}
	if (setns(pidfd, CLONE_NEWNS) || !read_points(proc, &points)) {
		say("home %u: the mounts of its container: %m", home->id);
		return false;
	}
	for (path = home->mounts; path < end; path += strlen(path) + 1) {
		if (!is_open(&points, shared, path))
			continue;
		why = cover(path);
		if (!why)
			continue;
		say("home %u: %s", home->id, why);
		done = false;
	}
	return done;
}
