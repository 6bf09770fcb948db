/* SPDX-License-Identifier: GPL-3.0-only */
/* Speedscope's own JSON: a profile of sampled stacks for each weight. */
#include "common/export/format.h"

#include "common/base/units.h"
#include "common/export/stacks.h"
#include "common/model/json.h"

static void write_frames(const struct export_stacks *s, struct out *o)
{
	out_str(o, ",\n\"shared\":{\"frames\":[");
	for (size_t i = 0; i < s->names.len; i++) {
		out_str(o, i ? ",\n{\"name\":" : "\n{\"name\":");
		json_write_string(o, s->names.at[i]);
		out_char(o, '}');
	}
	out_str(o, "]}");
}

static void write_stack(const struct export_stack *stack, struct out *o)
{
	out_char(o, '[');
	for (size_t i = 0; i < stack->len; i++) {
		if (i)
			out_char(o, ',');
		out_u64(o, stack->frames[i]);
	}
	out_char(o, ']');
}

/* Stacks that weigh nothing here are left out. */
static void write_profile(const struct export_stacks *s, size_t weight, struct out *o)
{
	const char *unit = s->weights[weight].unit;
	uint64_t total = 0;
	int some = 0;

	out_str(o, "{\"type\":\"sampled\",\"name\":");
	json_write_string(o, s->weights[weight].name);
	out_str(o, ",\"unit\":");
	/* Its word for a number without a unit is none. */
	json_write_string(o, *unit == 'c' ? "none" : unit);
	out_str(o, ",\"startValue\":0,\"samples\":[");
	for (size_t i = 0; i < s->stacks.len; i++) {
		if (!s->stacks.at[i].weight[weight])
			continue;
		out_str(o, some++ ? ",\n" : "\n");
		write_stack(&s->stacks.at[i], o);
	}
	out_str(o, "],\n\"weights\":[");
	some = 0;
	for (size_t i = 0; i < s->stacks.len; i++) {
		if (!s->stacks.at[i].weight[weight])
			continue;
		if (some++)
			out_char(o, ',');
		out_u64(o, s->stacks.at[i].weight[weight]);
		total = sat_add(total, s->stacks.at[i].weight[weight]);
	}
	out_str(o, "],\"endValue\":");
	out_u64(o, total);
	out_char(o, '}');
}

static int speedscope_write(
	const struct export_source *s, struct out *o, struct out *notes, struct err *err)
{
	struct export_stacks stacks;
	int rc = export_stacks_read(s, &stacks, notes, err);

	if (rc == 0) {
		out_str(o, "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\","
			   "\"exporter\":\"profile-scenario " IOTRACE_VERSION "\",\"name\":");
		json_write_string(o, export_scenario(s));
		write_frames(&stacks, o);
		out_str(o, ",\n\"profiles\":[\n");
		for (size_t i = 0; i < stacks.weights_len; i++) {
			if (i)
				out_str(o, ",\n");
			write_profile(&stacks, i, o);
		}
		out_str(o, "]}\n");
	}
	export_stacks_release(&stacks);
	return rc;
}

static const struct schema *const schemas_of[] = {&schema_result, &schema_cpu, NULL};

const struct export_format export_speedscope = {
	.id = "speedscope",
	.meaning = "stacks, for speedscope",
	.schemas = schemas_of,
	.write = speedscope_write,
};
