/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/results.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/runner/backend.h"
#include "common/runner/layout.h"
#include "common/write/safe.h"

enum { FIGURES_SHOWN = 3 };

/* The first that is made for people, else the JSON. */
static const char *file_to_read(const struct res_strs *files)
{
	static const char *const ends[] = {"-summary.txt", "-flamegraph.svg", "-report.txt"};

	for (size_t i = 0; i < files->len; i++)
		for (size_t k = 0; k < LEN(ends); k++)
			if (text_stem_len(files->at[i], ends[k]))
				return files->at[i];
	return files->at[files->len - 1];
}

static void tell_type(const struct res_run_type *t, const char *scenario)
{
	char words[128];
	struct arena arena = {0};

	if (!t->files.len)
		return;
	fprintf(stderr, "profile-scenario: %s%s%s: ", scenario ? scenario : "", scenario ? " " : "",
		t->type);
	for (size_t i = 0; i < t->figures.len && i < FIGURES_SHOWN; i++) {
		const struct res_run_figure *f = &t->figures.at[i];

		/* Names of functions are the target's. */
		backend_figure_words(
			words, sizeof(words), f->name, f->unit, (const double[]){f->value, f->of});
		fprintf(stderr, "%s%s", i ? ", " : "", safe_text(&arena, words));
	}
	if (t->figures.len && t->status && !t->troubles.len)
		fprintf(stderr, ", status %" PRIu64, t->status);
	if (t->figures.len && t->runs > 1)
		fprintf(stderr, " (run %" PRIu64 " of %" PRIu64 ")", t->chosen, t->runs);
	fprintf(stderr, "%s%s\n", t->figures.len ? "; " : "", file_to_read(&t->files));
	arena_release(&arena);
}

/* 1: this run has left a result of that type. */
static int has_new(const struct res_run_scenario *sc, const char *type)
{
	for (size_t i = 0; i < sc->types.len; i++)
		if (!strcmp(sc->types.at[i].type, type))
			return sc->types.at[i].files.len > 0;
	return 0;
}

static void tell_older(const struct res_run_scenario *sc, const char *output_dir)
{
	const struct backend *b;

	for (size_t i = 0; sc->types.len && (b = backend_at(i)); i++) {
		cleanup_free char *path =
			layout_file(output_dir, b->folder, sc->name, backend_json_suffix(b));

		if (!has_new(sc, b->id) && access(path, F_OK) == 0)
			fprintf(stderr,
				"profile-scenario: note: %s is of an earlier run; report, analyze, "
				"compare and baseline read it too\n",
				path);
	}
}

void results_tell(const struct res_run *report, struct scenario *const *scenarios)
{
	int several = report->scenarios.len > 1;

	for (size_t i = 0; i < report->scenarios.len; i++) {
		const struct res_run_scenario *sc = &report->scenarios.at[i];

		for (size_t k = 0; k < sc->types.len; k++)
			tell_type(&sc->types.at[k], several ? sc->name : NULL);
		tell_older(sc, scenarios[i]->output_dir);
	}
}
