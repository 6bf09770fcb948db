/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef REPORT_FLAME_H
#define REPORT_FLAME_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/mem.h"
#include "common/model/result.h"
#include "common/view/doc.h"

/*
 * A tree as a flame graph draws it: nodes in the order root, its first child, that one's children,
 * .., each with all that is below it. Pure, but for memory.
 */
struct flame_node {
	const char *name; /* as found, not escaped */
	uint64_t total;
	uint64_t before; /* of a difference: the same before, as a part of as much */
	size_t depth;
};

struct flame {
	struct {
		struct flame_node *at;
		size_t len, cap;
	} nodes;
	enum cell_type unit; /* CELL_COUNT, CELL_NS, CELL_BYTES */
	const char *noun;    /* of CELL_COUNT: "sample" */
	size_t unreadable;   /* lines that were left out */
	uint8_t is_difference;
};

/* Stacks that differ in nothing are added; children are in the order of their names. Of a
 * difference a line is "a;b;c BEFORE NOW". text is changed, and the names point into it. */
void flame_of_folded(struct flame *f, char *text, size_t len);
/* Who held the memory: nodes already are in that order. */
void flame_of_peak(struct flame *f, const struct res_memory_tree *t);
/* Time in calls: process, thread, call. Names are in the arena. */
void flame_of_threads(struct flame *f, const struct res_result *r, struct arena *a);
void flame_release(struct flame *f);

/* The least total that a node must have so that at most `most` nodes have it and each is at least
 * that share of the root. */
uint64_t flame_least(const struct flame *f, size_t most, double share);

#endif
