/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/book.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

void book_init(struct book *b, uint64_t start_ns, int wants_window, int times)
{
	*b = (struct book){.start_ns = start_ns,
		.wants_window = wants_window,
		.times = times,
		.window_begin_ns = wants_window ? UINT64_MAX : 0,
		.window_end_ns = UINT64_MAX};
	for (int i = 0; i < PHASE_COUNT; i++)
		b->agg[i] = agg_new();
	b->causes = causes_new(times);
	b->timeline = timeline_new(start_ns);
	b->mappings = mappings_new();
}

void book_attached(struct book *b)
{
	causes_attached(b->causes);
}

void book_release(struct book *b)
{
	for (int i = 0; i < PHASE_COUNT; i++)
		agg_free(b->agg[i]);
	causes_free(b->causes);
	for (size_t i = 0; i < b->marks.len; i++)
		free(b->marks.at[i].name);
	free(b->marks.at);
	timeline_free(b->timeline);
	mappings_free(b->mappings);
}

void book_detail(struct book *b, struct spool *spool, const struct sys_set *set)
{
	b->detail.spool = spool;
	b->detail.set = set;
	b->detail.epoch_offset_ns =
		b->times ? (int64_t)(clock_real_ns() - clock_mono_ns()) : DETAIL_NO_TIMES;
}

enum book_phase book_phase_at(const struct book *b, uint64_t ns)
{
	if (ns < b->window_begin_ns)
		return PHASE_STARTUP;
	return ns < b->window_end_ns ? PHASE_WINDOW : PHASE_SHUTDOWN;
}

static const char *const phase_names[PHASE_COUNT] = {"start-up", "window", "shutdown"};

const char *book_phase_name(const struct book *b, enum book_phase phase)
{
	return b->wants_window ? phase_names[phase] : "run";
}

static void detail_call(struct book *b, const struct sys_event *ev)
{
	if (!b->detail.spool || !sys_set_has(b->detail.set, ev->def))
		return;
	b->detail.calls++;
	spool_add(b->detail.spool, ev);
}

static void mark_call(struct book *b, uint64_t entry_ns)
{
	for (size_t i = b->marks.len; i-- > 0;)
		if (entry_ns >= b->marks.at[i].at_ns) {
			b->marks.at[i].calls++;
			return;
		}
}

static void limit_call(struct book *b, const struct sys_event *ev, enum book_phase phase)
{
	struct caused of[2];
	size_t n = causes_add(b->causes, ev, (uint8_t)phase, of);

	for (size_t i = 0; i < n; i++)
		agg_limited(b->agg[of[i].phase], &of[i]);
}

void book_call(struct book *b, const struct sys_event *ev)
{
	enum book_phase phase = book_phase_at(b, ev->entry_ns);

	b->seen[phase][ev->seen]++;
	mappings_phase(b->mappings, phase);
	agg_add(b->agg[phase], ev);
	limit_call(b, ev, phase);
	timeline_add(b->timeline, ev);
	mappings_add(b->mappings, ev);
	if (b->marks.len)
		mark_call(b, ev->entry_ns);
	detail_call(b, ev);
	if (b->stacks && (phase == PHASE_WINDOW || !b->wants_window))
		stacks_add(b->stacks, ev);
}

void book_stop(struct book *b, uint64_t at_ns, int near)
{
	struct book_stops *stops = &b->stops[book_phase_at(b, at_ns)];

	if (near)
		stops->near++;
	else
		stops->far++;
}

void book_begin(struct book *b, uint64_t at_ns)
{
	if (b->window_begin_ns == UINT64_MAX)
		b->window_begin_ns = at_ns;
}

void book_end(struct book *b, uint64_t at_ns)
{
	if (b->window_begin_ns != UINT64_MAX && b->window_end_ns == UINT64_MAX)
		b->window_end_ns = at_ns;
}

void book_mark(struct book *b, const char *name, uint64_t at_ns)
{
	*VEC_PUSH(&b->marks) = (struct book_mark){.name = mem_strdup(name), .at_ns = at_ns};
}

/* The phase that the tables cover: the window, or all of a run whose window never began. */
static enum book_phase covered(const struct book *b)
{
	return b->wants_window && b->window_begin_ns == UINT64_MAX ? PHASE_STARTUP : PHASE_WINDOW;
}

