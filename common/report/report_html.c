/* SPDX-License-Identifier: GPL-3.0-only */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "common/report/plot_frame.h"
#include "common/report/report_page.h"
#include "common/write/safe.h"

#define NAME_COLUMNS 72  /* a longer name in a table is cut */
#define WHOLE_FREE   200 /* columns of a tooltip that count for nothing */
#define WHOLE_MAX    32768

/* ---- text ---- */

void html_text(struct page *p, const char *s)
{
	safe_put_xml(p->o, safe_text(&p->arena, s));
}

/* The length of the unit there, 0: none. */
static size_t unit_len(const char *s)
{
	static const char *const units[] = {"ns", "us", "ms", "s", "min", "h", "d", "B", "KiB",
		"MiB", "GiB", "TiB", "PiB", "EiB", "Hz"};
	size_t len = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	for (size_t i = 0; i < LEN(units); i++)
		if (strlen(units[i]) == len && !strncmp(s, units[i], len))
			return len;
	return 0;
}

/* Text that runs over several lines: a figure and its unit stay on one, and an arrow is whole. */
static char *prose(struct page *p, const char *safe)
{
	size_t n = 0;
	char *to = arena_alloc(&p->arena, 2 * strlen(safe) + 1, 1);

	for (const char *s = safe; *s; s++) {
		if (*s == ' ' && s > safe && s[-1] >= '0' && s[-1] <= '9' && unit_len(s + 1)) {
			to[n++] = (char)0xc2; /* U+00A0 */
			to[n++] = (char)0xa0;
		} else if (s[0] == '-' && s[1] == '>') {
			to[n++] = (char)0xe2; /* U+2192 */
			to[n++] = (char)0x86;
			to[n++] = (char)0x92;
			s++;
		} else {
			to[n++] = *s;
		}
	}
	return to;
}

static void whole(struct page *p, char *safe)
{
	size_t len = strlen(safe);

	if (len > WHOLE_FREE && len <= WHOLE_MAX && len <= p->whole_left)
		p->whole_left -= len;
	else if (len > WHOLE_FREE)
		safe = safe_cut(&p->arena, safe, WHOLE_FREE);
	safe_put_xml(p->o, safe);
}

void html_whole(struct page *p, const char *s)
{
	whole(p, safe_text(&p->arena, s));
}

void html_name(struct page *p, const char *s, size_t columns)
{
	char *safe = safe_text(&p->arena, s);

	if (safe_width(safe) <= columns) {
		safe_put_xml(p->o, safe);
		return;
	}
	out_str(p->o, "<span title=\"");
	whole(p, safe);
	out_str(p->o, "\">");
	safe_put_xml(p->o, safe_cut(&p->arena, safe, columns));
	out_str(p->o, "</span>");
}

/* ---- sections and docs ---- */

void html_section(struct page *p, const char *id, const char *title)
{
	out_printf(p->o, "<section id=\"%s\">\n<h2>%s</h2>\n", id, title);
}

void html_section_end(struct page *p)
{
	out_str(p->o, "</section>\n");
}

void html_legend(struct page *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cleanup_free char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	out_str(p->o, "<p>");
	safe_put_xml(p->o, prose(p, safe_text(&p->arena, text)));
	out_str(p->o, "</p>\n");
}

static void block(struct page *p, const struct doc_block *b)
{
	switch (b->kind) {
	case DOC_HEAD:
		break; /* the page has its own */
	case DOC_PAIR:
		out_printf(p->o, "<div%s><dt>",
			!strcmp(b->a, "WARNING") || strstr(b->b, "SLOWED") ? " class=\"warn\""
									   : "");
		html_name(p, b->a, NAME_COLUMNS);
		out_str(p->o, "</dt><dd>");
		whole(p, prose(p, safe_text(&p->arena, b->b)));
		out_str(p->o, "</dd></div>\n");
		break;
	case DOC_SECTION:
		out_str(p->o, "<h3>");
		html_name(p, b->a, NAME_COLUMNS);
		out_str(p->o, "</h3>\n");
		break;
	case DOC_TABLE:
		html_table(p, b->table);
		break;
	case DOC_NOTE:
		out_str(p->o, "<li>");
		whole(p, prose(p, safe_text(&p->arena, b->a)));
		out_str(p->o, "</li>\n");
		break;
	case DOC_TEXT:
		out_str(p->o, "<p>");
		whole(p, prose(p, safe_text(&p->arena, b->a)));
		out_str(p->o, "</p>\n");
		break;
	}
}

static const char *group_of(enum doc_kind kind)
{
	return kind == DOC_PAIR ? "dl" : kind == DOC_NOTE ? "ul" : NULL;
}

void html_blocks(struct page *p, const struct doc_block *at, size_t n)
{
	const char *open = NULL;

	for (size_t i = 0; i < n; i++) {
		const char *group = group_of(at[i].kind);

		if (group != open) {
			if (open)
				out_printf(p->o, "</%s>\n", open);
			if (group)
				out_printf(p->o, "<%s>\n", group);
			open = group;
		}
		block(p, &at[i]);
	}
	if (open)
		out_printf(p->o, "</%s>\n", open);
}

