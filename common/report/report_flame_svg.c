/* SPDX-License-Identifier: GPL-3.0-only */
/* A flame graph, the root at the top: searched and zoomed by the page's script, readable without.
 */
#include <math.h>
#include <string.h>

#include "common/base/units.h"
#include "common/model/enough.h"
#include "common/report/report_flame.h"
#include "common/report/report_page.h"
#include "common/write/safe.h"

#define NODES_MAX  1000
#define SHARE_MIN  0.001
#define DEPTH_MAX  160 /* frames that are drawn */
#define ROW        18
#define TEXT_PAD   3
#define CHAR_WIDTH 6.7 /* of the 11px monospaced font; report_script.c has it too */
#define CHARS_MIN  3
#define COLORS     5

static const char *amount(struct page *p, const struct flame *f, uint64_t v)
{
	char buf[UNITS_BUF];

	if (f->unit == CELL_NS)
		return arena_strdup(&p->arena, units_duration(buf, v));
	if (f->unit == CELL_BYTES)
		return arena_strdup(&p->arena, units_bytes(buf, v));
	return report_plural(&p->arena, v, f->noun ? f->noun : "sample");
}

/* The same name has the same color in every graph. */
static unsigned int color_of(const char *name)
{
	unsigned int h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h % COLORS;
}

/* Of a difference the color is what changed, as a share of all: more, less, or hardly. */
static const char *change_of(const struct flame *f, const struct flame_node *n)
{
	static const double steps[] = {0.005, 0.02, 0.1};
	static const char *const more[] = {"u1", "u2", "u3"}, *const less[] = {"l1", "l2", "l3"};
	double by = ((double)n->total - (double)n->before) / (double)f->nodes.at[0].total;
	const char *class = "l0";

	for (size_t i = 0; i < 3; i++)
		if (fabs(by) >= steps[i])
			class = by > 0 ? more[i] : less[i];
	return class;
}

/* Shares of few samples say nothing. Other graphs are of all that was held or spent. */
static int shows_shares(const struct flame *f)
{
	return f->unit != CELL_COUNT || f->nodes.at[0].total >= JUDGE_SAMPLES_MIN;
}

struct box {
	double x, width;
	size_t depth;
};

/* The name on its own line of the tooltip: the script reads it there. */
static void draw(
	struct page *p, const struct flame *f, const struct flame_node *n, const struct box *b)
{
	double share = (double)n->total / (double)f->nodes.at[0].total;
	size_t chars = (size_t)((b->width - 2 * TEXT_PAD) / CHAR_WIDTH), y = b->depth * ROW;
	char percent[DOC_PERCENT_BUF];

	out_str(p->o, "<g><title>");
	html_whole(p, n->name);
	out_printf(p->o, "\n%s%s", amount(p, f, n->total), shows_shares(f) ? ", " : "");
	html_text(p, shows_shares(f) ? doc_percent(percent, share) : "");
	if (f->is_difference && shows_shares(f)) {
		html_text(p, "; before ");
		html_text(
			p, doc_percent(percent, (double)n->before / (double)f->nodes.at[0].total));
	}
	out_printf(p->o,
		"</title><rect class=\"%s\" x=\"%.2f\" y=\"%zu\" width=\"%.2f\" height=\"%d\"/>",
		f->is_difference ? change_of(f, n)
				 : arena_printf(&p->arena, "f%u", color_of(n->name)),
		b->x, y, b->width, ROW - 1);
	if (b->width > 2 * TEXT_PAD && chars >= CHARS_MIN) {
		char *safe = safe_text(&p->arena, n->name);
		size_t fit = safe_fit(safe, chars);

		if (safe[fit])
			fit = safe_fit(safe, chars - 2);
		out_printf(p->o, "<text x=\"%.2f\" y=\"%zu\">", b->x + TEXT_PAD, y + 13);
		html_text(p,
			arena_printf(&p->arena, "%.*s%s", (int)fit, safe, safe[fit] ? ".." : ""));
		out_str(p->o, "</text>");
	}
	out_str(p->o, "</g>\n");
}

struct drawn {
	size_t nodes, left_out, deepest;
};

/* Where each node lies follows from those before it: at[depth] is where the next one there begins.
 */
static struct drawn walk(struct page *p, const struct flame *f, uint64_t least, int really)
{
	double at[DEPTH_MAX + 1] = {0}, root = (double)f->nodes.at[0].total;
	struct drawn d = {0};

