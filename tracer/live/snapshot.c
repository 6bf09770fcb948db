/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/live/snapshot.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "tracer/agg/timeless.h"
#include "tracer/session.h"

static uint64_t since_start(const struct book *b, uint64_t ns)
{
	if (ns == UINT64_MAX)
		return ns;
	return ns > b->start_ns ? ns - b->start_ns : 0;
}

/* Threads name themselves when they like; what they are called is known at their end only. */
static void read_names(struct session *s)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it))
		tracees_read_comm(&s->tracees, it.value);
}

struct snapshot *snapshot_take(struct session *s, int last)
{
	const struct book *b = &s->book;
	struct agg_names names = session_names(s);
	uint64_t now_ns = last ? b->end_ns : clock_mono_ns();
	struct snapshot *ret = mem_calloc(1, sizeof(*ret));

	read_names(s);
	ret->at_ns = since_start(b, now_ns);
	/* A window that was still open ended with the run. */
	ret->phase = book_phase_at(b, now_ns - (last != 0));
	for (int i = 0; i < PHASE_COUNT; i++) {
		struct snapshot_phase *p = &ret->phases[i];

		p->name = book_phase_name(b, (enum book_phase)i);
		agg_counted(b->agg[i], &names, &p->counted);
		if (s->opt->no_times)
			counted_without_times(&p->counted);
	}
	ret->phases[PHASE_STARTUP].end_ns = ret->phases[PHASE_WINDOW].begin_ns =
		since_start(b, b->window_begin_ns);
	ret->phases[PHASE_WINDOW].end_ns = ret->phases[PHASE_SHUTDOWN].begin_ns =
		since_start(b, b->window_end_ns);
	ret->phases[PHASE_SHUTDOWN].end_ns = UINT64_MAX;
	ret->lost = session_lost(s);
	ret->threads_alive = tracees_count(&s->tracees);
	ret->last = last;
	return ret;
}

void snapshot_free(struct snapshot *s)
{
	for (int i = 0; s && i < PHASE_COUNT; i++)
		counted_release(&s->phases[i].counted);
	free(s);
}

int snapshot_is_complete(const struct snapshot *s, enum book_phase phase)
{
	return s->lost == 0 && !s->phases[phase].counted.unreadable;
}

uint64_t snapshot_length_ns(
	const struct snapshot *before, const struct snapshot *now, enum book_phase phase)
{
	const struct snapshot_phase *p = &now->phases[phase];
	uint64_t from = before ? before->at_ns : 0, to = now->at_ns;

	if (p->begin_ns > from)
		from = p->begin_ns;
	if (p->end_ns < to)
		to = p->end_ns;
	return to > from ? to - from : 0;
}
