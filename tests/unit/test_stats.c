/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Where the figures come from, so that they can be made again without SciPy or R.
 *
 * Small p values (rows of `dealt` and `tied`): a Python script that knows nothing of ranks. It
 * deals the pooled values in all C(n+m, n) ways (itertools.combinations), counts for each by pairs
 * 2U = sum of 2(new > base) + (new == base), and takes the share of ways with
 * |2U - nm| >= that of the sample, as a fraction. Without ties and U = 0 it is 2/C(n+m, n).
 *
 * Large ones: Mann and Whitney's recurrence, count(n, m, u) = count(n-1, m, u-m) + count(n, m-1,
 * u), in Python's whole numbers, and 2 sum(count(n, m, 0..U)) / C(n+m, n). The pairs around 0.05
 * (10,10: 23; 12,12: 37; 15,15: 64; 20,20: 127; 8,8: 13) are also those of the published tables of
 * critical values, two-sided 5%.
 *
 * All rows of `dealt` and `tied` were then held against SciPy 1.10.1: mannwhitneyu(method="exact")
 * for samples with that U, and permutation_test of the rank sum's distance from its mean over all
 * ways (n_resamples=inf). They agree to 1e-9.
 *
 * Holm's: by hand, beside each row.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "common/compare/stats.h"

#define MOST 10 /* values in a row of a table */

static int is_near(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) && isnan(b);
	return a == b || fabs(a - b) <= 1e-12 * fabs(b);
}

#define assert_near(a, b)                                                                          \
	do {                                                                                       \
		double a_ = (a), b_ = (b);                                                         \
		if (!is_near(a_, b_))                                                              \
			fail_msg("%s is %.17g, not %.17g", #a, a_, b_);                            \
	} while (0)

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed >> 11;
}

/* ---- median, deviation, effect ---- */

static void medians(void **state)
{
	const double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2}, gaps[] = {NAN, 9, NAN, 7};
	const double huge[] = {DBL_MAX, DBL_MAX / 2}, ends[] = {-INFINITY, INFINITY};
	const double infinite[] = {INFINITY, 1, INFINITY}, tiny[] = {DBL_TRUE_MIN, DBL_TRUE_MIN};

	(void)state;
	assert_near(stats_median(odd, 3), 3);
	assert_near(stats_median(even, 4), 2.5);
	assert_near(stats_median(gaps, 4), 8);
	assert_near(stats_median(gaps, 1), NAN);
	assert_near(stats_median(NULL, 0), NAN);
	assert_near(stats_median(huge, 2), DBL_MAX * 0.75);
	assert_near(stats_median(infinite, 3), INFINITY);
	assert_near(stats_median(ends, 2), NAN);
	assert_true(stats_median(tiny, 2) == DBL_TRUE_MIN);
	assert_true(odd[0] == 5 && odd[1] == 1 && odd[2] == 3);
}

static void deviations(void **state)
{
	const double some[] = {90, 100, 120}, zeros[] = {0, 0, 0}, infinite[] = {1, 2, INFINITY};
	/* Distances to 100: 0 1 2 3 900, their median 2. */
	const double outlier[] = {100, 101, 98, 97, 1000};

	(void)state;
	assert_near(stats_deviation(outlier, 5), 2 * 1.4826);
	assert_near(stats_deviation(zeros, 3), 0);
	assert_near(stats_deviation(some, 1), NAN);
	assert_near(stats_deviation(infinite, 3), 1.4826);
}

struct effect {
	const char *what;
	double base[MOST], new[MOST];
	size_t base_len, new_len;
	int counts;
};

