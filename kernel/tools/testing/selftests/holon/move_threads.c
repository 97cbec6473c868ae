// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several threads of a process that moves. Each waits for what it is told: a function
 * that it calls, while the one that looks waits for it.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "move.h"

#define MANY	64

struct worker {
	pthread_t thread;
	pid_t tid;
	sem_t begin, end;
	void (*job)(struct worker *worker);
	long value;
};

static struct worker workers[MANY];
static __thread long own;

static void *work(void *arg)
{
	struct worker *worker = arg;

	worker->tid = gettid();
	own = worker->tid;
	sem_post(&worker->end);
	for (;;) {
		while (sem_wait(&worker->begin))
			;
		if (!worker->job)
			return worker;
		CHECK(own == worker->tid && gettid() == worker->tid);
		worker->job(worker);
		sem_post(&worker->end);
	}
}

static void done(struct worker *worker)
{
	while (sem_wait(&worker->end))
		;
}

static void start(struct worker *worker)
{
	CHECK(!sem_init(&worker->begin, 0, 0) && !sem_init(&worker->end, 0, 0));
	CHECK(!pthread_create(&worker->thread, NULL, work, worker));
	done(worker);
}

static void tell(struct worker *worker, void (*job)(struct worker *worker))
{
	worker->job = job;
	sem_post(&worker->begin);
}

static void run(struct worker *worker, void (*job)(struct worker *worker))
{
	tell(worker, job);
	done(worker);
}

static void end(struct worker *worker)
{
	void *result;

	tell(worker, NULL);
	CHECK(!pthread_join(worker->thread, &result) && result == worker);
}

static void start_two(void)
{
	start(&workers[0]);
	start(&workers[1]);
}

/* --- many ------------------------------------------------------------------ */

static void count(struct worker *worker)
{
	worker->value++;
}

static void make_many(void)
{
	int i;

	for (i = 0; i < MANY; i++)
		start(&workers[i]);
}

static void look_many(void)
{
	long before = workers[0].value;
	int i;

	for (i = 0; i < MANY; i++)
		tell(&workers[i], count);
	for (i = 0; i < MANY; i++) {
		done(&workers[i]);
		CHECK(workers[i].value == before + 1);
	}
}

/* --- registers --------------------------------------------------------------- */

static volatile int stop;

static void compute(struct worker *worker)
{
	double x = worker->tid, y;

	while (!stop) {
		y = x * 3 + 1;
		x = (y - 1) / 3;
		__atomic_fetch_add(&worker->value, 1, __ATOMIC_RELAXED);
	}
	CHECK(x == worker->tid);
}

static void make_compute(void)
{
	start_two();
	tell(&workers[0], compute);
	tell(&workers[1], compute);
}

static long progress(const struct worker *worker)
{
	return __atomic_load_n(&worker->value, __ATOMIC_RELAXED);
}

static void look_compute(void)
{
	long a = progress(&workers[0]), b = progress(&workers[1]);
	int i;

	for (i = 0; i < 10000 && (progress(&workers[0]) == a || progress(&workers[1]) == b); i++)
		usleep(1000);
	CHECK(progress(&workers[0]) != a && progress(&workers[1]) != b);
	stop = 1;
	done(&workers[0]);
	done(&workers[1]);
	stop = 0;
	tell(&workers[0], compute);
	tell(&workers[1], compute);
}

/* --- locks --------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, robust;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long turn;

/* Two that wait for each other. */
static void alternate(struct worker *worker)
{
	long parity = worker - workers;

	pthread_mutex_lock(&lock);
	while (!stop) {
		while (turn % 2 != parity && !stop)
			pthread_cond_wait(&changed, &lock);
		turn++;
		pthread_cond_broadcast(&changed);
	}
	pthread_mutex_unlock(&lock);
}

static void make_condition(void)
{
	start_two();
	tell(&workers[0], alternate);
	tell(&workers[1], alternate);
}

