/* SPDX-License-Identifier: GPL-3.0-only */
/* The report: bins, flame graphs, and that what a target wrote stays text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/report/report.h"
#include "common/report/report_bins.h"
#include "common/report/report_flame.h"
#include "common/report/report_page.h"

/* ---- bins ---- */

static struct res_counts counts(struct arena *a, const uint64_t (*rows)[2], size_t n)
{
	struct res_counts c = {arena_alloc(a, n + 1, sizeof(*c.at)), n};

	for (size_t i = 0; i < n; i++)
		c.at[i] = (struct res_count){
			arena_printf(a, "%llu", (unsigned long long)rows[i][0]), rows[i][1]};
	return c;
}

static void few_sizes_stay_alone(void **state)
{
	static const uint64_t asked[][2] = {{64, 1700}}, got[][2] = {{64, 100}, {1, 1600}};
	struct arena a = {0};
	struct res_batch b = {.asked_histogram = counts(&a, asked, LEN(asked)),
		.transferred_histogram = counts(&a, got, LEN(got))};
	struct size_bins s = report_size_bins(&a, &b);

	(void)state;
	assert_int_equal(s.len, 2);
	assert_int_equal(s.limit, 64);
	assert_int_equal(s.most, 1700);
	assert_true(s.moved == 1600 + 6400);
	assert_int_equal(s.at[0].first, 1);
	assert_int_equal(s.at[0].asked, 0);
	assert_int_equal(s.at[0].got, 1600);
	assert_int_equal(s.at[1].asked, 1700);
	assert_int_equal(s.at[1].got, 100);
	arena_release(&a);
}

static void many_sizes_are_put_together(void **state)
{
	uint64_t got[100][2], asked[1][2] = {{50, 100}}, calls = 0;
	struct arena a = {0};

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		got[i][0] = 99 - i;
		got[i][1] = 1;
	}
	struct res_batch b = {.asked_histogram = counts(&a, asked, 1),
		.transferred_histogram = counts(&a, got, LEN(got))};
	struct size_bins s = report_size_bins(&a, &b);
	static const uint64_t firsts[] = {0, 1, 2, 3, 4, 8, 16, 32, 50, 51, 64};

	assert_int_equal(s.len, LEN(firsts));
	for (size_t i = 0; i < s.len; i++) {
		assert_int_equal(s.at[i].first, firsts[i]);
		calls += s.at[i].got;
	}
	assert_int_equal(calls, 100);
	assert_int_equal(s.at[7].last, 49);
	assert_int_equal(s.at[8].last, 50);
	assert_int_equal(s.at[8].asked, 100);
	assert_int_equal(s.at[9].last, 63);
	arena_release(&a);
}

static void latencies_fall_into_their_bins(void **state)
{
	(void)state;
	assert_int_equal(report_latency_bin(0), 0);
	assert_int_equal(report_latency_bin(1), 0);
	assert_int_equal(report_latency_bin(1024), 10 * LATENCY_STEPS);
	assert_int_equal(report_latency_bin(2047), 11 * LATENCY_STEPS - 1);
	assert_int_equal(report_latency_bin(UINT64_MAX), LATENCY_BINS - 1);
	assert_true(report_latency_ns(10 * LATENCY_STEPS) == 1024);
}

static void latency_bins_of_a_call(void **state)
{
	struct res_le_ns le[] = {{1000, 5}, {1001, 5}, {1 << 20, 1}, {7, 0}};
	struct res_syscall s = {.latency_histogram = {le, LEN(le)}}, none = {0};
	struct latency_bins b;

	(void)state;
	report_latency_bins(&s, &b);
	assert_int_equal(b.total, 11);
	assert_int_equal(b.most, 10);
	assert_int_equal(b.first, report_latency_bin(1000));
	assert_int_equal(b.last, 20 * LATENCY_STEPS);
	report_latency_bins(&none, &b);
	assert_true(b.first > b.last);
}

