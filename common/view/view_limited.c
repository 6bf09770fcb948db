/* SPDX-License-Identifier: GPL-3.0-only */
/* What limits the batches of a call: the causes that its calls were given, as one verdict. */
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/view/view_parts.h"

/* A cause of so many of the calls is what limits the call; less of one is not worth a word. */
#define MAIN_SHARE (2.0 / 3)
#define SAID_SHARE 0.05
/* So many calls were given the most of all: the batch is the same each time. */
#define ALIKE_SHARE 0.5

struct cause_counts {
	uint64_t of[CAUSES], all;
	enum cause most;
};

static struct cause_counts count_causes(const struct res_counts *limited_by)
{
	struct cause_counts c = {0};

	for (enum cause i = 0; i < CAUSES; i++) {
		c.of[i] = view_counter(limited_by, cause_name(i));
		c.all = sat_add(c.all, c.of[i]);
		if (c.of[i] > c.of[c.most])
			c.most = i;
	}
	return c;
}

/* From a result that does not tell the causes: what follows from its sums. */
static struct cause_counts causes_of(const struct batch_facts *f)
{
	struct cause_counts c = count_causes(&f->batch->limited_by);
	uint64_t full = view_zero(f->batch->full);

	if (c.all || f->way != BATCH_TAKES || full > f->judged)
		return c;
	c.all = f->judged;
	c.of[CAUSE_ARRIVALS] = f->judged - full;
	c.of[CAUSE_UNKNOWN] = full;
	c.most = c.of[CAUSE_UNKNOWN] > c.of[CAUSE_ARRIVALS] ? CAUSE_UNKNOWN : CAUSE_ARRIVALS;
	return c;
}

static int is_main(const struct cause_counts *c)
{
	return (double)c->of[c->most] >= MAIN_SHARE * (double)c->all;
}

/* "49 of 100 calls" */
static const char *of_all(struct doc *d, uint64_t part, const struct cause_counts *c)
{
	return arena_printf(
		&d->arena, "%s of %s calls", view_count(d, part), view_count(d, c->all));
}

/* What they asked for: "10", "1 to 64". */
static const char *asked_text(struct doc *d, const struct batch_facts *f)
{
	if (f->least == f->most)
		return view_count(d, f->most);
	return arena_printf(&d->arena, "%s to %s", view_count(d, f->least), view_count(d, f->most));
}

static const char *short_name(enum cause cause)
{
	static const char *const names[] = {
		[CAUSE_ARRIVALS] = "arrivals",
		[CAUSE_LIMIT] = "its limit",
		[CAUSE_MET] = "its limit or arrivals",
		[CAUSE_TIME] = "its time limit",
		[CAUSE_KERNEL] = "the kernel's limit",
		[CAUSE_BUFFER] = "the buffer behind it",
		[CAUSE_REFUSED] = "refusals",
		[CAUSE_RECEIVED] = "what the caller received",
		[CAUSE_EXCHANGED] = "what the caller exchanges",
		[CAUSE_CALLER] = "what the caller gives",
		[CAUSE_UNKNOWN] = "something that is not known",
	};

	return names[cause];
}

/* "arrivals in 51%, its limit in 49%", most first */
static const char *list_causes(struct doc *d, struct cause_counts c)
{
	const char *list = "";

	for (int i = 0; i < CAUSES; i++) {
		enum cause most = 0;

		for (enum cause k = 0; k < CAUSES; k++)
			if (c.of[k] > c.of[most])
				most = k;
		if ((double)c.of[most] < SAID_SHARE * (double)c.all)
			break;
		list = arena_printf(&d->arena, "%s%s%s in %s", list, *list ? ", " : "",
			short_name(most), view_share(d, c.of[most], c.all));
		c.of[most] = 0;
	}
	return list;
}

const char *view_limited_part(struct doc *d, const struct res_counts *limited_by)
{
	struct cause_counts c = count_causes(limited_by);

	if (!c.all)
		return "not known";
	return is_main(&c) ? short_name(c.most) : list_causes(d, c);
}

/* ---- sentences ---- */

/* What a larger limit would still change: those that left something. */
static const char *more_there(struct doc *d, const struct cause_counts *c)
{
	if ((double)c->of[CAUSE_LIMIT] < SAID_SHARE * (double)c->all)
		return "";
	return arena_printf(&d->arena,
		", and more was there after %s of them: these a larger limit would make fewer",
		view_count(d, c->of[CAUSE_LIMIT]));
}

