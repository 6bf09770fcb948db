/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef COMPARE_CURVE_H
#define COMPARE_CURVE_H

#include "common/compare/side.h"

/*
 * A scenario over the values of something: what a unit costs at each, and from where on a larger
 * value does not pay (knee.h).
 *
 * The cost is `work`, the window's time per unit of work; the name of a call, the time in it per
 * unit that it moved; or a figure of metrics.def that is better when it is less. NULL: work where
 * that is known, else wall_time, of type memory peak_heap.
 */
struct curve_ask {
	const char *scenario, *over, *cost;
	const struct result_kind *kind;
	const char *const *values; /* ascending */
	size_t len;
	const struct side *sides; /* the runs of each value */
};

/* -EINVAL: that can be no cost. */
int curve_check_cost(const char *cost, const struct result_kind *kind, struct err *err);
/* A document made for schema_sweep; its `results` are the caller's to fill. -ENOENT: a value has no
 * result. */
int curve_of(const struct curve_ask *ask, struct res_sweep **ret, struct err *err);

#endif
