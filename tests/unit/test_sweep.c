/* SPDX-License-Identifier: GPL-3.0-only */
/* Records in rings, and calls that stopped: which of them come out, when, and with what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "tests/unit/fake_rings.h"
#include "tracer/decode/decode.h"
#include "tracer/recorder/coarse.h"

#define GIVEN 1200

struct fixture {
	struct recorder f;
	struct rings r;
	struct given {
		struct sys_event ev;
		struct recorded measured;
		char said[SAID_BYTES_MAX];
		size_t said_len; /* SIZE_MAX: nothing */
		int32_t pair[2];
	} got[GIVEN];
	struct sys_event calls[GIVEN]; /* that stopped */
	size_t got_len, calls_len, swept, taken_over;
	uint64_t tallied[BLOCK_KINDS_LEN];
};

static struct given *next(struct fixture *x, const struct sys_event *ev)
{
	assert_true(x->got_len < GIVEN);
	x->got[x->got_len].ev = *ev;
	return &x->got[x->got_len++];
}

static void recorded(void *ctx, struct tracee *t, struct sys_event *ev,
	const struct recorded *measured, const struct said *said)
{
	struct given *g = next(ctx, ev);

	assert_int_equal(t->tid, ev->tid);
	g->measured = *measured;
	g->said_len = SIZE_MAX;
	if (!said)
		return;
	g->said_len = said->len;
	memcpy(g->said, said->bytes, said->len);
	memcpy(g->pair, said->pair, sizeof(g->pair));
}

static void tallied(void *ctx, const struct sys_def *def, uint64_t n)
{
	((struct fixture *)ctx)->tallied[sys_number(ABI_NATIVE, def)] += n;
}

static void stopped(void *ctx, void *call)
{
	next(ctx, call);
}

static void call_stops(struct fixture *x, const struct sys_event *ev)
{
	struct sys_event *call = &x->calls[x->calls_len++];

	*call = *ev;
	recorder_stopped(&x->f, ev->exit_ns ? ev->exit_ns : ev->entry_ns, call);
}

static void taken_over(void *ctx, struct tracee *t, struct sys_event *ev)
{
	struct fixture *x = ctx;

	assert_int_equal(t->tid, ev->tid);
	x->taken_over = x->got_len;
	call_stops(x, ev);
}

static void swept(void *ctx)
{
	((struct fixture *)ctx)->swept++;
}

static int set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	assert_non_null(x);
	rings_begin(&x->r, &x->f,
		&(struct recorder_sink){.ctx = x,
			.recorded = recorded,
			.tallied = tallied,
			.taken_over = taken_over,
			.stopped = stopped,
			.swept = swept});
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *x = *state;

	rings_end(&x->r);
	free(x);
	return 0;
}

static void stops(struct fixture *x, uint64_t tag)
{
	call_stops(x, &(struct sys_event){.def = sys_by_number(ABI_NATIVE, SYS_write),
			      .nr = SYS_write,
			      .args = {tag},
			      .tid = 999,
			      .exit_ns = clock_mono_ns()});
}

