/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/report/plot_history.h"

#include <math.h>
#include <string.h>

#include "common/base/units.h"
#include "common/report/plot_frame.h"
#include "common/write/safe.h"

#define INSET         24 /* of the first and the last version */
#define LABEL_GAP     10
#define COLUMN        7.2 /* width of a character, about */
#define LABEL_COLUMNS 18
#define ROWS          3 /* of labels of changes */
#define ROW_HEIGHT    14
#define DOTS_MAX      150 /* of more versions the line is enough */

struct plot {
	const struct res_history_series *s;
	struct out *o;
	struct arena arena;
	double y_max;
};

static double x_of(const struct plot *p, size_t i)
{
	double share = p->s->points.len > 1 ? (double)i / (double)(p->s->points.len - 1) : 0.5;

	return PLOT_LEFT + INSET + share * (PLOT_RIGHT - PLOT_LEFT - 2 * INSET);
}

static int is_measured(const struct res_history_point *at)
{
	return isfinite(at->median) && isfinite(at->max) && at->min >= 0;
}

static char *label_of(struct plot *p, const char *version)
{
	return safe_cut(&p->arena, safe_text(&p->arena, version ? version : "?"), LABEL_COLUMNS);
}

/* Of sizes round in their unit. */
static double step_of(const char *unit, double v)
{
	double base = unit && !strcmp(unit, "bytes") && v >= 1 ? pow(1024, floor(log2(v) / 10)) : 1;
	double step = plot_frame_step(v / base);

	return base * (base > 1 && step >= 1000 ? 1024 : step);
}

static void y_axis(struct plot *p)
{
	double step = step_of(p->s->unit, p->y_max / PLOT_TICKS);
	char buf[UNITS_BUF];

	p->y_max = ceil(p->y_max / step) * step;
	for (int i = 0; i * step <= p->y_max * 1.0001; i++) {
		plot_frame_tick(p->o, plot_frame_y(p->y_max, i * step));
		out_printf(p->o, "%s</text>\n", units_figure(buf, p->s->unit, i * step));
	}
}

/* ---- changes ---- */

static size_t place_of(const struct plot *p, const struct res_history_change *c)
{
	for (size_t i = 0; c->version && i < p->s->points.len; i++)
		if (p->s->points.at[i].version && !strcmp(p->s->points.at[i].version, c->version))
			return i;
	return 0;
}

/* The first row in which it has room, and takes it; ROWS: none. */
static int row_for(double ends[ROWS], double from, double to)
{
	for (int i = 0; i < ROWS; i++)
		if (ends[i] <= from) {
			ends[i] = to + LABEL_GAP;
			return i;
		}
	return ROWS;
}

/* Right of its line, or left of it where there is no room. */
static void change_label(
	struct plot *p, const struct res_history_change *c, double x, double ends[ROWS])
{
	char *text = label_of(p, c->version);
	const char *why = !c->known                            ? ""
			  : !strcmp(c->known, "other machine") ? ", machine"
			  : !strcmp(c->known, "run otherwise") ? ", run otherwise"
							       : "";
	double width = (double)(safe_width(text) + strlen(why)) * COLUMN;
	int left = x + width > PLOT_RIGHT;
	int row = row_for(ends, left ? x - width - 4 : x + 4, left ? x : x + width + 4);

	if (row == ROWS)
		return;
	out_printf(p->o, "<text class=\"small\" x=\"%.1f\" y=\"%d\"%s>", left ? x - 4 : x + 4,
		PLOT_TOP + 12 + ROW_HEIGHT * row, left ? " text-anchor=\"end\"" : "");
	safe_put_xml(p->o, text);
	out_printf(p->o, "%s</text>", why);
}

static void changes(struct plot *p)
{
	double ends[ROWS] = {0};

	for (size_t i = 0; i < p->s->changes.len; i++) {
		const struct res_history_change *c = &p->s->changes.at[i];
		size_t at = place_of(p, c);
		double x = (x_of(p, at) + x_of(p, at ? at - 1 : 0)) / 2;

		out_printf(p->o, "<line class=\"%s\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>",
			c->verdict ? "peak" : "edge", x, PLOT_TOP, x, PLOT_BOTTOM);
		change_label(p, c, x, ends);
		out_char(p->o, '\n');
	}
}

