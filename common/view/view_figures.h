/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef VIEW_VIEW_FIGURES_H
#define VIEW_VIEW_FIGURES_H

#include "common/view/doc.h"

/* Inside this folder only: figures of several runs. */

/* A cell "34.4 [10.6..70.1] ms" of median, least and largest, all in the unit in which the median
 * is read; one value where they are the same, "-" where it is NAN. unit: "ns", "bytes", "ratio", or
 * another one, which is not printed. */
void view_figures_cell(struct doc *d, struct doc_table *t, const double v[3], const char *unit);

#endif
