/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_CHURN_H
#define AGG_CHURN_H

#include "common/base/map.h"
#include "tracer/agg/regions.h"

/*
 * Where the mappings of one address space begin, so that it can be told which munmap took the last
 * of one: neighbours of a kind are one region, which does not say it. The last CHURN_MAX mappings
 * are known; one that lives for longer than so many others take to be made is not mapped again and
 * again. A mapping is known by its beginning: what is unmapped from its end or its middle leaves
 * it. Zeroed storage is an empty one.
 */
#define CHURN_MAX 16384

struct churn {
	struct map live; /* first page -> pages, kind, and munmaps on their way */
	struct {
		uint64_t *at;
		size_t len, cap;
	} order;     /* first pages as they were mapped, a ring once it is full */
	size_t next; /* the oldest of the ring */
};

void churn_release(struct churn *c);
/* overtook: a mapping that began there is gone, and the munmap that took it has yet to be seen. */
void churn_map(struct churn *c, const struct region *r, int overtook);
/* What begins at `from` is at r now, as long as r. */
void churn_move(struct churn *c, uint64_t from, const struct region *r);
/* After munmap took [start, end) out of `left`: the kind of the mapping of which nothing is left by
 * that, or REGION_KINDS. */
enum region_kind churn_unmap(
	struct churn *c, const struct regions *left, uint64_t start, uint64_t end);

#endif
