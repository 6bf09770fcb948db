/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Elements of an array. */
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Allocation that does not return NULL: out of memory ends the process with one line on stderr and
 * status 125 (a tracer without memory cannot count, and EXITKILL keeps the target from going on
 * half traced). Everything is released with free().
 */
void *mem_calloc(size_t n, size_t size);
void *mem_realloc(void *p, size_t n, size_t size);
char *mem_strdup(const char *s); /* NULL -> NULL */
char *mem_strndup(const char *s, size_t n);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *mem_vprintf(const char *fmt, va_list ap);

/*
 * Growable array: `at`, `len`, `cap` side by side in the caller's struct.
 *
 *	struct { struct row *at; size_t len, cap; } rows = {0};
 *	*VEC_PUSH(&rows) = (struct row){...};
 *	free(rows.at);
 *
 * VEC_PUSH returns a pointer to the new, uninitialized last element.
 */
#define VEC_PUSH(v)                                                                                \
	(mem_vec_grow((void **)&(v)->at, &(v)->cap, (v)->len + 1, sizeof(*(v)->at)),               \
		&(v)->at[(v)->len++])
void mem_vec_grow(void **at, size_t *cap, size_t need, size_t size);

/*
 * Arena: many small allocations with one owner, released together. Memory is zeroed.
 */
struct arena {
	struct arena_block *blocks;
	size_t used_bytes;
};
void arena_release(struct arena *a);
void *arena_alloc(struct arena *a, size_t n, size_t size);
char *arena_strdup(struct arena *a, const char *s); /* NULL -> NULL */
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