	for (size_t i = 0; i < f->nodes.len; i++) {
		const struct flame_node *n = &f->nodes.at[i];
		struct box b = {.depth = n->depth};

		if (n->depth >= DEPTH_MAX) {
			d.left_out++;
			continue;
		}
		b.x = at[n->depth];
		b.width = (double)n->total / root * SVG_WIDTH;
		at[n->depth] += b.width;
		at[n->depth + 1] = b.x;
		if (n->total < least) {
			d.left_out++;
			continue;
		}
		d.nodes++;
		d.deepest = n->depth > d.deepest ? n->depth : d.deepest;
		if (really)
			draw(p, f, n, &b);
	}
	return d;
}

void report_flame_svg(struct page *p, const struct flame *f, const char *what)
{
	uint64_t least;
	struct drawn d;

	if (!f->nodes.len || !f->nodes.at[0].total) {
		html_legend(p, "There is nothing to draw: no stacks were found.");
		return;
	}
	least = flame_least(f, NODES_MAX, SHARE_MIN);
	d = walk(p, f, least, 0);
	svg_begin(p, "flame", (double)(d.deepest + 1) * ROW, what);
	walk(p, f, least, 1);
	svg_end(p);
	if (!shows_shares(f))
		html_legend(p, "Fewer than %d samples: widths are counts, nothing is concluded.",
			JUDGE_SAMPLES_MIN);
	if (d.left_out)
		html_legend(p, "Drawn: %s. Left out: %s of less than %s or deeper than %d.",
			report_plural(&p->arena, d.nodes, "frame"),
			report_plural(&p->arena, d.left_out, "frame"), amount(p, f, least),
			DEPTH_MAX);
	if (f->unreadable)
		html_legend(p, "%s of the folded file could not be read.",
			report_plural(&p->arena, f->unreadable, "line"));
}

/* ---- a file of its own ---- */

#define HEAD 34 /* height of the title */

static void file_begin(struct page *p, const char *title, double height)
{
	out_printf(p->o,
		"<?xml version=\"1.0\" standalone=\"no\"?>\n<svg "
		"xmlns=\"http://www.w3.org/2000/svg\" "
		"class=\"flame\" viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\">\n<title>",
		SVG_WIDTH, height, SVG_WIDTH, height);
	html_text(p, title);
	out_printf(p->o,
		"</title>\n<style>%s</style>\n<rect class=\"page\" width=\"%d\" "
		"height=\"%.0f\"/>\n<text class=\"title\" x=\"%d\" y=\"21\">",
		report_flame_style, SVG_WIDTH, height, TEXT_PAD);
	html_text(p, title);
	out_str(p->o, "</text>\n");
}

/* What the picture does not show, below it. */
static void file_notes(struct page *p, const struct flame *f, const struct drawn *d, uint64_t least)
{
	double y = HEAD + (double)(d->deepest + 2) * ROW - 5;

	if (d->left_out)
		svg_text(p, TEXT_PAD, y, "start",
			arena_printf(&p->arena, "left out: %s of less than %s",
				report_plural(&p->arena, d->left_out, "frame"),
				amount(p, f, least)));
	if (f->is_difference)
		svg_text(p, SVG_WIDTH - TEXT_PAD, y, "end",
			"width: now; red: more than before, blue: less; what is gone has no width");
}

void report_flame_file(const char *title, const struct flame_text *text, struct out *o)
{
	struct flame f = {.unit = strcmp(text->noun, "bytes") ? CELL_COUNT : CELL_BYTES,
		.noun = "sample",
		.is_difference = (uint8_t)text->is_difference};
	struct page p = {.o = o, .whole_left = SIZE_MAX};

	flame_of_folded(&f, text->folded, text->len);
	if (f.nodes.len && f.nodes.at[0].total) {
		uint64_t least = flame_least(&f, NODES_MAX, SHARE_MIN);
		struct drawn d = walk(&p, &f, least, 0);

		file_begin(&p, title, HEAD + (double)(d.deepest + 2) * ROW);
		out_printf(o, "<g transform=\"translate(0 %d)\">\n", HEAD);
		walk(&p, &f, least, 1);
		out_str(o, "</g>\n");
		file_notes(&p, &f, &d, least);
	} else {
		file_begin(&p, title, HEAD + ROW);
		svg_text(&p, TEXT_PAD, HEAD + 13, "start", "There are no stacks.");
	}
	out_str(o, "</svg>\n");
	flame_release(&f);
	arena_release(&p.arena);
}
