/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef VIEW_VIEW_H
#define VIEW_VIEW_H

#include "common/model/result.h"
#include "common/view/doc.h"

/* result -> doc: what a person reads at the end of a run, as laid out in docs/SUMMARY.md.
 * Only from the result, so a saved JSON gives the same summary. Owned by the caller: doc_free(). */
struct doc *view_summary(const struct res_result *r);
/* A comparison, or limits that were checked. all: what is the same, too. */
struct doc *view_compare(const struct res_compare *c, int all);
/* A sweep: the answer, and each value. */
struct doc *view_sweep(const struct res_sweep *s);
/* What its cost is called; in the arena, or the document's. */
const char *view_sweep_cost(const struct res_sweep *s, struct arena *a);

#endif
