/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/compare/cause.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "common/compare/stats.h"

/* ---- the processes of a side ---- */

/* The name of the process of each thread of each run: that of its first thread. */
struct processes {
	const struct side_part *part;
	const char *target;  /* what the target, and what it forked, is called here, whatever its
				file is called on each side */
	const char ***names; /* by run and thread */
};

static const struct res_result *run_at(const struct processes *p, size_t run)
{
	return p->part->runs.at[run];
}

/* Of a name in that run. */
static const char *name_here(const struct processes *p, size_t run, const char *name)
{
	return strcmp(name, result_target_name(run_at(p, run))) == 0 ? p->target : name;
}

static void processes_read(struct processes *p, const struct side_part *part, const char *target)
{
	*p = (struct processes){part, target, mem_calloc(part->runs.len + 1, sizeof(*p->names))};
	for (size_t run = 0; run < part->runs.len; run++) {
		const struct res_result *r = run_at(p, run);

		p->names[run] = mem_calloc(r->threads.len + 1, sizeof(**p->names));
		for (size_t i = 0; i < r->threads.len; i++)
			p->names[run][i] =
				name_here(p, run, result_process_name(r, r->threads.at[i].pid));
	}
}

static void processes_release(struct processes *p)
{
	for (size_t run = 0; run < p->part->runs.len; run++)
		free(p->names[run]);
	free(p->names);
}

/* ---- what processes of a name did in a run ---- */

enum of { OF_CALLS, OF_ERRORS, OF_BYTES, OF_THREADS, OF_PROCESSES, OF_CRASHED };

static double known(uint64_t v)
{
	return v == U64_NONE ? 0 : (double)v;
}

/* Over the thread's calls of that name; NULL: all. */
static double thread_sum(const struct res_thread *t, const char *call, enum of of)
{
	double sum = 0;

	for (size_t i = 0; i < t->syscalls.len; i++) {
		const struct res_part *c = &t->syscalls.at[i];

		if (call && (!c->name || strcmp(c->name, call) != 0))
			continue;
		sum += known(of == OF_BYTES ? c->bytes : of == OF_ERRORS ? c->errors : c->calls);
	}
	return sum;
}

static int is_called(const struct processes *p, size_t run, const char *there, const char *name)
{
	return there && !strcmp(name_here(p, run, there), name);
}

/* Of the whole run. by: of what processes of this name made; NULL: of all. */
static double program_sum(
	const struct processes *p, size_t run, const char *name, const char *by, enum of of)
{
	const struct res_result *r = run_at(p, run);
	double sum = 0;

	for (size_t i = 0; i < r->programs.len; i++) {
		const struct res_program *g = &r->programs.at[i];

		if (is_called(p, run, g->name, name) &&
			(!by || is_called(p, run, g->started_by, by)))
			sum += known(of == OF_THREADS   ? g->threads
				     : of == OF_CRASHED ? g->crashed
							: g->processes);
	}
	return sum;
}

static double run_sum(
	const struct processes *p, size_t run, const char *name, const char *call, enum of of)
{
	const struct res_result *r = run_at(p, run);
	double sum = 0;

	if (of >= OF_THREADS)
		return program_sum(p, run, name, NULL, of);
	for (size_t i = 0; i < r->threads.len; i++) {
		if (strcmp(p->names[run][i], name) != 0)
			continue;
		sum += thread_sum(&r->threads.at[i], call, of);
	}
	return sum;
}

/* The median of all runs. */
static double side_sum(const struct processes *p, const char *name, const char *call, enum of of)
{
	double *v = mem_calloc(p->part->runs.len + 1, sizeof(*v)), median;

	for (size_t run = 0; run < p->part->runs.len; run++)
		v[run] = run_sum(p, run, name, call, of);
	median = stats_median(v, p->part->runs.len);
	free(v);
	return median;
}

/* How many such processes every run of the side has; -1: they differ. */
static double constant_processes(const struct processes *p, const char *name, const char *by)
{
	double first = -1;

	for (size_t run = 0; run < p->part->runs.len; run++) {
		double n = program_sum(p, run, name, by, OF_PROCESSES);

		if (run && n != first)
			return -1;
		first = n;
	}
	return first;
}

/* ---- causes ---- */

struct search {
	const struct judge *j;
	struct processes base, new;
	struct {
		const char **at;
		size_t len, cap;
	} names;
};

static double extra(const struct search *s, const char *name, const char *call, enum of of)
{
	return side_sum(&s->new, name, call, of) - side_sum(&s->base, name, call, of);
}

