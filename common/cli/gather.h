/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_GATHER_H
#define CLI_GATHER_H

#include "common/base/err.h"
#include "common/compare/compare.h"
#include "common/compare/side.h"
#include "common/runner/config.h"
#include "common/runner/scenario.h"

/* What compare, accept and run look for on disk. */

/* The kinds of result, from the backends; the last has no id. */
const struct result_kind *gather_kinds(void);
/* The types, from the backends; the last has no id. */
const struct scenario_type *gather_types(void);
/* What word names: itself, or a baseline of out_dir. free(). NULL: neither is there. */
char *gather_path(const char *word, const char *out_dir);
/* Adds what word names to s: a directory, a result file, or a baseline of out_dir. */
int gather_side(struct side *s, const char *word, const char *out_dir, struct err *err);
/* -EINVAL: no type is called so, nor is it "all". */
int gather_type(const char *type, struct err *err);
/* -ENOENT, and what to do: dir has no results, of a scenario or (NULL) at all. */
int gather_nothing(const char *dir, const char *scenario, struct err *err);
/* The catalogue: path, or the usual one if it is there; *ret is NULL if not. Types, and the figures
 * and conditions of limits, are checked too. */
int gather_config(const char *path, struct config **ret, struct err *err);
/* -ENOENT, and what to do: there is no catalogue for a command that needs one. */
int gather_no_catalogue(struct err *err);
/* Its limits; the last has no scenario. free(). c may be NULL. */
struct compare_limits *gather_limits(const struct config *c);

#endif
