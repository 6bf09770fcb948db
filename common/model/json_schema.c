/* SPDX-License-Identifier: GPL-3.0-only */
#include <string.h>

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
#define SHAPES_LEN (sizeof(shapes) / sizeof(shapes[0]))

/* Marks those of `shapes` that a struct of shape s can hold, and s itself. */
static void mark_used(const struct shape *s, char used[SHAPES_LEN])
{
	for (size_t i = 0; i < SHAPES_LEN; i++)
		if (shapes[i] == s)
			used[i] = 1;
	for (size_t i = 0; i < s->len; i++)
		if (s->fields[i].shape)
			mark_used(s->fields[i].shape, used);
}

static const char *unit_text(enum field_unit unit)
{
	switch (unit) {
	case UNIT_NS:
		return "ns";
	case UNIT_BYTES:
		return "bytes";
	case UNIT_COUNT:
		return "count";
	case UNIT_RATIO:
		return "ratio, 0 to 1";
	case UNIT_NONE:
	case UNIT_KEY:
		break;
	}
	return "";
}

/* ---- JSON Schema ---- */

static void schema_type(struct out *o, const struct field *f)
{
	const char *shape = f->shape ? f->shape->id : "";

	switch (f->type) {
	case FIELD_U64:
		out_str(o, "\"type\": [\"integer\", \"null\"], \"minimum\": 0");
		break;
	case FIELD_DBL:
		out_str(o, "\"type\": [\"number\", \"null\"]");
		break;
	case FIELD_BOOL:
		out_str(o, "\"type\": [\"boolean\", \"null\"]");
		break;
	case FIELD_STR:
		out_str(o, "\"type\": [\"string\", \"null\"]");
		break;
	case FIELD_STRS:
		out_str(o, "\"type\": \"array\", \"items\": {\"type\": [\"string\", \"null\"]}");
		break;
	case FIELD_COUNTS:
		out_str(o, "\"type\": \"object\", \"additionalProperties\": "
			   "{\"type\": [\"integer\", \"null\"], \"minimum\": 0}");
		break;
	case FIELD_OBJ:
		out_printf(
			o, "\"anyOf\": [{\"$ref\": \"#/$defs/%s\"}, {\"type\": \"null\"}]", shape);
		break;
	case FIELD_LIST:
		out_printf(o, "\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/%s\"}", shape);
		break;
	case FIELD_KEYED:
		out_printf(o,
			"\"type\": \"object\", \"additionalProperties\": "
			"{\"$ref\": \"#/$defs/%s\"}",
			shape);
		break;
	}
}

/* id: what a file's "schema" is, where f is that member; else NULL. */
static void schema_field(struct out *o, const struct field *f, const char *id)
{
	const char *unit = unit_text(f->unit);

	json_write_string(o, f->id);
	out_str(o, ": {");
	if (id)
		out_printf(o, "\"const\": \"%s\"", id);
	else
		schema_type(o, f);
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

void json_write_schema(const struct schema *schema, struct out *o)
{
	char used[SHAPES_LEN] = {0};
	const char *sep = "";

	mark_used(schema->shape, used);
	out_str(o, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n");
	out_printf(o, "  \"title\": \"%s, %s\",\n", schema->title, schema->id);
	schema_shape(o, schema->shape, schema->id, "  ");
	out_str(o, ",\n  \"$defs\": {");
	for (size_t i = 0; i < SHAPES_LEN; i++) {
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

static void doc_type(struct out *o, const struct field *f)
{
	const char *shape = f->shape ? f->shape->id : "";

	switch (f->type) {
	case FIELD_U64:
		out_str(o, "integer");
		break;
	case FIELD_DBL:
		out_str(o, "number");
		break;
	case FIELD_BOOL:
		out_str(o, "boolean");
		break;
	case FIELD_STR:
		out_str(o, f->unit == UNIT_KEY ? "name of the member" : "string");
		break;
	case FIELD_STRS:
		out_str(o, "list of strings");
		break;
	case FIELD_COUNTS:
		out_str(o, "object of integers");
		break;
	case FIELD_OBJ:
		out_printf(o, "[%s](#%s) or null", shape, shape);
		break;
	case FIELD_LIST:
		out_printf(o, "list of [%s](#%s)", shape, shape);
		break;
	case FIELD_KEYED:
		out_printf(o, "object of [%s](#%s)", shape, shape);
		break;
	}
}

static void doc_shape(struct out *o, const struct shape *s)
{
	out_printf(o, "\n### %s\n\n| field | type | unit | meaning |\n|---|---|---|---|\n", s->id);
	for (size_t i = 0; i < s->len; i++) {
		const struct field *f = &s->fields[i];

		out_printf(o, "| `%s` | ", f->id);
		doc_type(o, f);
		out_printf(o, " | %s | %s |\n", unit_text(f->unit), f->meaning);
	}
}

/* A shape that several kinds of file have is described with the first of them. */
void json_write_schema_doc(struct out *o)
{
	char done[SHAPES_LEN] = {0};

	for (const struct schema *const *schema = schemas; *schema; schema++) {
		char used[SHAPES_LEN] = {0};

		if (schema != schemas)
			out_printf(o, "\n## %s: `%s`\n", (*schema)->title, (*schema)->id);
		doc_shape(o, (*schema)->shape);
		mark_used((*schema)->shape, used);
		for (size_t i = 0; i < SHAPES_LEN; i++) {
			if (used[i] && !done[i] && shapes[i] != (*schema)->shape)
				doc_shape(o, shapes[i]);
			done[i] |= used[i];
		}
	}
	out_char(o, '\n');
}
