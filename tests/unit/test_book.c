/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tracer/book.h"

#define START 1000
#define NM    NOT_MEASURED

/* ---- events ---- */

static struct sys_event event(const char *name, uint64_t entry_ns, uint64_t exit_ns)
{
	return (struct sys_event){.def = sys_by_name(name),
		.entry_ns = entry_ns,
		.exit_ns = exit_ns,
		.m = {NM, NM, NM, NM, NM, NM, 0, 0, 0},
		.pid = 7,
		.tid = 7,
		.thread_id = 1,
		.mm_id = 1};
}

static void call(struct book *b, const char *name, uint64_t entry_ns, uint64_t exit_ns)
{
	struct sys_event ev = event(name, entry_ns, exit_ns);

	book_call(b, &ev);
}

/* Each mapping has a place of its own. */
static void map_page(struct book *b, uint64_t entry_ns, uint64_t exit_ns)
{
	struct sys_event ev = event("mmap", entry_ns, exit_ns);

	ev.args[1] = 4096;
	ev.args[2] = PROT_READ;
	ev.args[3] = MAP_PRIVATE | MAP_ANONYMOUS;
	ev.args[4] = UINT64_MAX;
	ev.ret = (int64_t)(0x10000000 + entry_ns * 0x10000);
	ev.m.bytes_asked = ev.m.bytes_moved = 4096;
	book_call(b, &ev);
}

static int thread_name(void *ctx, uint32_t id, uint64_t *pid, uint64_t *tid, const char **comm)
{
	(void)ctx;
	*pid = *tid = id;
	*comm = "t";
	return 0;
}

static int fd_name(void *ctx, uint32_t id, struct agg_fd *ret)
{
	(void)ctx;
	(void)ret;
	return id ? -1 : 0;
}

static struct res_result *result_of(const struct book *b, int with_mappings)
{
	static const struct agg_names names = {.thread = thread_name, .fd = fd_name};
	struct res_result *r = result_new();

	r->tracer = RES_OBJ(r, tracer);
	book_result(b, &names, with_mappings, r);
	if (b->detail.set)
		book_result_detail(b, r);
	return r;
}

/* ---- the result as text: window, phases, calls in the tables ---- */

static uint64_t table_calls(const struct res_result *r)
{
	uint64_t calls = 0;

	for (size_t i = 0; i < r->syscalls.len; i++)
		calls += r->syscalls.at[i].calls;
	return calls;
}

static void expect(const struct book *b, const char *want)
{
	struct res_result *r = result_of(b, 0);
	struct out o;

	out_init_mem(&o);
	if (r->window)
		out_printf(
			&o, "[%" PRIu64 "..%" PRIu64 "] ", r->window->begin_ns, r->window->end_ns);
	for (size_t i = 0; i < r->phases.len; i++)
		out_printf(&o, "%s %" PRIu64 "/%" PRIu64 " ", r->phases.at[i].name,
			r->phases.at[i].calls, r->phases.at[i].wall_ns);
	out_printf(&o, "table %" PRIu64, table_calls(r));
	for (size_t i = 0; i < r->warnings.len; i++)
		out_printf(&o, " %s", r->warnings.at[i].code);
	assert_string_equal(out_text(&o), want);
	out_release(&o);
	result_free(r);
}

/* ---- phases: what happens, one letter each, at the time after it ---- */

/*
 * c: a call of 10 ns, booked in the order of the story   B, E: begin and end of the window
 * M: a mark   x: the run ends
 */
