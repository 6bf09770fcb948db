/* SPDX-License-Identifier: GPL-3.0-only */
/* Lines and screen of a run that goes on: what is made of snapshots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/clock.h"
#include "common/write/safe.h"
#include "tracer/agg/timeless.h"
#include "tracer/live/interval.h"
#include "tracer/live/screen.h"
#include "tracer/supervise.h"

#define NM NOT_MEASURED

static const struct sys_def defs[] = {
	{.name = "sendmmsg", .unit = BATCH_MESSAGES, .index = 1},
	{.name = "writev", .unit = BATCH_IOVECS, .index = 2},
	{.name = "read", .index = 3},
};

/* ---- snapshots by hand ---- */

static struct snapshot *snapshot(double at_s, enum book_phase phase, int windows)
{
	static const char *const window[] = {"start-up", "window", "shutdown"};
	struct snapshot *s = calloc(1, sizeof(*s));

	s->at_ns = (uint64_t)(at_s * 1e9);
	s->phase = phase;
	for (int i = 0; i < PHASE_COUNT; i++)
		s->phases[i].name = windows ? window[i] : "run";
	s->phases[PHASE_WINDOW].begin_ns = windows ? 2 * NS_PER_SEC : 0;
	s->phases[PHASE_STARTUP].end_ns = s->phases[PHASE_WINDOW].begin_ns;
	s->phases[PHASE_WINDOW].end_ns = windows ? 4 * NS_PER_SEC : UINT64_MAX;
	s->phases[PHASE_SHUTDOWN].begin_ns = s->phases[PHASE_WINDOW].end_ns;
	s->phases[PHASE_SHUTDOWN].end_ns = UINT64_MAX;
	s->threads_alive = 2;
	return s;
}

static struct counted_row row(int def, uint64_t calls, uint64_t errors, uint64_t each)
{
	int batch = defs[def].unit != BATCH_NONE;

	return (struct counted_row){
		&defs[def], {.calls = calls,
				    .errors = errors,
				    .wall_ns = calls * 1000000,
				    .bytes = def == 2 ? NM : calls * 100,
				    .batch_calls = batch ? calls - errors : NM,
				    .batch_asked = batch ? (calls - errors) * 8 : NM,
				    .batch_moved = batch ? (calls - errors) * each : NM}};
}

static void put_owner(struct counted_owners *to, uint64_t number, const char *name)
{
	*VEC_PUSH(to) = (struct counted_owner){
		.pid = 77, .number = number, .generation = 0, .name = name, .first = to->rows.len};
}

static void put_row(struct counted_owners *to, struct counted_row r)
{
	*VEC_PUSH(&to->rows) = r;
	to->at[to->len - 1].len++;
}

/* So many sendmmsg of 3 messages by a thread, and so many writev and read by another. */
static void fill(struct snapshot *s, enum book_phase phase, uint64_t sends, uint64_t others)
{
	struct counted *c = &s->phases[phase].counted;

	c->calls = sends + 2 * others;
	*VEC_PUSH(&c->calls_by_name) = row(0, sends, sends / 4, 3);
	*VEC_PUSH(&c->calls_by_name) = row(1, others, 0, 2);
	*VEC_PUSH(&c->calls_by_name) = row(2, others, others, 0);
	put_owner(&c->threads, 78, "sender");
	put_row(&c->threads, row(0, sends, sends / 4, 3));
	put_owner(&c->threads, 79, "bad\x1b[2J\nname");
	put_row(&c->threads, row(1, others, 0, 2));
	put_row(&c->threads, row(2, others, others, 0));
	put_owner(&c->fds, 5, "udp 127.0.0.1:1 -> 127.0.0.1:53");
	put_row(&c->fds, row(0, sends, sends / 4, 3));
}

static struct snapshot *timeless(struct snapshot *s)
{
	for (int i = 0; i < PHASE_COUNT; i++)
		counted_without_times(&s->phases[i].counted);
	return s;
}

/* ---- intervals ---- */

