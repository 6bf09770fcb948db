/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUN_RUNNER_H
#define RUN_RUNNER_H

#include <stddef.h>

#include "common/model/result.h"
#include "common/run/drive.h"
#include "common/run/scenario.h"

/*
 * Runs scenarios: every type, every warm-up and run, and puts the files in their places. What goes
 * wrong with one does not keep the others from being run.
 */
enum runner_status { RUNNER_TROUBLE = 2, RUNNER_NO_BACKEND = 125 };

/* What is going on at this moment. */
struct runner_live {
	uint64_t number, total; /* of all runs of all scenarios, from 1 */
	const char *type, *scenario;
	const char *kind; /* "", "warm-up", "without a tool" */
	enum drive_stage stage;
	const char *figures;              /* of the backend, "" for none */
	uint64_t elapsed_ns, expected_ns; /* of the stage; 0: not known */
};

/* What is said meanwhile; nothing here prints. */
struct runner_ui {
	void (*trouble)(void *ctx, const char *text); /* something went wrong */
	void (*note)(void *ctx, const char *text);    /* not what was to be expected */
	void (*progress)(
		void *ctx, const char *text); /* what came of a run, what files there are */
	/* A few times a second, but only while no output of target and load can come between;
	 * NULL: not wanted. */
	void (*live)(void *ctx, const struct runner_live *live);
	void *ctx;
};

struct runner_job {
	struct scenario *const *scenarios;
	size_t len;
	const struct runner_ui *ui;
	int logs; /* output of target and load goes to logs, of a single run too */
};

/* Fills a report (made for schema_run) and its status. */
void runner_run(const struct runner_job *job, struct res_run *report);

#endif
