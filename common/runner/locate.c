/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/locate.h"

#include <string.h>

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

/* p at the opening quote; returns the place after the closing one. */
static const char *skip_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : p;
}

/* p at a value; returns the place after it. Brackets are counted, not matched: it did parse. */
static const char *skip_value(const char *p)
{
	size_t depth = 0;

	do {
		p = skip_space(p);
		if (*p == '"') {
			p = skip_string(p);
		} else if (*p == '{' || *p == '[') {
			depth++;
			p++;
		} else if (*p == '}' || *p == ']') {
			depth--;
			p++;
		} else if (*p == ',' || *p == ':') {
			p++;
		} else if (*p) {
			p += strcspn(p, " \t\r\n,:{}[]\"");
		}
	} while (*p && depth > 0);
	return p;
}

/* p at the opening brace of an object; returns the place of the key's opening quote, or NULL. */
static const char *find_key(const char *p, const char *key)
{
	if (*p != '{')
		return NULL;
	for (p = skip_space(p + 1); *p == '"'; p = skip_space(p)) {
		const char *end = skip_string(p);

		if ((size_t)(end - p) == strlen(key) + 2 && !memcmp(p + 1, key, strlen(key)))
			return p;
		p = skip_space(end);
		if (*p == ':')
			p++;
		p = skip_space(skip_value(p));
		if (*p == ',')
			p++;
	}
	return NULL;
}

int locate_key(
	const char *text, const char *const *keys, size_t len, size_t *ret_line, size_t *ret_column)
{
	const char *at = NULL;
	const char *p = skip_space(text);

	for (size_t i = 0; i < len; i++) {
		at = find_key(p, keys[i]);
		if (!at)
			return -1;
		p = skip_space(skip_string(at));
		if (*p == ':')
			p = skip_space(p + 1);
	}
	if (!at)
		return -1;

	const char *line_start = text;
	*ret_line = 1;
	for (const char *nl = text; (nl = strchr(nl, '\n')) && nl < at; nl++) {
		line_start = nl + 1;
		++*ret_line;
	}
	*ret_column = (size_t)(at - line_start) + 1;
	return 0;
}
