/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One print layer for text and JSON. A command says what there is; how it
 * looks is decided here:
 *
 *   form		text				JSON
 *   OUTPUT_TABLE	aligned columns under a heading	array of objects
 *   OUTPUT_RECORD	a "key value" line per field	one object
 *   OUTPUT_EVENT	one line a record, at once	one object a line
 *
 * Text comes from other machines in part, so control characters never reach
 * the terminal as they are.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

enum output_form { OUTPUT_TABLE, OUTPUT_RECORD, OUTPUT_EVENT };

/* Choose JSON; before the first output_begin(). */
void output_json(void);

/* Begin a set of records. */
void output_begin(enum output_form form);

/* Begin the next record. */
void output_record(void);

/* The fields that follow in this record are left out of a table. */
void output_detail(void);

/* Fields. A NULL string is left out of JSON and is "-" in text. */
void output_string(const char *key, const char *value);
void output_number(const char *key, uint64_t value);
void output_signed(const char *key, int64_t value);
void output_flag(const char *key, bool value);
void output_ids(const char *key, const uint8_t *ids, unsigned int count);
void output_numbers(const char *key, const uint64_t *values, unsigned int count);

/* End the set. Return: 0, or 1 when standard output cannot be written. */
int output_end(void);

/*
 * Several tables as one: in JSON an object with a member for each, in text one
 * below the other.
 */
void output_group_begin(void);
void output_group_next(const char *name);
void output_group_end(void);

#endif
