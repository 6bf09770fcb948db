/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Scope cleanup:
 *
 *	cleanup_free char *path = mem_printf("%s/%s", dir, name);
 *	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
 */
static inline void cleanup_free_p(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close_p(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose_p(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define cleanup_free   __attribute__((cleanup(cleanup_free_p)))
#define cleanup_close  __attribute__((cleanup(cleanup_close_p)))
#define cleanup_fclose __attribute__((cleanup(cleanup_fclose_p)))

#endif
