/* SPDX-License-Identifier: GPL-3.0-only */
/* The plain tables of the I/O analysis. */
#include <stdlib.h>
#include <string.h>

#include "common/analyze/categories.h"
#include "common/analyze/errors.h"
#include "common/analyze/io_doc.h"
#include "common/base/units.h"

#define TOP_CALLS   10
#define PHASE_CALLS 5

static uint64_t total_ns(const struct res_syscall *s)
{
	return s->wall_ns ? s->wall_ns->total : U64_NONE;
}

static uint64_t all_ns(const struct res_result *r)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < r->syscalls.len; i++)
		sum = sat_add(sum, view_zero(total_ns(&r->syscalls.at[i])));
	return sum;
}

static double share(uint64_t part, uint64_t whole)
{
	return part == U64_NONE || !whole ? NAN : (double)part / (double)whole;
}

/* ---- errors ---- */

static const struct doc_column error_columns[] = {
	{"call", "call", "", 1, 0},
	{"errno", "error", "", 1, 0},
	{"count", "times", "", 0, 0},
	{"rate", "of its calls", "", 0, 0},
	{"verdict", "normal?", "by the table of errors", 1, 0},
	{"why", "why", "", 1, 0},
};

void io_errors(struct doc *d, const struct res_result *r)
{
	static const char *const words[] = {[ERROR_NORMAL] = "normal",
		[ERROR_SEARCH] = "normal",
		[ERROR_CHECK] = "worth a look",
		[ERROR_UNKNOWN] = "not known"};
	size_t n;
	struct error_row *rows = errors_list(&d->arena, r, &n);
	struct doc_table *t;

	doc_section(d, "Errors");
	if (!n) {
		doc_text(d, "No traced call failed.");
		return;
	}
	t = doc_table(d, "errors", error_columns, LEN(error_columns));
	for (size_t i = 0; i < n; i++) {
		doc_cell_text(d, t, "%s", view_name(rows[i].call->name));
		doc_cell_text(d, t, "%s", rows[i].errno_name);
		doc_cell(t, CELL_COUNT, rows[i].count);
		doc_cell_real(t, CELL_RATIO, rows[i].rate);
		doc_cell_text(d, t, "%s", words[rows[i].verdict]);
		doc_cell_text(d, t, "%s",
			*rows[i].why ? rows[i].why : "the table of errors has no row for it");
	}
}

/* ---- categories ---- */

static const struct doc_column category_columns[] = {
	{"category", "category", "", 1, 0},
	{"calls", "calls", "", 0, 0},
	{"share", "of all calls", "", 0, 0},
	{"time", "time", "waiting included", 0, 0},
	{"time_share", "of the time in calls", "", 0, 0},
	{"errors", "errors", "", 0, 0},
	{"most", "most called", "", 1, 0},
};

static void category_cells(struct doc *d, struct doc_table *t, const struct category_row *row,
	const struct res_result *r)
{
	const char *list = "";

	for (int i = 0; i < CATEGORY_TOP && row->top[i].name; i++)
		list = arena_printf(&d->arena, "%s%s%s %s", list, *list ? ", " : "",
			row->top[i].name, view_count(d, row->top[i].calls));
	doc_cell_text(d, t, "%s", category_title(row->id));
	doc_cell(t, CELL_COUNT, row->calls);
	doc_cell_real(t, CELL_RATIO, share(row->calls, view_calls(r)));
	doc_cell(t, CELL_NS, row->wall_ns);
	doc_cell_real(t, CELL_RATIO, share(row->wall_ns, all_ns(r)));
	doc_cell(t, CELL_COUNT, row->errors);
	doc_cell_text(d, t, "%s", list);
}

void io_categories(struct doc *d, const struct res_result *r)
{
	struct category_row rows[CATEGORIES];
	struct doc_table *t;

	if (!view_calls(r))
		return;
	categories_count(r, rows);
	doc_section(d, "Categories");
	t = doc_table(d, "categories", category_columns, LEN(category_columns));
	for (int i = 0; i < CATEGORIES; i++)
		if (rows[i].calls)
			category_cells(d, t, &rows[i], r);
	if (result_has_times(r))
		doc_note(d, "Times are from entry to return: in locks and event loop they are "
			    "mostly waiting. read, write and the like count by what their "
			    "descriptor was.");
	else
		doc_note(d, "read, write and the like count by what their descriptor was.");
}

