/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/live/metrics.h"

#include <stdlib.h>

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/export/openmetrics.h"
#include "tracer/live/interval.h"

int metrics_try(const char *path, struct err *err)
{
	struct new_file f;
	int rc = file_begin(&f, path, err);

	file_abort(&f);
	return rc;
}

static void write_run(const void *ctx, struct out *o)
{
	openmetrics_write(ctx, o);
}

static struct openmetrics_call call_of(const struct res_interval_call *c)
{
	return (struct openmetrics_call){c->name, c->calls, c->errors, c->wall_ns, c->bytes,
		c->batch_calls, c->batch_asked, c->batch_transferred};
}

int metrics_put(const char *path, const struct snapshot *now, struct err *err)
{
	/* From the start of the phase, so that its sum so far is all of it. */
	struct res_interval *i = interval_build(NULL, now, PHASE_WINDOW);
	struct openmetrics_call *calls = mem_calloc(i->syscalls.len + 1, sizeof(*calls));
	int rc;

	for (size_t k = 0; k < i->syscalls.len; k++)
		calls[k] = call_of(&i->syscalls.at[k]);
	rc = file_write_with(path, write_run,
		&(struct openmetrics_run){.window_ns = i->interval_ns,
			.cpu_ns = U64_NONE,
			.lost = i->lost,
			.complete = i->complete,
			.calls = calls,
			.len = i->syscalls.len},
		err);
	free(calls);
	result_free(i);
	return rc;
}