/* --no-times: most calls first, in every list. */
static void an_interval_without_times(void **state)
{
	struct snapshot *a = snapshot(1, PHASE_WINDOW, 0), *b = snapshot(1.5, PHASE_WINDOW, 0);
	struct res_interval *i;

	(void)state;
	fill(a, PHASE_WINDOW, 100, 10);
	fill(b, PHASE_WINDOW, 110, 50);
	i = interval_build(timeless(a), timeless(b), PHASE_WINDOW);
	assert_int_equal(i->syscalls.len, 3);
	assert_int_equal(i->syscalls.at[0].calls, 40);
	assert_string_equal(i->syscalls.at[2].name, "sendmmsg");
	for (size_t k = 0; k < 3; k++) {
		assert_true(i->syscalls.at[k].wall_ns == U64_NONE);
		assert_true(i->total->syscalls.at[k].wall_ns == U64_NONE);
	}
	assert_string_equal(i->total->syscalls.at[0].name, "sendmmsg");
	assert_true(i->threads.at[0].syscalls.at[0].wall_ns == U64_NONE);
	assert_true(i->fds.at[0].syscalls.at[0].wall_ns == U64_NONE);
	result_free(i);
	snapshot_free(a);
	snapshot_free(b);
}

static void an_interval_is_a_difference(void **state)
{
	struct snapshot *a = snapshot(1, PHASE_WINDOW, 0), *b = snapshot(1.5, PHASE_WINDOW, 0);
	struct res_interval *i;

	(void)state;
	fill(a, PHASE_WINDOW, 100, 10);
	fill(b, PHASE_WINDOW, 300, 10);
	b->lost = 3;
	assert_true(interval_has(a, b, PHASE_WINDOW));
	assert_false(interval_has(a, b, PHASE_STARTUP));
	i = interval_build(a, b, PHASE_WINDOW);
	assert_string_equal(i->schema, "iotrace.interval/1");
	assert_string_equal(i->phase, "run");
	assert_int_equal(i->t_ns, 1500000000);
	assert_int_equal(i->interval_ns, 500000000);
	assert_int_equal(i->calls, 200);
	assert_int_equal(i->syscalls.len, 1); /* those with a call */
	assert_string_equal(i->syscalls.at[0].name, "sendmmsg");
	assert_int_equal(i->syscalls.at[0].errors, 50);
	assert_int_equal(i->syscalls.at[0].batch_transferred, 450);
	assert_int_equal(i->threads.len, 1);
	assert_int_equal(i->threads.at[0].tid, 78);
	assert_int_equal(i->fds.len, 1);
	assert_int_equal(i->fds.at[0].fd, 5);
	assert_int_equal(i->total->calls, 320);
	assert_int_equal(i->total->syscalls.len, 3);
	assert_int_equal(i->lost, 3);
	assert_int_equal(i->complete, 0);
	result_free(i);
	i = interval_build(NULL, a, PHASE_WINDOW);
	assert_int_equal(i->interval_ns, 1000000000);
	assert_int_equal(i->calls, 120);
	assert_true(i->syscalls.at[2].batch_calls == U64_NONE ||
		    i->syscalls.at[1].batch_calls == U64_NONE);
	assert_int_equal(i->complete, 1);
	result_free(i);
	snapshot_free(a);
	snapshot_free(b);
}

/* The window lies from 2 to 4 s. */
static const struct {
	double from_s, to_s;
	enum book_phase phase; /* of to_s */
	uint64_t ms[PHASE_COUNT];
} lengths[] = {
	{0, 1, PHASE_STARTUP, {1000, 0, 0}},
	{1.5, 2.5, PHASE_WINDOW, {500, 500, 0}},
	{2, 3, PHASE_WINDOW, {0, 1000, 0}},
	{1, 5, PHASE_SHUTDOWN, {1000, 2000, 1000}},
	{4.5, 5, PHASE_SHUTDOWN, {0, 0, 500}},
};

static void intervals_are_cut_at_the_window(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(lengths) / sizeof(*lengths); k++) {
		struct snapshot *a = snapshot(lengths[k].from_s, PHASE_WINDOW, 1);
		struct snapshot *b = snapshot(lengths[k].to_s, lengths[k].phase, 1);

		for (int p = 0; p < PHASE_COUNT; p++) {
			assert_int_equal(snapshot_length_ns(a, b, (enum book_phase)p) / NS_PER_MS,
				lengths[k].ms[p]);
			assert_int_equal(interval_has(a, b, (enum book_phase)p),
				lengths[k].ms[p] != 0); /* though no call has ended */
		}
		snapshot_free(a);
		snapshot_free(b);
	}
}

