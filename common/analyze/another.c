/* SPDX-License-Identifier: GPL-3.0-only */
/* Another batch: what the runs that there are say of it, or what has to be run to know. */
#include <string.h>

#include "common/analyze/another.h"

#define COMPARE_RUNS 8 /* as compare's own manual has it */

void another_add_runs(
	struct doc *d, struct batching *list, size_t len, const struct analyze_runs *runs)
{
	for (size_t i = 0; i < len && runs; i++) {
		const char *call = view_name(list[i].facts.call->name);
		struct cost *costs = arena_alloc(&d->arena, runs->costs.len + 1, sizeof(*costs));
		size_t n = 0;

		for (size_t k = 0; k < runs->costs.len; k++)
			if (!strcmp(runs->costs.at[k].call, call))
				costs[n++] = runs->costs.at[k].cost;
		list[i].runs = costs;
		list[i].runs_len = n;
	}
}

struct prediction another_run(const struct batching *b, double units)
{
	return b->runs_len ? predict(b->runs, b->runs_len, units) : predict(&b->cost, 1, units);
}

const char *another_few_runs(struct doc *d, const struct prediction *p)
{
	return arena_printf(&d->arena, "from %s; at least %d are needed",
		view_plural(d, p->runs, "run"), PREDICT_RUNS_MIN);
}

const char *another_batch(struct doc *d, const struct batching *b, const char *scenario)
{
	const char *call = view_name(b->facts.call->name);

	if (!view_has_limit(b->verdict) || b->cost.state != COST_FEW_SIZES || b->cost.different > 2)
		return NULL;
	return arena_printf(&d->arena,
		"Build with another batch and compare: profile-scenario compare --scenario %s "
		"--base-binary OLD --new-binary NEW --runs %d, NEW with a batch of %.0f, say. "
		"compare "
		"then needs the same arguments on both sides, at least 3 runs of each for counts "
		"(%s.per_call, %s.calls) and at least 5 for times (wall_time, cpu_time), more "
		"where they "
		"scatter: it says how many",
		scenario ? scenario : "NAME", COMPARE_RUNS, 2 * b->cost.units_max, call, call);
}
