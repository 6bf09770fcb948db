/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/history/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/history/pack.h"
#include "common/history/schema.h"

#define QUERY(text, see, to, ...)                                                                  \
	(&(struct db_query){.sql = (text),                                                         \
		.params = (const struct db_value[]){__VA_ARGS__},                                  \
		.params_len =                                                                      \
			sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value),  \
		.row = (see),                                                                      \
		.ctx = (to)})

int history_open(const char *address, int must_exist, const struct result_kind *kinds,
	struct history **ret, struct err *err)
{
	struct history *h = mem_calloc(1, sizeof(*h));
	int rc = db_open(address, must_exist, &h->db, err);

	h->kinds = kinds;
	if (rc == 0)
		rc = schema_ready(h->db, err);
	if (rc < 0)
		history_close(h);
	else
		*ret = h;
	return rc;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	db_close(h->db);
	free(h);
}

/* ---- add ---- */

static int see_text(void *ctx, const struct db_value *cells)
{
	char **to = ctx;

	free(*to);
	*to = mem_strdup(db_text(&cells[0]));
	return 0;
}

static int see_number(void *ctx, const struct db_value *cells)
{
	*(int64_t *)ctx = db_int(&cells[0]);
	return 0;
}

static int check_label(struct history *h, const struct history_what *what,
	const struct side_part *part, struct err *err)
{
	int64_t there = 0;
	int rc = db_run(h->db,
		QUERY("SELECT COUNT(*) FROM iotrace_run WHERE label = $1 AND scenario = $2 AND "
		      "type = $3 AND host = $4",
			see_number, &there, DB_STR(what->label), DB_STR(part->scenario),
			DB_STR(part->kind->id), DB_STR(what->host)),
		err);

	if (rc == 0 && there)
		rc = err_set(err, -EEXIST,
			"%s: version '%.100s' has %lld run%s of %s %s on %s already; --more adds "
			"to "
			"them, another --label is another version",
			h->db->shown, what->label, (long long)there, there == 1 ? "" : "s",
			part->scenario, part->kind->id, what->host);
	return rc;
}

static int add_version(struct history *h, const char *label, int64_t added_ns, struct err *err)
{
	return db_run(h->db,
		QUERY("INSERT INTO iotrace_version (label, added_ns) VALUES ($1, $2) "
		      "ON CONFLICT (label) DO NOTHING",
			NULL, NULL, DB_STR(label), DB_NUM(added_ns)),
		err);
}

/* *ret: the version that has that run; NULL: none, nor will another have it before the transaction
 * ends. */
static int version_of(struct history *h, int64_t run, char **ret, struct err *err)
{
	const char *lock = h->db->ops->lock_run;
	int rc = lock ? db_run(h->db, QUERY(lock, NULL, NULL, DB_NUM(run)), err) : 0;

	if (rc < 0)
		return rc;
	return db_run(h->db,
		QUERY("SELECT label FROM iotrace_run WHERE run = $1", see_text, ret, DB_NUM(run)),
		err);
}

static int insert_run(struct history *h, const struct history_what *what,
	const struct side_part *part, const struct pack *p, struct err *err)
{
	int rc = db_run(h->db,
		QUERY("INSERT INTO iotrace_run (run, sha256, label, scenario, type, host, machine, "
		      "started_at, added_ns, complete) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
		      "$10)",
			NULL, NULL, DB_NUM(p->run), DB_STR(p->sha256), DB_STR(what->label),
			DB_STR(part->scenario), DB_STR(part->kind->id), DB_STR(what->host),
			DB_STR(p->machine), DB_STR(p->started_at), DB_NUM(clock_real_ns()),
			DB_NUM(p->complete)),
		err);

	if (rc == 0)
		rc = db_run(h->db,
			QUERY("INSERT INTO iotrace_document (run, bytes, zstd) VALUES ($1, $2, $3)",
				NULL, NULL, DB_NUM(p->run), DB_NUM(p->bytes),
				{.kind = DB_BLOB, .at = p->zstd, .len = p->zstd_len}),
			err);
	return rc;
}

