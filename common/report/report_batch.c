/* SPDX-License-Identifier: GPL-3.0-only */
/* How many units each call asked for and got, side by side. */
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/report/report_bins.h"
#include "common/report/report_page.h"
#include "common/view/view_parts.h"

#define CALLS_MAX  8
#define ROW        34
#define BAR        13
#define LEFT       120
#define BARS_WIDTH 760

static uint64_t moved(const struct res_syscall *s)
{
	return s->batch->transferred == U64_NONE ? 0 : s->batch->transferred;
}

static int compare_calls(const void *a, const void *b)
{
	const struct res_syscall *x = *(const struct res_syscall *const *)a;
	const struct res_syscall *y = *(const struct res_syscall *const *)b;

	if (view_has_messages(x) != view_has_messages(y))
		return view_has_messages(y) - view_has_messages(x);
	if (moved(x) != moved(y))
		return moved(x) < moved(y) ? 1 : -1;
	return strcmp(x->name ? x->name : "", y->name ? y->name : "");
}

const struct res_syscall **report_batch_calls(
	struct arena *a, const struct res_result *r, size_t *ret_len, size_t *ret_left_out)
{
	const struct res_syscall **calls = arena_alloc(a, r->syscalls.len + 1, sizeof(*calls));
	size_t n = 0;

	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];

		if (s->batch && s->calls != U64_NONE && s->calls &&
			s->batch->asked_histogram.len + s->batch->transferred_histogram.len)
			calls[n++] = s;
	}
	qsort(calls, n, sizeof(*calls), compare_calls);
	*ret_len = n > CALLS_MAX ? CALLS_MAX : n;
	*ret_left_out = n - *ret_len;
	return calls;
}

/* "sendmmsg: 200 calls, 2 messages a call (p50 2, p90 2, at most 2)." */
static void words(struct page *p, const struct res_syscall *s)
{
	const struct res_batch *b = s->batch;
	const struct res_per_call *per = b->per_call;
	const char *unit = b->unit ? b->unit : "units";
	char p50[UNITS_BUF], p90[UNITS_BUF], max[UNITS_BUF], share[DOC_PERCENT_BUF];
	const char *spread = "", *fill = "";

	if (per && isfinite(per->mean))
		spread = arena_printf(&p->arena, "%.2f %s a call on average", per->mean, unit);
	if (*spread && per->p50 != U64_NONE && per->p90 != U64_NONE && per->max != U64_NONE)
		spread = arena_printf(&p->arena, "%s (p50 %s, p90 %s, at most %s)", spread,
			units_thousands(p50, per->p50), units_thousands(p90, per->p90),
			units_thousands(max, per->max));
	if (isfinite(b->fill))
		fill = arena_printf(
			&p->arena, "; %s of what was asked for", doc_percent(share, b->fill));
	html_legend(p, "%s%s%s%s.", report_plural(&p->arena, s->calls, "call"), *spread ? ", " : "",
		spread, fill);
}

static const char *size_label(struct arena *a, const struct size_bin *bin, uint64_t limit)
{
	char first[UNITS_BUF], last[UNITS_BUF];

	units_thousands(first, bin->first);
	if (bin->first != bin->last)
		return arena_printf(a, "%s\xe2\x80\x93%s", first, units_thousands(last, bin->last));
	return arena_printf(a, "%s%s", bin->first == limit ? "limit " : "", first);
}

static void bar(struct page *p, const char *class, double y, uint64_t calls, uint64_t most)
{
	double width = (double)calls / (double)most * BARS_WIDTH;
	char buf[UNITS_BUF];

	if (!calls)
		return;
	out_printf(p->o, "<rect class=\"%s\" x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>",
		class, LEFT, y, width < 1.5 ? 1.5 : width, BAR);
	svg_text(p, LEFT + width + 6, y + BAR - 2, "start", units_thousands(buf, calls));
}

static void rows(struct page *p, const struct res_syscall *s, const struct size_bins *bins)
{
	char share[DOC_PERCENT_BUF];

	svg_text(p, LEFT - 10, 14, "end", s->batch->unit ? s->batch->unit : "units");
	svg_text(p, LEFT, 14, "start", "calls");
	svg_text(p, SVG_WIDTH - 4, 14, "end",
		arena_printf(
			&p->arena, "share of %s moved", s->batch->unit ? s->batch->unit : "units"));
	for (size_t i = 0; i < bins->len; i++) {
		const struct size_bin *bin = &bins->at[i];
		double y = 24 + (double)i * ROW;

		svg_text(p, LEFT - 10, y + BAR + 4, "end", size_label(&p->arena, bin, bins->limit));
		bar(p, "ask", y, bin->asked, bins->most);
		bar(p, "got", y + BAR + 1, bin->got, bins->most);
		svg_text(p, SVG_WIDTH - 4, y + BAR + 4, "end",
			bin->got && bins->moved > 0 ? doc_percent(share, bin->moved / bins->moved)
						    : "-");
	}
}

static void histogram(struct page *p, const struct res_syscall *s)
{
	struct size_bins bins = report_size_bins(&p->arena, s->batch);
	uint64_t got = view_left_out(s, &s->batch->transferred_histogram, s->ok);
	uint64_t asked = view_left_out(s, &s->batch->asked_histogram, s->calls);
	uint64_t left_out = got > asked ? got : asked;

	out_str(p->o, "<figure><h3>");
	html_name(p, s->name ? s->name : "?", 40);
	out_str(p->o, "</h3>\n");
	words(p, s);
	if (bins.most) {
		svg_begin(p, "chart", 24 + (double)bins.len * ROW,
			"Calls by how many units they asked for and how many they moved");
		rows(p, s, &bins);
		svg_end(p);
	}
	if (left_out)
		html_legend(p,
			"%s with other sizes are not drawn: there were too many different ones.",
			report_plural(&p->arena, left_out, "call"));
	out_str(p->o, "</figure>\n");
}

void report_batches(struct page *p, const struct res_result *r)
{
	size_t n, left_out;
	const struct res_syscall **calls = report_batch_calls(&p->arena, r, &n, &left_out);

	if (!n)
		return; /* the summary says why */
	out_str(p->o, "<p class=\"key\"><span class=\"k ask\"></span>calls that asked for so many "
		      "<span class=\"k got\"></span>calls that moved so many</p>\n");
	for (size_t i = 0; i < n; i++)
		histogram(p, calls[i]);
	if (left_out)
		html_legend(p, "%s that batch but moved less are in the tables only.",
			report_plural(&p->arena, left_out, "other call"));
}
