/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/timeless.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows by calls ---- */

static int by_calls_then_name(uint64_t a, const char *a_name, uint64_t b, const char *b_name)
{
	if (a != b)
		return a < b ? 1 : -1;
	return strcmp(a_name, b_name);
}

static int syscall_cmp(const void *a, const void *b)
{
	const struct res_syscall *x = a, *y = b;

	return by_calls_then_name(x->calls, x->name, y->calls, y->name);
}

static int part_cmp(const void *a, const void *b)
{
	const struct res_part *x = a, *y = b;

	return by_calls_then_name(x->calls, x->name, y->calls, y->name);
}

static int phase_call_cmp(const void *a, const void *b)
{
	const struct res_phase_call *x = a, *y = b;

	return by_calls_then_name(x->calls, x->name, y->calls, y->name);
}

/* ---- a result ---- */

static void batch(struct res_batch *b)
{
	for (size_t i = 0; i < b->by_transferred.len; i++) {
		struct res_by_transferred *row = &b->by_transferred.at[i];

		row->total_ns = row->usual_calls = row->usual_ns = U64_NONE;
		row->sum_sq_ns = row->usual_sq_ns = NAN;
	}
}

static void syscall_row(struct res_syscall *s)
{
	s->wall_ns = NULL;
	s->latency_histogram.len = 0;
	if (s->small_calls)
		s->small_calls->p10_ns = s->small_calls->p50_ns = U64_NONE;
	if (s->batch)
		batch(s->batch);
}

static void parts(struct res_part *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i].wall_ns = U64_NONE;
	if (len)
		qsort(at, len, sizeof(*at), part_cmp);
}

static void phase(struct res_phase *p)
{
	for (size_t i = 0; i < p->syscalls.len; i++)
		p->syscalls.at[i].wall_ns = U64_NONE;
	if (p->syscalls.len)
		qsort(p->syscalls.at, p->syscalls.len, sizeof(*p->syscalls.at), phase_call_cmp);
}

/* What would be saved by groups of so many is a count; what is safe, and how long calls would be
 * held, is told by when they were made. */
static void gathering(struct res_result *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->gathering.len; i++) {
		struct res_gathering *row = &r->gathering.at[kept];

		if (r->gathering.at[i].limit_units == U64_NONE)
			continue;
		*row = r->gathering.at[i];
		row->saved_safely = row->saved_at_most = U64_NONE;
		row->delay_ns_total = row->delay_safely_ns_total = U64_NONE;
		row->reason = "calls have no times (--no-times)";
		kept++;
	}
	r->gathering.len = kept;
}

static void mapping_kind(struct res_mapping_kind *k)
{
	if (k)
		k->maps_ns = k->unmaps_ns = U64_NONE;
}

void result_without_times(struct res_result *r)
{
	for (size_t i = 0; i < r->syscalls.len; i++)
		syscall_row(&r->syscalls.at[i]);
	if (r->syscalls.len)
		qsort(r->syscalls.at, r->syscalls.len, sizeof(*r->syscalls.at), syscall_cmp);
	for (size_t i = 0; i < r->phases.len; i++)
		phase(&r->phases.at[i]);
	for (size_t i = 0; i < r->threads.len; i++)
		parts(r->threads.at[i].syscalls.at, r->threads.at[i].syscalls.len);
	for (size_t i = 0; i < r->fds.len; i++)
		parts(r->fds.at[i].syscalls.at, r->fds.at[i].syscalls.len);
	gathering(r);
	if (r->mappings) {
		mapping_kind(r->mappings->anonymous);
		mapping_kind(r->mappings->file);
		mapping_kind(r->mappings->stack);
		mapping_kind(r->mappings->other);
	}
	r->timeline = NULL;
}

/* ---- what was counted so far ---- */

static void rows(struct counted_rows *r)
{
	for (size_t i = 0; i < r->len; i++)
		r->at[i].f.wall_ns = NOT_MEASURED;
}

void counted_without_times(struct counted *c)
{
	rows(&c->calls_by_name);
	rows(&c->threads.rows);
	rows(&c->fds.rows);
}
