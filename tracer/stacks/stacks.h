/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_STACKS_STACKS_H
#define TRACER_STACKS_STACKS_H

#include <stdint.h>
#include <sys/user.h>

#include "common/base/out.h"
#include "common/model/result.h"
#include "tracer/event.h"

/*
 * Which code path makes the calls (--stacks): the user stack of one call in N of each thread, with
 * what that call took and moved, times N. Written as folded stacks, the call last:
 *
 *	program;main;serve;flush;write 4096
 */
struct stacks;
struct tracee;

#define STACKS_EVERY 97 /* where calls are recorded without stops */

enum stacks_weight { STACKS_TIME, STACKS_BYTES, STACKS_CALLS, STACKS_WEIGHTS };
extern const char *const stacks_weight_names[STACKS_WEIGHTS]; /* time, bytes, calls */

struct stacks *stacks_new(uint32_t every);
void stacks_free(struct stacks *s); /* takes NULL */
/* How many calls of a thread until the next one whose stack is taken: N on average, and by chance,
 * so that it does not keep step with a loop of the program. */
uint32_t stacks_gap(struct stacks *s);

/* The stack of a stopped thread of native code; regs as the program would have them. Returns its
 * id, 0 if there is none: for the event's stack_id. */
uint32_t stacks_take(struct stacks *s, const struct tracee *t, const struct user_regs_struct *regs);
/* One more call of the thread that is not recorded: 1 if its stack is wanted. */
int stacks_due(struct stacks *s, struct tracee *t);
void stacks_add(struct stacks *s, const struct sys_event *ev);
/* The address space ends. */
void stacks_forget(struct stacks *s, uint32_t mm_id);

void stacks_write(const struct stacks *s, enum stacks_weight weight, struct out *o);
void stacks_result(const struct stacks *s, struct res_result *r);

#endif
