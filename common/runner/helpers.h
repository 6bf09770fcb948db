/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_HELPERS_H
#define RUNNER_HELPERS_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/runner/signals.h"
#include "common/runner/program.h"
#include "common/runner/scenario.h"

/*
 * The processes that a scenario wants beside its target: started in order before every run, each
 * waited for until it is ready or has ended with 0, and ended in reverse order after the run. Each
 * is a process group, so that what it started ends with it.
 *
 *	struct helpers h = {0};
 *	rc = helpers_start(&h, sc, signals, log, err);
 *	... the run ...
 *	rc = helpers_stop(&h, err);
 */
struct helpers {
	const struct scenario *sc;
	struct program *at;
	size_t len;
};

/* Output goes to the file log (appended to); NULL: to our stderr. On an error none is left running;
 * -EINTR: a signal came for us meanwhile. */
int helpers_start(struct helpers *h, const struct scenario *sc, const struct signals *signals,
	const char *log, struct err *err);
/* TERM, after the scenario's grace KILL. An error says which one had failed before that. */
int helpers_stop(struct helpers *h, struct err *err);

#endif
