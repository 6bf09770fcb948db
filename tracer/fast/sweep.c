/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Records become calls. All rings are read up to one moment, and what ended until then is booked in
 * the order in which it ended, with the calls that stopped.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tracer/session.h"

#define TAIL_EVERY 256 /* records after which their room is given back */

/* Where the next call comes from: a ring, or the calls that stopped (thread NULL). */
struct source {
	struct fast_thread *thread;
	uint64_t at, end; /* positions in the ring; indexes of pending */
	uint64_t next_ns; /* when the call at `at` ended */
};

struct sweep {
	struct source *at; /* a heap: the earliest end is first */
	size_t len, cap;
};

/* ---- one record ---- */

static const struct fast_record *record_at(const struct fast_thread *ft, uint64_t position)
{
	return &ft->ring[position & ft->block->mask];
}

static void measure(
	struct session *s, struct tracee *t, const struct fast_record *r, struct sys_event *ev)
{
	struct decode_env env = session_env(s, t, ev);
	struct recorded rec = {r->flags, r->bytes, r->units, r->dgrams_asked, r->dgrams};

	decode_recorded(&(struct decode_in){ev, session_memory(s, t), &env}, &rec, &ev->m);
}

void fast_mark_stopped(struct fast_thread *ft, int stopped)
{
	uint64_t place = ft->block->head & ft->block->mask;
	uint8_t bit = (uint8_t)(1 << place % 8);

	if (stopped)
		ft->stopped[place / 8] |= bit;
	else
		ft->stopped[place / 8] &= (uint8_t)~bit;
}

/* How the call at that position was seen; the mark is gone then. */
static enum seen take_seen(struct fast_thread *ft, uint64_t position)
{
	uint64_t place = position & ft->block->mask;
	uint8_t bit = (uint8_t)(1 << place % 8);
	enum seen seen = ft->stopped[place / 8] & bit ? SEEN_ONE_STOP : SEEN_RECORDED;

	ft->stopped[place / 8] &= (uint8_t)~bit;
	return seen;
}

void fast_event(struct session *s, const struct fast_thread *ft, const struct fast_record *r,
	struct sys_event *ev)
{
	const struct tracee *t = ft->tracee;

	*ev = (struct sys_event){.abi = ABI_X86_64,
		.nr = r->nr,
		.def = sys_by_number(ABI_X86_64, r->nr),
		.ret = r->ret,
		.outcome = SYS_RETURNED,
		.entry_ns = tsc_to_ns(&s->fast.tsc, r->t0),
		.exit_ns = tsc_to_ns(&s->fast.tsc, r->t1),
		.pid = t->process->pid,
		.tid = t->tid,
		.thread_id = t->thread_id,
		.fd_id = r->fd_id,
		.mm_id = t->space->id};
	memcpy(ev->args, r->args, sizeof(ev->args));
}

uint32_t fast_take_stack(struct fast_thread *ft, uint64_t position)
{
	uint32_t id = 0;
	size_t n = 0;

	while (n < ft->stacks.len && ft->stacks.at[n].position <= position) {
		id = ft->stacks.at[n].position == position ? ft->stacks.at[n].id : 0;
		n++;
	}
	ft->stacks.len -= n;
	if (n)
		memmove(ft->stacks.at, ft->stacks.at + n, ft->stacks.len * sizeof(*ft->stacks.at));
	return id;
}

static void give(const struct fast *f, const struct sys_event *ev)
{
	f->sink.call(f->sink.ctx, ev);
}

static void book_record(struct session *s, struct fast_thread *ft, uint64_t position)
{
	const struct fast_record *r = record_at(ft, position);
	const struct sys_def *def = sys_by_number(ABI_X86_64, r->nr);
	enum seen seen = take_seen(ft, position);
	struct sys_event ev;

	if (def->index >= s->map.len)
		return;
	if (s->map.kind[def->index] == CONTROL_SOCKET)
		s->seen.xdp |= (int32_t)r->args[0] == AF_XDP;
	if (!s->map.traced[def->index])
		return;
	fast_event(s, ft, r, &ev);
	ev.seen = seen;
	if (ft->stacks.len)
		ev.stack_id = fast_take_stack(ft, position);
	measure(s, ft->tracee, r, &ev);
	give(&s->fast, &ev);
}

/* ---- all of them ---- */

