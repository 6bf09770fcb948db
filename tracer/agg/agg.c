/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/agg.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/out.h"
#include "tracer/agg/asks.h"
#include "tracer/agg/call.h"
#include "tracer/agg/gather.h"
#include "tracer/agg/parts.h"
#include "tracer/agg/reads.h"
#include "tracer/agg/tally.h"

struct agg {
	struct tally **tallies; /* by def->index; NULL: not seen */
	size_t tallies_len;     /* slots */
	size_t seen;            /* of them not NULL */
	uint64_t calls;
	struct parts threads, fds;
	struct gather *gather;
	struct reads *reads;
	struct asks *asks;
};

struct agg *agg_new(void)
{
	struct agg *a = mem_calloc(1, sizeof(*a));

	a->gather = gather_new();
	a->reads = mem_calloc(1, sizeof(*a->reads));
	a->asks = mem_calloc(1, sizeof(*a->asks));
	return a;
}

void agg_free(struct agg *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->tallies_len; i++)
		tally_free(a->tallies[i]);
	free(a->tallies);
	parts_release(&a->threads);
	parts_release(&a->fds);
	gather_free(a->gather);
	free(a->reads);
	free(a->asks);
	free(a);
}

static struct tally *tally_make(struct agg *a, const struct sys_def *def)
{
	size_t len = a->tallies_len;

	if (def->index >= len) {
		a->tallies_len = def->index + 64;
		a->tallies = mem_realloc(a->tallies, a->tallies_len, sizeof(struct tally *));
		memset(a->tallies + len, 0, (a->tallies_len - len) * sizeof(struct tally *));
	}
	a->seen++;
	a->tallies[def->index] = tally_new(def);
	return a->tallies[def->index];
}

void agg_add(struct agg *a, const struct sys_event *ev)
{
	const struct sys_def *def = ev->def;
	struct call c = call_of(ev);
	struct tally *t = def->index < a->tallies_len ? a->tallies[def->index] : NULL;
	uint64_t saved;
	int reads = reads_add(a->reads, ev, &saved);

	if (!t)
		t = tally_make(a, def);
	a->calls++;
	tally_add(t, &c);
	t->empty_again += (uint64_t)asks_add(a->asks, ev);
	part_add(parts_get(&a->threads, &t->thread_hit, ev->thread_id, def), &c);
	if (ev->fd_id) {
		struct part *part = parts_get(&a->fds, &t->fd_hit, ev->fd_id, def);

		part_add(part, &c);
		part->reads |= (uint8_t)reads;
		part->larger_reads += saved;
	}
	gather_add(a->gather, ev);
}

void agg_limited(struct agg *a, const struct caused *c)
{
	struct tally *t = c->def->index < a->tallies_len ? a->tallies[c->def->index] : NULL;

	if (!t)
		return;
	t->batch.limited_by[c->cause] += (uint64_t)c->n;
	part_limited(&a->threads, parts_get(&a->threads, &t->thread_hit, c->thread_id, c->def), c);
	if (c->fd_id)
		part_limited(&a->fds, parts_get(&a->fds, &t->fd_hit, c->fd_id, c->def), c);
}

uint64_t agg_calls(const struct agg *a)
{
	return a->calls;
}

const char *agg_busiest(const struct agg *a, uint64_t *ret_calls, uint64_t *ret_messages)
{
	const struct tally *best = NULL;

	for (size_t i = 0; i < a->tallies_len; i++) {
		const struct tally *t = a->tallies[i];

		if (t && t->def->unit == BATCH_MESSAGES &&
			(!best || t->batch.moved_sum > best->batch.moved_sum))
			best = t;
	}
	if (!best)
		return NULL;
	*ret_calls = best->batch.moved_calls;
	*ret_messages = best->batch.moved_sum;
	return best->def->name;
}

/* ---- result: the order of rows never depends on the order of events ---- */

static int by_time_then_name(uint64_t a_ns, const char *a, uint64_t b_ns, const char *b)
{
	if (a_ns != b_ns)
		return a_ns < b_ns ? 1 : -1;
	return strcmp(a, b);
}

