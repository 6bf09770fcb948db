/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_RUNS_H
#define ANALYZE_RUNS_H

#include "common/analyze/cost.h"
#include "common/base/err.h"

/*
 * What all runs of a scenario say, of which its result is one. profile-scenario leaves each of
 * several beside it: NAME.runs/K.json of NAME-iotrace.json. No more is kept of them than is used:
 * the cost model of each batching call that has one.
 */
struct analyze_runs {
	size_t made; /* files that were read; 0: the result is the only one */
	struct {
		struct run_cost {
			char *call;
			struct cost cost; /* COST_OK */
		} * at;
		size_t len, cap;
	} costs; /* by run */
};

/* file: r's. A run that is incomplete or was seen by stops has no costs. A file that is not there
 * ends the list; one that cannot be read is an error that names it, and *ret is to be released. */
int analyze_runs_read(
	struct analyze_runs *ret, const char *file, const struct res_result *r, struct err *err);
void analyze_runs_release(struct analyze_runs *runs);

#endif
