/* SPDX-License-Identifier: GPL-3.0-only */
/* The first screen: what tracing did, what limits the batches, what to change first, what a
 * comparison says. The rest of the page is what this rests on. */
#include <math.h>
#include <string.h>

#include "common/base/units.h"
#include "common/report/report_page.h"
#include "common/view/view_parts.h"

#define CHANGES_MAX 5   /* figures of the comparison */
#define MOST        0.5 /* of the heap */

/* ---- a traced run ---- */

/* Of the summary's head, what its reader must know first. */
static int comes_first(const struct doc_block *b)
{
	return b->kind == DOC_PAIR &&
	       (!strcmp(b->a, "tracing") || !strcmp(b->a, "times") || !strcmp(b->a, "WARNING"));
}

static void tracing(struct doc *d, const struct doc *summary)
{
	for (size_t i = 0; i < summary->blocks.len; i++)
		if (comes_first(&summary->blocks.at[i]))
			doc_pair(d, summary->blocks.at[i].a, "%s", summary->blocks.at[i].b);
}

struct analyze_scenario report_scenario(const struct report *r)
{
	return (struct analyze_scenario){.name = report_name(r),
		.io = r->io,
		.cpu = r->cpu,
		.memory = r->memory,
		.io_runs = &r->io_runs,
		.io_file = r->io_path,
		.cpu_file = r->cpu_path,
		.memory_file = r->memory_path};
}

static void io(struct doc *d, const struct report *r, const struct doc *summary)
{
	struct analyze_scenario s = report_scenario(r);
	struct ease_table ease = r->ease ? *r->ease : ease_defaults();

	tracing(d, summary);
	analyze_answer(d, &s, &ease);
}

/* ---- profiles ---- */

static void cpu(struct doc *d, const struct res_cpu *c)
{
	const struct res_cpu_function *f =
		c->functions_by_self.len ? c->functions_by_self.at : NULL;
	double share = f ? report_cpu_share(c, f->self_share) : NAN;
	char percent[DOC_PERCENT_BUF];

	if (!f || isnan(share))
		doc_pair(d, "CPU", "too few samples to say where its time goes");
	else
		doc_pair(d, "CPU", "%s of the samples are in %s itself",
			doc_percent(percent, share), view_name(f->name));
}

static void heap(struct doc *d, const struct res_memory *m)
{
	const struct res_memory_site *s = m->sites.len ? m->sites.at : NULL;
	const char *moment = view_tree_moment(d, m), *held = "";
	char percent[DOC_PERCENT_BUF], bytes[UNITS_BUF];

	/* With what the allocator adds, of which the shares are. */
	if (!m->peak || m->peak->total_bytes == U64_NONE)
		return;
	if (s && !isnan(s->share))
		held = arena_printf(&d->arena, "; %s is held by %s, %s%s%s",
			s->share > MOST ? "most" : "the largest part", view_name(s->function),
			doc_percent(percent, s->share),
			strcmp(moment, "the peak") != 0 ? ", by the tree of " : "",
			strcmp(moment, "the peak") != 0 ? moment : "");
	doc_pair(d, "heap", "%s at the peak%s", units_bytes(bytes, m->peak->total_bytes), held);
}

/* ---- the comparison ---- */

static void changes(struct doc *d, const struct res_compare_part *part)
{
	size_t n = 0, more = 0;

	for (size_t i = 0; i < part->runs.len; i++)
		if (part->runs.at[i].text && part->runs.at[i].verdict &&
			strcmp(part->runs.at[i].verdict, "note") != 0)
			doc_note(d, "%s, %s: %s.", part->runs.at[i].verdict, view_name(part->type),
				part->runs.at[i].text);
	for (size_t i = 0; i < part->metrics.len; i++) {
		const struct res_compare_metric *m = &part->metrics.at[i];

		if (!m->verdict || strcmp(m->verdict, "REGRESSION") != 0)
			continue;
		if (n++ >= CHANGES_MAX)
			more++;
		else if (isnan(m->change))
			doc_note(d, "REGRESSION: %s.", view_name(m->name));
		else
			doc_note(d, "REGRESSION: %s %+.1f%%.", view_name(m->name), m->change * 100);
	}
	if (more)
		doc_note(d, "and %s more.", view_plural(d, more, "regression"));
}

static int is_of(const struct res_compare_part *part, const struct report *r)
{
	return !part->scenario || !*report_name(r) || !strcmp(part->scenario, report_name(r));
}

static void comparison(struct doc *d, const struct report *r)
{
	static const char *const words[] = {
		"no regression", "a regression", "the runs cannot be trusted", "cannot tell"};
	const struct res_compare *c = r->compare;

	doc_pair(d, "comparison", "%s against %s: %s; %s judged", view_name(c->new),
		view_name(c->base), c->status < 4 ? words[c->status] : "not known",
		view_plural(d, view_zero(c->judged), "figure"));
	for (size_t i = 0; i < c->parts.len; i++)
		if (is_of(&c->parts.at[i], r))
			changes(d, &c->parts.at[i]);
}

void report_answer(struct doc *d, const struct report *r, const struct doc *summary)
{
	if (r->io)
		io(d, r, summary);
	if (r->cpu)
		cpu(d, r->cpu);
	if (r->memory)
		heap(d, r->memory);
	if (r->compare)
		comparison(d, r);
}
