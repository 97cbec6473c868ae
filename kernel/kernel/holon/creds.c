// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the deputy keeps of the guest by value: credentials, and the action for
 * SIGCHLD, which home looks at when a child ends.
 */
#include <linux/errno.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "cred_value.h"
#include "creds.h"
#include "marshal.h"

long holon_creds_push(struct holon_task *ht)
{
	struct holon_marshal *m __free(holon_marshal) =
		holon_marshal_new(ht, HOLON_FORWARD_CREDS, NULL);
	size_t len = holon_creds_size();
	void *data __free(kvfree) = kvmalloc(len, GFP_KERNEL);
	int index;

	if (!m || !data)
		return -ENOMEM;
	index = holon_marshal_kernel(m, data, holon_creds_pack(data), 0, 0);
	if (index < 0)
		return index;
	return holon_marshal_run(m);
}

long holon_creds_take(const void *data, size_t len)
{
	return holon_creds_apply(data, len);
}

void holon_deputy_sigchld(bool ignored, unsigned long flags)
{
	struct k_sigaction *action = current->sighand->action;

	spin_lock_irq(&current->sighand->siglock);
	/* Otherwise the empty handler that all signals of a deputy have. */
	action[SIGCHLD - 1].sa.sa_handler = ignored ? SIG_IGN : action[SIGUSR1 - 1].sa.sa_handler;
	action[SIGCHLD - 1].sa.sa_flags = flags & (SA_NOCLDWAIT | SA_NOCLDSTOP);
	spin_unlock_irq(&current->sighand->siglock);
}
