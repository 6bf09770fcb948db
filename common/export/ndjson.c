/* SPDX-License-Identifier: GPL-3.0-only */
/* Every row of every table (write/csv.h) as a line of JSON, for databases. */
#include "common/export/format.h"

#include "common/write/csv.h"

/* What joins the rows of one file, and tells them from another one's. */
static const char *run_of(const struct export_source *s, struct arena *a)
{
	const struct res_result *r = s->doc;

	if (s->schema == &schema_result && r->started_at)
		return arena_printf(a, "%s%s%s", export_scenario(s), *export_scenario(s) ? " " : "",
			r->started_at);
	return s->path;
}

static int ndjson_write(
	const struct export_source *s, struct out *o, struct out *notes, struct err *err)
{
	struct csv_tables t;
	struct arena arena = {0};
	const char *run = run_of(s, &arena);

	(void)notes;
	(void)err;
	csv_tables_init(&t, s->schema);
	for (size_t i = 0; i < t.len; i++)
		csv_write_lines(&t.at[i], s->doc, run, o);
	csv_tables_release(&t);
	arena_release(&arena);
	return 0;
}

const struct export_format export_ndjson = {
	.id = "ndjson",
	.meaning = "every row of every table as a line of JSON, for SQLite, DuckDB, ClickHouse",
	.write = ndjson_write,
};
