/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs of Holon share: a way to the kernel's control plane and a
 * few formats. The requests themselves are in holon-user.h, which is generated
 * from Documentation/netlink/specs/holon.yaml.
 */
#ifndef LIBHOLON_H
#define LIBHOLON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>	/* ynl.h relies on it */

#include <ynl.h>

#include "holon-user.h"

#define HOLON_NODES	256	/* ids are 1..255 */
#define HOLON_PIDS	(1U << 30)	/* numbers of processes are 1 and up */
#define HOLON_UUID_TEXT	37	/* with the final NUL */

/**
 * holon_open - a socket to the family "holon" of this kernel
 * @why: set to a sentence on failure; valid until the next call
 *
 * The socket is closed on exec. Return: NULL with errno on failure.
 */
struct ynl_sock *holon_open(const char **why);

/**
 * holon_why - the sentence that came with the last error of a socket
 *
 * The kernel's own words when it gave some, else what errno means. Valid until
 * the next call.
 */
const char *holon_why(struct ynl_sock *ys);

/**
 * holon_migrate - move the calling process
 * @ys: of holon_open()
 * @node: where it goes on; its home is one of them
 *
 * All of its threads go with it. From one node to another it goes by way of home.
 *
 * Return: 0, when it is there; -1 with holon_why(), where it is then is for
 * holon_task_get() to say: home, if it had got that far.
 */
int holon_migrate(struct ynl_sock *ys, unsigned int node);

/**
 * holon_uuid_text - a uuid in the usual form
 * @uuid: 16 bytes, or anything else, which gives "-"
 */
const char *holon_uuid_text(const void *uuid, size_t len, char text[HOLON_UUID_TEXT]);

/**
 * holon_number - a decimal number of a command line or a file
 *
 * Return: false when @text is not one, or is not in @min..@max.
 */
bool holon_number(const char *text, unsigned long min, unsigned long max, unsigned long *value);

#endif
