/* SPDX-License-Identifier: GPL-3.0-only */
/* A history as people read it. */
#include "common/view/view_history.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/units.h"
#include "common/model/enough.h"
#include "common/view/view_parts.h"

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static int is(const char *a, const char *b)
{
	return a && !strcmp(a, b);
}

/* ---- words ---- */

const char *view_history_what(const struct res_history_change *c, struct arena *a)
{
	if (!c->verdict)
		return or_empty(c->known);
	return arena_printf(
		a, "%s, %s", is(c->verdict, "worse") ? "WORSE" : c->verdict, or_empty(c->known));
}

const char *view_history_share(const struct res_history_change *c, struct arena *a)
{
	if (isnan(c->before) || isnan(c->after))
		return "-";
	if (isnan(c->change))
		return "from 0";
	return arena_printf(a, "%+.1f%%", 100 * c->change);
}

static void figure_cell(struct doc *d, struct doc_table *t, const char *unit, double v)
{
	char buf[UNITS_BUF];

	doc_cell_text(d, t, "%s", units_figure(buf, unit, v));
}

/* ---- versions ---- */

void view_history_versions(struct doc *d, const struct res_history *r)
{
	static const struct doc_column columns[] = {
		{"version", "version", "its label", 2, 0},
		{"added", "added", "when its first run was, UTC", 2, 0},
		{"runs", "runs", "of all scenarios", 0, 0},
		{"hosts", "hosts", "that they are of", 0, 0},
		{"machines", "machines", "CPU and kernel", 0, 0},
		{"scenarios", "scenarios", "and their types", 1, 0},
	};
	struct doc_table *t = doc_table(d, "versions", columns, LEN(columns));

	for (size_t i = 0; i < r->versions.len; i++) {
		const struct res_history_version *v = &r->versions.at[i];

		doc_cell_text(d, t, "%s", or_empty(v->version));
		doc_cell_text(d, t, "%s", v->added ? v->added : "-");
		doc_cell(t, CELL_COUNT, v->runs);
		doc_cell(t, CELL_COUNT, v->hosts);
		doc_cell(t, CELL_COUNT, v->machines);
		doc_cell_text(d, t, "%s", view_joined(&d->arena, &v->scenarios, ", "));
	}
}

/* ---- figures ---- */

static const struct doc_column figure_columns[] = {
	{"figure", "figure", "its name", 2, 0},
	{"median", "median", "of the runs", 0, 0},
	{"min", "least", "of the runs", 0, 0},
	{"max", "largest", "of the runs", 0, 0},
};

void view_history_figures(struct doc *d, const struct res_history *r, int all)
{
	const struct res_history_figure *was = NULL;
	struct doc_table *t = NULL;

	for (size_t i = 0; i < r->figures.len; i++) {
		const struct res_history_figure *f = &r->figures.at[i];

		if (!was || strcmp(was->scenario, f->scenario) != 0 ||
			strcmp(was->type, f->type) != 0) {
			doc_head(d, f->scenario, f->type);
			doc_pair(d, "runs", "%llu", (unsigned long long)f->runs);
			doc_section(d, "FIGURES");
			t = doc_table(d, "figures", figure_columns, LEN(figure_columns));
		}
		was = f;
		if (f->call && !all)
			continue;
		doc_cell_text(d, t, "%s", or_empty(f->figure));
		figure_cell(d, t, f->unit, f->median);
		figure_cell(d, t, f->unit, f->min);
		figure_cell(d, t, f->unit, f->max);
	}
}

/* ---- a series ---- */

static const struct res_history_change *change_at(
	const struct res_history_series *s, const char *version)
{
	for (size_t i = 0; i < s->changes.len; i++)
		if (is(s->changes.at[i].version, version))
			return &s->changes.at[i];
	return NULL;
}

void view_history_points(struct doc *d, const struct res_history_series *s)
{
	static const struct doc_column columns[] = {
		{"version", "version", "its label", 2, 0},
		{"runs", "runs", "of it", 0, 0},
		{"median", "median", "of its runs", 0, 0},
		{"min", "least", "of its runs", 0, 0},
		{"max", "largest", "of its runs", 0, 0},
		{"change", "change", "of the level, where it changed here", 2, 0},
	};
	struct doc_table *t = doc_table(d, "points", columns, LEN(columns));

	for (size_t i = 0; i < s->points.len; i++) {
		const struct res_history_point *p = &s->points.at[i];
		const struct res_history_change *c = change_at(s, or_empty(p->version));

		doc_cell_text(d, t, "%s", or_empty(p->version));
		doc_cell(t, CELL_COUNT, p->runs);
		figure_cell(d, t, s->unit, p->median);
		figure_cell(d, t, s->unit, p->min);
		figure_cell(d, t, s->unit, p->max);
		if (c)
			doc_cell_text(d, t, "%s %s", view_history_what(c, &d->arena),
				view_history_share(c, &d->arena));
		else
			doc_cell_text(d, t, "%s", "");
	}
}

