/* SPDX-License-Identifier: GPL-2.0-only */
/* The node by its file, and why it is in no cluster. */
#ifndef CONFIGURE_H
#define CONFIGURE_H

#include "command.h"

/* The verbs `holon node configure`, `private` and `check`. */
int node_configure(const struct verb *verb);
int node_private(const struct verb *verb);
int node_check(const struct verb *verb);

/* Keep what was complained of last, or with DONE forget it. */
void reason_note(int err);

/* Why this node is in no cluster, as far as user space knows, or NULL. */
const char *reason_noted(void);

/* In key.c. Load the keys of a file, or only look at it; an exit code. */
int load_keys(const char *file);
int check_keys(const char *file);

#endif
