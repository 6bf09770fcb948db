/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/batch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

void batch_release(struct batch *b)
{
	counts_release(&b->asked);
	counts_release(&b->pairs);
	map_release(&b->moved);
	arena_release(&b->entries);
	memset(b, 0, sizeof(*b));
}

/* 1 if the table was full. */
static int add_count(struct counts *c, uint64_t key)
{
	uint64_t before = c->other;

	counts_add(c, key, 1);
	return c->other != before;
}

/* The kernel takes no batch beyond 32 bits: an ok call with more is a decoder's mistake, and is
 * shown as left out rather than under a wrong key. */
static int add_pair(struct counts *pairs, uint64_t asked, uint64_t moved)
{
	if (asked > UINT32_MAX || moved > UINT32_MAX)
		return 1;
	return add_count(pairs, asked << 32 | moved);
}

/* The entry of that many units, or NULL if there is no more place. */
static struct batch_moved *moved_entry(struct batch *b, uint64_t moved)
{
	struct batch_moved *e = map_get(&b->moved, moved);

	if (e || b->moved.len == COUNTS_CAP)
		return e;
	e = arena_alloc(&b->entries, 1, sizeof(*e));
	e->moved = moved;
	map_set(&b->moved, moved, e);
	return e;
}

static struct batch_time *time_entry(struct batch_moved *e, uint64_t ns)
{
	unsigned int bits = ns ? 64 - (unsigned int)__builtin_clzll(ns) : 0;
	unsigned int i = bits > BATCH_TIMES_SHIFT ? bits - BATCH_TIMES_SHIFT : 0;

	return &e->times[i < BATCH_TIMES ? i : BATCH_TIMES - 1];
}

static int add_moved(struct batch *b, const struct call *c, int fair)
{
	struct batch_moved *e = moved_entry(b, c->batch_moved);
	struct batch_time *t;

	if (!e) {
		b->left_out_fair += (uint64_t)fair;
		return 1;
	}
	e->calls++;
	e->fair_calls += (uint64_t)fair;
	e->total_ns = sat_add(e->total_ns, c->wall_ns);
	e->sum_sq_ns += (unsigned __int128)c->wall_ns * c->wall_ns;
	t = time_entry(e, c->wall_ns);
	t->calls++;
	t->ns = sat_add(t->ns, c->wall_ns);
	t->sq_ns += (double)c->wall_ns * (double)c->wall_ns;
	return 0;
}

static void add_fair(struct batch *b, uint64_t asked, uint64_t moved)
{
	b->fair_calls++;
	b->fair_asked = sat_add(b->fair_asked, asked);
	b->fair_moved = sat_add(b->fair_moved, moved);
	if (moved > b->fair_max)
		b->fair_max = moved;
	b->full += moved == asked;
	b->partial += moved > 0 && moved < asked;
}

/* Returns 1 if a table had no place. */
static int add_ok(struct batch *b, const struct call *c)
{
	uint64_t asked = c->ev->m.batch_asked, moved = c->batch_moved;
	int fair = asked != NOT_MEASURED && asked > 0, left_out;

	if (asked != NOT_MEASURED) {
		b->asked_calls++;
		b->asked_sum = sat_add(b->asked_sum, asked);
	}
	if (moved == NOT_MEASURED)
		return 0;
	b->moved_calls++;
	b->moved_sum = sat_add(b->moved_sum, moved);
	b->single += moved == 1;
	if (fair)
		add_fair(b, asked, moved);
	left_out = add_moved(b, c, fair);
	if (asked != NOT_MEASURED)
		left_out |= add_pair(&b->pairs, asked, moved);
	return left_out;
}

int batch_receives(const struct sys_def *def)
{
	return def->unit == BATCH_MESSAGES && strncmp(def->name, "recv", 4) == 0;
}

void batch_add(struct batch *b, const struct call *c)
{
	const struct sys_event *ev = c->ev;
	int left_out = 0;

	if (ev->m.batch_asked != NOT_MEASURED)
		left_out |= add_count(&b->asked, ev->m.batch_asked);
	b->could_wait += batch_receives(ev->def) && call_may_wait(ev, sys_flags(ev));
	if (c->fate == CALL_OK) {
		b->empty += ev->ret == 0;
		left_out |= add_ok(b, c);
	} else if (c->fate == CALL_ERROR) {
		b->empty += ev->ret == -EAGAIN;
	}
	b->left_out += (uint64_t)left_out;
}

/* ---- result ---- */

