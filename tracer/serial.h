/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_SERIAL_H
#define TRACER_SERIAL_H

#include <stdint.h>

/*
 * Does the started tree run one thread at a time? Then tracer and targets share a CPU (colocate.h).
 *
 * It is taken for serial while each that has children has one: it waits for it, as a shell and a
 * make without -j do; and while there are few threads beside the first ones of their processes, as
 * where they are made and joined one after the other. What is wrong is found out by looking, every
 * 5 ms while they share a CPU and there are several threads, who runs (parents that go on beside
 * their child); and what waits for a CPU that somebody else has. Then it is over for good. Threads
 * part sooner, and come together again after more and more stops: sharing must be worth it, by what
 * a stop was measured to cost less where they do. Where much is recorded, and stops are few, it is
 * better to take the records out elsewhere.
 *
 * No target sees it: before a call that asks for a mask all have their own, and after one that sets
 * a mask we set none any more. A child that is born meanwhile is given its own at its first stop.
 */
struct session;
struct tracee;

/* t stopped at at_ns. */
void serial_stop(struct session *s, struct tracee *t, uint64_t at_ns);
/* wait4 was interrupted, maybe by the timer. */
void serial_awake(struct session *s);
/* t is made, by maker, or is one whose maker is not known (NULL). Then at its first stop. */
void serial_born(struct session *s, struct tracee *maker, struct tracee *t);
void serial_first_stop(struct session *s, struct tracee *t);
/* Much is recorded. */
void serial_busy(struct session *s);
/* All have their masks back: until the tree is serial again, and for good. */
void serial_part(struct session *s);
void serial_end(struct session *s);

#endif