static int tally_cmp(const void *a, const void *b)
{
	const struct tally *x = *(struct tally *const *)a, *y = *(struct tally *const *)b;

	return by_time_then_name(x->latency.sum, x->def->name, y->latency.sum, y->def->name);
}

static int part_cmp(const void *a, const void *b)
{
	const struct res_part *x = a, *y = b;

	return by_time_then_name(x->wall_ns, x->name, y->wall_ns, y->name);
}

static int u64_cmp(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int thread_cmp(const void *a, const void *b)
{
	const struct res_thread *x = a, *y = b;
	int by_pid = u64_cmp(x->pid, y->pid);

	return by_pid ? by_pid : u64_cmp(x->tid, y->tid);
}

static int fd_cmp(const void *a, const void *b)
{
	const struct res_fd *x = a, *y = b;
	int by_pid = u64_cmp(x->pid, y->pid), by_fd = u64_cmp(x->fd, y->fd);

	if (by_pid)
		return by_pid;
	return by_fd ? by_fd : u64_cmp(x->generation, y->generation);
}

/* The tallies seen, most time first; released with free(). */
static struct tally **sorted_tallies(const struct agg *a)
{
	struct tally **sorted = mem_calloc(a->seen + 1, sizeof(struct tally *));
	size_t n = 0;

	for (size_t i = 0; i < a->tallies_len; i++)
		if (a->tallies[i])
			sorted[n++] = a->tallies[i];
	qsort(sorted, n, sizeof(struct tally *), tally_cmp);
	return sorted;
}

/* What is null in the row of the call is null in its parts. */
static void part_result(
	const struct agg *a, const struct part *part, struct res_part *to, struct res_result *r)
{
	const struct tally *t = a->tallies[part->def->index];

	to->name = arena_strdup(result_arena(r), part->def->name);
	to->calls = part->calls;
	to->errors = part->errors;
	to->wall_ns = part->wall_ns;
	if (tally_knows_moved_bytes(t))
		to->bytes = part->bytes;
	if (tally_knows_asked_units(t))
		to->batch_asked = part->batch_asked;
	if (tally_knows_moved_units(t))
		to->batch_transferred = part->batch_moved;
	if (part->reads)
		to->larger_reads = part->larger_reads;
	if (part->limited_by)
		limited_result(part->limited_by, &to->limited_by, r);
}

static struct res_part *owner_result(
	const struct agg *a, const struct parts_owner *owner, struct res_result *r)
{
	struct res_part *rows = result_alloc(r, owner->len, &shape_part), *next = rows;

	for (const struct part *p = owner->first; p; p = p->next)
		part_result(a, p, next++, r);
	qsort(rows, owner->len, sizeof(*rows), part_cmp);
	return rows;
}

/* Row i of the owners, the merged one last; NULL past the end. */
static const struct parts_owner *owner_at(const struct parts *p, size_t i)
{
	if (i < p->list.len)
		return p->list.at[i];
	return i == p->list.len ? p->merged : NULL;
}

static size_t owners(const struct parts *p)
{
	return p->list.len + (p->merged != NULL);
}

static void threads_result(const struct agg *a, const struct agg_names *names, struct res_result *r)
{
	const struct parts_owner *owner;
	const char *comm;

	RES_LIST(r, &r->threads, owners(&a->threads), thread);
	for (size_t i = 0; (owner = owner_at(&a->threads, i)); i++) {
		struct res_thread *to = &r->threads.at[i];

		to->syscalls.at = owner_result(a, owner, r);
		to->syscalls.len = owner->len;
		comm = NULL;
		if (owner != a->threads.merged &&
			names->thread(names->ctx, owner->id, &to->pid, &to->tid, &comm) == 0)
			to->comm = arena_strdup(result_arena(r), comm);
	}
	qsort(r->threads.at, r->threads.len, sizeof(*r->threads.at), thread_cmp);
	if (a->threads.merged)
		result_warn(r, "threads_merged",
			"more than %d threads were traced: the later ones share one row of the "
			"threads table, without ids",
			AGG_ROWS_MAX);
}

/* A process that reads more at once would take it from the next one. */
static void no_larger_reads(struct res_fd *fd)
{
	for (size_t i = 0; i < fd->syscalls.len; i++) {
		struct res_part *p = &fd->syscalls.at[i];

		if (p->larger_reads != U64_NONE && !sys_by_name(p->name)->offset)
			p->larger_reads = 0;
	}
}

static void fds_result(const struct agg *a, const struct agg_names *names, struct res_result *r)
{
	const struct parts_owner *owner;
	struct agg_fd fd;

	RES_LIST(r, &r->fds, owners(&a->fds), fd);
	for (size_t i = 0; (owner = owner_at(&a->fds, i)); i++) {
		struct res_fd *to = &r->fds.at[i];

		to->syscalls.at = owner_result(a, owner, r);
		to->syscalls.len = owner->len;
		if (owner == a->fds.merged || names->fd(names->ctx, owner->id, &fd) < 0)
			continue;
		to->pid = fd.pid;
		to->fd = fd.fd;
		to->generation = fd.generation;
		to->target = arena_strdup(result_arena(r), fd.target);
		to->type = arena_strdup(result_arena(r), fd.type);
		if (fd.shared)
			no_larger_reads(to);
	}
	qsort(r->fds.at, r->fds.len, sizeof(*r->fds.at), fd_cmp);
	if (a->fds.merged)
		result_warn(r, "fds_merged",
			"more than %d descriptors were used: the later ones share one row of the "
			"fds table, without numbers",
			AGG_ROWS_MAX);
}

static void list_call(struct out *o, const struct tally *t, uint64_t count)
{
	if (count == 0)
		return;
	out_str(o, o->len ? ", " : "");
	out_printf(o, "%s %llu", t->def->name, (unsigned long long)count);
}

/* One warning each, with all the calls that it is about. */
static void warn_of_gaps(const struct agg *a, struct tally *const *sorted, struct res_result *r)
{
	struct out unreadable, left_out;

	out_init_mem(&unreadable);
	out_init_mem(&left_out);
	for (size_t i = 0; i < a->seen; i++) {
		list_call(&unreadable, sorted[i], sorted[i]->unreadable);
		list_call(&left_out, sorted[i], sorted[i]->batch.left_out);
	}
	if (unreadable.len) {
		r->complete = 0;
		result_warn(r, "memory_unreadable",
			"the target's memory could not be read in some calls (%s): their bytes and "
			"batches are missing",
			out_text(&unreadable));
	}
	if (left_out.len)
		result_warn(r, "histogram_overflow",
			"more than %d different batch sizes, or pairs of sizes asked and moved: "
			"some calls (%s) are in the sums but not in all the histograms",
			COUNTS_CAP, out_text(&left_out));
	out_release(&unreadable);
	out_release(&left_out);
}

void agg_result(const struct agg *a, const struct agg_names *names, struct res_result *r)
{
	cleanup_free struct tally **sorted = sorted_tallies(a);

	RES_LIST(r, &r->syscalls, a->seen, syscall);
	for (size_t i = 0; i < a->seen; i++)
		tally_result(sorted[i], &r->syscalls.at[i], r);
	threads_result(a, names, r);
	fds_result(a, names, r);
	gather_result(a->gather, names, r);
	warn_of_gaps(a, sorted, r);
}

void agg_phase(const struct agg *a, struct res_result *r, struct res_phase *phase)
{
	cleanup_free struct tally **sorted = sorted_tallies(a);
	const struct res_phase_call *old = phase->syscalls.at;
	size_t old_len = phase->syscalls.len;

	RES_LIST(r, &phase->syscalls, old_len + a->seen, phase_call);
	for (size_t i = 0; i < old_len; i++)
		phase->syscalls.at[i] = old[i];
	for (size_t i = 0; i < a->seen; i++)
		phase->syscalls.at[old_len + i] = (struct res_phase_call){
			.name = arena_strdup(result_arena(r), sorted[i]->def->name),
			.calls = tally_calls(sorted[i]),
			.errors = sorted[i]->fates[CALL_ERROR],
			.wall_ns = sorted[i]->latency.sum};
	phase->calls = (phase->calls == U64_NONE ? 0 : phase->calls) + a->calls;
}

/* ---- what was counted so far ---- */

static uint64_t if_known(int known, uint64_t v)
{
	return known ? v : NOT_MEASURED;
}

static struct counted_row tally_so_far(const struct tally *t)
{
	int is_batch = tally_knows_moved_units(t);

	return (struct counted_row){t->def,
		{.calls = tally_calls(t),
			.errors = t->fates[CALL_ERROR],
			.wall_ns = t->latency.sum,
			.bytes = if_known(tally_knows_moved_bytes(t), t->bytes_moved.sum),
			.batch_calls = if_known(is_batch, t->batch.moved_calls),
			.batch_asked = if_known(tally_knows_asked_units(t), t->batch.asked_sum),
			.batch_moved = if_known(is_batch, t->batch.moved_sum)}};
}

static struct counted_row part_so_far(const struct agg *a, const struct part *p)
{
	const struct tally *t = a->tallies[p->def->index];
	int is_batch = tally_knows_moved_units(t);

	return (struct counted_row){
		p->def, {.calls = p->calls,
				.errors = p->errors,
				.wall_ns = p->wall_ns,
				.bytes = if_known(tally_knows_moved_bytes(t), p->bytes),
				.batch_calls = if_known(is_batch, p->batch_calls),
				.batch_asked = if_known(tally_knows_asked_units(t), p->batch_asked),
				.batch_moved = if_known(is_batch, p->batch_moved)}};
}

/* The last part is the one that was seen first. */
static void owner_rows(const struct agg *a, const struct parts_owner *owner,
	struct counted_rows *rows, struct counted_owner *to)
{
	size_t i = owner->len;

	to->first = rows->len;
	to->len = owner->len;
	mem_vec_grow((void **)&rows->at, &rows->cap, rows->len + owner->len, sizeof(*rows->at));
	for (const struct part *p = owner->first; p; p = p->next)
		rows->at[rows->len + --i] = part_so_far(a, p);
	rows->len += owner->len;
}

/* With the names still to come. */
static void owners_so_far(const struct agg *a, const struct parts *parts, struct counted_owners *to)
{
	const struct parts_owner *owner;

	for (size_t i = 0; (owner = owner_at(parts, i)); i++) {
		struct counted_owner *o = VEC_PUSH(to);

		*o = (struct counted_owner){.pid = UINT64_MAX,
			.number = UINT64_MAX,
			.generation = UINT64_MAX,
			.merged = owner == parts->merged};
		owner_rows(a, owner, &to->rows, o);
	}
}

void agg_counted(const struct agg *a, const struct agg_names *names, struct counted *ret)
{
	const char *name;
	struct agg_fd fd;

	*ret = (struct counted){.calls = a->calls};
	for (size_t i = 0; i < a->tallies_len; i++)
		if (a->tallies[i]) {
			*VEC_PUSH(&ret->calls_by_name) = tally_so_far(a->tallies[i]);
			ret->unreadable |= a->tallies[i]->unreadable != 0;
		}
	owners_so_far(a, &a->threads, &ret->threads);
	owners_so_far(a, &a->fds, &ret->fds);
	for (size_t i = 0; i < a->threads.list.len; i++) {
		struct counted_owner *o = &ret->threads.at[i];

		if (names->thread(
			    names->ctx, a->threads.list.at[i]->id, &o->pid, &o->number, &name) == 0)
			o->name = arena_strdup(&ret->names, name);
	}
	for (size_t i = 0; i < a->fds.list.len; i++) {
		struct counted_owner *o = &ret->fds.at[i];

		if (names->fd(names->ctx, a->fds.list.at[i]->id, &fd) < 0)
			continue;
		o->pid = fd.pid;
		o->number = fd.fd;
		o->generation = fd.generation;
		o->name = arena_strdup(&ret->names, fd.target);
	}
}
