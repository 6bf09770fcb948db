/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef COMPARE_METRIC_H
#define COMPARE_METRIC_H

#include <stddef.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/compare/side.h"

/* The figures of a scenario and type, each with its value in every run. See metrics.def. */
enum metric_kind { METRIC_COUNT, METRIC_BATCH, METRIC_TIME };
enum metric_worse { WORSE_NEITHER, WORSE_UP, WORSE_DOWN };

struct metric {
	const char *name; /* "sendmmsg.per_call", "mmap.calls@start-up", "wall_time" */
	const char *call; /* the system call; NULL: of the whole run */
	const char *unit; /* "ns", "bytes", "ratio", "per s", "" */
	enum metric_kind kind;
	enum metric_worse worse;
	double *values; /* one a run; NAN: not measured. A call that was not made counts as 0. */
};

struct metrics {
	struct arena arena;
	struct map by_name; /* hash of the name -> position + 1 */
	struct metric *at;
	size_t len, cap;
	size_t runs;
	double *zeros; /* one a run, for a call that this side never made */
};

/* ret needs metrics_release(). Names and values live in it. */
void metrics_read(const struct side_part *part, struct metrics *ret);
void metrics_release(struct metrics *m);
/* Calls, errors and the like of a system call: 0 where it was not called. */
int metric_is_count_of_calls(const struct metric *m);
const struct metric *metrics_find(const struct metrics *m, const char *name); /* or NULL */

#endif
