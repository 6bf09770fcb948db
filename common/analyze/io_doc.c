/* SPDX-License-Identifier: GPL-3.0-only */
/* The I/O analysis as a whole, and its head: what ran, what was found, what to change. */
#include "common/analyze/io_doc.h"

#include <string.h>

#include "common/analyze/another.h"
#include "common/analyze/errors.h"
#include "common/base/units.h"
#include "common/write/safe.h"

#define COMMAND_COLUMNS 300
#define FINDINGS_MAX    5 /* of a kind, in the key findings */
#define FIRST_TARGETS   3

static const struct doc_column target_columns[] = {
	{"priority", "Priority", "Impact x Frequency x Ease / 10", 0, 0},
	{"call", "call", "what it is about", 1, 0}, {"change", "change", "what to do", 1, 0},
	{"impact", "Impact", "1 up to 2% of the time saved, one more for each 2%", 0, 0},
	{"frequency", "Frequency", "1 + 2 x log10 of calls a second", 0, 0},
	{"ease", "Ease", "10: easy; a table, which --ease overrides", 0, 0},
	{"saved", "saves about", "time", 0, 0},
	{"share", NULL, "as a share", 0, 0}, /* of the window, or the run */
};

struct io_findings io_findings(
	struct doc *d, const struct analyze_scenario *s, const struct ease_table *ease)
{
	struct io_findings f = {.s = s};
	struct batching *list = batching_list(d, s->io, &f.batching_len);

	another_add_runs(d, list, f.batching_len, s->io_runs);
	f.batching = list;
	f.targets = targets_find(d, s, f.batching, f.batching_len, ease);
	return f;
}

/* The head of the summary; its title, which is the command, as one of the pairs. */
static void io_what_ran(struct doc *d, const struct res_result *r)
{
	struct doc *head = doc_new();

	view_head(head, r);
	for (size_t i = 0; i < head->blocks.len; i++) {
		const struct doc_block *b = &head->blocks.at[i];

		if (b->kind == DOC_HEAD) {
			char *command = safe_text(&d->arena, b->a);

			doc_pair(d, "command", "%s", safe_cut(&d->arena, command, COMMAND_COLUMNS));
			doc_pair(d, "tracer", "%s", b->b);
		} else if (b->kind == DOC_PAIR) {
			doc_pair(d, b->a, "%s", b->b);
		}
	}
	doc_pair(d, "calls", "%s in what is counted below", view_count(d, view_calls(r)));
	doc_free(head);
}

#define SAVES_NOTHING_KNOWN "What a change would save is not measured: " VIEW_NO_TIMES

static void target_rows(struct doc *d, const struct targets *targets)
{
	struct doc_column *columns = arena_alloc(&d->arena, 1, sizeof(target_columns));
	struct doc_table *t = doc_table(d, "targets", columns, LEN(target_columns));

	memcpy(columns, target_columns, sizeof(target_columns));
	columns[LEN(target_columns) - 1].title =
		arena_printf(&d->arena, "of the %s", targets->whole);
	for (size_t i = 0; i < targets->len; i++) {
		const struct target *x = &targets->at[i];

		doc_cell_real(t, CELL_MEAN, x->priority);
		doc_cell_text(d, t, "%s", x->call);
		doc_cell_text(d, t, "%s (%s)", ease_change(x->kind), ease_name(x->kind));
		doc_cell(t, CELL_COUNT, x->impact);
		doc_cell(t, CELL_COUNT, x->frequency);
		doc_cell(t, CELL_COUNT, x->ease);
		doc_cell(t, CELL_NS, (uint64_t)x->saved_ns);
		doc_cell_real(t, CELL_RATIO, x->share);
	}
	for (size_t i = 0; i < targets->len; i++) {
		const struct target *x = &targets->at[i];

		doc_note(d,
			"%s: %s. Evidence: %s. To check the gain: run the scenario again, then "
			"profile-scenario compare OLD NEW; %s.",
			x->call, x->why, x->evidence, x->check);
	}
}

static void io_targets(struct doc *d, const struct io_findings *f)
{
	doc_section(d, "Optimization targets");
	if (f->targets.len)
		target_rows(d, &f->targets);
	else if (f->targets.timeless)
		doc_text(d, SAVES_NOTHING_KNOWN ".");
	else
		doc_text(d, "None: the figures give evidence for no change that pays.");
	for (size_t i = 0; i < f->targets.without_len; i++)
		doc_note(d, "No row for: %s", f->targets.without[i]);
	if (view_slowed(f->s->io) && !f->targets.timeless)
		doc_note(d,
			"Tracing slowed the program: the window is longer than untraced, so the "
			"true shares are larger.");
}

static void finding_of_targets(struct doc *d, const struct targets *t)
{
	if (!t->len) {
		doc_note(d, t->timeless ? SAVES_NOTHING_KNOWN "."
					: "No optimization target: see below why.");
		return;
	}
	doc_note(d, "First target: %s, %s: priority %.1f, about %s of the %s.", t->at[0].call,
		ease_change(t->at[0].kind), t->at[0].priority,
		view_share(d, (uint64_t)(t->at[0].share * 1e6), 1000000), t->whole);
}

/* Returns how many. */
static size_t errors_worth_a_look(struct doc *d, const struct res_result *r)
{
	size_t n, shown = 0;
	struct error_row *rows = errors_list(&d->arena, r, &n);

	for (size_t i = 0; i < n && shown < FINDINGS_MAX; i++) {
		if (rows[i].verdict != ERROR_CHECK)
			continue;
		shown++;
		doc_note(d, "%s failed with %s in %s: %s.", view_name(rows[i].call->name),
			rows[i].errno_name, view_plural(d, rows[i].count, "call"), rows[i].why);
	}
	return shown;
}

