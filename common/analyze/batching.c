/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/analyze/batching.h"

#include <stdlib.h>
#include <string.h>

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

/* Can waiting for arrivals be in its times? Not if each call was made so that it returns at once.
 */
static int may_wait(const struct batching *b)
{
	return b->facts.way == BATCH_TAKES && b->facts.batch->could_wait != 0 &&
	       !view_counter(&b->facts.call->errnos, "EAGAIN");
}

/* Why its times cannot be taken for what the calls cost. */
static const char *no_model(struct doc *d, const struct res_result *r, const struct batching *b)
{
	double stops = batching_stops_share(r);
	char share[DOC_PERCENT_BUF];

	if (b->facts.way == BATCH_WATCHES || view_waits(b->facts.call))
		return "its time is waiting";
	if (b->facts.timeless)
		return VIEW_NO_TIMES;
	if (stops > BATCHING_STOPS)
		return arena_printf(&d->arena,
			"%s of the calls were seen by stops, whose times are in theirs",
			doc_percent(share, stops));
	if (may_wait(b))
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
		b->cost = cost_fit(s->batch);
		b->verdict = view_limited(d, &b->facts, &b->words);
		b->no_model = no_model(d, r, b);
		n++;
	}
	qsort(list, n, sizeof(*list), compare_calls);
	*ret_len = n;
	return list;
}
