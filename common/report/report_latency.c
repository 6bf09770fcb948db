/* SPDX-License-Identifier: GPL-3.0-only */
/* Latencies of the calls, one below the other on one axis. */
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/report/report_bins.h"
#include "common/report/report_page.h"
#include "common/view/view_parts.h"

#define CALLS_MAX  14
#define LEFT       170
#define RIGHT      1100
#define ROW        44
#define TOP        8
#define MARK_CALLS 10 /* fewer calls have no percentiles */

static int compare_calls(const void *a, const void *b)
{
	const struct res_syscall *x = *(const struct res_syscall *const *)a;
	const struct res_syscall *y = *(const struct res_syscall *const *)b;

	if (view_has_messages(x) != view_has_messages(y))
		return view_has_messages(y) - view_has_messages(x);
	if (view_total_ns(x) != view_total_ns(y))
		return view_total_ns(x) < view_total_ns(y) ? 1 : -1;
	return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

const struct res_syscall **report_latency_calls(
	struct arena *a, const struct res_result *r, size_t *ret_len, size_t *ret_left_out)
{
	const struct res_syscall **calls = arena_alloc(a, r->syscalls.len + 1, sizeof(*calls));
	size_t n = 0;

	for (size_t i = 0; i < r->syscalls.len; i++) {
		if (r->syscalls.at[i].latency_histogram.len)
			calls[n++] = &r->syscalls.at[i];
	}
	qsort(calls, n, sizeof(*calls), compare_calls);
	*ret_len = n > CALLS_MAX ? CALLS_MAX : n;
	*ret_left_out = n - *ret_len;
	return calls;
}

/* The bins that are drawn, and where. */
struct scale {
	int first, last;
};

static double x_of(const struct scale *s, double bin)
{
	return LEFT + (bin - s->first) * (RIGHT - LEFT) / (s->last + 1 - s->first);
}

static double x_of_ns(const struct scale *s, uint64_t ns)
{
	double bin = ns ? log2((double)ns) * LATENCY_STEPS : 0;
	double x = x_of(s, bin);

	return x < LEFT ? LEFT : x > RIGHT ? RIGHT : x;
}

/* A line and its label at each power of ten. */
static void axis(struct page *p, const struct scale *s, double bottom)
{
	char buf[UNITS_BUF];
	uint64_t ns = 1;

	for (int i = 0; i <= 18; i++, ns *= 10) {
		double bin = log2((double)ns) * LATENCY_STEPS;

		if (bin < s->first || bin > s->last + 1)
			continue;
		out_printf(p->o, "<path class=\"grid\" d=\"M%.1f %dV%.1f\"/>", x_of(s, bin), TOP,
			bottom);
		units_duration(buf, ns);
		if (strstr(buf, ".0 ")) /* "10.0 us": the axis is of whole numbers */
			memmove(strstr(buf, ".0 "), strstr(buf, ".0 ") + 2,
				strlen(strstr(buf, ".0 ") + 2) + 1);
		svg_text(p, x_of(s, bin), bottom + 15, "middle", buf);
	}
}

static void mark(
	struct page *p, const struct scale *s, const char *class, uint64_t ns, double bottom)
{
	if (ns != U64_NONE)
		out_printf(p->o, "<path class=\"%s\" d=\"M%.1f %.1fv-%d\"/>", class, x_of_ns(s, ns),
			bottom + 3, ROW - 4);
}

static void row(struct page *p, const struct scale *s, const struct res_syscall *call, double top)
{
	struct latency_bins bins;
	double bottom = top + ROW - 4;
	char buf[UNITS_BUF];

	report_latency_bins(call, &bins);
	out_printf(p->o, "<text class=\"name\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", LEFT - 10,
		bottom - 8);
	html_name(p, call->name ? call->name : "?", 22);
	out_str(p->o, "</text>\n");
	svg_text(p, SVG_WIDTH - 4, bottom - 8, "end", units_thousands(buf, bins.total));
	out_str(p->o, "<path class=\"got\" d=\"");
	for (int i = bins.first; i <= bins.last; i++) {
		double share = (double)bins.count[i] / (double)bins.most;
		double height = share * (ROW - 10);

		if (bins.count[i])
			out_printf(p->o, "M%.1f %.1fv-%.1fh%.1fV%.1fz", x_of(s, i), bottom,
				height < 1 ? 1 : height, x_of(s, i + 1) - x_of(s, i), bottom);
	}
	out_printf(p->o, "\"/><path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, bottom, RIGHT);
	if (!call->wall_ns || bins.total < MARK_CALLS)
		return;
	mark(p, s, "p50", call->wall_ns->p50, bottom);
	if (bins.total >= 100)
		mark(p, s, "p99", call->wall_ns->p99, bottom);
}

static struct scale scale_of(const struct res_syscall **calls, size_t n)
{
	struct scale s = {LATENCY_BINS, 0};

	for (size_t i = 0; i < n; i++) {
		struct latency_bins bins;

		report_latency_bins(calls[i], &bins);
		s.first = bins.first < s.first ? bins.first : s.first;
		s.last = bins.last > s.last ? bins.last : s.last;
	}
	return s;
}

void report_latencies(struct page *p, const struct res_result *r)
{
	size_t n, left_out;
	const struct res_syscall **calls = report_latency_calls(&p->arena, r, &n, &left_out);
	struct scale s = scale_of(calls, n);
	double bottom = TOP + (double)n * ROW;

	if (!n || s.first > s.last)
		return;
	out_str(p->o, "<p class=\"key\"><span class=\"k got\"></span>calls by the time they took, "
		      "each row to its own height <span class=\"k p50\"></span>p50 "
		      "<span class=\"k p99\"></span>p99 (from 100 calls on); right: calls</p>\n");
	svg_begin(p, "chart", bottom + 24, "Histograms of the latency of each call, on one axis");
	axis(p, &s, bottom);
	for (size_t i = 0; i < n; i++)
		row(p, &s, calls[i], TOP + (double)i * ROW);
	svg_end(p);
	if (left_out)
		html_legend(p, "%s that took less time in all are in the tables only.",
			report_plural(&p->arena, left_out, "other call"));
}
