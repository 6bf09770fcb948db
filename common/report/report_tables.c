/* SPDX-License-Identifier: GPL-3.0-only */
/* The long tables of a traced run: by call, fd, thread and error, and the environment. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/report/report_page.h"
#include "common/view/view_parts.h"

#define ROWS_MAX  300
#define ERRNO_MAX 134

const char *report_plural(struct arena *a, uint64_t n, const char *noun)
{
	char buf[UNITS_BUF];

	return arena_printf(a, "%s %s%s", n == U64_NONE ? "?" : units_thousands(buf, n), noun,
		n == 1 ? "" : "s");
}

/* ---- by call ---- */

static const struct doc_column syscall_columns[] = {
	{"call", "call", "system call", 1, 0},
	{"class", "class", "kind of call", 1, 0},
	{"calls", "calls", "times entered", 0, 0},
	{"errors", "errors", "calls that failed", 0, 0},
	{"interrupted", "interrupted", "by signals or stops; not errors", 0, 0},
	{"time", "time", "from entry to return, summed; of threads side by side too", 0, 0},
	{"share", "of all time", "its share of the time in all calls", 0, 0},
	{"mean", "mean us", "microseconds a call", 0, 0},
	{"p50", "p50 us", "half of them took at most this long", 0, 0},
	{"p90", "p90 us", "nine of ten took at most this long; - below 10 calls", 0, 0},
	{"p99", "p99 us", "- below 100 calls", 0, 0},
	{"max", "max us", "the longest", 0, 0},
	{"bytes_asked", "bytes asked", "sum of the lengths asked; - where that is not read", 0, 0},
	{"bytes", "bytes moved", "sum of what was moved", 0, 0},
	{"messages", "units moved", "messages, iovecs, events or submissions", 0, 0},
	{"per_call", "per call", "units moved by a call that succeeded", 0, 0},
};

static void time_cells(struct doc_table *t, const struct res_syscall *s, uint64_t all_ns)
{
	const struct res_times *w = s->wall_ns;
	uint64_t calls = view_zero(s->calls);

	doc_cell(t, CELL_NS, w ? w->total : U64_NONE);
	doc_cell_real(t, CELL_RATIO,
		w && w->total != U64_NONE && all_ns ? (double)w->total / (double)all_ns : NAN);
	doc_cell(t, CELL_US, w ? w->mean : U64_NONE);
	doc_cell(t, CELL_US, w ? w->p50 : U64_NONE);
	doc_cell(t, CELL_US, w && calls >= 10 ? w->p90 : U64_NONE);
	doc_cell(t, CELL_US, w && calls >= 100 ? w->p99 : U64_NONE);
	doc_cell(t, CELL_US, w ? w->max : U64_NONE);
}

static void syscall_row(
	struct doc *d, struct doc_table *t, const struct res_syscall *s, uint64_t all_ns)
{
	doc_cell_text(d, t, "%s", view_name(s->name));
	doc_cell_text(d, t, "%s", view_name(s->class));
	doc_cell(t, CELL_COUNT, s->calls);
	doc_cell(t, CELL_COUNT, s->errors);
	doc_cell(t, CELL_COUNT, s->interrupted);
	time_cells(t, s, all_ns);
	doc_cell(t, CELL_BYTES, s->bytes ? s->bytes->asked : U64_NONE);
	doc_cell(t, CELL_BYTES, s->bytes ? s->bytes->transferred : U64_NONE);
	doc_cell(t, CELL_COUNT, s->batch ? s->batch->transferred : U64_NONE);
	doc_cell_real(
		t, CELL_MEAN, s->batch && s->batch->per_call ? s->batch->per_call->mean : NAN);
}

void report_syscalls_table(struct doc *d, const struct res_result *r)
{
	size_t n = r->syscalls.len, shown = n > ROWS_MAX ? ROWS_MAX : n;
	const struct res_syscall **rows = view_by_time(d, r);
	uint64_t all_ns = 0;
	struct doc_table *t;

	for (size_t i = 0; i < n; i++)
		all_ns = sat_add(all_ns, view_total_ns(rows[i]));
	if (!n) {
		doc_text(d, "No call was seen.");
		return;
	}
	t = doc_table(d, "syscalls", syscall_columns, LEN(syscall_columns));
	for (size_t i = 0; i < shown; i++)
		syscall_row(d, t, rows[i], all_ns);
	if (n > shown)
		doc_note(d, "%s %s are left out; the JSON has all of them.",
			report_plural(&d->arena, n - shown, "call"),
			result_has_times(r) ? "that took less time" : "with fewer calls");
}

/* ---- by fd and thread: a row for each and call ---- */

#define PART_COLUMNS                                                                               \
	{"call", "call", "system call", 1, 0}, {"calls", "calls", "times entered", 0, 0},          \
		{"errors", "errors", "calls that failed", 0, 0},                                   \
		{"time", "time", "from entry to return, summed", 0, 0},                            \
		{"bytes", "bytes moved", "sum of what was moved", 0, 0},                           \
		{"asked", "units asked", "messages, iovecs, .. of calls that succeeded", 0, 0},    \
		{"moved", "units moved", "messages, iovecs, .. of calls that succeeded", 0, 0},    \
	{                                                                                          \
		"per_call", "per call", "units moved by a call that did not fail", 0, 0            \
	}

