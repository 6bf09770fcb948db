/* SPDX-License-Identifier: GPL-3.0-only */
/* A server: many machines, by libpq. Debian has its header in a folder of its own. */
#include <errno.h>
#include <inttypes.h>
#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#include <postgresql/libpq-fe.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/history/db.h"

/* Of pg_type.dat, which never change. */
enum {
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_NUMERIC = 1700
};

#define CONNECT_SECONDS "10"
#define PING_SECONDS    "2"

/* ---- errors ---- */

/* The first line, without the password: a message may quote an address. */
static char *message_of(const struct db *db, const char *text)
{
	size_t len = strcspn(text, "\n"), secret = db->secret ? strlen(db->secret) : 0;
	char *line = mem_strndup(text, len), *at = line;

	while (secret && (at = strstr(at, db->secret))) {
		memset(at, '*', secret);
		at += secret;
	}
	return line;
}

static int complain(struct db *db, const PGresult *r, struct err *err)
{
	const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	cleanup_free char *text =
		message_of(db, r ? PQresultErrorMessage(r) : PQerrorMessage(db->handle));

	if (PQstatus(db->handle) != CONNECTION_OK)
		return err_set(err, -EAGAIN, "%s: the connection is lost: %s", db->shown, text);
	if (state && !strcmp(state, "53100"))
		return err_set(err, -ENOSPC, "%s: the server's disk is full; nothing was changed",
			db->shown);
	if (state && !strcmp(state, "42501"))
		return err_set(err, -EACCES, "%s: %s: the user needs that right", db->shown, text);
	return err_set(err, -EIO, "%s: %s", db->shown, text);
}

/* ---- queries ---- */

struct params {
	const char **texts;
	int *lengths, *formats;
	Oid *types;
	struct arena arena;
};

static void put_param(struct params *p, size_t i, const struct db_value *v)
{
	p->types[i] = OID_TEXT;
	if (v->kind == DB_TEXT) {
		p->texts[i] = v->at;
	} else if (v->kind == DB_INT) {
		p->types[i] = OID_INT8;
		p->texts[i] = arena_printf(&p->arena, "%" PRId64, v->integer);
	} else if (v->kind == DB_REAL) {
		p->types[i] = OID_FLOAT8;
		p->texts[i] = arena_printf(&p->arena, "%.17g", v->real);
	} else if (v->kind == DB_BLOB) {
		p->types[i] = OID_BYTEA;
		p->texts[i] = v->at;
		p->lengths[i] = (int)v->len;
		p->formats[i] = 1;
	} else {
		/* Untyped: null fits every column. */
		p->types[i] = 0;
	}
}

static struct params params_of(const struct db_query *q)
{
	struct params p = {0};

	p.texts = arena_alloc(&p.arena, q->params_len + 1, sizeof(*p.texts));
	p.lengths = arena_alloc(&p.arena, q->params_len + 1, sizeof(*p.lengths));
	p.formats = arena_alloc(&p.arena, q->params_len + 1, sizeof(*p.formats));
	p.types = arena_alloc(&p.arena, q->params_len + 1, sizeof(*p.types));
	for (size_t i = 0; i < q->params_len; i++)
		put_param(&p, i, &q->params[i]);
	return p;
}

/* *ret_blob: PQfreemem(). */
static struct db_value cell(const PGresult *r, int row, int column, unsigned char **ret_blob)
{
	const char *text = PQgetvalue(r, row, column);
	size_t len;

	if (PQgetisnull(r, row, column))
		return (struct db_value){0};
	switch (PQftype(r, column)) {
	case OID_INT8:
	case OID_INT4:
	case OID_INT2:
		return DB_NUM(strtoll(text, NULL, 10));
	case OID_FLOAT4:
	case OID_FLOAT8:
	case OID_NUMERIC:
		return DB_DBL(strtod(text, NULL));
	case OID_BYTEA:
		*ret_blob = PQunescapeBytea((const unsigned char *)text, &len);
		return (struct db_value){.kind = DB_BLOB, .at = *ret_blob, .len = len};
	default:
		return DB_STR(text);
	}
}

static int give_row(const struct db_query *q, const PGresult *r, int row)
{
	struct db_value cells[DB_COLUMNS_MAX];
	unsigned char *blob = NULL;
	int seen;

	for (int i = 0; i < PQnfields(r) && i < DB_COLUMNS_MAX; i++)
		cells[i] = cell(r, row, i, &blob); /* at most one of them is a blob */
	seen = q->row(q->ctx, cells);
	PQfreemem(blob);
	return seen;
}

static int postgres_run(struct db *db, const struct db_query *q, struct err *err)
{
	struct params p = params_of(q);
	PGresult *r = PQexecParams(
		db->handle, q->sql, (int)q->params_len, p.types, p.texts, p.lengths, p.formats, 0);
	int rc = 0;

	if (PQresultStatus(r) != PGRES_TUPLES_OK && PQresultStatus(r) != PGRES_COMMAND_OK)
		rc = complain(db, r, err);
	for (int row = 0; q->row && rc == 0 && row < PQntuples(r); row++)
		rc = give_row(q, r, row);
	PQclear(r);
	arena_release(&p.arena);
	return rc;
}

static void postgres_end(struct db *db)
{
	PQfinish(db->handle);
}

static const struct db_ops ops = {
	.run = postgres_run,
	.close = postgres_end,
	.begin = "BEGIN",
	/* Two that find no tables; any number does. */
	.lock = "SELECT pg_advisory_xact_lock(7232614)",
	/* Two that bring the same run: the second waits, and finds it there. */
	.lock_run = "SELECT pg_advisory_xact_lock($1)",
};

/* ---- connect ---- */

/* Notices ("relation exists, skipping") are for nobody. */
static void drop_notice(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

/* Asked without a password, as a refusal may be in any words and language. To a server that is full
 * the runs are sent later. */
static int refuses(const struct db *db, const char *address)
{
	static const char *const names[] = {"connect_timeout", "dbname", NULL};
	const char *const values[] = {PING_SECONDS, address, NULL};
	const char *said = PQerrorMessage(db->handle);

	return !strstr(said, "too many") && !strstr(said, "connection slots") &&
	       PQpingParams(names, values, 1) == PQPING_OK;
}

int postgres_open(struct db *db, const char *address, struct err *err)
{
	static const char *const names[] = {"connect_timeout", "application_name", "dbname", NULL};
	const char *const values[] = {CONNECT_SECONDS, "profile-scenario", address, NULL};
	/* libpq would take a part of such a password for something else, and quote that. */
	int plain = !db->secret || !strpbrk(db->secret, "/?#@");
	PQconninfoOption *options = plain ? PQconninfoParse(address, NULL) : NULL;

	/* libpq would quote the whole of it, with its password. */
	if (!options)
		return err_set(err, -EINVAL,
			"%s: no address that libpq takes: postgresql://USER@HOST/DATABASE, and "
			"special characters as %%XX",
			db->shown);
	PQconninfoFree(options);
	db->ops = &ops;
	db->handle = PQconnectdbParams(names, values, 1);
	if (PQstatus(db->handle) != CONNECTION_OK) {
		cleanup_free char *text = message_of(db, PQerrorMessage(db->handle));

		if (refuses(db, address))
			return err_set(err, -EACCES,
				"%s: the server refuses: %s; a password may be in ~/.pgpass or "
				"PGPASSWORD",
				db->shown, text);
		return err_set(err, -EAGAIN, "%s: no server answers: %s", db->shown, text);
	}
	PQsetNoticeProcessor(db->handle, drop_notice, NULL);
	return 0;
}