static void expect_tags(const struct fixture *x, const uint64_t *tags, size_t n)
{
	assert_int_equal(x->got_len, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(x->got[i].ev.args[0], tags[i]);
}

/* ---- what comes out ---- */

static void a_record_is_a_call(void **state)
{
	struct fixture *x = *state;
	struct record *r = record(&x->r, 1, SYS_writev, 5);
	const struct sys_event *ev = &x->got[0].ev;

	r->ret = 70;
	r->units = 3;
	r->flags = MEASURED_CTRUNC;
	r->dgrams_asked = 4;
	r->dgrams = 2;
	recorder_sweep(&x->f);
	assert_int_equal(x->got_len, 1);
	assert_string_equal(ev->def->name, "writev");
	assert_int_equal(ev->tid, 101);
	assert_int_equal(ev->pid, getpid());
	assert_int_equal(ev->thread_id, 2);
	assert_int_equal(ev->ret, 70);
	assert_int_equal(ev->outcome, SYS_RETURNED);
	assert_int_equal(ev->seen, SEEN_RECORDED);
	assert_true(ev->entry_ns <= ev->exit_ns);
	assert_int_equal(x->got[0].measured.bytes, 1000);
	assert_int_equal(x->got[0].measured.units, 3);
	assert_int_equal(x->got[0].measured.flags, MEASURED_CTRUNC);
	assert_int_equal(x->got[0].measured.dgrams_asked, 4);
	assert_int_equal(x->got[0].measured.dgrams_moved, 2);
	assert_int_equal(x->got[0].said_len, SIZE_MAX);
	assert_int_equal(x->f.swept, 1);
	recorder_sweep(&x->f); /* once */
	assert_int_equal(x->got_len, 1);
	assert_int_equal(x->swept, 2);
}

/* Of the one site and of the other by turns, in two threads. */
static void a_call_is_of_its_site(void **state)
{
	static const uint64_t addr[] = {0x5000, 0x6000};
	struct fixture *x = *state;
	struct sites *sites = &x->r.mm.recorder->sites;

	sites_set_tramp(sites, sites_get(sites, addr[1]), TRAMP + TRAMP_BYTES);
	for (uint64_t i = 0; i < 12; i++) {
		record(&x->r, i % 4 < 2, SYS_write, i)->desc += i % 2 * TRAMP_BYTES;
		if (i % 5 == 4)
			recorder_sweep(&x->f);
	}
	recorder_sweep(&x->f);
	assert_int_equal(x->got_len, 12);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(x->got[i].ev.site, addr[x->got[i].ev.args[0] % 2]);
}

static void what_the_call_said_comes_with_it(void **state)
{
	struct fixture *x = *state;
	const int32_t pair[2] = {7, 8};
	char path[SAID_BYTES_MAX];
	struct record *r;

	for (size_t i = 0; i < sizeof(path); i++)
		path[i] = (char)('a' + i % 23);
	for (size_t len = 1; len < 600; len += 97) { /* over the ring's end too */
		struct block *b = block_of(&x->r, 0);
		const struct ring *ring = &x->r.tracees[0].recorder->ring;

		x->got_len = 0;
		r = begin(&x->r, 0, SYS_openat, 1);
		r->units = len;
		r->extra = (uint32_t)((len + RECORD_BYTES - 1) / RECORD_BYTES);
		for (size_t i = 0; i < len; i++) {
			uint64_t at = b->head + 1 + i / RECORD_BYTES;

			((char *)&ring->at[at & (ring->records - 1)])[i % RECORD_BYTES] = path[i];
		}
		r->t1 = tsc_now();
		b->head += 1 + r->extra;
		record(&x->r, 0, SYS_dup, 2);
		recorder_sweep(&x->f);
		expect_tags(x, (const uint64_t[]){1, 2}, 2);
		assert_int_equal(x->got[0].said_len, len);
		assert_memory_equal(x->got[0].said, path, len);
		assert_int_equal(x->got[1].said_len, SIZE_MAX);
	}
	r = record(&x->r, 0, SYS_pipe2, 3);
	memcpy(&r->units, pair, sizeof(pair));
	recorder_sweep(&x->f);
	assert_memory_equal(x->got[2].pair, pair, sizeof(pair));
	assert_int_equal(x->got[2].said_len, 0);
	assert_int_equal(x->f.lost, 0);
}

static void how_it_was_seen(void **state)
{
	struct fixture *x = *state;

	for (uint64_t i = 0; i < 100; i++) {
		if (i % 3 == 0)
			recorder_mark_stopped(
				x->r.tracees[0].recorder, block_of(&x->r, 0)->head, 1);
		record(&x->r, 0, SYS_write, i);
		if (i % 40 == 39) /* the same places again, without their old marks */
			recorder_sweep(&x->f);
	}
	recorder_sweep(&x->f);
	assert_int_equal(x->got_len, 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(x->got[i].ev.seen, i % 3 ? SEEN_RECORDED : SEEN_ONE_STOP);
}

static void a_stack_belongs_to_its_record(void **state)
{
	struct fixture *x = *state;
	struct recorder_thread *rt = x->r.tracees[0].recorder;

	*VEC_PUSH(&rt->stacks) = (struct recorder_stack){1, 11, 0};
	*VEC_PUSH(&rt->stacks) = (struct recorder_stack){3, 13, 0};
	for (uint64_t i = 0; i < 4; i++)
		record(&x->r, 0, SYS_write, i);
	recorder_sweep(&x->f);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(x->got[i].ev.stack_id, i % 2 ? 10 + i : 0);
	assert_int_equal(rt->stacks.len, 0);
}

/* ---- order ---- */

static void calls_come_in_the_order_of_their_ends(void **state)
{
	static const int by[] = {2, 0, 1, 1, 2, 0, -1, 0, 2, -1, -1, 1, 0, 0, 2, 1};
	struct fixture *x = *state;
	uint64_t tags[2 * sizeof(by) / sizeof(*by)], n = 0;

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(by) / sizeof(*by); i++) {
			if (by[i] < 0 || (i && by[i - 1] < 0))
				time_passes(); /* two clocks */
			if (by[i] < 0)
				stops(x, n);
			else
				record(&x->r, by[i], SYS_write, n);
			tags[n] = n;
			n++;
		}
		recorder_sweep(&x->f);
		expect_tags(x, tags, n);
	}
	for (size_t i = 1; i < n; i++)
		assert_true(x->got[i - 1].ev.exit_ns <= x->got[i].ev.exit_ns);
}

