/* SPDX-License-Identifier: GPL-3.0-only */
/* A sweep as people read it: the answer first, then each value with its spread. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/view/view.h"
#include "common/view/view_figures.h"

/* ---- words ---- */

const char *view_sweep_cost(const struct res_sweep *s, struct arena *a)
{
	if (!s->cost)
		return "cost";
	if (!strcmp(s->cost, "work"))
		return arena_printf(a, "time per %s", s->work_unit ? s->work_unit : "unit of work");
	if (s->call && !strcmp(s->cost, s->call))
		return arena_printf(a, "time in %s per %s", s->call,
			!s->unit                       ? "unit"
			: !strcmp(s->unit, "iovecs")   ? "iovec"
			: !strcmp(s->unit, "messages") ? "message"
						       : s->unit);
	return s->cost;
}

/* "+41.2% [39.0..43.1]" above the best. */
static void over_cell(
	struct doc *d, struct doc_table *t, const struct res_sweep_point *p, const char *best)
{
	if (best && p->value && !strcmp(p->value, best))
		doc_cell_text(d, t, "best");
	else if (isnan(p->over_best))
		doc_cell_text(d, t, "-");
	else if (isnan(p->over_low) || isnan(p->over_high))
		doc_cell_text(d, t, "%+.1f%%", 100 * (p->over_best - 1));
	else
		doc_cell_text(d, t, "%+.1f%% [%+.1f..%+.1f]", 100 * (p->over_best - 1),
			100 * (p->over_low - 1), 100 * (p->over_high - 1));
}

static const char *over_words(struct arena *a, const struct res_sweep_point *p)
{
	return arena_printf(a, "%.0f%% (%.0f to %.0f)", 100 * (p->over_best - 1),
		100 * (p->over_low - 1), 100 * (p->over_high - 1));
}

static const struct res_sweep_point *point_of(const struct res_sweep *s, const char *value)
{
	for (size_t i = 0; value && i < s->points.len; i++)
		if (s->points.at[i].value && !strcmp(s->points.at[i].value, value))
			return &s->points.at[i];
	return NULL;
}

static int is(const struct res_sweep *s, const char *verdict)
{
	return s->verdict && !strcmp(s->verdict, verdict);
}

/* ---- the answer ---- */

static void tell_runs(struct doc *d, const struct res_sweep *s)
{
	if (s->runs_needed != U64_NONE)
		doc_note(d, "Run it again with --runs %llu.", (unsigned long long)s->runs_needed);
	else
		doc_note(d, "No number of runs up to 100 would tell: the costs differ too much "
			    "from run to run, or lie too near to the limit.");
}

static void tell_knee(struct doc *d, const struct res_sweep *s, const char *cost)
{
	const struct res_sweep_point *knee = point_of(s, s->knee);
	const struct res_sweep_point *last = &s->points.at[s->points.len - 1];

	if (!knee || knee == s->points.at)
		return;
	doc_note(d,
		"Knee at %s = %s: no larger value lowers the %s by more than %.0f%%, and %s costs "
		"%s more than the best.",
		s->over, s->knee, cost, 100 * s->tolerance, knee[-1].value,
		over_words(&d->arena, &knee[-1]));
	doc_note(d, "%s -> %s does not pay.", s->knee, last->value);
}

static void tell_none(struct doc *d, const struct res_sweep *s, const char *cost)
{
	const char *first = s->points.at[0].value, *last = s->points.at[s->points.len - 1].value;
	double percent = 100 * s->tolerance;

	if (is(s, "flat"))
		doc_note(d,
			"No knee: the %s is the same at every value from %s to %s, within %.0f%%.",
			cost, first, last, percent);
	else if (is(s, "smallest"))
		doc_note(d,
			"No knee: already the smallest value, %s, is within %.0f%% of the least "
			"%s. "
			"A smaller one may be as good.",
			first, percent, cost);
	else if (is(s, "falling"))
		doc_note(d,
			"No knee: the %s still falls at the largest value, %s, and every smaller "
			"one "
			"costs more than %.0f%% above it. Try larger ones.",
			cost, last, percent);
	else if (is(s, "not measured"))
		doc_note(d, "Nothing is said of a knee: the %s was not measured in every run.",
			cost);
}

