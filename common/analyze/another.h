/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_ANOTHER_H
#define ANALYZE_ANOTHER_H

#include "common/analyze/batching.h"
#include "common/analyze/runs.h"

/* Another batch: what the runs that there are say of it, or what has to be run to know. */

/* Gives each call of a list what all runs say; NULL: there are no others. In d's arena. */
void another_add_runs(
	struct doc *d, struct batching *list, size_t len, const struct analyze_runs *runs);
/* What a unit will take in a new run with batches of that mean size. Only without no_model. */
struct prediction another_run(const struct batching *b, double units);
/* "from 1 run; at least 5 are needed": why that has no interval. In d's arena. */
const char *another_few_runs(struct doc *d, const struct prediction *p);
/* Where a call is limited by its batch and always moves the same there is nothing to predict from:
 * what to do instead, without the full stop. NULL where that is not so. In d's arena. */
const char *another_batch(struct doc *d, const struct batching *b, const char *scenario);

#endif