int view_history_is_judged(const struct res_history_series *s)
{
	return s->judged == U64_NONE || s->judged >= JUDGE_VERSIONS_MIN;
}

void view_history_limits(struct doc *d, const struct res_history_series *s)
{
	if (!view_history_is_judged(s))
		doc_note(d,
			"too few versions to tell a change of its level from chance: %llu of one "
			"machine with 3 runs or more, at least %d are needed",
			(unsigned long long)s->judged, JUDGE_VERSIONS_MIN);
	if (s->few)
		doc_note(d, "%llu version%s fewer than 3 runs: what is noisy is not judged there",
			(unsigned long long)s->few, s->few == 1 ? " has" : "s have");
	if (s->unlooked)
		doc_note(d, "what is noisy is judged over the newest 128 versions of a machine");
}

/* ---- changes ---- */

static int is_of(const struct res_history_change *c, const struct res_history_series *s)
{
	return !s || (is(c->scenario, s->scenario) && is(c->type, s->type));
}

static struct doc_table *changes_table(struct doc *d, int all)
{
#define BEFORE                                                                                     \
	{                                                                                          \
		"version", "version", "where it changed", 2, 0                                     \
	}
#define BEHIND                                                                                     \
	{"figure", "figure", "that changed", 2, 0}, {"before", "before", "the level", 0, 0},       \
		{"after", "after", "the level", 0, 0}, {"change", "change", "of it", 0, 0},        \
	{                                                                                          \
		"what", "what", "which way, and how it is known", 2, 0                             \
	}
	static const struct doc_column columns[] = {
		BEFORE, {"scenario", "scenario", "and its type", 2, 0}, BEHIND};
	static const struct doc_column of_one[] = {BEFORE, BEHIND};
#undef BEFORE
#undef BEHIND

	return all ? doc_table(d, "changes", columns, LEN(columns))
		   : doc_table(d, "changes", of_one, LEN(of_one));
}

static void change_row(
	struct doc *d, struct doc_table *t, const struct res_history_change *c, int all)
{
	doc_cell_text(d, t, "%s", or_empty(c->version));
	if (all)
		doc_cell_text(d, t, "%s %s", or_empty(c->scenario), or_empty(c->type));
	doc_cell_text(d, t, "%s", or_empty(c->figure));
	figure_cell(d, t, c->unit, c->before);
	figure_cell(d, t, c->unit, c->after);
	doc_cell_text(d, t, "%s", view_history_share(c, &d->arena));
	doc_cell_text(d, t, "%s", view_history_what(c, &d->arena));
}

void view_history_changes(
	struct doc *d, const struct res_history *r, const struct res_history_series *of)
{
	struct doc_table *t = changes_table(d, !of);
	const char *last = "";

	for (size_t i = 0; i < r->changes.len; i++)
		if (is_of(&r->changes.at[i], of))
			change_row(d, t, &r->changes.at[i], !of);
	for (size_t i = 0; i < r->changes.len; i++) {
		const struct res_history_change *c = &r->changes.at[i];
		const char *told = arena_printf(&d->arena, "%s %s %s", or_empty(c->version),
			or_empty(c->scenario), or_empty(c->culprit));

		/* Several figures of a call have the same behind them. */
		if (is_of(c, of) && c->culprit && strcmp(told, last) != 0)
			doc_note(d, "%s: %s", or_empty(c->version), c->culprit);
		last = told;
	}
}

/* ---- the answer ---- */

enum { ANSWERS_MAX = 10 };

static int is_same(const struct res_history_change *a, const struct res_history_change *b)
{
	return is(a->figure, or_empty(b->figure)) && is(a->scenario, or_empty(b->scenario)) &&
	       is(a->type, or_empty(b->type)) &&
	       (!isnan(a->after) || is(a->culprit, or_empty(b->culprit)));
}

/* The last word on a figure: what came after it is another level. */
static int is_last(const struct res_history *r, size_t at)
{
	for (size_t i = at + 1; i < r->changes.len; i++)
		if (r->changes.at[i].verdict && is_same(&r->changes.at[i], &r->changes.at[at]))
			return 0;
	return 1;
}

