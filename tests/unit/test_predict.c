/* SPDX-License-Identifier: GPL-3.0-only */
/* What the cost models of several runs say of another: the rules, and how often a simulated run is
 * where it was said to be. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/analyze/predict.h"
#include "common/base/student.h"
#include "tracer/agg/batch.h"

static void assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("got %.6f, expected %.6f", got, want);
}

/* From printed tables. */
static void students_t(void **state)
{
	static const struct {
		double df, t;
	} rows[] = {{1, 12.7062}, {2, 4.3027}, {3, 3.1824}, {4, 2.7764}, {5, 2.5706}, {9, 2.2622},
		{10, 2.2281}, {30, 2.0423}, {97, 1.9847}, {98, 1.9845}, {120, 1.9799},
		{1e9, 1.95996}};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		assert_near(student_quantile(rows[i].df), rows[i].t, 0.0006);
}

/* ---- lines that are known ---- */

/* Sizes 2, 4 and 8 that cost exactly a + b x size, bent by `bend` x size^2. */
static struct cost exact(double a, double b, double bend)
{
	static const double units[] = {2, 4, 8};
	struct res_by_transferred sizes[3] = {0};
	struct res_batch batch = {.by_transferred = {sizes, 3}};

	for (size_t i = 0; i < 3; i++) {
		double ns = a + b * units[i] + bend * units[i] * units[i];

		sizes[i].key = i == 0 ? "2" : i == 1 ? "4" : "8";
		sizes[i].calls = 100;
		sizes[i].total_ns = (uint64_t)(100 * ns + 0.5);
		sizes[i].sum_sq_ns = 100 * ns * ns;
	}
	return cost_fit(&batch);
}

static void few_runs_cannot_predict(void **state)
{
	struct cost runs[5];

	(void)state;
	for (size_t i = 0; i < 5; i++)
		runs[i] = exact(8000 + 100 * (double)i, 100, 0);
	for (size_t n = 1; n < 5; n++) {
		struct prediction p = predict(runs, n, 8);

		assert_int_equal(p.state, PREDICT_FEW_RUNS);
		assert_int_equal(p.runs, n);
	}
	assert_int_equal(predict(runs, 5, 8).state, PREDICT_OK);
}

/* ln of 1000 .. 1400 in five steps: mean 7.0827, deviation 0.13304 (by hand), t 2.7764. */
static void runs_scatter_as_a_new_one_will(void **state)
{
	struct cost runs[5];
	struct prediction p;
	double half = 2.7764 * 0.13304 * sqrt(1.2);

	(void)state;
	for (size_t i = 0; i < 5; i++)
		runs[i] = exact(8000 + 800 * (double)i, 0, 0);
	p = predict(runs, 5, 8);
	assert_int_equal(p.beyond, 0);
	assert_near(p.unit_ns, 1200, 0.5);
	assert_near(log(p.high), 7.08275 + half, 0.001);
	assert_near(log(p.low), 7.08275 - half, 0.001);
	/* from 14 / 3 units a call to 8 */
	assert_near(p.share, 1 - 14.0 / 3 / 8, 0.001);
	assert_near(p.share_low, 1 - p.high / p.now_ns, 1e-9);
}

/* Nothing scatters: what is left is that nothing was measured there. */
static void beyond_the_sizes_it_widens(void **state)
{
	struct cost runs[5];
	double before = 0;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		runs[i] = exact(8000, 100, 0);
	for (double units = 2; units <= 64; units *= 2) {
		struct prediction p = predict(runs, 5, units);
		double half = log(p.high / p.low) / 2;

		assert_int_equal(p.beyond, units > 8);
		assert_near(half, units > 8 ? PREDICT_BEYOND * log2(units / 8) : 0, 1e-4);
		assert_true(half >= before - 1e-9);
		before = half;
	}
}

/* 3% of the time at 8 is of its square: what lies beyond is inside all the same. */
static void a_bend_widens(void **state)
{
	for (int sign = -1; sign <= 1; sign += 2) {
		double bend = sign * 8800 * 0.03 / 64;
		struct cost runs[5];

		(void)state;
		for (size_t i = 0; i < 5; i++)
			runs[i] = exact(8000, 100, bend);
		for (double units = 4; units <= 32; units *= 2) {
			struct prediction p = predict(runs, 5, units);
			double is = 8000 / units + 100 + bend * units;

			/* sums are of whole ns, and logarithms are no shares */
			if (!(p.low * 0.999 <= is && is <= p.high * 1.001))
				fail_msg("at %.0f units %.1f ns, not %.1f to %.1f", units, is,
					p.low, p.high);
		}
	}
}

/* One run was held up for as long as it took: a new one may be, too, but it is not quicker for it.
 */
static void a_run_that_is_held_up_says_nothing_of_quicker_ones(void **state)
{
	struct cost runs[5];
	struct prediction p;

	(void)state;
	for (size_t i = 0; i < 5; i++)
		runs[i] = exact(8000 + 10 * (double)i, 100, 0);
	runs[2].unusual = 2;
	p = predict(runs, 5, 8);
	assert_near(p.unit_ns, 1103.75, 0.01); /* of 8030 */
	assert_true(p.low > 1090);
	assert_true(p.high > 2100);
}

static void no_time_is_no_prediction(void **state)
{
	struct cost runs[5];

	(void)state;
	for (size_t i = 0; i < 5; i++)
		runs[i] = exact(8000, 100, 0);
	/* a unit more takes time away: at 100 none would be left */
	runs[3] = exact(8000, -300, 0);
	assert_int_equal(predict(runs, 5, 8).state, PREDICT_OK);
	assert_int_equal(predict(runs, 5, 100).state, PREDICT_NO_TIME);
}

