/* SPDX-License-Identifier: GPL-3.0-only */
/* The same findings for a terminal. */
#include <string.h>

#include "common/base/units.h"
#include "common/report/report_bins.h"
#include "common/report/report_page.h"
#include "common/view/view.h"
#include "common/view/view_parts.h"
#include "common/write/writer.h"

#define COLUMNS      100 /* where nothing is narrower */
#define CALLS_MAX    4
#define LATENCY_MIN  30 /* fewer calls have no distribution to speak of */
#define LATENCY_MAX  6
#define LATENCY_ROWS 16
#define TIME_ROWS    24
#define FRAMES_MAX   15

/* ---- batches ---- */

static const struct doc_column asked_columns[] = {
	{"size", "", "units", 1, 0},
	{"asked", "asked", "calls that asked for so many", 0, 0},
	{"got", "got", "calls that moved so many", 0, 0},
};

static void asked_against_got(struct doc *d, const struct res_syscall *s)
{
	struct size_bins bins = report_size_bins(&d->arena, s->batch);
	struct doc_column *columns = arena_alloc(&d->arena, 3, sizeof(*columns));
	char first[UNITS_BUF], last[UNITS_BUF];
	struct doc_table *t;

	memcpy(columns, asked_columns, sizeof(asked_columns));
	columns[0].title = arena_printf(&d->arena, "%s per %s",
		s->batch->unit ? s->batch->unit : "units", s->name ? s->name : "?");
	t = doc_table(d, "asked", columns, 3);
	t->bars_column = 2;
	for (size_t i = 0; i < bins.len; i++) {
		units_thousands(first, bins.at[i].first);
		units_thousands(last, bins.at[i].last);
		if (bins.at[i].first == bins.at[i].last)
			doc_cell_text(d, t, "%s", first);
		else
			doc_cell_text(d, t, "%s-%s", first, last);
		doc_cell(t, CELL_COUNT, bins.at[i].asked);
		doc_cell(t, CELL_COUNT, bins.at[i].got);
	}
}

static void batches(struct doc *d, const struct res_result *r)
{
	size_t n, left_out;
	const struct res_syscall **calls = report_batch_calls(&d->arena, r, &n, &left_out);

	for (size_t i = 0; i < n && i < CALLS_MAX; i++) {
		if (i == 0)
			doc_section(d, "ASKED AGAINST GOT (calls)");
		asked_against_got(d, calls[i]);
	}
	if (n > CALLS_MAX)
		doc_note(d, "%s that batch but moved less are on the page only.",
			report_plural(&d->arena, n - CALLS_MAX + left_out, "other call"));
}

/* ---- latency ---- */

static const struct doc_column latency_columns[] = {
	{"from", "", "latency", 1, 0},
	{"calls", "calls", "in it", 0, 0},
};

/* Bins of a power of two, or wider where there would be too many rows. */
static void latency(struct doc *d, const struct res_syscall *s, const struct latency_bins *bins)
{
	struct doc_column *columns = arena_alloc(&d->arena, 2, sizeof(*columns));
	char from[UNITS_BUF], to[UNITS_BUF];
	struct doc_table *t;
	int step = LATENCY_STEPS;

	while ((bins->last - bins->first) / step >= LATENCY_ROWS)
		step *= 2;
	memcpy(columns, latency_columns, sizeof(latency_columns));
	columns[0].title = arena_printf(&d->arena, "time of %s", s->name ? s->name : "?");
	t = doc_table(d, "latency-histogram", columns, 2);
	t->bars_column = 1;
	for (int i = bins->first / step * step; i <= bins->last; i += step) {
		uint64_t calls = 0;

		for (int k = i; k < i + step && k < LATENCY_BINS; k++)
			calls = sat_add(calls, bins->count[k]);
		doc_cell_text(d, t, "%s to %s", units_duration(from, report_latency_ns(i)),
			units_duration(to, report_latency_ns(i + step)));
		doc_cell(t, CELL_COUNT, calls);
	}
}

static void latencies(struct doc *d, const struct res_result *r)
{
	size_t n, left_out, shown = 0;
	const struct res_syscall **calls = report_latency_calls(&d->arena, r, &n, &left_out);

	for (size_t i = 0; i < n && shown < LATENCY_MAX; i++) {
		struct latency_bins bins;

		report_latency_bins(calls[i], &bins);
		if (bins.total < LATENCY_MIN)
			continue;
		if (!shown++)
			doc_section(d, "LATENCY HISTOGRAMS");
		latency(d, calls[i], &bins);
	}
}

