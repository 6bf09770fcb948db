/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/write/csv.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/model/json.h"
#include "common/model/walk.h"
#include "common/write/safe.h"

#define WHOLE "whole"

/* ---- fields ---- */

static int must_quote(const char *s)
{
	if (!*s) /* else it would be "not measured" */
		return 1;
	for (; *s; s++)
		if (*s == ',' || *s == '"' || text_is_control(*s))
			return 1;
	return 0;
}

/* Would a spreadsheet calculate it? */
static int is_formula(const char *s)
{
	return *s && strchr("=+-@\t\r", *s);
}

static void exact_text(struct out *o, const char *s, int formula)
{
	int quote = must_quote(s);

	if (quote)
		out_char(o, '"');
	if (formula)
		out_char(o, '\'');
	for (; *s; s++) {
		if (*s == '"')
			out_char(o, '"');
		out_char(o, *s);
	}
	if (quote)
		out_char(o, '"');
}

void csv_text(struct out *o, const char *s, enum csv_style style)
{
	struct arena arena = {0};

	if (style == CSV_JSON) {
		json_write_string(o, s);
		return;
	}
	if (!s)
		return;
	exact_text(o, style == CSV_TERMINAL ? safe_text(&arena, s) : s, is_formula(s));
	arena_release(&arena);
}

/* What was not measured. */
static void write_none(struct out *o, enum csv_style style)
{
	if (style == CSV_JSON)
		out_str(o, "null");
}

static void write_u64(struct out *o, uint64_t v, enum csv_style style)
{
	if (v != U64_NONE)
		out_u64(o, v);
	else
		write_none(o, style);
}

static void write_value(struct out *o, const void *obj, const struct field *f, enum csv_style style)
{
	const void *at = walk_at(obj, f);

	switch (f->type) {
	case FIELD_U64:
		write_u64(o, *(const uint64_t *)at, style);
		break;
	case FIELD_DBL:
		if (isfinite(*(const double *)at))
			json_write_real(o, *(const double *)at);
		else
			write_none(o, style);
		break;
	case FIELD_BOOL:
		if (*(const int *)at >= 0)
			out_str(o, *(const int *)at ? "true" : "false");
		else
			write_none(o, style);
		break;
	case FIELD_STR:
		csv_text(o, *(const char *const *)at, style);
		break;
	case FIELD_STRS:
	case FIELD_COUNTS:
	case FIELD_OBJ:
	case FIELD_LIST:
	case FIELD_KEYED:
		assert(0 && "a column is one value");
	}
}

/* ---- which tables and columns there are ---- */

static int is_list(const struct field *f)
{
	return f->type == FIELD_LIST || f->type == FIELD_KEYED;
}

static int is_table(const struct field *f)
{
	return is_list(f) || f->type == FIELD_COUNTS || f->type == FIELD_STRS;
}

static struct csv_path with_step(const struct csv_path *path, const struct field *f)
{
	struct csv_path longer = *path;

	assert(path->len < CSV_STEPS_MAX);
	longer.at[longer.len++] = f;
	return longer;
}

/* "syscalls.batch.asked_histogram", of the first `len` steps. */
static const char *path_name(struct arena *a, const struct csv_path *path, size_t len)
{
	const char *name = "";

	for (size_t i = 0; i < len; i++)
		name = arena_printf(a, "%s%s%s", name, i ? "." : "", path->at[i]->id);
	return name;
}

static struct csv_column *add_column(
	struct csv_columns *to, const char *name, enum csv_column_kind kind)
{
	struct csv_column *c = VEC_PUSH(to);

	*c = (struct csv_column){.name = name, .kind = kind};
	return c;
}

/* A column for every single value of the struct, and of the structs in it. */
static void add_fields(struct arena *a, struct csv_columns *to, const struct shape *shape,
	const struct csv_path *path)
{
	for (size_t i = 0; i < shape->len; i++) {
		struct csv_path here = with_step(path, &shape->fields[i]);

		if (shape->fields[i].type == FIELD_OBJ)
			add_fields(a, to, shape->fields[i].shape, &here);
		else if (!is_table(&shape->fields[i]))
			add_column(to, path_name(a, &here, here.len), CSV_FIELD)->path = here;
	}
}

/* What a row of the table itself holds. */
static void add_own(struct arena *a, struct csv_columns *to, const struct shape *shape,
	const struct field *last)
{
	if (!last || is_list(last)) {
		add_fields(a, to, shape, &(struct csv_path){.len = 0});
	} else if (last->type == FIELD_COUNTS) {
		add_column(to, "key", CSV_KEY);
		add_column(to, "count", CSV_COUNT);
	} else {
		add_column(to, "index", CSV_INDEX);
		add_column(to, "value", CSV_STRING);
	}
}

