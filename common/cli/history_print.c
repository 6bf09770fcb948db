/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/history_print.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/units.h"
#include "common/compare/metric.h"
#include "common/compare/stats.h"
#include "common/history/points.h"
#include "common/view/doc.h"
#include "common/write/safe.h"
#include "common/write/writer.h"

#define TEXT_COLUMNS 120

const char *history_date(char *buf, int64_t ns)
{
	time_t at = ns / 1000000000;
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(buf, 24, "%Y-%m-%d %H:%M:%S", &tm);
	return buf;
}

static void end_table(struct doc *d, struct out *o)
{
	text_write_doc(d, o, TEXT_COLUMNS);
	doc_free(d);
}

/* ---- list ---- */

void history_print_versions(const struct history_versions *v, struct out *o)
{
	static const struct doc_column columns[] = {
		{"version", "version", "its label", 2, 0},
		{"added", "added", "when its first run was, UTC", 2, 0},
		{"runs", "runs", "of all scenarios", 0, 0},
		{"hosts", "hosts", "that they are of", 0, 0},
		{"machines", "machines", "CPU and kernel", 0, 0},
		{"scenarios", "scenarios", "and their types", 1, 0},
	};
	struct doc *d = doc_new();
	struct doc_table *t = doc_table(d, "versions", columns, LEN(columns));
	char date[24];

	for (size_t i = 0; i < v->len; i++) {
		doc_cell_text(d, t, "%s", v->at[i].label);
		doc_cell_text(d, t, "%s", history_date(date, v->at[i].added_ns));
		doc_cell(t, CELL_COUNT, v->at[i].runs);
		doc_cell(t, CELL_COUNT, v->at[i].hosts);
		doc_cell(t, CELL_COUNT, v->at[i].machines);
		doc_cell_text(d, t, "%s", v->at[i].scenarios);
	}
	end_table(d, o);
}

/* ---- show ---- */

static const struct doc_column figure_columns[] = {
	{"figure", "figure", "its name", 2, 0},
	{"median", "median", "of the runs", 0, 0},
	{"min", "least", "of the runs", 0, 0},
	{"max", "largest", "of the runs", 0, 0},
};

static void print_figure(struct doc *d, struct doc_table *t, const struct metric *m, size_t runs)
{
	double low = NAN, high = NAN;
	char buf[UNITS_BUF];

	for (size_t i = 0; i < runs; i++) {
		low = fmin(low, m->values[i]);
		high = fmax(high, m->values[i]);
	}
	doc_cell_text(d, t, "%s", m->name);
	doc_cell_text(d, t, "%s", trend_words(buf, m->unit, stats_median(m->values, runs)));
	doc_cell_text(d, t, "%s", trend_words(buf, m->unit, low));
	doc_cell_text(d, t, "%s", trend_words(buf, m->unit, high));
}

void history_print_side(const struct side *s, int all, struct out *o)
{
	for (size_t i = 0; i < s->parts.len; i++) {
		const struct side_part *part = &s->parts.at[i];
		struct doc *d = doc_new();
		struct doc_table *t;
		struct metrics m;

		metrics_read(part, &m);
		doc_head(d, part->scenario, part->kind->id);
		doc_pair(d, "runs", "%zu", part->runs.len);
		doc_section(d, "FIGURES");
		t = doc_table(d, "figures", figure_columns, LEN(figure_columns));
		for (size_t k = 0; k < m.len; k++)
			if (all || !m.at[k].call)
				print_figure(d, t, &m.at[k], m.runs);
		metrics_release(&m);
		end_table(d, o);
	}
}

/* ---- trend ---- */

/* One character a version, in eighths between the least and the largest; "." not measured. */
static void print_line(const struct trend_series *s, struct out *o)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	double low = NAN, high = NAN;
	size_t from = s->points.len > TEXT_COLUMNS - 4 ? s->points.len - (TEXT_COLUMNS - 4) : 0;

	for (size_t i = from; i < s->points.len; i++) {
		low = fmin(low, s->points.at[i].median);
		high = fmax(high, s->points.at[i].median);
	}
	out_str(o, "  ");
	for (size_t i = from; i < s->points.len; i++) {
		double v = s->points.at[i].median,
		       share = high > low ? (v - low) / (high - low) : 0;

		out_str(o, isnan(v) ? "." : bars[(int)(share * 7.999)]);
	}
	out_char(o, '\n');
}

static const char *change_words(struct arena *a, double before, double after)
{
	if (isnan(before) || isnan(after))
		return "-";
	if (before == 0)
		return "from 0";
	return arena_printf(a, "%+.1f%%", 100 * (after / before - 1));
}

static const char *why_word(enum trend_why why, int direction)
{
	if (why == TREND_MACHINE)
		return "other machine";
	if (why == TREND_MADE)
		return "run otherwise";
	if (direction == 0)
		return why == TREND_EXACT ? "moved, exact" : "moved, noisy";
	if (direction > 0)
		return why == TREND_EXACT ? "WORSE, exact" : "WORSE, noisy";
	return why == TREND_EXACT ? "better, exact" : "better, noisy";
}

