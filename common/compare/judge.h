/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef COMPARE_JUDGE_H
#define COMPARE_JUDGE_H

#include "common/compare/limit.h"
#include "common/compare/metric.h"
#include "common/compare/stats.h"
#include "common/model/result.h"

/* Between compare.c and judge.c: the metrics of one scenario and type, and the verdicts. */

/* Counts are exact where each side has so many runs, and they agree. */
enum { JUDGE_RUNS_EXACT = 3 };

/* Why a kind of metric cannot be compared; NULL: it can. Heap memory. */
struct judge_rules {
	char *counts, *batches, *times;
	char *samples; /* what is counted in samples, all but limits on values */
};

struct judge_row {
	const struct metric *metric; /* name, unit, kind: of either side */
	const double *base, *new;    /* values a run; NULL: not measured on that side */
	size_t base_runs, new_runs;
	struct stats_pair tested; /* of all these, as many as can be */
	const char *limit_text;   /* NULL: none */
	struct limit limit;
	int exact;
	int family; /* in which family of tests, from 1; 0: in none; -1: it needs no test */
	struct res_compare_metric *out;
};

/* What the runs did, in units of work. */
enum judge_work {
	WORK_UNKNOWN,
	WORK_SAME,   /* all of both sides the same */
	WORK_SIDES,  /* those of a side the same */
	WORK_VARIES, /* each its own */
};

struct judge {
	void *doc;
	enum judge_work work;
	const struct judge_rules *rules;
	struct judge_row *rows;
	size_t len;
	int in_turns; /* base, new, base, ..: what the machine did meanwhile it did to both */
};

/* Fills kind, figures and verdict of each row's `out`. */
void judge_all(const struct judge *j);

/* The words of `verdict`. */
#define VERDICT_OK           "ok"
#define VERDICT_REGRESSION   "REGRESSION"
#define VERDICT_LOOKS_WORSE  "looks worse" /* too few runs for a test, and no doubt to the eye */
#define VERDICT_BETTER       "better"
#define VERDICT_MOVED        "moved"
#define VERDICT_SAME         "same"
#define VERDICT_CANNOT_TELL  "cannot tell"
#define VERDICT_NOT_COMPARED "not compared"
#define VERDICT_TROUBLE      "trouble"

#define JUDGE_ALPHA 0.05

#endif
