/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CPU_STATS_H
#define CPU_STATS_H

#include "common/model/result.h"
#include "cpu/fold.h"

#define STATS_FUNCTIONS_MAX 50

/* Fills the figures that the samples give: functions, threads, processes, and in r->sampling (which
 * must be there) the counts. Strings are copied into r's arena. A sample
 * on an interrupt is charged to the function that it came upon. */
void stats_fill(const struct fold *f, struct res_cpu *r);

#endif
