/* SPDX-License-Identifier: GPL-3.0-only */
/* A comparison as people read it: what failed and why first, what else moved after it. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/view/view.h"
#include "common/view/view_figures.h"

#define CHANGE_BUF 96

/* ---- values ---- */

/* The interval of the ratio beside the change of the medians: "+32.1% [+25.0..+39.9]". */
static void cell_change(struct doc *d, struct doc_table *t, const struct res_compare_metric *m)
{
	char interval[CHANGE_BUF] = "";

	if (!isnan(m->ratio_low) && !isnan(m->ratio_high))
		snprintf(interval, sizeof(interval), " [%+.1f..%+.1f]", 100 * (m->ratio_low - 1),
			100 * (m->ratio_high - 1));
	if (m->base_median == m->new_median)
		doc_cell_text(d, t, "0%s", interval);
	else if (isnan(m->change))
		doc_cell_text(d, t, "-");
	else
		doc_cell_text(d, t, "%+.1f%%%s", 100 * m->change, interval);
}

/* ---- tables ---- */

static const struct doc_column columns[] = {
	{"verdict", "", "what came of it", 2, 0},
	{"metric", "metric", "CALL.FIGURE or a figure of the whole run", 2, 0},
	{"base", "base", "median of the runs, least and largest", 0, 0},
	{"new", "new", "median of the runs, least and largest", 0, 0},
	{"change", "change [95%]", "of the medians, and the interval of new/base - 1", 0, 0},
	{"rule", "p(Holm)", "of the exact rank test, after Holm; or the rule behind the verdict", 2,
		0},
};

static void add_row(struct doc *d, struct doc_table *t, const struct res_compare_metric *m)
{
	const double base[3] = {m->base_median, m->base_min, m->base_max};
	const double new[3] = {m->new_median, m->new_min, m->new_max};

	doc_cell_text(d, t, "%s", !strcmp(m->verdict, "REGRESSION") ? "FAIL" : m->verdict);
	doc_cell_text(d, t, "%s", m->name);
	view_figures_cell(d, t, base, m->unit);
	view_figures_cell(d, t, new, m->unit);
	cell_change(d, t, m);
	if (isnan(m->p_holm) || !strcmp(m->verdict, "cannot tell") ||
		!strcmp(m->verdict, "looks worse"))
		doc_cell_text(d, t, "%s", m->why ? m->why : "-");
	else
		doc_cell_text(
			d, t, "%.2g%s%s", m->p_holm, m->why ? ", " : "", m->why ? m->why : "");
}

static int is_judged_away(const struct res_compare_metric *m)
{
	return !strcmp(m->verdict, "REGRESSION") || !strcmp(m->verdict, "better") ||
	       !strcmp(m->verdict, "looks worse");
}

static int is_moved(const struct res_compare_metric *m)
{
	return !strcmp(m->verdict, "moved") || !strcmp(m->verdict, "cannot tell") ||
	       !strcmp(m->name, "wall_time") || !strcmp(m->name, "cpu_time");
}

enum group { GROUP_LIMITS, GROUP_JUDGED, GROUP_MOVED, GROUP_REST, GROUPS };
static const char *const titles[GROUPS] = {"LIMITS", "CHANGED", "ALSO MOVED", "THE REST"};

static enum group group_of(const struct res_compare_metric *m)
{
	if (m->limit)
		return GROUP_LIMITS;
	if (is_judged_away(m))
		return GROUP_JUDGED;
	return is_moved(m) ? GROUP_MOVED : GROUP_REST;
}

/* A file of somebody else's may lack any of them. */
static int is_whole(const struct res_compare_metric *m)
{
	return m->name && m->unit && m->verdict;
}

static struct doc_table *begin_group(struct doc *d, enum group group)
{
	doc_section(d, titles[group]);
	return doc_table(d, "metrics", columns, LEN(columns));
}

/* One row for all that it explains. */
static struct doc_table *add_causes(struct doc *d, const struct res_compare_part *p)
{
	struct doc_table *t = NULL;