/* ---- time ---- */

static const struct doc_column time_columns[] = {
	{"at", "", "from the start of the run", 1, 0},
	{"messages", "messages/call", "mean", 0, 0},
	{"errors", "errors", "", 0, 0},
	{"bytes", "bytes", "moved", 0, 0},
	{"calls", "calls", "entered", 0, 0},
};

static void over_time(struct doc *d, const struct res_result *r)
{
	struct time_columns c = report_time_columns(&d->arena, r->timeline, TIME_ROWS);
	struct doc_table *t;
	char at[UNITS_BUF];

	if (!c.len && !result_has_times(r)) {
		doc_section(d, "OVER TIME");
		doc_text(d, "not measured: " VIEW_NO_TIMES);
	}
	if (!c.len)
		return;
	doc_section(d, "OVER TIME");
	t = doc_table(d, "time", time_columns, 5);
	t->bars_column = 4;
	for (size_t i = 0; i < c.len; i++) {
		const struct res_timeline_row *row = &c.at[i];

		doc_cell_text(d, t, "%s", units_duration(at, row->t_ns));
		doc_cell_real(t, CELL_MEAN,
			row->batch_calls ? (double)row->messages / (double)row->batch_calls : NAN);
		doc_cell(t, CELL_COUNT, row->errors);
		doc_cell(t, CELL_BYTES, row->bytes - row->mapped);
		doc_cell(t, CELL_COUNT, row->calls);
	}
}

/* ---- profiles ---- */

static const struct doc_column function_columns[] = {
	{"function", "", "symbol", 1, 0},
	{"self_share", "self", "of all samples", 0, 0},
	{"total_share", "total", "with what it called", 0, 0},
	{"self", "samples", "in it", 0, 0},
};

static void cpu(struct doc *d, const struct res_cpu *c)
{
	struct doc_table *t;

	doc_section(d, "CPU");
	report_cpu_head(d, c);
	if (!c->functions_by_self.len)
		return;
	t = doc_table(d, "functions", function_columns, 4);
	t->bars_column = 3;
	for (size_t i = 0; i < c->functions_by_self.len && i < FRAMES_MAX; i++) {
		const struct res_cpu_function *f = &c->functions_by_self.at[i];

		doc_cell_text(d, t, "%s", f->name ? f->name : "?");
		doc_cell_real(t, CELL_RATIO, report_cpu_share(c, f->self_share));
		doc_cell_real(t, CELL_RATIO, report_cpu_share(c, f->total_share));
		doc_cell(t, CELL_COUNT, f->self);
	}
}

static const struct doc_column site_columns[] = {
	{"site", "", "code that allocated", 1, 0},
	{"place", "place", "FILE:LINE, or in LIBRARY", 1, 0},
	{"share", "share", "of all that was held", 0, 0},
	{"bytes", "held", "", 0, 0},
};

static void heap(struct doc *d, const struct res_memory *m)
{
	struct doc_table *t;

	doc_section(d, "HEAP");
	report_memory_head(d, m);
	if (!m->sites.len)
		return;
	doc_pair(d, "held by", "of %s", view_tree_moment(d, m));
	t = doc_table(d, "sites", site_columns, 4);
	for (size_t i = 0; i < m->sites.len && i < FRAMES_MAX; i++) {
		const struct res_memory_site *s = &m->sites.at[i];

		doc_cell_text(d, t, "%s", s->function ? s->function : "?");
		doc_cell_text(d, t, "%s", s->place ? s->place : "-");
		doc_cell_real(t, CELL_RATIO, s->share);
		doc_cell(t, CELL_BYTES, s->bytes);
	}
}

void report_text(const struct report *r, struct out *o)
{
	struct doc *summary = r->io ? view_summary(r->io) : NULL, *d = doc_new();
	struct doc *answer = doc_new();
	size_t columns = out_columns(o->fd, COLUMNS);

	doc_section(answer, "IN SHORT");
	report_answer(answer, r, summary);
	text_write_doc(answer, o, columns);
	doc_free(answer);
	if (summary)
		text_write_doc(summary, o, columns);
	if (r->io) {
		batches(d, r->io);
		latencies(d, r->io);
		over_time(d, r->io);
	}
	if (r->cpu)
		cpu(d, r->cpu);
	if (r->memory)
		heap(d, r->memory);
	text_write_doc(d, o, columns);
	doc_free(summary);
	doc_free(d);
}
