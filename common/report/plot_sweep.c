/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/report/plot_sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/report/plot_frame.h"
#include "common/view/view.h"
#include "common/write/safe.h"

#define INSET       50 /* of the first and the last value */
#define LABEL_WIDTH 44

struct sweep_plot {
	const struct res_sweep *s;
	struct out *o;
	struct arena arena;
	double x_first, x_last; /* of the values */
	int by_log;
	double y_max;
};

/* ---- places ---- */

static double number_of(const char *value)
{
	uint64_t bytes;
	char *end;
	double v = value ? strtod(value, &end) : NAN;

	if (value && *value && !*end)
		return v;
	return value && units_parse_bytes(value, &bytes, NULL) == 0 ? (double)bytes : NAN;
}

static double x_of(const struct sweep_plot *p, double v)
{
	double share = p->by_log ? log(v / p->x_first) / log(p->x_last / p->x_first)
				 : (v - p->x_first) / (p->x_last - p->x_first);

	return PLOT_LEFT + INSET + share * (PLOT_RIGHT - PLOT_LEFT - 2 * INSET);
}

static const struct res_sweep_figure *cost_at(const struct sweep_plot *p, size_t i)
{
	return p->s->points.at[i].cost;
}

static double point_x(const struct sweep_plot *p, size_t i)
{
	return x_of(p, number_of(p->s->points.at[i].value));
}

static int is_named(const struct res_sweep_point *point, const char *name)
{
	return name && point->value && !strcmp(point->value, name);
}

/* ---- the parts of the picture ---- */

static void put_cost(const struct sweep_plot *p, double v)
{
	const char *unit = p->s->cost_unit ? p->s->cost_unit : "";
	char buf[UNITS_BUF];
	uint64_t whole = v < 0x1p62 ? (uint64_t)v : 1ULL << 62;

	if (!strcmp(unit, "ns"))
		out_str(p->o, units_duration(buf, whole));
	else if (!strcmp(unit, "bytes"))
		out_str(p->o, units_bytes(buf, whole));
	else
		out_printf(p->o, "%.4g", v);
}

static void y_axis(struct sweep_plot *p)
{
	double step = plot_frame_step(p->y_max / PLOT_TICKS);

	p->y_max = ceil(p->y_max / step) * step;
	for (int i = 0; i * step <= p->y_max * 1.0001; i++) {
		plot_frame_tick(p->o, plot_frame_y(p->y_max, i * step));
		put_cost(p, i * step);
		out_str(p->o, "</text>\n");
	}
}

static void band(struct sweep_plot *p)
{
	for (size_t i = 0; i < p->s->points.len; i++) {
		double best = cost_at(p, i)->median;
		double top = plot_frame_y(p->y_max, best * (1 + p->s->tolerance));

		if (is_named(&p->s->points.at[i], p->s->best))
			out_printf(p->o,
				"<rect class=\"window\" x=\"%d\" y=\"%.1f\" width=\"%d\" "
				"height=\"%.1f\"/>\n",
				PLOT_LEFT, top, PLOT_RIGHT - PLOT_LEFT,
				plot_frame_y(p->y_max, best) - top);
	}
}

static void knee(struct sweep_plot *p)
{
	for (size_t i = 0; i < p->s->points.len; i++) {
		if (!is_named(&p->s->points.at[i], p->s->knee))
			continue;
		out_printf(p->o,
			"<line class=\"peak\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
			"<text x=\"%.1f\" y=\"%d\">knee</text>\n",
			point_x(p, i), PLOT_TOP, point_x(p, i), PLOT_BOTTOM, point_x(p, i) + 6,
			PLOT_TOP + 14);
	}
}

static void curve(struct sweep_plot *p)
{
	out_str(p->o, "<path class=\"curve\" d=\"");
	for (size_t i = 0; i < p->s->points.len; i++)
		out_printf(p->o, "%c%.1f %.1f", i ? 'L' : 'M', point_x(p, i),
			plot_frame_y(p->y_max, cost_at(p, i)->median));
	out_str(p->o, "\"/>\n");
}

static void point(struct sweep_plot *p, size_t i, int labelled)
{
	const struct res_sweep_point *at = &p->s->points.at[i];
	double x = point_x(p, i), y = plot_frame_y(p->y_max, at->cost->median);

	out_printf(p->o,
		"<line class=\"spread\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
		"<circle class=\"heap\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"><title>",
		x, plot_frame_y(p->y_max, at->cost->min), x, plot_frame_y(p->y_max, at->cost->max),
		x, y);
	put_cost(p, at->cost->median);
	out_str(p->o, "</title></circle>\n");
	if (!labelled)
		return;
	out_printf(p->o, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x, PLOT_BOTTOM + 20);
	safe_put_xml(p->o, safe_text(&p->arena, at->value));
	out_str(p->o, "</text>\n");
	if (at->got)
		out_printf(p->o,
			"<text class=\"small\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">"
			"%.4g a call</text>\n",
			x, plot_frame_y(p->y_max, at->cost->max) - 9, at->got->median);
}

/* Labels that would lie over each other are left out. */
static void points(struct sweep_plot *p)
{
	double last = -LABEL_WIDTH;

	for (size_t i = 0; i < p->s->points.len; i++) {
		int labelled = point_x(p, i) - last >= LABEL_WIDTH;

		point(p, i, labelled);
		if (labelled)
			last = point_x(p, i);
	}
}

/* ---- all of it ---- */

/* 0: there is nothing to draw. */
static int measure(struct sweep_plot *p)
{
	const struct res_sweep *s = p->s;

	if (s->points.len < 2)
		return 0;
	for (size_t i = 0; i < s->points.len; i++) {
		const struct res_sweep_figure *c = cost_at(p, i);
		double v = number_of(s->points.at[i].value);

		if (!c || !(c->min >= 0 && c->median >= c->min && c->max >= c->median) ||
			!isfinite(c->max) || !isfinite(v) || (i && v <= p->x_last))
			return 0;
		if (!i)
			p->x_first = v;
		p->x_last = v;
		p->y_max = fmax(p->y_max, c->max);
	}
	p->by_log = p->x_first > 0 && p->x_last / p->x_first > 10;
	p->y_max *= 1.1; /* room for words */
	/* What no program costs would have no steps between. */
	return p->y_max > 1e-9 && p->y_max < 1e30;
}

void plot_sweep_write(const struct res_sweep *s, struct out *o)
{
	struct sweep_plot p = {.s = s, .o = o};
	const char *scenario = s->scenario ? s->scenario : "scenario";
	const char *over = s->over ? s->over : "value";

	plot_frame_begin(o, &p.arena, arena_printf(&p.arena, "%s over %s", scenario, over),
		"median of the runs, with the least and the largest; shaded: as good as the best",
		1);
	if (!measure(&p)) {
		out_printf(o, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			PLOT_WIDTH / 2, PLOT_HEIGHT / 2, "the cost was not measured");
	} else {
		y_axis(&p);
		band(&p);
		plot_frame_axes(o);
		plot_frame_titles(o,
			arena_printf(&p.arena, "%s%s", safe_text(&p.arena, over),
				p.by_log ? " (logarithmic)" : ""),
			safe_text(&p.arena, view_sweep_cost(s, &p.arena)));
		knee(&p);
		curve(&p);
		points(&p);
	}
	out_str(o, "</svg>\n");
	arena_release(&p.arena);
}
