/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spawners: processes that lend their container to guests.
 */
#ifndef _KERNEL_HOLON_SPAWNER_H
#define _KERNEL_HOLON_SPAWNER_H

#include <linux/types.h>

extern const struct holon_rpc_type holon_rpc_task_image;
extern const struct holon_rpc_type holon_rpc_task_exec;
extern const struct holon_rpc_type holon_rpc_task_go;

bool holon_spawner_exists(u8 home);
void holon_wait_number(pid_t nr);
/* exec.c */
void holon_exec_orphan(u8 node, int status, const void *data, size_t len);
void holon_image_orphan(u8 node, int status, const void *data, size_t len);

#endif /* _KERNEL_HOLON_SPAWNER_H */
