/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/analyze/targets.h"

#include <stdlib.h>
#include <string.h>

#include "common/analyze/another.h"
#include "common/analyze/errors.h"
#include "common/analyze/saving.h"
#include "common/base/clock.h"
#include "common/base/units.h"

#define OFTEN_EMPTY 0.1 /* of a call's calls */
#define LOG_OTHERS  10  /* writes for each other call on the descriptor of a log */

struct finder {
	struct doc *d;
	const struct analyze_scenario *s;
	const struct ease_table *ease;
	double window_ns;
	struct {
		struct target *at;
		size_t len, cap;
	} found;
	struct {
		const char **at;
		size_t len, cap;
	} without;
};

unsigned int target_impact(double share)
{
	double steps = share / TARGET_STEP;

	return steps >= 9 ? 10 : steps > 0 ? 1 + (unsigned int)steps : 1;
}

unsigned int target_frequency(double calls_per_s)
{
	double f = calls_per_s > 1 ? 1 + 2 * log10(calls_per_s) : 1;

	return f >= 10 ? 10 : (unsigned int)(f + 0.5);
}

static void say(struct finder *f, const char *sentence)
{
	*VEC_PUSH(&f->without) = sentence;
}

static const char *whole_of(const struct res_result *r)
{
	return r->window ? "window" : "run";
}

/* What its calls take at their median, all of them; NAN: not known. Of it neither waiting nor what
 * others did with the CPU is a part. */
static double usual_ns(const struct finder *f, const char *call)
{
	const struct res_syscall *s = view_called(f->s->io, call);

	if (!s || !s->wall_ns || s->wall_ns->p50 == U64_NONE || s->calls == U64_NONE)
		return NAN;
	return (double)s->wall_ns->p50 * (double)s->calls;
}

/* Little of the window, but the window may be long because the program had no CPU for most of it.
 * Fills in why, then. */
static int is_small_target(struct finder *f, struct target *t)
{
	double usual = usual_ns(f, t->call), of_calls = t->saved_ns / usual;
	char share[DOC_PERCENT_BUF];

	if (!(usual >= TARGET_USUAL_MIN * f->window_ns) || !(of_calls >= TARGET_OF_CALLS_MIN))
		return 0;
	t->why = arena_printf(&f->d->arena,
		"%s: little of the %s, but %s of what the calls of %s take at their median", t->why,
		whole_of(f->s->io), doc_percent(share, of_calls), t->call);
	return 1;
}

static void say_too_little(struct finder *f, const struct target *t)
{
	char share[DOC_PERCENT_BUF], least[DOC_PERCENT_BUF];

	doc_percent(share, t->share);
	doc_percent(least, TARGET_SHARE_MIN);
	/* Never "about 0.5%, less than 0.5%". */
	if (!strcmp(share, least))
		say(f, arena_printf(&f->d->arena,
			       "%s, %s: what it is known to save is less than %s of the %s.",
			       t->call, ease_name(t->kind), least, whole_of(f->s->io)));
	else
		say(f, arena_printf(&f->d->arena,
			       "%s, %s: what it is known to save is about %s of the %s, less than "
			       "%s.",
			       t->call, ease_name(t->kind), share, whole_of(f->s->io), least));
}

/* Fills in the numbers; what is too small is no target, which is said. */
static void add(struct finder *f, struct target t)
{
	t.share = t.saved_ns / f->window_ns;
	if (!(t.share >= TARGET_SHARE_MIN) && !is_small_target(f, &t)) {
		say_too_little(f, &t);
		return;
	}
	t.impact = target_impact(t.share);
	t.frequency = target_frequency((double)t.calls * 1e9 / f->window_ns);
	t.ease = f->ease->of[t.kind];
	t.priority = t.impact * t.frequency * t.ease / 10.0;
	*VEC_PUSH(&f->found) = t;
}

static const char *row(struct finder *f, const char *call, const char *field)
{
	return arena_printf(
		&f->d->arena, "%s: syscalls[%s].%s", view_name(f->s->io_file), call, field);
}

/* ---- a larger limit ---- */

/* Not below nothing. */
static const char *saved_share(struct finder *f, double share)
{
	char buf[DOC_PERCENT_BUF];

	return arena_strdup(&f->d->arena, doc_percent(buf, share > 0 ? share : 0));
}

