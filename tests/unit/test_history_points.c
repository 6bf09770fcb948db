/* SPDX-License-Identifier: GPL-3.0-only */
/* Change points, by simulation with fixed seeds. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "common/compare/stats.h"
#include "common/history/points.h"

enum { VERSIONS = 30, RUNS = 5, FLAT = 200, STEPS = 200 };

static uint64_t state;

static double uniform(void)
{
	state += 0x9E3779B97F4A7C15ULL;
	uint64_t z = state;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
	z ^= z >> 31;
	return ((double)(z >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

/* The median of a version's runs, as the trend takes it. */
static double version(double level, double noise)
{
	double runs[RUNS];

	for (int i = 0; i < RUNS; i++)
		runs[i] = level * (1 + noise * normal());
	return stats_median(runs, RUNS);
}

static void flat_series_have_no_points(void **ctx)
{
	struct points_change found[VERSIONS];
	int wrong[2] = {0};

	(void)ctx;
	/* 12%: where the least effect hides nothing, the test alone decides. */
	for (int k = 0; k < 2; k++) {
		state = (uint64_t)k;
		for (int i = 0; i < FLAT; i++) {
			double v[VERSIONS];

			for (int j = 0; j < VERSIONS; j++)
				v[j] = version(100, k ? 0.12 : 0.05);
			wrong[k] += points_find(v, VERSIONS, found) > 0;
		}
	}
	print_message("points in %d flat series: %d at 5%% noise, %d at 12%%\n", FLAT, wrong[0],
		wrong[1]);
	assert_true(wrong[0] <= FLAT / 20);
	assert_true(wrong[1] <= FLAT / 20);
}

/* Is the change known when the fifth version with it is there? */
static void a_step_is_found_within_five_versions(void **ctx)
{
	enum { BEFORE = 15, AFTER = 5 };
	struct points_change found[BEFORE + AFTER];
	int right = 0, only = 0;

	(void)ctx;
	state = 7;
	for (int i = 0; i < STEPS; i++) {
		double v[BEFORE + AFTER];
		size_t n, near = 0;

		for (int j = 0; j < BEFORE + AFTER; j++)
			v[j] = version(j < BEFORE ? 100 : 110, 0.05);
		n = points_find(v, BEFORE + AFTER, found);
		for (size_t k = 0; k < n; k++)
			near += found[k].at + 1 >= BEFORE && found[k].at <= BEFORE + 1;
		right += near > 0;
		only += near == 1 && n == 1;
	}
	print_message("of %d steps of 10%% at 5%% noise %d are found, %d as the only point\n",
		STEPS, right, only);
	assert_true(right >= STEPS * 19 / 20);
	assert_true(only >= STEPS * 18 / 20);
}

static void a_bump_has_two_ends(void **ctx)
{
	struct points_change found[VERSIONS];
	double v[VERSIONS];

	(void)ctx;
	state = 3;
	for (int j = 0; j < VERSIONS; j++)
		v[j] = version(j >= 12 && j < 18 ? 130 : 100, 0.03);
	assert_int_equal(points_find(v, VERSIONS, found), 2);
	assert_int_equal(found[0].at, 12);
	assert_int_equal(found[1].at, 18);
	assert_true(fabs(found[0].before - 100) < 5 && fabs(found[0].after - 130) < 6);
	assert_true(fabs(found[1].before - 130) < 6 && fabs(found[1].after - 100) < 5);
}

static void what_is_small_does_not_count(void **ctx)
{
	struct points_change found[VERSIONS];
	double v[VERSIONS];

	(void)ctx;
	/* No noise at all: the test is sure, the effect too small. */
	for (int j = 0; j < VERSIONS; j++)
		v[j] = j < 15 ? 100 + 0.01 * (j % 3) : 104 + 0.01 * (j % 3);
	assert_int_equal(points_find(v, VERSIONS, found), 0);
	for (int j = 15; j < VERSIONS; j++)
		v[j] += 2;
	assert_int_equal(points_find(v, VERSIONS, found), 1);
	assert_int_equal(found[0].at, 15);
}

static void sizes_at_the_edges(void **ctx)
{
	static double v[POINTS_MAX + 1];
	static struct points_change found[POINTS_MAX + 1];

	(void)ctx;
	for (size_t j = 0; j <= POINTS_MAX; j++)
		v[j] = j < 64 ? 1 : 2;
	assert_int_equal(points_find(v, 0, found), 0);
	assert_int_equal(points_find(v, 2 * POINTS_LEAST - 1, found), 0);
	assert_int_equal(points_find(v, POINTS_MAX + 1, found), 0);
	assert_int_equal(points_find(v, POINTS_MAX, found), 1);
	assert_int_equal(found[0].at, 64);
	/* All the same, zeros, from zero. */
	assert_int_equal(points_find(v, 64, found), 0);
	for (size_t j = 0; j < 20; j++)
		v[j] = j < 10 ? 0 : 5;
	assert_int_equal(points_find(v, 10, found), 0);
	assert_int_equal(points_find(v, 20, found), 1);
	assert_int_equal(found[0].at, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flat_series_have_no_points),
		cmocka_unit_test(a_step_is_found_within_five_versions),
		cmocka_unit_test(a_bump_has_two_ends),
		cmocka_unit_test(what_is_small_does_not_count),
		cmocka_unit_test(sizes_at_the_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
