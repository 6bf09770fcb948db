/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tracer/agg/agg.h"
#include "tracer/agg/call.h"

#define BUCKETS         1024
#define FIRST_BUCKET_NS NS_PER_MS

struct bucket {
	uint64_t calls, errors, wall_ns, bytes, batch_calls, messages;
};

struct timeline {
	uint64_t start_ns, bucket_ns;
	struct bucket bucket[BUCKETS];
	struct bucket *last; /* where the last call was put, and when it begins */
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
	free(t);
}

static struct bucket sum(const struct bucket *a, const struct bucket *b)
{
	return (struct bucket){.calls = a->calls + b->calls,
		.errors = a->errors + b->errors,
		.wall_ns = sat_add(a->wall_ns, b->wall_ns),
		.bytes = sat_add(a->bytes, b->bytes),
		.batch_calls = a->batch_calls + b->batch_calls,
		.messages = sat_add(a->messages, b->messages)};
}

/* Pairs of buckets become one: the rows of the wider buckets are what they would have been had the
 * calls been put there at first. */
static void widen(struct timeline *t)
{
	for (size_t i = 0; i < BUCKETS / 2; i++)
		t->bucket[i] = sum(&t->bucket[2 * i], &t->bucket[2 * i + 1]);
	for (size_t i = BUCKETS / 2; i < BUCKETS; i++)
		t->bucket[i] = (struct bucket){0};
	t->bucket_ns *= 2;
}

static struct bucket *bucket_at(struct timeline *t, uint64_t entry_ns)
{
	uint64_t at_ns = entry_ns > t->start_ns ? entry_ns - t->start_ns : 0;

	if (at_ns - t->last_ns < t->bucket_ns)
		return t->last;
	/* Ends: 64 bits of ns fit into 1024 buckets of 2^54 ns. */
	while (at_ns / t->bucket_ns >= BUCKETS)
		widen(t);
	t->last = &t->bucket[at_ns / t->bucket_ns];
	t->last_ns = at_ns / t->bucket_ns * t->bucket_ns;
	return t->last;
}

void timeline_add(struct timeline *t, const struct sys_event *ev)
{
	struct bucket *b = bucket_at(t, ev->entry_ns);
	struct call c = call_of(ev);

	b->calls++;
	b->errors += c.fate == CALL_ERROR;
	b->wall_ns = sat_add(b->wall_ns, c.wall_ns);
	call_sum(&b->bytes, c.bytes_moved);
	if (ev->def->unit == BATCH_MESSAGES && c.batch_moved != NOT_MEASURED) {
		b->batch_calls++;
		b->messages = sat_add(b->messages, c.batch_moved);
	}
}

void timeline_result(const struct timeline *t, struct res_result *r)
{
	size_t used = 0;

	for (size_t i = 0; i < BUCKETS; i++)
		used += t->bucket[i].calls > 0;
	r->timeline = RES_OBJ(r, timeline);
	r->timeline->bucket_ns = t->bucket_ns;
	RES_LIST(r, &r->timeline->rows, used, timeline_row);
	used = 0;
	for (size_t i = 0; i < BUCKETS; i++) {
		const struct bucket *b = &t->bucket[i];

		if (b->calls == 0)
			continue;
		r->timeline->rows.at[used++] = (struct res_timeline_row){.t_ns = i * t->bucket_ns,
			.calls = b->calls,
			.errors = b->errors,
			.wall_ns = b->wall_ns,
			.bytes = b->bytes,
			.batch_calls = b->batch_calls,
			.messages = b->messages};
	}
}
