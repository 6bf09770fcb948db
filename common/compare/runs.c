/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/compare/runs.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"
#include "common/compare/judge.h"
#include "common/compare/stats.h"

/* ---- a run of any type ---- */

/* Records that were lost; 0: none, or not known. */
static uint64_t lost_of(const struct side_part *p, size_t at)
{
	const struct res_result *io = p->runs.at[at];
	const struct res_cpu *cpu = p->runs.at[at];
	uint64_t lost = U64_NONE;

	if (p->kind->schema == &schema_result && io->tracer)
		lost = io->tracer->lost;
	else if (p->kind->schema == &schema_cpu && cpu->sampling)
		lost = cpu->sampling->lost;
	return lost == U64_NONE ? 0 : lost;
}

/* ---- how it ended ---- */

#define LIVED_ON "left running"

static char *signal_words(uint64_t number)
{
	const char *name = number < 65 ? sigabbrev_np((int)number) : NULL;

	return mem_printf("killed by signal %llu%s%s%s", (unsigned long long)number,
		name ? " (SIG" : "", name ? name : "", name ? ")" : "");
}

static char *exit_words(const struct result_head *r)
{
	const struct res_exit *e = r->exit;
	const char *crash = result_is_warned(r, "process_crashed")
				    ? " after a process that it started crashed"
				    : "";

	if (!e && r->attached)
		return mem_printf(LIVED_ON "%s", crash);
	if (e && e->timed_out == 1)
		return mem_strdup("timed out");
	if (e && e->signal != U64_NONE)
		return signal_words(e->signal);
	if (e && e->status != U64_NONE)
		return mem_printf("exit status %llu%s", (unsigned long long)e->status, crash);
	return NULL;
}

/* Two runs ended alike if these words are the same. NULL: not known. The caller's. */
static char *end_of(const struct result_head *r)
{
	char *words = exit_words(r), *longer;
	const char *how = NULL;

	if (result_is_warned(r, "never_ready")) {
		free(words);
		return mem_strdup("never ready");
	}
	if (result_is_warned(r, "target_ended_early"))
		how = "before the end of the load";
	else if (r->work && !r->work->count)
		how = "no work done";
	if (!words || !how)
		return words;
	longer = mem_printf("%s, %s", how, words);
	free(words);
	return longer;
}

/* One way to end, and which runs of each side did: 1 or 0 a run, NAN where it is not known. */
struct end {
	char *words;
	double *in[2];
	size_t times[2];
};

struct ends {
	const struct side_part *sides[2];
	size_t known[2];
	struct {
		struct end *at;
		size_t len, cap;
	} list;
};

static struct end *end_named(struct ends *e, const char *words)
{
	struct end *new;

	for (size_t i = 0; i < e->list.len; i++)
		if (strcmp(e->list.at[i].words, words) == 0)
			return &e->list.at[i];
	new = VEC_PUSH(&e->list);
	*new = (struct end){.words = mem_strdup(words)};
	for (int side = 0; side < 2; side++)
		new->in[side] = mem_calloc(e->sides[side]->runs.len + 1, sizeof(double));
	return new;
}

static void ends_read(struct ends *e, int side)
{
	for (size_t i = 0; i < e->sides[side]->runs.len; i++) {
		struct result_head r = result_head(e->sides[side]->runs.at[i]);
		cleanup_free char *words = end_of(&r);
		struct end *end;

		if (!words)
			continue;
		e->known[side]++;
		end = end_named(e, words);
		end->in[side][i] = 1;
		end->times[side]++;
	}
}

static void ends_release(struct ends *e)
{
	for (size_t i = 0; i < e->list.len; i++) {
		free(e->list.at[i].words);
		free(e->list.at[i].in[0]);
		free(e->list.at[i].in[1]);
	}
	free(e->list.at);
}

/* ---- findings ---- */

struct findings {
	void *doc;
	struct {
		struct res_compare_finding *at;
		size_t len, cap;
	} list;
};

static void find(struct findings *f, const char *verdict, char *text)
{
	*VEC_PUSH(&f->list) =
		(struct res_compare_finding){verdict, arena_strdup(result_arena(f->doc), text)};
	free(text);
}

static void findings_into(struct findings *f, struct res_compare_part *ret)
{
	RES_LIST(f->doc, &ret->runs, f->list.len, compare_finding);
	for (size_t i = 0; i < f->list.len; i++)
		ret->runs.at[i] = f->list.at[i];
	free(f->list.at);
}

/* "exit status 0 in 4 of 5 runs, timed out in 1" */
static char *ends_words(const struct ends *e, int side)
{
	char *all = mem_strdup("");

	for (size_t i = 0; i < e->list.len; i++) {
		const struct end *end = &e->list.at[i];
		char *longer;

		if (!end->times[side])
			continue;
		longer = *all ? mem_printf("%s, %s in %zu", all, end->words, end->times[side])
			      : mem_printf("%s in %zu of %zu run%s", end->words, end->times[side],
					e->sides[side]->runs.len,
					e->sides[side]->runs.len == 1 ? "" : "s");
		free(all);
		all = longer;
	}
	return all;
}

/* A flaky end of both sides is no regression, unless it has become more frequent than chance
 * allows; without a known end of the base nothing can be said. */
static int is_worse(const struct ends *e, const struct end *end)
{
	size_t n = e->sides[0]->runs.len, m = e->sides[1]->runs.len;

	if (!end->times[1] || !e->known[0])
		return 0;
	if (!end->times[0])
		return 1;
	return end->times[1] * n > end->times[0] * m &&
	       stats_mann_whitney(end->in[0], n, end->in[1], m) < JUDGE_ALPHA;
}