static const struct doc_column fd_columns[] = {
	{"pid", "process", "a process that uses this fd", 0, 0},
	{"fd", "fd", "its number", 0, 0},
	{"generation", "reused", "how many files with calls the number had before", 0, 0},
	{"target", "what it is", "at the first traced call on it", 1, 0},
	PART_COLUMNS,
};

static const struct doc_column thread_columns[] = {
	{"pid", "process", "process, as the tracer sees it", 0, 0},
	{"tid", "thread", "thread, as the tracer sees it", 0, 0},
	{"comm", "name", "its name when last seen", 1, 0},
	PART_COLUMNS,
};

/* A call on an fd or in a thread. */
struct part_row {
	const struct res_part *part;
	const void *place;
	size_t order;
};

struct part_rows {
	struct part_row *at;
	size_t len, shown;
};

static int compare_parts(const void *a, const void *b)
{
	const struct part_row *x = a, *y = b;

	if (view_zero(x->part->calls) != view_zero(y->part->calls))
		return view_zero(x->part->calls) < view_zero(y->part->calls) ? 1 : -1;
	return (x->order > y->order) - (x->order < y->order);
}

static void add_parts(
	struct part_rows *rows, const void *place, const struct res_part *at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		rows->at[rows->len] = (struct part_row){&at[i], place, rows->len};
		rows->len++;
	}
}

static void sort_parts(struct part_rows *rows)
{
	qsort(rows->at, rows->len, sizeof(*rows->at), compare_parts);
	rows->shown = rows->len > ROWS_MAX ? ROWS_MAX : rows->len;
}

static void part_cells(struct doc *d, struct doc_table *t, const struct res_part *p)
{
	uint64_t calls = view_zero(p->calls), errors = view_zero(p->errors);

	doc_cell_text(d, t, "%s", view_name(p->name));
	doc_cell(t, CELL_COUNT, p->calls);
	doc_cell(t, CELL_COUNT, p->errors);
	doc_cell(t, CELL_NS, p->wall_ns);
	doc_cell(t, CELL_BYTES, p->bytes);
	doc_cell(t, CELL_COUNT, p->batch_asked);
	doc_cell(t, CELL_COUNT, p->batch_transferred);
	doc_cell_real(t, CELL_MEAN,
		p->batch_transferred != U64_NONE && calls > errors
			? (double)p->batch_transferred / (double)(calls - errors)
			: NAN);
}

static void left_out_note(struct doc *d, const struct part_rows *rows)
{
	uint64_t calls = 0;

	for (size_t i = rows->shown; i < rows->len; i++)
		calls = sat_add(calls, view_zero(rows->at[i].part->calls));
	if (rows->shown < rows->len)
		doc_note(d,
			"The %zu rows with the most calls of %s are here; the others have %s. The "
			"JSON has all of them.",
			rows->shown, report_plural(&d->arena, rows->len, "row"),
			report_plural(&d->arena, calls, "call"));
}

/* Numbers that are names: no thousands, but sorted as numbers. */
static void id_cell(struct doc *d, struct doc_table *t, uint64_t id)
{
	if (id == U64_NONE)
		doc_cell(t, CELL_COUNT, id);
	else
		doc_cell_text(d, t, "%llu", (unsigned long long)id);
}

void report_fds_table(struct doc *d, const struct res_result *r)
{
	struct part_rows rows = {0};
	struct doc_table *t;
	size_t n = 0;

	for (size_t i = 0; i < r->fds.len; i++)
		n += r->fds.at[i].syscalls.len;
	rows.at = arena_alloc(&d->arena, n + 1, sizeof(*rows.at));
	for (size_t i = 0; i < r->fds.len; i++)
		add_parts(
			&rows, &r->fds.at[i], r->fds.at[i].syscalls.at, r->fds.at[i].syscalls.len);
	sort_parts(&rows);
	if (!rows.len) {
		doc_text(d, "No call on an fd was seen.");
		return;
	}
	t = doc_table(d, "fds", fd_columns, LEN(fd_columns));
	for (size_t i = 0; i < rows.shown; i++) {
		const struct res_fd *fd = rows.at[i].place;

		id_cell(d, t, fd->pid);
		id_cell(d, t, fd->fd);
		doc_cell(t, CELL_COUNT, fd->generation);
		doc_cell_text(d, t, "%s",
			fd->fd == U64_NONE ? "other fds, counted together"
			: fd->target       ? fd->target
					   : "(not known)");
		part_cells(d, t, rows.at[i].part);
	}
	left_out_note(d, &rows);
}