/* Nothing is kept beyond what there is room for, nor lost. */
static void many_that_stopped_sweep_by_themselves(void **state)
{
	struct fixture *x = *state;

	record(&x->r, 0, SYS_write, 0);
	time_passes();
	for (uint64_t i = 1; i < 1100; i++)
		stops(x, i);
	assert_int_equal(x->swept, 1);
	assert_true(x->got_len > 1000);
	recorder_sweep(&x->f);
	assert_int_equal(x->got_len, 1100);
	for (size_t i = 0; i < 1100; i++)
		assert_int_equal(x->got[i].ev.args[0], i);
}

static void what_stopped_waits_for_nobody(void **state)
{
	struct fixture *x = *state;

	stops(x, 1);
	time_passes();
	begin(&x->r, 1, SYS_write, 9)->t1 = tsc_now();
	time_passes();
	stops(x, 2);
	recorder_sweep(&x->f);
	expect_tags(x, (const uint64_t[]){1, 2}, 2);
	block_of(&x->r, 1)->head++;
	recorder_sweep(&x->f);
	expect_tags(x, (const uint64_t[]){1, 2, 9}, 3);
}

/* The one that began first ends last. */
static void by_end_not_by_beginning(void **state)
{
	struct fixture *x = *state;
	struct record *slow = begin(&x->r, 0, SYS_write, 1);

	record(&x->r, 1, SYS_write, 2);
	time_passes();
	slow->t1 = tsc_now();
	block_of(&x->r, 0)->head++;
	time_passes();
	record(&x->r, 2, SYS_write, 3);
	recorder_sweep(&x->f);
	expect_tags(x, (const uint64_t[]){2, 1, 3}, 3);
}

/* Has the sweep come well within the 50 ms for which that one is waited for? We may have had no
 * CPU. */
static int in_time(const struct fixture *x, const struct record *uncommitted)
{
	return x->f.tsc.now.ns - tsc_to_ns(&x->f.tsc, uncommitted->t1) < 40000000;
}

/* What has returned and is not committed is not overtaken. */
static void what_ends_after_it_waits(void **state)
{
	struct fixture *x = *state;
	struct record *early;

	for (;; recorder_sweep(&x->f)) {
		x->got_len = 0;
		record(&x->r, 0, SYS_write, 1);
		time_passes();
		early = begin(&x->r, 1, SYS_write, 2);
		early->t1 = tsc_now();
		time_passes();
		record(&x->r, 0, SYS_write, 3);
		recorder_sweep(&x->f);
		if (in_time(x, early))
			break;
		block_of(&x->r, 1)->head++;
	}
	expect_tags(x, (const uint64_t[]){1}, 1);
	assert_int_equal(block_of(&x->r, 0)->head - block_of(&x->r, 0)->tail, 1);
	block_of(&x->r, 1)->head++;
	recorder_sweep(&x->f);
	expect_tags(x, (const uint64_t[]){1, 2, 3}, 3);
	assert_int_equal(block_of(&x->r, 0)->head - block_of(&x->r, 0)->tail, 0);
}

/* For 50 ms: a thread that stands still longer is overtaken, and none of its calls is lost. */
static void nobody_waits_for_long(void **state)
{
	struct fixture *x = *state;
	uint64_t from = tsc_now(), ticks;
	struct record *early;

	time_passes();
	ticks = (tsc_now() - from) * 300; /* 60 ms */
	early = begin(&x->r, 1, SYS_write, 2);
	early->t0 = early->t1 = tsc_now() - ticks;
	record(&x->r, 0, SYS_write, 3);
	recorder_sweep(&x->f);
	expect_tags(x, (const uint64_t[]){3}, 1);
	block_of(&x->r, 1)->head++;
	recorder_sweep(&x->f);
	expect_tags(x, (const uint64_t[]){3, 2}, 2);
	assert_int_equal(x->f.lost, 0);
}

