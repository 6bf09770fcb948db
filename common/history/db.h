/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef HISTORY_DB_H
#define HISTORY_DB_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * A database of either kind behind one interface: the same SQL, parameters $1, $2, .., and rows.
 *
 *	rc = db_run(db, &(struct db_query){.sql = "SELECT label FROM iotrace_version WHERE "
 *						  "label = $1",
 *			   .params = (struct db_value[]){DB_STR(label)},
 *			   .params_len = 1,
 *			   .row = see,
 *			   .ctx = &seen},
 *		err);
 *
 * Errors name the store as db->shown, and never a password. -ENOSPC: the disk is full; -EAGAIN:
 * the server cannot be reached, or is lost.
 */
enum db_kind { DB_NULL, DB_TEXT, DB_INT, DB_REAL, DB_BLOB };

struct db_value {
	enum db_kind kind;
	const void *at; /* TEXT: with a NUL; BLOB */
	size_t len;     /* of a BLOB */
	int64_t integer;
	double real;
};

#define DB_STR(s) ((struct db_value){.kind = (s) ? DB_TEXT : DB_NULL, .at = (s)})
#define DB_NUM(n) ((struct db_value){.kind = DB_INT, .integer = (int64_t)(n)})
#define DB_DBL(v) ((struct db_value){.kind = DB_REAL, .real = (v)})

/* The text of a cell; "" where it is null. */
const char *db_text(const struct db_value *v);
int64_t db_int(const struct db_value *v);
double db_real(const struct db_value *v); /* NAN where it is null */

enum { DB_COLUMNS_MAX = 16 };

/* A row: its cells live until it returns. Negative: no more rows, and that is db_run()'s. */
typedef int db_row_fn(void *ctx, const struct db_value *cells);

struct db_query {
	const char *sql;
	const struct db_value *params;
	size_t params_len;
	db_row_fn *row; /* NULL: none is wanted */
	void *ctx;
};

struct db;
struct db_ops {
	int (*run)(struct db *db, const struct db_query *q, struct err *err);
	void (*close)(struct db *db);
	const char *begin;    /* a transaction that writes */
	const char *lock;     /* before the tables are made; NULL: begin does it */
	const char *lock_run; /* before a run is looked for to be added: $1; NULL: begin does it */
	/* Lists all tables, in which those of others are looked for; NULL: others may be there. */
	const char *tables;
};

struct db {
	const struct db_ops *ops;
	char *shown; /* what errors call it */
	void *handle;
	char *secret; /* must be in no message; NULL: none */
};

/* 1 if address is that of a server, not a path. */
int db_is_server(const char *address);
/* 0 if it may be one of the two. Another program's address, which may have a password in it, would
 * be the name of a file. */
int db_check(const char *address, struct err *err);
/* What may be printed of an address: without its passwords. The caller's. */
char *db_shown(const char *address);
/* Opens the file, or connects. must_exist: a file that is not there is not made. */
int db_open(const char *address, int must_exist, struct db **ret, struct err *err);
void db_close(struct db *db); /* takes NULL */
int db_run(struct db *db, const struct db_query *q, struct err *err);
/* Without parameters and rows. */
int db_exec(struct db *db, const char *sql, struct err *err);
/* COMMIT for rc 0, else ROLLBACK; returns rc, or why it could not be committed. */
int db_end(struct db *db, int rc, struct err *err);

/* Rows to be added to one table, many in one statement. */
struct db_rows {
	struct db *db;
	const char *into; /* "iotrace_figure (run, name)" */
	size_t columns;
	struct {
		struct db_value *at; /* texts must live until db_rows_end() */
		size_t len, cap;
	} values;
};
int db_rows_add(struct db_rows *r, const struct db_value *values, struct err *err);
/* Sends what is left; frees. rc: of what came before, 0 sends. */
int db_rows_end(struct db_rows *r, int rc, struct err *err);

int sqlite_open(struct db *db, const char *path, int must_exist, struct err *err);
int postgres_open(struct db *db, const char *address, struct err *err);

#endif
