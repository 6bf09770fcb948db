/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A doc as plain text. No line is wider than asked: long texts are wrapped, long names cut in the
 * middle, and numbers are neither: a table that is too wide for its numbers is printed row by row,
 * each cell after its title.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/write/safe.h"
#include "common/write/writer.h"

#define KEY_COLUMNS 9 /* "window   ..." */
#define HEAD_LINES  3 /* a longer command line is cut */
#define TITLE_MAX   40
#define NAME_MIN    16 /* names are not cut shorter to make a table fit */
#define STACKED_MAX 50 /* width of a text in a table printed row by row */
#define BAR_MAX     40
#define BAR_MIN     10

struct printer {
	struct out *o;
	size_t columns;
	size_t at;           /* column where the next text goes, on this line */
	size_t written;      /* column that is reached: spaces are only written when text follows */
	const char *section; /* title that waits for the line it shares, or NULL */
	struct arena arena;
};

/* s, cut in its middle where names are. */
static char *cut(struct printer *p, char *s, size_t columns)
{
	return p->columns < TEXT_CUTS ? s : safe_cut(&p->arena, s, columns);
}

/* Spaces at the end of s wait like those of move_to(): no line ends with one. */
static void put_n(struct printer *p, const char *s, size_t bytes, size_t width)
{
	size_t spaces = 0;

	while (bytes > spaces && s[bytes - spaces - 1] == ' ')
		spaces++;
	if (bytes == spaces) {
		p->at += spaces;
		return;
	}
	for (; p->written < p->at; p->written++)
		out_char(p->o, ' ');
	out_bytes(p->o, s, bytes - spaces);
	p->written += width - spaces;
	p->at = p->written + spaces;
}

static void put(struct printer *p, const char *s)
{
	put_n(p, s, strlen(s), safe_width(s));
}

static void move_to(struct printer *p, size_t column)
{
	if (column > p->at)
		p->at = column;
}

static void end_line(struct printer *p)
{
	out_char(p->o, '\n');
	p->at = p->written = 0;
}

static void blank_line(struct printer *p)
{
	if (p->o->total_bytes)
		out_char(p->o, '\n');
}

/* How much of s goes on a line with that much room: up to a space, a longer word is broken. */
static size_t line_bytes(const char *s, size_t room)
{
	size_t fit = safe_fit(s, room), end = fit;

	if (!s[fit])
		return fit;
	while (end > 0 && s[end] != ' ')
		end--;
	return end ? end : fit;
}

/* Prints s from the current column on, further lines from column hang on. At most max_lines (0:
 * all); what is left is cut from the end of the last. */
static void wrap(struct printer *p, const char *s, size_t hang, size_t max_lines)
{
	for (size_t line = 1;; line++) {
		size_t room = p->columns - p->at, n = line_bytes(s, room);

		if (line == max_lines && s[n]) {
			n = safe_fit(s, room - 3);
			put_n(p, s, n, safe_width(s) - safe_width(s + n));
			put(p, "...");
			break;
		}
		put_n(p, s, n, safe_width(s) - safe_width(s + n));
		for (s += n; *s == ' '; s++)
			;
		if (!*s)
			break;
		end_line(p);
		move_to(p, hang);
	}
	end_line(p);
}

/* left, wrapped, and right at the end of its first line. */
static void print_head(struct printer *p, const struct doc_block *b)
{
	const char *right = cut(p, safe_text(&p->arena, b->b), p->columns / 2);
	const char *left = safe_text(&p->arena, b->a);
	size_t right_width = safe_width(right), n;

	if (right_width > p->columns / 2) {
		wrap(p, left, 2, 0);
		wrap(p, right, 2, 0);
		return;
	}
	n = line_bytes(left, p->columns - right_width - 2);
	put_n(p, left, n, safe_width(left) - safe_width(left + n));
	move_to(p, p->columns - right_width);
	put(p, right);
	for (left += n; *left == ' '; left++)
		;
	end_line(p);
	if (*left) {
		move_to(p, 2);
		wrap(p, left, 2, p->columns < TEXT_CUTS ? 0 : HEAD_LINES - 1);
	}
}

