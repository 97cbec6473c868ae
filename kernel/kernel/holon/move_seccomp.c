// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seccomp filters of a process that moves.
 *
 * A filter looks at the system calls where they are made, before they are forwarded: so
 * the guest has all of them, and the deputy, which makes none, keeps those that it
 * has. A guest inherits the chain of its deputy and adds to it, so what comes home is
 * the filters that the deputy has not, behind those that it has. Each thread has a
 * chain of its own; the oldest filter is number 0.
 *
 * A filter with a listener stays: what it asks of user space is asked at this node.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/filter.h>
#include <linux/init_task.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/uaccess.h>

#include <linux/holon.h>

#include "image.h"
#include "move.h"
#include "task.h"

static unsigned int own_filters(void)
{
	return atomic_read(&current->seccomp.filter_count);
}

static int put_filter(struct holon_image *image, unsigned int nr, enum holon_stay *stay)
{
	struct holon_record_seccomp *record;
	const struct sock_fprog_kern *program;
	unsigned int flags;
	size_t len;

	program = holon_seccomp_filter(nr, &flags);
	if (!program) {
		*stay = HOLON_STAY_SECCOMP;
		return -EBUSY;
	}
	len = program->len * sizeof(*program->filter);
	record = holon_image_add(image, HOLON_RECORD_SECCOMP, sizeof(*record) + len);
	if (!record) {
		*stay = HOLON_STAY_IMAGE;
		return -E2BIG;
	}
	record->nr = cpu_to_le32(nr);
	record->flags = cpu_to_le32(flags);
	memcpy(record + 1, program->filter, len);
	return 0;
}

int holon_seccomp_export(struct holon_image *image, enum holon_stay *stay)
{
	struct holon_record_seccomp strict = { .nr = cpu_to_le32(HOLON_SECCOMP_STRICT) };
	unsigned int nr, n = own_filters();
	int err = 0;

	if (current->seccomp.mode == SECCOMP_MODE_STRICT)
		return holon_image_put(image, HOLON_RECORD_SECCOMP, &strict, sizeof(strict));
	for (nr = 0; nr < n && !err; nr++)
		err = put_filter(image, nr, stay);
	return err;
}

bool holon_seccomp_valid(const struct holon_record *record)
{
	const struct holon_record_seccomp *seccomp = record->data;
	size_t len = record->len - sizeof(*seccomp);

	if (record->len < sizeof(*seccomp))
		return false;
	if (seccomp->nr == cpu_to_le32(HOLON_SECCOMP_STRICT))
		return !len;
	return len && len % sizeof(struct sock_filter) == 0 &&
	       len / sizeof(struct sock_filter) <= BPF_MAXINSNS &&
	       !(le32_to_cpu(seccomp->flags) & ~SECCOMP_FILTER_FLAG_LOG);
}

/* As the program did it, by way of its memory. */
static int attach(struct holon_task *ht, const struct holon_record *record)
{
	const struct holon_record_seccomp *seccomp = record->data;
	size_t len = record->len - sizeof(*seccomp);
	struct sock_fprog program = { .len = len / sizeof(struct sock_filter) };
	struct sock_fprog __user *user;
	unsigned long window;

	window = holon_window(ht, sizeof(program) + len);
	if (IS_ERR_VALUE(window))
		return window;
	user = (struct sock_fprog __user *)window;
	program.filter = (struct sock_filter __user *)(user + 1);
	if (copy_to_user(user, &program, sizeof(program)) ||
	    copy_to_user(program.filter, seccomp + 1, len))
		return -EFAULT;
	return seccomp_set_mode_filter(le32_to_cpu(seccomp->flags), (const char __user *)user);
}

int holon_seccomp_import(const struct holon_image *image, size_t pos)
{
	struct holon_task *ht = current->holon;
	struct holon_record record;
	const struct cred *cred;
	int err = 0;

	/* It had the right when it set them. */
	cred = override_creds(&init_cred);
	while (!err && holon_image_next(image, &pos, &record) > 0 &&
	       record.type == HOLON_RECORD_SECCOMP) {
		const struct holon_record_seccomp *seccomp = record.data;
		u32 nr = le32_to_cpu(seccomp->nr);

		if (nr == HOLON_SECCOMP_STRICT)
			err = prctl_set_seccomp(SECCOMP_MODE_STRICT, NULL);
		else if (nr == own_filters())
			err = attach(ht, &record);
		else if (nr > own_filters())
			err = -EBADMSG;
	}
	revert_creds(cred);
	holon_window_free(ht);
	return err;
}
