/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Records become calls. All rings are read up to one moment, and what ended until then is given to
 * the sink in the order in which it ended, with the calls that stopped.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tracer/decode/decode.h"
#include "tracer/orders.h"
#include "tracer/recorder/coarse.h"
#include "tracer/recorder/recorder.h"
#include "tracer/tracee.h"

#define TAIL_EVERY 256 /* records after which their room is given back */

/* Where the next call comes from: a ring, or the calls that stopped (thread NULL). */
struct source {
	struct recorder_thread *thread;
	uint64_t at, end; /* positions in the ring; indexes of pending */
	uint64_t next_ns; /* when the call at `at` ended */
};

struct sweep {
	struct source *at; /* a heap: the earliest end is first */
	size_t len, cap;
};

/* A call that stopped, and waits for its turn. */
struct recorder_pending {
	uint64_t ended_ns;
	void *call; /* the sink's */
};

/* ---- one record ---- */

void recorder_mark_stopped(struct recorder_thread *rt, uint64_t position, int stopped)
{
	uint64_t place = position & (rt->ring.records - 1);
	uint8_t bit = (uint8_t)(1 << place % 8);

	if (stopped)
		rt->stopped[place / 8] |= bit;
	else
		rt->stopped[place / 8] &= (uint8_t)~bit;
}

/* How the call at that position was seen; the mark is gone then. */
static enum seen take_seen(struct recorder_thread *rt, uint64_t position)
{
	uint64_t place = position & (rt->ring.records - 1);
	uint8_t bit = (uint8_t)(1 << place % 8);
	enum seen seen = rt->stopped[place / 8] & bit ? SEEN_ONE_STOP : SEEN_RECORDED;

	rt->stopped[place / 8] &= (uint8_t)~bit;
	return seen;
}

void recorder_event(struct recorder *f, const struct recorder_thread *rt, const struct record *r,
	struct sys_event *ev)
{
	const struct tracee *t = rt->tracee;
	const struct tsc *tsc = &f->tsc;

	*ev = (struct sys_event){.abi = ABI_NATIVE,
		.nr = r->nr,
		.def = sys_by_number(ABI_NATIVE, r->nr),
		.ret = r->ret,
		.outcome = SYS_RETURNED,
		.entry_ns = tsc_to_ns(tsc, r->t0),
		.exit_ns = tsc_to_ns(tsc, r->t1),
		.pid = t->process->pid,
		.tid = t->tid,
		.thread_id = t->thread_id,
		.mm_id = t->mm->id,
		.site = rt->site};
	memcpy(ev->args, r->args, sizeof(ev->args));
	if (ev->entry_ns > ev->exit_ns) /* the counter has jumped */
		ev->entry_ns = ev->exit_ns;
}

void recorder_take_stack(struct recorder_thread *rt, uint64_t position, struct sys_event *ev)
{
	size_t n = 0;

	for (; n < rt->stacks.len && rt->stacks.at[n].position <= position; n++)
		if (rt->stacks.at[n].position == position) {
			ev->stack_id = rt->stacks.at[n].id;
			ev->stack_first = rt->stacks.at[n].first;
		}
	rt->stacks.len -= n;
	if (n)
		memmove(rt->stacks.at, rt->stacks.at + n, rt->stacks.len * sizeof(*rt->stacks.at));
}

void recorder_drop_stacks(struct recorder_thread *rt, uint64_t from)
{
	while (rt->stacks.len && rt->stacks.at[rt->stacks.len - 1].position >= from)
		rt->stacks.len--;
}

#define SLACK_NS 1000 /* by which clocks of two CPUs may differ */

uint64_t recorder_earliest(const struct recorder *f)
{
	/* A coarse clock may stand, but began after that. */
	return f->timeless ? f->tsc.first.ticks : tsc_now();
}

/* The same without its times. */
static int is_possible_at_any_time(
	const struct recorder *f, const struct recorder_thread *rt, const struct record *r)
{
	struct record timeless = *r;

	timeless.t0 = timeless.t1 = rt->ring.ended;
	return ring_is_possible(&rt->ring, &timeless, f->calls, rt->ring.ended, 0);
}

int recorder_is_possible(
	struct recorder *f, struct recorder_thread *rt, const struct record *r, uint64_t now)
{
	const struct site *site;
	struct tsc *tsc = &f->tsc;
	uint64_t slack =
		tsc->ns_per_tick > 0 ? (uint64_t)(SLACK_NS / tsc->ns_per_tick) : UINT32_MAX;