static const struct {
	const char *title;
	int wants_window;
	struct {
		char what;
		uint64_t at_ns;
	} story[10];
	const char *want;
} phases[] = {
	{"no window", 0, {{'c', 1000}, {'c', 1500}, {'x', 2000}}, "run 2/1000 table 2"},
	{"nothing at all", 0, {{'x', 1000}}, "run 0/0 table 0"},
	{"before, in, after", 1,
		{{'c', 1100}, {'B', 1200}, {'c', 1200}, {'c', 1399}, {'E', 1400}, {'c', 1400},
			{'c', 1500}, {'c', 1600}, {'x', 2000}},
		"[200..400] start-up 1/200 window 2/200 shutdown 3/600 table 2"},
	{"planned", 1,
		{{'B', 1200}, {'E', 1400}, {'c', 1199}, {'c', 1200}, {'c', 1399}, {'c', 1400},
			{'x', 2000}},
		"[200..400] start-up 1/200 window 2/200 shutdown 1/600 table 2"},
	{"in flight when it begins", 1, {{'B', 1200}, {'c', 1300}, {'c', 1195}, {'x', 2000}},
		"[200..1000] start-up 1/200 window 1/800 shutdown 0/0 table 1"},
	{"in flight when it ends", 1,
		{{'B', 1200}, {'E', 1400}, {'c', 1450}, {'c', 1395}, {'x', 2000}},
		"[200..400] start-up 0/200 window 1/200 shutdown 1/600 table 1"},
	{"ends with the run", 1, {{'B', 1200}, {'c', 1300}, {'x', 2000}},
		"[200..1000] start-up 0/200 window 1/800 shutdown 0/0 table 1"},
	{"planned end after the run's", 1, {{'B', 1200}, {'E', 9000}, {'c', 1300}, {'x', 2000}},
		"[200..1000] start-up 0/200 window 1/800 shutdown 0/0 table 1"},
	{"never began", 1, {{'c', 1100}, {'x', 2000}}, "run 1/1000 table 1 window_never_began"},
	{"planned begin after the run's end", 1,
		{{'B', 9000}, {'E', 9500}, {'c', 1100}, {'x', 2000}},
		"run 1/1000 table 1 window_never_began"},
	{"an end without a begin", 1, {{'E', 1200}, {'c', 1300}, {'x', 2000}},
		"run 1/1000 table 1 window_never_began"},
	{"the first begin and the first end count", 1,
		{{'B', 1200}, {'B', 1300}, {'E', 1400}, {'E', 1500}, {'c', 1250}, {'c', 1450},
			{'x', 2000}},
		"[200..400] start-up 0/200 window 1/200 shutdown 1/600 table 1"},
	{"begins and ends at once", 1, {{'B', 1200}, {'E', 1200}, {'c', 1200}, {'x', 2000}},
		"[200..200] start-up 0/200 window 0/0 shutdown 1/800 table 0"},
	{"marks", 0,
		{{'c', 1050}, {'M', 1100}, {'c', 1100}, {'c', 1200}, {'M', 1300}, {'c', 1400},
			{'x', 2000}},
		"run 4/1000 mark 2/200 mark 1/700 table 4"},
	{"marks, in flight", 0, {{'M', 1100}, {'M', 1300}, {'c', 1295}, {'c', 1090}, {'x', 2000}},
		"run 2/1000 mark 1/200 mark 0/700 table 2"},
	{"marks in a window", 1,
		{{'B', 1100}, {'M', 1200}, {'c', 1150}, {'c', 1250}, {'E', 1300}, {'c', 1350},
			{'x', 2000}},
		"[100..300] start-up 0/100 window 2/200 shutdown 1/700 mark 2/800 table 2"},
};

static void happen(struct book *b, char what, uint64_t at_ns)
{
	switch (what) {
	case 'B':
		book_begin(b, at_ns);
		break;
	case 'E':
		book_end(b, at_ns);
		break;
	case 'M':
		book_mark(b, "mark", at_ns);
		break;
	case 'c':
		call(b, "write", at_ns, at_ns + 10);
		break;
	default:
		book_close(b, at_ns);
	}
}

static void calls_belong_to_the_phase_of_their_entry(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(phases) / sizeof(*phases); i++) {
		struct book b;

		print_message("# %s\n", phases[i].title);
		book_init(&b, START, phases[i].wants_window, 1);
		for (size_t k = 0; phases[i].story[k].what; k++)
			happen(&b, phases[i].story[k].what, phases[i].story[k].at_ns);
		expect(&b, phases[i].want);
		book_release(&b);
	}
}

static void stops_are_counted_by_phase(void **state)
{
	struct book b;

	(void)state;
	book_init(&b, START, 1, 1);
	book_begin(&b, 1200);
	book_end(&b, 1400);
	book_stop(&b, 1100, 1);
	book_stop(&b, 1200, 1);
	book_stop(&b, 1300, 0);
	book_stop(&b, 1399, 0);
	book_stop(&b, 1400, 0);
	book_close(&b, 2000);
	assert_int_equal(book_stops(&b).near, 1);
	assert_int_equal(book_stops(&b).far, 2);
	assert_int_equal(book_wall_ns(&b), 200);
	book_release(&b);
}

static void stops_of_a_window_that_never_began(void **state)
{
	struct book b;

	(void)state;
	book_init(&b, START, 1, 1);
	book_stop(&b, 1100, 0);
	book_close(&b, 2000);
	assert_int_equal(book_stops(&b).far, 1);
	assert_int_equal(book_wall_ns(&b), 1000);
	book_release(&b);
}

/* ---- mappings: those that were made in the window ---- */