static void print_pair(struct printer *p, const struct doc_block *b)
{
	put(p, safe_cut(&p->arena, safe_text(&p->arena, b->a),
		       p->columns < TEXT_CUTS ? p->columns / 2 : TITLE_MAX));
	p->at = p->at < KEY_COLUMNS ? KEY_COLUMNS : p->at + 1;
	wrap(p, safe_text(&p->arena, b->b), KEY_COLUMNS, 0);
}

static void print_note(struct printer *p, const struct doc_block *b)
{
	put(p, "  * ");
	wrap(p, safe_text(&p->arena, b->a), 4, 0);
}

static void print_text(struct printer *p, const struct doc_block *b)
{
	if (p->section) {
		put(p, p->section);
		move_to(p, p->at + 2 > KEY_COLUMNS ? p->at + 2 : KEY_COLUMNS);
		p->section = NULL;
		wrap(p, safe_text(&p->arena, b->a), KEY_COLUMNS, 0);
	} else {
		wrap(p, safe_text(&p->arena, b->a), 0, 0);
	}
}

/* ---- cells ---- */

static char *cell_text(struct printer *p, const struct cell *c)
{
	if (c->type == CELL_TEXT)
		return safe_text(&p->arena, c->text);
	return arena_strdup(&p->arena, doc_cell_words(&p->arena, c));
}

/* A table as text: its titles, its cells, and how wide each column is. */
struct grid {
	const struct doc_table *t;
	size_t cols, rows;
	char **titles, **cells; /* cells row by row */
	size_t *width;
	size_t bar, gap;
	size_t first_min; /* the first column holds a section's title */
};

static char *grid_cell(const struct grid *g, size_t row, size_t col)
{
	return g->cells[row * g->cols + col];
}

/* A heading: nothing but its first cell. */
static int is_heading(const struct grid *g, size_t row)
{
	for (size_t i = 1; i < g->cols; i++) {
		if (*grid_cell(g, row, i))
			return 0;
	}
	return g->cols > 1;
}

static void widen(struct grid *g, size_t col, const char *text)
{
	size_t width = safe_width(text);

	if (width > g->width[col])
		g->width[col] = width;
}

static void grid_fill(struct printer *p, struct grid *g, const struct doc_table *t)
{
	*g = (struct grid){
		.t = t,
		.cols = t->columns_len,
		.rows = t->cells.len / t->columns_len,
		.titles = arena_alloc(&p->arena, t->columns_len, sizeof(char *)),
		.cells = arena_alloc(&p->arena, t->cells.len, sizeof(char *)),
		.width = arena_alloc(&p->arena, t->columns_len, sizeof(size_t)),
		.gap = 2,
		.bar = t->bars_column >= 0 ? BAR_MAX : 0,
	};
	assert(g->rows * g->cols == t->cells.len);
	for (size_t i = 0; i < g->cols; i++) {
		char *title = safe_text(&p->arena, t->columns[i].title);

		g->titles[i] = safe_cut(&p->arena, title, TITLE_MAX);
		widen(g, i, g->titles[i]);
	}
	for (size_t i = 0; i < t->cells.len; i++)
		g->cells[i] = cell_text(p, &t->cells.at[i]);
	for (size_t row = 0; row < g->rows; row++) {
		for (size_t col = 0; col < g->cols && !is_heading(g, row); col++)
			widen(g, col, grid_cell(g, row, col));
	}
}

#define INDENT 2

static size_t grid_width(const struct grid *g)
{
	size_t sum = INDENT + g->bar + (g->bar ? g->gap + 1 : 0);

	for (size_t i = 0; i < g->cols; i++)
		sum += g->width[i] + (i ? g->gap : 0);
	return sum;
}

/* The widest column of names that may still be cut, or NULL. */
static size_t *widest_name(const struct grid *g)
{
	size_t *widest = NULL;

	for (size_t i = 0; i < g->cols; i++) {
		size_t least = safe_width(g->titles[i]);

		if (i == 0 && g->first_min > least)
			least = g->first_min;
		if (least < NAME_MIN)
			least = NAME_MIN;
		if (g->t->columns[i].left != 1 || g->width[i] <= least)
			continue;
		if (!widest || g->width[i] > *widest)
			widest = &g->width[i];
	}
	return widest;
}

