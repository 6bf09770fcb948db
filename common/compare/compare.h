/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef COMPARE_COMPARE_H
#define COMPARE_COMPARE_H

#include "common/base/err.h"
#include "common/compare/side.h"
#include "common/model/result.h"

/*
 * Two sides -> what differs and whether that is a regression. docs/COMPARE.md has the rules:
 *
 *	exact     a count whose runs agree on each side (3 at least): any step to the worse counts
 *	noisy     wall_time, cpu_time and what has a limit: exact rank test, Holm, effect of a size
 *that counts described everything else
 */
enum compare_fail_on { FAIL_ON_REGRESSIONS, FAIL_ON_LIMITS, FAIL_ON_NOTHING };

struct compare_limits {
	const char *scenario;
	const char *const *pairs; /* name, condition, .., NULL */
};

struct compare_options {
	const struct compare_limits *limits; /* the last has no scenario; NULL: none */
	enum compare_fail_on fail_on;
	int force; /* what was made differently is compared all the same */
	/* What is asked about: a limit on what the sides do not have cannot be judged, unless it is
	 * of another scenario or type. NULL: any. */
	const char *scenario, *type;
	int in_turns;                /* the runs of both sides were made base, new, base, new, .. */
	const struct schema *schema; /* of that type; NULL: any */
	int only_found; /* scenarios and types that neither side has are not asked about */
	/* What the base does not have is new: limits on its values are judged, the others wait. */
	int allow_new;
};

enum { COMPARE_OK = 0, COMPARE_REGRESSION = 1, COMPARE_TROUBLE = 2, COMPARE_CANNOT_TELL = 3 };

/* *ret is a document of schema_compare: result_free(). -ENOENT: nothing is on both sides (new is
 * something, with allow_new), and no limit on any of it; -EINVAL: a limit that is not understood.
 */
int compare_sides(const struct side *base, const struct side *new,
	const struct compare_options *options, struct res_compare **ret, struct err *err);

/*
 * Limits against one side alone: those on the new value. The document has no base, and its status
 * is that of the limits; of runs that are incomplete COMPARE_TROUBLE, whatever their figures.
 */
int compare_budgets(const struct side *new, const struct compare_limits *limits,
	struct res_compare **ret, struct err *err);

#endif
