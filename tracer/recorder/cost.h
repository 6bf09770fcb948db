/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_COST_H
#define TRACER_RECORDER_COST_H

#include <stdint.h>

struct block;
struct recorder;

/*
 * What a record costs, measured in our own child before it becomes the target: the same failing
 * call, made as ever, then through the stub with the trap that the targets will have: the filter,
 * or dispatch, which the child sets for itself meanwhile. Async-signal-safe.
 */
struct recorder_cost {
	struct block *block; /* in the child; NULL: nothing is measured */
	long nr;             /* -1: nothing is */
	uint8_t clock;       /* CLOCK_* of its call */
	int dispatch;
	uint64_t plain_ns;      /* of a call without the trap */
	uint64_t dispatched_ns; /* of one through the stub; 0: not by dispatch, or not possible */
};

/* In the tracer, before the fork. */
void recorder_cost_prepare(struct recorder_cost *c, const struct recorder *f);
/* In the child, before the filter is installed, and after. */
void recorder_cost_before(struct recorder_cost *c);
uint64_t recorder_cost_after(const struct recorder_cost *c); /* 0: not measured */

#endif