static void tell_unsure(struct doc *d, const struct res_sweep *s, const char *cost)
{
	if (is(s, "few runs"))
		doc_note(d,
			"Cannot tell where the knee is: %llu runs of a value are too few for an "
			"interval of %zu values.",
			(unsigned long long)s->points.at[0].runs, s->points.len);
	else
		doc_note(d,
			"Cannot tell where the knee is: the %s differs from run to run by more "
			"than the %.0f%% that decide.",
			cost, 100 * s->tolerance);
	tell_runs(d, s);
}

static void tell(struct doc *d, const struct res_sweep *s, const char *cost)
{
	if (!s->over || !s->points.len || !s->verdict)
		return;
	for (size_t i = 0; i < s->points.len; i++)
		if (!s->points.at[i].value)
			return; /* of somebody else's file */
	if (is(s, "knee"))
		tell_knee(d, s, cost);
	else if (is(s, "unsure") || is(s, "few runs"))
		tell_unsure(d, s, cost);
	else
		tell_none(d, s, cost);
}

/* ---- the table ---- */

static const struct doc_column columns[] = {
	{"value", "value", "what was tried", 2, 0},
	{"cost", "cost", "median of the runs, least and largest", 0, 0},
	{"over", "above the best [95%]", "of the medians, and the interval for all values together",
		0, 0},
	{"got", "got a call", "units that a call moved: median of the runs, least and largest", 0,
		0},
	{"unit_time", "time per unit", "in the call, per unit that it moved", 0, 0},
	{"calls", "calls", "all that were counted", 0, 0},
	{"throughput", "per s", "units of work a second", 0, 0},
};

static void figure_cell(
	struct doc *d, struct doc_table *t, const struct res_sweep_figure *f, const char *unit)
{
	const double nothing[3] = {NAN, NAN, NAN};
	const double v[3] = {f ? f->median : NAN, f ? f->min : NAN, f ? f->max : NAN};

	view_figures_cell(d, t, f ? v : nothing, unit);
}

static void table(struct doc *d, const struct res_sweep *s)
{
	struct doc_table *t = doc_table(d, "values", columns, LEN(columns));

	for (size_t i = 0; i < s->points.len; i++) {
		const struct res_sweep_point *p = &s->points.at[i];

		doc_cell_text(d, t, "%s%s", p->value ? p->value : "?",
			s->knee && p->value && !strcmp(p->value, s->knee) ? " (knee)" : "");
		figure_cell(d, t, p->cost, s->cost_unit ? s->cost_unit : "");
		over_cell(d, t, p, s->best);
		figure_cell(d, t, p->got, "");
		figure_cell(d, t, p->unit_time, "ns");
		figure_cell(d, t, p->calls, "");
		figure_cell(d, t, p->throughput, "");
	}
}

struct doc *view_sweep(const struct res_sweep *s)
{
	struct doc *d = doc_new();
	const char *cost = view_sweep_cost(s, &d->arena);

	doc_head(d,
		arena_printf(&d->arena, "%s over %s", s->scenario ? s->scenario : "scenario",
			s->over ? s->over : "?"),
		s->type ? s->type : "");
	doc_pair(d, "cost", "%s", cost);
	if (s->call)
		doc_pair(d, "call", "%s, %s", s->call, s->unit ? s->unit : "units");
	doc_section(d, "ANSWER");
	tell(d, s, cost);
	for (size_t i = 0; i < s->notes.len; i++)
		doc_note(d, "%s", s->notes.at[i]);
	doc_section(d, "VALUES");
	table(d, s);
	doc_text(d,
		"The knee is the smallest value of which the intervals leave no doubt that its %s "
		"is "
		"within %.0f%% of the best one's, and that every smaller value costs more.",
		cost, 100 * s->tolerance);
	return d;
}
