/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Images: a process, or what an exec needs of one, as a row of records.
 *
 * The framing is that of ELF notes (name "HOLON"), so that a tool for notes can
 * read one. A reader skips records it does not know, except those that have
 * HOLON_RECORD_MUST set: then the image is refused.
 */
#ifndef _KERNEL_HOLON_IMAGE_H
#define _KERNEL_HOLON_IMAGE_H

#include <linux/holon_file.h>
#include <linux/holon_rpc.h>
#include <linux/sizes.h>
#include <linux/types.h>

struct holon_task;
struct linux_binprm;

/* Largest image: the arguments of one execve() have at most 6 MiB. */
#define HOLON_IMAGE_MAX		(8U << 20)
#define HOLON_IMAGE_VERSION	3

#define HOLON_RECORD_MUST	0x80000000U

enum holon_record_type {
	HOLON_RECORD_EXEC	= HOLON_RECORD_MUST | 1,
	HOLON_RECORD_CREDS	= HOLON_RECORD_MUST | 2,
	HOLON_RECORD_TASK	= HOLON_RECORD_MUST | 3,
	HOLON_RECORD_FILE	= HOLON_RECORD_MUST | 4,
	HOLON_RECORD_CWD	= HOLON_RECORD_MUST | 5,	/* path, absent when not shared */
	HOLON_RECORD_NAME	= HOLON_RECORD_MUST | 6,	/* as given to execve() */
	HOLON_RECORD_PROGRAM	= HOLON_RECORD_MUST | 7,	/* path of the file */
	HOLON_RECORD_STRINGS	= HOLON_RECORD_MUST | 8,	/* arguments, environment */
	/* of a process that moves */
	HOLON_RECORD_MOVE	= HOLON_RECORD_MUST | 9,	/* instead of EXEC */
	HOLON_RECORD_THREAD	= HOLON_RECORD_MUST | 10,
	HOLON_RECORD_REGS	= HOLON_RECORD_MUST | 11,	/* struct user_regs_struct */
	HOLON_RECORD_XSTATE	= HOLON_RECORD_MUST | 12,	/* as PTRACE_GETREGSET has it */
	HOLON_RECORD_ACTIONS	= HOLON_RECORD_MUST | 13,	/* of signals 1..64 */
	HOLON_RECORD_MM		= HOLON_RECORD_MUST | 14,
	HOLON_RECORD_EXE	= HOLON_RECORD_MUST | 15,	/* the program */
	HOLON_RECORD_AREA	= HOLON_RECORD_MUST | 16,	/* a mapping; by address */
	HOLON_RECORD_CPU	= HOLON_RECORD_MUST | 17,	/* what the processor can */
	HOLON_RECORD_PROCESS	= HOLON_RECORD_MUST | 18,
	HOLON_RECORD_SIBLING	= HOLON_RECORD_MUST | 19,	/* begins another thread: its */
							/* CREDS, TASK, REGS and so on */
	HOLON_RECORD_ANON	= HOLON_RECORD_MUST | 20,	/* a file without a name */
	HOLON_RECORD_EPOLL	= HOLON_RECORD_MUST | 21,	/* what one of them looks at */
	HOLON_RECORD_TIMER	= HOLON_RECORD_MUST | 22,	/* of timer_create() */
	HOLON_RECORD_SECCOMP	= HOLON_RECORD_MUST | 23,	/* those of a thread in a row */
	HOLON_RECORD_CGROUP	= HOLON_RECORD_MUST | 24,	/* absent when nothing is limited */
	HOLON_RECORD_AFFINITY	= 25,	/* processors it has asked for: __le64[], as a mask */
};

/* First record of a process that moves. */
struct holon_record_move {
	__le32 version;
	__le32 flags;
} __packed __aligned(4);

/* A call that restart_syscall() continues. Times are what is left. */
enum holon_restart {
	HOLON_RESTART_NONE,
	HOLON_RESTART_SLEEP,	/* clock, type, rmtp, ns left */
	HOLON_RESTART_FUTEX,	/* uaddr, val, flags, bitset, ns left */
	HOLON_RESTART_POLL,	/* ufds, nfds, has_timeout, ns left */
};

