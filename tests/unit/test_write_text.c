/* SPDX-License-Identifier: GPL-3.0-only */
/* Docs as plain text: wrapping, cutting, tables that do not fit, and text that is not safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/out.h"
#include "common/model/result.h"
#include "common/view/doc.h"
#include "common/write/safe.h"
#include "common/write/tail.h"
#include "common/write/writer.h"

static void check_doc(struct doc *d, size_t columns, const char *expected)
{
	struct out o;

	out_init_mem(&o);
	text_write_doc(d, &o, columns);
	assert_string_equal(out_text(&o), expected);
	out_release(&o);
	doc_free(d);
}

static void test_safe(void **state)
{
	static const struct {
		const char *from, *to;
		size_t width;
	} rows[] = {
		{"", "", 0},
		{"plain", "plain", 5},
		{"a\nb\tc\rd", "a\\nb\\tc\\rd", 10},
		{"\x1b[2J\x7f", "\\x1b[2J\\x7f", 11},
		{"back\\slash", "back\\slash", 10},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", 4},
		{"\xe6\x97\xa5", "\xe6\x97\xa5", 2},
		/* no UTF-8: a lone byte, an overlong slash, a surrogate, a cut sequence, too large
		 */
		{"\xff", "\xef\xbf\xbd", 1},
		{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", 2},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3},
		{"\xe6\x97", "\xef\xbf\xbd\xef\xbf\xbd", 2},
		{"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 4},
		/* UTF-8, but not to be let through: C1 CSI, right-to-left override, combining,
		   emoji */
		{"\xc2\x9b", "\\xc2\\x9b", 8},
		{"\xe2\x80\xae", "\\xe2\\x80\\xae", 12},
		{"e\xcc\x81", "e\\xcc\\x81", 9},
		{"\xf0\x9f\x98\x80", "\\xf0\\x9f\\x98\\x80", 16},
	};
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		char *safe = safe_text(&a, rows[i].from);

		assert_string_equal(safe, rows[i].to);
		assert_int_equal(safe_width(safe), rows[i].width);
	}
	arena_release(&a);
}

static void test_cut(void **state)
{
	static const struct {
		const char *from;
		size_t columns;
		const char *to;
	} rows[] = {
		{"12345678", 8, "12345678"},
		{"123456789", 8, "12...789"},
		{"/very/long/path/to/file", 13, "/very.../file"},
		/* wide characters are not halved */
		{"\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", 8,
			"\xe6\x97\xa5...\xe6\x97\xa5"},
	};
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		assert_string_equal(
			safe_cut(&a, arena_strdup(&a, rows[i].from), rows[i].columns), rows[i].to);
	arena_release(&a);
}

static void test_lines(void **state)
{
	struct doc *d = doc_new();

	(void)state;
	doc_head(d, "program with quite a few arguments that do not fit on the line", "right 1.0");
	doc_pair(d, "key",
		"words that go on and on until there is no room on this line for 1,234,567");
	doc_pair(d, "a long key", "text");
	doc_note(d, "a note that is long enough to be continued on a second line, I hope");
	doc_text(d, "%s", "");
	doc_section(d, "SHORT");
	doc_text(d, "shares the line");
	doc_section(d, "ALONE");
	doc_note(d, "under it");
	doc_section(d, "LAST");
	check_doc(d, 60,
		"program with quite a few arguments that do not     right 1.0\n"
		"  fit on the line\n"
		"key      words that go on and on until there is no room on\n"
		"         this line for 1,234,567\n"
		"a long key text\n"
		"  * a note that is long enough to be continued on a second\n"
		"    line, I hope\n"
		"\n"
		"\n"
		"SHORT    shares the line\n"
		"\n"
		"ALONE\n"
		"  * under it\n"
		"\n"
		"LAST\n");
}

static const struct doc_column three_columns[] = {
	{"name", "", "", 1, 0}, {"n", "count", "", 0, 0}, {"share", "share", "", 0, 0}};

