/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/write/safe.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

#define REPLACEMENT      0xfffd
#define ESCAPE_BYTES_MAX 4 /* \xNN */

/* What is printed as it is, and how wide. Everything else is escaped. */
static const struct range {
	uint32_t first, last;
	unsigned int columns;
} printable[] = {
	{0x20, 0x7e, 1},
	{0xa1, 0xac, 1},
	{0xae, 0x2ff, 1}, /* Latin; U+00AD is invisible */
	{0x370, 0x482, 1},
	{0x48a, 0x52f, 1},   /* Greek, Cyrillic */
	{0x2010, 0x2027, 1}, /* dashes, quotes, ellipsis */
	{0x3041, 0x3096, 2},
	{0x30a1, 0x30ff, 2},
	{0x4e00, 0x9fff, 2},
	{0xac00, 0xd7a3, 2}, /* kana, Han, Hangul */
	{REPLACEMENT, REPLACEMENT, 1},
};

/* Columns of a character, 0 if it must be escaped. */
static unsigned int char_columns(uint32_t c)
{
	for (size_t i = 0; i < LEN(printable); i++) {
		if (c >= printable[i].first && c <= printable[i].last)
			return printable[i].columns;
	}
	return 0;
}

/* The character at s and its length in bytes; REPLACEMENT and 1 where it is not UTF-8. */
static uint32_t decode(const char *s, size_t *ret_len)
{
	size_t len = text_utf8_len(s);
	uint32_t c = (unsigned char)s[0];

	*ret_len = len ? len : 1;
	if (!len)
		return REPLACEMENT;
	if (len > 1)
		c &= 0x7fU >> len;
	for (size_t i = 1; i < len; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

static char *escape_byte(char *to, unsigned char c)
{
	static const char named[] = "\tt\nn\rr";
	const char *name = c ? strchr(named, c) : NULL;

	if (name && c < 0x20)
		return to + sprintf(to, "\\%c", name[1]);
	return to + sprintf(to, "\\x%02x", c);
}

char *safe_text(struct arena *a, const char *s)
{
	char *text = arena_alloc(a, strlen(s) + 1, ESCAPE_BYTES_MAX), *to = text;
	size_t len;

	for (; *s; s += len) {
		uint32_t c = decode(s, &len);

		if (c == REPLACEMENT) {
			to = stpcpy(to, "\xef\xbf\xbd");
		} else if (char_columns(c)) {
			to = mempcpy(to, s, len);
		} else {
			for (size_t i = 0; i < len; i++)
				to = escape_byte(to, (unsigned char)s[i]);
		}
	}
	*to = '\0';
	return text;
}

size_t safe_width(const char *s)
{
	size_t columns = 0, len;

	for (; *s; s += len)
		columns += char_columns(decode(s, &len));
	return columns;
}

size_t safe_fit(const char *s, size_t columns)
{
	size_t bytes = 0, used = 0, len;

	while (s[bytes]) {
		used += char_columns(decode(s + bytes, &len));
		if (used > columns)
			break;
		bytes += len;
	}
	return bytes;
}

char *safe_cut(struct arena *a, char *s, size_t columns)
{
	size_t width = safe_width(s), head = (columns - 3) / 2, tail = columns - 3 - head, len;
	const char *end = s;

	assert(columns >= 8);
	if (width <= columns)
		return s;
	for (; width > tail; end += len)
		width -= char_columns(decode(end, &len));
	return arena_printf(a, "%.*s...%s", (int)safe_fit(s, head), s, end);
}

void safe_put_xml(struct out *o, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '&':
			out_str(o, "&amp;");
			break;
		case '<':
			out_str(o, "&lt;");
			break;
		case '>':
			out_str(o, "&gt;");
			break;
		case '"':
			out_str(o, "&quot;");
			break;
		case '\'':
			out_str(o, "&#39;");
			break;
		default:
			out_char(o, *s);
		}
	}
}
