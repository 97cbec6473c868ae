// SPDX-License-Identifier: GPL-2.0-only
/* Drives userland/holon/output.c for test_output.py: reads commands, a line each. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <output.h>
#include <say.h>

void die(int code, const char *format, ...)
{
	fprintf(stderr, "%s\n", format);
	exit(code);
}

void complain(const char *format, ...)
{
	fprintf(stderr, "%s\n", format);
}

/* \xHH, so that a test can give any byte. */
static char *unescape(char *text)
{
	char *from, *to;
	unsigned int byte;

	for (from = to = text; *from; to++) {
		if (from[0] == '\\' && sscanf(from, "\\x%2x", &byte) == 1) {
			*to = byte;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = 0;
	return text;
}

static void ids(const char *key, char *list)
{
	unsigned int count = 0;
	uint8_t values[256];
	char *word;

	for (word = strtok(list, ","); word; word = strtok(NULL, ","))
		values[count++] = atoi(word);
	output_ids(strdup(key), values, count);
}

int main(int argc, char **argv)
{
	char line[4096], *command, *key, *value;
	int err = 0;

	if (argc > 1 && !strcmp(argv[1], "-j"))
		output_json();
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = 0;
		value = line;
		command = strsep(&value, " ");
		key = value ? strsep(&value, " ") : "";
		if (!strcmp(command, "begin"))
			output_begin(atoi(key));
		else if (!strcmp(command, "record"))
			output_record();
		else if (!strcmp(command, "detail"))
			output_detail();
		else if (!strcmp(command, "string"))
			output_string(strdup(key), value ? unescape(value) : NULL);
		else if (!strcmp(command, "number"))
			output_number(strdup(key), strtoull(value, NULL, 10));
		else if (!strcmp(command, "signed"))
			output_signed(strdup(key), strtoll(value, NULL, 10));
		else if (!strcmp(command, "flag"))
			output_flag(strdup(key), atoi(value));
		else if (!strcmp(command, "ids"))
			ids(key, value ? value : "");
		else if (!strcmp(command, "group"))
			output_group_begin();
		else if (!strcmp(command, "next"))
			output_group_next(strdup(key));
		else if (!strcmp(command, "close"))
			output_group_end();
		else if (!strcmp(command, "end"))
			err |= output_end();
		else
			return 3;
	}
	return err;
}
