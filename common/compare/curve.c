/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/compare/curve.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/compare/knee.h"
#include "common/compare/metric.h"
#include "common/view/view_parts.h"

#define COST_WORK "work"
#define KIB       "KiB"

struct curve {
	const struct curve_ask *ask;
	struct res_sweep *doc;
	struct arena *arena; /* of the document */
	const struct side_part **parts;
	struct metrics *metrics; /* one a value */
	const char *call;        /* whose time is the cost, NULL: none */
	struct knee_point *costs;
};

/* ---- what can be a cost ---- */

int curve_check_cost(const char *cost, const struct result_kind *kind, struct err *err)
{
	int is_work = !strcmp(cost, COST_WORK);

	if (is_work && !metric_is_of("throughput", kind->schema))
		return err_set(err, -EINVAL, "--cost: type %s measures no time", kind->id);
	if (metric_is_call(cost) && kind->schema != &schema_result)
		return err_set(err, -EINVAL, "--cost: type %s knows no calls", kind->id);
	if (is_work || metric_is_call(cost))
		return 0;
	if (metric_check_name(cost, err) < 0)
		return err_wrap(err, "--cost");
	if (!metric_is_of(cost, kind->schema))
		return err_set(err, -EINVAL, "--cost: type %s has no %.60s", kind->id, cost);
	if (!metric_is_cost(cost))
		return err_set(err, -EINVAL,
			"--cost: more %.60s is not worse: take a figure that is", cost);
	return 0;
}

/* ---- values a run ---- */

static const double *values_of(const struct curve *c, size_t at, const char *name)
{
	const struct metric *m = metrics_find(&c->metrics[at], name);

	return m ? m->values : NULL;
}

/* a / b of each run, in the arena; NAN where one was not measured. */
static const double *ratio_of(const struct curve *c, size_t at, const double *a, const double *b)
{
	size_t runs = c->metrics[at].runs;
	double *v = arena_alloc(c->arena, runs + 1, sizeof(*v));

	for (size_t i = 0; i < runs; i++) {
		v[i] = a && b ? a[i] / b[i] : NAN;
		if (!isfinite(v[i]))
			v[i] = NAN;
	}
	return v;
}

/* A figure of the call that is looked at. */
static const double *of_call(const struct curve *c, size_t at, const char *figure)
{
	cleanup_free char *name = mem_printf("%s.%s", c->doc->call ? c->doc->call : "", figure);

	return values_of(c, at, name);
}

static int is_of_bytes(const struct curve *c)
{
	return c->doc->unit && !strcmp(c->doc->unit, KIB);
}

/* Units that the call has moved. */
static const double *units_of(const struct curve *c, size_t at)
{
	size_t runs = c->metrics[at].runs;
	double *kib;

	if (!is_of_bytes(c))
		return of_call(c, at, "messages");
	kib = arena_alloc(c->arena, runs + 1, sizeof(*kib));
	for (size_t i = 0; i < runs; i++)
		kib[i] = 1024;
	return ratio_of(c, at, of_call(c, at, "bytes"), kib);
}

static const double *time_per_unit(const struct curve *c, size_t at)
{
	return ratio_of(c, at, of_call(c, at, "time"), units_of(c, at));
}

/* A second in ns by the units of a second. */
static const double *time_per_work(const struct curve *c, size_t at)
{
	size_t runs = c->metrics[at].runs;
	double *second = arena_alloc(c->arena, runs + 1, sizeof(*second));

	for (size_t i = 0; i < runs; i++)
		second[i] = 1e9;
	return ratio_of(c, at, second, values_of(c, at, "throughput"));
}

static const double *cost_of(const struct curve *c, size_t at)
{
	const double *v;

	if (c->call)
		return time_per_unit(c, at);
	if (!strcmp(c->doc->cost, COST_WORK))
		return time_per_work(c, at);
	v = values_of(c, at, c->doc->cost);
	return v ? v : ratio_of(c, at, NULL, NULL);
}

/* NULL: not measured in any run. */
static struct res_sweep_figure *figure(const struct curve *c, size_t at, const double *v)
{
	size_t runs = c->metrics[at].runs;
	double median = v ? stats_median(v, runs) : NAN;

	if (!v || isnan(median))
		return NULL;
	struct res_sweep_figure *f = RES_OBJ(c->doc, sweep_figure);

	f->median = f->min = f->max = median;
	for (size_t i = 0; i < runs; i++) {
		f->min = fmin(f->min, v[i]);
		f->max = fmax(f->max, v[i]);
	}
	return f;
}