void report_threads_table(struct doc *d, const struct res_result *r)
{
	struct part_rows rows = {0};
	struct doc_table *t;
	size_t n = 0;

	for (size_t i = 0; i < r->threads.len; i++)
		n += r->threads.at[i].syscalls.len;
	rows.at = arena_alloc(&d->arena, n + 1, sizeof(*rows.at));
	for (size_t i = 0; i < r->threads.len; i++)
		add_parts(&rows, &r->threads.at[i], r->threads.at[i].syscalls.at,
			r->threads.at[i].syscalls.len);
	sort_parts(&rows);
	if (!rows.len) {
		doc_text(d, "No thread made a call.");
		return;
	}
	t = doc_table(d, "threads", thread_columns, LEN(thread_columns));
	for (size_t i = 0; i < rows.shown; i++) {
		const struct res_thread *thread = rows.at[i].place;

		id_cell(d, t, thread->pid);
		id_cell(d, t, thread->tid);
		doc_cell_text(d, t, "%s",
			thread->tid == U64_NONE ? "other threads, counted together"
						: view_name(thread->comm));
		part_cells(d, t, rows.at[i].part);
	}
	left_out_note(d, &rows);
}

/* ---- errors ---- */

static const struct doc_column error_columns[] = {
	{"call", "call", "system call", 1, 0},
	{"errno", "errno", "error by name", 1, 0},
	{"count", "count", "calls that failed so", 0, 0},
	{"rate", "of calls", "share of all calls of that name", 0, 0},
	{"meaning", "which means", "what the C library says of it", 1, 0},
};

struct error_row {
	const struct res_syscall *call;
	const struct res_count *error;
};

static int compare_errors(const void *a, const void *b)
{
	const struct error_row *x = a, *y = b;
	int by_name = strcmp(view_name(x->call->name), view_name(y->call->name));

	if (view_zero(x->error->count) != view_zero(y->error->count))
		return view_zero(x->error->count) < view_zero(y->error->count) ? 1 : -1;
	return by_name ? by_name : strcmp(view_name(x->error->key), view_name(y->error->key));
}

static const char *errno_in_words(const char *name)
{
	for (int i = 1; i < ERRNO_MAX; i++) {
		const char *known = strerrorname_np(i);

		if (known && !strcmp(known, name))
			return strerrordesc_np(i);
	}
	return "";
}

void report_errors_table(struct doc *d, const struct res_result *r)
{
	struct error_row *rows;
	size_t n = 0, shown;
	struct doc_table *t;

	for (size_t i = 0; i < r->syscalls.len; i++)
		n += r->syscalls.at[i].errnos.len;
	rows = arena_alloc(&d->arena, n + 1, sizeof(*rows));
	n = 0;
	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];

		for (size_t e = 0; e < s->errnos.len; e++)
			rows[n++] = (struct error_row){s, &s->errnos.at[e]};
	}
	qsort(rows, n, sizeof(*rows), compare_errors);
	if (!n) {
		doc_text(d, "No call failed.");
		return;
	}
	shown = n > ROWS_MAX ? ROWS_MAX : n;
	t = doc_table(d, "errors", error_columns, LEN(error_columns));
	for (size_t i = 0; i < shown; i++) {
		uint64_t calls = view_zero(rows[i].call->calls), count = rows[i].error->count;

		doc_cell_text(d, t, "%s", view_name(rows[i].call->name));
		doc_cell_text(d, t, "%s", view_name(rows[i].error->key));
		doc_cell(t, CELL_COUNT, count);
		doc_cell_real(t, CELL_RATIO,
			calls && count != U64_NONE ? (double)count / (double)calls : NAN);
		doc_cell_text(d, t, "%s", errno_in_words(view_name(rows[i].error->key)));
	}
	if (n > shown)
		doc_note(d, "%s with fewer calls are left out; the JSON has all of them.",
			report_plural(&d->arena, n - shown, "row"));
}

/* ---- environment ---- */

static void env_pair(struct doc *d, const char *key, const char *value)
{
	if (value)
		doc_pair(d, key, "%s", value);
}

void report_environment(struct doc *d, const struct res_environment *e)
{
	char buf[UNITS_BUF];

	if (!e)
		return;
	env_pair(d, "kernel", e->kernel);
	env_pair(d, "machine", e->machine);
	env_pair(d, "CPU", e->cpu);
	if (e->cores != U64_NONE)
		doc_pair(d, "cores", "%s", units_thousands(buf, e->cores));
	if (e->memory_bytes != U64_NONE)
		doc_pair(d, "memory", "%s", units_bytes(buf, e->memory_bytes));
	env_pair(d, "governor", e->governor);
	env_pair(d, "clock", e->clocksource);
	env_pair(d, "virtual", e->virtualization);
	env_pair(d, "system", e->os);
	env_pair(d, "C library", e->libc);
	env_pair(d, "directory", e->cwd);
	env_pair(d, "program", e->target_path);
	env_pair(d, "SHA-256", e->target_sha256);
	env_pair(d, "build id", e->target_build_id);
	if (e->git_commit)
		doc_pair(d, "commit", "%s%s", e->git_commit,
			e->git_dirty == 1 ? " with uncommitted changes" : "");
}
