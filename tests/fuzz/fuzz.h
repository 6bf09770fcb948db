/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/out.h"

/*
 * What the harnesses share. A harness is a file fuzz_NAME.c with this one function; its inputs are
 * in corpus/NAME/. It aborts (FUZZ_CHECK) where a rule is broken that is not a memory error.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Never compiled out, unlike assert(). */
#define FUZZ_CHECK(what)                                                                           \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #what);       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The input as a file in memory, for what reads files; one of FUZZ_FILES at the same time. */
enum { FUZZ_FILES = 2 };
static inline int fuzz_fd(unsigned int which, const void *data, size_t size)
{
	static int fds[FUZZ_FILES] = {-1, -1};
	int *fd = &fds[which];

	if (*fd < 0)
		*fd = memfd_create("input", MFD_CLOEXEC);
	FUZZ_CHECK(*fd >= 0 && ftruncate(*fd, 0) == 0);
	FUZZ_CHECK(pwrite(*fd, data, size, 0) == (ssize_t)size);
	return *fd;
}

static inline const char *fuzz_path(unsigned int which, const void *data, size_t size)
{
	static char paths[FUZZ_FILES][32];

	snprintf(
		paths[which], sizeof(paths[which]), "/proc/self/fd/%d", fuzz_fd(which, data, size));
	return paths[which];
}

/* The input as a string of its own allocation; the caller's. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	FUZZ_CHECK(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Two texts in one input, with a line "----" between them. Returns where the second one starts. */
static inline size_t fuzz_split(const uint8_t *data, size_t size, size_t *ret_first)
{
	static const char line[] = "\n----\n";
	const uint8_t *at = size ? memmem(data, size, line, sizeof(line) - 1) : NULL;

	*ret_first = at ? (size_t)(at - data) : size;
	return at ? *ret_first + sizeof(line) - 1 : size;
}

/* Text for a terminal has no control characters: they would be the target's. */
static inline void fuzz_check_safe(struct out *o)
{
	for (const char *p = out_text(o); *p; p++)
		FUZZ_CHECK(*p == '\n' || ((unsigned char)*p >= ' ' && *p != 0x7f));
}

/* Forgets what was written. */
static inline void fuzz_renew(struct out *o)
{
	out_release(o);
	out_init_mem(o);
}

#endif
