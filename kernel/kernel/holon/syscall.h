/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a system call of a guest does first, by number.
 */
#ifndef _KERNEL_HOLON_SYSCALL_H
#define _KERNEL_HOLON_SYSCALL_H

#include <linux/bits.h>
#include <linux/types.h>

struct holon_marshal;
struct holon_task;
struct pt_regs;
struct restart_block;

/**
 * enum holon_class - where a call runs
 * @HOLON_UNKNOWN: no entry in the table: not decided, which a unit test forbids
 * @HOLON_LOCAL: here
 * @HOLON_LOCAL_FD: here if its descriptors are local files, else at the deputy
 * @HOLON_LOCAL_PATH: tried here; at the deputy if the walk left the shared tree
 * @HOLON_MIRROR: here, and its effect at the deputy too
 * @HOLON_FORWARD: at the deputy
 * @HOLON_SPECIAL: both halves take part
 * @HOLON_HOME: the process has to come home for it
 */
enum holon_class {
	HOLON_UNKNOWN,
	HOLON_LOCAL,
	HOLON_LOCAL_FD,
	HOLON_LOCAL_PATH,
	HOLON_MIRROR,
	HOLON_FORWARD,
	HOLON_SPECIAL,
	HOLON_HOME,
	HOLON_CLASSES
};

/**
 * enum holon_verdict - what a handler has found out about one call
 * @HOLON_DO_LOCAL: run it here, by the native path
 * @HOLON_DO_FORWARD: run it at the deputy as the table describes it
 * @HOLON_DO_HOME: it would have to come home
 * @HOLON_DONE: done; the result is in *ret
 */
enum holon_verdict {
	HOLON_DO_LOCAL,
	HOLON_DO_FORWARD,
	HOLON_DO_HOME,
	HOLON_DONE,
};

/*
 * Descriptors of arguments: kind, a number n (mostly the index of the argument
 * with the length) and a size.
 */
enum holon_arg_kind {
	HOLON_ARG_VALUE,	/* passed as it is */
	HOLON_ARG_NULL,		/* the deputy gets 0 */
	HOLON_ARG_FD,		/* a descriptor */
	HOLON_ARG_DIRFD,	/* a directory's descriptor or AT_FDCWD; the path is next */
	HOLON_ARG_PATH,		/* path name */
	HOLON_ARG_STRING,	/* other string, with its 0 at most @size bytes */
	HOLON_ARG_IN,		/* bytes read by the call: length in argument n, and @size more */
	HOLON_ARG_OUT,		/* bytes written: as many as the result says; capacity as before */
	HOLON_ARG_OUT_FULL,	/* bytes written: all of the length in n */
	HOLON_ARG_IN_FIXED,	/* @size bytes */
	HOLON_ARG_OUT_FIXED,
	HOLON_ARG_INOUT_FIXED,
	HOLON_ARG_INOUT_ALWAYS,	/* the same, written back after an error too */
	HOLON_ARG_IN_ARRAY,	/* elements of @size bytes, their number in n */
	HOLON_ARG_OUT_ARRAY,	/* the same, written: the result is their number */
	HOLON_ARG_INOUT_ARRAY,
	HOLON_ARG_IOVEC_IN,	/* iovec array with n elements, read by the call */
	HOLON_ARG_IOVEC_OUT,
	HOLON_ARG_MSG_IN,	/* struct user_msghdr of a send */
	HOLON_ARG_MSG_OUT,	/* and of a receive */
	HOLON_ARG_ADDR_OUT,	/* bytes written: capacity and length behind argument n */
	HOLON_ARG_LENGTH,	/* that int; handled with HOLON_ARG_ADDR_OUT */
	HOLON_ARG_KINDS
};

#define HOLON_ARG(kind, n, size)	((u32)(kind) | (u32)(n) << 8 | (u32)(size) << 16)
#define HOLON_ARG_KIND(arg)		((arg) & 0xff)
#define HOLON_ARG_N(arg)		((arg) >> 8 & 0xff)
#define HOLON_ARG_SIZE(arg)		((arg) >> 16)

/**
 * struct holon_syscall - one entry of the table
 * @name: of the call
 * @class: enum holon_class
 * @fd_result: enum holon_forward_fd
 * @forward: the deputy accepts it
 * @handler: looks at the arguments, or NULL
 * @arg: descriptors
 */
struct holon_syscall {
	const char *name;
	u8 class;
	u8 fd_result;
	bool forward;
	enum holon_verdict (*handler)(struct holon_task *ht, struct pt_regs *regs,
				      const struct holon_syscall *call, long *ret);
	u32 arg[6];
};