static void the_clock_does_not_drift(void **state)
{
	uint64_t at = 1000;

	(void)state;
	for (uint64_t k = 1; k < 1000; k++) {
		at = supervise_next_ns(at, 100, at + k % 100); /* so late each was */
		assert_int_equal(at, 1000 + k * 100);
	}
	assert_int_equal(supervise_next_ns(1000, 100, 1000), 1100);
	assert_int_equal(supervise_next_ns(1000, 100, 1099), 1100);
	assert_int_equal(supervise_next_ns(1000, 100, 1100), 1200);
	assert_int_equal(supervise_next_ns(1000, 100, 1751), 1800);
}

static void expect_line(uint64_t sends, int windows, const char *want)
{
	struct snapshot *a = snapshot(1, PHASE_WINDOW, 0), *b = snapshot(1.5, PHASE_WINDOW, 0);
	struct res_interval *i;
	struct out o;

	fill(a, PHASE_WINDOW, 0, 10);
	fill(b, PHASE_WINDOW, sends, 60);
	i = interval_build(a, b, PHASE_WINDOW);
	out_init_mem(&o);
	interval_print(&o, i, windows);
	assert_string_equal(out_text(&o), want);
	assert_true(o.len <= INTERVAL_COLUMNS + 1);
	out_release(&o);
	result_free(i);
	snapshot_free(a);
	snapshot_free(b);
}

/* What does not fit is left out whole. */
static void a_line_fits(void **state)
{
	(void)state;
	expect_line(2000, 0,
		"    1.50       4,200     1,100  sendmmsg 4,000 (3.0/8.0)  read 100"
		"  writev 100 (2.0/8.0)\n");
	expect_line(2000, 1,
		"    1.50       4,200     1,100  run       sendmmsg 4,000 (3.0/8.0)  read 100"
		"  writev 100 (2.0/8.0)\n");
	expect_line(2000000, 1,
		"    1.50   4,000,200  1,000,100  run       sendmmsg 4,000,000 (3.0/8.0)  read 100"
		"\n");
}

/* ---- the screen ---- */

/* A frame as what stands on the screen, line by line; only what we send is understood. */
static void show(struct screen *s, size_t columns, size_t rows, char *text)
{
	struct out o;
	size_t row = 0, width = 0, lines = 0;
	const char *p;

	out_init_mem(&o);
	screen_draw(s, columns, rows, &o);
	for (p = out_text(&o); *p;) {
		size_t n;
		char what;

		if (*p == '\x1b') {
			assert_int_equal(p[1], '[');
			n = 2 + strspn(p + 2, "0123456789;");
			what = p[n];
			assert_non_null(strchr("HKJm", what));
			if (what == 'H') {
				row = p[2] == 'H' ? 0 : (size_t)atoi(p + 2) - 1;
				for (; lines < row; lines++)
					*text++ = '\n';
				width = 0;
			}
			p += n + 1;
			continue;
		} else if (*p == '\r') {
			assert_int_equal(p[1], '\n');
			*text++ = '\n';
			row++;
			lines++;
			width = 0;
			p += 2;
			continue;
		}
		assert_true((unsigned char)*p >= ' ' && *p != '\x7f');
		width += ((unsigned char)*p & 0xc0) != 0x80;
		assert_true(width < columns);
		assert_true(row < rows);
		*text++ = *p++;
	}
	*text = '\0';
	out_release(&o);
}

struct scene {
	struct screen screen;
	struct snapshot *a, *b;
	char text[64 * 1024];
};

static int begin(void **state)
{
	struct scene *sc = calloc(1, sizeof(*sc));
	const struct screen_facts facts = {"prog\x1b]0;x\x07 --name=\xff", 1, 1, 0};

	sc->a = snapshot(1, PHASE_WINDOW, 0);
	sc->b = snapshot(2, PHASE_WINDOW, 0);
	fill(sc->a, PHASE_WINDOW, 100, 10);
	fill(sc->b, PHASE_WINDOW, 1100, 2010);
	screen_init(&sc->screen, &facts);
	screen_take(&sc->screen, sc->a, sc->b);
	*state = sc;
	return 0;
}

static int end(void **state)
{
	struct scene *sc = *state;

	screen_release(&sc->screen);
	snapshot_free(sc->a);
	snapshot_free(sc->b);
	free(sc);
	return 0;
}

