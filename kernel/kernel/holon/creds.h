/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Credentials of a process that is away, by value.
 */
#ifndef _KERNEL_HOLON_CREDS_H
#define _KERNEL_HOLON_CREDS_H

#include <linux/types.h>

struct holon_task;

/**
 * holon_creds_push - tell the deputy the credentials of the guest
 * @ht: of current, the guest
 *
 * Return: 0 or an errno.
 */
long holon_creds_push(struct holon_task *ht);

/**
 * holon_creds_take - take over what the guest pushed
 * @data: untrusted
 * @len: its length
 *
 * Context: the deputy. Return: 0, -EBADMSG, -ENOMEM.
 */
long holon_creds_take(const void *data, size_t len);

/* The deputy's view of the guest's action for SIGCHLD. */
void holon_deputy_sigchld(bool ignored, unsigned long flags);

#endif /* _KERNEL_HOLON_CREDS_H */
