/* SPDX-License-Identifier: GPL-3.0-only */
#include "heap/folded.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/units.h"

#define TEXT_MAX ((size_t)256 << 20)
#define SITE_MIN 0.10

/* The line is cut to pieces. */
static int read_line(char *line, struct folded_stack *ret)
{
	char *space = strrchr(line, ' '), *end;

	if (!space)
		return 0;
	errno = 0;
	ret->cost = sat_add(strtoumax(space + 1, &end, 10), 0); /* what JSON carries */
	if (errno || *end || space[1] < '0' || space[1] > '9')
		return 0;
	while (space > line && space[-1] == ';')
		space--;
	*space = '\0';
	ret->leaf = strrchr(line, ';') ? strrchr(line, ';') + 1 : line;
	return 1;
}

int folded_read(const char *path, struct folded *ret, struct err *err)
{
	char *rest, *line;
	int rc = file_read(path, TEXT_MAX, &ret->text, NULL, err);

	if (rc < 0)
		return rc;
	rest = ret->text;
	while ((line = strsep(&rest, "\n"))) {
		struct folded_stack s;

		if (!*line)
			continue;
		if (!read_line(line, &s)) {
			ret->unread++;
			continue;
		}
		*VEC_PUSH(ret) = s;
		ret->total = sat_add(ret->total, s.cost);
	}
	return 0;
}

static int by_leaf(const void *a, const void *b)
{
	const struct folded_stack *x = a, *y = b;

	return strcmp(x->leaf, y->leaf);
}

static int by_cost(const void *a, const void *b)
{
	const struct folded_stack *x = a, *y = b;

	return x->cost != y->cost ? (x->cost < y->cost ? 1 : -1) : strcmp(x->leaf, y->leaf);
}

/* One for each leaf. */
static void merge(struct folded *f)
{
	size_t kept = 0;

	if (f->len)
		qsort(f->at, f->len, sizeof(*f->at), by_leaf);
	for (size_t i = 0; i < f->len; i++) {
		if (kept && !strcmp(f->at[kept - 1].leaf, f->at[i].leaf))
			f->at[kept - 1].cost = sat_add(f->at[kept - 1].cost, f->at[i].cost);
		else
			f->at[kept++] = f->at[i];
	}
	f->len = kept;
	if (f->len)
		qsort(f->at, f->len, sizeof(*f->at), by_cost);
}

/* "make (t.c)": a function and its file; anything else is a function alone. */
static void fill_site(
	const struct folded_stack *s, struct res_memory *r, struct res_memory_site *to)
{
	const char *open = strrchr(s->leaf, '(');
	size_t len = strlen(s->leaf);
	struct arena *a = result_arena(r);

	if (open > s->leaf && open[-1] == ' ' && s->leaf[len - 1] == ')') {
		to->function = arena_printf(a, "%.*s", (int)(open - 1 - s->leaf), s->leaf);
		to->place = arena_printf(a, "%.*s", (int)(s->leaf + len - 2 - open), open + 1);
	} else {
		to->function = arena_strdup(a, s->leaf);
	}
	to->bytes = s->cost;
}

void folded_sites(struct folded *f, struct res_memory *r)
{
	size_t n = 0;

	merge(f);
	while (n < f->len && (double)f->at[n].cost >= SITE_MIN * (double)f->total && f->at[n].cost)
		n++;
	RES_LIST(r, &r->sites, n, memory_site);
	for (size_t i = 0; i < n; i++) {
		fill_site(&f->at[i], r, &r->sites.at[i]);
		r->sites.at[i].share = (double)f->at[i].cost / (double)f->total;
	}
}

void folded_release(struct folded *f)
{
	free(f->text);
	free(f->at);
	*f = (struct folded){0};
}
