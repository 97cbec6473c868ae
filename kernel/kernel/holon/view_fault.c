// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests: let this node die at a point of a view change that it proposes or
 * leads. /sys/kernel/debug/holon/view_fault takes "POINT ACTION": with "halt"
 * the machine stands still for ever, as one that has lost power, with "reboot"
 * it resets at once, as one that is quick to come back. Fires once. Reading
 * gives the point that is armed, or "none".
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/holon_debugfs.h>
#include <linux/init.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/string.h>

#include "membership.h"

static const char * const point_names[VIEW_FAULT_POINTS] = {
	[VIEW_FAULT_NONE]	= "none",
	[VIEW_FAULT_SUSPECT]	= "suspect",
	[VIEW_FAULT_PREPARE]	= "prepare",
	[VIEW_FAULT_PROMISE]	= "promise",
	[VIEW_FAULT_ACCEPT]	= "accept",
	[VIEW_FAULT_ACCEPTED]	= "accepted",
	[VIEW_FAULT_COMMIT]	= "commit",
	[VIEW_FAULT_INSTALL]	= "install",
	[VIEW_FAULT_FLUSH]	= "flush",
	[VIEW_FAULT_STEP]	= "step",
	[VIEW_FAULT_RESUME]	= "resume",
};

static const char * const action_names[] = { "halt", "reboot" };

static unsigned int armed, action;

void view_fault(enum view_fault_point point)
{
	if (likely(READ_ONCE(armed) != point))
		return;
	WRITE_ONCE(armed, VIEW_FAULT_NONE);
	pr_emerg("fault at %s: %s\n", point_names[point], action_names[action]);
	if (action)
		emergency_restart();
	smp_send_stop();
	local_irq_disable();
	for (;;)
		halt();
}

static ssize_t view_fault_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	char text[32];
	int len = scnprintf(text, sizeof(text), "%s\n", point_names[READ_ONCE(armed)]);

	return simple_read_from_buffer(to, count, pos, text, len);
}

static ssize_t view_fault_write(struct file *file, const char __user *from, size_t count,
				loff_t *pos)
{
	char text[32], *what, *how = text;
	int point, act, err;

	err = holon_debugfs_line(from, count, text, sizeof(text));
	if (err)
		return err;
	what = strsep(&how, " ");
	point = match_string(point_names, ARRAY_SIZE(point_names), what);
	act = how ? match_string(action_names, ARRAY_SIZE(action_names), how) : 0;
	if (point < 0 || act < 0)
		return -EINVAL;
	action = act;
	WRITE_ONCE(armed, point);
	return count;
}

static const struct file_operations view_fault_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= view_fault_read,
	.write	= view_fault_write,
};

static int __init view_fault_init(void)
{
	debugfs_create_file("view_fault", 0600, holon_debugfs(), NULL, &view_fault_fops);
	return 0;
}
late_initcall(view_fault_init);
