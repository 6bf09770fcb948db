/* SPDX-License-Identifier: GPL-3.0-only */
/* Matches two sides by scenario and type, and puts the verdicts in order. */
#include "common/compare/compare.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/compare/cause.h"
#include "common/compare/judge.h"
#include "common/compare/made.h"
#include "common/compare/runs.h"
#include "common/compare/why.h"

#define CALLS_TOLD 3

struct compare {
	struct res_compare *doc;
	const struct compare_options *options;
	int ended;   /* new runs ended otherwise than the base's */
	size_t both; /* parts that both sides have */
};

/* ---- the rows ---- */

struct rows {
	struct judge_row *at;
	size_t len, cap;
	enum judge_work work;
};

static const double *values_of(const struct metrics *m, const struct metric *like)
{
	const struct metric *there = metrics_find(m, like->name);

	if (there)
		return there->values;
	return metrics_never_called(m, like);
}

static void add_rows(struct rows *rows, const struct metrics *of, const struct metrics *base,
	const struct metrics *new)
{
	for (size_t i = 0; i < of->len; i++) {
		const struct metric *m = &of->at[i];

		if (metrics_find(base, m->name) && of == new)
			continue;
		*VEC_PUSH(rows) = (struct judge_row){.metric = m,
			.base = values_of(base, m),
			.new = values_of(new, m),
			.base_runs = base->runs,
			.new_runs = new->runs};
	}
}

/* One value for all; NAN: not known of all, INFINITY: not the same. */
static double common_value(const double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isnan(v[i]))
			return NAN;
	for (size_t i = 1; i < n; i++)
		if (v[i] != v[0])
			return INFINITY;
	return n ? v[0] : NAN;
}

static enum judge_work work_of(const struct metrics *base, const struct metrics *new)
{
	double b = common_value(base->work, base->runs), n = common_value(new->work, new->runs);

	if (isnan(b) || isnan(n))
		return WORK_UNKNOWN;
	if (isinf(b) || isinf(n))
		return WORK_VARIES;
	return b == n ? WORK_SAME : WORK_SIDES;
}

/* Where all did the same work the figures of calls per unit of it say what the counts say. */
static void drop_repeated(struct rows *rows)
{
	size_t kept = 0;

	for (size_t i = 0; i < rows->len; i++) {
		const struct judge_row *r = &rows->at[i];

		if (rows->work == WORK_SAME && r->metric->kind == METRIC_WORK && r->metric->call &&
			!r->limit_text)
			continue;
		rows->at[kept++] = *r;
	}
	rows->len = kept;
}

/* What a row of a limit is made of; base and its metrics are NULL for one side alone. */
struct limited {
	const struct side_part *parts[2];
	struct metrics *metrics[2];
};

/* 0 in each run of that side; NULL: not measured. */
static const double *none_of(const struct limited *of, int side, const char *name)
{
	const struct side_part *p = of->parts[side];

	if (!p || p->kind->schema != &schema_result)
		return NULL;
	for (size_t i = 0; i < p->runs.len; i++)
		if (!metric_is_none(p->runs.at[i], name))
			return NULL;
	return of->metrics[side]->zeros;
}

/* A figure that a limit names and no run has gets a row all the same. */
static struct judge_row row_of_none(const struct limited *of, const char *name)
{
	struct arena *a = &of->metrics[1]->arena;
	struct metric *made = arena_alloc(a, 1, sizeof(*made));

	*made = (struct metric){.name = arena_strdup(a, name),
		.unit = "",
		.kind = METRIC_COUNT,
		.worse = metric_is_cost(name) ? WORSE_UP : WORSE_NEITHER};
	return (struct judge_row){.metric = made,
		.base = none_of(of, 0, name),
		.new = none_of(of, 1, name),
		.base_runs = of->metrics[0] ? of->metrics[0]->runs : 0,
		.new_runs = of->metrics[1]->runs};
}

static struct judge_row *row_named(struct rows *rows, const char *name)
{
	for (size_t i = 0; i < rows->len; i++)
		if (strcmp(rows->at[i].metric->name, name) == 0)
			return &rows->at[i];
	return NULL;
}

