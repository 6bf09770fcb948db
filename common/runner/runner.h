/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_RUNNER_H
#define RUNNER_RUNNER_H

#include <stddef.h>

#include "common/model/result.h"
#include "common/runner/runner_ui.h"
#include "common/runner/scenario.h"

/*
 * Runs scenarios: every type, every warm-up and run, and puts the files in their places. What goes
 * wrong with one does not keep the others from being run.
 */

struct runner_job {
	struct scenario *const *scenarios;
	size_t len;
	const struct runner_ui *ui;
	int logs; /* output of target and load goes to logs, of a single run too */
};

/* Fills a report (made for schema_run) and its status. */
void runner_run(const struct runner_job *job, struct res_run *report);

#endif
