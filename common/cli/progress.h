/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "common/runner/runner_ui.h"

/*
 * What a person sees of a run on the terminal at stderr: lines that stay, and below them one that
 * is updated in place. On anything else than a terminal: troubles, the ends of logs that say more
 * of them, and notes only.
 *
 *	struct progress p;
 *	progress_init(&p, PROGRESS_ALL);
 *	job.ui = &p.ui;
 */
enum progress_kind {
	PROGRESS_ALL,
	PROGRESS_NOTES,    /* no progress on a terminal either */
	PROGRESS_TROUBLES, /* no notes either */
};

struct progress {
	struct runner_ui ui;
	enum progress_kind kind;
	int terminal; /* progress is shown */
	int color;
	int live; /* there is a line to be wiped out */
};

void progress_init(struct progress *p, enum progress_kind kind);

#endif
