/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_STACKS_WEIGHTS_H
#define TRACER_STACKS_WEIGHTS_H

#include <stdint.h>

#include "tracer/event.h"

/*
 * What the stacks of some calls say of all of them. Every call is added, so that the calls, time
 * and bytes of a site (of one call, in one address space) are exact; its stacks only share them
 * out. Those that were taken whatever the call was ("first") stand for themselves. What is left of
 * the site's totals is shared by the stacks taken by chance, each call as one over its chance.
 */
struct weights;

enum stacks_weight { STACKS_TIME, STACKS_BYTES, STACKS_CALLS, STACKS_MESSAGES, STACKS_WEIGHTS };

struct weights *weights_new(void);
void weights_free(struct weights *w); /* takes NULL */

/* One more call of the site: 1 if it is among its first ones, how many are `first`. */
int weights_is_first(struct weights *w, const struct sys_event *ev, unsigned int first);
/* A call that is over; chance: with which its stack was taken, if it was by chance. */
void weights_add(struct weights *w, const struct sys_event *ev, double chance);

/* Shares out the totals of an address space's sites, which are done with; weights_all: of all.
 * give: v of one call on one stack, which may come several times; stack_id 0: no stack was taken.
 */
typedef void weights_give(
	void *ctx, uint32_t stack_id, const struct sys_def *def, const uint64_t v[STACKS_WEIGHTS]);
void weights_fold(struct weights *w, uint32_t mm_id, weights_give *give, void *ctx);
void weights_all(struct weights *w, weights_give *give, void *ctx);
uint64_t weights_sites(const struct weights *w); /* seen, ever */

#endif
