/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_REGIONS_H
#define AGG_REGIONS_H

#include <stddef.h>
#include <stdint.h>

enum region_kind { REGION_ANONYMOUS, REGION_FILE, REGION_STACK, REGION_OTHER, REGION_KINDS };

struct region {
	uint64_t start, end; /* [start, end) */
	enum region_kind kind;
};

/* Growable, for VEC_PUSH; released with free(at). */
struct region_list {
	struct region *at;
	size_t len, cap;
};

/*
 * The regions of one address space: intervals that do not overlap, in a treap whose nodes sit in
 * one array, so that a copy is one memcpy. Neighbours of the same kind are one region, as in the
 * kernel, which keeps their number within its limit on mappings. Zeroed storage is an empty one.
 * All operations take O(log n), and cutting O(log n) more for each region cut out.
 */
struct regions {
	struct region_node *at; /* [0] is not used: index 0 is "none" */
	size_t len, cap;
	uint32_t root, free; /* free: list of nodes to use again, linked by left */
	uint64_t random;
};

void regions_release(struct regions *r);
/* into must be empty. */
void regions_copy(struct regions *into, const struct regions *from);
/* The range must be free, and not empty. */
void regions_add(struct regions *r, struct region add);
/* Makes [start, end) free; what was there is appended to cut, rising, if cut is not NULL. */
void regions_cut(struct regions *r, uint64_t start, uint64_t end, struct region_list *cut);
/* Kind of the region that addr is in, or otherwise. */
enum region_kind regions_kind(const struct regions *r, uint64_t addr, enum region_kind otherwise);

#endif
