/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/regions.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

struct region_node {
	uint64_t start, end;
	uint32_t left, right;
	uint32_t priority; /* no child has a higher one */
	uint32_t kind;
};

void regions_release(struct regions *r)
{
	free(r->at);
	*r = (struct regions){0};
}

void regions_copy(struct regions *into, const struct regions *from)
{
	assert(!into->at);
	*into = *from;
	into->cap = from->len;
	if (!from->len)
		return;
	into->at = mem_calloc(from->len, sizeof(*into->at));
	memcpy(into->at, from->at, from->len * sizeof(*into->at));
}

/* xorshift64: the depth must not depend on the order of addresses, more is not asked of it. */
static uint32_t next_priority(struct regions *r)
{
	uint64_t x = r->random ? r->random : 0x9e3779b97f4a7c15ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	r->random = x;
	return (uint32_t)(x >> 32);
}

static uint32_t new_node(struct regions *r, struct region add)
{
	uint32_t n = r->free;

	if (n) {
		r->free = r->at[n].left;
	} else {
		if (!r->len)
			*VEC_PUSH(r) = (struct region_node){0};
		n = (uint32_t)r->len;
		(void)VEC_PUSH(r);
	}
	r->at[n] = (struct region_node){
		.start = add.start, .end = add.end, .priority = next_priority(r), .kind = add.kind};
	return n;
}

static void free_node(struct regions *r, uint32_t n)
{
	r->at[n].left = r->free;
	r->free = n;
}

/* Cuts a tree in two: regions that start before addr, and the others. */
static void split(struct regions *r, uint32_t tree, uint64_t addr, uint32_t *low, uint32_t *high)
{
	while (tree) {
		struct region_node *n = &r->at[tree];

		if (n->start < addr) {
			*low = tree;
			low = &n->right;
			tree = n->right;
		} else {
			*high = tree;
			high = &n->left;
			tree = n->left;
		}
	}
	*low = *high = 0;
}

/* The opposite: every region of low starts before every one of high. */
static uint32_t join(struct regions *r, uint32_t low, uint32_t high)
{
	uint32_t tree, *to = &tree;

	while (low && high) {
		if (r->at[low].priority >= r->at[high].priority) {
			*to = low;
			to = &r->at[low].right;
			low = *to;
		} else {
			*to = high;
			to = &r->at[high].left;
			high = *to;
		}
	}
	*to = low ? low : high;
	return tree;
}

static uint32_t first(const struct regions *r, uint32_t tree)
{
	while (tree && r->at[tree].left)
		tree = r->at[tree].left;
	return tree;
}

static uint32_t last(const struct regions *r, uint32_t tree)
{
	while (tree && r->at[tree].right)
		tree = r->at[tree].right;
	return tree;
}

void regions_add(struct regions *r, struct region add)
{
	uint32_t low, high, n;

	assert(add.start < add.end);
	split(r, r->root, add.start, &low, &high);
	n = first(r, high);
	assert(!n || r->at[n].start >= add.end);
	if (n && r->at[n].start == add.end && r->at[n].kind == add.kind) {
		add.end = r->at[n].end;
		split(r, high, r->at[n].start + 1, &n, &high);
		free_node(r, n);
	}
	n = last(r, low);
	assert(!n || r->at[n].end <= add.start);
	if (n && r->at[n].end == add.start && r->at[n].kind == add.kind)
		r->at[n].end = add.end;
	else
		low = join(r, low, new_node(r, add));
	r->root = join(r, low, high);
}

static void emit(struct region_list *cut, uint64_t start, uint64_t end, uint32_t kind)
{
	if (cut)
		*VEC_PUSH(cut) = (struct region){start, end, (enum region_kind)kind};
}

/* Frees a tree of regions that start in [.., end); returns how far the last one reaches beyond end.
 * Rotates the tree into a list as it goes: no recursion, and each node is visited twice at most. */
static struct region free_tree(
	struct regions *r, uint32_t tree, uint64_t end, struct region_list *cut)
{
	struct region rest = {.start = end, .end = end};

	while (tree) {
		struct region_node *n = &r->at[tree];
		uint32_t left = n->left, right = n->right;

		if (left) {
			n->left = r->at[left].right;
			r->at[left].right = tree;
			tree = left;
			continue;
		}
		emit(cut, n->start, n->end < end ? n->end : end, n->kind);
		if (n->end > end)
			rest = (struct region){end, n->end, (enum region_kind)n->kind};
		free_node(r, tree);
		tree = right;
	}
	return rest;
}

void regions_cut(struct regions *r, uint64_t start, uint64_t end, struct region_list *cut)
{
	uint32_t low, middle, high, n;
	struct region rest = {.start = end, .end = end}, beyond;

	if (start >= end)
		return;
	split(r, r->root, start, &low, &middle);
	split(r, middle, end, &middle, &high);
	n = last(r, low);
	if (n && r->at[n].end > start) {
		struct region_node *before = &r->at[n];

		emit(cut, start, before->end < end ? before->end : end, before->kind);
		if (before->end > end)
			rest = (struct region){end, before->end, (enum region_kind)before->kind};
		before->end = start;
	}
	beyond = free_tree(r, middle, end, cut);
	if (beyond.start < beyond.end)
		rest = beyond;
	if (rest.start < rest.end)
		high = join(r, new_node(r, rest), high);
	r->root = join(r, low, high);
}

enum region_kind regions_kind(const struct regions *r, uint64_t addr, enum region_kind otherwise)
{
	uint32_t n = r->root, found = 0;

	while (n) {
		if (r->at[n].start <= addr) {
			found = n;
			n = r->at[n].right;
		} else {
			n = r->at[n].left;
		}
	}
	if (!found || r->at[found].end <= addr)
		return otherwise;
	return (enum region_kind)r->at[found].kind;
}