	if (r->t1 > now)
		now = tsc_now(); /* it ended since */
	if (!ring_is_possible(&rt->ring, r, f->calls, now, slack)) {
		if (!is_possible_at_any_time(f, rt, r))
			return 0;
		tsc_sync(tsc);
		/* But where the counter itself may have gone back. */
		if (!tsc->jumps_len || tsc_to_ns(tsc, r->t1) > clock_mono_ns() + SLACK_NS)
			return 0;
	}
	if (r->desc == rt->desc)
		return 1;
	site = sites_of_desc(&rt->tracee->mm->recorder->sites, r->desc);
	if (!site)
		return 0;
	rt->desc = r->desc;
	rt->site = site->addr;
	return 1;
}

void recorder_corrupt(struct recorder *f, struct recorder_thread *rt, uint64_t lost)
{
	if (rt->corrupt)
		return;
	rt->off = rt->corrupt = 1;
	ring_off(&rt->ring);
	f->corrupt++;
	f->lost += lost;
}

/* What the record says beside its numbers; buf: SAID_BYTES_MAX. */
static const struct said *said_of(const struct recorder_thread *rt, const struct record *r,
	uint64_t position, void *buf, struct said *said)
{
	*said = (struct said){.bytes = buf, .pair = {-1, -1}};
	if (r->kind == KIND_PAIR_1 || r->kind == KIND_PAIR_4) {
		memcpy(said->pair, &r->units, sizeof(said->pair));
	} else if (r->kind >= KIND_FIRST_SAID && r->extra) {
		ring_said(&rt->ring, position, r, buf);
		said->len = r->units;
	} else {
		return NULL;
	}
	return said;
}

static void give_record(struct recorder *f, struct recorder_thread *rt, uint64_t position)
{
	const struct record *r = &rt->next;
	struct recorded measured = {r->flags, r->bytes, r->units, r->dgrams_asked, r->dgrams};
	char buf[SAID_BYTES_MAX];
	struct sys_event ev;
	struct said said;

	recorder_event(f, rt, r, &ev);
	ev.seen = take_seen(rt, position);
	if (rt->stacks.len)
		recorder_take_stack(rt, position, &ev);
	f->sink.recorded(
		f->sink.ctx, rt->tracee, &ev, &measured, said_of(rt, r, position, buf, &said));
}

/* ---- all of them ---- */

/* Copies and checks the next record of the source; 0: the thread is corrupt. */
static int load(struct recorder *f, struct source *src)
{
	struct recorder_thread *rt = src->thread;

	if (!rt) {
		src->next_ns = f->pending.at[src->at].ended_ns;
		return 1;
	}
	ring_copy(&rt->ring, src->at, &rt->next);
	if (!recorder_is_possible(f, rt, &rt->next, f->tsc.now.ticks) ||
		src->at + 1 + rt->next.extra > src->end) {
		recorder_corrupt(f, rt, src->end - src->at);
		return 0;
	}
	src->next_ns = tsc_to_ns(&f->tsc, rt->next.t1);
	return 1;
}

static void sift_down(struct sweep *w, size_t i)
{
	for (;;) {
		size_t least = i, left = 2 * i + 1, right = left + 1;
		struct source swap = w->at[i];

		if (left < w->len && w->at[left].next_ns < w->at[least].next_ns)
			least = left;
		if (right < w->len && w->at[right].next_ns < w->at[least].next_ns)
			least = right;
		if (least == i)
			return;
		w->at[i] = w->at[least];
		w->at[least] = swap;
		i = least;
	}
}

#define HELD_BACK_NS 50000000ULL /* by a thread that is kept from going on, or says so */

/* One that has returned, and is not committed yet, is not to be overtaken: until just before it. */
static uint64_t until_uncommitted(
	const struct recorder *f, const struct recorder_thread *rt, uint64_t ns)
{
	struct record r;
	uint64_t end_ns, now_ns;

	if (!ring_in_flight(&rt->ring, &r) || !r.t1)
		return ns;
	end_ns = tsc_to_ns(&f->tsc, r.t1);
	/* A coarse time may be as old as the last sweep. */
	now_ns = f->timeless ? f->swept_ns : f->tsc.now.ns;
	if (end_ns >= ns || end_ns + HELD_BACK_NS < now_ns || r.t1 < rt->ring.ended)
		return ns;
	return end_ns - 1;
}

