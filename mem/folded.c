/* SPDX-License-Identifier: GPL-3.0-only */
#include "mem/folded.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/units.h"

#define BELOW_THRESHOLD "[below threshold]"
#define NOT_TOLD        "[not told by the profile]"

struct stack {
	const char *text;
	uint64_t bytes;
};

struct stacks {
	struct stack *at;
	size_t len, cap;
	struct arena arena;
	size_t used_bytes;
	uint64_t left_out;
};

/* The file name of "in /usr/lib/libx.so", or nothing. */
static struct massif_text library(struct massif_text place)
{
	if (place.len < 4 || memcmp(place.at, "in ", 3) != 0)
		return (struct massif_text){0};
	const char *slash = memrchr(place.at, '/', place.len);
	const char *name = slash ? slash + 1 : place.at + 3;

	return (struct massif_text){name, (size_t)(place.at + place.len - name)};
}

/* ';' ends a frame and control characters end lines: names that hold them are changed. */
static void put_name(struct out *o, struct massif_text name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (c == ';')
			c = ':';
		else if ((unsigned char)c < 0x20 || c == 0x7f)
			c = ' ';
		out_char(o, c);
	}
}

static void put_frame(struct out *o, const struct massif_node *n)
{
	struct massif_text lib = library(n->place);

	if (n->kind == MASSIF_BELOW) {
		out_str(o, BELOW_THRESHOLD);
	} else if (n->function.len == 0 ||
		   (n->function.len == 3 && !memcmp(n->function.at, "???", 3))) {
		out_char(o, '[');
		put_name(o, lib.len ? lib : (struct massif_text){"unknown", 7});
		out_char(o, ']');
	} else {
		put_name(o, n->function);
	}
}

/* The stack that ends (outermost) at node i: callers are further down the tree. rest: what node i
 * holds that none of its children does. */
static void add(struct stacks *s, const struct massif *m, size_t i, uint64_t bytes)
{
	const char *sep = "";
	struct out o;

	if (s->used_bytes >= FOLDED_MAX_BYTES) {
		s->left_out = sat_add(s->left_out, bytes);
		return;
	}
	out_init_mem(&o);
	for (size_t k = i; k != MASSIF_NONE && m->nodes.at[k].kind != MASSIF_ROOT;
		k = m->nodes.at[k].parent) {
		out_str(&o, sep);
		put_frame(&o, &m->nodes.at[k]);
		sep = ";";
	}
	if (!*sep)
		out_str(&o, NOT_TOLD);
	*VEC_PUSH(s) = (struct stack){arena_strdup(&s->arena, out_text(&o)), bytes};
	s->used_bytes += o.len + 24;
	out_release(&o);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct stack *)a)->text, ((const struct stack *)b)->text);
}

void folded_write(const struct massif *m, struct out *o, uint64_t *ret_left_out)
{
	struct stacks s = {0};

	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct massif_node *n = &m->nodes.at[i];

		if (n->bytes > n->children_bytes)
			add(&s, m, i, n->bytes - n->children_bytes);
	}
	if (s.len)
		qsort(s.at, s.len, sizeof(*s.at), by_text);
	for (size_t i = 0; i < s.len; i++) {
		uint64_t bytes = s.at[i].bytes;

		while (i + 1 < s.len && !strcmp(s.at[i].text, s.at[i + 1].text))
			bytes = sat_add(bytes, s.at[++i].bytes);
		out_printf(o, "%s %llu\n", s.at[i].text, (unsigned long long)bytes);
	}
	*ret_left_out = s.left_out;
	arena_release(&s.arena);
	free(s.at);
}
