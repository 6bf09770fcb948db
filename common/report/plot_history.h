/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef REPORT_PLOT_HISTORY_H
#define REPORT_PLOT_HISTORY_H

#include "common/base/out.h"
#include "common/model/result.h"

/* A figure over versions as an SVG: medians with the least and largest run, changes marked, those
 * of which nothing is said of the program otherwise. is_file: a file of its own; else a part of a
 * page whose style has PLOT_STYLE. */
void plot_history_write(const struct res_history_series *s, int is_file, struct out *o);

#endif
