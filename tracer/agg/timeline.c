/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tracer/agg/agg.h"
#include "tracer/agg/call.h"

#define BUCKETS         1024
#define FIRST_BUCKET_NS NS_PER_MS

struct bucket {
	uint64_t calls, errors, wall_ns, bytes, mapped, batch_calls, messages;
};

/* What would be too much for each bucket: latencies and threads are kept by steps of eight. */
#define STEP_BUCKETS  8
#define STEPS         (BUCKETS / STEP_BUCKETS)
#define BANDS         13 /* of latency: 256 ns, times 4 each, the last without a bound */
#define FIRST_BAND_NS 256
#define THREADS_TOLD  64

struct timeline {
	uint64_t start_ns, bucket_ns;
	struct bucket bucket[BUCKETS];
	uint64_t latency[STEPS][BANDS];
	uint64_t *threads[AGG_ROWS_MAX + 1]; /* by thread_id: time in calls by step; NULL: none */
	struct bucket *last;                 /* the one used last, and when it begins */
	uint64_t last_ns;
};

struct timeline *timeline_new(uint64_t start_ns)
{
	struct timeline *t = mem_calloc(1, sizeof(*t));

	t->start_ns = start_ns;
	t->bucket_ns = FIRST_BUCKET_NS;
	t->last = &t->bucket[0];
	return t;
}

void timeline_free(struct timeline *t)
{
	for (size_t i = 0; t && i <= AGG_ROWS_MAX; i++)
		free(t->threads[i]);
	free(t);
}

static struct bucket sum(const struct bucket *a, const struct bucket *b)
{
	return (struct bucket){.calls = a->calls + b->calls,
		.errors = a->errors + b->errors,
		.wall_ns = sat_add(a->wall_ns, b->wall_ns),
		.bytes = sat_add(a->bytes, b->bytes),
		.mapped = sat_add(a->mapped, b->mapped),
		.batch_calls = a->batch_calls + b->batch_calls,
		.messages = sat_add(a->messages, b->messages)};
}

static void widen_steps(struct timeline *t)
{
	for (size_t i = 0; i < STEPS; i++)
		for (size_t k = 0; k < BANDS; k++)
			t->latency[i][k] =
				i < STEPS / 2 ? t->latency[2 * i][k] + t->latency[2 * i + 1][k] : 0;
	for (size_t n = 0; n <= AGG_ROWS_MAX; n++)
		for (size_t i = 0; t->threads[n] && i < STEPS; i++)
			t->threads[n][i] = i < STEPS / 2 ? sat_add(t->threads[n][2 * i],
								   t->threads[n][2 * i + 1])
							 : 0;
}

/* Pairs of buckets become one: the rows of the wider buckets are what they would have been had the
 * calls been put there at first. */
static void widen(struct timeline *t)
{
	for (size_t i = 0; i < BUCKETS / 2; i++)
		t->bucket[i] = sum(&t->bucket[2 * i], &t->bucket[2 * i + 1]);
	for (size_t i = BUCKETS / 2; i < BUCKETS; i++)
		t->bucket[i] = (struct bucket){0};
	widen_steps(t);
	t->bucket_ns *= 2;
}

static struct bucket *bucket_at(struct timeline *t, uint64_t at_ns)
{
	if (at_ns - t->last_ns < t->bucket_ns)
		return t->last;
	/* Ends: 64 bits of ns fit into 1024 buckets of 2^54 ns. */
	while (at_ns / t->bucket_ns >= BUCKETS)
		widen(t);
	t->last = &t->bucket[at_ns / t->bucket_ns];
	t->last_ns = at_ns / t->bucket_ns * t->bucket_ns;
	return t->last;
}

static size_t band_of(uint64_t ns)
{
	uint64_t v = ns ? (ns - 1) / FIRST_BAND_NS : 0;
	size_t band = v ? (size_t)(63 - __builtin_clzll(v)) / 2 + 1 : 0;

	return band < BANDS ? band : BANDS - 1;
}

static uint64_t *steps_of(struct timeline *t, uint32_t thread_id)
{
	uint64_t **thread = &t->threads[rows_id(thread_id)];

	if (!*thread)
		*thread = mem_calloc(STEPS, sizeof(**thread));
	return *thread;
}

/* A call's time belongs to all the buckets that it lasts: from at_ns on. */
static void add_time(struct timeline *t, const struct call *c, uint64_t at_ns)
{
	uint64_t left_ns = c->wall_ns, *steps = steps_of(t, c->ev->thread_id);

	if (left_ns)
		bucket_at(t, sat_add(at_ns, left_ns - 1)); /* from here on none is widened */
	while (left_ns) {
		struct bucket *b = bucket_at(t, at_ns);
		size_t step = (size_t)(b - t->bucket) / STEP_BUCKETS;
		uint64_t room_ns = t->last_ns + t->bucket_ns - at_ns;
		uint64_t ns = left_ns < room_ns ? left_ns : room_ns;

		b->wall_ns = sat_add(b->wall_ns, ns);
		steps[step] = sat_add(steps[step], ns);
		at_ns += ns;
		left_ns -= ns;
	}
}

