/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/history_print.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/view/view.h"
#include "common/view/view_history.h"
#include "common/write/writer.h"

static size_t columns_of(const struct out *o)
{
	return out_columns(o->fd, TEXT_COLUMNS);
}

static void end(struct doc *d, struct out *o)
{
	text_write_doc(d, o, columns_of(o));
	doc_free(d);
}

/* Each text one line, but on a terminal that has no room for it. */
static void end_lines(struct doc *d, struct out *o)
{
	text_write_doc(d, o, out_columns(o->fd, SIZE_MAX));
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

/* What the locale's variables say, in the order in which they count. */
static int is_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	const char *locale = NULL;

	for (int i = 0; i < 3 && (!locale || !*locale); i++)
		locale = getenv(names[i]);
	return locale && (strcasestr(locale, "utf-8") || strcasestr(locale, "utf8"));
}

/* One character a version, in eighths between the least and the largest; "." not measured. Nothing
 * where these are no characters. */
static void print_line(const struct res_history_series *s, struct out *o)
{
	static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	double low = NAN, high = NAN;
	size_t room = columns_of(o) - 4;
	size_t from = s->points.len > room ? s->points.len - room : 0;

	if (!is_utf8())
		return;
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
	struct doc *title = doc_new(), *d = doc_new();

	doc_text(title, "%s of %s, %s", s->figure, s->scenario, s->type);
	end_lines(title, o);
	print_line(s, o);
	view_history_points(d, s);
	for (size_t i = 0; i < s->changes.len; i++)
		if (s->changes.at[i].culprit)
			doc_note(d, "%s: %s", s->changes.at[i].version, s->changes.at[i].culprit);
	if (!s->changes.len && view_history_is_judged(s))
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
		doc_text(d, "no change%s in %zu version%s",
			r->notes.len ? " that could be told" : "", r->versions.len,
			r->versions.len == 1 ? "" : "s");
	view_history_notes(d, r);
	end(d, o);
}

/* ---- a check ---- */

static void tell_worse(struct doc *d, const struct res_history_change *c)
{
	char before[UNITS_BUF], after[UNITS_BUF];

	doc_text(d, "%s %s: %s is worse since %s: %s -> %s", c->scenario, c->type, c->figure,
		c->version, units_figure(before, c->unit, c->before),
		units_figure(after, c->unit, c->after));
}

void history_print_check(const struct res_history *r, int all, struct out *o)
{
	struct doc *notes = doc_new(), *worse = doc_new();

	for (size_t i = 0; i < r->notes.len; i++)
		doc_text(notes, "%s", r->notes.at[i]);
	end_lines(notes, o);
	for (size_t i = 0; i < r->comparisons.len; i++)
		end(view_compare(&r->comparisons.at[i], all), o);
	for (size_t i = 0; i < r->changes.len; i++)
		tell_worse(worse, &r->changes.at[i]);
	end_lines(worse, o);
}
