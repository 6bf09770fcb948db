/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/hist.h"

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static const uint64_t edges[] = {0, 1, 62, 63, 64, 65, 126, 127, 128, 129, 130, 255, 256, 1000,
	(1ULL << 32) - 1, 1ULL << 32, INT64_MAX, 1ULL << 63, (1ULL << 63) + 1, UINT64_MAX - 1,
	UINT64_MAX};
#define EDGES_LEN (sizeof(edges) / sizeof(edges[0]))

/* Values of every magnitude, the edges among them. */
static void fill_values(uint64_t *values, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t r = next_random(&seed);

		values[i] = i < EDGES_LEN ? edges[i] : r >> (next_random(&seed) % 64);
	}
}

static void bounds(void **state)
{
	uint64_t values[5000];

	(void)state;
	fill_values(values, 5000, 1);
	for (size_t i = 0; i < 5000; i++) {
		uint64_t v = values[i], le = hist_le(v);

		assert_true(le >= v);
		if (v < 64)
			assert_true(le == v);
		assert_true(le - v <= v / 64);
		assert_true(hist_le(le) == le);
		if (le < UINT64_MAX)
			assert_true(hist_le(le + 1) > le);
	}
	assert_true(hist_le(127) == 127);
	assert_true(hist_le(128) == 129);
	assert_true(hist_le(1ULL << 63) == (1ULL << 63) + (1ULL << 57) - 1);
	assert_true(hist_le(UINT64_MAX) == UINT64_MAX);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The same from the sorted values: the least bound with a share p at or below it. */
static uint64_t brute_percentile(const uint64_t *sorted, size_t n, double p)
{
	size_t i = 0;

	while ((double)(i + 1) / (double)n < p)
		i++;
	return hist_le(sorted[i]) < sorted[n - 1] ? hist_le(sorted[i]) : sorted[n - 1];
}

static void percentiles(void **state)
{
	static const double shares[] = {0.001, 0.01, 0.07, 0.29, 0.5, 0.57, 0.9, 0.99, 0.999, 1};
	uint64_t values[1000];

	(void)state;
	for (size_t n = 1; n <= 1000; n = n < 110 ? n + 1 : n * 3) {
		struct hist h = {0};

		fill_values(values, n, n);
		for (size_t i = 0; i < n; i++)
			hist_add(&h, values[i], 1);
		qsort(values, n, sizeof(*values), by_value);
		assert_true(h.min == values[0] && h.max == values[n - 1] && h.count == n);
		for (size_t k = 0; k < sizeof(shares) / sizeof(shares[0]); k++)
			assert_true(hist_percentile(&h, shares[k]) ==
				    brute_percentile(values, n, shares[k]));
		hist_release(&h);
	}
}

static void percentile_is_at_most_max(void **state)
{
	struct hist h = {0};

	(void)state;
	assert_true(hist_percentile(&h, 0.5) == UINT64_MAX);
	hist_add(&h, 1000000, 10);
	assert_true(hist_le(1000000) > 1000000);
	assert_true(hist_percentile(&h, 0.5) == 1000000);
	assert_true(hist_percentile(&h, 1) == 1000000);
	hist_release(&h);
}

struct flat {
	uint64_t le[HIST_OCTAVES * HIST_SUB], count[HIST_OCTAVES * HIST_SUB];
	size_t len;
};

static void collect(void *ctx, uint64_t le, uint64_t count)
{
	struct flat *f = ctx;

	assert_true(count > 0);
	if (f->len)
		assert_true(le > f->le[f->len - 1]);
	f->le[f->len] = le;
	f->count[f->len++] = count;
}

/* What a result holds of a histogram, added: as its readers merge. */
static void add_bucket(void *ctx, uint64_t le, uint64_t count)
{
	hist_add(ctx, le, count);
}

static void merging_is_exact(void **state)
{
	struct hist all = {0}, parts[3] = {0}, merged = {0};
	uint64_t values[3000], counts = 0;
	static struct flat x, y;

	(void)state;
	fill_values(values, 3000, 42);
	for (size_t i = 0; i < 3000; i++) {
		hist_add(&all, values[i], i % 5);
		hist_add(&parts[i % 3], values[i], i % 5);
		counts += i % 5;
	}
	for (size_t i = 0; i < 3; i++)
		hist_each(&parts[i], add_bucket, &merged);
	hist_each(&all, collect, &x);
	hist_each(&merged, collect, &y);
	assert_int_equal(x.len, y.len);
	assert_memory_equal(x.le, y.le, x.len * sizeof(*x.le));
	assert_memory_equal(x.count, y.count, x.len * sizeof(*x.count));
	for (size_t i = 0; i < x.len; i++)
		counts -= x.count[i];
	assert_true(counts == 0);
	for (size_t i = 0; i < 3; i++)
		hist_release(&parts[i]);
	hist_release(&all);
	hist_release(&merged);
}

static void sums(void **state)
{
	struct hist h = {0};

	(void)state;
	hist_add(&h, 7, 0);
	assert_true(h.count == 0 && h.max == 0);
	hist_add(&h, 7, 3);
	hist_add(&h, 0, 2);
	assert_true(h.sum == 21 && h.count == 5 && h.min == 0 && h.max == 7);
	hist_add(&h, UINT64_MAX, 2);
	assert_true(h.sum == INT64_MAX && h.count == 7);
	hist_add(&h, 1, 1);
	assert_true(h.sum == INT64_MAX);
	hist_release(&h);
	assert_true(h.count == 0);
	hist_release(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds),
		cmocka_unit_test(percentiles),
		cmocka_unit_test(percentile_is_at_most_max),
		cmocka_unit_test(merging_is_exact),
		cmocka_unit_test(sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