static const char *gain_words(struct finder *f, const struct prediction *p)
{
	const char *share = saved_share(f, p->share);

	if (p->state == PREDICT_FEW_RUNS)
		return arena_printf(&f->d->arena,
			"%s of its time at twice the batch (how far another run may be off cannot "
			"be "
			"said %s)",
			share, another_few_runs(f->d, p));
	return arena_printf(&f->d->arena,
		"%s of its time at twice the batch (a new run, 95%%: %s to %s, from %zu runs%s)",
		share, saved_share(f, p->share_low), saved_share(f, p->share_high), p->runs,
		p->beyond ? "; larger than any size measured, so wider" : "");
}

static void gain_of_limit(struct finder *f, const struct batching *b)
{
	struct prediction p = another_run(b, 2 * b->cost.mean_units);
	const char *call = view_name(b->facts.call->name), *text = gain_words(f, &p);
	double low = p.share_low, high = p.share_high;

	if (p.state == PREDICT_NO_TIME) {
		say(f, arena_printf(&f->d->arena,
			       "%s, batch-limit: no prediction, because a line comes to no time at "
			       "all at twice the batch.",
			       call));
		return;
	}
	/* Of the one run there is; it is too narrow, so it can only say what is no target. */
	if (p.state == PREDICT_FEW_RUNS) {
		struct cost_gain g = cost_gain(&b->cost, 2 * b->cost.mean_units);

		low = g.share_low;
		high = g.share_high;
	}
	if (high < COST_GAIN_MIN) {
		say(f, arena_printf(&f->d->arena, "%s, batch-limit: no gain: %s.", call, text));
		return;
	}
	if (low <= 0) {
		say(f, arena_printf(&f->d->arena,
			       "%s, batch-limit: cannot tell; the interval reaches no gain: %s.",
			       call, text));
		return;
	}
	add(f, (struct target){.kind = TARGET_BATCH_LIMIT,
		       .call = call,
		       .why = arena_printf(
			       &f->d->arena, "%s; the cost model says %s", b->words, text),
		       .evidence = row(f, call, "batch.by_transferred"),
		       .check = arena_printf(
			       &f->d->arena, "%s.per_call up, %s.calls down", call, call),
		       .calls = b->cost.calls,
		       .saved_ns = p.share * b->cost.unit_ns * b->cost.mean_units *
				   (double)b->cost.calls});
}

/* 1 if what it hands over are pieces of one message each time: as gathering has it, which knows its
 * descriptors. */
static int has_pieces(const struct res_result *r, const char *call)
{
	int found = 0;

	for (size_t i = 0; i < r->gathering.len; i++) {
		if (!view_gathers(&r->gathering.at[i], call))
			continue;
		if (!strstr(r->gathering.at[i].change, "-> sendmmsg"))
			return 0;
		found = 1;
	}
	return found;
}

static void find_limit(struct finder *f, const struct batching *b)
{
	const char *call = view_name(b->facts.call->name);
	const char *advice = another_batch(f->d, b, f->s->name);

	if (!view_has_limit(b->verdict))
		return;
	if (has_pieces(f->s->io, call))
		say(f, arena_printf(&f->d->arena,
			       "%s, batch-limit: what it is given are pieces of one message; more "
			       "of them make it longer, and no call fewer.",
			       call));
	else if (b->no_model)
		say(f, arena_printf(&f->d->arena,
			       "%s, batch-limit: no prediction, because %s.%s%s%s", call,
			       b->no_model, advice ? " " : "", advice ? advice : "",
			       advice ? "." : ""));
	else
		gain_of_limit(f, b);
}

/* ---- calls that should not be there ---- */

/* Calls that room for all would leave, at least: each as large as the largest that was asked for.
 */
static uint64_t needed_calls(const struct batching *b)
{
	uint64_t most = b->facts.most, moved = view_zero(b->facts.batch->transferred);

	return most ? moved / most + (moved % most != 0) : 0;
}