void timeline_add(struct timeline *t, const struct sys_event *ev)
{
	uint64_t at_ns = ev->entry_ns > t->start_ns ? ev->entry_ns - t->start_ns : 0;
	struct call c = call_of(ev);
	struct bucket *b;

	if (c.fate != CALL_NO_RETURN)
		add_time(t, &c, at_ns);
	b = bucket_at(t, at_ns);
	if (c.fate != CALL_NO_RETURN)
		t->latency[(b - t->bucket) / STEP_BUCKETS][band_of(c.wall_ns)]++;
	b->calls++;
	b->errors += c.fate == CALL_ERROR;
	call_sum(&b->bytes, c.bytes_moved);
	if (ev->def->class == CLASS_MEMORY)
		call_sum(&b->mapped, c.bytes_moved);
	if (ev->def->unit == BATCH_MESSAGES && c.batch_moved != NOT_MEASURED) {
		b->batch_calls++;
		b->messages = sat_add(b->messages, c.batch_moved);
	}
}

/* ---- the result ---- */

/* The counters that are not 0. */
static struct res_counts counts_of(struct res_result *r, const uint64_t *v, size_t n,
	const char *(*key)(struct res_result *r, size_t k, uint64_t step_ns), uint64_t step_ns)
{
	struct res_counts c = {arena_alloc(result_arena(r), n, sizeof(*c.at)), 0};

	for (size_t k = 0; k < n; k++)
		if (v[k])
			c.at[c.len++] = (struct res_count){key(r, k, step_ns), v[k]};
	return c;
}

static const char *band_key(struct res_result *r, size_t k, uint64_t step_ns)
{
	(void)step_ns;
	return k == BANDS - 1 ? "more"
			      : arena_printf(result_arena(r), "%llu",
					(unsigned long long)FIRST_BAND_NS << (2 * k));
}

static const char *step_key(struct res_result *r, size_t k, uint64_t step_ns)
{
	return arena_printf(result_arena(r), "%llu", (unsigned long long)k * step_ns);
}

static void latency_result(const struct timeline *t, struct res_result *r)
{
	struct res_timeline *to = r->timeline;

	RES_LIST(r, &to->latency, STEPS, timeline_latency);
	to->latency.len = 0;
	for (size_t i = 0; i < STEPS; i++) {
		struct res_counts c = counts_of(r, t->latency[i], BANDS, band_key, 0);

		if (c.len)
			to->latency.at[to->latency.len++] =
				(struct res_timeline_latency){i * to->step_ns, c};
	}
}

static uint64_t total_of(const struct timeline *t, size_t thread)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < STEPS; i++)
		sum = sat_add(sum, t->threads[thread][i]);
	return sum;
}

struct thread_time {
	size_t thread;
	uint64_t ns;
};

/* Most time first, then by id. */
static int thread_time_cmp(const void *a, const void *b)
{
	const struct thread_time *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return (x->thread > y->thread) - (x->thread < y->thread);
}

static void threads_result(
	const struct timeline *t, const struct agg_names *names, struct res_result *r)
{
	struct thread_time *times = mem_calloc(AGG_ROWS_MAX, sizeof(*times));
	struct res_timeline *to = r->timeline;
	size_t n = 0;

	for (size_t i = 1; i <= AGG_ROWS_MAX; i++)
		if (t->threads[i])
			times[n++] = (struct thread_time){i, total_of(t, i)};
	qsort(times, n, sizeof(*times), thread_time_cmp);
	RES_LIST(r, &to->threads, THREADS_TOLD, timeline_thread);
	to->threads.len = 0;
	for (size_t i = 0; i < n && times[i].ns && to->threads.len < THREADS_TOLD; i++) {
		struct res_timeline_thread *row = &to->threads.at[to->threads.len];
		size_t thread = times[i].thread;

		if (names->thread(names->ctx, (uint32_t)thread, &row->pid, &row->tid, &row->comm) <
			0)
			continue;
		row->comm = arena_strdup(result_arena(r), row->comm);
		row->wall_ns = counts_of(r, t->threads[thread], STEPS, step_key, to->step_ns);
		to->threads.len++;
	}
	free(times);
}

void timeline_result(const struct timeline *t, const struct agg_names *names, struct res_result *r)
{
	size_t used = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		used += t->bucket[i].calls || t->bucket[i].wall_ns;
	r->timeline = RES_OBJ(r, timeline);
	r->timeline->bucket_ns = t->bucket_ns;
	r->timeline->step_ns = t->bucket_ns * STEP_BUCKETS;
	latency_result(t, r);
	if (names)
		threads_result(t, names, r);
	RES_LIST(r, &r->timeline->rows, used, timeline_row);
	used = 0;
	for (size_t i = 0; i < BUCKETS; i++) {
		const struct bucket *b = &t->bucket[i];

		if (!b->calls && !b->wall_ns)
			continue;
		r->timeline->rows.at[used++] = (struct res_timeline_row){.t_ns = i * t->bucket_ns,
			.calls = b->calls,
			.errors = b->errors,
			.wall_ns = b->wall_ns,
			.bytes = b->bytes,
			.mapped = b->mapped,
			.batch_calls = b->batch_calls,
			.messages = b->messages};
	}
}
