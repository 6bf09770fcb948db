/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * docs/NAME.schema.json and the tables of docs/RESULT_SCHEMA.md are what the .def files say.
 * UPDATE=1 in the environment writes them anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/model/json.h"

/* Every shape, in the order of shapes.def. */
static const struct shape *const shapes[] = {
#define STRUCT(s) &shape_##s,
#define END(s)
#define U64(id, unit, meaning)
#define DBL(id, unit, meaning)
#define BOOL(id, unit, meaning)
#define STR(id, unit, meaning)
#define STRS(id, meaning)
#define COUNTS(id, meaning)
#define COUNTS_AS(id, name, meaning)
#define OBJ(id, shape, meaning)
#define LIST(id, shape, meaning)
#define KEYED(id, shape, meaning)
#include "common/model/shapes.def"
#include "common/model/undef.h"
};

/* Marks those of `shapes` that a struct of shape s can hold, and s itself. */
static void mark_used(const struct shape *s, char used[LEN(shapes)])
{
	for (size_t i = 0; i < LEN(shapes); i++)
		if (shapes[i] == s)
			used[i] = 1;
	for (size_t i = 0; i < s->len; i++)
		if (s->fields[i].shape)
			mark_used(s->fields[i].shape, used);
}

static const char *const unit_texts[] = {[UNIT_NONE] = "",
	[UNIT_KEY] = "",
	[UNIT_NS] = "ns",
	[UNIT_BYTES] = "bytes",
	[UNIT_COUNT] = "count",
	[UNIT_RATIO] = "ratio, 0 to 1"};

/* What a field is in a JSON Schema, and in words; @ stands for its shape. */
static const struct {
	const char *schema, *words;
} types[] = {
	[FIELD_U64] = {"\"type\": [\"integer\", \"null\"], \"minimum\": 0", "integer"},
	[FIELD_DBL] = {"\"type\": [\"number\", \"null\"]", "number"},
	[FIELD_BOOL] = {"\"type\": [\"boolean\", \"null\"]", "boolean"},
	[FIELD_STR] = {"\"type\": [\"string\", \"null\"]", "string"},
	[FIELD_STRS] = {"\"type\": \"array\", \"items\": {\"type\": [\"string\", \"null\"]}",
		"list of strings"},
	[FIELD_COUNTS] = {"\"type\": \"object\", \"additionalProperties\": "
			  "{\"type\": [\"integer\", \"null\"], \"minimum\": 0}",
		"object of integers"},
	[FIELD_OBJ] = {"\"anyOf\": [{\"$ref\": \"#/$defs/@\"}, {\"type\": \"null\"}]",
		"[@](#@) or null"},
	[FIELD_LIST] = {"\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/@\"}",
		"list of [@](#@)"},
	[FIELD_KEYED] = {"\"type\": \"object\", \"additionalProperties\": "
			 "{\"$ref\": \"#/$defs/@\"}",
		"object of [@](#@)"},
};

static void put_type(struct out *o, const char *text, const struct field *f)
{
	for (; *text; text++)
		if (*text == '@')
			out_str(o, f->shape->id);
		else
			out_char(o, *text);
}

/* ---- JSON Schema ---- */

/* id: what a file's "schema" is, where f is that member; else NULL. */
static void schema_field(struct out *o, const struct field *f, const char *id)
{
	const char *unit = unit_texts[f->unit];

	json_write_string(o, f->id);
	out_str(o, ": {");
	if (id)
		out_printf(o, "\"const\": \"%s\"", id);
	else
		put_type(o, types[f->type].schema, f);
	if (*f->meaning) {
		out_str(o, ", \"description\": ");
		json_write_string(o, f->meaning);
	}
	if (*unit)
		out_printf(o, ", \"x-unit\": \"%s\"", unit);
	out_char(o, '}');
}

/* The members of a shape's schema, without the braces around them; id as in schema_field(). */
static void schema_shape(struct out *o, const struct shape *s, const char *id, const char *indent)
{
	const char *sep = "";

	out_printf(
		o, "%s\"type\": \"object\",\n%s\"additionalProperties\": true,\n", indent, indent);
	out_printf(o, "%s\"required\": [", indent);
	for (size_t i = 0; i < s->len; i++) {
		if (s->fields[i].unit == UNIT_KEY)
			continue;
		out_printf(o, "%s\"%s\"", sep, s->fields[i].id);
		sep = ", ";
	}
	out_printf(o, "],\n%s\"properties\": {", indent);
	sep = "";
	for (size_t i = 0; i < s->len; i++) {
		if (s->fields[i].unit == UNIT_KEY)
			continue;
		out_printf(o, "%s\n%s  ", sep, indent);
		schema_field(o, &s->fields[i], strcmp(s->fields[i].id, "schema") ? NULL : id);
		sep = ",";
	}
	out_printf(o, "\n%s}", indent);
}