/**
 * struct holon_record_thread - what the kernel keeps of a thread for its program
 * @robust_list, @set_child_tid, @clear_child_tid, @rseq: addresses
 * @sas_sp, @sas_size, @sas_flags: alternate signal stack
 * @restart: enum holon_restart, with its values in @restart_value
 */
struct holon_record_thread {
	__le64 robust_list, set_child_tid, clear_child_tid;
	__le64 rseq;
	__le32 rseq_len, rseq_sig;
	__le64 sas_sp, sas_size;
	__le32 sas_flags;
	__le32 restart;
	__le64 restart_value[5];
	__u8 comm[16];
} __packed __aligned(4);

/* A timer, in nanoseconds; @left is 0 when it does not run. */
struct holon_record_times {
	__le64 left, interval;
} __packed __aligned(4);

/**
 * struct holon_record_process - the same of all threads together
 * @utime, @stime, @runtime: used so far, in nanoseconds
 * @itimer: ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF
 */
struct holon_record_process {
	__le64 utime, stime, runtime;
	struct holon_record_times itimer[3];
} __packed __aligned(4);

/* Of timer_create(); @pid is the thread that SIGEV_THREAD_ID names. */
struct holon_record_timer {
	__le32 id, clock, notify, signo, pid, pad;
	__le64 value;
	__le64 overrun;
	struct holon_record_times times;
} __packed __aligned(4);

/* Instead of a number: only read, write and exit are allowed. */
#define HOLON_SECCOMP_STRICT	0xffffffffU

/* A seccomp filter; its instructions follow. @flags: SECCOMP_FILTER_FLAG_LOG */
struct holon_record_seccomp {
	__le32 nr, flags;
} __packed __aligned(4);

/**
 * struct holon_record_cgroup - limits of the control group at home
 * @id: of that group
 * @memory: bytes
 * @used: bytes that come with the process
 * @quota: microseconds of processor time, in each @period of them
 *
 * All ones is no limit.
 */
struct holon_record_cgroup {
	__le64 id, memory, used, quota, period;
} __packed __aligned(4);

/* Which thread: number and stay. */
struct holon_record_sibling {
	__le64 inc;
	__le32 pid;
	__le32 pad;
} __packed __aligned(4);

struct holon_record_action {
	__le64 handler, flags, restorer, mask;
} __packed __aligned(4);

/* Largest auxiliary vector of any architecture, in words. */
#define HOLON_AUXV_WORDS	64

struct holon_record_mm {
	__le64 start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
	__le64 arg_start, arg_end, env_start, env_end;
	__le64 mmap_base;
	__le64 flags, def_flags;
	__le64 membarrier;
	__le64 vdso;
	__le32 vdso_size, vdso_crc;
	__le64 auxv[HOLON_AUXV_WORDS];
} __packed __aligned(4);

/* It can be had by its name on another node, if it is the same file there. */
#define HOLON_MAP_NAMED		0x01

/**
 * struct holon_record_map - which file is mapped
 * @ino, @size, @modified, @crc: of one with a name; time in nanoseconds, the last one of
 *	its first page
 * @paged: where to read it, if its home lets
 * @flags: HOLON_MAP_*
 */
struct holon_record_map {
	__le64 ino, size, modified;
	struct holon_paged paged;
	__le32 flags, crc;
} __packed __aligned(4);

/* The program; its path follows. */
struct holon_record_exe {
	struct holon_record_map map;
} __packed __aligned(4);

/**
 * struct holon_record_area - one mapping; the path of its file follows, or ""
 * @flags: VM_*
 * @offset: in the file, in pages
 */
struct holon_record_area {
	__le64 start, end, flags, offset;
	struct holon_record_map map;
} __packed __aligned(4);

/* Must come first. */
struct holon_record_exec {
	__le32 version;
	__le32 argc;
	__le32 envc;
	__le32 flags;
} __packed __aligned(4);

struct holon_record_task {
	__le32 policy;
	__le32 nice;
	__le32 priority;
	__le32 ioprio;
	__le32 personality;
	__le32 umask;
	__le32 oom_score_adj;
	__le32 oom_score_adj_min;
	__le64 timer_slack;
	__le64 blocked;
	__le64 ignored;
	__le64 rlimit[16][2];
} __packed __aligned(4);

