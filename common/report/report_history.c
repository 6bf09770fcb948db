/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/report/report_history.h"

#include <string.h>

#include "common/base/units.h"
#include "common/report/plot_history.h"
#include "common/report/report_page.h"
#include "common/view/view_history.h"
#include "common/write/writer.h"

enum { NAME_COLUMNS = 60, WHOLE_MAX = 64 << 10 };

static int is_new_part(const struct res_history *r, size_t i)
{
	const struct res_history_series *s = &r->series.at[i], *was = i ? s - 1 : s;

	return !i || strcmp(s->scenario, was->scenario) != 0 || strcmp(s->type, was->type) != 0;
}

/* ---- the page ---- */

static void contents(struct page *p, const struct res_history *r)
{
	size_t n = 0;

	out_str(p->o, "<nav><a href=\"#answer\">in short</a> ");
	for (size_t i = 0; i < r->series.len; i++) {
		if (!is_new_part(r, i))
			continue;
		out_printf(p->o, "<a href=\"#part-%zu\">", n++);
		html_name(p,
			arena_printf(
				&p->arena, "%s %s", r->series.at[i].scenario, r->series.at[i].type),
			NAME_COLUMNS);
		out_str(p->o, "</a> ");
	}
	out_str(p->o, "<a href=\"#versions\">versions</a></nav>\n</header>\n<main>\n");
}

static void section(struct page *p, const char *id, const char *title,
	void (*fill)(struct doc *, const struct res_history *), const struct res_history *r)
{
	struct doc *d = doc_new();

	html_section(p, id, title);
	fill(d, r);
	html_doc_end(p, d);
	html_section_end(p);
}

/* Since when it is what it is. */
static void heading(struct page *p, const struct res_history_series *s)
{
	const struct res_history_change *c =
		s->changes.len ? &s->changes.at[s->changes.len - 1] : NULL;
	const struct res_history_point *last = &s->points.at[s->points.len - 1];
	char buf[UNITS_BUF];

	out_str(p->o, "<h3>");
	html_name(p, s->figure, NAME_COLUMNS);
	if (c) {
		out_printf(p->o, ": %s since ", units_figure(buf, s->unit, c->after));
		html_name(p, c->version, NAME_COLUMNS);
		out_printf(p->o, " (%s, %s)", view_history_what(c, &p->arena),
			view_history_share(c, &p->arena));
	} else {
		out_printf(p->o, ": %s, %s", units_figure(buf, s->unit, last->median),
			view_history_is_judged(s) ? "no change" : "too few versions to tell");
	}
	out_str(p->o, "</h3>\n");
}

static void picture(struct page *p, const struct res_history_series *s)
{
	struct doc *d = doc_new();

	heading(p, s);
	out_str(p->o, "<div class=\"scroll trend\" tabindex=\"0\">");
	plot_history_write(s, 0, p->o);
	out_str(p->o, "</div>\n<details><summary>The same as a table</summary>\n");
	view_history_points(d, s);
	html_doc_end(p, d);
	out_str(p->o, "</details>\n");
}

static void part_begin(struct page *p, const struct res_history *r, size_t i, size_t n)
{
	const struct res_history_series *s = &r->series.at[i];
	struct doc *changes = doc_new(), *limits = doc_new();

	out_printf(p->o, "<section id=\"part-%zu\">\n<h2>", n);
	html_name(p, arena_printf(&p->arena, "%s %s", s->scenario, s->type), NAME_COLUMNS);
	out_str(p->o, "</h2>\n");
	view_history_changes(changes, r, s);
	html_doc_end(p, changes);
	view_history_limits(limits, s);
	html_doc_end(p, limits);
}

void report_history_html(const struct res_history *r, struct out *o)
{
	struct page p = {.o = o, .whole_left = WHOLE_MAX};
	size_t n = 0;

	html_page(&p, "history");
	out_str(o, "<header>\n<h1>History</h1>\n<p class=\"command\"><code>");
	html_name(&p, r->store ? r->store : "?", 200);
	out_str(o, "</code></p>\n");
	contents(&p, r);
	section(&p, "answer", "In short", view_history_answer, r);
	for (size_t i = 0; i < r->series.len; i++) {
		if (is_new_part(r, i)) {
			if (n)
				html_section_end(&p);
			part_begin(&p, r, i, n++);
		}
		picture(&p, &r->series.at[i]);
	}
	if (n)
		html_section_end(&p);
	section(&p, "versions", "Versions", view_history_versions, r);
	html_page_end(&p);
	arena_release(&p.arena);
}

/* ---- text ---- */

void report_history_text(const struct res_history *r, struct out *o)
{
	struct doc *d = doc_new();

	doc_head(d, "history", r->store ? r->store : "?");
	view_history_answer(d, r);
	if (r->changes.len) {
		doc_section(d, "CHANGES");
		view_history_changes(d, r, NULL);
	}
	if (r->versions.len) {
		doc_section(d, "VERSIONS");
		view_history_versions(d, r);
	}
	text_write_doc(d, o, out_columns(o->fd, TEXT_COLUMNS));
	doc_free(d);
}
