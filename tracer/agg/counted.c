/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/counted.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"

void counted_release(struct counted *c)
{
	arena_release(&c->names);
	free(c->calls_by_name.at);
	free(c->threads.at);
	free(c->threads.rows.at);
	free(c->fds.at);
	free(c->fds.rows.at);
	*c = (struct counted){0};
}

/* What was not measured then was 0 all the same: a sum is measured from its first part on. */
static uint64_t less(uint64_t a, uint64_t b)
{
	if (a == NOT_MEASURED || b == NOT_MEASURED)
		return a;
	return a > b ? a - b : 0;
}

struct figures figures_less(const struct figures *a, const struct figures *b)
{
	return (struct figures){
		.calls = less(a->calls, b->calls),
		.errors = less(a->errors, b->errors),
		.wall_ns = less(a->wall_ns, b->wall_ns),
		.bytes = less(a->bytes, b->bytes),
		.batch_calls = less(a->batch_calls, b->batch_calls),
		.batch_asked = less(a->batch_asked, b->batch_asked),
		.batch_moved = less(a->batch_moved, b->batch_moved),
	};
}

static void add(uint64_t *sum, uint64_t v)
{
	if (v != NOT_MEASURED)
		*sum = sat_add(*sum, v);
}

void figures_add(struct figures *sum, const struct figures *f)
{
	add(&sum->calls, f->calls);
	add(&sum->errors, f->errors);
	add(&sum->wall_ns, f->wall_ns);
	add(&sum->bytes, f->bytes);
	add(&sum->batch_calls, f->batch_calls);
	add(&sum->batch_asked, f->batch_asked);
	add(&sum->batch_moved, f->batch_moved);
}

static void copy_rows(const struct counted_rows *from, struct counted_rows *to)
{
	*to = (struct counted_rows){0};
	if (!from->len)
		return;
	mem_vec_grow((void **)&to->at, &to->cap, from->len, sizeof(*to->at));
	memcpy(to->at, from->at, from->len * sizeof(*to->at));
	to->len = from->len;
}

/* Both by def->index; new ones may lie between. */
static void calls_since(const struct counted_rows *before, struct counted_rows *rows)
{
	for (size_t i = 0, j = 0; i < before->len; i++) {
		while (j < rows->len && rows->at[j].def != before->at[i].def)
			j++;
		if (j < rows->len)
			rows->at[j].f = figures_less(&rows->at[j].f, &before->at[i].f);
	}
}

static void owner_since(
	const struct counted_row *before, size_t before_len, struct counted_row *rows, size_t len)
{
	for (size_t i = 0; i < before_len && i < len; i++)
		rows[i].f = figures_less(&rows[i].f, &before[i].f);
}

static void owners_since(const struct counted_owners *before, struct counted_owners *owners)
{
	for (size_t i = 0; i < before->len && i < owners->len; i++) {
		const struct counted_owner *was = &before->at[i], *is = &owners->at[i];

		owner_since(before->rows.at + was->first, was->len, owners->rows.at + is->first,
			is->len);
	}
}

static void copy_owners(const struct counted_owners *from, struct counted_owners *to)
{
	*to = (struct counted_owners){0};
	copy_rows(&from->rows, &to->rows);
	if (!from->len)
		return;
	mem_vec_grow((void **)&to->at, &to->cap, from->len, sizeof(*to->at));
	memcpy(to->at, from->at, from->len * sizeof(*to->at));
	to->len = from->len;
}

void counted_since(
	const struct counted *before, const struct counted *now, struct counted *ret_since)
{
	*ret_since = (struct counted){.calls = now->calls, .unreadable = now->unreadable};
	copy_rows(&now->calls_by_name, &ret_since->calls_by_name);
	copy_owners(&now->threads, &ret_since->threads);
	copy_owners(&now->fds, &ret_since->fds);
	if (!before)
		return;
	ret_since->calls = now->calls - before->calls;
	calls_since(&before->calls_by_name, &ret_since->calls_by_name);
	owners_since(&before->threads, &ret_since->threads);
	owners_since(&before->fds, &ret_since->fds);
}
