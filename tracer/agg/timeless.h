/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_TIMELESS_H
#define AGG_TIMELESS_H

#include "common/model/result.h"
#include "tracer/agg/counted.h"

/*
 * --no-times: the times of events only say which call came before which, so nothing that is made of
 * them may be told.
 */

/*
 * Of a result that is filled but for what the tracer itself is: what rests on the times of calls is
 * null or empty, and rows that were sorted by time are so by calls, most first. How long run,
 * window and phases were, CPU time, counts, bytes and batches stay.
 */
void result_without_times(struct res_result *r);
/* The same of what was counted so far. */
void counted_without_times(struct counted *c);

#endif
