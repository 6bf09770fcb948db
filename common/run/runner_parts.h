/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUN_RUNNER_PARTS_H
#define RUN_RUNNER_PARTS_H

#include "common/run/backend.h"
#include "common/run/runner.h"

/* Between runner.c and series.c. */
struct runner {
	const struct runner_job *job;
	const struct signals *signals;
	struct res_run *report;
	int several, logs; /* more than one run; their output goes to logs */
	struct runner_live live;
	int interrupted;
};

/* Tells it, and keeps it in a list of the report. */
void runner_trouble(struct runner *r, struct res_strs *list, const char *text);
void runner_note(struct runner *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void runner_progress(struct runner *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends a copy of text to a list of the report. */
void runner_add(struct runner *r, struct res_strs *list, const char *text);

/* All runs of one type of a scenario, and their files. What goes wrong is told and is in *ret. */
void series_run(struct runner *r, const struct scenario *sc, const struct backend *backend,
	struct res_run_type *ret);
/* How many runs that will be. */
uint64_t series_total(const struct scenario *sc);

#endif
