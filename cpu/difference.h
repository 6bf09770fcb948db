/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CPU_DIFFERENCE_H
#define CPU_DIFFERENCE_H

#include "common/base/err.h"

/* Folded stacks of the scenario: the file `place`, or what lies in it as a directory of results or
 * of a baseline. The caller's; NULL: there are none. */
char *difference_find(const char *place, const char *scenario);

/* Writes PREFIX-diff.folded and PREFIX-diff-flamegraph.svg of two sides, of each all its places
 * (NULL-terminated) together. 1: done; 0: one of them has no folded stacks of the scenario. */
int difference_draw(const char *const *const places[2], const char *scenario, const char *prefix,
	struct err *err);

#endif
