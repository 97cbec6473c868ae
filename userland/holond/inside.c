// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of a container. It makes the container look as the home
 * does from the outside, and lends itself to the kernel, which makes guests
 * as its children.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/holon_spawner.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "holond.h"

#define SPAWNER	"/dev/holon-spawner"

static _Noreturn void fail(int report, const char *what)
{
	dprintf(report, "%s: %s\n", what, strerror(errno));
	_exit(1);
}

static void close_others(int keep, int also)
{
	int fd;

	for (fd = 3; fd < 1024; fd++) {
		if (fd != keep && fd != also)
			close(fd);
	}
}

_Noreturn void inside(const struct home *home, int report)
{
	struct holon_spawner_run run = { .home = home->id };
	char name[16];
	const char *why;
	sigset_t none;
	int device;

	/* While /dev is still there. */
	device = open(SPAWNER, O_RDWR | O_CLOEXEC);
	if (device < 0)
		fail(report, SPAWNER);
	close_others(device, report);
	setsid();
	umask(022);
	/* A reader of @report that is gone is no reason to end. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(name, sizeof(name), "holon-home-%u", home->id);
	prctl(PR_SET_NAME, name);
	memset(command_line, 0, command_line_size);
	snprintf(command_line, command_line_size, "%s", name);
	if (sethostname(home->name, strlen(home->name)) ||
	    setdomainname(home->domain, strlen(home->domain)))
		fail(report, "host name");
	why = mounts_build(home->mounts, home->mounts_length);
	if (why) {
		dprintf(report, "%s\n", why);
		_exit(1);
	}
	if (chdir("/"))
		fail(report, "/");
	dprintf(report, "ready\n");
	close(report);
	for (;;) {
		if (!ioctl(device, HOLON_SPAWNER_RUN, &run) || errno == EINTR)
			continue;
		/* The home left: what a container is there to see. */
		if (errno == EHOSTDOWN)
			_exit(0);
		say("home %u: " SPAWNER ": %m", home->id);
		_exit(1);
	}
}
