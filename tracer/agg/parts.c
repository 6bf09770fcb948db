/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/parts.h"

#include <stdlib.h>
#include <string.h>

#include "tracer/agg/rows.h"

/* Ids are 32 bits: what is above them stands for "merged". */
#define MERGED_ID (UINT64_C(1) << 32)

void parts_release(struct parts *p)
{
	map_release(&p->owners);
	map_release(&p->index);
	free(p->list.at);
	arena_release(&p->arena);
	memset(p, 0, sizeof(*p));
}

static uint64_t part_key(uint64_t id, const struct sys_def *def)
{
	return id << 16 | def->index;
}

/* The owner of that id; NULL if it is to be merged, as all are that come after one that was. */
static struct parts_owner *own(struct parts *p, uint32_t id)
{
	struct parts_owner *owner = map_get(&p->owners, id);

	if (owner || p->merged || id > AGG_ROWS_MAX)
		return owner;
	owner = arena_alloc(&p->arena, 1, sizeof(*owner));
	owner->id = id;
	map_set(&p->owners, id, owner);
	*VEC_PUSH(&p->list) = owner;
	return owner;
}

static struct part *new_part(
	struct parts *p, struct parts_owner *owner, uint64_t key, const struct sys_def *def)
{
	struct part *part = arena_alloc(&p->arena, 1, sizeof(*part));

	part->def = def;
	part->next = owner->first;
	owner->first = part;
	owner->len++;
	map_set(&p->index, key, part);
	return part;
}

static struct part *find(struct parts *p, uint32_t id, const struct sys_def *def)
{
	uint64_t key = part_key(id, def);
	struct part *part = map_get(&p->index, key);
	struct parts_owner *owner;

	if (part)
		return part;
	owner = own(p, id);
	if (owner)
		return new_part(p, owner, key, def);
	if (!p->merged)
		p->merged = arena_alloc(&p->arena, 1, sizeof(*p->merged));
	key = part_key(MERGED_ID, def);
	part = map_get(&p->index, key);
	return part ? part : new_part(p, p->merged, key, def);
}

struct part *parts_get(
	struct parts *p, struct parts_hit *hit, uint32_t id, const struct sys_def *def)
{
	if (!hit->part || hit->id != id)
		*hit = (struct parts_hit){id, find(p, id, def)};
	return hit->part;
}

void part_limited(struct parts *p, struct part *part, const struct caused *c)
{
	if (!part->limited_by)
		part->limited_by = arena_alloc(&p->arena, CAUSES, sizeof(*part->limited_by));
	part->limited_by[c->cause] += (uint64_t)c->n;
}

void part_add(struct part *part, const struct call *c)
{
	part->calls++;
	part->errors += c->fate == CALL_ERROR;
	part->wall_ns = sat_add(part->wall_ns, c->wall_ns);
	call_sum(&part->bytes, c->bytes_moved);
	if (c->fate == CALL_OK) {
		call_sum(&part->batch_asked, c->ev->m.batch_asked);
		call_sum(&part->batch_moved, c->batch_moved);
		part->batch_calls += c->batch_moved != NOT_MEASURED;
	}
}
