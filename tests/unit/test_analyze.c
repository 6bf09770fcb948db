/* SPDX-License-Identifier: GPL-3.0-only */
/* The findings: cost model, verdicts, errors, targets, and Markdown. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/analyze/batching.h"
#include "common/analyze/categories.h"
#include "common/analyze/cost.h"
#include "common/analyze/errors.h"
#include "common/analyze/targets.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/model/json.h"
#include "common/write/markdown.h"

static void assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("got %.6f, expected %.6f", got, want);
}

/* ---- cost model ---- */

struct size_row {
	const char *key;
	uint64_t calls, total_ns;
	double sum_sq_ns;
};

static struct cost fit(const struct size_row *rows, size_t n)
{
	struct res_by_transferred sizes[8];
	struct res_batch b = {.by_transferred = {sizes, n}};

	for (size_t i = 0; i < n; i++)
		sizes[i] = (struct res_by_transferred){.key = rows[i].key,
			.calls = rows[i].calls,
			.total_ns = rows[i].total_ns,
			.sum_sq_ns = rows[i].sum_sq_ns};
	return cost_fit(&b);
}

/* 105 times made by 700 + 55 n + noise, fitted call by call (X'X inverted, HC1 sandwich, t of 103
 * degrees of freedom) by a program in Python that knows nothing of sums; by NumPy 1.24 (lstsq) and
 * SciPy 1.10 (t.ppf) from other calls with the same sums, the same. */
static const struct size_row noisy[] = {
	{"1", 40, 30173, 22795029},
	{"2", 30, 24506, 20037990},
	{"4", 20, 18571, 17300111},
	{"8", 10, 11162, 12500098},
	{"16", 5, 7838, 12330736},
};

static void test_cost_is_least_squares_of_calls(void **state)
{
	struct cost c = fit(noisy, LEN(noisy));

	(void)state;
	assert_int_equal(c.state, COST_OK);
	assert_int_equal(c.calls, 105);
	assert_int_equal(c.sizes, 5);
	assert_near(c.fixed_ns, 705.43387, 0.0001);
	assert_near(c.each_ns, 53.468952, 0.0001);
	assert_near(c.fixed_low, 693.27245, 0.01);
	assert_near(c.fixed_high, 717.59530, 0.01);
	assert_near(c.each_low, 48.99501, 0.01);
	assert_near(c.each_high, 57.94289, 0.01);
	assert_near(c.r2, 0.99831751, 1e-6);
	assert_near(c.mean_units, 3.2380952, 1e-6);
	assert_near(c.units_max, 16, 0);
}

static void test_cost_gain(void **state)
{
	/* exact: 1000 + 10 n */
	static const struct size_row exact[] = {
		{"1", 100, 101000, 102010000},
		{"2", 100, 102000, 104040000},
		{"3", 100, 103000, 106090000},
	};
	struct cost c = fit(exact, LEN(exact));
	struct cost_gain g = cost_gain(&c, 4);

	(void)state;
	assert_int_equal(c.state, COST_OK);
	assert_near(g.saved_ns, 1000.0 / 2 - 1000.0 / 4, 1e-6);
	assert_near(g.share, 250.0 / 510, 1e-9);
	assert_near(g.saved_low, g.saved_high, 1e-3);
	assert_int_equal(g.beyond, 1);
	assert_int_equal(cost_gain(&c, 3).beyond, 0);
}

static void test_cost_says_nothing(void **state)
{
	static const struct size_row few_calls[] = {
		{"1", 33, 33000, 33000000}, {"2", 33, 33000, 33000000}, {"3", 33, 33000, 33000000}};
	static const struct size_row few_sizes[] = {{"1", 500, 500000, 500000000},
		{"2", 500, 500000, 500000000}, {"3", 4, 4000, 4000000}};
	/* 1000, 9000, 1000 for 1, 2, 3 */
	static const struct size_row bent[] = {{"1", 100, 100000, 100000000},
		{"2", 100, 900000, 8100000000}, {"3", 100, 100000, 100000000}};
	/* nothing moved and what is no number don't count */
	static const struct size_row odd[] = {{"0", 500, 500000, 500000000}, {NULL, 500, 1, 1},
		{"-3", 500, 1, 1}, {"1", 99, 99000, 99000000}, {"2", U64_NONE, 1, 1}};

	(void)state;
	assert_int_equal(fit(few_calls, LEN(few_calls)).state, COST_FEW_CALLS);
	assert_int_equal(fit(few_sizes, LEN(few_sizes)).state, COST_FEW_SIZES);
	assert_int_equal(fit(bent, LEN(bent)).state, COST_NO_LINE);
	assert_int_equal(fit(odd, LEN(odd)).state, COST_FEW_CALLS);
	assert_int_equal(fit(odd, 0).state, COST_FEW_CALLS);
}

