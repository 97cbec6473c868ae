// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults on request, for the tests of the test harness: a harness that has
 * never seen a leak or a splat cannot be trusted to notice one.
 *
 *   echo leak > /sys/kernel/debug/holon/provoke
 *
 * Only in kernels for tests (CONFIG_HOLON_DEBUG), only for root.
 */
#include <linux/bug.h>
#include <linux/debugfs.h>
#include <linux/holon_debugfs.h>
#include <linux/init.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#define PROVOKE_LEAKS	32

static void provoke_leak(void)
{
	int i;

	/* Some may stay reachable by what is left on a stack. */
	for (i = 0; i < PROVOKE_LEAKS; i++) {
		u8 *lost = kmalloc(96, GFP_KERNEL);

		if (lost)
			lost[0] = i;
		/* The compiler must not see that nobody frees it. */
		OPTIMIZER_HIDE_VAR(lost);
	}
}

static void provoke_warning(void)
{
	WARN(1, "holon: provoked\n");
}

static void provoke_lock_order(void)
{
	static DEFINE_SPINLOCK(first);
	static DEFINE_SPINLOCK(second);

	spin_lock(&first);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&first);

	spin_lock(&second);
	spin_lock(&first);
	spin_unlock(&first);
	spin_unlock(&second);
}

static void provoke_atomic_sleep(void)
{
	preempt_disable();
	might_sleep();
	preempt_enable();
}

static const struct {
	const char *name;
	void (*run)(void);
} provocations[] = {
	{ "leak", provoke_leak },
	{ "warning", provoke_warning },
	{ "lock-order", provoke_lock_order },
	{ "atomic-sleep", provoke_atomic_sleep },
};

static ssize_t provoke_write(struct file *file, const char __user *from, size_t count,
			     loff_t *offset)
{
	char name[24];
	size_t i;
	int err;

	err = holon_debugfs_line(from, count, name, sizeof(name));
	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(provocations); i++) {
		if (!strcmp(name, provocations[i].name)) {
			provocations[i].run();
			return count;
		}
	}
	return -EINVAL;
}

static const struct file_operations provoke_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = provoke_write,
};

static int __init provoke_init(void)
{
	debugfs_create_file("provoke", 0200, holon_debugfs(), NULL, &provoke_fops);
	return 0;
}
late_initcall(provoke_init);