	for (size_t i = 0; i < p->causes.len; i++) {
		const struct res_compare_cause *c = &p->causes.at[i];

		if (!c->text || !c->verdict)
			continue;
		if (!t)
			t = begin_group(d, GROUP_JUDGED);
		doc_cell_text(d, t, "%s", !strcmp(c->verdict, "REGRESSION") ? "FAIL" : c->verdict);
		doc_cell_text(d, t, "%s", c->text);
		for (int empty = 0; empty < 3; empty++)
			doc_cell_text(d, t, "-");
		doc_cell_text(d, t, "%llu figures", (unsigned long long)c->figures);
	}
	return t;
}

static size_t add_group(
	struct doc *d, const struct res_compare_part *p, enum group group, size_t most)
{
	struct doc_table *t = group == GROUP_JUDGED ? add_causes(d, p) : NULL;
	size_t n = 0;

	for (size_t i = 0; i < p->metrics.len; i++) {
		const struct res_compare_metric *m = &p->metrics.at[i];

		if (!is_whole(m) || group_of(m) != group || (m->cause && most != SIZE_MAX) ||
			n++ >= most)
			continue;
		if (!t)
			t = begin_group(d, group);
		add_row(d, t, m);
	}
	return n > most ? n - most : 0;
}

static void add_part(struct doc *d, const struct res_compare_part *p, int all)
{
	enum { SHOWN_LIMITS = 1000, SHOWN_JUDGED = 30, SHOWN_MOVED = 8 };
	cleanup_free char *head = mem_printf("%s %s", p->scenario, p->type);
	cleanup_free char *runs = mem_printf("%llu and %llu runs",
		(unsigned long long)(p->base_runs == U64_NONE ? 0 : p->base_runs),
		(unsigned long long)p->new_runs);
	size_t left = 0;

	doc_head(d, head, p->base ? runs : "");
	if (p->base) {
		doc_pair(d, "base", "%s", p->base);
		doc_pair(d, "new", "%s", p->new);
	}
	add_group(d, p, GROUP_LIMITS, SHOWN_LIMITS);
	left = add_group(d, p, GROUP_JUDGED, all ? SIZE_MAX : SHOWN_JUDGED);
	for (size_t i = 0; i < p->why.len; i++)
		doc_note(d, "%s", p->why.at[i]);
	left += add_group(d, p, GROUP_MOVED, all ? SIZE_MAX : SHOWN_MOVED);
	left += add_group(d, p, GROUP_REST, all ? SIZE_MAX : 0);
	for (size_t i = 0; i < p->notes.len; i++)
		doc_note(d, "%s", p->notes.at[i]);
	if (left)
		doc_note(d, "%zu more metric%s (--all)", left, left == 1 ? "" : "s");
}

/* What is wrong with the runs stands above all figures. */
static void add_findings(struct doc *d, const struct res_compare *c, int notes)
{
	for (size_t i = 0; i < c->parts.len; i++) {
		const struct res_compare_part *p = &c->parts.at[i];

		for (size_t k = 0; k < p->runs.len; k++) {
			const struct res_compare_finding *f = &p->runs.at[k];

			if (!f->verdict || !f->text || (strcmp(f->verdict, "note") == 0) != notes)
				continue;
			doc_text(d, "%s %s %s: %s",
				!strcmp(f->verdict, "REGRESSION") ? "FAIL" : f->verdict,
				p->scenario, p->type, f->text);
		}
	}
}

static void add_alone(struct doc *d, const struct res_strs *list, const char *who)
{
	for (size_t i = 0; i < list->len; i++)
		doc_note(d, "%s: only %s has it", list->at[i], who);
}

/* Only with --allow-new; without it that is an error, not a comparison. */
static int has_no_base(const struct res_compare *c)
{
	for (size_t i = 0; i < c->parts.len; i++)
		if (c->parts.at[i].base)
			return 0;
	return c->parts.len > 0;
}

struct doc *view_compare(const struct res_compare *c, int all)
{
	struct doc *d = doc_new();

	if (has_no_base(c))
		doc_text(d, "nothing was compared: %s does not have what is new", c->base);
	add_findings(d, c, 0);
	for (size_t i = 0; i < c->missing.len; i++)
		if (c->missing.at[i].text)
			doc_text(d, "cannot tell %s", c->missing.at[i].text);
	add_findings(d, c, 1);
	for (size_t i = 0; i < c->parts.len; i++)
		add_part(d, &c->parts.at[i], all);
	add_alone(d, &c->only_base, "the base");
	add_alone(d, &c->only_new, "the new side");
	return d;
}
