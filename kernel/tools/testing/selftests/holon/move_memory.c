// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a process that moves: every kind of mapping, and what the kernel knows
 * of its layout.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "move.h"

#define PAGE	4096UL
#define MEGA	(1UL << 20)

static unsigned char *area, *other;
static unsigned long sum;

static void fill(unsigned char *at, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		at[i] = (seed = seed * 1103515245 + 12345) >> 16;
}

static bool filled(const unsigned char *at, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (at[i] != (unsigned char)((seed = seed * 1103515245 + 12345) >> 16))
			return false;
	return true;
}

static unsigned char *map(size_t len, int prot, int flags, int fd)
{
	void *at = mmap(NULL, len, prot, flags, fd, 0);

	CHECK(at != MAP_FAILED);
	return at;
}

static unsigned char *anonymous(size_t len)
{
	return map(len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* A line of /proc/self/smaps of the mapping at @at, behind "@key:". */
static bool smaps(const void *at, const char *key, char *value, size_t len)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	char line[512];
	unsigned long start, end;
	bool inside = false, found = false;

	CHECK(file);
	while (file && !found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= (unsigned long)at && (unsigned long)at < end;
		else if (inside && !strncmp(line, key, strlen(key)) && line[strlen(key)] == ':') {
			snprintf(value, len, "%s", line + strlen(key) + 1);
			found = true;
		}
	}
	if (file)
		fclose(file);
	return found;
}

/* A file of /proc that was opened before a move ends there: look again. */
static bool has_flag(const void *at, const char *flag)
{
	char value[512];
	int tries;

	for (tries = 0; tries < 20; tries++)
		if (smaps(at, "VmFlags", value, sizeof(value)))
			return strstr(value, flag);
	return false;
}

/* --- anonymous ------------------------------------------------------------- */

static void make_anonymous(void)
{
	area = anonymous(MEGA);
	fill(area, MEGA, 1);
}

static void look_anonymous(void)
{
	CHECK(filled(area, MEGA, 1));
}

static void make_sparse(void)
{
	area = anonymous(64 * MEGA);
	fill(area + 3 * PAGE, PAGE, 2);
	fill(area + 40 * MEGA + 7, 100, 3);
	area[64 * MEGA - 1] = 9;
	/* Touched, and nothing in it. */
	memset(area + 20 * MEGA, 0, 64 * PAGE);
}

static void look_sparse(void)
{
	CHECK(filled(area + 3 * PAGE, PAGE, 2));
	CHECK(filled(area + 40 * MEGA + 7, 100, 3));
	CHECK(area[64 * MEGA - 1] == 9 && !area[20 * MEGA + 5] && !area[PAGE]);
}

static void make_big(void)
{
	area = anonymous(16 * MEGA);
	fill(area, 16 * MEGA, 4);
}

static void look_big(void)
{
	CHECK(filled(area, 16 * MEGA, 4));
	/* And it can be written. */
	fill(area, 16 * MEGA, 4);
}

static void make_read_only(void)
{
	area = anonymous(8 * PAGE);
	fill(area, 8 * PAGE, 5);
	CHECK(!mprotect(area, 4 * PAGE, PROT_READ));
	CHECK(!mprotect(area + 6 * PAGE, PAGE, PROT_NONE));
}

static sigjmp_buf jump;

static void on_fault(int sig)
{
	siglongjmp(jump, sig);
}

/* Does touching it raise SIGSEGV? */
static bool faults(volatile unsigned char *at, bool write)
{
	struct sigaction action = { .sa_handler = on_fault }, old;
	bool fault = true;

	sigaction(SIGSEGV, &action, &old);
	if (!sigsetjmp(jump, 1)) {
		if (write)
			*at = 1;
		else
			(void)*at;
		fault = false;
	}
	sigaction(SIGSEGV, &old, NULL);
	return fault;
}

static void look_read_only(void)
{
	CHECK(filled(area, 6 * PAGE, 5));
	CHECK(faults(area + PAGE, true) && !faults(area + PAGE, false));
	CHECK(faults(area + 6 * PAGE, false) && !faults(area + 7 * PAGE, true));
}

static void make_noaccess(void)
{
	area = anonymous(2 * PAGE);
	fill(area, 2 * PAGE, 6);
	CHECK(!mprotect(area, 2 * PAGE, PROT_NONE));
}

static void look_noaccess(void)
{
	CHECK(faults(area, false));
	CHECK(!mprotect(area, 2 * PAGE, PROT_READ));
	CHECK(filled(area, 2 * PAGE, 6));
	CHECK(!mprotect(area, 2 * PAGE, PROT_NONE));
}

/* x86: mov eax, 42; ret */
static void make_code(void)
{
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };

	area = anonymous(PAGE);
	memcpy(area, code, sizeof(code));
	CHECK(!mprotect(area, PAGE, PROT_READ | PROT_EXEC));
}

static void look_code(void)
{
	CHECK(((int (*)(void))area)() == 42);
}

static void make_moved(void)
{
	area = anonymous(4 * PAGE);
	other = anonymous(8 * PAGE);
	fill(area, 4 * PAGE, 7);
	munmap(other, 8 * PAGE);
	area = mremap(area, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, other);
	CHECK(area == other);
}

