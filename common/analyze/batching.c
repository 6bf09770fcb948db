/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/analyze/batching.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"

static int at_least(uint64_t part, double share, uint64_t whole)
{
	return part != U64_NONE && whole && (double)part >= share * (double)whole;
}

static int alike(double a, double b)
{
	return fabs(a - b) <= BATCHING_ALIKE * fmax(a, b);
}

static double per_call(const struct res_batch *b)
{
	return b->per_call ? b->per_call->mean : NAN;
}

/* The call whose messages `out` could be sending on; NULL: none. */
static const struct res_syscall *feeder(const struct res_result *r, const struct batch_facts *out)
{
	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];
		struct batch_facts in;

		if (!s->batch || strcmp(view_name(s->batch->unit), "messages") != 0)
			continue;
		in = view_batch_facts(s);
		if (in.way == BATCH_TAKES && in.judged >= JUDGE_CALLS_MIN &&
			alike(per_call(s->batch), per_call(out->batch)) &&
			alike((double)in.judged, (double)out->judged) &&
			view_same_threads(r, s, out->call))
			return s;
	}
	return NULL;
}

static const char *of_judged(struct doc *d, uint64_t part, const struct batch_facts *f)
{
	return arena_printf(&d->arena, "%s of %s calls (%s)", view_count(d, part),
		view_count(d, f->judged), view_share(d, part, f->judged));
}

static void judge_takes(struct doc *d, struct batching *b)
{
	const struct batch_facts *f = &b->facts;
	const char *limit = f->least == f->most
				    ? view_count(d, f->most)
				    : arena_printf(&d->arena, "%s to %s", view_count(d, f->least),
					      view_count(d, f->most));

	if (at_least(f->batch->full, BATCHING_MOSTLY, f->judged)) {
		b->verdict = BATCHING_LIMIT;
		b->words = arena_printf(&d->arena, "limited by the limit asked, %s: %s were full",
			limit, of_judged(d, f->batch->full, f));
	} else {
		b->verdict = BATCHING_ARRIVALS;
		b->words = arena_printf(&d->arena,
			"limited by arrivals: %s reached the limit asked, %s; the others found "
			"less waiting",
			of_judged(d, view_zero(f->batch->full), f), limit);
	}
}

/* ok calls that were given the most of all and had it taken whole */
static uint64_t largest_whole(struct doc *d, const struct batch_facts *f)
{
	const char *key = arena_printf(
		&d->arena, "%llu->%llu", (unsigned long long)f->most, (unsigned long long)f->most);

	return view_counter(&f->batch->asked_to_transferred, key);
}

static void judge_buffer(struct doc *d, struct batching *b, uint64_t refused)
{
	const struct batch_facts *f = &b->facts;

	b->verdict = BATCHING_BUFFER;
	b->words = arena_printf(&d->arena,
		"limited by the buffer behind it: %s moved only part "
		"of what they were given, %s "
		"failed with EAGAIN",
		of_judged(d, view_zero(f->batch->partial), f), view_count(d, refused));
}

static void judge_gives(struct doc *d, const struct res_result *r, struct batching *b)
{
	const struct batch_facts *f = &b->facts;
	uint64_t refused = view_counter(&f->call->errnos, "EAGAIN");
	uint64_t stuck = sat_add(view_zero(f->batch->partial), refused);
	uint64_t whole = largest_whole(d, f);
	const struct res_syscall *in = feeder(r, f);

	if (view_zero(f->batch->partial) && at_least(stuck, BATCHING_PARTIAL, f->judged)) {
		judge_buffer(d, b, refused);
	} else if (in && !strcmp(view_name(f->batch->unit), "messages")) {
		b->verdict = BATCHING_ECHO;
		b->words = arena_printf(&d->arena,
			"limited by the caller, who sends what it received: %.2f a call beside "
			"%.2f of %s, in as many calls (%s and %s)",
			per_call(f->batch), per_call(in->batch), view_name(in->name),
			view_count(d, f->judged), view_count(d, view_batch_facts(in).judged));
	} else if (at_least(whole, BATCHING_MOSTLY, f->judged)) {
		b->verdict = BATCHING_LIMIT;
		b->words = arena_printf(&d->arena,
			"limited by the batch that the caller makes: %s "
			"were given %s, the most "
			"of all, and moved it whole",
			of_judged(d, whole, f), view_count(d, f->most));
	} else {
		b->verdict = BATCHING_CALLER;
		b->words = arena_printf(&d->arena,
			"limited by what the caller has: it gave %s to %s a call, %.2f on "
			"average; %s moved one only",
			view_count(d, f->least), view_count(d, f->most), per_call(f->batch),
			of_judged(d, view_zero(f->batch->single), f));
	}
}