/* Narrows the grid until it fits: shorter bars, names cut, less space between. 0: it can't. */
static int grid_fit(struct grid *g, size_t columns)
{
	int cuts = columns >= TEXT_CUTS;

	while (grid_width(g) > columns && g->bar > BAR_MIN)
		g->bar--;
	for (;;) {
		size_t *name = cuts ? widest_name(g) : NULL;

		if (grid_width(g) <= columns)
			return 1;
		if (name)
			(*name)--;
		else if (g->gap > 1)
			g->gap--;
		else
			return 0;
	}
}

static void put_bar(struct printer *p, const struct grid *g, size_t row)
{
	const struct cell *cells = g->t->cells.at + (size_t)g->t->bars_column;
	uint64_t most = 1;

	for (size_t i = 0; i < g->rows; i++) {
		if (cells[i * g->cols].count > most)
			most = cells[i * g->cols].count;
	}
	double share = (double)cells[row * g->cols].count / (double)most;
	size_t len = (size_t)lround(share * (double)g->bar);

	put(p, "|");
	for (size_t i = 0; i < len; i++)
		put(p, "#");
}

/* One line of the grid; texts are the titles (row = -1) or a row's cells. */
static void print_grid_line(
	struct printer *p, const struct grid *g, char *const *texts, ssize_t row)
{
	size_t column = INDENT;

	for (size_t i = 0; i < g->cols; i++) {
		char *text =
			g->t->columns[i].left == 2
				? texts[i]
				: safe_cut(&p->arena, texts[i], g->width[i] < 8 ? 8 : g->width[i]);
		size_t width = safe_width(text);

		move_to(p, g->t->columns[i].left ? column : column + g->width[i] - width);
		put(p, text);
		column += g->width[i] + g->gap;
		if (g->t->bars_column == (int)i) {
			move_to(p, column);
			if (row >= 0)
				put_bar(p, g, (size_t)row);
			column += g->bar + 1 + g->gap;
		}
	}
	end_line(p);
}

static void print_heading(struct printer *p, const struct grid *g, size_t row)
{
	move_to(p, INDENT);
	wrap(p, cut(p, grid_cell(g, row, 0), p->columns - INDENT), 2 * INDENT, 0);
}

static void print_rows(struct printer *p, const struct grid *g)
{
	print_grid_line(p, g, g->titles, -1);
	for (size_t row = 0; row < g->rows; row++) {
		if (is_heading(g, row))
			print_heading(p, g, row);
		else
			print_grid_line(p, g, g->cells + row * g->cols, (ssize_t)row);
	}
}

static char *stacked_text(struct printer *p, const struct grid *g, size_t row, size_t col)
{
	char *text = grid_cell(g, row, col);

	return g->t->columns[col].left == 2 ? text : cut(p, text, STACKED_MAX);
}

/* Too wide for its numbers: "name  calls 1, messages 2, ..." a row, wrapped. */
static void print_stacked(struct printer *p, const struct grid *g)
{
	if (p->at)
		end_line(p);
	for (size_t row = 0; row < g->rows; row++) {
		char *line = stacked_text(p, g, row, 0);
		const char *sep = ":";

		if (is_heading(g, row)) {
			print_heading(p, g, row);
			continue;
		}
		for (size_t i = 1; i < g->cols; i++) {
			char *text = stacked_text(p, g, row, i);

			if (!*text)
				continue;
			line = arena_printf(&p->arena, "%s%s %s%s%s", line, sep, g->titles[i],
				*g->titles[i] ? " " : "", text);
			sep = ",";
		}
		move_to(p, INDENT);
		wrap(p, line, 2 * INDENT, 0);
	}
}

/* ---- strace -c's form ---- */

/* As strace's are, unless the names do not fit behind them: then as the cells need. 0: nor do they
 * then. */
static int ruled_fit(const struct printer *p, struct grid *g)
{
	size_t last = g->cols - 1, names = g->width[last], before = 0, least = last + names;

	for (size_t i = 0; i < last; i++)
		before += (size_t)g->t->columns[i].width + 1;
	for (size_t i = 0; i < last; i++)
		least += g->width[i];

	int fits = p->columns >= TEXT_CUTS || before + names <= p->columns;

	for (size_t i = 0; i < last && fits; i++)
		g->width[i] = (size_t)g->t->columns[i].width;
	if (before + (size_t)g->t->columns[last].width <= p->columns)
		g->width[last] = (size_t)g->t->columns[last].width;
	return fits || least <= p->columns;
}

