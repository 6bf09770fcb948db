/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The tables of one .def file: included once by each shapes_KIND.c, which says in SHAPES_DEF which
 * one. A source file each, as the tables name their lines.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "common/model/result.h"
#include "common/model/walk.h"

#ifndef SHAPES_DEF
#define SHAPES_DEF "common/model/result.def"
#endif

/*
 * Offsets of the fields. A line of a .def does not know its struct's name, so offsetof() cannot
 * be had there. But all members are of 8 or 16 bytes without padding, so a field's offset is the
 * sum of the sizes before it, and enumerators without a value count on by themselves: each line
 * names its first byte and its last. That the sum comes out as sizeof proves that there is no
 * padding.
 */
#define PASTE2(a, b)              a##b
#define PASTE(a, b)               PASTE2(a, b)
#define OFFSET                    PASTE(offset_of_line_, __LINE__)
#define BYTES(n)                  OFFSET, PASTE(last_of_line_, __LINE__) = OFFSET + (n)-1,
#define STRUCT(s)                 enum { before_##s = -1,
#define U64(id, unit, meaning)    BYTES(sizeof(uint64_t))
#define DBL(id, unit, meaning)    BYTES(sizeof(double))
#define BOOL(id, unit, meaning)   BYTES(8)
#define STR(id, unit, meaning)    BYTES(sizeof(char *))
#define STRS(id, meaning)         BYTES(sizeof(struct res_strs))
#define COUNTS(id, meaning)       BYTES(sizeof(struct res_counts))
#define COUNTS_AS(id, n, meaning) BYTES(sizeof(struct res_counts))
#define OBJ(id, shape, meaning)   BYTES(sizeof(void *))
#define LIST(id, shape, meaning)  BYTES(sizeof(struct walk_list))
#define KEYED(id, shape, meaning) BYTES(sizeof(struct walk_list))
#define END(s)                                                                                     \
	size_of_##s                                                                                \
	}                                                                                          \
	;                                                                                          \
	static_assert(size_of_##s == sizeof(struct res_##s), "padding in struct res_" #s);
#include SHAPES_DEF
#include "common/model/undef.h"

#define STRUCT(s)                 static const struct field fields_##s[] = {
#define VALUE(id, type, unit, m)  {#id, FIELD_##type, UNIT_##unit, OFFSET, NULL, m},
#define NESTED(id, type, s, m)    {#id, FIELD_##type, UNIT_NONE, OFFSET, &shape_##s, m},
#define U64(id, unit, meaning)    VALUE(id, U64, unit, meaning)
#define DBL(id, unit, meaning)    VALUE(id, DBL, unit, meaning)
#define BOOL(id, unit, meaning)   VALUE(id, BOOL, unit, meaning)
#define STR(id, unit, meaning)    VALUE(id, STR, unit, meaning)
#define STRS(id, meaning)         VALUE(id, STRS, NONE, meaning)
#define COUNTS(id, meaning)       VALUE(id, COUNTS, NONE, meaning)
#define COUNTS_AS(id, n, meaning) {n, FIELD_COUNTS, UNIT_NONE, OFFSET, NULL, meaning},
#define OBJ(id, shape, meaning)   NESTED(id, OBJ, shape, meaning)
#define LIST(id, shape, meaning)  NESTED(id, LIST, shape, meaning)
#define KEYED(id, shape, meaning) NESTED(id, KEYED, shape, meaning)
#define END(s)                                                                                     \
	}                                                                                          \
	;                                                                                          \
	const struct shape shape_##s = {                                                           \
		.id = #s,                                                                          \
		.size = sizeof(struct res_##s),                                                    \
		.fields = fields_##s,                                                              \
		.len = sizeof(fields_##s) / sizeof(fields_##s[0]),                                 \
	};
#include SHAPES_DEF
#include "common/model/undef.h"