static void time_is_put_into_columns(void **state)
{
	struct res_timeline_row rows[] = {{.t_ns = 990, .calls = 1, .bytes = U64_NONE},
		{.t_ns = 0, .calls = 2, .messages = 4, .batch_calls = 2}, {.t_ns = 10, .calls = 3}};
	struct res_timeline t = {.bucket_ns = 10, .rows = {rows, LEN(rows)}};
	struct arena a = {0};
	struct time_columns c = report_time_columns(&a, &t, 30);

	(void)state;
	assert_int_equal(c.width_ns, 40);
	assert_int_equal(c.len, 25);
	assert_int_equal(c.at[0].calls, 5);
	assert_int_equal(c.at[0].messages, 4);
	assert_int_equal(c.at[1].calls, 0);
	assert_int_equal(c.at[24].calls, 1);
	assert_int_equal(c.at[24].bytes, 0);
	c = report_time_columns(&a, &t, 1000);
	assert_int_equal(c.len, 100);
	arena_release(&a);
}

static void timelines_that_nobody_wrote(void **state)
{
	struct res_timeline_row far = {.t_ns = INT64_MAX, .calls = 1}, none = {.t_ns = U64_NONE};
	const struct res_timeline bad[] = {{.bucket_ns = 0, .rows = {&far, 1}},
		{.bucket_ns = U64_NONE, .rows = {&far, 1}}, {.bucket_ns = 1, .rows = {NULL, 0}}};
	const struct res_timeline odd[] = {
		{.bucket_ns = 1, .rows = {&far, 1}}, {.bucket_ns = 1, .rows = {&none, 1}}};
	struct arena a = {0};

	(void)state;
	assert_int_equal(report_time_columns(&a, NULL, 10).len, 0);
	for (size_t i = 0; i < LEN(bad); i++)
		assert_int_equal(report_time_columns(&a, &bad[i], 10).len, 0);
	for (size_t i = 0; i < LEN(odd); i++)
		assert_in_range(report_time_columns(&a, &odd[i], 10).len, 1, 10);
	arena_release(&a);
}

/* ---- flame graphs ---- */

static void expect(const struct flame *f, const struct flame_node *want, size_t n)
{
	assert_int_equal(f->nodes.len, n);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(f->nodes.at[i].name, want[i].name);
		assert_int_equal(f->nodes.at[i].total, want[i].total);
		assert_int_equal(f->nodes.at[i].depth, want[i].depth);
	}
}

static void folded_stacks_make_a_tree(void **state)
{
	/* "a b" sorts between "a" and "a;b" as text, and must not come between them here. */
	char text[] =
		"a;c 1\na 2\na b;x 4\na;b;d 8\na;b 16\n\n# no stack\nnonsense\na;c 32\nb 1x\n";
	static const struct flame_node want[] = {{"all", 63, 0, 0}, {"a", 59, 0, 1},
		{"b", 24, 0, 2}, {"d", 8, 0, 3}, {"c", 33, 0, 2}, {"a b", 4, 0, 1}, {"x", 4, 0, 2}};
	struct flame f = {0};

	(void)state;
	flame_of_folded(&f, text, strlen(text));
	expect(&f, want, LEN(want));
	assert_int_equal(f.unreadable, 2);
	assert_int_equal(flame_least(&f, 100, 0), 1);
	assert_int_equal(flame_least(&f, 100, 0.5), 32);
	assert_int_equal(flame_least(&f, 3, 0), 25);
	flame_release(&f);
}

static void a_picture_of_nothing(void **state)
{
	static const struct {
		const char *folded;
		int is_empty;
	} rows[] = {{"", 1}, {"a;b 0\n", 1}, {"a;b 1\n", 0}};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		char folded[16];
		struct out o;

		strcpy(folded, rows[i].folded);
		out_init_mem(&o);
		report_flame_file(
			"x", &(struct flame_text){folded, strlen(folded), "samples", 0}, &o);
		assert_int_equal(
			strstr(out_text(&o), "There are no stacks.") != NULL, rows[i].is_empty);
		out_release(&o);
	}
}

static void a_stack_without_end(void **state)
{
	size_t deep = 5000;
	char *text = mem_calloc(2 * deep + 8, 1), *to = text;
	struct flame f = {0};

	(void)state;
	for (size_t i = 0; i < deep; i++)
		to = stpcpy(to, i ? ";f" : "f");
	strcpy(to, " 7");
	flame_of_folded(&f, text, strlen(text));
	assert_in_range(f.nodes.len, 1000, 1100);
	assert_int_equal(f.nodes.at[f.nodes.len - 1].total, 7);
	flame_release(&f);
	free(text);
}

