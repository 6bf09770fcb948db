/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef REPORT_BINS_H
#define REPORT_BINS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/mem.h"
#include "common/model/result.h"

/* Results put into the bins that are drawn. Pure; memory is the arena's. */

/* More different batch sizes than this are put together by powers of two. */
#define SIZES_EXACT_MAX 12

struct size_bin {
	uint64_t first, last; /* sizes in it */
	uint64_t asked, got;  /* calls that asked for, and that moved, so many */
	double moved;         /* units that the latter moved */
};

struct size_bins {
	struct size_bin *at; /* rising */
	size_t len;
	uint64_t most;  /* largest of all asked and got; 0: there are none */
	uint64_t limit; /* what every call asked for, U64_NONE if they differ */
	double moved;   /* in all bins */
};
struct size_bins report_size_bins(struct arena *a, const struct res_batch *b);

/* Latencies: so many bins for each power of two. */
#define LATENCY_STEPS 4
#define LATENCY_BINS  (64 * LATENCY_STEPS)
struct latency_bins {
	uint64_t count[LATENCY_BINS];
	uint64_t most, total;
	int first, last; /* bins that are not empty; first > last: none */
};
int report_latency_bin(uint64_t ns);
/* The lower bound of a bin; behind the last one UINT64_MAX. */
uint64_t report_latency_ns(int bin);
void report_latency_bins(const struct res_syscall *s, struct latency_bins *ret);

/* The timeline with at most `most` columns of equal width, the empty ones too. */
struct time_columns {
	struct res_timeline_row *at; /* every field measured, t_ns the start */
	size_t len;                  /* 0: there is none */
	uint64_t width_ns;
};
struct time_columns report_time_columns(struct arena *a, const struct res_timeline *t, size_t most);

#endif