/* ---- what is looked at ---- */

/* Units that a call has moved at all values: in batches of that unit, or bytes. */
static uint64_t moved(const struct curve *c, const char *call, const char *unit)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->ask->len; i++) {
		const struct res_result *r = c->parts[i]->runs.at[0];

		for (size_t k = 0; k < r->syscalls.len; k++) {
			const struct res_syscall *s = &r->syscalls.at[k];

			if (!s->name || strcmp(s->name, call) != 0)
				continue;
			if (!strcmp(unit, KIB))
				sum += s->bytes ? view_zero(s->bytes->transferred) : 0;
			else if (s->batch && s->batch->unit && !strcmp(s->batch->unit, unit))
				sum += view_zero(s->batch->transferred);
		}
	}
	return sum;
}

static void choose_call_of(struct curve *c, const char *unit)
{
	uint64_t most = 0;

	for (size_t i = 0; i < c->ask->len; i++) {
		const struct res_result *r = c->parts[i]->runs.at[0];

		for (size_t k = 0; k < r->syscalls.len; k++) {
			const char *name = r->syscalls.at[k].name;
			uint64_t units = name ? moved(c, name, unit) : 0;

			if (units <= most || (c->call && strcmp(name, c->call) != 0))
				continue;
			most = units;
			c->doc->call = arena_strdup(c->arena, name);
			c->doc->unit = unit;
		}
	}
}

/* The call that moves most messages; where there are none, iovecs. One that is named may move
 * bytes. */
static void choose_call(struct curve *c)
{
	if (c->ask->kind->schema != &schema_result)
		return;
	choose_call_of(c, "messages");
	if (!c->doc->call)
		choose_call_of(c, "iovecs");
	if (!c->doc->call && c->call)
		choose_call_of(c, KIB);
}

static int has_work(const struct curve *c)
{
	for (size_t i = 0; i < c->ask->len; i++)
		if (isnan(stats_median(time_per_work(c, i), c->metrics[i].runs)))
			return 0;
	return 1;
}

static void choose_cost(struct curve *c)
{
	const char *cost = c->ask->cost;

	if (!cost)
		cost = has_work(c)                              ? COST_WORK
		       : c->ask->kind->schema == &schema_memory ? "peak_heap"
								: "wall_time";
	c->doc->cost = arena_strdup(c->arena, cost);
	c->doc->cost_unit = "ns";
	if (!strcmp(cost, COST_WORK))
		return;
	if (metric_is_call(cost)) {
		c->call = c->doc->cost;
		return;
	}
	for (size_t i = 0; i < c->ask->len; i++) {
		const struct metric *m = metrics_find(&c->metrics[i], cost);

		if (m)
			c->doc->cost_unit = arena_strdup(c->arena, m->unit);
	}
}

static void name_work(struct curve *c)
{
	if (c->ask->kind->schema != &schema_result)
		return;
	const struct res_result *r = c->parts[0]->runs.at[0];

	if (r->work && r->work->unit)
		c->doc->work_unit = arena_strdup(c->arena, r->work->unit);
}

/* ---- what a reader must know ---- */

/* Stops make small batches dearer than they are, as there are more calls. */
static int is_by_stops(const struct res_result *r)
{
	const struct res_tracer *t = r->tracer;

	return t && t->overhead && t->overhead->estimated_share > 0.1 &&
	       view_zero(t->calls_stopped) > view_zero(t->calls_recorded_in_process);
}

/* 1: the costs are not those of the program. */
static int times_are_not_its_own(struct curve *c)
{
	int is_traced_time =
		c->ask->kind->schema == &schema_result && !strcmp(c->doc->cost_unit, "ns");

	for (size_t i = 0; is_traced_time && i < c->ask->len; i++) {
		const struct res_result *r = c->parts[i]->runs.at[0];

		if (!is_by_stops(r))
			continue;
		result_append(c->doc, &c->doc->notes,
			arena_printf(c->arena,
				"With %s = %s the calls were seen by stops, which took %.0f%% of "
				"the time, so nothing is said of what a unit costs.",
				c->ask->over, c->ask->values[i],
				100 * r->tracer->overhead->estimated_share));
		return 1;
	}
	return 0;
}

/* ---- the document ---- */