static void look_condition(void)
{
	long before, i;

	pthread_mutex_lock(&lock);
	before = turn;
	for (i = 0; i < 100 && turn < before + 4; i++)
		pthread_cond_wait(&changed, &lock);
	CHECK(turn >= before + 4);
	pthread_mutex_unlock(&lock);
}

static void take_robust(struct worker *worker)
{
	CHECK(!pthread_mutex_lock(&robust));
}

static void make_robust(void)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	CHECK(!pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	CHECK(!pthread_mutex_init(&robust, &attr));
	start(&workers[0]);
	run(&workers[0], take_robust);
}

/* Its owner dies, and the next one hears of it. */
static void look_robust(void)
{
	CHECK(pthread_mutex_trylock(&robust) == EBUSY);
	end(&workers[0]);
	CHECK(pthread_mutex_lock(&robust) == EOWNERDEAD);
	CHECK(!pthread_mutex_consistent(&robust) && !pthread_mutex_unlock(&robust));
	start(&workers[0]);
	run(&workers[0], take_robust);
}

/* --- signals ------------------------------------------------------------------- */

static volatile pid_t handled_by;

static void handler(int sig)
{
	handled_by = gettid();
}

static void block(struct worker *worker)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(!pthread_sigmask(SIG_BLOCK, &set, NULL));
}

static void look_pending(struct worker *worker)
{
	sigset_t set;

	CHECK(!sigpending(&set) && sigismember(&set, SIGUSR1));
}

static void make_directed(void)
{
	signal(SIGUSR1, handler);
	start_two();
	run(&workers[0], block);
	CHECK(!pthread_kill(workers[0].thread, SIGUSR1));
}

/* It waits for the thread that it was sent to, and for no other. */
static void look_directed(void)
{
	sigset_t set;

	CHECK(!handled_by);
	CHECK(!sigpending(&set) && !sigismember(&set, SIGUSR1));
	run(&workers[0], look_pending);
	CHECK(!pthread_kill(workers[1].thread, SIGUSR1));
	run(&workers[1], count);
	CHECK(handled_by == workers[1].tid);
	handled_by = 0;
}

static void make_shared_signal(void)
{
	signal(SIGUSR1, handler);
	start_two();
	run(&workers[0], block);
	block(NULL);
}

/* The only one that does not block it takes it, whoever of the process is meant. */
static void look_shared_signal(void)
{
	int i;

	handled_by = 0;
	CHECK(!kill(getpid(), SIGUSR1));
	for (i = 0; i < 10000 && !handled_by; i++)
		usleep(1000);
	CHECK(handled_by == workers[1].tid);
}

/* --- what each has for itself -------------------------------------------------- */

static void become_other(struct worker *worker)
{
	char name[16];

	snprintf(name, sizeof(name), "worker-%d", (int)(worker - workers));
	CHECK(!prctl(PR_SET_NAME, name));
	CHECK(!syscall(SYS_setresuid, -1, 1000 + (worker - workers), -1));
	CHECK(!setpriority(PRIO_PROCESS, worker->tid, 5 + (worker - workers)));
}

static void look_other(struct worker *worker)
{
	char name[16], wanted[16];

	snprintf(wanted, sizeof(wanted), "worker-%d", (int)(worker - workers));
	CHECK(!prctl(PR_GET_NAME, name) && !strcmp(name, wanted));
	CHECK(geteuid() == 1000 + (worker - workers));
	CHECK(getpriority(PRIO_PROCESS, 0) == 5 + (worker - workers));
}

static void make_others(void)
{
	start_two();
	run(&workers[0], become_other);
	run(&workers[1], become_other);
}

static void look_others(void)
{
	run(&workers[0], look_other);
	run(&workers[1], look_other);
	CHECK(geteuid() == 0 && getpriority(PRIO_PROCESS, 0) == 0);
	/* One sees the other. */
	CHECK(getpriority(PRIO_PROCESS, workers[1].tid) == 6);
}

/* --- seccomp ------------------------------------------------------------------- */

static void set_filter(struct worker *worker)
{
	forbid(worker->value ? SYS_sysfs : SYS_ustat, 80, false);
}

