// SPDX-License-Identifier: GPL-2.0-only
/* Signals, alarms and children of a process that moves. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include "move.h"

static volatile sig_atomic_t got, value, on_stack;
static char *stack;

static void handler(int sig, siginfo_t *info, void *context)
{
	char here;

	got++;
	value = info->si_value.sival_int;
	on_stack = stack && &here >= stack && &here < stack + SIGSTKSZ * 4;
}

static void handle(int sig, int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	sigaddset(&action.sa_mask, SIGUSR2);
	CHECK(!sigaction(sig, &action, NULL));
}

static void make_handler(void)
{
	handle(SIGUSR1, SA_RESTART);
}

static void look_handler(void)
{
	struct sigaction action;
	union sigval v = { .sival_int = 4711 };
	int before = got;

	CHECK(!sigaction(SIGUSR1, NULL, &action));
	CHECK(action.sa_sigaction == handler && action.sa_flags & SA_RESTART &&
	      sigismember(&action.sa_mask, SIGUSR2) && !sigismember(&action.sa_mask, SIGINT));
	CHECK(!sigqueue(getpid(), SIGUSR1, v));
	CHECK(got == before + 1 && value == 4711);
	CHECK(!raise(SIGUSR1) && got == before + 2);
}

static void make_stack(void)
{
	stack_t st = { .ss_size = SIGSTKSZ * 4 };

	stack = st.ss_sp = malloc(st.ss_size);
	CHECK(!sigaltstack(&st, NULL));
	handle(SIGUSR1, SA_ONSTACK);
}

static void look_stack(void)
{
	stack_t st;

	CHECK(!sigaltstack(NULL, &st) && st.ss_sp == stack && !st.ss_flags);
	on_stack = 0;
	CHECK(!raise(SIGUSR1) && on_stack);
}

static void make_mask(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 3);
	CHECK(!sigprocmask(SIG_BLOCK, &set, NULL));
	signal(SIGHUP, SIG_IGN);
}

static void look_mask(void)
{
	struct sigaction action;
	sigset_t set;

	CHECK(!sigprocmask(SIG_BLOCK, NULL, &set));
	CHECK(sigismember(&set, SIGUSR1) && sigismember(&set, SIGRTMIN + 3) &&
	      !sigismember(&set, SIGUSR2));
	CHECK(!sigaction(SIGHUP, NULL, &action) && action.sa_handler == SIG_IGN);
	CHECK(!raise(SIGHUP));
}

/* Three of a real-time signal in their order, and one that counts once. */
static void make_pending(void)
{
	union sigval v;
	int i;

	make_mask();
	for (i = 1; i <= 3; i++) {
		v.sival_int = i;
		CHECK(!sigqueue(getpid(), SIGRTMIN + 3, v));
	}
	CHECK(!raise(SIGUSR1) && !raise(SIGUSR1));
}

static void look_pending(void)
{
	struct timespec none = {};
	siginfo_t info;
	sigset_t set;
	int i;

	CHECK(!sigpending(&set) && sigismember(&set, SIGUSR1) && sigismember(&set, SIGRTMIN + 3));
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	for (i = 1; i <= 3; i++) {
		CHECK(sigtimedwait(&set, &info, &none) == SIGRTMIN + 3);
		CHECK(info.si_value.sival_int == i && info.si_pid == getpid() &&
		      info.si_code == SI_QUEUE);
	}
	CHECK(sigtimedwait(&set, &info, &none) < 0 && errno == EAGAIN);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(sigtimedwait(&set, &info, &none) == SIGUSR1);
	CHECK(sigtimedwait(&set, &info, &none) < 0 && errno == EAGAIN);
	make_pending();
}

static void make_interval(void)
{
	struct itimerval timer = { { 0, 50000 }, { 0, 50000 } };

	handle(SIGALRM, SA_RESTART);
	CHECK(!setitimer(ITIMER_REAL, &timer, NULL));
}

static void look_interval(void)
{
	struct itimerval timer;
	int before = got;
	long long end = now_ms() + 10000;

	while (got < before + 3 && now_ms() < end)
		usleep(10000);
	CHECK(got >= before + 3);
	CHECK(!getitimer(ITIMER_REAL, &timer) && timer.it_interval.tv_usec == 50000);
}

static void make_alarm(void)
{
	alarm(1000);
}

static void look_alarm(void)
{
	unsigned int left = alarm(0);

	CHECK(left > 500 && left <= 1000);
	alarm(left);
}

static pid_t child;

