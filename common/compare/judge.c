/* SPDX-License-Identifier: GPL-3.0-only */
/* The rules of docs/COMPARE.md: figures of two sides -> a verdict. Pure. */
#include "common/compare/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/compare/stats.h"

#define LEVEL 0.95

/* ---- figures ---- */

static size_t measured(const double *v, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; v && i < n; i++)
		len += (size_t)!isnan(v[i]);
	return len;
}

/* NAN agrees with nothing, not with itself. */
static int agree(const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] != v[0])
			return 0;
	return 1;
}

/* Median, least and largest of those that were measured. */
static void describe(const double *v, size_t n, double ret[3])
{
	ret[0] = v ? stats_median(v, n) : NAN;
	ret[1] = ret[2] = NAN;
	for (size_t i = 0; v && i < n; i++) {
		ret[1] = fmin(ret[1], v[i]); /* of a number and NAN the number */
		ret[2] = fmax(ret[2], v[i]);
	}
}

static void fill_figures(struct judge_row *r)
{
	struct res_compare_metric *o = r->out;
	double base[3], new[3];

	describe(r->base, r->base_runs, base);
	describe(r->new, r->new_runs, new);
	o->base_median = base[0];
	o->base_min = base[1];
	o->base_max = base[2];
	o->new_median = new[0];
	o->new_min = new[1];
	o->new_max = new[2];
	o->change = base[0] != 0 ? new[0] / base[0] - 1 : NAN;
}

/* How much worse the new median is; negative: better; 0 where neither direction is. */
static double worse_by(const struct judge_row *r)
{
	double d = r->out->new_median - r->out->base_median;

	switch (r->metric->worse) {
	case WORSE_UP:
		return d;
	case WORSE_DOWN:
		return -d;
	default:
		return 0;
	}
}

/* ---- verdicts ---- */

static void verdict(const struct judge *j, struct judge_row *r, const char *word, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));
static void verdict(
	const struct judge *j, struct judge_row *r, const char *word, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	r->out->verdict = word;
	if (!*fmt)
		return;
	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	if (*text)
		r->out->why = arena_strdup(result_arena(j->doc), text);
	free(text);
}

static int is_absolute(const struct judge_row *r)
{
	return r->limit_text && r->limit.op != LIMIT_WORSE;
}

static void judge_absolute(const struct judge *j, struct judge_row *r)
{
	size_t met = 0, n = measured(r->new, r->new_runs);

	for (size_t i = 0; i < r->new_runs && r->new; i++)
		met += (size_t)limit_met(&r->limit, r->new[i]);
	if (!n) {
		verdict(j, r, VERDICT_CANNOT_TELL, "not measured in the new runs");
		return;
	}
	verdict(j, r, limit_met(&r->limit, r->out->new_median) ? VERDICT_OK : VERDICT_REGRESSION,
		"limit %s", r->limit_text);
	if (met && met < n)
		verdict(j, r, r->out->verdict, "limit %s, met by %zu of %zu runs", r->limit_text,
			met, n);
}

static void judge_exact(const struct judge *j, struct judge_row *r)
{
	double worse = worse_by(r);
	double allowed = r->limit_text ? limit_tolerance(&r->limit, r->out->base_median) : 0;

	if (r->out->new_median == r->out->base_median)
		verdict(j, r, r->limit_text ? VERDICT_OK : VERDICT_SAME, "exact");
	else if (worse > allowed)
		verdict(j, r, VERDICT_REGRESSION, "exact%s%s", r->limit_text ? ", allowed " : "",
			r->limit_text ? r->limit_text : "");
	else if (worse > 0)
		verdict(j, r, VERDICT_OK, "exact, allowed %s", r->limit_text);
	else if (worse < 0)
		verdict(j, r, VERDICT_BETTER, "exact");
	else
		verdict(j, r, VERDICT_MOVED, "exact");
}