static void a_call_under_way_is_not_booked(void **state)
{
	struct fixture *x = *state;

	record(&x->r, 0, SYS_write, 1);
	begin(&x->r, 0, SYS_write, 2);
	recorder_sweep(&x->f);
	expect_tags(x, (const uint64_t[]){1}, 1);
}

static void rings_go_round(void **state)
{
	struct fixture *x = *state;
	uint64_t tags[150];

	for (uint64_t i = 0; i < 150; i++) {
		tags[i] = i;
		record(&x->r, 0, SYS_write, i);
		if (i % 50 == 49)
			recorder_sweep(&x->f);
	}
	expect_tags(x, tags, 150);
	assert_int_equal(block_of(&x->r, 0)->tail, 150);
	assert_int_equal(x->f.lost, 0);
}

/* The rate between two clocks is not known for good: each sweep takes a new point. */
static void every_sweep_renews_the_clock(void **state)
{
	struct fixture *x = *state;

	for (int i = 0; i < 3; i++) {
		uint64_t before = tsc_now();

		x->f.tsc.ns_per_tick = 0;
		x->f.tsc.now.ns = 1;
		record(&x->r, 0, SYS_write, 0);
		recorder_sweep(&x->f);
		assert_true(x->f.tsc.now.ticks >= before);
		assert_true(x->f.tsc.ns_per_tick > 0);
		assert_int_equal(x->got_len, i + 1);
		assert_true(x->got[i].ev.exit_ns <= x->f.tsc.now.ns);
		assert_true(x->got[i].ev.exit_ns > x->f.tsc.first.ns);
	}
}

#define HOUR_TICKS ((int64_t)1 << 43)

/* The counter was ahead by so much since the last point: the machine has slept. */
static void jump_only(struct tsc *tsc, int64_t ahead)
{
	tsc->first.ticks += (uint64_t)ahead;
	tsc->now.ticks += (uint64_t)ahead;
	for (unsigned int i = 0; i < tsc->jumps_len; i++) {
		tsc->jumps[i].from.ticks += (uint64_t)ahead;
		tsc->jumps[i].to.ticks += (uint64_t)ahead;
	}
}

static void jump(struct fixture *x, int64_t ahead)
{
	tsc_sync(&x->f.tsc);
	jump_only(&x->f.tsc, ahead);
}

/* A call before, one that lasts over it, and two after, one of them in another thread. */
static void the_counter_jumps(void **state)
{
	static const uint64_t tags[] = {1, 2, 3, 4, 5};
	struct fixture *x = *state;

	for (int i = 0; i < 4; i++) {
		/* Anew, in an hour, and so that what is before and after have the same numbers. */
		static const int64_t jumps[] = {HOUR_TICKS, -HOUR_TICKS, 1 << 22, -(1 << 22)};
		struct record *r;
		uint64_t began = clock_mono_ns();

		x->got_len = 0;
		jump(x, jumps[i]);
		for (uint64_t tag = 1; tag <= 5; tag++) {
			r = record(&x->r, tag == 4, SYS_write, tag);
			if (tag <= 2)
				r->t0 += (uint64_t)jumps[i];
			if (tag <= 1)
				r->t1 += (uint64_t)jumps[i];
		}
		recorder_sweep(&x->f);
		assert_int_equal(x->f.lost, 0);
		assert_int_equal(x->got_len, 5);
		for (int k = 0; k < 5; k++) {
			assert_true(x->got[k].ev.entry_ns <= x->got[k].ev.exit_ns);
			assert_true(x->got[k].ev.exit_ns <= clock_mono_ns());
			assert_true(x->got[k].ev.exit_ns + 10000000 >= began);
		}
		if (i < 2)
			expect_tags(x, tags, 5);
	}
}