static void look_moved(void)
{
	CHECK(filled(area, 4 * PAGE, 7) && !area[5 * PAGE]);
	area = mremap(area, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	CHECK(area == other);
}

static void make_hints(void)
{
	area = anonymous(6 * PAGE);
	memset(area, 1, 6 * PAGE);
	CHECK(!madvise(area, PAGE, MADV_DONTFORK));
	CHECK(!madvise(area + PAGE, PAGE, MADV_WIPEONFORK));
	CHECK(!madvise(area + 2 * PAGE, PAGE, MADV_DONTDUMP));
	CHECK(!madvise(area + 3 * PAGE, PAGE, MADV_RANDOM));
	CHECK(!madvise(area + 4 * PAGE, PAGE, MADV_SEQUENTIAL));
}

static void look_hints(void)
{
	CHECK(has_flag(area, " dc"));
	CHECK(has_flag(area + PAGE, " wf"));
	CHECK(has_flag(area + 2 * PAGE, " dd"));
	CHECK(has_flag(area + 3 * PAGE, " rr"));
	CHECK(has_flag(area + 4 * PAGE, " sr"));
	CHECK(!has_flag(area + 5 * PAGE, " dd"));
	CHECK(area[PAGE] == 1 && area[0] == 1);
}

static void make_locked(void)
{
	area = anonymous(4 * PAGE);
	fill(area, 4 * PAGE, 8);
	CHECK(!mlock(area, 4 * PAGE));
}

static void look_locked(void)
{
	CHECK(has_flag(area, " lo"));
	CHECK(filled(area, 4 * PAGE, 8));
}

/* --- files ----------------------------------------------------------------- */

static int filled_file(const char *name, size_t len, unsigned int seed)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
	unsigned char *data = malloc(len);

	CHECK(fd >= 0);
	fill(data, len, seed);
	CHECK(write(fd, data, len) == (ssize_t)len);
	free(data);
	return fd;
}

static void make_file(void)
{
	int fd = filled_file(in_shared("mapped"), 8 * PAGE, 10);

	area = map(8 * PAGE, PROT_READ, MAP_PRIVATE, fd);
	close(fd);
}

static void look_file(void)
{
	CHECK(filled(area, 8 * PAGE, 10));
}

