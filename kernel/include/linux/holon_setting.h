/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings of this node: module parameters that are given at boot, or written to
 * /sys/module/holon/parameters until the node has an id. Then it works by them.
 */
#ifndef _LINUX_HOLON_SETTING_H
#define _LINUX_HOLON_SETTING_H

#include <linux/moduleparam.h>

/* Of struct kparam_string; a final newline is left out. */
extern const struct kernel_param_ops holon_setting_string_ops;
extern const struct kernel_param_ops holon_setting_uint_ops;
extern const struct kernel_param_ops holon_setting_ushort_ops;
extern const struct kernel_param_ops holon_setting_bool_ops;

/* @_name of the file scope character array @_text. */
#define holon_setting_string(_name, _text)					\
	static struct kparam_string setting_##_name = { sizeof(_text), _text };	\
	module_param_cb(_name, &holon_setting_string_ops, &setting_##_name, 0644)

/**
 * holon_setting_begin - begin to change a setting
 *
 * Context: process context; holon_setting_end() must follow when 0 is returned.
 * Return: 0, or -EBUSY when the node has its id.
 */
int holon_setting_begin(void);
void holon_setting_end(void);

#endif /* _LINUX_HOLON_SETTING_H */
