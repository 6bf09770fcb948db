/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/model/result.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/walk.h"

/*
 * Offsets of the fields. A line of result.def does not know its struct's name, so offsetof() cannot
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
#define I64(id, unit, meaning)    BYTES(sizeof(int64_t))
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
#include "common/model/result.def"
#include "common/model/undef.h"

#define STRUCT(s)                 static const struct field fields_##s[] = {
#define VALUE(id, type, unit, m)  {#id, FIELD_##type, UNIT_##unit, OFFSET, NULL, m},
#define NESTED(id, type, s, m)    {#id, FIELD_##type, UNIT_NONE, OFFSET, &shape_##s, m},
#define U64(id, unit, meaning)    VALUE(id, U64, unit, meaning)
#define I64(id, unit, meaning)    VALUE(id, I64, unit, meaning)
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
#include "common/model/result.def"
#include "common/model/undef.h"

/* A result and the arena that it lives in. */
struct owner {
	struct res_result result;
	struct arena arena;
};

static_assert(offsetof(struct owner, result) == 0, "result_arena() casts");

struct res_result *result_new(void)
{
	struct owner *owner = mem_calloc(1, sizeof(*owner));

	result_clear(&owner->result, &shape_result);
	owner->result.schema = RESULT_SCHEMA;
	return &owner->result;
}

struct arena *result_arena(struct res_result *r)
{
	return &((struct owner *)r)->arena;
}

void result_free(struct res_result *r)
{
	if (!r)
		return;
	arena_release(result_arena(r));
	free(r);
}

void result_clear(void *obj, const struct shape *shape)
{
	/* Right for strings, objects and lists already. */
	memset(obj, 0, shape->size);
	for (size_t i = 0; i < shape->len; i++) {
		void *to = walk_to(obj, &shape->fields[i]);

		switch (shape->fields[i].type) {
		case FIELD_U64:
			*(uint64_t *)to = U64_NONE;
			break;
		case FIELD_I64:
			*(int64_t *)to = I64_NONE;
			break;
		case FIELD_DBL:
			*(double *)to = NAN;
			break;
		case FIELD_BOOL:
			*(int *)to = -1;
			break;
		case FIELD_STR:
		case FIELD_STRS:
		case FIELD_COUNTS:
		case FIELD_OBJ:
		case FIELD_LIST:
		case FIELD_KEYED:
			break;
		}
	}
}

void *result_alloc(struct res_result *r, size_t n, const struct shape *shape)
{
	char *at = arena_alloc(result_arena(r), n, shape->size);

	for (size_t i = 0; i < n; i++)
		result_clear(at + i * shape->size, shape);
	return at;
}

static int has_warning(const struct res_result *r, const char *code)
{
	for (size_t i = 0; i < r->warnings.len; i++) {
		const char *there = r->warnings.at[i].code;

		if (there && !strcmp(there, code))
			return 1;
	}
	return 0;
}

void result_warn(struct res_result *r, const char *code, const char *fmt, ...)
{
	struct arena *a = result_arena(r);
	struct res_warning *at;
	va_list ap;
	char *text;

	if (has_warning(r, code))
		return;
	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);

	/* Codes are few: a new array each time is simpler than a capacity in every list. */
	at = result_alloc(r, r->warnings.len + 1, &shape_warning);
	if (r->warnings.len)
		memcpy(at, r->warnings.at, r->warnings.len * sizeof(*at));
	at[r->warnings.len].code = arena_strdup(a, code);
	at[r->warnings.len].text = arena_strdup(a, text);
	r->warnings.at = at;
	r->warnings.len++;
	free(text);
}

const struct res_syscall *result_syscall(const struct res_result *r, const char *name)
{
	for (size_t i = 0; i < r->syscalls.len; i++) {
		const char *there = r->syscalls.at[i].name;

		if (there && !strcmp(there, name))
			return &r->syscalls.at[i];
	}
	return NULL;
}
