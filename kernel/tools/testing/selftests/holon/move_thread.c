// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers, thread-local things, credentials, limits and what else belongs to the
 * process itself.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <fcntl.h>
#include <fenv.h>
#include <grp.h>
#include <linux/futex.h>
#include <linux/oom.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#include "move.h"

/* --- registers ------------------------------------------------------------- */

static double terms[1000];

/* Registers of all kinds live across the loop, and calls into the kernel. */
static double series(void)
{
	double sum = 0;
	int i;

	for (i = 1; i < 1000; i++) {
		sum += sin(i) / sqrt(i);
		if (i % 100 == 0)
			getppid();
	}
	return sum;
}

static void make_float(void)
{
	terms[0] = series();
}

static void look_float(void)
{
	CHECK(series() == terms[0]);
}

static void make_vector(void)
{
}

/* What a register holds while the process is moved in the call. */
static void look_vector(void)
{
	unsigned char in[32], out[32];
	long number = SYS_getppid, result;
	int i;

	for (i = 0; i < 32; i++)
		in[i] = i * 7 + 1;
	if (__builtin_cpu_supports("avx")) {
		asm volatile("vmovdqu %2, %%ymm9\n\tsyscall\n\tvmovdqu %%ymm9, %1"
			     : "=a"(result), "=m"(out) : "m"(in), "0"(number)
			     : "rcx", "r11", "xmm9", "memory");
		CHECK(!memcmp(in, out, 32));
	} else {
		asm volatile("movdqu %2, %%xmm9\n\tsyscall\n\tmovdqu %%xmm9, %1"
			     : "=a"(result), "=m"(out) : "m"(in), "0"(number)
			     : "rcx", "r11", "xmm9", "memory");
		CHECK(!memcmp(in, out, 16));
	}
	CHECK(result > 0);
}

static void make_rounding(void)
{
	CHECK(!fesetround(FE_UPWARD));
}

static void look_rounding(void)
{
	volatile double one = 1, three = 3;
	unsigned short control;

	CHECK(fegetround() == FE_UPWARD);
	asm volatile("fnstcw %0" : "=m"(control));
	CHECK((control & 0xc00) == 0x800);
	CHECK(one / three > 0.33333333333333331);
}

static __thread int local = 1;
static __thread char locals[5000];

static void make_local(void)
{
	local = 77;
	memset(locals, 7, sizeof(locals));
}

static void look_local(void)
{
	CHECK(local == 77 && locals[4999] == 7);
}

static void make_gs(void)
{
	CHECK(!syscall(SYS_arch_prctl, ARCH_SET_GS, 0x123456789000UL));
}

static void look_gs(void)
{
	unsigned long base = 0;

	CHECK(!syscall(SYS_arch_prctl, ARCH_GET_GS, &base) && base == 0x123456789000UL);
}

static void make_cpu(void)
{
}

static void look_cpu(void)
{
	unsigned int cpu = ~0U;

	/* The first is read from memory that the kernel writes: rseq. */
	CHECK(sched_getcpu() >= 0);
	CHECK(!syscall(SYS_getcpu, &cpu, NULL, NULL) && cpu < 1024);
}

static int word;

static void make_lists(void)
{
	CHECK(syscall(SYS_set_tid_address, &word) == getpid());
}

static void look_lists(void)
{
	void *head = NULL;
	size_t len = 0;

	CHECK(!syscall(SYS_get_robust_list, 0, &head, &len) && head && len == 24);
	CHECK(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0);
}

/* --- identity -------------------------------------------------------------- */

static pid_t pid, parent, group, session;

static void make_numbers(void)
{
	pid = getpid();
	parent = getppid();
	CHECK(!setpgid(0, 0));
	group = getpgrp();
	session = getsid(0);
}

static void look_numbers(void)
{
	CHECK(getpid() == pid && syscall(SYS_gettid) == pid && getppid() == parent);
	CHECK(getpgrp() == group && getsid(0) == session);
	CHECK(!kill(pid, 0) && !kill(parent, 0));
}

static void make_user(void)
{
	gid_t groups[] = { 5, 1000, 2000 };

	CHECK(!setgroups(3, groups) && !setresgid(1000, 1000, 1000));
	CHECK(!setresuid(1000, 1000, 1000));
}

static void look_user(void)
{
	uid_t r, e, s;
	gid_t groups[8];

	CHECK(!getresuid(&r, &e, &s) && r == 1000 && e == 1000 && s == 1000);
	CHECK(getgroups(8, groups) == 3 && groups[1] == 1000 && groups[2] == 2000);
	CHECK(setuid(0) < 0 && errno == EPERM);
	CHECK(open("/etc/shadow", O_RDWR) < 0);
}

static void make_effective(void)
{
	CHECK(!setresgid(1000, 1000, 0) && !setresuid(1000, 1000, 0));
}

/* There and back, each time. */
static void look_effective(void)
{
	CHECK(geteuid() == 1000 && !seteuid(0) && !seteuid(1000));
}

