/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What the figures of a batched call say, in words. Each sentence has its rule next to it and in
 * docs/IO-ANALYSIS.md; where the figures support none, none is printed.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/view/view_parts.h"

/* Shares of a call's judged calls. */
#define MOSTLY 0.5
#define OFTEN  0.1
#define RARELY 0.05
/* Two counts or distributions are the same up to this. */
#define SAME 0.01

static int at_least(uint64_t part, double share, uint64_t whole)
{
	return part != U64_NONE && whole && (double)part >= share * (double)whole;
}

static int same_count(uint64_t a, uint64_t b)
{
	uint64_t most = a > b ? a : b, least = a > b ? b : a;

	return (double)(most - least) <= SAME * (double)most;
}

/* "10", "1 to 64" */
static const char *asked_range(struct doc *d, const struct batch_facts *f)
{
	if (f->least == f->most)
		return view_count(d, f->most);
	return arena_printf(&d->arena, "%s to %s", view_count(d, f->least), view_count(d, f->most));
}

/* Was it the limit, or that no more was there? */
static void note_limit(struct doc *d, const struct batch_facts *f)
{
	const char *name = view_name(f->call->name), *limit = asked_range(d, f);
	const char *full = view_count(d, f->batch->full), *calls = view_count(d, f->judged);

	if (f->batch->full == U64_NONE || !f->most)
		return;
	if (f->most == 1)
		doc_note(d, "%s asks for one a call: it cannot batch.", name);
	else if (at_least(f->batch->full, MOSTLY, f->judged))
		doc_note(d, "%s is limited by its limit of %s: %s of %s calls were full.", name,
			limit, full, calls);
	else if (at_least(f->batch->full, RARELY, f->judged))
		doc_note(d,
			"%s: %s of %s calls reached its limit of %s; the others were limited by "
			"arrivals.",
			name, full, calls, limit);
	else
		doc_note(d,
			"%s is limited by arrivals, not by its limit of %s: %s of %s calls were "
			"full.",
			name, limit, full, calls);
}

static void note_empty(struct doc *d, const struct batch_facts *f)
{
	uint64_t calls = view_zero(f->call->calls);

	if (at_least(f->batch->empty, OFTEN, calls))
		doc_note(d, "%s: %s of %s calls brought nothing (they returned 0 or EAGAIN).",
			view_name(f->call->name), view_count(d, f->batch->empty),
			view_count(d, calls));
}

static void note_single(struct doc *d, const struct batch_facts *f, const char *noun)
{
	if (f->most > 1 && at_least(f->batch->single, MOSTLY, f->judged))
		doc_note(d, "%s: %s of %s calls %s one %s only; there batching gains nothing.",
			view_name(f->call->name), view_count(d, f->batch->single),
			view_count(d, f->judged), f->way == BATCH_TAKES ? "brought" : "moved",
			noun);
}

/* How many are handed over at a time. */
static void note_given(struct doc *d, const struct batch_facts *f, const char *noun)
{
	const char *name = view_name(f->call->name);

	if (f->most == 1)
		doc_note(d, "%s is given one %s a call: it does not batch.", name, noun);
	else if (f->most && f->least == f->most)
		doc_note(
			d, "%s is given %s %ss in every call.", name, view_count(d, f->most), noun);
}

/* Did all go that was given? Of the calls that succeeded: the others moved nothing. */
static void note_moved(struct doc *d, const struct batch_facts *f, const char *noun)
{
	const char *name = view_name(f->call->name);
	const char *done = !strcmp(noun, "message") ? "sent" : "moved";
	const struct res_batch *b = f->batch;
	uint64_t failed = sat_add(view_zero(f->call->errors), view_zero(f->call->interrupted));

	if (b->asked == U64_NONE || b->transferred == U64_NONE || !b->asked)
		return;
	if (b->transferred < b->asked)
		doc_note(d,
			"%s: %s of %s %ss were not %s by the call that was given them (%s "
			"partial).",
			name, view_count(d, b->asked - b->transferred), view_count(d, b->asked),
			noun, done, view_plural(d, b->partial, "call"));
	else if (b->transferred > b->asked)
		return; /* figures that don't fit together say nothing */
	else if (failed)
		doc_note(d, "%s: every %s given was %s by the calls that succeeded; %s did not.",
			name, noun, done, view_count(d, failed));
	else
		doc_note(d, "%s: every %s given was %s.", name, noun, done);
}

