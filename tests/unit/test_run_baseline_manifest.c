/* SPDX-License-Identifier: GPL-3.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/baseline/baseline_manifest.h"

#define H0 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define H1 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void paths(void **state)
{
	static const struct {
		const char *path;
		int ok;
	} rows[] = {
		{"a", 1},
		{"io/a.json", 1},
		{"io/a.runs/1.json", 1},
		{"...", 1},
		{"", 0},
		{"/etc/passwd", 0},
		{"..", 0},
		{"../a", 0},
		{"io/../../a", 0},
		{"io/..", 0},
		{"./a", 0},
		{"io//a", 0},
		{"io/", 0},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		if (manifest_path_ok(rows[i].path) != rows[i].ok)
			fail_msg("'%s'", rows[i].path);
}

static void parses(void **state)
{
	static const struct {
		const char *text;
		int rc;
		size_t len;
		const char *error; /* is in the message */
	} rows[] = {
		{"", 0, 0, NULL},
		{H0 "  a\n", 0, 1, NULL},
		{H0 "  b\n" H1 "  a\n", 0, 2, NULL},
		{H0 " *a\n", 0, 1, NULL},
		{H0 "  a", 0, 1, NULL},
		{H0 "  name with  spaces\n", 0, 1, NULL},
		{"\n", -EINVAL, 0, "line 1"},
		{H0 "  a\n\n" H1 "  b\n", -EINVAL, 0, "line 2"},
		{H0 "\n", -EINVAL, 0, "line 1"},
		{H0 "  \n", -EINVAL, 0, "line 1"},
		{"abc  a\n", -EINVAL, 0, "line 1"},
		{H0 "0  a\n", -EINVAL, 0, "line 1"},
		{"\\" H0 "  a\\nb\n", -EINVAL, 0, "line 1"},
		{H0 "  ../a\n", -EINVAL, 0, "line 1"},
		{H0 "  /a\n", -EINVAL, 0, "line 1"},
		{H0 "  a\n" H1 "  a\n", -EINVAL, 0, "a is named twice"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct manifest m = {0};
		struct err err = {0};
		int rc = manifest_parse(rows[i].text, &m, &err);

		if (rc != rows[i].rc || (rc == 0 && m.len != rows[i].len) ||
			(rc < 0 && !strstr(err.text, rows[i].error)))
			fail_msg("row %zu: %d, %zu rows, %s", i, rc, m.len, err.text);
		manifest_release(&m);
	}
}

static void what_is_written_is_read(void **state)
{
	struct manifest m = {0}, again = {0};
	struct out o;

	(void)state;
	strcpy(manifest_add(&m, "io/b")->sha256, H0);
	strcpy(manifest_add(&m, "METADATA.md")->sha256, H1);
	manifest_sort(&m);
	out_init_mem(&o);
	manifest_write(&m, &o);
	assert_string_equal(out_text(&o), H1 "  METADATA.md\n" H0 "  io/b\n");
	assert_int_equal(manifest_parse(out_text(&o), &again, NULL), 0);
	assert_int_equal(again.len, 2);
	assert_string_equal(again.at[1].path, "io/b");
	assert_string_equal(again.at[1].sha256, H0);
	out_release(&o);
	manifest_release(&m);
	manifest_release(&again);
}

/* Files as "ab": a and b have hash 0; "A" is a with hash 1, "!a" one that cannot be read. */
static void make(struct manifest *m, const char *files)
{
	for (; *files; files++) {
		int unreadable = *files == '!';
		char name[2] = {(char)(files[unreadable] | 0x20), '\0'};
		struct manifest_row *row = manifest_add(m, name);

		files += unreadable;
		if (!unreadable)
			strcpy(row->sha256, *files & 0x20 ? H0 : H1);
	}
	manifest_sort(m);
}

static void compares(void **state)
{
	static const struct {
		const char *saved, *there;
		const char *found; /* kind and name of each: c changed, m missing, e extra, u
				      unreadable */
	} rows[] = {
		{"", "", ""},
		{"ab", "ab", ""},
		{"ab", "ba", ""},
		{"ab", "aB", "cb"},
		{"ab", "b", "ma"},
		{"ab", "a", "mb"},
		{"b", "ab", "ea"},
		{"b", "bc", "ec"},
		{"abc", "", "mambmc"},
		{"", "abc", "eaebec"},
		{"abc", "bCd", "macced"},
		{"ab", "!ab", "ua"},
		{"b", "!ab", "ea"},
	};
	static const char kinds[] = {[BASELINE_CHANGED] = 'c',
		[BASELINE_MISSING] = 'm',
		[BASELINE_EXTRA] = 'e',
		[BASELINE_UNREADABLE] = 'u'};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct manifest saved = {0}, there = {0};
		struct baseline_check check = {0};
		char found[32] = "", *to = found;

		make(&saved, rows[i].saved);
		make(&there, rows[i].there);
		manifest_compare(&saved, &there, &check);
		for (size_t k = 0; k < check.findings.len; k++) {
			*to++ = kinds[check.findings.at[k].what];
			*to++ = check.findings.at[k].path[0];
		}
		*to = '\0';
		if (strcmp(found, rows[i].found) != 0)
			fail_msg("row %zu: '%s', expected '%s'", i, found, rows[i].found);
		assert_int_equal(check.files, strlen(rows[i].saved));
		baseline_check_release(&check);
		manifest_release(&saved);
		manifest_release(&there);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(parses),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(compares),
	};

	return cmocka_run_group_tests_name("run_baseline_manifest", tests, NULL, NULL);
}
