/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_PREDICT_H
#define ANALYZE_PREDICT_H

#include "common/analyze/cost.h"

/*
 * What a unit will take in a run that is yet to be made, with batches of another mean size. Runs
 * differ among themselves by more than what their calls scatter, and that one run cannot tell: each
 * of several has its own line, and what these say of the other size scatters as a new run will.
 * The interval (95%) is that of one more run, of logarithms, because runs differ by factors: from
 * what usual calls take, as a run may have no others, to what all do. The figure is the median of
 * the runs, which one that was held up does not move.
 */
#define PREDICT_RUNS_MIN 5 /* below: no interval, so no prediction */
/* Beyond the sizes measured nothing says that the line goes on: so much more each time that the
 * size doubles. */
#define PREDICT_BEYOND 0.05

enum predict_state {
	PREDICT_OK,
	PREDICT_FEW_RUNS, /* only runs and unit_ns are there */
	PREDICT_NO_TIME,  /* some run's line comes to no time at all there; only runs are */
};

struct prediction {
	enum predict_state state;
	size_t runs;
	double unit_ns, low, high;           /* of a unit in the new run */
	double now_ns;                       /* of a unit in those that were made */
	double share, share_low, share_high; /* saved, of now_ns */
	int beyond;                          /* larger than any size measured, so wider */
};

/* runs: each COST_OK. */
struct prediction predict(const struct cost *runs, size_t n, double units);

#endif
