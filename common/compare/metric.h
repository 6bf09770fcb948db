/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef COMPARE_METRIC_H
#define COMPARE_METRIC_H

#include <stddef.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/compare/limit.h"
#include "common/compare/side.h"

/* The figures of a scenario and type, each with its value in every run. See metrics.def. */
/* In the order in which they are read: per unit of work and per call first. */
enum metric_kind {
	METRIC_WORK,
	METRIC_BATCH,
	METRIC_COUNT,
	METRIC_BATCHES,
	METRIC_SIZE,
	METRIC_TIME
};
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
	double *work;           /* one a run; NAN: not known */
	double *zeros;          /* one a run, for a call that this side never made */
	double *zeros_per_work; /* the same; NAN where the work is not known */
};

/* ret needs metrics_release(). Names and values live in it. */
void metrics_read(const struct side_part *part, struct metrics *ret);
void metrics_release(struct metrics *m);
/* Its values where the call was not made: 0 for calls, errors and the like. NULL: not measured. */
const double *metrics_never_called(const struct metrics *m, const struct metric *like);
/*
 * Whether a name can be one of a figure: CALL.FIGURE, CALL.calls@PHASE, or of the whole run.
 * -EINVAL says what it may have been meant to be. A call that is not known here may be of a newer
 * kernel: it is refused only where it is a slip away from one that is.
 */
int metric_check_name(const char *name, struct err *err);
/* Parses the limit of a figure of that name, which may have no other unit than that. */
int metric_parse_limit(const char *name, const char *text, struct limit *ret, struct err *err);
/* 1 if that is the name of a system call of this machine. */
int metric_is_call(const char *name);
/* 1 if a figure of that name is worse when it is more. */
int metric_is_cost(const char *name);
/* 1 if that figure of a call (without its name) is 0 where the call was not made. */
int metric_counts_calls(const char *figure);
int metric_call_is_traced(const struct res_result *r, const char *call);
int metric_call_was_made(const struct res_result *r, const char *call);
/* 1 if a figure that the run does not have is 0: calls, errors or messages of a call that is traced
 * and was not made, or not in that phase. */
int metric_is_none(const struct res_result *r, const char *name);
/* 1 if a figure of that name is made of the times of calls. */
int metric_is_of_call_times(const char *name);
/* 1 if results of that schema can hold a figure of that name. */
int metric_is_of(const char *name, const struct schema *schema);
const struct metric *metrics_find(const struct metrics *m, const char *name); /* or NULL */

#endif
