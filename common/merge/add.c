/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/merge/add.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/model/result.h"
#include "common/model/walk.h"

/* A sum with a part that was not measured, or that has no room, is none. */
static uint64_t add_u64(uint64_t a, uint64_t b)
{
	uint64_t sum;

	if (a == U64_NONE || b == U64_NONE || __builtin_add_overflow(a, b, &sum))
		return U64_NONE;
	return sum;
}

/* ---- rows in the order of their keys, so that one is found by halving ---- */

/* Numbers in their order, as they have no zeros before them. */
static int key_cmp(const char *a, const char *b)
{
	size_t x = strlen(a), y = strlen(b);

	return x != y ? (x < y ? -1 : 1) : strcmp(a, b);
}

/* A row begins with its bound, a number, or with its key, a text. */
struct rows {
	void *list; /* {at, len} */
	size_t size;
	int by_text;
};

static int row_cmp(const struct rows *r, const void *row, const void *key)
{
	const char *a, *b;
	uint64_t x, y;

	if (r->by_text) {
		memcpy(&a, row, sizeof(a));
		memcpy(&b, key, sizeof(b));
		return key_cmp(a ? a : "", b ? b : "");
	}
	memcpy(&x, row, sizeof(x));
	memcpy(&y, key, sizeof(y));
	return x < y ? -1 : x > y;
}

/* Room for one more at i, zeroed. Its capacity is the next power of two. */
static void *insert(const struct rows *r, size_t i)
{
	struct walk_list l;
	char *at;

	memcpy(&l, r->list, sizeof(l));
	at = (char *)(uintptr_t)l.at;
	if ((l.len & (l.len - 1)) == 0)
		at = mem_realloc(at, l.len ? 2 * l.len : 1, r->size);
	memmove(at + (i + 1) * r->size, at + i * r->size, (l.len - i) * r->size);
	memset(at + i * r->size, 0, r->size);
	l.at = at;
	l.len++;
	memcpy(r->list, &l, sizeof(l));
	return at + i * r->size;
}

/* The row with the key that `like` begins with; a new one is zeroed but for that. */
static void *row_of(const struct rows *r, const void *like, int *ret_is_new)
{
	struct walk_list l;
	size_t low = 0, high;
	const char *text;
	char *row;

	memcpy(&l, r->list, sizeof(l));
	for (high = l.len; low < high;) {
		size_t mid = (low + high) / 2;
		int c = row_cmp(r, (const char *)l.at + mid * r->size, like);

		if (c == 0) {
			*ret_is_new = 0;
			return (char *)(uintptr_t)l.at + mid * r->size;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_is_new = 1;
	row = insert(r, low);
	if (r->by_text) {
		memcpy(&text, like, sizeof(text));
		text = mem_strdup(text ? text : "");
		memcpy(row, &text, sizeof(text));
	} else {
		memcpy(row, like, sizeof(uint64_t));
	}
	return row;
}

/* ---- fields ---- */

static void add_counts(void *into, const void *from)
{
	const struct rows rows = {into, sizeof(struct res_count), 1};
	const struct res_counts *c = from;

	for (size_t i = 0; i < c->len; i++) {
		int is_new;
		struct res_count *row = row_of(&rows, &c->at[i], &is_new);

		row->count = add_u64(row->count, c->at[i].count);
	}
}

static void add_rows(void *into, const void *from, const struct shape *shape)
{
	const struct rows rows = {into, shape->size, shape->fields[0].type == FIELD_STR};
	struct walk_list l;

	memcpy(&l, from, sizeof(l));
	for (size_t i = 0; i < l.len; i++) {
		const char *row = walk_element(l, shape, i);
		int is_new;
		char *to = row_of(&rows, row, &is_new);

		/* All but the key, which stands first. */
		for (size_t k = 1; k < shape->len; k++)
			add_struct(to, row,
				&(struct shape){shape->id, shape->size, &shape->fields[k], 1},
				is_new);
	}
}

static void add_obj(void *into, const void *from, const struct field *f)
{
	const void *part = walk_obj(from, f);
	void *sum = (void *)(uintptr_t)walk_obj(into, f);
	int is_new = !sum;

	if (!part)
		return;
	if (is_new) {
		sum = mem_calloc(1, f->shape->size);
		walk_set_obj(into, f, sum);
	}
	add_struct(sum, part, f->shape, is_new);
}

static void add_field(void *into, const void *from, const struct field *f, int is_first)
{
	void *to = walk_to(into, f);
	const void *at = walk_at(from, f);

	switch (f->type) {
	case FIELD_U64:
		*(uint64_t *)to = is_first ? *(const uint64_t *)at
					   : add_u64(*(uint64_t *)to, *(const uint64_t *)at);
		break;
	case FIELD_DBL:
		*(double *)to =
			is_first ? *(const double *)at : *(double *)to + *(const double *)at;
		break;
	case FIELD_STR:
		if (is_first)
			*(char **)to = mem_strdup(*(const char *const *)at);
		break;
	case FIELD_COUNTS:
		add_counts(to, at);
		break;
	case FIELD_LIST:
	case FIELD_KEYED:
		add_rows(to, at, f->shape);
		break;
	case FIELD_OBJ:
		add_obj(into, from, f);
		break;
	default: /* I64, BOOL, STRS: there are none in what adds up */
		break;
	}
}

void add_struct(void *into, const void *from, const struct shape *shape, int is_first)
{
	for (size_t i = 0; i < shape->len; i++)
		add_field(into, from, &shape->fields[i], is_first);
}

/* ---- the end ---- */

static void release_rows(void *list, const struct shape *shape)
{
	struct walk_list l;

	memcpy(&l, list, sizeof(l));
	for (size_t i = 0; i < l.len; i++)
		add_release((char *)(uintptr_t)l.at + i * shape->size, shape);
	free((void *)(uintptr_t)l.at);
}

void add_release(void *obj, const struct shape *shape)
{
	for (size_t i = 0; i < shape->len; i++) {
		const struct field *f = &shape->fields[i];
		void *at = walk_to(obj, f);

		if (f->type == FIELD_STR) {
			free(*(char **)at);
		} else if (f->type == FIELD_LIST || f->type == FIELD_KEYED) {
			release_rows(at, f->shape);
		} else if (f->type == FIELD_OBJ && walk_obj(obj, f)) {
			add_release((void *)(uintptr_t)walk_obj(obj, f), f->shape);
			free((void *)(uintptr_t)walk_obj(obj, f));
		} else if (f->type == FIELD_COUNTS) {
			struct res_counts *c = at;

			for (size_t k = 0; k < c->len; k++)
				free((char *)(uintptr_t)c->at[k].key);
			free(c->at);
		}
	}
}
