/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/compare/limit.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void values_that_meet_limits(void **state)
{
	static const struct {
		const char *text;
		double meets, misses;
	} rows[] = {{">= 1.9", 1.9, 1.8999}, {"<= 12MiB", 12582912, 12582913}, {"== 120", 120, 121},
		{"> 0", 0.001, 0}, {"< 10", 9.99, 10}, {"  <=5ms", 5e6, 5000001},
		{"<= 50%", 0.5, 0.51}, {">=1GiB", 1073741824, 1073741823}, {"<= 2KiB", 2048, 2049},
		{"<= 3B", 3, 4}, {"<= 2s", 2e9, 2000000001}, {"<= 4us", 4000, 4001},
		{"<= 7ns", 7, 8}, {">= 57%", 0.57, 0.5699}, {"== 1.001ms", 1001000, 1001001},
		{"== 0.067s", 67000000, 67000001}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct limit l;

		print_message("# %s\n", rows[i].text);
		assert_int_equal(limit_parse(rows[i].text, &l, NULL), 0);
		assert_true(limit_met(&l, rows[i].meets));
		assert_false(limit_met(&l, rows[i].misses));
		assert_false(limit_met(&l, NAN));
	}
}

static void how_much_worse(void **state)
{
	struct limit l;

	(void)state;
	assert_int_equal(limit_parse("+2%", &l, NULL), 0);
	assert_int_equal(l.op, LIMIT_WORSE);
	assert_true(fabs(limit_tolerance(&l, 50) - 1) < 1e-9);
	assert_true(fabs(limit_tolerance(&l, -50) - 1) < 1e-9);
	assert_int_equal(limit_parse("+29%", &l, NULL), 0);
	assert_true(limit_tolerance(&l, 100) >= 29);
	assert_int_equal(limit_parse("+10", &l, NULL), 0);
	assert_true(limit_tolerance(&l, 50) == 10);
	assert_null(limit_rewrite("+10", 3));
}

static void what_is_no_limit(void **state)
{
	static const char *const rows[] = {"", "3", "fewer", ">=", ">= x", ">= 1 2", "<= 3 MB",
		">= 0x10", "<= inf", "<= nan", "<= -1", "=< 3", "+", "-5%", "<= 1e3"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct limit l;
		struct err err = {0};

		print_message("# %s\n", rows[i]);
		assert_int_not_equal(limit_parse(rows[i], &l, &err), 0);
		assert_non_null(strstr(err.text, rows[i]));
	}
}

/* What is rewritten allows the value, and keeps its form. */
static void limits_are_rewritten(void **state)
{
	static const struct {
		const char *text;
		double value;
		const char *is;
	} rows[] = {{"<= 120", 133, "<= 133"}, {">= 1.9", 1.23456, ">= 1.234"},
		{"<= 2.0", 2.33333, "<= 2.334"}, {"<= 12MiB", 13631488, "<= 13MiB"},
		{"<=5 ms", 7.1e6, "<= 7.1ms"}, {"== 3", 4.5, "== 4.5"}, {"> 2", 1.5, ">= 1.5"},
		{"< 100", 250, "<= 250"}, {">= 10", 0, ">= 0"}, {"> 2", 1.23456, ">= 1.234"},
		{"< 1", 1.23456, "<= 1.235"}, {"<= 120000", 133337, "<= 133337"},
		{"== 3", 4.56789, "== 4.56789"}, {"== 1", 12345678901, "== 12345678901"},
		{"<= 1", 2e15, "<= 2000000000000000"}, {"<= 1", 0.00000012, "<= 0.00000012"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *is = limit_rewrite(rows[i].text, rows[i].value);
		struct limit l;

		assert_string_equal(is, rows[i].is);
		assert_int_equal(limit_parse(is, &l, NULL), 0);
		assert_true(limit_met(&l, rows[i].value));
		free(is);
	}
	assert_null(limit_rewrite("<= 3", NAN));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_that_meet_limits),
		cmocka_unit_test(how_much_worse),
		cmocka_unit_test(what_is_no_limit),
		cmocka_unit_test(limits_are_rewritten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