static int add_run(struct history *h, const struct history_what *what, const struct side_part *part,
	size_t at, struct history_added *ret, struct err *err)
{
	cleanup_free char *there = NULL;
	struct pack p;
	int rc = pack_run(part, at, &p, err);

	if (rc == 0)
		rc = version_of(h, p.run, &there, err);
	if (rc == 0 && there && strcmp(there, what->label) != 0) {
		rc = err_set(err, -EEXIST,
			"%s: run %zu of %s %s is there already, as version '%.100s'", h->db->shown,
			at + 1, part->scenario, part->kind->id, there);
	} else if (rc == 0 && there) {
		ret->there++;
	} else if (rc == 0) {
		rc = insert_run(h, what, part, &p, err);
		if (rc == 0)
			rc = pack_figures(h->db, p.run, part, at, err);
		if (rc == 0)
			rc = pack_histograms(h->db, p.run, part, at, err);
		ret->runs += rc == 0;
		/* A result that says something twice, too. */
		if (rc == -EIO)
			err_wrap(err, "run %zu of %s %s", at + 1, part->scenario, part->kind->id);
	}
	pack_release(&p);
	return rc;
}

static int add_part(struct history *h, const struct history_what *what,
	const struct side_part *part, struct history_added *ret, struct err *err)
{
	int rc = what->more ? 0 : check_label(h, what, part, err);

	for (size_t i = 0; i < part->runs.len && rc == 0; i++)
		rc = add_run(h, what, part, i, ret, err);
	return rc;
}

int history_add(struct history *h, const struct history_what *what, const struct side *side,
	struct history_added *ret, struct err *err)
{
	int rc = db_exec(h->db, h->db->ops->begin, err);

	*ret = (struct history_added){0};
	if (rc < 0)
		return rc;
	rc = add_version(h, what->label, (int64_t)clock_real_ns(), err);
	for (size_t i = 0; i < side->parts.len && rc == 0; i++)
		rc = add_part(h, what, &side->parts.at[i], ret, err);
	return db_end(h->db, rc, err);
}

/* ---- merge: rows as they are ---- */

static const struct table {
	const char *name, *columns;
	size_t len;
} tables[] = {
	{"iotrace_run",
		"run, sha256, label, scenario, type, host, machine, started_at, added_ns, complete",
		10},
	{"iotrace_document", "run, bytes, zstd", 3},
	{"iotrace_figure", "run, name, kind, worse, unit, value", 6},
	{"iotrace_histogram", "run, call, what, le, count", 5},
};
#define TABLES (LEN(tables))

struct copy {
	struct db_rows rows;
	struct arena arena; /* of the texts, until they are sent */
	struct err *err;
};

static int copy_row(void *ctx, const struct db_value *cells)
{
	struct copy *c = ctx;
	struct db_value kept[DB_COLUMNS_MAX];

	for (size_t i = 0; i < c->rows.columns; i++) {
		kept[i] = cells[i];
		if (cells[i].kind == DB_TEXT) {
			kept[i].at = arena_strdup(&c->arena, cells[i].at);
		} else if (cells[i].kind == DB_BLOB) {
			void *blob = arena_alloc(&c->arena, cells[i].len + 1, 1);

			if (cells[i].len)
				memcpy(blob, cells[i].at, cells[i].len);
			kept[i].at = blob;
		}
	}
	return db_rows_add(&c->rows, kept, c->err);
}

static int copy_table(struct history *into, struct history *from, const struct table *t,
	int64_t run, struct err *err)
{
	cleanup_free char *sql =
		mem_printf("SELECT %s FROM %s WHERE run = $1", t->columns, t->name);
	cleanup_free char *to = mem_printf("%s (%s)", t->name, t->columns);
	struct copy c = {.rows = {.db = into->db, .into = to, .columns = t->len}, .err = err};
	int rc = db_run(from->db, QUERY(sql, copy_row, &c, DB_NUM(run)), err);

	rc = db_rows_end(&c.rows, rc, err);
	arena_release(&c.arena);
	return rc;
}

static int delete_run(struct history *h, int64_t run, struct err *err)
{
	int rc = 0;

	for (size_t i = TABLES; i-- > 0 && rc == 0;) {
		cleanup_free char *sql =
			mem_printf("DELETE FROM %s WHERE run = $1", tables[i].name);

		rc = db_run(h->db, QUERY(sql, NULL, NULL, DB_NUM(run)), err);
	}
	return rc;
}

struct moved {
	int64_t run, version_ns;
	char *label;
};
struct moves {
	struct moved *at;
	size_t len, cap;
};