/* Every type of cell, the sizes of columns, and a heading that runs across. */
static void test_table(void **state)
{
	struct doc *d = doc_new();
	struct doc_table *t;
	static const struct {
		const char *name;
		enum cell_type type;
		uint64_t v;
		double real;
	} rows[] = {
		{"count", CELL_COUNT, 1234567, 0},
		{"none", CELL_COUNT, U64_NONE, NAN},
		{"ns", CELL_NS, 12500000, 1},
		{"us", CELL_US, 3900, 0.9999},
		{"seconds", CELL_SECONDS, 1000042000, 0.0001},
		{"bytes", CELL_BYTES, 12698, 0.5},
		{"not a number", CELL_COUNT, 0, INFINITY},
	};

	(void)state;
	doc_section(d, "TITLE");
	t = doc_table(d, "t", three_columns, 3);
	doc_cell_text(d, t, "a heading that is much wider than the column");
	doc_cell_text(d, t, "%s", "");
	doc_cell_text(d, t, "%s", "");
	for (size_t i = 0; i < LEN(rows); i++) {
		doc_cell_text(d, t, "%s", rows[i].name);
		doc_cell(t, rows[i].type, rows[i].v);
		doc_cell_real(t, CELL_RATIO, rows[i].real);
	}
	doc_cell_text(d, t, "mean");
	doc_cell_real(t, CELL_MEAN, 2.0225);
	doc_cell_real(t, CELL_MEAN, 1e300);
	check_doc(d, 60,
		"TITLE               count   share\n"
		"  a heading that is much wider than the column\n"
		"  count         1,234,567      0%\n"
		"  none                  -       -\n"
		"  ns              12.5 ms    100%\n"
		"  us                  3.9  >99.9%\n"
		"  seconds        1.000042   <0.1%\n"
		"  bytes          12.4 KiB   50.0%\n"
		"  not a number          0       -\n"
		"  mean               2.02  1e+300\n");
}

static void test_bars(void **state)
{
	static const uint64_t counts[] = {0, 1, 50, 100};
	struct doc *d = doc_new();
	struct doc_table *t = doc_table(d, "t", three_columns, 3);

	(void)state;
	t->bars_column = 1;
	for (size_t i = 0; i < LEN(counts); i++) {
		doc_cell_text(d, t, "%zu", i);
		doc_cell(t, CELL_COUNT, counts[i]);
		doc_cell_real(t, CELL_RATIO, 0.25);
	}
	check_doc(d, 60,
		"     count                                             share\n"
		"  0      0  |                                          25.0%\n"
		"  1      1  |                                          25.0%\n"
		"  2     50  |####################                      25.0%\n"
		"  3    100  |########################################  25.0%\n");
}

/* Names are cut, numbers never: what has no room for them is printed row by row. */
static void test_narrow(void **state)
{
	static const struct doc_column columns[] = {{"name", "", "", 1, 0},
		{"a", "first", "", 0, 0}, {"b", "second", "", 0, 0}, {"c", "third", "", 0, 0}};
	static const struct {
		size_t columns, name; /* of the text, of the path */
		uint64_t n;
		const char *text;
	} rows[] = {
		{100, 10000, 1,
			"S                                                                         "
			"      "
			"first  second  third\n"
			"  "
			"/srv/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/"
			"end    "
			"  1       1      1\n"},
		{100, 10000, INT64_MAX,
			"S                                        first                     second"
			"                      third\n"
			"  /srv/xx...xxx/end  9,223,372,036,854,775,807  9,223,372,036,854,775,807"
			"  9,223,372,036,854,775,807\n"},
		/* There no name is cut: row by row, but where it fits. */
		{60, 24, 1,
			"S                           first  second  third\n"
			"  /srv/xxxxxxxxxxxxxxx/end      1       1      1\n"},
		{60, 66, 1,
			"S\n"
			"  /srv/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
			"    xxxx/end: first 1, second 1, third 1\n"},
	};
	char path[10001];

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct doc *d = doc_new();
		struct doc_table *t;

		memset(path, 'x', rows[i].name);
		memcpy(path, "/srv/", 5);
		memcpy(path + rows[i].name - 4, "/end", 5);
		doc_head(d, "x", "y");
		doc_section(d, "S");
		t = doc_table(d, "t", columns, LEN(columns));
		doc_cell_text(d, t, "%s", path);
		for (int k = 0; k < 3; k++)
			doc_cell(t, CELL_COUNT, rows[i].n);

		struct out o;

		out_init_mem(&o);
		text_write_doc(d, &o, rows[i].columns);
		assert_string_equal(strchr(out_text(&o), '\n') + 2, rows[i].text);
		out_release(&o);
		doc_free(d);
	}
}

static void test_narrow_head(void **state)
{
	struct doc *d = doc_new();

	(void)state;
	doc_head(d, "program --with a b c d e f g h i j k l m n o p q r s t u v w x y z 1 2 3 4",
		"iotrace 1.0, mode auto by dispatch");
	check_doc(d, 60,
		"program --with a b c d e f g h i j k l m n o p q r s t u v w\n"
		"  x y z 1 2 3 4\n"
		"iotrace 1.0, mode auto by dispatch\n");
}

