/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Holding the threads of a process; see hold.c.
 */
#ifndef _KERNEL_HOLON_HOLD_H
#define _KERNEL_HOLON_HOLD_H

#include <linux/types.h>

#include "move.h"

struct holon_task;

/**
 * holon_hold - have all other threads of current wait
 * @ht: of current, which becomes the driver
 * @stay: why not, set when a reason is known
 *
 * Each comes to holon_held(). On success holon_release() has to follow, whatever
 * happens. Context: current on its way to user mode, or in the deputy's loop.
 *
 * Return: 0; -EALREADY when another thread is the driver; -ECANCELED when the process
 *	has to stop or to freeze first; -EBUSY when some do not come in time; -EINTR when
 *	killed; -ENOMEM.
 */
int holon_hold(struct holon_task *ht, enum holon_stay *stay);

/**
 * holon_order - have each thread that is held do something
 * @leader: of the process
 * @order: called by each with its own half; must end soon
 *
 * Return: 0 when all have, or the error of one of them.
 */
int holon_order(struct holon_task *leader, int (*order)(struct holon_task *ht));

/**
 * holon_release - let them go on
 * @leader: of the process
 * @after: what each does when it is held no more, or NULL; may exit
 */
void holon_release(struct holon_task *leader, void (*after)(struct holon_task *ht));

/**
 * holon_hold_new - be the driver of threads that are not there yet
 * @leader: of current, alone
 *
 * Each is announced by holon_hold_expect() before it is made, and comes to
 * holon_held_new() when it has imported what is its own.
 */
void holon_hold_new(struct holon_task *leader);
void holon_hold_expect(struct holon_task *leader);
/* That one could not be made. */
void holon_hold_expect_less(struct holon_task *leader);
/* Wait until all are there. Return: 0 or the error of one of them. Unkillable, but soon. */
int holon_hold_wait_new(struct holon_task *leader);
/* Of current: be held; @err if it is good for nothing. */
void holon_held_new(struct holon_task *ht, int err);

/* Is there somebody who wants to hold @ht, of current? */
bool holon_hold_wanted(struct holon_task *ht);
/*
 * Have @task, a thread of a guest, come to the hook. Whether it moves is decided there, and
 * maybe by another thread before it comes: that it was us who broke its sleep stays known.
 */
void holon_call_thread(struct task_struct *task);
/* Of current: be held, as long as there is a driver. Frees what it has written down. */
void holon_held(struct holon_task *ht);

#endif /* _KERNEL_HOLON_HOLD_H */