void html_doc(struct page *p, const struct doc *d)
{
	html_blocks(p, d->blocks.at, d->blocks.len);
}

void html_doc_end(struct page *p, struct doc *d)
{
	html_doc(p, d);
	doc_free(d);
}

/* ---- tables ---- */

static void cell_words(struct page *p, const struct cell *c)
{
	const char *words = doc_cell_words(&p->arena, c);

	if (c->type == CELL_TEXT)
		html_name(p, words, NAME_COLUMNS);
	else
		safe_put_xml(p->o, words);
}

/* data-v is what a column is sorted by; numbers have it, and stand right. */
static void cell(struct page *p, const struct cell *c, int left)
{
	int is_text = c->type == CELL_TEXT || c->type == CELL_NONE;

	if (is_text && left)
		out_str(p->o, "<td>");
	else if (is_text) /* a number that is a name, as of a process */
		out_printf(p->o, "<td data-v=\"%.*s\">",
			c->type == CELL_TEXT ? (int)strspn(c->text, "0123456789") : 0,
			c->type == CELL_TEXT ? c->text : "");
	else if (c->type == CELL_RATIO || c->type == CELL_MEAN)
		out_printf(p->o, "<td data-v=\"%.6g\">", c->real);
	else
		out_printf(p->o, "<td data-v=\"%" PRIu64 "\">", c->count);
	cell_words(p, c);
	out_str(p->o, "</td>");
}

static void table_head(struct page *p, const struct doc_table *t)
{
	out_str(p->o, "<thead><tr>");
	for (size_t i = 0; i < t->columns_len; i++) {
		const struct doc_column *c = &t->columns[i];

		out_printf(p->o, "<th scope=\"col\"%s data-c=\"", c->left ? "" : " class=\"n\"");
		html_text(p, c->id);
		out_str(p->o, "\" title=\"");
		html_text(p, c->meaning ? c->meaning : "");
		out_str(p->o, "\">");
		html_text(p, *c->title ? c->title : c->id);
		out_str(p->o, "</th>");
	}
	out_str(p->o, "</tr></thead>\n");
}

void html_table(struct page *p, const struct doc_table *t)
{
	size_t rows = t->cells.len / t->columns_len;

	if (!rows)
		return;
	out_str(p->o, "<div class=\"scroll\" tabindex=\"0\"><table data-t=\"");
	html_text(p, t->id);
	out_str(p->o, "\">");
	table_head(p, t);
	out_str(p->o, "<tbody>\n");
	for (size_t row = 0; row < rows; row++) {
		out_str(p->o, "<tr>");
		for (size_t i = 0; i < t->columns_len; i++)
			cell(p, &t->cells.at[row * t->columns_len + i], t->columns[i].left);
		out_str(p->o, "</tr>\n");
	}
	out_str(p->o, "</tbody></table></div>\n");
}

/* ---- SVG ---- */

void svg_begin(struct page *p, const char *class, double height, const char *what)
{
	out_printf(p->o,
		"<div class=\"scroll\" tabindex=\"0\"><svg class=\"%s\" viewBox=\"0 0 %d %.0f\" "
		"role=\"img\" aria-label=\"",
		class, SVG_WIDTH, height);
	html_text(p, what);
	out_str(p->o, "\">\n");
}

void svg_end(struct page *p)
{
	out_str(p->o, "</svg></div>\n");
}

void svg_text(struct page *p, double x, double y, const char *at, const char *s)
{
	out_printf(p->o, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, at);
	html_text(p, s);
	out_str(p->o, "</text>\n");
}

/* 1, 2 or 5 times a power of ten: at most `most` of it in max. */
void svg_x_axis(struct page *p, const struct svg_axis *a, double top, double bottom)
{
	double step = a->max >= 1 ? plot_frame_step(a->max / 8) : 1;
	char buf[UNITS_BUF];

	step = step < 1 ? 1 : step;
	for (int i = 0; i <= 8 && step * i <= a->max; i++) {
		double x = a->left + (a->right - a->left) * (a->max > 0 ? step * i / a->max : 0);

		out_printf(p->o, "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>", x, top, bottom);
		svg_text(p, x, bottom + 15, "middle", a->label(buf, sat_u64(step * i)));
	}
}

void svg_y_axis(struct page *p, const struct svg_axis *a, double top, double bottom)
{
	char buf[UNITS_BUF];

	for (int i = 0; i <= 2; i++) {
		double y = bottom - (bottom - top) * i / 2;

		out_printf(
			p->o, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>", a->left, y, a->right);
		if (i != 1 || a->max >= 2)
			svg_text(p, a->left - 6, y + 4, "end",
				a->label(buf, sat_u64(a->max * i / 2)));
	}
}
