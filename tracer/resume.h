/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RESUME_H
#define TRACER_RESUME_H

struct session;
struct tracee;

/* Lets a stopped tracee go on, delivering signal (0: none), to the next stop that it needs. Not one
 * that was overtaken: it, or who has its number now, is in a stop that is to be handled yet. */
void resume(const struct session *s, struct tracee *t, int signal);
/* Likewise, for one instruction or to the begin of the signal's handler. */
void resume_step(const struct session *s, struct tracee *t, int signal);

#endif
