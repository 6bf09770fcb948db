/* SPDX-License-Identifier: GPL-3.0-only */
/* Batching and the cost model, as tables and sentences. */
#include <stdlib.h>
#include <string.h>

#include "common/analyze/another.h"
#include "common/analyze/io_doc.h"
#include "common/base/units.h"

#define ROWS_MAX  20 /* of threads, fds, places */
#define PAIRS_MAX 8  /* of asked -> got */

static const struct doc_column batching_columns[] = {
	{"call", "call", "", 1, 0},
	{"unit", "unit", "what it moves", 1, 0},
	{"calls", "calls", "times entered", 0, 0},
	{"asked", "asked", "units, over calls that succeeded", 0, 0},
	{"got", "got", "units moved by them", 0, 0},
	{"per_call", "per call", "mean got", 0, 0},
	{"fill", "fill", "got/asked", 0, 0},
	{"full", "full", "calls that got all they asked", 0, 0},
	{"single", "single", "calls that got one", 0, 0},
	{"partial", "partial", "calls that got some of what they were given", 0, 0},
	{"empty", "empty", "calls that returned 0 or EAGAIN", 0, 0},
};

static void batching_row(struct doc *d, struct doc_table *t, const struct batching *x)
{
	const struct res_batch *b = x->facts.batch;

	doc_cell_text(d, t, "%s", view_name(x->facts.call->name));
	doc_cell_text(d, t, "%s", view_name(b->unit));
	doc_cell(t, CELL_COUNT, x->facts.call->calls);
	doc_cell(t, CELL_COUNT, b->asked);
	doc_cell(t, CELL_COUNT, b->transferred);
	doc_cell_real(t, CELL_MEAN, b->per_call ? b->per_call->mean : NAN);
	doc_cell_real(t, CELL_RATIO, b->fill);
	doc_cell(t, CELL_COUNT, b->full);
	doc_cell(t, CELL_COUNT, b->single);
	doc_cell(t, CELL_COUNT, x->facts.way == BATCH_GIVES ? b->partial : U64_NONE);
	doc_cell(t, CELL_COUNT, b->empty);
}

static const struct doc_column place_columns[] = {
	{"where", "where", "", 1, 0},
	{"call", "call", "", 1, 0},
	{"calls", "calls", "times entered", 0, 0},
	{"asked", "asked", "units, over calls that succeeded", 0, 0},
	{"got", "got", "units moved by them", 0, 0},
	{"per_call", "per call", "got/calls that did not fail", 0, 0},
	{"fill", "fill", "got/asked", 0, 0},
	{"reading", "limited by", "as the sentences of the call, of these calls alone", 1, 0},
};

static double ratio(uint64_t a, uint64_t b)
{
	return a == U64_NONE || b == U64_NONE || !b ? NAN : (double)a / (double)b;
}

/* What is known of the part's call; NULL: it is no batch, or asked for nothing here. */
static const struct batching *batching_of(const struct io_findings *f, const struct res_part *part)
{
	for (size_t i = 0; i < f->batching_len; i++)
		if (f->batching[i].facts.way != BATCH_WATCHES && part->name &&
			!strcmp(view_name(f->batching[i].facts.call->name), part->name))
			return view_zero(part->batch_asked) > 0 ? &f->batching[i] : NULL;
	return NULL;
}

static const char *reading_of(struct doc *d, const struct batching *b, const struct res_part *part)
{
	if (view_zero(part->calls) < JUDGE_CALLS_MIN)
		return "too few calls to judge";
	if (b->facts.most <= 1)
		return "asks for one a call";
	return view_limited_part(d, &part->limited_by);
}

struct placed {
	const char *where;
	const struct res_part *part;
	const struct batching *batching; /* of its call */
	size_t order;
};

static int compare_placed(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (view_zero(x->part->calls) != view_zero(y->part->calls))
		return view_zero(x->part->calls) < view_zero(y->part->calls) ? 1 : -1;
	return (x->order > y->order) - (x->order < y->order);
}

struct places {
	struct placed *at;
	size_t len, cap;
};

static void collect(struct places *p, const struct io_findings *f, const char *where,
	const struct res_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct batching *b = batching_of(f, &parts[i]);
		size_t order = p->len;

		if (b)
			*VEC_PUSH(p) = (struct placed){where, &parts[i], b, order};
	}
}