static int see_move(void *ctx, const struct db_value *cells)
{
	struct moves *m = ctx;

	*VEC_PUSH(m) = (struct moved){
		db_int(&cells[0]), db_int(&cells[2]), mem_strdup(db_text(&cells[1]))};
	return 0;
}

/* A version is as old as where it was added first. */
static int merge_version(struct history *into, const struct moved *m, struct err *err)
{
	int rc = add_version(into, m->label, m->version_ns, err);

	return rc < 0 ? rc
		      : db_run(into->db,
				QUERY("UPDATE iotrace_version SET added_ns = $2 WHERE label = $1 "
				      "AND added_ns > $2",
					NULL, NULL, DB_STR(m->label), DB_NUM(m->version_ns)),
				err);
}

static int merge_run(struct history *into, struct history *from, const struct moved *m,
	struct history_added *ret, struct err *err)
{
	cleanup_free char *there = NULL;
	int rc = db_exec(into->db, into->db->ops->begin, err);

	if (rc < 0)
		return rc;
	rc = version_of(into, m->run, &there, err);
	if (rc == 0 && (!there || !strcmp(there, m->label)))
		rc = merge_version(into, m, err);
	for (size_t i = 0; i < TABLES && rc == 0 && !there; i++)
		rc = copy_table(into, from, &tables[i], m->run, err);
	rc = db_end(into->db, rc, err);
	ret->there += rc == 0 && there;
	ret->runs += rc == 0 && !there;
	return rc;
}

static int forget_empty(struct history *h, struct err *err)
{
	return db_exec(h->db,
		"DELETE FROM iotrace_version WHERE NOT EXISTS (SELECT 1 FROM iotrace_run WHERE "
		"iotrace_run.label = iotrace_version.label)",
		err);
}

/* One that has arrived, from where it was. */
static int take_out(struct history *h, int64_t run, struct err *err)
{
	int rc = db_exec(h->db, h->db->ops->begin, err);

	if (rc < 0)
		return rc;
	rc = delete_run(h, run, err);
	if (rc == 0)
		rc = forget_empty(h, err);
	return db_end(h->db, rc, err);
}

int history_merge(struct history *into, struct history *from, int prune, struct history_added *ret,
	struct err *err)
{
	struct moves m = {0};
	int rc = db_run(from->db,
		&(struct db_query){.sql = "SELECT r.run, r.label, v.added_ns FROM iotrace_run r "
					  "JOIN iotrace_version v ON v.label = r.label ORDER BY "
					  "v.added_ns, r.added_ns, r.run",
			.row = see_move,
			.ctx = &m},
		err);

	*ret = (struct history_added){0};
	for (size_t i = 0; i < m.len; i++) {
		if (rc == 0)
			rc = merge_run(into, from, &m.at[i], ret, err);
		if (rc == 0 && prune)
			rc = take_out(from, m.at[i].run, err);
		free(m.at[i].label);
	}
	free(m.at);
	return rc;
}

/* ---- prune ---- */

static int see_run(void *ctx, const struct db_value *cells)
{
	struct moves *m = ctx;

	*VEC_PUSH(m) = (struct moved){.run = db_int(&cells[0])};
	return 0;
}

static int find_old(
	struct history *h, uint64_t keep, const char *label, struct moves *m, struct err *err)
{
	if (label)
		return db_run(h->db,
			QUERY("SELECT run FROM iotrace_run WHERE label = $1", see_run, m,
				DB_STR(label)),
			err);
	return db_run(h->db,
		QUERY("SELECT run FROM iotrace_run WHERE label NOT IN (SELECT label FROM "
		      "iotrace_version ORDER BY added_ns DESC, label DESC LIMIT $1)",
			see_run, m, DB_NUM(keep)),
		err);
}

int history_prune(struct history *h, uint64_t keep, const char *label, size_t *ret, struct err *err)
{
	struct moves m = {0};
	int rc = db_exec(h->db, h->db->ops->begin, err);

	if (rc < 0)
		return rc;
	rc = find_old(h, keep, label, &m, err);
	if (rc == 0 && label && !m.len)
		rc = err_set(err, -ENOENT, "%s: there is no version '%.100s'", h->db->shown, label);
	for (size_t i = 0; i < m.len && rc == 0; i++)
		rc = delete_run(h, m.at[i].run, err);
	if (rc == 0)
		rc = forget_empty(h, err);
	rc = db_end(h->db, rc, err);
	*ret = m.len;
	free(m.at);
	return rc;
}

