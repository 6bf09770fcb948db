/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_STREAMS_H
#define RUNNER_STREAMS_H

#include "common/base/err.h"
#include "common/runner/scenario.h"

/* What a target's standard streams lead to; the fds are the caller's. */

/* A log, emptied. A negative errno: it cannot be written. */
int streams_log(const char *path, struct err *err);
/* Its stdin: the scenario's file, else /dev/null if null_stdin. -1: ours; less: an error. */
int streams_stdin(const struct scenario *sc, int null_stdin, struct err *err);

#endif