static const struct effect effects[] = {
	{"5% exactly", {100, 100, 100}, {105, 105, 105}, 3, 3, 1},
	{"5% exactly, of no round number", {0.1, 0.1, 0.1}, {0.105, 0.105, 0.105}, 3, 3, 1},
	{"5% less", {100, 100, 100}, {95, 95, 95}, 3, 3, 1},
	{"under 5%", {100, 100, 100}, {104.99, 104.99, 104.99}, 3, 3, 0},
	/* Deviation of 94 97 100 103 106: 3 x 1.4826 = 4.4478; twice is 8.8956. */
	{"under twice the deviation", {94, 97, 100, 103, 106}, {108.8, 108.8}, 5, 2, 0},
	{"over twice the deviation", {94, 97, 100, 103, 106}, {108.9, 108.9}, 5, 2, 1},
	{"the new side's noise is none of the base's", {100, 100, 100}, {50, 110, 900}, 3, 3, 1},
	{"a slow run does not hide it", {99, 100, 100, 101, 150}, {110, 111, 109}, 5, 3, 1},
	{"nothing to something", {0, 0, 0}, {1, 1, 1}, 3, 3, 1},
	{"something to nothing", {4, 4, 4}, {0, 0, 0}, 3, 3, 1},
	{"nothing to nothing", {0, 0, 0}, {0, 0, 0}, 3, 3, 0},
	{"negative", {-100, -100}, {-110, -110}, 2, 2, 1},
	{"one run has no deviation", {100}, {200}, 1, 1, 0},
	{"no new run", {100, 100}, {0}, 2, 0, 0},
	{"not measured", {100, 100}, {NAN, NAN}, 2, 2, 0},
	{"infinite new", {100, 100}, {INFINITY, INFINITY}, 2, 2, 0},
	{"infinite base", {INFINITY, INFINITY}, {1, 1}, 2, 2, 0},
	{"half infinite base", {-DBL_MAX, DBL_MAX}, {DBL_MAX, DBL_MAX}, 2, 2, 0},
};

static void effects_count(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(effects); i++) {
		const struct effect *e = &effects[i];

		const struct stats_pair pair = {e->base, e->base_len, e->new, e->new_len};

		if (stats_effect_counts(&pair, STATS_EFFECT_DEVIATIONS) != e->counts)
			fail_msg("%s: counts is not %d", e->what, e->counts);
	}
}

/* ---- Mann-Whitney ---- */

/* Samples without ties in which U is as asked: new value j lies above u of base's 0 .. n-1. */
static void deal(double *base, size_t n, double *new, size_t m, size_t u)
{
	for (size_t i = 0; i < n; i++)
		base[i] = (double)i;
	for (size_t j = 0; j < m; j++) {
		size_t above = u < n ? u : n;

		new[j] = (double)above - 0.5 + (double)j / 1000;
		u -= above;
	}
}

static const struct dealt {
	size_t n, m, u;
	double p;
} dealt[] = {
	{1, 1, 0, 1},
	{3, 3, 0, 0.1},
	{4, 4, 0, 2.0 / 70},
	{5, 5, 0, 2.0 / 252},
	{5, 5, 2, 2.0 / 63},
	{5, 4, 1, 2.0 / 63},
	{2, 7, 0, 1.0 / 18},
	{6, 6, 5, 19.0 / 462},
	{6, 6, 6, 5.0 / 77},
	{8, 8, 13, 107.0 / 2145},
	{8, 8, 14, 38.0 / 585},
	{10, 10, 23, 0.0432570525449782},
	{10, 10, 24, 0.0524259022711035},
	{12, 12, 37, 0.0449019952990878},
	{12, 12, 38, 0.0518646113611789},
	{15, 15, 64, 0.0453338990979227},
	{15, 15, 65, 0.0502223733334571},
	{20, 5, 20, 0.0423489553924337},
	{20, 5, 21, 0.0506305288913985},
	{20, 20, 127, 0.0490903251893724},
	{20, 20, 128, 0.0523995218728497},
	{40, 7, 60, 0.015066773968927},
	{40, 40, 0, 1.86034036560363e-23},
	{40, 40, 500, 0.00358442762280629},
	{40, 40, 600, 0.0545761885765004},
	{40, 40, 799, 0.996182919867648},
	{40, 40, 800, 1},
	{100, 100, 4000, 0.0143770885211577},
};

