/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

/*
 * Hash map from uint64_t to a pointer. Zeroed storage is an empty map; values stay the caller's.
 * NULL is not a value.
 *
 *	struct map_iter it = {0};
 *	while (map_next(&m, &it))
 *		use(it.key, it.value);		(no map_set of new keys or map_del inside)
 */
struct map {
	struct map_slot *slots;
	size_t cap, len, used;
};

struct map_iter {
	size_t pos;
	uint64_t key;
	void *value;
};

void map_release(struct map *m);
void *map_get(const struct map *m, uint64_t key); /* NULL: not there */
void map_set(struct map *m, uint64_t key, void *value);
void *map_del(struct map *m, uint64_t key);             /* what was there, or NULL */
int map_next(const struct map *m, struct map_iter *it); /* 1 while there is another */
/* A key for text; different texts may have the same. */
uint64_t map_text_key(const char *text);

/*
 * Exact counters by key, for histograms of small integers ("32": 10). At most COUNTS_CAP distinct
 * keys are kept; what comes after that under new keys is summed in `other` (and must be shown).
 */
#define COUNTS_CAP 4096
struct counts {
	struct map index; /* key -> position + 1 */
	struct counts_entry {
		uint64_t key, count;
	} * at;
	size_t len, cap;
	uint64_t other;
};

void counts_release(struct counts *c);
void counts_add(struct counts *c, uint64_t key, uint64_t count);

#endif
