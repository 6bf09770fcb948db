/* SPDX-License-Identifier: GPL-3.0-only */
/* The plain tables of the summary: latency, errors, datagrams, mappings, phases. */
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/view/view_parts.h"

#define LATENCY_MAX 12
#define ERRORS_MAX  15
#define PHASES_MAX  16
#define PHASE_CALLS 4

/* ---- latency ---- */

static const struct doc_column latency_columns[] = {
	{"call", "", "system call", 1, 0},
	{"calls", "calls", "that returned", 0, 0},
	{"p50", "p50", "half of them took at most this long", 0, 0},
	{"p90", "p90", "nine of ten took at most this long", 0, 0},
	{"p99", "p99", "- below 100 calls", 0, 0},
	{"p999", "p99.9", "- below 1,000 calls", 0, 0},
	{"max", "max", "the longest", 0, 0},
};

static uint64_t returned(const struct res_syscall *s)
{
	uint64_t calls = view_zero(s->calls), lost = view_zero(s->no_return);

	return calls > lost ? calls - lost : 0;
}

static void latency_row(struct doc *d, struct doc_table *t, const struct res_syscall *s)
{
	const struct res_times *w = s->wall_ns;
	uint64_t n = returned(s);

	doc_cell_text(d, t, "%s", view_name(s->name));
	doc_cell(t, CELL_COUNT, n);
	doc_cell(t, CELL_US, w->p50);
	doc_cell(t, CELL_US, n < 10 ? U64_NONE : w->p90);
	doc_cell(t, CELL_US, n < 100 ? U64_NONE : w->p99);
	doc_cell(t, CELL_US, n < 1000 ? U64_NONE : w->p999);
	doc_cell(t, CELL_US, w->max);
}

/* What tracing adds to the times, where it is known. */
static void latency_cost(struct doc *d, const struct res_tracer *t)
{
	const struct res_overhead *o = t ? t->overhead : NULL;
	uint64_t stopped;

	if (!o)
		return;
	stopped = sat_add(view_zero(t->calls_redirected), view_zero(t->calls_stopped));
	if (stopped && o->per_stop_ns != U64_NONE)
		doc_note(d,
			"times include tracing: about %s for each stop of a call that was stopped.",
			view_time(d, o->per_stop_ns));
	if (view_zero(t->calls_recorded_in_process) && o->per_record_ns != U64_NONE)
		doc_note(d, "times include tracing: about %s for a call recorded in process.",
			view_time(d, o->per_record_ns));
}

void view_latency(struct doc *d, const struct res_result *r)
{
	const struct res_syscall **rows = view_by_time(d, r);
	struct doc_table *t = NULL;
	size_t shown = 0, left_out = 0;

	if (!result_has_times(r) && view_calls(r)) {
		doc_section(d, "LATENCY");
		doc_text(d, "not measured: " VIEW_NO_TIMES);
		return;
	}
	/* Calls of messages first, whatever their time. */
	for (int messages = 1; messages >= 0; messages--) {
		for (size_t i = 0; i < r->syscalls.len; i++) {
			const struct res_syscall *s = rows[i];

			if (!s->wall_ns || !returned(s) || view_has_messages(s) != messages)
				continue;
			if (shown == LATENCY_MAX) {
				left_out++;
				continue;
			}
			if (!t) {
				doc_section(d, "LATENCY us (wall)");
				t = doc_table(d, "latency", latency_columns, LEN(latency_columns));
			}
			latency_row(d, t, s);
			shown++;
		}
	}
	if (left_out)
		doc_note(d, "and %s that took less time in all; the JSON has all of them.",
			view_plural(d, left_out, "other row"));
	if (t)
		latency_cost(d, r->tracer);
}

/* ---- errors ---- */