/* Partial calls and those without room, but none that would be left. */
static uint64_t extra_calls(const struct batching *b, uint64_t refused)
{
	uint64_t extra = sat_add(view_zero(b->facts.batch->partial), refused);
	uint64_t calls = view_zero(b->facts.call->calls), needed = needed_calls(b);
	uint64_t most = calls > needed ? calls - needed : 0;

	return extra < most ? extra : most;
}

static void find_buffer(struct finder *f, const struct batching *b)
{
	const char *call = view_name(b->facts.call->name);
	uint64_t refused = view_counter(&b->facts.call->errnos, "EAGAIN");
	uint64_t extra = extra_calls(b, refused);
	struct saving each = saving_of(f->d, f->s->io, call, b);

	if (b->verdict != BATCHING_BUFFER || extra < TARGET_CALLS_MIN)
		return;
	if (view_counter(&b->facts.call->errnos, "ENOBUFS") > refused) {
		say(f, arena_printf(&f->d->arena,
			       "%s, socket-buffer: ENOBUFS is of a queue behind the socket's "
			       "buffer, as the device's.",
			       call));
		return;
	}
	if (!isfinite(each.ns)) {
		say(f, arena_printf(&f->d->arena,
			       "%s, socket-buffer: up to %s of %s calls more than needed, but what "
			       "one costs is not known: %s.",
			       call, view_count(f->d, extra),
			       view_count(f->d, b->facts.call->calls), each.why));
		return;
	}
	add(f, (struct target){.kind = TARGET_SOCKET_BUFFER,
		       .call = call,
		       .why = arena_printf(&f->d->arena,
			       "%s; each such call takes another, at least %.0f ns, %s", b->words,
			       each.ns, each.why),
		       .evidence = row(f, call, "batch.partial, errno"),
		       .check = arena_printf(&f->d->arena, "%s.calls and its errors down", call),
		       .calls = extra,
		       .saved_ns = (double)extra * each.ns});
}

static void find_empty(struct finder *f, const struct res_syscall *s)
{
	uint64_t empty = view_zero(s->empty_again);

	if (empty < TARGET_CALLS_MIN || !s->wall_ns || s->wall_ns->min == U64_NONE ||
		(double)empty < OFTEN_EMPTY * (double)view_zero(s->calls))
		return;
	add(f, (struct target){.kind = TARGET_EMPTY_CALLS,
		       .call = s->name,
		       .why = arena_printf(&f->d->arena,
			       "%s of %s calls brought nothing, where the one before on the "
			       "descriptor had not either and no epoll, poll or select had told of "
			       "more; at least the call's shortest time each",
			       view_count(f->d, empty), view_count(f->d, s->calls)),
		       .evidence = row(f, s->name, "empty_again"),
		       .check = arena_printf(&f->d->arena, "%s.calls and its errors down", s->name),
		       .calls = empty,
		       .saved_ns = (double)empty * (double)s->wall_ns->min});
}

static void find_lookups(struct finder *f)
{
	size_t n;
	struct error_row *errors = errors_list(&f->d->arena, f->s->io, &n);

	for (size_t i = 0; i < n; i++) {
		const struct error_row *e = &errors[i];
		const char *call = view_name(e->call->name);

		if (strcmp(e->errno_name, "ENOENT") != 0 || e->verdict != ERROR_CHECK ||
			!e->call->wall_ns)
			continue;
		add(f, (struct target){.kind = TARGET_FAILED_LOOKUP,
			       .call = call,
			       .why = arena_printf(&f->d->arena,
				       "%s of %s calls found nothing (ENOENT), at the call's "
				       "median time each; what they asked for is not recorded: of "
				       "what was asked for once, nothing is saved",
				       view_count(f->d, e->often),
				       view_count(f->d, e->call->calls)),
			       .evidence = row(f, call, "errno.ENOENT"),
			       .check = arena_printf(&f->d->arena, "%s.errors down", call),
			       .calls = e->often,
			       .saved_ns = (double)e->often *
					   (double)view_zero(e->call->wall_ns->p50)});
	}
}

/* Is that so of any descriptor of the path? */
static int any_of_path(
	const struct res_result *r, const char *path, int (*is_so)(const struct res_fd *))
{
	for (size_t i = 0; i < r->fds.len; i++)
		if (!strcmp(view_name(r->fds.at[i].target), path) && is_so(&r->fds.at[i]))
			return 1;
	return 0;
}

