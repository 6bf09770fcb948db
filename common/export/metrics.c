/* SPDX-License-Identifier: GPL-3.0-only */
/* A result of iotrace as text of openmetrics.h, with the times of calls as histograms. */
#include "common/export/format.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/export/openmetrics.h"

/*
 * Bounds of the histograms: from 1 us to 69 s by powers of 4. A bucket of a result ends below each
 * power of two, so that what is at or below such a bound is known exactly.
 */
enum { BOUND_FIRST = 10, BOUND_LAST = 36, BOUND_STEP = 2 };

static uint64_t count_until(const struct res_syscall *s, uint64_t ns)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->latency_histogram.len; i++)
		if (s->latency_histogram.at[i].le_ns <= ns)
			n += s->latency_histogram.at[i].count;
	return n;
}

static void write_bucket(const char *scenario, const struct res_syscall *s, const char *le,
	uint64_t n, struct out *o)
{
	out_str(o, "iotrace_call_duration_seconds_bucket");
	openmetrics_labels(o, scenario, s->name, le);
	out_char(o, ' ');
	out_u64(o, n);
	out_char(o, '\n');
}

static void write_histogram(const char *scenario, const struct res_syscall *s, struct out *o)
{
	uint64_t all = count_until(s, UINT64_MAX);

	for (int bit = BOUND_FIRST; bit <= BOUND_LAST; bit += BOUND_STEP) {
		uint64_t bound = (1ULL << bit) - 1;
		char le[40];

		snprintf(le, sizeof(le), "%.12g", (double)bound / 1e9);
		write_bucket(scenario, s, le, count_until(s, bound), o);
	}
	write_bucket(scenario, s, "+Inf", all, o);
	out_str(o, "iotrace_call_duration_seconds_sum");
	openmetrics_labels(o, scenario, s->name, NULL);
	out_char(o, ' ');
	openmetrics_seconds(o, s->wall_ns->total);
	out_str(o, "\niotrace_call_duration_seconds_count");
	openmetrics_labels(o, scenario, s->name, NULL);
	out_char(o, ' ');
	out_u64(o, all);
	out_char(o, '\n');
}

static struct openmetrics_call call_of(const struct res_syscall *s)
{
	const struct res_batch *b = s->batch;
	uint64_t batch_calls = U64_NONE;

	if (b) {
		batch_calls = 0;
		for (size_t i = 0; i < b->by_transferred.len; i++)
			batch_calls += b->by_transferred.at[i].calls;
		if (b->histogram_overflow && b->histogram_overflow != U64_NONE)
			batch_calls = U64_NONE;
	}
	return (struct openmetrics_call){.name = s->name,
		.calls = s->calls,
		.errors = s->errors,
		.wall_ns = s->wall_ns ? s->wall_ns->total : U64_NONE,
		.bytes = s->bytes ? s->bytes->transferred : U64_NONE,
		.batch_calls = batch_calls,
		.batch_asked = b ? b->asked : U64_NONE,
		.batch_transferred = b ? b->transferred : U64_NONE};
}

static int metrics_write(
	const struct export_source *source, struct out *o, struct out *notes, struct err *err)
{
	const struct res_result *r = source->doc;
	struct openmetrics_call *calls = mem_calloc(r->syscalls.len + 1, sizeof(*calls));
	const char *scenario = export_scenario(source);

	(void)err;
	for (size_t i = 0; i < r->syscalls.len; i++)
		calls[i] = call_of(&r->syscalls.at[i]);
	openmetrics_write(&(struct openmetrics_run){.scenario = scenario,
				  .window_ns = r->window ? r->window->wall_ns : r->wall_ns,
				  .cpu_ns = result_cpu_ns(r),
				  .lost = r->tracer ? r->tracer->lost : U64_NONE,
				  .complete = r->complete,
				  .calls = calls,
				  .len = r->syscalls.len},
		o);
	free(calls);
	if (!result_has_times(r)) {
		export_timeless(notes, "no seconds of calls");
		return 0;
	}
	openmetrics_family(o, "call_duration_seconds", "histogram", "Times of system calls.");
	for (size_t i = 0; i < r->syscalls.len; i++)
		if (r->syscalls.at[i].wall_ns && r->syscalls.at[i].wall_ns->total != U64_NONE)
			write_histogram(scenario, &r->syscalls.at[i], o);
	return 0;
}

static const struct schema *const schemas_of[] = {&schema_result, NULL};

const struct export_format export_metrics = {
	.id = "openmetrics",
	.meaning = "counters and histograms, for node_exporter's textfile collector",
	.schemas = schemas_of,
	.write = metrics_write,
};