static const struct trend_change *change_at(const struct trend_series *s, size_t at)
{
	for (size_t i = 0; i < s->changes.len; i++)
		if (s->changes.at[i].at == at)
			return &s->changes.at[i];
	return NULL;
}

static void print_points(const struct trend_series *s, struct out *o)
{
	static const struct doc_column columns[] = {
		{"version", "version", "its label", 2, 0},
		{"runs", "runs", "of it", 0, 0},
		{"median", "median", "of its runs", 0, 0},
		{"min", "least", "of its runs", 0, 0},
		{"max", "largest", "of its runs", 0, 0},
		{"change", "change", "of the level, where it changed here", 2, 0},
	};
	struct doc *d = doc_new();
	struct doc_table *t = doc_table(d, "points", columns, LEN(columns));
	char buf[UNITS_BUF];

	for (size_t i = 0; i < s->points.len; i++) {
		const struct trend_point *p = &s->points.at[i];
		const struct trend_change *c = change_at(s, i);

		doc_cell_text(d, t, "%s", p->label);
		doc_cell(t, CELL_COUNT, p->values.len);
		doc_cell_text(d, t, "%s", trend_words(buf, s->unit, p->median));
		doc_cell_text(d, t, "%s", trend_words(buf, s->unit, p->min));
		doc_cell_text(d, t, "%s", trend_words(buf, s->unit, p->max));
		if (c)
			doc_cell_text(d, t, "%s %s", why_word(c->why, trend_direction(s, c)),
				change_words(&d->arena, c->before, c->after));
		else
			doc_cell_text(d, t, "%s", "");
	}
	end_table(d, o);
}

static void print_note(struct arena *a, const char *label, const char *text, struct out *o)
{
	out_printf(o, "  * %s: ", safe_text(a, label));
	out_printf(o, "%s\n", safe_text(a, text));
}

void history_print_trend(const struct trend *t, struct out *o)
{
	struct arena a = {0};

	for (size_t i = 0; i < t->series.len; i++) {
		const struct trend_series *s = &t->series.at[i];

		out_printf(o, "%s%s of %s, %s\n", i ? "\n" : "", safe_text(&a, t->metric),
			safe_text(&a, s->scenario), s->type);
		print_line(s, o);
		print_points(s, o);
		for (size_t k = 0; k < s->changes.len; k++)
			if (*s->changes.at[k].culprit)
				print_note(&a, s->points.at[s->changes.at[k].at].label,
					s->changes.at[k].culprit, o);
		if (!s->changes.len)
			out_str(o, "  no change\n");
		if (s->few)
			out_printf(o,
				"  %zu version%s fewer than %d runs: what is noisy is not judged "
				"there\n",
				s->few, s->few == 1 ? " has" : "s have", TREND_RUNS_LEAST);
		if (s->unlooked)
			out_printf(o,
				"  what is noisy is judged over the newest %d versions of a "
				"machine\n",
				POINTS_MAX);
	}
	arena_release(&a);
}

/* ---- changes ---- */

void history_print_changes(const struct changes *c, struct out *o)
{
	static const struct doc_column columns[] = {
		{"version", "version", "where it changed", 2, 0},
		{"scenario", "scenario", "and its type", 2, 0},
		{"figure", "figure", "that changed", 2, 0},
		{"before", "before", "the level", 0, 0},
		{"after", "after", "the level", 0, 0},
		{"change", "change", "of it", 0, 0},
		{"what", "what", "which way, and how it is known", 2, 0},
	};
	struct doc *d = doc_new();
	struct doc_table *t = doc_table(d, "changes", columns, LEN(columns));
	struct arena a = {0};
	char buf[UNITS_BUF];
	const char *last = "";

	for (size_t i = 0; i < c->len; i++) {
		const struct change *x = &c->at[i];

		doc_cell_text(d, t, "%s", x->label);
		doc_cell_text(d, t, "%s %s", x->scenario, x->type);
		doc_cell_text(d, t, "%s", x->metric);
		doc_cell_text(d, t, "%s", trend_words(buf, x->unit, x->before));
		doc_cell_text(d, t, "%s", trend_words(buf, x->unit, x->after));
		doc_cell_text(d, t, "%s", change_words(&d->arena, x->before, x->after));
		doc_cell_text(d, t, "%s", why_word(x->why, x->direction));
	}
	if (c->len)
		text_write_doc(d, o, TEXT_COLUMNS);
	else
		out_printf(o, "no change in %zu version%s\n", c->versions,
			c->versions == 1 ? "" : "s");
	doc_free(d);
	for (size_t i = 0; i < c->len; i++) {
		const char *told = arena_printf(
			&a, "%s %s %s", c->at[i].label, c->at[i].scenario, c->at[i].culprit);

		/* Several figures of a call have the same behind them. */
		if (*c->at[i].culprit && strcmp(told, last) != 0)
			print_note(&a, c->at[i].label, c->at[i].culprit, o);
		last = told;
	}
	arena_release(&a);
}
