// SPDX-License-Identifier: GPL-2.0-only
/*
 * holon cluster key: the file of cluster keys, and loading it.
 *
 * A key is a line of 64 hexadecimal digits. The first one is used, all are
 * accepted. The file belongs to its owner alone; it is only ever replaced as a
 * whole, so that a node that is switched off finds the old or the new one.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "configure.h"
#include "output.h"

#define KEY_SIZE	32
#define KEYS_MAX	4
#define DEFAULT_FILE	"/etc/holon/cluster.key"

struct keys {
	unsigned int count;
	unsigned char key[KEYS_MAX][KEY_SIZE];
};

static int cannot(const char *what, const char *file)
{
	complain("cannot %s %s: %s", what, file, strerror(errno));
	return REFUSED;
}

static bool parse_key(const char *line, unsigned char *key)
{
	unsigned int i;

	for (i = 0; i < KEY_SIZE; i++) {
		const char digits[3] = { line[2 * i], line[2 * i + 1] };

		if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
			return false;
		key[i] = strtoul(digits, NULL, 16);
	}
	return line[2 * KEY_SIZE] == '\n' || !line[2 * KEY_SIZE];
}

/* Return: DONE or REFUSED, which has been explained. */
static int read_keys(const char *file, struct keys *keys)
{
	char line[256];
	struct stat st;
	int number = 0;
	FILE *from;

	keys->count = 0;
	from = fopen(file, "re");
	if (!from || fstat(fileno(from), &st)) {
		if (from)
			fclose(from);
		return cannot("read", file);
	}
	if (st.st_mode & 077 || (st.st_uid && st.st_uid != geteuid())) {
		complain("%s belongs to others or can be read by them: chown and chmod 600 it, "
			 "and make a new key if they are not trusted", file);
		goto refuse;
	}
	while (fgets(line, sizeof(line), from)) {
		number++;
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (keys->count == KEYS_MAX) {
			complain("%s has more than %d keys: holon cluster key prune", file, KEYS_MAX);
			goto refuse;
		}
		if (!parse_key(line, keys->key[keys->count])) {
			complain("%s: line %d is not a key of 64 hexadecimal digits", file, number);
			goto refuse;
		}
		keys->count++;
	}
	explicit_bzero(line, sizeof(line));
	fclose(from);
	if (!keys->count) {
		complain("%s has no key: holon cluster key generate makes one", file);
		return REFUSED;
	}
	return DONE;

refuse:
	explicit_bzero(line, sizeof(line));
	fclose(from);
	return REFUSED;
}

/* @flags: O_EXCL when nothing may be replaced. */
static int write_keys(const char *file, const struct keys *keys, int flags)
{
	const char *target = file;
	char fresh[PATH_MAX];
	unsigned int i, j;
	FILE *to;
	int fd;

	if (!(flags & O_EXCL)) {
		if (snprintf(fresh, sizeof(fresh), "%s.new", file) >= (int)sizeof(fresh)) {
			errno = ENAMETOOLONG;
			return cannot("write", file);
		}
		target = fresh;
		unlink(target);
	}
	fd = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		if (errno == EEXIST)
			complain("%s exists: holon cluster key add puts a second key into it", target);
		else
			cannot("write", target);
		return REFUSED;
	}
	to = fdopen(fd, "w");
	if (!to) {
		cannot("write", target);
		close(fd);
		unlink(target);
		return REFUSED;
	}
	fputs("# Cluster keys of Holon: whoever has one is in the cluster. The first is used.\n", to);
	for (i = 0; i < keys->count; i++) {
		for (j = 0; j < KEY_SIZE; j++)
			fprintf(to, "%02x", keys->key[i][j]);
		fputc('\n', to);
	}
	if (fflush(to) || fsync(fd) || fclose(to) || (target != file && rename(target, file))) {
		cannot("write", target);
		unlink(target);
		return REFUSED;
	}
	return DONE;
}