static void a_peak_with_depths_that_lie(void **state)
{
	struct res_memory_node nodes[] = {{.depth = 9, .bytes = 100, .function = "heap"},
		{.depth = 7, .bytes = 60, .function = "f"}, {.depth = 0, .bytes = 5},
		{.depth = U64_NONE, .bytes = U64_NONE, .function = "h"}};
	struct res_memory_tree t = {.nodes = {nodes, LEN(nodes)}};
	static const struct flame_node want[] = {
		{"heap", 100, 0, 0}, {"f", 60, 0, 1}, {"?", 5, 0, 2}, {"h", 0, 0, 2}};
	struct flame f = {0};

	(void)state;
	flame_of_peak(&f, &t);
	expect(&f, want, LEN(want));
	flame_release(&f);
}

static void time_by_process_and_thread(void **state)
{
	struct res_part first[] = {
		{.name = "read", .wall_ns = 10}, {.name = "write", .wall_ns = 30}};
	struct res_part second[] = {{.name = "futex", .wall_ns = 5}};
	struct res_thread threads[] = {{.pid = 2, .tid = 3, .comm = "w", .syscalls = {second, 1}},
		{.pid = 2, .tid = 2, .comm = "m", .syscalls = {first, 2}}};
	struct res_result r = {.threads = {threads, 2}};
	static const struct flame_node want[] = {{"all calls", 45, 0, 0}, {"process 2 m", 45, 0, 1},
		{"m 2", 40, 0, 2}, {"write", 30, 0, 3}, {"read", 10, 0, 3}, {"w 3", 5, 0, 2},
		{"futex", 5, 0, 3}};
	struct arena a = {0};
	struct flame f = {0};

	(void)state;
	flame_of_threads(&f, &r, &a);
	expect(&f, want, LEN(want));
	flame_release(&f);
	arena_release(&a);
}

/* ---- text ---- */

static void names_are_escaped(void **state)
{
	struct out o;

	(void)state;
	out_init_mem(&o);
	struct page p = {.o = &o, .whole_left = 1000};

	html_text(&p, "<a b=\"c\">'&\x1b\n\xff");
	assert_string_equal(
		out_text(&o), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;\\x1b\\n\xef\xbf\xbd");
	out_release(&o);
	arena_release(&p.arena);
}

static void long_names_are_cut(void **state)
{
	struct arena a = {0};
	char *name = arena_alloc(&a, 701, 1);
	struct out o;

	(void)state;
	memset(name, '<', 700);
	out_init_mem(&o);
	struct page p = {.o = &o, .whole_left = 1000};

	html_name(&p, name, 20);
	assert_non_null(strstr(out_text(&o), "...&lt;"));
	size_t whole = strlen(out_text(&o));

	assert_in_range(whole, 700 * 4, 800 * 4);
	assert_int_equal(p.whole_left, 300);
	html_name(&p, name, 20); /* the budget is used up: cut in the title too */
	assert_in_range(strlen(out_text(&o)) - whole, 0, 300 * 4);
	out_release(&o);
	arena_release(&p.arena);
	arena_release(&a);
}

static void an_empty_result_is_a_page(void **state)
{
	struct report r = {.io = result_new()};
	struct out o;

	(void)state;
	out_init_mem(&o);
	report_html(&r, &o);
	assert_non_null(strstr(out_text(&o), "</html>"));
	assert_null(strstr(out_text(&o), "18446744073709551615"));
	assert_null(strstr(out_text(&o), "\"nan\""));
	out_release(&o);
	out_init_mem(&o);
	report_text(&r, &o);
	out_release(&o);
	report_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_sizes_stay_alone),
		cmocka_unit_test(many_sizes_are_put_together),
		cmocka_unit_test(latencies_fall_into_their_bins),
		cmocka_unit_test(latency_bins_of_a_call),
		cmocka_unit_test(time_is_put_into_columns),
		cmocka_unit_test(timelines_that_nobody_wrote),
		cmocka_unit_test(folded_stacks_make_a_tree),
		cmocka_unit_test(a_picture_of_nothing),
		cmocka_unit_test(a_stack_without_end),
		cmocka_unit_test(a_peak_with_depths_that_lie),
		cmocka_unit_test(time_by_process_and_thread),
		cmocka_unit_test(names_are_escaped),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(an_empty_result_is_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