static void test_fold(void **state)
{
	struct out o;

	(void)state;
	out_init_mem(&o);
	text_fold("usage: program [OPTIONS]\n\n"
		  "  -o, --output FILE  where all of it goes, which is said in more words than go "
		  "on a "
		  "line\n"
		  "  --longer-than-the-others NAME\n"
		  "                     what this one does, in as many words\n"
		  "A sentence, which is wider than forty columns, too, and no end of a line",
		&o, 40);
	assert_string_equal(out_text(&o), "usage: program [OPTIONS]\n\n"
					  "  -o, --output FILE  where all of it\n"
					  "                     goes, which is said\n"
					  "                     in more words than\n"
					  "                     go on a line\n"
					  "  --longer-than-the-others NAME\n"
					  "                     what this one does,\n"
					  "                     in as many words\n"
					  "A sentence, which is wider than forty\n"
					  "columns, too, and no end of a line\n");
	out_release(&o);
}

static void test_ruled(void **state)
{
	static const struct doc_column columns[] = {{"n", "calls", "", 0, 9},
		{"e", "errors", "", 0, 9}, {"name", "syscall", "", 1, 16}};
	static const char *const rows[][3] = {{"12", "", "read"},
		{"12345678901234", "7",
			"a_name_that_has_no_room_on_the_line_it_is_on_here_as_it_is_longer_than_"
			"that_and_longer"},
		{"24", "", "total"}};
	static const char *const short_rows[][3] = {
		{"12", "", "read"}, {"12", "1", "a_name_of_21_columns_"}, {"24", "1", "total"}};
	struct doc *d = doc_new(), *narrow = doc_new();
	struct doc_table *t = doc_table(d, "t", columns, 3), *u;

	(void)state;
	t->ruled = 1;
	u = doc_table(narrow, "t", columns, 3);
	u->ruled = 1;
	for (size_t i = 0; i < LEN(rows); i++) {
		for (size_t k = 0; k < 3; k++) {
			doc_cell_text(d, t, "%s", rows[i][k]);
			doc_cell_text(narrow, u, "%s", short_rows[i][k]);
		}
	}
	check_doc(d, 100,
		"    calls    errors syscall\n"
		"--------- --------- ----------------\n"
		"       12           read\n"
		"12345678901234         7 "
		"a_name_that_has_no_room_on_the_line_...as_it_is_longer_than_"
		"that_and_longer\n"
		"--------- --------- ----------------\n"
		"       24           total\n");
	/* Where the name has no room behind columns as wide as strace's they are as wide as needed.
	 */
	check_doc(narrow, 40,
		"calls errors syscall\n"
		"----- ------ ----------------\n"
		"   12        read\n"
		"   12      1 a_name_of_21_columns_\n"
		"----- ------ ----------------\n"
		"   24      1 total\n");
}

static void test_writers(void **state)
{
	(void)state;
	assert_ptr_equal(writer_by_id("summary"), &writer_summary);
	assert_ptr_equal(writer_by_id("json"), &writer_json);
	assert_string_equal(writer_by_id("summary")->suffix, "-summary.txt");
	assert_null(writer_by_id("nothing"));
}

/* What a log of those bytes ends with. */
static void check_tail(const char *bytes, size_t len, size_t lines, const char *expected)
{
	char path[] = "/tmp/tail-XXXXXX";
	int fd = mkstemp(path);
	struct arena arena = {0};

	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
	const char *text = tail_text(&arena, path, lines);

	if (expected)
		assert_string_equal(text ? text : "(nothing)", expected);
	else
		assert_null(text);
	unlink(path);
	arena_release(&arena);
}

static void test_tail(void **state)
{
	static char many[200000];

	(void)state;
	check_tail("", 0, 3, NULL);
	check_tail("\n\n", 2, 3, NULL);
	check_tail("a", 1, 3, "    a\n");
	check_tail("a\nb\nc\nd\n", 8, 3, "    b\n    c\n    d\n");
	check_tail("a\nb", 3, 1, "    b\n");
	check_tail("a\nb\n\n\n", 6, 1, "    b\n");
	check_tail("a\x1b[2J\0b\n", 8, 3, "    a\\x1b[2J b\n");
	check_tail("10%\r99%\r100%\r\n", 14, 3, "    100%\n");
	/* Longer than what is looked at: cut, and no more than a screen's line. */
	memset(many, 'x', sizeof(many));
	struct arena arena = {0};
	char *cut = safe_cut(&arena, arena_printf(&arena, "%.*s", 65536, many), 160);

	check_tail(many, sizeof(many), 3, arena_printf(&arena, "    %s\n", cut));
	arena_release(&arena);
	assert_null(tail_text(&arena, "/nowhere/at/all", 3));
	assert_null(tail_text(&arena, "/tmp", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_safe),
		cmocka_unit_test(test_tail),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_bars),
		cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_narrow_head),
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_ruled),
		cmocka_unit_test(test_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
