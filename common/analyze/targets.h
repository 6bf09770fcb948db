/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_TARGETS_H
#define ANALYZE_TARGETS_H

#include "common/analyze/analyze.h"
#include "common/analyze/batching.h"

/*
 * What is worth changing: Priority = Impact x Frequency x Ease / 10, each 1 to 10.
 * - Impact: the time that the change would save, as a share of the window: 1 up to 2%, and one more
 *   for each 2% above.
 * - Frequency: 1 + 2 x log10 of the calls a second that it is about.
 * - Ease: of targets.def, or the user's.
 */
#define TARGET_SHARE_MIN 0.005 /* less of the window's time is no target, */
/* but for calls that take so much of it at their median, and so much of that saved: a window is
 * longer on a busy machine, a median is not */
#define TARGET_USUAL_MIN    0.01
#define TARGET_OF_CALLS_MIN 0.02
#define TARGET_STEP         0.02

struct target {
	enum target_kind kind;
	const char *call;     /* what it is about */
	const char *why;      /* with its figures */
	const char *evidence; /* row of the file */
	const char *check;    /* what must change, for `profile-scenario compare` */
	uint64_t calls;
	double saved_ns, share; /* of the window */
	unsigned int impact, frequency, ease;
	double priority;
};

struct targets {
	struct target *at; /* by priority */
	size_t len;
	const char **without; /* sentences: why there is none */
	size_t without_len;
	int timeless;      /* what a change saves is not measured */
	const char *whole; /* what shares are of: "window", or "run" where there is none */
};

/* In d's arena. */
struct targets targets_find(struct doc *d, const struct analyze_scenario *s,
	const struct batching *batching, size_t n, const struct ease_table *ease);

/* Pure, for the rule above: 1 to 10. */
unsigned int target_impact(double share);
unsigned int target_frequency(double calls_per_s);

#endif
