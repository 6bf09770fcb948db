/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/live/interval.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/units.h"

/* ---- from snapshots ---- */

static const struct counted *of_phase(const struct snapshot *s, enum book_phase phase)
{
	return s ? &s->phases[phase].counted : NULL;
}

int interval_has(const struct snapshot *before, const struct snapshot *now, enum book_phase phase)
{
	const struct counted *was = of_phase(before, phase);

	return phase == now->phase || snapshot_length_ns(before, now, phase) ||
	       now->phases[phase].counted.calls != (was ? was->calls : 0);
}

static void fill_call(
	struct res_interval *i, const struct counted_row *row, struct res_interval_call *to)
{
	const struct figures *f = &row->f;

	to->name = arena_strdup(result_arena(i), row->def->name);
	to->calls = f->calls;
	to->errors = f->errors;
	to->wall_ns = f->wall_ns;
	to->bytes = f->bytes;
	to->batch_calls = f->batch_calls;
	to->batch_asked = f->batch_asked;
	to->batch_transferred = f->batch_moved;
}

static int by_time_then_name(const void *a, const void *b)
{
	const struct res_interval_call *x = a, *y = b;

	if (x->wall_ns != y->wall_ns)
		return x->wall_ns < y->wall_ns ? 1 : -1;
	if (x->wall_ns == U64_NONE && x->calls != y->calls)
		return x->calls < y->calls ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* The rows with a call, most time first; where there is none, most calls. */
static struct res_interval_call *calls_of(
	struct res_interval *i, const struct counted_row *rows, size_t n, size_t *ret_len)
{
	struct res_interval_call *to;
	size_t len = 0;

	for (size_t k = 0; k < n; k++)
		len += rows[k].f.calls != 0;
	to = result_alloc(i, len, &shape_interval_call);
	*ret_len = 0;
	for (size_t k = 0; k < n; k++)
		if (rows[k].f.calls)
			fill_call(i, &rows[k], &to[(*ret_len)++]);
	if (len)
		qsort(to, len, sizeof(*to), by_time_then_name);
	return to;
}

/* The next owner from *at on that made a call; NULL: none. */
static const struct counted_owner *next_busy(const struct counted_owners *owners, size_t *at)
{
	while (*at < owners->len) {
		const struct counted_owner *o = &owners->at[(*at)++];

		for (size_t k = 0; k < o->len; k++)
			if (owners->rows.at[o->first + k].f.calls)
				return o;
	}
	return NULL;
}

static size_t count_busy(const struct counted_owners *owners)
{
	size_t n = 0;

	for (size_t at = 0; next_busy(owners, &at);)
		n++;
	return n;
}

static void fill_threads(struct res_interval *i, const struct counted_owners *threads)
{
	const struct counted_owner *o;
	struct res_interval_thread *to;

	RES_LIST(i, &i->threads, count_busy(threads), interval_thread);
	to = i->threads.at;
	for (size_t at = 0; (o = next_busy(threads, &at)); to++) {
		to->pid = o->pid;
		to->tid = o->number;
		to->comm = arena_strdup(result_arena(i), o->name);
		to->syscalls.at =
			calls_of(i, threads->rows.at + o->first, o->len, &to->syscalls.len);
	}
}

static void fill_fds(struct res_interval *i, const struct counted_owners *fds)
{
	const struct counted_owner *o;
	struct res_interval_fd *to;

	RES_LIST(i, &i->fds, count_busy(fds), interval_fd);
	to = i->fds.at;
	for (size_t at = 0; (o = next_busy(fds, &at)); to++) {
		to->pid = o->pid;
		to->fd = o->number;
		to->generation = o->generation;
		to->target = arena_strdup(result_arena(i), o->name);
		to->syscalls.at = calls_of(i, fds->rows.at + o->first, o->len, &to->syscalls.len);
	}
}

struct res_interval *interval_build(
	const struct snapshot *before, const struct snapshot *now, enum book_phase phase)
{
	const struct counted *total = of_phase(now, phase);
	struct res_interval *i = result_make(&schema_interval);
	struct counted since;

	counted_since(of_phase(before, phase), total, &since);
	i->t_ns = now->at_ns;
	i->interval_ns = snapshot_length_ns(before, now, phase);
	i->phase = arena_strdup(result_arena(i), now->phases[phase].name);
	i->last = now->last;
	i->calls = since.calls;
	i->syscalls.at =
		calls_of(i, since.calls_by_name.at, since.calls_by_name.len, &i->syscalls.len);
	fill_threads(i, &since.threads);
	fill_fds(i, &since.fds);
	i->total = RES_OBJ(i, interval_total);
	i->total->calls = total->calls;
	i->total->syscalls.at = calls_of(
		i, total->calls_by_name.at, total->calls_by_name.len, &i->total->syscalls.len);
	i->lost = now->lost;
	i->complete = snapshot_is_complete(now, phase);
	counted_release(&since);
	return i;
}

/* ---- for people ---- */

uint64_t interval_rate(uint64_t count, uint64_t ns)
{
	return ns ? (uint64_t)((double)count * (double)NS_PER_SEC / (double)ns + 0.5) : 0;
}

static int by_calls_then_name(const void *a, const void *b)
{
	const struct res_interval_call *x = *(struct res_interval_call *const *)a,
				       *y = *(struct res_interval_call *const *)b;

	if (x->calls != y->calls)
		return x->calls < y->calls ? 1 : -1;
	return strcmp(x->name, y->name);
}

/* "sendmmsg 1,200 (7.9/32.0)": calls a second; of a batch what a call moved, and asked. */
static void put_call(char *text, size_t size, const struct res_interval_call *c, uint64_t ns)
{
	char rate[UNITS_BUF];
	int n = snprintf(
		text, size, "%s %s", c->name, units_thousands(rate, interval_rate(c->calls, ns)));

	if (c->batch_calls == U64_NONE || c->batch_asked == U64_NONE || !c->batch_calls)
		return;
	snprintf(text + n, size - (size_t)n, " (%.1f/%.1f)",
		(double)c->batch_transferred / (double)c->batch_calls,
		(double)c->batch_asked / (double)c->batch_calls);
}

/* As many as there is room for, the busiest first. */
static void put_busiest(struct out *o, const struct res_interval *i, size_t room)
{
	const struct res_interval_call **sorted = mem_calloc(i->syscalls.len + 1, sizeof(*sorted));

	for (size_t k = 0; k < i->syscalls.len; k++)
		sorted[k] = &i->syscalls.at[k];
	qsort(sorted, i->syscalls.len, sizeof(*sorted), by_calls_then_name);
	for (size_t k = 0; k < i->syscalls.len; k++) {
		char text[96];

		put_call(text, sizeof(text), sorted[k], i->interval_ns);
		if (strlen(text) + 2 > room)
			break;
		out_printf(o, "  %s", text);
		room -= strlen(text) + 2;
	}
	free(sorted);
}

static uint64_t errors_of(const struct res_interval *i)
{
	uint64_t errors = 0;

	for (size_t k = 0; k < i->syscalls.len; k++)
		errors += i->syscalls.at[k].errors;
	return errors;
}

/* "   12.00   1,234,567        12  start-up": the first columns. */
static size_t put_columns(
	struct out *o, const char *time, const char *calls, const char *errors, const char *phase)
{
	uint64_t before = o->total_bytes;

	out_printf(o, "%8s  %10s  %8s", time, calls, errors);
	if (phase)
		out_printf(o, "  %-8s", phase);
	return (size_t)(o->total_bytes - before);
}

void interval_print_header(struct out *o, int windows)
{
	put_columns(o, "time", "calls/s", "errors/s", windows ? "phase" : NULL);
	out_str(o, "  calls/s of the busiest (got/asked a call)\n");
}

void interval_print(struct out *o, const struct res_interval *i, int windows)
{
	char time[32], calls[UNITS_BUF], errors[UNITS_BUF];
	size_t used;

	snprintf(time, sizeof(time), "%.2f", (double)i->t_ns / (double)NS_PER_SEC);
	used = put_columns(o, time, units_thousands(calls, interval_rate(i->calls, i->interval_ns)),
		units_thousands(errors, interval_rate(errors_of(i), i->interval_ns)),
		windows ? i->phase : NULL);
	put_busiest(o, i, used < INTERVAL_COLUMNS ? INTERVAL_COLUMNS - used : 0);
	out_char(o, '\n');
}
