/* SPDX-License-Identifier: GPL-3.0-only */
/* The catalogue, and what a run would make of each of its scenarios. */
#include "common/analyze/analyze.h"
#include "common/compare/limit.h"
#include "common/runner/config.h"
#include "common/runner/optable.h"
#include "common/runner/scenario.h"
#include "tests/fuzz/fuzz.h"

static const struct scenario_type there[] = {{"cpu", NULL, 0},
	{"memory", "massif cannot attach", 0}, {"io", NULL, 0}, {"rare", NULL, 1}, {NULL, NULL, 0}};

static void merge(struct config *c, const struct config_scenario *s)
{
	struct scenario_args args = {.there = there, .scenario = s->name, SCENARIO_ARGS_UNSET};
	struct scenario *sc;
	struct limit limit;
	struct err err = {0};

	if (scenario_merge(&args, c, NULL, &sc, &err) == 0) {
		FUZZ_CHECK(sc->argv && sc->argv[0]);
		scenario_free(sc);
	} else {
		FUZZ_CHECK(err.text[0]);
	}
	for (const char *const *p = s->limits; p && *p; p += 2)
		limit_parse(p[1], &limit, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c;
	struct err err = {0};

	if (config_read(fuzz_path(0, data, size), &c, &err) < 0) {
		FUZZ_CHECK(err.text[0]);
		return 0;
	}
	for (size_t i = 0; i < c->scenarios_len; i++) {
		FUZZ_CHECK(config_find(c, c->scenarios[i].name));
		merge(c, &c->scenarios[i]);
	}
	config_names(c, "x");
	config_free(c);
	return 0;
}
