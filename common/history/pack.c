/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/history/pack.h"

#include <errno.h>
#include <inttypes.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "common/base/out.h"
#include "common/compare/metric.h"
#include "common/model/json.h"

/* As the reader of files takes them. */
#define DOCUMENT_MAX (1ULL << 30)

/* ---- the document ---- */

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

/* What compare wants to be the same before it compares times. */
static const char *machine_of(struct arena *a, const struct res_environment *e, int no_times)
{
	if (!e)
		return "unknown";
	return arena_printf(a, "%s, %s, %" PRId64 " cores, kernel %s, governor %s, %s%s",
		or_none(e->machine), or_none(e->cpu),
		e->cores == U64_NONE ? (int64_t)-1 : (int64_t)e->cores, or_none(e->kernel),
		or_none(e->governor), or_none(e->virtualization), no_times ? ", --no-times" : "");
}

static void name_run(struct pack *p, const char *text, size_t len)
{
	char *hex = arena_alloc(&p->arena, SHA256_DIGEST_STRING_LENGTH, 1), first[17];

	SHA256Data((const uint8_t *)text, len, hex);
	snprintf(first, sizeof(first), "%s", hex);
	p->run = (int64_t)(strtoull(first, NULL, 16) >> 1);
	p->sha256 = hex;
}

int pack_run(const struct side_part *part, size_t run, struct pack *p, struct err *err)
{
	const struct result_head head = result_head(part->runs.at[run]);
	struct out json;

	*p = (struct pack){.complete = head.complete == 1};
	out_init_mem(&json);
	json_write_line(part->runs.at[run], part->kind->schema->shape, &json);
	name_run(p, out_text(&json), json.len);
	p->bytes = json.len;
	p->machine = machine_of(&p->arena, head.environment,
		part->kind->schema == &schema_result && !result_has_times(part->runs.at[run]));
	p->started_at = arena_strdup(&p->arena, head.started_at ? head.started_at : "");
	p->zstd = mem_calloc(1, ZSTD_compressBound(json.len));
	p->zstd_len =
		ZSTD_compress(p->zstd, ZSTD_compressBound(json.len), out_text(&json), json.len, 3);
	out_release(&json);
	if (ZSTD_isError(p->zstd_len))
		return err_set(err, -EIO, "%s: cannot be compressed: %s", part->scenario,
			ZSTD_getErrorName(p->zstd_len));
	return 0;
}

void pack_release(struct pack *p)
{
	free(p->zstd);
	arena_release(&p->arena);
}

/* 1 if the text is not the one that was stored. */
static int is_another(const char *text, size_t len, const char *sha256)
{
	char hex[SHA256_DIGEST_STRING_LENGTH];

	return strcmp(SHA256Data((const uint8_t *)text, len, hex), sha256) != 0;
}

int pack_open(const struct pack_stored *stored, const struct result_kind *kind, void **ret,
	struct err *err)
{
	const struct db_value *zstd = stored->zstd;
	const char *name = stored->name;
	unsigned long long size =
		zstd->kind == DB_BLOB ? ZSTD_getFrameContentSize(zstd->at, zstd->len) : 0;
	char *text;
	size_t len;
	int rc;

	if (!size || size > DOCUMENT_MAX)
		return err_set(err, -EINVAL, "%s: its document is damaged", name);
	text = mem_calloc(1, size + 1);
	len = ZSTD_decompress(text, size, zstd->at, zstd->len);
	if (ZSTD_isError(len))
		rc = err_set(err, -EINVAL, "%s: its document is damaged: %s", name,
			ZSTD_getErrorName(len));
	else if (is_another(text, len, stored->sha256))
		rc = err_set(err, -EINVAL,
			"%s: its document is damaged: it has not the SHA-256 that it was stored "
			"with",
			name);
	else
		rc = json_parse_struct(
			&(struct json_text){name, text, len}, kind->schema, ret, err);
	free(text);
	return rc;
}

/* ---- figures ---- */

