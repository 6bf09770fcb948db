/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/locate.h"

#include <string.h>

#include "common/model/json.h"

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t\r\n");
}

const char *locate_value(const char *key, size_t *ret_len)
{
	const char *value = skip_space(key + json_value_len(key));

	value = skip_space(value + (*value == ':'));
	*ret_len = json_value_len(value);
	return value;
}

/* p at the opening brace of an object; returns the place of the key's opening quote, or NULL. */
static const char *find_key(const char *p, const char *key)
{
	size_t len = 1;

	if (*p != '{')
		return NULL;
	for (p = skip_space(p + 1); *p == '"' && len; p = skip_space(p + (*p == ','))) {
		if (json_value_len(p) == strlen(key) + 2 && !memcmp(p + 1, key, strlen(key)))
			return p;
		p = locate_value(p, &len);
		p = skip_space(p + len);
	}
	return NULL;
}

const char *locate_key(const char *text, const char *const *keys, size_t len)
{
	const char *at = NULL, *p = skip_space(text);
	size_t value_len;

	for (size_t i = 0; i < len; i++) {
		at = find_key(p, keys[i]);
		if (!at)
			return NULL;
		p = locate_value(at, &value_len);
	}
	return at;
}

void locate_place(const char *text, const char *at, size_t *ret_line, size_t *ret_column)
{
	const char *line_start = text;

	*ret_line = 1;
	for (const char *nl = text; (nl = strchr(nl, '\n')) && nl < at; nl++) {
		line_start = nl + 1;
		++*ret_line;
	}
	*ret_column = (size_t)(at - line_start) + 1;
}
