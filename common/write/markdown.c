/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/write/markdown.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "common/write/safe.h"

#define ESCAPED_BYTES_MAX 5   /* &lt; &amp; */
#define TEXT_COLUMNS_MAX  400 /* a longer text is cut in its middle, as a path of 10 KB */

struct printer {
	struct out *o;
	struct arena arena;
	enum doc_kind last; /* what stands above */
	int any;            /* something does */
};

static int is_word(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* Would the character at s mean something in Markdown? */
static int is_markup(const char *start, const char *s)
{
	switch (*s) {
	case '_': /* inside a word it is only itself */
		return s == start || !is_word(s[-1]) || !is_word(s[1]);
	case ':': /* a bare address becomes a link */
		return s[1] == '/' && s[2] == '/';
	case '#': /* heading, underline: at the start only */
	case '=':
		return s == start;
	case '+':
	case '-': /* list, rule; not the sign of a number */
		return s == start && !is_word(s[1]);
	case '>': /* a quotation; elsewhere it closes nothing, as every < is an entity */
		return s == start;
	case '.':
	case ')': /* a numbered list */
		return s > start && strspn(start, "0123456789") == (size_t)(s - start) &&
		       (s[1] == ' ' || !s[1]);
	case '!': /* an image, before a bracket */
		return s[1] == '[';
	default:
		return strchr("\\`*[]|~$", *s) != NULL;
	}
}

char *markdown_text(struct arena *a, const char *s)
{
	const char *start = safe_text(a, s), *from = start;
	char *text = arena_alloc(a, strlen(start) + 1, ESCAPED_BYTES_MAX), *to = text;

	for (; *from; from++) {
		if (*from == '<') {
			to = stpcpy(to, "&lt;");
		} else if (*from == '&' && (from[1] == '#' || is_word(from[1]))) {
			to = stpcpy(to, "&amp;");
		} else if (*from == '@') { /* a mail address, or the name of a person */
			to = stpcpy(to, "&#64;");
		} else {
			if (is_markup(start, from))
				*to++ = '\\';
			*to++ = *from;
		}
	}
	*to = '\0';
	return text;
}

static void put_text(struct printer *p, const char *s)
{
	char *safe = safe_cut(&p->arena, safe_text(&p->arena, s), TEXT_COLUMNS_MAX);

	/* What is safe stays as it is when it is made safe again. */
	out_str(p->o, markdown_text(&p->arena, safe));
}

/* Sentences are ours and may be long; what they quote was cut by who made them.
 */
static void put_sentence(struct printer *p, const char *s)
{
	out_str(p->o, markdown_text(&p->arena, s));
}

static void put_cell(struct printer *p, const struct cell *c)
{
	const char *words = doc_cell_words(&p->arena, c);

	if (c->type == CELL_TEXT)
		put_text(p, words);
	else if (c->type == CELL_NONE)
		out_str(p->o, words); /* not the start of a list */
	else
		out_str(p->o, markdown_text(&p->arena, words));
}

static void print_table(struct printer *p, const struct doc_table *t)
{
	size_t n = t->columns_len;

	if (!t->cells.len)
		return;
	for (size_t i = 0; i < n; i++) {
		out_str(p->o, "| ");
		put_text(p, t->columns[i].title);
		out_char(p->o, ' ');
	}
	out_str(p->o, "|\n");
	for (size_t i = 0; i < n; i++)
		out_str(p->o, t->columns[i].left ? "|---" : "|---:");
	out_str(p->o, "|\n");
	for (size_t i = 0; i < t->cells.len; i++) {
		out_str(p->o, "| ");
		put_cell(p, &t->cells.at[i]);
		assert(n); /* cells have columns */
		out_str(p->o, i % n == n - 1 ? " |\n" : " ");
	}
}

/* Rows of one list stand together; everything else has a blank line above. */
static void separate(struct printer *p, enum doc_kind kind)
{
	if (p->any && !(kind == p->last && (kind == DOC_PAIR || kind == DOC_NOTE)))
		out_char(p->o, '\n');
	p->any = 1;
	p->last = kind;
}

static void print_block(struct printer *p, const struct doc_block *b)
{
	if (b->kind == DOC_TABLE && !b->table->cells.len)
		return;
	separate(p, b->kind);
	switch (b->kind) {
	case DOC_HEAD:
		out_str(p->o, "# ");
		put_text(p, b->a);
		out_str(p->o, *b->b ? "\n\n" : "");
		put_text(p, b->b);
		out_char(p->o, '\n');
		break;
	case DOC_PAIR:
		out_str(p->o, "- **");
		put_text(p, b->a);
		out_str(p->o, "**: ");
		put_sentence(p, b->b);
		out_char(p->o, '\n');
		break;
	case DOC_SECTION:
		out_str(p->o, "## ");
		put_text(p, b->a);
		out_char(p->o, '\n');
		break;
	case DOC_TABLE:
		print_table(p, b->table);
		break;
	case DOC_NOTE:
	case DOC_TEXT:
		out_str(p->o, b->kind == DOC_NOTE ? "- " : "");
		put_sentence(p, b->a);
		out_char(p->o, '\n');
		break;
	}
}

void markdown_write_doc(const struct doc *d, struct out *o)
{
	struct printer p = {.o = o};

	for (size_t i = 0; i < d->blocks.len; i++) {
		print_block(&p, &d->blocks.at[i]);
		arena_release(&p.arena);
		p.arena = (struct arena){0};
	}
}
