/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MEM_PLOT_H
#define MEM_PLOT_H

#include "common/base/out.h"
#include "common/model/result.h"

/* Memory over time as an SVG: heap, what the allocator adds, stacks; the peak marked, the load's
 * window shaded. No scripts; light and dark by the reader's preference. A profile without snapshots
 * gives a picture that says so. */
void plot_write(const struct res_memory *r, struct out *o);

#endif