#define CALL_NS_MIN 20 /* no call takes less */

/* What it has counted. 0: so many cannot have been made. */
static int take_tallies(struct recorder *f, struct recorder_thread *rt)
{
	uint32_t n[BLOCK_KINDS_LEN];
	uint64_t sum = ring_tallies(&rt->ring, f->calls, n);

	if (!sum)
		return 1;
	/* Until after they were read, since before: it runs on, and we may have had no CPU. */
	if (sum > 1 + (clock_mono_ns() - rt->tallied_ns) / CALL_NS_MIN)
		return 0;
	rt->tallied_ns = f->tsc.now.ns;
	for (uint32_t nr = 0; nr < BLOCK_KINDS_LEN; nr++)
		if (n[nr])
			f->sink.tallied(f->sink.ctx, sys_by_number(ABI_NATIVE, nr), n[nr]);
	return 1;
}

static void collect_thread(struct recorder *f, struct sweep *w, struct recorder_thread *rt)
{
	struct source src = {rt, rt->ring.tail, 0, 0};

	if (rt->corrupt)
		return;
	if (ring_head(&rt->ring, &src.end) < 0 || !take_tallies(f, rt)) {
		recorder_corrupt(f, rt, 1);
		return;
	}
	if (src.end != src.at && load(f, &src))
		*VEC_PUSH(w) = src;
}

/* Collects what there is to give, and says until which moment. */
static uint64_t collect(struct recorder *f, struct sweep *w)
{
	uint64_t moment_ns = f->tsc.now.ns;

	w->len = 0;
	for (size_t i = 0; i < f->threads.len; i++)
		if (!f->threads.at[i]->corrupt)
			moment_ns = until_uncommitted(f, f->threads.at[i], moment_ns);
	for (size_t i = 0; i < f->threads.len; i++)
		collect_thread(f, w, f->threads.at[i]);
	if (f->pending.len) {
		struct source src = {NULL, 0, f->pending.len, 0};

		load(f, &src);
		*VEC_PUSH(w) = src;
	}
	for (size_t i = w->len / 2; i-- > 0;)
		sift_down(w, i);
	return moment_ns;
}

static void give_next(struct recorder *f, struct source *src)
{
	struct recorder_thread *rt = src->thread;

	if (!rt) {
		f->sink.stopped(f->sink.ctx, f->pending.at[src->at++].call);
		return;
	}
	give_record(f, rt, src->at);
	f->swept++;
	rt->ring.ended = rt->next.t1;
	src->at += 1 + rt->next.extra;
	if (src->at - rt->ring.tail >= TAIL_EVERY)
		ring_taken(&rt->ring, src->at);
}

/* Those that stopped wait for nobody: their ends are before the moment, or just behind it. Nor does
 * what t recorded (NULL: nobody). */
static void give_all(
	struct recorder *f, struct sweep *w, uint64_t moment_ns, const struct tracee *t)
{
	while (w->len) {
		struct source *src = &w->at[0];
		int more = 1;

		if (!src->thread || src->next_ns <= moment_ns || src->thread->tracee == t) {
			give_next(f, src);
			more = src->at < src->end && load(f, src);
		} else {
			more = 0; /* the next time */
		}
		if (!more) {
			if (src->thread)
				ring_taken(&src->thread->ring, src->at);
			*src = w->at[--w->len];
		}
		if (w->len > 1)
			sift_down(w, 0);
	}
}

/* ---- what is left ---- */

/* 0: it is no call that can be recorded. Of what is not checked yet only the arguments. */
static int unbooked(const struct recorder *f, const struct recorder_thread *rt,
	const struct record *r, const struct recorder_visit *visit)
{
	struct sys_event ev = {0};

	if (r->nr >= BLOCK_KINDS_LEN || f->calls[r->nr].kind == KIND_PASS)
		return 0;
	ev.def = sys_by_number(ABI_NATIVE, r->nr);
	memcpy(ev.args, r->args, sizeof(ev.args));
	visit->call(visit->ctx, rt->tracee, &ev);
	return 1;
}

static void unbooked_of(const struct recorder *f, const struct recorder_thread *rt,
	const struct recorder_visit *visit)
{
	struct record r;
	uint64_t head;

	if (ring_head(&rt->ring, &head) < 0) {
		visit->call(visit->ctx, rt->tracee, NULL);
		return;
	}
	for (uint64_t at = rt->ring.tail; at != head; at += 1 + r.extra) {
		ring_copy(&rt->ring, at, &r);
		if (r.extra >= head - at || !unbooked(f, rt, &r, visit))
			return; /* the next sweep finds it corrupt */
	}
	if (ring_in_flight(&rt->ring, &r))
		unbooked(f, rt, &r, visit);
}

