/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/report/report_bins.h"

#include <stdlib.h>

#include "common/base/units.h"
#include "common/view/view_parts.h"

/* ---- batch sizes ---- */

static int compare_bins(const void *a, const void *b)
{
	const struct size_bin *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

static uint64_t size_of(const struct res_count *c)
{
	return c->key ? strtoull(c->key, NULL, 10) : 0;
}

/* The bin of powers of two that size falls into; 0 to 3 and the limit stay alone. */
static void group_of(uint64_t size, uint64_t limit, struct size_bin *bin)
{
	bin->first = bin->last = size;
	if (size < 4 || size == limit)
		return;
	bin->first = 1ULL << (63 - __builtin_clzll(size));
	bin->last = bin->first | (bin->first - 1);
	if (bin->first <= limit && limit <= bin->last) {
		bin->first = size > limit ? limit + 1 : bin->first;
		bin->last = size < limit ? limit - 1 : bin->last;
	}
}

/* Sorted bins that begin at the same size become one. */
static void merge_bins(struct size_bins *s)
{
	size_t to = 0;

	for (size_t i = 0; i < s->len; i++) {
		struct size_bin *last = to ? &s->at[to - 1] : NULL;

		if (last && last->first == s->at[i].first) {
			last->asked = sat_add(last->asked, s->at[i].asked);
			last->got = sat_add(last->got, s->at[i].got);
			last->moved += s->at[i].moved;
		} else {
			s->at[to++] = s->at[i];
		}
	}
	s->len = to;
}

/* The one size above 0 that was asked for, if there is but one. */
static uint64_t limit_of(const struct res_counts *asked)
{
	uint64_t limit = U64_NONE;

	for (size_t i = 0; i < asked->len; i++) {
		uint64_t size = size_of(&asked->at[i]);

		if (!size || size == limit)
			continue;
		if (limit != U64_NONE)
			return U64_NONE;
		limit = size;
	}
	return limit;
}

struct size_bins report_size_bins(struct arena *a, const struct res_batch *b)
{
	const struct res_counts *asked = &b->asked_histogram, *got = &b->transferred_histogram;
	struct size_bins s = {.limit = limit_of(asked)};

	s.at = arena_alloc(a, asked->len + got->len + 1, sizeof(*s.at));
	for (size_t i = 0; i < asked->len; i++) {
		uint64_t size = size_of(&asked->at[i]);

		s.at[s.len++] = (struct size_bin){size, size, view_zero(asked->at[i].count), 0, 0};
	}
	for (size_t i = 0; i < got->len; i++) {
		uint64_t size = size_of(&got->at[i]), calls = view_zero(got->at[i].count);

		s.at[s.len++] =
			(struct size_bin){size, size, 0, calls, (double)size * (double)calls};
	}
	qsort(s.at, s.len, sizeof(*s.at), compare_bins);
	merge_bins(&s);
	for (size_t i = 0; s.len > SIZES_EXACT_MAX && i < s.len; i++)
		group_of(s.at[i].first, s.limit, &s.at[i]);
	merge_bins(&s);
	for (size_t i = 0; i < s.len; i++) {
		s.most = s.at[i].asked > s.most ? s.at[i].asked : s.most;
		s.most = s.at[i].got > s.most ? s.at[i].got : s.most;
		s.moved += s.at[i].moved;
	}
	return s;
}

/* ---- latencies ---- */

int report_latency_bin(uint64_t ns)
{
	int bin = ns ? (int)floor(log2((double)ns) * LATENCY_STEPS) : 0;

	return bin < LATENCY_BINS ? bin : LATENCY_BINS - 1;
}

uint64_t report_latency_ns(int bin)
{
	return bin < LATENCY_BINS ? (uint64_t)exp2((double)bin / LATENCY_STEPS) : UINT64_MAX;
}

void report_latency_bins(const struct res_syscall *s, struct latency_bins *ret)
{
	*ret = (struct latency_bins){.first = LATENCY_BINS, .last = -1};
	for (size_t i = 0; i < s->latency_histogram.len; i++) {
		const struct res_le_ns *le = &s->latency_histogram.at[i];
		int bin = report_latency_bin(view_zero(le->le_ns));

		if (!view_zero(le->count))
			continue;
		ret->count[bin] = sat_add(ret->count[bin], le->count);
		ret->total = sat_add(ret->total, le->count);
		ret->most = ret->count[bin] > ret->most ? ret->count[bin] : ret->most;
		ret->first = bin < ret->first ? bin : ret->first;
		ret->last = bin > ret->last ? bin : ret->last;
	}
}

/* ---- time ---- */

static void add_row(struct res_timeline_row *to, const struct res_timeline_row *from)
{
	to->calls = sat_add(to->calls, view_zero(from->calls));
	to->errors = sat_add(to->errors, view_zero(from->errors));
	to->wall_ns = sat_add(to->wall_ns, view_zero(from->wall_ns));
	to->bytes = sat_add(to->bytes, view_zero(from->bytes));
	to->mapped = sat_add(to->mapped, view_zero(from->mapped));
	to->batch_calls = sat_add(to->batch_calls, view_zero(from->batch_calls));
	to->messages = sat_add(to->messages, view_zero(from->messages));
}

struct time_columns report_time_columns(struct arena *a, const struct res_timeline *t, size_t most)
{
	struct time_columns c = {0};
	uint64_t last_ns = 0, buckets;

	if (!t || !t->rows.len || !t->bucket_ns || t->bucket_ns == U64_NONE)
		return c;
	for (size_t i = 0; i < t->rows.len; i++)
		last_ns = view_zero(t->rows.at[i].t_ns) > last_ns ? t->rows.at[i].t_ns : last_ns;
	buckets = last_ns / t->bucket_ns + 1;
	c.width_ns = sat_mul(t->bucket_ns, (buckets - 1) / most + 1);
	c.len = (size_t)(last_ns / c.width_ns) + 1;
	c.at = arena_alloc(a, c.len, sizeof(*c.at));
	for (size_t i = 0; i < c.len; i++)
		c.at[i].t_ns = sat_mul(c.width_ns, i);
	for (size_t i = 0; i < t->rows.len; i++)
		add_row(&c.at[view_zero(t->rows.at[i].t_ns) / c.width_ns], &t->rows.at[i]);
	return c;
}