/* Then what a read brought may not have been there before. */
static int is_written(const struct res_fd *fd)
{
	for (size_t i = 0; i < fd->syscalls.len; i++)
		if (saving_writes(view_name(fd->syscalls.at[i].name)))
			return 1;
	return 0;
}

/* A file whose bytes are there as they were written. Of a FIFO or device somebody is at the other
 * end; what the kernel makes up (/proc, /sys) comes in pieces of its own. What was gone before it
 * was looked at is taken for one by its path. */
static int is_file(const struct res_fd *fd)
{
	static const char *const kernels[] = {"/dev/", "/proc/", "/sys/"};
	const char *path = view_name(fd->target);

	for (size_t i = 0; i < LEN(kernels); i++)
		if (strncmp(path, kernels[i], strlen(kernels[i])) == 0)
			return 0;
	return *path == '/' && (!fd->type || strcmp(fd->type, "regular") == 0);
}

/* Reads that a larger buffer would have brought along. */
static void find_reads(struct finder *f, const char *call)
{
	const struct res_result *r = f->s->io;
	uint64_t calls = 0, fewer = 0;
	struct saving each;

	for (size_t i = 0; i < r->fds.len; i++) {
		const struct res_fd *fd = &r->fds.at[i];

		for (size_t k = 0; k < fd->syscalls.len; k++) {
			const struct res_part *p = &fd->syscalls.at[k];

			if (p->larger_reads == U64_NONE || strcmp(view_name(p->name), call) != 0 ||
				!is_file(fd))
				continue;
			calls = sat_add(calls, view_zero(p->calls));
			if (p->larger_reads && !any_of_path(r, view_name(fd->target), is_written))
				fewer = sat_add(fewer, p->larger_reads);
		}
	}
	if (fewer < TARGET_CALLS_MIN)
		return;
	each = saving_of_read(f->d, r, call);
	if (!isfinite(each.ns)) {
		say(f, arena_printf(&f->d->arena,
			       "%s, larger-reads: with buffers of 64 KiB %s of %s calls on files "
			       "would not be made, but what one costs is not known: %s.",
			       call, view_count(f->d, fewer), view_count(f->d, calls), each.why));
		return;
	}
	add(f, (struct target){.kind = TARGET_LARGER_READS,
		       .call = call,
		       .why = arena_printf(&f->d->arena,
			       "with buffers of 64 KiB %s of %s calls on files would not be made: "
			       "each goes on where one that filled its buffer had ended; %s %.0f "
			       "ns each, %s",
			       view_count(f->d, fewer), view_count(f->d, calls), each.how, each.ns,
			       each.why),
		       .evidence = arena_printf(&f->d->arena, "%s: fds[].syscalls[%s].larger_reads",
			       view_name(f->s->io_file), call),
		       .check = arena_printf(&f->d->arena, "%s.calls down", call),
		       .calls = fewer,
		       .saved_ns = (double)fewer * each.ns});
}

/* Memory that is mapped when as much had been unmapped before: what only stays until the end, or
 * goes at once, is not mapped again and again. Each pair at what a call of each kind took; where
 * neither is known nothing is concluded. */
static void find_churn(struct finder *f)
{
	const struct res_mappings *m = f->s->io->mappings;
	const struct res_mapping_kind *k = m ? m->anonymous : NULL;
	uint64_t pairs;

	if (!k || k->unmaps == U64_NONE || k->again == U64_NONE || k->unmaps_ns == U64_NONE ||
		k->maps_ns == U64_NONE)
		return;
	pairs = k->again < k->unmaps ? k->again : k->unmaps;
	if (pairs < TARGET_CALLS_MIN)
		return;
	add(f, (struct target){.kind = TARGET_MAPPING_CHURN,
		       .call = "mmap and munmap",
		       .why = arena_printf(&f->d->arena,
			       "%s anonymous regions were mapped, %s of them when as much had been "
			       "unmapped before; a pair at the mean times of both (page faults "
			       "come on top)",
			       view_count(f->d, k->maps), view_count(f->d, pairs)),
		       .evidence = arena_printf(&f->d->arena, "%s: mappings.anonymous.again",
			       view_name(f->s->io_file)),
		       .check = "mmap.calls and munmap.calls down",
		       .calls = pairs,
		       .saved_ns =
			       (double)pairs * ((double)k->maps_ns / (double)k->maps +
						       (double)k->unmaps_ns / (double)k->unmaps)});
}