/* Does this field say which row of its list it is? Where a list has none, its index does. */
static int is_row_key(const struct field *f)
{
	static const char *const ids[] = {"name", "host", "pid", "tid", "fd", "generation", "t_ns",
		"scenario", "type", "function", "place"};

	if (f->type != FIELD_U64 && f->type != FIELD_STR)
		return 0;
	for (size_t i = 0; i < LEN(ids); i++)
		if (!strcmp(f->id, ids[i]))
			return 1;
	return f->unit == UNIT_KEY;
}

static int is_taken(const struct csv_columns *c, const char *name)
{
	for (size_t i = 0; i < c->len; i++)
		if (!strcmp(c->at[i].name, name))
			return 1;
	return 0;
}

/* The columns that say which row of the list at the end of `path` it is, `up` rows above the
 * table's. Where `own` has one of that name, it is called phases.name. */
static void add_row_keys(struct arena *a, struct csv_columns *to, const struct csv_columns *own,
	const struct csv_path *path, size_t up)
{
	const struct shape *shape = path->at[path->len - 1]->shape;
	const char *list = path_name(a, path, path->len);
	size_t before = to->len;

	for (size_t i = 0; i < shape->len; i++) {
		const struct field *f = &shape->fields[i];
		const char *name = f->id;
		struct csv_column *c;

		if (!is_row_key(f))
			continue;
		if (is_taken(own, name) || is_taken(to, name))
			name = arena_printf(a, "%s.%s", list, f->id);
		c = add_column(to, name, CSV_FIELD);
		c->up = up;
		c->path = (struct csv_path){{f}, 1};
	}
	if (to->len == before)
		add_column(to, arena_printf(a, "%s.index", list), CSV_INDEX)->up = up;
}

/* Lists on the way, the last step aside. */
static size_t lists_above(const struct csv_path *path)
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < path->len; i++)
		n += (size_t)is_list(path->at[i]);
	return n;
}

static void add_columns(
	struct arena *a, struct csv_table *t, const struct shape *shape, const struct field *last)
{
	struct csv_columns own = {0};
	size_t up = lists_above(&t->path);

	add_own(a, &own, shape, last);
	for (size_t i = 0; i + 1 < t->path.len; i++) {
		struct csv_path start = t->path;

		start.len = i + 1;
		if (is_list(t->path.at[i]))
			add_row_keys(a, &t->columns, &own, &start, up--);
	}
	for (size_t i = 0; i < own.len; i++)
		*VEC_PUSH(&t->columns) = own.at[i];
	free(own.at);
}

static const char *meaning_of(struct arena *a, const struct field *f)
{
	return *f->meaning ? f->meaning : arena_printf(a, "a row for each of the %s", f->id);
}

/* Tables in a struct and in what it holds. */
static void add_tables(struct csv_tables *t, const struct shape *shape, const struct csv_path *path)
{
	struct arena *a = &t->arena;

	for (size_t i = 0; i < shape->len; i++) {
		const struct field *f = &shape->fields[i];
		struct csv_path here;

		if (!f->shape && !is_table(f))
			continue;
		here = with_step(path, f);
		if (is_table(f)) {
			struct csv_table *table = VEC_PUSH(t);

			*table = (struct csv_table){.name = path_name(a, &here, here.len),
				.meaning = meaning_of(a, f),
				.path = here};
			add_columns(a, table, f->shape, f);
		}
		if (f->shape)
			add_tables(t, f->shape, &here);
	}
}

void csv_tables_init(struct csv_tables *t, const struct schema *schema)
{
	struct csv_table *whole;

	*t = (struct csv_tables){0};
	whole = VEC_PUSH(t);
	*whole = (struct csv_table){
		.name = WHOLE, .meaning = "every value that is in none of the tables below"};
	add_columns(&t->arena, whole, schema->shape, NULL);
	add_tables(t, schema->shape, &(struct csv_path){.len = 0});
}

void csv_tables_release(struct csv_tables *t)
{
	for (size_t i = 0; i < t->len; i++)
		free(t->at[i].columns.at);
	free(t->at);
	arena_release(&t->arena);
	*t = (struct csv_tables){0};
}

const struct csv_table *csv_find(const struct csv_tables *t, const char *name)
{
	for (size_t i = 0; i < t->len; i++)
		if (!strcmp(t->at[i].name, name))
			return &t->at[i];
	return NULL;
}

