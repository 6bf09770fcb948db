/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/history/db.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/out.h"

/* ---- cells ---- */

const char *db_text(const struct db_value *v)
{
	return v->kind == DB_TEXT ? v->at : "";
}

int64_t db_int(const struct db_value *v)
{
	if (v->kind == DB_REAL)
		return fabs(v->real) < 9e18 ? (int64_t)v->real : 0;
	return v->kind == DB_INT ? v->integer : 0;
}

double db_real(const struct db_value *v)
{
	return v->kind == DB_REAL ? v->real : v->kind == DB_INT ? (double)v->integer : NAN;
}

/* ---- addresses ---- */

int db_is_server(const char *address)
{
	return !strncmp(address, "postgresql://", 13) || !strncmp(address, "postgres://", 11);
}

/* Where the password of user:password@ lies, or of a parameter password=; NULL: there is none. */
static const char *password_in(const char *address, size_t *ret_len)
{
	const char *from = strstr(address, "://") + 3;
	const char *end = from + strcspn(from, "/?"),
		   *at = memrchr(from, '@', (size_t)(end - from));
	const char *colon = at ? memchr(from, ':', (size_t)(at - from)) : NULL;
	const char *parameter = strstr(from, "password=");

	/* A slash that should have been written %2F lies in the password too. */
	if (!at && (at = strrchr(from, '@')))
		colon = memchr(from, ':', (size_t)(at - from));
	if (colon) {
		*ret_len = (size_t)(at - colon - 1);
		return colon + 1;
	}
	if (!parameter)
		return NULL;
	*ret_len = strcspn(parameter + 9, "&");
	return parameter + 9;
}

/* "?name=value&name=value", without values of password, sslpassword and names that hide theirs. */
static void put_parameters(struct out *o, const char *p)
{
	for (size_t len; *p; p += len) {
		cleanup_free char *name = mem_strndup(p, strcspn(p, "="));

		len = 1 + strcspn(p + 1, "&");
		if (strlen(name) < len && (strcasestr(name, "pass") || strchr(name, '%')))
			out_printf(o, "%s=***", name);
		else
			out_bytes(o, p, len);
	}
}

char *db_shown(const char *address)
{
	size_t len = 0;
	const char *password = db_is_server(address) ? password_in(address, &len) : NULL;
	const char *rest = password ? password + len : address;
	const char *parameters = rest + strcspn(rest, "?");
	struct out o;
	char *shown;

	if (!db_is_server(address))
		return mem_strdup(address);
	out_init_mem(&o);
	if (password)
		out_printf(&o, "%.*s***", (int)(password - address), address);
	out_bytes(&o, rest, (size_t)(parameters - rest));
	put_parameters(&o, parameters);
	shown = mem_strdup(out_text(&o));
	out_release(&o);
	return shown;
}

int db_check(const char *address, struct err *err)
{
	if (!db_is_server(address) && (strstr(address, "://") || strcasestr(address, "password=") ||
					      !strncasecmp(address, "postgresql:", 11) ||
					      !strncasecmp(address, "postgres:", 9)))
		return err_set(err, -EINVAL,
			"--store: neither a file nor postgresql://USER@HOST/DATABASE");
	return 0;
}

static char *secret_of(const char *address)
{
	size_t len;
	const char *password = password_in(address, &len);

	return password && len ? mem_strndup(password, len) : NULL;
}

/* ---- open, run, close ---- */

int db_open(const char *address, int must_exist, struct db **ret, struct err *err)
{
	int rc = db_check(address, err);

	if (rc < 0)
		return rc;
	struct db *db = mem_calloc(1, sizeof(*db));

	db->shown = db_shown(address);
	if (db_is_server(address)) {
		db->secret = secret_of(address);
		rc = postgres_open(db, address, err);
	} else {
		rc = sqlite_open(db, address, must_exist, err);
	}
	if (rc < 0) {
		db_close(db);
		return rc;
	}
	*ret = db;
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	if (db->handle)
		db->ops->close(db);
	free(db->shown);
	free(db->secret);
	free(db);
}

int db_run(struct db *db, const struct db_query *q, struct err *err)
{
	return db->ops->run(db, q, err);
}

int db_exec(struct db *db, const char *sql, struct err *err)
{
	return db_run(db, &(struct db_query){.sql = sql}, err);
}

int db_end(struct db *db, int rc, struct err *err)
{
	if (rc == 0)
		rc = db_exec(db, "COMMIT", err);
	if (rc < 0)
		db_exec(db, "ROLLBACK", NULL);
	return rc;
}

/* ---- many rows ---- */

/* SQLite takes 32,766 parameters, PostgreSQL 65,535. */
#define PARAMS_MAX 4000

static int send(struct db_rows *r, struct err *err)
{
	struct out sql;
	int rc;

	out_init_mem(&sql);
	out_printf(&sql, "INSERT INTO %s VALUES ", r->into);
	for (size_t i = 0; i < r->values.len; i++)
		out_printf(&sql, "%s$%zu%s",
			i % r->columns ? ","
			: i            ? ",("
				       : "(",
			i + 1, i % r->columns == r->columns - 1 ? ")" : "");
	rc = db_run(r->db,
		&(struct db_query){
			.sql = out_text(&sql), .params = r->values.at, .params_len = r->values.len},
		err);
	out_release(&sql);
	r->values.len = 0;
	return rc;
}

int db_rows_add(struct db_rows *r, const struct db_value *values, struct err *err)
{
	for (size_t i = 0; i < r->columns; i++)
		*VEC_PUSH(&r->values) = values[i];
	return r->values.len + r->columns > PARAMS_MAX ? send(r, err) : 0;
}

int db_rows_end(struct db_rows *r, int rc, struct err *err)
{
	if (rc == 0 && r->values.len)
		rc = send(r, err);
	free(r->values.at);
	r->values.at = NULL;
	return rc;
}
