/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_SERIES_H
#define RUNNER_SERIES_H

#include "common/runner/backend.h"
#include "common/runner/runner_parts.h"
#include "common/runner/scenario.h"

/* All runs of one type of a scenario, and their files. What goes wrong is told and is in *ret. */
void series_run(struct runner *r, const struct scenario *sc, const struct backend *backend,
	struct res_run_type *ret);
/* How many runs that will be. */
uint64_t series_total(const struct scenario *sc);

#endif
