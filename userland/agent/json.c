// SPDX-License-Identifier: GPL-2.0-only
#include "json.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 16

struct parser {
	const char *at;
	const char *end;
	int depth;
};

static struct json *parse_value(struct parser *p);

static void skip_space(struct parser *p)
{
	while (p->at < p->end && isspace((unsigned char)*p->at))
		p->at++;
}

static bool take(struct parser *p, char c)
{
	skip_space(p);
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

static bool take_word(struct parser *p, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(p->end - p->at) < length || memcmp(p->at, word, length))
		return false;
	p->at += length;
	return true;
}

static int parse_hex4(struct parser *p)
{
	int value = 0, i;

	if (p->end - p->at < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		char c = *p->at++;

		if (!isxdigit((unsigned char)c))
			return -1;
		value = value * 16 + (isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10);
	}
	return value;
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = c;
	} else if (c < 0x800) {
		*to++ = 0xc0 | c >> 6;
		*to++ = 0x80 | (c & 0x3f);
	} else if (c < 0x10000) {
		*to++ = 0xe0 | c >> 12;
		*to++ = 0x80 | (c >> 6 & 0x3f);
		*to++ = 0x80 | (c & 0x3f);
	} else {
		*to++ = 0xf0 | c >> 18;
		*to++ = 0x80 | (c >> 12 & 0x3f);
		*to++ = 0x80 | (c >> 6 & 0x3f);
		*to++ = 0x80 | (c & 0x3f);
	}
	return to;
}

/* The escape after a backslash; NULL when there is no such escape. */
static char *parse_escape(struct parser *p, char *to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	const char *found;
	int c, low;

	if (p->at == p->end)
		return NULL;
	if (*p->at != 'u') {
		found = *p->at ? strchr(from, *p->at) : NULL;
		if (!found)
			return NULL;
		p->at++;
		*to++ = into[found - from];
		return to;
	}
	p->at++;
	c = parse_hex4(p);
	if (c < 0)
		return NULL;
	if (c >= 0xd800 && c < 0xdc00) {
		if (!take_word(p, "\\u"))
			return NULL;
		low = parse_hex4(p);
		if (low < 0xdc00 || low > 0xdfff)
			return NULL;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	return put_utf8(to, c);
}

static char *parse_string(struct parser *p, size_t *length)
{
	char *string, *to;

	if (!take(p, '"'))
		return NULL;
	/* No escape is longer than what it stands for. */
	string = malloc(p->end - p->at + 1);
	if (!string)
		return NULL;
	to = string;
	while (p->at < p->end && *p->at != '"') {
		if (*p->at != '\\') {
			*to++ = *p->at++;
			continue;
		}
		p->at++;
		to = parse_escape(p, to);
		if (!to)
			goto bad;
	}
	if (!take(p, '"'))
		goto bad;
	*to = 0;
	*length = to - string;
	return string;
bad:
	free(string);
	return NULL;
}

static bool parse_number(struct parser *p, struct json *json)
{
	char text[64], *end;
	size_t length = 0;

	while (p->at < p->end && length < sizeof(text) - 1 &&
	       (isdigit((unsigned char)*p->at) || strchr("+-.eE", *p->at)))
		text[length++] = *p->at++;
	text[length] = 0;
	json->type = JSON_NUMBER;
	json->number = strtod(text, &end);
	return length && !*end;
}

static bool parse_children(struct parser *p, struct json *json, char end)
{
	struct json **tail = &json->child;
	size_t ignored;
	char *key;

	if (take(p, end))
		return true;
	do {
		key = NULL;
		if (json->type == JSON_OBJECT) {
			key = parse_string(p, &ignored);
			if (!key || !take(p, ':')) {
				free(key);
				return false;
			}
		}
		*tail = parse_value(p);
		if (!*tail) {
			free(key);
			return false;
		}
		(*tail)->key = key;
		tail = &(*tail)->next;
	} while (take(p, ','));
	return take(p, end);
}

static struct json *parse_value(struct parser *p)
{
	struct json *json = calloc(1, sizeof(*json));
	bool good = false;

	if (!json)
		return NULL;
	skip_space(p);
	if (p->at == p->end || p->depth >= MAX_DEPTH)
		goto out;
	p->depth++;
	switch (*p->at) {
	case '{':
		p->at++;
		json->type = JSON_OBJECT;
		good = parse_children(p, json, '}');
		break;
	case '[':
		p->at++;
		json->type = JSON_ARRAY;
		good = parse_children(p, json, ']');
		break;
	case '"':
		json->type = JSON_STRING;
		json->string = parse_string(p, &json->length);
		good = json->string;
		break;
	case 't':
		json->type = JSON_BOOL;
		json->number = 1;
		good = take_word(p, "true");
		break;
	case 'f':
		json->type = JSON_BOOL;
		good = take_word(p, "false");
		break;
	case 'n':
		good = take_word(p, "null");
		break;
	default:
		good = parse_number(p, json);
		break;
	}
	p->depth--;
out:
	if (good)
		return json;
	json_free(json);
	return NULL;
}

struct json *json_parse(const char *text, size_t length)
{
	struct parser p = { .at = text, .end = text + length };
	struct json *json = parse_value(&p);

	skip_space(&p);
	if (json && p.at != p.end) {
		json_free(json);
		return NULL;
	}
	return json;
}

void json_free(struct json *json)
{
	struct json *next;

	for (; json; json = next) {
		next = json->next;
		json_free(json->child);
		free(json->key);
		free(json->string);
		free(json);
	}
}

const struct json *json_get(const struct json *object, const char *key)
{
	const struct json *child;

	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (child = object->child; child; child = child->next) {
		if (!strcmp(child->key, key))
			return child;
	}
	return NULL;
}

double json_number(const struct json *object, const char *key, double otherwise)
{
	const struct json *json = json_get(object, key);

	if (!json || (json->type != JSON_NUMBER && json->type != JSON_BOOL))
		return otherwise;
	return json->number;
}

const char *json_string(const struct json *object, const char *key)
{
	const struct json *json = json_get(object, key);

	if (!json || json->type != JSON_STRING || strlen(json->string) != json->length)
		return NULL;
	return json->string;
}

size_t json_count(const struct json *array)
{
	const struct json *child = array ? array->child : NULL;
	size_t count = 0;

	for (; child; child = child->next)
		count++;
	return count;
}

void buffer_add(struct buffer *buffer, const void *data, size_t length)
{
	if (buffer->size - buffer->length < length) {
		size_t size = (buffer->length + length) * 2 + 256;
		char *grown = realloc(buffer->data, size);

		if (!grown) {
			buffer->failed = true;
			return;
		}
		buffer->data = grown;
		buffer->size = size;
	}
	if (length)
		memcpy(buffer->data + buffer->length, data, length);
	buffer->length += length;
}

void buffer_print(struct buffer *buffer, const char *format, ...)
{
	char text[1024];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0 || (size_t)length >= sizeof(text))
		buffer->failed = true;
	else
		buffer_add(buffer, text, length);
}

