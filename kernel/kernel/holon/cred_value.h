/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Credentials by value: in front of requests that act for a task, and of a
 * process, so that it may do the same in both halves.
 */
#ifndef _KERNEL_HOLON_CRED_VALUE_H
#define _KERNEL_HOLON_CRED_VALUE_H

#include <linux/types.h>

#include "wire_task.h"

struct cred;

size_t holon_cred_size(const struct cred *cred);
void holon_cred_pack(void *to, const struct cred *cred);
struct cred *holon_cred_unpack(const void *from, size_t len, size_t *used);

size_t holon_creds_size(void);
size_t holon_creds_pack(void *buffer);
ssize_t holon_creds_length(const void *buffer, size_t len);
struct cred *holon_creds_prepare(const void *buffer, size_t len);
void holon_creds_commit(struct cred *new, const void *buffer);
int holon_creds_apply(const void *buffer, size_t len);

#endif /* _KERNEL_HOLON_CRED_VALUE_H */
