/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_COST_H
#define ANALYZE_COST_H

#include <stddef.h>
#include <stdint.h>

#include "common/model/result.h"

/*
 * What a call of a batch costs: time = a + b x units, by least squares over all
 * calls that moved at least one unit. batch.by_transferred has the sums that
 * this needs, so it is exact without the calls themselves. The intervals (95%)
 * allow the spread to differ between sizes (heteroscedasticity-consistent,
 * HC1); calls are taken as independent.
 */
#define COST_CALLS_MIN  100 /* below: no fit */
#define COST_SIZES_MIN  3   /* different sizes .. */
#define COST_SIZE_CALLS 5   /* .. that so many calls had each */
#define COST_MISS_MAX                                                                              \
	0.2 /* sizes' mean times lie further off the line than that and chance: no line */
#define COST_GAIN_MIN 0.05 /* less than that share of the time is no gain */

enum cost_state { COST_OK, COST_FEW_CALLS, COST_FEW_SIZES, COST_NO_LINE };

struct cost {
	enum cost_state state; /* all below but calls and sizes: only if COST_OK or
				  COST_NO_LINE */
	uint64_t calls;
	size_t sizes;                           /* that COST_SIZE_CALLS calls had */
	double fixed_ns, fixed_low, fixed_high; /* a */
	double each_ns, each_low, each_high;    /* b */
	double r2;                              /* of the mean times of the sizes */
	double miss; /* their typical distance from it beyond chance, as a share of mean_ns */
	double mean_units, mean_ns; /* of all calls: the line goes through it */
	double units_max;           /* largest size measured */
};

struct cost cost_fit(const struct res_batch *b);

/* Of going from the mean batch to one of `units`: time saved a unit, and as a
 * share of what a unit costs now. With other units nothing changes but how
 * often a is paid. */
struct cost_gain {
	double saved_ns, saved_low, saved_high;
	double share, share_low, share_high;
	int beyond; /* larger than any size measured */
};

struct cost_gain cost_gain(const struct cost *c, double units);

#endif
