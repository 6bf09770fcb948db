/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/history/tell.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "common/compare/metric.h"
#include "common/compare/stats.h"
#include "common/model/enough.h"

struct res_history *tell_new(const char *of, const struct history *h)
{
	struct res_history *r = result_make(&schema_history);

	r->of = arena_strdup(result_arena(r), of);
	r->store = arena_strdup(result_arena(r), h->db->shown);
	r->status = 0;
	return r;
}

static const char *copy(struct res_history *r, const char *text)
{
	return arena_strdup(result_arena(r), text);
}

/* Room for `more` elements behind those that a list has. */
static void *grown(
	struct res_history *r, const void *at, size_t len, size_t more, const struct shape *shape)
{
	char *to = result_alloc(r, len + more, shape);

	if (len)
		memcpy(to, at, len * shape->size);
	return to;
}

#define GROW(r, list, more, shape)                                                                 \
	((list)->at = grown((r), (list)->at, (list)->len, (more), &shape_##shape),                 \
		(list)->len += (more), (list)->at + ((list)->len - (more)))

void tell_note(struct res_history *r, const char *text)
{
	result_append(r, &r->notes, text);
}

/* ---- versions ---- */

static const char *date(struct res_history *r, int64_t ns)
{
	time_t at = ns / 1000000000;
	struct tm tm;
	char buf[32];

	if (!gmtime_r(&at, &tm) || !strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &tm))
		return NULL; /* of a store that somebody has written into */
	return copy(r, buf);
}

static struct res_strs scenarios_of(struct res_history *r, const struct history_version *v)
{
	struct res_strs ret = {
		arena_alloc(result_arena(r), v->scenarios.len + 1, sizeof(char *)), 0};

	for (size_t i = 0; i < v->scenarios.len; i++)
		ret.at[ret.len++] = copy(r, v->scenarios.at[i]);
	return ret;
}

void tell_versions(struct res_history *r, const struct history_versions *v)
{
	RES_LIST(r, &r->versions, v->len, history_version);
	for (size_t i = 0; i < v->len; i++)
		r->versions.at[i] = (struct res_history_version){.version = copy(r, v->at[i].label),
			.added = date(r, v->at[i].added_ns),
			.added_ns = v->at[i].added_ns < 0 ? U64_NONE : (uint64_t)v->at[i].added_ns,
			.runs = v->at[i].runs,
			.hosts = v->at[i].hosts,
			.machines = v->at[i].machines,
			.scenarios = scenarios_of(r, &v->at[i])};
}

/* ---- a version ---- */

static void tell_figure(
	struct res_history *r, struct res_history_figure *to, const struct metric *m, size_t runs)
{
	to->figure = copy(r, m->name);
	to->call = copy(r, m->call);
	to->unit = copy(r, m->unit);
	to->runs = runs;
	to->median = stats_median(m->values, runs);
	for (size_t i = 0; i < runs; i++) {
		to->min = fmin(to->min, m->values[i]);
		to->max = fmax(to->max, m->values[i]);
	}
}

void tell_side(struct res_history *r, const struct side *s)
{
	r->version = copy(r, s->label);
	for (size_t i = 0; i < s->parts.len; i++) {
		const struct side_part *part = &s->parts.at[i];
		struct res_history_figure *to;
		struct metrics m;

		metrics_read(part, &m);
		to = GROW(r, &r->figures, m.len, history_figure);
		for (size_t k = 0; k < m.len; k++) {
			to[k].scenario = copy(r, part->scenario);
			to[k].type = part->kind->id;
			tell_figure(r, &to[k], &m.at[k], m.runs);
		}
		metrics_release(&m);
	}
}

/* ---- changes ---- */

static const char *known_word(enum trend_why why)
{
	static const char *const words[] = {[TREND_EXACT] = "exact",
		[TREND_NOISY] = "noisy",
		[TREND_MACHINE] = "other machine",
		[TREND_MADE] = "run otherwise"};

	return words[why];
}

static const char *verdict_word(enum trend_why why, int direction)
{
	if (why >= TREND_MACHINE)
		return NULL;
	return direction > 0 ? "worse" : direction < 0 ? "better" : "moved";
}

static double share_of(double before, double after)
{
	return before != 0 ? after / before - 1 : NAN;
}

