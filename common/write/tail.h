/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef WRITE_TAIL_H
#define WRITE_TAIL_H

#include <stddef.h>

#include "common/base/mem.h"

/*
 * The last lines of a log, at most so many, in text that is safe for a terminal (safe.h): each
 * indented, cut to 160 columns and ended by a newline. In the arena; NULL where the file cannot be
 * read or has nothing to show.
 */
char *tail_text(struct arena *a, const char *path, size_t lines);

#endif
