/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_AGG_H
#define TRACER_AGG_H

#include <stdint.h>

#include "common/model/result.h"
#include "tracer/agg/causes.h"
#include "tracer/agg/counted.h"
#include "tracer/agg/names.h"
#include "tracer/agg/rows.h"
#include "tracer/event.h"

/*
 * The aggregator: events -> counters -> result. One phase (start-up, window, shutdown) has one
 * agg. Memory does not grow with the number of events, only with distinct calls, threads, fds.
 */
struct agg;
struct agg *agg_new(void);
void agg_free(struct agg *a);

/* Adds one finished call (see CONTRACT's counting rules in docs/RESULT_SCHEMA.md). */
void agg_add(struct agg *a, const struct sys_event *ev);
/* What kept the batch of one of its calls from being larger; fd_id 0: it was about none. */
void agg_limited(struct agg *a, const struct caused *caused);
uint64_t agg_calls(const struct agg *a);
/* The call with the most messages so far: its name, NULL if there is none. */
const char *agg_busiest(const struct agg *a, uint64_t *ret_calls, uint64_t *ret_messages);

/* What was counted so far, without histograms; ret is released with counted_release(). */
void agg_counted(const struct agg *a, const struct agg_names *names, struct counted *ret);

/* Fills r->syscalls (most time first), r->threads, r->fds, r->gathering, and warns of caps. */
void agg_result(const struct agg *a, const struct agg_names *names, struct res_result *r);
/* Appends calls by name to a phase row. */
void agg_phase(const struct agg *a, struct res_result *r, struct res_phase *phase);

/* ---- timeline.c: at most 1024 buckets; the bucket doubles when they are full ---- */
struct timeline;
struct timeline *timeline_new(uint64_t start_ns);
void timeline_free(struct timeline *t);
void timeline_add(struct timeline *t, const struct sys_event *ev);
/* names may be NULL: no threads. */
void timeline_result(const struct timeline *t, const struct agg_names *names, struct res_result *r);

/* ---- mappings.c: regions by kind, over all address spaces ---- */
struct mappings;
struct mappings *mappings_new(void);
void mappings_free(struct mappings *m);
/* mmap, munmap, mremap, brk; everything else is ignored. Only ok calls matter. */
void mappings_add(struct mappings *m, const struct sys_event *ev);
void mappings_fork(
	struct mappings *m, uint32_t parent_mm, uint32_t child_mm); /* copies the regions */
void mappings_drop(struct mappings *m, uint32_t mm);                /* exec or exit */
uint64_t mappings_brk(const struct mappings *m, uint32_t mm);       /* last break, 0 unknown */
/* What follows counts in this phase (0 at first); regions and what is mapped now are common. A
 * phase may be gone back to, for calls that were in flight when the next one began. */
#define MAPPINGS_PHASES 3
void mappings_phase(struct mappings *m, unsigned int phase);
/* The counters of this phase start again from 0. */
void mappings_restart(struct mappings *m);
/* The counters of the phase chosen last. */
void mappings_result(const struct mappings *m, struct res_result *r);

#endif