static const struct doc_column error_columns[] = {
	{"call", "", "system call", 1, 0},
	{"errno", "errno", "error by name", 1, 0},
	{"count", "count", "calls that failed so", 0, 0},
	{"rate", "of calls", "share of all calls of that name", 0, 0},
	{"meaning", "which means", "in words", 1, 0},
};

struct error_row {
	const struct res_syscall *call;
	const char *name;
	uint64_t count;
};

static const char *errno_in_words(const char *name)
{
	static const struct {
		const char *name, *words;
	} known[] = {
		{"EAGAIN", "not now, try again"},
		{"EINTR", "interrupted by a signal"},
		{"ENOENT", "not there"},
		{"EEXIST", "is there already"},
		{"EACCES", "permission denied"},
		{"EPERM", "not permitted"},
		{"EBADF", "not an open fd, or not for that"},
		{"EINVAL", "invalid argument"},
		{"ENOTTY", "no such control"},
		{"ENOTDIR", "not a directory"},
		{"EISDIR", "is a directory"},
		{"ESPIPE", "cannot seek (pipe or socket)"},
		{"EPIPE", "nobody reads the other end"},
		{"ECONNREFUSED", "nobody listens there"},
		{"ECONNRESET", "closed by the other end"},
		{"EINPROGRESS", "under way (non-blocking connect)"},
		{"ENOTCONN", "not connected"},
		{"EMSGSIZE", "message too long"},
		{"ENOBUFS", "no buffer space"},
		{"ENOMEM", "no memory, or a range that is not mapped"},
		{"ENOSYS", "call not in this kernel, or blocked by a filter"},
		{"ETIMEDOUT", "timed out"},
		{"ECHILD", "no child to wait for"},
		{"EFAULT", "bad address"},
		{"EMFILE", "too many open fds"},
		{"ENOSPC", "no space left"},
	};

	for (size_t i = 0; i < LEN(known); i++) {
		if (!strcmp(known[i].name, name))
			return known[i].words;
	}
	return "";
}

static int compare_errors(const void *a, const void *b)
{
	const struct error_row *x = a, *y = b;
	int by_name = strcmp(view_name(x->call->name), view_name(y->call->name));

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return by_name ? by_name : strcmp(x->name, y->name);
}

/* One row a call and errno, most first; in d's arena. */
static struct error_row *error_rows(struct doc *d, const struct res_result *r, size_t *ret_len)
{
	struct error_row *rows;
	size_t n = 0, to = 0;

	for (size_t i = 0; i < r->syscalls.len; i++)
		n += r->syscalls.at[i].errnos.len;
	rows = arena_alloc(&d->arena, n + 1, sizeof(*rows));
	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];

		for (size_t e = 0; e < s->errnos.len; e++)
			rows[to++] = (struct error_row){s, view_name(s->errnos.at[e].key),
				view_zero(s->errnos.at[e].count)};
	}
	if (n)
		qsort(rows, n, sizeof(*rows), compare_errors);
	*ret_len = n;
	return rows;
}

static void interrupted_note(struct doc *d, const struct res_result *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->syscalls.len; i++)
		n = sat_add(n, view_zero(r->syscalls.at[i].interrupted));
	if (n)
		doc_note(d, "%s interrupted by signals or stops: counted as calls, not as errors.",
			n == 1 ? "1 call was"
			       : arena_printf(&d->arena, "%s calls were", view_count(d, n)));
}