/* Whether a limit on what no run has measured is told of here: once, if several types could. */
static int is_told_here(const char *name, const struct result_kind *kind)
{
	if (metric_is_of(name, &schema_result))
		return kind->schema == &schema_result;
	return metric_is_of(name, kind->schema);
}

static int add_limits(
	const char *const *pairs, const struct limited *of, struct rows *rows, struct err *err)
{
	const struct side_part *part = of->parts[1];

	for (; pairs && pairs[0]; pairs += 2) {
		struct judge_row *r = row_named(rows, pairs[0]);
		struct limit limit;

		if (limit_parse(pairs[1], &limit, err) < 0)
			return err_wrap(err, "scenario %s: %s", part->scenario, pairs[0]);
		if (!r && !is_told_here(pairs[0], part->kind))
			continue;
		if (!r) {
			r = VEC_PUSH(rows);
			*r = row_of_none(of, pairs[0]);
		}
		r->limit = limit;
		r->limit_text = pairs[1];
	}
	return 0;
}

static const char *const *limits_of(const struct compare_limits *l, const char *scenario)
{
	for (; l && l->scenario; l++)
		if (strcmp(l->scenario, scenario) == 0)
			return l->pairs;
	return NULL;
}

/* ---- the part ---- */

/* The order in which rows are read: limits, regressions, what moved, the rest. */
static int rank(const struct judge_row *r)
{
	static const char *const with_limit[] = {VERDICT_REGRESSION, VERDICT_LOOKS_WORSE,
		VERDICT_CANNOT_TELL, VERDICT_NOT_COMPARED, VERDICT_BETTER, VERDICT_MOVED,
		VERDICT_OK};
	static const char *const without[] = {VERDICT_REGRESSION, VERDICT_LOOKS_WORSE,
		VERDICT_BETTER, VERDICT_MOVED, VERDICT_CANNOT_TELL, VERDICT_OK, VERDICT_SAME};
	const char *const *order = r->limit_text ? with_limit : without;
	int place = 0;

	while (place < 7 && strcmp(r->out->verdict, order[place]) != 0)
		place++;
	return (r->limit_text ? 0 : 10) + place;
}

/* How far it moved: counts by how many, as the work of both sides is one, batches by their share.
 */
static double size_of_change(const struct judge_row *r)
{
	double base = isnan(r->out->base_median) ? 0 : r->out->base_median;
	double new = isnan(r->out->new_median) ? 0 : r->out->new_median;

	if (r->metric->kind == METRIC_BATCH)
		return isnan(r->out->change) ? HUGE_VAL : fabs(r->out->change);
	return fabs(new - base);
}

/* Calls before bytes. */
static int class_of(const struct judge_row *r)
{
	return 2 * (int)r->metric->kind + (*r->metric->unit != '\0');
}

static int row_cmp(const void *a, const void *b)
{
	const struct judge_row *x = a, *y = b;
	double dx = size_of_change(x), dy = size_of_change(y);

	if (rank(x) != rank(y))
		return rank(x) < rank(y) ? -1 : 1;
	if (class_of(x) != class_of(y))
		return class_of(x) < class_of(y) ? -1 : 1;
	if (dx != dy)
		return dx > dy ? -1 : 1;
	return strcmp(x->metric->name, y->metric->name);
}

static void tell_rules(struct sentences *s, const struct judge_rules *r)
{
	if (r->counts)
		sentence(s, "counts and times are not compared: %s (--force does it)", r->counts);
	if (r->batches)
		sentence(s, "batch sizes are not compared: %s", r->batches);
	if (r->times && (!r->counts || strcmp(r->times, r->counts) != 0))
		sentence(s, "times are not compared: %s", r->times);
	if (r->samples)
		sentence(s, "CPU time is not compared: %s", r->samples);
}

static void tell_runs(
	struct sentences *s, const struct res_compare_part *part, enum judge_work work)
{
	if (part->base_runs < JUDGE_RUNS_EXACT || part->new_runs < JUDGE_RUNS_EXACT)
		sentence(s,
			"counts are described, not judged: %llu and %llu runs, exact counts need "
			"%d a side",
			(unsigned long long)part->base_runs, (unsigned long long)part->new_runs,
			JUDGE_RUNS_EXACT);
	else if (work == WORK_SIDES || work == WORK_VARIES)
		sentence(s, "the runs did not do the same work: counts that grow with it are "
			    "judged per unit of it");
}

