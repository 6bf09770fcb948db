/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_VERIFY_H
#define TRACER_VERIFY_H

#include "common/base/err.h"
#include "common/base/out.h"
#include "tracer/options.h"

/*
 * iotrace --verify: the same program by stops, by stops again, with the recorder, and counted by
 * the kernel where that is permitted; writes to out whether the counts agree. Returns 0 they do,
 * 1 they do not, 3 they differ only where the program does so by itself, 125 with err set: a run
 * failed.
 */
int verify(const struct options *o, struct out *out, struct err *err);

#endif
