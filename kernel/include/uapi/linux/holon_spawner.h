/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/holon-spawner: how a container lends its first process to the kernel.
 */
#ifndef _UAPI_LINUX_HOLON_SPAWNER_H
#define _UAPI_LINUX_HOLON_SPAWNER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct holon_spawner_run - argument of HOLON_SPAWNER_RUN
 * @home: node whose processes run in this container
 * @flags: none yet, must be 0
 * @reserved: must be 0
 */
struct holon_spawner_run {
	__u32 home;
	__u32 flags;
	__u64 reserved;
};

/*
 * Called by process 1 of a pid namespace directly below the initial one, with
 * one thread, CAP_SYS_ADMIN and SIGCHLD ignored. Guests are made as its
 * children: they get its namespaces, root directory and cgroup. Does not
 * return while all is well. Errors: EHOSTDOWN when the home is, or is now, no
 * member; EBUSY when the home has a spawner; EINTR at a signal, after which the
 * call may be made again; EPERM, EINVAL.
 */
#define HOLON_SPAWNER_RUN	_IOW(0xB8, 0x01, struct holon_spawner_run)

#endif /* _UAPI_LINUX_HOLON_SPAWNER_H */
