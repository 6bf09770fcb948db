/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/compare/knee.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base/mem.h"

static int is_measured(const struct knee_point *p)
{
	for (size_t i = 0; i < p->runs; i++)
		if (!isfinite(p->costs[i]) || p->costs[i] <= 0)
			return 0;
	return p->runs > 0;
}

static double median_of(const struct knee_point *p)
{
	return stats_median(p->costs, p->runs);
}

static int are_measured(const struct knee_point *points, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_measured(&points[i]) || points[i].runs > STATS_RUNS_MAX)
			return 0;
	return 1;
}

static size_t best_of(const struct knee_point *points, size_t len)
{
	size_t best = 0;

	for (size_t i = 1; i < len; i++)
		if (median_of(&points[i]) < median_of(&points[best]))
			best = i;
	return best;
}

static size_t fewest_runs(const struct knee_point *points, size_t len)
{
	size_t runs = points[0].runs;

	for (size_t i = 1; i < len; i++)
		if (points[i].runs < runs)
			runs = points[i].runs;
	return runs;
}

/* Until the tolerance lies outside of the interval, whose width shrinks with the root of the runs.
 */
static size_t runs_to_tell(const struct stats_interval *i, size_t runs)
{
	double half = (log(i->high) - log(i->low)) / 2;
	double gap = fabs(log(i->ratio) - log(1 + KNEE_TOLERANCE));
	double more = ceil((double)runs * (half / gap) * (half / gap));

	if (!(more <= STATS_RUNS_MAX))
		return SIZE_MAX;
	return more > (double)runs ? (size_t)more : runs + 1;
}

struct pairs {
	const struct knee_point *points;
	size_t len, runs; /* runs: the fewest */
	double level;
};

/* Cost of value i / cost of value j. */
static struct stats_interval pair_of(const struct pairs *p, size_t i, size_t j)
{
	const struct knee_point *x = &p->points[i], *y = &p->points[j];
	struct stats_interval r = {median_of(x) / median_of(y), 1, 1};

	if (i != j)
		stats_ratio_interval(&(struct stats_pair){y->costs, y->runs, x->costs, x->runs},
			p->level, &r.low, &r.high);
	return r;
}

/* ret_runs: where it is not known, how many would tell. */
static enum knee_place place_of(const struct pairs *p, size_t i, size_t *ret_runs)
{
	enum knee_place place = PLACE_WITHIN;

	*ret_runs = 0;
	for (size_t j = 0; j < p->len; j++) {
		struct stats_interval r = pair_of(p, i, j);

		if (r.low > 1 + KNEE_TOLERANCE)
			return PLACE_ABOVE;
		if (r.high <= 1 + KNEE_TOLERANCE)
			continue;
		size_t runs = runs_to_tell(&r, p->runs);

		place = PLACE_UNKNOWN;
		*ret_runs = runs > *ret_runs ? runs : *ret_runs;
	}
	return place;
}

/* What the places say, from the smallest value on. needed: for each, as of place_of(). */
static void conclude(
	size_t len, const struct knee_over *over, const size_t *needed, struct knee *ret)
{
	size_t first = 0, within = 0;

	while (first + 1 < len && over[first].place == PLACE_ABOVE)
		first++;
	for (size_t i = 0; i < len; i++)
		within += over[i].place == PLACE_WITHIN;
	ret->at = first;
	if (over[first].place != PLACE_WITHIN) {
		ret->verdict = KNEE_UNSURE;
		ret->runs_needed = needed[first] ? needed[first] : SIZE_MAX;
	} else if (first > 0) {
		ret->verdict = first == len - 1 ? KNEE_FALLING : KNEE_FOUND;
	} else {
		ret->verdict = within == len ? KNEE_FLAT : KNEE_SMALLEST;
	}
}

void knee_find(
	const struct knee_point *points, size_t len, struct knee *ret, struct knee_over *ret_over)
{
	const struct pairs pairs = {
		points, len, fewest_runs(points, len), 1 - KNEE_ALPHA / (double)(len - 1)};
	size_t least = stats_runs_needed(KNEE_ALPHA, len - 1);
	size_t *needed = mem_calloc(len, sizeof(*needed));

	*ret = (struct knee){.verdict = KNEE_NOT_MEASURED, .runs_needed = SIZE_MAX};
	for (size_t i = 0; i < len; i++)
		ret_over[i] = (struct knee_over){{NAN, NAN, NAN}, PLACE_UNKNOWN};
	if (are_measured(points, len)) {
		ret->best = best_of(points, len);
		for (size_t i = 0; i < len; i++) {
			ret_over[i].over = pair_of(&pairs, i, ret->best);
			ret_over[i].place = place_of(&pairs, i, &needed[i]);
		}
		if (pairs.runs >= least)
			conclude(len, ret_over, needed, ret);
		else
			*ret = (struct knee){KNEE_FEW_RUNS, 0, ret->best, least};
	}
	free(needed);
}