/* ---- rows ---- */

/* A row of a list, and the row that the list is in. */
struct row {
	const struct row *up;
	const void *at; /* a struct; of counts a struct res_count, of strings a const char * */
	size_t index;
};

struct walk {
	const struct csv_table *table;
	enum csv_style style;
	const char *run; /* of CSV_JSON */
	struct out *o;   /* NULL: only counts */
	uint64_t rows;
};

static void write_cell(const struct walk *w, const struct csv_column *c, const struct row *row)
{
	const void *obj;

	for (size_t i = 0; i < c->up; i++) {
		assert(row); /* a column lies within its table */
		row = row->up;
	}
	assert(row);
	obj = row->at;
	switch (c->kind) {
	case CSV_FIELD:
		for (size_t i = 0; obj && i + 1 < c->path.len; i++)
			obj = walk_obj(obj, c->path.at[i]);
		if (obj)
			write_value(w->o, obj, c->path.at[c->path.len - 1], w->style);
		else
			write_none(w->o, w->style);
		break;
	case CSV_INDEX:
		out_u64(w->o, row->index);
		break;
	case CSV_KEY:
		assert(obj);
		csv_text(w->o, ((const struct res_count *)obj)->key, w->style);
		break;
	case CSV_COUNT:
		assert(obj);
		write_u64(w->o, ((const struct res_count *)obj)->count, w->style);
		break;
	case CSV_STRING:
		csv_text(w->o, obj, w->style);
		break;
	}
}

static void write_line(struct walk *w, const struct row *row)
{
	const struct csv_columns *columns = &w->table->columns;

	out_str(w->o, "{\"run\":");
	json_write_string(w->o, w->run);
	out_str(w->o, ",\"table\":");
	json_write_string(w->o, w->table->name);
	for (size_t i = 0; i < columns->len; i++) {
		out_char(w->o, ',');
		json_write_string(w->o, columns->at[i].name);
		out_char(w->o, ':');
		write_cell(w, &columns->at[i], row);
	}
	out_str(w->o, "}\n");
}

static void write_row(struct walk *w, const struct row *row)
{
	const struct csv_columns *columns = &w->table->columns;

	w->rows++;
	if (w->o && w->style == CSV_JSON) {
		write_line(w, row);
		return;
	}
	for (size_t i = 0; w->o && i < columns->len; i++) {
		if (i)
			out_char(w->o, ',');
		write_cell(w, &columns->at[i], row);
	}
	if (w->o)
		out_char(w->o, '\n');
}

static void walk_from(struct walk *w, size_t step, const struct row *row, const void *obj);

static void walk_rows(struct walk *w, size_t step, const struct row *up, const void *obj)
{
	const struct field *f = w->table->path.at[step];
	struct walk_list list = walk_list(obj, f); /* counts and strings are of the same form */

	for (size_t i = 0; i < list.len; i++) {
		struct row row = {.up = up, .index = i};

		if (f->type == FIELD_STRS)
			row.at = ((const char *const *)list.at)[i];
		else if (f->type == FIELD_COUNTS)
			row.at = (const struct res_count *)list.at + i;
		else
			row.at = walk_element(list, f->shape, i);
		walk_from(w, step + 1, &row, row.at);
	}
}

/* obj is what `step` steps of the table's path lead to, in row. */
static void walk_from(struct walk *w, size_t step, const struct row *row, const void *obj)
{
	const struct csv_path *path = &w->table->path;

	while (obj && step < path->len && path->at[step]->type == FIELD_OBJ)
		obj = walk_obj(obj, path->at[step++]);
	if (step == path->len)
		write_row(w, row);
	else if (obj)
		walk_rows(w, step, row, obj);
}

uint64_t csv_rows(const struct csv_table *t, const void *doc)
{
	struct walk w = {.table = t};

	walk_from(&w, 0, &(struct row){.at = doc}, doc);
	return w.rows;
}

void csv_write(const struct csv_table *t, const void *doc, enum csv_style style, struct out *o)
{
	struct walk w = {.table = t, .style = style, .o = o};

	for (size_t i = 0; i < t->columns.len; i++) {
		if (i)
			out_char(o, ',');
		out_str(o, t->columns.at[i].name);
	}
	out_char(o, '\n');
	walk_from(&w, 0, &(struct row){.at = doc}, doc);
}

void csv_write_lines(const struct csv_table *t, const void *doc, const char *run, struct out *o)
{
	struct walk w = {.table = t, .style = CSV_JSON, .run = run, .o = o};

	walk_from(&w, 0, &(struct row){.at = doc}, doc);
}