/* What a call of that pair got, "64->64", if that is all that it asked for; else 0. */
static uint64_t all_of(const char *pair)
{
	char *end;
	uint64_t asked = strtoull(pair, &end, 10);

	return !strncmp(end, "->", 2) && strtoull(end + 2, NULL, 10) == asked ? asked : 0;
}

/* Units of the calls that got all that they asked for. */
static uint64_t in_full(const struct batch_facts *f)
{
	const struct res_counts *pairs = &f->batch->asked_to_transferred;
	uint64_t sum = 0;

	for (size_t i = 0; i < pairs->len; i++)
		sum = sat_add(
			sum, sat_mul(all_of(view_name(pairs->at[i].key)), pairs->at[i].count));
	return sum;
}

/* Bursts: few calls, which bring most of it. */
static const char *by_full(struct doc *d, const struct batch_facts *f)
{
	uint64_t sum = in_full(f);

	if (2 * (double)sum <= (double)f->batch->transferred)
		return "";
	return arena_printf(&d->arena, " and brought %s of the %s",
		view_share(d, sum, f->batch->transferred), view_name(f->batch->unit));
}

static const char *arrivals(
	struct doc *d, const struct batch_facts *f, const struct cause_counts *c)
{
	uint64_t full = view_zero(f->batch->full), less = f->judged > full ? f->judged - full : 0;
	uint64_t fit = c->of[CAUSE_ARRIVALS] > less ? c->of[CAUSE_ARRIVALS] - less : 0;

	if (fit > less)
		return arena_printf(&d->arena,
			"limited by arrivals: %s took as many as they asked for, %s, and no more "
			"was there, or waited until they had come",
			of_all(d, fit, c), asked_text(d, f));
	return arena_printf(&d->arena,
		"limited by arrivals, not by its limit of %s: %s of %s calls were full%s%s",
		asked_text(d, f), view_count(d, full), view_count(d, f->judged), by_full(d, f),
		more_there(d, c));
}

/* Ok calls that were given the most of all and had it taken whole. */
static uint64_t largest_whole(struct doc *d, const struct batch_facts *f)
{
	const char *key = arena_printf(
		&d->arena, "%llu->%llu", (unsigned long long)f->most, (unsigned long long)f->most);

	return view_counter(&f->batch->asked_to_transferred, key);
}

static enum batching_verdict caller(struct doc *d, const struct batch_facts *f,
	const struct cause_counts *c, const char **ret_words)
{
	uint64_t whole = largest_whole(d, f);

	if ((double)whole >= ALIKE_SHARE * (double)f->judged) {
		*ret_words = arena_printf(&d->arena,
			"limited by the batch that the caller makes: %s were given %s, the most of "
			"all, and moved it whole",
			of_all(d, whole, c), view_count(d, f->most));
		return BATCHING_MADE;
	}
	*ret_words = arena_printf(&d->arena,
		"limited by what the caller has: it gave %s a call, %.2f on average; %s moved one "
		"only",
		asked_text(d, f), f->batch->per_call ? f->batch->per_call->mean : NAN,
		of_all(d, view_zero(f->batch->single), c));
	return BATCHING_CALLER;
}

static int is_no_room(const char *name)
{
	return !strcmp(name, "EAGAIN") || !strcmp(name, "ENOBUFS") || !strcmp(name, "EBUSY");
}

/* " (EMSGSIZE 50, EPERM 3)": errors that are want of room, or that are not */
static const char *list_errors(struct doc *d, const struct res_syscall *s, int no_room)
{
	const char *list = "";

	for (size_t i = 0; i < s->errnos.len; i++) {
		const char *name = view_name(s->errnos.at[i].key);

		if (is_no_room(name) == no_room && strcmp(name, "EINTR") != 0)
			list = arena_printf(&d->arena, "%s%s%s %s", list, *list ? ", " : "", name,
				view_count(d, s->errnos.at[i].count));
	}
	return *list ? arena_printf(&d->arena, " (%s)", list) : "";
}

/* Without times nothing tells whether more was there, nor whether a time limit was over. */
static const char *untold(struct doc *d, const struct batch_facts *f, const char *calls)
{
	if (!f->timeless || f->way != BATCH_TAKES)
		return arena_printf(&d->arena,
			"limited by something that is not known: nothing that was seen tells why "
			"%s moved no more",
			calls);
	return arena_printf(&d->arena,
		"limited by something that is not known: %s took as many as they asked for, or "
		"had a time limit, and whether more was there is not measured: " VIEW_NO_TIMES,
		calls);
}

