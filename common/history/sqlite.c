/* SPDX-License-Identifier: GPL-3.0-only */
/* A file: one machine, several writers, each transaction whole or not there. */
#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/out.h"
#include "common/history/db.h"

/* Others may be adding: an add takes milliseconds, a merge or a prune longer. */
#define BUSY_MS 60000

static int code_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	default:
		return -EIO;
	}
}

/* Of what cannot be opened: the files of a log that cannot be made, too. */
static const char *why_not(const char *path)
{
	if (access(path, F_OK) == 0 && access(path, R_OK) < 0)
		return "it may not be read";
	return "it or its folder may not be written";
}

/* A reader has files beside the store, too. */
static int is_full(struct db *db, int rc)
{
	return (rc & 0xff) == SQLITE_FULL ||
	       ((rc & 0xff) == SQLITE_IOERR && sqlite3_system_errno(db->handle) == ENOSPC);
}

static int complain(struct db *db, int rc, struct err *err)
{
	if (is_full(db, rc))
		return err_set(
			err, -ENOSPC, "%s: the disk is full; nothing was changed", db->shown);
	if ((rc & 0xff) == SQLITE_NOTADB)
		return err_set(err, -EINVAL,
			"%s: no SQLite file: it belongs to another program; --store names another",
			db->shown);
	if ((rc & 0xff) == SQLITE_CORRUPT)
		return err_set(err, -EINVAL,
			"%s: damaged (%s); 'sqlite3 FILE .recover' saves what can be read",
			db->shown, sqlite3_errmsg(db->handle));
	if ((rc & 0xff) == SQLITE_READONLY || (rc & 0xff) == SQLITE_CANTOPEN)
		return err_set(err, -EACCES, "%s: %s", db->shown, why_not(db->shown));
	return err_set(err, code_of(rc), "%s: %s", db->shown, sqlite3_errmsg(db->handle));
}

static int bind(sqlite3_stmt *s, const struct db_query *q)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < q->params_len && rc == SQLITE_OK; i++) {
		const struct db_value *v = &q->params[i];
		char name[24];

		/* A name: $10 may be met before $9. */
		snprintf(name, sizeof(name), "$%zu", i + 1);
		int at = sqlite3_bind_parameter_index(s, name);

		if (v->kind == DB_TEXT)
			rc = sqlite3_bind_text(s, at, v->at, -1, SQLITE_STATIC);
		else if (v->kind == DB_INT)
			rc = sqlite3_bind_int64(s, at, v->integer);
		else if (v->kind == DB_REAL)
			rc = sqlite3_bind_double(s, at, v->real);
		else if (v->kind == DB_BLOB)
			rc = sqlite3_bind_blob64(s, at, v->at, v->len, SQLITE_STATIC);
	}
	return rc;
}

static struct db_value cell(sqlite3_stmt *s, int at)
{
	switch (sqlite3_column_type(s, at)) {
	case SQLITE_INTEGER:
		return DB_NUM(sqlite3_column_int64(s, at));
	case SQLITE_FLOAT:
		return DB_DBL(sqlite3_column_double(s, at));
	case SQLITE_TEXT:
		return DB_STR((const char *)sqlite3_column_text(s, at));
	case SQLITE_BLOB:
		return (struct db_value){.kind = DB_BLOB,
			.at = sqlite3_column_blob(s, at),
			.len = (size_t)sqlite3_column_bytes(s, at)};
	default:
		return (struct db_value){0};
	}
}

static int step(struct db *db, sqlite3_stmt *s, const struct db_query *q, struct err *err)
{
	int rc, seen = 0, columns = sqlite3_column_count(s);
	struct db_value cells[DB_COLUMNS_MAX];

	while ((rc = sqlite3_step(s)) == SQLITE_ROW && seen == 0) {
		for (int i = 0; i < columns && i < DB_COLUMNS_MAX; i++)
			cells[i] = cell(s, i);
		seen = q->row ? q->row(q->ctx, cells) : 0;
	}
	if (seen < 0)
		return seen;
	return rc == SQLITE_DONE ? 0 : complain(db, rc, err);
}

static int sqlite_run(struct db *db, const struct db_query *q, struct err *err)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db->handle, q->sql, -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = bind(s, q);
	rc = rc == SQLITE_OK ? step(db, s, q, err) : complain(db, rc, err);
	sqlite3_finalize(s);
	return rc;
}

