/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/runner.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "common/runner/layout.h"
#include "common/runner/series.h"
#include "common/runner/target.h"

/* ---- one scenario ---- */

/* Finds out before anything is run whether results can be written. */
static int check_output(const struct scenario *sc, struct err *err)
{
	char *dir = NULL;

	for (size_t i = 0; sc->types[i]; i++) {
		const struct backend *b = backend_by_id(sc->types[i]);
		int rc = b ? layout_work_dir(sc->output_dir, b->folder, sc->name, &dir, err) : 0;

		if (rc < 0)
			return rc;
		layout_remove_dir(dir);
		free(dir);
		dir = NULL;
	}
	return 0;
}

static void tell_note(void *ctx, const char *text)
{
	runner_note(ctx, "%s", text);
}

static int prepare(struct runner *r, struct scenario *sc, struct err *err)
{
	int rc = check_output(sc, err);

	if (rc == 0 && sc->left_out)
		runner_note(r, "%s", sc->left_out);
	if (rc < 0 || !sc->attach)
		return rc < 0 ? rc : target_prepare(sc, tell_note, r, err);
	runner_note(r, "attaching to %s", attach_text(sc->attach));
	return 0;
}

static void run_type(
	struct runner *r, const struct scenario *sc, const char *type, struct res_run_type *ret)
{
	const struct backend *backend = backend_by_id(type);
	struct err err = {0};

	ret->type = arena_strdup(result_arena(r->report), type);
	ret->status = 0;
	ret->runs = 0;
	if (backend && backend->probe(&err) == 0) {
		series_run(r, sc, backend, ret);
		return;
	}
	if (!backend)
		err_set(&err, -ENOTSUP, "type %s is not built into this profile-scenario", type);
	ret->unavailable = arena_strdup(result_arena(r->report), err.text);
	r->live.number += series_total(sc);
	if (sc->skip_unavailable) {
		runner_note(r, "%s: skipped", err.text);
		return;
	}
	runner_trouble(r, &ret->troubles, err.text);
	ret->status = RUNNER_NO_BACKEND;
}

static void run_types(struct runner *r, const struct scenario *sc, struct res_run_scenario *ret)
{
	size_t types = text_list_len(sc->types);

	RES_LIST(r->report, &ret->types, types, run_type);
	for (ret->types.len = 0; ret->types.len < types && !r->interrupted;) {
		struct res_run_type *type = &ret->types.at[ret->types.len];

		run_type(r, sc, sc->types[ret->types.len++], type);
		if (!ret->status)
			ret->status = type->status;
	}
}

static void run_scenario(struct runner *r, struct scenario *sc, struct res_run_scenario *ret)
{
	struct signals signals;
	struct err err = {0};

	ret->name = arena_strdup(result_arena(r->report), sc->name);
	ret->status = 0;
	r->scenario = r->scenarios > 1 ? sc->name : NULL;
	/* Signals are ours only while something runs under a tool: a build is ended as usual. */
	if (prepare(r, sc, &err) < 0 || signals_block(&signals, &err) < 0) {
		runner_trouble(r, &ret->troubles, err.text);
		ret->status = RUNNER_TROUBLE;
		return;
	}
	r->signals = &signals;
	run_types(r, sc, ret);
	r->signals = NULL;
	signals_restore(&signals);
}

/* ---- all ---- */

static uint64_t count_runs(const struct runner_job *job)
{
	uint64_t total = 0;

	for (size_t i = 0; i < job->len; i++)
		for (size_t k = 0; job->scenarios[i]->types[k]; k++)
			total += series_total(job->scenarios[i]);
	return total;
}

void runner_run(const struct runner_job *job, struct res_run *report)
{
	struct runner r = {.ui = job->ui, .report = report};

	report->status = 0;
	r.live.total = count_runs(job);
	r.scenarios = job->len;
	r.several = r.live.total > 1;
	RES_LIST(report, &report->scenarios, job->len, run_scenario);
	report->scenarios.len = 0;
	for (size_t i = 0; i < job->len && !r.interrupted; i++) {
		struct res_run_scenario *scenario = &report->scenarios.at[report->scenarios.len++];

		r.logs = job->logs || (r.several && !job->scenarios[i]->show_output);
		run_scenario(&r, job->scenarios[i], scenario);
		if (!report->status)
			report->status = scenario->status;
	}
}
