/* SPDX-License-Identifier: GPL-3.0-only */
/* Saving and checking, in a directory of its own. tests/e2e/baseline.py has what needs root. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/baseline/baseline.h"

static const struct result_kind kinds[] = {
	{"io", "iotrace", "-iotrace.json", &schema_result},
	{"cpu", "flamegraphs", "-cpu.json", &schema_cpu},
	{0},
};
static const struct baseline_place place = {.out_dir = "out", .kinds = kinds};

static const char json[] = "{\"schema\": \"iotrace.result/1\", \"complete\": true}";

static void put(const char *path, const char *text)
{
	assert_int_equal(file_write(path, text, strlen(text), NULL), 0);
}

static int enter_dir(void **state)
{
	char *dir = mem_strdup("/tmp/test_run_baseline.XXXXXX");

	*state = dir;
	if (!mkdtemp(dir) || chdir(dir) < 0 || file_mkdirs("out/iotrace/a.runs", NULL) < 0)
		return -1;
	put("out/iotrace/a-iotrace.json", json);
	put("out/iotrace/a-iotrace-summary.txt", "summary\n");
	put("out/iotrace/a.runs/1.json", json);
	return 0;
}

static int remove_dir(void **state)
{
	cleanup_free char *command = mem_printf("rm -rf %s", (char *)*state);

	free(*state);
	return chdir("/") == 0 ? system(command) : -1; /* NOLINT(cert-env33-c) */
}

/* Saves, expects rc, returns how many warnings there were. */
static size_t save(const char *version, int force, int rc)
{
	struct baseline_saved saved;
	struct err err = {0};
	int got = baseline_save(&place, version, force, &saved, &err);
	size_t warnings = saved.warnings.lines.len;

	if (got != rc)
		fail_msg("%s: %d, expected %d: %s", version, got, rc, err.text);
	baseline_saved_release(&saved);
	return warnings;
}

/* Number of differences; the first is *ret_what of a path that starts with path. */
static size_t verify(const char *version, enum baseline_difference what, const char *path)
{
	struct baseline_check check;
	struct err err = {0};
	size_t len;

	if (baseline_verify(&place, version, &check, &err) < 0)
		fail_msg("%s", err.text);
	len = check.findings.len;
	if (path) {
		assert_true(len > 0);
		assert_int_equal(check.findings.at[0].what, what);
		assert_true(!strncmp(check.findings.at[0].path, path, strlen(path)));
	}
	baseline_check_release(&check);
	return len;
}

static int exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Nothing but baselines lies in out/baselines. */
static void nothing_left(void)
{
	assert_int_not_equal(system("ls -A out/baselines | grep -q '^[.]'"), 0); /* NOLINT */
}

static void saves_and_verifies(void **state)
{
	(void)state;
	assert_int_equal(save("v1", 0, 0), 0);
	assert_int_equal(verify("v1", 0, NULL), 0);
	assert_true(exists("out/baselines/v1/io/a.runs/1.json"));
	assert_true(exists("out/baselines/v1/METADATA.md"));
	assert_false(exists("out/baselines/v1/cpu"));
	assert_int_equal(system("cd out/baselines/v1 && sha256sum -c --quiet MANIFEST.sha256"), 0);
	nothing_left();
}

static void names(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "../x", ".hidden", "a b", "a\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct baseline_check check;

		save(bad[i], 1, -EINVAL);
		assert_int_equal(baseline_verify(&place, bad[i], &check, NULL), -EINVAL);
	}
	assert_false(exists("out/baselines"));
}

static void an_existing_one_needs_force(void **state)
{
	(void)state;
	save("v1", 0, 0);
	put("out/iotrace/a-iotrace-summary.txt", "other\n");
	save("v1", 0, -EEXIST);
	put("out/baselines/v1/old", "old");
	assert_int_equal(verify("v1", BASELINE_EXTRA, "old"), 1);
	save("v1", 1, 0);
	assert_int_equal(verify("v1", 0, NULL), 0);
	assert_false(exists("out/baselines/v1/old"));
	nothing_left();
}

