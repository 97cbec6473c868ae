// SPDX-License-Identifier: GPL-2.0-only
/*
 * holon node configure|private|check: what /etc/holon/node.conf says.
 *
 * A line NAME=VALUE of the file is what holon.NAME=VALUE is on the kernel command
 * line, but for key=, the file of the cluster keys, and private=. All of it is
 * looked at before any of it has an effect, and the id comes last: with it the
 * settings are fixed, and the kernel begins to look for the cluster. A machine whose
 * file is wrong therefore stays an ordinary one. An id on the kernel command line
 * wins, and with it all settings there.
 *
 * Runs in the initramfs with "root /root", and again in an early unit.
 *
 * private= names directories on a shared file system, the root of a machine with a
 * disk of its own above all, that are not the same on all nodes. Mounted onto
 * themselves they are mounts that holon.shared= does not list, and so belong to the
 * home of a process.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "configure.h"

#define DEFAULT_CONFIG	"/etc/holon/node.conf"
#define PARAMETERS	"/sys/module/holon/parameters"
#define LINE		4096	/* of the file, and what the kernel takes at a time */
#define PATH		(2 * LINE)	/* below another root */
#define REASON		"/run/holon/reason"

static bool is_id(const char *value)
{
	unsigned long number;

	return holon_number(value, 1, HOLON_NODES - 1, &number);
}

static bool is_name(const char *value)
{
	size_t length = strspn(value, "abcdefghijklmnopqrstuvwxyz"
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	return length && !value[length] && length < 32;
}

/* The first @length bytes: a.b.c.d, or with @end behind it a number. */
static bool is_address_of(const char *value, size_t length, char end)
{
	char text[32], *rest;
	struct in_addr address;
	unsigned long port;

	if (length >= sizeof(text))
		return false;
	memcpy(text, value, length);
	text[length] = 0;
	rest = end ? strchr(text, end) : NULL;
	if (rest) {
		*rest++ = 0;
		if (!holon_number(rest, end == '/' ? 0 : 1, end == '/' ? 32 : 65535, &port))
			return false;
	}
	return inet_pton(AF_INET, text, &address) == 1;
}

static bool is_address(const char *value)
{
	return is_address_of(value, strlen(value), '/');
}

static bool is_peers(const char *value)
{
	for (;;) {
		size_t length = strcspn(value, ",");

		if (!is_address_of(value, length, ':'))
			return false;
		if (!value[length])
			return true;
		value += length + 1;
	}
}

static bool is_interface(const char *value)
{
	return strlen(value) < IF_NAMESIZE && !strpbrk(value, "/ \t");
}

static bool is_port(const char *value)
{
	unsigned long number;

	return holon_number(value, 1, 65535, &number);
}

static bool is_flag(const char *value)
{
	return !strcmp(value, "0") || !strcmp(value, "1");
}

static bool is_number(const char *value)
{
	unsigned long number;

	return holon_number(value, 0, INT_MAX, &number);
}

static bool is_path(const char *value)
{
	return value[0] == '/' && !strpbrk(value, " \t");
}

static bool is_paths(const char *value)
{
	return is_path(value) && !strstr(value, ",,");
}

static bool is_quorum(const char *value)
{
	return !strcmp(value, "majority") || !strcmp(value, "one");
}

enum { NODE, CLUSTER, KEY, PRIVATE, SETTINGS };

static struct setting {
	const char *name;
	bool (*is_right)(const char *value);
	const char *wanted;		/* what is said when it is not */
	char value[LINE];
	int line;			/* where it stands, 0: nowhere */
} settings[] = {
	[NODE] = { "node", is_id, "a number from 1 to 255" },
	[CLUSTER] = { "cluster", is_name, "up to 31 letters, digits, '-', '_' and '.'" },
	[KEY] = { "key", is_path, "the path of a file" },
	[PRIVATE] = { "private", is_paths, "paths with commas between them" },
	[SETTINGS] =
	{ "addr", is_address, "an IPv4 address, with or without /PREFIX" },
	{ "expect", is_id, "a number from 1 to 255" },
	{ "fd_ms", is_number, "a number of milliseconds" },
	{ "fence", is_path, "the path of a program" },
	{ "group", is_number, "the number of a group" },
	{ "hb_ms", is_number, "a number of milliseconds" },
	{ "if", is_interface, "the name of an interface" },
	{ "insecure", is_flag, "0 or 1" },
	{ "lease_ms", is_number, "a number of milliseconds" },
	{ "peers", is_peers, "IPv4 addresses, each with or without :PORT, with commas between them" },
	{ "port", is_port, "a number from 1 to 65535" },
	{ "quorum", is_quorum, "majority or one" },
	{ "shared", is_paths, "PATH:CLASS pairs with commas between them" },
};

#define COUNT	(sizeof(settings) / sizeof(settings[0]))

static struct setting *find(const char *name)
{
	unsigned int i;

	for (i = 0; i < COUNT; i++) {
		if (!strcmp(settings[i].name, name))
			return &settings[i];
	}
	return NULL;
}

/* A line without its end and blanks around it; quotes as a shell has them go. */
static char *stripped(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length && isspace((unsigned char)text[length - 1]))
		text[--length] = 0;
	if (length > 1 && (text[0] == '"' || text[0] == '\'') && text[length - 1] == text[0]) {
		text[length - 1] = 0;
		text++;
	}
	return text;
}

