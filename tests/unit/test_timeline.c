/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tracer/agg/agg.h"

#define NM      NOT_MEASURED
#define MS      1000000ULL
#define BUCKETS 1024

static const struct sys_def sendmmsg_def = {
	.name = "sendmmsg", .class = CLASS_NETWORK, .unit = BATCH_MESSAGES, .batch = 3};
static const struct sys_def writev_def = {
	.name = "writev", .class = CLASS_DESC, .unit = BATCH_IOVECS, .batch = 3, .bytes_ret = 1};
static const struct sys_def sigreturn_def = {
	.name = "rt_sigreturn", .class = CLASS_SIGNAL, .always_ok = 1};

static struct sys_event event(const struct sys_def *def, uint64_t entry_ns, int64_t ret)
{
	return (struct sys_event){.def = def,
		.ret = ret,
		.entry_ns = entry_ns,
		.exit_ns = entry_ns + 7,
		.m = {NM, NM, NM, NM, NM, NM, 0, 0, 0}};
}

/* What one call adds to its bucket. */
static void what_counts(void **state)
{
	static const struct {
		const char *what;
		const struct sys_def *def;
		int64_t ret;
		enum outcome outcome;
		struct measure m;
		struct res_timeline_row expect;
	} rows[] = {
		{"ok batch of messages", &sendmmsg_def, 3, SYS_RETURNED,
			{NM, 90, 4, 3, NM, NM, 0, 0, 0},
			{.calls = 1, .wall_ns = 7, .bytes = 90, .batch_calls = 1, .messages = 3}},
		{"failed batch", &sendmmsg_def, -11, SYS_RETURNED, {NM, 90, 4, 3, NM, NM, 0, 0, 0},
			{.calls = 1, .errors = 1, .wall_ns = 7}},
		{"interrupted batch", &sendmmsg_def, -512, SYS_INTERRUPTED,
			{NM, 90, 4, 3, NM, NM, 0, 0, 0}, {.calls = 1, .wall_ns = 7}},
		{"killed inside", &sendmmsg_def, 0, SYS_NO_RETURN, {NM, 90, 4, 3, NM, NM, 0, 0, 0},
			{.calls = 1}},
		{"iovecs are no messages", &writev_def, 50, SYS_RETURNED,
			{50, 50, 4, 4, NM, NM, 0, 0, 0}, {.calls = 1, .wall_ns = 7, .bytes = 50}},
		{"rt_sigreturn never fails", &sigreturn_def, -4, SYS_RETURNED,
			{NM, NM, NM, NM, NM, NM, 0, 0, 0}, {.calls = 1, .wall_ns = 7}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct timeline *t = timeline_new(0);
		struct res_result *r = result_new();
		struct sys_event ev = event(rows[i].def, 0, rows[i].ret);

		ev.outcome = rows[i].outcome;
		ev.m = rows[i].m;
		timeline_add(t, &ev);
		timeline_result(t, NULL, r);
		assert_int_equal(r->timeline->rows.len, 1);
		if (memcmp(&r->timeline->rows.at[0], &rows[i].expect, sizeof(rows[i].expect)) != 0)
			fail_msg("%s", rows[i].what);
		timeline_free(t);
		result_free(r);
	}
}

static void where_calls_go(void **state)
{
	static const struct {
		uint64_t start_ns, entry_ns, bucket_ns, t_ns;
	} rows[] = {
		{100, 100, MS, 0},
		{100, 99, MS, 0}, /* before the start */
		{100, 0, MS, 0},
		{100, 100 + MS - 1, MS, 0},
		{100, 100 + MS, MS, MS},
		{0, BUCKETS * MS - 1, MS, (BUCKETS - 1) * MS},
		{0, BUCKETS * MS, 2 * MS, BUCKETS * MS},
		{0, 2 * BUCKETS * MS, 4 * MS, 2 * BUCKETS * MS},
		{0, UINT64_MAX, MS << 35, UINT64_MAX / (MS << 35) * (MS << 35)},
		{UINT64_MAX, UINT64_MAX, MS, 0},
		{UINT64_MAX, 0, MS, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct timeline *t = timeline_new(rows[i].start_ns);
		struct res_result *r = result_new();
		struct sys_event ev = event(&writev_def, rows[i].entry_ns, 1);

		ev.exit_ns = ev.entry_ns;
		timeline_add(t, &ev);
		timeline_result(t, NULL, r);
		assert_int_equal(r->timeline->bucket_ns, rows[i].bucket_ns);
		assert_int_equal(r->timeline->rows.len, 1);
		assert_int_equal(r->timeline->rows.at[0].t_ns, rows[i].t_ns);
		timeline_free(t);
		result_free(r);
	}
}

static void nothing_makes_no_rows(void **state)
{
	struct timeline *t = timeline_new(5);
	struct res_result *r = result_new();

	(void)state;
	timeline_result(t, NULL, r);
	assert_int_equal(r->timeline->bucket_ns, MS);
	assert_int_equal(r->timeline->rows.len, 0);
	timeline_free(t);
	timeline_free(NULL);
	result_free(r);
}

/* ---- against counting from scratch with the final width ---- */

static uint64_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

static struct sys_event random_event(uint64_t *rng, uint64_t start_ns, uint64_t span_ns)
{
	struct sys_event ev = event(random_next(rng) % 2 ? &sendmmsg_def : &writev_def,
		start_ns + (random_next(rng) << 20 | random_next(rng)) % span_ns,
		(int64_t)(random_next(rng) % 10) - 2);

	ev.m.bytes_moved = random_next(rng) % 1000;
	ev.m.batch_moved = random_next(rng) % 10;
	return ev;
}

static void add_by_hand(struct res_timeline_row *row, const struct sys_event *ev)
{
	row->calls++;
	if (ev->ret < 0) {
		row->errors++;
		return;
	}
	row->bytes += ev->m.bytes_moved;
	if (ev->def == &sendmmsg_def) {
		row->batch_calls++;
		row->messages += ev->m.batch_moved;
	}
}

static void compare(const struct timeline *t, const struct sys_event *evs, size_t n, uint64_t start)
{
	struct res_timeline_row *rows = calloc(BUCKETS, sizeof(*rows));
	struct res_result *r = result_new();
	size_t used = 0;

	timeline_result(t, NULL, r);
	for (size_t i = 0; i < n; i++) {
		uint64_t bucket = (evs[i].entry_ns - start) / r->timeline->bucket_ns;

		assert_in_range(bucket, 0, BUCKETS - 1);
		add_by_hand(&rows[bucket], &evs[i]);
		for (uint64_t ns = evs[i].entry_ns; ns < evs[i].exit_ns; ns++)
			rows[(ns - start) / r->timeline->bucket_ns].wall_ns++;
	}
	for (size_t i = 0; i < BUCKETS; i++) {
		rows[i].t_ns = i * r->timeline->bucket_ns;
		if (!rows[i].calls && !rows[i].wall_ns)
			continue;
		assert_true(used < r->timeline->rows.len);
		assert_memory_equal(&rows[i], &r->timeline->rows.at[used], sizeof(rows[i]));
		used++;
	}
	assert_int_equal(used, r->timeline->rows.len);
	free(rows);
	result_free(r);
}

static void doubling_merges_exactly(void **state)
{
	enum { EVENTS = 3000 };
	static struct sys_event evs[EVENTS];
	uint64_t rng = 3;

	(void)state;
	for (uint64_t span_ns = MS; span_ns < 1000000 * MS; span_ns *= 7) {
		struct timeline *t = timeline_new(12345);

		for (size_t i = 0; i < EVENTS; i++) {
			/* Time goes on, so that full buckets are merged, not empty ones. */
			evs[i] = random_event(&rng, 12345, 1 + span_ns * (i + 1) / EVENTS);
			timeline_add(t, &evs[i]);
		}
		compare(t, evs, EVENTS, 12345);
		timeline_free(t);
	}
}

/* ---- steps ---- */

static int thread_name(
	void *ctx, uint32_t id, uint64_t *ret_pid, uint64_t *ret_tid, const char **ret_comm)
{
	(void)ctx;
	*ret_pid = 1;
	*ret_tid = 100 + id;
	*ret_comm = "x";
	return id == 4 ? -1 : 0; /* nothing is known of that one */
}

static void timed(struct timeline *t, uint32_t thread, uint64_t entry_ns, uint64_t wall_ns)
{
	struct sys_event ev = event(&writev_def, entry_ns, 1);

	ev.exit_ns = entry_ns + wall_ns;
	ev.thread_id = thread;
	timeline_add(t, &ev);
}

static uint64_t counter(const struct res_counts *c, const char *key)
{
	for (size_t i = 0; i < c->len; i++)
		if (strcmp(c->at[i].key, key) == 0)
			return c->at[i].count;
	return 0;
}

/* A call of 20.5 ms from 0.5 ms on, and as it is with wider buckets. */
static void time_fills_what_it_lasts(void **state)
{
	static const struct agg_names names = {thread_name, NULL, NULL};

	(void)state;
	for (uint64_t widened = 0; widened < 2; widened++) {
		struct res_result *r = result_new();
		struct timeline *t = timeline_new(0);
		const struct res_timeline *to;

		timed(t, 1, MS / 2, 20 * MS + MS / 2);
		if (widened)
			timed(t, 2, BUCKETS * MS, 1);
		timeline_result(t, &names, r);
		to = r->timeline;
		assert_int_equal(to->rows.len, widened ? 12 : 21);
		assert_int_equal(to->rows.at[0].wall_ns, widened ? MS + MS / 2 : MS / 2);
		assert_int_equal(to->rows.at[0].calls, 1);
		assert_int_equal(to->rows.at[1].wall_ns, to->bucket_ns);
		assert_int_equal(to->rows.at[1].calls, 0);
		assert_int_equal(to->rows.at[10].wall_ns, MS);
		assert_int_equal(
			counter(&to->threads.at[0].wall_ns, "0"), 8 * to->bucket_ns - MS / 2);
		assert_int_equal(counter(&to->threads.at[0].wall_ns, "16000000"), 5 * MS);
		timeline_free(t);
		result_free(r);
	}
}

/* What is mapped is told apart from what is moved. */
static void mapped_bytes(void **state)
{
	static const struct sys_def mmap_def = {.name = "mmap", .class = CLASS_MEMORY};
	struct res_result *r = result_new();
	struct timeline *t = timeline_new(0);
	struct sys_event map = event(&mmap_def, 1, 4096), write = event(&writev_def, 2, 10);

	(void)state;
	map.m.bytes_moved = 1ULL << 40;
	write.m.bytes_moved = 10;
	timeline_add(t, &map);
	timeline_add(t, &write);
	timeline_result(t, NULL, r);
	assert_int_equal(r->timeline->rows.at[0].bytes, (1ULL << 40) + 10);
	assert_int_equal(r->timeline->rows.at[0].mapped, 1ULL << 40);
	timeline_free(t);
	result_free(r);
}

/* Bands of latency and time of threads, before and after the steps were doubled. */
static void steps(void **state)
{
	static const struct agg_names names = {thread_name, NULL, NULL};
	const uint64_t later[] = {0, 7200 * 1000 * MS};

	(void)state;
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		struct res_result *r = result_new();
		struct timeline *t = timeline_new(0);
		const struct res_timeline *to;

		timed(t, 1, 1, 256);
		timed(t, 1, 2, 257);
		timed(t, 2, 3, 1024);
		timed(t, 2, 4, 1025);
		timed(t, 3, 5, 3600 * 1000 * MS);
		timed(t, 4, 6, 5);
		if (later[i])
			timed(t, 1, later[i], 10000);
		timeline_result(t, &names, r);
		to = r->timeline;
		assert_int_equal(to->step_ns, 8 * to->bucket_ns);
		assert_int_equal(to->latency.len, later[i] ? 2 : 1);
		assert_int_equal(counter(&to->latency.at[0].calls, "256"), 2);
		assert_int_equal(counter(&to->latency.at[0].calls, "1024"), 2);
		assert_int_equal(counter(&to->latency.at[0].calls, "4096"), 1);
		assert_int_equal(counter(&to->latency.at[0].calls, "more"), 1);
		assert_int_equal(to->threads.len, 3);
		assert_int_equal(to->threads.at[0].tid, 103);
		assert_int_equal(to->threads.at[later[i] ? 1 : 2].tid, 101);
		assert_int_equal(counter(&to->threads.at[later[i] ? 1 : 2].wall_ns, "0"), 513);
		timeline_free(t);
		result_free(r);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_counts),
		cmocka_unit_test(where_calls_go),
		cmocka_unit_test(nothing_makes_no_rows),
		cmocka_unit_test(doubling_merges_exactly),
		cmocka_unit_test(time_fills_what_it_lasts),
		cmocka_unit_test(mapped_bytes),
		cmocka_unit_test(steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
