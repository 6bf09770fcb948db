/* SPDX-License-Identifier: GPL-3.0-only */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/units.h"

#define MAX UINT64_MAX

struct text_case {
	const char *(*form)(char *buf, uint64_t v);
	uint64_t v;
	const char *text;
};

static const struct text_case text_cases[] = {
	{units_thousands, 0, "0"},
	{units_thousands, 999, "999"},
	{units_thousands, 1000, "1,000"},
	{units_thousands, 29686, "29,686"},
	{units_thousands, MAX, "18,446,744,073,709,551,615"},

	{units_duration, 0, "0 ns"},
	{units_duration, 850, "850 ns"},
	{units_duration, 999, "999 ns"},
	{units_duration, 1000, "1.0 us"},
	{units_duration, 3900, "3.9 us"},
	{units_duration, 999949, "999.9 us"},
	{units_duration, 999950, "1.0 ms"}, /* not 1000.0 us */
	{units_duration, 12500000, "12.5 ms"},
	{units_duration, 999950000, "1.000 s"},
	{units_duration, 1334000000, "1.334 s"},
	{units_duration, 59999499999, "59.999 s"},
	{units_duration, 59999500000, "1 min 0 s"},
	{units_duration, 192000000000, "3 min 12 s"},
	{units_duration, 3599500000000, "1 h 0 min"},
	{units_duration, 7384000000000, "2 h 3 min"},
	{units_duration, MAX, "5124095 h 34 min"},

	{units_us, 0, "0.0"},
	{units_us, 3900, "3.9"},
	{units_us, 9949, "9.9"},
	{units_us, 9950, "10"},
	{units_us, 41499, "41"},
	{units_us, 1203500, "1,204"},
	{units_us, MAX, "18,446,744,073,709,552"},

	{units_bytes, 0, "0 B"},
	{units_bytes, 812, "812 B"},
	{units_bytes, 1023, "1023 B"},
	{units_bytes, 1024, "1.0 KiB"},
	{units_bytes, 12698, "12.4 KiB"},
	{units_bytes, 1048524, "1023.9 KiB"},
	{units_bytes, 1048525, "1.0 MiB"},
	{units_bytes, 3250586, "3.1 MiB"},
	{units_bytes, MAX, "16.0 EiB"},
};

static void texts(void **state)
{
	char buf[UNITS_BUF];

	(void)state;
	for (size_t i = 0; i < sizeof(text_cases) / sizeof(text_cases[0]); i++) {
		const struct text_case *c = &text_cases[i];

		assert_ptr_equal(c->form(buf, c->v), buf);
		assert_string_equal(buf, c->text);
	}
}

static void percent(void **state)
{
	static const struct {
		uint64_t part, whole;
		const char *text;
	} cases[] = {
		{123, 1000, "12.3%"}, {0, 5, "0.0%"}, {5, 0, "-"}, {0, 0, "-"}, {1, 3, "33.3%"},
		{2, 3, "66.7%"}, {7, 7, "100.0%"}, {30, 10, "300.0%"}, {MAX, MAX, "100.0%"},
		{MAX, 1, "1844674407370955161.5%"}, /* stops there */
	};
	char buf[UNITS_BUF];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
			units_percent(buf, cases[i].part, cases[i].whole), cases[i].text);
}

struct parse_case {
	const char *text;
	int rc;
	uint64_t v;
};

static void check_parse(
	int (*parse)(const char *, uint64_t *, struct err *), const struct parse_case *cases)
{
	for (const struct parse_case *c = cases; c->text; c++) {
		struct err err = {0};
		uint64_t v = 77;
		int rc = parse(c->text, &v, &err);

		if (rc != c->rc || v != (rc < 0 ? 77 : c->v))
			fail_msg("'%s': %d, %lu", c->text, rc, (unsigned long)v);
		if (rc < 0)
			assert_non_null(strstr(err.text, c->text));
		assert_int_equal(err.code, rc);
	}
}