static int read_line(const char *file, int number, char *text)
{
	char *equals = strchr(text, '='), *value;
	struct setting *setting;

	if (!equals) {
		complain("%s: line %d is not NAME=VALUE", file, number);
		return REFUSED;
	}
	*equals = 0;
	value = stripped(equals + 1);
	setting = find(stripped(text));
	if (!setting) {
		complain("%s: line %d: there is no setting \"%s\": see holon-node.conf(5)", file,
			 number, stripped(text));
		return REFUSED;
	}
	if (setting->line) {
		complain("%s: line %d: %s= stands in line %d already", file, number, setting->name,
			 setting->line);
		return REFUSED;
	}
	/* NAME= with nothing behind it: as if it were not there. */
	if (!*value)
		return DONE;
	if (!setting->is_right(value)) {
		complain("%s: line %d: %s=%s is wrong: it must be %s", file, number, setting->name,
			 value, setting->wanted);
		return REFUSED;
	}
	setting->line = number;
	strcpy(setting->value, value);	/* of a line, which is as long */
	return DONE;
}

/* Return: DONE or REFUSED, which has been explained. */
static int read_config(const char *file)
{
	int number = 0, err = DONE;
	char line[LINE];
	FILE *from = fopen(file, "re");

	if (!from) {
		complain("cannot read %s: %s", file, strerror(errno));
		return REFUSED;
	}
	while (!err && fgets(line, sizeof(line), from)) {
		char *text = line;

		number++;
		if (!strchr(line, '\n') && !feof(from)) {
			complain("%s: line %d is too long", file, number);
			err = REFUSED;
			break;
		}
		text += strspn(text, " \t\n");
		if (*text && *text != '#')
			err = read_line(file, number, text);
	}
	fclose(from);
	return err;
}