static const struct {
	const char *title;
	int wants_window;
	struct {
		char what; /* m: one page mapped; as above */
		uint64_t at_ns;
	} story[10];
	uint64_t maps;
} maps[] = {
	{"no window", 0, {{'m', 1100}, {'m', 1200}, {'x', 2000}}, 2},
	{"before, in, after", 1,
		{{'m', 1100}, {'m', 1150}, {'B', 1200}, {'m', 1300}, {'E', 1400}, {'m', 1500},
			{'x', 2000}},
		1},
	{"never began", 1, {{'m', 1100}, {'x', 2000}}, 1},
	{"none in the window, other calls are", 1,
		{{'m', 1100}, {'B', 1200}, {'c', 1300}, {'E', 1400}, {'m', 1500}, {'x', 2000}}, 0},
	{"no call in the window", 1,
		{{'m', 1100}, {'B', 1200}, {'E', 1400}, {'m', 1500}, {'x', 2000}}, 0},
	{"no call after the start-up", 1, {{'m', 1100}, {'B', 1200}, {'x', 2000}}, 0},
	{"no call before it", 1, {{'B', 1200}, {'m', 1300}, {'E', 1400}, {'x', 2000}}, 1},
	{"in flight when it begins", 1,
		{{'B', 1200}, {'c', 1300}, {'m', 1195}, {'m', 1350}, {'x', 2000}}, 1},
	{"in flight when it ends", 1,
		{{'B', 1200}, {'E', 1400}, {'c', 1250}, {'c', 1450}, {'m', 1395}, {'x', 2000}}, 1},
};

static void mappings_are_those_of_the_window(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++) {
		struct res_result *r;
		struct book b;
		uint64_t is;

		book_init(&b, START, maps[i].wants_window, 1);
		for (size_t k = 0; maps[i].story[k].what; k++)
			if (maps[i].story[k].what == 'm')
				map_page(&b, maps[i].story[k].at_ns, maps[i].story[k].at_ns + 10);
			else
				happen(&b, maps[i].story[k].what, maps[i].story[k].at_ns);
		r = result_of(&b, 1);
		assert_non_null(r->mappings);
		is = r->mappings->anonymous ? r->mappings->anonymous->maps : 0;
		if (is != maps[i].maps) {
			failures++;
			print_message("# %s: %" PRIu64 " maps, not %" PRIu64 "\n", maps[i].title,
				is, maps[i].maps);
		}
		result_free(r);
		book_release(&b);
	}
	assert_int_equal(failures, 0);
}

static void mappings_only_when_all_were_traced(void **state)
{
	struct res_result *r;
	struct book b;

	(void)state;
	book_init(&b, START, 0, 1);
	map_page(&b, 1100, 1110);
	book_close(&b, 2000);
	r = result_of(&b, 0);
	assert_null(r->mappings);
	result_free(r);
	book_release(&b);
}

/* ---- detail ---- */

#define DETAIL_CALLS 10

struct detail {
	struct book b;
	struct spool *spool;
	struct sys_set set;
	struct out text;
};

static void detail_begin(struct detail *d, uint64_t limit_bytes)
{
	const char *dir = getenv("TMPDIR");

	*d = (struct detail){.text = {.fd = -1}};
	assert_int_equal(sys_set_parse(&d->set, "write", NULL), 0);
	assert_int_equal(
		spool_new(&d->spool, dir ? dir : "/tmp", detail_calls_max(limit_bytes, 1), NULL),
		0);
	book_init(&d->b, START, 0, 1);
	book_detail(&d->b, d->spool, &d->set);
	d->b.detail.epoch_offset_ns = 0;
}

static void detail_end(struct detail *d)
{
	out_release(&d->text);
	spool_free(d->spool);
	sys_set_release(&d->set);
	book_release(&d->b);
}

static void assert_detail(const struct detail *d, uint64_t lines, uint64_t left_out)
{
	struct res_result *r = result_of(&d->b, 0);

	assert_int_equal(r->tracer->detail_lines, lines);
	assert_int_equal(r->tracer->detail_lines_left_out, left_out);
	result_free(r);
}

/* One line more or less is where the limit may cut; all lines are equally long here. */
static void write_detail(struct detail *d, uint64_t limit_bytes)
{
	detail_begin(d, limit_bytes);
	for (uint64_t i = 0; i < DETAIL_CALLS; i++) {
		call(&d->b, "write", START + i * 1000, START + i * 1000 + 10);
		call(&d->b, "read", START + i * 1000, START + i * 1000 + 10);
	}
	book_close(&d->b, 20000);
	assert_int_equal(book_render(&d->b, &d->text, limit_bytes, NULL), 0);
}

static size_t line_bytes(void)
{
	struct detail d;
	size_t n;

	write_detail(&d, UINT64_MAX);
	n = d.text.len / DETAIL_CALLS;
	assert_int_equal(d.text.len, n * DETAIL_CALLS);
	detail_end(&d);
	return n;
}

