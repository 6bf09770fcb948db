/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/compare/stats.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/mem.h"

/* 1 / the upper quartile of the standard normal distribution. */
#define MAD_TO_SIGMA 1.4826
/* 1 - 0.9 is a little less than 0.1: a limit that is met exactly must not fail by rounding. */
#define SLACK 1e-9

/* ---- sorted copies ---- */

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* What was measured of v, ascending; heap, the caller's. NAN has no order, so it must go first. */
static double *sorted(const double *v, size_t len, size_t *ret_len)
{
	double *kept = mem_calloc(len + 1, sizeof(*kept));
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (!isnan(v[i]))
			kept[n++] = v[i];
	qsort(kept, n, sizeof(*kept), by_value);
	*ret_len = n;
	return kept;
}

/* Of sorted values. */
static double middle(const double *at, size_t len)
{
	double low, high;

	if (!len)
		return NAN;
	low = at[(len - 1) / 2];
	high = at[len / 2];
	/* Halved first: the sum of two may be infinite. */
	return low == high ? low : low / 2 + high / 2;
}

double stats_median(const double *v, size_t len)
{
	size_t n;
	double *at = sorted(v, len, &n), median = middle(at, n);

	free(at);
	return median;
}

/* ---- spread and effect ---- */

double stats_deviation(const double *v, size_t len)
{
	size_t n;
	double *at = sorted(v, len, &n), median = middle(at, n), deviation = NAN;

	if (n >= 2 && isfinite(median)) {
		for (size_t i = 0; i < n; i++)
			at[i] = fabs(at[i] - median);
		deviation = MAD_TO_SIGMA * stats_median(at, n);
	}
	free(at);
	return deviation;
}

int stats_effect_counts(const struct stats_pair *pair, double deviations)
{
	double median = stats_median(pair->base, pair->base_len);
	double deviation = stats_deviation(pair->base, pair->base_len);
	double effect = fabs(stats_median(pair->new, pair->new_len) - median);

	if (!isfinite(effect) || !isfinite(median) || !isfinite(deviation) || effect == 0)
		return 0;
	effect *= 1 + SLACK;
	return effect >= STATS_EFFECT_LEAST * fabs(median) && effect >= deviations * deviation;
}

