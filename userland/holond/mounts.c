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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <libholon.h>

#include "holond.h"

#define DEFAULT_SHARED	"/:identical,/home:close-to-open"

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

/* Mount points, in the order of the kernel's list: parents before children. */
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

static bool read_points(struct points *points)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, path[4096];
	size_t size = 0;

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

/* PATH:CLASS,... as the kernel has it. Only whether a path is named counts. */
static bool is_shared(const char *list, const char *path)
{
	size_t length = strlen(path);

	while (*list) {
		size_t entry = strcspn(list, ",");
		size_t name = strcspn(list, ":,");

		if (name == length && !strncmp(list, path, length))
			return true;
		list += entry;
		list += *list == ',';
	}
	return false;
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

/* Its root has the nodes without state; every other name is the home's. */
static const char *mount_dev(void)
{
	if (mount("holonstub", "/dev", "holonstub", MS_NOSUID | MS_NOEXEC, "dev"))
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

const char *mounts_build(void)
{
	struct points points = { };
	char shared[1024];
	const char *why;
	size_t i, j;

	if (!holon_boot_parameter("holon.shared", shared, sizeof(shared)))
		strcpy(shared, DEFAULT_SHARED);
	if (!is_shared(shared, "/"))
		return "holon.shared= does not name /: without a shared root nothing can run here for others";
	/* What is done here is nobody else's business. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return because("making the mounts private: %s", strerror(errno));
	if (!read_points(&points))
		return because("/proc/self/mountinfo: %s", strerror(errno));
	for (i = 0; i < points.count; i++) {
		const char *path = points.paths[i];
		bool hidden = false;

		if (!strcmp(path, "/"))
			continue;
		/* Went away with a mount above it, or was dealt with already? */
		for (j = 0; j < i && !hidden; j++)
			hidden = strcmp(points.paths[j], "/") && is_below(path, points.paths[j]) &&
				 !is_shared(shared, points.paths[j]);
		if (is_shared(shared, path)) {
			if (hidden)
				return because("%s is shared, but lies below a mount that is not", path);
			continue;
		}
		if (hidden)
			continue;
		why = replace(path);
		if (why)
			return why;
	}
	return NULL;
}
