/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/history/trend.h"

#include <math.h>
#include <stdio.h>

#include "common/base/units.h"
#include "common/report/plot_frame.h"
#include "common/write/safe.h"

#define INSET       24 /* of the first and the last version */
#define LABEL_WIDTH 64

struct plot {
	const struct trend_series *s;
	struct out *o;
	struct arena arena;
	double y_max;
};

static double x_of(const struct plot *p, size_t i)
{
	double share = p->s->points.len > 1 ? (double)i / (double)(p->s->points.len - 1) : 0.5;

	return PLOT_LEFT + INSET + share * (PLOT_RIGHT - PLOT_LEFT - 2 * INSET);
}

static double y_of(const struct plot *p, double v)
{
	return PLOT_BOTTOM - v / p->y_max * (PLOT_BOTTOM - PLOT_TOP);
}

static int is_measured(const struct trend_point *at)
{
	return isfinite(at->median) && isfinite(at->max) && at->min >= 0;
}

static void y_axis(struct plot *p)
{
	double step = plot_frame_step(p->y_max / PLOT_TICKS);
	char buf[UNITS_BUF];

	p->y_max = ceil(p->y_max / step) * step;
	for (int i = 0; i * step <= p->y_max * 1.0001; i++) {
		plot_frame_tick(p->o, y_of(p, i * step));
		out_printf(p->o, "%s</text>\n", trend_words(buf, p->s->unit, i * step));
	}
}

static const char *change_class(enum trend_why why)
{
	return why >= TREND_MACHINE ? "edge" : "peak";
}

static void changes(struct plot *p)
{
	static const char *const words[] = {[TREND_EXACT] = "",
		[TREND_NOISY] = "",
		[TREND_MACHINE] = " machine",
		[TREND_MADE] = " run"};

	for (size_t i = 0; i < p->s->changes.len; i++) {
		const struct trend_change *c = &p->s->changes.at[i];
		double x = (x_of(p, c->at) + x_of(p, c->at ? c->at - 1 : 0)) / 2;

		out_printf(p->o,
			"<line class=\"%s\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
			"<text class=\"small\" x=\"%.1f\" y=\"%d\">",
			change_class(c->why), x, PLOT_TOP, x, PLOT_BOTTOM, x + 4,
			PLOT_TOP + 12 + 14 * (int)(i % 3));
		safe_put_xml(p->o, safe_text(&p->arena, p->s->points.at[c->at].label));
		out_printf(p->o, "%s</text>\n", words[c->why]);
	}
}

/* A gap where nothing was measured. */
static void curve(struct plot *p)
{
	int down = 0;

	out_str(p->o, "<path class=\"curve\" d=\"M0 0");
	for (size_t i = 0; i < p->s->points.len; i++) {
		const struct trend_point *at = &p->s->points.at[i];

		if (is_measured(at))
			out_printf(p->o, "%c%.1f %.1f", down ? 'L' : 'M', x_of(p, i),
				y_of(p, at->median));
		down = is_measured(at);
	}
	out_str(p->o, "\"/>\n");
}

static void point(struct plot *p, size_t i)
{
	const struct trend_point *at = &p->s->points.at[i];
	char buf[UNITS_BUF];
	double x = x_of(p, i);

	out_printf(p->o,
		"<line class=\"spread\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>"
		"<circle class=\"heap\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>",
		x, y_of(p, at->min), x, y_of(p, at->max), x, y_of(p, at->median));
	safe_put_xml(p->o, safe_text(&p->arena, at->label));
	out_printf(p->o, ": %s, %zu run%s</title></circle>\n",
		trend_words(buf, p->s->unit, at->median), at->values.len,
		at->values.len == 1 ? "" : "s");
}

/* Labels that would lie over each other are left out. */
static void points(struct plot *p)
{
	double last = -LABEL_WIDTH;

	for (size_t i = 0; i < p->s->points.len; i++) {
		if (is_measured(&p->s->points.at[i]))
			point(p, i);
		if (x_of(p, i) - last < LABEL_WIDTH)
			continue;
		last = x_of(p, i);
		out_printf(p->o, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", last,
			PLOT_BOTTOM + 20);
		safe_put_xml(p->o, safe_text(&p->arena, p->s->points.at[i].label));
		out_str(p->o, "</text>\n");
	}
}

/* 0: there is nothing to draw. */
static int measure(struct plot *p)
{
	for (size_t i = 0; i < p->s->points.len; i++)
		if (is_measured(&p->s->points.at[i]))
			p->y_max = fmax(p->y_max, p->s->points.at[i].max);
	p->y_max *= 1.1; /* room for words */
	return p->y_max > 1e-9 && p->y_max < 1e30;
}

void trend_plot(const struct trend *t, const struct trend_series *s, struct out *o)
{
	struct plot p = {.s = s, .o = o};

	plot_frame_begin(o, &p.arena,
		arena_printf(&p.arena, "%s of %s, %s", t->metric, s->scenario, s->type),
		"median of a version's runs, with the least and the largest; dashed: it changed "
		"here",
		1);
	if (!measure(&p)) {
		out_printf(o, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			PLOT_WIDTH / 2, PLOT_HEIGHT / 2, "it was 0, or not measured");
	} else {
		y_axis(&p);
		plot_frame_axes(o);
		plot_frame_titles(o, "version", safe_text(&p.arena, t->metric));
		changes(&p);
		curve(&p);
		points(&p);
	}
	out_str(o, "</svg>\n");
	arena_release(&p.arena);
}