/* 5 ms back within 10 ms: which of the two a number is from is not known. */
static void no_call_ends_before_it_begins(void **state)
{
	struct fixture *x = *state;
	struct tsc *tsc = &x->f.tsc;
	uint64_t ms;
	struct record *r;

	jump(x, 0);
	ms = (uint64_t)(1000000 / tsc->ns_per_tick);
	tsc->first.ns -= 20000000;
	tsc->first.ticks -= 20 * ms;
	tsc->now.ns -= 10000000;
	tsc->now.ticks -= 10 * ms;
	jump_only(tsc, (int64_t)(5 * ms));
	r = record(&x->r, 0, SYS_write, 1);
	r->t0 -= 4 * ms; /* 9 ms ago, by the counter that was */
	r->t1 -= 6 * ms;
	recorder_sweep(&x->f);
	assert_int_equal(x->f.lost, 0);
	assert_int_equal(x->got_len, 1);
	assert_true(x->got[0].ev.entry_ns <= x->got[0].ev.exit_ns);
}

/* Behind the clock is not before it: that cannot be, whatever the counter did. */
static void a_jump_does_not_excuse_the_future(void **state)
{
	struct fixture *x = *state;

	jump(x, HOUR_TICKS);
	record(&x->r, 0, SYS_write, 1)->t1 += (uint64_t)HOUR_TICKS * 2;
	recorder_sweep(&x->f);
	assert_int_equal(x->f.lost, 1);
}

/* ---- what the target wrote where it should not ---- */

static void a_block_without_sense_is_not_believed(void **state)
{
	for (int how = 0; how < 6; how++) {
		struct fixture *x = *state;
		struct recorder_thread *rt = x->r.tracees[how % THREADS].recorder;
		struct block *b = rt->ring.block;
		struct record *r;
		uint64_t lost = x->f.lost;

		x->got_len = 0;
		rt->corrupt = rt->off = 0;
		memset(b, 0, sizeof(*b));
		b->magic = BLOCK_MAGIC_VALUE;
		rt->ring.tail = rt->ring.ended = 0;
		r = record(&x->r, how % THREADS, SYS_write, 1);
		record(&x->r, how % THREADS, SYS_write, 1);
		if (how == 0)
			b->head += SMALL_RING_RECORDS;
		else if (how == 1)
			b->magic = 0;
		else if (how == 2)
			r->ret = 1001; /* of 1000 asked */
		else if (how == 3)
			r->desc += TRAMP_BYTES; /* no site of this space */
		else if (how == 4)
			r->extra = 1;
		else /* what it says goes on behind the head */
			*r = (struct record){.t0 = r->t0,
				.t1 = r->t1,
				.nr = SYS_openat,
				.desc = r->desc,
				.kind = x->f.kinds[SYS_openat],
				.units = 2 * RECORD_BYTES,
				.extra = 2};
		recorder_sweep(&x->f);
		assert_int_equal(x->got_len, 0);
		assert_true(rt->corrupt && rt->off);
		assert_int_equal(b->limit, 0);
		/* Both records, where it is known how many there were. */
		assert_int_equal(x->f.lost, lost + (how < 2 ? 1 : 2));
		lost = x->f.lost;
		recorder_sweep(&x->f);
		assert_int_equal(x->f.lost, lost);
	}
}

/* The record before is; it and what follows are lost. */
static void time_that_goes_back_is_not_believed(void **state)
{
	struct fixture *x = *state;
	struct record *r;

	tsc_sync(&x->f.tsc);
	record(&x->r, 0, SYS_write, 1);
	r = record(&x->r, 0, SYS_write, 2);
	r->t0 = r->t1 = r->t1 - (uint64_t)(1000000 / x->f.tsc.ns_per_tick);
	record(&x->r, 0, SYS_write, 3);
	recorder_sweep(&x->f);
	expect_tags(x, (const uint64_t[]){1}, 1);
	assert_int_equal(x->f.corrupt, 1);
	assert_int_equal(x->f.lost, 2);
}

/* The tracer has its own. */
static void what_only_the_stub_needs_does_not_matter(void **state)
{
	struct fixture *x = *state;
	struct block *b = block_of(&x->r, 0);

	record(&x->r, 0, SYS_write, 1);
	b->mask = b->base = b->limit = b->tail = UINT64_MAX;
	recorder_sweep(&x->f);
	expect_tags(x, (const uint64_t[]){1}, 1);
	assert_int_equal(x->f.lost, 0);
}

/* ---- calls that do not end in the stub ---- */

