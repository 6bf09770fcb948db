/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_LIVE_INTERVAL_H
#define TRACER_LIVE_INTERVAL_H

#include "common/base/out.h"
#include "common/model/result.h"
#include "tracer/live/snapshot.h"

/* Lines of --interval: what came between two snapshots. Pure. */

/* 1 if the phase has a line: the moment or some of the time since lies in it, or a call of it has
 * ended since. So the lines of a phase sum up to its length, too. */
int interval_has(const struct snapshot *before, const struct snapshot *now, enum book_phase phase);

/* before NULL: nothing was counted yet. Released with result_free(). */
struct res_interval *interval_build(
	const struct snapshot *before, const struct snapshot *now, enum book_phase phase);

/* A count in so long, as one a second; 0 in no time. */
uint64_t interval_rate(uint64_t count, uint64_t ns);
/* For people: one line of at most 100 columns, and the words above the columns. windows: the line
 * names its phase. */
#define INTERVAL_COLUMNS 100
void interval_print(struct out *o, const struct res_interval *i, int windows);
void interval_print_header(struct out *o, int windows);

#endif
