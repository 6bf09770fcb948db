/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stddef.h>

#include "common/run/runner.h"

/*
 * What a person sees of a run on the terminal at stderr: lines that stay, and below them one that
 * is updated in place. On anything else than a terminal: troubles and notes only.
 *
 *	struct progress p;
 *	progress_init(&p, quiet);
 *	job.ui = &p.ui;
 */
struct progress {
	struct runner_ui ui;
	int terminal; /* progress is shown */
	int color;
	int live; /* there is a line to be wiped out */
};

/* quiet: no progress on a terminal either. */
void progress_init(struct progress *p, int quiet);

/* The line of what goes on at this moment, cut to so many columns. Pure; buf is returned. */
const char *progress_line(
	char *buf, size_t size, const struct runner_live *live, int color, size_t columns);

#endif
