/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_BATCH_H
#define AGG_BATCH_H

#include <stdint.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/model/causes.h"
#include "common/model/result.h"
#include "tracer/agg/call.h"

/* Times of one size are kept by powers of two, so that what took much longer than most can be told
 * from the rest when all are in: up to 128 ns, 256 ns, .. 4 ms and more. */
#define BATCH_TIMES       17
#define BATCH_TIMES_SHIFT 7

/* Ok calls that moved the same number of units. */
struct batch_moved {
	uint64_t moved;
	uint64_t calls;
	uint64_t fair_calls; /* of them asked for at least one */
	uint64_t total_ns;
	unsigned __int128 sum_sq_ns;
	struct batch_time {
		uint64_t calls, ns;
		double sq_ns;
	} times[BATCH_TIMES];
};

/*
 * Batch sizes of one call. Zeroed storage is an empty one. "Fair" calls are those that a fill or a
 * mean may be made of: ok, and known to have asked for at least one unit.
 */
struct batch {
	struct counts asked; /* every call entered */
	struct counts pairs; /* ok calls by asked and moved: asked << 32 | moved */
	struct map moved;    /* units -> struct batch_moved: ok calls, at most COUNTS_CAP entries */
	struct arena entries;            /* of `moved` */
	uint64_t asked_sum, asked_calls; /* ok calls whose asked was measured */
	uint64_t moved_sum, moved_calls; /* ok calls whose moved was measured */
	uint64_t fair_calls, fair_asked, fair_moved, fair_max;
	uint64_t full, partial, single, empty;
	uint64_t could_wait; /* of messages: entered without MSG_DONTWAIT and O_NONBLOCK */
	uint64_t limited_by[CAUSES];
	uint64_t left_out;      /* calls that at least one table had no place for */
	uint64_t left_out_fair; /* fair calls that `moved` had no place for */
};

void batch_release(struct batch *b);
void batch_add(struct batch *b, const struct call *c);
/* Those of limited_by that are not 0, as a result has them. */
void limited_result(const uint64_t *limited_by, struct res_counts *to, struct res_result *r);
/* A call that receives messages: its fourth argument are flags. */
int batch_receives(const struct sys_def *def);
/* All but the unit, the two sums and could_wait, which depend on what is known of the row. */
struct res_batch *batch_result(const struct batch *b, struct res_result *r);

#endif