static void make_children(void)
{
	int fds[2];

	CHECK(!pipe(fds));
	child = fork();
	if (!child) {
		char c;

		/* Until told, and then 9; not when we have ended without a word. */
		close(fds[1]);
		_exit(read(fds[0], &c, 1) == 1 ? 9 : 1);
	}
	close(fds[0]);
	value = fds[1];
	signal(SIGCHLD, SIG_DFL);
}

/* One that was there before, and the next one made here. */
static void look_children(void)
{
	int status = -1;

	CHECK(waitpid(child, &status, WNOHANG) == 0);
	CHECK(!kill(child, 0));
	CHECK(write(value, "x", 1) == 1);
	close(value);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
	make_children();
}

static void make_killed(void)
{
}

/* A child that dies here says by which signal. */
static void look_killed(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		raise(SIGTERM);
		_exit(1);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	CHECK(!kill(pid, SIGKILL));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* --- timers of timer_create() --------------------------------------------------- */

static timer_t periodic, far, none;
static long long far_at;

static void make_timers(void)
{
	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 815,
	};
	struct itimerspec every = { { 0, 50000000 }, { 0, 50000000 } }, at = { { 7, 0 }, { 900, 0 } };
	timer_t gone;

	handle(SIGUSR1, SA_RESTART);
	/* Numbers do not begin at 0, and have gaps. */
	CHECK(!timer_create(CLOCK_MONOTONIC, &event, &gone));
	CHECK(!timer_create(CLOCK_MONOTONIC, &event, &periodic));
	CHECK(!timer_delete(gone));
	event.sigev_signo = SIGUSR2;
	CHECK(!timer_create(CLOCK_REALTIME, &event, &far));
	event.sigev_notify = SIGEV_NONE;
	CHECK(!timer_create(CLOCK_BOOTTIME, &event, &none));
	CHECK(!timer_settime(periodic, 0, &every, NULL));
	CHECK(!timer_settime(far, 0, &at, NULL));
	far_at = now_ms() + 900 * 1000;
}

static void look_timers(void)
{
	struct itimerspec left;
	int before = got, i;
	long long at;

	for (i = 0; i < 1000 && got == before; i++)
		usleep(10000);
	CHECK(got > before && value == 815);
	CHECK(!timer_gettime(periodic, &left) && left.it_interval.tv_nsec == 50000000);
	CHECK(!timer_gettime(far, &left) && left.it_interval.tv_sec == 7);
	at = now_ms() + left.it_value.tv_sec * 1000LL + left.it_value.tv_nsec / 1000000;
	CHECK(at > far_at - 5000 && at < far_at + 5000);
	CHECK(!timer_gettime(none, &left) && !left.it_value.tv_sec && !left.it_value.tv_nsec);
	CHECK(timer_getoverrun(far) == 0);
}

static timer_t cpu;

static void make_cpu_timers(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct itimerspec every = { { 0, 30000000 }, { 0, 30000000 } };
	struct itimerval long_every = { { 40, 0 }, { 400, 0 } };

	handle(SIGUSR1, SA_RESTART);
	CHECK(!timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &cpu));
	CHECK(!timer_settime(cpu, 0, &every, NULL));
	CHECK(!setitimer(ITIMER_PROF, &long_every, NULL));
	CHECK(!setitimer(ITIMER_VIRTUAL, &long_every, NULL));
}

static void look_cpu_timers(void)
{
	long long end = now_ms() + 20000;
	struct itimerval left;
	int before = got;

	while (got == before && now_ms() < end)
		;
	CHECK(got > before);
	CHECK(!getitimer(ITIMER_PROF, &left) && left.it_interval.tv_sec == 40 &&
	      left.it_value.tv_sec > 300 && left.it_value.tv_sec <= 400);
	CHECK(!getitimer(ITIMER_VIRTUAL, &left) && left.it_interval.tv_sec == 40 &&
	      left.it_value.tv_sec > 300 && left.it_value.tv_sec <= 400);
}

const struct state signal_states[] = {
	{ "signal handler", make_handler, look_handler },
	{ "signal stack", make_stack, look_stack },
	{ "signal mask", make_mask, look_mask },
	{ "pending signals", make_pending, look_pending },
	{ "interval timer", make_interval, look_interval },
	{ "timers", make_timers, look_timers },
	{ "timers of processor time", make_cpu_timers, look_cpu_timers },
	{ "alarm", make_alarm, look_alarm },
	{ "children", make_children, look_children },
	{ "killed children", make_killed, look_killed },
	{}
};