void book_close(struct book *b, uint64_t at_ns)
{
	struct caused last;

	b->end_ns = at_ns;
	while (causes_end(b->causes, &last))
		agg_limited(b->agg[last.phase], &last);
	/* A window that was to begin or end after the run did not, or ended with it. */
	if (b->window_begin_ns != UINT64_MAX && b->window_begin_ns > at_ns)
		b->window_begin_ns = UINT64_MAX;
	if (b->window_end_ns > at_ns)
		b->window_end_ns = at_ns;
	mappings_phase(b->mappings, covered(b));
}

int book_render(struct book *b, struct out *out, uint64_t limit_bytes, struct err *err)
{
	struct spool *spool = b->detail.spool;

	b->detail.spool = NULL;
	return detail_render(
		spool, out, limit_bytes, b->detail.epoch_offset_ns, &b->detail.text, err);
}

static uint64_t begin_of(const struct book *b)
{
	return covered(b) == PHASE_WINDOW && b->wants_window ? b->window_begin_ns : b->start_ns;
}

struct book_stops book_stops(const struct book *b)
{
	return b->stops[covered(b)];
}

const uint64_t *book_seen(const struct book *b)
{
	return b->seen[covered(b)];
}

uint64_t book_wall_ns(const struct book *b)
{
	uint64_t end = covered(b) == PHASE_WINDOW ? b->window_end_ns : b->end_ns;

	return end > begin_of(b) ? end - begin_of(b) : 0;
}

static void fill_phase(const struct book *b, enum book_phase phase, const char *name,
	uint64_t wall_ns, struct res_result *r, struct res_phase *row)
{
	row->name = name;
	row->wall_ns = wall_ns;
	row->calls = 0; /* agg_phase adds to it */
	agg_phase(b->agg[phase], r, row);
}

static void fill_marks(const struct book *b, struct res_result *r, struct res_phase *row)
{
	for (size_t i = 0; i < b->marks.len; i++, row++) {
		const struct book_mark *m = &b->marks.at[i];
		uint64_t end = i + 1 < b->marks.len ? m[1].at_ns : b->end_ns;

		row->name = arena_strdup(result_arena(r), m->name);
		row->wall_ns = end > m->at_ns ? end - m->at_ns : 0;
		row->calls = m->calls;
	}
}

static void fill_phases(const struct book *b, struct res_result *r)
{
	int window = covered(b) == PHASE_WINDOW && b->wants_window;
	size_t n = window ? PHASE_COUNT : 1;

	RES_LIST(r, &r->phases, n + b->marks.len, phase);
	if (window) {
		fill_phase(b, PHASE_STARTUP, phase_names[PHASE_STARTUP],
			b->window_begin_ns - b->start_ns, r, &r->phases.at[0]);
		fill_phase(b, PHASE_WINDOW, phase_names[PHASE_WINDOW], book_wall_ns(b), r,
			&r->phases.at[1]);
		fill_phase(b, PHASE_SHUTDOWN, phase_names[PHASE_SHUTDOWN],
			b->end_ns - b->window_end_ns, r, &r->phases.at[2]);
	} else {
		fill_phase(b, covered(b), "run", book_wall_ns(b), r, &r->phases.at[0]);
	}
	fill_marks(b, r, r->phases.at + n);
}

static void fill_window(const struct book *b, struct res_result *r)
{
	if (covered(b) == PHASE_WINDOW && b->wants_window) {
		r->window = RES_OBJ(r, window);
		r->window->begin_ns = b->window_begin_ns - b->start_ns;
		r->window->end_ns = b->window_end_ns - b->start_ns;
		r->window->wall_ns = book_wall_ns(b);
	} else if (b->wants_window) {
		result_warn(r, "window_never_began",
			"The window that was asked for never began: all figures are those of the "
			"whole run.");
	}
}

void book_result(const struct book *b, const struct agg_names *names, int with_mappings,
	struct res_result *r)
{
	r->wall_ns = b->end_ns - b->start_ns;
	fill_window(b, r);
	fill_phases(b, r);
	agg_result(b->agg[covered(b)], names, r);
	if (with_mappings)
		mappings_result(b->mappings, r);
	timeline_result(b->timeline, names, r);
}

void book_result_detail(const struct book *b, struct res_result *r)
{
	r->tracer->detail_lines = b->detail.text.lines;
	r->tracer->detail_lines_left_out = b->detail.calls - b->detail.text.lines;
}
