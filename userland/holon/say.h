/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SAY_H
#define SAY_H

/* A sentence on standard error, with "holon: " before it. */
__attribute__((format(printf, 1, 2)))
void complain(const char *format, ...);

/* The same, and exit. */
__attribute__((format(printf, 2, 3), noreturn))
void die(int code, const char *format, ...);

/* What was said last. */
const char *complained(void);

#endif