void recorder_unbooked(const struct recorder *f, const struct recorder_visit *visit)
{
	for (size_t i = 0; i < f->threads.len; i++)
		if (!f->threads.at[i]->corrupt)
			unbooked_of(f, f->threads.at[i], visit);
}

void recorder_sweep_all_of(struct recorder *f, const struct tracee *t)
{
	if (!f->on)
		return;
	if (!f->sweep)
		f->sweep = mem_calloc(1, sizeof(*f->sweep));
	tsc_sync(&f->tsc);
	coarse_tell_all(f, f->tsc.now.ticks);
	give_all(f, f->sweep, collect(f, f->sweep), t);
	f->pending.len = 0;
	f->swept_ns = f->tsc.now.ns;
	f->sink.swept(f->sink.ctx);
}

void recorder_sweep(struct recorder *f)
{
	recorder_sweep_all_of(f, NULL);
}

#define PENDING_MAX 1024

void recorder_stopped(struct recorder *f, uint64_t ended_ns, void *call)
{
	if (f->pending.len >= PENDING_MAX)
		recorder_sweep(f);
	*VEC_PUSH(&f->pending) = (struct recorder_pending){ended_ns, call};
}

void recorder_sweep_release(struct recorder *f)
{
	if (f->has_timer)
		timer_delete(f->timer);
	if (f->sweep)
		free(f->sweep->at);
	free(f->sweep);
}

/* ---- when ---- */

/* Records that gather between two sweeps: a quarter of a large ring. More, and the next sweep is
 * due at once. */
#define GATHER_RECORDS (LARGE_RING_RECORDS / 4)
#define INTERVAL_MIN   500000ULL
#define INTERVAL_MAX   200000000ULL

int recorder_is_busy(const struct recorder *f)
{
	return f->busy;
}

static void set_timer(struct recorder *f, uint64_t ns)
{
	struct itimerspec spec = {{(time_t)(ns / 1000000000), (long)(ns % 1000000000)},
		{(time_t)(ns / 1000000000), (long)(ns % 1000000000)}};

	if (ns < f->timer_ns + f->timer_ns / 4 && ns > f->timer_ns - f->timer_ns / 4)
		return; /* near enough */
	f->timer_ns = ns;
	timer_settime(f->timer, 0, &spec, NULL);
}

static int make_timer(struct recorder *f)
{
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = ORDERS_SIGNAL};

	ev._sigev_un._tid = gettid();
	f->has_timer = timer_create(CLOCK_MONOTONIC, &ev, &f->timer) == 0;
	return f->has_timer;
}

int recorder_wakes(struct recorder *f)
{
	const struct itimerspec spec = {{0, INTERVAL_MAX}, {0, INTERVAL_MAX}};

	if (!f->has_timer && !make_timer(f))
		return 0;
	return f->timer_ns || timer_settime(f->timer, 0, &spec, NULL) == 0;
}

/* Time in which so many gather as wanted, at the pace since the last sweep; grows in steps. */
static uint64_t next_interval(const struct recorder *f, uint64_t records, uint64_t elapsed_ns)
{
	uint64_t longest = f->timer_ns ? 2 * f->timer_ns : INTERVAL_MIN;
	uint64_t ns = records ? elapsed_ns * GATHER_RECORDS / records : INTERVAL_MAX;

	ns = ns > longest ? longest : ns;
	return ns < INTERVAL_MIN ? INTERVAL_MIN : ns > INTERVAL_MAX ? INTERVAL_MAX : ns;
}

void recorder_tick(struct recorder *f)
{
	uint64_t now, records;

	if (!f->threads.len && !f->pending.len)
		return;
	now = clock_mono_ns();
	if (now < f->due_ns && !f->busy)
		return;
	if (!f->has_timer && !make_timer(f))
		return; /* rings that fill are emptied all the same */
	recorder_sweep(f);
	records = f->swept - f->swept_at_tick;
	f->busy = records > GATHER_RECORDS;
	set_timer(f, next_interval(f, records, now - f->tick_ns));
	f->swept_at_tick = f->swept;
	f->tick_ns = now;
	f->due_ns = now + f->timer_ns / 2;
}
