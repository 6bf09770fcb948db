/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_HIST_H
#define BASE_HIST_H

#include <stdint.h>

/*
 * Log-linear histogram of uint64_t: values below 64 are exact, then each power of two is cut into
 * 64 buckets, so a bucket's upper bound is at most 1.6% above what it holds. Two histograms merge
 * exactly. Memory is taken an octave (512 bytes) at a time. Zeroed storage is an empty histogram.
 */
#define HIST_SUB     64
#define HIST_OCTAVES 59 /* the first holds 0..63, the others [2^k, 2^(k+1)) for k = 6..63 */

struct hist {
	uint64_t *octave[HIST_OCTAVES]; /* each HIST_SUB counters, or NULL */
	uint64_t count, min, max;       /* min is valid if count > 0 */
	uint64_t sum;                   /* stops at INT64_MAX */
};

void hist_release(struct hist *h);
void hist_add(struct hist *h, uint64_t value, uint64_t count);
/* Upper bound (inclusive) of the bucket that value falls into. */
uint64_t hist_le(uint64_t value);
/* The least bucket bound with at least a share p (0 < p <= 1) of the counts at or below it, at most
 * max. UINT64_MAX on an empty histogram. */
uint64_t hist_percentile(const struct hist *h, double p);
/* Calls fn for each bucket that is not empty, in rising order. */
void hist_each(const struct hist *h, void (*fn)(void *ctx, uint64_t le, uint64_t count), void *ctx);

#endif
