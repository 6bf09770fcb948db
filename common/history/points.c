/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/history/points.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/compare/stats.h"

struct search {
	const double *values;
	double *order; /* of the part that is looked at, permuted */
	double *sums;  /* of distances: (len + 1) x (len + 1), of all before row and column */
	uint64_t random;
	struct {
		size_t *at;
		size_t len, cap;
	} found;
};

/* ---- the statistic ---- */

static void sum_distances(struct search *s, size_t len)
{
	const size_t w = len + 1;

	memset(s->sums, 0, w * sizeof(double));
	for (size_t i = 1; i <= len; i++) {
		double row = 0;

		s->sums[i * w] = 0;
		for (size_t k = 1; k <= len; k++) {
			row += fabs(s->order[i - 1] - s->order[k - 1]);
			s->sums[i * w + k] = s->sums[(i - 1) * w + k] + row;
		}
	}
}

/* Of all pairs of one in [a, b) and one in [c, d). */
static double between(const double *sums, size_t w, const size_t from[2], const size_t to[2])
{
	return sums[from[1] * w + to[1]] - sums[from[0] * w + to[1]] - sums[from[1] * w + to[0]] +
	       sums[from[0] * w + to[0]];
}

/* The energy statistic of [0, at) and [at, end), weighed by their sizes. Sums within count each
 * pair twice, as n (n - 1) does. */
static double divides(const struct search *s, size_t w, size_t at, size_t end)
{
	const size_t x[2] = {0, at}, y[2] = {at, end};
	const double n = (double)at, m = (double)(end - at);
	double apart = 2 * between(s->sums, w, x, y) / (n * m);
	double within = between(s->sums, w, x, x) / (n * (n - 1)) +
			between(s->sums, w, y, y) / (m * (m - 1));

	return n * m / (n + m) * (apart - within);
}

/* The largest of all places, and of all ends of what is held against the part before it. */
static double best(struct search *s, size_t len, size_t *ret_at)
{
	double most = -INFINITY;

	*ret_at = 0;
	sum_distances(s, len);
	for (size_t at = POINTS_LEAST; at + POINTS_LEAST <= len; at++)
		for (size_t end = at + POINTS_LEAST; end <= len; end++) {
			double q = divides(s, len + 1, at, end);

			if (q > most) {
				most = q;
				*ret_at = at;
			}
		}
	return most;
}

/* ---- the test ---- */

/* xorshift64*: the same for the same series. */
static size_t below(struct search *s, size_t n)
{
	s->random ^= s->random >> 12;
	s->random ^= s->random << 25;
	s->random ^= s->random >> 27;
	return (size_t)((s->random * 0x2545F4914F6CDD1DULL >> 33) % n);
}

static void shuffle(struct search *s, size_t len)
{
	for (size_t i = len; i > 1; i--) {
		size_t k = below(s, i);
		double v = s->order[k];

		s->order[k] = s->order[i - 1];
		s->order[i - 1] = v;
	}
}

/* Ends as soon as it cannot be significant any more. */
static int is_significant(struct search *s, size_t len, double q)
{
	const double most = POINTS_ALPHA * (POINTS_PERMUTATIONS + 1) - 1;
	size_t as_large = 0, at;

	for (int i = 0; i < POINTS_PERMUTATIONS; i++) {
		shuffle(s, len);
		/* Sums of other orders differ in their last digits. */
		as_large += best(s, len, &at) >= q * (1 - 1e-12);
		if ((double)as_large > most)
			return 0;
	}
	return 1;
}

static int all_equal(const double *v, size_t len)
{
	for (size_t i = 1; i < len; i++)
		if (v[i] != v[0])
			return 0;
	return 1;
}

static void divide(struct search *s, size_t from, size_t len) // NOLINT(misc-no-recursion)
{
	size_t at;
	double q;

	if (len < 2 * POINTS_LEAST || all_equal(s->values + from, len))
		return;
	memcpy(s->order, s->values + from, len * sizeof(double));
	q = best(s, len, &at);
	if (!is_significant(s, len, q))
		return;
	divide(s, from, at);
	*VEC_PUSH(&s->found) = from + at;
	divide(s, from + at, len - at);
}

/* ---- what counts ---- */

static double effect(const struct points_change *c)
{
	return c->before == c->after ? 0 : fabs(c->after - c->before) / fabs(c->before);
}

static void levels(const struct search *s, size_t len, struct points_change *ret)
{
	for (size_t i = 0; i < s->found.len; i++) {
		size_t at = s->found.at[i], from = i ? s->found.at[i - 1] : 0;
		size_t to = i + 1 < s->found.len ? s->found.at[i + 1] : len;

		ret[i] = (struct points_change){at, stats_median(s->values + from, at - from),
			stats_median(s->values + at, to - at)};
	}
}

/* The least change goes first: what it divided is one level again. */
static int drop_least(struct search *s, const struct points_change *c)
{
	size_t least = 0;

	for (size_t i = 1; i < s->found.len; i++)
		if (effect(&c[i]) < effect(&c[least]))
			least = i;
	if (!s->found.len || effect(&c[least]) >= POINTS_EFFECT)
		return 0;
	memmove(&s->found.at[least], &s->found.at[least + 1],
		(s->found.len - least - 1) * sizeof(size_t));
	s->found.len--;
	return 1;
}

size_t points_find(const double *values, size_t len, struct points_change *ret)
{
	struct search s = {.values = values, .random = 0x9E3779B97F4A7C15ULL};

	if (len > POINTS_MAX)
		return 0;
	s.order = mem_calloc(len + 1, sizeof(double));
	s.sums = mem_calloc((len + 1) * (len + 1), sizeof(double));
	divide(&s, 0, len);
	do
		levels(&s, len, ret);
	while (drop_least(&s, ret));
	free(s.order);
	free(s.sums);
	free(s.found.at);
	return s.found.len;
}
