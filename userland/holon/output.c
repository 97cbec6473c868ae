// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "say.h"

/* A field as text, and whether JSON needs quotes around it. */
struct field {
	const char *key;
	char *text;
	enum { PLAIN, QUOTED, ABSENT } kind;
	bool detail;
};

struct record {
	struct field *fields;
	unsigned int count;
};

static bool json, detail;
static enum output_form form;
static struct record *records;
static unsigned int count;

void output_json(void)
{
	json = true;
}

static void *grow(void *array, unsigned int number, size_t size)
{
	array = reallocarray(array, number, size);
	if (!array)
		die(1, "out of memory");
	return array;
}

/*
 * The length of the UTF-8 sequence at @text, or 0 when it is none. Sequences
 * that are longer than they need to be, and surrogates, are none.
 */
static unsigned int utf8_length(const unsigned char *text)
{
	unsigned int length, i;
	uint32_t code;

	if (text[0] < 0x80)
		return 1;
	if (text[0] >= 0xc2 && text[0] < 0xe0)
		length = 2;
	else if (text[0] >= 0xe0 && text[0] < 0xf0)
		length = 3;
	else if (text[0] >= 0xf0 && text[0] < 0xf5)
		length = 4;
	else
		return 0;
	code = text[0] & (0x7f >> length);
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if ((length == 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
	    (length == 4 && (code < 0x10000 || code > 0x10ffff)))
		return 0;
	return length;
}

static void put_json_string(const char *string)
{
	const unsigned char *text = (const unsigned char *)string;
	unsigned int length;

	putchar('"');
	for (; *text; text += length) {
		length = utf8_length(text);
		if (!length) {
			length = 1;
			fputs("\\ufffd", stdout);
		} else if (*text == '"' || *text == '\\') {
			printf("\\%c", *text);
		} else if (*text < 0x20 || *text == 0x7f) {
			printf("\\u%04x", *text);
		} else {
			fwrite(text, 1, length, stdout);
		}
	}
	putchar('"');
}

static void put_json(const struct record *record)
{
	const char *separator = "";
	unsigned int i;

	putchar('{');
	for (i = 0; i < record->count; i++) {
		const struct field *field = &record->fields[i];

		if (field->kind == ABSENT)
			continue;
		printf("%s\"%s\":", separator, field->key);
		separator = ",";
		if (field->kind == QUOTED)
			put_json_string(field->text);
		else
			fputs(field->text, stdout);
	}
	putchar('}');
}

/*
 * What a terminal sees of a field: no control characters (U+0080 to U+009F are
 * some as well), nothing that is not UTF-8. JSON's brackets are not for eyes.
 */
static char *as_text(const struct field *field)
{
	const unsigned char *from = (const unsigned char *)field->text;
	unsigned int length;
	char *text, *to;

	if (field->kind == ABSENT || !*from || !strcmp(field->text, "[]"))
		return strdup("-");
	if (field->kind == PLAIN && !strcmp(field->text, "true"))
		return strdup("yes");
	if (field->kind == PLAIN && !strcmp(field->text, "false"))
		return strdup("-");
	text = malloc(strlen(field->text) + 1);
	if (!text)
		return NULL;
	for (to = text; *from; from += length) {
		length = utf8_length(from);
		if (field->kind == PLAIN && (*from == '[' || *from == ']'))
			continue;
		if (!length || iscntrl(*from) || (from[0] == 0xc2 && from[1] < 0xa0)) {
			*to++ = '?';
			length = length ?: 1;
			continue;
		}
		memcpy(to, from, length);
		to += length;
	}
	*to = 0;
	return text;
}

static const struct field *find(const struct record *record, const char *key)
{
	unsigned int i;

	for (i = 0; i < record->count; i++) {
		if (!strcmp(record->fields[i].key, key))
			return &record->fields[i];
	}
	return NULL;
}

static void to_text(void)
{
	unsigned int i, j;

	for (i = 0; i < count; i++) {
		for (j = 0; j < records[i].count; j++) {
			struct field *field = &records[i].fields[j];
			char *text = as_text(field);

			if (!text)
				die(1, "out of memory");
			free(field->text);
			field->text = text;
			field->kind = PLAIN;
		}
	}
}

/* Columns are the keys of the first record; all records have the same. */
static void put_table(void)
{
	const struct record *first = &records[0];
	unsigned int columns, column, row;
	int *width;

	if (!count)
		return;
	for (columns = 0; columns < first->count && !first->fields[columns].detail; columns++)
		;
	width = grow(NULL, columns + 1, sizeof(*width));
	for (column = 0; column < columns; column++) {
		const char *key = first->fields[column].key;

		width[column] = strlen(key);
		for (row = 0; row < count; row++) {
			const struct field *field = find(&records[row], key);
			int length = field ? strlen(field->text) : 1;

			if (length > width[column])
				width[column] = length;
		}
	}
	for (column = 0; column < columns; column++) {
		const char *key = first->fields[column].key;
		int left = column + 1 < columns ? width[column] + 2 : 0;

		left -= strlen(key);
		for (; *key; key++)
			putchar(toupper((unsigned char)*key));
		printf("%*s", left > 0 ? left : 0, "");
	}
	putchar('\n');
	for (row = 0; row < count; row++) {
		for (column = 0; column < columns; column++) {
			const struct field *field = find(&records[row], first->fields[column].key);
			bool last = column + 1 == columns;

			printf("%-*s%s", last ? 0 : width[column], field ? field->text : "-",
			       last ? "\n" : "  ");
		}
	}
	free(width);
}

static void put_fields(const struct record *record)
{
	int width = 0, length;
	unsigned int i;

	for (i = 0; i < record->count; i++) {
		length = strlen(record->fields[i].key);
		if (length > width)
			width = length;
	}
	for (i = 0; i < record->count; i++)
		printf("%-*s  %s\n", width, record->fields[i].key, record->fields[i].text);
}

static void put_line(const struct record *record)
{
	unsigned int i;

	/* The first field says what happened and needs no name. */
	for (i = 0; i < record->count; i++) {
		if (i)
			printf(" %s %s", record->fields[i].key, record->fields[i].text);
		else
			fputs(record->fields[i].text, stdout);
	}
	putchar('\n');
}

static void drop_records(void)
{
	unsigned int i, j;

	for (i = 0; i < count; i++) {
		for (j = 0; j < records[i].count; j++)
			free(records[i].fields[j].text);
		free(records[i].fields);
	}
	free(records);
	records = NULL;
	count = 0;
}

void output_begin(enum output_form new_form)
{
	form = new_form;
	drop_records();
}

/* An event that is complete must be seen at once. */
static void put_event(void)
{
	if (!count)
		return;
	if (json) {
		put_json(&records[0]);
		putchar('\n');
	} else {
		to_text();
		put_line(&records[0]);
	}
	fflush(stdout);
	drop_records();
}

void output_record(void)
{
	if (form == OUTPUT_EVENT)
		put_event();
	records = grow(records, count + 1, sizeof(*records));
	records[count++] = (struct record){};
	detail = false;
}

void output_detail(void)
{
	detail = true;
}

static void add(const char *key, int kind, char *text)
{
	struct record *record = &records[count - 1];

	if (!text)
		die(1, "out of memory");
	record->fields = grow(record->fields, record->count + 1, sizeof(*record->fields));
	record->fields[record->count++] = (struct field){ key, text, kind, detail };
}

void output_string(const char *key, const char *value)
{
	add(key, value ? QUOTED : ABSENT, strdup(value ?: ""));
}

static char *format_number(const char *format, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), format, value);
	return strdup(text);
}

