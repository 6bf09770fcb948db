/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A store that was made elsewhere. Lines "VERSION<tab>MACHINE<tab>FIGURE<tab>UNIT<tab>VALUE" are
 * its runs; behind a line "----" comes the document that all of them have, as JSON; what is none is
 * stored as it is, as what should have been compressed.
 */
#include <zstd.h>

#include "common/history/tell.h"
#include "common/model/json.h"
#include "common/report/plot_history.h"
#include "common/report/report_history.h"
#include "tests/fuzz/fuzz.h"

static const struct result_kind kinds[] = {
	{"io", "iotrace", "-iotrace.json", &schema_result},
	{"cpu", "cpu", "-cpu.json", &schema_cpu},
	{"memory", "memory", "-memory.json", &schema_memory},
	{0},
};

enum { RUNS_MAX = 60, COLUMNS = 5 };

struct store {
	struct history *h;
	struct db_value document;
	int64_t runs;
};

static void insert(struct store *s, const char *sql, const struct db_value *values, size_t n)
{
	/* What the schema refuses is not there. */
	db_run(s->h->db, &(struct db_query){.sql = sql, .params = values, .params_len = n}, NULL);
}

static void add_run(struct store *s, char *const at[COLUMNS])
{
	const struct db_value run = DB_NUM(++s->runs);
	const char *const types[] = {"io", "memory", "other"};
	const char *type = types[s->runs % 11 == 10 ? s->runs % 3 : 0];

	insert(s, "INSERT INTO iotrace_version VALUES ($1, $2)",
		(struct db_value[]){DB_STR(at[0]), DB_NUM(s->runs)}, 2);
	insert(s, "INSERT INTO iotrace_run VALUES ($1, 'x', $2, 's', $4, 'h', $3, '', $1, 1)",
		(struct db_value[]){run, DB_STR(at[0]), DB_STR(at[1]), DB_STR(type)}, 4);
	insert(s, "INSERT INTO iotrace_figure VALUES ($1, $2, 'count', 'more', $3, $4)",
		(struct db_value[]){run, DB_STR(at[2]), DB_STR(at[3]), DB_DBL(strtod(at[4], NULL))},
		4);
	insert(s, "INSERT INTO iotrace_figure VALUES ($1, 'wall_time', 'time', 'more', 'ns', $2)",
		(struct db_value[]){run, DB_DBL(strtod(at[4], NULL))}, 2);
	insert(s, "INSERT INTO iotrace_document VALUES ($1, 1, $2)",
		(struct db_value[]){run, s->document}, 2);
}

static void add_runs(struct store *s, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line && s->runs < RUNS_MAX;
		line = strtok_r(NULL, "\n", &save)) {
		char *at[COLUMNS] = {"", "", "", "", ""}, *p = line;

		for (int i = 0; i < COLUMNS && p; i++) {
			at[i] = p;
			p = strchr(p, '\t');
			if (p)
				*p++ = '\0';
		}
		add_run(s, at);
	}
}

/* ---- what is made of it ---- */

static void check_print(const struct res_history *r)
{
	struct out o;

	out_init_mem(&o);
	report_history_text(r, &o);
	fuzz_check_safe(&o);
	fuzz_renew(&o);
	report_history_html(r, &o);
	fuzz_renew(&o);
	for (size_t i = 0; i < r->series.len; i++)
		plot_history_write(&r->series.at[i], 1, &o);
	fuzz_check_safe(&o);
	fuzz_renew(&o);
	json_write_doc(r, &o);
	out_release(&o);
}

static void read_all(struct history *h)
{
	struct res_history *r = tell_new("report", h);
	struct history_versions v = {0};
	struct err err = {0};

	if (tell_report(h, &(struct trend_ask){0}, r, &err) < 0)
		FUZZ_CHECK(err.text[0]);
	check_print(r);
	result_free(r);
	FUZZ_CHECK(history_list(h, &v, NULL) == 0);
	for (size_t i = 0; i < v.len; i++) {
		struct side side = {0};

		r = tell_new("show", h);
		if (history_side(h, v.at[i].label, NULL, NULL, &side, NULL) == 0)
			tell_side(r, &side);
		result_free(r);
		side_release(&side);
	}
	history_versions_release(&v);
}

static void copy(struct history *from)
{
	struct history *into = NULL;
	struct history_added added;

	FUZZ_CHECK(history_open(":memory:", 0, kinds, &into, NULL) == 0);
	history_merge(into, from, 0, &added, NULL);
	history_close(into);
}

static void *compressed(const uint8_t *data, size_t size, struct db_value *ret)
{
	size_t room = ZSTD_compressBound(size), len;
	void *to = malloc(room + 1);

	FUZZ_CHECK(to);
	len = ZSTD_compress(to, room, data, size, 1);
	*ret = (struct db_value){.kind = DB_BLOB, .at = to, .len = len};
	if (!size || *data != '{')
		*ret = (struct db_value){.kind = DB_BLOB, .at = data, .len = size};
	return to;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len, at = fuzz_split(data, size, &len);
	struct store s = {0};
	char *text = fuzz_text(data, len);
	void *document = compressed(data + at, size - at, &s.document);

	FUZZ_CHECK(history_open(":memory:", 0, kinds, &s.h, NULL) == 0);
	add_runs(&s, text);
	read_all(s.h);
	copy(s.h);
	history_close(s.h);
	free(document);
	free(text);
	return 0;
}
