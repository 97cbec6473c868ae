// SPDX-License-Identifier: GPL-2.0-only
/*
 * The class of every x86-64 system call, and what its arguments point to.
 *
 * A class is what the hook does first. A handler, where there is one, looks at
 * the arguments and says where this call runs; the descriptors are used when
 * it is forwarded. Sizes are those of the 64-bit user ABI and never change.
 */
#include <linux/array_size.h>
#include <linux/msg.h>
#include <linux/nospec.h>
#include <linux/syscalls.h>
#include <linux/utime.h>
#include <uapi/linux/mqueue.h>
#include <uapi/linux/resource.h>
#include <uapi/linux/sched/types.h>
#include <uapi/linux/timex.h>

#include <asm/unistd.h>

#include "forward.h"
#include "syscall.h"

/* Argument descriptors, short because there are many. */
#define V		HOLON_ARG(HOLON_ARG_VALUE, 0, 0)
#define NUL		HOLON_ARG(HOLON_ARG_NULL, 0, 0)
#define FD		HOLON_ARG(HOLON_ARG_FD, 0, 0)
#define DFD		HOLON_ARG(HOLON_ARG_DIRFD, 0, 0)
#define PATH		HOLON_ARG(HOLON_ARG_PATH, 0, 0)
#define STR(size)	HOLON_ARG(HOLON_ARG_STRING, 0, size)
#define IN(n)		HOLON_ARG(HOLON_ARG_IN, n, 0)
#define INX(n, more)	HOLON_ARG(HOLON_ARG_IN, n, more)
#define OUT(n)		HOLON_ARG(HOLON_ARG_OUT, n, 0)
#define OUTX(n, more)	HOLON_ARG(HOLON_ARG_OUT, n, more)
#define OUTL(n)		HOLON_ARG(HOLON_ARG_OUT_FULL, n, 0)
#define INF(size)	HOLON_ARG(HOLON_ARG_IN_FIXED, 0, size)
#define OUTF(size)	HOLON_ARG(HOLON_ARG_OUT_FIXED, 0, size)
#define IOF(size)	HOLON_ARG(HOLON_ARG_INOUT_FIXED, 0, size)
#define IOA(size)	HOLON_ARG(HOLON_ARG_INOUT_ALWAYS, 0, size)
#define INV(n, size)	HOLON_ARG(HOLON_ARG_IN_ARRAY, n, size)
#define OUTV(n, size)	HOLON_ARG(HOLON_ARG_OUT_ARRAY, n, size)
#define IOV(n, size)	HOLON_ARG(HOLON_ARG_INOUT_ARRAY, n, size)
#define VECI(n)		HOLON_ARG(HOLON_ARG_IOVEC_IN, n, 0)
#define VECO(n)		HOLON_ARG(HOLON_ARG_IOVEC_OUT, n, 0)
#define MSGI		HOLON_ARG(HOLON_ARG_MSG_IN, 0, 0)
#define MSGO		HOLON_ARG(HOLON_ARG_MSG_OUT, 0, 0)
#define ADDR(n)		HOLON_ARG(HOLON_ARG_ADDR_OUT, n, 0)
#define LEN		HOLON_ARG(HOLON_ARG_LENGTH, 0, 0)

#define STAT_BYTES	144
#define STATX_BYTES	256
#define STATFS_BYTES	120
#define TS_BYTES		16	/* timespec, timeval */
#define ITS_BYTES	32	/* itimerspec, pairs of timespec */
#define SIGINFO_BYTES	128
#define RUSAGE_BYTES	144
#define TIMEX_BYTES	208

#define ENTRY(_name, _class, _forward, _handler, _fd, ...)		\
	[__NR_##_name] = {						\
		.name = #_name,						\
		.class = HOLON_##_class,				\
		.forward = _forward,					\
		.fd_result = HOLON_FORWARD_FD_##_fd,			\
		.handler = _handler,					\
		.arg = { __VA_ARGS__ },					\
	}