static const char *after_keys(struct scene *sc, const char *keys, size_t columns, size_t rows)
{
	for (; *keys; keys++)
		assert_int_equal(screen_key(&sc->screen, *keys), SCREEN_CHANGED);
	show(&sc->screen, columns, rows, sc->text);
	return sc->text;
}

static void expect_order(struct scene *sc, const char *keys, const char *first, const char *second)
{
	const char *text = after_keys(sc, keys, 100, 24), *one, *two;

	one = strstr(text, first);
	two = strstr(text, second);
	assert_non_null(one);
	assert_non_null(two);
	assert_true(one < two);
}

static void figures_of_the_interval(void **state)
{
	struct scene *sc = *state;
	const char *text = after_keys(sc, "c", 100, 24);

	assert_non_null(strstr(text, "5,000 calls/s  2,250 errors/s  5,120 calls  2 threads"));
	assert_non_null(strstr(text,
		"sendmmsg                            1,000         1,100  100.0%   97.7 KiB"
		"     8.0     3.0      250"));
	assert_non_null(strstr(text,
		"read                                2,000         2,010  200.0%          -"
		"       -       -    2,000"));
}

static void sort_keys(void **state)
{
	struct scene *sc = *state;

	expect_order(sc, "n", "read ", "writev ");
	expect_order(sc, "n", "writev ", "sendmmsg ");
	expect_order(sc, "m", "sendmmsg ", "writev ");
	expect_order(sc, "m", "writev ", "read ");
	expect_order(sc, "e", "read ", "sendmmsg ");
	expect_order(sc, "e", "sendmmsg ", "writev ");
	expect_order(sc, "b", "writev ", "sendmmsg ");
	expect_order(sc, "b", "sendmmsg ", "read ");
	expect_order(sc, "w", "writev ", "sendmmsg ");
	expect_order(sc, "tn", "79 bad", "78 sender");
	expect_order(sc, "tm", "78 sender", "79 bad");
}

/* --no-times: the column says nothing, and by it rows are sorted by calls. */
static void a_screen_without_times(void **state)
{
	struct scene *sc = *state;

	screen_take(&sc->screen, timeless(sc->a), timeless(sc->b));
	assert_non_null(strstr(after_keys(sc, "c", 100, 24),
		"sendmmsg                            1,000         1,100       -   97.7 KiB"));
	expect_order(sc, "w", "read ", "sendmmsg ");
	assert_non_null(strstr(after_keys(sc, "f", 100, 24), "1,100       -   97.7 KiB"));
	assert_non_null(strstr(after_keys(sc, "t", 100, 24), "1,100       -   97.7 KiB"));
	assert_null(strstr(sc->text, "%"));
}

static void views(void **state)
{
	struct scene *sc = *state;

	assert_non_null(strstr(after_keys(sc, "f", 100, 24), "77/5 udp 127"));
	assert_null(strstr(sc->text, "writev"));
	/* iovecs are no messages */
	assert_non_null(strstr(after_keys(sc, "t", 120, 24), "79 bad\\x1b[2J\\nname"));
	assert_non_null(strstr(sc->text, "195.3 KiB       -       -    2,000"));
	assert_non_null(strstr(after_keys(sc, "h", 100, 24), "sorted by"));
	assert_null(strstr(sc->text, "79 bad"));
	assert_null(strstr(after_keys(sc, "h", 100, 24), "sorted by"));
	assert_non_null(strstr(sc->text, "79 bad"));
}

/* Nothing of it is cut at 60 columns, but the bottom's blanks. */
static void help_fits(void **state)
{
	struct scene *sc = *state;

	for (int attached = 0; attached < 2; attached++) {
		char *wide;

		sc->screen.facts.attached = attached;
		wide = strdup(strstr(after_keys(sc, "h", 100, 24), "c  by call"));
		after_keys(sc, "h", 60, 24);
		wide[strlen(wide) - 40] = '\0';
		assert_non_null(strstr(after_keys(sc, "h", 60, 24), wide));
		assert_non_null(strstr(wide, attached ? "untraced" : "^C ends it"));
		after_keys(sc, "h", 60, 24);
		free(wide);
	}
}

