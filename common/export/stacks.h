/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef EXPORT_STACKS_H
#define EXPORT_STACKS_H

#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/export/format.h"

/*
 * The folded stacks that lie beside a result, all weights of a stack together: of I/O what
 * `iotrace --stacks` wrote (time in ns, bytes, calls, messages), of a CPU profile its samples.
 */
enum { EXPORT_WEIGHTS_MAX = 4 };

struct export_stack {
	const size_t *frames; /* numbers of names, the root first */
	size_t len;
	uint64_t weight[EXPORT_WEIGHTS_MAX];
};

struct export_stacks {
	struct arena arena;
	struct map by_name, by_text; /* text key -> place + 1; on a collision the next key */
	struct {
		const char **at;
		size_t len, cap;
	} names;
	struct {
		struct export_stack *at;
		size_t len, cap;
	} stacks;
	struct {
		const char **at; /* text of each stack, as it was folded */
		size_t len, cap;
	} texts;
	struct {
		const char *name, *unit; /* "calls", "count" */
	} weights[EXPORT_WEIGHTS_MAX];
	size_t weights_len;
};

/* -ENOENT with how to get them where there are none; export_stacks_release() in any case. What is
 * left out is a line in notes. */
int export_stacks_read(const struct export_source *s, struct export_stacks *ret, struct out *notes,
	struct err *err);
void export_stacks_release(struct export_stacks *s);

#endif
