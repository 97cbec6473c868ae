// SPDX-License-Identifier: GPL-2.0-only
#include <linux/debugfs.h>
#include <linux/errno.h>
#include <linux/holon_debugfs.h>
#include <linux/init.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static struct dentry *root;

/**
 * holon_debugfs - the directory of our files, from fs_initcall on
 */
struct dentry *holon_debugfs(void)
{
	return root;
}

/**
 * holon_debugfs_line - the words that were written to a file
 * @from: as of write()
 * @len: as of write()
 * @line: receives them, without blanks and newline at the end
 * @size: of @line
 *
 * Return: 0, -EINVAL when they do not fit, -EFAULT.
 */
int holon_debugfs_line(const char __user *from, size_t len, char *line, size_t size)
{
	if (len >= size)
		return -EINVAL;
	if (copy_from_user(line, from, len))
		return -EFAULT;
	line[len] = '\0';
	strim(line);
	return 0;
}

static int __init holon_debugfs_init(void)
{
	root = debugfs_create_dir("holon", NULL);
	return 0;
}
fs_initcall(holon_debugfs_init);