static const char *kind_word(enum metric_kind kind)
{
	static const char *const words[] = {[METRIC_WORK] = "work",
		[METRIC_BATCH] = "batch",
		[METRIC_COUNT] = "count",
		[METRIC_BATCHES] = "batches",
		[METRIC_SIZE] = "size",
		[METRIC_TIME] = "time"};

	return words[kind];
}

static const char *worse_word(enum metric_worse worse)
{
	return worse == WORSE_UP ? "more" : worse == WORSE_DOWN ? "less" : "";
}

int pack_figures(
	struct db *db, int64_t run, const struct side_part *part, size_t at, struct err *err)
{
	struct side_part one = {.scenario = part->scenario,
		.kind = part->kind,
		.runs = {.at = &part->runs.at[at], .len = 1}};
	struct db_rows rows = {.db = db,
		.into = "iotrace_figure (run, name, kind, worse, unit, value)",
		.columns = 6};
	struct metrics m;
	int rc = 0;

	metrics_read(&one, &m);
	for (size_t i = 0; i < m.len && rc == 0; i++) {
		const struct metric *f = &m.at[i];

		if (isfinite(f->values[0]))
			rc = db_rows_add(&rows,
				(struct db_value[]){DB_NUM(run), DB_STR(f->name),
					DB_STR(kind_word(f->kind)), DB_STR(worse_word(f->worse)),
					DB_STR(f->unit), DB_DBL(f->values[0])},
				err);
	}
	rc = db_rows_end(&rows, rc, err);
	metrics_release(&m);
	return rc;
}

/* ---- histograms ---- */

struct histogram {
	struct db_rows rows;
	int64_t run;
	const char *call, *what;
};

static int add_bin(struct histogram *h, uint64_t le, uint64_t count, struct err *err)
{
	if (le == U64_NONE || count == U64_NONE)
		return 0;
	return db_rows_add(&h->rows,
		(struct db_value[]){DB_NUM(h->run), DB_STR(h->call), DB_STR(h->what),
			DB_NUM(le > INT64_MAX ? INT64_MAX : le),
			DB_NUM(count > INT64_MAX ? INT64_MAX : count)},
		err);
}

static int add_counts(struct histogram *h, const struct res_counts *c, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->len && rc == 0; i++)
		rc = add_bin(h, strtoull(c->at[i].key, NULL, 10), c->at[i].count, err);
	return rc;
}

static int add_call(struct histogram *h, const struct res_syscall *s, struct err *err)
{
	int rc = 0;

	h->call = s->name;
	h->what = "latency_ns";
	for (size_t i = 0; i < s->latency_histogram.len && rc == 0; i++)
		rc = add_bin(
			h, s->latency_histogram.at[i].le_ns, s->latency_histogram.at[i].count, err);
	h->what = "bytes";
	for (size_t i = 0; s->bytes && i < s->bytes->histogram.len && rc == 0; i++)
		rc = add_bin(h, s->bytes->histogram.at[i].le, s->bytes->histogram.at[i].count, err);
	h->what = "asked";
	if (rc == 0 && s->batch)
		rc = add_counts(h, &s->batch->asked_histogram, err);
	h->what = "transferred";
	if (rc == 0 && s->batch)
		rc = add_counts(h, &s->batch->transferred_histogram, err);
	return rc;
}

int pack_histograms(
	struct db *db, int64_t run, const struct side_part *part, size_t at, struct err *err)
{
	const struct res_result *r = part->runs.at[at];
	struct histogram h = {.run = run,
		.rows = {.db = db,
			.into = "iotrace_histogram (run, call, what, le, count)",
			.columns = 5}};
	int rc = 0;

	if (part->kind->schema != &schema_result)
		return 0;
	for (size_t i = 0; i < r->syscalls.len && rc == 0; i++)
		if (r->syscalls.at[i].name)
			rc = add_call(&h, &r->syscalls.at[i], err);
	return db_rows_end(&h.rows, rc, err);
}
