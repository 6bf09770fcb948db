/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_LOOP_H
#define TRACER_LOOP_H

#include "common/base/err.h"

struct session;

/* Runs until the last tracee is gone or the supervisor detaches. 0 or a negative errno. */
int loop_run(struct session *s, struct err *err);
/* Handles the next stop or death, without waiting for one: 1, 0 (none), -ECHILD (nobody is left).
 */
int loop_poll(struct session *s);
/* The last act of the tracing thread: what is still in a call never returned to us. */
void loop_end(struct session *s);

#endif
