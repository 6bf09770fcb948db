/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/base/mem.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXIT_TRACER_FAILED 125
#define ARENA_BLOCK_BYTES  (64 * 1024)

struct arena_block {
	struct arena_block *next;
	size_t used, cap;
	alignas(max_align_t) char bytes[];
};

/* No stdio here: it may want to allocate. In one call, so that the line stays whole. */
static _Noreturn void out_of_memory(void)
{
	static const char text[] = ": out of memory\n";
	char *name = program_invocation_short_name;
	const struct iovec parts[] = {
		{.iov_base = name, .iov_len = strlen(name)},
		{.iov_base = (char *)text, .iov_len = sizeof(text) - 1},
	};

	/* With stderr closed the status still says it. */
	(void)!writev(STDERR_FILENO, parts, 2);
	_exit(EXIT_TRACER_FAILED);
}

void *mem_calloc(size_t n, size_t size)
{
	/* At least a byte: calloc(0) may return NULL. */
	void *p = n && size ? calloc(n, size) : calloc(1, 1);

	if (!p)
		out_of_memory();
	return p;
}

void *mem_realloc(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		out_of_memory();
	p = realloc(p, bytes ? bytes : 1);
	if (!p)
		out_of_memory();
	return p;
}

char *mem_strdup(const char *s)
{
	return s ? mem_strndup(s, strlen(s)) : NULL;
}

char *mem_strndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = mem_calloc(len + 1, 1);

	memcpy(copy, s, len);
	return copy;
}

char *mem_vprintf(const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		out_of_memory();
	return text;
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	return text;
}

void mem_vec_grow(void **at, size_t *cap, size_t need, size_t size)
{
	size_t grown;

	if (need <= *cap)
		return;
	grown = *cap < 8 ? 8 : *cap + *cap / 2;
	if (grown < need)
		grown = need;
	*at = mem_realloc(*at, grown, size);
	*cap = grown;
}

void arena_release(struct arena *a)
{
	struct arena_block *block = a->blocks;

	while (block) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
	*a = (struct arena){0};
}

static struct arena_block *block_new(size_t cap)
{
	struct arena_block *block;
	size_t bytes;

	if (__builtin_add_overflow(sizeof(*block), cap, &bytes))
		out_of_memory();
	block = mem_calloc(1, bytes);
	block->cap = cap;
	return block;
}

static struct arena_block *block_for(struct arena *a, size_t bytes)
{
	struct arena_block *head = a->blocks, *block;

	if (head && head->cap - head->used >= bytes)
		return head;

	if (bytes >= ARENA_BLOCK_BYTES / 4 && head) {
		/* A large one gets its own block behind the head, whose rest stays in use. */
		block = block_new(bytes);
		block->next = head->next;
		head->next = block;
		return block;
	}
	block = block_new(bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES);
	block->next = head;
	a->blocks = block;
	return block;
}

void *arena_alloc(struct arena *a, size_t n, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct arena_block *block;
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX - align)
		out_of_memory();
	bytes = (bytes + align - 1) / align * align;
	block = block_for(a, bytes);
	p = block->bytes + block->used;
	block->used += bytes;
	a->used_bytes += bytes;
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	size_t size;

	if (!s)
		return NULL;
	size = strlen(s) + 1;
	return memcpy(arena_alloc(a, size, 1), s, size);
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	char *text = mem_vprintf(fmt, ap), *copy = arena_strdup(a, text);

	free(text);
	return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return text;
}
