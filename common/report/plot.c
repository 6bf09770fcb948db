/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/report/plot.h"
#include "common/report/plot_frame.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/units.h"
#include "common/view/view_parts.h"

enum { TOOLTIPS_MAX = 400 };

struct plot {
	const struct res_memory *r;
	struct out *o;
	struct arena arena;
	double t_begin, t_end; /* of the axis */
	double y_max;          /* bytes */
};

/* ---- numbers ---- */

static double x_of(const struct plot *p, double time)
{
	return PLOT_LEFT + (time - p->t_begin) / (p->t_end - p->t_begin) * (PLOT_RIGHT - PLOT_LEFT);
}

static int is_known(const struct res_memory_point *at)
{
	return at && at->total_bytes != U64_NONE;
}

static double total_of(const struct res_memory_snapshot *s)
{
	return (double)view_zero(s->heap_bytes) + (double)view_zero(s->extra_bytes) +
	       (double)view_zero(s->stacks_bytes);
}

/* Steps of bytes are powers of two. */
static double byte_step(double v)
{
	return v <= 1 ? 1 : exp2(ceil(log2(v)));
}

static int unit_is(const struct res_memory *r, const char *unit)
{
	return r->massif && r->massif->time_unit && !strcmp(r->massif->time_unit, unit);
}

static void put_time(const struct plot *p, double t)
{
	static const struct {
		double at_least;
		const char *suffix;
	} scales[] = {{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}};
	char buf[UNITS_BUF];

	if (unit_is(p->r, "B")) {
		out_str(p->o, units_bytes(buf, t < 0x1p62 ? (uint64_t)t : 1ULL << 62));
		return;
	}
	for (size_t i = 0; i < LEN(scales); i++) {
		if (t < scales[i].at_least)
			continue;
		out_printf(p->o, "%.4g%s", t / scales[i].at_least, scales[i].suffix);
		return;
	}
	out_printf(p->o, "%.4g", t);
}

static void put_bytes(const struct plot *p, double bytes)
{
	char buf[UNITS_BUF];

	out_str(p->o, units_bytes(buf, bytes < 0x1p62 ? (uint64_t)bytes : 1ULL << 62));
}

