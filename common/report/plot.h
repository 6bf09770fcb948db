/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef REPORT_PLOT_H
#define REPORT_PLOT_H

#include "common/base/out.h"
#include "common/model/result.h"

/* Memory over time as an SVG: heap, what the allocator adds, stacks; the peak marked, the load's
 * window shaded. No scripts; light and dark by the reader's preference. A profile without snapshots
 * gives a picture that says so. is_file: a file of its own; else a part of a page whose style has
 * PLOT_STYLE. */
void plot_write(const struct res_memory *r, int is_file, struct out *o);

#endif
