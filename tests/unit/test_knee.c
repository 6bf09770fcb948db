/* SPDX-License-Identifier: GPL-3.0-only */
/* From which value on a larger one does not pay: of costs that are known, and of simulated ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/compare/knee.h"

enum { POINTS_MAX = 8, RUNS_MAX = 32, TRIALS = 400 };

/* ---- costs that are the same in every run ---- */

static struct knee exact(const double *costs, size_t len, size_t runs, struct knee_over *over)
{
	double values[POINTS_MAX][RUNS_MAX];
	struct knee_point points[POINTS_MAX];
	struct knee k;

	for (size_t i = 0; i < len; i++) {
		for (size_t r = 0; r < runs; r++)
			values[i][r] = costs[i];
		points[i] = (struct knee_point){values[i], runs};
	}
	knee_find(points, len, &k, over);
	return k;
}

static void what_is_known(void **state)
{
	static const struct {
		double costs[POINTS_MAX];
		size_t len, runs;
		enum knee_verdict verdict;
		size_t at;
	} rows[] = {
		{{200, 102, 100}, 3, 5, KNEE_FOUND, 1},
		{{200, 105, 100}, 3, 5, KNEE_FOUND, 1}, /* the tolerance itself is within it */
		{{200, 106, 100}, 3, 5, KNEE_FALLING, 2},
		{{400, 200, 103, 100, 130}, 5, 5, KNEE_FOUND, 2},
		{{104, 102, 100}, 3, 5, KNEE_FLAT, 0},
		{{100, 100}, 2, 5, KNEE_FLAT, 0},
		{{100, 150, 200}, 3, 5, KNEE_SMALLEST, 0},
		{{102, 100, 200}, 3, 5, KNEE_SMALLEST, 0},
		{{400, 200, 100}, 3, 5, KNEE_FALLING, 2},
		{{200, 100}, 2, 5, KNEE_FALLING, 1},
		{{200, 102, 100}, 3, 4, KNEE_FEW_RUNS, 0},
		{{200, 100}, 2, 3, KNEE_FEW_RUNS, 0},
		{{200, 100}, 2, 4, KNEE_FALLING, 1},
		{{200, NAN, 100}, 3, 5, KNEE_NOT_MEASURED, 0},
		{{200, 0, 100}, 3, 5, KNEE_NOT_MEASURED, 0},
		{{200, INFINITY, 100}, 3, 5, KNEE_NOT_MEASURED, 0},
		{{200, -1, 100}, 3, 5, KNEE_NOT_MEASURED, 0},
	};
	struct knee_over over[POINTS_MAX];

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct knee k = exact(rows[i].costs, rows[i].len, rows[i].runs, over);

		print_message("# row %zu\n", i);
		assert_int_equal(k.verdict, rows[i].verdict);
		if (k.verdict == KNEE_FOUND)
			assert_int_equal(k.at, rows[i].at);
	}
}

static void what_is_needed(void **state)
{
	struct knee_over over[POINTS_MAX];
	const double costs[] = {200, 110, 101, 100, 100, 100, 100, 100};

	(void)state;
	/* 2 / C(2n, n) of the exact test, for as many values as are held against the best. */
	assert_int_equal(exact(costs, 2, 1, over).runs_needed, 4);
	assert_int_equal(exact(costs, 3, 1, over).runs_needed, 5);
	assert_int_equal(exact(costs, 7, 1, over).runs_needed, 5);
	assert_int_equal(exact(costs, 8, 1, over).runs_needed, 6);
	/* Medians are told of the fewest runs, intervals are not. */
	exact(costs, 3, 2, over);
	assert_true(over[0].over.ratio > 1.9 && isnan(over[0].over.low));
}

static void places(void **state)
{
	struct knee_over over[POINTS_MAX];
	const double costs[] = {150, 100, 103};
	struct knee k = exact(costs, 3, 5, over);

	(void)state;
	assert_int_equal(k.best, 1);
	assert_int_equal(over[0].place, PLACE_ABOVE);
	assert_int_equal(over[1].place, PLACE_WITHIN);
	assert_int_equal(over[2].place, PLACE_WITHIN);
	assert_true(over[0].over.low == 1.5 && over[0].over.high == 1.5);
}

static void an_interval_with_the_tolerance_in_it(void **state)
{
	double small[] = {104, 107, 101, 110, 106}, large[] = {100, 101, 99, 100, 102};
	const struct knee_point points[] = {{small, 5}, {large, 5}};
	struct knee_over over[2];
	struct knee k;

	(void)state;
	knee_find(points, 2, &k, over);
	assert_int_equal(k.verdict, KNEE_UNSURE);
	assert_int_equal(over[0].place, PLACE_UNKNOWN);
	assert_true(k.runs_needed > 5);
}

/* 2 / C(10, 5) is just below 0.05 / 6: of so many values an interval is that of all ratios. */
static void the_level_is_that_of_all_values_together(void **state)
{
	double values[7][5];
	struct knee_point points[7];
	struct knee_over over[7];
	struct knee k;

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		for (size_t r = 0; r < 5; r++)
			values[i][r] = 100 * (i ? 2 : 1) + (double)r;
		points[i] = (struct knee_point){values[i], 5};
	}
	knee_find(points, 7, &k, over);
	assert_true(over[1].over.low == 200.0 / 104 && over[1].over.high == 204.0 / 100);
	knee_find(points, 4, &k, over);
	assert_true(over[1].over.low > 200.0 / 104 && over[1].over.high < 204.0 / 100);
}

/* ---- simulated ---- */

static uint64_t seed;