static void add_names(struct search *s, const struct processes *p)
{
	for (size_t run = 0; run < p->part->runs.len; run++) {
		const struct res_result *r = run_at(p, run);

		for (size_t i = 0; i < r->programs.len; i++) {
			const char *name = r->programs.at[i].name;
			size_t k = 0;

			if (!name)
				continue;
			name = name_here(p, run, name);
			while (k < s->names.len && strcmp(s->names.at[k], name) != 0)
				k++;
			if (k == s->names.len)
				*VEC_PUSH(&s->names) = name;
		}
	}
}

static void search_begin(struct search *s, const struct judge *j, const struct side_part *base,
	const struct side_part *new)
{
	const struct res_result *first = new->runs.at[0];
	const char *target = result_target_name(first);

	*s = (struct search){.j = j};
	processes_read(&s->base, base, target);
	processes_read(&s->new, new, target);
	add_names(s, &s->base);
	add_names(s, &s->new);
}

static void search_end(struct search *s)
{
	free(s->names.at);
	processes_release(&s->base);
	processes_release(&s->new);
}

/* Who starts all that are more than in the base; NULL: several do, or themselves, or it is not
 * known. */
static const char *starter(const struct search *s, const char *started, double more)
{
	const struct res_result *r = run_at(&s->new, 0);

	for (size_t i = 0; i < r->programs.len; i++) {
		const struct res_program *g = &r->programs.at[i];
		const char *by = g->started_by ? name_here(&s->new, 0, g->started_by) : started;

		if (is_called(&s->new, 0, g->name, started) && strcmp(by, started) != 0 &&
			constant_processes(&s->new, started, by) -
					constant_processes(&s->base, started, by) ==
				more)
			return by;
	}
	return NULL;
}

/* A file of somebody else's may hold any number. */
static uint64_t whole_calls(const struct search *s, const char *name)
{
	double calls = fabs(extra(s, name, NULL, OF_CALLS));

	return calls < 1e18 ? (uint64_t)calls : (uint64_t)1e18;
}

/* What has become of the processes of that name. was, is: how many each run has. */
static char *change_text(const struct search *s, const char *name, double was, double is)
{
	const char *by = is > was ? starter(s, name, is - was) : NULL;

	if (is < was)
		return is > 0 ? mem_printf("fewer of them started (%.0f -> %.0f)", was, is)
			      : mem_strdup("not started any more");
	if (was > 0)
		return mem_printf("more of them (%.0f -> %.0f)%s%s", was, is,
			by ? ", started by " : "", by ? by : "");
	return by ? mem_printf("started by %s", by) : mem_strdup("a new process");
}

static const char *cause_text(
	const struct search *s, const char *name, double was, double is, uint64_t calls)
{
	const double many = fabs(is - was);
	cleanup_free char *number = many > 1 ? mem_printf("%.0f x ", many) : mem_strdup("");
	cleanup_free char *change = change_text(s, name, was, is);
	const char *whose = many > 1 ? "their" : "its";
	char text[UNITS_BUF];

	if (!calls)
		return arena_printf(result_arena(s->j->doc), "%s%s, %s: none of %s calls counted",
			number, name, change, whose);
	units_thousands(text, calls);
	return arena_printf(result_arena(s->j->doc), "%s%s, %s: %s %s calls", number, name, change,
		whose, text);
}

/* How much of the row's change the processes of that name make; NAN: they have no part in it. */
static double explained(const struct search *s, const struct judge_row *r, const char *name)
{
	const char *figure = strrchr(r->metric->name, '.');

	if (!strcmp(r->metric->name, "processes"))
		return extra(s, name, NULL, OF_PROCESSES);
	if (!strcmp(r->metric->name, "threads"))
		return extra(s, name, NULL, OF_THREADS);
	if (!strcmp(r->metric->name, "calls"))
		return extra(s, name, NULL, OF_CALLS);
	if (!r->metric->call || !figure)
		return NAN;
	if (!strcmp(figure, ".calls"))
		return extra(s, name, r->metric->call, OF_CALLS);
	if (!strcmp(figure, ".errors"))
		return extra(s, name, r->metric->call, OF_ERRORS);
	if (!strcmp(figure, ".bytes"))
		return extra(s, name, r->metric->call, OF_BYTES);
	return NAN;
}

static int is_changed(const struct judge_row *r)
{
	return !r->limit_text && (!strcmp(r->out->verdict, VERDICT_REGRESSION) ||
					 !strcmp(r->out->verdict, VERDICT_LOOKS_WORSE) ||
					 !strcmp(r->out->verdict, VERDICT_BETTER) ||
					 !strcmp(r->out->verdict, VERDICT_MOVED));
}

/* What is left of a change after its cause is none: nothing of an exact count, of others less than
 * would matter. Of the whole there is a row for each call that has something left. */