static void sqlite_end(struct db *db)
{
	sqlite3_close(db->handle);
}

static const struct db_ops ops = {
	.run = sqlite_run,
	.close = sqlite_end,
	.begin = "BEGIN IMMEDIATE",
	.tables = "SELECT name FROM sqlite_master",
};

static int make_folder(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *dir = slash > path ? mem_strndup(path, (size_t)(slash - path)) : NULL;

	return dir ? file_mkdirs(dir, err) : 0;
}

static int see_ours(void *ctx, int columns, char **cells, char **names)
{
	(void)columns;
	(void)names;
	*(int *)ctx = cells[0] && strcmp(cells[0], "0") != 0;
	return 0;
}

/* Nothing is there yet, or tables of ours. What cannot be read is not: the next query says why. */
static int is_ours(sqlite3 *handle)
{
	int ours = 0;

	sqlite3_exec(handle,
		"SELECT NOT EXISTS (SELECT 1 FROM sqlite_master) OR EXISTS (SELECT 1 FROM "
		"sqlite_master WHERE name = 'iotrace_history')",
		see_ours, &ours, NULL);
	return ours;
}

/* A write-ahead log: readers and a writer do not wait for each other; FULL: what was added is there
 * after a power cut. Another program's database keeps the log that it has. */
static int set_up(struct db *db, struct err *err)
{
	int rc = SQLITE_OK;

	sqlite3_busy_timeout(db->handle, BUSY_MS);
	if (!is_ours(db->handle))
		return 0;
	/* Two that make the file at once: one of them is told that it is busy, without a wait. */
	for (int tries = 0; tries < BUSY_MS / 10; tries++) {
		rc = sqlite3_exec(db->handle, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
		if (rc != SQLITE_BUSY)
			break;
		sqlite3_sleep(10);
	}
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db->handle, "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON",
			NULL, NULL, NULL);
	/* Of a file that may not be written the log is set already. */
	if ((rc & 0xff) == SQLITE_READONLY || (rc & 0xff) == SQLITE_CANTOPEN)
		return 0;
	return rc == SQLITE_OK ? 0 : complain(db, rc, err);
}

/* The file or its folder may not be written, and no log with more of it lies there: the log's other
 * files cannot be made, and are not needed. */
static int is_read_only(const char *path)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *dir =
		slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
	cleanup_free char *log = mem_printf("%s-wal", path);

	return (access(path, W_OK) < 0 || access(dir, W_OK) < 0) && access(log, F_OK) < 0;
}

/* The caller's: "file:a%20b?immutable=1". */
static char *immutable_uri(const char *path)
{
	struct out uri;
	char *text;

	out_init_mem(&uri);
	out_str(&uri, "file:");
	for (const unsigned char *p = (const unsigned char *)path; *p; p++)
		if (strchr("%?# ", *p))
			out_printf(&uri, "%%%02X", *p);
		else
			out_char(&uri, (char)*p);
	out_str(&uri, "?immutable=1");
	text = mem_strdup(out_text(&uri));
	out_release(&uri);
	return text;
}

static int open_file(const char *path, int must_exist, sqlite3 **ret)
{
	int flags = SQLITE_OPEN_READWRITE | (must_exist ? 0 : SQLITE_OPEN_CREATE);

	if (!must_exist || !is_read_only(path))
		return sqlite3_open_v2(path, ret, flags, NULL);
	cleanup_free char *uri = immutable_uri(path);

	return sqlite3_open_v2(uri, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
}

int sqlite_open(struct db *db, const char *path, int must_exist, struct err *err)
{
	sqlite3 *handle = NULL;
	struct stat st;
	int rc;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "%s: it is %s", path,
			S_ISDIR(st.st_mode) ? "a folder" : "no file");
	if (must_exist && access(path, F_OK) < 0)
		return err_set(err, -errno, "%s: %s: `history add` makes a store", path,
			errno == ENOENT ? "there is no history" : strerror(errno));
	if (!must_exist) {
		rc = make_folder(path, err);
		if (rc < 0)
			return rc;
	}
	rc = open_file(path, must_exist, &handle);
	db->ops = &ops;
	db->handle = handle;
	return rc == SQLITE_OK ? set_up(db, err) : complain(db, rc, err);
}