/* The JSON Schema (draft 2020-12) of one kind of file. */
static void write_schema(const struct schema *schema, struct out *o)
{
	char used[LEN(shapes)] = {0};
	const char *sep = "";

	mark_used(schema->shape, used);
	out_str(o, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n");
	out_printf(o, "  \"title\": \"%s, %s\",\n", schema->title, schema->id);
	schema_shape(o, schema->shape, schema->id, "  ");
	out_str(o, ",\n  \"$defs\": {");
	for (size_t i = 0; i < LEN(shapes); i++) {
		if (!used[i] || shapes[i] == schema->shape)
			continue;
		out_printf(o, "%s\n    \"%s\": {\n", sep, shapes[i]->id);
		schema_shape(o, shapes[i], NULL, "      ");
		out_str(o, "\n    }");
		sep = ",";
	}
	out_str(o, "\n  }\n}\n");
}

/* ---- Markdown ---- */

static void doc_shape(struct out *o, const struct shape *s)
{
	out_printf(o, "\n### %s\n\n| field | type | unit | meaning |\n|---|---|---|---|\n", s->id);
	for (size_t i = 0; i < s->len; i++) {
		const struct field *f = &s->fields[i];

		out_printf(o, "| `%s` | ", f->id);
		put_type(o, f->unit == UNIT_KEY ? "name of the member" : types[f->type].words, f);
		out_printf(o, " | %s | %s |\n", unit_texts[f->unit], f->meaning);
	}
}

/* The tables of all kinds. A shape that several of them have is described with the first. */
static void write_tables(struct out *o)
{
	char done[LEN(shapes)] = {0};

	for (const struct schema *const *schema = schemas; *schema; schema++) {
		char used[LEN(shapes)] = {0};

		if (schema != schemas)
			out_printf(o, "\n## %s: `%s`\n", (*schema)->title, (*schema)->id);
		doc_shape(o, (*schema)->shape);
		mark_used((*schema)->shape, used);
		for (size_t i = 0; i < LEN(shapes); i++) {
			if (used[i] && !done[i] && shapes[i] != (*schema)->shape)
				doc_shape(o, shapes[i]);
			done[i] |= used[i];
		}
	}
	out_char(o, '\n');
}

/* ---- the tests ---- */

static char *source_path(const char *name)
{
	const char *root = getenv("SRCDIR");

	return mem_printf("%s/%s", root ? root : ".", name);
}

/* Compares the file with the text, or with UPDATE=1 in the environment makes it so. */
static void expect_file(const char *path, const char *text)
{
	cleanup_free char *there = NULL;
	const char *update = getenv("UPDATE");
	struct err err = {0};

	if (update && !strcmp(update, "1"))
		assert_int_equal(file_write(path, text, strlen(text), &err), 0);
	if (file_read(path, 1 << 20, &there, NULL, &err) < 0)
		fail_msg("%s", err.text);
	if (strcmp(there, text) != 0)
		fail_msg("%s is not what the .def files say: run this test with UPDATE=1", path);
}

static void schema_file(void **state)
{
	(void)state;
	for (const struct schema *const *schema = schemas; *schema; schema++) {
		cleanup_free char *name = mem_printf("docs/%s.schema.json", (*schema)->name);
		cleanup_free char *path = source_path(name);
		struct json_doc *doc = NULL;
		struct err err = {0};
		struct out o;

		out_init_mem(&o);
		write_schema(*schema, &o);
		expect_file(path, out_text(&o));
		out_release(&o);
		assert_int_equal(json_doc_read(path, &doc, &err), 0);
		json_doc_free(doc);
	}
}

static void schema_doc(void **state)
{
	static const char begin[] = "<!-- generated: fields -->\n", end[] = "<!-- end -->";
	cleanup_free char *path = source_path("docs/RESULT_SCHEMA.md"), *there = NULL;
	const char *from, *to;
	struct err err = {0};
	struct out o;

	(void)state;
	if (file_read(path, 1 << 20, &there, NULL, &err) < 0)
		fail_msg("%s", err.text);
	from = strstr(there, begin);
	to = strstr(there, end);
	assert_true(from && to && from < to);
	out_init_mem(&o);
	out_bytes(&o, there, (size_t)(from - there) + strlen(begin));
	write_tables(&o);
	out_str(&o, to);
	expect_file(path, out_text(&o));
	out_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schema_file),
		cmocka_unit_test(schema_doc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
