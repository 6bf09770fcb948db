/* SPDX-License-Identifier: GPL-3.0-only */
#include "mem/profile.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "mem/wrapper.h"

enum { CALLERS_MAX = 32 };

static const char *copy(struct res_memory *r, struct massif_text t)
{
	char *s;

	if (!t.at)
		return NULL;
	s = arena_alloc(result_arena(r), t.len + 1, 1);
	memcpy(s, t.at, t.len);
	return s;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : NAN;
}

/* ---- points ---- */

struct res_memory_point *profile_point(struct res_memory *r, const struct massif_snapshot *s)
{
	struct res_memory_point *p;

	if (!s)
		return NULL;
	p = RES_OBJ(r, memory_point);
	p->snapshot = s->number;
	p->time = s->time;
	p->heap_bytes = s->heap_bytes;
	p->extra_bytes = s->extra_bytes;
	p->stacks_bytes = s->stacks_bytes;
	p->total_bytes = massif_total(s);
	return p;
}

/* The last snapshot would not do: what is freed after it is held in it. */
static struct res_memory_point *end_of(struct res_memory *r, const struct massif *m)
{
	return m->end.known ? profile_point(r, &m->end.snapshot) : NULL;
}

static const char *tree_name(enum massif_tree tree)
{
	static const char *const names[] = {"empty", "detailed", "peak"};

	return names[tree];
}

static void fill_snapshot(struct res_memory_snapshot *to, const struct massif_snapshot *s)
{
	to->snapshot = s->number;
	to->time = s->time;
	to->heap_bytes = s->heap_bytes;
	to->extra_bytes = s->extra_bytes;
	to->stacks_bytes = s->stacks_bytes;
	to->tree = tree_name(s->tree);
}

/* Of too many snapshots, the largest of each group that follow each other. */
static void fill_snapshots(struct res_memory *r, const struct massif *m)
{
	size_t group = (m->snapshots.len + PROFILE_SNAPSHOTS_MAX - 1) / PROFILE_SNAPSHOTS_MAX;
	size_t kept = (m->snapshots.len + group - 1) / group;

	RES_LIST(r, &r->snapshots, kept, memory_snapshot);
	for (size_t i = 0; i < kept; i++) {
		size_t best = i * group;

		for (size_t k = best; k < m->snapshots.len && k < (i + 1) * group; k++)
			if (k == m->peak ||
				(best != m->peak && massif_total(&m->snapshots.at[k]) >
							    massif_total(&m->snapshots.at[best])))
				best = k;
		fill_snapshot(&r->snapshots.at[i], &m->snapshots.at[best]);
	}
	r->snapshots_left_out = m->snapshots.len - kept;
}

/* ---- the tree ---- */

static int by_valgrind(const struct massif *m)
{
	return m->desc.len > 0 && (m->desc.at[0] == '-' || m->desc.at[0] == '(');
}

static const char *kind_name(enum massif_kind kind)
{
	static const char *const names[] = {"root", "place", "below_threshold"};

	return names[kind];
}

/* Of which moment the tree is. */
static const char *moment_of(const struct massif *m)
{
	const struct massif_snapshot *peak = massif_at(m, m->peak), *tree = massif_at(m, m->tree);
	double inaccuracy = massif_option(m, "--peak-inaccuracy=", by_valgrind(m) ? 1.0 : 0);

	if (m->tree == MASSIF_END && tree->heap_bytes >= peak->heap_bytes)
		return "end";
	if (m->tree == m->peak)
		return "peak";
	/* The end has no more than the heap's own bytes. */
	double there =
		m->tree == MASSIF_END ? (double)tree->heap_bytes : (double)massif_total(tree);
	double most = m->tree == MASSIF_END ? (double)peak->heap_bytes : (double)massif_total(peak);

	return there * (1 + inaccuracy / 100) >= most ? "near" : "other";
}

static struct res_memory_tree *tree_of(struct res_memory *r, const struct massif *m)
{
	struct res_memory_tree *t;
	size_t kept = m->nodes.len < PROFILE_NODES_MAX ? m->nodes.len : PROFILE_NODES_MAX;

	if (m->tree == MASSIF_NONE)
		return NULL;
	t = RES_OBJ(r, memory_tree);
	t->moment = moment_of(m);
	t->snapshot = massif_at(m, m->tree)->number;
	t->total_bytes = massif_total(massif_at(m, m->tree));
	t->nodes_left_out = m->nodes.len - kept;
	RES_LIST(r, &t->nodes, kept, memory_node);
	for (size_t i = 0; i < kept; i++) {
		const struct massif_node *n = &m->nodes.at[i];
		struct res_memory_node *to = &t->nodes.at[i];

		to->depth = n->depth;
		to->kind = kind_name(n->kind);
		to->bytes = n->bytes;
		to->share = share(n->bytes, t->total_bytes);
		to->function = copy(r, n->function);
		to->place = copy(r, n->place);
		to->address = n->address ? n->address : U64_NONE;
	}
	return t;
}

