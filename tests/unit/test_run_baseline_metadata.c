/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/file.h"
#include "common/baseline/baseline_metadata.h"

#define ENVIRONMENT(commit, sha)                                                                   \
	"\"environment\": {\"kernel\": \"6.1.0\", \"cpu\": \"A CPU\", \"cores\": 4,"               \
	" \"memory_bytes\": 8589934592, \"git_commit\": \"" commit "\", \"git_dirty\": true,"      \
	" \"target_path\": \"/bin/app\", \"target_sha256\": \"" sha "\","                          \
	" \"target_build_id\": null}"

static const char io[] =
	"{\"schema\": \"iotrace.result/1\", \"complete\": true, \"warnings\": [],"
	" \"command\": [\"/bin/app\", \"-n\", \"a b\"], \"started_at\": \"2026-01-02T03:04:05Z\","
	" \"wall_ns\": 1500000000, \"runs\": {\"count\": 5}, \"work\": {\"unit\": \"query\","
	" \"count\": 100}, \"tracer\": {\"version\": \"0.9\"}, " ENVIRONMENT(
		"c1", "s1") ","
			    " \"syscalls\": ["
			    " {\"name\": \"sendmmsg\", \"calls\": 50, \"errors\": 0, \"wall_ns\": "
			    "{\"total\": 100},"
			    "  \"batch\": {\"unit\": \"messages\", \"fill\": 0.05, \"per_call\": "
			    "{\"mean\": 1.5,"
			    "  \"max\": 3}}},"
			    " {\"name\": \"read\", \"calls\": 1000, \"errors\": 10, \"wall_ns\": "
			    "{\"total\": 300},"
			    "  \"batch\": null}]}";

static const char cpu[] =
	"{\"schema\": \"profile.cpu/1\", \"complete\": false,"
	" \"warnings\": [{\"code\": \"few\", \"text\": \"only 870 samples\"}],"
	" \"command\": [\"/bin/app\"], \"wall_ns\": null, \"runs\": null, " ENVIRONMENT(
		"c2", "s2") ","
			    " \"tools\": [{\"name\": \"perf\", \"version\": \"perf version 6.1\"}],"
			    " \"sampling\": {\"samples\": 870, \"lost\": 1, \"event_used\": "
			    "\"cpu-clock\","
			    " \"unknown_share\": 0.25}, \"functions_by_self\": ["
			    " {\"name\": \"std::map<int>::find\", \"self_share\": 0.5},"
			    " {\"name\": \"small\", \"self_share\": 0.001}]}";

static const char memory[] =
	"{\"schema\": \"profile.memory/1\", \"complete\": true,"
	" \"massif\": {\"version\": \"3.19.0\"}, \"peak\": {\"heap_bytes\": 1048576,"
	" \"extra_bytes\": 1024, \"total_bytes\": 1049600}, \"held_at_end\": null, \"sites\": "
	"[{\"function\": \"make\","
	" \"place\": \"a.c:7\", \"share\": 0.8, \"bytes\": 838861}]}";

static void read_text(struct metadata *m, const char *type, const char *name, const char *text)
{
	char path[] = "/tmp/test_run_baseline_metadata.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(file_write(path, text, strlen(text), NULL), 0);
	metadata_read(m, type,
		!strcmp(type, "io")    ? &schema_result
		: !strcmp(type, "cpu") ? &schema_cpu
				       : &schema_memory,
		name, path);
	unlink(path);
}

static void read_all(struct metadata *m)
{
	m->version = "1.0";
	m->date = "2026-02-03T04:05:06Z";
	read_text(m, "io", "serve", io);
	read_text(m, "cpu", "serve", cpu);
	read_text(m, "memory", "serve", memory);
	read_text(m, "io", "broken", "{\"schema\": ");
	read_text(m, "io", "other", "{\"a\": 1}");
	read_text(m, "io", "later", "{\"schema\": \"iotrace.result/2\"}");
	read_text(m, "cpu", "wrong", "{\"schema\": \"profile.cpu/1\", \"command\": 7}");
}

