/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/analyze/targets.h"

#include <stdlib.h>
#include <string.h>

#include "common/analyze/errors.h"
#include "common/base/clock.h"
#include "common/base/units.h"

#define OFTEN_EMPTY 0.1 /* of a call's calls */

struct finder {
	struct doc *d;
	const struct analyze_scenario *s;
	const struct ease_table *ease;
	double window_ns;
	struct {
		struct target *at;
		size_t len, cap;
	} found;
	struct {
		const char **at;
		size_t len, cap;
	} without;
};

unsigned int target_impact(double share)
{
	double steps = share / TARGET_STEP;

	return steps >= 9 ? 10 : steps > 0 ? 1 + (unsigned int)steps : 1;
}

unsigned int target_frequency(double calls_per_s)
{
	double f = calls_per_s > 1 ? 1 + 2 * log10(calls_per_s) : 1;

	return f >= 10 ? 10 : (unsigned int)(f + 0.5);
}

static void say(struct finder *f, const char *sentence)
{
	*VEC_PUSH(&f->without) = sentence;
}

/* Fills in the numbers; what is too small is no target, which is said. */
static void add(struct finder *f, struct target t)
{
	char share[DOC_PERCENT_BUF], least[DOC_PERCENT_BUF];

	t.share = t.saved_ns / f->window_ns;
	if (!(t.share >= TARGET_SHARE_MIN)) {
		say(f, arena_printf(&f->d->arena,
			       "%s, %s: it would save about %s of the window, less than %s.",
			       t.call, ease_name(t.kind), doc_percent(share, t.share),
			       doc_percent(least, TARGET_SHARE_MIN)));
		return;
	}
	t.impact = target_impact(t.share);
	t.frequency = target_frequency((double)t.calls * 1e9 / f->window_ns);
	t.ease = f->ease->of[t.kind];
	t.priority = t.impact * t.frequency * t.ease / 10.0;
	*VEC_PUSH(&f->found) = t;
}

static const char *row(struct finder *f, const char *call, const char *field)
{
	return arena_printf(
		&f->d->arena, "%s: syscalls[%s].%s", view_name(f->s->io_file), call, field);
}

/* ---- a larger limit ---- */

static void gain_of_limit(struct finder *f, const struct batching *b)
{
	struct cost_gain g = cost_gain(&b->cost, 2 * b->cost.mean_units);
	const char *call = view_name(b->facts.call->name), *text;
	char share[DOC_PERCENT_BUF], low[DOC_PERCENT_BUF], high[DOC_PERCENT_BUF];

	doc_percent(low, g.share_low > 0 ? g.share_low : 0);
	text = arena_printf(&f->d->arena, "%s of its time at twice the batch (95%%: %s to %s)",
		doc_percent(share, g.share), low, doc_percent(high, g.share_high));
	if (g.share_high < COST_GAIN_MIN) {
		say(f, arena_printf(
			       &f->d->arena, "%s, batch-limit: no gain, at most %s.", call, text));
		return;
	}
	if (g.share_low <= 0) {
		say(f, arena_printf(&f->d->arena,
			       "%s, batch-limit: cannot tell; the interval reaches no gain.",
			       call));
		return;
	}
	add(f, (struct target){.kind = TARGET_BATCH_LIMIT,
		       .call = call,
		       .why = arena_printf(
			       &f->d->arena, "%s; the cost model predicts %s", b->words, text),
		       .evidence = row(f, call, "batch.by_transferred"),
		       .check = arena_printf(
			       &f->d->arena, "%s.per_call up, %s.calls down", call, call),
		       .calls = b->cost.calls,
		       .saved_ns = g.share * b->cost.mean_ns * (double)b->cost.calls});
}

static void find_limit(struct finder *f, const struct batching *b)
{
	const char *call = view_name(b->facts.call->name);

	if (b->verdict != BATCHING_LIMIT && b->verdict != BATCHING_MADE)
		return;
	if (b->no_model)
		say(f, arena_printf(&f->d->arena, "%s, batch-limit: no prediction, because %s.",
			       call, b->no_model));
	else
		gain_of_limit(f, b);
}

/* ---- calls that should not be there ---- */

