/* SPDX-License-Identifier: GPL-3.0-only */
/* The replay of the detail file, as a table. */
#include "common/analyze/io_doc.h"
#include "common/base/clock.h"

#define ROWS_MAX 10 /* places; each has a row for every policy */

static const struct doc_column columns[] = {
	{"place", "thread, descriptor", "", 1, 0},
	{"change", "change", "what the gathered calls would be", 1, 0},
	{"calls", "calls", "that succeeded, as they were", 0, 0},
	{"policy", "gathered up to", "", 1, 0},
	{"saved", "calls saved", "if everything may wait", 0, 0},
	{"delay", "mean delay", "that a call is held back then", 0, 0},
	{"held", "saved safely", "if nothing is held back over a receive on the descriptor", 0, 0},
	{"held_delay", "mean delay", "that a call is held back then", 0, 0},
};

/* What the result says that the descriptor is; NULL if that is not one and the same thing. */
static const char *target_of(const struct res_result *r, const struct whatif_place *p)
{
	const char *found = NULL;
	uint64_t pid = U64_NONE;

	for (size_t i = 0; i < r->threads.len; i++)
		if (r->threads.at[i].tid == p->tid)
			pid = r->threads.at[i].pid;
	for (size_t i = 0; i < r->fds.len; i++) {
		const struct res_fd *fd = &r->fds.at[i];

		if (fd->fd != p->fd || fd->pid != pid || !fd->target)
			continue;
		if (found)
			return NULL;
		found = fd->target;
	}
	return found;
}

static uint64_t mean_delay_ns(uint64_t delay_us, uint64_t calls)
{
	return calls ? delay_us / calls * NS_PER_US + delay_us % calls * NS_PER_US / calls : 0;
}

static void place_rows(struct doc *d, struct doc_table *t, const struct res_result *r,
	const struct whatif_place *p)
{
	const char *target = target_of(r, p);

	for (int i = 0; i < WHATIF_POLICIES; i++) {
		const struct whatif_outcome *o = &p->outcome[i];

		doc_cell_text(d, t, "%llu, %llu%s%s", (unsigned long long)p->tid,
			(unsigned long long)p->fd, target ? " " : "", target ? target : "");
		doc_cell_text(
			d, t, "%s -> %s", whatif_call_name(p->call), whatif_call_into(p->call));
		doc_cell(t, CELL_COUNT, p->calls);
		doc_cell_text(d, t, "%s", whatif_policies[i].name);
		doc_cell(t, CELL_COUNT, p->calls - o->calls);
		doc_cell(t, CELL_NS, mean_delay_ns(o->delay_us, p->calls));
		doc_cell(t, CELL_COUNT, p->calls - o->held_calls);
		doc_cell(t, CELL_NS, mean_delay_ns(o->held_delay_us, p->calls));
	}
}

static void partial_note(struct doc *d, const struct whatif_place *p)
{
	if (!p->partial)
		return;
	doc_note(d,
		"%s of thread %llu on descriptor %llu: %s sent only part; the next of its calls "
		"there succeeded in %s cases, failed with EAGAIN in %s, and otherwise came after "
		"a receive or not at all.",
		whatif_call_name(p->call), (unsigned long long)p->tid, (unsigned long long)p->fd,
		view_plural(d, p->partial, "call"), view_count(d, p->after_partial_again),
		view_count(d, p->after_partial_eagain));
}

void io_whatif(struct doc *d, const struct analyze_scenario *s)
{
	const struct whatif *w = s->whatif;
	struct doc_table *t;
	size_t shown = 0, judged = 0;

	doc_section(d, "What if calls were gathered");
	if (!w) {
		doc_text(d,
			"Not computed: it replays the recorded times of a detail file (--detail "
			"FILE, or NAME-iotrace-detail.txt beside the result).");
		return;
	}
	for (size_t i = 0; i < w->len; i++)
		judged += w->at[i].calls >= TARGET_CALLS_MIN;
	doc_text(d, "%s replayed, of the whole run%s", view_plural(d, w->lines, "line"),
		judged ? ":" : "; no thread sent often enough on one descriptor to say anything.");
	t = doc_table(d, "whatif", columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < w->len && shown < ROWS_MAX; i++)
		if (w->at[i].calls >= TARGET_CALLS_MIN) {
			place_rows(d, t, s->io, &w->at[i]);
			shown++;
		}
	if (s->io->tracer && s->io->tracer->detail_lines != U64_NONE &&
		s->io->tracer->detail_lines != w->lines)
		doc_note(d,
			"The result says that its detail file has %s: this may be that of "
			"another run.",
			view_plural(d, s->io->tracer->detail_lines, "line"));
	for (size_t i = 0; i < shown; i++)
		partial_note(d, &w->at[i]);
	if (judged > shown)
		doc_note(d, "%zu more places with fewer calls are not shown.", judged - shown);
	if (judged)
		doc_note(d,
			"\"Saved safely\" sends what is held back before the thread receives on "
			"that descriptor, syncs or closes it, as an answer may depend on it. "
			"Places with fewer than %d calls are left out.",
			TARGET_CALLS_MIN);
	if (w->left_out)
		doc_note(d, "%s of other places were left out: there are more than %d.",
			view_plural(d, w->left_out, "call"), WHATIF_PLACES_MAX);
}
