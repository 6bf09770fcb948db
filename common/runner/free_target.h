/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_FREE_TARGET_H
#define RUNNER_FREE_TARGET_H

#include "common/runner/backend.h"
#include "common/runner/program.h"

/*
 * A target that is started free of any tool, so that one can be attached to it for the window: it
 * starts, and is as warm when the load comes, as it would be without us.
 */

/* Starts it as the run says it; in->attach is ignored. */
int free_target_start(const struct backend_run *in, struct program *ret, struct err *err);
/* TERM to it and its descendants, after the grace KILL to those that are left; returns when it has
 * ended. 1: it was killed. */
int free_target_end(struct program *p, uint64_t grace_ns);

#endif
