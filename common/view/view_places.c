/* SPDX-License-Identifier: GPL-3.0-only */
/* BY FD and BY THREAD: where the calls were made. The busiest first; what is left out is counted.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/view/view_parts.h"

#define PLACES_MAX 6 /* fds, threads */
#define PARTS_MAX  4 /* calls of one of them */

static const struct doc_column place_columns[] = {
	{"place", "", "the fd or thread, and the calls on or in it", 1, 0},
	{"calls", "calls", "times entered", 0, 0},
	{"errors", "errors", "calls that failed", 0, 0},
	{"time", "time", "from entry to return, summed", 0, 0},
	{"bytes", "bytes", "moved", 0, 0},
	{"moved", "moved", "units moved by calls that batch", 0, 0},
	{"unit", "", "what the units are", 1, 0},
	{"per_call", "per call", "units per call that did not fail", 0, 0},
};

struct place {
	const char *title;
	const struct res_part *parts;
	size_t len;
	uint64_t calls;
	size_t order; /* in the result: what decides between equals */
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->calls != y->calls)
		return x->calls < y->calls ? 1 : -1;
	return (x->order > y->order) - (x->order < y->order);
}

static int compare_parts(const void *a, const void *b)
{
	const struct res_part *x = *(const struct res_part *const *)a;
	const struct res_part *y = *(const struct res_part *const *)b;

	if (view_zero(x->calls) != view_zero(y->calls))
		return view_zero(x->calls) < view_zero(y->calls) ? 1 : -1;
	return strcmp(view_name(x->name), view_name(y->name));
}

static void part_row(
	struct doc *d, const struct res_result *r, struct doc_table *t, const struct res_part *p)
{
	const struct res_syscall *s = p->name ? result_syscall(r, p->name) : NULL;
	int batches = p->batch_transferred != U64_NONE && s && s->batch;
	uint64_t calls = view_zero(p->calls), errors = view_zero(p->errors);
	double mean = batches && calls > errors
			      ? (double)p->batch_transferred / (double)(calls - errors)
			      : NAN;

	doc_cell_text(d, t, "  %s", view_name(p->name));
	doc_cell(t, CELL_COUNT, p->calls);
	doc_cell(t, CELL_COUNT, p->errors);
	doc_cell(t, CELL_NS, p->wall_ns);
	doc_cell(t, CELL_COUNT, p->bytes);
	doc_cell(t, CELL_COUNT, batches ? p->batch_transferred : U64_NONE);
	doc_cell_text(d, t, "%s", batches ? view_name(s->batch->unit) : "");
	doc_cell_real(t, CELL_MEAN, mean);
}

/* The calls that did not get a row, as one. */
static void rest_row(struct doc *d, struct doc_table *t, const struct res_part **parts, size_t n)
{
	uint64_t calls = 0, errors = 0, wall_ns = U64_NONE, bytes = U64_NONE;

	for (size_t i = 0; i < n; i++) {
		calls = sat_add(calls, view_zero(parts[i]->calls));
		errors = sat_add(errors, view_zero(parts[i]->errors));
		if (parts[i]->wall_ns != U64_NONE)
			wall_ns = sat_add(view_zero(wall_ns), parts[i]->wall_ns);
		if (parts[i]->bytes != U64_NONE)
			bytes = sat_add(view_zero(bytes), parts[i]->bytes);
	}
	doc_cell_text(d, t, "  and %zu others", n);
	doc_cell(t, CELL_COUNT, calls);
	doc_cell(t, CELL_COUNT, errors);
	doc_cell(t, CELL_NS, wall_ns);
	doc_cell(t, CELL_COUNT, bytes);
	doc_cell(t, CELL_COUNT, U64_NONE);
	doc_cell_text(d, t, "%s", "");
	doc_cell(t, CELL_COUNT, U64_NONE);
}

static void place_rows(
	struct doc *d, const struct res_result *r, struct doc_table *t, const struct place *p)
{
	const struct res_part **parts = arena_alloc(&d->arena, p->len + 1, sizeof(*parts));
	size_t shown = p->len > PARTS_MAX + 1 ? PARTS_MAX : p->len;

	for (size_t i = 0; i < p->len; i++)
		parts[i] = &p->parts[i];
	qsort(parts, p->len, sizeof(*parts), compare_parts);

	doc_cell_text(d, t, "%s", p->title);
	for (size_t i = 1; i < LEN(place_columns); i++)
		doc_cell_text(d, t, "%s", "");
	for (size_t i = 0; i < shown; i++)
		part_row(d, r, t, parts[i]);
	if (shown < p->len)
		rest_row(d, t, parts + shown, p->len - shown);
}

