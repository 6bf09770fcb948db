/* SPDX-License-Identifier: GPL-3.0-only */
/* The table that `strace -c` prints, for the eyes and scripts that know it. */
#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/units.h"
#include "common/model/enough.h"
#include "common/view/view_parts.h"

#define WORKING_NAMES_MAX 3
#define WAITING_NAMES_MAX 4

/* Titles and widths are strace's. */
static const struct doc_column total_columns[] = {
	{"share", "% time", "of the time in all calls", 0, 6},
	{"seconds", "seconds", "wall time from entry to return", 0, 11},
	{"us_per_call", "usecs/call", "mean", 0, 11},
	{"calls", "calls", "times entered", 0, 9},
	{"errors", "errors", "calls that failed; empty: none", 0, 9},
	{"call", "syscall", "system call", 1, 16},
};

struct total {
	const char *name;
	uint64_t ns, calls, errors;
};

/* all_ns U64_NONE: calls have no times. */
static void time_cells(struct doc *d, struct doc_table *t, const struct total *row, uint64_t all_ns)
{
	double share = all_ns ? (double)row->ns * 100 / (double)all_ns : 0;
	uint64_t us_each = row->calls ? row->ns / NS_PER_US / row->calls : 0; /* cut, as strace's */

	if (all_ns == U64_NONE) {
		for (int i = 0; i < 3; i++)
			doc_cell_text(d, t, "-");
		return;
	}
	doc_cell_text(d, t, "%.2f", share);
	doc_cell(t, CELL_SECONDS, row->ns);
	doc_cell_text(d, t, "%" PRIu64, us_each);
}

static void total_row(struct doc *d, struct doc_table *t, const struct total *row, uint64_t all_ns)
{
	time_cells(d, t, row, all_ns);
	doc_cell_text(d, t, "%" PRIu64, row->calls);
	if (row->errors)
		doc_cell_text(d, t, "%" PRIu64, row->errors);
	else
		doc_cell_text(d, t, "%s", "");
	doc_cell_text(d, t, "%s", row->name);
}

/* It takes what others send, and half of its calls took longer than that takes, stops included. */
#define TAKE_NS (100 * NS_PER_US)

static int has_waited(const struct res_syscall *s)
{
	const char *name = view_name(s->name);
	uint64_t calls = view_zero(s->calls), most = 0;

	if ((strncmp(name, "recv", 4) != 0 && strncmp(name, "accept", 6) != 0) ||
		calls < JUDGE_CALLS_MIN || !s->wall_ns || s->wall_ns->p50 == U64_NONE ||
		(s->batch && s->batch->could_wait == 0))
		return 0;
	if (s->batch)
		most = sat_mul(TAKE_EACH_NS, view_zero(s->batch->transferred)) / calls;
	if (s->bytes)
		most = sat_add(
			most, sat_mul(TAKE_BYTE_NS, view_zero(s->bytes->transferred)) / calls);
	return s->wall_ns->p50 > sat_add(most, TAKE_NS);
}

/* "epoll_wait, poll and 3 more" of the calls that wait or work, most time first. With a share of
 * their time each if they work. */
static const char *time_list(
	struct doc *d, const struct res_result *r, int waiting, uint64_t all_ns, size_t max)
{
	const struct res_syscall **rows = view_by_time(d, r);
	const char *text = "";
	size_t n = 0;

	for (size_t i = 0; i < r->syscalls.len; i++) {
		if (view_waits(rows[i]) != waiting || !view_total_ns(rows[i]))
			continue;
		if (n++ < max)
			text = arena_printf(&d->arena, "%s%s%s%s%s%s", text, n > 1 ? ", " : "",
				view_name(rows[i]->name), waiting ? "" : " ",
				waiting ? "" : view_share(d, view_total_ns(rows[i]), all_ns),
				has_waited(rows[i]) ? " (mostly waiting for arrivals)" : "");
	}
	return n > max ? arena_printf(&d->arena, "%s and %zu more", text, n - max) : text;
}

/* What the table's time is, and how much of it was spent waiting. */
static void time_line(struct doc *d, const struct res_result *r, uint64_t all_ns)
{
	uint64_t waiting_ns = 0, working_ns = 0;
	const char *waits, *works;

	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];
		uint64_t *sum_ns = view_waits(s) ? &waiting_ns : &working_ns;

		*sum_ns = sat_add(*sum_ns, view_total_ns(s));
	}
	waits = waiting_ns ? arena_printf(&d->arena, "; %s of it in calls that only wait: %s",
				     view_share(d, waiting_ns, all_ns),
				     time_list(d, r, 1, all_ns, WAITING_NAMES_MAX))
		: all_ns   ? "; none of it in calls that only wait"
			   : "";
	works = working_ns ? arena_printf(&d->arena, " Of the time in the other calls: %s.",
				     time_list(d, r, 0, working_ns, WORKING_NAMES_MAX))
			   : "";
	doc_text(d, "(time is wall time, summed over threads%s.%s)", waits, works);
}

void view_totals(struct doc *d, const struct res_result *r)
{
	const struct res_syscall **rows = view_by_time(d, r);
	struct doc_table *t = doc_table(d, "totals", total_columns, 6);
	struct total sum = {.name = "total"};
	int timed = result_has_times(r);

	t->ruled = 1;
	for (size_t i = 0; i < r->syscalls.len; i++) {
		sum.ns = sat_add(sum.ns, view_total_ns(rows[i]));
		sum.calls = sat_add(sum.calls, view_zero(rows[i]->calls));
		sum.errors = sat_add(sum.errors, view_zero(rows[i]->errors));
	}
	for (size_t i = 0; i < r->syscalls.len; i++) {
		struct total row = {view_name(rows[i]->name), view_total_ns(rows[i]),
			view_zero(rows[i]->calls), view_zero(rows[i]->errors)};

		if (row.calls)
			total_row(d, t, &row, timed ? sum.ns : U64_NONE);
	}
	total_row(d, t, &sum, !timed ? U64_NONE : sum.ns ? sum.ns : 1);
	if (timed)
		time_line(d, r, sum.ns);
	else
		doc_text(d, "(" VIEW_NO_TIMES "; sorted by calls.)");
}
