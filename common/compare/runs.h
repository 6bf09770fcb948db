/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef COMPARE_RUNS_H
#define COMPARE_RUNS_H

#include "common/compare/side.h"
#include "common/model/result.h"

/*
 * The runs of a scenario and type, before their figures: how each ended, and whether it is whole.
 *
 *	REGRESSION  a new run ended as no run of the base did, or so more often than chance allows
 *	trouble     records were lost, or a result is incomplete, on either side
 *	note        what both sides have in common and a reader must know: all of them crashed
 *
 * An end that the runner brought about after the load is exit status 0 in the results.
 */
void runs_judge(void *doc, const struct side_part *base, const struct side_part *new,
	struct res_compare_part *ret);
/* Why a run says nothing of a program that works: "ended with exit status 3", "is incomplete", ..;
 * NULL: it ended with 0 and is whole. The caller's. */
char *runs_flaw(const struct side_part *side, size_t run);
/* Only what is trouble, of one side. */
void runs_check(void *doc, const struct side_part *side, struct res_compare_part *ret);

#endif
