/* SPDX-License-Identifier: GPL-3.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/base/err.h"

static void first_error_stays(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(err_set(&err, -ENOENT, "cannot open %s", "x"), -ENOENT);
	assert_int_equal(err_set(&err, -EIO, "later"), -EIO);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.text, "cannot open x");
}

static void wrap_prefixes(void **state)
{
	struct err err = {0};

	(void)state;
	err_set(&err, -EINVAL, "bad rate");
	assert_int_equal(err_wrap(&err, "scenario %s", "knotd"), -EINVAL);
	assert_int_equal(err_wrap(&err, "a.json"), -EINVAL);
	assert_string_equal(err.text, "a.json: scenario knotd: bad rate");
}

static void no_object(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -EPERM, "x"), -EPERM);
	assert_true(err_wrap(NULL, "x") < 0);
}

static void one_line_without_controls(void **state)
{
	struct err err = {0};

	(void)state;
	err_set(&err, -EINVAL, "name '%s'", "a\nb\x1b[2J\x7f\xc3\xa4");
	assert_string_equal(err.text, "name 'a?b?[2J?\xc3\xa4'");
}

static void long_texts_are_cut(void **state)
{
	struct err err = {0};
	char text[4000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, -EINVAL, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_wrap(&err, "where");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "where: xxx", 10);
	err_wrap(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_error_stays),
		cmocka_unit_test(wrap_prefixes),
		cmocka_unit_test(no_object),
		cmocka_unit_test(one_line_without_controls),
		cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
