/* SPDX-License-Identifier: GPL-3.0-only */
/* Which changes of a series are whose: exact, noisy, another machine's. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "common/history/trend.h"

enum { RUNS = 5 };

static struct trend_series series(const char *kind)
{
	return (struct trend_series){
		.scenario = "s", .type = "io", .unit = "ns", .kind = kind, .worse = 1};
}

/* A version whose runs are spread by `spread` around its level. */
static void add(struct trend_series *s, double level, double spread, const char *machine)
{
	struct trend_point *p = VEC_PUSH(&s->points);

	*p = (struct trend_point){.label = "v", .median = level};
	p->min = level - 2 * spread;
	p->max = level + 2 * spread;
	for (int i = 0; i < RUNS; i++)
		*VEC_PUSH(&p->values) = (struct trend_value){level + (i - 2) * spread, machine};
}

static void release(struct trend_series *s)
{
	for (size_t i = 0; i < s->points.len; i++)
		free(s->points.at[i].values.at);
	free(s->points.at);
	free(s->changes.at);
}

/* So that no two levels are the same. */
static double wobble(int i)
{
	return (i * 7) % 5 - 2;
}

static void a_machine_is_no_program(void **ctx)
{
	struct trend_series s = series("time");

	(void)ctx;
	for (int i = 0; i < 20; i++)
		add(&s, (i < 10 ? 1000 : 1500) + wobble(i), 3, i < 10 ? "a" : "b");
	trend_find(&s);
	assert_int_equal(s.changes.len, 1);
	assert_int_equal(s.changes.at[0].why, TREND_MACHINE);
	assert_int_equal(s.changes.at[0].at, 10);
	assert_int_equal(trend_direction(&s, &s.changes.at[0]), 0);
	release(&s);
}

/* Two machines in turns, one twice as fast: the program's change is found on each. */
static void machines_in_turns(void **ctx)
{
	struct trend_series s = series("time");

	(void)ctx;
	for (int i = 0; i < 24; i++)
		add(&s, (i < 12 ? 1000 : 1200) * (i % 2 ? 2 : 1) + wobble(i), 3, i % 2 ? "b" : "a");
	trend_find(&s);
	size_t noisy = 0;

	for (size_t i = 0; i < s.changes.len; i++)
		if (s.changes.at[i].why == TREND_NOISY) {
			noisy++;
			assert_in_range(s.changes.at[i].at, 12, 13);
			assert_int_equal(trend_direction(&s, &s.changes.at[i]), 1);
		}
	assert_in_range(noisy, 1, 2);
	release(&s);
}

static void a_change_on_one_machine(void **ctx)
{
	struct trend_series s = series("time");

	(void)ctx;
	s.worse = -1;
	for (int i = 0; i < 20; i++)
		add(&s, (i < 10 ? 1000 : 1500) + wobble(i), 3, "a");
	trend_find(&s);
	assert_int_equal(s.changes.len, 1);
	assert_int_equal(s.changes.at[0].why, TREND_NOISY);
	assert_int_equal(s.changes.at[0].at, 10);
	assert_int_equal(trend_direction(&s, &s.changes.at[0]), -1);
	release(&s);
}

static void exact_counts(void **ctx)
{
	struct trend_series s = series("count");

	(void)ctx;
	for (int i = 0; i < 6; i++)
		add(&s, i < 3 ? 100 : 101, 0, i < 2 ? "a" : "b");
	/* In between one that was not measured. */
	s.points.at[3].median = s.points.at[3].min = s.points.at[3].max = NAN;
	for (size_t i = 0; i < RUNS; i++)
		s.points.at[3].values.at[i].value = NAN;
	trend_find(&s);
	assert_int_equal(s.changes.len, 1);
	assert_int_equal(s.changes.at[0].why, TREND_EXACT);
	assert_int_equal(s.changes.at[0].at, 4);
	assert_true(s.changes.at[0].before == 100 && s.changes.at[0].after == 101);
	release(&s);
}

static void too_few_runs(void **ctx)
{
	struct trend_series s = series("count"), t = series("time");

	(void)ctx;
	for (int i = 0; i < 20; i++) {
		add(&s, i < 10 ? 100 : 200, 0, "a");
		add(&t, (i < 10 ? 100 : 200) + wobble(i) / 10, 0.1, "a");
		s.points.at[i].values.len = t.points.at[i].values.len = 2;
	}
	trend_find(&s);
	trend_find(&t);
	assert_int_equal(s.changes.len, 0);
	assert_int_equal(t.changes.len, 0);
	assert_int_equal(t.few, 20);
	release(&s);
	release(&t);
}

/* A step that nobody could overlook: whether it is chance cannot be told from so few. */
static void too_few_versions(void **ctx)
{
	(void)ctx;
	for (int n = 6; n <= 12; n++) {
		struct trend_series t = series("time"), s = series("count");

		for (int i = 0; i < n; i++) {
			add(&t, (i < n / 2 ? 100 : 200) + wobble(i) / 10, 0.1, "a");
			add(&s, i < n / 2 ? 100 : 200, 0, "a");
		}
		trend_find(&t);
		trend_find(&s);
		assert_int_equal(t.judged, n);
		if (n != 10 && n != 11) /* where it hangs on the permutations that are drawn */
			assert_int_equal(t.changes.len, n > 10);
		assert_true(s.judged == SIZE_MAX);
		assert_int_equal(s.changes.len, 1);
		release(&t);
		release(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_is_no_program),
		cmocka_unit_test(machines_in_turns),
		cmocka_unit_test(a_change_on_one_machine),
		cmocka_unit_test(exact_counts),
		cmocka_unit_test(too_few_runs),
		cmocka_unit_test(too_few_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
