/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MODEL_WALK_H
#define MODEL_WALK_H

#include <string.h>

#include "common/model/shape.h"

/*
 * Access to the fields of any struct of a result by its shape:
 *
 *	for (size_t i = 0; i < shape->len; i++)
 *		if (shape->fields[i].type == FIELD_U64)
 *			use(*(const uint64_t *)walk_at(obj, &shape->fields[i]));
 */
struct walk_list {
	const void *at;
	size_t len;
};

static inline const void *walk_at(const void *obj, const struct field *f)
{
	return (const char *)obj + f->offset;
}

static inline void *walk_to(void *obj, const struct field *f)
{
	return (char *)obj + f->offset;
}

/* Of an OBJ; NULL is null. Copied, as the pointer there has another type. */
static inline const void *walk_obj(const void *obj, const struct field *f)
{
	const void *p;

	memcpy(&p, walk_at(obj, f), sizeof(p));
	return p;
}

/* Of a LIST or KEYED. */
static inline struct walk_list walk_list(const void *obj, const struct field *f)
{
	struct walk_list l;

	memcpy(&l, walk_at(obj, f), sizeof(l));
	return l;
}

/* Element i of a list of structs of that shape. */
static inline const void *walk_element(struct walk_list l, const struct shape *shape, size_t i)
{
	return (const char *)l.at + i * shape->size;
}

static inline void walk_set_obj(void *obj, const struct field *f, const void *p)
{
	memcpy(walk_to(obj, f), &p, sizeof(p));
}

static inline void walk_set_list(void *obj, const struct field *f, struct walk_list l)
{
	memcpy(walk_to(obj, f), &l, sizeof(l));
}

#endif