/* Who does nothing makes no calls, and is no better. Of one who serves others, the less the more
 * slowly it does so. */
static void tell_less(struct sentences *s, struct rows *rows, const struct side_part *base)
{
	const struct judge_row *calls = row_named(rows, "calls");
	const struct result_head head = result_head(base->runs.at[0]);
	const char *less = NULL;

	if (!calls || rows->work != WORK_UNKNOWN || head.work)
		return;
	if (calls->out->new_median < calls->out->base_median / 2)
		less = "less than half of the base's calls";
	else if ((head.load || head.attached) && !strcmp(calls->out->verdict, VERDICT_BETTER))
		less = "fewer calls than the base";
	if (less)
		sentence(s,
			"new makes %s: whether it did the same work is not known (--work tells)",
			less);
}

/* What looks worse is as good a reason for what is. */
static int has_verdict(const struct judge_row *r, const char *verdict)
{
	return !strcmp(r->out->verdict, verdict) ||
	       (!strcmp(verdict, VERDICT_REGRESSION) &&
		       !strcmp(r->out->verdict, VERDICT_LOOKS_WORSE));
}

/* Calls that only one side makes, in any of its runs, where nothing else explains them. */
static void tell_new(
	struct sentences *s, const struct rows *rows, const char *verdict, const char *what)
{
	cleanup_free char *names = mem_strdup("");

	for (size_t i = 0; i < rows->len; i++) {
		const struct res_compare_metric *m = rows->at[i].out;
		const char *call = rows->at[i].metric->call, *figure = strrchr(m->name, '.');

		if (!call || m->cause || !has_verdict(&rows->at[i], verdict) ||
			(m->base_max != 0 && m->new_max != 0) || !figure ||
			(strcmp(figure, ".calls") != 0 && strcmp(figure, ".per_work") != 0))
			continue;
		text_append(&names, ", ", call);
	}
	if (*names)
		sentence(s, "%s: %s", what, names);
}

static void tell_why(struct sentences *s, struct rows *rows, const struct side_part *base,
	const struct side_part *new)
{
	const struct judge_row *crashed = row_named(rows, "crashed");
	const char *told[CALLS_TOLD];
	size_t n = 0;

	if (crashed && has_verdict(crashed, VERDICT_REGRESSION))
		why_crashed(s, base, new);
	if (base->kind->schema == &schema_cpu)
		why_cpu(s, base, new);
	else if (base->kind->schema == &schema_memory)
		why_heap(s, base, new);
	for (size_t i = 0; i < rows->len && n < CALLS_TOLD; i++) {
		const struct judge_row *r = &rows->at[i];
		int known = 0;

		if (!has_verdict(r, VERDICT_REGRESSION) || !r->metric->call || r->out->cause)
			continue;
		for (size_t k = 0; k < n; k++)
			known |= strcmp(told[k], r->metric->call) == 0;
		if (known)
			continue;
		told[n++] = r->metric->call;
		why_call(s, base, new, r->metric->call);
	}
	if (new->kind->schema == &schema_result)
		why_quiet(s, base, new, told, n);
	tell_new(s, rows, VERDICT_REGRESSION, "new, the base never calls it");
	tell_new(s, rows, VERDICT_BETTER, "not called any more");
}

static void begin_rows(struct compare *c, struct rows *rows)
{
	void *doc = c->doc;
	struct arena *a = result_arena(doc);

	for (size_t i = 0; i < rows->len; i++) {
		struct judge_row *r = &rows->at[i];

		r->out = RES_OBJ(doc, compare_metric);
		r->out->name = arena_strdup(a, r->metric->name);
		r->out->unit = arena_strdup(a, r->metric->unit);
		r->out->limit = arena_strdup(a, r->limit_text);
	}
}

static void keep_rows(struct compare *c, struct res_compare_part *part, const struct rows *rows)
{
	RES_LIST((void *)c->doc, &part->metrics, rows->len, compare_metric);
	for (size_t i = 0; i < rows->len; i++)
		part->metrics.at[i] = *rows->at[i].out;
}