static struct res_history_change copy_of(struct res_history *r, const struct change *x)
{
	return (struct res_history_change){.version = copy(r, x->label),
		.before_version = copy(r, x->before_label),
		.scenario = copy(r, x->scenario),
		.type = copy(r, x->type),
		.figure = copy(r, x->metric),
		.unit = copy(r, x->unit),
		.known = known_word(x->why),
		.verdict = verdict_word(x->why, x->direction),
		.before = x->before,
		.after = x->after,
		.change = share_of(x->before, x->after),
		.culprit = *x->culprit ? copy(r, x->culprit) : NULL};
}

static struct res_history_change change_of(struct res_history *r, const struct trend *t,
	const struct trend_series *s, const struct trend_change *c)
{
	size_t was = c->at;

	do
		was--;
	while (was > 0 && isnan(s->points.at[was].median));
	return copy_of(r, &(struct change){.label = s->points.at[c->at].label,
				  .before_label = s->points.at[was].label,
				  .scenario = s->scenario,
				  .type = s->type,
				  .metric = t->metric,
				  .unit = s->unit,
				  .why = c->why,
				  .direction = trend_direction(s, c),
				  .before = c->before,
				  .after = c->after,
				  .culprit = c->culprit});
}

void tell_change(
	struct res_history *r, const struct trend *t, const struct trend_series *s, size_t at)
{
	*GROW(r, &r->changes, 1, history_change) = change_of(r, t, s, &s->changes.at[at]);
}

void tell_changes(struct res_history *r, const struct changes *c)
{
	struct res_history_change *to = GROW(r, &r->changes, c->len, history_change);

	for (size_t i = 0; i < c->len; i++)
		to[i] = copy_of(r, &c->at[i]);
	if (c->few)
		result_append(r, &r->notes,
			arena_printf(result_arena(r),
				"%zu of %zu versions of a scenario have fewer than 3 runs: nothing "
				"is judged there",
				c->few, c->sets));
	if (c->judged < JUDGE_VERSIONS_MIN)
		result_append(r, &r->notes,
			arena_printf(result_arena(r),
				"times and counts that vary cannot be told from fewer than %d "
				"versions of a machine with 3 runs or more",
				JUDGE_VERSIONS_MIN));
}

/* ---- series ---- */

static void tell_points(
	struct res_history *r, struct res_history_series *to, const struct trend_series *s)
{
	RES_LIST(r, &to->points, s->points.len, history_point);
	for (size_t i = 0; i < s->points.len; i++) {
		const struct trend_point *p = &s->points.at[i];

		to->points.at[i] = (struct res_history_point){
			copy(r, p->label), p->values.len, p->median, p->min, p->max};
	}
}

static void tell_series(struct res_history *r, struct res_history_series *to, const struct trend *t,
	const struct trend_series *s)
{
	to->figure = copy(r, t->metric);
	to->scenario = copy(r, s->scenario);
	to->type = copy(r, s->type);
	to->unit = copy(r, s->unit);
	to->worse = s->worse > 0 ? "more" : s->worse < 0 ? "less" : NULL;
	to->few = s->few;
	if (s->judged != SIZE_MAX)
		to->judged = s->judged;
	to->unlooked = s->unlooked;
	tell_points(r, to, s);
	RES_LIST(r, &to->changes, s->changes.len, history_change);
	for (size_t i = 0; i < s->changes.len; i++)
		to->changes.at[i] = change_of(r, t, s, &s->changes.at[i]);
}

void tell_trend(struct res_history *r, const struct trend *t)
{
	struct res_history_series *to = GROW(r, &r->series, t->series.len, history_series);

	for (size_t i = 0; i < t->series.len; i++)
		tell_series(r, &to[i], t, &t->series.at[i]);
}

/* ---- everything ---- */

struct wanted {
	const char *scenario, *type;
	const char *figures[TELL_CHANGED_MAX + CHANGES_NOISY + 1];
	size_t len;
};

static void want(struct wanted *w, const char *figure, size_t max)
{
	for (size_t i = 0; i < w->len; i++)
		if (!strcmp(w->figures[i], figure))
			return;
	if (w->len < max)
		w->figures[w->len++] = figure;
}

static int is_of(const struct wanted *w, const struct res_history_change *c)
{
	return !strcmp(c->scenario, w->scenario) && !strcmp(c->type, w->type);
}

static int is_bad(const struct res_history_change *c)
{
	return c->verdict && !strcmp(c->verdict, "worse");
}