static void make_capabilities(void)
{
	CHECK(!prctl(PR_CAPBSET_DROP, CAP_SYS_TIME));
	CHECK(!prctl(PR_SET_SECUREBITS, 1 << 2));
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static void look_capabilities(void)
{
	CHECK(prctl(PR_CAPBSET_READ, CAP_SYS_TIME) == 0);
	CHECK(prctl(PR_CAPBSET_READ, CAP_KILL) == 1);
	CHECK(prctl(PR_GET_SECUREBITS) == 1 << 2);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

static void make_limits(void)
{
	struct rlimit files = { 50, 60 }, cpu = { 1000, 2000 };

	CHECK(!setrlimit(RLIMIT_NOFILE, &files) && !setrlimit(RLIMIT_CPU, &cpu));
}

static void look_limits(void)
{
	struct rlimit files, cpu;

	CHECK(!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur == 50 && files.rlim_max == 60);
	CHECK(!getrlimit(RLIMIT_CPU, &cpu) && cpu.rlim_cur == 1000 && cpu.rlim_max == 2000);
	CHECK(dup2(0, 51) < 0 && errno == EBADF);
}

static void make_nice(void)
{
	struct sched_param param = {};

	CHECK(!sched_setscheduler(0, SCHED_BATCH, &param));
	CHECK(nice(7) == 7);
}

static void look_nice(void)
{
	CHECK(getpriority(PRIO_PROCESS, 0) == 7 && sched_getscheduler(0) == SCHED_BATCH);
}

static void make_prctl(void)
{
	CHECK(!prctl(PR_SET_NAME, "a name"));
	CHECK(!prctl(PR_SET_DUMPABLE, 0));
	CHECK(!prctl(PR_SET_PDEATHSIG, 12));
	CHECK(!prctl(PR_SET_TIMERSLACK, 77777));
	CHECK(!prctl(PR_SET_KEEPCAPS, 1));
	CHECK(!prctl(PR_SET_CHILD_SUBREAPER, 1));
}

static void look_prctl(void)
{
	char name[16] = "";
	int signal = 0, reaper = 0;

	CHECK(!prctl(PR_GET_NAME, name) && !strcmp(name, "a name"));
	CHECK(prctl(PR_GET_DUMPABLE) == 0);
	CHECK(!prctl(PR_GET_PDEATHSIG, &signal) && signal == 12);
	CHECK(prctl(PR_GET_TIMERSLACK) == 77777);
	CHECK(prctl(PR_GET_KEEPCAPS) == 1);
	CHECK(!prctl(PR_GET_CHILD_SUBREAPER, &reaper) && reaper == 1);
}

static void make_personality(void)
{
	CHECK(personality(ADDR_NO_RANDOMIZE) >= 0);
}

static void look_personality(void)
{
	CHECK(personality(0xffffffff) == ADDR_NO_RANDOMIZE);
}

static void make_mask(void)
{
	umask(027);
}

static void look_mask(void)
{
	struct stat status;
	int fd = open(in_scratch("mask"), O_CREAT | O_WRONLY | O_TRUNC, 0666);

	CHECK(fd >= 0 && !fstat(fd, &status) && (status.st_mode & 0777) == 0640);
	close(fd);
	CHECK(!unlink(in_scratch("mask")));
	fd = open(in_shared("mask"), O_CREAT | O_WRONLY | O_TRUNC, 0666);
	CHECK(fd >= 0 && !fstat(fd, &status) && (status.st_mode & 0777) == 0640);
	close(fd);
	CHECK(!unlink(in_shared("mask")));
}

static struct utsname uts;

static void make_host(void)
{
	CHECK(!uname(&uts));
}

static void look_host(void)
{
	struct utsname now;

	CHECK(!uname(&now) && !strcmp(now.nodename, uts.nodename));
}

/* --- seccomp --------------------------------------------------------------- */

void forbid(unsigned int nr, unsigned int error, bool all)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	unsigned int flags = SECCOMP_FILTER_FLAG_LOG | (all ? SECCOMP_FILTER_FLAG_TSYNC : 0);

	CHECK(!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

bool forbidden(unsigned int nr, int error)
{
	errno = 0;
	return syscall(nr, 1, 0, 0) == -1 && errno == error;
}

static void make_seccomp(void)
{
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	forbid(SYS_ustat, 77, false);
	forbid(SYS_sysfs, 78, false);
}

/* The first time one more is set, wherever that is, and it is above the others. */
static void look_seccomp(void)
{
	static bool set;
	int status = -1;
	pid_t child;

	CHECK(forbidden(SYS_ustat, 77));
	if (!set) {
		CHECK(forbidden(SYS_sysfs, 78));
		forbid(SYS_sysfs, 79, false);
		set = true;
	}
	CHECK(forbidden(SYS_sysfs, 79));
	child = fork();
	if (!child)
		_exit(forbidden(SYS_ustat, 77) && forbidden(SYS_sysfs, 79) ? 3 : 4);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	CHECK(prctl(PR_GET_SECCOMP) == SECCOMP_MODE_FILTER);
}

const struct state thread_states[] = {
	{ "floating point", make_float, look_float },
	{ "vector registers", make_vector, look_vector },
	{ "rounding", make_rounding, look_rounding },
	{ "thread-local memory", make_local, look_local },
	{ "segment base", make_gs, look_gs },
	{ "number of the processor", make_cpu, look_cpu },
	{ "robust list", make_lists, look_lists },
	{ "numbers", make_numbers, look_numbers },
	{ "user and groups", make_user, look_user },
	{ "effective user", make_effective, look_effective },
	{ "capabilities", make_capabilities, look_capabilities },
	{ "limits", make_limits, look_limits },
	{ "priority", make_nice, look_nice },
	{ "prctl", make_prctl, look_prctl },
	{ "seccomp", make_seccomp, look_seccomp },
	{ "personality", make_personality, look_personality },
	{ "umask", make_mask, look_mask },
	{ "name of the host", make_host, look_host },
	{}
};
