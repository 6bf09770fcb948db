/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_CONTROL_H
#define RUNNER_CONTROL_H

#include "common/base/err.h"
#include "common/model/result.h"
#include "common/runner/backend.h"

/*
 * The cost of observing: the same target under the same load once without any tool.
 */

/* That run; in->dir is not used. */
int control_run(const struct backend_run *in, struct drive_result *ret, struct err *err);

/*
 * Both runs side by side, for member `control` of a document; what came of the native one is
 * in->native. NULL if there was none, or if it failed: then doc has a warning.
 */
struct res_control *control_describe(
	void *doc, const struct backend_run *in, const struct drive_result *observed);

#endif
