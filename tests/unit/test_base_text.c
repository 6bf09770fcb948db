/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/mem.h"
#include "common/base/text.h"

static void test_words(void **state)
{
	static const struct {
		const char *word, *put;
	} rows[] = {
		{"/usr/bin/x", "/usr/bin/x"},
		{"--a=b,c@d:e+f%g_h.i", "--a=b,c@d:e+f%g_h.i"},
		{"", "''"},
		{"a b", "'a b'"},
		{"it's", "'it'\\''s'"},
		{"$x", "'$x'"},
		{"a^b", "'a^b'"},
		{"\xc3\xa4", "'\xc3\xa4'"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct out o;

		out_init_mem(&o);
		text_put_word(&o, rows[i].word);
		assert_string_equal(out_text(&o), rows[i].put);
		out_release(&o);
	}
}

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {{"a", 1}, {"\xc3\xa4", 2}, {"\xe2\x80\xae", 3}, {"\xf0\x9f\xa6\x80", 4},
		{"\xff", 0}, {"\xc3", 0}, {"\xc3\x28", 0}, {"\xc0\x80", 0}, {"\xe0\x80\x80", 0},
		{"\xed\xa0\x80", 0}, {"\xf4\x90\x80\x80", 0}, {"\xf0\x9f\xa6", 0}};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		assert_int_equal(text_utf8_len(rows[i].text), rows[i].len);
}

static void test_ends(void **state)
{
	(void)state;
	assert_int_equal(text_stem_len("dns-cpu.json", "-cpu.json"), 3);
	assert_int_equal(text_stem_len("dns-cpu.json", ".xml"), 0);
	assert_int_equal(text_stem_len(".json", ".json"), 0);
	assert_int_equal(text_stem_len("n", ".json"), 0);
}

static void test_appended(void **state)
{
	char *text = mem_strdup("");

	(void)state;
	text_append(&text, ", ", "a");
	text_append(&text, ", ", "b");
	assert_string_equal(text, "a, b");
	free(text);
}

static void test_one_line(void **state)
{
	char text[] = "a\nb\x1b[0m\x7f\xc3\xa4";

	(void)state;
	assert_string_equal(text_one_line(text), "a b [0m \xc3\xa4");
	assert_null(text_one_line(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_appended),
		cmocka_unit_test(test_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