static void says_what_the_results_say(void **state)
{
	static const char *const expected[] = {
		"# Baseline 1.0\n",
		"| Date | 2026-02-03T04:05:06Z |\n",
		"| Version | 1.0 |\n",
		"| Commit | c1 with uncommitted changes; c2 with uncommitted changes |\n",
		"| Kernel | 6.1.0 |\n",
		"| CPU | A CPU |\n",
		"| Cores | 4 |\n",
		"| Memory | 8.0 GiB |\n",
		"| CPU governor | unknown |\n",
		"| Target | /bin/app, sha256 s1, build-id none; /bin/app, sha256 s2",
		"; iotrace 0.9; perf version 6.1; valgrind 3.19.0 |\n",
		"| serve | io | /bin/app -n 'a b' | 2026-01-02T03:04:05Z | 5 | 1.500 s |"
		" 1,050 calls, 10 errors; 10.50 calls per query (100); sendmmsg: 1.50 messages per"
		" call (max 3) in 50 calls, 5% of what was asked |\n",
		"| serve | cpu | /bin/app | unknown | 1 | - | 870 samples of cpu-clock, 1 lost;"
		" 25.0% of the frames without a symbol; **incomplete** |\n",
		"| serve | memory | unknown | unknown | 1 | - |"
		" peak: 1.0 MiB of heap (1.0 MiB with overhead) |\n",
		"| broken | io | unknown | unknown | - | - | **cannot be read** |\n",
		"\n## Key findings\n\nNothing is concluded from fewer than 30 calls or 100 "
		"samples.\n",
		"- io serve: sendmmsg moves 1.50 messages per call\n",
		"- io serve: read: 75.0% of the time in calls (1,000 calls, 1.0% errors)\n",
		"- cpu serve: std::map\\<int\\>::find: 50.0% of the samples are in it\n",
		"- memory serve: make (a.c:7): 80.0% of the peak (819.2 KiB)\n",
		"\n## Warnings\n",
		"- cpu serve is marked incomplete: only 870 samples\n",
		"- io other cannot be read: ",
		"schema: missing, so this is not a result of iotrace\n",
		"- io later cannot be read: ",
		"iotrace.result/2 is newer than this program",
		"- cpu wrong cannot be read: ",
		"command: not a list\n",
		"- the results are of different commits\n",
		"- the results are of different builds of /bin/app\n",
		"- cpu serve: only 870 samples\n",
	};
	struct metadata m = {0};
	struct out o;

	(void)state;
	read_all(&m);
	out_init_mem(&o);
	metadata_write(&m, &o);
	for (size_t i = 0; i < LEN(expected); i++)
		if (!strstr(out_text(&o), expected[i]))
			fail_msg("not there: %s\nin: %s", expected[i], out_text(&o));
	assert_null(strstr(out_text(&o), "small"));
	/* By time. */
	assert_true(strstr(out_text(&o), "- io serve: read: ") <
		    strstr(out_text(&o), "- io serve: sendmmsg: "));
	assert_null(strstr(out_text(&o), "different kernels"));
	assert_string_equal(metadata_date(&m.arena, out_text(&o)), "2026-02-03T04:05:06Z");
	out_release(&o);
	metadata_release(&m);
}

