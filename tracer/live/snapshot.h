/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_LIVE_SNAPSHOT_H
#define TRACER_LIVE_SNAPSHOT_H

#include <stdint.h>

#include "tracer/agg/counted.h"
#include "tracer/book.h"

struct session;

/* All that was counted up to one moment: what the tracing thread hands on. Times from the run's
 * start. */
struct snapshot {
	uint64_t at_ns;
	enum book_phase phase; /* that the moment lies in */
	struct snapshot_phase {
		const char *name;
		uint64_t begin_ns, end_ns; /* UINT64_MAX: not yet */
		struct counted counted;
	} phases[PHASE_COUNT];
	uint64_t lost;
	size_t threads_alive;
	int last; /* the run is over */
};

/* By the tracing thread, after a sweep. Released with snapshot_free(). */
struct snapshot *snapshot_take(struct session *s, int last);
void snapshot_free(struct snapshot *s); /* takes NULL */
/* 1 if nothing is known to be missing of what was counted of the phase. */
int snapshot_is_complete(const struct snapshot *s, enum book_phase phase);
/* How much of a phase lies between two moments: before (NULL: the start) and now. */
uint64_t snapshot_length_ns(
	const struct snapshot *before, const struct snapshot *now, enum book_phase phase);

#endif
