/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/base/clock.h"
#include "tracer/recorder/tsc.h"

static void ticks_are_counted_from_the_newest_point(void **state)
{
	/* 2.5 ticks a nanosecond, and the newest point days after the first. */
	const struct tsc t = {
		.first = {1000, 7, 0}, .now = {1ULL << 60, 1ULL << 59, 0}, .ns_per_tick = 0.4};

	(void)state;
	assert_int_equal(tsc_to_ns(&t, t.now.ticks), t.now.ns);
	assert_int_equal(tsc_to_ns(&t, t.now.ticks + 2500000), t.now.ns + 1000000);
	assert_int_equal(tsc_to_ns(&t, t.now.ticks - 2500000), t.now.ns - 1000000);
}

/* A new point is between what the clocks said before and after, and the rate is of both points. */
static void a_sync_takes_a_new_point(void **state)
{
	struct tsc t;

	(void)state;
	tsc_init(&t);
	for (int i = 0; i < 3; i++) {
		uint64_t ticks = tsc_now(), ns = clock_mono_ns();
		double span_ns, span_ticks;

		tsc_sync(&t);
		assert_in_range(t.now.ticks, ticks, tsc_now());
		assert_in_range(t.now.ns, ns, clock_mono_ns());
		span_ns = (double)(t.now.ns - t.first.ns);
		span_ticks = (double)(t.now.ticks - t.first.ticks);
		assert_true(span_ns >= 1000000);
		assert_true(t.ns_per_tick * span_ticks > span_ns - 1);
		assert_true(t.ns_per_tick * span_ticks < span_ns + 1);
		assert_int_equal(tsc_to_ns(&t, t.now.ticks), t.now.ns);
	}
}

/* ---- a simulated machine: 2.5 ticks a nanosecond, a point every 200 ms ---- */

#define STEP_NS    200000000ULL
#define STEP_TICKS 500000000ULL

struct machine {
	struct tsc tsc;
	struct tsc_point at;
};

static void begin(struct machine *m, uint64_t ticks)
{
	m->at = (struct tsc_point){ticks, 1000000007, 60};
	m->tsc = (struct tsc){.first = m->at};
}

static void step(struct machine *m, int64_t jump_ticks)
{
	m->at.ticks += STEP_TICKS + (uint64_t)jump_ticks;
	m->at.ns += STEP_NS;
	tsc_take(&m->tsc, &m->at);
}

static void steps(struct machine *m, int n)
{
	while (n-- > 0)
		step(m, 0);
}

#define NEAR(is, want) assert_in_range(is, (want)-10, (want) + 10)

/* The hours that a machine slept are in no time: not before, not after, not of a call over them. */
static void a_sleeping_machine(void **state)
{
	static const struct {
		uint64_t first;
		int64_t jump; /* forward, to where a counter begins anew, from beyond its middle */
	} rows[] = {{1ULL << 40, 9000000000000}, {1ULL << 40, -1000000000000},
		{1ULL << 63, (int64_t)(1ULL << 63)}, {5ULL << 60, -(int64_t)(4ULL << 60)}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct machine m;
		struct tsc_point long_before, before, after;

		begin(&m, rows[i].first);
		steps(&m, 5);
		long_before = m.at;
		steps(&m, 5);
		before = m.at;
		step(&m, rows[i].jump);
		after = m.at;
		for (int k = 0; k < 3; k++) {
			assert_int_equal(m.tsc.jumps_len, 1);
			assert_true(m.tsc.ns_per_tick > 0.3999999 && m.tsc.ns_per_tick < 0.4000001);
			NEAR(tsc_to_ns(&m.tsc, long_before.ticks), long_before.ns);
			NEAR(tsc_to_ns(&m.tsc, before.ticks), before.ns);
			NEAR(tsc_to_ns(&m.tsc, before.ticks + 100000000), before.ns + 40000000);
			NEAR(tsc_to_ns(&m.tsc, after.ticks - 100000000), after.ns - 40000000);
			NEAR(tsc_to_ns(&m.tsc, after.ticks), after.ns);
			NEAR(tsc_to_ns(&m.tsc, m.at.ticks + 2500), m.at.ns + 1000);
			steps(&m, 5);
		}
	}
}

/* More often than is kept: what is new is right all the same. */
static void a_machine_that_sleeps_often(void **state)
{
	struct machine m;

	(void)state;
	begin(&m, 1ULL << 40);
	steps(&m, 5);
	for (int i = 0; i < 3 * TSC_JUMPS_MAX; i++) {
		struct tsc_point before = m.at;

		step(&m, i % 3 == 2 ? -2000000000000 : 3000000000000);
		NEAR(tsc_to_ns(&m.tsc, before.ticks + 1000), before.ns + 400);
		NEAR(tsc_to_ns(&m.tsc, m.at.ticks - 1000), m.at.ns - 400);
		steps(&m, 2);
	}
	assert_int_equal(m.tsc.jumps_len, TSC_JUMPS_MAX);
	assert_true(m.tsc.ns_per_tick > 0.3999999 && m.tsc.ns_per_tick < 0.4000001);
}

/* Numbers of the time that was slept, when nothing ran: a time all the same, and one that has been.
 */
static void what_is_no_time_is_none_before_the_first_point(void **state)
{
	struct machine m;
	struct tsc_point before;

	(void)state;
	begin(&m, 1ULL << 40);
	steps(&m, 5);
	before = m.at;
	step(&m, 9000000000000);
	steps(&m, 2);
	for (int k = 1; k < 8; k++)
		assert_in_range(tsc_to_ns(&m.tsc, before.ticks + (uint64_t)k * 1000000000000),
			m.tsc.first.ns, m.at.ns);
	assert_in_range(tsc_to_ns(&m.tsc, before.ticks - 5000000000000), m.tsc.first.ns, m.at.ns);
}

/* A clock that is slewed by 500 millionths, a point that was read in the time of an interrupt, a
 * tracer that was stopped for hours. */
static void no_jump_is_seen_where_none_is(void **state)
{
	struct machine m;

	(void)state;
	begin(&m, 1ULL << 40);
	m.tsc.first.ticks += 1000000; /* 0.4 ms, of a first distance of 1 ms */
	m.tsc.first.width = 2000000;
	m.at.ticks += 2500000;
	m.at.ns += 1000000;
	tsc_take(&m.tsc, &m.at);
	assert_true(m.tsc.ns_per_tick > 0.6);
	for (int i = 0; i < 20000; i++) {
		m.at.ns += i % 1000 < 500 ? 100000 : 0;
		step(&m, 0);
	}
	m.at.ticks += 36000 * STEP_TICKS;
	m.at.ns += 36000 * STEP_NS;
	step(&m, 0);
	assert_int_equal(m.tsc.jumps_len, 0);
	assert_true(m.tsc.ns_per_tick > 0.3999 && m.tsc.ns_per_tick < 0.4003);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_are_counted_from_the_newest_point),
		cmocka_unit_test(a_sync_takes_a_new_point),
		cmocka_unit_test(a_sleeping_machine),
		cmocka_unit_test(a_machine_that_sleeps_often),
		cmocka_unit_test(what_is_no_time_is_none_before_the_first_point),
		cmocka_unit_test(no_jump_is_seen_where_none_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