static void p_without_ties(void **state)
{
	double base[STATS_RUNS_MAX], new[STATS_RUNS_MAX];

	(void)state;
	for (size_t i = 0; i < LEN(dealt); i++) {
		const struct dealt *d = &dealt[i];

		deal(base, d->n, new, d->m, d->u);
		assert_near(stats_mann_whitney(base, d->n, new, d->m), d->p);
		assert_near(stats_mann_whitney(new, d->m, base, d->n), d->p);
		/* The other tail: nm - U. */
		deal(base, d->n, new, d->m, d->n * d->m - d->u);
		assert_near(stats_mann_whitney(base, d->n, new, d->m), d->p);
	}
}

static const struct tied {
	double base[MOST], new[MOST];
	size_t n, m;
	double p;
} tied[] = {
	{{1, 2, 2, 3}, {2, 3, 3, 4}, 4, 4, 2.0 / 7},
	{{5, 5, 5, 5}, {5, 5, 5, 5}, 4, 4, 1},
	{{1, 1, 1, 2}, {2, 2, 2, 2}, 4, 4, 1.0 / 7},
	{{10, 10, 11}, {10, 12, 12, 12, 13}, 3, 5, 1.0 / 8},
	{{1, 2, 3, 4, 5}, {5, 5, 6, 7, 8}, 5, 5, 1.0 / 42},
	{{0, 0, 0, 0, 1, 7}, {0, 2}, 6, 2, 23.0 / 28},
	{{0, 0, 0, 0, 0, 0}, {0, 0, 0, 1, 1, 1}, 6, 6, 2.0 / 11},
	{{3, 1, 4, 1, 5, 9, 2, 6}, {5, 3, 5, 8, 9, 7, 9, 3}, 8, 8, 269.0 / 2145},
};

static void p_with_ties(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(tied); i++) {
		const struct tied *t = &tied[i];

		assert_near(stats_mann_whitney(t->base, t->n, t->new, t->m), t->p);
		assert_near(stats_mann_whitney(t->new, t->m, t->base, t->n), t->p);
	}
}

/* |2U - nm| when the set bits of `side` are base; U by pairs, without ranks. */
static unsigned int distance(const double *pool, unsigned int len, unsigned int side)
{
	int twice = 0, mid = 0;

	for (unsigned int i = 0; i < len; i++)
		for (unsigned int k = 0; k < len; k++)
			if (side >> i & 1 && !(side >> k & 1)) {
				twice += 2 * (pool[k] > pool[i]) + (pool[k] == pool[i]);
				mid++;
			}
	return (unsigned int)abs(twice - mid);
}

/* The first n of the pool are base: by dealing in every way. */
static double dealt_every_way(const double *pool, unsigned int n, unsigned int m)
{
	unsigned int here = distance(pool, n + m, (1U << n) - 1), far = 0, all = 0;

	for (unsigned int side = 0; side < 1U << (n + m); side++) {
		if ((unsigned int)__builtin_popcount(side) != n)
			continue;
		all++;
		far += distance(pool, n + m, side) >= here;
	}
	return (double)far / all;
}

static void check_random(unsigned int n, unsigned int m, uint64_t kinds, uint64_t *seed)
{
	double pool[MOST], less[MOST], p;

	for (unsigned int i = 0; i < n + m; i++) {
		pool[i] = (double)(next_random(seed) % kinds);
		less[i] = -pool[i];
	}
	p = stats_mann_whitney(pool, n, pool + n, m);
	assert_near(p, dealt_every_way(pool, n, m));
	/* Neither which side is base, nor the direction, nor the order of the runs matters. */
	assert_near(stats_mann_whitney(pool + n, m, pool, n), p);
	assert_near(stats_mann_whitney(less, n, less + n, m), p);
	less[0] = pool[0];
	for (unsigned int i = 0; i < n; i++)
		less[i] = pool[n - 1 - i];
	assert_near(stats_mann_whitney(less, n, pool + n, m), p);
}