/* ---- gathering ---- */

#define GATHER_LIMIT_NS NS_PER_MS

static const struct batching *batching_of(const struct batching *list, size_t n, const char *call)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(view_name(list[i].facts.call->name), call))
			return &list[i];
	return NULL;
}

/* One kind of change, over all places. */
struct gathered {
	const char *call, *change;
	uint64_t calls, saved,
		safely; /* safely: at most, where a reason says that it is not known */
	uint64_t of_logs, logs_saved; /* of them, calls to files that are only written */
	int stream;                   /* all of them are on streams, and send */
	int messages;                 /* writes that are messages */
	const char *reason;
};

/* "sendto" of "sendto -> sendmmsg"; NULL: it is no change. */
static const char *call_of(struct finder *f, const char *change)
{
	const char *arrow = change ? strstr(change, " -> ") : NULL;

	return arrow ? arena_printf(&f->d->arena, "%.*s", (int)(arrow - change), change) : NULL;
}

static int syncs(const struct res_fd *fd)
{
	for (size_t i = 0; i < fd->syscalls.len; i++)
		if (strstr(view_name(fd->syscalls.at[i].name), "sync"))
			return 1;
	return 0;
}

/* By any descriptor of it, or by a call that says so of all files, or may of any: what is submitted
 * is not seen. */
static int is_synced(const struct res_result *r, const char *path)
{
	static const char *const of_all[] = {
		"sync", "syncfs", "msync", "io_uring_setup", "io_uring_enter", "io_submit"};

	for (size_t i = 0; i < LEN(of_all); i++)
		if (view_called(r, of_all[i]))
			return 1;
	return any_of_path(r, path, syncs);
}

static void sum_uses(const struct res_fd *fd, uint64_t *written, uint64_t *others)
{
	for (size_t i = 0; i < fd->syscalls.len; i++) {
		const struct res_part *p = &fd->syscalls.at[i];
		const char *name = view_name(p->name);

		if (saving_writes(name) && strncmp(name, "pwrite", 6) != 0)
			*written = sat_add(*written, view_zero(p->calls));
		else if (strncmp(name, "open", 4) != 0 && strcmp(name, "creat") != 0 &&
			 strcmp(name, "close") != 0)
			*others = sat_add(*others, view_zero(p->calls));
	}
}

/* Almost nothing but writes is done with it, by whichever descriptor: who reads it, seeks in it,
 * locks or measures it wants what was written to be there. */
static int is_only_written(const struct res_result *r, const char *path)
{
	uint64_t written = 0, others = 0;

	for (size_t i = 0; i < r->fds.len; i++)
		if (!strcmp(view_name(r->fds.at[i].target), path))
			sum_uses(&r->fds.at[i], &written, &others);
	return others <= written / LOG_OTHERS;
}

/* Messages have no borders there: one send of more takes the place of several, and sendmmsg that of
 * none. */
static int is_on_stream(const struct res_result *r, const struct res_gathering *row)
{
	const struct res_fd *fd = view_gathered_fd(r, row);

	return fd && view_is_stream(fd);
}

/* A file that nobody says is on disk, and that is written only: who writes it promises nothing. */
static int is_log(const struct res_result *r, const struct res_gathering *row)
{
	const struct res_fd *fd = view_gathered_fd(r, row);

	return fd && is_file(fd) && row->synced != 1 && is_only_written(r, fd->target) &&
	       !is_synced(r, fd->target);
}

static void sum_place(
	const struct res_result *r, struct gathered *g, const struct res_gathering *row)
{
	uint64_t safely = row->saved_safely != U64_NONE ? row->saved_safely : row->saved_at_most;

	if (is_log(r, row)) {
		g->of_logs = sat_add(g->of_logs, view_zero(row->calls));
		g->logs_saved = sat_add(g->logs_saved, view_zero(row->saved));
	}

	g->calls = sat_add(g->calls, view_zero(row->calls));
	g->saved = sat_add(g->saved, view_zero(row->saved));
	g->safely = sat_add(g->safely, view_zero(safely));
	g->reason = row->reason ? row->reason : g->reason;
}