/* Ticks are powers of two, so that few digits say them exactly. */
static void put_tick_bytes(const struct plot *p, double bytes)
{
	static const char *const suffixes[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t i = 0;

	for (; bytes >= 1024 && i + 1 < LEN(suffixes); i++)
		bytes /= 1024;
	out_printf(p->o, "%.4g %s", bytes, suffixes[i]);
}

/* ---- text ---- */

static const char *time_title(const struct res_memory *r)
{
	if (unit_is(r, "i"))
		return "instructions executed";
	if (unit_is(r, "ms"))
		return "milliseconds since the start";
	if (unit_is(r, "s"))
		return "seconds since the start";
	if (unit_is(r, "B"))
		return "bytes allocated and freed since the start";
	return "time, in a unit that the profile does not tell";
}

/* What stands behind a time in running text. */
static const char *time_words(const struct res_memory *r)
{
	if (unit_is(r, "i"))
		return " instructions";
	if (unit_is(r, "ms"))
		return " ms";
	if (unit_is(r, "s"))
		return " s";
	return unit_is(r, "B") ? " allocated and freed" : "";
}

/* ---- the parts of the picture ---- */

static void begin(struct plot *p, int is_file)
{
	const struct res_memory *r = p->r;
	int pages = r->massif && r->massif->pages_as_heap == 1;
	struct out words;

	out_init_mem(&words);
	for (size_t i = 0; i < r->command.len; i++)
		out_printf(&words, "%s%s", i ? " " : "", r->command.at[i] ? r->command.at[i] : "?");
	plot_frame_begin(p->o, &p->arena,
		arena_printf(&p->arena, "%s%s", pages ? "Mapped memory of " : "Heap memory of ",
			r->scenario ? r->scenario : "the target"),
		out_text(&words), is_file);
	out_release(&words);
}

static void y_axis(struct plot *p)
{
	double step = byte_step(p->y_max / PLOT_TICKS);

	p->y_max = ceil(p->y_max / step) * step;
	int ticks = (int)(p->y_max / step);

	for (int i = 0; i <= ticks; i++) {
		plot_frame_tick(p->o, plot_frame_y(p->y_max, i * step));
		put_tick_bytes(p, i * step);
		out_str(p->o, "</text>\n");
	}
	plot_frame_titles(p->o, time_title(p->r), "bytes held");
}

static void x_axis(struct plot *p)
{
	double span = p->t_end - p->t_begin;
	double step = unit_is(p->r, "B") ? byte_step(span / PLOT_TICKS)
					 : plot_frame_step(span / PLOT_TICKS);
	double first = ceil(p->t_begin / step) * step;

	plot_frame_axes(p->o);
	/* Counted, as adding a step to a large time may not change it. */
	for (int i = 0; i <= 2 * PLOT_TICKS; i++) {
		double t = first + i * step;

		if (t > p->t_end)
			break;
		out_printf(p->o,
			"<line class=\"axis\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
			x_of(p, t), PLOT_BOTTOM, x_of(p, t), PLOT_BOTTOM + 5, x_of(p, t),
			PLOT_BOTTOM + 20);
		put_time(p, t);
		out_str(p->o, "</text>\n");
	}
}

static void legend(struct plot *p)
{
	const struct {
		const char *class, *text;
		int width;
	} entries[] = {
		{"heap", "asked by the program", 170},
		{"extra", "added by the allocator", 175},
		{"stacks", "stacks", 80},
		{"window", p->r->load ? "load" : "window", 80},
	};
	const struct res_memory_snapshot *s = &p->r->snapshots.at[0];
	const int shown[] = {1, s->extra_bytes != U64_NONE, s->stacks_bytes != U64_NONE,
		p->r->window && p->r->window->begin};
	const struct res_memory_point *end = p->r->held_at_end;
	int x = PLOT_LEFT;

	for (size_t i = 0; i < LEN(entries); i++) {
		if (!shown[i])
			continue;
		out_printf(p->o,
			"<rect class=\"%s\" x=\"%d\" y=\"68\" width=\"12\" height=\"12\"/>"
			"<text class=\"small\" x=\"%d\" y=\"78\">%s</text>\n",
			entries[i].class, x, x + 18, entries[i].text);
		x += entries[i].width;
	}
	if (!is_known(end))
		return;
	out_printf(
		p->o, "<text class=\"small\" x=\"%d\" y=\"78\" text-anchor=\"end\">", PLOT_RIGHT);
	out_str(p->o, "held when the program ended: ");
	put_bytes(p, (double)end->total_bytes);
	out_str(p->o, "</text>\n");
}

/* One of the three parts of a snapshot. */
enum part { PART_HEAP, PART_EXTRA, PART_STACKS };

/* Height of what lies below the top of that part. */
static double top_of(const struct res_memory_snapshot *s, enum part part)
{
	double v = (double)view_zero(s->heap_bytes);

	if (part >= PART_EXTRA)
		v += (double)view_zero(s->extra_bytes);
	return part >= PART_STACKS ? v + (double)view_zero(s->stacks_bytes) : v;
}

/* Steps: what a snapshot says holds until the next, as far as is known. Parts are painted from the
 * highest down, each from the axis. */
static void area(struct plot *p, enum part part, const char *class)
{
	const struct res_memory *r = p->r;
	double y = PLOT_BOTTOM;

	out_printf(p->o, "<path class=\"%s\" d=\"M%d %d", class, PLOT_LEFT, PLOT_BOTTOM);
	for (size_t i = 0; i < r->snapshots.len; i++) {
		const struct res_memory_snapshot *s = &r->snapshots.at[i];
		double x = x_of(p, s->time);

		if (!isfinite(s->time))
			continue;
		out_printf(p->o, "L%.2f %.2f", x, y);
		y = plot_frame_y(p->y_max, top_of(s, part));
		out_printf(p->o, "L%.2f %.2f", x, y);
	}
	out_printf(p->o, "L%d %.2fL%d %dZ\"/>\n", PLOT_RIGHT, y, PLOT_RIGHT, PLOT_BOTTOM);
}

static void areas(struct plot *p)
{
	const struct res_memory_snapshot *first = &p->r->snapshots.at[0];

	if (first->stacks_bytes != U64_NONE)
		area(p, PART_STACKS, "stacks");
	if (first->extra_bytes != U64_NONE)
		area(p, PART_EXTRA, "extra");
	area(p, PART_HEAP, "heap");
}

static double clamp(double v, double least, double most)
{
	return v < least ? least : v > most ? most : v;
}

static void window(struct plot *p)
{
	const struct res_memory_window *w = p->r->window;

	if (!w || !w->begin)
		return;
	double begin_x = x_of(p, clamp(w->begin->time, p->t_begin, p->t_end));
	double end_x = w->end ? x_of(p, clamp(w->end->time, p->t_begin, p->t_end)) : PLOT_RIGHT;

	if (end_x < begin_x)
		end_x = begin_x;
	out_printf(p->o,
		"<rect class=\"window\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>"
		"<line class=\"edge\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>"
		"<line class=\"edge\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n",
		begin_x, PLOT_TOP, end_x - begin_x, PLOT_BOTTOM - PLOT_TOP, begin_x, PLOT_TOP,
		begin_x, PLOT_BOTTOM, end_x, PLOT_TOP, end_x, PLOT_BOTTOM);
}

static void peak(struct plot *p)
{
	const struct res_memory_point *peak = p->r->peak;
	double x, y;

	if (!is_known(peak))
		return;
	x = !isfinite(peak->time) ? PLOT_RIGHT : x_of(p, clamp(peak->time, p->t_begin, p->t_end));
	y = plot_frame_y(p->y_max, (double)peak->total_bytes);
	const char *anchor = x < PLOT_LEFT + 160    ? "start"
			     : x > PLOT_RIGHT - 160 ? "end"
						    : "middle";

	out_printf(p->o,
		"<line class=\"peak\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>"
		"<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>"
		"<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">peak ",
		PLOT_LEFT, y, PLOT_RIGHT, y, x, y, clamp(x, PLOT_LEFT + 6, PLOT_RIGHT - 6), y - 8,
		anchor);
	put_bytes(p, (double)peak->total_bytes);
	out_str(p->o, " at ");
	if (!isfinite(peak->time)) {
		out_str(p->o, "the program's end</text>\n");
	} else {
		put_time(p, peak->time);
		out_printf(p->o, "%s</text>\n", time_words(p->r));
	}
}

/* Of the program's end there is no time but the edge. */
static void end_dot(struct plot *p)
{
	const struct res_memory_point *end = p->r->held_at_end;

	if (is_known(end))
		out_printf(p->o, "<circle class=\"end\" cx=\"%d\" cy=\"%.1f\" r=\"3.5\"/>\n",
			PLOT_RIGHT, plot_frame_y(p->y_max, (double)end->total_bytes));
}

/* What a pointer over a snapshot's part of the picture is shown. */
static void tooltips(struct plot *p)
{
	const struct res_memory *r = p->r;

	if (r->snapshots.len > TOOLTIPS_MAX)
		return;
	for (size_t i = 0; i < r->snapshots.len; i++) {
		const struct res_memory_snapshot *s = &r->snapshots.at[i];
		double x = x_of(p, s->time);
		double next = i + 1 < r->snapshots.len ? x_of(p, s[1].time) : PLOT_RIGHT;

		if (!(next > x))
			continue;
		out_printf(p->o,
			"<rect class=\"tip\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" "
			"height=\"%d\"><title>snapshot %llu: ",
			x, PLOT_TOP, next - x, PLOT_BOTTOM - PLOT_TOP,
			(unsigned long long)s->snapshot);
		put_bytes(p, total_of(s));
		out_str(p->o, " at ");
		put_time(p, s->time);
		out_printf(p->o, "%s</title></rect>\n", time_words(r));
	}
}

/* ---- all of it ---- */

/* 0: there is nothing to draw. */
static int measure(struct plot *p)
{
	const struct res_memory *r = p->r;
	const struct res_memory_snapshot *s = r->snapshots.at;

	p->t_begin = p->t_end = NAN;
	for (size_t i = 0; i < r->snapshots.len; i++) {
		if (!isfinite(s[i].time))
			continue;
		p->t_begin = fmin(p->t_begin, s[i].time);
		p->t_end = fmax(p->t_end, s[i].time);
		p->y_max = fmax(p->y_max, total_of(&s[i]));
	}
	if (is_known(r->peak))
		p->y_max = fmax(p->y_max, (double)r->peak->total_bytes);
	if (!(p->t_end > p->t_begin))
		p->t_end = p->t_begin + fmax(1, p->t_begin / 1000);
	p->y_max = fmax(p->y_max * 1.08, 1); /* room for the peak's words */
	return isfinite(p->t_begin);
}

void plot_write(const struct res_memory *r, int is_file, struct out *o)
{
	struct plot p = {.r = r, .o = o};

	begin(&p, is_file);
	if (!measure(&p)) {
		out_printf(o, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
			PLOT_WIDTH / 2, PLOT_HEIGHT / 2, "there is no heap profile of this run");
	} else {
		legend(&p);
		y_axis(&p);
		areas(&p);
		window(&p);
		x_axis(&p);
		end_dot(&p);
		peak(&p);
		tooltips(&p);
	}
	out_str(o, "</svg>\n");
	arena_release(&p.arena);
}
