/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_RESULTS_H
#define CLI_RESULTS_H

#include "common/model/result.h"
#include "common/runner/scenario.h"

/* What came of a run, on stderr, a line for each type that has left files: what it is mainly about,
 * the target's status where it failed and nothing else did, and the file to look at first.
 *
 *	profile-scenario: io: 1,204 calls, sendmmsg 7.90 of 8 a call;
 *results/iotrace/x-iotrace-summary.txt
 *
 * What an earlier run of another type has left there is noted: other commands read it beside what
 * is new. scenarios: those of the report, in its order.
 */
void results_tell(const struct res_run *report, struct scenario *const *scenarios);

#endif
