/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef EXPORT_OPENMETRICS_H
#define EXPORT_OPENMETRICS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/out.h"

/*
 * Text that Prometheus's node_exporter takes from its textfile collector: families with help, type
 * and a sample for each call. Times are seconds. What was not measured (U64_NONE) has no sample.
 */
struct openmetrics_call {
	const char *name;
	uint64_t calls, errors, wall_ns, bytes, batch_calls, batch_asked, batch_transferred;
};

struct openmetrics_run {
	const char *scenario; /* a label of every sample; NULL or "": none */
	uint64_t window_ns, cpu_ns, lost;
	int complete; /* -1: not known */
	const struct openmetrics_call *calls;
	size_t len;
};

void openmetrics_write(const struct openmetrics_run *run, struct out *o);

/* Parts of it, for what only a whole result has. */
void openmetrics_family(struct out *o, const char *name, const char *type, const char *help);
void openmetrics_labels(struct out *o, const char *scenario, const char *call, const char *le);
void openmetrics_seconds(struct out *o, uint64_t ns);

#endif
