/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Credentials by value: what a process may do is the same in both halves.
 */
#ifndef _KERNEL_HOLON_CRED_VALUE_H
#define _KERNEL_HOLON_CRED_VALUE_H

#include <linux/types.h>

#include "wire_task.h"

struct cred;

size_t holon_creds_size(void);
size_t holon_creds_pack(void *buffer);
struct cred *holon_creds_prepare(const void *buffer, size_t len);
void holon_creds_commit(struct cred *new, const void *buffer);
int holon_creds_apply(const void *buffer, size_t len);

#endif /* _KERNEL_HOLON_CRED_VALUE_H */