static void fill_point(struct curve *c, size_t at, struct res_sweep_point *p)
{
	size_t runs = c->metrics[at].runs;
	const double *cost = cost_of(c, at);

	p->value = arena_strdup(c->arena, c->ask->values[at]);
	p->runs = runs;
	p->cost = figure(c, at, cost);
	c->costs[at] = (struct knee_point){cost, runs};
	p->calls = figure(c, at, values_of(c, at, "calls"));
	p->throughput = figure(c, at, values_of(c, at, "throughput"));
	if (!c->doc->call)
		return;
	p->got = figure(c, at,
		is_of_bytes(c) ? ratio_of(c, at, units_of(c, at), of_call(c, at, "calls"))
			       : of_call(c, at, "per_call"));
	p->unit_time = figure(c, at, time_per_unit(c, at));
}

static const char *const verdicts[] = {
	[KNEE_FOUND] = "knee",
	[KNEE_FLAT] = "flat",
	[KNEE_SMALLEST] = "smallest",
	[KNEE_FALLING] = "falling",
	[KNEE_UNSURE] = "unsure",
	[KNEE_FEW_RUNS] = "few runs",
	[KNEE_NOT_MEASURED] = "not measured",
};

static const char *const places[] = {
	[PLACE_UNKNOWN] = "unknown",
	[PLACE_WITHIN] = "within",
	[PLACE_ABOVE] = "above",
};

static void judge(struct curve *c)
{
	struct knee_over *over = mem_calloc(c->ask->len, sizeof(*over));
	struct knee knee = {.verdict = KNEE_NOT_MEASURED};
	int untrue = times_are_not_its_own(c);

	knee_find(c->costs, c->ask->len, &knee, over);
	c->doc->verdict = untrue ? "by stops" : verdicts[knee.verdict];
	if (untrue)
		knee.verdict = KNEE_NOT_MEASURED;
	if (knee.verdict == KNEE_FOUND)
		c->doc->knee = c->doc->points.at[knee.at].value;
	if (knee.verdict == KNEE_UNSURE || knee.verdict == KNEE_FEW_RUNS)
		c->doc->runs_needed =
			knee.runs_needed == SIZE_MAX ? U64_NONE : (uint64_t)knee.runs_needed;
	if (knee.verdict != KNEE_NOT_MEASURED)
		c->doc->best = c->doc->points.at[knee.best].value;
	for (size_t i = 0; i < c->ask->len; i++) {
		struct res_sweep_point *p = &c->doc->points.at[i];

		p->over_best = over[i].over.ratio;
		p->over_low = over[i].over.low;
		p->over_high = over[i].over.high;
		p->place = places[untrue ? PLACE_UNKNOWN : over[i].place];
	}
	free(over);
}

static void fill(struct curve *c)
{
	struct res_sweep *doc = c->doc;

	doc->scenario = arena_strdup(c->arena, c->ask->scenario);
	doc->type = arena_strdup(c->arena, c->ask->kind->id);
	doc->over = arena_strdup(c->arena, c->ask->over);
	doc->tolerance = KNEE_TOLERANCE;
	doc->confidence = 1 - KNEE_ALPHA;
	choose_cost(c);
	choose_call(c);
	name_work(c);
	RES_LIST(doc, &doc->points, c->ask->len, sweep_point);
	for (size_t i = 0; i < c->ask->len; i++)
		fill_point(c, i, &doc->points.at[i]);
	judge(c);
}

static int read_all(struct curve *c, struct err *err)
{
	for (size_t i = 0; i < c->ask->len; i++) {
		c->parts[i] = side_find(&c->ask->sides[i], c->ask->scenario, c->ask->kind);
		if (!c->parts[i])
			return err_set(err, -ENOENT, "there is no result with %s = %s",
				c->ask->over, c->ask->values[i]);
		metrics_read(c->parts[i], &c->metrics[i]);
	}
	return 0;
}

int curve_of(const struct curve_ask *ask, struct res_sweep **ret, struct err *err)
{
	struct curve c = {.ask = ask,
		.doc = result_make(&schema_sweep),
		.parts = mem_calloc(ask->len, sizeof(*c.parts)),
		.metrics = mem_calloc(ask->len, sizeof(*c.metrics)),
		.costs = mem_calloc(ask->len, sizeof(*c.costs))};
	int rc = read_all(&c, err);

	c.arena = result_arena(c.doc);
	if (rc == 0) {
		fill(&c);
		*ret = c.doc;
	} else {
		result_free(c.doc);
	}
	for (size_t i = 0; i < ask->len; i++)
		metrics_release(&c.metrics[i]);
	free(c.parts);
	free(c.metrics);
	free(c.costs);
	return rc;
}
