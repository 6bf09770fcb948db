/* SPDX-License-Identifier: GPL-3.0-only */
#include "cpu/intern.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 256

void intern_release(struct intern *t)
{
	arena_release(&t->arena);
	free(t->at);
	free(t->slots);
	*t = (struct intern){0};
}

/* Eight bytes at a time; this is most of what folding costs. */
static uint64_t hash_of(const char *p, size_t len)
{
	const uint64_t odd = 0x9e3779b97f4a7c15U;
	uint64_t h = len * odd, word;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * odd;
		h ^= h >> 32;
	}
	word = 0;
	memcpy(&word, p, len);
	h = (h ^ word) * odd;
	return h ^ h >> 29;
}

static void grow_slots(struct intern *t)
{
	size_t len = t->slots_len ? 2 * t->slots_len : SLOTS_FIRST;

	free(t->slots);
	t->slots = mem_calloc(len, sizeof(*t->slots));
	t->slots_len = len;
	for (size_t i = 0; i < t->len; i++) {
		size_t slot = t->at[i].hash & (len - 1);

		while (t->slots[slot])
			slot = (slot + 1) & (len - 1);
		t->slots[slot] = (uint32_t)i + 1;
	}
}

static const char *copy(struct intern *t, const void *bytes, size_t len)
{
	char *to = arena_alloc(&t->arena, len + 1, 1);

	memcpy(to, bytes, len);
	return to;
}

uint32_t intern_get(struct intern *t, const void *bytes, size_t len)
{
	uint64_t hash = hash_of(bytes, len);
	size_t slot;

	if (2 * (t->len + 1) > t->slots_len)
		grow_slots(t);
	slot = hash & (t->slots_len - 1);
	for (; t->slots[slot]; slot = (slot + 1) & (t->slots_len - 1)) {
		const struct intern_key *k = &t->at[t->slots[slot] - 1];

		if (k->hash == hash && k->len == len && !memcmp(k->bytes, bytes, len))
			return t->slots[slot] - 1;
	}
	assert(t->len < UINT32_MAX - 1);
	*VEC_PUSH(t) = (struct intern_key){copy(t, bytes, len), len, hash};
	t->slots[slot] = (uint32_t)t->len;
	return (uint32_t)t->len - 1;
}