static int new_key(struct keys *keys)
{
	if (getrandom(keys->key[keys->count], KEY_SIZE, 0) != KEY_SIZE) {
		complain("no random bytes: %s", strerror(errno));
		return REFUSED;
	}
	keys->count++;
	return DONE;
}

static int generate(const char *file, struct keys *keys)
{
	return new_key(keys) ?: write_keys(file, keys, O_EXCL);
}

static int add(const char *file, struct keys *keys)
{
	int err = read_keys(file, keys);

	if (err)
		return err;
	if (keys->count == KEYS_MAX) {
		complain("%s has %d keys already: holon cluster key prune", file, KEYS_MAX);
		return REFUSED;
	}
	return new_key(keys) ?: write_keys(file, keys, 0);
}

/* The newest becomes the one that is used. */
static int promote(const char *file, struct keys *keys)
{
	struct keys turned = {};
	int err = read_keys(file, keys);

	if (err)
		return err;
	turned.count = keys->count;
	memcpy(turned.key[0], keys->key[keys->count - 1], KEY_SIZE);
	memcpy(turned.key[1], keys->key[0], (keys->count - 1) * KEY_SIZE);
	err = write_keys(file, &turned, 0);
	explicit_bzero(&turned, sizeof(turned));
	return err;
}

/* Only the one that is used stays. */
static int prune(const char *file, struct keys *keys)
{
	int err = read_keys(file, keys);

	keys->count = 1;
	return err ?: write_keys(file, keys, 0);
}

static int load(const char *file, struct keys *keys)
{
	struct holon_key_set_req request = {};
	struct ynl_sock *ys;
	int err = read_keys(file, keys);

	if (err)
		return err;
	ys = kernel(REFUSED);
	request._present.bytes_len = keys->count * KEY_SIZE;
	request.bytes = keys->key;
	if (holon_key_set(ys, &request))
		return refused(ys);
	ynl_sock_destroy(ys);
	return DONE;
}

int load_keys(const char *file)
{
	struct keys keys = {};
	int err = load(file, &keys);

	explicit_bzero(&keys, sizeof(keys));
	return err;
}

int check_keys(const char *file)
{
	struct keys keys = {};
	int err = read_keys(file, &keys);

	explicit_bzero(&keys, sizeof(keys));
	return err;
}

static int show(void)
{
	struct ynl_sock *ys = kernel(REFUSED);
	struct holon_key_get_rsp *loaded = holon_key_get(ys);
	unsigned int i;

	if (!loaded)
		return refused(ys);
	output_begin(OUTPUT_TABLE);
	for (i = 0; i < loaded->n_id; i++) {
		char id[17];

		snprintf(id, sizeof(id), "%016llx", (unsigned long long)loaded->id[i]);
		output_record();
		output_string("key", id);
		output_flag("used", !i);
	}
	holon_key_get_rsp_free(loaded);
	ynl_sock_destroy(ys);
	return output_end();
}

struct parameter key_parameters[] = {
	{ .key = "show", .lone = true },
	{ .key = "generate", .lone = true },
	{ .key = "add", .lone = true },
	{ .key = "promote", .lone = true },
	{ .key = "prune", .lone = true },
	{ .key = "load", .lone = true },
	{ .key = "file" },
	{ .key = NULL }
};

static const struct {
	const char *name;
	int (*run)(const char *file, struct keys *keys);
} actions[] = {
	{ "generate", generate },
	{ "add", add },
	{ "promote", promote },
	{ "prune", prune },
	{ "load", load },
};

int cluster_key(const struct verb *verb)
{
	const char *file = given(verb, "file");
	struct keys keys = {};
	unsigned int i, count = 0, which = 0;
	int err;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (!given(verb, actions[i].name))
			continue;
		which = i;
		count++;
	}
	if (count + !!given(verb, "show") > 1)
		return misused("`holon cluster key` does one thing at a time");
	if (!count) {
		if (file)
			return misused("say what to do with the file: generate, add, promote, prune or load");
		return show();
	}
	err = actions[which].run(file ?: DEFAULT_FILE, &keys);
	explicit_bzero(&keys, sizeof(keys));
	return err;
}
