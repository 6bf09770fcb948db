/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MERGE_ADD_H
#define MERGE_ADD_H

#include "common/model/shape.h"

/*
 * Adds structs of a result by their shape: numbers; counts and rows of histograms under their key
 * or bound; objects and keyed rows, field by field. Memory of `into` is the heap's, and released
 * with add_release(). into zeroed, is_first: it becomes a copy.
 */
void add_struct(void *into, const void *from, const struct shape *shape, int is_first);
void add_release(void *obj, const struct shape *shape);

#endif
