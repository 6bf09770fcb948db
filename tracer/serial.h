/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_SERIAL_H
#define TRACER_SERIAL_H

#include <stdint.h>

/*
 * Does the started tree run one thread at a time? Then tracer and targets share a CPU (colocate.h).
 *
 * It is taken for serial while each process has one thread, and each that has children has one:
 * it waits for it, as a shell and a make without -j do. What is wrong is found out by looking,
 * every 5 ms while they share a CPU and there are several processes, who runs (parents that go on
 * beside their child); and what waits for a CPU that somebody else has. Then it is over for good.
 * Where much is recorded, and stops are few, it is better to take the records out elsewhere.
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
