/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tracer/agg/agg.h"
#include "tracer/agg/counted.h"
#include "tracer/agg/rows.h"

#define NM NOT_MEASURED

static const struct sys_def defs[] = {
	{.name = "write", .class = CLASS_DESC, .bytes = 3, .bytes_ret = 1, .index = 300},
	{.name = "sendmmsg",
		.class = CLASS_NETWORK,
		.unit = BATCH_MESSAGES,
		.batch = 3,
		.index = 7},
	{.name = "poll", .class = CLASS_WAIT, .index = 40},
};

static int thread_name(
	void *ctx, uint32_t id, uint64_t *ret_pid, uint64_t *ret_tid, const char **ret_comm)
{
	(void)ctx;
	*ret_pid = 1;
	*ret_tid = id;
	*ret_comm = id == 2 ? NULL : "worker";
	return id == 3 ? -1 : 0;
}

static int fd_name(void *ctx, uint32_t id, struct agg_fd *ret)
{
	(void)ctx;
	*ret = (struct agg_fd){1, id, 0, "/x", NULL, 0};
	return 0;
}

static const struct agg_names names = {thread_name, fd_name, NULL};

static struct sys_event event(const struct sys_def *def, uint32_t thread, uint32_t fd, int64_t ret)
{
	uint64_t moved = ret > 0 && def->unit ? (uint64_t)ret : NM;

	return (struct sys_event){.def = def,
		.ret = ret,
		.entry_ns = 1000,
		.exit_ns = 1010,
		.m = {def->bytes ? 64 : NM, def->bytes && ret >= 0 ? (uint64_t)ret : NM,
			def->unit ? 8 : NM, moved, NM, NM, 0, 0, 0},
		.pid = 1,
		.thread_id = thread,
		.fd_id = fd};
}

static void add(struct agg *a, uint32_t def, uint32_t thread, uint32_t fd, int64_t ret)
{
	struct sys_event ev = event(&defs[def], thread, fd, ret);

	agg_add(a, &ev);
}

static int same(const struct figures *a, const struct figures *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* What is not measured is nothing in a sum. */
static struct figures sum_of(const struct figures *a)
{
	struct figures sum = {0};

	figures_add(&sum, a);
	return sum;
}

static void expect_rows(const struct counted_rows *sums, const struct counted_rows *now)
{
	assert_int_equal(sums->len, now->len);
	for (size_t i = 0; i < now->len; i++) {
		struct figures want = sum_of(&now->at[i].f);

		assert_ptr_equal(sums->at[i].def, now->at[i].def);
		assert_true(same(&sums->at[i].f, &want));
	}
}

/* Sums by row: rows of `since` are those of the copy it was made from. */
static void add_rows(struct counted_rows *sums, const struct counted_rows *since, const size_t *to)
{
	for (size_t i = 0; i < since->len; i++)
		figures_add(&sums->at[to ? to[i] : i].f, &since->at[i].f);
}

/* Where each row of a copy is in a later one. */
static size_t *places(const struct counted_owners *early, const struct counted_owners *late)
{
	size_t *to = calloc(early->rows.len + 1, sizeof(*to));

	for (size_t i = 0; i < early->len; i++) {
		const struct counted_owner *o = &early->at[i], *l = NULL;

		for (size_t j = 0; j < late->len && !l; j++)
			if (late->at[j].merged == o->merged && late->at[j].number == o->number &&
				late->at[j].pid == o->pid)
				l = &late->at[j];
		assert_non_null(l);
		for (size_t k = 0; k < o->len; k++) {
			size_t m = 0;

			while (late->rows.at[l->first + m].def != early->rows.at[o->first + k].def)
				assert_true(++m < l->len);
			to[o->first + k] = l->first + m;
		}
	}
	return to;
}

static void clear_rows(struct counted_rows *rows)
{
	for (size_t i = 0; i < rows->len; i++)
		rows->at[i].f = (struct figures){0};
}

static size_t place_of(const struct counted_rows *rows, const struct sys_def *def)
{
	size_t i = 0;

	while (rows->at[i].def != def)
		assert_true(++i < rows->len);
	return i;
}

/* All threads, or fds, together have done what was done. */
static void expect_parts(const struct counted_rows *parts, const struct counted_rows *calls)
{
	for (size_t i = 0; i < calls->len; i++) {
		struct figures sum = {0}, want = sum_of(&calls->at[i].f);

		for (size_t j = 0; j < parts->len; j++)
			if (parts->at[j].def == calls->at[i].def)
				figures_add(&sum, &parts->at[j].f);
		assert_true(same(&sum, &want));
	}
}

#define STEPS 60

/* Calls, threads and fds that come later lie between those that were there; some of the threads
 * have no row of their own. */
static void intervals_make_the_whole(void **state)
{
	struct agg *a = agg_new();
	static struct counted at[STEPS], since[STEPS], sums;
	uint32_t random = 7;

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		for (int i = 0; i < 200; i++) {
			uint32_t def = step > 5 ? (random >> 17) % 3 : 0;
			int64_t ret = (random >> 20) % 5 ? 1 + (int64_t)((random >> 24) % 8) : -11;

			add(a, def, 10 + (uint32_t)(step * 100) + random % 199,
				1 + (random >> 8) % 50, ret);
			random = random * 1664525 + 1013904223;
		}
		agg_counted(a, &names, &at[step]);
		counted_since(step ? &at[step - 1] : NULL, &at[step], &since[step]);
	}
	agg_counted(a, &names, &sums);
	assert_int_equal(sums.calls, 200 * STEPS);
	assert_in_range(sums.threads.len, AGG_ROWS_MAX / 2, AGG_ROWS_MAX);
	assert_true(sums.threads.at[sums.threads.len - 1].merged);
	clear_rows(&sums.calls_by_name);
	clear_rows(&sums.threads.rows);
	clear_rows(&sums.fds.rows);
	sums.calls = 0;
	for (int step = 0; step < STEPS; step++) {
		size_t *threads = places(&at[step].threads, &at[STEPS - 1].threads);
		size_t *fds = places(&at[step].fds, &at[STEPS - 1].fds);

		sums.calls += since[step].calls;
		for (size_t i = 0; i < since[step].calls_by_name.len; i++) {
			const struct counted_row *row = &since[step].calls_by_name.at[i];

			figures_add(
				&sums.calls_by_name.at[place_of(&sums.calls_by_name, row->def)].f,
				&row->f);
		}
		add_rows(&sums.threads.rows, &since[step].threads.rows, threads);
		add_rows(&sums.fds.rows, &since[step].fds.rows, fds);
		free(threads);
		free(fds);
	}
	assert_int_equal(sums.calls, at[STEPS - 1].calls);
	expect_rows(&sums.calls_by_name, &at[STEPS - 1].calls_by_name);
	expect_rows(&sums.threads.rows, &at[STEPS - 1].threads.rows);
	expect_rows(&sums.fds.rows, &at[STEPS - 1].fds.rows);
	expect_parts(&at[STEPS - 1].threads.rows, &at[STEPS - 1].calls_by_name);
	expect_parts(&at[STEPS - 1].fds.rows, &at[STEPS - 1].calls_by_name);
	for (int step = 0; step < STEPS; step++) {
		counted_release(&at[step]);
		counted_release(&since[step]);
	}
	counted_release(&sums);
	agg_free(a);
}