void view_note_call(struct doc *d, const struct res_syscall *s)
{
	struct batch_facts f = view_batch_facts(s);
	char *noun = arena_strdup(&d->arena, view_name(s->batch->unit));
	int many = view_zero(s->calls) >= JUDGE_CALLS_MIN;

	if (strlen(noun) > 1)
		noun[strlen(noun) - 1] = '\0'; /* one of them */
	if (many)
		note_empty(d, &f);
	if (f.judged < JUDGE_CALLS_MIN) {
		doc_note(d, "%s: too few calls %sto judge (%s, at least %d are needed).",
			view_name(s->name), many ? "succeeded " : "", view_count(d, f.judged),
			JUDGE_CALLS_MIN);
		return;
	}
	if (f.way == BATCH_TAKES)
		note_limit(d, &f);
	if (f.way == BATCH_GIVES) {
		note_given(d, &f, noun);
		note_moved(d, &f, noun);
	}
	if (f.way != BATCH_WATCHES)
		note_single(d, &f, noun);
}

/* Half the calls that would have to move from one size to another to make the two alike. */
static uint64_t histogram_distance(const struct res_counts *a, const struct res_counts *b)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < a->len; i++) {
		uint64_t x = view_zero(a->at[i].count);
		uint64_t y = view_counter(b, view_name(a->at[i].key));

		sum = sat_add(sum, x > y ? x - y : 0);
	}
	return sum;
}

/* The call of messages that moved most, of those that receive or of those that send. */
static const struct res_syscall *main_call(const struct res_result *r, enum batch_way way)
{
	const struct res_syscall *best = NULL;

	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];

		if (!s->batch || strcmp(view_name(s->batch->unit), "messages") != 0)
			continue;
		if (view_batch_facts(s).way != way || view_zero(s->calls) < JUDGE_CALLS_MIN)
			continue;
		if (!best || view_zero(s->batch->transferred) > view_zero(best->batch->transferred))
			best = s;
	}
	return best;
}

/* As many calls, as many messages, the same sizes: what one call brings the other sends. */
static void note_echo(struct doc *d, const struct res_result *r)
{
	const struct res_syscall *in = main_call(r, BATCH_TAKES), *out = main_call(r, BATCH_GIVES);

	if (!in || !out || !view_zero(out->batch->transferred))
		return;
	const struct res_counts *brought = &in->batch->transferred_histogram;
	const struct res_counts *sent = &out->batch->transferred_histogram;

	if (view_same_threads(r, in, out) && same_count(view_zero(in->ok), view_zero(out->ok)) &&
		same_count(view_zero(in->batch->transferred), view_zero(out->batch->transferred)) &&
		!at_least(histogram_distance(sent, brought), SAME, view_zero(out->ok)) &&
		!at_least(histogram_distance(brought, sent), SAME, view_zero(in->ok)))
		doc_note(d, "%s sends what one %s brought: as many calls, of the same sizes.",
			view_name(out->name), view_name(in->name));
}

void view_note_unbatched(struct doc *d, const struct res_result *r, const char *const names[2],
	const char *batched, const char *done)
{
	const char *list = "";
	uint64_t calls = 0;

	if (view_called(r, batched) || !view_traced(r, batched))
		return;
	for (int i = 0; i < 2; i++) {
		const struct res_syscall *s = view_called(r, names[i]);

		if (!s)
			continue;
		list = arena_printf(&d->arena, "%s%s%s", list, *list ? " and " : "", names[i]);
		calls = sat_add(calls, view_zero(s->ok));
	}
	if (calls >= JUDGE_CALLS_MIN)
		doc_note(d, "%s %s one message or buffer a call in %s calls; %s was not called.",
			list, done, view_count(d, calls), batched);
}

static void note_work(struct doc *d, const struct res_result *r)
{
	const struct res_work *w = r->work;
	uint64_t calls = view_calls(r);

	if (!w || !view_zero(w->count) || calls < JUDGE_CALLS_MIN)
		return;
	doc_note(d, "%.2f traced calls per %s.", (double)calls / (double)w->count,
		w->unit ? w->unit : "unit of work");
}

/* One wait for each receive: the loop sleeps before every batch. */
static void note_waits(struct doc *d, const struct res_result *r)
{
	static const char *const waits[] = {
		"epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6"};
	const struct res_syscall *in = main_call(r, BATCH_TAKES);

	for (size_t i = 0; in && i < sizeof(waits) / sizeof(waits[0]); i++) {
		const struct res_syscall *s = view_called(r, waits[i]);

		if (s && same_count(s->calls, view_zero(in->calls)))
			doc_note(d, "about one %s for each %s.", waits[i], view_name(in->name));
	}
}

void view_note_messages(struct doc *d, const struct res_result *r)
{
	static const char *const senders[2] = {"sendto", "sendmsg"};
	static const char *const receivers[2] = {"recvfrom", "recvmsg"};

	note_echo(d, r);
	view_note_unbatched(d, r, senders, "sendmmsg", "sent");
	view_note_unbatched(d, r, receivers, "recvmmsg", "received");
	note_waits(d, r);
	note_work(d, r);
}