void output_number(const char *key, uint64_t value)
{
	add(key, PLAIN, format_number("%" PRIu64, value));
}

void output_signed(const char *key, int64_t value)
{
	add(key, PLAIN, format_number("%" PRId64, value));
}

void output_flag(const char *key, bool value)
{
	add(key, PLAIN, strdup(value ? "true" : "false"));
}

void output_numbers(const char *key, const uint64_t *values, unsigned int number)
{
	char *text = grow(NULL, number + 1, 24), *at = text;
	unsigned int i;

	*at++ = '[';
	for (i = 0; i < number; i++)
		at += sprintf(at, "%s%" PRIu64, i ? "," : "", values[i]);
	strcpy(at, "]");
	add(key, PLAIN, text);
}

void output_ids(const char *key, const uint8_t *ids, unsigned int number)
{
	uint64_t values[256];
	unsigned int i;

	if (number > 256)
		number = 256;
	for (i = 0; i < number; i++)
		values[i] = ids[i];
	output_numbers(key, values, number);
}

static bool later;

void output_group_begin(void)
{
	later = false;
	if (json)
		putchar('{');
}

void output_group_next(const char *name)
{
	if (json)
		printf("%s\"%s\":", later ? "," : "", name);
	else if (later)
		putchar('\n');
	later = true;
}

void output_group_end(void)
{
	if (json)
		puts("}");
	fflush(stdout);
}

int output_end(void)
{
	unsigned int i;

	if (form == OUTPUT_EVENT) {
		put_event();
	} else if (json) {
		if (form == OUTPUT_TABLE)
			putchar('[');
		for (i = 0; i < count; i++) {
			fputs(i ? ",\n" : "", stdout);
			put_json(&records[i]);
		}
		puts(form == OUTPUT_TABLE ? "]" : "");
	} else {
		to_text();
		if (form == OUTPUT_TABLE) {
			put_table();
		} else {
			for (i = 0; i < count; i++)
				put_fields(&records[i]);
		}
	}
	drop_records();
	if (fflush(stdout) || ferror(stdout)) {
		complain("standard output: %s", strerror(errno));
		return 1;
	}
	return 0;
}
