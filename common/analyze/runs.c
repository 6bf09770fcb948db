/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/analyze/runs.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/analyze/batching.h"
#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/model/json.h"

#define RESULT_SUFFIX "-iotrace.json"

static void add_run(struct analyze_runs *runs, const struct res_result *r)
{
	runs->made++;
	if (r->complete == 0 || batching_stops_share(r) > BATCHING_STOPS)
		return;
	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];
		struct cost cost;

		if (!s->batch)
			continue;
		cost = cost_fit(s->batch);
		if (cost.state == COST_OK)
			*VEC_PUSH(&runs->costs) =
				(struct run_cost){mem_strdup(view_name(s->name)), cost};
	}
}

static int read_run(struct analyze_runs *runs, const char *path, struct err *err)
{
	void *doc;
	int rc = json_read_struct(path, &schema_result, &doc, err);

	if (rc < 0)
		return rc;
	add_run(runs, doc);
	result_free(doc);
	return 0;
}

int analyze_runs_read(
	struct analyze_runs *ret, const char *file, const struct res_result *r, struct err *err)
{
	size_t stem = text_stem_len(file, RESULT_SUFFIX);
	uint64_t count = r->runs ? view_zero(r->runs->count) : 0;
	int rc = 0;

	if (count < 2 || !stem)
		return 0;
	for (uint64_t i = 1; i <= count && rc == 0; i++) {
		cleanup_free char *path =
			mem_printf("%.*s.runs/%llu.json", (int)stem, file, (unsigned long long)i);

		if (access(path, F_OK) < 0)
			break;
		rc = read_run(ret, path, err);
	}
	return rc;
}

void analyze_runs_release(struct analyze_runs *runs)
{
	for (size_t i = 0; i < runs->costs.len; i++)
		free(runs->costs.at[i].call);
	free(runs->costs.at);
	*runs = (struct analyze_runs){0};
}
