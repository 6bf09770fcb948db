/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MERGE_MERGE_H
#define MERGE_MERGE_H

#include "common/model/result.h"

/*
 * Results of iotrace, added one after another: what is kept does not grow with them, but for a row
 * for each host and call.
 *
 *	struct merge *m = merge_new();
 *	merge_add(m, "host-1", result);		the result may go then
 *	use(merge_finish(m));			owned by m
 *	merge_free(m);
 *
 * Counts and histograms add up exactly; percentiles are those of the added histograms. What does
 *not add up (U64_NONE, null) is null, and so is a sum with a part that was not measured.
 */
struct merge;

struct merge *merge_new(void);
void merge_free(struct merge *m); /* takes NULL */
void merge_add(struct merge *m, const char *host, const struct res_result *r);
/* The whole, with its odd hosts. Nothing may be added any more. */
const struct res_merge *merge_finish(struct merge *m);

#endif