static void p_of_everything_small(void **state)
{
	uint64_t seed = 88172645463325252ULL;

	(void)state;
	for (unsigned int n = 1; n <= 5; n++)
		for (unsigned int m = 1; m <= 5; m++)
			for (uint64_t kinds = 1; kinds <= 1000; kinds *= 2)
				for (int again = 0; again < 8; again++)
					check_random(n, m, kinds, &seed);
}

static void p_of_anything(void **state)
{
	const double base[] = {0.0, -1, -INFINITY, NAN, 3}, new[] = {-0.0, INFINITY, NAN, 5, NAN};
	const double base_clean[] = {0, -1, -2, 3}, new_clean[] = {0, 6, 5}, nan[] = {NAN, NAN};
	const double infinite[] = {INFINITY, INFINITY};
	double many[STATS_RUNS_MAX + 1] = {0};

	(void)state;
	/* NAN left out, infinities by order, -0 equals 0. */
	assert_near(stats_mann_whitney(base, 5, new, 5),
		stats_mann_whitney(base_clean, 4, new_clean, 3));
	assert_near(stats_mann_whitney(infinite, 2, infinite, 2), 1);
	assert_near(stats_mann_whitney(nan, 2, new, 5), NAN);
	assert_near(stats_mann_whitney(NULL, 0, new, 5), NAN);
	assert_near(stats_mann_whitney(NULL, 0, NULL, 0), NAN);
	assert_near(stats_mann_whitney(many, STATS_RUNS_MAX, many, STATS_RUNS_MAX), 1);
	assert_near(stats_mann_whitney(many, STATS_RUNS_MAX + 1, many, 3), NAN);
	assert_near(stats_mann_whitney(many, 3, many, STATS_RUNS_MAX + 1), NAN);
}

/* ---- interval of the ratio ---- */

static const double base5[] = {100, 103, 98, 101, 107}, new5[] = {112, 109, 120, 111, 117};

struct interval {
	const char *what;
	double base[MOST], new[MOST];
	size_t n, m;
	double level, low, high;
};

/*
 * Bounds by hand: of the sorted n x m ratios the c-th from each end, c the number of U whose two
 * tails are within 1 - level: from the counts of the recurrence 4,4: 1; 5,5: 3 at 95%, 1 at 99%;
 * 3,3: 1 at 90%, none at 95%.
 */
static const struct interval intervals[] = {
	{"4 and 4: all ratios", {10, 12, 11, 13}, {20, 21, 26, 23}, 4, 4, 0.95, 20.0 / 13, 2.6},
	{"3 are too few for 95%", {1, 2, 3}, {4, 5, 6}, 3, 3, 0.95, NAN, NAN},
	{"4 are too few for 99%", {1, 2, 3, 4}, {4, 5, 6, 7}, 4, 4, 0.99, NAN, NAN},
	{"3 are just enough for 90%", {1, 2, 3}, {4, 5, 6}, 3, 3, 0.9, 4.0 / 3, 6},
	{"equal", {7, 7, 7, 7}, {7, 7, 7, 7}, 4, 4, 0.95, 1, 1},
	{"to nothing", {7, 7, 7, 7}, {0, 0, 0, 0}, 4, 4, 0.95, 0, 0},
	{"NAN left out", {7, NAN, 7, 7, 7}, {8, 8, 8, 8, NAN}, 5, 5, 0.95, 8.0 / 7, 8.0 / 7},
	{"NAN left out: too few", {7, NAN, 7, 7}, {8, 8, 8, 8}, 4, 4, 0.95, NAN, NAN},
	{"a zero in the base", {0, 1, 2, 3}, {4, 5, 6, 7}, 4, 4, 0.95, NAN, NAN},
	{"a zero in the base, far from the bounds", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
		{4, 5, 6, 7, 8, 9, 10, 11, 12, 13}, 10, 10, 0.95, NAN, NAN},
	{"negative base", {-1, 1, 2, 3}, {4, 5, 6, 7}, 4, 4, 0.95, NAN, NAN},
	{"negative new", {1, 1, 2, 3}, {-4, 5, 6, 7}, 4, 4, 0.95, NAN, NAN},
	{"infinite", {1, 1, 2, INFINITY}, {4, 5, 6, 7}, 4, 4, 0.95, NAN, NAN},
	{"infinite new", {1, 1, 2, 3}, {4, 5, 6, INFINITY}, 4, 4, 0.95, NAN, NAN},
	{"too large a ratio", {1e-300, 1, 2, 3}, {4, 5, 6, 1e300}, 4, 4, 0.95, NAN, NAN},
	{"level 0", {1, 2, 3, 4}, {4, 5, 6, 7}, 4, 4, 0, NAN, NAN},
	{"level 1", {1, 2, 3, 4}, {4, 5, 6, 7}, 4, 4, 1, NAN, NAN},
	{"level NAN", {1, 2, 3, 4}, {4, 5, 6, 7}, 4, 4, NAN, NAN, NAN},
	{"almost no level: the median", {1}, {3}, 1, 1, 1e-12, 3, 3},
	{"empty", {1}, {3}, 0, 0, 0.95, NAN, NAN},
};

