/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef COMPARE_KNEE_H
#define COMPARE_KNEE_H

#include <stddef.h>

#include "common/compare/stats.h"

/*
 * From which value on a larger one does not pay any more. Pure: costs in, a verdict out.
 *
 * The rule: the knee is the smallest value of which the intervals leave no doubt that its cost is
 * within KNEE_TOLERANCE of the best one's, and that every smaller value costs more than that. A
 * knee lies between values: the smallest is none (below it nothing was measured), nor is the
 * largest (there the cost still falls).
 *
 * Which value is the best is not known for sure either. So one is within the tolerance if against
 * every other the upper bound of the ratio of their costs is (were the value too dear, that bound
 * against the best would have to be wrong), and above it if against any other the lower bound is.
 * Bounds are those of stats_ratio_interval() at 1 - KNEE_ALPHA / (values - 1), so that all that is
 * said is right in 95% of sweeps.
 */
#define KNEE_TOLERANCE 0.05
#define KNEE_ALPHA     0.05

enum knee_verdict {
	KNEE_FOUND,
	KNEE_FLAT,     /* every value is within the tolerance */
	KNEE_SMALLEST, /* the smallest is; of larger ones that is not sure, or they cost more */
	KNEE_FALLING,  /* the largest alone is: every smaller one costs more */
	KNEE_UNSURE,   /* an interval has the tolerance in it: more runs would tell */
	KNEE_FEW_RUNS, /* of fewer runs there are no such intervals */
	KNEE_NOT_MEASURED,
};

/* The costs of a value, one a run; all finite and above 0, or it is not measured. */
struct knee_point {
	const double *costs;
	size_t runs;
};

enum knee_place { PLACE_UNKNOWN, PLACE_WITHIN, PLACE_ABOVE };

/* A value beside the one of least median. */
struct knee_over {
	struct stats_interval over; /* cost / best cost; NAN: not measured */
	enum knee_place place;
};

struct knee {
	enum knee_verdict verdict;
	size_t at;          /* FOUND: the index of the knee */
	size_t best;        /* index of the least median, NOT_MEASURED: 0 */
	size_t runs_needed; /* UNSURE, FEW_RUNS: of each value; SIZE_MAX: not to be told */
};

/* points: by value, ascending, at least 2. ret_over: one each. */
void knee_find(
	const struct knee_point *points, size_t len, struct knee *ret, struct knee_over *ret_over);

#endif
