/* SPDX-License-Identifier: GPL-3.0-only */
/* What gathering would save, which the result says, as a table. */
#include <string.h>

#include "common/analyze/io_doc.h"
#include "common/base/units.h"

#define PLACES_MAX 10 /* each has a row for every limit */

static const struct doc_column columns[] = {
	{"place", "thread, descriptor", "", 1, 0},
	{"change", "change", "what the gathered calls would be", 1, 0},
	{"calls", "calls", "that succeeded, as they were", 0, 0},
	{"limit", "gathered up to", "", 1, 0},
	{"saved", "calls saved", "if everything may wait", 0, 0},
	{"delay", "mean delay", "that a call is held back then", 0, 0},
	{"safely", "saved safely", "if nothing is held back over a call that can wait", 0, 0},
	{"at_most", "at most", "of what was traced: no more can be safe", 0, 0},
	{"safe_delay", "mean delay", "that a call is held back if safely", 0, 0},
};

static uint64_t mean_ns(uint64_t total_ns, uint64_t calls)
{
	return total_ns == U64_NONE || !calls ? U64_NONE : total_ns / calls;
}

static const char *limit_text(struct doc *d, const struct res_gathering *g)
{
	char buf[UNITS_BUF];

	if (g->limit_units != U64_NONE)
		return view_plural(d, g->limit_units, "unit");
	return g->limit_ns == U64_NONE
		       ? "-"
		       : arena_printf(&d->arena, "%s", units_duration(buf, g->limit_ns));
}

static const char *number(struct doc *d, uint64_t v)
{
	return v == U64_NONE ? "-" : arena_printf(&d->arena, "%llu", (unsigned long long)v);
}

static void add_row(struct doc *d, struct doc_table *t, const struct res_result *r,
	const struct res_gathering *g)
{
	const struct res_fd *fd = view_gathered_fd(r, g);
	const char *target = fd ? fd->target : NULL;

	doc_cell_text(d, t, "%s, %s%s%s", number(d, g->tid), number(d, g->fd), target ? " " : "",
		target ? target : "");
	doc_cell_text(d, t, "%s", view_name(g->change));
	doc_cell(t, CELL_COUNT, g->calls);
	doc_cell_text(d, t, "%s", limit_text(d, g));
	doc_cell(t, CELL_COUNT, g->saved);
	doc_cell(t, CELL_NS, mean_ns(g->delay_ns_total, g->calls));
	doc_cell(t, CELL_COUNT, g->saved_safely);
	doc_cell(t, CELL_COUNT, g->saved_at_most);
	doc_cell(t, CELL_NS, mean_ns(g->delay_safely_ns_total, g->calls));
}

static int same_place(const struct res_gathering *a, const struct res_gathering *b)
{
	return a->pid == b->pid && a->tid == b->tid && a->fd == b->fd &&
	       a->generation == b->generation &&
	       !strcmp(view_name(a->change), view_name(b->change));
}

/* The reason, if in any row it is not known how much is safe. */
static const char *reason_of(const struct res_result *r)
{
	for (size_t i = 0; i < r->gathering.len; i++)
		if (r->gathering.at[i].reason)
			return r->gathering.at[i].reason;
	return NULL;
}

static void notes(struct doc *d, const struct res_result *r, size_t left_out)
{
	const char *reason = reason_of(r);

	if (!result_has_times(r))
		doc_note(d, "Groups by time, what is safe and how long calls would be held are not "
			    "measured: " VIEW_NO_TIMES ".");
	if (left_out)
		doc_note(d, "%zu more places with fewer calls are not shown.", left_out);
	if (!result_has_times(r))
		return;
	doc_note(d,
		"\"Saved safely\" lets what is held back go before its thread enters a call that "
		"can wait for others (on any descriptor; who says where in a file waits for "
		"nobody), tells others something or may see what was written, makes another call "
		"on the descriptor, forks or ends, and when a call of another thread on it ends "
		"that is no send, or one begins that sends bytes: an answer or their order may "
		"depend on it. Places with fewer than %d calls are "
		"left out.",
		TARGET_CALLS_MIN);
	if (reason)
		doc_note(d, "How much is safe is not known everywhere: %s.", reason);
}

void io_gathering(struct doc *d, const struct analyze_scenario *s)
{
	const struct res_result *r = s->io;
	struct doc_table *t;
	size_t places = 0;

	doc_section(d, "What if calls were gathered");
	t = doc_table(d, "gathering", columns, LEN(columns));
	for (size_t i = 0; i < r->gathering.len; i++) {
		const struct res_gathering *g = &r->gathering.at[i];

		if (view_zero(g->calls) < TARGET_CALLS_MIN)
			continue;
		places += !i || !same_place(g, g - 1);
		if (places <= PLACES_MAX)
			add_row(d, t, r, g);
	}
	if (places)
		notes(d, r, places > PLACES_MAX ? places - PLACES_MAX : 0);
	else
		doc_text(d, "No thread sent often enough on one descriptor to say anything, or the "
			    "result is of an iotrace that did not compute it.");
}
