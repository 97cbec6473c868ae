// SPDX-License-Identifier: GPL-2.0-only
/*
 * holond: follows the view and keeps the containers as it asks.
 *
 * Level-triggered: every event only makes it look at the members again and
 * bring each home's container nearer to what it should be. A container that
 * cannot be made is tried again, less and less often.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <libholon.h>

#include "holond.h"

#define RETRY_MIN_MS	200
#define RETRY_MAX_MS	10000
/* While a home is only slow to say what it is like. */
#define ASK_MAX_MS	1000
/* How often control groups that have become empty are removed. */
#define SWEEP_MS	30000
/* What has run for this long did not fail at its start. */
#define STABLE_MS	60000

/*
 * NONE: nothing there. RUNNING: ->pidfd is its first process. ENDING: killed,
 * or seen to have ended; its cgroup is to be removed.
 */
static struct container {
	enum { NONE, RUNNING, ENDING } state;
	uint64_t incarnation;	/* of the home it was made for */
	int pidfd;
	bool waiting;		/* has said that the home does not say its mounts */
	bool look;		/* the home may have other mounts now */
	char *mounts;		/* of the home, as covered last; NULL is not known */
	size_t mounts_length;
	int delay;		/* milliseconds, of the next retry */
	int64_t retry;		/* not before, monotonic milliseconds; 0 is at once */
	int64_t begun;		/* when it was last begun */
} containers[NODES];

/* Members, without what is only asked for when a container is made. */
static struct member {
	uint8_t id;		/* 0 when it is none */
	bool clock_known;
	uint64_t incarnation;
	int64_t clock_offset;
} wanted[NODES];

char *command_line;
size_t command_line_size;

static struct ynl_sock *ys;
static bool loopback;

