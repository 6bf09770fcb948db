/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/model/json.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "common/model/walk.h"

#define INDENT             2
#define COUNTS_ON_ONE_LINE 8
#define REPLACEMENT        "\xef\xbf\xbd" /* U+FFFD */

void json_write_string(struct out *o, const char *s)
{
	if (!s) {
		out_str(o, "null");
		return;
	}
	out_char(o, '"');
	while (*s) {
		size_t len = text_utf8_len(s);

		if (*s == '"' || *s == '\\') {
			out_char(o, '\\');
			out_char(o, *s);
		} else if (*s == '\n') {
			out_str(o, "\\n");
		} else if (*s == '\t') {
			out_str(o, "\\t");
		} else if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			out_printf(o, "\\u%04x", (unsigned int)*s);
		} else if (len) {
			out_bytes(o, s, len);
		} else {
			out_str(o, REPLACEMENT);
		}
		s += len ? len : 1;
	}
	out_char(o, '"');
}

/* The shortest of %.15g .. %.17g that reads back as d. */
static void write_real(struct out *o, double d)
{
	char buf[40];

	for (int precision = 15; precision <= 17; precision++) {
		snprintf(buf, sizeof(buf), "%.*g", precision, d);
		if (strtod(buf, NULL) == d)
			break;
	}
	out_str(o, buf);
}

void json_write_real(struct out *o, double d)
{
	if (!isfinite(d))
		out_str(o, "null");
	else if (fabs(d) < 0x1p63 && d == trunc(d))
		out_i64(o, (int64_t)d);
	else
		write_real(o, d);
}

static void write_u64(struct out *o, uint64_t v)
{
	const double most = 0x1.fffffffffffffp63; /* what is above would round to 2^64 */

	if (v == U64_NONE)
		out_str(o, "null");
	else if (v <= INT64_MAX)
		out_u64(o, v);
	else
		write_real(o, (double)v < most ? (double)v : most);
}

/* A depth that stays below 0 however deep the struct is. */
#define ON_ONE_LINE INT_MIN

static void newline(struct out *o, int depth)
{
	if (depth >= 0)
		out_printf(o, "\n%*s", depth * INDENT, "");
}

static void write_strs(struct out *o, const struct res_strs *strs)
{
	out_char(o, '[');
	for (size_t i = 0; i < strs->len; i++) {
		if (i)
			out_str(o, ", ");
		json_write_string(o, strs->at[i]);
	}
	out_char(o, ']');
}

static void write_key(struct out *o, const char *key)
{
	json_write_string(o, key ? key : "");
	out_str(o, ": ");
}

static void write_counts(struct out *o, const struct res_counts *counts, int depth)
{
	int one_line = counts->len <= COUNTS_ON_ONE_LINE;

	out_char(o, '{');
	for (size_t i = 0; i < counts->len; i++) {
		if (i)
			out_str(o, one_line ? ", " : ",");
		if (!one_line)
			newline(o, depth + 1);
		write_key(o, counts->at[i].key);
		write_u64(o, counts->at[i].count);
	}
	if (!one_line)
		newline(o, depth);
	out_char(o, '}');
}

/* Structs of single values only are rows: one line each. */
static int is_row(const struct shape *shape)
{
	for (size_t i = 0; i < shape->len; i++) {
		if (shape->fields[i].shape || shape->fields[i].type == FIELD_COUNTS ||
			shape->fields[i].type == FIELD_STRS)
			return 0;
	}
	return 1;
}

static void write_struct(struct out *o, const void *obj, const struct shape *shape, int depth);

static void write_list(struct out *o, const void *obj, const struct field *f, int depth)
{
	struct walk_list list = walk_list(obj, f);
	int keyed = f->type == FIELD_KEYED;

	out_char(o, keyed ? '{' : '[');
	for (size_t i = 0; i < list.len; i++) {
		const void *element = walk_element(list, f->shape, i);

		if (i)
			out_char(o, ',');
		newline(o, depth + 1);
		if (keyed)
			write_key(o, *(const char *const *)walk_at(element, &f->shape->fields[0]));
		write_struct(o, element, f->shape, depth + 1);
	}
	if (list.len)
		newline(o, depth);
	out_char(o, keyed ? '}' : ']');
}

static void write_field(struct out *o, const void *obj, const struct field *f, int depth)
{
	const void *at = walk_at(obj, f);

	switch (f->type) {
	case FIELD_U64:
		write_u64(o, *(const uint64_t *)at);
		break;
	case FIELD_DBL:
		json_write_real(o, *(const double *)at);
		break;
	case FIELD_BOOL:
		out_str(o, *(const int *)at < 0 ? "null" : *(const int *)at ? "true" : "false");
		break;
	case FIELD_STR:
		json_write_string(o, *(const char *const *)at);
		break;
	case FIELD_STRS:
		write_strs(o, at);
		break;
	case FIELD_COUNTS:
		write_counts(o, at, depth);
		break;
	case FIELD_OBJ:
		write_struct(o, walk_obj(obj, f), f->shape, depth);
		break;
	case FIELD_LIST:
	case FIELD_KEYED:
		write_list(o, obj, f, depth);
		break;
	}
}

static void write_struct(struct out *o, const void *obj, const struct shape *shape, int depth)
{
	int row = is_row(shape), first = 1;

	if (!obj) {
		out_str(o, "null");
		return;
	}
	out_char(o, '{');
	for (size_t i = 0; i < shape->len; i++) {
		const struct field *f = &shape->fields[i];

		if (f->unit == UNIT_KEY) /* is the name of this object */
			continue;
		if (!first)
			out_str(o, row ? ", " : ",");
		if (!row)
			newline(o, depth + 1);
		first = 0;
		write_key(o, f->id);
		write_field(o, obj, f, depth + 1);
	}
	if (!row)
		newline(o, depth);
	out_char(o, '}');
}

void json_write_doc(const void *doc, struct out *o)
{
	write_struct(o, doc, result_schema(doc)->shape, 0);
	out_char(o, '\n');
}

void json_write_line(const void *obj, const struct shape *shape, struct out *o)
{
	write_struct(o, obj, shape, ON_ONE_LINE);
	out_char(o, '\n');
}