static void places_table(struct doc *d, struct places *p, const char *id, const char *what)
{
	struct doc_table *t;

	if (p->len) {
		qsort(p->at, p->len, sizeof(*p->at), compare_placed);
		doc_text(d, "By %s:", what);
	}
	t = doc_table(d, id, place_columns, LEN(place_columns));
	for (size_t i = 0; i < p->len && i < ROWS_MAX; i++) {
		const struct res_part *x = p->at[i].part;
		uint64_t calls = view_zero(x->calls), errors = view_zero(x->errors);

		doc_cell_text(d, t, "%s", p->at[i].where);
		doc_cell_text(d, t, "%s", view_name(x->name));
		doc_cell(t, CELL_COUNT, x->calls);
		doc_cell(t, CELL_COUNT, x->batch_asked);
		doc_cell(t, CELL_COUNT, x->batch_transferred);
		doc_cell_real(t, CELL_MEAN,
			ratio(x->batch_transferred, calls > errors ? calls - errors : 0));
		doc_cell_real(t, CELL_RATIO, ratio(x->batch_transferred, x->batch_asked));
		doc_cell_text(d, t, "%s", reading_of(d, p->at[i].batching, x));
	}
	if (p->len > ROWS_MAX)
		doc_note(d, "%zu more rows with fewer calls are not shown.", p->len - ROWS_MAX);
	free(p->at);
}

static void by_thread(struct doc *d, const struct io_findings *f)
{
	const struct res_result *r = f->s->io;
	struct places p = {0};

	for (size_t i = 0; i < r->threads.len; i++) {
		const struct res_thread *x = &r->threads.at[i];

		collect(&p, f,
			arena_printf(&d->arena, "%llu %s", (unsigned long long)x->tid,
				view_name(x->comm)),
			x->syscalls.at, x->syscalls.len);
	}
	places_table(d, &p, "batching-threads", "thread");
}

static void by_fd(struct doc *d, const struct io_findings *f)
{
	struct fd_groups groups = view_fd_groups(&d->arena, f->s->io);
	struct places p = {0};

	for (size_t i = 0; i < groups.len; i++) {
		const struct fd_group *g = &groups.at[i];
		const char *what = *g->key ? g->key : "unknown";

		if (g->len == 1)
			what = arena_printf(&d->arena, "%llu %s", (unsigned long long)g->first->fd,
				view_name(g->first->target));
		else
			what = arena_printf(&d->arena, "%s (%zu fds)", what, (size_t)g->len);
		collect(&p, f, what, g->parts, g->parts_len);
	}
	places_table(d, &p, "batching-fds", "descriptor");
}

static int compare_pairs(const void *a, const void *b)
{
	const struct res_count *x = a, *y = b;

	if (view_zero(x->count) != view_zero(y->count))
		return view_zero(x->count) < view_zero(y->count) ? 1 : -1;
	return strcmp(view_name(x->key), view_name(y->key));
}

/* Which sizes were cut to which: "32->7". */
static void partial_pairs(struct doc *d, const struct batching *b)
{
	const struct res_counts *c = &b->facts.batch->asked_to_transferred;
	struct res_count *rows = arena_alloc(&d->arena, c->len + 1, sizeof(*rows));
	const char *list = "";
	size_t n = 0;

	if (b->facts.way != BATCH_GIVES || !view_zero(b->facts.batch->partial))
		return;
	for (size_t i = 0; i < c->len; i++) {
		const char *key = view_name(c->at[i].key), *arrow = strstr(key, "->");

		if (arrow && strtoull(key, NULL, 10) > strtoull(arrow + 2, NULL, 10))
			rows[n++] = c->at[i];
	}
	qsort(rows, n, sizeof(*rows), compare_pairs);
	for (size_t i = 0; i < n && i < PAIRS_MAX; i++)
		list = arena_printf(&d->arena, "%s%s%s (%s)", list, *list ? ", " : "", rows[i].key,
			view_count(d, rows[i].count));
	if (n)
		doc_note(d, "%s: partial calls, asked->got: %s%s.", view_name(b->facts.call->name),
			list, n > PAIRS_MAX ? " and others" : "");
}

static void batching_notes(struct doc *d, const struct res_result *r)
{
	static const char *const senders[2] = {"sendto", "sendmsg"};
	static const char *const receivers[2] = {"recvfrom", "recvmsg"};
	const struct res_work *w = r->work;

	view_note_unbatched(d, r, senders, "sendmmsg", "sent");
	view_note_unbatched(d, r, receivers, "recvmmsg", "received");
	if (w && view_zero(w->count) && view_calls(r) >= JUDGE_CALLS_MIN)
		doc_note(d, "%.2f traced calls per %s.", (double)view_calls(r) / (double)w->count,
			w->unit ? w->unit : "unit of work");
	if (view_slowed(r))
		doc_note(d, "Tracing slowed the program: untraced, these sizes can be others.");
}

