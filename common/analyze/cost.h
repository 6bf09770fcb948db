/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_COST_H
#define ANALYZE_COST_H

#include <stddef.h>
#include <stdint.h>

#include "common/model/result.h"

/*
 * What a call of a batch costs: time = a + b x units, by least squares over the
 * calls that moved at least one unit and took the usual time (two to four times
 * their size's median at most): a preempted one says nothing of what a unit
 * costs. Where they are fewer than COST_USUAL_MIN of all they are no exception,
 * and all count. batch.by_transferred has the sums that this needs, so it is
 * exact without the calls themselves. The intervals (95%) allow the spread to
 * differ between sizes (heteroscedasticity-consistent, HC1); calls are taken as
 * independent, so they are of this run alone: see predict.h.
 */
#define COST_USUAL_MIN  0.9
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
	size_t different;                       /* sizes that any call had */
	double fixed_ns, fixed_low, fixed_high; /* a */
	double each_ns, each_low, each_high;    /* b */
	double r2;                              /* of the mean times of the sizes */
	double miss; /* their typical distance from it beyond chance, as a share of mean_ns */
	double mean_units, mean_ns; /* of these calls: the line goes through it */
	double units_max;           /* largest size measured; always there */
	double unit_ns;             /* of all calls, unusual ones too */
	double unusual; /* the time of all is so many times that of as many usual ones */
	double bend;    /* ns a unit squared that the sizes' mean times bend off the line .. */
	double bend_slope, bend_rest; /* .. along x^2 - slope x - rest, x from mean_units */
};

struct cost cost_fit(const struct res_batch *b);
/* What the line says that a unit takes in batches of that mean size, unusual calls included. */
double cost_unit_ns(const struct cost *c, double units);
/* How far the bend goes off the line at that size, as a share of the line. */
double cost_bend(const struct cost *c, double units);

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