/* ---- verdicts ---- */

struct verdict_row {
	const char *name, *batch, *errnos, *tracer;
	enum batching_verdict verdict;
	int model; /* 1: its times may be used */
};

#define SIZES                                                                                      \
	"{\"1\": {\"calls\": 50, \"total_ns\": 55000, \"sum_sq_ns\": 60500000},"                   \
	" \"2\": {\"calls\": 50, \"total_ns\": 60000, \"sum_sq_ns\": 72000000},"                   \
	" \"8\": {\"calls\": 50, \"total_ns\": 90000, \"sum_sq_ns\": 162000000}}"
#define BATCH(full, partial, asked_histogram, pairs, limited_by)                                   \
	"{\"unit\": \"messages\", \"asked\": 900, \"transferred\": 550, \"full\": " #full          \
	", \"partial\": " #partial ", \"single\": 50, \"empty\": 0, \"per_call\": {\"mean\": "     \
	"3.67}, \"asked_histogram\": " asked_histogram ", \"asked_to_transferred\": " pairs        \
	", \"limited_by\": {" limited_by "}, \"by_transferred\": " SIZES "}"
#define RECORDED "{\"calls_recorded_in_process\": 150, \"calls_stopped\": 0}"
#define STOPPED  "{\"calls_recorded_in_process\": 100, \"calls_stopped\": 50}"

#define MADE "\"caller\": 150"

static const struct verdict_row verdict_rows[] = {
	{"recvmmsg", BATCH(100, 50, "{\"8\": 150}", "{}", "\"limit\": 100, \"arrivals\": 50"),
		"{\"EAGAIN\": 1}", RECORDED, BATCHING_LIMIT, 1},
	{"recvmmsg", BATCH(3, 147, "{\"64\": 150}", "{}", "\"arrivals\": 150"), "{}", RECORDED,
		BATCHING_ARRIVALS, 0},
	/* each call was made so that it returns at once; one was not */
	{"recvmmsg",
		BATCH(3, 147, "{\"64\": 150}", "{}",
			"\"arrivals\": 150},  \"could_wait\": 0, \"x\": {"),
		"{}", RECORDED, BATCHING_ARRIVALS, 1},
	{"recvmmsg",
		BATCH(3, 147, "{\"64\": 150}", "{}",
			"\"arrivals\": 150}, \"could_wait\": 1, \"x\": {"),
		"{}", RECORDED, BATCHING_ARRIVALS, 0},
	{"recvmmsg", BATCH(150, 0, "{\"1\": 150}", "{}", "\"limit\": 150"), "{}", RECORDED,
		BATCHING_NONE, 0},
	/* only waits that a signal ended asked for more than one */
	{"recvmmsg",
		BATCH(150, 0, "{\"1\": 150, \"256\": 10}", "{\"1->1\": 150}", "\"limit\": 150"),
		"{}", RECORDED, BATCHING_NONE, 0},
	{"sendmmsg",
		BATCH(140, 10, "{\"8\": 150}", "{\"8->8\": 50}", "\"buffer\": 100, \"caller\": 50"),
		"{\"EAGAIN\": 5}", RECORDED, BATCHING_BUFFER, 0},
	/* the batch is of one size, or is not */
	{"sendmmsg", BATCH(150, 0, "{\"8\": 150}", "{\"8->8\": 150}", MADE), "{}", RECORDED,
		BATCHING_MADE, 1},
	{"sendmmsg", BATCH(150, 0, "{\"1\": 50, \"8\": 100}", "{\"8->8\": 75}", MADE), "{}",
		RECORDED, BATCHING_MADE, 1},
	{"sendmmsg", BATCH(150, 0, "{\"1\": 50, \"8\": 100}", "{\"8->8\": 74}", MADE), "{}",
		RECORDED, BATCHING_CALLER, 1},
	{"sendmmsg", BATCH(150, 0, "{\"8\": 150}", "{\"8->8\": 150}", MADE), "{}", STOPPED,
		BATCHING_MADE, 0},
	/* two thirds are enough, a tenth of stops is few */
	{"recvmmsg", BATCH(75, 75, "{\"8\": 150}", "{}", "\"limit\": 100, \"arrivals\": 50"),
		"{\"EAGAIN\": 1}", "{\"calls_recorded_in_process\": 135, \"calls_stopped\": 15}",
		BATCHING_LIMIT, 1},
	{"recvmmsg", BATCH(75, 75, "{\"8\": 150}", "{}", "\"limit\": 99, \"arrivals\": 51"),
		"{\"EAGAIN\": 1}", RECORDED, BATCHING_MIXED, 1},
	/* only waits that ran out asked for more than one */
	{"recvmmsg",
		BATCH(150, 0, "{\"1\": 150, \"256\": 10}", "{\"1->1\": 140, \"256->0\": 10}",
			"\"limit\": 140"),
		"{}", RECORDED, BATCHING_NONE, 0},
	/* a pair that never came asked for nothing */
	{"recvmmsg",
		BATCH(150, 0, "{\"1\": 150}", "{\"1->1\": 150, \"64->64\": 0}", "\"limit\": 150"),
		"{}", RECORDED, BATCHING_NONE, 0},
	{"poll", BATCH(100, 50, "{\"8\": 150}", "{}", ""), "{\"EAGAIN\": 1}", RECORDED,
		BATCHING_NONE, 0},
};