void io_batching(struct doc *d, const struct io_findings *f)
{
	struct doc_table *t;
	size_t histograms = 0;

	doc_section(d, "Batching effectiveness");
	if (!f->batching_len) {
		doc_text(d, "None of the traced calls batches%s.",
			view_traced(f->s->io, "sendmmsg") && view_traced(f->s->io, "recvmmsg")
				? ""
				: "; sendmmsg or recvmmsg was not traced, so nothing is known of "
				  "it");
		batching_notes(d, f->s->io);
		return;
	}
	t = doc_table(d, "batching", batching_columns, LEN(batching_columns));
	for (size_t i = 0; i < f->batching_len; i++)
		batching_row(d, t, &f->batching[i]);
	for (size_t i = 0; i < f->batching_len; i++) {
		const struct batching *b = &f->batching[i];

		doc_note(d, "%s: %s.", view_name(b->facts.call->name), b->words);
		partial_pairs(d, b);
	}
	batching_notes(d, f->s->io);
	for (size_t i = 0; i < f->batching_len && histograms < 3; i++) {
		if (f->batching[i].verdict == BATCHING_FEW ||
			f->batching[i].verdict == BATCHING_NONE)
			continue;
		view_histogram(d, f->batching[i].facts.call);
		histograms++;
	}
	by_thread(d, f);
	by_fd(d, f);
}

/* ---- cost model ---- */

static const struct doc_column cost_columns[] = {
	{"call", "call", "", 1, 0},
	{"calls", "calls", "that moved at least one unit", 0, 0},
	{"sizes", "sizes", "of batch that enough calls had", 0, 0},
	{"fixed", "fixed cost a", "of a call, with the 95% interval of this run's calls", 0, 0},
	{"each", "cost b", "of a unit more, with the same", 0, 0},
	{"r2", "R2", "of the sizes' mean times", 0, 0},
	{"miss", "off the line", "typical distance of the sizes' mean times from the line", 0, 0},
	{"share", "fixed share", "of the time of these calls", 0, 0},
};

static const struct doc_column gain_columns[] = {
	{"call", "call", "", 1, 0},
	{"now", "now", "mean units a call", 0, 0},
	{"then", "then", "units a call", 0, 0},
	{"unit_now", "a unit now", "of all calls that moved at least one", 0, 0},
	{"unit_then", "a unit then", "with where a new run will be (95%)", 0, 0},
	{"share", "saved", "of the call's time, in a new run (95%)", 0, 0},
	{"reading", "reading", "", 1, 0},
};

static const char *ns(struct doc *d, double v)
{
	return arena_printf(&d->arena, fabs(v) < 100 ? "%.1f" : "%.0f", v);
}

static void interval_cell(struct doc *d, struct doc_table *t, double v, double low, double high)
{
	doc_cell_text(d, t, "%s ns (%s to %s)", ns(d, v), ns(d, low), ns(d, high));
}

static void cost_row(struct doc *d, struct doc_table *t, const struct batching *b)
{
	const struct cost *c = &b->cost;

	doc_cell_text(d, t, "%s", view_name(b->facts.call->name));
	doc_cell(t, CELL_COUNT, c->calls);
	doc_cell(t, CELL_COUNT, c->sizes);
	interval_cell(d, t, c->fixed_ns, c->fixed_low, c->fixed_high);
	interval_cell(d, t, c->each_ns, c->each_low, c->each_high);
	doc_cell_real(t, CELL_MEAN, c->r2);
	doc_cell_real(t, CELL_RATIO, c->miss);
	doc_cell_real(t, CELL_RATIO, c->fixed_ns >= 0 ? c->fixed_ns / c->mean_ns : NAN);
}

static const char *reading(struct doc *d, const struct prediction *p)
{
	const char *says = p->share_high < COST_GAIN_MIN ? "no gain: b dominates"
			   : p->share_low <= 0           ? "cannot tell"
							 : "gain";

	switch (p->state) {
	case PREDICT_OK:
		return p->beyond ? arena_printf(&d->arena,
					   "%s; larger than any size measured, so wider", says)
				 : says;
	case PREDICT_FEW_RUNS:
		return arena_printf(&d->arena, "cannot predict %s%s", another_few_runs(d, p),
			p->beyond ? "; larger than any size measured" : "");
	case PREDICT_NO_TIME:
		break;
	}
	return "cannot predict: a line comes to no time at all there";
}

