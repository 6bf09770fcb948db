/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_FAST_COST_H
#define TRACER_FAST_COST_H

#include "tracer/fast/fast.h"

/*
 * What a record costs, measured in our own child before it becomes the target: the same failing
 * call, made as ever without the filter, then through the stub with it. Async-signal-safe.
 */
struct fast_cost {
	struct fast_block *block; /* in the child; NULL: nothing is measured */
	long nr;                  /* -1: nothing is */
	uint64_t plain_ns;        /* of a call without the filter */
};

/* In the tracer, before the fork. */
void fast_cost_prepare(struct fast_cost *c, const struct fast *f);
/* In the child, before the filter is installed, and after. */
void fast_cost_before(struct fast_cost *c);
uint64_t fast_cost_after(const struct fast_cost *c); /* 0: not measured */
#endif
