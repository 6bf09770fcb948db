/* SPDX-License-Identifier: GPL-3.0-only */
/* How the sizes of a call's batches are spread, by calls and by what they moved. */
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/view/view_parts.h"

/* More different sizes than this are put together: 0 to 3 apart, then by powers of two. */
#define EXACT_MAX   8
#define EXACT_SMALL 4

struct size_row {
	uint64_t first, last; /* sizes in this row */
	uint64_t calls;
	double moved;
};

static int compare_size(const void *a, const void *b)
{
	const struct size_row *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* The sizes one by one, rising. */
static size_t exact_rows(const struct res_counts *c, struct size_row *rows)
{
	for (size_t i = 0; i < c->len; i++) {
		uint64_t size = strtoull(view_name(c->at[i].key), NULL, 10);
		uint64_t calls = view_zero(c->at[i].count);

		rows[i] = (struct size_row){size, size, calls, (double)size * (double)calls};
	}
	if (c->len)
		qsort(rows, c->len, sizeof(*rows), compare_size);
	return c->len;
}

/* First and last size of the group that size falls into; the limit stays alone. */
static void group_of(uint64_t size, uint64_t limit, struct size_row *ret)
{
	uint64_t first = size, last = size;

	if (size >= EXACT_SMALL && size != limit) {
		first = 1ULL << (63 - __builtin_clzll(size));
		last = first | (first - 1);
		if (first <= limit && limit <= last) {
			first = size > limit ? limit + 1 : first;
			last = size < limit ? limit - 1 : last;
		}
	}
	ret->first = first;
	ret->last = last;
}

/* Puts sorted rows together; n > 0. */
static size_t group_rows(struct size_row *rows, size_t n, uint64_t limit)
{
	uint64_t largest = rows[n - 1].last;
	size_t to = 0;

	for (size_t i = 0; i < n; i++) {
		struct size_row row = rows[i];

		group_of(rows[i].first, limit, &row);
		if (to && rows[to - 1].first == row.first) {
			rows[to - 1].calls = sat_add(rows[to - 1].calls, row.calls);
			rows[to - 1].moved += row.moved;
		} else {
			rows[to++] = row;
		}
	}
	if (rows[to - 1].last > largest)
		rows[to - 1].last = largest;
	return to;
}

static void size_cell(
	struct doc *d, struct doc_table *t, const struct size_row *row, uint64_t limit)
{
	if (row->first != row->last)
		doc_cell_text(d, t, "%s-%s", view_count(d, row->first), view_count(d, row->last));
	else
		doc_cell_text(d, t, "%s%s", view_count(d, row->first),
			row->first == limit ? " = limit" : "");
}

static struct doc_table *sizes_table(struct doc *d, const struct res_syscall *s)
{
	const char *unit = view_name(s->batch->unit), *name = view_name(s->name);
	struct doc_column *columns = arena_alloc(&d->arena, 3, sizeof(*columns));
	struct doc_table *t;

	columns[0] = (struct doc_column){.id = "size",
		.title = arena_printf(&d->arena, "%s per %s", unit, name),
		.meaning = "how many one call moved"};
	columns[1] = (struct doc_column){.id = "calls",
		.title = "calls",
		.meaning = "calls that succeeded and moved so many"};
	columns[2] = (struct doc_column){.id = "share",
		.title = arena_printf(&d->arena, "share of %s", unit),
		.meaning = "of all that was moved, what these calls moved"};
	t = doc_table(d, arena_printf(&d->arena, "sizes-%s", name), columns, 3);
	t->bars_column = 1;
	return t;
}

void view_histogram(struct doc *d, const struct res_syscall *s)
{
	const struct res_counts *c = &s->batch->transferred_histogram;
	struct batch_facts f = view_batch_facts(s);
	uint64_t limit = f.least == f.most && f.most ? f.most : U64_NONE;
	struct size_row *rows = arena_alloc(&d->arena, c->len + 1, sizeof(*rows));
	size_t n = exact_rows(c, rows);
	struct doc_table *t;
	double moved = 0;

	if (!n)
		return;
	if (n > EXACT_MAX)
		n = group_rows(rows, n, limit);
	for (size_t i = 0; i < n; i++)
		moved += rows[i].moved;

	t = sizes_table(d, s);
	for (size_t i = 0; i < n; i++) {
		size_cell(d, t, &rows[i], limit);
		doc_cell(t, CELL_COUNT, rows[i].calls);
		doc_cell_real(t, CELL_RATIO, moved > 0 ? rows[i].moved / moved : NAN);
	}
	if (view_left_out(s, c, s->ok))
		doc_note(d, "%s of other sizes are not shown: there were too many different ones.",
			view_plural(d, view_left_out(s, c, s->ok), "call"));
}