static void find_buffer(struct finder *f, const struct batching *b)
{
	const struct res_syscall *s = b->facts.call;
	uint64_t refused = view_counter(&s->errnos, "EAGAIN");
	uint64_t extra = sat_add(view_zero(b->facts.batch->partial), refused);

	if (b->verdict != BATCHING_BUFFER || extra < TARGET_CALLS_MIN || !s->wall_ns)
		return;
	if (view_counter(&s->errnos, "ENOBUFS") > refused) {
		say(f, arena_printf(&f->d->arena,
			       "%s, socket-buffer: ENOBUFS is of a queue behind the socket's "
			       "buffer, as the device's.",
			       view_name(s->name)));
		return;
	}
	add(f, (struct target){.kind = TARGET_SOCKET_BUFFER,
		       .call = view_name(s->name),
		       .why = arena_printf(&f->d->arena,
			       "%s; each such call takes another, at the call's median time",
			       b->words),
		       .evidence = row(f, view_name(s->name), "batch.partial, errno"),
		       .check = arena_printf(
			       &f->d->arena, "%s.calls and its errors down", view_name(s->name)),
		       .calls = extra,
		       .saved_ns = (double)extra * (double)view_zero(s->wall_ns->p50)});
}

static void find_empty(struct finder *f, const struct res_syscall *s)
{
	static const char *const names[] = {"recvmmsg", "recvmsg", "recvfrom", "read", "readv"};
	uint64_t empty = s->batch && s->batch->empty != U64_NONE
				 ? s->batch->empty
				 : view_counter(&s->errnos, "EAGAIN");
	int receives = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		receives |= !strcmp(view_name(s->name), names[i]);
	if (!receives || empty < TARGET_CALLS_MIN || !s->wall_ns || s->wall_ns->min == U64_NONE ||
		(double)empty < OFTEN_EMPTY * (double)view_zero(s->calls))
		return;
	add(f, (struct target){.kind = TARGET_EMPTY_CALLS,
		       .call = s->name,
		       .why = arena_printf(&f->d->arena,
			       "%s of %s calls brought nothing; at least the "
			       "call's shortest time "
			       "each",
			       view_count(f->d, empty), view_count(f->d, s->calls)),
		       .evidence = row(f, s->name, "batch.empty, errno"),
		       .check = arena_printf(&f->d->arena, "%s.calls and its errors down", s->name),
		       .calls = empty,
		       .saved_ns = (double)empty * (double)s->wall_ns->min});
}

static void find_lookups(struct finder *f)
{
	size_t n;
	struct error_row *errors = errors_list(&f->d->arena, f->s->io, &n);

	for (size_t i = 0; i < n; i++) {
		const struct error_row *e = &errors[i];
		const char *call = view_name(e->call->name);

		if (strcmp(e->errno_name, "ENOENT") != 0 || e->verdict != ERROR_CHECK ||
			!e->call->wall_ns)
			continue;
		add(f, (struct target){.kind = TARGET_FAILED_LOOKUP,
			       .call = call,
			       .why = arena_printf(&f->d->arena,
				       "%s of %s calls found nothing (ENOENT), at the call's "
				       "median "
				       "time each",
				       view_count(f->d, e->count),
				       view_count(f->d, e->call->calls)),
			       .evidence = row(f, call, "errno.ENOENT"),
			       .check = arena_printf(&f->d->arena, "%s.errors down", call),
			       .calls = e->count,
			       .saved_ns = (double)e->count *
					   (double)view_zero(e->call->wall_ns->p50)});
	}
}

static double mean_ns(const struct res_syscall *s)
{
	return s->wall_ns ? (double)view_zero(s->wall_ns->mean) : 0;
}

static void find_churn(struct finder *f)
{
	const struct res_syscall *map = view_called(f->s->io, "mmap");
	const struct res_syscall *unmap = view_called(f->s->io, "munmap");
	const struct res_mappings *m = f->s->io->mappings;
	uint64_t pairs;

	if (!map || !unmap || !m || !m->anonymous)
		return;
	pairs = view_zero(m->anonymous->maps);
	pairs = pairs < view_zero(unmap->ok) ? pairs : view_zero(unmap->ok);
	if (pairs < TARGET_CALLS_MIN)
		return;
	add(f, (struct target){.kind = TARGET_MAPPING_CHURN,
		       .call = "mmap and munmap",
		       .why = arena_printf(&f->d->arena,
			       "%s anonymous regions were mapped and %s calls "
			       "unmapped; a pair at "
			       "the mean times of both (page faults come on top)",
			       view_count(f->d, m->anonymous->maps), view_count(f->d, unmap->ok)),
		       .evidence = row(f, "munmap", "ok, mappings.anonymous"),
		       .check = "mmap.calls and munmap.calls down",
		       .calls = pairs,
		       .saved_ns = (double)pairs * (mean_ns(map) + mean_ns(unmap))});
}