static enum batching_verdict main_cause(struct doc *d, const struct batch_facts *f,
	const struct cause_counts *c, const char **ret_words)
{
	const char *calls = of_all(d, c->of[c->most], c);
	double mean = f->batch->per_call ? f->batch->per_call->mean : NAN;

	switch (c->most) {
	case CAUSE_ARRIVALS:
		*ret_words = arrivals(d, f, c);
		return BATCHING_ARRIVALS;
	case CAUSE_LIMIT:
		*ret_words = arena_printf(&d->arena,
			"limited by its limit of %s: %s took as many, and the next one found more "
			"at once",
			asked_text(d, f), calls);
		return BATCHING_LIMIT;
	case CAUSE_MET:
		*ret_words = arena_printf(&d->arena,
			"limited by its limit or by arrivals that just met it: %s took as many as "
			"they "
			"asked for, %s, and the next one found more, which may have come since",
			calls, asked_text(d, f));
		return BATCHING_MET;
	case CAUSE_TIME:
		*ret_words = arena_printf(&d->arena,
			"limited by its time limit, which is looked at when a message was taken: "
			"%s ended at it with fewer than they asked for, and the next one found "
			"more; MSG_WAITFORONE in its place takes what is there",
			calls);
		return BATCHING_TIME;
	case CAUSE_KERNEL:
		*ret_words = arena_printf(&d->arena,
			"limited by the kernel, which takes 1,024 a call: %s were given so many or "
			"more, or took the rest of them",
			calls);
		return BATCHING_KERNEL;
	case CAUSE_BUFFER:
		*ret_words = arena_printf(&d->arena,
			"limited by the buffer behind it: %s found no room for all that they were "
			"given, or took the rest when there was some%s",
			calls, list_errors(d, f->call, 1));
		return BATCHING_BUFFER;
	case CAUSE_REFUSED:
		*ret_words = arena_printf(&d->arena,
			"limited by %s that are refused: %s ended at one, or took the rest "
			"behind it%s",
			view_name(f->batch->unit), calls, list_errors(d, f->call, 0));
		return BATCHING_REFUSED;
	case CAUSE_RECEIVED:
		*ret_words = arena_printf(&d->arena,
			"limited by the caller, who sends what it received: %s sent as many as "
			"had come since the last one, %.2f a call",
			calls, mean);
		return BATCHING_ECHO;
	case CAUSE_EXCHANGED:
		*ret_words = arena_printf(&d->arena,
			"limited by the caller, who gives as many as it receives, %.2f a call: %s; "
			"who began is not known",
			mean, calls);
		return BATCHING_EXCHANGE;
	case CAUSE_CALLER:
		return caller(d, f, c, ret_words);
	default:
		*ret_words = untold(d, f, calls);
		return BATCHING_UNTOLD;
	}
}

enum batching_verdict view_limited(
	struct doc *d, const struct batch_facts *f, const char **ret_words)
{
	struct cause_counts c = causes_of(f);
	/* Calls that found no room count too. */
	uint64_t judged = c.all > f->judged ? c.all : f->judged;

	if (f->way == BATCH_WATCHES) {
		*ret_words = "not a batching call: it waits for any of what it watches";
		return BATCHING_NONE;
	}
	if (judged < JUDGE_CALLS_MIN) {
		*ret_words = arena_printf(&d->arena,
			"too few calls to judge: %s, at least %d are needed", view_count(d, judged),
			JUDGE_CALLS_MIN);
		return BATCHING_FEW;
	}
	if (f->most <= 1) {
		*ret_words = arena_printf(&d->arena,
			"not used as a batching call: all of %s calls asked for one",
			view_count(d, f->judged));
		return BATCHING_NONE;
	}
	if (!c.all) {
		*ret_words = "limited by something that this result does not tell";
		return BATCHING_UNTOLD;
	}
	if (is_main(&c))
		return main_cause(d, f, &c, ret_words);
	*ret_words = arena_printf(&d->arena,
		"limited by several things, none of them in two thirds of %s calls: %s",
		view_count(d, c.all), list_causes(d, c));
	return BATCHING_MIXED;
}