/* ---- top calls ---- */

static const struct doc_column top_columns[] = {
	{"call", "call", "", 1, 0},
	{"calls", "calls", "times entered", 0, 0},
	{"calls_share", "of all calls", "", 0, 0},
	{"time", "time", "from entry to return", 0, 0},
	{"time_share", "of the time in calls", "", 0, 0},
	{"mean", "mean", "", 0, 0},
	{"p99", "p99", "", 0, 0},
	{"kind", "", "", 1, 0},
};

static void top_row(
	struct doc *d, struct doc_table *t, const struct res_syscall *s, const struct res_result *r)
{
	doc_cell_text(d, t, "%s", view_name(s->name));
	doc_cell(t, CELL_COUNT, s->calls);
	doc_cell_real(t, CELL_RATIO, share(s->calls, view_calls(r)));
	doc_cell(t, CELL_NS, total_ns(s));
	doc_cell_real(t, CELL_RATIO, share(total_ns(s), all_ns(r)));
	doc_cell(t, CELL_NS, s->wall_ns ? s->wall_ns->mean : U64_NONE);
	doc_cell(t, CELL_NS, s->wall_ns ? s->wall_ns->p99 : U64_NONE);
	doc_cell_text(d, t, "%s", view_waits(s) ? "waits" : "");
}

void io_top(struct doc *d, const struct res_result *r)
{
	const struct res_syscall **rows = view_by_time(d, r);
	size_t n = r->syscalls.len < TOP_CALLS ? r->syscalls.len : TOP_CALLS;
	struct doc_table *t;

	if (!n)
		return;
	doc_section(d, "Top calls by time");
	if (result_has_times(r)) {
		t = doc_table(d, "top-time", top_columns, LEN(top_columns));
		for (size_t i = 0; i < n; i++)
			top_row(d, t, rows[i], r);
	} else {
		doc_text(d, "Not measured: " VIEW_NO_TIMES ".");
	}
	doc_section(d, "Top calls by count");
	qsort(rows, r->syscalls.len, sizeof(*rows), view_more_calls);
	t = doc_table(d, "top-count", top_columns, LEN(top_columns));
	for (size_t i = 0; i < n; i++)
		top_row(d, t, rows[i], r);
}

/* ---- start-up apart from steady state ---- */

static const struct doc_column phase_columns[] = {
	{"phase", "phase", "", 1, 0},
	{"time", "length", "", 0, 0},
	{"calls", "calls", "entered in it", 0, 0},
	{"rate", "calls/s", "", 0, 0},
	{"most", "most called", "", 1, 0},
};

static int compare_phase_calls(const void *a, const void *b)
{
	const struct res_phase_call *x = a, *y = b;

	if (view_zero(x->calls) != view_zero(y->calls))
		return view_zero(x->calls) < view_zero(y->calls) ? 1 : -1;
	return strcmp(view_name(x->name), view_name(y->name));
}

static const char *most_called(struct doc *d, const struct res_phase *p)
{
	size_t n = p->syscalls.len;
	struct res_phase_call *rows = arena_alloc(&d->arena, n + 1, sizeof(*rows));
	const char *list = "";

	for (size_t i = 0; i < n; i++)
		rows[i] = p->syscalls.at[i];
	qsort(rows, n, sizeof(*rows), compare_phase_calls);
	for (size_t i = 0; i < n && i < PHASE_CALLS; i++)
		list = arena_printf(&d->arena, "%s%s%s %s", list, i ? ", " : "",
			view_name(rows[i].name), view_count(d, rows[i].calls));
	return list;
}

void io_phases(struct doc *d, const struct res_result *r)
{
	struct doc_table *t;

	if (!r->phases.len)
		return;
	doc_section(d, "Start-up and steady state");
	t = doc_table(d, "phases", phase_columns, LEN(phase_columns));
	for (size_t i = 0; i < r->phases.len; i++) {
		const struct res_phase *p = &r->phases.at[i];

		doc_cell_text(d, t, "%s", view_name(p->name));
		doc_cell(t, CELL_NS, p->wall_ns);
		doc_cell(t, CELL_COUNT, p->calls);
		doc_cell_real(t, CELL_MEAN,
			p->calls == U64_NONE || p->wall_ns == U64_NONE || !p->wall_ns
				? NAN
				: (double)p->calls * 1e9 / (double)p->wall_ns);
		doc_cell_text(d, t, "%s", most_called(d, p));
	}
	if (r->window)
		doc_note(d, "Everything else here is of the window; start-up, such as the loader's "
			    "openat and mmap, is only in this table.");
	else
		doc_note(d, "There was no window, so start-up, such as the loader's openat and "
			    "mmap, is counted with the rest.");
}

