/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_TARGET_H
#define RUNNER_TARGET_H

#include "common/base/err.h"
#include "common/runner/scenario.h"

/* A name without a slash that PATH does not have is that of a program here: ./NAME is written for
 * it, which is noted; as is one that PATH and this directory both have. note may be NULL. */
void target_locate(struct scenario *sc, void (*note)(void *ctx, const char *text), void *ctx);

/*
 * Runs the command to prepare, if there is one, and makes sure that the target can be executed:
 * builds it where it is missing and a build command is there (said by note; its output goes to
 * stderr). A relative path becomes absolute where the scenario has a working directory of its own.
 * -ENOENT, -EACCES.
 */
int target_prepare(
	struct scenario *sc, void (*note)(void *ctx, const char *text), void *ctx, struct err *err);

#endif
