/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUN_RUNNER_H
#define RUN_RUNNER_H

#include "common/base/err.h"
#include "common/run/scenario.h"

/*
 * Runs a scenario: every type, every warm-up and run, and puts the files in their places.
 */
enum runner_status { RUNNER_TROUBLE = 2, RUNNER_NO_BACKEND = 125 };

/* What is said meanwhile; nothing here prints. */
struct runner_ui {
	void (*trouble)(void *ctx, const char *text);  /* something went wrong */
	void (*note)(void *ctx, const char *text);     /* not what was to be expected */
	void (*progress)(void *ctx, const char *text); /* which run this is, what files there are */
	void *ctx;
};

/*
 * *ret_status is the exit status of profile-scenario. An error is one of before the first run: bad
 * type, missing target, no permission to write.
 */
int runner_run(struct scenario *sc, const struct runner_ui *ui, int *ret_status, struct err *err);

#endif
