/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/churn.h"

#include <stdlib.h>

#include "common/base/mem.h"

#define PAGE_SHIFT 12
#define LATE_MAX   255

/* As the map's value, which must not be NULL: pages are never 0. */
struct live {
	uint64_t pages;
	enum region_kind kind;
	unsigned int late; /* munmaps of earlier ones at the same place that are yet to be seen */
};

static void *pack(struct live l)
{
	return (void *)(uintptr_t)(l.pages << 10 | (uint64_t)l.kind << 8 | l.late);
}

static struct live unpack(const void *value)
{
	uint64_t v = (uint64_t)(uintptr_t)value;

	return (struct live){v >> 10, (enum region_kind)(v >> 8 & 3), (unsigned int)(v & LATE_MAX)};
}

void churn_release(struct churn *c)
{
	map_release(&c->live);
	free(c->order.at);
	*c = (struct churn){0};
}

static void put(struct churn *c, uint64_t page, struct live l)
{
	int known = map_get(&c->live, page) != NULL;

	map_set(&c->live, page, pack(l));
	if (known)
		return;
	if (c->order.len < CHURN_MAX) {
		*VEC_PUSH(&c->order) = page;
		return;
	}
	if (c->order.at[c->next] != page)
		(void)map_del(&c->live, c->order.at[c->next]);
	c->order.at[c->next] = page;
	c->next = (c->next + 1) % CHURN_MAX;
}

void churn_map(struct churn *c, const struct region *r, int overtook)
{
	uint64_t page = r->start >> PAGE_SHIFT;
	struct live now = {(r->end - r->start) >> PAGE_SHIFT, r->kind, 0};
	const void *before = map_get(&c->live, page);

	if (!now.pages)
		return;
	if (before && overtook && unpack(before).kind == r->kind) {
		now.late = unpack(before).late;
		now.late += now.late < LATE_MAX;
	}
	put(c, page, now);
}

void churn_move(struct churn *c, uint64_t from, const struct region *r)
{
	const void *before = map_del(&c->live, from >> PAGE_SHIFT);

	if (before && r->start < r->end)
		put(c, r->start >> PAGE_SHIFT,
			(struct live){(r->end - r->start) >> PAGE_SHIFT, unpack(before).kind, 0});
}

enum region_kind churn_unmap(
	struct churn *c, const struct regions *left, uint64_t start, uint64_t end)
{
	uint64_t page = start >> PAGE_SHIFT, next = end >> PAGE_SHIFT;
	const void *value = map_get(&c->live, page);
	struct live l = unpack(value);

	if (!value || start >= end)
		return REGION_KINDS;
	if (l.late) {
		l.late--;
		map_set(&c->live, page, pack(l));
		return l.kind;
	}
	(void)map_del(&c->live, page);
	/* Its end, unless that went before and something else begins there. */
	if (next - page < l.pages && regions_kind(left, end, REGION_KINDS) == l.kind &&
		!map_get(&c->live, next)) {
		put(c, next, (struct live){l.pages - (next - page), l.kind, 0});
		return REGION_KINDS;
	}
	return l.kind;
}