/* ---- sites ---- */

struct site {
	size_t node; /* its largest row of the tree */
	uint64_t bytes;
};

struct sites {
	struct site *at;
	size_t len, cap;
};

static int same_text(struct massif_text a, struct massif_text b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.at, b.at, a.len));
}

static int text_order(struct massif_text a, struct massif_text b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len ? memcmp(a.at, b.at, len) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_name(const void *a, const void *b, void *m)
{
	const struct massif_node *nodes = ((const struct massif *)m)->nodes.at;
	const struct massif_node *x = &nodes[((const struct site *)a)->node];
	const struct massif_node *y = &nodes[((const struct site *)b)->node];
	int order = text_order(x->function, y->function);

	if (!order)
		order = text_order(x->place, y->place);
	if (!order)
		order = (y->bytes > x->bytes) - (y->bytes < x->bytes);
	return order;
}

static int by_bytes(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return (x->node > y->node) - (x->node < y->node);
}

/* Code inlined in several places has an address for each: one site all the same. */
static void merge_sites(struct sites *s, const struct massif *m)
{
	size_t kept = 0;

	qsort_r(s->at, s->len, sizeof(*s->at), by_name, (void *)m);
	for (size_t i = 0; i < s->len; i++) {
		const struct massif_node *n = &m->nodes.at[s->at[i].node];
		const struct massif_node *before = kept ? &m->nodes.at[s->at[kept - 1].node] : NULL;

		if (before && same_text(before->function, n->function) &&
			same_text(before->place, n->place))
			s->at[kept - 1].bytes = sat_add(s->at[kept - 1].bytes, s->at[i].bytes);
		else
			s->at[kept++] = s->at[i];
	}
	s->len = kept;
	qsort(s->at, s->len, sizeof(*s->at), by_bytes);
}

static const char *place_text(struct res_memory *r, const struct massif_node *n)
{
	if (!n->place.at)
		return copy(r, n->function);
	return arena_printf(result_arena(r), "%.*s (%.*s)", (int)n->function.len, n->function.at,
		(int)n->place.len, n->place.at);
}

static struct res_strs callers(struct res_memory *r, const struct massif *m, size_t node)
{
	const char **list = arena_alloc(result_arena(r), CALLERS_MAX, sizeof(*list));
	size_t len = 0;

	while (len < CALLERS_MAX && (node = massif_heaviest(m, node)) != MASSIF_NONE)
		list[len++] = place_text(r, &m->nodes.at[node]);
	return (struct res_strs){list, len};
}

static void fill_site(struct res_memory *r, struct res_memory_site *to, const struct massif *m,
	const struct site *s)
{
	const struct massif_node *n = &m->nodes.at[s->node];

	to->function = copy(r, n->function);
	to->place = copy(r, n->place);
	to->bytes = s->bytes;
	to->share = share(s->bytes, massif_total(massif_at(m, m->tree)));
	to->callers = callers(r, m, s->node);
}

/* What the user named an allocation function massif leaves out of its own trees, but not of the
 * end's. */
static int is_named_wrapper(const struct massif *m, struct massif_text function)
{
	static const char option[] = "--alloc-fn=";
	const char *at = m->desc.at, *end = at ? at + m->desc.len : NULL;
	size_t len = strlen(option);

	while (function.len && at && (at = memmem(at, (size_t)(end - at), option, len))) {
		at += len;
		if ((size_t)(end - at) >= function.len && !memcmp(at, function.at, function.len) &&
			(at + function.len == end || at[function.len] == ' '))
			return 1;
	}
	return 0;
}

static int is_wrapper(const struct massif *m, const struct massif_node *n)
{
	return n->kind == MASSIF_PLACE &&
	       (wrapper_is(n->function, n->place) || is_named_wrapper(m, n->function));
}

/* Of each node the bytes that it holds through no caller that the tree names. */
static uint64_t *rests_of(const struct massif *m)
{
	uint64_t *rest = mem_calloc(m->nodes.len + 1, sizeof(*rest));

	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct massif_node *n = &m->nodes.at[i];

		rest[i] = n->bytes;
		if (n->kind == MASSIF_PLACE)
			rest[n->parent] -= n->bytes < rest[n->parent] ? n->bytes : rest[n->parent];
	}
	return rest;
}

/* The first code below the allocation functions that is no wrapper of the standard library. Where
 * the tree names no caller of a wrapper, it is that itself. */