static uint64_t end_of(struct session *s, const struct source *src)
{
	if (!src->thread)
		return s->fast.pending.at[src->at].exit_ns;
	return tsc_to_ns(&s->fast.tsc, record_at(src->thread, src->at)->t1);
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

/* The target has written where it should not: what the block says is not to be believed. */
static int is_spoiled(const struct fast_thread *ft, uint64_t head)
{
	const struct fast_block *b = ft->block;
	uint64_t records = ft->large ? LARGE_RING_RECORDS : SMALL_RING_RECORDS;

	return head - b->tail > records || b->mask != records - 1 ||
	       b->base != (uint64_t)(uintptr_t)ft->ring;
}

static void spoil(struct session *s, struct fast_thread *ft)
{
	ft->off = ft->spoiled = 1;
	ft->block->limit = 0;
	ft->block->tail = ft->block->head;
	s->fast.spoiled++;
	s->lost++;
}

/* Collects what there is to book; a record that ended after the moment stays for the next time. */
static void collect(struct session *s, struct sweep *w, uint64_t moment_ns)
{
	w->len = 0;
	for (size_t i = 0; i < s->fast.threads.len; i++) {
		struct fast_thread *ft = s->fast.threads.at[i];
		uint64_t head = __atomic_load_n(&ft->block->head, __ATOMIC_ACQUIRE);
		struct source src = {ft, ft->block->tail, head, 0};

		if (head == src.at || ft->spoiled)
			continue;
		if (is_spoiled(ft, head)) {
			spoil(s, ft);
			continue;
		}
		src.next_ns = end_of(s, &src);
		if (src.next_ns <= moment_ns)
			*VEC_PUSH(w) = src;
	}
	if (s->fast.pending.len)
		*VEC_PUSH(w) = (struct source){
			NULL, 0, s->fast.pending.len, s->fast.pending.at[0].exit_ns};
	for (size_t i = w->len / 2; i-- > 0;)
		sift_down(w, i);
}

static void book_next(struct session *s, struct source *src)
{
	if (!src->thread) {
		give(&s->fast, &s->fast.pending.at[src->at++]);
		return;
	}
	book_record(s, src->thread, src->at++);
	s->fast.swept++;
	if (src->at % TAIL_EVERY == 0)
		__atomic_store_n(&src->thread->block->tail, src->at, __ATOMIC_RELEASE);
}

static void drop_source(struct sweep *w)
{
	struct source *src = &w->at[0];

	if (src->thread)
		__atomic_store_n(&src->thread->block->tail, src->at, __ATOMIC_RELEASE);
	*src = w->at[--w->len];
}

static void book_all(struct session *s, struct sweep *w, uint64_t moment_ns)
{
	while (w->len) {
		struct source *src = &w->at[0];

		book_next(s, src);
		if (src->at < src->end)
			src->next_ns = end_of(s, src);
		if (src->at == src->end || (src->thread && src->next_ns > moment_ns))
			drop_source(w);
		if (w->len > 1)
			sift_down(w, 0);
	}
}

void fast_sweep(struct session *s)
{
	struct fast *f = &s->fast;

	if (!f->on)
		return;
	if (!f->sweep)
		f->sweep = mem_calloc(1, sizeof(*f->sweep));
	tsc_sync(&f->tsc);
	collect(s, f->sweep, f->tsc.ns);
	book_all(s, f->sweep, f->tsc.ns);
	f->pending.len = 0;
}

#define PENDING_MAX 1024

void fast_book(struct session *s, const struct sys_event *ev)
{
	struct sys_event *to;

	if (!s->fast.on) {
		give(&s->fast, ev);
		return;
	}
	if (s->fast.pending.len >= PENDING_MAX)
		fast_sweep(s);
	to = VEC_PUSH(&s->fast.pending);
	*to = *ev;
}

void fast_sweep_release(struct fast *f)
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

int fast_is_busy(const struct session *s)
{
	return s->fast.busy;
}

static void set_timer(struct fast *f, uint64_t ns)
{
	struct itimerspec spec = {{(time_t)(ns / 1000000000), (long)(ns % 1000000000)},
		{(time_t)(ns / 1000000000), (long)(ns % 1000000000)}};

	if (ns < f->timer_ns + f->timer_ns / 4 && ns > f->timer_ns - f->timer_ns / 4)
		return; /* near enough */
	f->timer_ns = ns;
	timer_settime(f->timer, 0, &spec, NULL);
}

static int make_timer(struct fast *f)
{
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = ORDERS_SIGNAL};

	ev._sigev_un._tid = gettid();
	f->has_timer = timer_create(CLOCK_MONOTONIC, &ev, &f->timer) == 0;
	return f->has_timer;
}

/* Time in which so many gather as wanted, at the pace since the last sweep; grows in steps. */
static uint64_t next_interval(const struct fast *f, uint64_t records, uint64_t elapsed_ns)
{
	uint64_t longest = f->timer_ns ? 2 * f->timer_ns : INTERVAL_MIN;
	uint64_t ns = records ? elapsed_ns * GATHER_RECORDS / records : INTERVAL_MAX;

	ns = ns > longest ? longest : ns;
	return ns < INTERVAL_MIN ? INTERVAL_MIN : ns > INTERVAL_MAX ? INTERVAL_MAX : ns;
}

void fast_tick(struct session *s)
{
	struct fast *f = &s->fast;
	uint64_t now, records;

	if (!f->threads.len && !f->pending.len)
		return;
	now = clock_mono_ns();
	if (now < f->due_ns && !f->busy)
		return;
	if (!f->has_timer && !make_timer(f))
		return; /* rings that fill are emptied all the same */
	fast_sweep(s);
	records = f->swept - f->swept_at_tick;
	f->busy = records > GATHER_RECORDS;
	set_timer(f, next_interval(f, records, now - f->tick_ns));
	f->swept_at_tick = f->swept;
	f->tick_ns = now;
	f->due_ns = now + f->timer_ns / 2;
}
