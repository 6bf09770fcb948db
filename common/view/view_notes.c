/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What the figures of a batched call say, in words. Each sentence has its rule next to it and in
 * docs/SUMMARY.md; where the figures support none, none is printed.
 */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/units.h"
#include "common/view/view_parts.h"

/* Shares of a call's judged calls. */
#define MOSTLY 0.5
#define OFTEN  0.1
#define RARELY 0.05
/* Two counts are the same up to this. */
#define SAME 0.01
/* A message that carries so many datagrams on average is a batch. */
#define SEGMENTS_MIN 1.5

static int at_least(uint64_t part, double share, uint64_t whole)
{
	return part != U64_NONE && whole && (double)part >= share * (double)whole;
}

static int same_count(uint64_t a, uint64_t b)
{
	uint64_t most = a > b ? a : b, least = a > b ? b : a;

	return (double)(most - least) <= SAME * (double)most;
}

/* What keeps its batches from being larger. */
static void note_limit(struct doc *d, const struct batch_facts *f)
{
	const char *words;

	if (f->way == BATCH_TAKES && f->most == 1 && f->judged >= JUDGE_CALLS_MIN)
		doc_note(d, "%s asks for one a call: it cannot batch.", view_name(f->call->name));
	else if (f->most > 1 && view_limited(d, f, &words) != BATCHING_FEW)
		doc_note(d, "%s is %s.", view_name(f->call->name), words);
}

static void note_empty(struct doc *d, const struct batch_facts *f)
{
	uint64_t calls = view_zero(f->call->calls);

	if (at_least(f->batch->empty, OFTEN, calls))
		doc_note(d, "%s: %s of %s calls %s nothing (they returned 0 or EAGAIN).",
			view_name(f->call->name), view_count(d, f->batch->empty),
			view_count(d, calls), f->way == BATCH_TAKES ? "brought" : "moved");
}

/* Of calls that each took one: those after which more may have been there. */
static uint64_t left_some(const struct batch_facts *f)
{
	const struct res_counts *by = &f->batch->limited_by;
	uint64_t of_one = view_counter(&f->batch->asked_to_transferred, "1->1");
	uint64_t full = sat_add(
		view_counter(by, cause_name(CAUSE_LIMIT)), view_counter(by, cause_name(CAUSE_MET)));

	return sat_add(sat_add(view_counter(by, cause_name(CAUSE_TIME)),
			       view_counter(by, cause_name(CAUSE_UNKNOWN))),
		full < of_one ? full : of_one);
}

/* Of calls that each moved one: could they have been one call? As far as gathering tells. Where
 * they took what limits the call says why: "". */
static const char *of_singles(
	struct doc *d, const struct res_result *r, const struct batch_facts *f)
{
	uint64_t calls = 0, saved = 0;

	if (f->way == BATCH_TAKES)
		return at_least(left_some(f), RARELY, f->batch->single) ? ""
									: ": no more was there";
	for (size_t i = 0; i < r->gathering.len; i++) {
		const struct res_gathering *row = &r->gathering.at[i];

		if (row->limit_ns != NS_PER_MS || !view_gathers(row, view_name(f->call->name)))
			continue;
		calls = sat_add(calls, view_zero(row->calls));
		saved = sat_add(saved, view_zero(row->saved_at_most));
	}
	if (f->timeless)
		return ": whether they could have gone together is not measured: " VIEW_NO_TIMES;
	if (!calls)
		return ": whether they could have gone together is not known";
	if (!at_least(saved, RARELY, calls))
		return ": hardly any could have gone together, so there batching gains nothing";
	return arena_printf(&d->arena, ": %s of %s calls could have gone with the one before",
		view_count(d, saved), view_count(d, calls));
}

static void note_single(
	struct doc *d, const struct res_result *r, const struct batch_facts *f, const char *noun)
{
	if (f->most > 1 && at_least(f->batch->single, MOSTLY, f->judged))
		doc_note(d, "%s: %s of %s calls %s one %s only%s.", view_name(f->call->name),
			view_count(d, f->batch->single), view_count(d, f->judged),
			f->way == BATCH_TAKES ? "brought" : "moved", noun, of_singles(d, r, f));
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
	if (b->transferred < b->asked && strstr(name, "readv"))
		doc_note(d, "%s: %s of %s iovecs had nothing to hold (%s partial).", name,
			view_count(d, b->asked - b->transferred), view_count(d, b->asked),
			view_plural(d, b->partial, "call"));
	else if (b->transferred < b->asked)
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

void view_note_call(struct doc *d, const struct res_result *r, const struct res_syscall *s)
{
	struct batch_facts f = view_batch_facts(s);
	char *noun = arena_strdup(&d->arena, view_name(s->batch->unit));
	int many = view_zero(s->calls) >= JUDGE_CALLS_MIN;

	if (strlen(noun) > 1)
		noun[strlen(noun) - 1] = '\0'; /* one of them */
	if (many)
		note_empty(d, &f);
	if (f.way != BATCH_WATCHES)
		note_limit(d, &f);
	if (f.judged < JUDGE_CALLS_MIN) {
		doc_note(d, "%s: too few calls %sto judge (%s, at least %d are needed).",
			view_name(s->name), many ? "succeeded " : "", view_count(d, f.judged),
			JUDGE_CALLS_MIN);
		return;
	}
	if (f.way == BATCH_GIVES) {
		note_given(d, &f, noun);
		note_moved(d, &f, noun);
	}
	if (f.way != BATCH_WATCHES)
		note_single(d, r, &f, noun);
}

/* The call of messages that moved most, of those that receive or of those that send. */
static const struct res_syscall *main_call(const struct res_result *r, enum batch_way way)
{
	const struct res_syscall *best = NULL;

	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];

