/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/base/hist.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/units.h"

#define HIST_SUB_BITS 6

struct bucket {
	unsigned int octave, sub;
};

/* How many low bits of a value its bucket does not tell apart. */
static unsigned int shift_of(uint64_t value)
{
	if (value < HIST_SUB)
		return 0;
	return 63 - (unsigned int)__builtin_clzll(value) - HIST_SUB_BITS;
}

static struct bucket bucket_of(uint64_t value)
{
	unsigned int shift = shift_of(value);

	return (struct bucket){
		.octave = value < HIST_SUB ? 0 : shift + 1,
		.sub = (unsigned int)(value >> shift) & (HIST_SUB - 1),
	};
}

static uint64_t bucket_le(struct bucket b)
{
	unsigned int shift;

	if (!b.octave)
		return b.sub;
	shift = b.octave - 1;
	return ((uint64_t)(HIST_SUB + b.sub) << shift) | ((1ULL << shift) - 1);
}

void hist_release(struct hist *h)
{
	for (size_t i = 0; i < HIST_OCTAVES; i++)
		free(h->octave[i]);
	*h = (struct hist){0};
}

static void note_range(struct hist *h, uint64_t min, uint64_t max)
{
	if (!h->count || min < h->min)
		h->min = min;
	if (!h->count || max > h->max)
		h->max = max;
}

static uint64_t *octave_at(struct hist *h, unsigned int octave)
{
	if (!h->octave[octave])
		h->octave[octave] = mem_calloc(HIST_SUB, sizeof(uint64_t));
	return h->octave[octave];
}

void hist_add(struct hist *h, uint64_t value, uint64_t count)
{
	struct bucket b = bucket_of(value);

	if (!count)
		return;
	octave_at(h, b.octave)[b.sub] += count;
	note_range(h, value, value);
	h->count += count;
	h->sum = sat_add(h->sum, sat_mul(value, count));
}

uint64_t hist_le(uint64_t value)
{
	return bucket_le(bucket_of(value));
}

struct percentile {
	const struct hist *h;
	double p;
	uint64_t below, le;
	int found;
};

static void percentile_step(void *ctx, uint64_t le, uint64_t count)
{
	struct percentile *q = ctx;

	if (q->found)
		return;
	q->below += count;
	/* The quotient, not p * count: 7.0 / 100 is the double that 0.07 is, 0.07 * 100 is not 7.
	 */
	q->found = (double)q->below / (double)q->h->count >= q->p;
	q->le = le;
}

uint64_t hist_percentile(const struct hist *h, double p)
{
	struct percentile q = {.h = h, .p = p, .le = UINT64_MAX};

	assert(p > 0 && p <= 1);
	if (!h->count)
		return UINT64_MAX;
	hist_each(h, percentile_step, &q);
	return q.le < h->max ? q.le : h->max;
}

void hist_each(const struct hist *h, void (*fn)(void *ctx, uint64_t le, uint64_t count), void *ctx)
{
	for (unsigned int i = 0; i < HIST_OCTAVES; i++) {
		if (!h->octave[i])
			continue;
		for (unsigned int k = 0; k < HIST_SUB; k++) {
			if (h->octave[i][k])
				fn(ctx, bucket_le((struct bucket){i, k}), h->octave[i][k]);
		}
	}
}
