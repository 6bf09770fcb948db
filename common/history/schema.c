/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/history/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"

/* A step once given out never changes; a new one is one more. */
static const struct step {
	int number;
	const char *sql;
} steps[] = {
	{1, "CREATE TABLE iotrace_history (key TEXT PRIMARY KEY, value TEXT NOT NULL)"},
	{1, "INSERT INTO iotrace_history VALUES ('schema', '0')"},
	{1, "CREATE TABLE iotrace_version (label TEXT PRIMARY KEY, added_ns BIGINT NOT NULL)"},
	{1, "CREATE TABLE iotrace_run (run BIGINT PRIMARY KEY, sha256 TEXT NOT NULL, "
	    "label TEXT NOT NULL REFERENCES iotrace_version (label), scenario TEXT NOT NULL, "
	    "type TEXT NOT NULL, host TEXT NOT NULL, machine TEXT NOT NULL, started_at TEXT NOT "
	    "NULL, added_ns BIGINT NOT NULL, complete BIGINT NOT NULL)"},
	{1, "CREATE TABLE iotrace_figure (run BIGINT NOT NULL REFERENCES iotrace_run (run), "
	    "name TEXT NOT NULL, kind TEXT NOT NULL, worse TEXT NOT NULL, unit TEXT NOT NULL, "
	    "value DOUBLE PRECISION NOT NULL, PRIMARY KEY (run, name))"},
	{1, "CREATE TABLE iotrace_histogram (run BIGINT NOT NULL REFERENCES iotrace_run (run), "
	    "call TEXT NOT NULL, what TEXT NOT NULL, le BIGINT NOT NULL, count BIGINT NOT NULL, "
	    "PRIMARY KEY (run, call, what, le))"},
	{1, "CREATE TABLE iotrace_document (run BIGINT PRIMARY KEY REFERENCES iotrace_run (run), "
	    "bytes BIGINT NOT NULL, zstd BYTEA NOT NULL)"},
	{2, "CREATE INDEX iotrace_run_scenario ON iotrace_run (scenario, type, label)"},
	{2, "CREATE INDEX iotrace_run_label ON iotrace_run (label)"},
};

static int last_step(void)
{
	return steps[LEN(steps) - 1].number;
}

/* ---- what is there ---- */

struct found {
	int tables, ours;
	char *other; /* the name of one that is not ours */
};

static int see_table(void *ctx, const struct db_value *cells)
{
	struct found *f = ctx;

	f->tables++;
	if (!strcmp(db_text(&cells[0]), "iotrace_history"))
		f->ours = 1;
	else if (!f->other && strncmp(db_text(&cells[0]), "iotrace_", 8) != 0)
		f->other = mem_strdup(db_text(&cells[0]));
	return 0;
}

static int see_schema(void *ctx, const struct db_value *cells)
{
	*(int *)ctx = (int)strtol(db_text(&cells[0]), NULL, 10);
	return 0;
}

/* Of a server only our own are looked for: a database may be shared. */
static int look(struct db *db, struct found *f, struct err *err)
{
	static const char ours[] = "SELECT table_name::text FROM information_schema.tables WHERE "
				   "table_name = 'iotrace_history' AND table_schema = "
				   "ANY (current_schemas(false)::text[])";

	return db_run(db,
		&(struct db_query){
			.sql = db->ops->tables ? db->ops->tables : ours,
			.row = see_table,
			.ctx = f,
		},
		err);
}

/* 0: nothing is there. */
static int read_number(struct db *db, int *ret, struct err *err)
{
	struct found f = {0};
	int rc = look(db, &f, err);

	*ret = 0;
	if (rc == 0 && !f.ours && f.tables && db->ops->tables)
		rc = err_set(err, -EINVAL,
			"%s: a database of another program (it has '%.60s'); --store names "
			"another file",
			db->shown, f.other ? f.other : "?");
	else if (rc == 0 && f.ours)
		rc = db_run(db,
			&(struct db_query){.sql = "SELECT value FROM iotrace_history WHERE key = "
						  "'schema'",
				.row = see_schema,
				.ctx = ret},
			err);
	free(f.other);
	if (rc == 0 && *ret > last_step())
		rc = err_set(err, -EINVAL,
			"%s: its schema is %d, this program knows up to %d: a newer "
			"profile-scenario made it",
			db->shown, *ret, last_step());
	return rc;
}

/* ---- make, migrate ---- */

static int take_steps(struct db *db, int from, struct err *err)
{
	cleanup_free char *number = mem_printf("%d", last_step());
	int rc = 0;

	for (size_t i = 0; i < LEN(steps) && rc == 0; i++)
		if (steps[i].number > from)
			rc = db_exec(db, steps[i].sql, err);
	if (rc == 0)
		rc = db_run(db,
			&(struct db_query){.sql = "UPDATE iotrace_history SET value = $1 WHERE key "
						  "= 'schema'",
				.params = (struct db_value[]){DB_STR(number)},
				.params_len = 1},
			err);
	return rc;
}

int schema_ready(struct db *db, struct err *err)
{
	int number, rc = read_number(db, &number, err);

	if (rc < 0 || number == last_step())
		return rc;
	rc = db_exec(db, db->ops->begin, err);
	if (rc < 0)
		return rc;
	if (db->ops->lock)
		rc = db_exec(db, db->ops->lock, err);
	/* Somebody else may have done it meanwhile. */
	if (rc == 0)
		rc = read_number(db, &number, err);
	if (rc == 0 && number < last_step())
		rc = take_steps(db, number, err);
	return db_end(db, rc, err);
}