void view_errors(struct doc *d, const struct res_result *r)
{
	size_t n, shown;
	struct error_row *rows = error_rows(d, r, &n);
	uint64_t left_out = 0;
	struct doc_table *t;

	if (!view_calls(r))
		return;
	doc_section(d, "ERRORS");
	if (!n) {
		doc_text(d, "none");
		interrupted_note(d, r);
		return;
	}
	t = doc_table(d, "errors", error_columns, LEN(error_columns));
	shown = n > ERRORS_MAX ? ERRORS_MAX : n;
	for (size_t i = 0; i < n; i++) {
		if (i >= shown) {
			left_out = sat_add(left_out, rows[i].count);
			continue;
		}
		doc_cell_text(d, t, "%s", view_name(rows[i].call->name));
		doc_cell_text(d, t, "%s", rows[i].name);
		doc_cell(t, CELL_COUNT, rows[i].count);
		doc_cell_real(t, CELL_RATIO,
			view_zero(rows[i].call->calls)
				? (double)rows[i].count / (double)rows[i].call->calls
				: NAN);
		doc_cell_text(d, t, "%s", errno_in_words(rows[i].name));
	}
	if (n > shown)
		doc_note(d, "and %s in %s; the JSON has all of them.",
			view_plural(d, left_out, "error"), view_plural(d, n - shown, "more row"));
	interrupted_note(d, r);
}

/* ---- memory and datagrams ---- */

static const struct doc_column mapping_columns[] = {
	{"kind", "", "what was mapped", 1, 0},
	{"maps", "maps", "regions mapped", 0, 0},
	{"mapped", "mapped", "bytes mapped", 0, 0},
	{"unmapped", "unmapped", "bytes given back", 0, 0},
};

static void mapping_row(
	struct doc *d, struct doc_table *t, const char *kind, const struct res_mapping_kind *k)
{
	if (!k || (!view_zero(k->maps) && !view_zero(k->mapped) && !view_zero(k->unmapped)))
		return;
	doc_cell_text(d, t, "%s", kind);
	doc_cell(t, CELL_COUNT, k->maps);
	doc_cell(t, CELL_BYTES, k->mapped);
	doc_cell(t, CELL_BYTES, k->unmapped);
}

/* "none", and how many mmap calls lie outside the window, where one would look next. */
static void no_mappings(struct doc *d, const struct res_result *r)
{
	const char *outside = "";

	for (size_t i = 0; r->window && i < r->phases.len; i++) {
		const struct res_phase *p = &r->phases.at[i];

		for (size_t k = 0; k < p->syscalls.len; k++) {
			if (!strcmp(view_name(p->syscalls.at[k].name), "mmap"))
				outside = arena_printf(&d->arena, "%s%s%s: %s mmap", outside,
					*outside ? ", " : "", view_name(p->name),
					view_count(d, p->syscalls.at[k].calls));
		}
	}
	doc_text(d, "none were made or given back%s%s%s%s", r->window ? " in the window" : "",
		*outside ? " (" : "", outside, *outside ? ")" : "");
}

static void mappings(struct doc *d, const struct res_result *r)
{
	const struct res_mappings *m = r->mappings;
	char buf[UNITS_BUF];
	struct doc_table *t;

	if (!m)
		return;
	doc_section(d, "MAPPINGS");
	t = doc_table(d, "mappings", mapping_columns, 4);
	mapping_row(d, t, "anonymous (memory)", m->anonymous);
	mapping_row(d, t, "of files (programs, libraries, data)", m->file);
	mapping_row(d, t, "stacks of threads", m->stack);
	mapping_row(d, t, "heap (brk) and what was there before", m->other);
	if (!t->cells.len) {
		d->blocks.len--; /* the table: no rows */
		no_mappings(d, r);
	}
	if (m->peak_mapped != U64_NONE)
		doc_note(d, "at most %s mapped at one time by traced calls%s.",
			units_bytes(buf, m->peak_mapped), view_added_up(r));
}

static const struct doc_column datagram_columns[] = {
	{"call", "", "system call", 1, 0},
	{"calls", "calls", "times entered", 0, 0},
	{"messages", "messages", "moved; - where the call moves one", 0, 0},
	{"asked", "datagrams asked", "after segmentation", 0, 0},
	{"transferred", "moved", "GSO segments sent, GRO segments received", 0, 0},
	{"per_call", "per call", "datagrams moved by a call that succeeded", 0, 0},
};