static void judge_tested(const struct judge *j, struct judge_row *r, size_t tests)
{
	size_t n = measured(r->base, r->base_runs), m = measured(r->new, r->new_runs);
	size_t needs = stats_runs_needed(JUDGE_ALPHA, tests);
	double worse = worse_by(r);
	double allowed = r->limit_text ? limit_tolerance(&r->limit, r->out->base_median) : 0;
	int counts = stats_effect_counts(r->base, n, r->new, m);

	if (n < needs || m < needs) {
		verdict(j, r, VERDICT_CANNOT_TELL, "needs %zu runs", needs);
		return;
	}
	if (isnan(r->out->p_holm)) {
		verdict(j, r, VERDICT_CANNOT_TELL, "more than %d runs", STATS_RUNS_MAX);
		return;
	}
	if (!(r->out->p_holm < JUDGE_ALPHA) || !counts)
		verdict(j, r, VERDICT_OK, "%s",
			r->out->p_holm < JUDGE_ALPHA ? "too small a difference to matter" : "");
	else if (worse > allowed)
		verdict(j, r, VERDICT_REGRESSION, "%s%s", r->limit_text ? "allowed " : "",
			r->limit_text ? r->limit_text : "");
	else
		verdict(j, r, worse < 0 ? VERDICT_BETTER : VERDICT_OK, "%s", "");
}

static void judge_described(const struct judge *j, struct judge_row *r)
{
	double base = r->out->base_median, new = r->out->new_median;
	int moved = isnan(base) != isnan(new) || (!isnan(base) && new != base);

	/* Of times and batches only what is beyond the usual spread is worth a line. */
	if (r->metric->kind != METRIC_COUNT && r->base && r->new)
		moved = stats_effect_counts(r->base, r->base_runs, r->new, r->new_runs) ||
			(moved && r->base_runs < COMPARE_RUNS_EXACT &&
				fabs(new - base) > STATS_EFFECT_LEAST * fabs(base));
	if (r->limit_text)
		verdict(j, r, VERDICT_CANNOT_TELL, "needs %d runs", COMPARE_RUNS_EXACT);
	else
		verdict(j, r, moved ? VERDICT_MOVED : VERDICT_SAME, "%s", "");
}

/* ---- which way ---- */

static const char *forbidden(const struct judge *j, const struct judge_row *r)
{
	switch (r->metric->kind) {
	case METRIC_TIME:
		return j->rules->times;
	case METRIC_BATCH:
		return j->rules->batches ? j->rules->batches : j->rules->counts;
	default:
		return j->rules->counts;
	}
}

static int is_family(const struct judge_row *r)
{
	return (r->limit_text && !is_absolute(r)) || strcmp(r->metric->name, "wall_time") == 0;
}

static void choose_way(const struct judge *j, struct judge_row *r)
{
	size_t n = measured(r->base, r->base_runs), m = measured(r->new, r->new_runs);

	fill_figures(r);
	r->exact = r->metric->kind != METRIC_TIME && n >= COMPARE_RUNS_EXACT &&
		   m >= COMPARE_RUNS_EXACT && agree(r->base, r->base_runs) &&
		   agree(r->new, r->new_runs);
	r->tested = !r->exact && is_family(r) && n == r->base_runs && m == r->new_runs && n && m &&
		    !forbidden(j, r);
	r->out->kind = r->exact ? "exact" : r->tested ? "noisy" : "described";
}

/* p values of the family, and Holm over them. Returns how many tests these are. */
static size_t test_family(const struct judge *j)
{
	double *p = mem_calloc(j->len + 1, sizeof(*p)),
	       *holm = mem_calloc(j->len + 1, sizeof(*holm));
	size_t tests = 0;

	for (size_t i = 0; i < j->len; i++) {
		struct judge_row *r = &j->rows[i];

		if (!r->tested)
			continue;
		r->out->p = stats_mann_whitney(r->base, r->base_runs, r->new, r->new_runs);
		stats_ratio_interval(
			&(struct stats_pair){r->base, r->base_runs, r->new, r->new_runs}, LEVEL,
			&r->out->ratio_low, &r->out->ratio_high);
		p[tests++] = r->out->p;
	}
	stats_holm(p, holm, tests);
	for (size_t i = 0, k = 0; i < j->len; i++)
		if (j->rows[i].tested)
			j->rows[i].out->p_holm = holm[k++];
	free(p);
	free(holm);
	return tests;
}

void judge_all(const struct judge *j)
{
	size_t tests;

	for (size_t i = 0; i < j->len; i++)
		choose_way(j, &j->rows[i]);
	tests = test_family(j);
	for (size_t i = 0; i < j->len; i++) {
		struct judge_row *r = &j->rows[i];
		const char *why_not = forbidden(j, r);

		if (why_not)
			verdict(j, r, VERDICT_NOT_COMPARED, "%s", why_not);
		else if (is_absolute(r))
			judge_absolute(j, r);
		else if (r->exact)
			judge_exact(j, r);
		else if (r->tested)
			judge_tested(j, r, tests);
		else
			judge_described(j, r);
	}
}