static struct res_result *read_json(const char *text)
{
	char path[] = "/tmp/test-analyze-XXXXXX";
	cleanup_close int fd = mkstemp(path);
	struct res_result *r = NULL;
	struct err err = {0};

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	if (json_read_result(path, &r, &err) < 0)
		fail_msg("%s", err.text);
	unlink(path);
	return r;
}

static void test_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(verdict_rows); i++) {
		const struct verdict_row *row = &verdict_rows[i];
		cleanup_free char *text = mem_printf(
			"{\"schema\": \"iotrace.result/1\", \"tracer\": %s, \"syscalls\": "
			"[{\"name\": \"%s\", \"class\": \"network\", \"calls\": 160, \"ok\": 150, "
			"\"errno\": %s, \"batch\": %s}]}",
			row->tracer, row->name, row->errnos, row->batch);
		struct res_result *r = read_json(text);
		struct doc *d = doc_new();
		size_t n;
		struct batching *b = batching_list(d, r, &n);

		assert_int_equal(n, 1);
		if (b->verdict != row->verdict || (b->no_model == NULL) != row->model)
			fail_msg("row %zu: verdict %d (%s), model: %s", i, b->verdict, b->words,
				b->no_model ? b->no_model : "yes");
		doc_free(d);
		result_free(r);
	}
}

/* ---- tables ---- */

static void test_errors(void **state)
{
	static const struct {
		const char *call, *name;
		enum error_verdict verdict;
	} rows[] = {
		{"recvfrom", "EAGAIN", ERROR_NORMAL},
		{"read", "EAGAIN", ERROR_NORMAL},
		{"sendmmsg", "EAGAIN", ERROR_CHECK},
		{"openat", "ENOENT", ERROR_SEARCH},
		{"ioctl", "ENOTTY", ERROR_NORMAL},
		{"anything", "EINTR", ERROR_NORMAL},
		{"readlink", "EAGAIN", ERROR_UNKNOWN}, /* read is not its name */
		{"rea", "EAGAIN", ERROR_UNKNOWN},
		{"write", "ENOSPC", ERROR_UNKNOWN},
	};
	const char *why;

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		if (error_judge(rows[i].call, rows[i].name, &why) != rows[i].verdict)
			fail_msg("%s %s", rows[i].call, rows[i].name);
}

static void test_categories(void **state)
{
	(void)state;
	assert_int_equal(category_of_call("futex", "wait"), CATEGORY_LOCKS);
	assert_int_equal(category_of_call("epoll_wait", "wait"), CATEGORY_EVENT_LOOP);
	assert_int_equal(category_of_call("mmap", "memory"), CATEGORY_MEMORY);
	assert_int_equal(category_of_call("write", "desc"), CATEGORY_DESCRIPTORS);
	assert_int_equal(category_of_call(NULL, NULL), CATEGORY_OTHER);
}