		if (!view_has_messages(s))
			continue;
		if (view_batch_facts(s).way != way || view_zero(s->calls) < JUDGE_CALLS_MIN)
			continue;
		if (!best || view_zero(s->batch->transferred) > view_zero(best->batch->transferred))
			best = s;
	}
	return best;
}

/* What stands for it in a result begins so. */
static int is_one_of(const struct res_fd *fd, const char *const *kinds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(kinds[i]);
		const char *target = view_name(fd->target);

		if (!strncmp(target, kinds[i], len) && (!target[len] || target[len] == ' '))
			return 1;
	}
	return 0;
}

/* A socket that keeps messages apart. */
static int is_datagram(const struct res_fd *fd)
{
	static const char *const kinds[] = {
		"udp", "unix dgram", "unix seqpacket", "raw", "icmp", "packet"};

	return is_one_of(fd, kinds, LEN(kinds));
}

int view_is_stream(const struct res_fd *fd)
{
	static const char *const kinds[] = {"tcp", "unix stream"};

	return is_one_of(fd, kinds, LEN(kinds));
}

/* Calls of that name that did not fail, on such sockets. */
static uint64_t datagram_calls(const struct res_result *r, const char *name)
{
	uint64_t calls = 0;

	for (size_t i = 0; i < r->fds.len; i++) {
		const struct res_fd *fd = &r->fds.at[i];

		for (size_t k = 0; is_datagram(fd) && k < fd->syscalls.len; k++) {
			const struct res_part *p = &fd->syscalls.at[k];

			if (!strcmp(view_name(p->name), name))
				calls = sat_add(calls, view_zero(p->calls) - view_zero(p->errors));
		}
	}
	return calls;
}

/* Datagrams in a message, by GSO or GRO; 1 where neither was seen. */
static double segments(const struct res_syscall *s)
{
	const struct res_datagrams *d = s->datagrams;

	if (!d || d->transferred == U64_NONE || !view_zero(s->ok))
		return 1;
	return (double)d->transferred / (double)s->ok;
}

void view_note_unbatched(struct doc *d, const struct res_result *r, const char *const names[2],
	const char *batched, const char *done)
{
	const char *list = "";
	uint64_t calls = 0;

	for (int i = 0; i < 2; i++) {
		const struct res_syscall *s = view_called(r, names[i]);
		uint64_t of_it = s ? datagram_calls(r, names[i]) : 0;

		if (s && segments(s) >= SEGMENTS_MIN)
			doc_note(d, "%s %s %.1f datagrams a call, as one message (%s).", names[i],
				done, segments(s), *done == 's' ? "GSO" : "GRO");
		else if (of_it) {
			list = arena_printf(
				&d->arena, "%s%s%s", list, *list ? " and " : "", names[i]);
			calls = sat_add(calls, of_it);
		}
	}
	if (calls >= JUDGE_CALLS_MIN && !view_called(r, batched) && view_traced(r, batched))
		doc_note(d,
			"%s %s one message a call in %s calls on datagram sockets; %s was not "
			"called.",
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

	for (size_t i = 0; in && i < LEN(waits); i++) {
		const struct res_syscall *s = view_called(r, waits[i]);

		if (s && same_count(s->calls, view_zero(in->calls)))
			doc_note(d, "about one %s for each %s.", waits[i], view_name(in->name));
	}
}

void view_note_messages(struct doc *d, const struct res_result *r)
{
	static const char *const senders[2] = {"sendto", "sendmsg"};
	static const char *const receivers[2] = {"recvfrom", "recvmsg"};

	view_note_unbatched(d, r, senders, "sendmmsg", "sent");
	view_note_unbatched(d, r, receivers, "recvmmsg", "received");
	note_waits(d, r);
	note_work(d, r);
}