static int is_judged(const struct res_compare_metric *m)
{
	return !strcmp(m->verdict, VERDICT_REGRESSION) || !strcmp(m->verdict, VERDICT_OK) ||
	       !strcmp(m->verdict, VERDICT_BETTER) ||
	       (!strcmp(m->verdict, VERDICT_SAME) && strcmp(m->kind, "described") != 0);
}

static void count_verdicts(struct compare *c, const struct rows *rows)
{
	for (size_t i = 0; i < rows->len; i++) {
		const char *v = rows->at[i].out->verdict;
		int regression = !strcmp(v, VERDICT_REGRESSION);
		int untold = rows->at[i].limit_text ? !regression && strcmp(v, VERDICT_OK) != 0 &&
							      strcmp(v, VERDICT_BETTER) != 0
						    : c->options->fail_on == FAIL_ON_REGRESSIONS &&
							      !strcmp(v, VERDICT_LOOKS_WORSE);

		if (regression && !rows->at[i].out->cause &&
			(c->options->fail_on == FAIL_ON_REGRESSIONS || rows->at[i].limit_text))
			c->doc->regressions++;
		c->doc->judged += (uint64_t)is_judged(rows->at[i].out);
		if (untold && !c->doc->status)
			c->doc->status = COMPARE_CANNOT_TELL;
	}
}

static int has_ended_otherwise(const struct res_compare_part *part)
{
	for (size_t i = 0; i < part->runs.len; i++)
		if (!strcmp(part->runs.at[i].verdict, VERDICT_REGRESSION))
			return 1;
	return 0;
}

static int has_more_crashes(struct rows *rows)
{
	const struct judge_row *r = row_named(rows, "crashed");

	return r && r->out->new_median > r->out->base_median;
}

/* Who crashes makes fewer calls, which is nothing better. */
static void withdraw_praise(struct rows *rows)
{
	for (size_t i = 0; i < rows->len; i++)
		if (!strcmp(rows->at[i].out->verdict, VERDICT_BETTER))
			rows->at[i].out->verdict = VERDICT_MOVED;
}

static void count_findings(struct compare *c, const struct res_compare_part *part)
{
	c->ended |= has_ended_otherwise(part);
	for (size_t i = 0; i < part->runs.len; i++) {
		c->doc->regressions += !strcmp(part->runs.at[i].verdict, VERDICT_REGRESSION);
		c->doc->troubles += !strcmp(part->runs.at[i].verdict, VERDICT_TROUBLE);
	}
}

static void count_causes(struct compare *c, const struct res_compare_part *part)
{
	for (size_t i = 0; i < part->causes.len; i++)
		c->doc->regressions += c->options->fail_on == FAIL_ON_REGRESSIONS &&
				       !strcmp(part->causes.at[i].verdict, VERDICT_REGRESSION);
}

/* sides: NULL for limits on one alone. */
static void judge_part(struct compare *c, struct res_compare_part *part, struct rows *rows,
	const struct judge_rules *rules, const struct side_part *const sides[2])
{
	struct judge j = {c->doc, rows->work, rules, rows->at, rows->len, c->options->in_turns};
	struct causes causes = {0};

	begin_rows(c, rows);
	judge_all(&j);
	if (has_ended_otherwise(part) || has_more_crashes(rows))
		withdraw_praise(rows);
	if (sides)
		causes_find(&j, sides[0], sides[1], &causes);
	causes_into(c->doc, &causes, part);
	if (rows->len)
		qsort(rows->at, rows->len, sizeof(*rows->at), row_cmp);
	keep_rows(c, part, rows);
	count_verdicts(c, rows);
	count_causes(c, part);
}

