/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_LOCATE_H
#define RUNNER_LOCATE_H

#include <stddef.h>

/*
 * Where a member stands in a JSON text: keys are the names on the way to it, outermost first. The
 * opening quote of its key, or NULL when it is not there.
 */
const char *locate_key(const char *text, const char *const *keys, size_t len);
/* The value of the member whose key is there, and how long it is. */
const char *locate_value(const char *key, size_t *ret_len);
/* A place in a text for messages; both count from 1 (bytes). */
void locate_place(const char *text, const char *at, size_t *ret_line, size_t *ret_column);

#endif
