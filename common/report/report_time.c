/* SPDX-License-Identifier: GPL-3.0-only */
/* The run over time: what was called and moved, as curves and as a heat map. */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/units.h"
#include "common/report/report_bins.h"
#include "common/report/report_page.h"
#include "common/view/view_parts.h"

#define LEFT        TIME_LEFT
#define RIGHT       TIME_RIGHT
#define COLUMNS_MAX 240
#define PANEL       120 /* height of one curve with its space */
#define CURVE       86
#define HEAT_ROW    24
#define HEAT_LEVELS 9

/* ---- what a column says; NAN: nothing to measure it by ---- */

static double per_second(uint64_t v, const struct time_columns *c)
{
	return (double)v * (double)NS_PER_SEC / (double)c->width_ns;
}

static double calls_rate(const struct time_columns *c, size_t i)
{
	return per_second(c->at[i].calls, c);
}

static double moved_rate(const struct time_columns *c, size_t i)
{
	return per_second(c->at[i].bytes - c->at[i].mapped, c);
}

static double mapped_rate(const struct time_columns *c, size_t i)
{
	return per_second(c->at[i].mapped, c);
}

static double errors_rate(const struct time_columns *c, size_t i)
{
	return per_second(c->at[i].errors, c);
}

static double messages_each(const struct time_columns *c, size_t i)
{
	const struct res_timeline_row *row = &c->at[i];

	return row->batch_calls ? (double)row->messages / (double)row->batch_calls : NAN;
}

static double threads_in_calls(const struct time_columns *c, size_t i)
{
	return (double)c->at[i].wall_ns / (double)c->width_ns;
}

static const char *count_label(char *buf, uint64_t v)
{
	return units_thousands(buf, v);
}

static const char *hundredths_label(char *buf, uint64_t v)
{
	snprintf(buf, UNITS_BUF, "%llu.%02llu", (unsigned long long)(v / 100),
		(unsigned long long)(v % 100));
	return buf;
}

struct measure {
	const char *title;
	double (*of)(const struct time_columns *c, size_t i);
	const char *(*label)(char *buf, uint64_t v);
	double scale; /* of the value, for the label */
};

static const struct measure curves[] = {
	{"calls a second", calls_rate, count_label, 1},
	{"messages per call", messages_each, hundredths_label, 100},
	{"bytes moved a second", moved_rate, units_bytes, 1},
	{"bytes mapped and unmapped a second", mapped_rate, units_bytes, 1},
	{"threads in calls at once, waiting included", threads_in_calls, hundredths_label, 100},
};

#define CURVES   (LEN(curves))
#define MESSAGES 1 /* of curves */

static const struct measure heats[] = {
	{"calls a second", calls_rate, count_label, 1},
	{"in calls at once", threads_in_calls, hundredths_label, 100},
	{"bytes a second", moved_rate, units_bytes, 1},
	{"mapped a second", mapped_rate, units_bytes, 1},
	{"messages/call", messages_each, hundredths_label, 100},
	{"errors a second", errors_rate, count_label, 1},
};

static double most_of(const struct measure *m, const struct time_columns *c)
{
	double most = 0;

	for (size_t i = 0; i < c->len; i++) {
		double v = m->of(c, i);

		most = v > most ? v : most;
	}
	return most;
}

static double x_of(const struct time_columns *c, double i)
{
	return LEFT + i * (RIGHT - LEFT) / (double)c->len;
}

static struct svg_axis time_axis(const struct time_columns *c)
{
	return (struct svg_axis){LEFT, RIGHT, (double)c->width_ns * (double)c->len, units_duration};
}

/* The window's part of the picture. */
static void shade_window(
	struct page *p, const struct res_result *r, const struct time_columns *c, double bottom)
{
	const struct res_window *w = r->window;

	if (!w || w->begin_ns == U64_NONE || w->end_ns == U64_NONE || w->end_ns <= w->begin_ns)
		return;
	double begin = x_of(c, (double)w->begin_ns / (double)c->width_ns);
	double end = x_of(c, (double)w->end_ns / (double)c->width_ns);

	begin = begin > RIGHT ? RIGHT : begin;
	end = end > RIGHT ? RIGHT : end;
	out_printf(p->o,
		"<rect class=\"window\" x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"%.1f\"/>\n",
		begin, end - begin, bottom);
}

/* ---- curves ---- */