static void intervals_of_ratios(void **state)
{
	double low, high;

	(void)state;
	for (size_t i = 0; i < LEN(intervals); i++) {
		const struct interval *v = &intervals[i];
		struct stats_pair pair = {v->base, v->n, v->new, v->m};

		low = high = -1;
		stats_ratio_interval(&pair, v->level, &low, &high);
		if (!is_near(low, v->low) || !is_near(high, v->high))
			fail_msg("%s: [%.17g, %.17g]", v->what, low, high);
	}
	stats_ratio_interval(&(struct stats_pair){base5, 5, new5, 5}, 0.95, &low, &high);
	assert_near(low, 112.0 / 107); /* after 109/107 and 111/107 */
	assert_near(high, 117.0 / 98); /* before 120/100 and 120/98 */
	stats_ratio_interval(&(struct stats_pair){base5, 5, new5, 5}, 0.99, &low, &high);
	assert_near(low, 109.0 / 107);
	assert_near(high, 120.0 / 98);
}

/* p with the base multiplied by a factor. */
static double p_scaled(const double *base, size_t n, const double *new, size_t m, double factor)
{
	double scaled[STATS_RUNS_MAX];

	for (size_t i = 0; i < n; i++)
		scaled[i] = base[i] * factor;
	return stats_mann_whitney(scaled, n, new, m);
}

/* What the interval means: a factor is inside if the test does not refuse it. */
static void interval_is_the_tests(void **state)
{
	const size_t sizes[][2] = {{4, 4}, {5, 5}, {4, 9}, {12, 6}, {20, 20}, {40, 40}};
	double base[STATS_RUNS_MAX], new[STATS_RUNS_MAX], low, high;
	uint64_t seed = 2463534242ULL;

	(void)state;
	for (size_t i = 0; i < LEN(sizes); i++) {
		size_t n = sizes[i][0], m = sizes[i][1];

		for (size_t k = 0; k < n; k++)
			base[k] = 1 + (double)(next_random(&seed) % 1000003) / 1e6;
		for (size_t k = 0; k < m; k++)
			new[k] = 1 + (double)(next_random(&seed) % 1000003) / 1e6;
		stats_ratio_interval(&(struct stats_pair){base, n, new, m}, 0.95, &low, &high);
		assert_true(low < high);
		assert_true(p_scaled(base, n, new, m, low * (1 - 1e-9)) <= 0.05);
		assert_true(p_scaled(base, n, new, m, low * (1 + 1e-9)) > 0.05);
		assert_true(p_scaled(base, n, new, m, high * (1 - 1e-9)) > 0.05);
		assert_true(p_scaled(base, n, new, m, high * (1 + 1e-9)) <= 0.05);
	}
}

