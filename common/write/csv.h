/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef WRITE_CSV_H
#define WRITE_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/mem.h"
#include "common/base/out.h"
#include "common/model/result.h"

/*
 * Every table of a result of any schema as CSV. What tables there are, and their columns, follows
 * from the shapes of the model: a new field of a .def is a new column here.
 *
 *	struct csv_tables t;
 *	csv_tables_init(&t, &schema_result);
 *	csv_write(csv_find(&t, "syscalls"), result, CSV_EXACT, &out);
 *	csv_tables_release(&t);
 *
 * A table is a list of structs ("syscalls", "timeline.rows"), counts by key ("syscalls.errno"), or
 * a list of strings ("command"), named as in the JSON. One inside the rows of another has the
 * columns first that say of which row: name; pid, tid; pid, fd, generation. The table "whole" is
 * one row of all that is not in a list.
 */
enum { CSV_STEPS_MAX = 12 };

/* Fields that lead from a struct to a value. */
struct csv_path {
	const struct field *at[CSV_STEPS_MAX];
	size_t len;
};

enum csv_column_kind { CSV_FIELD, CSV_INDEX, CSV_KEY, CSV_COUNT, CSV_STRING };

struct csv_column {
	const char *name;
	enum csv_column_kind kind;
	size_t up;            /* of which row: 0 the table's own, 1 the row that it is in, .. */
	struct csv_path path; /* in that row's struct; of CSV_FIELD */
};

struct csv_columns {
	struct csv_column *at;
	size_t len, cap;
};

struct csv_table {
	const char *name, *meaning;
	struct csv_path path; /* from the whole to the list; empty: the whole itself */
	struct csv_columns columns;
};

struct csv_tables {
	struct csv_table *at;
	size_t len, cap;
	struct arena arena;
};

/* All tables that a file of that schema can have, in the file's order, the whole first. */
void csv_tables_init(struct csv_tables *t, const struct schema *schema);
void csv_tables_release(struct csv_tables *t);
const struct csv_table *csv_find(const struct csv_tables *t, const char *name); /* or NULL */

/* Text as it is, or for a terminal: control characters written out (write/safe.h); or fields of
 * JSON: text in JSON's quotes, what was not measured is null. */
enum csv_style { CSV_EXACT, CSV_TERMINAL, CSV_JSON };

/* doc: the struct of the whole file, of the schema that t is of. */
uint64_t csv_rows(const struct csv_table *t, const void *doc);
/*
 * RFC 4180, but for the lines, which end in LF: a header, then the rows in the file's order. What
 * was not measured is an empty field; an empty text is "". Integers are exact, reals the shortest
 * that reads back.
 */
void csv_write(const struct csv_table *t, const void *doc, enum csv_style style, struct out *o);

/* The same rows as lines of JSON: {"run": run, "table": .., column: value ..}. */
void csv_write_lines(const struct csv_table *t, const void *doc, const char *run, struct out *o);

/* One field. Text in quotes where it must be. One that a spreadsheet would take for a formula
 * (first character = + - @, tab or CR) gets an apostrophe before it. NULL is an empty field. */
void csv_text(struct out *o, const char *s, enum csv_style style);

#endif
