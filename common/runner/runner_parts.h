/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_RUNNER_PARTS_H
#define RUNNER_RUNNER_PARTS_H

#include "common/model/result.h"
#include "common/runner/runner_ui.h"

/* Of a runner and its series: what is going on, and what is said of it. */
struct runner {
	const struct runner_ui *ui;
	const struct signals *signals;
	struct res_run *report;
	size_t scenarios;
	const char *scenario; /* whose turn it is, where there are several; NULL: only one */
	int several, logs;    /* more than one run; their output goes to logs */
	struct runner_live live;
	int interrupted;
};

/* Tells it, and keeps it in a list of the report. */
void runner_trouble(struct runner *r, struct res_strs *list, const char *text);
void runner_note(struct runner *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void runner_progress(struct runner *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