/* ---- the distribution of the rank sum ---- */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * In how many ways `take` of the ascending ranks add up to each sum: the returned array (heap, the
 * caller's) has ret_len counts, by sum. Ranks are doubled, so that mean ranks of ties are whole.
 * Counts are doubles: C(200, 100) is 9e58. They are sums of positive numbers only, so the relative
 * error stays below 2 x STATS_RUNS_MAX roundings.
 */
static double *rank_sums(const size_t *rank2, size_t len, size_t take, size_t *ret_len)
{
	assert(len > 0);
	size_t width = take * rank2[len - 1] + 1;
	double *ways = mem_calloc((take + 1) * width, sizeof(*ways));

	ways[0] = 1;
	for (size_t i = 0; i < len; i++) {
		/* Downwards, so that each rank is taken once. */
		for (size_t k = smaller(i + 1, take); k > 0; k--) {
			const double *from = ways + (k - 1) * width;
			double *to = ways + k * width + rank2[i];

			for (size_t s = 0; s <= (k - 1) * rank2[i]; s++)
				to[s] += from[s];
		}
	}
	for (size_t s = 0; s < width; s++)
		ways[s] = ways[take * width + s];
	*ret_len = width;
	return ways;
}

struct pooled {
	double value;
	int new;
};

static int by_pooled_value(const void *a, const void *b)
{
	return by_value(&((const struct pooled *)a)->value, &((const struct pooled *)b)->value);
}

/* Twice the mean rank of each of the ascending values: first and last place of its equals. */
static void rank_doubled(const struct pooled *at, size_t len, size_t *ret_rank2)
{
	for (size_t i = 0, end; i < len; i = end) {
		for (end = i + 1; end < len && at[end].value == at[i].value;)
			end++;
		for (size_t k = i; k < end; k++)
			ret_rank2[k] = i + 1 + end;
	}
}

/* p value of the side `new` or base, the one with `take` values, among the pooled. */
static double rank_sum_p(const struct pooled *at, size_t len, size_t take, int new)
{
	size_t *rank2 = mem_calloc(len, sizeof(*rank2)), width, sum = 0, mean = take * (len + 1);
	double *ways, far = 0, all = 0;

	rank_doubled(at, len, rank2);
	for (size_t i = 0; i < len; i++)
		if (at[i].new == new)
			sum += rank2[i];
	ways = rank_sums(rank2, len, take, &width);
	for (size_t s = 0; s < width; s++) {
		all += ways[s];
		if ((s > mean ? s - mean : mean - s) >= (sum > mean ? sum - mean : mean - sum))
			far += ways[s];
	}
	free(rank2);
	free(ways);
	return fmin(far / all, 1);
}

double stats_mann_whitney(const double *base, size_t base_len, const double *new, size_t new_len)
{
	size_t n, m;
	double *x = sorted(base, base_len, &n), *y = sorted(new, new_len, &m), p = NAN;
	struct pooled *at = mem_calloc(n + m + 1, sizeof(*at));

	for (size_t i = 0; i < n; i++)
		at[i] = (struct pooled){x[i], 0};
	for (size_t i = 0; i < m; i++)
		at[n + i] = (struct pooled){y[i], 1};
	qsort(at, n + m, sizeof(*at), by_pooled_value);
	/* The two rank sums have one total: that of fewer values says the same and is cheaper. */
	if (n && m && n <= STATS_RUNS_MAX && m <= STATS_RUNS_MAX)
		p = rank_sum_p(at, n + m, smaller(n, m), m < n);
	free(x);
	free(y);
	free(at);
	return p;
}

/* Value i of the pooled ones. */
static double pooled_value(const struct stats_pair *p, size_t i)
{
	return i < p->base_len ? p->base[i] : p->new[i - p->base_len];
}

static int sign(double a, double b)
{
	return (a > b) - (a < b);
}

int stats_same_order(const struct stats_pair *a, const struct stats_pair *b)
{
	size_t len = a->base_len + a->new_len;
	int same = 1, opposite = 1;

	if (a->base_len != b->base_len || a->new_len != b->new_len)
		return 0;
	for (size_t i = 0; i < len && (same || opposite); i++) {
		if (isnan(pooled_value(a, i)) || isnan(pooled_value(b, i)))
			return 0;
		for (size_t k = 0; k < i; k++) {
			int x = sign(pooled_value(a, i), pooled_value(a, k));
			int y = sign(pooled_value(b, i), pooled_value(b, k));

			same &= x == y;
			opposite &= x == -y;
		}
	}
	return same || opposite;
}

/* ---- interval of the ratio ---- */

/*
 * The largest c with 2 P(U < c) <= alpha for U without ties: the c-th of the ratios from below and
 * from above bound the interval. 0: too few values.
 */
static size_t critical(size_t n, size_t m, double alpha)
{
	size_t rank2[2 * STATS_RUNS_MAX], width, c = 0, take = smaller(n, m);
	double *ways, all = 0, below = 0;

	for (size_t i = 0; i < n + m; i++)
		rank2[i] = 2 * (i + 1);
	ways = rank_sums(rank2, n + m, take, &width);
	for (size_t s = 0; s < width; s++)
		all += ways[s];
	/* U counts from the least rank sum, in steps of one rank, doubled. */
	for (size_t s = take * (take + 1); s < width; s += 2) {
		below += ways[s];
		if (2 * below / all > alpha * (1 + SLACK))
			break;
		c++;
	}
	free(ways);
	return c;
}

/* Whether ratios of these (sorted) values are in the order of the values and say something. */
static int have_ratios(const double *x, size_t n, const double *y, size_t m)
{
	return n && m && n <= STATS_RUNS_MAX && m <= STATS_RUNS_MAX && x[0] > 0 && y[0] >= 0 &&
	       isfinite(x[n - 1]) && isfinite(y[m - 1]);
}

void stats_ratio_interval(
	const struct stats_pair *pair, double level, double *ret_low, double *ret_high)
{
	size_t n, m, c;
	double *x = sorted(pair->base, pair->base_len, &n);
	double *y = sorted(pair->new, pair->new_len, &m);
	double *ratio = NULL;

	*ret_low = *ret_high = NAN;
	if (!(level > 0 && level < 1) || !have_ratios(x, n, y, m))
		goto out;
	c = critical(n, m, 1 - level);
	if (!c)
		goto out;
	ratio = mem_calloc(n * m, sizeof(*ratio));
	for (size_t i = 0; i < n * m; i++)
		ratio[i] = y[i % m] / x[i / m];
	qsort(ratio, n * m, sizeof(*ratio), by_value);
	/* The largest double by the smallest is infinite: not a bound. */
	if (isfinite(ratio[n * m - c])) {
		*ret_low = ratio[c - 1];
		*ret_high = ratio[n * m - c];
	}
out:
	free(x);
	free(y);
	free(ratio);
}

/* ---- families of tests ---- */

struct ranked {
	double p;
	size_t at;
};

static int by_p(const void *a, const void *b)
{
	return by_value(&((const struct ranked *)a)->p, &((const struct ranked *)b)->p);
}

void stats_holm(const double *p, double *ret_adjusted, size_t len)
{
	struct ranked *ranked = mem_calloc(len + 1, sizeof(*ranked));
	size_t tests = 0;
	double least = 0;

	for (size_t i = 0; i < len; i++) {
		if (isnan(p[i]))
			ret_adjusted[i] = NAN;
		else
			ranked[tests++] = (struct ranked){p[i], i};
	}
	qsort(ranked, tests, sizeof(*ranked), by_p);
	for (size_t i = 0; i < tests; i++) {
		/* None below an earlier one: who is refused ends the steps. */
		least = fmax(least, fmin(ranked[i].p * (double)(tests - i), 1));
		ret_adjusted[ranked[i].at] = least;
	}
	free(ranked);
}

int stats_never_counts(const struct stats_pair *pair)
{
	double least = INFINITY, most = -INFINITY;

	for (size_t i = 0; i < pair->base_len + pair->new_len; i++) {
		least = fmin(least, pooled_value(pair, i));
		most = fmax(most, pooled_value(pair, i));
	}
	return least > 0 && most - least < STATS_EFFECT_LEAST * least * (1 - SLACK);
}

size_t stats_runs_to_settle(const struct stats_interval *i, double bad, size_t runs)
{
	double at = log(i->ratio), half = (log(i->high) - log(i->low)) / 2;
	double gap = at < log(bad) ? log(bad) - at : at, more;

	if (!(half >= 0) || !isfinite(half) || !(gap > 0))
		return SIZE_MAX;
	more = ceil((double)runs * (half / gap) * (half / gap));
	if (!(more <= STATS_RUNS_MAX))
		return SIZE_MAX;
	return more > (double)runs ? (size_t)more : runs + 1;
}

size_t stats_runs_needed(double alpha, size_t tests)
{
	double ways = 1, each = alpha / (double)(tests ? tests : 1);

	for (size_t n = 1; n <= STATS_RUNS_MAX; n++) {
		ways = ways * (double)(4 * n - 2) / (double)n; /* C(2n, n) */
		if (2 / ways <= each * (1 + SLACK))
			return n;
	}
	return SIZE_MAX;
}