/* The thread dies in it: it comes behind what was before it, whatever it is. */
static void take_over_one(long nr)
{
	void *state;
	struct fixture *x;
	struct recorder_thread *rt;
	struct record *r;

	set_up(&state);
	x = state;
	rt = x->r.tracees[0].recorder;
	record(&x->r, 0, SYS_write, 1);
	time_passes();
	stops(x, 2);
	time_passes();
	record(&x->r, 1, SYS_write, 3);
	r = begin(&x->r, 0, nr, 4);
	r->units = 77; /* what the end would have measured is not there */
	r->dgrams = 5;
	r->flags = MEASURED_SEGMENTED;
	*VEC_PUSH(&rt->stacks) = (struct recorder_stack){0, 10, 0};
	*VEC_PUSH(&rt->stacks) = (struct recorder_stack){1, 11, 0};
	recorder_end(&x->f, &x->r.tracees[0], 0);
	assert_null(x->r.tracees[0].recorder);
	expect_tags(x, (const uint64_t[]){1, 2, 3, 4}, 4);
	assert_int_equal(x->taken_over, 3);
	assert_int_equal(x->got[0].ev.stack_id, 10);
	assert_int_equal(x->got[3].ev.stack_id, 11);
	assert_int_equal(x->got[3].ev.outcome, SYS_NO_RETURN);
	assert_int_equal(x->got[3].ev.exit_ns, 0);
	assert_int_equal(x->got[3].ev.seen, SEEN_ONE_STOP);
	tear_down(&state);
}

static void a_call_that_is_taken_over_comes_in_its_turn(void **state)
{
	(void)state;
	take_over_one(SYS_write);
	take_over_one(SYS_writev);
	take_over_one(SYS_sendmsg);
	take_over_one(SYS_sendmmsg);
}

static void what_cannot_be_is_not_taken_over(void **state)
{
	struct fixture *x = *state;

	begin(&x->r, 0, SYS_write, 1)->desc += TRAMP_BYTES; /* no site of this space */
	recorder_end(&x->f, &x->r.tracees[0], 0);
	assert_int_equal(x->got_len, 0);
	assert_int_equal(x->f.lost, 1);
	assert_int_equal(x->f.corrupt, 1);
}

/* ---- what is left ---- */

static void note_left(void *ctx, const struct tracee *t, const struct sys_event *ev)
{
	struct fixture *x = ctx;

	next(x, ev ? ev : &(struct sys_event){.args = {UINT64_MAX}})->ev.tid = t->tid;
}

static void calls_that_are_not_given_yet_are_shown(void **state)
{
	struct fixture *x = *state;
	const struct recorder_visit visit = {x, note_left};

	record(&x->r, 0, SYS_close, 1);
	recorder_sweep(&x->f);
	x->got_len = 0;
	recorder_unbooked(&x->f, &visit);
	assert_int_equal(x->got_len, 0);
	record(&x->r, 0, SYS_close, 2);
	begin(&x->r, 0, SYS_close, 3);
	begin(&x->r, 1, SYS_dup2, 4);
	block_of(&x->r, 2)->head += SMALL_RING_RECORDS + 1; /* nobody knows */
	recorder_unbooked(&x->f, &visit);
	expect_tags(x, (const uint64_t[]){2, 3, 4, UINT64_MAX}, 4);
	assert_string_equal(x->got[2].ev.def->name, "dup2");
	assert_int_equal(x->got[3].ev.tid, 102);
	x->got_len = 0;
	recorder_sweep(&x->f); /* finds it corrupt: it makes no more records */
	x->got_len = 0;
	recorder_unbooked(&x->f, &visit);
	expect_tags(x, (const uint64_t[]){3, 4}, 2);
}

/* Another thread has returned and is kept from committing: who ends meanwhile waits for nobody. */
static void nothing_is_left_of_a_thread_that_ends(void **state)
{
	struct fixture *x = *state;
	struct record *early;

	for (;; recorder_sweep(&x->f)) {
		x->got_len = 0;
		early = begin(&x->r, 1, SYS_write, 9);
		early->t1 = tsc_now();
		time_passes();
		record(&x->r, 0, SYS_write, 1);
		record(&x->r, 0, SYS_write, 2);
		time_passes();
		recorder_sweep(&x->f);
		if (in_time(x, early))
			break;
		block_of(&x->r, 1)->head++;
	}
	assert_int_equal(x->got_len, 0);
	recorder_end(&x->f, &x->r.tracees[0], 0);
	expect_tags(x, (const uint64_t[]){1, 2}, 2);
	block_of(&x->r, 1)->head++;
	recorder_sweep(&x->f);
	expect_tags(x, (const uint64_t[]){1, 2, 9}, 3);
	assert_int_equal(x->f.lost, 0);
}

