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
	struct sys_event ev;
	struct caller caller; /* has a reference of the table */
	uint8_t counted;
	uint8_t applied; /* its table was not recorded: what it is about is known */
	struct {
		void *bytes; /* heap */
		size_t len;
		int32_t pair[2];
	} said;
};

/* ---- one record ---- */

static void measure(struct session *s, struct tracee *t, const struct record *r,
	const struct file *file, struct sys_event *ev)
{
	struct decode_env env = session_env(s, t, ev, file);
	struct recorded rec = {r->flags, r->bytes, r->units, r->dgrams_asked, r->dgrams};

	decode_recorded(&(struct decode_in){ev, session_memory(s, t), &env}, &rec, &ev->m);
}

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

void recorder_event(struct session *s, const struct recorder_thread *rt, const struct record *r,
	struct sys_event *ev)
{
	const struct tracee *t = rt->tracee;
	const struct tsc *tsc = &s->recorder.tsc;

	*ev = (struct sys_event){.abi = ABI_X86_64,
		.nr = r->nr,
		.def = sys_by_number(ABI_X86_64, r->nr),
		.ret = r->ret,
		.outcome = SYS_RETURNED,
		.entry_ns = tsc_to_ns(tsc, r->t0),
		.exit_ns = tsc_to_ns(tsc, r->t1),
		.pid = t->process->pid,
		.tid = t->tid,
		.thread_id = t->thread_id,
		.mm_id = t->mm->id};
	memcpy(ev->args, r->args, sizeof(ev->args));
	if (ev->entry_ns > ev->exit_ns) /* the counter has jumped */
		ev->entry_ns = ev->exit_ns;
}

uint32_t recorder_take_stack(struct recorder_thread *rt, uint64_t position)
{
	uint32_t id = 0;
	size_t n = 0;

	while (n < rt->stacks.len && rt->stacks.at[n].position <= position) {
		id = rt->stacks.at[n].position == position ? rt->stacks.at[n].id : 0;
		n++;
	}
	rt->stacks.len -= n;
	if (n)
		memmove(rt->stacks.at, rt->stacks.at + n, rt->stacks.len * sizeof(*rt->stacks.at));
	return id;
}

void recorder_drop_stacks(struct recorder_thread *rt, uint64_t from)
{
	while (rt->stacks.len && rt->stacks.at[rt->stacks.len - 1].position >= from)
		rt->stacks.len--;
}

#define SLACK_NS 1000 /* by which clocks of two CPUs may differ */

/* The same without its times. */
static int is_possible_at_any_time(
	const struct session *s, const struct recorder_thread *rt, const struct record *r)
{
	struct record timeless = *r;

	timeless.t0 = timeless.t1 = rt->ring.ended;
	return ring_is_possible(&rt->ring, &timeless, s->recorder.calls, rt->ring.ended, 0);
}

int recorder_is_possible(
	struct session *s, struct recorder_thread *rt, const struct record *r, uint64_t now)
{
	struct tsc *tsc = &s->recorder.tsc;
	uint64_t slack =
		tsc->ns_per_tick > 0 ? (uint64_t)(SLACK_NS / tsc->ns_per_tick) : UINT32_MAX;

	if (r->t1 > now)
		now = tsc_now(); /* it ended since */
	if (!ring_is_possible(&rt->ring, r, s->recorder.calls, now, slack)) {
		if (!is_possible_at_any_time(s, rt, r))
			return 0;
		tsc_sync(tsc);
		/* But where the counter itself may have gone back. */
		if (!tsc->jumps_len || tsc_to_ns(tsc, r->t1) > clock_mono_ns() + SLACK_NS)
			return 0;
	}
	if (r->desc != rt->desc && !sites_of_desc(&rt->tracee->mm->recorder->sites, r->desc))
		return 0;
	rt->desc = r->desc;
	return 1;
}

