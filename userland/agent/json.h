/* SPDX-License-Identifier: GPL-2.0-only */
/* As much JSON as the agent needs: a tree from a line, a line from values. */
#ifndef AGENT_JSON_H
#define AGENT_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/**
 * struct json - one value
 * @type: which of the fields below is meant
 * @key: its name, when it is a member of an object
 * @number: JSON_NUMBER; JSON_BOOL as 0 or 1
 * @string: JSON_STRING, ended by a NUL that @length does not count
 * @child: first element of an array or object
 * @next: next element of the array or object this one is in
 */
struct json {
	enum json_type type;
	char *key;
	double number;
	char *string;
	size_t length;
	struct json *child;
	struct json *next;
};

/* The tree of @text, or NULL when it is not JSON or memory is short. */
struct json *json_parse(const char *text, size_t length);
void json_free(struct json *json);

/* The member @key of an object, NULL when it is none or has no such member. */
const struct json *json_get(const struct json *object, const char *key);
double json_number(const struct json *object, const char *key, double otherwise);
/* A string without a NUL inside, else NULL. */
const char *json_string(const struct json *object, const char *key);
size_t json_count(const struct json *array);

/* Bytes that grow; @failed stays set once memory was short. */
struct buffer {
	char *data;
	size_t length;
	size_t size;
	bool failed;
};

void buffer_add(struct buffer *buffer, const void *data, size_t length);
__attribute__((format(printf, 2, 3)))
void buffer_print(struct buffer *buffer, const char *format, ...);
/* A JSON string with its quotes. */
void buffer_add_quoted(struct buffer *buffer, const char *text);
void buffer_add_base64(struct buffer *buffer, const void *data, size_t length);
void buffer_drop_front(struct buffer *buffer, size_t length);
void buffer_free(struct buffer *buffer);

/* Appends the bytes of a base64 string; false when it is malformed. */
bool base64_decode(struct buffer *to, const char *text, size_t length);

#endif
