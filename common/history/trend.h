/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef HISTORY_TREND_H
#define HISTORY_TREND_H

#include "common/base/mem.h"
#include "common/history/store.h"

/*
 * A figure over the versions of a history, and where it changed.
 *
 *	exact    a count whose runs agree, JUDGE_RUNS_EXACT at least, in two versions one after
 *		 the other, and whose value differs: what compare calls exact
 *	noisy    points.h, on the medians of versions with TREND_RUNS_LEAST runs, of each machine
 *		 by itself
 *	machine  the runs of two versions one after the other have no machine in common, and their
 *		 medians differ by POINTS_EFFECT: nothing is said of the program
 *	made	 what would be exact, of runs that compare does not compare: other arguments, ..
 */
enum { TREND_RUNS_LEAST = 3 };
enum trend_why { TREND_EXACT, TREND_NOISY, TREND_MACHINE, TREND_MADE };

struct trend_value {
	double value;
	const char *machine;
};

struct trend_point {
	const char *label;
	struct {
		struct trend_value *at;
		size_t len, cap;
	} values;                /* of its runs; at least one */
	double median, min, max; /* NAN: not measured */
};

struct trend_change {
	enum trend_why why;
	size_t at; /* the first point of the new level */
	double before, after;
	const char *culprit; /* "" where none is known */
};

struct trend_series {
	const char *scenario, *type, *unit, *kind;
	int worse; /* 1: more is worse, -1: less is, 0: neither */
	struct {
		struct trend_point *at;
		size_t len, cap;
	} points; /* the oldest version first */
	struct {
		struct trend_change *at;
		size_t len, cap;
	} changes;       /* by place */
	size_t few;      /* versions with too few runs for what is noisy */
	size_t judged;   /* versions in which what is noisy was looked for, of the machine that has
			    most; SIZE_MAX: nothing is noisy */
	size_t unlooked; /* older ones beyond POINTS_MAX */
};

struct trend {
	struct arena arena;
	const char *metric;
	struct {
		struct trend_series *at;
		size_t len, cap;
	} series; /* those in which it was measured */
};

struct trend_ask {
	const char *metric, *scenario, *type; /* NULL: of all */
};

/* -ENOENT: no run has that figure. ret: trend_release(), after an error too. */
int trend_read(struct history *h, const struct trend_ask *ask, struct trend *ret, struct err *err);
void trend_release(struct trend *t);
/* Pure, of a series whose points have values. */
void trend_find(struct trend_series *s);
/* What compare says is behind the exact changes: of the newest TREND_CULPRITS. */
enum { TREND_CULPRITS = 20 };
int trend_culprits(struct history *h, struct trend *t, struct err *err);
/* 1: worse, -1: better, 0: neither. */
int trend_direction(const struct trend_series *s, const struct trend_change *c);

#endif
