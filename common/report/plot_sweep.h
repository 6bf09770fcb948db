/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef REPORT_PLOT_SWEEP_H
#define REPORT_PLOT_SWEEP_H

#include "common/base/out.h"
#include "common/model/result.h"

/* The cost at each value of a sweep as an SVG of its own: medians with the least and largest run,
 * what is as good as the best shaded, the knee marked. Where values lie apart by more than ten
 * times their places are those of their logarithms. */
void plot_sweep_write(const struct res_sweep *s, struct out *o);

#endif