/* ---- simulated runs ---- */

static uint64_t rng = 1;

static double uniform(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return ((double)(rng >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

/* How the machine and the program behave. */
struct world {
	const char *name;
	double a, b;      /* ns of a call and of a unit */
	double bend;      /* share of the time more at the double size than the line says */
	double run;       /* deviation between runs, of all times and of a and b apart */
	double disturbed; /* share of runs that take a third longer */
	double call;      /* deviation of a call, as a share, more with its size */
	double slow;      /* share of calls that are preempted */
	double width;     /* the interval may be so wide either way, as a share */
};

static const struct world worlds[] = {
	{"quiet", 400, 10, 0, 0.01, 0, 0.05, 0, 0.1},
	{"runs differ", 400, 10, 0, 0.06, 0, 0.1, 0.0005, 0.5},
	{"busy", 400, 10, 0.02, 0.04, 0.08, 0.2, 0.002, 0.8},
	{"units dominate", 3000, 2000, 0.02, 0.03, 0.05, 0.2, 0.002, 0.3},
	{"bent", 3000, 500, 0.06, 0.02, 0.05, 0.1, 0.001, 0.2},
	{"calls scatter", 2000, 300, 0, 0.03, 0, 0.6, 0.005, 0.8},
};

#define CALLS 2000

/* The line of a run with batches of batch/2 to batch. */
static struct cost simulated(const struct world *w, unsigned int batch)
{
	double all = exp(w->run * normal()) * (uniform() < w->disturbed ? 1.33 : 1);
	double a = w->a * exp(w->run * normal()) * all, b = w->b * exp(w->run * normal()) * all;
	static const struct sys_def sends = {.name = "sendmmsg", .unit = BATCH_MESSAGES};
	struct sys_event ev = {.def = &sends, .outcome = SYS_RETURNED, .ret = 1};
	struct res_result *r = result_new();
	struct batch sums = {0};
	struct cost cost;

	for (unsigned int i = 0; i < CALLS; i++) {
		unsigned int units = batch / 2 + (unsigned int)(uniform() * (batch / 2 + 1));
		struct call c = {.ev = &ev, .fate = CALL_OK, .batch_moved = units};
		double deviation = w->call * (0.5 + units / 16.0);
		double ns = (a + b * units) * (1 + w->bend * log2(units / 6.0)) *
			    exp(deviation * normal());

		if (uniform() < w->slow)
			ns += 20000 - 80000 * log(uniform());
		ev.m.batch_asked = units;
		c.wall_ns = (uint64_t)ns;
		batch_add(&sums, &c);
	}
	cost = cost_fit(batch_result(&sums, r));
	batch_release(&sums);
	result_free(r);
	return cost;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

enum { TRIALS = 200 };

/* Of 200 new runs at about twice the batch, those that were where `n` runs said; ret_wide: half the
 * median width, as a share. */
static int covered(const struct world *w, size_t n, double *ret_wide)
{
	double wide[TRIALS];
	int inside = 0;

	for (int i = 0; i < TRIALS; i++) {
		struct cost runs[10], fresh = simulated(w, 16);
		struct prediction p;

		for (size_t k = 0; k < n; k++)
			runs[k] = simulated(w, 8);
		p = predict(runs, n, fresh.mean_units);
		assert_true(p.beyond || p.state == PREDICT_NO_TIME);
		wide[i] = p.state == PREDICT_OK ? (p.high - p.low) / 2 / p.unit_ns : INFINITY;
		inside += p.low <= fresh.unit_ns && fresh.unit_ns <= p.high;
	}
	qsort(wide, TRIALS, sizeof(*wide), by_value);
	*ret_wide = wide[TRIALS / 2];
	return inside;
}

static void most_new_runs_are_where_it_said(void **state)
{
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < LEN(worlds); i++)
		for (size_t n = 5; n <= 10; n += 5) {
			double wide;
			int inside;

			rng = 20260131;
			inside = covered(&worlds[i], n, &wide);
			print_message("# %s, %zu runs: %d of %d, to +-%.0f%%\n", worlds[i].name, n,
				inside, TRIALS, wide * 100);
			/* .. and not by saying anything at all */
			failed += inside < TRIALS * 85 / 100 || !(wide < worlds[i].width);
		}
	assert_int_equal(failed, 0);
}

/* The same run with a call in 500 preempted says the same of a and b. */
static void slow_calls_do_not_bend_the_line(void **state)
{
	struct world w = {"", 400, 10, 0, 0, 0, 0.1, 0, 0};
	struct cost quiet, busy;

	(void)state;
	rng = 99;
	quiet = simulated(&w, 8);
	w.slow = 0.002;
	rng = 99;
	busy = simulated(&w, 8);
	assert_near(busy.fixed_ns / quiet.fixed_ns, 1, 0.1);
	assert_near(busy.each_ns, quiet.each_ns, 5);
	assert_near(quiet.unusual, 1, 0.001);
	assert_true(busy.unusual > 1.2);
	/* the time is that of all calls */
	assert_near(cost_unit_ns(&busy, busy.mean_units) / busy.unit_ns, 1, 0.01);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(students_t),
		cmocka_unit_test(few_runs_cannot_predict),
		cmocka_unit_test(runs_scatter_as_a_new_one_will),
		cmocka_unit_test(beyond_the_sizes_it_widens),
		cmocka_unit_test(a_bend_widens),
		cmocka_unit_test(a_run_that_is_held_up_says_nothing_of_quicker_ones),
		cmocka_unit_test(no_time_is_no_prediction),
		cmocka_unit_test(most_new_runs_are_where_it_said),
		cmocka_unit_test(slow_calls_do_not_bend_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