/* ---- what is there ---- */

static int see_version(void *ctx, const struct db_value *cells)
{
	struct history_versions *v = ctx;

	*VEC_PUSH(v) = (struct history_version){.label = mem_strdup(db_text(&cells[0])),
		.added_ns = db_int(&cells[1]),
		.runs = (uint64_t)db_int(&cells[2]),
		.hosts = (uint64_t)db_int(&cells[3]),
		.machines = (uint64_t)db_int(&cells[4])};
	return 0;
}

/* Rows are in the order of the versions. */
static int see_scenario(void *ctx, const struct db_value *cells)
{
	struct history_versions *v = ctx;

	for (size_t i = 0; i < v->len; i++)
		if (!strcmp(v->at[i].label, db_text(&cells[0])))
			*VEC_PUSH(&v->at[i].scenarios) =
				mem_printf("%s %s", db_text(&cells[1]), db_text(&cells[2]));
	return 0;
}

int history_list(struct history *h, struct history_versions *ret, struct err *err)
{
	int rc = db_run(h->db,
		&(struct db_query){.sql = "SELECT v.label, v.added_ns, COUNT(r.run), "
					  "COUNT(DISTINCT r.host), COUNT(DISTINCT r.machine) FROM "
					  "iotrace_version v LEFT JOIN iotrace_run r ON r.label = "
					  "v.label GROUP BY v.label, v.added_ns ORDER BY "
					  "v.added_ns, v.label",
			.row = see_version,
			.ctx = ret},
		err);

	return rc < 0 ? rc
		      : db_run(h->db,
				&(struct db_query){
					.sql = "SELECT DISTINCT label, scenario, type FROM "
					       "iotrace_run ORDER BY label, scenario, type",
					.row = see_scenario,
					.ctx = ret},
				err);
}

void history_versions_release(struct history_versions *v)
{
	for (size_t i = 0; i < v->len; i++) {
		free(v->at[i].label);
		for (size_t k = 0; k < v->at[i].scenarios.len; k++)
			free(v->at[i].scenarios.at[k]);
		free(v->at[i].scenarios.at);
	}
	free(v->at);
}

/* ---- a version's runs ---- */

struct reading {
	struct history *h;
	struct side *side;
	struct err *err;
};

static const struct result_kind *kind_named(const struct history *h, const char *type)
{
	for (const struct result_kind *k = h->kinds; k->id; k++)
		if (!strcmp(k->id, type))
			return k;
	return NULL;
}

static int see_document(void *ctx, const struct db_value *cells)
{
	struct reading *r = ctx;
	const struct result_kind *kind = kind_named(r->h, db_text(&cells[1]));
	cleanup_free char *name = mem_printf(
		"%s: a run of %s %s", r->h->db->shown, db_text(&cells[0]), db_text(&cells[1]));
	struct side_part *part;
	void *doc;
	int rc;

	if (!kind)
		return 0; /* of a type that this program does not make */
	rc = pack_open(
		&(struct pack_stored){&cells[2], db_text(&cells[3]), name}, kind, &doc, r->err);
	if (rc < 0)
		return rc;
	part = side_part_of(r->side, db_text(&cells[0]), kind);
	*VEC_PUSH(&part->runs) = doc;
	r->side->runs++;
	return 0;
}

int history_side(struct history *h, const char *label, const char *scenario, const char *type,
	struct side *ret, struct err *err)
{
	struct reading r = {h, ret, err};
	int rc = db_run(h->db,
		QUERY("SELECT r.scenario, r.type, d.zstd, r.sha256 FROM iotrace_run r JOIN "
		      "iotrace_document "
		      "d ON d.run = r.run WHERE r.label = $1 AND ($2 = '' OR r.scenario = $2) AND "
		      "($3 = '' OR r.type = $3) ORDER BY r.scenario, r.type, r.started_at, r.run",
			see_document, &r, DB_STR(label), DB_STR(scenario ? scenario : ""),
			DB_STR(type ? type : "")),
		err);

	if (!ret->label)
		ret->label = mem_strdup(label);
	if (rc == 0 && !ret->runs)
		rc = err_set(err, -ENOENT, "%s: no runs of version '%.100s'%s%s", h->db->shown,
			label, scenario ? " and scenario " : "", scenario ? scenario : "");
	return rc;
}