/* ---- families ---- */

static const struct family {
	const char *what;
	double p[MOST], adjusted[MOST];
	size_t len;
} families[] = {
	/* 4 x 0.005 = 0.02; 3 x 0.01 = 0.03; 2 x 0.03 = 0.06; 1 x 0.04, not below 0.06 */
	{"four", {0.01, 0.04, 0.03, 0.005}, {0.03, 0.06, 0.06, 0.02}, 4},
	/* The same with places that were not measured: still four tests. */
	{"gaps", {NAN, 0.01, 0.04, NAN, 0.03, 0.005}, {NAN, 0.03, 0.06, NAN, 0.06, 0.02}, 6},
	/* 5 x 0.01 = 0.05; 4 x 0.01 = 0.04 and 3 x 0.01, raised to 0.05; 2 x 0.2; 1 x 0.3 -> 0.4 */
	{"equal", {0.01, 0.3, 0.01, 0.2, 0.01}, {0.05, 0.4, 0.05, 0.4, 0.05}, 5},
	{"capped", {0.5, 0.6, 0.7}, {1, 1, 1}, 3},
	{"one", {0.04}, {0.04}, 1},
	{"none measured", {NAN, NAN}, {NAN, NAN}, 2},
	{"no p values", {-1, 7, INFINITY, -INFINITY}, {0, 1, 1, 0}, 4},
};

static void holm(void **state)
{
	double got[MOST];

	(void)state;
	for (size_t i = 0; i < LEN(families); i++) {
		const struct family *f = &families[i];

		stats_holm(f->p, got, f->len);
		for (size_t k = 0; k < f->len; k++)
			if (!is_near(got[k], f->adjusted[k]))
				fail_msg("%s: [%zu] is %.17g", f->what, k, got[k]);
		memcpy(got, f->p, sizeof(got));
		stats_holm(got, got, f->len);
		for (size_t k = 0; k < f->len; k++)
			assert_near(got[k], f->adjusted[k]);
	}
	stats_holm(NULL, NULL, 0);
}

/* C(2n, n): 2 6 20 70 252 924 3432 */
static void runs_needed(void **state)
{
	static const struct {
		double alpha;
		size_t tests, runs;
	} rows[] = {
		{0.05, 1, 4},  /* 2/70 = 0.029; 2/20 = 0.1 */
		{0.05, 0, 4},  /* no test: as one */
		{0.05, 2, 5},  /* 2/252 = 0.0079 <= 0.025 < 0.029 */
		{0.05, 6, 5},  /* 0.0079 <= 0.00833 */
		{0.05, 7, 6},  /* 0.0079 > 0.00714 */
		{0.05, 23, 6}, /* 2/924 = 0.002165 <= 0.002174 */
		{0.05, 24, 7}, /* 0.002165 > 0.002083 */
		{0.1, 1, 3},   /* 2/20, met exactly */
		{0.2, 7, 4},   /* 0.2/7 is 2/70 */
		{1, 1, 1},
		{INFINITY, 1, 1},
		{0, 1, SIZE_MAX},
		{-1, 1, SIZE_MAX},
		{NAN, 1, SIZE_MAX},
		{1e-300, 1, SIZE_MAX},
	};
	double base[16], new[16];

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		if (stats_runs_needed(rows[i].alpha, rows[i].tests) != rows[i].runs)
			fail_msg("alpha %g, %zu tests: %zu runs", rows[i].alpha, rows[i].tests,
				stats_runs_needed(rows[i].alpha, rows[i].tests));
	/* With that many the test can be met, with one fewer it cannot. */
	for (size_t tests = 1; tests <= 1000; tests++) {
		size_t n = stats_runs_needed(0.05, tests);

		assert_true(n < LEN(base));
		deal(base, n, new, n, 0);
		assert_true(stats_mann_whitney(base, n, new, n) * (double)tests <= 0.05);
		assert_true(stats_mann_whitney(base, n - 1, new, n - 1) * (double)tests > 0.05);
	}
}