static void finding_of_errors(struct doc *d, const struct res_result *r)
{
	size_t n;

	if (!errors_worth_a_look(d, r) && errors_list(&d->arena, r, &n) && n)
		doc_note(d, "No error that the table of errors calls worth a look.");
}

/* Of so much of the window; calls of several threads add up. */
#define SYNCS_SHARE 0.2

/* What a program waits for when it syncs is the disk: no other way to write changes that, but fewer
 * syncs do. */
static void finding_of_syncs(struct doc *d, const struct res_result *r)
{
	static const char *const names[] = {
		"fsync", "fdatasync", "sync_file_range", "msync", "syncfs", "sync"};
	uint64_t calls = 0, ns = 0, whole = r->window ? r->window->wall_ns : r->wall_ns;
	char took[UNITS_BUF], of[UNITS_BUF], each[UNITS_BUF];

	for (size_t i = 0; i < LEN(names); i++) {
		const struct res_syscall *s = result_syscall(r, names[i]);

		if (!s || !s->wall_ns || s->wall_ns->total == U64_NONE)
			continue;
		calls = sat_add(calls, view_zero(s->calls));
		ns = sat_add(ns, s->wall_ns->total);
	}
	if (calls < JUDGE_CALLS_MIN || whole == U64_NONE ||
		(double)ns < SYNCS_SHARE * (double)whole)
		return;
	doc_note(d,
		"%s that sync (fsync and its kin) took %s in all, %s each, in a %s of %s: only "
		"fewer "
		"of them, each for more writes, would change that.",
		view_plural(d, calls, "call"), units_duration(took, ns),
		units_duration(each, ns / calls), r->window ? "window" : "run",
		units_duration(of, whole));
}

static void io_key_findings(struct doc *d, const struct io_findings *f)
{
	size_t shown = 0;

	doc_section(d, "Key findings");
	if (f->s->io->complete == 0)
		doc_note(d, "This result is incomplete: see the warnings above.");
	for (size_t i = 0; i < f->batching_len && shown < FINDINGS_MAX; i++) {
		const struct batching *b = &f->batching[i];

		if (b->verdict == BATCHING_FEW || b->verdict == BATCHING_NONE)
			continue;
		shown++;
		doc_note(d, "%s is %s.", view_name(b->facts.call->name), b->words);
	}
	if (!shown)
		doc_note(d, "No call batches, or too few were made to say how.");
	finding_of_targets(d, &f->targets);
	finding_of_syncs(d, f->s->io);
	finding_of_errors(d, f->s->io);
}

/* ---- in short ---- */

static void answer_of_targets(struct doc *d, const struct targets *t)
{
	char saved[UNITS_BUF], share[DOC_PERCENT_BUF];

	for (size_t i = 0; i < t->len && i < FIRST_TARGETS; i++) {
		const struct target *x = &t->at[i];

		doc_note(d, "%zu. %s, %s: saves about %s, %s of the %s: %s. Evidence: %s.", i + 1,
			x->call, ease_change(x->kind), units_duration(saved, (uint64_t)x->saved_ns),
			doc_percent(share, x->share), t->whole, x->why, x->evidence);
	}
	if (t->len > FIRST_TARGETS)
		doc_note(
			d, "and %s more, below.", view_plural(d, t->len - FIRST_TARGETS, "target"));
	if (!t->len && t->timeless)
		doc_note(d, SAVES_NOTHING_KNOWN ".");
	else if (!t->len)
		doc_note(d, "Nothing that would pay is found to change.%s%s",
			t->without_len ? " " : "", t->without_len ? t->without[0] : "");
}

void analyze_answer(struct doc *d, const struct analyze_scenario *s, const struct ease_table *ease)
{
	struct io_findings f = io_findings(d, s, ease);
	size_t shown = 0;

	for (size_t i = 0; i < f.batching_len && shown < FINDINGS_MAX; i++) {
		const struct batching *b = &f.batching[i];

		if (b->verdict == BATCHING_FEW || b->verdict == BATCHING_NONE)
			continue;
		shown++;
		doc_pair(d, "batches", "%s is %s", view_name(b->facts.call->name), b->words);
	}
	if (!shown)
		doc_pair(d, "batches", "no call batches, or too few were made to say how");
	if (!shown)
		view_note_messages(d, s->io);
	answer_of_targets(d, &f.targets);
	errors_worth_a_look(d, s->io);
}

static void findings(struct doc *d, const struct io_findings *f)
{
	io_targets(d, f);
	io_batching(d, f);
	io_cost(d, f);
	io_gathering(d, f->s);
	io_errors(d, f->s->io);
	io_categories(d, f->s->io);
}

void analyze_findings(
	struct doc *d, const struct analyze_scenario *s, const struct ease_table *ease)
{
	struct io_findings f = io_findings(d, s, ease);

	findings(d, &f);
}

void analyze_io(struct doc *d, const struct analyze_scenario *s, const struct ease_table *ease)
{
	struct io_findings f = io_findings(d, s, ease);

	doc_head(d, arena_printf(&d->arena, "I/O analysis: %s", view_name(s->name)), "");
	doc_pair(d, "source", "%s", view_name(s->io_file));
	io_what_ran(d, s->io);
	io_key_findings(d, &f);
	findings(d, &f);
	io_top(d, s->io);
	io_phases(d, s->io);
	io_mappings(d, s->io);
	io_all_calls(d, s->io);
}
