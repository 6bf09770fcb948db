/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/history/points.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/compare/stats.h"
#include "common/model/enough.h"

struct search {
	const double *values;
	double *order; /* of the part that is looked at, permuted */
	double *apart; /* of each value: its distances to all before the place that is tried */
	double *sums;  /* of the distances among the first k values, each pair twice */
	double inverse[POINTS_MAX + 1]; /* 1 / k */
	uint64_t random;
	struct {
		size_t *at;
		size_t len, cap;
	} found;
};

/* ---- the statistic ---- */

/* The distances of v to the values of the order from..len, added to what `to` has of them. */
static void add_distances(double *to, const double *order, size_t from, size_t len)
{
	const double v = order[from - 1];

	for (size_t i = from; i < len; i++)
		to[i] += fabs(v - order[i]);
}

static void sum_distances(struct search *s, size_t len)
{
	memset(s->apart, 0, (len + 1) * sizeof(double));
	for (size_t i = 1; i < len; i++)
		add_distances(s->apart, s->order, i, len);
	s->sums[0] = 0;
	for (size_t i = 0; i < len; i++)
		s->sums[i + 1] = s->sums[i] + 2 * s->apart[i];
	memset(s->apart, 0, (len + 1) * sizeof(double));
}

/* The energy statistic of [0, at) and [at, end), weighed by their sizes: of all ends the largest.
 * With n and m values it is n m / (n + m) (2 apart / (n m) - within / (n (n - 1)) - within / (m (m
 * - 1))). */
static double best_end(const struct search *s, size_t at, size_t len)
{
	const double n = (double)at, before = s->sums[at] * s->inverse[at - 1];
	double apart = 0, most = -INFINITY;

	for (size_t end = at + 1; end <= len; end++) {
		double m = (double)(end - at), within, q;

		apart += s->apart[end - 1];
		if (end < at + POINTS_LEAST)
			continue;
		within = s->sums[end] - s->sums[at] - 2 * apart;
		q = s->inverse[end] *
		    (2 * apart - before * m - within * n * s->inverse[end - at - 1]);
		most = q > most ? q : most;
	}
	return most;
}

/* The largest of all places, and of all ends of what is held against the part before it. */
static double best(struct search *s, size_t len, size_t *ret_at)
{
	double most = -INFINITY;

	*ret_at = 0;
	sum_distances(s, len);
	for (size_t at = 1; at + POINTS_LEAST <= len; at++) {
		double q;

		add_distances(s->apart, s->order, at, len);
		if (at < POINTS_LEAST)
			continue;
		q = best_end(s, at, len);
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

	if (len < JUDGE_VERSIONS_MIN || all_equal(s->values + from, len))
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
	s.apart = mem_calloc(len + 1, sizeof(double));
	s.sums = mem_calloc(len + 1, sizeof(double));
	for (size_t i = 1; i <= POINTS_MAX; i++)
		s.inverse[i] = 1 / (double)i;
	divide(&s, 0, len);
	do
		levels(&s, len, ret);
	while (drop_least(&s, ret));
	free(s.order);
	free(s.apart);
	free(s.sums);
	free(s.found.at);
	return s.found.len;
}