/* Here, always. */
#define LOCAL(name)		ENTRY(name, LOCAL, false, NULL, NONE)
/* Here unless a handler says otherwise; L_: it is never forwarded as it is. */
#define LOCAL_IF(name, how, ...) ENTRY(name, LOCAL, true, holon_do_##how, NONE, __VA_ARGS__)
#define LOCAL_L(name, how)	ENTRY(name, LOCAL, false, holon_do_##how, NONE)
#define BY_FD(name, ...)	ENTRY(name, LOCAL_FD, true, NULL, NONE, __VA_ARGS__)
#define BY_FD_IF(name, how, ...) ENTRY(name, LOCAL_FD, true, holon_do_##how, NONE, __VA_ARGS__)
#define BY_FD_NEW(name, fd, ...) ENTRY(name, LOCAL_FD, true, NULL, fd, __VA_ARGS__)
#define BY_PATH(name, ...)	ENTRY(name, LOCAL_PATH, true, holon_do_path, NONE, __VA_ARGS__)
#define BY_PATH_IF(name, how, fd, ...) \
	ENTRY(name, LOCAL_PATH, true, holon_do_##how, fd, __VA_ARGS__)
#define MIRROR(name, how, ...)	ENTRY(name, MIRROR, true, holon_do_##how, NONE, __VA_ARGS__)
#define FORWARD(name, ...)	ENTRY(name, FORWARD, true, NULL, NONE, __VA_ARGS__)
#define FORWARD_IF(name, how, ...) ENTRY(name, FORWARD, true, holon_do_##how, NONE, __VA_ARGS__)
#define FORWARD_NEW(name, fd, ...) ENTRY(name, FORWARD, true, NULL, fd, __VA_ARGS__)
#define SPECIAL(name, how)	ENTRY(name, SPECIAL, false, holon_do_##how, NONE)
#define HOME(name)		ENTRY(name, HOME, false, NULL, NONE)

static const struct holon_syscall holon_syscalls[NR_syscalls] = {
	/* memory */
	LOCAL(mprotect), LOCAL(munmap), LOCAL(brk), LOCAL(mremap), LOCAL(msync), LOCAL(mincore),
	LOCAL(madvise), LOCAL(munlock), LOCAL(munlockall), LOCAL(pkey_mprotect), LOCAL(pkey_alloc),
	LOCAL(pkey_free), LOCAL(map_shadow_stack), LOCAL(mseal), LOCAL(remap_file_pages),
	LOCAL(mbind), LOCAL(set_mempolicy), LOCAL(get_mempolicy), LOCAL(set_mempolicy_home_node),
	LOCAL(membarrier), LOCAL(shmdt),
	LOCAL(mlock), LOCAL(mlock2), LOCAL(mlockall),
	LOCAL_L(mmap, mmap),
	LOCAL_L(move_pages, home_other), LOCAL_L(migrate_pages, home_other),
	LOCAL_L(process_madvise, home_other),
	LOCAL_IF(process_vm_readv, process_vm, V, VECO(2), V, INV(4, 16), V, V),
	LOCAL_IF(process_vm_writev, process_vm, V, VECI(2), V, INV(4, 16), V, V),

	/* signals */
	LOCAL(rt_sigprocmask), LOCAL(rt_sigpending), LOCAL(rt_sigtimedwait), LOCAL(rt_sigsuspend),
	LOCAL(rt_sigreturn), LOCAL(sigaltstack), LOCAL(pause),
	LOCAL_L(rt_sigaction, sigaction),
	LOCAL_IF(kill, kill, V, V),
	LOCAL_IF(tkill, kill, V, V),
	LOCAL_IF(tgkill, tgkill, V, V, V),
	LOCAL_IF(rt_sigqueueinfo, kill, V, V, INF(SIGINFO_BYTES)),
	LOCAL_IF(rt_tgsigqueueinfo, tgkill, V, V, V, INF(SIGINFO_BYTES)),

	/* time */
	LOCAL(nanosleep), LOCAL(clock_nanosleep), LOCAL(clock_gettime), LOCAL(clock_getres),
	LOCAL(gettimeofday), LOCAL(time), LOCAL(getitimer), LOCAL(setitimer), LOCAL(alarm),
	LOCAL(timer_create), LOCAL(timer_settime), LOCAL(timer_gettime), LOCAL(timer_getoverrun),
	LOCAL(timer_delete),

	/* futex */
	LOCAL(futex), LOCAL(futex_waitv), LOCAL(futex_wake), LOCAL(futex_wait),
	LOCAL(futex_requeue), LOCAL(set_robust_list),
	LOCAL_IF(get_robust_list, self, V, OUTF(8), OUTF(8)),

	/* identity and limits of the caller */
	LOCAL(getpid), LOCAL(gettid), LOCAL(set_tid_address), LOCAL(getuid), LOCAL(geteuid),
	LOCAL(getgid), LOCAL(getegid), LOCAL(getresuid), LOCAL(getresgid), LOCAL(getgroups),
	LOCAL(uname), LOCAL(getrlimit), LOCAL(sched_yield), LOCAL(sched_get_priority_max),
	LOCAL(sched_get_priority_min), LOCAL(getcpu), LOCAL(getrandom), LOCAL(rseq),
	LOCAL(sysinfo), LOCAL(arch_prctl), LOCAL(personality), LOCAL(uretprobe),
	LOCAL(lsm_get_self_attr), LOCAL(lsm_list_modules),
	LOCAL_L(seccomp, seccomp),
	LOCAL_IF(getrusage, getrusage, V, OUTF(RUSAGE_BYTES)),
	LOCAL_IF(capget, capget, IOA(8), IOF(24)),
	LOCAL_IF(sched_getparam, self, V, OUTF(4)),
	LOCAL_IF(sched_getscheduler, self, V),
	LOCAL_IF(sched_getattr, self, V, OUTL(2), V, V),
	LOCAL_IF(sched_rr_get_interval, self, V, OUTF(TS_BYTES)),
	LOCAL_IF(sched_getaffinity, self, V, V, OUT(1)),
	LOCAL_IF(ioprio_get, priority, V, V),
	LOCAL_IF(getpriority, priority, V, V),

	/* descriptors that are always local */
	ENTRY(poll, LOCAL, true, holon_do_poll, NONE, IOV(1, 8), V, V),
	ENTRY(ppoll, LOCAL, true, holon_do_ppoll, NONE, IOV(1, 8), V, IOA(TS_BYTES), NUL, NUL),
	ENTRY(select, LOCAL, true, holon_do_select, NONE),
	ENTRY(pselect6, LOCAL, true, holon_do_pselect6, NONE),
	LOCAL(signalfd), LOCAL(signalfd4), LOCAL(epoll_create), LOCAL(epoll_create1),
	LOCAL(eventfd), LOCAL(eventfd2), LOCAL(timerfd_create),

	/* numbers without an entry point: natively ENOSYS */
	LOCAL(uselib), LOCAL(_sysctl), LOCAL(create_module), LOCAL(get_kernel_syms),
	LOCAL(query_module), LOCAL(nfsservctl), LOCAL(getpmsg), LOCAL(putpmsg),
	LOCAL(afs_syscall), LOCAL(tuxcall), LOCAL(security), LOCAL(set_thread_area),
	LOCAL(get_thread_area), LOCAL(lookup_dcookie), LOCAL(epoll_ctl_old),
	LOCAL(epoll_wait_old), LOCAL(vserver),

	/* files by descriptor */
	BY_FD(read, FD, OUT(2), V),
	BY_FD(write, FD, IN(2), V),
	BY_FD(readv, FD, VECO(2), V),
	BY_FD(writev, FD, VECI(2), V),
	BY_FD(pread64, FD, OUT(2), V, V),
	BY_FD(pwrite64, FD, IN(2), V, V),
	BY_FD(preadv, FD, VECO(2), V, V, V),
	BY_FD(pwritev, FD, VECI(2), V, V, V),
	BY_FD(preadv2, FD, VECO(2), V, V, V, V),
	BY_FD(pwritev2, FD, VECI(2), V, V, V, V),
	BY_FD(lseek, FD, V, V),
	BY_FD(fstat, FD, OUTF(STAT_BYTES)),
	BY_FD(ftruncate, FD, V),
	BY_FD(fallocate, FD, V, V, V),
	BY_FD(fsync, FD),
	BY_FD(fdatasync, FD),
	BY_FD(sync_file_range, FD, V, V, V),
	BY_FD(syncfs, FD),
	BY_FD(fadvise64, FD, V, V, V),
	BY_FD(readahead, FD, V, V),
	BY_FD(getdents, FD, OUT(2), V),
	BY_FD(getdents64, FD, OUT(2), V),
	BY_FD(fstatfs, FD, OUTF(STATFS_BYTES)),
	BY_FD(fchmod, FD, V),
	BY_FD(fchown, FD, V, V),
	BY_FD(fsetxattr, FD, STR(256), IN(3), V, V),
	BY_FD(fgetxattr, FD, STR(256), OUT(3), V),
	BY_FD(flistxattr, FD, OUT(2), V),
	BY_FD(fremovexattr, FD, STR(256)),
	BY_FD(flock, FD, V),
	BY_FD(cachestat, FD, INF(16), OUTF(40), V),
	BY_FD_IF(fcntl, fcntl, FD, V, V),
	BY_FD_IF(ioctl, ioctl, FD, V, V),
	BY_FD_IF(close, close, FD),
	BY_FD_IF(close_range, close_range, V, V, V),
	BY_FD_IF(dup, dup, FD),
	BY_FD_IF(dup2, dup2, FD, V),
	BY_FD_IF(dup3, dup2, FD, V, V),
	BY_FD(connect, FD, IN(2), V),
	BY_FD(bind, FD, IN(2), V),
	BY_FD(listen, FD, V),
	BY_FD(shutdown, FD, V),
	BY_FD(getsockname, FD, ADDR(2), LEN),
	BY_FD(getpeername, FD, ADDR(2), LEN),
	BY_FD_IF(setsockopt, setsockopt, FD, V, V, IN(4), V),
	BY_FD(getsockopt, FD, V, V, ADDR(4), LEN),
	BY_FD(sendto, FD, IN(2), V, V, IN(5), V),
	BY_FD(recvfrom, FD, OUT(2), V, V, ADDR(5), LEN),
	BY_FD(sendmsg, FD, MSGI, V),
	BY_FD_NEW(recvmsg, CMSG, FD, MSGO, V),
	BY_FD_IF(sendmmsg, mmsg, FD, V, V, V),
	BY_FD_IF(recvmmsg, mmsg, FD, V, V, V, V),
	BY_FD_NEW(accept, RETURN, FD, ADDR(2), LEN),
	BY_FD_NEW(accept4, RETURN, FD, ADDR(2), LEN, V),
	BY_FD_IF(epoll_ctl, epoll_ctl, FD, V, FD, INF(12)),
	BY_FD_IF(epoll_wait, epoll_wait, FD, OUTV(2, 12), V, V),
	BY_FD_IF(epoll_pwait, epoll_wait, FD, OUTV(2, 12), V, V, NUL, NUL),
	BY_FD_IF(epoll_pwait2, epoll_wait, FD, OUTV(2, 12), V, INF(TS_BYTES), NUL, NUL),
	BY_FD(timerfd_settime, FD, V, INF(ITS_BYTES), OUTF(ITS_BYTES)),
	BY_FD(timerfd_gettime, FD, OUTF(ITS_BYTES)),
	BY_FD(inotify_add_watch, FD, PATH, V),
	BY_FD(inotify_rm_watch, FD, V),
	BY_FD(mq_timedsend, FD, IN(2), V, V, INF(TS_BYTES)),
	BY_FD(mq_timedreceive, FD, OUT(2), V, IOF(4), INF(TS_BYTES)),
	BY_FD_IF(mq_notify, mq_notify, FD, INF(64)),
	BY_FD(mq_getsetattr, FD, INF(64), OUTF(64)),
	BY_FD_IF(sendfile, mixed, FD, FD, IOF(8), V),
	BY_FD_IF(copy_file_range, mixed, FD, IOF(8), FD, IOF(8), V, V),
	BY_FD_IF(splice, splice, FD, IOF(8), FD, IOF(8), V, V),
	BY_FD_IF(tee, splice, FD, FD, V, V),
	BY_FD_IF(vmsplice, vmsplice, FD, V, V, V),
	BY_FD(pidfd_send_signal, FD, V, INF(SIGINFO_BYTES), V),

	/* files by path */
	BY_PATH_IF(open, open, RETURN, PATH, V, V),
	BY_PATH_IF(openat, open, RETURN, DFD, PATH, V, V),
	BY_PATH_IF(openat2, open, RETURN, DFD, PATH, IN(3), V),
	BY_PATH_IF(creat, open, RETURN, PATH, V),
	BY_PATH(stat, PATH, OUTF(STAT_BYTES)),
	BY_PATH(lstat, PATH, OUTF(STAT_BYTES)),
	BY_PATH(newfstatat, DFD, PATH, OUTF(STAT_BYTES), V),
	BY_PATH(statx, DFD, PATH, V, V, OUTF(STATX_BYTES)),
	BY_PATH(access, PATH, V),
	BY_PATH(faccessat, DFD, PATH, V),
	BY_PATH(faccessat2, DFD, PATH, V, V),
	BY_PATH(readlink, PATH, OUT(2), V),
	BY_PATH(readlinkat, DFD, PATH, OUT(3), V),
	BY_PATH(truncate, PATH, V),
	BY_PATH(statfs, PATH, OUTF(STATFS_BYTES)),
	BY_PATH_IF(name_to_handle_at, name_to_handle, NONE, DFD, PATH, V, OUTF(4), V),
	BY_PATH(mkdir, PATH, V),
	BY_PATH(mkdirat, DFD, PATH, V),
	BY_PATH(rmdir, PATH),
	BY_PATH(unlink, PATH),
	BY_PATH(unlinkat, DFD, PATH, V),
	BY_PATH(rename, PATH, PATH),
	BY_PATH(renameat, DFD, PATH, DFD, PATH),
	BY_PATH(renameat2, DFD, PATH, DFD, PATH, V),
	BY_PATH(link, PATH, PATH),
	BY_PATH(linkat, DFD, PATH, DFD, PATH, V),
	BY_PATH(symlink, STR(PATH_MAX), PATH),
	BY_PATH(symlinkat, STR(PATH_MAX), DFD, PATH),
	BY_PATH(mknod, PATH, V, V),
	BY_PATH(mknodat, DFD, PATH, V, V),
	BY_PATH(chmod, PATH, V),
	BY_PATH(fchmodat, DFD, PATH, V),
	BY_PATH(fchmodat2, DFD, PATH, V, V),
	BY_PATH(chown, PATH, V, V),
	BY_PATH(lchown, PATH, V, V),
	BY_PATH(fchownat, DFD, PATH, V, V, V),
	BY_PATH(utime, PATH, INF(16)),
	BY_PATH(utimes, PATH, INF(32)),
	BY_PATH(futimesat, DFD, PATH, INF(32)),
	BY_PATH(utimensat, DFD, PATH, INF(32), V),
	BY_PATH(setxattr, PATH, STR(256), IN(3), V, V),
	BY_PATH(lsetxattr, PATH, STR(256), IN(3), V, V),
	BY_PATH(getxattr, PATH, STR(256), OUT(3), V),
	BY_PATH(lgetxattr, PATH, STR(256), OUT(3), V),
	BY_PATH(listxattr, PATH, OUT(2), V),
	BY_PATH(llistxattr, PATH, OUT(2), V),
	BY_PATH(removexattr, PATH, STR(256)),
	BY_PATH(lremovexattr, PATH, STR(256)),
	BY_PATH_IF(getcwd, getcwd, NONE, OUT(1), V),

	/* here, with the same effect at the deputy */
	MIRROR(setuid, creds), MIRROR(setgid, creds), MIRROR(setreuid, creds),
	MIRROR(setregid, creds), MIRROR(setresuid, creds), MIRROR(setresgid, creds),
	MIRROR(setfsuid, creds), MIRROR(setfsgid, creds), MIRROR(setgroups, creds),
	MIRROR(capset, creds),
	MIRROR(umask, umask, V),
	MIRROR(chdir, chdir, PATH),
	MIRROR(fchdir, fchdir, FD),
	MIRROR(chroot, chdir, PATH),
	MIRROR(setrlimit, setrlimit, V, INF(16)),
	MIRROR(prlimit64, prlimit, V, V, INF(16), OUTF(16)),
	MIRROR(sched_setparam, mirror_self, V, INF(4)),
	MIRROR(sched_setscheduler, mirror_self, V, V, INF(4)),
	MIRROR(sched_setattr, mirror_self, V, INF(48), V),
	MIRROR(sched_setaffinity, mirror_self, V, V, IN(1)),
	MIRROR(setpriority, priority, V, V, V),
	MIRROR(ioprio_set, priority, V, V, V),
	MIRROR(prctl, prctl, V, V, V, V, V),
	MIRROR(sethostname, also_here, IN(1), V),
	MIRROR(setdomainname, also_here, IN(1), V),

	/* relations */
	FORWARD(wait4, V, IOF(4), V, IOF(RUSAGE_BYTES)),
	FORWARD(waitid, V, V, IOF(SIGINFO_BYTES), V, IOF(RUSAGE_BYTES)),
	FORWARD(setpgid, V, V),
	FORWARD(getpgid, V),
	FORWARD(getpgrp),
	FORWARD(setsid),
	FORWARD(getsid, V),
	FORWARD(getppid),
	FORWARD_IF(times, times, OUTF(32)),
	FORWARD(vhangup),

	/* new files whose home is the home of the process */
	FORWARD_NEW(pipe, PAIR, OUTF(8)),
	FORWARD_NEW(pipe2, PAIR, OUTF(8), V),
	FORWARD_NEW(socket, RETURN, V, V, V),
	FORWARD_NEW(socketpair, PAIR, V, V, V, OUTF(8)),
	FORWARD_NEW(pidfd_open, RETURN, V, V),
	FORWARD_NEW(inotify_init, RETURN),
	FORWARD_NEW(inotify_init1, RETURN, V),
	FORWARD_NEW(mq_open, RETURN, STR(PATH_MAX), V, V, INF(64)),
	FORWARD(mq_unlink, STR(PATH_MAX)),

	/* System V */
	FORWARD(shmget, V, V, V),
	FORWARD_IF(shmctl, ipcctl, V, V, V),
	FORWARD(semget, V, V, V),
	FORWARD(semop, V, INV(2, 6), V),
	FORWARD(semtimedop, V, INV(2, 6), V, INF(TS_BYTES)),
	FORWARD_IF(semctl, semctl, V, V, V, V),
	FORWARD(msgget, V, V),
	FORWARD(msgsnd, V, INX(2, 8), V, V),
	FORWARD(msgrcv, V, OUTX(2, 8), V, V, V),
	FORWARD_IF(msgctl, ipcctl, V, V, V),

	/* keys */
	FORWARD(add_key, STR(32), STR(4096), IN(3), V, V),
	FORWARD(request_key, STR(32), STR(4096), STR(4096), V),
	FORWARD_IF(keyctl, keyctl, V, V, V, V, V),

	/* the whole machine: acts on home */
	FORWARD_IF(sync, also_here),
	FORWARD(syslog, V, OUT(2), V),
	FORWARD_IF(sysfs, sysfs, V, V, V),
	FORWARD(ustat, V, OUTF(32)),
	FORWARD(acct, PATH),
	FORWARD(swapon, PATH, V),
	FORWARD(swapoff, PATH),
	FORWARD_IF(reboot, reboot, V, V, V, V),
	FORWARD(settimeofday, INF(TS_BYTES), INF(8)),
	FORWARD(clock_settime, V, INF(TS_BYTES)),
	FORWARD(adjtimex, IOF(TIMEX_BYTES)),
	FORWARD(clock_adjtime, V, IOF(TIMEX_BYTES)),
	FORWARD(delete_module, STR(64), V),
	FORWARD(statmount, INF(24), OUTL(2), V, V),
	FORWARD(listmount, INF(24), OUTV(2, 8), V, V),

	/* both halves */
	SPECIAL(fork, fork), SPECIAL(vfork, fork), SPECIAL(clone, fork), SPECIAL(clone3, fork),
	SPECIAL(execve, special), SPECIAL(execveat, special), SPECIAL(exit, special),
	SPECIAL(exit_group, special), SPECIAL(restart_syscall, special),

	/* isolation */
	HOME(unshare), HOME(setns), HOME(mount), HOME(umount2), HOME(pivot_root), HOME(open_tree),
	HOME(move_mount), HOME(fsopen), HOME(fsconfig), HOME(fsmount), HOME(fspick),
	HOME(mount_setattr), HOME(open_by_handle_at), HOME(quotactl), HOME(quotactl_fd),
	/* debugging, tracing */
	HOME(ptrace), HOME(kcmp), HOME(perf_event_open), HOME(bpf), HOME(pidfd_getfd),
	HOME(process_mrelease), HOME(userfaultfd),
	/* state that cannot move */
	HOME(io_uring_setup), HOME(io_uring_enter), HOME(io_uring_register), HOME(io_setup),
	HOME(io_destroy), HOME(io_getevents), HOME(io_pgetevents), HOME(io_submit),
	HOME(io_cancel), HOME(shmat), HOME(memfd_create), HOME(memfd_secret), HOME(modify_ldt),
	HOME(ioperm), HOME(iopl), HOME(fanotify_init), HOME(fanotify_mark),
	HOME(landlock_create_ruleset), HOME(landlock_add_rule), HOME(landlock_restrict_self),
	HOME(lsm_set_self_attr),
	/* the machine itself */
	HOME(init_module), HOME(finit_module), HOME(kexec_load), HOME(kexec_file_load),
};

const struct holon_syscall *holon_syscall_entry(unsigned long nr)
{
	if (nr >= ARRAY_SIZE(holon_syscalls))
		return NULL;
	nr = array_index_nospec(nr, ARRAY_SIZE(holon_syscalls));
	return holon_syscalls[nr].class == HOLON_UNKNOWN ? NULL : &holon_syscalls[nr];
}

unsigned int holon_syscall_nr(const struct holon_syscall *call)
{
	return call - holon_syscalls;
}
