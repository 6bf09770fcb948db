/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/report/report_flame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"

#define DEPTH_MAX 1024 /* deeper frames count for the frame there */

void flame_release(struct flame *f)
{
	free(f->nodes.at);
	*f = (struct flame){0};
}

static void add_node(struct flame *f, const char *name, uint64_t total, size_t depth)
{
	*VEC_PUSH(&f->nodes) = (struct flame_node){name, total, 0, depth};
}

/* ---- folded stacks ---- */

struct line {
	char *stack;
	uint64_t value, before;
};

/* A stack's parent comes right before it: ';' is less than anything else. */
static int compare_lines(const void *a, const void *b)
{
	const unsigned char *x = (const unsigned char *)((const struct line *)a)->stack;
	const unsigned char *y = (const unsigned char *)((const struct line *)b)->stack;

	while (*x && *x == *y)
		x++, y++;
	int left = *x == ';' ? 1 : *x ? *x + 1 : 0, right = *y == ';' ? 1 : *y ? *y + 1 : 0;

	return left - right;
}

/* Cuts the number off that follows the last space. 0 if there is none. */
static int split_number(char *line, uint64_t *ret)
{
	char *space = strrchr(line, ' '), *end;

	if (!space || space == line || space[1] < '0' || space[1] > '9')
		return 0;
	*space = '\0';
	*ret = strtoull(space + 1, &end, 10);
	return *end == '\0';
}

/* 0 if it is no such line. */
static int split_line(char *line, int is_difference, struct line *ret)
{
	*ret = (struct line){.stack = line};
	return split_number(line, &ret->value) &&
	       (!is_difference || split_number(line, &ret->before));
}

struct lines {
	struct line *at;
	size_t len, cap;
};

static struct lines split_lines(struct flame *f, char *text, size_t len)
{
	struct lines lines = {0};
	char *end = text + len, *next;

	for (char *p = text; p < end; p = next) {
		struct line line;
		char *newline = memchr(p, '\n', (size_t)(end - p));

		next = newline ? newline + 1 : end;
		if (newline)
			*newline = '\0';
		if (!*p || *p == '#')
			continue;
		if (split_line(p, f->is_difference, &line))
			*VEC_PUSH(&lines) = line;
		else
			f->unreadable++;
	}
	return lines;
}

/* The nodes from the root to the one added last. */
struct path {
	size_t node[DEPTH_MAX + 1];
	size_t len;
};

static void add_to(struct flame_node *n, const struct line *line)
{
	n->total = sat_add(n->total, line->value);
	n->before = sat_add(n->before, line->before);
}

static void add_stack(struct flame *f, struct path *path, struct line *line)
{
	size_t depth = 1;
	int same = 1;

	add_to(&f->nodes.at[0], line);
	for (char *frame = line->stack, *next; frame && depth <= DEPTH_MAX; frame = next, depth++) {
		next = strchr(frame, ';');
		if (next)
			*next++ = '\0';
		same = same && depth < path->len &&
		       !strcmp(f->nodes.at[path->node[depth]].name, frame);
		if (!same) {
			path->node[depth] = f->nodes.len;
			path->len = depth + 1;
			add_node(f, frame, 0, depth);
		}
		add_to(&f->nodes.at[path->node[depth]], line);
	}
	path->len = depth;
}

void flame_of_folded(struct flame *f, char *text, size_t len)
{
	struct lines lines = split_lines(f, text, len);
	struct path *path = mem_calloc(1, sizeof(*path));

	if (lines.len) {
		qsort(lines.at, lines.len, sizeof(*lines.at), compare_lines);
		add_node(f, "all", 0, 0);
		path->len = 1;
	}
	for (size_t i = 0; i < lines.len; i++)
		add_stack(f, path, &lines.at[i]);
	free(path);
	free(lines.at);
}

/* ---- the heap's peak ---- */

void flame_of_peak(struct flame *f, const struct res_memory_tree *t)
{
	f->unit = CELL_BYTES;
	for (size_t i = 0; i < t->nodes.len; i++) {
		const struct res_memory_node *n = &t->nodes.at[i];
		size_t above = i ? f->nodes.at[i - 1].depth : 0;
		size_t depth = n->depth == U64_NONE ? above : (size_t)n->depth;

		if (i == 0)
			depth = 0;
		else if (depth == 0 || depth > above + 1)
			depth = above + 1; /* a file that was changed by hand */
		add_node(f, n->function ? n->function : "?", n->bytes == U64_NONE ? 0 : n->bytes,
			depth);
	}
}