static int compare_part(struct compare *c, struct res_compare_part *part,
	const struct side_part *base, const struct side_part *new, struct err *err)
{
	struct judge_rules rules = made_rules(base, new, c->options->force);
	struct sentences why = {.doc = c->doc}, notes = {.doc = c->doc};
	struct arena *a = result_arena(c->doc);
	cleanup_free char *was = made_program(base), *is = made_program(new);
	struct metrics b, n;
	struct rows rows = {0};
	int rc;

	metrics_read(base, &b);
	metrics_read(new, &n);
	part->scenario = arena_strdup(a, new->scenario);
	part->type = new->kind->id;
	part->base = arena_strdup(a, was);
	part->new = arena_strdup(a, is);
	part->base_runs = b.runs;
	part->new_runs = n.runs;
	runs_judge(c->doc, base, new, part);
	count_findings(c, part);
	add_rows(&rows, &b, &b, &n);
	add_rows(&rows, &n, &b, &n);
	rc = add_limits(limits_of(c->options->limits, new->scenario),
		&(struct limited){{base, new}, {&b, &n}}, &rows, err);
	rows.work = work_of(&b, &n);
	drop_repeated(&rows);
	if (rc == 0) {
		judge_part(c, part, &rows, &rules, (const struct side_part *const[]){base, new});
		tell_rules(&notes, &rules);
		if (!rules.counts)
			tell_runs(&notes, part, rows.work);
		tell_less(&notes, &rows, base);
		tell_why(&why, &rows, base, new);
	}
	sentences_into(&why, &part->why);
	sentences_into(&notes, &part->notes);
	free(rows.at);
	metrics_release(&b);
	metrics_release(&n);
	made_release(&rules);
	return rc;
}

/* ---- one side alone ---- */

static int budget_part(struct compare *c, struct res_compare_part *part,
	const struct side_part *new, const char *const *pairs, struct err *err)
{
	struct metrics n, none = {0};
	struct judge_rules rules = made_rules_alone(new);
	struct sentences notes = {.doc = c->doc}, why = {.doc = c->doc};
	struct rows all = {0}, limited = {0};
	int rc;

	metrics_read(new, &n);
	part->scenario = arena_strdup(result_arena(c->doc), new->scenario);
	part->type = new->kind->id;
	part->new_runs = n.runs;
	runs_check(c->doc, new, part);
	add_rows(&all, &n, &none, &n);
	rc = add_limits(pairs, &(struct limited){{NULL, new}, {NULL, &n}}, &all, err);
	/* "+2%" needs a base. */
	for (size_t i = 0; i < all.len; i++)
		if (all.at[i].limit_text && all.at[i].limit.op != LIMIT_WORSE)
			*VEC_PUSH(&limited) = all.at[i];
	if (rc == 0) {
		judge_part(c, part, &limited, &rules, NULL);
		tell_rules(&notes, &rules);
	}
	sentences_into(&notes, &part->notes);
	sentences_into(&why, &part->why);
	free(all.at);
	free(limited.at);
	metrics_release(&n);
	made_release(&rules);
	return rc;
}

/* ---- all of them ---- */

static void tell_alone(
	struct compare *c, const struct side *of, const struct side *other, struct res_strs *list)
{
	struct sentences s = {.doc = c->doc};

	for (size_t i = 0; i < of->parts.len; i++)
		if (!side_find(other, of->parts.at[i].scenario, of->parts.at[i].kind))
			sentence(&s, "%s %s", of->parts.at[i].scenario, of->parts.at[i].kind->id);
	sentences_into(&s, list);
}

/* ---- limits on what is not there ---- */

struct lookup {
	const struct side *sides[2];
	const char *scenario;
};

/* 1 if that side has results of the scenario that can hold the figure. */
static int has_figure(const struct lookup *l, int side, const char *name)
{
	const struct side *s = l->sides[side];

	for (size_t i = 0; i < s->parts.len; i++)
		if (strcmp(s->parts.at[i].scenario, l->scenario) == 0 &&
			metric_is_of(name, s->parts.at[i].kind->schema))
			return 1;
	return 0;
}

/* 1 if both sides have one type that can hold it: it is judged there. */
static int is_compared(const struct lookup *l, const char *name)
{
	const struct side *s = l->sides[0];

	for (size_t i = 0; i < s->parts.len; i++)
		if (strcmp(s->parts.at[i].scenario, l->scenario) == 0 &&
			metric_is_of(name, s->parts.at[i].kind->schema) &&
			side_find(l->sides[1], l->scenario, s->parts.at[i].kind))
			return 1;
	return 0;
}