/* ---- gathering ---- */

#define GATHER_LIMIT_NS NS_PER_MS
/* A call that moves more takes its time for its bytes: it does not tell what a call costs. */
#define SMALL_BYTES 4096

/* Mean of what its calls moved; mappings move nothing. */
static int moves_little(const struct res_syscall *s)
{
	if (!s->bytes || s->bytes->transferred == U64_NONE ||
		!strcmp(view_name(s->class), "memory"))
		return 1;
	return s->bytes->transferred / SMALL_BYTES <= view_zero(s->ok);
}

/* The shortest time that any call took: what one costs at least. NULL: nothing that could tell was
 * made often. */
static const struct res_syscall *shortest(const struct res_result *r)
{
	const struct res_syscall *best = NULL;

	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];

		if (!s->wall_ns || s->wall_ns->min == U64_NONE ||
			view_zero(s->calls) < TARGET_CALLS_MIN || !moves_little(s))
			continue;
		if (!best || s->wall_ns->min < best->wall_ns->min)
			best = s;
	}
	return best;
}

/* What a call that is not made saves at least, and why; NAN: not known. */
static double floor_ns(
	struct finder *f, const char *call, const struct batching *batching, const char **ret_why)
{
	const struct res_syscall *s;

	if (batching && batching->no_model)
		return NAN;
	if (batching) {
		*ret_why = "the low end of its fixed cost";
		return batching->cost.fixed_low > 0 ? batching->cost.fixed_low : NAN;
	}
	s = shortest(f->s->io);
	if (!s)
		return NAN;
	*ret_why = strcmp(view_name(s->name), call) != 0
			   ? arena_printf(&f->d->arena, "the shortest time of any call here, %s",
				     view_name(s->name))
			   : "its shortest time";
	return (double)s->wall_ns->min;
}

static const struct batching *batching_of(const struct batching *list, size_t n, const char *call)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(view_name(list[i].facts.call->name), call))
			return &list[i];
	return NULL;
}

/* One kind of change, over all places. */
struct gathered {
	const char *call, *change;
	uint64_t calls, saved,
		safely; /* safely: at most, where a reason says that it is not known */
	const char *reason;
};

/* "sendto" of "sendto -> sendmmsg"; NULL: it is no change. */
static const char *call_of(struct finder *f, const char *change)
{
	const char *arrow = change ? strstr(change, " -> ") : NULL;

	return arrow ? arena_printf(&f->d->arena, "%.*s", (int)(arrow - change), change) : NULL;
}

static void sum_place(struct gathered *g, const struct res_gathering *row)
{
	uint64_t safely = row->saved_safely != U64_NONE ? row->saved_safely : row->saved_at_most;

	g->calls = sat_add(g->calls, view_zero(row->calls));
	g->saved = sat_add(g->saved, view_zero(row->saved));
	g->safely = sat_add(g->safely, view_zero(safely));
	g->reason = row->reason ? row->reason : g->reason;
}

static void add_gathering(
	struct finder *f, const struct gathered *g, const struct batching *batching)
{
	const char *why = "", *how_many = view_count(f->d, g->safely);
	double each_ns = floor_ns(f, g->call, batching, &why);
	int writes = strstr(g->change, "writev") != NULL;

	if (!isfinite(each_ns)) {
		say(f, arena_printf(&f->d->arena,
			       "%s, gathering: %s%s of %s calls could be saved, but what one costs "
			       "is not known.",
			       g->call, g->reason ? "at most " : "", how_many,
			       view_count(f->d, g->calls)));
		return;
	}
	add(f, (struct target){.kind = writes ? TARGET_GATHER_WRITES : TARGET_GATHER_SENDS,
		       .call = g->call,
		       .why = arena_printf(&f->d->arena,
			       "gathered for up to 1 ms, %s%s of %s calls would not be made%s%s%s; "
			       "at least %.0f ns each, %s",
			       g->reason ? "at most " : "", how_many, view_count(f->d, g->calls),
			       g->reason ? " (whether that is safe is not known: " : "",
			       g->reason ? g->reason : "", g->reason ? ")" : "", each_ns, why),
		       .evidence = arena_printf(&f->d->arena, "%s: gathering[%s]",
			       view_name(f->s->io_file), g->change),
		       .check = arena_printf(&f->d->arena, "%s.calls down", g->call),
		       .calls = g->calls,
		       .saved_ns = (double)g->safely * each_ns});
}

