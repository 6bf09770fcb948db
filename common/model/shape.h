/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MODEL_SHAPE_H
#define MODEL_SHAPE_H

#include <stddef.h>

/* What the structs of a result are made of, for everything that walks one without knowing it. */
enum field_type {
	FIELD_U64,
	FIELD_DBL,
	FIELD_BOOL,
	FIELD_STR,
	FIELD_STRS,
	FIELD_COUNTS,
	FIELD_OBJ,
	FIELD_LIST,
	FIELD_KEYED
};
enum field_unit { UNIT_NONE, UNIT_COUNT, UNIT_NS, UNIT_BYTES, UNIT_RATIO, UNIT_KEY };

struct shape;
struct field {
	const char *id; /* as in the file */
	enum field_type type;
	enum field_unit unit;
	size_t offset;
	const struct shape *shape; /* of OBJ, LIST, KEYED */
	const char *meaning;
};

struct shape {
	const char *id;
	size_t size;
	const struct field *fields;
	size_t len;
};

#endif
