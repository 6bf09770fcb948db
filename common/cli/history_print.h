/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_HISTORY_PRINT_H
#define CLI_HISTORY_PRINT_H

#include "common/base/out.h"
#include "common/model/result.h"

/* What history prints: tables, for people; on a terminal as wide as that. */

void history_print_versions(const struct res_history *r, struct out *o);
/* The figures of a version's runs; all: those of each call too. */
void history_print_figures(const struct res_history *r, int all, struct out *o);
/* Each series: a line of characters, its versions, its changes. */
void history_print_series(const struct res_history *r, struct out *o);
void history_print_changes(const struct res_history *r, struct out *o);
/* The comparisons of the newest version, and the levels that are worse since; all: what is the same
 * too. */
void history_print_check(const struct res_history *r, int all, struct out *o);

#endif