/* What a target is called is no markup, ends no row and drives no terminal. */
static void hostile_text(void **state)
{
	struct metadata m = {.version = "1", .date = "d"};
	struct out o;

	(void)state;
	read_text(&m, "cpu", "x",
		"{\"schema\": \"profile.cpu/1\", \"complete\": true, \"command\": [\"a|b\\n# c\","
		" \"<script>\", \"`x`\", \"\\u001b[31m\"], \"started_at\": \"|\","
		" \"environment\": {\"cpu\": \"| Date | 1 |\\n| Date | 2\"}}");
	out_init_mem(&o);
	metadata_write(&m, &o);
	assert_null(strstr(out_text(&o), "\n# c"));
	assert_null(strstr(out_text(&o), "\n| Date | 2"));
	assert_null(strstr(out_text(&o), " <script>"));
	assert_null(strchr(out_text(&o), '\033'));
	assert_non_null(strstr(out_text(&o), "a\\|b"));
	out_release(&o);
	metadata_release(&m);
}

static void no_doubts(void **state)
{
	struct metadata m = {.version = "1", .date = "d"};
	struct metadata_lines doubts = {0};
	struct out o;

	(void)state;
	read_text(&m, "io", "a", io);
	read_text(&m, "io", "b", io);
	metadata_doubts(&m, &doubts);
	assert_int_equal(doubts.len, 0);
	out_init_mem(&o);
	metadata_write(&m, &o);
	assert_non_null(strstr(out_text(&o), "\n## Warnings\n\nNone.\n"));
	free(doubts.at);
	out_release(&o);
	metadata_release(&m);
}

static void dates(void **state)
{
	static const struct {
		const char *text, *date;
	} rows[] = {
		{"# B\n\n| | |\n|---|---|\n| Date | 2026-01-01T00:00:00Z |\n",
			"2026-01-01T00:00:00Z"},
		{"\n| Date | \033[31m |", NULL},
		{"| Date | 2026", NULL},
		{"", NULL},
	};
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		const char *date = metadata_date(&a, rows[i].text);

		if (rows[i].date)
			assert_string_equal(date, rows[i].date);
		else
			assert_null(date);
	}
	arena_release(&a);
}

/* form with n in place of its "%d". */
static char *number(const char *form, int n)
{
	const char *at = strstr(form, "%d");

	return mem_printf("%.*s%d%s", (int)(at - form), form, n, at + 2);
}

/* "100.0% of the samples", of one. */
static void few_say_nothing(void **state)
{
	static const struct {
		const char *type, *form; /* %d: how many */
		int enough;
	} rows[] = {
		{"cpu",
			"{\"schema\": \"profile.cpu/1\", \"complete\": true, \"sampling\": "
			"{\"samples\": %d, \"unknown_share\": 0.5}, \"functions_by_self\": "
			"[{\"name\": \"f\", \"self_share\": 1.0}]}",
			100},
		{"io",
			"{\"schema\": \"iotrace.result/1\", \"complete\": true, \"syscalls\": "
			"[{\"name\": \"sendmmsg\", \"calls\": %d, \"errors\": 1, "
			"\"wall_ns\": {\"total\": 9}, \"batch\": {\"unit\": \"messages\", "
			"\"fill\": 0.5, \"per_call\": {\"mean\": 1.0, \"max\": 1}}}]}",
			30},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		for (int less = 0; less < 2; less++) {
			struct metadata m = {.version = "1", .date = "2026-02-03T04:05:06Z"};
			char *text = number(rows[i].form, rows[i].enough - less);
			struct out o;

			read_text(&m, rows[i].type, "x", text);
			out_init_mem(&o);
			metadata_write(&m, &o);
			assert_int_equal(strstr(out_text(&o), "\nNone: the results hold no such "
							      "figures, or too few.\n") != NULL,
				less);
			assert_int_equal(strstr(out_text(&o), "without a symbol") != NULL,
				!less && rows[i].enough == 100);
			assert_int_equal(strstr(out_text(&o), "of what was asked") != NULL,
				!less && rows[i].enough == 30);
			out_release(&o);
			metadata_release(&m);
			free(text);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_the_results_say),
		cmocka_unit_test(few_say_nothing),
		cmocka_unit_test(hostile_text),
		cmocka_unit_test(no_doubts),
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests_name("run_baseline_metadata", tests, NULL, NULL);
}