static void what_is_not_measured(void **state)
{
	struct agg *a = agg_new();
	struct counted before, now, since;

	(void)state;
	add(a, 1, 1, 1, -11); /* no ok call: nothing moved, and that is known */
	add(a, 2, 1, 1, 1);
	agg_counted(a, &names, &before);
	assert_int_equal(before.calls_by_name.at[0].f.batch_moved, 0);
	assert_true(before.calls_by_name.at[1].f.batch_moved == NM);
	assert_true(before.calls_by_name.at[1].f.bytes == NM);
	add(a, 1, 1, 1, 5);
	agg_counted(a, &names, &now);
	counted_since(&before, &now, &since);
	assert_int_equal(since.calls_by_name.at[0].f.calls, 1);
	assert_int_equal(since.calls_by_name.at[0].f.errors, 0);
	assert_int_equal(since.calls_by_name.at[0].f.batch_calls, 1);
	assert_int_equal(since.calls_by_name.at[0].f.batch_asked, 8);
	assert_int_equal(since.calls_by_name.at[0].f.batch_moved, 5);
	assert_int_equal(since.calls_by_name.at[1].f.calls, 0);
	assert_true(since.calls_by_name.at[1].f.batch_moved == NM);
	counted_release(&before);
	counted_release(&now);
	counted_release(&since);
	agg_free(a);
}

static void names_are_copied(void **state)
{
	struct agg *a = agg_new();
	struct counted now;

	(void)state;
	add(a, 0, 1, 1, 1);
	add(a, 0, 2, 0, 1);
	add(a, 0, 3, 0, 1);
	agg_counted(a, &names, &now);
	assert_int_equal(now.threads.len, 3);
	assert_string_equal(now.threads.at[0].name, "worker");
	assert_int_equal(now.threads.at[0].number, 1);
	assert_null(now.threads.at[1].name);
	assert_int_equal(now.threads.at[1].number, 2);
	assert_true(now.threads.at[2].pid == UINT64_MAX || now.threads.at[2].name == NULL);
	assert_int_equal(now.fds.len, 1);
	assert_string_equal(now.fds.at[0].name, "/x");
	counted_release(&now);
	agg_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_make_the_whole),
		cmocka_unit_test(what_is_not_measured),
		cmocka_unit_test(names_are_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
