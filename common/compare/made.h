/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef COMPARE_MADE_H
#define COMPARE_MADE_H

#include "common/compare/judge.h"
#include "common/compare/side.h"

/*
 * How the runs of both sides were made: what they do not have in common, or what slowed them, keeps
 * kinds of figures from being compared. Every run is held against the first of the base. With force
 * only what is not the program's own stays out: time under a heap profiler or slowed by stops.
 * Release with made_release().
 */
struct judge_rules made_rules(const struct side_part *base, const struct side_part *new, int force);
/* Of one side alone, for limits on values. */
struct judge_rules made_rules_alone(const struct side_part *side);
void made_release(struct judge_rules *r);
/* "PATH (build-id ..)"; the caller's. */
char *made_program(const struct side_part *p);

#endif
