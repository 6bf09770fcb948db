/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef HISTORY_POINTS_H
#define HISTORY_POINTS_H

#include <stddef.h>

/*
 * Where in a series of noisy figures the level changed. Pure: values in, places out; the same
 * values give the same places.
 *
 * E-divisive (D. S. Matteson and N. A. James, A Nonparametric Approach for Multiple Change Point
 * Analysis of Multivariate Data, Journal of the American Statistical Association 109, 2014) with
 * the distance |x - y|: the place that divides a series best by the energy statistic, tested by a
 * permutation test, then each half in turn. A change counts where the medians of the levels beside
 * it differ by POINTS_EFFECT.
 */
#define POINTS_ALPHA        0.01 /* of each permutation test */
#define POINTS_PERMUTATIONS 499
#define POINTS_EFFECT       0.05 /* of the level before */
#define POINTS_LEAST        3    /* values of a level */
#define POINTS_MAX          128  /* values that are looked at; the time grows with their cube */

struct points_change {
	size_t at;            /* the first value of the new level */
	double before, after; /* medians of the levels */
};

/* ret: room for len. Values are finite; more than POINTS_MAX: none is found. Returns how many,
 * ascending. */
size_t points_find(const double *values, size_t len, struct points_change *ret);

#endif
