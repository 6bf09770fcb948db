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

static struct stats_pair pair_of(const struct judge_row *r)
{
	return (struct stats_pair){r->base, r->base_runs, r->new, r->new_runs};
}

/*
 * A machine that has changed between the sides shows as a difference, and no test can know: so one
 * within twice what the base scatters by is not believed. In turns it is the same machine for both.
 */
static int effect_counts(const struct judge *j, const struct judge_row *r)
{
	const struct stats_pair pair = pair_of(r);

	return stats_effect_counts(&pair, j->in_turns ? 0 : STATS_EFFECT_DEVIATIONS);
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

__attribute__((format(printf, 4, 5))) static void verdict(
	const struct judge *j, struct judge_row *r, const char *word, const char *fmt, ...)
{
	va_list ap;

	r->out->verdict = word;
	va_start(ap, fmt);
	const char *text = arena_vprintf(result_arena(j->doc), fmt, ap);
	va_end(ap);
	if (*text)
		r->out->why = text;
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
	if (n < r->new_runs && limit_met(&r->limit, r->out->new_median)) {
		verdict(j, r, VERDICT_CANNOT_TELL, "limit %s, measured in %zu of %zu runs",
			r->limit_text, n, r->new_runs);
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

/* ---- what is tested ---- */

/* How much of the first family's and the second's p is left to 5% in all, where there are both:
 * what is tested first (per unit of work, per call, limits) has most of it. */
static const double family_share[] = {0, 0.8, 0.2};

/* By what factor the figure would be worse enough to matter; NAN: a base of 0 has none. */
static double bad_factor(const struct judge_row *r)
{
	double base = fabs(r->out->base_median);
	double allowed =
		r->limit_text ? limit_tolerance(&r->limit, base) : STATS_EFFECT_LEAST * base;

	if (!(base > 0))
		return NAN;
	if (r->metric->worse == WORSE_UP)
		return 1 + allowed / base;
	return allowed < base ? base / (base - allowed) : INFINITY;
}

/* The interval of the factor by which it is worse. */
static struct stats_interval worse_interval(const struct judge_row *r)
{
	const struct res_compare_metric *o = r->out;
	double ratio = o->new_median / o->base_median;

	if (r->metric->worse == WORSE_UP)
		return (struct stats_interval){ratio, o->ratio_low, o->ratio_high};
	return (struct stats_interval){1 / ratio, 1 / o->ratio_high, 1 / o->ratio_low};
}

/* No new run is worse than any of the base by more than its limit allows, which may be of 0. */
static int is_within_limit(const struct judge_row *r)
{
	const struct res_compare_metric *o = r->out;
	double most =
		r->metric->worse == WORSE_UP ? o->new_max - o->base_min : o->base_max - o->new_min;

	return r->limit_text && most <= limit_tolerance(&r->limit, o->base_median);
}

/* "ok" is said only where the interval leaves out what would be bad. */
static void judge_open(const struct judge *j, struct judge_row *r, const char *of_ok)
{
	size_t n = measured(r->base, r->base_runs), m = measured(r->new, r->new_runs), needs;
	struct stats_interval i = worse_interval(r);
	double bad = bad_factor(r);

	if (i.high <= bad || is_within_limit(r)) {
		verdict(j, r, VERDICT_OK, "%s", of_ok);
		return;
	}
	if (isnan(bad) || isnan(i.high)) {
		verdict(j, r, VERDICT_CANNOT_TELL, "no ratio to 0");
		return;
	}
	needs = stats_runs_to_settle(&i, bad, n < m ? n : m);
	if (needs > STATS_RUNS_MAX)
		verdict(j, r, VERDICT_CANNOT_TELL, "needs more than %d runs", STATS_RUNS_MAX);
	else
		verdict(j, r, VERDICT_CANNOT_TELL, "needs %zu runs", needs);
}

/*
 * Every new run is worse than all of the base, which agree among themselves, or by twice what the
 * runs of either side differ by. Of a figure compared with itself that is 1 in 800 where it
 * scatters evenly, and never more than 1 in 60. Not of times, which another hour of the same
 * machine can move.
 */
static int stands_apart(const struct judge *j, const struct judge_row *r)
{
	const struct res_compare_metric *o = r->out;
	double range = fmax(o->base_max - o->base_min, o->new_max - o->new_min);
	double gap =
		r->metric->worse == WORSE_UP ? o->new_min - o->base_max : o->base_min - o->new_max;

	int exact = r->base_runs >= JUDGE_RUNS_EXACT && o->base_min == o->base_max;

	return !r->limit_text && r->metric->kind != METRIC_TIME && gap > 0 &&
	       (exact || gap >= 2 * range) && effect_counts(j, r);
}

static void judge_tested(const struct judge *j, struct judge_row *r, size_t needs)
{
	size_t n = measured(r->base, r->base_runs), m = measured(r->new, r->new_runs);
	double worse = worse_by(r);
	double allowed = r->limit_text ? limit_tolerance(&r->limit, r->out->base_median) : 0;
	int counts = r->limit_text || effect_counts(j, r);

	if (n < needs || m < needs)
		verdict(j, r, stands_apart(j, r) ? VERDICT_LOOKS_WORSE : VERDICT_CANNOT_TELL,
			"needs %zu runs", needs);
	else if (!(r->out->p_holm < JUDGE_ALPHA) || !counts)
		judge_open(j, r,
			r->out->p_holm < JUDGE_ALPHA ? "too small a difference to matter" : "");
	else if (worse > allowed)
		verdict(j, r, VERDICT_REGRESSION, "%s%s", r->limit_text ? "allowed " : "",
			r->limit_text ? r->limit_text : "");
	else if (worse < 0)
		verdict(j, r, VERDICT_BETTER, "%s", "");
	else
		judge_open(j, r, "");
}

static void judge_described(const struct judge *j, struct judge_row *r)
{
	double base = r->out->base_median, new = r->out->new_median;
	int moved = isnan(base) != isnan(new) || (!isnan(base) && new != base);
	int varies = r->metric->kind == METRIC_TIME || r->metric->kind == METRIC_BATCH ||
		     r->metric->kind == METRIC_BATCHES || r->metric->kind == METRIC_WORK;

	/* Of what always varies only what is beyond the usual spread is worth a line. */
	if (varies && r->base && r->new)
		moved = effect_counts(j, r) ||
			(moved && r->base_runs < JUDGE_RUNS_EXACT &&
				fabs(new - base) > STATS_EFFECT_LEAST * fabs(base));
	if (r->limit_text && isnan(new))
		verdict(j, r, VERDICT_CANNOT_TELL, "not measured in the new runs");
	else if (r->limit_text && isnan(base))
		verdict(j, r, VERDICT_CANNOT_TELL, "not measured in the base's runs");
	else if (r->limit_text)
		verdict(j, r, VERDICT_CANNOT_TELL, "not measured in every run");
	else
		verdict(j, r, moved ? VERDICT_MOVED : VERDICT_SAME, "%s", "");
}

/* ---- which way ---- */

/* Of a CPU profile; what is traced has no reason in rules->samples. */
static int is_of_samples(const struct judge_row *r)
{
	return !strncmp(r->metric->name, "cpu_", 4) || !strcmp(r->metric->name, "samples");
}

static const char *forbidden(const struct judge *j, const struct judge_row *r)
{
	if (j->rules->samples && is_of_samples(r) && !(r->limit_text && is_absolute(r)))
		return j->rules->samples;
	switch (r->metric->kind) {
	case METRIC_TIME:
		return j->rules->times;
	case METRIC_BATCH:
	case METRIC_BATCHES:
		return j->rules->batches ? j->rules->batches : j->rules->counts;
	default:
		return j->rules->counts;
	}
}

/* The raw count of a figure per unit of work; NULL: none. */
static const struct judge_row *raw_of(const struct judge *j, const struct judge_row *r)
{
	static const char suffix[] = "per_work";
	size_t len = strlen(r->metric->name), stem = len - strlen(suffix);
	const char *name = r->metric->name, *rest = "calls";

	/* sendmmsg.per_work -> sendmmsg.calls, write.bytes_per_work -> write.bytes */
	if (stem && name[stem - 1] == '_') {
		stem--;
		rest = "";
	}
	for (size_t i = 0; i < j->len; i++) {
		const char *other = j->rows[i].metric->name;

		if (strncmp(other, name, stem) == 0 && strcmp(other + stem, rest) == 0)
			return &j->rows[i];
	}
	return NULL;
}

/* A count that grows with the work says nothing of runs that did not do the same; what it is per
 * unit of work says nothing of one that does not grow. */
static int follows_work(const struct judge *j, const struct judge_row *r)
{
	enum metric_kind kind = r->metric->kind;

	if (kind != METRIC_COUNT && kind != METRIC_BATCHES)
		return 0;
	return j->work == WORK_SIDES || (j->work == WORK_VARIES && !r->exact);
}

static int grows_not(const struct judge *j, const struct judge_row *r)
{
	const struct judge_row *raw;

	if (r->metric->kind != METRIC_WORK || j->work != WORK_VARIES)
		return 0;
	raw = raw_of(j, r);
	return raw && raw->exact;
}

/* All runs of both sides lie so close that no difference of theirs could matter. */
#define FAMILY_NARROW (-1)

/* 1 if the figure is the whole's, of which there is one for each way to be worse. CPU time follows
 * the work: where that differs, it is looked at by its unit. So is wall time, too: a load of ten
 * seconds takes ten from any server, and one that is done sooner may have asked for less. */
static int is_whole(const struct judge *j, const char *name)
{
	int varies = j->work == WORK_SIDES || j->work == WORK_VARIES;

	return !strcmp(name, "wall_time") || (varies && !strcmp(name, "throughput")) ||
	       !strcmp(name, varies ? "cpu_per_work" : "cpu_time") || !strcmp(name, "latency");
}

static int family_of(const struct judge *j, const struct judge_row *r)
{
	const struct stats_pair pair = pair_of(r);

	if (r->limit_text)
		return !is_absolute(r);
	if (is_whole(j, r->metric->name))
		return 1;
	if (r->base_runs < JUDGE_RUNS_EXACT || r->new_runs < JUDGE_RUNS_EXACT)
		return 0;
	if (r->metric->kind == METRIC_TIME || r->metric->worse == WORSE_NEITHER ||
		follows_work(j, r) || grows_not(j, r))
		return 0;
	if (stats_never_counts(&pair))
		return FAMILY_NARROW;
	/* First of all the whole, then per call; else the same change is tested by each call. */
	if (!strcmp(r->metric->name, "calls") || !strcmp(r->metric->name, "calls_per_work"))
		return 1;
	return r->metric->kind == METRIC_BATCH ? 1 : 2;
}

/* Evenly from all of them, but not each k-th, which may be those of one host of k. */
static const double *tested_runs(const struct judge *j, const double *v, size_t n)
{
	double *some;

	if (!v || n <= STATS_RUNS_MAX)
		return v;
	some = arena_alloc(result_arena(j->doc), STATS_RUNS_MAX, sizeof(*some));
	for (size_t i = 0; i < STATS_RUNS_MAX; i++) {
		size_t from = i * n / STATS_RUNS_MAX, wide = (i + 1) * n / STATS_RUNS_MAX - from;

		some[i] = v[from + i * 7919 / 97 % wide];
	}
	return some;
}

static struct stats_pair tested_pair(const struct judge *j, const struct judge_row *r)
{
	const size_t most = STATS_RUNS_MAX;

	return (struct stats_pair){tested_runs(j, r->base, r->base_runs),
		r->base_runs < most ? r->base_runs : most, tested_runs(j, r->new, r->new_runs),
		r->new_runs < most ? r->new_runs : most};
}

static void choose_exact(const struct judge *j, struct judge_row *r)
{
	size_t n = measured(r->base, r->base_runs), m = measured(r->new, r->new_runs);

	fill_figures(r);
	r->tested = tested_pair(j, r);
	r->exact = r->metric->kind != METRIC_TIME && n >= JUDGE_RUNS_EXACT &&
		   m >= JUDGE_RUNS_EXACT && agree(r->base, r->base_runs) &&
		   agree(r->new, r->new_runs);
}

static void choose_way(const struct judge *j, struct judge_row *r)
{
	size_t n = measured(r->base, r->base_runs), m = measured(r->new, r->new_runs);

	/* Only limits are held against them all the same. */
	if (r->exact && !r->limit_text && (follows_work(j, r) || grows_not(j, r)))
		r->exact = 0;
	else if (!r->exact && n == r->base_runs && m == r->new_runs && n && m && !forbidden(j, r))
		r->family = family_of(j, r);
	r->out->kind = r->exact ? "exact" : r->family ? "noisy" : "described";
}

/* ---- the families of tests ---- */

struct family {
	const struct judge_row **tests; /* the first of those that say the same by their order */
	double *p, *holm;
	size_t len;
	size_t needs; /* runs a side */
};

/* The test of that row in f; f->len: there is none yet. */
static size_t same_test(const struct family *f, const struct judge_row *r)
{
	size_t i = 0;

	while (i < f->len && !stats_same_order(&r->tested, &f->tests[i]->tested))
		i++;
	return i;
}

static void add_test(struct family *f, struct judge_row *r)
{
	const struct stats_pair *t = &r->tested;
	size_t at = same_test(f, r);

	stats_ratio_interval(t, LEVEL, &r->out->ratio_low, &r->out->ratio_high);
	if (at < f->len) {
		r->out->p = f->p[at];
		return;
	}
	r->out->p = stats_mann_whitney(t->base, t->base_len, t->new, t->new_len);
	f->tests[at] = r;
	f->p[at] = r->out->p;
	f->len++;
}

/* What the first family tests is not tested again by the second. */
static void move_to_first(const struct judge *j, const struct family *first)
{
	for (size_t i = 0; i < j->len; i++)
		if (j->rows[i].family == 2 && same_test(first, &j->rows[i]) < first->len)
			j->rows[i].family = 1;
}

static void fill_family(const struct judge *j, int number, struct family *f)
{
	*f = (struct family){mem_calloc(j->len + 1, sizeof(*f->tests)),
		mem_calloc(j->len + 1, sizeof(double)), mem_calloc(j->len + 1, sizeof(double)), 0,
		0};
	for (size_t i = 0; i < j->len; i++)
		if (j->rows[i].family == number)
			add_test(f, &j->rows[i]);
}

/* NAN stays NAN. */
static double at_most_one(double p)
{
	return p > 1 ? 1 : p;
}

/* p after Holm, in shares of the 5% of both families. */
static void adjust(const struct judge *j, int number, struct family *f, double share)
{
	stats_holm(f->p, f->holm, f->len);
	f->needs = stats_runs_needed(JUDGE_ALPHA * share, f->len);
	for (size_t i = 0; i < j->len; i++) {
		struct judge_row *r = &j->rows[i];

		if (r->family == number)
			r->out->p_holm = at_most_one(f->holm[same_test(f, r)] / share);
	}
}

static void family_release(struct family *f)
{
	free(f->tests);
	free(f->p);
	free(f->holm);
}

/* ret_needs: by family, how many runs a test in it needs at least. */
static void test_families(const struct judge *j, size_t ret_needs[3])
{
	struct family first, second;

	fill_family(j, 1, &first);
	move_to_first(j, &first);
	fill_family(j, 2, &second);
	family_release(&first);
	fill_family(j, 1, &first); /* with those that were moved */
	adjust(j, 1, &first, second.len ? family_share[1] : 1);
	adjust(j, 2, &second, first.len ? family_share[2] : 1);
	ret_needs[1] = first.needs;
	ret_needs[2] = second.needs;
	family_release(&first);
	family_release(&second);
}

static void judge_narrow(const struct judge *j, struct judge_row *r)
{
	stats_ratio_interval(&r->tested, LEVEL, &r->out->ratio_low, &r->out->ratio_high);
	verdict(j, r, VERDICT_OK, "all runs within %.0f%%", 100 * STATS_EFFECT_LEAST);
}

/* "+2%" of worse, where nothing is worse. */
static int has_no_worse(const struct judge_row *r)
{
	return r->limit_text && !is_absolute(r) && r->metric->worse == WORSE_NEITHER &&
	       measured(r->base, r->base_runs) && measured(r->new, r->new_runs);
}

static void judge_row(const struct judge *j, struct judge_row *r, const size_t needs[3])
{
	const char *why_not = forbidden(j, r);

	if (why_not)
		verdict(j, r, VERDICT_NOT_COMPARED, "%s", why_not);
	else if (has_no_worse(r))
		verdict(j, r, VERDICT_CANNOT_TELL, "neither more nor less of it is worse");
	else if (is_absolute(r))
		judge_absolute(j, r);
	else if (r->exact)
		judge_exact(j, r);
	else if (r->family == FAMILY_NARROW)
		judge_narrow(j, r);
	else if (r->family)
		judge_tested(j, r, needs[r->family]);
	else
		judge_described(j, r);
}

void judge_all(const struct judge *j)
{
	size_t needs[3] = {0};

	for (size_t i = 0; i < j->len; i++)
		choose_exact(j, &j->rows[i]);
	/* Those per unit of work look at whether the raw counts are exact. */
	for (int work = 1; work >= 0; work--)
		for (size_t i = 0; i < j->len; i++)
			if ((j->rows[i].metric->kind == METRIC_WORK) == work)
				choose_way(j, &j->rows[i]);
	test_families(j, needs);
	for (size_t i = 0; i < j->len; i++)
		judge_row(j, &j->rows[i], needs);
}