static void judge_gathering(
	struct finder *f, const struct gathered *g, const struct batching *list, size_t n)
{
	if (g->safely >= TARGET_CALLS_MIN)
		add_gathering(f, g, batching_of(list, n, g->call));
	else if (g->saved >= TARGET_CALLS_MIN)
		say(f, arena_printf(&f->d->arena,
			       "%s, gathering: %s of %s calls could be saved only by holding them "
			       "back over calls that can wait, which an answer may depend on; "
			       "%s safely.",
			       g->call, view_count(f->d, g->saved), view_count(f->d, g->calls),
			       g->safely ? view_count(f->d, g->safely) : "none"));
}

static void find_gathering(struct finder *f, const struct batching *list, size_t n)
{
	const struct res_result *r = f->s->io;
	struct {
		struct gathered *at;
		size_t len, cap;
	} found = {0};

	for (size_t i = 0; i < r->gathering.len; i++) {
		const struct res_gathering *row = &r->gathering.at[i];
		const char *call = call_of(f, row->change);
		size_t k = 0;

		if (!call || row->limit_ns != GATHER_LIMIT_NS)
			continue;
		while (k < found.len && strcmp(found.at[k].change, row->change) != 0)
			k++;
		if (k == found.len)
			*VEC_PUSH(&found) = (struct gathered){.call = call, .change = row->change};
		sum_place(&found.at[k], row);
	}
	for (size_t i = 0; i < found.len; i++)
		judge_gathering(f, &found.at[i], list, n);
	free(found.at);
}

static int compare_targets(const void *a, const void *b)
{
	const struct target *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? 1 : -1;
	if (x->saved_ns != y->saved_ns)
		return x->saved_ns < y->saved_ns ? 1 : -1;
	if (x->kind != y->kind)
		return x->kind > y->kind ? 1 : -1;
	return strcmp(x->call, y->call);
}

static void find_all(struct finder *f, const struct batching *batching, size_t n)
{
	const struct res_result *r = f->s->io;

	for (size_t i = 0; i < n; i++) {
		find_limit(f, &batching[i]);
		find_buffer(f, &batching[i]);
	}
	for (size_t i = 0; i < r->syscalls.len; i++)
		find_empty(f, &r->syscalls.at[i]);
	find_lookups(f);
	find_churn(f);
	find_gathering(f, batching, n);
}

static struct targets finish(struct finder *f)
{
	struct targets t = {.len = f->found.len, .without_len = f->without.len};

	if (t.len)
		qsort(f->found.at, t.len, sizeof(*f->found.at), compare_targets);
	t.at = arena_alloc(&f->d->arena, t.len + 1, sizeof(*t.at));
	t.without = arena_alloc(&f->d->arena, t.without_len + 1, sizeof(*t.without));
	if (t.len)
		memcpy(t.at, f->found.at, t.len * sizeof(*t.at));
	if (t.without_len)
		memcpy(t.without, f->without.at, t.without_len * sizeof(*t.without));
	free(f->found.at);
	free(f->without.at);
	return t;
}

struct targets targets_find(struct doc *d, const struct analyze_scenario *s,
	const struct batching *batching, size_t n, const struct ease_table *ease)
{
	const struct res_result *r = s->io;
	uint64_t wall_ns = r->window ? r->window->wall_ns : r->wall_ns;
	struct finder f = {.d = d, .s = s, .ease = ease, .window_ns = (double)wall_ns};
	char share[DOC_PERCENT_BUF];

	if (view_calls(r) < TARGET_CALLS_MIN)
		say(&f, arena_printf(&d->arena,
				"%s were seen; below %d nothing is concluded from them.",
				view_plural(d, view_calls(r), "call"), TARGET_CALLS_MIN));
	else if (batching_stops_share(r) > BATCHING_STOPS)
		say(&f, arena_printf(&d->arena,
				"%s of the calls were seen by stops: their times are those of the "
				"stops, so no gain can be computed.",
				doc_percent(share, batching_stops_share(r))));
	else if (wall_ns == U64_NONE || !wall_ns)
		say(&f, "How long it ran is not known, so no share of it can be computed.");
	else
		find_all(&f, batching, n);
	return finish(&f);
}
