/* SPDX-License-Identifier: GPL-3.0-only */
/* The run over time in steps: how long calls took, as a heat map, and when each thread was in
 * calls. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/report/report_page.h"
#include "common/view/view_parts.h"

#define LEFT        TIME_LEFT
#define RIGHT       TIME_RIGHT
#define ROW         18
#define STEPS_MAX   256
#define LEVELS      9
#define BANDS       13
#define FIRST_BAND  256.0 /* ns; times 4 each, as the result has them */
#define THREADS_MAX 40

/* One row of cells; values from 0 to 1. */
struct cells {
	double at[STEPS_MAX];
	size_t len;
	double top;
};

static double x_of(const struct cells *c, size_t i)
{
	return LEFT + (double)i * (RIGHT - LEFT) / (double)c->len;
}

static int level_of(double v)
{
	return v > 0 ? (int)fmin(ceil(v * LEVELS), LEVELS) : 0;
}

/* The cells of one strength are one path. */
static void draw_level(struct page *p, const struct cells *c, int level)
{
	int any = 0;

	for (size_t i = 0; i < c->len; i++) {
		if (level_of(c->at[i]) != level)
			continue;
		if (!any)
			out_printf(p->o, "<path class=\"heat\" fill-opacity=\"%.2f\" d=\"",
				(double)level / LEVELS);
		out_printf(p->o, "M%.1f %.1fH%.1fv%dH%.1fz", x_of(c, i), c->top, x_of(c, i + 1),
			ROW - 2, x_of(c, i));
		any = 1;
	}
	if (any)
		out_str(p->o, "\"/>\n");
}

static void draw_row(struct page *p, const struct cells *c, const char *name)
{
	svg_text(p, LEFT - 8, c->top + 13, "end", name);
	for (int level = 1; level <= LEVELS; level++)
		draw_level(p, c, level);
}

/* How many steps there are; 0: none, or more than the format has. */
static size_t steps_of(const struct res_timeline *t)
{
	uint64_t last = 0;

	if (!t || !t->step_ns || t->step_ns == U64_NONE)
		return 0;
	for (size_t i = 0; i < t->latency.len; i++)
		if (t->latency.at[i].t_ns != U64_NONE && t->latency.at[i].t_ns > last)
			last = t->latency.at[i].t_ns;
	for (size_t i = 0; i < t->rows.len; i++) /* the time may go on without new calls */
		if (t->rows.at[i].t_ns != U64_NONE && t->rows.at[i].t_ns > last)
			last = t->rows.at[i].t_ns;
	return last / t->step_ns < STEPS_MAX ? (size_t)(last / t->step_ns) + 1 : 0;
}

static void axis(struct page *p, const struct res_timeline *t, size_t steps, double bottom)
{
	const struct svg_axis x = {LEFT, RIGHT, (double)t->step_ns * (double)steps, units_duration};

	svg_x_axis(p, &x, bottom, bottom + 4);
}

/* ---- latency ---- */

static double band_calls(const struct res_timeline_latency *row, size_t band)
{
	char key[32];

	if (band == BANDS - 1)
		return (double)view_counter(&row->calls, "more");
	snprintf(key, sizeof(key), "%.0f", FIRST_BAND * pow(4, (double)band));
	return (double)view_counter(&row->calls, key);
}

static double calls_in(const struct res_timeline_latency *row)
{
	double sum = 0;

	for (size_t i = 0; i < row->calls.len; i++)
		sum += (double)row->calls.at[i].count;
	return sum;
}

static struct cells band_cells(const struct res_timeline *t, size_t steps, size_t band)
{
	struct cells c = {.len = steps};

	for (size_t i = 0; i < t->latency.len; i++) {
		const struct res_timeline_latency *row = &t->latency.at[i];
		size_t step = (size_t)(row->t_ns / t->step_ns);

		if (row->t_ns != U64_NONE && step < steps && calls_in(row) > 0)
			c.at[step] = band_calls(row, band) / calls_in(row);
	}
	return c;
}

static int has_any(const struct cells *c)
{
	for (size_t i = 0; i < c->len; i++)
		if (c->at[i] > 0)
			return 1;
	return 0;
}

void report_latency_map(struct page *p, const struct res_result *r)
{
	size_t steps = steps_of(r->timeline), n = 0;
	struct cells rows[BANDS];
	const char *names[BANDS];
	char buf[UNITS_BUF];

	for (size_t band = BANDS; steps && band-- > 0;) {
		rows[n] = band_cells(r->timeline, steps, band);
		units_duration(
			buf, (uint64_t)(FIRST_BAND * pow(4, (double)band - (band == BANDS - 1))));
		names[n] =
			arena_printf(&p->arena, "%s %s", band == BANDS - 1 ? "over" : "up to", buf);
		n += (size_t)has_any(&rows[n]);
	}
	if (!n)
		return;
	html_legend(p, "How long calls took, over time: the stronger the color, the larger the "
		       "share of the step's calls that took so long.");
	svg_begin(p, "chart", (double)n * ROW + 30, "Latency of calls over time, as a heat map");
	for (size_t i = 0; i < n; i++) {
		rows[i].top = (double)i * ROW + 2;
		draw_row(p, &rows[i], names[i]);
	}
	axis(p, r->timeline, steps, (double)n * ROW + 2);
	svg_end(p);
}

/* ---- threads ---- */

static struct cells thread_cells(
	const struct res_timeline *t, size_t steps, const struct res_timeline_thread *thread)
{
	struct cells c = {.len = steps};

	for (size_t i = 0; i < thread->wall_ns.len; i++) {
		const struct res_count *n = &thread->wall_ns.at[i];
		uint64_t step = n->key ? strtoull(n->key, NULL, 10) / t->step_ns : steps;

		if (step < steps)
			c.at[step] = (double)n->count / (double)t->step_ns;
	}
	return c;
}

void report_threads_map(struct page *p, const struct res_result *r)
{
	const struct res_timeline *t = r->timeline;
	size_t steps = steps_of(t), n = t ? t->threads.len : 0;
	size_t shown = n < THREADS_MAX ? n : THREADS_MAX;

	if (!steps || !n)
		return;
	html_legend(p,
		"When threads were in traced calls, waits too: the stronger the color, the larger "
		"the share of the step%s.",
		shown < n ? "; only those with the most time are drawn" : "");
	svg_begin(p, "chart", (double)shown * ROW + 30, "Time in calls of each thread over time");
	for (size_t i = 0; i < shown; i++) {
		const struct res_timeline_thread *thread = &t->threads.at[i];
		struct cells c = thread_cells(t, steps, thread);

		c.top = (double)i * ROW + 2;
		draw_row(p, &c,
			arena_printf(&p->arena, "%s %llu", thread->comm ? thread->comm : "?",
				(unsigned long long)view_zero(thread->tid)));
	}
	axis(p, t, steps, (double)shown * ROW + 2);
	svg_end(p);
}
