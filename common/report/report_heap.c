/* SPDX-License-Identifier: GPL-3.0-only */
/* The heap over time, snapshot by snapshot. */
#include <stdio.h>
#include <string.h>

#include "common/base/units.h"
#include "common/report/report_page.h"

#define LEFT   130
#define RIGHT  1100
#define TOP    26
#define BOTTOM 250

static uint64_t zero(uint64_t v)
{
	return v == U64_NONE ? 0 : v;
}

static uint64_t heap_of(const struct res_memory_snapshot *s)
{
	return zero(s->heap_bytes);
}

static uint64_t total_of(const struct res_memory_snapshot *s)
{
	return sat_add(sat_add(heap_of(s), zero(s->extra_bytes)), zero(s->stacks_bytes));
}

struct scale {
	double time, bytes; /* the most of each */
};

static double x_of(const struct scale *s, double time)
{
	double at = s->time > 0 && time > 0 ? time / s->time : 0;

	return LEFT + (at < 1 ? at : 1) * (RIGHT - LEFT);
}

static double y_of(const struct scale *s, uint64_t bytes)
{
	return BOTTOM - (s->bytes > 0 ? (double)bytes / s->bytes : 0) * (BOTTOM - TOP);
}

static void area(struct page *p, const char *class, const struct scale *s,
	const struct res_memory *m, uint64_t (*bytes)(const struct res_memory_snapshot *))
{
	double x = LEFT;

	out_printf(p->o, "<path class=\"%s\" d=\"M%d %d", class, LEFT, BOTTOM);
	for (size_t i = 0; i < m->snapshots.len; i++) {
		const struct res_memory_snapshot *at = &m->snapshots.at[i];

		if (!isfinite(at->time))
			continue;
		x = x_of(s, at->time);
		out_printf(p->o, "L%.1f %.1f", x, y_of(s, bytes(at)));
	}
	out_printf(p->o, "L%.1f %dz\"/>\n", x, BOTTOM);
}

static const char *time_label(char *buf, uint64_t v)
{
	static const struct {
		uint64_t unit;
		const char *name;
	} units[] = {{1000000000000000, "P"}, {1000000000000, "T"}, {1000000000, "G"},
		{1000000, "M"}, {1000, "k"}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (v >= units[i].unit) {
			snprintf(buf, UNITS_BUF, "%.4g %s", (double)v / (double)units[i].unit,
				units[i].name);
			return buf;
		}
	}
	return units_thousands(buf, v);
}

static const char *ms_label(char *buf, uint64_t v)
{
	return units_duration(buf, sat_mul(v, 1000000));
}

static void peak(struct page *p, const struct scale *s, const struct res_memory_point *at)
{
	char buf[UNITS_BUF];

	if (!at || at->total_bytes == U64_NONE)
		return;
	double x = isfinite(at->time) ? x_of(s, at->time) : RIGHT; /* the program's end */

	out_printf(p->o, "<path class=\"p99\" d=\"M%.1f %dV%d\"/>\n", x, TOP, BOTTOM);
	svg_text(p, x, TOP - 8, x > (LEFT + RIGHT) / 2.0 ? "end" : "start",
		arena_printf(&p->arena, "peak %s", units_bytes(buf, at->total_bytes)));
}

static const char *unit_words(const struct res_memory *m)
{
	const char *unit = m->massif && m->massif->time_unit ? m->massif->time_unit : "";

	return !strcmp(unit, "i")    ? "instructions executed"
	       : !strcmp(unit, "ms") ? "time under valgrind"
	       : !strcmp(unit, "B")  ? "bytes allocated and freed"
				     : "massif's time";
}

static struct scale scale_of(const struct res_memory *m)
{
	struct scale s = {0};

	for (size_t i = 0; i < m->snapshots.len; i++) {
		const struct res_memory_snapshot *at = &m->snapshots.at[i];

		if (isfinite(at->time) && at->time > s.time)
			s.time = at->time;
		if ((double)total_of(at) > s.bytes)
			s.bytes = (double)total_of(at);
	}
	if (m->peak && m->peak->total_bytes != U64_NONE && (double)m->peak->total_bytes > s.bytes)
		s.bytes = (double)m->peak->total_bytes;
	return s;
}

void report_heap(struct page *p, const struct res_memory *m)
{
	const char *unit = m->massif && m->massif->time_unit ? m->massif->time_unit : "";
	struct scale s = scale_of(m);
	const struct svg_axis y = {LEFT, RIGHT, s.bytes, units_bytes};
	struct svg_axis x = {LEFT, RIGHT, s.time,
		!strcmp(unit, "ms")  ? ms_label
		: !strcmp(unit, "B") ? units_bytes
				     : time_label};

	if (m->snapshots.len < 2 || s.bytes <= 0) {
		html_legend(p, "There are too few snapshots to draw the heap over time.");
		return;
	}
	out_str(p->o, "<p class=\"key\"><span class=\"k got\"></span>asked by the program "
		      "<span class=\"k ask\"></span>what the allocator and stacks add, as far as "
		      "measured");
	out_printf(p->o, "; from left to right: %s</p>\n", unit_words(m));
	svg_begin(p, "chart", BOTTOM + 24, "Heap in use over time");
	svg_y_axis(p, &y, TOP, BOTTOM);
	area(p, "ask", &s, m, total_of);
	area(p, "got", &s, m, heap_of);
	svg_x_axis(p, &x, BOTTOM, BOTTOM + 4);
	peak(p, &s, m->peak);
	svg_end(p);
	if (m->snapshots_left_out != U64_NONE && m->snapshots_left_out)
		html_legend(p, "%s not in the result; the peak is never left out.",
			report_plural(&p->arena, m->snapshots_left_out, "snapshot"));
}
