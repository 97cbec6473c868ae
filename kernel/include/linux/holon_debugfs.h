/* SPDX-License-Identifier: GPL-2.0-only */
/* /sys/kernel/debug/holon: what measures, stresses and breaks on request. */
#ifndef _LINUX_HOLON_DEBUGFS_H
#define _LINUX_HOLON_DEBUGFS_H

#include <linux/types.h>

struct dentry;

struct dentry *holon_debugfs(void);
int holon_debugfs_line(const char __user *from, size_t len, char *line, size_t size);

#endif /* _LINUX_HOLON_DEBUGFS_H */
