/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_OUTSIDE_H
#define TRACER_OUTSIDE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/model/result.h"
#include "tracer/syscalls.h"

/*
 * What is known of the calls that --trace leaves out: those that the tracer sees all the same
 * (control.h), so that at least so many were made; and how long the kernel worked for the target.
 */
struct outside {
	uint64_t *calls; /* by row index; heap */
	size_t len;
	uint64_t system_ns; /* U64_NONE: not read */
};

void outside_init(struct outside *o);
void outside_release(struct outside *o);
void outside_calls(struct outside *o, const struct sys_def *def, uint64_t n);
/* CPU time in the kernel of the process, which stands before its end, and of the children that it
 * has waited for. */
void outside_end(struct outside *o, pid_t pid);
/* Fills r->tracer. */
void outside_result(const struct outside *o, struct res_result *r);

#endif