static void tell_level(struct doc *d, const struct res_history_change *c)
{
	char before[UNITS_BUF], after[UNITS_BUF];
	const char *why = c->culprit ? arena_printf(&d->arena, ": %s", c->culprit) : "";
	const char *levels = "";

	if (!isnan(c->after) && !isnan(c->before))
		levels = arena_printf(&d->arena, ", %s -> %s%s",
			units_figure(before, c->unit, c->before),
			units_figure(after, c->unit, c->after),
			isnan(c->change) ? ""
					 : arena_printf(&d->arena, " (%s)",
						   view_history_share(c, &d->arena)));
	doc_note(d, "since %s, %s %s: %s%s%s", or_empty(c->version), or_empty(c->scenario),
		or_empty(c->type), or_empty(c->figure), levels, why);
}

static int is_worse(const struct res_history *r, size_t at)
{
	return is(r->changes.at[at].verdict, "worse") && is_last(r, at);
}

static int of_a_call(const struct res_history_change *c)
{
	return c->figure && strchr(c->figure, '.') ? 1 : 0;
}

/* Of several figures of a version with one culprit the first is told, one of a call before those of
 * the whole run. */
static int is_told(const struct res_history *r, size_t at)
{
	const struct res_history_change *c = &r->changes.at[at];

	for (size_t i = 0; c->culprit && i < r->changes.len; i++) {
		const struct res_history_change *x = &r->changes.at[i];

		if (i != at && is(x->version, or_empty(c->version)) && is(x->culprit, c->culprit) &&
			is(x->scenario, or_empty(c->scenario)) && is_worse(r, i) &&
			of_a_call(x) >= of_a_call(c) && (i < at || of_a_call(x) > of_a_call(c)))
			return 1;
	}
	return 0;
}

/* The newest version first; changes are by version. */
static void tell_worse(struct doc *d, const struct res_history *r)
{
	size_t told = 0, left = 0, end = r->changes.len, from;

	for (; end > 0; end = from) {
		for (from = end - 1; from > 0 && is(r->changes.at[from - 1].version,
							 or_empty(r->changes.at[from].version));)
			from--;
		for (size_t i = from; i < end; i++) {
			if (!is_worse(r, i) || is_told(r, i))
				continue;
			if (told < ANSWERS_MAX)
				tell_level(d, &r->changes.at[i]);
			told < ANSWERS_MAX ? told++ : left++;
		}
	}
	if (left)
		doc_note(d, "and %zu more, below", left);
	if (!told)
		doc_text(d, "Nothing%s %s.", r->notes.len ? " that could be judged" : "",
			r->changes.len ? "is worse" : "has changed");
}

/* Where nothing is said of the program. */
static void tell_others(struct doc *d, const struct res_history *r)
{
	const char *machine = NULL, *made = NULL;

	for (size_t i = 0; i < r->changes.len; i++) {
		if (is(r->changes.at[i].known, "other machine"))
			machine = r->changes.at[i].version;
		else if (is(r->changes.at[i].known, "run otherwise"))
			made = r->changes.at[i].version;
	}
	if (machine)
		doc_note(d,
			"the runs from %s on are of another machine: that times changed there says "
			"nothing of the program",
			machine);
	if (made)
		doc_note(d,
			"the runs from %s on were made otherwise: that counts changed there says "
			"nothing of the program",
			made);
}

void view_history_notes(struct doc *d, const struct res_history *r)
{
	for (size_t i = 0; i < r->notes.len; i++)
		doc_note(d, "%s", r->notes.at[i]);
}

void view_history_answer(struct doc *d, const struct res_history *r)
{
	uint64_t runs = 0;

	for (size_t i = 0; i < r->versions.len; i++)
		runs += r->versions.at[i].runs == U64_NONE ? 0 : r->versions.at[i].runs;
	if (!r->versions.len) {
		doc_text(d, "There are no versions: profile-scenario history add adds one.");
		return;
	}
	if (r->versions.len == 1) {
		doc_text(d, "One version, %s, %llu run%s: nothing can have changed.",
			or_empty(r->versions.at[0].version), (unsigned long long)runs,
			runs == 1 ? "" : "s");
		return;
	}
	doc_text(d, "%zu versions, %s to %s, %llu runs.", r->versions.len,
		or_empty(r->versions.at[0].version),
		or_empty(r->versions.at[r->versions.len - 1].version), (unsigned long long)runs);
	tell_worse(d, r);
	tell_others(d, r);
	view_history_notes(d, r);
}