/* All the places; those without calls have no row. */
static void places_table(
	struct doc *d, const struct res_result *r, struct place *places, size_t n, const char *noun)
{
	const char *section = !strcmp(noun, "fd") ? "BY FD" : "BY THREAD";
	struct doc_table *t;
	uint64_t left_out = 0;
	size_t shown;

	qsort(places, n, sizeof(*places), compare_places);
	while (n && !places[n - 1].calls)
		n--;
	if (!n)
		return;
	doc_section(d, section);
	t = doc_table(
		d, !strcmp(noun, "fd") ? "fds" : "threads", place_columns, LEN(place_columns));
	shown = n > PLACES_MAX ? PLACES_MAX : n;
	for (size_t i = 0; i < shown; i++)
		place_rows(d, r, t, &places[i]);
	for (size_t i = shown; i < n; i++)
		left_out = sat_add(left_out, places[i].calls);
	if (shown < n)
		doc_note(d, "and %s with %s; the JSON has all of them.",
			n - shown == 1
				? "1 more row"
				: arena_printf(&d->arena, "%s more rows", view_count(d, n - shown)),
			view_plural(d, left_out, "call"));
}

static uint64_t parts_calls(const struct res_part *parts, size_t n)
{
	uint64_t calls = 0;

	for (size_t i = 0; i < n; i++)
		calls = sat_add(calls, view_zero(parts[i].calls));
	return calls;
}

static const char *fd_title(struct doc *d, const struct res_result *r, const struct res_fd *fd)
{
	const char *target = fd->target ? fd->target : "(target not known)";
	const char *use = "", *process = "";

	if (fd->fd == U64_NONE)
		return "other fds, counted together";
	if (view_zero(fd->generation))
		use = arena_printf(&d->arena, " (number reused, %s before)",
			view_plural(d, fd->generation, "time"));
	if (view_zero(r->processes) > 1 && fd->pid != U64_NONE)
		process = arena_printf(&d->arena, " of process %llu", (unsigned long long)fd->pid);
	return arena_printf(
		&d->arena, "%llu %s%s%s", (unsigned long long)fd->fd, target, process, use);
}

static const char *thread_title(
	struct doc *d, const struct res_result *r, const struct res_thread *thread)
{
	const char *process = "";

	if (thread->tid == U64_NONE)
		return "other threads, counted together";
	if (view_zero(r->processes) > 1 && thread->pid != U64_NONE && thread->pid != thread->tid)
		process = arena_printf(
			&d->arena, " of process %llu", (unsigned long long)thread->pid);
	return arena_printf(&d->arena, "%llu %s%s", (unsigned long long)thread->tid,
		view_name(thread->comm), process);
}

/* The title of fds that are of one kind. */
static const char *group_title(struct doc *d, const struct res_result *r, const struct fd_group *g)
{
	const char *processes = "";

	if (g->len == 1)
		return fd_title(d, r, g->first);
	if (g->processes > 1)
		processes =
			arena_printf(&d->arena, " of %s processes", view_count(d, g->processes));
	return arena_printf(&d->arena, "%s (%s fds%s)", g->key, view_count(d, g->len), processes);
}

static void by_fd(struct doc *d, const struct res_result *r)
{
	struct fd_groups groups = view_fd_groups(&d->arena, r);
	struct place *places = arena_alloc(&d->arena, groups.len, sizeof(*places));

	for (size_t i = 0; i < groups.len; i++) {
		const struct fd_group *g = &groups.at[i];

		places[i] = (struct place){group_title(d, r, g), g->parts, g->parts_len,
			parts_calls(g->parts, g->parts_len), i};
	}
	places_table(d, r, places, groups.len, "fd");
}

static void by_thread(struct doc *d, const struct res_result *r)
{
	struct place *places = arena_alloc(&d->arena, r->threads.len, sizeof(*places));

	for (size_t i = 0; i < r->threads.len; i++) {
		const struct res_thread *t = &r->threads.at[i];

		places[i] = (struct place){thread_title(d, r, t), t->syscalls.at, t->syscalls.len,
			parts_calls(t->syscalls.at, t->syscalls.len), i};
	}
	places_table(d, r, places, r->threads.len, "thread");
}

void view_places(struct doc *d, const struct res_result *r)
{
	if (r->fds.len)
		by_fd(d, r);
	if (r->threads.len == 1 && r->threads.at[0].tid != U64_NONE) {
		doc_section(d, "BY THREAD");
		doc_text(d, "all calls were made by one thread: %s",
			thread_title(d, r, &r->threads.at[0]));
	} else if (r->threads.len) {
		by_thread(d, r);
	}
}
