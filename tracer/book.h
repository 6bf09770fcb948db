/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_BOOK_H
#define TRACER_BOOK_H

#include <stdint.h>

#include "common/base/out.h"
#include "tracer/agg/agg.h"
#include "tracer/detail/detail.h"
#include "tracer/stacks/stacks.h"
#include "tracer/sys_set.h"

/*
 * The book of a run: takes each finished call once and puts it into the phase in which it was
 * entered (start-up, window, shutdown), the timeline, the mappings and the spool of the detail.
 */
enum book_phase { PHASE_STARTUP, PHASE_WINDOW, PHASE_SHUTDOWN, PHASE_COUNT };

struct book_mark {
	char *name;
	uint64_t at_ns, calls;
};

struct book {
	uint64_t start_ns, end_ns;               /* of the run; end_ns set by book_close */
	uint64_t window_begin_ns, window_end_ns; /* UINT64_MAX: not (yet) */
	int times;        /* of calls are known: else only which came before which */
	int wants_window; /* without one all calls are in PHASE_WINDOW */
	struct agg *agg[PHASE_COUNT];
	struct causes *causes;
	struct book_stops {
		uint64_t near, far; /* on the tracer's CPU, and not */
	} stops[PHASE_COUNT];
	uint64_t seen[PHASE_COUNT][SEEN_COUNT]; /* calls, by how they were seen */
	struct {
		struct book_mark *at;
		size_t len, cap;
	} marks;
	struct timeline *timeline;
	struct mappings *mappings;
	struct stacks *stacks; /* the session's, or NULL */
	struct {
		const struct sys_set *set; /* NULL: no detail */
		struct spool *spool;       /* NULL: rendered */
		uint64_t calls;            /* that set selects */
		struct detail_text text;   /* what became of them */
		int64_t epoch_offset_ns;
	} detail;
};

/* times: 0 if those of calls only say which came before which. */
void book_init(struct book *b, uint64_t start_ns, int wants_window, int times);
/* Calls were made before the first one that comes. */
void book_attached(struct book *b);
void book_release(struct book *b);
/* Calls in set go to the spool. Both stay the caller's. */
void book_detail(struct book *b, struct spool *spool, const struct sys_set *set);

/* The phase that what is entered then belongs to, as far as is known by now; how the result calls
 * it. */
enum book_phase book_phase_at(const struct book *b, uint64_t ns);
const char *book_phase_name(const struct book *b, enum book_phase phase);

void book_call(struct book *b, const struct sys_event *ev);
/* One stop of the target; near: it shares the tracer's CPU. */
void book_stop(struct book *b, uint64_t at_ns, int near);
void book_begin(struct book *b, uint64_t at_ns);
void book_end(struct book *b, uint64_t at_ns);
void book_mark(struct book *b, const char *name, uint64_t at_ns);
void book_close(struct book *b, uint64_t at_ns); /* the run is over */
/* When no more calls come: the spool as text, see detail_render. */
int book_render(struct book *b, struct out *out, uint64_t limit_bytes, struct err *err);

/* Fills phases, window, tables, mappings, timeline. with_mappings: all of the mapping calls were
 * traced. */
void book_result(const struct book *b, const struct agg_names *names, int with_mappings,
	struct res_result *r);
/* Fills the detail's counts, after book_render (or without it: no line was written). */
void book_result_detail(const struct book *b, struct res_result *r);
/* Stops and length of what the tables cover. */
struct book_stops book_stops(const struct book *b);
/* Calls by how they were seen: SEEN_COUNT of them. */
const uint64_t *book_seen(const struct book *b);
uint64_t book_wall_ns(const struct book *b);

#endif
