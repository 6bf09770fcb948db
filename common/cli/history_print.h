/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_HISTORY_PRINT_H
#define CLI_HISTORY_PRINT_H

#include "common/base/out.h"
#include "common/history/culprit.h"
#include "common/history/store.h"
#include "common/history/trend.h"

/* What history prints: tables, for people. */

void history_print_versions(const struct history_versions *v, struct out *o);
/* The figures of a version's runs; all: those of each call too. */
void history_print_side(const struct side *s, int all, struct out *o);
/* Each series: a line of characters, its versions, its changes. */
void history_print_trend(const struct trend *t, struct out *o);
void history_print_changes(const struct changes *c, struct out *o);
/* "2026-11-27 00:10:29", UTC; buf: 24 bytes. */
const char *history_date(char *buf, int64_t ns);

#endif