/* ---- mappings ---- */

static const struct doc_column mapping_columns[] = {
	{"cause", "cause", "", 1, 0},
	{"maps", "maps", "", 0, 0},
	{"mapped", "mapped", "", 0, 0},
	{"unmapped", "unmapped", "", 0, 0},
	{"who", "who makes these", "", 1, 0},
};

void io_mappings(struct doc *d, const struct res_result *r)
{
	const struct res_mappings *m = r->mappings;
	struct doc_table *t;

	doc_section(d, "Mappings by cause");
	if (!m) {
		doc_text(d, "Not measured: mmap, munmap, mremap and brk were not all traced.");
		return;
	}
	const struct {
		const char *cause, *who;
		const struct res_mapping_kind *kind;
	} rows[] = {
		{"anonymous", "malloc's large blocks and arenas, the program's own mmap",
			m->anonymous},
		{"file", "the loader's libraries, files read by mmap", m->file},
		{"stack", "stacks of new threads", m->stack},
		{"other", "the heap (brk), and what was mapped before tracing began", m->other},
	};
	t = doc_table(d, "mappings", mapping_columns, LEN(mapping_columns));
	for (size_t i = 0; i < LEN(rows); i++) {
		const struct res_mapping_kind *k = rows[i].kind;

		doc_cell_text(d, t, "%s", rows[i].cause);
		doc_cell(t, CELL_COUNT, k ? k->maps : U64_NONE);
		doc_cell(t, CELL_BYTES, k ? k->mapped : U64_NONE);
		doc_cell(t, CELL_BYTES, k ? k->unmapped : U64_NONE);
		doc_cell_text(d, t, "%s", rows[i].who);
	}
	if (m->peak_mapped != U64_NONE) {
		char buf[UNITS_BUF];

		doc_note(d, "Most that was mapped at one time by traced calls: %s%s.",
			units_bytes(buf, m->peak_mapped), view_added_up(r));
	}
}

/* ---- all calls ---- */

static const struct doc_column all_columns[] = {
	{"call", "call", "", 1, 0},
	{"calls", "calls", "times entered", 0, 0},
	{"ok", "ok", "", 0, 0},
	{"errors", "errors", "", 0, 0},
	{"interrupted", "interrupted", "", 0, 0},
	{"time", "time", "", 0, 0},
	{"mean", "mean", "", 0, 0},
	{"p50", "p50", "", 0, 0},
	{"p99", "p99", "", 0, 0},
	{"max", "max", "", 0, 0},
	{"bytes", "bytes moved", "", 0, 0},
};

void io_all_calls(struct doc *d, const struct res_result *r)
{
	const struct res_syscall **rows = view_by_time(d, r);
	struct doc_table *t;

	doc_section(d, "All calls");
	if (!r->syscalls.len)
		doc_text(d, "None was seen.");
	t = doc_table(d, "all", all_columns, LEN(all_columns));
	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = rows[i];
		const struct res_times *w = s->wall_ns;

		doc_cell_text(d, t, "%s", view_name(s->name));
		doc_cell(t, CELL_COUNT, s->calls);
		doc_cell(t, CELL_COUNT, s->ok);
		doc_cell(t, CELL_COUNT, s->errors);
		doc_cell(t, CELL_COUNT, s->interrupted);
		doc_cell(t, CELL_NS, w ? w->total : U64_NONE);
		doc_cell(t, CELL_NS, w ? w->mean : U64_NONE);
		doc_cell(t, CELL_NS, w ? w->p50 : U64_NONE);
		doc_cell(t, CELL_NS, w ? w->p99 : U64_NONE);
		doc_cell(t, CELL_NS, w ? w->max : U64_NONE);
		doc_cell(t, CELL_BYTES, s->bytes ? s->bytes->transferred : U64_NONE);
	}
}