/* Cells that are wider than their column push the rest to the right. */
static void print_ruled_line(struct printer *p, const struct grid *g, char *const *texts)
{
	for (size_t i = 0; i < g->cols; i++) {
		size_t width = safe_width(texts[i]), fixed = g->width[i];
		size_t from = p->at + (i ? 1 : 0), room = p->columns - from;

		if (g->t->columns[i].left) {
			move_to(p, from);
			put(p, cut(p, texts[i], room < 8 ? 8 : room));
		} else {
			move_to(p, from + (fixed > width ? fixed - width : 0));
			put(p, texts[i]);
			move_to(p, from + fixed);
		}
	}
	end_line(p);
}

static void print_rule(struct printer *p, const struct grid *g)
{
	for (size_t i = 0; i < g->cols; i++) {
		move_to(p, p->at + (i ? 1 : 0));
		for (size_t n = 0; n < g->width[i]; n++)
			put(p, "-");
	}
	end_line(p);
}

static void print_ruled(struct printer *p, const struct grid *g)
{
	print_ruled_line(p, g, g->titles);
	print_rule(p, g);
	for (size_t row = 0; row < g->rows; row++) {
		if (row > 0 && row == g->rows - 1)
			print_rule(p, g);
		print_ruled_line(p, g, g->cells + row * g->cols);
	}
}

static void print_table(struct printer *p, const struct doc_table *t)
{
	struct grid g;

	if (!t->cells.len)
		return;
	grid_fill(p, &g, t);
	if (!p->section)
		blank_line(p);
	if (t->ruled) {
		(ruled_fit(p, &g) ? print_ruled : print_stacked)(p, &g);
		return;
	}
	/* The section's title stands above the first column, INDENT further left. */
	if (p->section) {
		size_t title = safe_width(p->section);

		put(p, p->section);
		p->section = NULL;
		if (*g.titles[0])
			end_line(p);
		else if (title > INDENT)
			g.first_min = title - INDENT;
		if (g.width[0] < g.first_min)
			g.width[0] = g.first_min;
	}
	if (grid_fit(&g, p->columns))
		print_rows(p, &g);
	else
		print_stacked(p, &g);
}

/* A section's title waits for what comes next; alone it gets its own line. */
static void flush_section(struct printer *p)
{
	if (!p->section)
		return;
	put(p, p->section);
	end_line(p);
	p->section = NULL;
}

static void print_block(struct printer *p, const struct doc_block *b)
{
	if (b->kind != DOC_TABLE && b->kind != DOC_TEXT)
		flush_section(p);
	switch (b->kind) {
	case DOC_HEAD:
		print_head(p, b);
		break;
	case DOC_PAIR:
		print_pair(p, b);
		break;
	case DOC_SECTION:
		blank_line(p);
		p->section = cut(p, safe_text(&p->arena, b->a), p->columns / 2);
		break;
	case DOC_TABLE:
		print_table(p, b->table);
		break;
	case DOC_NOTE:
		print_note(p, b);
		break;
	case DOC_TEXT:
		print_text(p, b);
		break;
	}
}

void text_write_doc(const struct doc *d, struct out *o, size_t columns)
{
	struct printer p = {.o = o, .columns = columns};

	assert(columns >= OUT_COLUMNS_MIN);
	for (size_t i = 0; i < d->blocks.len; i++)
		print_block(&p, &d->blocks.at[i]);
	flush_section(&p);
	arena_release(&p.arena);
}

/* Where a line goes on: below what follows its first gap, as the text of an option does, else below
 * its beginning. */
static size_t hang_of(const char *line)
{
	size_t begins = strspn(line, " ");
	const char *gap = strstr(line + begins, "  ");

	return gap ? (size_t)(gap - line) + strspn(gap, " ") : begins;
}

void text_fold(const char *text, struct out *o, size_t columns)
{
	struct printer p = {.o = o, .columns = columns};

	while (*text) {
		size_t n = strcspn(text, "\n");
		const char *line = arena_printf(&p.arena, "%.*s", (int)n, text);

		wrap(&p, line, hang_of(line), 0);
		text += n + (text[n] == '\n');
	}
	arena_release(&p.arena);
}