void buffer_add_quoted(struct buffer *buffer, const char *text)
{
	buffer_add(buffer, "\"", 1);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buffer_print(buffer, "\\%c", *text);
		else if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
			buffer_print(buffer, "\\u%04x", (unsigned char)*text);
		else
			buffer_add(buffer, text, 1);
	}
	buffer_add(buffer, "\"", 1);
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void buffer_add_base64(struct buffer *buffer, const void *data, size_t length)
{
	const unsigned char *from = data;

	for (; length; from += 3) {
		size_t n = length < 3 ? length : 3;
		uint32_t bits = from[0] << 16 | (n > 1 ? from[1] << 8 : 0) | (n > 2 ? from[2] : 0);
		char four[4] = {
			digits[bits >> 18], digits[bits >> 12 & 63],
			n > 1 ? digits[bits >> 6 & 63] : '=', n > 2 ? digits[bits & 63] : '='
		};

		buffer_add(buffer, four, 4);
		length -= n;
	}
}

void buffer_drop_front(struct buffer *buffer, size_t length)
{
	buffer->length -= length;
	memmove(buffer->data, buffer->data + length, buffer->length);
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){ 0 };
}

bool base64_decode(struct buffer *to, const char *text, size_t length)
{
	uint32_t bits = 0;
	int have = 0;

	while (length && text[length - 1] == '=')
		length--;
	for (; length; length--, text++) {
		const char *digit = *text ? strchr(digits, *text) : NULL;
		char byte;

		if (!digit)
			return false;
		bits = bits << 6 | (digit - digits);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		byte = bits >> have & 0xff;
		buffer_add(to, &byte, 1);
	}
	return have < 6 && !to->failed;
}
