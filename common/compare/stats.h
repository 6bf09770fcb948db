/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef COMPARE_STATS_H
#define COMPARE_STATS_H

#include <stddef.h>

/*
 * The statistics of `compare`. Pure: values in, figures out; nothing fails.
 *
 * Values come from result files and may be anything. For every function: a NAN is a run that was
 * not measured and is left out; infinities are ordered like numbers; a figure that cannot be had is
 * NAN ("not measured"). Arrays are not changed, may be NULL when empty, and need not be sorted.
 */

/*
 * The most values a side that the exact distribution is computed for (its cost grows with the
 * fourth power). More: not measured.
 */
#define STATS_RUNS_MAX 100

/* What an effect must reach to count: this share of the base's median ... */
#define STATS_EFFECT_LEAST 0.05
/* ... and so many times the deviation of the base, where one side was run after the other. */
#define STATS_EFFECT_DEVIATIONS 2.0

struct stats_pair {
	const double *base;
	size_t base_len;
	const double *new;
	size_t new_len;
};

/* Of an even number, the mean of the middle two. NAN if nothing was measured. */
double stats_median(const double *v, size_t len);

/*
 * The median absolute deviation times 1.4826, in the unit of the values: estimates the standard
 * deviation of normal noise, and one slow run in five does not move it. 0 where more than half of
 * the values agree. NAN with fewer than two values.
 */
double stats_deviation(const double *v, size_t len);

/*
 * Whether the difference of the medians is large enough to matter: not 0, at least
 * STATS_EFFECT_LEAST of the base's median, and at least `deviations` times stats_deviation(base):
 * STATS_EFFECT_DEVIATIONS, or 0. A base of median 0 has only the second rule. 0 if one of these is
 * not finite. It says nothing of chance: that is the test's part.
 */
int stats_effect_counts(const struct stats_pair *pair, double deviations);

/*
 * Mann-Whitney U (Wilcoxon rank sum): the exact two-sided p value, the share of all ways to deal
 * the pooled values to the two sides in which the rank sum is at least as far from its mean as it
 * is here. Equal values have their mean rank, and the distribution is that of the ranks as they
 * are (conditional on the ties). All values equal: 1. NAN if a side is empty or larger than
 * STATS_RUNS_MAX.
 */
double stats_mann_whitney(const double *base, size_t base_len, const double *new, size_t new_len);

/*
 * Whether two figures of the same runs put the pooled runs in the same order, or in the opposite
 * one, equal values too: then every test of ranks says the same of both. 0 if one was not measured
 * in some run.
 */
int stats_same_order(const struct stats_pair *a, const struct stats_pair *b);

/*
 * Interval of the factor from base to new at the confidence `level` (0.95): order statistics of
 * all ratios new/base (Hodges and Lehmann's shift, on ratios), from the critical value of the exact
 * U without ties; with ties it covers at least as much. Both NAN where it is not measured: a side
 * empty or larger than STATS_RUNS_MAX; too few values for the level (4 a side for 0.95); a base
 * value that is not above 0, a new one below 0, an infinite one (a ratio says nothing there); a
 * level not between 0 and 1.
 */
void stats_ratio_interval(
	const struct stats_pair *pair, double level, double *ret_low, double *ret_high);

/*
 * Holm's step-down adjustment of `len` p values for being a family; each below alpha after it can
 * be called significant together. Order is kept, equal in order to p, at most 1. NAN stays NAN and
 * is not counted as a test. `ret_adjusted` may be p itself.
 */
void stats_holm(const double *p, double *ret_adjusted, size_t len);

/*
 * Whether no dealing of the pooled values to two sides makes a difference of the medians that
 * stats_effect_counts(): their range is below STATS_EFFECT_LEAST of the least. It does not depend
 * on which run is whose, so leaving such figures out of a family of tests costs nothing.
 */
int stats_never_counts(const struct stats_pair *pair);

/*
 * How many runs a side would settle what an interval left open, as its width shrinks with the root
 * of their number: to exclude a factor of `bad` (above 1) from above or, if `ratio` is beyond it, 1
 * from below. `runs`: those it is of. SIZE_MAX: more than STATS_RUNS_MAX, or not to be told.
 */
struct stats_interval {
	double ratio, low, high; /* factors; for what is worse when less, the inverse ones */
};
size_t stats_runs_to_settle(const struct stats_interval *i, double bad, size_t runs);

/*
 * The least number of runs a side with which one test in a family of `tests` can be significant at
 * all: 2 / C(2n, n) <= alpha / tests. No tests count as one. SIZE_MAX if STATS_RUNS_MAX are too
 * few (alpha not above 0, NAN).
 */
size_t stats_runs_needed(double alpha, size_t tests);

#endif