static int by_key(const void *a, const void *b)
{
	const struct counts_entry *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static int by_moved(const void *a, const void *b)
{
	const struct batch_moved *x = a, *y = b;

	return (x->moved > y->moved) - (x->moved < y->moved);
}

/* Sorted copies, so that the counters stay open for more calls. NULL if there are none. */
static struct counts_entry *sorted_counts(const struct counts *c)
{
	struct counts_entry *copy;

	if (c->len == 0)
		return NULL;
	copy = mem_calloc(c->len, sizeof(*copy));
	memcpy(copy, c->at, c->len * sizeof(*copy));
	qsort(copy, c->len, sizeof(*copy), by_key);
	return copy;
}

static struct batch_moved *sorted_moved(const struct map *moved)
{
	struct batch_moved *copy;
	struct map_iter it = {0};
	size_t n = 0;

	if (moved->len == 0)
		return NULL;
	copy = mem_calloc(moved->len, sizeof(*copy));
	while (map_next(moved, &it))
		copy[n++] = *(const struct batch_moved *)it.value;
	qsort(copy, n, sizeof(*copy), by_moved);
	return copy;
}

static struct res_count *new_counts(struct res_counts *to, size_t len, struct res_result *r)
{
	to->at = arena_alloc(result_arena(r), len, sizeof(*to->at));
	to->len = len;
	return to->at;
}

static const char *number(struct res_result *r, uint64_t v)
{
	return arena_printf(result_arena(r), "%" PRIu64, v);
}

static void asked_result(const struct batch *b, struct res_batch *to, struct res_result *r)
{
	cleanup_free struct counts_entry *e = sorted_counts(&b->asked);
	struct res_count *row;

	if (!e)
		return;
	row = new_counts(&to->asked_histogram, b->asked.len, r);
	for (size_t i = 0; i < b->asked.len; i++)
		row[i] = (struct res_count){number(r, e[i].key), e[i].count};
}

static void pairs_result(const struct batch *b, struct res_batch *to, struct res_result *r)
{
	cleanup_free struct counts_entry *e = sorted_counts(&b->pairs);
	struct res_count *row;

	if (!e)
		return;
	row = new_counts(&to->asked_to_transferred, b->pairs.len, r);
	for (size_t i = 0; i < b->pairs.len; i++) {
		row[i].key = arena_printf(result_arena(r), "%" PRIu64 "->%" PRIu64, e[i].key >> 32,
			e[i].key & UINT32_MAX);
		row[i].count = e[i].count;
	}
}

/* Least number of units that at least percent of the fair calls did not exceed; e is sorted. */
static uint64_t fair_percentile(
	const struct batch *b, const struct batch_moved *e, uint64_t percent)
{
	uint64_t below = 0, rank = b->fair_calls - b->fair_calls * (100 - percent) / 100;

	for (size_t i = 0; i < b->moved.len; i++) {
		below += e[i].fair_calls;
		if (below >= rank)
			return e[i].moved;
	}
	return U64_NONE;
}

static struct res_per_call *per_call_result(
	const struct batch *b, const struct batch_moved *e, struct res_result *r)
{
	struct res_per_call *to;

	if (b->fair_calls == 0)
		return NULL;
	to = RES_OBJ(r, per_call);
	to->mean = (double)b->fair_moved / (double)b->fair_calls;
	to->max = b->fair_max;
	/* A percentile of a part of the calls would look like one of all. */
	if (b->left_out_fair == 0) {
		to->p50 = fair_percentile(b, e, 50);
		to->p90 = fair_percentile(b, e, 90);
	}
	return to;
}

/* Those that took less than the end of the power of two above the median's: two to four medians. */
static struct batch_time usual_times(const struct batch_moved *e)
{
	struct batch_time usual = {0};
	uint64_t half = e->calls - e->calls / 2;

	for (size_t i = 0; i < BATCH_TIMES; i++) {
		int beyond_median = usual.calls >= half;

		usual.calls += e->times[i].calls;
		usual.ns = sat_add(usual.ns, e->times[i].ns);
		usual.sq_ns += e->times[i].sq_ns;
		if (beyond_median)
			break;
	}
	return usual;
}

static void moved_result(const struct batch *b, struct res_batch *to, struct res_result *r)
{
	cleanup_free struct batch_moved *e = sorted_moved(&b->moved);
	struct res_count *row;

	to->per_call = per_call_result(b, e, r);
	if (!e)
		return;
	row = new_counts(&to->transferred_histogram, b->moved.len, r);
	RES_LIST(r, &to->by_transferred, b->moved.len, by_transferred);
	for (size_t i = 0; i < b->moved.len; i++) {
		struct batch_time usual = usual_times(&e[i]);

		row[i] = (struct res_count){number(r, e[i].moved), e[i].calls};
		to->by_transferred.at[i] = (struct res_by_transferred){.key = row[i].key,
			.calls = e[i].calls,
			.total_ns = e[i].total_ns,
			.sum_sq_ns = (double)e[i].sum_sq_ns,
			.usual_calls = usual.calls,
			.usual_ns = usual.ns,
			.usual_sq_ns = usual.sq_ns};
	}
}

void limited_result(const uint64_t *limited_by, struct res_counts *to, struct res_result *r)
{
	size_t n = 0;

	for (int i = 0; i < CAUSES; i++)
		n += limited_by[i] != 0;
	if (!n)
		return;
	new_counts(to, n, r);
	n = 0;
	for (enum cause i = 0; i < CAUSES; i++)
		if (limited_by[i])
			to->at[n++] = (struct res_count){cause_name(i), limited_by[i]};
}

struct res_batch *batch_result(const struct batch *b, struct res_result *r)
{
	struct res_batch *to = RES_OBJ(r, batch);

	if (b->fair_calls)
		to->fill = (double)b->fair_moved / (double)b->fair_asked;
	to->full = b->full;
	to->partial = b->partial;
	to->single = b->single;
	to->empty = b->empty;
	to->histogram_overflow = b->left_out;
	asked_result(b, to, r);
	pairs_result(b, to, r);
	moved_result(b, to, r);
	limited_result(b->limited_by, &to->limited_by, r);
	return to;
}
