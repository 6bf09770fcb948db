/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_PLAN_H
#define RUNNER_PLAN_H

#include "common/base/out.h"
#include "common/runner/scenario.h"

/* What running a scenario would start, as command lines; nothing is run or made. */
void plan_write(const struct scenario *sc, struct out *o);

#endif