static void datagrams(struct doc *d, const struct res_result *r)
{
	struct doc_table *t = NULL;

	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];
		const struct res_datagrams *g = s->datagrams;
		uint64_t ok = view_zero(s->ok);

		if (!g)
			continue;
		if (!t) {
			doc_section(d, "GSO/GRO");
			t = doc_table(d, "datagrams", datagram_columns, LEN(datagram_columns));
		}
		doc_cell_text(d, t, "%s", view_name(s->name));
		doc_cell(t, CELL_COUNT, s->calls);
		doc_cell(t, CELL_COUNT, view_has_messages(s) ? s->batch->transferred : U64_NONE);
		doc_cell(t, CELL_COUNT, g->asked);
		doc_cell(t, CELL_COUNT, g->transferred);
		doc_cell_real(t, CELL_MEAN,
			ok && g->transferred != U64_NONE ? (double)g->transferred / (double)ok
							 : NAN);
	}
	if (t)
		doc_note(d, "one message can carry several datagrams here: the kernel cuts it up "
			    "on sending (GSO), and joins them on receiving (GRO).");
}

void view_memory(struct doc *d, const struct res_result *r)
{
	datagrams(d, r);
	mappings(d, r);
}

/* ---- phases ---- */

static const struct doc_column phase_columns[] = {
	{"phase", "", "start-up, window, shutdown, or a mark", 1, 0},
	{"length", "length", "wall time", 0, 0},
	{"calls", "calls", "entered in it", 0, 0},
	{"most", "most of them", "its most frequent calls", 1, 0},
};

static int compare_phase_calls(const void *a, const void *b)
{
	const struct res_phase_call *x = *(const struct res_phase_call *const *)a;
	const struct res_phase_call *y = *(const struct res_phase_call *const *)b;

	if (view_zero(x->calls) != view_zero(y->calls))
		return view_zero(x->calls) < view_zero(y->calls) ? 1 : -1;
	return strcmp(view_name(x->name), view_name(y->name));
}

/* "143 mmap, 98 openat and 12 more" */
static const char *most_of(struct doc *d, const struct res_phase *p)
{
	size_t n = p->syscalls.len, shown = n > PHASE_CALLS ? PHASE_CALLS : n;
	const struct res_phase_call **calls = arena_alloc(&d->arena, n + 1, sizeof(*calls));
	const char *text = "";

	for (size_t i = 0; i < n; i++)
		calls[i] = &p->syscalls.at[i];
	qsort(calls, n, sizeof(*calls), compare_phase_calls);
	for (size_t i = 0; i < shown; i++)
		text = arena_printf(&d->arena, "%s%s%s %s", text, i ? ", " : "",
			view_count(d, calls[i]->calls), view_name(calls[i]->name));
	if (n > shown)
		text = arena_printf(&d->arena, "%s and %zu more", text, n - shown);
	return text;
}

void view_phases(struct doc *d, const struct res_result *r)
{
	size_t n = r->phases.len, shown = n > PHASES_MAX ? PHASES_MAX : n;
	uint64_t left_out = 0;
	struct doc_table *t;

	if (n < 2)
		return; /* the run is its only phase */
	doc_section(d, "PHASES");
	t = doc_table(d, "phases", phase_columns, 4);
	for (size_t i = 0; i < n; i++) {
		const struct res_phase *p = &r->phases.at[i];

		if (i >= shown) {
			left_out = sat_add(left_out, view_zero(p->calls));
			continue;
		}
		doc_cell_text(d, t, "%s", view_name(p->name));
		doc_cell(t, CELL_NS, p->wall_ns);
		doc_cell(t, CELL_COUNT, p->calls);
		doc_cell_text(d, t, "%s", most_of(d, p));
	}
	if (n > shown)
		doc_note(d, "and %s with %s; the JSON has all of them.",
			view_plural(d, n - shown, "more phase"), view_plural(d, left_out, "call"));
}
