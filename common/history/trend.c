/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/history/trend.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/compare/judge.h"
#include "common/compare/stats.h"
#include "common/history/points.h"

/* ---- reading ---- */

struct reading {
	struct trend *t;
	const char *machine; /* of the row before: most are the same */
};

static int is(const char *a, const struct db_value *cell)
{
	return a && !strcmp(a, db_text(cell));
}

static int worse_of(const char *word)
{
	return !strcmp(word, "more") ? 1 : !strcmp(word, "less") ? -1 : 0;
}

static struct trend_series *series_of(struct reading *r, const struct db_value *cells)
{
	struct trend *t = r->t;
	struct trend_series *last = t->series.len ? &t->series.at[t->series.len - 1] : NULL;

	if (last && is(last->scenario, &cells[0]) && is(last->type, &cells[1]))
		return last;
	last = VEC_PUSH(&t->series);
	*last = (struct trend_series){.scenario = arena_strdup(&t->arena, db_text(&cells[0])),
		.type = arena_strdup(&t->arena, db_text(&cells[1]))};
	return last;
}

static struct trend_point *point_of(struct reading *r, struct trend_series *s, const char *label)
{
	struct trend_point *last = s->points.len ? &s->points.at[s->points.len - 1] : NULL;

	if (last && !strcmp(last->label, label))
		return last;
	last = VEC_PUSH(&s->points);
	*last = (struct trend_point){.label = arena_strdup(&r->t->arena, label)};
	return last;
}

/* scenario, type, label, machine, value, kind, worse, unit */
static int see_value(void *ctx, const struct db_value *cells)
{
	struct reading *r = ctx;
	struct trend_series *s = series_of(r, cells);
	struct trend_point *p = point_of(r, s, db_text(&cells[2]));

	if (!is(r->machine, &cells[3]))
		r->machine = arena_strdup(&r->t->arena, db_text(&cells[3]));
	if (!s->kind && cells[4].kind != DB_NULL) {
		s->kind = arena_strdup(&r->t->arena, db_text(&cells[5]));
		s->worse = worse_of(db_text(&cells[6]));
		s->unit = arena_strdup(&r->t->arena, db_text(&cells[7]));
	}
	*VEC_PUSH(&p->values) = (struct trend_value){db_real(&cells[4]), r->machine};
	return 0;
}

/* A call that a run did not make was made 0 times, as compare has it. */
static double never(const struct trend *t, const struct trend_series *s)
{
	int counts = !strcmp(s->kind, "count") || !strcmp(s->kind, "size");

	return strchr(t->metric, '.') && !*s->unit && counts ? 0 : NAN;
}

static void sum_up(struct trend_point *p, double missing)
{
	double *v = mem_calloc(p->values.len, sizeof(*v));
	size_t n = 0;

	p->min = p->max = NAN;
	for (size_t i = 0; i < p->values.len; i++) {
		double *at = &p->values.at[i].value;

		if (isnan(*at))
			*at = missing;
		if (isnan(*at))
			continue;
		v[n++] = *at;
		p->min = fmin(p->min, *at);
		p->max = fmax(p->max, *at);
	}
	p->median = stats_median(v, n);
	free(v);
}

static void series_release(struct trend_series *s)
{
	for (size_t i = 0; i < s->points.len; i++)
		free(s->points.at[i].values.at);
	free(s->points.at);
	free(s->changes.at);
}

/* Series in which nobody measured it are none. */
static void keep_measured(struct trend *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->series.len; i++) {
		struct trend_series *s = &t->series.at[i];

		if (!s->kind) {
			series_release(s);
			continue;
		}
		for (size_t k = 0; k < s->points.len; k++)
			sum_up(&s->points.at[k], never(t, s));
		trend_find(s);
		t->series.at[n++] = *s;
	}
	t->series.len = n;
}

int trend_read(struct history *h, const struct trend_ask *ask, struct trend *ret, struct err *err)
{
	struct reading r = {.t = ret};
	int rc;

	*ret = (struct trend){0};
	ret->metric = arena_strdup(&ret->arena, ask->metric);
	rc = db_run(h->db,
		&(struct db_query){
			.sql = "SELECT r.scenario, r.type, r.label, r.machine, f.value, f.kind, "
			       "f.worse, f.unit FROM iotrace_run r JOIN iotrace_version v ON "
			       "v.label = r.label LEFT JOIN iotrace_figure f ON f.run = r.run AND "
			       "f.name = $1 WHERE ($2 = '' OR r.scenario = $2) AND ($3 = '' OR "
			       "r.type = $3) ORDER BY r.scenario, r.type, v.added_ns, r.label",
			.params = (const struct db_value[]){DB_STR(ask->metric),
				DB_STR(ask->scenario ? ask->scenario : ""),
				DB_STR(ask->type ? ask->type : "")},
			.params_len = 3,
			.row = see_value,
			.ctx = &r,
		},
		err);
	if (rc < 0)
		return rc;
	keep_measured(ret);
	if (!ret->series.len)
		return err_set(err, -ENOENT, "%s: no run%s%s has the figure '%.100s'", h->db->shown,
			ask->scenario ? " of " : "", ask->scenario ? ask->scenario : "",
			ask->metric);
	return 0;
}

void trend_release(struct trend *t)
{
	for (size_t i = 0; i < t->series.len; i++)
		series_release(&t->series.at[i]);
	free(t->series.at);
	arena_release(&t->arena);
}

/* ---- where it changed ---- */

static int is_exact(const struct trend_point *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->values.len; i++)
		n += isnan(p->values.at[i].value) ? 0 : 1;
	return n >= JUDGE_RUNS_EXACT && p->min == p->max;
}