void say(const char *format, ...)
{
	va_list args;
	char text[512];

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(2, "holond: %s\n", text);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void retry_within(struct container *container, int most)
{
	container->delay = container->delay ? container->delay * 2 : RETRY_MIN_MS;
	if (container->delay > most)
		container->delay = most;
	container->retry = now_ms() + container->delay;
}

static void retry_later(struct container *container)
{
	retry_within(container, RETRY_MAX_MS);
}

/* Which homes there are. Return: false when the kernel did not say. */
static bool read_members(void)
{
	struct holon_node_get_list *list = holon_node_get_dump(ys);

	if (!list) {
		say("%s", holon_why(ys));
		return false;
	}
	memset(wanted, 0, sizeof(wanted));
	ynl_dump_foreach(list, node) {
		struct member *home = &wanted[node->id];

		if (!node->_present.member || (node->_present.self && !loopback))
			continue;
		home->id = node->id;
		home->incarnation = node->incarnation;
		/* Known when the first heartbeat was answered. */
		home->clock_known = node->_present.self || node->_present.round_trip;
		home->clock_offset = node->_present.self ? 0 : node->clock_offset;
	}
	holon_node_get_list_free(list);
	return true;
}

/* What only the home knows. Return: 1; 0 when its holond has not said it yet; -1. */
static int ask_home(const struct member *member, struct home *home)
{
	struct holon_facts_get_req request = { ._present.id = 1, .id = member->id };
	struct holon_facts_get_rsp *facts = holon_facts_get(ys, &request);
	bool known;

	if (!facts) {
		say("home %u: %s", member->id, holon_why(ys));
		return -1;
	}
	known = facts->_present.mounts_len && facts->_present.mounts_len <= sizeof(home->mounts);
	if (known) {
		memset(home, 0, sizeof(*home));
		home->id = member->id;
		home->incarnation = member->incarnation;
		home->clock_offset = member->clock_offset;
		if (facts->host)
			snprintf(home->name, sizeof(home->name), "%s", facts->host);
		if (facts->domain)
			snprintf(home->domain, sizeof(home->domain), "%s", facts->domain);
		home->mounts_length = facts->_present.mounts_len;
		memcpy(home->mounts, facts->mounts, home->mounts_length);
	}
	holon_facts_get_rsp_free(facts);
	return known;
}

static void remember_mounts(struct container *container, const struct home *home)
{
	free(container->mounts);
	container->mounts_length = home->mounts_length;
	container->mounts = malloc(home->mounts_length);
	if (container->mounts)
		memcpy(container->mounts, home->mounts, home->mounts_length);
}

static void forget_mounts(struct container *container)
{
	free(container->mounts);
	container->mounts = NULL;
}

/* The home may have mounted something since its container was made. */
static void look_again(struct container *container, const struct member *member)
{
	static struct home home;

	if (ask_home(member, &home) <= 0) {
		retry_later(container);
		return;
	}
	container->look = false;
	container->delay = 0;
	if (container->mounts && container->mounts_length == home.mounts_length &&
	    !memcmp(container->mounts, home.mounts, home.mounts_length))
		return;
	/* What cannot be covered has been said: once for each change. */
	container_cover(container->pidfd, &home);
	remember_mounts(container, &home);
}

static void begin(struct container *container, const struct member *member)
{
	static struct home home;
	int known;

	container->incarnation = member->incarnation;
	container->begun = now_ms();
	forget_mounts(container);
	container->pidfd = container_find(member->id, member->incarnation);
	if (container->pidfd >= 0) {
		say("home %u: found its container running", member->id);
		container->state = RUNNING;
		container->look = true;
		return;
	}
	if (!member->clock_known) {
		retry_within(container, ASK_MAX_MS);
		return;
	}
	known = ask_home(member, &home);
	if (known < 0) {
		retry_later(container);
		return;
	}
	if (!known) {
		if (!container->waiting)
			say("home %u: no container until its holond says what it has mounted",
			    member->id);
		container->waiting = true;
		retry_within(container, ASK_MAX_MS);
		return;
	}
	container->waiting = false;
	container->pidfd = container_start(&home);
	if (container->pidfd < 0) {
		container->state = ENDING;
		retry_later(container);
		return;
	}
	say("home %u: container ready", member->id);
	container->state = RUNNING;
	remember_mounts(container, &home);
}

static void bring_nearer(uint8_t id)
{
	struct container *container = &containers[id];
	const struct member *home = &wanted[id];
	bool right = home->id && home->incarnation == container->incarnation;

	if (container->retry > now_ms())
		return;
	container->retry = 0;
	if (container->state == RUNNING && !right) {
		say("home %u has left: ending its container", id);
		container_kill(id);
		close(container->pidfd);
		container->state = ENDING;
		container->delay = 0;
	}
	if (container->state == ENDING) {
		container_kill(id);
		if (!container_remove(id)) {
			retry_later(container);
			return;
		}
		container->state = NONE;
	}
	if (container->state == NONE && home->id)
		begin(container, home);
	if (container->state == RUNNING && container->look)
		look_again(container, home);
}

/* Its first process has ended: of itself, or it was killed. */
static void ended(uint8_t id)
{
	struct container *container = &containers[id];

	say("home %u: its container has ended", id);
	close(container->pidfd);
	container->state = ENDING;
	if (now_ms() - container->begun > STABLE_MS)
		container->delay = 0;
	retry_later(container);
}

/* The view has changed: homes that are new or gone are not made to wait. */
static void forget_delays(void)
{
	unsigned int id;

	for (id = 1; id < NODES; id++) {
		if (wanted[id].incarnation == containers[id].incarnation)
			continue;
		containers[id].retry = 0;
		containers[id].delay = 0;
	}
}

/* What an earlier holond has left, and nobody wants, must be ended too. */
static void take_over(uint8_t id)
{
	struct container *container = &containers[id];

	if (wanted[id].id) {
		int fd = container_find(id, wanted[id].incarnation);

		if (fd >= 0) {
			close(fd);
			return;
		}
	}
	container->state = ENDING;
}

/* Of the groups at home whose processes have all gone. Return: milliseconds to the next time. */
static int64_t sweep(void)
{
	static int64_t last;
	unsigned int id;

	if (now_ms() - last >= SWEEP_MS) {
		last = now_ms();
		for (id = 1; id < NODES; id++)
			if (containers[id].state == RUNNING)
				cgroup_sweep(id);
	}
	return last + SWEEP_MS - now_ms();
}

static int64_t next_retry(void)
{
	int64_t next = sweep(), now = now_ms();
	unsigned int id;

	for (id = 1; id < NODES; id++) {
		int64_t wait;

		if (!containers[id].retry)
			continue;
		wait = containers[id].retry > now ? containers[id].retry - now : 0;
		if (wait < next)
			next = wait;
	}
	return next;
}

static bool only_one(void)
{
	int fd;

	mkdir("/run/holon", 0755);
	fd = open("/run/holon/holond.pid", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		say("/run/holon/holond.pid: %m");
		return false;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		say("another holond is running");
		return false;
	}
	/* Held, and readable, for as long as this one lives. */
	if (ftruncate(fd, 0) || dprintf(fd, "%d\n", getpid()) < 0)
		say("/run/holon/holond.pid: %m");
	return true;
}

static int signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void drop_events(struct ynl_sock *events)
{
	struct ynl_ntf_base_type *event;
	unsigned int id;

	/* Lost ones are as good: all that counts is that something happened. */
	if (ynl_ntf_check(events) < 0 && errno != ENOBUFS)
		say("%s", holon_why(events));
	while ((event = ynl_ntf_dequeue(events)))
		ynl_ntf_free(event);
	for (id = 1; id < NODES; id++)
		containers[id].look = true;
}

/* Tell the others, through the kernel, which paths are this node's alone. */
static bool publish_mounts(void)
{
	struct holon_facts_set_req request = {};
	char mounts[MOUNTS_MAX];
	const char *why;
	size_t length;

	why = mounts_own(mounts, sizeof(mounts), &length);
	if (why) {
		say("%s", why);
		return false;
	}
	request._present.mounts_len = length;
	request.mounts = mounts;
	if (holon_facts_set(ys, &request)) {
		say("%s", holon_why(ys));
		return false;
	}
	return true;
}

enum { EVENTS, SIGNALS, MOUNTS, FIXED };

static int serve(struct ynl_sock *events)
{
	struct pollfd pollers[NODES + FIXED] = {
		[EVENTS] = { .fd = ynl_socket_get_fd(events), .events = POLLIN },
		[SIGNALS] = { .fd = signals(), .events = POLLIN },
		/* "Urgent" when a mount has come or gone. */
		[MOUNTS] = { .fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC),
			     .events = POLLPRI },
	};
	uint8_t ids[NODES + FIXED];

	if (!publish_mounts() || !read_members())
		return 1;
	cgroup_homes(take_over);
	for (;;) {
		unsigned int count = FIXED, i;

		/* After a delay, too: what it was for may have changed. */
		if (!read_members())
			return 1;
		forget_delays();
		for (i = 1; i < NODES; i++) {
			bring_nearer(i);
			if (containers[i].state != RUNNING)
				continue;
			ids[count] = i;
			pollers[count++] = (struct pollfd){ containers[i].pidfd, POLLIN, 0 };
		}
		if (poll(pollers, count, next_retry()) < 0) {
			if (errno == EINTR)
				continue;
			say("poll: %m");
			return 1;
		}
		if (pollers[EVENTS].revents)
			drop_events(events);
		/* The containers stay: the next holond finds them. */
		if (pollers[SIGNALS].revents)
			return 0;
		if (pollers[MOUNTS].revents)
			publish_mounts();
		for (i = FIXED; i < count; i++) {
			if (pollers[i].revents)
				ended(ids[i]);
		}
	}
}

int main(int argc, char **argv)
{
	struct ynl_sock *events;
	const char *why;

	command_line = argv[0];
	command_line_size = argv[argc - 1] + strlen(argv[argc - 1]) + 1 - argv[0];
	for (argc--, argv++; argc; argc--, argv++) {
		if (!strcmp(argv[0], "--loopback")) {
			loopback = true;
		} else if (!strcmp(argv[0], "-V") || !strcmp(argv[0], "--version")) {
			puts("holond " VERSION);
			return 0;
		} else {
			bool help = !strcmp(argv[0], "-h") || !strcmp(argv[0], "--help");

			fputs("usage: holond [--loopback] [-V]\n"
			      "Keeps the containers in which the processes of other nodes run. See holond(8).\n",
			      help ? stdout : stderr);
			return help ? 0 : 2;
		}
	}
	signal(SIGPIPE, SIG_IGN);
	if (!only_one())
		return 1;
	ys = holon_open(&why);
	events = ys ? holon_open(&why) : NULL;
	if (!events) {
		say("%s", why);
		return 1;
	}
	/* Listen before looking, so that no change is missed. */
	if (ynl_subscribe(events, "view")) {
		say("%s", holon_why(events));
		return 1;
	}
	return serve(events);
}