/* Table entry of a native number, NULL for the gap and beyond the end. */
const struct holon_syscall *holon_syscall_entry(unsigned long nr);

/* A handler that looks at arguments. */
#define HOLON_HANDLER(_name)						\
	enum holon_verdict holon_do_##_name(struct holon_task *ht, struct pt_regs *regs, \
					    const struct holon_syscall *call, long *ret)

/* syscall_fd.c */
HOLON_HANDLER(close);
HOLON_HANDLER(close_range);
HOLON_HANDLER(dup);
HOLON_HANDLER(dup2);
HOLON_HANDLER(fcntl);
HOLON_HANDLER(ioctl);
HOLON_HANDLER(epoll_ctl);
HOLON_HANDLER(epoll_wait);
HOLON_HANDLER(mixed);
HOLON_HANDLER(splice);
HOLON_HANDLER(vmsplice);
HOLON_HANDLER(mmsg);
HOLON_HANDLER(mq_notify);
HOLON_HANDLER(setsockopt);
HOLON_HANDLER(mmap);

/* syscall_poll.c */
HOLON_HANDLER(poll);
HOLON_HANDLER(ppoll);
HOLON_HANDLER(select);
HOLON_HANDLER(pselect6);

/* syscall_path.c */
HOLON_HANDLER(path);
HOLON_HANDLER(open);
HOLON_HANDLER(chdir);
HOLON_HANDLER(fchdir);
HOLON_HANDLER(getcwd);
HOLON_HANDLER(umask);
HOLON_HANDLER(name_to_handle);

/* syscall_task.c */
HOLON_HANDLER(self);
HOLON_HANDLER(capget);
HOLON_HANDLER(kill);
HOLON_HANDLER(tgkill);
HOLON_HANDLER(getrusage);
HOLON_HANDLER(times);
HOLON_HANDLER(mirror);
HOLON_HANDLER(mirror_self);
HOLON_HANDLER(priority);
HOLON_HANDLER(creds);
HOLON_HANDLER(setrlimit);
HOLON_HANDLER(prlimit);
HOLON_HANDLER(prctl);
HOLON_HANDLER(sigaction);
HOLON_HANDLER(seccomp);
HOLON_HANDLER(sysfs);
HOLON_HANDLER(reboot);
HOLON_HANDLER(semctl);
HOLON_HANDLER(ipcctl);
HOLON_HANDLER(keyctl);
HOLON_HANDLER(home_other);
HOLON_HANDLER(also_here);
HOLON_HANDLER(special);

/* Is @pid, a number of current's namespace or 0, the caller or another of its threads? */
bool holon_names_self(long pid);

/* process_vm.c */
HOLON_HANDLER(process_vm);

/* fork.c */
HOLON_HANDLER(fork);

/* syscall_path.c: can the file be executed here? */
enum holon_verdict holon_exec_verdict(struct holon_task *ht, const char __user *name);

/* syscall_poll.c: continues a poll() of a guest. */
long holon_poll_again(struct restart_block *block);

/* At home: as if current had called it. Pointers are those of its address space. */
long holon_native_call(unsigned int nr, unsigned long a, unsigned long b, unsigned long c,
		       unsigned long d);
/* Run the native entry point of the current call. */
long holon_run_local(struct pt_regs *regs, const struct holon_syscall *call);

/* The number of @call. */
unsigned int holon_syscall_nr(const struct holon_syscall *call);

/* Count a call that would have to come home. Returns the errno for it. */
long holon_syscall_refuse(unsigned int nr);

void holon_syscall_count_forward(unsigned int nr);

/**
 * struct holon_syscall_count - statistics of one number
 * @nr: number
 * @name: of the call
 * @forwarded: times it ran at a deputy
 * @refused: times it was answered ENOSYS because the process could not come home
 */
struct holon_syscall_count {
	unsigned int nr;
	const char *name;
	u64 forwarded;
	u64 refused;
};

/**
 * holon_syscall_stats - walk the counters that are not zero
 * @start: first number to look at
 * @each: returns 0 to go on; anything else ends the walk and is returned
 * @arg: for @each
 *
 * Context: process context. Calls of another ABI are counted as number
 * HOLON_SYSCALL_FOREIGN.
 */
int holon_syscall_stats(unsigned int start,
			int (*each)(const struct holon_syscall_count *count, void *arg), void *arg);

#define HOLON_SYSCALL_FOREIGN	0x10000

#endif /* _KERNEL_HOLON_SYSCALL_H */
