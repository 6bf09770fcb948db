/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/history_print.h"

#include <math.h>

#include "common/view/view_history.h"
#include "common/write/safe.h"
#include "common/write/writer.h"

#define TEXT_COLUMNS 120

static void end(struct doc *d, struct out *o)
{
	text_write_doc(d, o, TEXT_COLUMNS);
	doc_free(d);
}

void history_print_versions(const struct res_history *r, struct out *o)
{
	struct doc *d = doc_new();

	view_history_versions(d, r);
	end(d, o);
}

void history_print_figures(const struct res_history *r, int all, struct out *o)
{
	struct doc *d = doc_new();

	view_history_figures(d, r, all);
	end(d, o);
}

/* ---- a series ---- */

/* One character a version, in eighths between the least and the largest; "." not measured. */
static void print_line(const struct res_history_series *s, struct out *o)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	double low = NAN, high = NAN;
	size_t from = s->points.len > TEXT_COLUMNS - 4 ? s->points.len - (TEXT_COLUMNS - 4) : 0;

	for (size_t i = from; i < s->points.len; i++) {
		low = fmin(low, s->points.at[i].median);
		high = fmax(high, s->points.at[i].median);
	}
	out_str(o, "  ");
	for (size_t i = from; i < s->points.len; i++) {
		double v = s->points.at[i].median,
		       share = high > low ? (v - low) / (high - low) : 0;

		out_str(o, isnan(v) ? "." : bars[(int)(share * 7.999)]);
	}
	out_char(o, '\n');
}

static void print_series(const struct res_history_series *s, struct out *o)
{
	struct doc *d = doc_new();

	out_printf(o, "%s of %s, %s\n", safe_text(&d->arena, s->figure),
		safe_text(&d->arena, s->scenario), safe_text(&d->arena, s->type));
	print_line(s, o);
	view_history_points(d, s);
	for (size_t i = 0; i < s->changes.len; i++)
		if (s->changes.at[i].culprit)
			doc_note(d, "%s: %s", s->changes.at[i].version, s->changes.at[i].culprit);
	if (!s->changes.len)
		doc_note(d, "no change");
	view_history_limits(d, s);
	end(d, o);
}

void history_print_series(const struct res_history *r, struct out *o)
{
	for (size_t i = 0; i < r->series.len; i++) {
		if (i)
			out_char(o, '\n');
		print_series(&r->series.at[i], o);
	}
}

/* ---- changes ---- */

void history_print_changes(const struct res_history *r, struct out *o)
{
	struct doc *d = doc_new();

	if (r->changes.len)
		view_history_changes(d, r, NULL);
	else
		doc_text(d, "no change in %zu version%s", r->versions.len,
			r->versions.len == 1 ? "" : "s");
	end(d, o);
}
