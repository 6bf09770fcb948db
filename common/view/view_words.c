/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/view/view_parts.h"

uint64_t view_zero(uint64_t v)
{
	return v == U64_NONE ? 0 : v;
}

const char *view_name(const char *s)
{
	return s ? s : "?";
}

const char *view_joined(struct arena *a, const struct res_strs *strs, const char *separator)
{
	const char *all = "";

	for (size_t i = 0; i < strs->len; i++)
		all = arena_printf(a, "%s%s%s", all, i ? separator : "", view_name(strs->at[i]));
	return all;
}

const char *view_count(struct doc *d, uint64_t v)
{
	char buf[UNITS_BUF];

	return v == U64_NONE ? "?" : arena_strdup(&d->arena, units_thousands(buf, v));
}

const char *view_time(struct doc *d, uint64_t ns)
{
	char buf[UNITS_BUF];

	return ns == U64_NONE ? "?" : arena_strdup(&d->arena, units_duration(buf, ns));
}

const char *view_share(struct doc *d, uint64_t part, uint64_t whole)
{
	char buf[DOC_PERCENT_BUF];

	if (part == U64_NONE || whole == U64_NONE || !whole)
		return "?";
	return arena_strdup(&d->arena, doc_percent(buf, (double)part / (double)whole));
}

const char *view_plural(struct doc *d, uint64_t n, const char *noun)
{
	size_t len = strlen(noun);
	char last = len ? noun[len - 1] : '\0';

	if (n == 1)
		return arena_printf(&d->arena, "1 %s", noun);
	if (last == 'y' && len > 1 && !strchr("aeiou", noun[len - 2]))
		return arena_printf(&d->arena, "%s %.*sies", view_count(d, n), (int)len - 1, noun);
	return arena_printf(&d->arena, "%s %s%s", view_count(d, n), noun, last == 's' ? "es" : "s");
}

int view_slowed(const struct res_result *r)
{
	const struct res_overhead *o = r->tracer ? r->tracer->overhead : NULL;

	return o && o->estimated_share > SLOWED_SHARE; /* not so if it is NAN */
}

const char *view_added_up(const struct res_result *r)
{
	return view_zero(r->processes) > 1 ? " (address space, all processes added up: what a "
					     "fork shares with its parent counts in both)"
					   : "";
}

uint64_t view_calls(const struct res_result *r)
{
	uint64_t calls = 0;

	for (size_t i = 0; i < r->syscalls.len; i++)
		calls = sat_add(calls, view_zero(r->syscalls.at[i].calls));
	return calls;
}

uint64_t view_total_ns(const struct res_syscall *s)
{
	return s->wall_ns ? view_zero(s->wall_ns->total) : 0;
}

int view_has_messages(const struct res_syscall *s)
{
	return s->batch && s->batch->unit && !strcmp(s->batch->unit, "messages");
}

static int compare_time(const void *a, const void *b)
{
	const struct res_syscall *x = *(const struct res_syscall *const *)a;
	const struct res_syscall *y = *(const struct res_syscall *const *)b;

	if (view_total_ns(x) != view_total_ns(y))
		return view_total_ns(x) < view_total_ns(y) ? 1 : -1;
	if (view_zero(x->calls) != view_zero(y->calls))
		return view_zero(x->calls) < view_zero(y->calls) ? 1 : -1;
	return strcmp(view_name(x->name), view_name(y->name));
}

const struct res_syscall **view_by_time(struct doc *d, const struct res_result *r)
{
	size_t n = r->syscalls.len;
	const struct res_syscall **rows = arena_alloc(&d->arena, n + 1, sizeof(*rows));

	for (size_t i = 0; i < n; i++)
		rows[i] = &r->syscalls.at[i];
	if (n)
		qsort(rows, n, sizeof(*rows), compare_time);
	return rows;
}

const struct res_syscall *view_called(const struct res_result *r, const char *name)
{
	const struct res_syscall *s = result_syscall(r, name);

	return s && view_zero(s->calls) ? s : NULL;
}

int view_gathers(const struct res_gathering *g, const char *call)
{
	const char *change = view_name(g->change);
	size_t len = strlen(call);

	return strncmp(change, call, len) == 0 && change[len] == ' ';
}

const struct res_fd *view_gathered_fd(const struct res_result *r, const struct res_gathering *g)
{
	for (size_t i = 0; i < r->fds.len; i++) {
		const struct res_fd *fd = &r->fds.at[i];

		if (fd->fd == g->fd && fd->pid == g->pid && fd->generation == g->generation)
			return fd;
	}
	return NULL;
}

int view_traced(const struct res_result *r, const char *name)
{
	if (view_called(r, name))
		return 1;
	if (r->tracer && r->tracer->traced_paths.len)
		return 0; /* of those about other paths nothing is known */
	for (size_t i = 0; r->tracer && i < r->tracer->traced_set.len; i++) {
		const char *traced = view_name(r->tracer->traced_set.at[i]);

		if (!strcmp(traced, name) || !strcmp(traced, "all"))
			return 1;
	}
	return 0;
}