/**
 * struct holon_record_file - one descriptor
 * @info: what a remote file has to look like
 * @pos: position
 * @ino: identity, checked after opening
 * @first: lowest descriptor of the same description
 * @reopen: the path that follows may be opened at the guest's node
 * @hosted: it is operated at the node of that; the path that follows is its name
 */
struct holon_record_file {
	struct holon_file_info info;
	__le64 pos;
	__le64 ino;
	__le32 first;
	__le32 reopen;
	struct holon_hosted hosted;
} __packed __aligned(4);

enum holon_anon {
	HOLON_ANON_EVENTFD = 1,	/* count, semaphore? */
	HOLON_ANON_TIMERFD,	/* clock, flags, ticks, ns left, ns between */
	HOLON_ANON_SIGNALFD,	/* mask */
	HOLON_ANON_EPOLL,
};

/* Its other descriptors have FILE records. */
struct holon_record_anon {
	__le32 fd;
	__le32 kind;	/* enum holon_anon, which says what @value is */
	__le32 flags;	/* O_NONBLOCK, O_CLOEXEC */
	__le32 pad;
	__le64 value[5];
} __packed __aligned(4);

/* One entry: descriptors of the epoll and of the file, and what is wanted. */
struct holon_record_epoll {
	__le32 epoll, fd, events, pad;
	__le64 data;
} __packed __aligned(4);

struct holon_image {
	void *data;
	size_t len;
	size_t size;	/* allocated */
};

struct holon_record {
	u32 type;
	const void *data;
	size_t len;
};

void *holon_image_add(struct holon_image *image, u32 type, size_t len);
int holon_image_put(struct holon_image *image, u32 type, const void *data, size_t len);
int holon_image_next(const struct holon_image *image, size_t *pos, struct holon_record *record);
void holon_image_free(struct holon_image *image);

/* image_send.c: see there */
struct holon_reply;

/* Images up to this travel in the request itself. */
#define HOLON_IMAGE_INLINE	(HOLON_MSG_MAX - SZ_4K)

static inline bool holon_image_in_pieces(const struct holon_image *image)
{
	return image->len > HOLON_IMAGE_INLINE;
}

/**
 * struct holon_ready - what a guest says that waits to be let go
 * @creds: what it may do, by value
 * @creds_len: their length
 * @dumpable: SUID_DUMP_*
 * @reopened: descriptors that it has opened again
 * @n: their number
 */
struct holon_ready {
	const void *creds;
	size_t creds_len;
	unsigned int dumpable;
	const __le32 *reopened;
	unsigned int n;
};

int holon_image_pieces(const struct holon_task *ht, u8 node, const struct holon_image *image);
int holon_image_call(const struct holon_task *ht, const struct holon_image *image,
		     struct holon_reply *reply);
void holon_image_go(const struct holon_task *ht, bool abort);
int holon_ready_parse(const struct holon_reply *reply, struct holon_ready *ready);

/* spawner.c: take over an image that came in pieces. 0, -ESTALE, -EBADMSG. */
int holon_image_take(u8 node, pid_t pid, u64 inc, struct holon_image *image);

/* image_export.c: what an exec needs */
int holon_image_export(struct holon_image *image, struct linux_binprm *bprm);

/**
 * holon_cgroup_export - write down what the control groups of current limit
 * @image: added to, of a process that is at home
 *
 * Return: 0; -ENOMEM; -ENAMETOOLONG; -EAGAIN when it changes its group all the time; or
 *	why a limit cannot be read.
 */
int holon_cgroup_export(struct holon_image *image);

/**
 * holon_cgroup_import - have current, a new guest, and its children limited like that
 * @record: or NULL
 *
 * Return: 0; -EDQUOT when a limit cannot be set here; -ENOMEM; -EINTR when it is killed.
 */
int holon_cgroup_import(const struct holon_record_cgroup *record);

/* image_import.c: the same, at the guest's node */
struct holon_import;
struct holon_import *holon_image_parse(const struct holon_image *image);
int holon_image_import(struct holon_import *import, struct holon_task *ht);
int holon_image_execute(struct holon_import *import);
/* Descriptors that were opened again. */
const __le32 *holon_import_reopened(const struct holon_import *import, unsigned int *n);
void holon_import_free(struct holon_import *import);

#endif /* _KERNEL_HOLON_IMAGE_H */
