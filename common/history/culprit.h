/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef HISTORY_CULPRIT_H
#define HISTORY_CULPRIT_H

#include "common/history/trend.h"
#include "common/model/result.h"

/* What compare says of two versions of a history, and what of that is behind a figure. */

struct culprit_ask {
	const char *base, *new;              /* labels */
	const char *scenario, *type;         /* NULL: of all that both have */
	const struct compare_limits *limits; /* NULL: none */
};

/* *ret: result_free(). -ENOENT: nothing is in both. */
int culprit_compare(struct history *h, const struct culprit_ask *ask, struct res_compare **ret,
	struct err *err);

/* Every change of a history: of each two versions one after the other what compare calls exact,
 * and the changes of trend in what is judged though it is noisy. */
struct change {
	const char *label, *before_label, *scenario, *type, *metric, *unit;
	enum trend_why why;
	int direction; /* 1 worse, -1 better, 0 neither */
	double before, after;
	const char *culprit;
	size_t version; /* its place among the versions */
	size_t order;   /* among those of a version */
};
struct changes {
	struct arena arena;
	struct change *at;
	size_t len, cap;
	size_t versions;
	size_t sets, few; /* runs of a scenario and type in a version; those too few to be exact */
	size_t judged;    /* the least of trend_series.judged */
};
/* Figures that are judged though they are noisy. */
enum { CHANGES_NOISY = 5 };
extern const char *const changes_noisy[CHANGES_NOISY];
int changes_read(
	struct history *h, const struct trend_ask *ask, struct changes *ret, struct err *err);
void changes_release(struct changes *c);

#endif