/* 7 of 10 writes on a file, 2 on a socket, 1 on what nobody knows. */
static void test_writes_count_by_descriptor(void **state)
{
	struct category_row rows[CATEGORIES];
	struct res_result *r = read_json(
		"{\"schema\": \"iotrace.result/1\", \"syscalls\": [{\"name\": \"write\", "
		"\"class\": "
		"\"desc\", \"calls\": 10}], \"fds\": ["
		"{\"fd\": 3, \"target\": \"/x\", \"syscalls\": [{\"name\": \"write\", \"calls\": "
		"7}]},"
		"{\"fd\": 4, \"target\": \"tcp a -> b\", \"syscalls\": [{\"name\": \"write\", "
		"\"calls\": 2}, {\"name\": \"read\", \"calls\": 9}]}]}");

	(void)state;
	categories_count(r, rows);
	assert_int_equal(rows[0].id, CATEGORY_FILES);
	assert_int_equal(rows[0].calls, 7);
	assert_int_equal(rows[1].id, CATEGORY_NETWORK);
	assert_int_equal(rows[1].calls, 2);
	assert_int_equal(rows[2].id, CATEGORY_DESCRIPTORS);
	assert_int_equal(rows[2].calls, 1);
	result_free(r);
}

static void test_priority(void **state)
{
	struct ease_table ease = ease_defaults();
	struct err err = {0};

	(void)state;
	assert_int_equal(target_impact(0.005), 1);
	assert_int_equal(target_impact(0.021), 2);
	assert_int_equal(target_impact(0.18), 10);
	assert_int_equal(target_impact(7), 10);
	assert_int_equal(target_frequency(0), 1);
	assert_int_equal(target_frequency(10), 3);
	assert_int_equal(target_frequency(1000), 7);
	assert_int_equal(target_frequency(1e9), 10);
	assert_int_equal(ease_set(&ease, "batch-limit", 3, &err), 0);
	assert_int_equal(ease.of[TARGET_BATCH_LIMIT], 3);
	assert_true(ease_set(&ease, "batch-limit", 11, &err) < 0);
	assert_true(ease_set(&ease, "BATCH_LIMIT", 3, &err) < 0);
}

/* ---- Markdown ---- */

static void test_markdown_text(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{"epoll_wait -> 7.4%", "epoll_wait -> 7.4%"},
		{"_a_ *b* `c` |d|", "\\_a\\_ \\*b\\* \\`c\\` \\|d\\|"},
		{"</script><b>", "&lt;/script>&lt;b>"},
		{"&lt; a & b", "&amp;lt; a & b"},
		{"[x](http://e)", "\\[x\\](http\\://e)"},
		{"# h", "\\# h"},
		{"- l", "\\- l"},
		{"-5", "-5"},
		{"> q", "\\> q"},
		{"1. l", "1\\. l"},
		{"a\nb\x1b[0m", "a\\\\nb\\\\x1b\\[0m"},
		{"a@b", "a&#64;b"},
	};
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++)
		assert_string_equal(markdown_text(&a, rows[i].from), rows[i].to);
	arena_release(&a);
}

static void test_markdown_table(void **state)
{
	static const struct doc_column columns[] = {{"a", "name", "", 1, 0}, {"b", "n", "", 0, 0}};
	struct doc *d = doc_new();
	struct doc_table *t;
	struct out o;

	(void)state;
	doc_head(d, "x|y", "");
	t = doc_table(d, "t", columns, 2);
	doc_cell_text(d, t, "%s", "a|b\n| c |");
	doc_cell(t, CELL_COUNT, 1234);
	doc_cell_text(d, t, "%s", "");
	doc_cell(t, CELL_COUNT, U64_NONE);
	doc_note(d, "one");
	doc_note(d, "two");
	out_init_mem(&o);
	markdown_write_doc(d, &o);
	assert_string_equal(out_text(&o), "# x\\|y\n\n"
					  "| name | n |\n|---|---:|\n"
					  "| a\\|b\\\\n\\| c \\| | 1,234 |\n|  | - |\n\n"
					  "- one\n- two\n");
	out_release(&o);
	doc_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cost_is_least_squares_of_calls),
		cmocka_unit_test(test_cost_gain),
		cmocka_unit_test(test_cost_says_nothing),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_categories),
		cmocka_unit_test(test_writes_count_by_descriptor),
		cmocka_unit_test(test_priority),
		cmocka_unit_test(test_markdown_text),
		cmocka_unit_test(test_markdown_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
