/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_LIVE_METRICS_H
#define TRACER_LIVE_METRICS_H

#include "common/base/err.h"
#include "tracer/live/snapshot.h"

/* --metrics FILE: what was counted so far, of the window where there is one, as node_exporter's
 * textfile collector takes it. */

/* Whether it can be written there, before anything is traced. */
int metrics_try(const char *path, struct err *err);
/* Writes it anew; whoever reads has the old one or the new one, whole. */
int metrics_put(const char *path, const struct snapshot *now, struct err *err);

#endif