/* Each message that is sent alone, by whatever call: sendmmsg is what it would be instead. */
static int is_of_messages(const struct gathered *g)
{
	return g->messages || !strcmp(g->call, "sendto") || !strcmp(g->call, "sendmsg");
}

static void add_gathering(
	struct finder *f, const struct gathered *g, const struct batching *batching)
{
	const char *how_many = view_count(f->d, g->safely);
	struct saving each = is_of_messages(g) && !g->stream
				     ? saving_of_message(f->s->io, g->call)
				     : saving_of(f->d, f->s->io, g->call, batching);

	if (!isfinite(each.ns)) {
		say(f, arena_printf(&f->d->arena,
			       "%s, gathering: %s%s of %s calls could be saved, but what one costs "
			       "is not known: %s.",
			       g->call, g->reason ? "at most " : "", how_many,
			       view_count(f->d, g->calls), each.why));
		return;
	}
	add(f, (struct target){.kind = g->stream ? TARGET_GATHER_STREAM
				       : saving_writes(g->call) && !g->messages
					       ? TARGET_GATHER_WRITES
					       : TARGET_GATHER_SENDS,
		       .call = g->call,
		       .why = arena_printf(&f->d->arena,
			       "gathered for up to 1 ms, %s%s of %s calls would not be made%s%s%s; "
			       "%s %.0f ns each, %s",
			       g->reason ? "at most " : "", how_many, view_count(f->d, g->calls),
			       g->reason ? " (whether that is safe is not known: " : "",
			       g->reason ? g->reason : "", g->reason ? ")" : "", each.how, each.ns,
			       each.why),
		       .evidence = arena_printf(&f->d->arena, "%s: gathering[%s]",
			       view_name(f->s->io_file), g->change),
		       .check = arena_printf(&f->d->arena, "%s.calls down", g->call),
		       .calls = g->calls,
		       .saved_ns = (double)g->safely * each.ns});
}

/* What a buffer of a log would save, with what it costs: no safe change, and the one that is made.
 */
static void say_logs(struct finder *f, const struct gathered *g, const struct batching *batching)
{
	struct saving each = saving_of(f->d, f->s->io, g->call, batching);
	char share[DOC_PERCENT_BUF];
	const char *gain;

	if (isfinite(each.ns))
		gain = arena_printf(&f->d->arena, "at least %s of the %s, %.0f ns each, %s",
			doc_percent(share, (double)g->logs_saved * each.ns / f->window_ns),
			whole_of(f->s->io), each.ns, each.why);
	else
		gain = arena_printf(&f->d->arena, "what one costs is not known: %s", each.why);
	say(f, arena_printf(&f->d->arena,
		       "%s, gathering: a buffer that is written after 1 ms would save %s of %s "
		       "calls to files that are not synced (%s); what is in it is lost if the "
		       "program is killed, and others read it later.",
		       g->call, view_count(f->d, g->logs_saved), view_count(f->d, g->of_logs),
		       gain));
}

/* Nothing much is safe. */
static void say_unsafe(struct finder *f, const struct gathered *g, const struct batching *batching)
{
	int logs = g->logs_saved >= TARGET_CALLS_MIN;
	uint64_t saved = g->saved - (logs ? g->logs_saved : 0);
	uint64_t calls = g->calls - (logs ? g->of_logs : 0);

	if (logs)
		say_logs(f, g, batching);
	if (saved >= TARGET_CALLS_MIN)
		say(f, arena_printf(&f->d->arena,
			       "%s, gathering: %s of %s calls%s could be saved only by holding "
			       "them back over calls that can wait, tell others something or see "
			       "what was written, which an answer or their order may depend on; "
			       "%s safely.",
			       g->call, view_count(f->d, saved), view_count(f->d, calls),
			       logs ? " to others" : "",
			       g->safely ? view_count(f->d, g->safely) : "none"));
}

static void judge_gathering(
	struct finder *f, const struct gathered *g, const struct batching *list, size_t n)
{
	const struct batching *batching = batching_of(list, n, g->call);