static int is_asked_about(const struct compare *c, const struct lookup *l, const char *name)
{
	const struct compare_options *o = c->options;

	if (o->scenario && strcmp(o->scenario, l->scenario) != 0)
		return 0;
	if (o->schema && !metric_is_of(name, o->schema))
		return 0;
	return !o->only_found || has_figure(l, 0, name) || has_figure(l, 1, name);
}

struct untold {
	struct res_compare_finding *at;
	size_t len, cap;
};

/* Nothing could be judged of what both sides have; of a CPU profile, which has no counts, that is
 * usual with few runs, and of no weight beside what was. */
static int is_untold(const struct compare *c, const struct res_compare_part *p)
{
	int judged = !p->base || (c->doc->judged && !strcmp(p->type, "cpu"));

	for (size_t i = 0; i < p->metrics.len; i++)
		judged |= is_judged(&p->metrics.at[i]);
	return !judged;
}

/* It is not to pass because something else could be judged; where nothing could, it is why. */
static void find_untold(struct compare *c, struct untold *found)
{
	if (c->doc->judged && c->options->fail_on != FAIL_ON_REGRESSIONS)
		return;
	for (size_t i = 0; i < c->doc->parts.len; i++) {
		const struct res_compare_part *p = &c->doc->parts.at[i];

		if (is_untold(c, p))
			*VEC_PUSH(found) = (struct res_compare_finding){VERDICT_CANNOT_TELL,
				arena_printf(result_arena(c->doc),
					"%s %s: nothing of it could be judged%s%s", p->scenario,
					p->type, p->notes.len ? ": " : "",
					p->notes.len ? p->notes.at[0] : "")};
	}
}

static void find_missing(struct compare *c, const struct side *base, const struct side *new)
{
	static const char *const whose[] = {"neither side has", "the new side does not have",
		"the base does not have", "the sides do not both have"};
	struct untold found = {0};
	struct arena *a = result_arena(c->doc);

	find_untold(c, &found);

	for (const struct compare_limits *s = c->options->limits; s && s->scenario; s++) {
		const struct lookup l = {{base, new}, s->scenario};

		for (const char *const *p = s->pairs; p && p[0]; p += 2) {
			int has = has_figure(&l, 0, p[0]) + 2 * has_figure(&l, 1, p[0]);

			if (is_compared(&l, p[0]) || !is_asked_about(c, &l, p[0]) ||
				(c->options->allow_new && has == 2))
				continue;
			*VEC_PUSH(&found) = (struct res_compare_finding){VERDICT_CANNOT_TELL,
				arena_printf(a, "%s: %s has the limit %s, and %s results of it",
					s->scenario, p[0], p[1], whose[has])};
		}
	}
	RES_LIST((void *)c->doc, &c->doc->missing, found.len, compare_finding);
	for (size_t i = 0; i < found.len; i++)
		c->doc->missing.at[i] = found.at[i];
	free(found.at);
	if (c->doc->missing.len)
		c->doc->status = COMPARE_CANNOT_TELL;
}

/* A gate of limits that has none lets everything through, and should not look as if it did not. */
static void tell_no_limits(struct compare *c)
{
	for (size_t i = 0; i < c->doc->parts.len; i++) {
		struct res_compare_part *p = &c->doc->parts.at[i];
		int any = 0;

		for (size_t k = 0; k < p->metrics.len; k++)
			any |= p->metrics.at[k].limit != NULL;
		if (!any && c->options->fail_on == FAIL_ON_LIMITS)
			result_append(c->doc, &p->notes,
				"no figure of this has a limit: with --fail-on limits nothing of "
				"it "
				"can fail but how its runs ended");
	}
}

static void set_status(struct compare *c)
{
	if (c->options->fail_on == FAIL_ON_NOTHING)
		c->doc->status = COMPARE_OK;
	else if (c->ended || (c->doc->regressions && !c->doc->troubles))
		c->doc->status = COMPARE_REGRESSION;
	else if (c->doc->troubles)
		c->doc->status = COMPARE_TROUBLE;
	else if (!c->doc->judged && c->both)
		c->doc->status = COMPARE_CANNOT_TELL;
}

