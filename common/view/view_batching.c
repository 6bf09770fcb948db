/* SPDX-License-Identifier: GPL-3.0-only */
/* BATCHING: a table for each unit, what follows from it, and how the sizes are spread. */
#include <stdlib.h>
#include <string.h>

#include "common/view/view_parts.h"

/* The title of the second is the unit's. */
static const struct doc_column batch_columns[] = {
	{"call", "", "system call", 1, 0},
	{"calls", "calls", "times entered", 0, 0},
	{"transferred", "", "units moved, over calls that succeeded", 0, 0},
	{"per_call", "per call", "mean moved by a call that succeeded and asked for at least one",
		0, 0},
	{"p50", "p50", "half of the calls moved at most this many", 0, 0},
	{"p90", "p90", "nine of ten calls moved at most this many", 0, 0},
	{"max", "max", "most that one call moved", 0, 0},
	{"limit", "limit", "how many a call asked for; - where that is no limit", 0, 0},
	{"full", "full", "share of calls that moved all they asked for; - where there is no limit",
		0, 0},
	{"single", "single", "share of calls that moved exactly one", 0, 0},
	{"empty", "empty", "calls that returned 0 or EAGAIN", 0, 0},
	{"partial", "partial", "calls that moved some of what they handed over but not all", 0, 0},
};
#define UNIT_COLUMN 2

static int has_unit(const struct res_syscall *s, const char *unit)
{
	return s->batch && s->batch->unit && !strcmp(s->batch->unit, unit) && view_zero(s->calls);
}

static void limit_cells(struct doc *d, struct doc_table *t, const struct batch_facts *f)
{
	uint64_t full = f->batch->full;
	/* What a call hands over is its limit only if it is the same each time. */
	int is_limit = f->most &&
		       (f->way == BATCH_TAKES || (f->way == BATCH_GIVES && f->least == f->most));

	if (!is_limit)
		doc_cell(t, CELL_COUNT, U64_NONE);
	else if (f->least == f->most)
		doc_cell(t, CELL_COUNT, f->most);
	else
		doc_cell_text(d, t, "%s-%s", view_count(d, f->least), view_count(d, f->most));
	doc_cell_real(t, CELL_RATIO,
		is_limit && f->judged && full != U64_NONE ? (double)full / (double)f->judged : NAN);
}

static void batch_row(struct doc *d, struct doc_table *t, const struct res_syscall *s)
{
	struct batch_facts f = view_batch_facts(s);
	const struct res_batch *b = s->batch;
	const struct res_per_call *per = b->per_call;
	double single =
		f.judged && b->single != U64_NONE ? (double)b->single / (double)f.judged : NAN;

	doc_cell_text(d, t, "%s", view_name(s->name));
	doc_cell(t, CELL_COUNT, s->calls);
	doc_cell(t, CELL_COUNT, b->transferred);
	doc_cell_real(t, CELL_MEAN, per ? per->mean : NAN);
	doc_cell(t, CELL_COUNT, per ? per->p50 : U64_NONE);
	doc_cell(t, CELL_COUNT, per ? per->p90 : U64_NONE);
	doc_cell(t, CELL_COUNT, per ? per->max : U64_NONE);
	limit_cells(d, t, &f);
	doc_cell_real(t, CELL_RATIO, single);
	doc_cell(t, CELL_COUNT, b->empty);
	doc_cell(t, CELL_COUNT, f.way == BATCH_GIVES ? b->partial : U64_NONE);
}

static size_t count_unit(const struct res_result *r, const char *unit)
{
	size_t n = 0;

	for (size_t i = 0; i < r->syscalls.len; i++)
		n += (size_t)has_unit(&r->syscalls.at[i], unit);
	return n;
}

/* A table, its notes, and at most that many histograms. */
static void unit_table(
	struct doc *d, const struct res_result *r, const char *unit, size_t histograms)
{
	size_t n = 0;
	const struct res_syscall **rows = arena_alloc(&d->arena, r->syscalls.len, sizeof(*rows));
	struct doc_column *columns = arena_alloc(&d->arena, LEN(batch_columns), sizeof(*columns));
	struct doc_table *t;

	for (size_t i = 0; i < r->syscalls.len; i++) {
		if (has_unit(&r->syscalls.at[i], unit))
			rows[n++] = &r->syscalls.at[i];
	}
	qsort(rows, n, sizeof(*rows), view_more_calls);

	memcpy(columns, batch_columns, sizeof(batch_columns));
	columns[UNIT_COLUMN].title = unit;
	doc_section(d, strcmp(unit, "messages") ? arena_printf(&d->arena, "BATCHING %s", unit)
						: "BATCHING");
	t = doc_table(d, arena_printf(&d->arena, "batching-%s", unit), columns, LEN(batch_columns));
	for (size_t i = 0; i < n; i++)
		batch_row(d, t, rows[i]);
	for (size_t i = 0; i < n; i++)
		view_note_call(d, r, rows[i]);
	if (!strcmp(unit, "messages"))
		view_note_messages(d, r);
	if (view_slowed(r))
		doc_note(d, "tracing slowed the program: untraced, these sizes can be others.");
	for (size_t i = 0; i < n && i < histograms; i++)
		view_histogram(d, rows[i]);
}

/* No call that moves several messages was made: say so, and whether one would have been seen. */
static void no_messages(struct doc *d, const struct res_result *r, int others)
{
	int sends = view_traced(r, "sendmmsg"), receives = view_traced(r, "recvmmsg");

	doc_section(d, "BATCHING");
	if (!view_calls(r))
		doc_text(d, "no calls were seen, so none that batches");
	else if (sends && receives)
		doc_text(d, "%s: sendmmsg and recvmmsg were traced and not called",
			others ? "no call moved several messages"
			       : "none of the traced calls batches");
	else
		doc_text(d, "%s; %s not traced, so nothing is known of %s (see --trace)",
			others ? "no traced call moved several messages"
			       : "none of the traced calls batches",
			sends      ? "recvmmsg was"
			: receives ? "sendmmsg was"
				   : "sendmmsg and recvmmsg were",
			sends || receives ? "it" : "them");
}

void view_batching(struct doc *d, const struct res_result *r)
{
	static const struct {
		const char *unit;
		size_t histograms;
	} units[] = {{"messages", 3}, {"iovecs", 1}, {"events", 0}, {"submissions", 1}};
	size_t messages = count_unit(r, "messages"), others = 0;

	for (size_t i = 1; i < LEN(units); i++)
		others += count_unit(r, units[i].unit);
	if (!messages) {
		no_messages(d, r, others > 0);
		view_note_messages(d, r);
	}
	for (size_t i = 0; i < LEN(units); i++) {
		if (count_unit(r, units[i].unit))
			unit_table(d, r, units[i].unit, units[i].histograms);
	}
}