/* ---- values ---- */

/* A gap where nothing was measured. */
static void curve(struct plot *p)
{
	int down = 0;

	out_str(p->o, "<path class=\"curve\" d=\"M0 0");
	for (size_t i = 0; i < p->s->points.len; i++) {
		const struct res_history_point *at = &p->s->points.at[i];

		if (is_measured(at))
			out_printf(p->o, "%c%.1f %.1f", down ? 'L' : 'M', x_of(p, i),
				plot_frame_y(p->y_max, at->median));
		down = is_measured(at);
	}
	out_str(p->o, "\"/>\n");
}

static void spreads(struct plot *p)
{
	out_str(p->o, "<path class=\"spread\" d=\"M0 0");
	for (size_t i = 0; i < p->s->points.len; i++) {
		const struct res_history_point *at = &p->s->points.at[i];

		if (is_measured(at) && at->min < at->max)
			out_printf(p->o, "M%.1f %.1fV%.1f", x_of(p, i),
				plot_frame_y(p->y_max, at->min), plot_frame_y(p->y_max, at->max));
	}
	out_str(p->o, "\"/>\n");
}

static void dots(struct plot *p)
{
	char buf[UNITS_BUF];

	for (size_t i = 0; i < p->s->points.len; i++) {
		const struct res_history_point *at = &p->s->points.at[i];

		if (!is_measured(at))
			continue;
		out_printf(p->o, "<circle class=\"heap\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>",
			x_of(p, i), plot_frame_y(p->y_max, at->median));
		safe_put_xml(p->o, label_of(p, at->version));
		out_printf(p->o, ": %s, %llu run%s</title></circle>\n",
			units_figure(buf, p->s->unit, at->median), (unsigned long long)at->runs,
			at->runs == 1 ? "" : "s");
	}
}

/* Labels that would lie over each other are left out. */
static void labels(struct plot *p)
{
	double free_from = 0;

	for (size_t i = 0; i < p->s->points.len; i++) {
		char *text = label_of(p, p->s->points.at[i].version);
		double half = (double)safe_width(text) * COLUMN / 2, x = x_of(p, i);

		if (x - half < free_from || x + half > PLOT_WIDTH)
			continue;
		free_from = x + half + LABEL_GAP;
		out_printf(p->o, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x,
			PLOT_BOTTOM + 20);
		safe_put_xml(p->o, text);
		out_str(p->o, "</text>\n");
	}
}

/* ---- the picture ---- */

/* 0: there is nothing to draw. */
static int measure(struct plot *p)
{
	for (size_t i = 0; i < p->s->points.len; i++)
		if (is_measured(&p->s->points.at[i]))
			p->y_max = fmax(p->y_max, p->s->points.at[i].max);
	p->y_max *= 1.1; /* room for words */
	return p->y_max > 1e-9 && p->y_max < 1e30;
}

static void draw(struct plot *p)
{
	y_axis(p);
	plot_frame_axes(p->o);
	plot_frame_titles(p->o, "version", safe_text(&p->arena, p->s->figure));
	changes(p);
	spreads(p);
	curve(p);
	if (p->s->points.len <= DOTS_MAX)
		dots(p);
	labels(p);
}

void plot_history_write(const struct res_history_series *s, int is_file, struct out *o)
{
	struct plot p = {.s = s, .o = o};

	plot_frame_begin(o, &p.arena,
		arena_printf(&p.arena, "%s of %s, %s", s->figure ? s->figure : "?",
			s->scenario ? s->scenario : "?", s->type ? s->type : "?"),
		"median of a version's runs, with the least and the largest; dashed: it changed "
		"here",
		is_file);
	if (measure(&p))
		draw(&p);
	else
		out_printf(o, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			PLOT_WIDTH / 2, PLOT_HEIGHT / 2, "it was 0, or not measured");
	out_str(o, "</svg>\n");
	arena_release(&p.arena);
}
