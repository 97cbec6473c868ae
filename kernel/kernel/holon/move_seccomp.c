// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seccomp filters of a process that moves.
 *
 * A filter looks at the system calls where they are made, before they are forwarded: so
 * the guest has all of them, and the deputy, which makes none, keeps those that it
 * has. A guest has the chain of its deputy and adds to it, so what comes home is the
 * filters that the deputy has not, behind those that it has. The oldest filter is number 0.
 *
 * Each thread has a chain of its own. What is at the beginning of all of them is one
 * filter that they share, and is set for all at once by the first, so that they can still
 * be set in step (SECCOMP_FILTER_FLAG_TSYNC); what only some threads share is not after a
 * move. A thread that is held may have got another filter since it wrote down its own, from
 * one that was not held yet: the process then does not move now.
 *
 * A filter with a listener stays: what it asks of user space is asked at this node.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/filter.h>
#include <linux/init_task.h>
#include <linux/mm.h>
#include <linux/mman.h>
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
	for (nr = 0; nr < n && !err; nr++) {
		err = put_filter(image, nr, stay);
		cond_resched();
	}
	current->holon->filters = n;
	return err;
}

bool holon_seccomp_changed(const struct holon_task *ht)
{
	return atomic_read(&ht->task->seccomp.filter_count) != ht->filters;
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

unsigned int holon_seccomp_common(const struct holon_image *image, size_t pos, size_t other)
{
	struct holon_record a, b;
	unsigned int n = 0;

	if (!pos || !other)
		return 0;
	while (holon_image_next(image, &pos, &a) > 0 && holon_image_next(image, &other, &b) > 0 &&
	       a.type == HOLON_RECORD_SECCOMP && b.type == HOLON_RECORD_SECCOMP &&
	       a.len == b.len && !memcmp(a.data, b.data, a.len))
		n++;
	return n;
}

/*
 * As the program did it, by way of its memory. Return: 0 or an errno; with @all more than
 * 0 when not all threads can have it.
 */
static long attach(const struct holon_record *record, bool all)
{
	const struct holon_record_seccomp *seccomp = record->data;
	size_t len = record->len - sizeof(*seccomp);
	struct sock_fprog program = { .len = len / sizeof(struct sock_filter) };
	unsigned int flags = le32_to_cpu(seccomp->flags);
	struct sock_fprog __user *user;
	unsigned long window;
	long ret = -EFAULT;

	window = vm_mmap(NULL, 0, PAGE_ALIGN(sizeof(program) + len), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, 0);
	if (IS_ERR_VALUE(window))
		return window;
	user = (struct sock_fprog __user *)window;
	program.filter = (struct sock_filter __user *)(user + 1);
	if (!copy_to_user(user, &program, sizeof(program)) &&
	    !copy_to_user(program.filter, seccomp + 1, len))
		ret = seccomp_set_mode_filter(flags | (all ? SECCOMP_FILTER_FLAG_TSYNC : 0),
					      (const char __user *)user);
	vm_munmap(window, PAGE_ALIGN(sizeof(program) + len));
	return ret;
}

int holon_seccomp_import(const struct holon_image *image, size_t pos, unsigned int common)
{
	struct holon_record record;
	const struct cred *cred;
	long err = 0;

	if (!pos)
		return 0;
	/* It had the right when it set them. */
	cred = override_creds(&init_cred);
	while (!err && holon_image_next(image, &pos, &record) > 0 &&
	       record.type == HOLON_RECORD_SECCOMP) {
		const struct holon_record_seccomp *seccomp = record.data;
		u32 nr = le32_to_cpu(seccomp->nr);

		if (nr == HOLON_SECCOMP_STRICT) {
			err = prctl_set_seccomp(SECCOMP_MODE_STRICT, NULL);
		} else if (nr == own_filters()) {
			err = attach(&record, nr < common);
			if (err > 0) {
				common = 0;
				err = attach(&record, false);
			}
		} else if (nr > own_filters()) {
			err = -EBADMSG;
		}
	}
	revert_creds(cred);
	return err;
}