static void has_filter(struct worker *worker)
{
	CHECK(forbidden(SYS_ustat, 80) && forbidden(SYS_sysfs, 80) == worker->value);
}

static void has_none(struct worker *worker)
{
	CHECK(!forbidden(SYS_ustat, 80) && prctl(PR_GET_SECCOMP) == 0);
}

static void make_filter(void)
{
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	start_two();
	run(&workers[0], set_filter);
}

/* The first time a second one is set, wherever that is. */
static void look_filter(void)
{
	run(&workers[0], has_filter);
	if (!workers[0].value) {
		workers[0].value = 1;
		run(&workers[0], set_filter);
		run(&workers[0], has_filter);
	}
	run(&workers[1], has_none);
	CHECK(prctl(PR_GET_SECCOMP) == 0);
}

static void has_both(struct worker *worker)
{
	CHECK(forbidden(SYS_ustat, 81) && forbidden(SYS_sysfs, 82) == worker->value);
}

/* All have the same filters, and stay in step. */
static void make_step(void)
{
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	start_two();
	forbid(SYS_ustat, 81, true);
}

static void look_step(void)
{
	int i;

	for (i = 0; i < 2; i++)
		run(&workers[i], has_both);
	if (!workers[0].value) {
		workers[0].value = workers[1].value = 1;
		forbid(SYS_sysfs, 82, true);
		for (i = 0; i < 2; i++)
			run(&workers[i], has_both);
	}
}

/* --- they come and go ------------------------------------------------------------ */

static void look_new(void)
{
	int i;

	for (i = 0; i < 8; i++)
		start(&workers[i]);
	for (i = 0; i < 8; i++)
		run(&workers[i], count);
	for (i = 0; i < 8; i++)
		end(&workers[i]);
}

static void forker(struct worker *worker)
{
	int status = -1;
	pid_t child = fork();

	if (!child)
		_exit(gettid() == getpid() && own == worker->tid ? 33 : 1);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 33);
}

static void look_fork(void)
{
	tell(&workers[0], forker);
	run(&workers[1], forker);
	done(&workers[0]);
}

/* --- they wait ------------------------------------------------------------------- */

static int ends[2];

static void read_one(struct worker *worker)
{
	char c = 0;

	CHECK(read(ends[0], &c, 1) == 1);
	worker->value = c;
}

static void make_read(void)
{
	CHECK(!pipe(ends));
	start_two();
	tell(&workers[0], read_one);
}

static void look_read(void)
{
	CHECK(write(ends[1], "x", 1) == 1);
	done(&workers[0]);
	CHECK(workers[0].value == 'x');
	tell(&workers[0], read_one);
}

static void wait_long(struct worker *worker)
{
	struct timespec until;
	sem_t never;

	sem_init(&never, 0, 0);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 1;
	worker->value = now_ms();
	CHECK(sem_timedwait(&never, &until) == -1 && errno == ETIMEDOUT);
	worker->value = now_ms() - worker->value;
}

static void look_timed(void)
{
	tell(&workers[0], wait_long);
	run(&workers[1], wait_long);
	done(&workers[0]);
	CHECK(workers[0].value >= 900 && workers[1].value >= 900);
}

static void nothing(void)
{
}

const struct state threads_states[] = {
	{ "64 threads", make_many, look_many },
	{ "threads that compute", make_compute, look_compute },
	{ "threads at a condition", make_condition, look_condition },
	{ "robust mutex", make_robust, look_robust },
	{ "signal for one thread", make_directed, look_directed },
	{ "signal for the process", make_shared_signal, look_shared_signal },
	{ "what each thread has", make_others, look_others },
	{ "filter of a thread", make_filter, look_filter },
	{ "filters in step", make_step, look_step },
	{ "threads come and go", nothing, look_new },
	{ "threads fork", start_two, look_fork },
	{ "thread that reads", make_read, look_read },
	{ "threads at timed waits", start_two, look_timed, true },
	{ }
};
