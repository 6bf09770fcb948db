/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/model/result.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/walk.h"

const struct schema *const schemas[] = {
#define SCHEMA(s, id, title, what) &schema_##s,
#include "common/model/schemas.def"
#undef SCHEMA
	NULL,
};

#define SCHEMA(s, id, title, what)                                                                 \
	const struct schema schema_##s = {#s, id, title, what, &shape_##s};
#include "common/model/schemas.def"
#undef SCHEMA

/* A document and the arena that it lives in. */
struct owner {
	struct arena arena;
	const struct schema *schema;
	_Alignas(max_align_t) char doc[];
};

static struct owner *owner_of(void *doc)
{
	return (struct owner *)((char *)doc - offsetof(struct owner, doc));
}

/* Fills *obj (one struct of that shape) with "not measured". */
static void clear(void *obj, const struct shape *shape)
{
	/* Right for strings, objects and lists already. */
	memset(obj, 0, shape->size);
	for (size_t i = 0; i < shape->len; i++) {
		void *to = walk_to(obj, &shape->fields[i]);

		switch (shape->fields[i].type) {
		case FIELD_U64:
			*(uint64_t *)to = U64_NONE;
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

void *result_make(const struct schema *schema)
{
	const struct field *first = &schema->shape->fields[0];
	struct owner *owner = mem_calloc(1, sizeof(*owner) + schema->shape->size);

	assert(!strcmp(first->id, "schema"));
	owner->schema = schema;
	clear(owner->doc, schema->shape);
	*(const char **)walk_to(owner->doc, first) = schema->id;
	return owner->doc;
}

struct res_result *result_new(void)
{
	return result_make(&schema_result);
}

struct arena *result_arena(void *doc)
{
	return &owner_of(doc)->arena;
}

struct res_strs result_words(void *doc, const char *const *words)
{
	struct res_strs to = {0};

	while (words[to.len])
		to.len++;
	to.at = arena_alloc(result_arena(doc), to.len + 1, sizeof(*to.at));
	for (size_t i = 0; i < to.len; i++)
		to.at[i] = arena_strdup(result_arena(doc), words[i]);
	return to;
}

const struct schema *result_schema(const void *doc)
{
	return owner_of((void *)doc)->schema;
}

void result_free(void *doc)
{
	if (!doc)
		return;
	arena_release(result_arena(doc));
	free(owner_of(doc));
}

void *result_alloc(void *doc, size_t n, const struct shape *shape)
{
	char *at = arena_alloc(result_arena(doc), n, shape->size);

	for (size_t i = 0; i < n; i++)
		clear(at + i * shape->size, shape);
	return at;
}

#define HEAD_OF(r, attached)                                                                       \
	(struct result_head)                                                                       \
	{                                                                                          \
		(r)->complete, (r)->warnings.at, (r)->warnings.len, &(r)->command, (r)->scenario,  \
			(r)->started_at, (r)->wall_ns, attached, (r)->exit, (r)->runs,             \
			(r)->environment, (r)->load, (r)->work                                     \
	}

struct result_head result_head(const void *doc)
{
	const struct schema *schema = result_schema(doc);
	const struct res_result *io = doc;
	const struct res_memory *memory = doc;
	const struct res_cpu *cpu = doc;

	if (schema == &schema_result)
		return HEAD_OF(io, io->attached);
	if (schema == &schema_cpu)
		return HEAD_OF(cpu, cpu->attached);
	assert(schema == &schema_memory);
	return HEAD_OF(memory, NULL);
}

static const struct field *warnings_field(const struct shape *shape)
{
	for (size_t i = 0; i < shape->len; i++)
		if (shape->fields[i].shape == &shape_warning)
			return &shape->fields[i];
	return NULL;
}

static int has_warning(struct walk_list warnings, const char *code)
{
	const struct res_warning *at = warnings.at;

	for (size_t i = 0; i < warnings.len; i++) {
		if (at[i].code && !strcmp(at[i].code, code))
			return 1;
	}
	return 0;
}

void result_warn(void *doc, const char *code, const char *fmt, ...)
{
	const struct field *f = warnings_field(result_schema(doc)->shape);
	struct arena *a = result_arena(doc);
	struct walk_list there;
	struct res_warning *at;
	va_list ap;
	char *text;

	assert(f);
	there = walk_list(doc, f);
	if (has_warning(there, code))
		return;
	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);

	/* Codes are few: a new array each time is simpler than a capacity in every list. */
	at = result_alloc(doc, there.len + 1, &shape_warning);
	if (there.len)
		memcpy(at, there.at, there.len * sizeof(*at));
	at[there.len].code = arena_strdup(a, code);
	at[there.len].text = arena_strdup(a, text);
	walk_set_list(doc, f, (struct walk_list){at, there.len + 1});
	free(text);
}

void result_append(void *doc, struct res_strs *list, const char *text)
{
	const char **longer = arena_alloc(result_arena(doc), list->len + 1, sizeof(*longer));

	for (size_t i = 0; i < list->len; i++)
		longer[i] = list->at[i];
	longer[list->len++] = arena_strdup(result_arena(doc), text);
	list->at = longer;
}

int result_is_warned(const struct result_head *r, const char *code)
{
	const struct walk_list warnings = {.at = (void *)r->warnings, .len = r->warnings_len};

	return has_warning(warnings, code);
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

const char *result_process_name(const struct res_result *r, uint64_t pid)
{
	const char *any = NULL;

	for (size_t i = 0; i < r->threads.len; i++) {
		const struct res_thread *t = &r->threads.at[i];

		if (t->pid != pid || !t->comm)
			continue;
		if (t->tid == pid)
			return t->comm;
		any = any ? any : t->comm;
	}
	return any ? any : "?";
}

const char *result_target_name(const struct res_result *r)
{
	uint64_t least = U64_NONE;

	if (r->programs.len && r->programs.at[0].name)
		return r->programs.at[0].name;
	for (size_t i = 0; i < r->threads.len; i++)
		if (r->threads.at[i].pid < least)
			least = r->threads.at[i].pid;
	return result_process_name(r, least);
}

int result_has_times(const struct res_result *r)
{
	return !r->tracer || r->tracer->times != 0;
}

uint64_t result_cpu_ns(const struct res_result *r)
{
	if (!r->window)
		return r->cpu_ns;
	for (size_t i = 0; i < r->phases.len; i++)
		if (r->phases.at[i].name && strcmp(r->phases.at[i].name, "window") == 0)
			return r->phases.at[i].cpu_ns;
	return U64_NONE;
}