/* ---- families ---- */

static void orders_that_say_the_same(void **state)
{
	static const struct {
		double base[3], new[3];
		int same; /* as 1 2 2, 3 4 5 */
	} rows[] = {{{1, 2, 2}, {3, 4, 5}, 1}, {{10, 20, 20}, {30, 40, 50}, 1},
		{{9, 8, 8}, {7, 6, 5}, 1}, {{1, 2, 3}, {4, 5, 6}, 0}, {{2, 1, 1}, {3, 4, 5}, 0},
		{{1, 2, 2}, {3, 4, NAN}, 0}, {{1, 1, 1}, {1, 1, 1}, 0}};
	const struct stats_pair like = {rows[0].base, 3, rows[0].new, 3};
	const struct stats_pair shorter = {rows[0].base, 2, rows[0].new, 3};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct stats_pair pair = {rows[i].base, 3, rows[i].new, 3};

		print_message("# row %zu\n", i);
		assert_int_equal(stats_same_order(&like, &pair), rows[i].same);
		assert_int_equal(stats_same_order(&pair, &like), rows[i].same);
	}
	assert_int_equal(stats_same_order(&like, &shorter), 0);
}

static void what_never_counts(void **state)
{
	static const struct {
		double base[2], new[2];
		int never;
	} rows[] = {{{1000, 1002}, {1001, 1000}, 1}, {{1000, 1049}, {1000, 1000}, 1},
		{{1000, 1000}, {1000, 1050}, 0}, {{0, 0}, {0, 0}, 0}, {{0, 1}, {0, 0}, 0},
		{{5, 5}, {5, 5}, 1}, {{-5, -5}, {-5, -5}, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct stats_pair pair = {rows[i].base, 2, rows[i].new, 2};

		print_message("# row %zu\n", i);
		assert_int_equal(stats_never_counts(&pair), rows[i].never);
	}
}

/* runs x (half the width / the gap)^2, of logarithms. */
static void runs_that_would_settle_it(void **state)
{
	static const struct {
		struct stats_interval i;
		double bad;
		size_t runs, needs;
	} rows[] = {
		{{1, 0.9, 1 / 0.9}, 1.05, 5, 24},  /* 5 x (0.10536 / 0.04879)^2 = 23.3 */
		{{1.5, 0.9, 2.5}, 1.05, 5, 8},     /* 5 x (0.51083 / 0.40547)^2 = 7.9 */
		{{1, 0.99, 1.05}, 1.05, 8, 9},     /* one more at least */
		{{1, 0.1, 10}, 1.05, 5, SIZE_MAX}, /* 11,139 */
		{{1.05, 0.9, 1.2}, 1.05, 5, 44},   /* beyond it: 5 x (0.14384 / 0.04879)^2 = 43.5 */
		{{1, NAN, NAN}, 1.05, 5, SIZE_MAX},
		{{NAN, 1, 2}, 1.05, 5, SIZE_MAX},
		{{1, 0, 2}, 1.05, 5, SIZE_MAX},
		{{1, 0.9, 1.1}, NAN, 5, SIZE_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		print_message("# row %zu\n", i);
		assert_int_equal(
			stats_runs_to_settle(&rows[i].i, rows[i].bad, rows[i].runs), rows[i].needs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(medians),
		cmocka_unit_test(deviations),
		cmocka_unit_test(effects_count),
		cmocka_unit_test(p_without_ties),
		cmocka_unit_test(p_with_ties),
		cmocka_unit_test(p_of_everything_small),
		cmocka_unit_test(p_of_anything),
		cmocka_unit_test(intervals_of_ratios),
		cmocka_unit_test(interval_is_the_tests),
		cmocka_unit_test(holm),
		cmocka_unit_test(runs_needed),
		cmocka_unit_test(orders_that_say_the_same),
		cmocka_unit_test(what_never_counts),
		cmocka_unit_test(runs_that_would_settle_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