uint64_t view_counter(const struct res_counts *c, const char *key)
{
	for (size_t i = 0; i < c->len; i++) {
		if (c->at[i].key && !strcmp(c->at[i].key, key))
			return view_zero(c->at[i].count);
	}
	return 0;
}

int view_waits(const struct res_syscall *s)
{
	static const char *const names[] = {"nanosleep", "clock_nanosleep", "futex", "futex_wait",
		"futex_waitv", "wait4", "waitid", "pause", "rt_sigsuspend", "rt_sigtimedwait"};

	if (s->class && !strcmp(s->class, "wait"))
		return 1;
	for (size_t i = 0; i < LEN(names); i++) {
		if (!strcmp(view_name(s->name), names[i]))
			return 1;
	}
	return 0;
}

static enum batch_way batch_way(const struct res_syscall *s)
{
	const char *unit = view_name(s->batch->unit), *name = view_name(s->name);

	if (!strncmp(name, "poll", 4) || !strncmp(name, "ppoll", 5) || strstr(name, "select"))
		return BATCH_WATCHES;
	if (!strcmp(unit, "events") || (!strcmp(unit, "messages") && !strncmp(name, "recv", 4)))
		return BATCH_TAKES;
	return BATCH_GIVES;
}

/* What the calls that moved something asked for: others, as waits that a signal or a time limit
 * ended, may have asked for more and say nothing. Left as it is where the pairs are not there or
 * not all there, or nothing was moved. */
static void narrow_range(struct batch_facts *f)
{
	const struct res_counts *pairs = &f->batch->asked_to_transferred;
	uint64_t least = 0, most = 0;

	if (view_zero(f->batch->histogram_overflow))
		return;
	for (size_t i = 0; i < pairs->len; i++) {
		const char *key = view_name(pairs->at[i].key), *arrow = strstr(key, "->");
		uint64_t asked = strtoull(key, NULL, 10);

		if (!asked || !view_zero(pairs->at[i].count) || !arrow || !strcmp(arrow, "->0"))
			continue;
		if (!most || asked < least)
			least = asked;
		if (asked > most)
			most = asked;
	}
	if (most) {
		f->least = least;
		f->most = most;
	}
}

/* Neither in all nor by size. */
static int is_timeless(const struct res_syscall *s)
{
	for (size_t i = 0; i < s->batch->by_transferred.len; i++)
		if (s->batch->by_transferred.at[i].total_ns != U64_NONE)
			return 0;
	return !s->wall_ns;
}

struct batch_facts view_batch_facts(const struct res_syscall *s)
{
	struct batch_facts f = {
		.call = s, .batch = s->batch, .way = batch_way(s), .timeless = is_timeless(s)};
	const struct res_counts *asked = &s->batch->asked_histogram;
	uint64_t ok = view_zero(s->ok), of_none;

	for (size_t i = 0; i < asked->len; i++) {
		uint64_t n = strtoull(view_name(asked->at[i].key), NULL, 10);

		if (!n)
			continue;
		if (!f.most || n < f.least)
			f.least = n;
		if (n > f.most)
			f.most = n;
	}
	of_none = view_counter(&s->batch->asked_to_transferred, "0->0");
	f.judged = ok > of_none ? ok - of_none : 0;
	narrow_range(&f);
	return f;
}

int view_more_calls(const void *a, const void *b)
{
	const struct res_syscall *x = *(const struct res_syscall *const *)a;
	const struct res_syscall *y = *(const struct res_syscall *const *)b;

	if (view_zero(x->calls) != view_zero(y->calls))
		return view_zero(x->calls) < view_zero(y->calls) ? 1 : -1;
	return strcmp(view_name(x->name), view_name(y->name));
}

uint64_t view_left_out(const struct res_syscall *s, const struct res_counts *c, uint64_t calls)
{
	uint64_t most = view_zero(s->batch->histogram_overflow), kept = 0;

	for (size_t i = 0; i < c->len; i++)
		kept = sat_add(kept, view_zero(c->at[i].count));
	calls = view_zero(calls) > kept ? view_zero(calls) - kept : 0;
	return calls < most ? calls : most;
}

const char *view_tree_moment(struct doc *d, const struct res_memory *m)
{
	const struct res_memory_tree *t = m->peak_tree;
	char held[UNITS_BUF];

	if (!t || !t->moment || strcmp(t->moment, "other") != 0)
		return "the peak";
	units_bytes(held, view_zero(t->total_bytes));
	if (t->snapshot == U64_NONE)
		return arena_printf(&d->arena, "the program's end (%s), not of the peak", held);
	return arena_printf(&d->arena, "snapshot %llu (%s), not of the peak",
		(unsigned long long)t->snapshot, held);
}