static void the_detail_keeps_the_first_part(void **state)
{
	size_t line = line_bytes();
	const struct {
		uint64_t limit_bytes, lines;
	} rows[] = {{0, 0}, {1, 0}, {line - 1, 0}, {line, 1}, {line + 1, 1}, {3 * line - 1, 2},
		{3 * line, 3}, {DETAIL_CALLS * line - 1, DETAIL_CALLS - 1},
		{DETAIL_CALLS * line, DETAIL_CALLS}, {UINT64_MAX, DETAIL_CALLS}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct detail d;

		print_message("# limit %" PRIu64 "\n", rows[i].limit_bytes);
		write_detail(&d, rows[i].limit_bytes);
		assert_int_equal(d.text.len, rows[i].lines * line);
		assert_true(!d.text.len || out_text(&d.text)[d.text.len - 1] == '\n');
		assert_null(strstr(out_text(&d.text), "read("));
		assert_detail(&d, rows[i].lines, DETAIL_CALLS - rows[i].lines);
		detail_end(&d);
	}
}

/* A shorter line that would still fit must not follow a longer one that did not. */
static void nothing_follows_what_was_left_out(void **state)
{
	size_t line = line_bytes();
	struct sys_event longer;
	struct detail d;

	(void)state;
	detail_begin(&d, 2 * line + 1);
	call(&d.b, "write", 1000, 1010);
	longer = event("write", 2000, 2010);
	longer.args[1] = 0x7fffffffffff;
	longer.args[2] = 1ULL << 40;
	book_call(&d.b, &longer);
	call(&d.b, "write", 3000, 3010);
	assert_int_equal(book_render(&d.b, &d.text, 2 * line + 1, NULL), 0);
	assert_int_equal(d.text.len, line);
	assert_detail(&d, 1, 2);
	detail_end(&d);
}

static void a_detail_that_cannot_be_written_is_counted(void **state)
{
	struct err err = {0};
	struct detail d;

	(void)state;
	detail_begin(&d, UINT64_MAX);
	d.text.error = -ENOSPC;
	call(&d.b, "write", 1000, 1010);
	assert_int_equal(book_render(&d.b, &d.text, UINT64_MAX, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "No space left"));
	assert_detail(&d, 0, 1);
	detail_end(&d);
}

static void a_book_without_a_detail_says_nothing_of_it(void **state)
{
	struct res_result *r;
	struct book b;

	(void)state;
	book_init(&b, START, 0, 1);
	call(&b, "write", 1000, 1010);
	r = result_of(&b, 0);
	assert_true(r->tracer->detail_lines == U64_NONE);
	assert_true(r->tracer->detail_lines_left_out == U64_NONE);
	result_free(r);
	book_release(&b);
}

/* ---- gathering ---- */

static void a_write(struct book *b, uint64_t entry_ns)
{
	struct sys_event ev = event("write", entry_ns, entry_ns + 10);

	ev.fd_id = 3;
	ev.ret = 1;
	book_call(b, &ev);
}

/* The calls of the window, and no group that reaches over its ends. */
static void gathering_is_of_the_window(void **state)
{
	struct book b;
	struct res_result *r;

	(void)state;
	book_init(&b, START, 1, 1);
	for (int i = 0; i < 5; i++)
		a_write(&b, 1100 + 20 * (uint64_t)i);
	book_begin(&b, 1200);
	for (int i = 0; i < 4; i++)
		a_write(&b, 1200 + 20 * (uint64_t)i);
	book_end(&b, 1300);
	for (int i = 0; i < 7; i++)
		a_write(&b, 1300 + 20 * (uint64_t)i);
	book_close(&b, 2000);
	r = result_of(&b, 0);
	assert_int_equal(r->gathering.len, 4);
	assert_int_equal(r->gathering.at[0].limit_units, 8);
	assert_int_equal(r->gathering.at[0].calls, 4);
	assert_int_equal(r->gathering.at[0].saved, 3);
	assert_int_equal(r->gathering.at[0].saved_safely, 3);
	assert_int_equal(r->gathering.at[0].delay_ns_total, 60 + 40 + 20);
	result_free(r);
	book_release(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_belong_to_the_phase_of_their_entry),
		cmocka_unit_test(stops_are_counted_by_phase),
		cmocka_unit_test(stops_of_a_window_that_never_began),
		cmocka_unit_test(mappings_are_those_of_the_window),
		cmocka_unit_test(mappings_only_when_all_were_traced),
		cmocka_unit_test(the_detail_keeps_the_first_part),
		cmocka_unit_test(nothing_follows_what_was_left_out),
		cmocka_unit_test(a_detail_that_cannot_be_written_is_counted),
		cmocka_unit_test(a_book_without_a_detail_says_nothing_of_it),
		cmocka_unit_test(gathering_is_of_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