/* Newest first, what got worse before the rest. */
static void want_changed(struct wanted *w, const struct res_history *r, int bad)
{
	for (size_t i = r->changes.len; i-- > 0;) {
		const struct res_history_change *c = &r->changes.at[i];

		if (is_of(w, c) && is_bad(c) == bad && !isnan(c->after))
			want(w, c->figure, TELL_CHANGED_MAX);
	}
}

/* What compare says is behind a change of the series is known already. */
static void take_culprits(struct res_history *r, struct res_history_series *s)
{
	for (size_t i = 0; i < s->changes.len; i++)
		for (size_t k = 0; k < r->changes.len; k++) {
			const struct res_history_change *c = &r->changes.at[k];
			struct res_history_change *to = &s->changes.at[i];

			if (!strcmp(c->figure, to->figure) && !strcmp(c->version, to->version) &&
				!strcmp(c->scenario, to->scenario) && !strcmp(c->type, to->type))
				to->culprit = c->culprit;
		}
}

static int tell_wanted(
	struct history *h, struct res_history *r, const struct wanted *w, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < w->len && rc == 0; i++) {
		const struct trend_ask ask = {w->figures[i], w->scenario, w->type};
		struct err none = {0};
		size_t had = r->series.len;
		struct trend t;

		rc = trend_read(h, &ask, &t, &none);
		if (rc == 0)
			tell_trend(r, &t);
		for (size_t k = had; k < r->series.len; k++)
			take_culprits(r, &r->series.at[k]);
		trend_release(&t);
		rc = rc < 0 && rc != -ENOENT ? err_set(err, rc, "%s", none.text) : 0;
	}
	return rc;
}

/* "dns io" */
static int tell_scenario(
	struct history *h, struct res_history *r, const char *words, struct err *err)
{
	char *scenario = arena_strdup(result_arena(r), words), *type = strrchr(scenario, ' ');
	struct wanted w = {.scenario = scenario, .type = type ? type + 1 : ""};

	if (type)
		*type = '\0';
	want_changed(&w, r, 1);
	want_changed(&w, r, 0);
	for (size_t i = 0; i < CHANGES_NOISY; i++)
		want(&w, changes_noisy[i], LEN(w.figures));
	want(&w, "calls", LEN(w.figures));
	return tell_wanted(h, r, &w, err);
}

static int is_asked(const struct trend_ask *ask, const char *words)
{
	const char *type = strrchr(words, ' ');
	size_t len = type ? (size_t)(type - words) : strlen(words);

	return (!ask->scenario ||
		       (strlen(ask->scenario) == len && !strncmp(ask->scenario, words, len))) &&
	       (!ask->type || (type && !strcmp(ask->type, type + 1)));
}

static int is_seen(const struct res_strs *seen, const char *words)
{
	for (size_t i = 0; i < seen->len; i++)
		if (!strcmp(seen->at[i], words))
			return 1;
	return 0;
}

/* Scenario and type of all versions, the newest version's first. */
static int tell_scenarios(
	struct history *h, const struct trend_ask *ask, struct res_history *r, struct err *err)
{
	struct res_strs seen = {0};
	int rc = 0;

	for (size_t i = 0; i < r->versions.len; i++)
		seen.len += r->versions.at[i].scenarios.len;
	seen.at = arena_alloc(result_arena(r), seen.len + 1, sizeof(char *));
	seen.len = 0;
	for (size_t i = r->versions.len; i-- > 0 && rc == 0;) {
		const struct res_strs *s = &r->versions.at[i].scenarios;

		for (size_t k = 0; k < s->len && rc == 0; k++) {
			if (!is_asked(ask, s->at[k]) || is_seen(&seen, s->at[k]))
				continue;
			seen.at[seen.len++] = s->at[k];
			rc = tell_scenario(h, r, s->at[k], err);
		}
	}
	return rc;
}

int tell_report(
	struct history *h, const struct trend_ask *ask, struct res_history *r, struct err *err)
{
	struct history_versions v = {0};
	struct changes c = {0};
	int rc = history_list(h, &v, err);

	if (rc == 0) {
		tell_versions(r, &v);
		rc = changes_read(h, ask, &c, err);
	}
	if (rc == 0) {
		tell_changes(r, &c);
		rc = tell_scenarios(h, ask, r, err);
	}
	changes_release(&c);
	history_versions_release(&v);
	return rc;
}