static void parse_bytes(void **state)
{
	static const struct parse_case cases[] = {
		{"0", 0, 0},
		{"4096", 0, 4096},
		{"64K", 0, 65536},
		{"64k", 0, 65536},
		{"256M", 0, 268435456},
		{"1G", 0, 1073741824},
		{"2T", 0, 2199023255552},
		{"9223372036854775807", 0, INT64_MAX},
		{"9223372036854775808", -EINVAL, 0},
		{"99999999999999999999", -EINVAL, 0},
		{"8388608T", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"M", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1.5M", -EINVAL, 0},
		{"1MB", -EINVAL, 0},
		{"1X", -EINVAL, 0},
		{"0x10", -EINVAL, 0},
		{0},
	};

	(void)state;
	check_parse(units_parse_bytes, cases);
}

static void parse_seconds(void **state)
{
	static const struct parse_case cases[] = {
		{"0", 0, 0},
		{"30", 0, 30000000000},
		{"1.5", 0, 1500000000},
		{".5", 0, 500000000},
		{"2.", 0, 2000000000},
		{"2s", 0, 2000000000},
		{"200ms", 0, 200000000},
		{"0.25ms", 0, 250000},
		{"0.000000001", 0, 1},
		{"0.0000000019999999999999999", 0, 1},
		{"1000000000", 0, 1000000000000000000},
		{"1000000000.000000001", -EINVAL, 0},
		{"1000000001", -EINVAL, 0},
		{"1000000000000ms", 0, 1000000000000000000},
		{"1000000000001ms", -EINVAL, 0},
		{"99999999999999999999999", -EINVAL, 0},
		{"", -EINVAL, 0},
		{".", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"nan", -EINVAL, 0},
		{"inf", -EINVAL, 0},
		{"1e3", -EINVAL, 0},
		{"0x10", -EINVAL, 0},
		{"1 s", -EINVAL, 0},
		{"1m", -EINVAL, 0},
		{"1.5.2", -EINVAL, 0},
		{0},
	};

	(void)state;
	check_parse(units_parse_seconds, cases);
}

static int parse_1_to_max(const char *s, uint64_t *ret, struct err *err)
{
	return units_parse_u64(s, 1, MAX, ret, err);
}

static void parse_u64(void **state)
{
	static const struct parse_case cases[] = {
		{"1", 0, 1},
		{"007", 0, 7},
		{"18446744073709551615", 0, MAX},
		{"18446744073709551616", -EINVAL, 0},
		{"0", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"12a", -EINVAL, 0},
		{0},
	};
	struct err err = {0};
	uint64_t v;

	(void)state;
	check_parse(parse_1_to_max, cases);
	assert_int_equal(units_parse_u64("11", 2, 10, &v, &err), -EINVAL);
	assert_string_equal(err.text, "'11' is not a whole number from 2 to 10");
}

static void saturation(void **state)
{
	(void)state;
	assert_true(sat_add(1, 2) == 3);
	assert_true(sat_add(INT64_MAX, 1) == INT64_MAX);
	assert_true(sat_add(MAX, MAX) == INT64_MAX);
	assert_true(sat_mul(3, 4) == 12);
	assert_true(sat_mul(MAX, 0) == 0);
	assert_true(sat_mul(1ULL << 62, 2) == INT64_MAX);
	assert_true(sat_mul(1ULL << 62, 16) == INT64_MAX);
}

static void figures(void **ctx)
{
	char buf[UNITS_BUF];

	(void)ctx;
	assert_string_equal(units_figure(buf, "ns", 1500), "1.5 us");
	assert_string_equal(units_figure(buf, "bytes", 2048), "2.0 KiB");
	assert_string_equal(units_figure(buf, "", 12345), "12,345");
	assert_string_equal(units_figure(buf, "ratio", 0.5), "0.5");
	assert_string_equal(units_figure(buf, "", NAN), "-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(percent),
		cmocka_unit_test(parse_bytes),
		cmocka_unit_test(parse_seconds),
		cmocka_unit_test(parse_u64),
		cmocka_unit_test(saturation),
		cmocka_unit_test(figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