/* It dies and nobody stops at it: before its call, in it, and when it has returned. */
static void calls_that_are_only_counted(void **state)
{
	struct fixture *x = *state;
	struct block *b = block_of(&x->r, 1);

	x->f.calls[SYS_getpid].kind = KIND_TALLY;
	b->tallied = b->tallies[SYS_getpid] = 1000;
	recorder_sweep(&x->f);
	recorder_sweep(&x->f);
	assert_int_equal(x->tallied[SYS_getpid], 1000);
	assert_int_equal(x->got_len, 0);
	assert_int_equal(x->f.corrupt, 0);
	b->tallied = b->tallies[SYS_getpid] = 0x80000000; /* in no time */
	recorder_sweep(&x->f);
	assert_int_equal(x->tallied[SYS_getpid], 1000);
	assert_int_equal(x->f.corrupt, 1);
	assert_int_equal(x->f.lost, 1);
}

static void a_thread_dies_at_any_moment(void **state)
{
	struct fixture *x = *state;

	begin(&x->r, 0, SYS_write, 1)->t0 = 0;
	recorder_end(&x->f, &x->r.tracees[0], 0);
	assert_int_equal(x->got_len, 0);
	begin(&x->r, 1, SYS_write, 2);
	recorder_end(&x->f, &x->r.tracees[1], 0);
	assert_int_equal(x->got_len, 1);
	assert_int_equal(x->got[0].ev.outcome, SYS_NO_RETURN);
	record(&x->r, 2, SYS_write, 3)->ret = 5;
	block_of(&x->r, 2)->head--; /* not committed */
	recorder_end(&x->f, &x->r.tracees[2], 0);
	assert_int_equal(x->got_len, 2);
	assert_int_equal(x->got[1].ev.outcome, SYS_RETURNED);
	assert_int_equal(x->got[1].ev.ret, 5);
	assert_int_equal(x->f.lost, 0);
}

/* ---- without times ---- */

static void again(struct fixture *x, int timeless)
{
	const struct recorder_sink sink = x->f.sink;
	struct filter_pass pass;

	x->f.timeless = timeless;
	recorder_init(&x->f, &x->r.map, 0, &sink, &pass);
	x->f.on = 1;
}

static void without_times(struct fixture *x)
{
	again(x, 1);
	assert_null(coarse_begin(&x->f, x->r.mm.recorder));
}

static uint64_t coarse_clock(const struct fixture *x)
{
	const struct recorder_mm *rm = x->r.mm.recorder;

	return *(uint64_t *)(rm->region.at + (rm->coarse - REGION_ADDR - ARENA_OFFSET));
}

/* What the stub does with CLOCK_TAKE, to before the commit. */
static void begin_coarsely(struct fixture *x, int thread, uint64_t tag)
{
	struct record *r = begin(&x->r, thread, SYS_write, tag);

	r->t0 = r->t1 = coarse_clock(x);
}

static void record_coarsely(struct fixture *x, int thread, uint64_t tag)
{
	begin_coarsely(x, thread, tag);
	block_of(&x->r, thread)->head++;
}

static void a_call_without_times_is_in_its_phase(void **state)
{
	struct fixture *x = *state;
	uint64_t at_ns[20];

	without_times(x);
	for (size_t i = 0; i < LEN(at_ns); i++) {
		record_coarsely(x, 1, 2 * i);
		at_ns[i] = recorder_turn(&x->f, 1);
		assert_true(at_ns[i] > 1);
		for (int thread = 0; thread < THREADS; thread++)
			record_coarsely(x, thread, 2 * i + 1);
		time_passes();
		recorder_sweep(&x->f);
	}
	assert_int_equal(x->got_len, LEN(at_ns) * (1 + THREADS));
	assert_int_equal(x->f.corrupt, 0);
	for (size_t i = 0; i < x->got_len; i++) {
		const struct sys_event *ev = &x->got[i].ev;
		uint64_t turn = at_ns[ev->args[0] / 2];

		assert_int_equal(ev->entry_ns >= turn, ev->args[0] % 2);
		assert_true(ev->exit_ns < turn + 100000);
	}
	x->f.timeless = 0;
	assert_int_equal(recorder_turn(&x->f, 1), 1);
}

