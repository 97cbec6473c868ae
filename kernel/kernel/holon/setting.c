// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings of this node, see <linux/holon_setting.h>.
 *
 * A machine that boots from its own disk has them in a file, which user space
 * writes to the parameters before it gives the node its id. The lock keeps a
 * setting from changing while the id is given, so whoever acts for a node with an
 * id reads settings that are constant, without a lock.
 */
#include <linux/errno.h>
#include <linux/holon.h>
#include <linux/holon_node.h>
#include <linux/holon_setting.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "setting.h"

static DEFINE_MUTEX(setting_mutex);

int holon_setting_begin(void)
{
	mutex_lock(&setting_mutex);
	/* The words of the kernel command line come in any order. */
	if (system_state == SYSTEM_BOOTING || !holon_node_id())
		return 0;
	mutex_unlock(&setting_mutex);
	return -EBUSY;
}

void holon_setting_end(void)
{
	mutex_unlock(&setting_mutex);
}

int setting_fix_id(unsigned int id)
{
	int err;

	mutex_lock(&setting_mutex);
	err = holon_node_set_id(id);
	if (!err)
		holon_pid_range();
	mutex_unlock(&setting_mutex);
	return err;
}

static int string_set(const char *val, const struct kernel_param *kp)
{
	const struct kparam_string *string = kp->str;
	size_t len = strcspn(val, "\n");
	int err;

	if (len >= string->maxlen)
		return -ENOSPC;
	err = holon_setting_begin();
	if (err)
		return err;
	memcpy(string->string, val, len);
	string->string[len] = 0;
	holon_setting_end();
	return 0;
}

const struct kernel_param_ops holon_setting_string_ops = {
	.set = string_set, .get = param_get_string,
};

static int plain_set(const char *val, const struct kernel_param *kp,
		     int (*set)(const char *val, const struct kernel_param *kp))
{
	int err = holon_setting_begin();

	if (err)
		return err;
	err = set(val, kp);
	holon_setting_end();
	return err;
}

static int uint_set(const char *val, const struct kernel_param *kp)
{
	return plain_set(val, kp, param_set_uint);
}

const struct kernel_param_ops holon_setting_uint_ops = {
	.set = uint_set, .get = param_get_uint,
};

static int ushort_set(const char *val, const struct kernel_param *kp)
{
	return plain_set(val, kp, param_set_ushort);
}

const struct kernel_param_ops holon_setting_ushort_ops = {
	.set = ushort_set, .get = param_get_ushort,
};

static int bool_set(const char *val, const struct kernel_param *kp)
{
	return plain_set(val, kp, param_set_bool);
}

/* Without an argument it means yes, as for any bool. */
const struct kernel_param_ops holon_setting_bool_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = bool_set, .get = param_get_bool,
};