static int is_good(const char *end)
{
	return !strcmp(end, "exit status 0") || !strcmp(end, LIVED_ON);
}

static void find_ends(struct findings *f, const struct ends *e)
{
	cleanup_free char *base = ends_words(e, 0), *new = ends_words(e, 1);
	int worse = 0, plain = 1;

	for (size_t i = 0; i < e->list.len; i++) {
		worse |= is_worse(e, &e->list.at[i]);
		plain &= is_good(e->list.at[i].words);
	}
	if (worse)
		find(f, VERDICT_REGRESSION, mem_printf("new: %s; base: %s", new, base));
	else if (!plain && e->known[0] && e->known[1])
		find(f, "note", mem_printf("base: %s; new: %s", base, new));
}

/* Of the warnings of an incomplete result the one that says why; the others may be of no weight. */
static const char *why_incomplete(const struct result_head *r)
{
	static const char *const codes[] = {"never_ready", "target_ended_early", "load_failed",
		"no_window", "no_work_found", "timed_out", "run_interrupted", "lost",
		"memory_unreadable", "detail_incomplete", "no_flamegraph"};

	for (size_t c = 0; c < LEN(codes); c++)
		for (size_t i = 0; i < r->warnings_len; i++)
			if (r->warnings[i].code && !strcmp(r->warnings[i].code, codes[c]))
				return r->warnings[i].text;
	return r->warnings_len ? r->warnings[r->warnings_len - 1].text : NULL;
}

static void find_trouble(struct findings *f, const struct side_part *p, const char *who)
{
	size_t lost = 0, incomplete = 0;
	uint64_t records = 0;
	const char *why = "";

	for (size_t i = 0; i < p->runs.len; i++) {
		struct result_head r = result_head(p->runs.at[i]);
		uint64_t lost_here = lost_of(p, i);

		if (lost_here) {
			records = sat_add(records, lost_here);
			lost++;
		} else if (r.complete != 1) {
			incomplete++;
			if (!*why && why_incomplete(&r))
				why = why_incomplete(&r);
		}
	}
	if (lost)
		find(f, VERDICT_TROUBLE,
			mem_printf("%s: %llu records were lost, in %zu of %zu run%s", who,
				(unsigned long long)records, lost, p->runs.len,
				p->runs.len == 1 ? "" : "s"));
	if (incomplete)
		find(f, VERDICT_TROUBLE,
			mem_printf("%s: %zu of %zu run%s incomplete%s%s", who, incomplete,
				p->runs.len, p->runs.len == 1 ? " is" : "s are", *why ? ": " : "",
				why));
}

static int same_run(const struct result_head *a, const struct result_head *b)
{
	return a->started_at && b->started_at && !strcmp(a->started_at, b->started_at) &&
	       a->wall_ns == b->wall_ns && a->wall_ns != U64_NONE;
}

/* A baseline that was saved, and nothing run since. */
static void find_same(struct findings *f, const struct side_part *base, const struct side_part *new)
{
	int same = base->runs.len == new->runs.len;

	for (size_t i = 0; i < new->runs.len &&same; i++) {
		struct result_head a = result_head(base->runs.at[i]);
		struct result_head b = result_head(new->runs.at[i]);

		same = same_run(&a, &b);
	}
	if (same)
		find(f, "note",
			mem_strdup("base and new are the same runs: run the scenario again, and "
				   "compare then"));
}

void runs_judge(void *doc, const struct side_part *base, const struct side_part *new,
	struct res_compare_part *ret)
{
	struct findings f = {.doc = doc};
	struct ends e = {.sides = {base, new}};

	ends_read(&e, 0);
	ends_read(&e, 1);
	find_ends(&f, &e);
	find_same(&f, base, new);
	find_trouble(&f, new, "new");
	find_trouble(&f, base, "base");
	findings_into(&f, ret);
	ends_release(&e);
}

/* What was cut short, did nothing or has no window is no figure to hold others against, or limits.
 */
static void find_cut(struct findings *f, const struct side_part *side)
{
	struct ends e = {.sides = {side, side}};
	size_t whole = 0, plain = 0;

	ends_read(&e, 0);
	for (size_t i = 0; i < e.list.len; i++)
		if (!strncmp(e.list.at[i].words, LIVED_ON, strlen(LIVED_ON)) ||
			!strncmp(e.list.at[i].words, "exit", 4))
			plain += e.list.at[i].times[0];
	for (size_t i = 0; i < side->runs.len; i++) {
		struct result_head r = result_head(side->runs.at[i]);

		whole += (size_t)result_is_warned(&r, "window_never_began");
	}
	if (plain < e.known[0]) {
		cleanup_free char *words = ends_words(&e, 0);

		find(f, VERDICT_TROUBLE, mem_printf("the runs: %s", words));
	}
	if (whole)
		find(f, VERDICT_TROUBLE,
			mem_printf("the runs: the window that was asked for never began in %zu of "
				   "%zu run%s",
				whole, side->runs.len, side->runs.len == 1 ? "" : "s"));
	ends_release(&e);
}

void runs_check(void *doc, const struct side_part *side, struct res_compare_part *ret)
{
	struct findings f = {.doc = doc};

	find_trouble(&f, side, "the runs");
	find_cut(&f, side);
	findings_into(&f, ret);
}

char *runs_flaw(const struct side_part *side, size_t run)
{
	struct result_head r = result_head(side->runs.at[run]);
	cleanup_free char *end = end_of(&r);

	if (end && !is_good(end))
		return mem_printf("ended with: %s", end);
	if (r.complete != 1)
		return mem_strdup("left an incomplete result");
	if (lost_of(side, run))
		return mem_strdup("lost records");
	return NULL;
}
