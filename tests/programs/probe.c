// SPDX-License-Identifier: GPL-2.0-only
/*
 * A static program for the tests of placement: says what it inherited, waits
 * for signals, dies in every way. One word chooses; see main().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void say(const char *line)
{
	(void)!write(1, line, strlen(line));
	(void)!write(1, "\n", 1);
}

/* Everything that execve() hands on. */
static int inherited(char **argv, char **envp)
{
	struct utsname name;
	struct rlimit limit;
	char buffer[4096];
	gid_t groups[64];
	struct sigaction old;
	sigset_t set, pending;
	mode_t mask;
	int i, n;

	uname(&name);
	printf("release %s\n", name.release);
	printf("ids %d %d %d %d\n", getuid(), geteuid(), getgid(), getegid());
	n = getgroups(64, groups);
	printf("groups");
	for (i = 0; i < n; i++)
		printf(" %d", groups[i]);
	printf("\npid %d ppid %d pgrp %d sid %d\n", getpid(), getppid(), getpgrp(), getsid(0));
	mask = umask(0);
	umask(mask);
	printf("umask %o\ncwd %s\n", mask, getcwd(buffer, sizeof(buffer)) ? buffer : strerror(errno));
	printf("nice %d policy %d\n", getpriority(PRIO_PROCESS, 0), sched_getscheduler(0));
	for (i = 0; i < RLIM_NLIMITS; i++) {
		getrlimit(i, &limit);
		printf("limit %d %lld %lld\n", i, (long long)limit.rlim_cur, (long long)limit.rlim_max);
	}
	sigprocmask(SIG_BLOCK, NULL, &set);
	sigpending(&pending);
	for (i = 1; i < 65; i++) {
		sigaction(i, NULL, &old);
		printf("signal %d %s%s%s\n", i, sigismember(&set, i) ? "blocked" : "",
		       sigismember(&pending, i) ? "pending" : "",
		       old.sa_handler == SIG_IGN ? "ignored" :
		       old.sa_handler != SIG_DFL ? "handled" : "");
	}
	for (i = 0; i < 256; i++) {
		struct stat st;
		int flags = fcntl(i, F_GETFD);

		if (flags < 0 || fstat(i, &st))
			continue;
		printf("fd %d %d mode %o flags %o at %lld\n", i, flags, st.st_mode,
		       fcntl(i, F_GETFL), (long long)lseek(i, 0, SEEK_CUR));
	}
	prctl(PR_GET_NAME, buffer);
	printf("comm %s dumpable %d nnp %d\n", buffer, prctl(PR_GET_DUMPABLE), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	for (i = 0; argv[i]; i++)
		printf("arg %s\n", argv[i]);
	for (i = 0; envp[i]; i++)
		printf("env %s\n", envp[i]);
	return 0;
}

static void note(int sig, siginfo_t *info, void *context)
{
	char line[128];

	(void)context;
	snprintf(line, sizeof(line), "got %d code %d value %d pid %d uid %d", sig, info->si_code,
		 info->si_value.sival_int, info->si_pid, info->si_uid);
	say(line);
	if (sig == SIGTERM)
		_exit(3);
}

/*
 * Tell each signal but the fatal ones; SIGTERM ends with 3. Without @restart they
 * are taken inside ppoll() only: whenever one comes, it interrupts that call.
 */
static _Noreturn void signals(int restart)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };
	sigset_t all, none;
	struct sigaction action = { .sa_sigaction = note,
				    .sa_flags = SA_SIGINFO | (restart ? SA_RESTART : 0) };
	char buffer[256];
	ssize_t n;
	int i;

	for (i = 1; i < 65; i++)
		if (i != SIGKILL && i != SIGSTOP && i != SIGTSTP && i != SIGCONT && i != 32 && i != 33)
			sigaction(i, &action, NULL);
	sigemptyset(&none);
	sigfillset(&all);
	if (!restart)
		sigprocmask(SIG_BLOCK, &all, NULL);
	say("ready");
	for (;;) {
		n = restart ? 1 : ppoll(&input, 1, NULL, &none);
		if (n > 0)
			n = read(0, buffer, sizeof(buffer));
		if (n < 0) {
			say(errno == EINTR ? "EINTR" : strerror(errno));
			continue;
		}
		if (!n)
			for (;;)
				sigsuspend(&none);
		(void)!write(1, "read ", 5);
		(void)!write(1, buffer, n);
	}
}