/* Between 0 and 1, neither of them (splitmix64). */
static double uniform(void)
{
	uint64_t z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return ((double)((z ^ z >> 31) >> 11) + 0.5) / 0x1p53;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

struct world {
	const double *costs;
	size_t len, runs;
	double noise; /* standard deviation of log(cost) */
	double slow;  /* share of runs that take half as long again */
	double drift; /* by how much the machine gets slower from the first run to the last */
};

/* Values in turns, there and back, as they are run. */
static struct knee trial(const struct world *w)
{
	double values[POINTS_MAX][RUNS_MAX], turns = (double)(w->runs * w->len - 1);
	struct knee_point points[POINTS_MAX];
	struct knee_over over[POINTS_MAX];
	struct knee k;
	size_t turn = 0;

	for (size_t r = 0; r < w->runs; r++)
		for (size_t i = 0; i < w->len; i++, turn++) {
			size_t at = r % 2 ? w->len - 1 - i : i;
			double cost = w->costs[at] * exp(w->noise * normal());

			cost *= uniform() < w->slow ? 1.5 : 1;
			values[at][r] = cost * (1 + w->drift * (double)turn / turns);
		}
	for (size_t i = 0; i < w->len; i++)
		points[i] = (struct knee_point){values[i], w->runs};
	knee_find(points, w->len, &k, over);
	return k;
}

/* Of so many trials the share with that verdict (and there, if it is a knee). */
static double share(const struct world *w, enum knee_verdict verdict, size_t at)
{
	size_t found = 0;

	seed = 1;
	for (size_t i = 0; i < TRIALS; i++) {
		struct knee k = trial(w);

		found += k.verdict == verdict && (verdict != KNEE_FOUND || k.at == at);
	}
	return (double)found / (double)TRIALS;
}

/* A knee anywhere, or that it pays to go to the largest value. */
static double false_claims(const struct world *w)
{
	size_t found = 0;

	seed = 2;
	for (size_t i = 0; i < TRIALS; i++) {
		struct knee k = trial(w);

		found += k.verdict == KNEE_FOUND || k.verdict == KNEE_FALLING;
	}
	return (double)found / (double)TRIALS;
}

static const double flat[] = {100, 100, 100, 100, 100, 100, 100, 100};

static void no_knee_where_there_is_none(void **state)
{
	static const double noises[] = {0, 0.01, 0.03, 0.1, 0.3};

	(void)state;
	for (size_t len = 2; len <= POINTS_MAX; len += 3)
		for (size_t n = 0; n < LEN(noises); n++) {
			const struct world quiet = {flat, len, 6, noises[n], 0, 0};
			const struct world slow = {flat, len, 8, noises[n], 0.15, 0};
			const struct world drifting = {flat, len, 6, noises[n], 0, 0.3};

			print_message("# %zu values, noise %g\n", len, noises[n]);
			assert_true(false_claims(&quiet) <= 0.05);
			assert_true(false_claims(&slow) <= 0.05);
			assert_true(false_claims(&drifting) <= 0.05);
		}
}

static void flat_is_said_to_be_flat(void **state)
{
	const struct world w = {flat, 4, 6, 0.01, 0, 0};

	(void)state;
	assert_true(share(&w, KNEE_FLAT, 0) >= 0.95);
}

/* Cost a + b / value, as that of a call which is paid for by what it moves. */
static void a_planted_knee_is_found(void **state)
{
	static const double three[] = {140, 101, 100}, five[] = {300, 150, 118, 101, 100};
	static const double late[] = {180, 130, 100, 101, 150};
	static const struct {
		struct world world;
		size_t at;
	} rows[] = {
		{{three, 3, 5, 0.01, 0, 0}, 1},
		{{three, 3, 12, 0.02, 0, 0}, 1},
		{{five, 5, 7, 0.01, 0, 0}, 3},
		{{five, 5, 8, 0.005, 0, 0.05}, 3},
		{{late, 5, 6, 0.01, 0, 0}, 2},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		double found = share(&rows[i].world, KNEE_FOUND, rows[i].at);

		print_message("# row %zu: found in %.1f%%\n", i, 100 * found);
		assert_true(found >= 0.95);
	}
}

static void what_still_falls_is_said_to_fall(void **state)
{
	static const double costs[] = {200, 160, 130, 100};
	const struct world w = {costs, 4, 5, 0.03, 0, 0};

	(void)state;
	assert_true(share(&w, KNEE_FALLING, 0) >= 0.95);
}

/* A knee that lies elsewhere than it is said to lie is as false as one that is none. */
static void a_knee_is_not_put_elsewhere(void **state)
{
	static const double costs[] = {200, 110, 101, 100};

	(void)state;
	for (double noise = 0.005; noise < 0.3; noise *= 2) {
		const struct world w = {costs, 4, 6, noise, 0, 0};

		print_message("# noise %g\n", noise);
		assert_true(share(&w, KNEE_FOUND, 1) <= 0.05);
		assert_true(share(&w, KNEE_FALLING, 0) <= 0.05);
		assert_true(share(&w, KNEE_FLAT, 0) + share(&w, KNEE_SMALLEST, 0) <= 0.05);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_known),
		cmocka_unit_test(what_is_needed),
		cmocka_unit_test(places),
		cmocka_unit_test(an_interval_with_the_tolerance_in_it),
		cmocka_unit_test(the_level_is_that_of_all_values_together),
		cmocka_unit_test(no_knee_where_there_is_none),
		cmocka_unit_test(flat_is_said_to_be_flat),
		cmocka_unit_test(a_planted_knee_is_found),
		cmocka_unit_test(what_still_falls_is_said_to_fall),
		cmocka_unit_test(a_knee_is_not_put_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
