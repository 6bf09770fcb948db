/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_LOCATE_H
#define RUNNER_LOCATE_H

#include <stddef.h>

/*
 * Where a member stands in a JSON text, for messages: keys are the names on the way to it,
 * outermost first. Line and column count from 1 (bytes) and point at the key. Returns 0, or -1 when
 * it is not there. The text must be JSON that was already parsed without an error.
 */
int locate_key(const char *text, const char *const *keys, size_t len, size_t *ret_line,
	size_t *ret_column);

#endif
