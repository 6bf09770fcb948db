/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/export/openmetrics.h"

#include "common/base/clock.h"
#include "common/model/result.h"

#define PREFIX "iotrace_"

enum value { COUNT, SECONDS };

static const struct {
	const char *name, *help;
	size_t offset;
	enum value value;
} families[] = {
#define AT(member) offsetof(struct openmetrics_call, member)
	{"calls_total", "System calls.", AT(calls), COUNT},
	{"call_errors_total", "System calls that failed.", AT(errors), COUNT},
	{"call_seconds_total", "Time in system calls.", AT(wall_ns), SECONDS},
	{"call_bytes_total", "Bytes that calls moved.", AT(bytes), COUNT},
	{"batch_calls_total", "Calls that succeeded, of those that move several things at once.",
		AT(batch_calls), COUNT},
	{"batch_asked_total", "Units (messages, iovecs, events) that they asked for.",
		AT(batch_asked), COUNT},
	{"batch_transferred_total", "Units that they moved.", AT(batch_transferred), COUNT},
#undef AT
};

void openmetrics_family(struct out *o, const char *name, const char *type, const char *help)
{
	out_printf(o, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

/* A value of a label, with what must be escaped there. */
static void put_label(struct out *o, const char *name, const char *value, int *some)
{
	out_printf(o, "%c%s=\"", (*some)++ ? ',' : '{', name);
	for (; *value; value++) {
		if (*value == '\n')
			out_str(o, "\\n");
		else if (*value == '"' || *value == '\\')
			out_printf(o, "\\%c", *value);
		else
			out_char(o, *value);
	}
	out_char(o, '"');
}

void openmetrics_labels(struct out *o, const char *scenario, const char *call, const char *le)
{
	int some = 0;

	if (scenario && *scenario)
		put_label(o, "scenario", scenario, &some);
	if (call)
		put_label(o, "call", call, &some);
	if (le)
		put_label(o, "le", le, &some);
	if (some)
		out_char(o, '}');
}

/* Exact: all nine digits. */
void openmetrics_seconds(struct out *o, uint64_t ns)
{
	out_u64(o, ns / NS_PER_SEC);
	out_char(o, '.');
	out_pad_u64(o, ns % NS_PER_SEC, 9);
}

static void put_value(struct out *o, uint64_t v, enum value value)
{
	out_char(o, ' ');
	if (value == SECONDS)
		openmetrics_seconds(o, v);
	else
		out_u64(o, v);
	out_char(o, '\n');
}

static void write_calls(const struct openmetrics_run *run, struct out *o)
{
	for (size_t f = 0; f < LEN(families); f++) {
		openmetrics_family(o, families[f].name, "counter", families[f].help);
		for (size_t i = 0; i < run->len; i++) {
			uint64_t v = *(const uint64_t *)((const char *)&run->calls[i] +
							 families[f].offset);

			if (v == U64_NONE)
				continue;
			out_printf(o, PREFIX "%s", families[f].name);
			openmetrics_labels(o, run->scenario, run->calls[i].name, NULL);
			put_value(o, v, families[f].value);
		}
	}
}

/* Of the whole run. */
struct single {
	const char *name, *type, *help;
	uint64_t v;
	enum value value;
};

void openmetrics_write(const struct openmetrics_run *run, struct out *o)
{
	const uint64_t complete = run->complete < 0 ? U64_NONE : (uint64_t)run->complete;
	const struct single singles[] = {
		{"window_seconds", "gauge", "How long was counted.", run->window_ns, SECONDS},
		{"cpu_seconds_total", "counter", "CPU time of the traced processes.", run->cpu_ns,
			SECONDS},
		{"lost_calls_total", "counter", "Calls known to have been missed.", run->lost,
			COUNT},
		{"complete", "gauge", "1: nothing is known to be missing.", complete, COUNT}};

	write_calls(run, o);
	for (size_t i = 0; i < LEN(singles); i++) {
		if (singles[i].v == U64_NONE)
			continue;
		openmetrics_family(o, singles[i].name, singles[i].type, singles[i].help);
		out_printf(o, PREFIX "%s", singles[i].name);
		openmetrics_labels(o, run->scenario, NULL, NULL);
		put_value(o, singles[i].v, singles[i].value);
	}
}