/* What the calls that succeeded asked for: others, as waits that a signal ended, may have asked for
 * more and say nothing. Left as it is where the pairs are not there or not all there. */
static void narrow_range(struct batch_facts *f)
{
	const struct res_counts *pairs = &f->batch->asked_to_transferred;
	uint64_t least = 0, most = 0;

	if (view_zero(f->batch->histogram_overflow))
		return;
	for (size_t i = 0; i < pairs->len; i++) {
		uint64_t asked = strtoull(view_name(pairs->at[i].key), NULL, 10);

		if (!asked || !view_zero(pairs->at[i].count))
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

static void judge(struct doc *d, const struct res_result *r, struct batching *b)
{
	const struct batch_facts *f = &b->facts;

	if (f->way == BATCH_WATCHES) {
		b->verdict = BATCHING_NONE;
		b->words = "not a batching call: it waits for any of what it watches";
	} else if (f->judged < JUDGE_CALLS_MIN) {
		b->verdict = BATCHING_FEW;
		b->words = arena_printf(&d->arena,
			"too few calls to judge: %s, at least %d are needed",
			view_count(d, f->judged), JUDGE_CALLS_MIN);
	} else if (f->most <= 1) {
		b->verdict = BATCHING_NONE;
		b->words = arena_printf(&d->arena,
			"not used as a batching call: all of %s calls asked for one",
			view_count(d, f->judged));
	} else if (f->way == BATCH_TAKES) {
		judge_takes(d, b);
	} else {
		judge_gives(d, r, b);
	}
}

double batching_stops_share(const struct res_result *r)
{
	const struct res_tracer *t = r->tracer;
	double stopped, all;

	if (!t || t->calls_stopped == U64_NONE)
		return 0;
	stopped = (double)t->calls_stopped;
	all = stopped + (double)view_zero(t->calls_redirected) +
	      (double)view_zero(t->calls_recorded_in_process);
	return all > 0 ? stopped / all : 0;
}

/* Why its times cannot be taken for what the calls cost. */
static const char *no_model(struct doc *d, const struct res_result *r, const struct batching *b)
{
	double stops = batching_stops_share(r);
	char share[DOC_PERCENT_BUF];

	if (b->facts.way == BATCH_WATCHES || view_waits(b->facts.call))
		return "its time is waiting";
	if (stops > BATCHING_STOPS)
		return arena_printf(&d->arena,
			"%s of the calls were seen by stops, whose times are in theirs",
			doc_percent(share, stops));
	if (b->facts.way == BATCH_TAKES && !view_counter(&b->facts.call->errnos, "EAGAIN"))
		return "it never failed with EAGAIN, so its time may be waiting for "
		       "arrivals";
	if (b->verdict == BATCHING_BUFFER)
		return "its time may be waiting for the buffer";
	switch (b->cost.state) {
	case COST_OK:
		return NULL;
	case COST_FEW_CALLS:
		return arena_printf(&d->arena, "%s that moved something, at least %d are needed",
			view_plural(d, b->cost.calls, "call"), COST_CALLS_MIN);
	case COST_FEW_SIZES:
		if (b->cost.different == 1)
			return arena_printf(&d->arena,
				"every call moved %s, so what a call and what a unit costs cannot "
				"be "
				"told apart",
				view_count(d, (uint64_t)b->cost.units_max));
		return arena_printf(&d->arena,
			"%s of batch with at least %d calls, at least %d are needed",
			view_plural(d, b->cost.sizes, "size"), COST_SIZE_CALLS, COST_SIZES_MIN);
	case COST_NO_LINE:
		break;
	}
	return arena_printf(&d->arena,
		"its times are no line: the sizes' mean times lie %s off "
		"it, at most %.0f%% are "
		"allowed",
		doc_percent(share, b->cost.miss), COST_MISS_MAX * 100);
}

static int compare_calls(const void *a, const void *b)
{
	const struct res_syscall *x = ((const struct batching *)a)->facts.call;
	const struct res_syscall *y = ((const struct batching *)b)->facts.call;

	if (view_zero(x->calls) != view_zero(y->calls))
		return view_zero(x->calls) < view_zero(y->calls) ? 1 : -1;
	return strcmp(view_name(x->name), view_name(y->name));
}

struct batching *batching_list(struct doc *d, const struct res_result *r, size_t *ret_len)
{
	struct batching *list = arena_alloc(&d->arena, r->syscalls.len + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];
		struct batching *b = &list[n];

		if (!s->batch || !view_zero(s->calls))
			continue;
		b->facts = view_batch_facts(s);
		narrow_range(&b->facts);
		b->cost = cost_fit(s->batch);
		judge(d, r, b);
		b->no_model = no_model(d, r, b);
		n++;
	}
	qsort(list, n, sizeof(*list), compare_calls);
	*ret_len = n;
	return list;
}