/* What a new run will take, and save. */
static void predicted_cells(struct doc *d, struct doc_table *t, const struct prediction *p)
{
	if (p->state == PREDICT_OK) {
		interval_cell(d, t, p->unit_ns, p->low, p->high);
		doc_cell_text(d, t, "%.1f%% (%.1f to %.1f)", p->share * 100, p->share_low * 100,
			p->share_high * 100);
	} else if (p->state == PREDICT_FEW_RUNS) {
		doc_cell_text(d, t, "%s ns", ns(d, p->unit_ns));
		doc_cell_text(d, t, "%.1f%%", p->share * 100);
	} else {
		doc_cell_text(d, t, "-");
		doc_cell_text(d, t, "-");
	}
}

static void gain_row(struct doc *d, struct doc_table *t, const struct batching *b, double units)
{
	struct prediction p = another_run(b, units);

	doc_cell_text(d, t, "%s", view_name(b->facts.call->name));
	doc_cell_real(t, CELL_MEAN, b->cost.mean_units);
	doc_cell_real(t, CELL_MEAN, units);
	doc_cell_text(
		d, t, "%s ns", ns(d, p.state == PREDICT_NO_TIME ? b->cost.unit_ns : p.now_ns));
	predicted_cells(d, t, &p);
	doc_cell_text(d, t, "%s", reading(d, &p));
}

static void gain_rows(struct doc *d, struct doc_table *t, const struct batching *b)
{
	double now = b->cost.mean_units, most = (double)b->facts.most;

	gain_row(d, t, b, 2 * now);
	gain_row(d, t, b, 3 * now);
	/* To what it may ask for already. */
	if (most > now * 1.01 && most != 2 * now && most != 3 * now)
		gain_row(d, t, b, most);
}

static size_t models(const struct io_findings *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->batching_len; i++)
		n += f->batching[i].no_model == NULL;
	return n;
}

/* How many runs a prediction is from, and what to do where they are too few. */
static void runs_note(struct doc *d, const struct batching *b, const struct analyze_runs *runs)
{
	size_t n = b->runs_len ? b->runs_len : 1, made = runs && runs->made ? runs->made : 1;
	size_t enough = made + PREDICT_RUNS_MIN - n; /* if as many can be used of those to come */
	const char *call = view_name(b->facts.call->name);

	if (n < PREDICT_RUNS_MIN)
		doc_note(d,
			"%s: %zu of %s can be used. Runs differ by more than the calls of one do, "
			"so "
			"what another run will take cannot be predicted: run the scenario with "
			"--runs "
			"%zu or more.",
			call, n, view_plural(d, made, "run"), enough);
	else
		doc_note(d, "%s: predicted from %zu of %s.", call, n, view_plural(d, made, "run"));
}

static void cost_notes(struct doc *d, const struct io_findings *f)
{
	const struct res_tracer *tracer = f->s->io->tracer;
	char buf[UNITS_BUF];

	for (size_t i = 0; i < f->batching_len; i++) {
		const struct batching *b = &f->batching[i];

		if (b->no_model)
			doc_note(d, "%s: no model: %s.", view_name(b->facts.call->name),
				b->no_model);
		else
			runs_note(d, b, f->s->io_runs);
	}
	if (!models(f))
		return;
	doc_note(d, "A prediction is of the time in the call alone, if nothing changes but how "
		    "many units one call moves. Whether as many can be had at a time is said by "
		    "the verdict above.");
	if (tracer && tracer->overhead && tracer->overhead->per_record_ns != U64_NONE)
		doc_note(d,
			"A fixed cost has up to %s of the recorder in it (measured at the start of "
			"this run).",
			units_duration(buf, tracer->overhead->per_record_ns));
}

void io_cost(struct doc *d, const struct io_findings *f)
{
	struct doc_table *t;

	if (!f->batching_len)
		return;
	doc_section(d, "Cost model");
	if (!result_has_times(f->s->io)) {
		doc_text(d, "Not measured: " VIEW_NO_TIMES ".");
		return;
	}
	doc_text(d, models(f) ? "Time of a call = a + b x units, by least squares over the calls "
				"that moved at least one in the usual time:"
			      : "No call's times can be described as a + b x units:");
	t = doc_table(d, "cost", cost_columns, LEN(cost_columns));
	for (size_t i = 0; i < f->batching_len; i++)
		if (!f->batching[i].no_model)
			cost_row(d, t, &f->batching[i]);
	if (models(f))
		doc_text(d, "What larger batches would save:");
	t = doc_table(d, "gain", gain_columns, LEN(gain_columns));
	for (size_t i = 0; i < f->batching_len; i++)
		if (!f->batching[i].no_model)
			gain_rows(d, t, &f->batching[i]);
	cost_notes(d, f);
}