static int write_setting(const struct setting *setting)
{
	char path[sizeof(PARAMETERS) + 32];
	size_t length = strlen(setting->value);
	ssize_t written;
	int fd;

	snprintf(path, sizeof(path), PARAMETERS "/%s", setting->name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	written = fd < 0 ? -1 : write(fd, setting->value, length);
	if (written != (ssize_t)length)
		complain("the kernel does not take holon.%s=%s: %s", setting->name, setting->value,
			 strerror(errno));
	if (fd >= 0)
		close(fd);
	return written == (ssize_t)length ? DONE : REFUSED;
}

/* The id the kernel has, 0 when none. */
static unsigned int kernel_id(void)
{
	unsigned int id = 0;
	FILE *file = fopen("/sys/kernel/holon/node", "re");

	if (file) {
		if (fscanf(file, "%u", &id) != 1)
			id = 0;
		fclose(file);
	}
	return id;
}

static int apply(const char *file)
{
	struct holon_node_set_req request = { ._present.id = 1 };
	struct ynl_sock *ys;
	unsigned int i;

	for (i = 0; i < COUNT; i++) {
		if (settings[i].line && (i == CLUSTER || i >= SETTINGS) && write_setting(&settings[i]))
			return REFUSED;
	}
	request.id = atoi(settings[NODE].value);
	ys = kernel(REFUSED);
	if (holon_node_set(ys, &request))
		return refused(ys);
	ynl_sock_destroy(ys);
	return DONE;
}

static const char *key_file(const char *root, char path[PATH])
{
	snprintf(path, PATH, "%s%s", root,
		 settings[KEY].line ? settings[KEY].value : "/etc/holon/cluster.key");
	return path;
}

static int check_node(const char *file)
{
	if (!settings[NODE].line) {
		complain("%s gives no node=: this machine is in no cluster until it has an id", file);
		return REFUSED;
	}
	if (!settings[CLUSTER].line) {
		complain("%s gives no cluster=: say the name of the cluster to join", file);
		return REFUSED;
	}
	return DONE;
}

static int configure_from(const char *file, const char *root)
{
	char key[PATH];
	int err;

	/* All was said on the kernel command line, or in the initramfs. */
	if (kernel_id())
		return load_keys(key_file(root, key));
	err = read_config(file) ?: check_node(file) ?: load_keys(key_file(root, key));
	return err ?: apply(file);
}

static void config_path(const struct verb *verb, char path[PATH])
{
	snprintf(path, PATH, "%s%s", given(verb, "root") ?: "",
		 given(verb, "file") ?: DEFAULT_CONFIG);
}

int node_configure(const struct verb *verb)
{
	char file[PATH];
	int err;

	/* Says that this kernel has no Holon, before anything about the file. */
	ynl_sock_destroy(kernel(REFUSED));
	config_path(verb, file);
	err = configure_from(file, given(verb, "root") ?: "");
	reason_note(err);
	return err;
}

int node_check(const struct verb *verb)
{
	char file[PATH], key[PATH];

	config_path(verb, file);
	return read_config(file) ?: check_node(file) ?:
	       check_keys(key_file(given(verb, "root") ?: "", key));
}

/* Is it a directory, and not a mount already? */
static bool can_be_private(const char *path)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &st))
		return false;
	return S_ISDIR(st.stx_mode) && !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

int node_private(const struct verb *verb)
{
	char file[PATH], *path, *rest = settings[PRIVATE].value;

	config_path(verb, file);
	if (read_config(file))
		return REFUSED;
	while ((path = strsep(&rest, ","))) {
		/* With what is mounted below it, which would be hidden otherwise. */
		if (!can_be_private(path) || !mount(path, path, NULL, MS_BIND | MS_REC, NULL))
			continue;
		complain("cannot make %s private: %s", path, strerror(errno));
		return REFUSED;
	}
	return DONE;
}

/* --- the reason ------------------------------------------------------------ */

void reason_note(int err)
{
	FILE *file;

	if (!err) {
		unlink(REASON);
		return;
	}
	mkdir("/run/holon", 0755);
	/* Who may not write there is not who has to configure the node. */
	file = fopen(REASON, "we");
	if (!file)
		return;
	fprintf(file, "%s\n", complained());
	fclose(file);
}

const char *reason_noted(void)
{
	static char text[1024];
	FILE *file = fopen(REASON, "re");

	if (!file)
		return NULL;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	text[strcspn(text, "\n")] = 0;
	return text[0] ? text : NULL;
}
