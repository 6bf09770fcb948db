/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/runner/optable.h"

struct args {
	int flag;
	const char *text;
	uint64_t wait_ns, count;
};

static const struct optable_row table_rows[] = {
	{"flag", NULL, OPTION_FLAG, offsetof(struct args, flag), 0, 0, "a flag"},
	{"text", "TEXT", OPTION_TEXT, offsetof(struct args, text), 0, 0, "a text"},
	{"wait", "SEC", OPTION_SECONDS, offsetof(struct args, wait_ns), 0, 0, "a time"},
	{"count", "N", OPTION_NUMBER, offsetof(struct args, count), 1, 10, "a number"},
};
static const struct optable table = {table_rows, sizeof(table_rows) / sizeof(table_rows[0])};
enum { ARGV_MAX = 8 };

static int parse(const char *const *argv, struct args *a, char ***rest, struct err *err)
{
	*a = (struct args){.count = OPTION_UNSET, .wait_ns = OPTION_UNSET};
	return optable_parse(&table, (char **)(uintptr_t)argv, a, rest, err);
}

static void test_values(void **state)
{
	static const struct {
		const char *argv[ARGV_MAX];
		struct args want;
		const char *rest; /* first word of it, "" for an empty one, NULL for none */
	} rows[] = {
		{{NULL}, {0, NULL, OPTION_UNSET, OPTION_UNSET}, NULL},
		{{"--flag", NULL}, {1, NULL, OPTION_UNSET, OPTION_UNSET}, NULL},
		{{"--text", "a", "--count=3", NULL}, {0, "a", OPTION_UNSET, 3}, NULL},
		{{"--text=", NULL}, {0, "", OPTION_UNSET, OPTION_UNSET}, NULL},
		{{"--text=a=b", NULL}, {0, "a=b", OPTION_UNSET, OPTION_UNSET}, NULL},
		{{"--text", "--flag", NULL}, {0, "--flag", OPTION_UNSET, OPTION_UNSET}, NULL},
		{{"--text", "--", NULL}, {0, "--", OPTION_UNSET, OPTION_UNSET}, NULL},
		{{"--wait", "1.5", NULL}, {0, NULL, 1500000000, OPTION_UNSET}, NULL},
		{{"--count", "1", "--count", "10", NULL}, {0, NULL, OPTION_UNSET, 10}, NULL},
		{{"--", NULL}, {0, NULL, OPTION_UNSET, OPTION_UNSET}, ""},
		{{"--flag", "--", "--text", NULL}, {1, NULL, OPTION_UNSET, OPTION_UNSET}, "--text"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};
		struct args a;
		char **rest;

		assert_int_equal(parse(rows[i].argv, &a, &rest, &err), 0);
		assert_int_equal(a.flag, rows[i].want.flag);
		assert_int_equal(!a.text, !rows[i].want.text);
		if (a.text)
			assert_string_equal(a.text, rows[i].want.text);
		assert_int_equal(a.wait_ns, rows[i].want.wait_ns);
		assert_int_equal(a.count, rows[i].want.count);
		assert_int_equal(!rest, !rows[i].rest);
		if (rest)
			assert_string_equal(*rest ? *rest : "", rows[i].rest);
		assert_int_equal(err.code, 0);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *argv[ARGV_MAX];
		const char *says;
	} rows[] = {
		{{"--nothing", NULL}, "--nothing"},
		{{"--tex", "a", NULL}, "--tex"},
		{{"--text", NULL}, "needs a value"},
		{{"--flag=1", NULL}, "takes no value"},
		{{"--count", "0", NULL}, "--count"},
		{{"--count", "11", NULL}, "--count"},
		{{"--count", "1x", NULL}, "--count"},
		{{"--wait", "-1", NULL}, "--wait"},
		{{"word", NULL}, "word"},
		{{"-f", NULL}, "-f"},
		{{"", NULL}, "unexpected"},
		{{"--=x", NULL}, "unknown option"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};
		struct args a;
		char **rest;

		assert_true(parse(rows[i].argv, &a, &rest, &err) < 0);
		if (!strstr(err.text, rows[i].says))
			fail_msg("'%s' does not say '%s'", err.text, rows[i].says);
	}
}

static void test_help_is_aligned(void **state)
{
	struct out o;

	(void)state;
	out_init_mem(&o);
	optable_help(&table, &o);
	const char *text = out_text(&o);
	assert_non_null(strstr(text, "  --text TEXT             a text\n"));
	assert_string_equal(strstr(text, "  --count"), "  --count N               a number\n");
	out_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_help_is_aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
