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
	const struct tsc t = {.first_ticks = 1000,
		.first_ns = 7,
		.ticks = 1ULL << 60,
		.ns = 1ULL << 59,
		.ns_per_tick = 0.4};

	(void)state;
	assert_int_equal(tsc_to_ns(&t, t.ticks), t.ns);
	assert_int_equal(tsc_to_ns(&t, t.ticks + 2500000), t.ns + 1000000);
	assert_int_equal(tsc_to_ns(&t, t.ticks - 2500000), t.ns - 1000000);
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
		assert_in_range(t.ticks, ticks, tsc_now());
		assert_in_range(t.ns, ns, clock_mono_ns());
		span_ns = (double)(t.ns - t.first_ns);
		span_ticks = (double)(t.ticks - t.first_ticks);
		assert_true(span_ns >= 1000000);
		assert_true(t.ns_per_tick * span_ticks > span_ns - 1);
		assert_true(t.ns_per_tick * span_ticks < span_ns + 1);
		assert_int_equal(tsc_to_ns(&t, t.ticks), t.ns);
	}
}

/* In a long run the rate of its beginning was not good enough: a millionth is 86 ms a day. */
static void a_wrong_rate_does_not_last(void **state)
{
	struct tsc t, wrong;

	(void)state;
	tsc_init(&t);
	tsc_sync(&t);
	wrong = t;
	wrong.ns_per_tick *= 1.5;
	wrong.ns += 1000000000;
	tsc_sync(&wrong);
	assert_true(wrong.ns_per_tick < t.ns_per_tick * 1.25);
	assert_in_range(wrong.ns, t.ns, clock_mono_ns());
	assert_in_range(tsc_to_ns(&wrong, wrong.first_ticks), t.first_ns - 2, t.first_ns + 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_are_counted_from_the_newest_point),
		cmocka_unit_test(a_sync_takes_a_new_point),
		cmocka_unit_test(a_wrong_rate_does_not_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