/* Steps, with a gap where there is nothing to measure. */
static void curve(struct page *p, const struct measure *m, const struct time_columns *c, double top)
{
	double most = most_of(m, c), bottom = top + CURVE;
	const struct svg_axis y = {LEFT, RIGHT, most * m->scale, m->label};
	int open = 0;

	svg_y_axis(p, &y, top, bottom);
	out_str(p->o, "<path class=\"curve\" d=\"");
	for (size_t i = 0; i < c->len; i++) {
		double v = m->of(c, i);

		if (!isfinite(v)) {
			open = 0;
			continue;
		}
		out_printf(p->o, "%c%.1f %.1fH%.1f", open ? 'L' : 'M', x_of(c, (double)i),
			bottom - (most > 0 ? v / most : 0) * CURVE, x_of(c, (double)i + 1));
		open = 1;
	}
	out_str(p->o, "\"/>\n");
	out_printf(p->o, "<text class=\"name\" x=\"%d\" y=\"%.1f\">%s</text>\n", LEFT, top - 6,
		m->title);
}

/* Those that have anything to draw. */
static size_t curves_of(const struct time_columns *c, const struct measure *ret[])
{
	size_t n = 0;

	for (size_t i = 0; i < CURVES; i++) {
		if (most_of(&curves[i], c) > 0)
			ret[n++] = &curves[i];
	}
	return n;
}

void report_time(struct page *p, const struct res_result *r)
{
	struct time_columns c = report_time_columns(&p->arena, r->timeline, COLUMNS_MAX);
	struct svg_axis x = time_axis(&c);
	const struct measure *drawn[CURVES];
	size_t n = curves_of(&c, drawn);
	double top = 22, height = top + PANEL * (double)n;
	char width[UNITS_BUF];

	if (!n) {
		html_legend(p, result_has_times(r) ? "The result has no timeline."
						   : "Not measured: " VIEW_NO_TIMES ".");
		return;
	}
	html_legend(p,
		"A step is %s; calls and bytes count where the call was entered, its time where it "
		"was spent%s.%s",
		units_duration(width, c.width_ns),
		r->window ? "; the shaded part is the window, which the tables are of" : "",
		most_of(&curves[MESSAGES], &c) > 0 ? "" : " No call moved messages.");
	svg_begin(
		p, "chart", height, "Calls, messages per call, bytes and time in calls over time");
	shade_window(p, r, &c, height - 34);
	for (size_t i = 0; i < n; i++, top += PANEL)
		curve(p, drawn[i], &c, top);
	svg_x_axis(p, &x, 16, height - 34);
	svg_end(p);
}

/* ---- heat map ---- */

struct heat {
	double top, most;
};

static int level_of(double v, double most)
{
	return v > 0 && most > 0 ? (int)ceil(v / most * HEAT_LEVELS) : 0;
}

/* The cells of a row that have this level, as one path. */
static void heat_cells(struct page *p, const struct measure *m, const struct time_columns *c,
	const struct heat *h, int level)
{
	int any = 0;

	for (size_t i = 0; i < c->len; i++) {
		size_t first = i;

		while (i < c->len && level_of(m->of(c, i), h->most) == level)
			i++;
		if (i == first)
			continue;
		if (!any)
			out_printf(p->o, "<path class=\"heat\" fill-opacity=\"%.2f\" d=\"",
				(double)level / HEAT_LEVELS);
		out_printf(p->o, "M%.1f %.1fH%.1fv%dH%.1fz", x_of(c, (double)first), h->top,
			x_of(c, (double)i), HEAT_ROW - 3, x_of(c, (double)first));
		any = 1;
	}
	if (any)
		out_str(p->o, "\"/>\n");
}

static void heat_row(
	struct page *p, const struct measure *m, const struct time_columns *c, double top)
{
	struct heat h = {top, most_of(m, c)};
	char buf[UNITS_BUF];

	out_printf(p->o, "<text class=\"name\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
		LEFT - 8, top + 15, m->title);
	for (int level = 1; level <= HEAT_LEVELS && h.most > 0; level++)
		heat_cells(p, m, c, &h, level);
	svg_text(p, SVG_WIDTH - 4, top + 15, "end",
		h.most > 0 ? m->label(buf, sat_u64(h.most * m->scale)) : "none");
}

void report_heat(struct page *p, const struct res_result *r)
{
	struct time_columns c = report_time_columns(&p->arena, r->timeline, COLUMNS_MAX);
	struct svg_axis x = time_axis(&c);
	size_t n = LEN(heats);
	double bottom = 22 + (double)n * HEAT_ROW;

	if (!c.len)
		return;
	html_legend(p, "The same time as a heat map: the stronger the color, the nearer to the "
		       "most of its "
		       "row, which stands right.");
	svg_begin(p, "chart", bottom + 24,
		"Calls, time in them, bytes and errors over time, as a heat map");
	svg_text(p, SVG_WIDTH - 4, 14, "end", "most");
	for (size_t i = 0; i < n; i++)
		heat_row(p, &heats[i], &c, 22 + (double)i * HEAT_ROW);
	svg_x_axis(p, &x, bottom, bottom + 4);
	svg_end(p);
}