static void find_sites(struct sites *s, const struct massif *m)
{
	char *open = mem_calloc(m->nodes.len + 1, 1); /* children of it can be sites */
	uint64_t *rest = rests_of(m);

	for (size_t i = 0; i < m->nodes.len; i++) {
		const struct massif_node *n = &m->nodes.at[i];
		uint64_t bytes = n->bytes;

		if (n->kind == MASSIF_ROOT)
			open[i] = 1;
		if (n->kind != MASSIF_PLACE || !open[n->parent])
			continue;
		open[i] = (char)is_wrapper(m, n);
		if (open[i])
			bytes = rest[i];
		if (bytes)
			*VEC_PUSH(s) = (struct site){i, bytes};
	}
	free(rest);
	free(open);
}

/* The sites that hold enough of the peak; *ret_len of them in r's arena. */
static struct res_memory_site *sites_of(
	struct res_memory *r, const struct massif *m, size_t *ret_len)
{
	struct sites s = {0};
	struct res_memory_site *list;
	size_t len = 0;

	*ret_len = 0;
	if (m->tree == MASSIF_NONE)
		return NULL;
	double total = (double)massif_total(massif_at(m, m->tree));

	find_sites(&s, m);
	if (s.len)
		merge_sites(&s, m);
	while (len < s.len && (double)s.at[len].bytes >= PROFILE_SITE_SHARE * total)
		len++;
	list = result_alloc(r, len, &shape_memory_site);
	for (size_t i = 0; i < len; i++)
		fill_site(r, &list[i], m, &s.at[i]);
	free(s.at);
	*ret_len = len;
	return list;
}

/* ---- how it was measured, and what is missing ---- */

static void fill_massif(struct res_memory *r, const struct massif *m)
{
	struct res_memory_massif *f = r->massif ? r->massif : RES_OBJ(r, memory_massif);

	r->massif = f;
	f->description = copy(r, m->desc);
	f->time_unit = copy(r, m->time_unit);
	f->pages_as_heap = massif_has_option(m, "--pages-as-heap=yes");
	f->stacks = m->snapshots.at[0].stacks_bytes != UINT64_MAX;
	/* Defaults of massif's manual; other producers have none that we know. */
	f->threshold_percent = massif_option(m, "--threshold=", by_valgrind(m) ? 1.0 : NAN);
	f->peak_inaccuracy_percent =
		massif_option(m, "--peak-inaccuracy=", by_valgrind(m) ? 1.0 : NAN);
}

static void warn_other_moment(struct res_memory *r, const struct massif *m)
{
	char there[UNITS_BUF], most[UNITS_BUF];
	const struct massif_snapshot *tree = massif_at(m, m->tree);
	const char *when = m->tree == MASSIF_END ? "the end of the program"
						 : arena_printf(result_arena(r), "snapshot %llu",
							   (unsigned long long)tree->number);

	result_warn(r, "tree_not_of_peak",
		"massif wrote no tree of the peak (%s): tree, sites and flame graph are of %s, "
		"when "
		"%s were held",
		units_bytes(most, massif_total(massif_at(m, m->peak))), when,
		units_bytes(there, massif_total(tree)));
}

static void warn_missing(struct res_memory *r, const struct massif *m)
{
	if (m->cut || m->tree_short) {
		result_warn(r, "massif_file_cut",
			"massif's file is not whole: %s; what it says up to there is here",
			m->cut ? "it ends in the middle" : "its peak tree lacks lines");
		r->complete = 0;
	}
	if (m->bad_lines)
		result_warn(r, "massif_file_lines",
			"%llu lines of massif's file have values that are none and were left out "
			"(the first is line %zu)",
			(unsigned long long)m->bad_lines, m->first_bad_line);
	if (m->unknown_lines)
		result_warn(r, "massif_file_unknown",
			"%llu lines of massif's file are unknown and were left out (the first is "
			"line %zu)",
			(unsigned long long)m->unknown_lines, m->first_bad_line);
	if (m->tree == MASSIF_NONE && massif_total(massif_at(m, m->peak)) > 0)
		result_warn(r, "no_tree",
			"no snapshot says who held the memory: the program did "
			"not allocate long enough for one");
	if (m->tree != MASSIF_NONE && !strcmp(moment_of(m), "other"))
		warn_other_moment(r, m);
}

void profile_fill(struct res_memory *r, const struct massif *m)
{
	fill_massif(r, m);
	fill_snapshots(r, m);
	r->peak = profile_point(r, massif_at(m, m->peak));
	r->held_at_end = end_of(r, m);
	r->peak_tree = tree_of(r, m);
	r->sites.at = sites_of(r, m, &r->sites.len);
	warn_missing(r, m);
}

void profile_fill_unseen(struct res_memory *r, const struct massif *m)
{
	fill_massif(r, m);
}

void profile_fill_process(
	struct res_memory *r, struct res_memory_process *p, const struct massif *m, int unseen)
{
	if (!m)
		return;
	p->command = copy(r, m->command);
	p->snapshots = m->snapshots.len;
	if (unseen)
		return;
	p->peak = profile_point(r, massif_at(m, m->peak));
	p->end = end_of(r, m);
	p->sites.at = sites_of(r, m, &p->sites.len);
}
