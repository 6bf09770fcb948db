/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_RUNNER_UI_H
#define RUNNER_RUNNER_UI_H

#include <stdint.h>

#include "common/runner/drive.h"

/* What a runner tells while it works, and as its status. */
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
	/* Something went wrong, and that file may say why. It need not be there. */
	void (*log)(void *ctx, const char *path);
	/* A few times a second, but only while no output of target and load can come between;
	 * NULL: not wanted. */
	void (*live)(void *ctx, const struct runner_live *live);
	void *ctx;
};

#endif