static void what_is_told_is_later(void **state)
{
	struct fixture *x = *state;
	uint64_t before, told;

	without_times(x);
	before = tsc_now();
	recorder_tell(&x->f, &x->r.mm);
	told = coarse_clock(x);
	assert_true(told >= before + CLOCK_STEP && told <= tsc_now() + CLOCK_STEP);
	coarse_tell_all(&x->f, told - 1);
	assert_int_equal(coarse_clock(x), told);
	coarse_tell_all(&x->f, told + 1);
	assert_int_equal(coarse_clock(x), told + 1);
}

/* One that has returned, and is kept from its commit since before the sweep before. */
static void one_kept_from_its_commit_is_waited_for(void **state)
{
	struct fixture *x = *state;

	without_times(x);
	recorder_sweep(&x->f);
	begin_coarsely(x, 0, 1);
	time_passes();
	recorder_tell(&x->f, &x->r.mm);
	record_coarsely(x, 1, 2);
	recorder_sweep(&x->f);
	assert_int_equal(x->got_len, 0);
	block_of(&x->r, 0)->head++;
	recorder_sweep(&x->f);
	expect_tags(x, (uint64_t[]){1, 2}, 2);
}

/* Nor is it overtaken by what is as old as it. */
static void two_of_one_moment_wait_for_each_other(void **state)
{
	struct fixture *x = *state;

	without_times(x);
	recorder_sweep(&x->f);
	begin_coarsely(x, 0, 1);
	record_coarsely(x, 1, 1);
	time_passes();
	recorder_sweep(&x->f);
	assert_int_equal(x->got_len, 0);
	block_of(&x->r, 0)->head++;
	recorder_sweep(&x->f);
	expect_tags(x, (uint64_t[]){1, 1}, 2);
}

static void calls_that_change_a_meaning_tell(void **state)
{
	static const long tell[] = {SYS_close, SYS_mmap, SYS_munmap, SYS_mremap, SYS_brk,
		SYS_openat, SYS_dup, SYS_fcntl, SYS_ioctl, SYS_accept4, SYS_connect, SYS_pipe2},
			  take[] = {SYS_write, SYS_read, SYS_writev, SYS_sendmmsg, SYS_recvmmsg,
				  SYS_recvmsg, SYS_sendto};
	struct fixture *x = *state;

	without_times(x);
	for (size_t i = 0; i < LEN(tell); i++)
		if (x->f.kinds[tell[i]] != KIND_PASS)
			assert_int_equal(x->f.clocks[tell[i]], CLOCK_TELL);
	for (size_t i = 0; i < LEN(take); i++)
		assert_int_equal(x->f.clocks[take[i]], CLOCK_TAKE);
	assert_int_equal(x->f.clocks[SYS_execve], CLOCK_READ);
	again(x, 0);
	for (size_t i = 0; i < BLOCK_KINDS_LEN; i++)
		assert_int_equal(x->f.clocks[i], CLOCK_READ);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH(a_record_is_a_call),
		WITH(a_call_is_of_its_site),
		WITH(what_the_call_said_comes_with_it),
		WITH(how_it_was_seen),
		WITH(a_stack_belongs_to_its_record),
		WITH(calls_come_in_the_order_of_their_ends),
		WITH(many_that_stopped_sweep_by_themselves),
		WITH(what_stopped_waits_for_nobody),
		WITH(by_end_not_by_beginning),
		WITH(what_ends_after_it_waits),
		WITH(nobody_waits_for_long),
		WITH(a_call_under_way_is_not_booked),
		WITH(rings_go_round),
		WITH(every_sweep_renews_the_clock),
		WITH(the_counter_jumps),
		WITH(no_call_ends_before_it_begins),
		WITH(a_jump_does_not_excuse_the_future),
		WITH(a_block_without_sense_is_not_believed),
		WITH(time_that_goes_back_is_not_believed),
		WITH(what_only_the_stub_needs_does_not_matter),
		cmocka_unit_test(a_call_that_is_taken_over_comes_in_its_turn),
		WITH(a_call_without_times_is_in_its_phase),
		WITH(what_is_told_is_later),
		WITH(one_kept_from_its_commit_is_waited_for),
		WITH(two_of_one_moment_wait_for_each_other),
		WITH(calls_that_change_a_meaning_tell),
		WITH(what_cannot_be_is_not_taken_over),
		WITH(calls_that_are_not_given_yet_are_shown),
		WITH(nothing_is_left_of_a_thread_that_ends),
		WITH(calls_that_are_only_counted),
		WITH(a_thread_dies_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