/* ---- time in calls, or where they have none, calls ---- */

static uint64_t part_weight(const struct flame *f, const struct res_part *p)
{
	uint64_t v = f->unit == CELL_NS ? p->wall_ns : p->calls;

	return v == U64_NONE ? 0 : v;
}

static uint64_t thread_weight(const struct flame *f, const struct res_thread *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->syscalls.len; i++)
		sum = sat_add(sum, part_weight(f, &t->syscalls.at[i]));
	return sum;
}

static int compare_parts(const void *a, const void *b, void *flame)
{
	const struct res_part *x = *(const struct res_part *const *)a;
	const struct res_part *y = *(const struct res_part *const *)b;
	uint64_t v = part_weight(flame, x), w = part_weight(flame, y);

	if (v != w)
		return v < w ? 1 : -1;
	return strcmp(x->name ? x->name : "?", y->name ? y->name : "?");
}

static void add_thread(struct flame *f, const struct res_thread *t, struct arena *a)
{
	const struct res_part **parts = arena_alloc(a, t->syscalls.len + 1, sizeof(*parts));
	const char *comm = t->comm ? t->comm : "?";

	add_node(f,
		t->tid == U64_NONE ? "other threads, counted together"
				   : arena_printf(a, "%s %llu", comm, (unsigned long long)t->tid),
		thread_weight(f, t), 2);
	for (size_t i = 0; i < t->syscalls.len; i++)
		parts[i] = &t->syscalls.at[i];
	qsort_r(parts, t->syscalls.len, sizeof(*parts), compare_parts, f);
	for (size_t i = 0; i < t->syscalls.len; i++)
		add_node(f, parts[i]->name ? parts[i]->name : "?", part_weight(f, parts[i]), 3);
}

/* By process, the first thread of each before the others. */
static int compare_threads(const void *a, const void *b)
{
	const struct res_thread *x = *(const struct res_thread *const *)a;
	const struct res_thread *y = *(const struct res_thread *const *)b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

void flame_of_threads(struct flame *f, const struct res_result *r, struct arena *a)
{
	size_t n = r->threads.len, process = 0;
	const struct res_thread **threads = arena_alloc(a, n + 1, sizeof(*threads));

	f->unit = result_has_times(r) ? CELL_NS : CELL_COUNT;
	f->noun = "call";
	for (size_t i = 0; i < n; i++)
		threads[i] = &r->threads.at[i];
	qsort(threads, n, sizeof(*threads), compare_threads);
	add_node(f, "all calls", 0, 0);
	for (size_t i = 0; i < n; i++) {
		const struct res_thread *t = threads[i];
		uint64_t v = thread_weight(f, t);

		if (i == 0 || t->pid != threads[i - 1]->pid) {
			process = f->nodes.len;
			add_node(f,
				t->pid == U64_NONE ? "process not known"
						   : arena_printf(a, "process %llu %s",
							     (unsigned long long)t->pid,
							     t->comm ? t->comm : "?"),
				0, 1);
		}
		f->nodes.at[process].total = sat_add(f->nodes.at[process].total, v);
		f->nodes.at[0].total = sat_add(f->nodes.at[0].total, v);
		add_thread(f, t, a);
	}
}

/* ---- what is drawn ---- */

static int compare_totals(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x < y) - (x > y);
}

uint64_t flame_least(const struct flame *f, size_t most, double share)
{
	size_t n = f->nodes.len;
	uint64_t *totals = mem_calloc(n + 1, sizeof(*totals));
	uint64_t least = n ? sat_u64(ceil((double)f->nodes.at[0].total * share)) : 0;

	for (size_t i = 0; i < n; i++)
		totals[i] = f->nodes.at[i].total;
	qsort(totals, n, sizeof(*totals), compare_totals);
	if (n > most && totals[most] >= least)
		least = totals[most] + 1;
	free(totals);
	return least ? least : 1;
}
