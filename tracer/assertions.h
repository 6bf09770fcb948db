/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_ASSERTIONS_H
#define TRACER_ASSERTIONS_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/base/out.h"
#include "common/model/result.h"

/*
 * --assert 'sendmmsg.per_call >= 8': a figure of compare (metrics.def) and a limit on its value, in
 * compare's language. Parsed before the target starts, held against the result after its end.
 */
struct assertion;

struct assertions {
	struct assertion *at;
	size_t len, cap;
};

/* text must live as long as a. -EINVAL says what was not understood, and what was maybe meant. */
int assertions_add(struct assertions *a, const char *text, struct err *err);
/* The first figure that is made of the times of calls, as `write.p99`; NULL: none is. */
const char *assertions_on_times(const struct assertions *a);
void assertions_release(struct assertions *a);
/*
 * A line in o for each that does not hold, with the figure, and for each that cannot be judged,
 * with the reason; how many these are.
 */
size_t assertions_judge(const struct assertions *a, struct res_result *r, struct out *o);

#endif
