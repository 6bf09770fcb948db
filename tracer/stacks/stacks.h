/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_STACKS_STACKS_H
#define TRACER_STACKS_STACKS_H

#include <stdint.h>
#include <sys/user.h>

#include "common/base/out.h"
#include "common/model/result.h"
#include "tracer/event.h"
#include "tracer/stacks/weights.h"

/*
 * Which code path makes the calls (--stacks): user stacks of some calls, weighed so that the calls,
 * time and bytes of each site are exact (weights.h). Taken are the stacks of a site's first calls,
 * of one call in N of each thread by chance, and of one call for each millisecond that a thread
 * spends in calls, by chance too: so what few long calls took is not missed among many short ones.
 * Written as folded stacks, the call last:
 *
 *	program;main;serve;flush;write 4096
 */
struct stacks;
struct filler;
struct tracee;

#define STACKS_EVERY    97      /* where calls are recorded without stops */
#define STACKS_EVERY_NS 1000000 /* of a thread's time in calls */
#define STACKS_FIRST    32      /* of each site */

extern const char *const stacks_weight_names[STACKS_WEIGHTS]; /* time, bytes, .. */

/* times 0: calls have no times, and nothing is taken or weighed by them. */
struct stacks *stacks_new(uint32_t every, int times);
void stacks_free(struct stacks *s); /* takes NULL */
/* A traced process may serve the files of code: f, the caller's, reads them. */
void stacks_beware(struct stacks *s, struct filler *f);

/* ---- which: the first calls of a site, and by chance, so that it keeps no step with a loop ----
 */
/* One more call of ev's mm, site and def: 1 if it is among the first there. */
int stacks_is_first(struct stacks *s, const struct sys_event *ev);
/* How many calls of a thread until the next one whose stack is taken: N on average. */
uint32_t stacks_gap(struct stacks *s);
/* How much time in calls; exponential: each nanosecond has the same chance. Without times no time
 * is long enough: UINT64_MAX. */
uint64_t stacks_gap_ns(struct stacks *s);
/* The same for a call of the thread that is not recorded: 1 if its stack is wanted at its entry, or
 * at its exit after that time. */
int stacks_due(struct stacks *s, struct tracee *t);
int stacks_due_after(struct stacks *s, struct tracee *t, uint64_t ns);

/* The stack of a stopped thread of native code; regs as the program would have them. Returns its
 * id, 0 if there is none: for the event's stack_id. */
uint32_t stacks_take(struct stacks *s, const struct tracee *t, const struct user_regs_struct *regs);
/* A call that is over, with its stack or without. */
void stacks_add(struct stacks *s, const struct sys_event *ev);
/* The address space ends. */
void stacks_forget(struct stacks *s, uint32_t mm_id);
/* A file system is to be unmounted: elfutils keeps files of code mapped, also what the process has
 * unmapped since. They are mapped anew when they are needed. */
void stacks_let_go(struct stacks *s);

/* All calls are added. */
void stacks_result(struct stacks *s, struct res_result *r);
/* After stacks_result(). */
void stacks_write(const struct stacks *s, enum stacks_weight weight, struct out *o);

#endif