/* Signals that are raised here must arrive before the call returns. */
static volatile int pipes;

static void count_pipe(int sig)
{
	(void)sig;
	pipes++;
}

static int broken_pipe(void)
{
	char line[64];
	ssize_t n;

	signal(SIGPIPE, count_pipe);
	/* The reader of descriptor 3 has gone. */
	n = write(3, "x", 1);
	snprintf(line, sizeof(line), "write %zd errno %d signals %d", n, errno, pipes);
	say(line);
	return 0;
}

/* Execute @argv with a signal pending. */
static int pend(char **argv)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	execvp(argv[0], argv);
	return 9;
}

/* Execute @argv under a seccomp filter in which ustat() fails with error 77. */
static int filter(char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ustat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 8;
	execvp(argv[0], argv);
	return 9;
}

static int burn(int milliseconds, int mebibytes)
{
	struct timespec now;
	char *memory;
	long long spent;
	long i;

	memory = mmap(NULL, (size_t)mebibytes << 20, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < (long)mebibytes << 20; i += 4096)
		memory[i] = 1;
	do {
		for (i = 0; i < 100000; i++)
			asm volatile("");
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
		spent = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
	} while (spent < milliseconds);
	return 5;
}

/*
 * Count in memory and append each number to @path; with @aloud also to standard
 * output, which is at home.
 */
static int count(const char *path, int aloud)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	unsigned long n;
	char line[32];

	if (fd < 0)
		return 1;
	for (n = 1; ; n++) {
		snprintf(line, sizeof(line), "%lu\n", n);
		if (write(fd, line, strlen(line)) != (ssize_t)strlen(line))
			return 1;
		if (aloud && write(1, line, strlen(line)) != (ssize_t)strlen(line))
			return 1;
		nanosleep(&pause, NULL);
	}
}

int main(int argc, char **argv, char **envp)
{
	const char *what = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOFBF, 65536);
	if (!strcmp(what, "inherited")) {
		int result = inherited(argv, envp);

		fflush(stdout);
		return result;
	}
	if (!strcmp(what, "exit"))
		return atoi(argv[2]);
	if (!strcmp(what, "ustat")) {
		errno = 0;
		syscall(SYS_ustat, 0, NULL);
		return errno;
	}
	if (!strcmp(what, "raise")) {
		struct rlimit core = { 0, 0 };

		if (argc > 3)
			setrlimit(RLIMIT_CORE, &core);
		raise(atoi(argv[2]));
		say("survived");
		return 0;
	}
	if (!strcmp(what, "fault")) {
		volatile unsigned long where = 8;

		*(volatile int *)where = 0;
		return 0;
	}
	if (!strcmp(what, "signals"))
		signals(argc > 2);
	if (!strcmp(what, "pipe"))
		return broken_pipe();
	if (!strcmp(what, "pend"))
		return pend(argv + 2);
	if (!strcmp(what, "filter"))
		return filter(argv + 2);
	if (!strcmp(what, "burn"))
		return burn(atoi(argv[2]), atoi(argv[3]));
	if (!strcmp(what, "count"))
		return count(argv[2], argc > 3);
	if (!strcmp(what, "spin")) {
		say("ready");
		for (;;)
			asm volatile("");
	}
	if (!strcmp(what, "sleep")) {
		say("ready");
		for (;;)
			pause();
	}
	if (!strcmp(what, "exec")) {
		execv(argv[2], argv + 2);
		printf("exec: %s\n", strerror(errno));
		fflush(stdout);
		return 9;
	}
	if (!strcmp(what, "alarm")) {
		char byte;
		struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };

		sigaction(SIGALRM, &action, NULL);
		alarm(1);
		if (read(0, &byte, 1) < 0)
			say(errno == EINTR ? "EINTR" : strerror(errno));
		return 0;
	}
	fprintf(stderr, "probe: what?\n");
	return 2;
}
