/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CPU_DIFF_H
#define CPU_DIFF_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/out.h"
#include "common/model/result.h"
#include "cpu/intern.h"

/*
 * The difference of two folded files.
 *
 *	struct diff d = {0};
 *	rc = diff_read(&d, DIFF_BASE, base_path, err);
 *	if (rc == 0)
 *		rc = diff_read(&d, DIFF_NOW, now_path, err);
 *	diff_write(&d, &out);
 *	r->diff = diff_result(&d, r);
 *	diff_release(&d);
 *
 * The first frame, the thread's name, is left out, and the program's own file is called [program]:
 * names do not make a difference. Nor does an interrupt: what lies on it counts for what it came
 *upon.
 *
 * The rule. Samples are counts, so two profiles of the same program differ by chance. A stack (for
 * the figures: a function) differs significantly when the two-proportion z test of its share of all
 * samples says p < 0.01 / tests (Bonferroni: of all the stacks of two equal programs, none is
 *marked in 99 of 100 comparisons). Stacks with fewer than DIFF_SAMPLES_MIN samples in both together
 *are not tested. Everything that is not significant is written as not changed.
 */
#define DIFF_SAMPLES_MIN 10
#define DIFF_CHANGES_MAX 50

enum diff_side { DIFF_BASE, DIFF_NOW };

struct diff_count {
	uint64_t samples[2]; /* by side */
};

struct diff {
	struct intern stacks;
	struct {
		struct diff_count *at;
		size_t len, cap;
	} counts;
	uint64_t samples[2];
	char *base_path;
};

void diff_release(struct diff *d);
/* Reads "stack count" lines; a line that is none is an error that names it. */
int diff_read(struct diff *d, enum diff_side side, const char *path, struct err *err);
/* "stack BASE NOW" a line for the renderer, BASE scaled to as many samples as there are now. */
void diff_write(const struct diff *d, struct out *o);
/* The figures, in r's arena. */
struct res_cpu_diff *diff_result(const struct diff *d, struct res_cpu *r);

/* z of the difference of two shares, 0 where there is nothing to compare. */
double diff_z(const struct diff_count *c, const uint64_t totals[2]);
/* 1 if |z| is significant as one of that many tests. */
int diff_significant(double z, size_t tests);

#endif
