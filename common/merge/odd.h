/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MERGE_ODD_H
#define MERGE_ODD_H

#include <stddef.h>

/*
 * Which of some values lies far from the others: the modified z-score of Iglewicz and Hoaglin, "How
 * to Detect and Handle Outliers" (1993), 0.6745 (x - median) / MAD; where more than half are the
 * same, so that the MAD is 0, (x - median) / (1.253314 times the mean absolute deviation).
 */
enum { ODD_HOSTS_MIN = 10 };

/*
 * Their 3.5, or what 5% of families of `values` scores have one above, if that is more: with few
 * hosts the MAD is itself uncertain, by its efficiency of 37% as a deviation of 0.37 (hosts - 1)
 * degrees of freedom, so that scores have the tails of Student's t (Rousseeuw and Croux,
 * "Alternatives to the Median Absolute Deviation", 1993, for the efficiency).
 */
double odd_threshold(size_t values, size_t hosts);
/* scores[i] of values[i], 0 where all are the same; NAN is not measured, and has NAN. Returns the
 * median of those that are; NAN if they are less than ODD_HOSTS_MIN, and then every score is NAN.
 */
double odd_scores(const double *values, size_t len, double *scores);

#endif