/* Its runs are enough to say so in each version, or no two of them all differ. */
static int runs_agree(const struct trend_series *s)
{
	double min = NAN, max = NAN;
	int exact = 1;

	for (size_t i = 0; i < s->points.len; i++) {
		const struct trend_point *p = &s->points.at[i];

		exact &= isnan(p->median) || is_exact(p);
		min = fmin(min, p->min);
		max = fmax(max, p->max);
	}
	return exact || min == max;
}

static void add_change(struct trend_series *s, enum trend_why why, size_t at, const double v[2])
{
	for (size_t i = 0; i < s->changes.len; i++)
		if (s->changes.at[i].at == at)
			return;
	*VEC_PUSH(&s->changes) = (struct trend_change){why, at, v[0], v[1], ""};
}

/* The point before it that was measured; len: none. */
static size_t measured_before(const struct trend_series *s, size_t at)
{
	while (at-- > 0)
		if (!isnan(s->points.at[at].median))
			return at;
	return s->points.len;
}

static void find_exact(struct trend_series *s)
{
	for (size_t i = 1; i < s->points.len; i++) {
		size_t was = measured_before(s, i);
		const struct trend_point *p = &s->points.at[i];

		if (was < s->points.len && is_exact(p) && is_exact(&s->points.at[was]) &&
			p->median != s->points.at[was].median)
			add_change(
				s, TREND_EXACT, i, (double[]){s->points.at[was].median, p->median});
	}
}

static int has_machine(const struct trend_point *p, const char *machine)
{
	for (size_t i = 0; i < p->values.len; i++)
		if (!isnan(p->values.at[i].value) && !strcmp(p->values.at[i].machine, machine))
			return 1;
	return 0;
}

/* A machine in common. */
static int share_machine(const struct trend_point *a, const struct trend_point *b)
{
	for (size_t i = 0; i < a->values.len; i++)
		if (!isnan(a->values.at[i].value) && has_machine(b, a->values.at[i].machine))
			return 1;
	return 0;
}

/* The median of a version's runs on a machine; NAN: too few. */
static double median_on(const struct trend_point *p, const char *machine)
{
	double *v = mem_calloc(p->values.len + 1, sizeof(*v)), median;
	size_t n = 0;

	for (size_t i = 0; i < p->values.len; i++)
		if (isfinite(p->values.at[i].value) && !strcmp(p->values.at[i].machine, machine))
			v[n++] = p->values.at[i].value;
	median = n < TREND_RUNS_LEAST ? NAN : stats_median(v, n);
	free(v);
	return median;
}

/* The newest POINTS_MAX. */
static void find_on(struct trend_series *s, const char *machine)
{
	double *v = mem_calloc(s->points.len + 1, sizeof(*v));
	size_t *place = mem_calloc(s->points.len + 1, sizeof(*place)), n = 0, from;
	struct points_change *found = mem_calloc(s->points.len + 1, sizeof(*found));

	for (size_t i = 0; i < s->points.len; i++) {
		v[n] = median_on(&s->points.at[i], machine);
		place[n] = i;
		n += isnan(v[n]) ? 0 : 1;
	}
	s->judged = n > s->judged ? n : s->judged;
	from = n > POINTS_MAX ? n - POINTS_MAX : 0;
	s->unlooked += from;
	n = points_find(v + from, n - from, found);
	for (size_t i = 0; i < n; i++)
		add_change(s, TREND_NOISY, place[from + found[i].at],
			(double[]){found[i].before, found[i].after});
	free(v);
	free(place);
	free(found);
}

struct machines {
	const char **at;
	size_t len, cap;
};

static void machines_of(const struct trend_series *s, struct machines *m)
{
	for (size_t i = 0; i < s->points.len; i++)
		for (size_t k = 0; k < s->points.at[i].values.len; k++) {
			const char *name = s->points.at[i].values.at[k].machine;
			size_t at = m->len;

			/* The last that was met is the likeliest. */
			while (at > 0 && strcmp(m->at[at - 1], name) != 0)
				at--;
			if (!at)
				*VEC_PUSH(m) = name;
		}
}

static void find_noisy(struct trend_series *s)
{
	struct machines m = {0};

	s->judged = 0;
	machines_of(s, &m);
	for (size_t i = 0; i < m.len; i++)
		find_on(s, m.at[i]);
	for (size_t i = 0; i < s->points.len; i++)
		s->few += s->points.at[i].values.len < TREND_RUNS_LEAST;
	free(m.at);
}

static void find_machines(struct trend_series *s)
{
	for (size_t i = 1; i < s->points.len; i++) {
		size_t was = measured_before(s, i);
		double before = was < s->points.len ? s->points.at[was].median : NAN;
		double after = s->points.at[i].median;

		if (was < s->points.len && fabs(after - before) >= POINTS_EFFECT * fabs(before) &&
			after != before && !share_machine(&s->points.at[was], &s->points.at[i]))
			add_change(s, TREND_MACHINE, i, (double[]){before, after});
	}
}

static int by_place(const void *a, const void *b)
{
	const struct trend_change *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

void trend_find(struct trend_series *s)
{
	int is_time = !strcmp(s->kind, "time");

	s->judged = SIZE_MAX;
	if (!is_time)
		find_exact(s);
	if (is_time || !runs_agree(s)) {
		find_noisy(s);
		find_machines(s);
	}
	if (s->changes.len)
		qsort(s->changes.at, s->changes.len, sizeof(*s->changes.at), by_place);
}

int trend_direction(const struct trend_series *s, const struct trend_change *c)
{
	return c->why >= TREND_MACHINE ? 0 : c->after > c->before ? s->worse : -s->worse;
}
