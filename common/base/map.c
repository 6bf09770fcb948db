/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/base/map.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"

#define MAP_MIN_CAP 16 /* capacities are powers of two */

struct map_slot {
	uint64_t key;
	void *value; /* NULL: never used; &deleted: was used, probing goes on */
};

/* Only its address is used, as a value that no caller can have. */
static const char deleted;

static int is_live(const struct map_slot *s)
{
	return s->value && s->value != (const void *)&deleted;
}

/* Spreads keys that differ in few bits (fds, tids, pages) over all of them. */
static uint64_t hash(uint64_t key)
{
	key ^= key >> 32;
	key *= 0x9e3779b97f4a7c15ULL;
	key ^= key >> 29;
	key *= 0xd6e8feb86659fd93ULL;
	return key ^ (key >> 32);
}

void map_release(struct map *m)
{
	free(m->slots);
	*m = (struct map){0};
}

/* The slot where key is or, not live, where it would go. Takes a free slot somewhere: cap > used.
 */
static struct map_slot *slot_for(const struct map *m, uint64_t key)
{
	struct map_slot *reusable = NULL;

	for (size_t i = hash(key) & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		struct map_slot *s = &m->slots[i];

		if (!s->value)
			return reusable ? reusable : s;
		if (is_live(s) && s->key == key)
			return s;
		if (!is_live(s) && !reusable)
			reusable = s;
	}
}

/* The live slot of key, or NULL. */
static struct map_slot *find(const struct map *m, uint64_t key)
{
	struct map_slot *s = m->cap ? slot_for(m, key) : NULL;

	return s && is_live(s) ? s : NULL;
}

/* Makes room for one more and forgets deleted slots, so that a probe always meets a free one. */
static void make_room(struct map *m)
{
	struct map grown = {.cap = MAP_MIN_CAP};

	if ((m->used + 1) * 4 <= m->cap * 3)
		return;
	while (grown.cap < (m->len + 1) * 2)
		grown.cap *= 2;
	grown.slots = mem_calloc(grown.cap, sizeof(*grown.slots));
	for (size_t i = 0; i < m->cap; i++) {
		if (is_live(&m->slots[i]))
			*slot_for(&grown, m->slots[i].key) = m->slots[i];
	}
	grown.len = grown.used = m->len;
	free(m->slots);
	*m = grown;
}

void *map_get(const struct map *m, uint64_t key)
{
	const struct map_slot *s = find(m, key);

	return s ? s->value : NULL;
}

void map_set(struct map *m, uint64_t key, void *value)
{
	struct map_slot *s;

	assert(value);
	s = find(m, key);
	if (!s) { /* an existing key moves nothing: allowed while iterating */
		make_room(m);
		s = slot_for(m, key);
	}
	if (!s->value)
		m->used++;
	if (!is_live(s))
		m->len++;
	*s = (struct map_slot){.key = key, .value = value};
}

void *map_del(struct map *m, uint64_t key)
{
	struct map_slot *s = find(m, key);
	void *value;

	if (!s)
		return NULL;
	value = s->value;
	s->value = (void *)&deleted;
	m->len--;
	return value;
}

int map_next(const struct map *m, struct map_iter *it)
{
	while (it->pos < m->cap) {
		const struct map_slot *s = &m->slots[it->pos++];

		if (is_live(s)) {
			it->key = s->key;
			it->value = s->value;
			return 1;
		}
	}
	return 0;
}

/* FNV-1a */
uint64_t map_text_key(const char *text)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3ULL;
	return h;
}

void counts_release(struct counts *c)
{
	map_release(&c->index);
	free(c->at);
	*c = (struct counts){0};
}

void counts_add(struct counts *c, uint64_t key, uint64_t count)
{
	uintptr_t position;

	if (!count)
		return;
	position = (uintptr_t)map_get(&c->index, key);
	if (position) {
		c->at[position - 1].count += count;
	} else if (c->len < COUNTS_CAP) {
		*VEC_PUSH(c) = (struct counts_entry){.key = key, .count = count};
		/* NOLINTNEXTLINE(performance-no-int-to-ptr): a position, never dereferenced */
		map_set(&c->index, key, (void *)c->len);
	} else {
		c->other += count;
	}
}
