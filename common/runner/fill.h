/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_FILL_H
#define RUNNER_FILL_H

#include "common/base/err.h"
#include "common/runner/scenario.h"

/*
 * Writes the value of a name into a scenario: "batch=50" puts 50 where {batch} stands in the
 * target, its arguments and environment, in the commands that build and prepare it, in helpers,
 * load and ready command. What is written lies in the scenario's arena. -EINVAL: it is no
 * NAME=VALUE, or {NAME} stands nowhere.
 */
int fill_scenario(struct scenario *sc, const char *set, struct err *err);

/* The length of the name that text begins with, [A-Za-z_][A-Za-z0-9_]*, where a = follows; else 0.
 */
size_t fill_name_len(const char *text);

#endif
