/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MODEL_RESULT_H
#define MODEL_RESULT_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/model/shape.h"

/*
 * Results: plain structs made from the .def files (shapes.def), all memory of one in one arena. A
 * traced run:
 *
 *	struct res_result *r = result_new();
 *	r->tracer = RES_OBJ(r, tracer);
 *	RES_LIST(r, &r->syscalls, n, syscall);
 *	r->syscalls.at[0].name = arena_strdup(result_arena(r), name);
 *	result_free(r);
 */
#define U64_NONE UINT64_MAX

struct res_count {
	const char *key;
	uint64_t count;
};

struct res_strs {
	const char **at;
	size_t len;
};

struct res_counts {
	struct res_count *at;
	size_t len;
};

/* The structs. */
#define STRUCT(s)                    struct res_##s {
#define END(s)                       }
#define U64(id, unit, meaning)       uint64_t id;
#define DBL(id, unit, meaning)       double id;
#define BOOL(id, unit, meaning)      _Alignas(8) int id; /* so that no struct has inner padding */
#define STR(id, unit, meaning)       const char *id;
#define STRS(id, meaning)            struct res_strs id;
#define COUNTS(id, meaning)          struct res_counts id;
#define COUNTS_AS(id, name, meaning) struct res_counts id;
#define OBJ(id, shape, meaning)      struct res_##shape *id;
#define LIST(id, shape, meaning)                                                                   \
	struct {                                                                                   \
		struct res_##shape *at;                                                            \
		size_t len;                                                                        \
	} id;
#define KEYED(id, shape, meaning)                                                                  \
	struct {                                                                                   \
		struct res_##shape *at;                                                            \
		size_t len;                                                                        \
	} id;
#undef END
#define END(s)                                                                                     \
	}                                                                                          \
	;
#include "common/model/shapes.def"
#include "common/model/undef.h"

/* Their description: shape.h. */
#define STRUCT(s) extern const struct shape shape_##s;
#define END(s)
#define U64(id, unit, meaning)
#define DBL(id, unit, meaning)
#define BOOL(id, unit, meaning)
#define STR(id, unit, meaning)
#define STRS(id, meaning)
#define COUNTS(id, meaning)
#define COUNTS_AS(id, name, meaning)
#define OBJ(id, shape, meaning)
#define LIST(id, shape, meaning)
#define KEYED(id, shape, meaning)
#include "common/model/shapes.def"
#include "common/model/undef.h"

#define RESULT_SCHEMA "iotrace.result/1"

/* A kind of file: what it is made of as a whole, and how it is called. Rows of schemas.def. */
struct schema {
	const char *name;  /* docs/NAME.schema.json */
	const char *id;    /* first member of every such file */
	const char *title; /* what is in it */
	const char *what;  /* "a CPU profile", for messages */
	const struct shape *shape;
};
extern const struct schema *const schemas[]; /* NULL after the last */
#define SCHEMA(s, id, title, what) extern const struct schema schema_##s;
#include "common/model/schemas.def"
#undef SCHEMA

/* A type of result: where it lies, how its JSON is named (NAME + suffix), what that is. Of a list
 * the last has no id. */
struct result_kind {
	const char *id, *folder, *json_suffix;
	const struct schema *schema;
};

/*
 * A document is the struct of a whole file (struct res_result, struct res_cpu) with its arena:
 *
 *	struct res_cpu *cpu = result_make(&schema_cpu);
 *	cpu->exit = RES_OBJ(cpu, exit);
 *	result_free(cpu);
 */
/* An empty one: schema set, everything else not measured. Never NULL. */
void *result_make(const struct schema *schema);
struct res_result *result_new(void); /* result_make(&schema_result) */
void result_free(void *doc);         /* takes NULL */
struct arena *result_arena(void *doc);
/* A copy of NULL-terminated words, in doc's arena. */
struct res_strs result_words(void *doc, const char *const *words);
const struct schema *result_schema(const void *doc);

/* n structs of that shape in doc's arena, every field "not measured" (lists empty). */
void *result_alloc(void *doc, size_t n, const struct shape *shape);

#define RES_OBJ(r, s)           ((struct res_##s *)result_alloc((r), 1, &shape_##s))
#define RES_LIST(r, list, n, s) ((list)->at = result_alloc((r), (n), &shape_##s), (list)->len = (n))

/* What results of every type say: io, cpu and memory. All of it is doc's. */
struct result_head {
	int complete;
	const struct res_warning *warnings;
	size_t warnings_len;
	const struct res_strs *command;
	const char *scenario, *started_at;
	uint64_t wall_ns;
	const struct res_attached *attached;
	const struct res_exit *exit;
	const struct res_runs *runs;
	const struct res_environment *environment;
	const struct res_load *load; /* NULL: there was none */
	const struct res_work *work; /* NULL: not known */
};
/* doc: struct res_result, res_cpu or res_memory. */
struct result_head result_head(const void *doc);
/* 1 if it has a warning of that code. */
int result_is_warned(const struct result_head *r, const char *code);

/* Appends a warning; a code that is there already is not repeated. complete is not changed. */
void result_warn(void *doc, const char *code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Appends a copy of text to a list of doc. */
void result_append(void *doc, struct res_strs *list, const char *text);
/* CPU time of what the tables cover, U64_NONE: not measured. */
uint64_t result_cpu_ns(const struct res_result *r);
/* 0: its calls have no times (--no-times), and what rests on them is null. */
int result_has_times(const struct res_result *r);
/* What a process was called last: its first thread, or any of it. "?": not known. */
const char *result_process_name(const struct res_result *r, uint64_t pid);
/* The same of the target: the process of the least number, but for a wrap between. */
const char *result_target_name(const struct res_result *r);
/* The row of that name, or NULL. */
const struct res_syscall *result_syscall(const struct res_result *r, const char *name);

#endif