static int is_explained(const struct search *s, const struct judge_row *r, const char *name)
{
	double base = isnan(r->out->base_median) ? 0 : r->out->base_median;
	double change = r->out->new_median - base, by, left;

	if (!is_changed(r))
		return 0;
	by = explained(s, r, name);
	left = change - by;
	if (!(by * change > 0))
		return 0;
	if (!r->metric->call && !strcmp(r->metric->name, "calls"))
		return fabs(by) >= fabs(change) / 2;
	return r->exact ? left == 0 : fabs(left) <= STATS_EFFECT_LEAST * fmax(base, fabs(by));
}

/* The row of a call that only the cause makes takes all other rows of that call with it, but for
 * what is worse though there are fewer of them: that is somebody else's. */
static void explain_others(const struct judge *j, const struct judge_row *calls, const char *text)
{
	const int fewer = calls->out->new_median == 0;

	if (calls->out->base_median != 0 && calls->out->new_median != 0)
		return;
	for (size_t i = 0; i < j->len; i++) {
		struct judge_row *r = &j->rows[i];

		if (r->metric->call && calls->metric->call && is_changed(r) && !r->out->cause &&
			!(fewer && !strcmp(r->out->verdict, VERDICT_REGRESSION)) &&
			!strcmp(r->metric->call, calls->metric->call))
			r->out->cause = text;
	}
}

static void explain(struct search *s, const char *name, double was, double is, struct causes *ret)
{
	const uint64_t calls = whole_calls(s, name);
	const char *text = cause_text(s, name, was, is, calls);
	struct res_compare_cause cause = {
		.text = text, .verdict = is > was ? VERDICT_MOVED : VERDICT_BETTER, .calls = calls};

	for (size_t i = 0; i < s->j->len; i++) {
		struct judge_row *r = &s->j->rows[i];

		if (r->out->cause || !is_explained(s, r, name))
			continue;
		r->out->cause = text;
		if (!strcmp(strchr(r->metric->name, '.') ? strrchr(r->metric->name, '.') : "",
			    ".calls"))
			explain_others(s->j, r, text);
	}
	for (size_t i = 0; i < s->j->len; i++) {
		const struct res_compare_metric *m = s->j->rows[i].out;

		if (m->cause != text)
			continue;
		cause.figures++;
		if (!strcmp(m->verdict, VERDICT_REGRESSION))
			cause.verdict = VERDICT_REGRESSION;
	}
	if (cause.figures)
		*VEC_PUSH(&ret->list) = cause;
}

/* 0: of some run some processes are not known by name, or, of earlier versions, all. */
static int has_all_programs(const struct side_part *part)
{
	for (size_t run = 0; run < part->runs.len; run++) {
		const struct res_result *r = part->runs.at[run];

		for (size_t i = 0; i < r->programs.len; i++)
			if (!r->programs.at[i].name)
				return 0;
		if (!r->programs.len)
			return 0;
	}
	return 1;
}

void causes_find(const struct judge *j, const struct side_part *base, const struct side_part *new,
	struct causes *ret)
{
	struct search s;

	*ret = (struct causes){0};
	if (new->kind->schema != &schema_result || !has_all_programs(base) ||
		!has_all_programs(new))
		return;
	search_begin(&s, j, base, new);
	for (size_t i = 0; i < s.names.len; i++) {
		double was = constant_processes(&s.base, s.names.at[i], NULL);
		double is = constant_processes(&s.new, s.names.at[i], NULL);

		if (was >= 0 && is >= 0 && was != is)
			explain(&s, s.names.at[i], was, is, ret);
	}
	search_end(&s);
}

void why_crashed(struct sentences *to, const struct side_part *base, const struct side_part *new)
{
	struct search s;
	const char *most = NULL;
	double by = 0;

	search_begin(&s, NULL, base, new);
	for (size_t i = 0; i < s.names.len; i++) {
		double more = extra(&s, s.names.at[i], NULL, OF_CRASHED);

		if (more > by) {
			most = s.names.at[i];
			by = more;
		}
	}
	if (most)
		sentence(to, "%s: %g -> %g of its processes crashed", most,
			side_sum(&s.base, most, NULL, OF_CRASHED),
			side_sum(&s.new, most, NULL, OF_CRASHED));
	search_end(&s);
}

void causes_into(void *doc, struct causes *c, struct res_compare_part *ret)
{
	RES_LIST(doc, &ret->causes, c->list.len, compare_cause);
	for (size_t i = 0; i < c->list.len; i++)
		ret->causes.at[i] = c->list.at[i];
	free(c->list.at);
}
