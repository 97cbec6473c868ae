// SPDX-License-Identifier: GPL-2.0-only
/*
 * holon - look at and change a Holon cluster, and run programs in it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "output.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

static const struct object *const objects[] = {
	&object_cluster, &object_node, &object_task, &object_run, &object_stats,
	&object_monitor,
};

#define OBJECTS (sizeof(objects) / sizeof(objects[0]))

static char last_complaint[1024];

static void complain_args(const char *format, va_list args)
{
	vsnprintf(last_complaint, sizeof(last_complaint), format, args);
	fflush(stdout);
	fprintf(stderr, "holon: %s\n", last_complaint);
}

const char *complained(void)
{
	return last_complaint;
}

void complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain_args(format, args);
	va_end(args);
}

void die(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain_args(format, args);
	va_end(args);
	exit(code);
}

int misused(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain_args(format, args);
	va_end(args);
	fputs("holon: try `holon help`\n", stderr);
	return USAGE;
}

struct ynl_sock *kernel(int code)
{
	const char *why;
	struct ynl_sock *ys = holon_open(&why);

	if (!ys)
		die(code, "%s", why);
	return ys;
}

int refused(struct ynl_sock *ys)
{
	complain("%s", holon_why(ys));
	return REFUSED;
}

const char *given(const struct verb *verb, const char *key)
{
	const struct parameter *parameter;

	for (parameter = verb->parameters; parameter && parameter->key; parameter++) {
		if (!strcmp(parameter->key, key))
			return parameter->value;
	}
	return NULL;
}

static void help_verb(FILE *to, const struct object *object, const struct verb *verb)
{
	fprintf(to, "  holon %s%s%s%s%s\n        %s\n", object->name,
		verb == object->only ? "" : " ", verb == object->only ? "" : verb->name,
		verb->synopsis[0] ? " " : "", verb->synopsis, verb->help);
}

static void help_object(FILE *to, const struct object *object)
{
	const struct verb *verb;

	if (object->raw)
		fprintf(to, "  %s\n", object->help);
	if (object->only)
		help_verb(to, object, object->only);
	for (verb = object->verbs; verb && verb->name; verb++)
		help_verb(to, object, verb);
}

static int help(void)
{
	unsigned int i;

	puts("usage: holon [-j] OBJECT VERB [key value]...\n");
	for (i = 0; i < OBJECTS; i++)
		help_object(stdout, objects[i]);
	puts("\n"
	     "  -j, --json     print JSON\n"
	     "  -V, --version  print the version\n"
	     "  -h, --help     print this; holon OBJECT help prints that object's part\n"
	     "\n"
	     "Exit status: 0 done, 1 refused or failed, 2 wrong use; `holon run` exits with\n"
	     "the status of the command, or 125 when it cannot place it, 126 when the command\n"
	     "cannot be executed, 127 when it is not found. See holon(1).");
	return fflush(stdout) ? REFUSED : DONE;
}

static bool is_help(const char *word)
{
	return !strcmp(word, "help") || !strcmp(word, "-h") || !strcmp(word, "--help");
}

static int run_verb(const struct object *object, const struct verb *verb, int argc, char **argv)
{
	struct parameter *parameter;
	int i;

	for (i = 0; i < argc; i++) {
		if (is_help(argv[i])) {
			help_verb(stdout, object, verb);
			return DONE;
		}
		for (parameter = verb->parameters; parameter && parameter->key; parameter++) {
			if (!strcmp(parameter->key, argv[i]))
				break;
		}
		if (!parameter || !parameter->key)
			return misused("\"%s\" is not a parameter of `holon %s%s%s`", argv[i],
				       object->name, verb->name ? " " : "", verb->name ?: "");
		if (parameter->value)
			return misused("\"%s\" is given twice", argv[i]);
		if (!parameter->lone && i + 1 == argc)
			return misused("\"%s\" needs a value", argv[i]);
		parameter->value = parameter->lone ? parameter->key : argv[++i];
	}
	return verb->run(verb);
}

static int run_object(const struct object *object, int argc, char **argv)
{
	const struct verb *verb = object->verbs;

	if (argc && is_help(argv[0])) {
		help_object(stdout, object);
		return DONE;
	}
	if (object->only)
		return run_verb(object, object->only, argc, argv);
	/* The first verb is the default: `holon node` shows the nodes. */
	if (!argc)
		return run_verb(object, verb, 0, argv);
	for (; verb->name; verb++) {
		if (!strcmp(verb->name, argv[0]))
			return run_verb(object, verb, argc - 1, argv + 1);
	}
	return misused("\"%s\" is not a verb of `holon %s`", argv[0], object->name);
}

/* Take -j out of the words of an object: it may stand anywhere. */
static int take_json(int argc, char **argv)
{
	int from, to = 0;

	for (from = 0; from < argc; from++) {
		if (!strcmp(argv[from], "-j") || !strcmp(argv[from], "--json"))
			output_json();
		else
			argv[to++] = argv[from];
	}
	argv[to] = NULL;
	return to;
}

int main(int argc, char **argv)
{
	unsigned int i;

	for (argc--, argv++; argc && argv[0][0] == '-'; argc--, argv++) {
		if (!strcmp(argv[0], "-j") || !strcmp(argv[0], "--json")) {
			output_json();
		} else if (!strcmp(argv[0], "-V") || !strcmp(argv[0], "--version")) {
			puts("holon " VERSION);
			return fflush(stdout) ? REFUSED : DONE;
		} else if (is_help(argv[0])) {
			return help();
		} else {
			return misused("\"%s\" is not an option", argv[0]);
		}
	}
	if (!argc)
		return misused("say what to look at or to do");
	if (is_help(argv[0]))
		return help();
	for (i = 0; i < OBJECTS; i++) {
		if (strcmp(objects[i]->name, argv[0]))
			continue;
		if (objects[i]->raw)
			return objects[i]->raw(argc - 1, argv + 1);
		argc = take_json(argc - 1, argv + 1);
		return run_object(objects[i], argc, argv + 1);
	}
	return misused("\"%s\" is not an object", argv[0]);
}
