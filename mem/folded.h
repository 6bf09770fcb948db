/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MEM_FOLDED_H
#define MEM_FOLDED_H

#include "common/base/out.h"
#include "mem/massif.h"

/*
 * The peak tree as folded stacks, "outermost;..;allocated BYTES", what flame graph renderers read.
 * Sorted, one line for each different stack. What massif lumped together is a frame
 * "[below threshold]" in the place of the callers that it did not tell apart.
 *
 * Output ends at FOLDED_MAX_BYTES; *ret_left_out is what did not fit, in bytes of the heap.
 */
#define FOLDED_MAX_BYTES (64u << 20)

void folded_write(const struct massif *m, struct out *o, uint64_t *ret_left_out);

#endif