static void pausing(void **state)
{
	struct scene *sc = *state;

	assert_non_null(strstr(after_keys(sc, "p", 100, 24), "PAUSED"));
	screen_take(&sc->screen, NULL, sc->a);
	assert_non_null(strstr(after_keys(sc, "n", 100, 24), "5,120 calls"));
	assert_null(strstr(after_keys(sc, "p", 100, 24), "PAUSED"));
	screen_take(&sc->screen, NULL, sc->a);
	assert_non_null(strstr(after_keys(sc, "n", 100, 24), "120 calls"));
}

static void other_keys(void **state)
{
	struct scene *sc = *state;

	assert_int_equal(screen_key(&sc->screen, 'q'), SCREEN_QUIT);
	assert_int_equal(screen_key(&sc->screen, 'x'), SCREEN_NOTHING);
	assert_int_equal(screen_key(&sc->screen, '\0'), SCREEN_NOTHING);
	for (const char *key = "\x1b[A\x1b[15~\x1bOq\x1bq\x1b[1;5q"; *key; key++)
		assert_int_equal(screen_key(&sc->screen, *key), SCREEN_NOTHING);
	assert_non_null(strstr(after_keys(sc, "\x1a", 100, 24), "q leaves them"));
	assert_null(strstr(after_keys(sc, "x", 100, 24), "q leaves them"));
}

/* Whatever the size: no line is wider, nothing but our own sequences comes, what counts is there.
 */
static void any_size(void **state)
{
	struct scene *sc = *state;

	for (size_t columns = 1; columns <= 140; columns++)
		for (size_t rows = 1; rows <= 12; rows++)
			for (const char *key = "cfthn"; *key; key++)
				after_keys(sc, (char[]){*key, '\0'}, columns, rows);
	assert_non_null(strstr(after_keys(sc, "c", 60, 8), "calls/s    time    bytes/s"));
	assert_non_null(strstr(sc->text, "asked     got\n"));
	assert_non_null(strstr(sc->text, "writev "));
	assert_non_null(strstr(sc->text, "q leave"));
	assert_null(strstr(sc->text, "errors/s\n"));
	assert_non_null(strstr(after_keys(sc, "e", 60, 8), "errors/s\n"));
	assert_non_null(strstr(after_keys(sc, "n", 60, 7), "... 2 more"));
}

/* More than 100% for each thread that waits, and for a call that began in earlier intervals. */
static void times_that_are_much_longer_than_the_interval(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} rows[] = {{99, " 9900.0% "}, {400, " 40,000% "}, {20000, "  2000k% "}};
	struct scene *sc = *state;
	struct counted *c = &sc->b->phases[PHASE_WINDOW].counted;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		c->calls_by_name.at[2].f.wall_ns =
			sc->a->phases[PHASE_WINDOW].counted.calls_by_name.at[2].f.wall_ns +
			rows[i].seconds * NS_PER_SEC;
		screen_take(&sc->screen, sc->a, sc->b);
		assert_non_null(strstr(after_keys(sc, "c", 100, 24), rows[i].text));
	}
}

static void what_is_missing_is_said(void **state)
{
	struct scene *sc = *state;

	assert_null(strstr(after_keys(sc, "c", 100, 24), "missing"));
	sc->b->lost = 7;
	screen_take(&sc->screen, sc->a, sc->b);
	assert_non_null(strstr(after_keys(sc, "c", 100, 24), "7 calls are known to be missing"));
	sc->b->lost = 0;
	sc->b->phases[PHASE_WINDOW].counted.unreadable = 1;
	screen_take(&sc->screen, sc->a, sc->b);
	assert_non_null(strstr(after_keys(sc, "c", 100, 24), "of some calls are missing"));
}

#define on_screen(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interval_is_a_difference),
		cmocka_unit_test(an_interval_without_times),
		cmocka_unit_test(intervals_are_cut_at_the_window),
		cmocka_unit_test(the_clock_does_not_drift),
		cmocka_unit_test(a_line_fits),
		on_screen(figures_of_the_interval),
		on_screen(sort_keys),
		on_screen(a_screen_without_times),
		on_screen(views),
		on_screen(help_fits),
		on_screen(pausing),
		on_screen(other_keys),
		on_screen(any_size),
		on_screen(times_that_are_much_longer_than_the_interval),
		on_screen(what_is_missing_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
