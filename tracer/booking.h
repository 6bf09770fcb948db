/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_BOOKING_H
#define TRACER_BOOKING_H

#include "tracer/event.h"
#include "tracer/recorder/recorder.h"

struct session;
struct tracee;

/*
 * A call is over, however it was seen: which file was it about, what did it move, and into the
 * book, in the order in which calls ended.
 */

/* Takes what the recorder gives. */
struct recorder_sink booking_sink(struct session *s);
/* A call that stopped is over, and measured; t stands behind it, or has ended in it. Not counted:
 * only what it did to its files table. */
void booking_call(struct session *s, struct tracee *t, const struct sys_event *ev, int counted);
/* Once a socket is known that cuts all its datagrams, the recorder must know it too. */
void booking_segments(struct session *s);

#endif