static void differences(void **state)
{
	static const struct {
		const char *command;
		enum baseline_difference what;
		const char *path;
	} rows[] = {
		{"echo x >>io/a-iotrace.json", BASELINE_CHANGED, "io/a-iotrace.json"},
		{"rm io/a.runs/1.json", BASELINE_MISSING, "io/a.runs/1.json"},
		{"touch io/.hidden", BASELINE_EXTRA, "io/.hidden"},
		{"ln -s /etc/passwd io/link", BASELINE_EXTRA, "io/link"},
		{"ln -sf /etc/passwd METADATA.md", BASELINE_UNREADABLE, "METADATA.md"},
		{"rm METADATA.md && mkfifo METADATA.md", BASELINE_UNREADABLE, "METADATA.md"},
		{"rm MANIFEST.sha256", BASELINE_MISSING, "MANIFEST.sha256"},
		{"echo junk >>MANIFEST.sha256", BASELINE_UNREADABLE, "MANIFEST.sha256"},
		{"ln -sf /etc/passwd MANIFEST.sha256", BASELINE_UNREADABLE, "MANIFEST.sha256"},
		{"mkdir -p d/e && touch d/e/f", BASELINE_EXTRA, "d/e/f"},
		{"touch \"$(printf 'a\\nb')\"", BASELINE_EXTRA, "a\nb"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cleanup_free char *command =
			mem_printf("cd out/baselines/v1 && %s", rows[i].command);

		save("v1", 1, 0);
		assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
		assert_int_equal(verify("v1", rows[i].what, rows[i].path), 1);
	}
}

/* Links are not followed, and what is no result is left out: both are told. */
static void what_is_not_copied(void **state)
{
	static const char *const left_out[] = {"io/link", "io/pipe", "io/dir", "io/a b"};

	(void)state;
	assert_int_equal(system("cd out/iotrace && ln -s /etc/passwd link && mkfifo pipe &&"
				" mkdir dir && touch dir/x 'a b' .a.tmp"),
		0);
	assert_int_equal(save("v1", 0, 0), 4);
	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
		cleanup_free char *path = mem_printf("out/baselines/v1/%s", left_out[i]);

		assert_false(exists(path));
	}
	assert_false(exists("out/baselines/v1/io/.a.tmp"));
	assert_int_equal(verify("v1", 0, NULL), 0);
}

static void a_linked_folder_is_not_followed(void **state)
{
	(void)state;
	assert_int_equal(symlink("/etc", "out/flamegraphs"), 0);
	assert_int_equal(save("v1", 0, 0), 1);
	assert_false(exists("out/baselines/v1/cpu"));
}

static void incomplete_results_are_told(void **state)
{
	(void)state;
	put("out/iotrace/b-iotrace.json", "{\"schema\": \"s\", \"complete\": false}");
	put("out/iotrace/c-iotrace.json", "{\"schema\": \"s\", \"comp");
	assert_int_equal(save("v1", 0, 0), 2);
	assert_int_equal(verify("v1", 0, NULL), 0);
}

static void nothing_to_save(void **state)
{
	struct baseline_place other = {.out_dir = "nowhere", .kinds = kinds};
	struct baseline_saved saved;

	(void)state;
	assert_int_equal(system("rm -r out/iotrace"), 0);
	save("v1", 0, -ENOENT);
	nothing_left();
	assert_int_equal(baseline_save(&other, "v1", 0, &saved, NULL), -ENOENT);
	baseline_saved_release(&saved);
	assert_false(exists("nowhere"));
}

static int at_once(void)
{
	return 1;
}

static void an_interrupted_save_leaves_nothing(void **state)
{
	struct baseline_place stopped = {"out", kinds, at_once};
	struct baseline_saved saved;

	(void)state;
	assert_int_equal(baseline_save(&stopped, "v1", 0, &saved, NULL), -EINTR);
	baseline_saved_release(&saved);
	assert_false(exists("out/baselines/v1"));
	nothing_left();
}

static void lists(void **state)
{
	struct baseline_list l;

	(void)state;
	assert_int_equal(baseline_list(&place, &l, NULL), 0);
	assert_int_equal(l.len, 0);
	baseline_list_release(&l);
	save("1.10", 0, 0);
	assert_int_equal(file_mkdirs("out/flamegraphs", NULL), 0);
	put("out/flamegraphs/a-cpu.json", json);
	put("out/flamegraphs/b-cpu.json", json);
	save("1.9", 0, 0);
	assert_int_equal(
		system("mkdir out/baselines/.x out/baselines/empty; touch out/baselines/f"), 0);
	assert_int_equal(baseline_list(&place, &l, NULL), 0);
	assert_int_equal(l.len, 3);
	assert_string_equal(l.at[0].version, "1.9");
	assert_string_equal(l.at[0].scenarios, "io a; cpu a b");
	assert_int_equal(strlen(l.at[0].date), strlen("2026-01-01T00:00:00Z"));
	assert_string_equal(l.at[1].version, "1.10");
	assert_string_equal(l.at[2].date, "-");
	baseline_list_release(&l);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, enter_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		TEST(saves_and_verifies),
		TEST(names),
		TEST(an_existing_one_needs_force),
		TEST(differences),
		TEST(what_is_not_copied),
		TEST(a_linked_folder_is_not_followed),
		TEST(incomplete_results_are_told),
		TEST(nothing_to_save),
		TEST(an_interrupted_save_leaves_nothing),
		TEST(lists),
	};

	return cmocka_run_group_tests_name("run_baseline", tests, NULL, NULL);
}
