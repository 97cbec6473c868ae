// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process is what it was, wherever it has been moved meanwhile.
 *
 *	cc -O2 -static -pthread move*.c -o move -lm
 *	./move stay		no move: what the states are
 *	./move there		made at home, looked at on the other node
 *	./move back		and at home again
 *	./move loop		both, as often as MOVE_LOOPS says, or 5 times
 *	./move busy		moved all the time while it looks
 *	./move busy NAME	one state alone
 *
 * To be started on node 1 of a cluster that has a node 2. Each state has a process of
 * its own. It moves by `holon task migrate`, a child that it waits for: so each move
 * breaks off a wait4().
 */
#define _GNU_SOURCE
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "move.h"

#define HOME	"1"
#define AWAY	"2"
#define LOOPS	5
#define BUSY_MS	1500

int failures;
char scratch[64], shared[64];

static const char *in(const char *dir, const char *name)
{
	static char path[8][PATH_MAX];
	static int turn;
	char *p = path[turn++ % 8];

	snprintf(p, PATH_MAX, "%s/%s", dir, name);
	return p;
}

const char *in_scratch(const char *name)
{
	return in(scratch, name);
}

const char *in_shared(const char *name)
{
	return in(shared, name);
}

long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Have process @pid moved; its exit status. */
static int migrate(pid_t pid, const char *node)
{
	char number[16];
	char *const argv[] = { "holon", "task", "migrate", "pid", number, "to", (char *)node, NULL };
	char *const envp[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	pid_t child;
	int status;

	snprintf(number, sizeof(number), "%d", pid);
	if (posix_spawn(&child, "/usr/bin/holon", NULL, NULL, argv, envp))
		return -1;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

static void move(const char *node)
{
	CHECK(migrate(getpid(), node) == 0);
}

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	stop = 1;
}

/* A child that moves its parent again and again until it is told to stop. */
static pid_t start_mover(void)
{
	pid_t parent = getpid(), child = fork();
	unsigned int moves = 0, failed = 0;

	if (child)
		return child;
	signal(SIGTERM, on_term);
	while (!stop) {
		/* What is over, or just about to be, is no failure. */
		if (migrate(parent, moves++ % 2 ? HOME : AWAY) && !stop)
			failed++;
	}
	if (moves < 2 || failed * 4 > moves)
		printf("# %u of %u moves failed\n", failed, moves);
	fflush(stdout);
	_exit(moves < 2 || failed * 4 > moves);
}

static void stop_mover(pid_t mover)
{
	int status = -1;

	kill(mover, SIGTERM);
	while (waitpid(mover, &status, 0) < 0 && errno == EINTR)
		;
	CHECK(status == 0);
}

static void run_busy(const struct state *state)
{
	long long end;
	pid_t mover;

	if (state->there) {
		move(AWAY);
		state->look();
	}
	mover = start_mover();
	end = now_ms() + BUSY_MS;
	CHECK(mover > 0);
	do {
		state->look();
	} while (now_ms() < end && !failures);
	stop_mover(mover);
}

static void run_state(const struct state *state, const char *mode)
{
	const char *loops = getenv("MOVE_LOOPS");
	int i, times = loops ? atoi(loops) : LOOPS;

	state->make();
	if (!strcmp(mode, "busy")) {
		run_busy(state);
	} else if (!strcmp(mode, "stay")) {
		state->look();
	} else if (!strcmp(mode, "loop")) {
		for (i = 0; i < times && !failures; i++) {
			move(AWAY);
			state->look();
			move(HOME);
			state->look();
		}
	} else {
		move(AWAY);
		state->look();
		if (!strcmp(mode, "back")) {
			move(HOME);
			state->look();
		}
	}
}

/* Return: whether it is as it was. */
static bool test(const struct state *state, const char *mode)
{
	int status = -1;
	pid_t child = fork();

	if (!child) {
		run_state(state, mode);
		fflush(stdout);
		_exit(!!failures);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (status && !WIFEXITED(status))
		printf("# %s: status %#x\n", state->name, status);
	return status == 0;
}

static const struct state *const tables[] = {
	memory_states, thread_states, signal_states, file_states, waiting_states,
	threads_states, hosted_states,
};

#define TABLES	(sizeof(tables) / sizeof(tables[0]))

static bool wanted(const struct state *state, const char *mode, const char *name)
{
	if (name)
		return !strcmp(name, state->name);
	/* A wait that nobody breaks off has no time to be looked at twice. */
	return !state->calls || !strcmp(mode, "busy") || !strcmp(mode, "stay");
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "stay", *name = argc > 2 ? argv[2] : NULL;
	const struct state *state;
	unsigned int plan = 0, run = 0, bad = 0, i;
	char command[200];
	bool good;

	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(scratch, sizeof(scratch), "/tmp/move-%d", getpid());
	snprintf(shared, sizeof(shared), "/home/move-%d", getpid());
	for (i = 0; i < TABLES; i++)
		for (state = tables[i]; state->name; state++)
			plan += wanted(state, mode, name);
	printf("KTAP version 1\n1..%u\n", plan);
	if (!plan || mkdir(scratch, 0777) || mkdir(shared, 0777)) {
		printf("Bail out! %s\n", plan ? strerror(errno) : "no such state");
		return 1;
	}
	for (i = 0; i < TABLES; i++) {
		for (state = tables[i]; state->name; state++) {
			if (!wanted(state, mode, name))
				continue;
			good = test(state, mode);
			printf("%sok %u %s\n", good ? "" : "not ", ++run, state->name);
			bad += !good;
		}
	}
	snprintf(command, sizeof(command), "rm -rf %s %s", scratch, shared);
	if (system(command))
		printf("# %s is left\n", scratch);
	return !!bad;
}