void recorder_corrupt(struct session *s, struct recorder_thread *rt, uint64_t lost)
{
	if (rt->corrupt)
		return;
	rt->off = rt->corrupt = 1;
	ring_off(&rt->ring);
	s->recorder.corrupt++;
	s->lost += lost ? lost : 1;
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

static void give(const struct recorder *f, const struct sys_event *ev)
{
	f->sink.call(f->sink.ctx, ev);
}

static void book_record(struct session *s, struct recorder_thread *rt, uint64_t position)
{
	const struct record *r = &rt->next;
	const struct sys_def *def = sys_by_number(ABI_X86_64, r->nr);
	int traced = s->map.traced[def->index];
	enum seen seen = take_seen(rt, position);
	const struct file *file = NULL;
	char buf[SAID_BYTES_MAX];
	struct sys_event ev;
	struct said said;

	if (s->map.kind[def->index] == CONTROL_SOCKET)
		s->seen.xdp |= (int32_t)r->args[0] == AF_XDP;
	recorder_event(s, rt, r, &ev);
	if (s->map.fds && (traced || identity_follows(def))) {
		struct caller c = session_caller(rt->tracee);

		identity_call(
			s->identity, &c, &ev, traced, said_of(rt, r, position, buf, &said), &file);
	}
	if (!traced)
		return;
	ev.seen = seen;
	if (rt->stacks.len)
		ev.stack_id = recorder_take_stack(rt, position);
	measure(s, rt->tracee, r, file, &ev);
	give(&s->recorder, &ev);
}

/* ---- one call that stopped ---- */

static void book_pending(struct session *s, struct recorder_pending *p)
{
	struct said said = {p->said.bytes, p->said.len, {p->said.pair[0], p->said.pair[1]}};
	const struct file *file;

	if (!p->applied)
		identity_call(s->identity, &p->caller, &p->ev, p->counted, &said, &file);
	if (p->counted)
		give(&s->recorder, &p->ev);
	files_unref(p->caller.files);
	free(p->said.bytes);
}

/* ---- all of them ---- */

/* Copies and checks the next record of the source; 0: the thread is corrupt. */
static int load(struct session *s, struct source *src)
{
	struct recorder_thread *rt = src->thread;

	if (!rt) {
		const struct sys_event *ev = &s->recorder.pending.at[src->at].ev;

		/* One that never returned is as old as its entry. */
		src->next_ns = ev->exit_ns ? ev->exit_ns : ev->entry_ns;
		return 1;
	}
	ring_copy(&rt->ring, src->at, &rt->next);
	if (!recorder_is_possible(s, rt, &rt->next, s->recorder.tsc.now.ticks) ||
		src->at + 1 + rt->next.extra > src->end) {
		recorder_corrupt(s, rt, src->end - src->at);
		return 0;
	}
	src->next_ns = tsc_to_ns(&s->recorder.tsc, rt->next.t1);
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
	const struct session *s, const struct recorder_thread *rt, uint64_t ns)
{
	struct record r;
	uint64_t end_ns;

	if (!ring_in_flight(&rt->ring, &r) || !r.t1)
		return ns;
	end_ns = tsc_to_ns(&s->recorder.tsc, r.t1);
	if (end_ns >= ns || end_ns + HELD_BACK_NS < s->recorder.tsc.now.ns || r.t1 < rt->ring.ended)
		return ns;
	return end_ns - 1;
}

static void collect_thread(struct session *s, struct sweep *w, struct recorder_thread *rt)
{
	struct source src = {rt, rt->ring.tail, 0, 0};

	if (rt->corrupt)
		return;
	if (ring_head(&rt->ring, &src.end) < 0) {
		recorder_corrupt(s, rt, 1);
		return;
	}
	if (src.end != src.at && load(s, &src))
		*VEC_PUSH(w) = src;
}

/* Collects what there is to book, and says until which moment. */
static uint64_t collect(struct session *s, struct sweep *w)
{
	uint64_t moment_ns = s->recorder.tsc.now.ns;

	w->len = 0;
	for (size_t i = 0; i < s->recorder.threads.len; i++)
		if (!s->recorder.threads.at[i]->corrupt)
			moment_ns = until_uncommitted(s, s->recorder.threads.at[i], moment_ns);
	for (size_t i = 0; i < s->recorder.threads.len; i++)
		collect_thread(s, w, s->recorder.threads.at[i]);
	if (s->recorder.pending.len) {
		struct source src = {NULL, 0, s->recorder.pending.len, 0};

		load(s, &src);
		*VEC_PUSH(w) = src;
	}
	for (size_t i = w->len / 2; i-- > 0;)
		sift_down(w, i);
	return moment_ns;
}

static void book_next(struct session *s, struct source *src)
{
	struct recorder_thread *rt = src->thread;

	if (!rt) {
		book_pending(s, &s->recorder.pending.at[src->at++]);
		return;
	}
	book_record(s, rt, src->at);
	s->recorder.swept++;
	rt->ring.ended = rt->next.t1;
	src->at += 1 + rt->next.extra;
	if (src->at - rt->ring.tail >= TAIL_EVERY)
		ring_taken(&rt->ring, src->at);
}

/* Those that stopped wait for nobody: their ends are before the moment, or just behind it. */
static void book_all(struct session *s, struct sweep *w, uint64_t moment_ns)
{
	while (w->len) {
		struct source *src = &w->at[0];
		int more = 1;

		if (!src->thread || src->next_ns <= moment_ns) {
			book_next(s, src);
			more = src->at < src->end && load(s, src);
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

/* ---- numbers that calls which are not booked yet may have changed ---- */

static void touch(struct session *s, const struct files *files, const struct record *r)
{
	struct sys_event ev = {.def = sys_by_number(ABI_X86_64, r->nr)};
	uint32_t first, last;

	memcpy(ev.args, r->args, sizeof(ev.args));
	if (identity_closing(&ev, &first, &last))
		*VEC_PUSH(&s->recorder.touched) = (struct recorder_touched){files, first, last};
}

static void touch_all(struct session *s, const struct recorder_thread *rt)
{
	const struct files *files = rt->tracee->files;
	struct record r;
	uint64_t head;

	if (ring_head(&rt->ring, &head) < 0) {
		*VEC_PUSH(&s->recorder.touched) = (struct recorder_touched){files, 0, UINT32_MAX};
		return;
	}
	for (uint64_t at = rt->ring.tail; at != head; at += 1 + r.extra) {
		ring_copy(&rt->ring, at, &r);
		if (r.nr >= BLOCK_KINDS_LEN || s->recorder.calls[r.nr].kind == KIND_PASS ||
			r.extra >= head - at)
			return; /* the next sweep finds it corrupt */
		touch(s, files, &r);
	}
	if (ring_in_flight(&rt->ring, &r) && r.nr < BLOCK_KINDS_LEN &&
		s->recorder.calls[r.nr].kind != KIND_PASS)
		touch(s, files, &r);
}

static void begin_touched(void *ctx)
{
	struct session *s = ctx;

	s->recorder.touched.len = 0;
	for (size_t i = 0; i < s->recorder.threads.len; i++)
		if (!s->recorder.threads.at[i]->corrupt)
			touch_all(s, s->recorder.threads.at[i]);
}

static int is_touched(void *ctx, const struct files *files, uint32_t fd)
{
	const struct session *s = ctx;

	for (size_t i = 0; i < s->recorder.touched.len; i++) {
		const struct recorder_touched *t = &s->recorder.touched.at[i];

		if (t->files == files && fd >= t->first && fd <= t->last)
			return 1;
	}
	return 0;
}

void recorder_sweep(struct session *s)
{
	struct recorder *f = &s->recorder;

	if (!f->on)
		return;
	if (!f->sweep)
		f->sweep = mem_calloc(1, sizeof(*f->sweep));
	tsc_sync(&f->tsc);
	book_all(s, f->sweep, collect(s, f->sweep));
	f->pending.len = 0;
	identity_read_names(s->identity, &(struct identity_check){begin_touched, is_touched, s});
	recorder_segments_check(s);
}

#define PENDING_MAX 1024

/* What the call said, read by us: its thread stands at its exit. */
static void read_said(struct session *s, struct tracee *t, struct recorder_pending *p)
{
	uint8_t kind = identity_kind(p->ev.def);
	const struct mem_reader *mem = session_memory(s, t);
	const uint64_t *args = p->ev.args;
	uint64_t from = args[kind == KIND_PATH_1 ? 0 : 1];
	uint32_t len = (uint32_t)args[2];
	ssize_t got;

	p->said.pair[0] = p->said.pair[1] = -1;
	if (!kind || (!sys_ok(&p->ev) && kind != KIND_ADDRESS))
		return;
	if (kind == KIND_PAIR_1 || kind == KIND_PAIR_4) {
		mem->read(mem->ctx, args[kind == KIND_PAIR_1 ? 0 : 3], p->said.pair,
			sizeof(p->said.pair));
		return;
	}
	if (kind == KIND_PEER &&
		(!from || mem->read(mem->ctx, args[2], &len, sizeof(len)) != sizeof(len)))
		return;
	if (kind == KIND_PATH_1 || kind == KIND_PATH_2)
		len = SAID_BYTES_MAX;
	else if (len > sizeof(struct sockaddr_storage))
		len = sizeof(struct sockaddr_storage);
	p->said.bytes = mem_calloc(len + 1, 1);
	got = mem->read(mem->ctx, from, p->said.bytes, len);
	p->said.len = got < 0 ? 0 : (size_t)got;
	if (kind == KIND_PATH_1 || kind == KIND_PATH_2)
		p->said.len = strnlen(p->said.bytes, p->said.len);
}

struct received {
	int32_t *at;
	size_t len, cap;
};

static void received(void *ctx, int32_t fd)
{
	struct received *r = ctx;

	if (fd >= 0)
		*VEC_PUSH(r) = fd;
}

/* Fds of other processes, before the thread that got them can use them: what they are follows from
 * no call of it. */
static void take_received(struct session *s, struct tracee *t, const struct sys_event *ev)
{
	struct decode_in in = {ev, session_memory(s, t), NULL};
	struct caller c = session_caller(t);
	struct received fds = {0};

	if (strcmp(ev->def->name, "pidfd_getfd") == 0)
		received(&fds, sys_ok(ev) ? (int32_t)ev->ret : -1);
	else
		decode_rights(&in, received, &fds);
	if (fds.len)
		recorder_sweep(s); /* the calls before it, and itself */
	for (size_t i = 0; i < fds.len; i++)
		identity_received(s->identity, &c, (uint32_t)fds.at[i], ev);
	if (fds.len)
		recorder_segments_check(s);
	free(fds.at);
}

void recorder_book(struct session *s, struct tracee *t, const struct sys_event *ev, int counted)
{
	struct recorder_pending p = {.ev = *ev,
		.caller = session_caller(t),
		.counted = (uint8_t)counted,
		.applied = !s->map.fds || !files_state(t->files)->recorded};
	const struct file *file;

	if (p.applied && s->map.fds)
		identity_call(s->identity, &p.caller, &p.ev, counted, NULL, &file);
	if (p.applied && (!s->recorder.on || !counted)) {
		if (counted)
			give(&s->recorder, &p.ev);
		return;
	}
	if (!p.applied)
		read_said(s, t, &p);
	if (s->recorder.pending.len >= PENDING_MAX)
		recorder_sweep(s);
	files_ref(p.caller.files);
	*VEC_PUSH(&s->recorder.pending) = p;
	if (!p.applied)
		take_received(s, t, ev);
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

int recorder_is_busy(const struct session *s)
{
	return s->recorder.busy;
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

/* Time in which so many gather as wanted, at the pace since the last sweep; grows in steps. */
static uint64_t next_interval(const struct recorder *f, uint64_t records, uint64_t elapsed_ns)
{
	uint64_t longest = f->timer_ns ? 2 * f->timer_ns : INTERVAL_MIN;
	uint64_t ns = records ? elapsed_ns * GATHER_RECORDS / records : INTERVAL_MAX;

	ns = ns > longest ? longest : ns;
	return ns < INTERVAL_MIN ? INTERVAL_MIN : ns > INTERVAL_MAX ? INTERVAL_MAX : ns;
}

void recorder_tick(struct session *s)
{
	struct recorder *f = &s->recorder;
	uint64_t now, records;

	if (!f->threads.len && !f->pending.len)
		return;
	now = clock_mono_ns();
	if (now < f->due_ns && !f->busy)
		return;
	if (!f->has_timer && !make_timer(f))
		return; /* rings that fill are emptied all the same */
	recorder_sweep(s);
	records = f->swept - f->swept_at_tick;
	f->busy = records > GATHER_RECORDS;
	set_timer(f, next_interval(f, records, now - f->tick_ns));
	f->swept_at_tick = f->swept;
	f->tick_ns = now;
	f->due_ns = now + f->timer_ns / 2;
}