static void make_file_copy(void)
{
	int fd = filled_file(in_shared("mapped"), 8 * PAGE, 11);

	area = map(8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	close(fd);
	fill(area + 2 * PAGE, PAGE, 12);
	memset(area + 4 * PAGE, 0, PAGE);
}

static void look_file_copy(void)
{
	unsigned int i;

	CHECK(filled(area, 2 * PAGE, 11) && filled(area + 2 * PAGE, PAGE, 12));
	for (i = 0; i < PAGE; i++)
		CHECK(!area[4 * PAGE + i]);
}

static void make_file_shared(void)
{
	int fd = filled_file(in_shared("mapped"), 4 * PAGE, 13);

	close(fd);
	fd = open(in_shared("mapped"), O_RDONLY);
	area = map(4 * PAGE, PROT_READ, MAP_SHARED, fd);
	close(fd);
}

static void look_file_shared(void)
{
	CHECK(filled(area, 4 * PAGE, 13));
}

#define HOME_LEN	(90 * PAGE - 100)

/* A file that only home has, whose end is in the middle of a page. */
static void make_home_file(void)
{
	int fd = filled_file(in_scratch("mapped"), HOME_LEN, 14);

	area = map(90 * PAGE, PROT_READ, MAP_PRIVATE, fd);
	other = map(90 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	close(fd);
	memset(other + 50 * PAGE + 1, 1, 2 * PAGE);
}

static void look_home_file(void)
{
	static unsigned int looks;
	int status = -1;
	pid_t child;
	size_t i;

	/* Each time another page is touched first. */
	sum += ((volatile unsigned char *)area)[looks++ * 7 % 90 * PAGE];
	CHECK(filled(area, HOME_LEN, 14) && filled(other, 50 * PAGE + 1, 14));
	for (i = 0; i < 2 * PAGE; i++)
		CHECK(other[50 * PAGE + 1 + i] == 1);
	for (i = HOME_LEN; i < 90 * PAGE; i++)
		CHECK(!area[i] && !other[i]);
	CHECK(!memcmp(other + 52 * PAGE + 1, area + 52 * PAGE + 1, 30 * PAGE));
	/* One more page that is the program's own. */
	i = (60 + looks % 20) * PAGE;
	other[i] = area[i];
	child = fork();
	if (!child)
		_exit(filled(area, HOME_LEN, 14) ? 3 : 4);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

static void make_deleted(void)
{
	int fd = filled_file(in_shared("mapped"), 8 * PAGE, 15);

	close(fd);
	fd = open(in_shared("mapped"), O_RDONLY);
	area = map(8 * PAGE, PROT_READ, MAP_PRIVATE, fd);
	close(fd);
	unlink(in_shared("mapped"));
	fd = filled_file(in_scratch("mapped"), 8 * PAGE, 16);
	other = map(8 * PAGE, PROT_READ, MAP_PRIVATE, fd);
	close(fd);
	unlink(in_scratch("mapped"));
}

static void look_deleted(void)
{
	CHECK(filled(area, 8 * PAGE, 15) && filled(other, 8 * PAGE, 16));
}

/* --- layout ---------------------------------------------------------------- */

static void make_brk(void)
{
	area = sbrk(0);
	CHECK(sbrk(20 * PAGE) == area);
	fill(area, 20 * PAGE, 20);
}

static void look_brk(void)
{
	void *end = sbrk(0);

	CHECK(end == area + 20 * PAGE && filled(area, 20 * PAGE, 20));
	CHECK(sbrk(PAGE) == end);
	((unsigned char *)end)[5] = 1;
	CHECK(sbrk(-PAGE) == (unsigned char *)end + PAGE);
}

static void make_heap(void)
{
	area = malloc(3 * MEGA);
	other = malloc(77);
	fill(area, 3 * MEGA, 21);
	fill(other, 77, 22);
}

static void look_heap(void)
{
	unsigned char *more = malloc(100000);

	memset(more, 1, 100000);
	CHECK(filled(area, 3 * MEGA, 21) && filled(other, 77, 22));
	free(more);
}

static unsigned long deep(unsigned int depth)
{
	volatile unsigned char frame[1000];

	memset((void *)frame, depth, sizeof(frame));
	return depth ? deep(depth - 1) + frame[depth % 1000] : frame[0];
}

static void make_stack(void)
{
	sum = deep(2000);
}

static void look_stack(void)
{
	CHECK(deep(2000) == sum);
	/* Further down than it has ever been. */
	CHECK(deep(4000) > sum);
}

static char command_line[4096];
static size_t command_len;

static size_t read_proc(const char *name, char *data, size_t len)
{
	int fd = open(name, O_RDONLY);
	ssize_t got = read(fd, data, len);

	CHECK(fd >= 0 && got > 0);
	close(fd);
	return got > 0 ? got : 0;
}

static void make_arguments(void)
{
	command_len = read_proc("/proc/self/cmdline", command_line, sizeof(command_line));
	sum = getauxval(AT_RANDOM);
}

static void look_arguments(void)
{
	char line[sizeof(command_line)];
	size_t len = read_proc("/proc/self/cmdline", line, sizeof(line));
	unsigned long auxv[64];

	CHECK(len == command_len && !memcmp(line, command_line, len));
	CHECK(getauxval(AT_RANDOM) == sum);
	len = read_proc("/proc/self/auxv", (char *)auxv, sizeof(auxv));
	CHECK(len > 100 && auxv[0] == AT_SYSINFO_EHDR && auxv[1] == getauxval(AT_SYSINFO_EHDR));
}

static void make_exe(void)
{
}

static void look_exe(void)
{
	char name[200] = "";

	CHECK(readlink("/proc/self/exe", name, sizeof(name) - 1) > 0);
	CHECK(!strncmp(name, "/home/", 6));
}

/* --- fork shares nothing that moves ---------------------------------------- */

static void make_child(void)
{
	make_anonymous();
}

static void look_child(void)
{
	int status = -1;
	pid_t child = fork();

	if (!child) {
		bool good = filled(area, MEGA, 1);

		memset(area, 0, MEGA);
		_exit(good ? 3 : 4);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	CHECK(filled(area, MEGA, 1));
}

static long long last;

static void make_clock(void)
{
	last = now_ms();
}

static void look_clock(void)
{
	struct timespec ts, real;
	long long now;
	int i;

	for (i = 0; i < 1000; i++) {
		now = now_ms();
		CHECK(now >= last && now < last + 60000);
		last = now;
	}
	CHECK(!clock_gettime(CLOCK_BOOTTIME, &ts) && ts.tv_sec > 0);
	CHECK(!clock_gettime(CLOCK_REALTIME, &real) && real.tv_sec > 1700000000);
}

const struct state memory_states[] = {
	{ "anonymous memory", make_anonymous, look_anonymous },
	{ "sparse memory", make_sparse, look_sparse },
	{ "16 MiB", make_big, look_big },
	{ "read-only memory", make_read_only, look_read_only },
	{ "memory without access", make_noaccess, look_noaccess },
	{ "generated code", make_code, look_code },
	{ "mremap", make_moved, look_moved },
	{ "madvise", make_hints, look_hints },
	{ "mlock", make_locked, look_locked },
	{ "mapped file", make_file, look_file },
	{ "private copy of a file", make_file_copy, look_file_copy },
	{ "shared mapping to read", make_file_shared, look_file_shared },
	{ "mapped file of home", make_home_file, look_home_file },
	{ "mapped file that is deleted", make_deleted, look_deleted },
	{ "brk", make_brk, look_brk },
	{ "heap", make_heap, look_heap },
	{ "stack", make_stack, look_stack },
	{ "arguments", make_arguments, look_arguments },
	{ "program", make_exe, look_exe },
	{ "memory and fork", make_child, look_child },
	{ "clocks", make_clock, look_clock },
	{}
};