	if (g->safely >= TARGET_CALLS_MIN)
		add_gathering(f, g, batching);
	else
		say_unsafe(f, g, batching);
}

static void find_gathering(struct finder *f, const struct batching *list, size_t n)
{
	const struct res_result *r = f->s->io;
	struct {
		struct gathered *at;
		size_t len, cap;
	} found = {0};

	for (size_t i = 0; i < r->gathering.len; i++) {
		const struct res_gathering *row = &r->gathering.at[i];
		const char *call = call_of(f, row->change);
		int stream = call && !saving_writes(call) && is_on_stream(r, row);
		int messages = call && saving_writes(call) && strstr(row->change, "sendmmsg");
		size_t k = 0;

		if (!call || row->limit_ns != GATHER_LIMIT_NS)
			continue;
		while (k < found.len && (strcmp(found.at[k].change, row->change) != 0 ||
						found.at[k].stream != stream))
			k++;
		if (k == found.len)
			*VEC_PUSH(&found) = (struct gathered){.call = call,
				.change = row->change,
				.stream = stream,
				.messages = messages};
		sum_place(r, &found.at[k], row);
	}
	for (size_t i = 0; i < found.len; i++)
		judge_gathering(f, &found.at[i], list, n);
	free(found.at);
}

static int compare_targets(const void *a, const void *b)
{
	const struct target *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? 1 : -1;
	if (x->saved_ns != y->saved_ns)
		return x->saved_ns < y->saved_ns ? 1 : -1;
	if (x->kind != y->kind)
		return x->kind > y->kind ? 1 : -1;
	return strcmp(x->call, y->call);
}

static void find_all(struct finder *f, const struct batching *batching, size_t n)
{
	const struct res_result *r = f->s->io;

	for (size_t i = 0; i < n; i++) {
		find_limit(f, &batching[i]);
		find_buffer(f, &batching[i]);
	}
	for (size_t i = 0; i < r->syscalls.len; i++) {
		find_empty(f, &r->syscalls.at[i]);
		if (saving_reads(view_name(r->syscalls.at[i].name)))
			find_reads(f, view_name(r->syscalls.at[i].name));
	}
	find_lookups(f);
	find_churn(f);
	find_gathering(f, batching, n);
}

static struct targets finish(struct finder *f)
{
	struct targets t = {.len = f->found.len,
		.without_len = f->without.len,
		.timeless = !result_has_times(f->s->io),
		.whole = whole_of(f->s->io)};

	if (t.len)
		qsort(f->found.at, t.len, sizeof(*f->found.at), compare_targets);
	t.at = arena_alloc(&f->d->arena, t.len + 1, sizeof(*t.at));
	t.without = arena_alloc(&f->d->arena, t.without_len + 1, sizeof(*t.without));
	if (t.len)
		memcpy(t.at, f->found.at, t.len * sizeof(*t.at));
	if (t.without_len)
		memcpy(t.without, f->without.at, t.without_len * sizeof(*t.without));
	free(f->found.at);
	free(f->without.at);
	return t;
}

struct targets targets_find(struct doc *d, const struct analyze_scenario *s,
	const struct batching *batching, size_t n, const struct ease_table *ease)
{
	const struct res_result *r = s->io;
	uint64_t wall_ns = r->window ? r->window->wall_ns : r->wall_ns;
	struct finder f = {.d = d, .s = s, .ease = ease, .window_ns = (double)wall_ns};
	char share[DOC_PERCENT_BUF];

	if (view_calls(r) < TARGET_CALLS_MIN)
		say(&f, arena_printf(&d->arena,
				"%s were seen; below %d nothing is concluded from them.",
				view_plural(d, view_calls(r), "call"), TARGET_CALLS_MIN));
	else if (result_has_times(r) && batching_stops_share(r) > BATCHING_STOPS)
		say(&f, arena_printf(&d->arena,
				"%s of the calls were seen by stops: their times are those of the "
				"stops, so no gain can be computed.",
				doc_percent(share, batching_stops_share(r))));
	else if (wall_ns == U64_NONE || !wall_ns)
		say(&f, "How long it ran is not known, so no share of it can be computed.");
	else if (result_has_times(r)) /* else targets.timeless says it */
		find_all(&f, batching, n);
	return finish(&f);
}