static struct compare begin(const struct compare_options *options)
{
	struct compare c = {.doc = result_make(&schema_compare), .options = options};

	c.doc->status = c.doc->regressions = c.doc->troubles = c.doc->judged = 0;
	return c;
}

static int end(struct compare *c, int rc, struct res_compare **ret)
{
	if (rc < 0) {
		result_free(c->doc);
		return rc;
	}
	set_status(c);
	*ret = c->doc;
	return 0;
}

static int add_part(
	struct compare *c, const struct side *base, const struct side_part *new, struct err *err)
{
	const struct side_part *b = side_find(base, new->scenario, new->kind);
	struct res_compare_part *part = &c->doc->parts.at[c->doc->parts.len];
	int rc = 0;

	if (!b && !c->options->allow_new)
		return 0;
	c->doc->parts.len++;
	if (b) {
		c->both++;
		return compare_part(c, part, b, new, err);
	}
	rc = budget_part(c, part, new, limits_of(c->options->limits, new->scenario), err);
	count_findings(c, part);
	return rc;
}

/* "dns io, relay cpu and 3 more"; free(). */
static char *named(const struct compare *c, const struct res_strs *alone)
{
	enum { SHOWN = 4 };
	const char *scenario = c->options->scenario;
	char *text = mem_strdup("");

	if (!alone->len) {
		text_append(&text, "", scenario ? "none of scenario " : "none");
		text_append(&text, "", scenario ? scenario : "");
	}
	for (size_t i = 0; i < alone->len && i < SHOWN; i++)
		text_append(&text, ", ", alone->at[i]);
	if (alone->len > SHOWN) {
		cleanup_free char *more = mem_printf(" and %zu more", alone->len - SHOWN);

		text_append(&text, "", more);
	}
	return text;
}

static int nothing_in_common(
	const struct compare *c, const struct side *base, const struct side *new, struct err *err)
{
	cleanup_free char *of_base = named(c, &c->doc->only_base);
	cleanup_free char *of_new = named(c, &c->doc->only_new);

	return err_set(err, -ENOENT,
		"no scenario and type that both %s and %s have: base has %s; new has %s",
		base->label, new->label, of_base, of_new);
}

int compare_sides(const struct side *base, const struct side *new,
	const struct compare_options *options, struct res_compare **ret, struct err *err)
{
	struct compare c = begin(options);
	int rc = 0;

	c.doc->base = arena_strdup(result_arena(c.doc), base->label);
	c.doc->new = arena_strdup(result_arena(c.doc), new->label);
	tell_alone(&c, base, new, &c.doc->only_base);
	tell_alone(&c, new, base, &c.doc->only_new);
	RES_LIST((void *)c.doc, &c.doc->parts, new->parts.len, compare_part);
	c.doc->parts.len = 0;
	for (size_t i = 0; rc == 0 && i < new->parts.len; i++)
		rc = add_part(&c, base, &new->parts.at[i], err);
	find_missing(&c, base, new);
	tell_no_limits(&c);
	if (rc == 0 && !c.doc->parts.len && !c.doc->missing.len)
		rc = nothing_in_common(&c, base, new, err);
	return end(&c, rc, ret);
}

int compare_budgets(const struct side *new, const struct compare_limits *limits,
	struct res_compare **ret, struct err *err)
{
	static const struct compare_options options = {.fail_on = FAIL_ON_LIMITS};
	struct compare c = begin(&options);
	size_t parts = 0;
	int rc = 0;

	c.doc->new = arena_strdup(result_arena(c.doc), new->label);
	RES_LIST((void *)c.doc, &c.doc->parts, new->parts.len, compare_part);
	for (size_t i = 0; rc == 0 && i < new->parts.len; i++) {
		const struct side_part *n = &new->parts.at[i];
		const char *const *pairs = limits_of(limits, n->scenario);

		if (!pairs || !pairs[0])
			continue;
		rc = budget_part(&c, &c.doc->parts.at[parts], n, pairs, err);
		count_findings(&c, &c.doc->parts.at[parts++]);
	}
	c.doc->parts.len = parts;
	return end(&c, rc, ret);
}
