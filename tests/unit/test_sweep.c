/* SPDX-License-Identifier: GPL-3.0-only */
/* Records in rings of ordinary memory, without a process: which calls come out of them, and when.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tracer/session.h"

#define THREADS 3
#define EVENTS  200
#define TRAMP   0x10000

struct fixture {
	struct session s;
	struct process process;
	struct mm mm;
	struct tracee tracees[THREADS];
	struct sys_event got[EVENTS];
	size_t got_len;
	int memory;
};

static void take(void *ctx, const struct sys_event *ev)
{
	struct fixture *x = ctx;

	assert_true(x->got_len < EVENTS);
	x->got[x->got_len++] = *ev;
}

static void begin_thread(struct fixture *x, int i, struct files *files)
{
	struct recorder_thread *rt = mem_calloc(1, sizeof(*rt));

	assert_int_equal(ring_init(&rt->ring, &x->mm.recorder->region), 0);
	rt->tracee = &x->tracees[i];
	x->tracees[i] = (struct tracee){.tid = 100 + i,
		.process = &x->process,
		.files = files,
		.mm = &x->mm,
		.thread_id = (uint32_t)i + 1,
		.recorder = rt};
	*VEC_PUSH(&x->s.recorder.threads) = rt;
}

static int set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct filter_pass pass;
	struct sys_set all = {0};
	struct err err = {0};
	struct files *files;

	assert_non_null(x);
	assert_int_equal(sys_set_parse(&all, "%network,%io,%memory,close,dup2", &err), 0);
	control_map_build(&x->s.map, &all, 1);
	sys_set_release(&all);
	x->s.identity = identity_new(100);
	x->s.recorder.sink = (struct recorder_sink){take, x};
	recorder_init(&x->s.recorder, &x->s.map, 0, &pass);
	x->s.recorder.on = 1; /* for what is tested the machine does not matter */
	x->process.pid = getpid();
	x->mm.refs = THREADS;
	x->mm.recorder = recorder_mm_new();
	x->memory = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	assert_int_equal(region_take(&x->mm.recorder->region, x->memory, 4, &err), 0);
	sites_set_tramp(&x->mm.recorder->sites, sites_get(&x->mm.recorder->sites, 0x5000), TRAMP);
	files = files_new(identity_registry(x->s.identity));
	files_state(files)->recorded = 1;
	for (int i = 0; i < THREADS; i++)
		begin_thread(x, i, files);
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *x = *state;

	files_unref(x->tracees[0].files);
	for (int i = 0; i < THREADS; i++) {
		if (x->tracees[i].recorder)
			free(x->tracees[i].recorder->stacks.at);
		free(x->tracees[i].recorder);
	}
	recorder_mm_free(&x->s.recorder, x->mm.recorder);
	recorder_release(&x->s.recorder);
	control_map_release(&x->s.map);
	identity_free(x->s.identity);
	close(x->memory);
	free(x);
	return 0;
}

/* What the stub does: the record, and then the commit. The first argument is the call's name tag.
 */
static struct record *begin(struct fixture *x, int thread, long nr, uint64_t tag)
{
	struct ring *ring = &x->tracees[thread].recorder->ring;
	struct record *r = &ring->at[ring->block->head & (ring->records - 1)];

	*r = (struct record){.t0 = tsc_now(),
		.nr = (uint32_t)nr,
		.desc = TRAMP + TRAMP_DESC,
		.args = {tag, 0, 1000},
		.bytes = 1000,
		.kind = x->s.recorder.kinds[nr]};
	ring->block->inflight = ring->block->head + 1;
	return r;
}

static struct block *block_of(const struct fixture *x, int thread)
{
	return x->tracees[thread].recorder->ring.block;
}

static struct record *record(struct fixture *x, int thread, long nr, uint64_t tag)
{
	struct record *r = begin(x, thread, nr, tag);

	r->t1 = tsc_now();
	block_of(x, thread)->head++;
	return r;
}

static void stopped(struct fixture *x, uint64_t tag)
{
	struct sys_event ev = {.def = sys_by_number(ABI_X86_64, SYS_write),
		.nr = SYS_write,
		.args = {tag},
		.tid = 999,
		.exit_ns = clock_mono_ns()};

	recorder_book(&x->s, &x->tracees[0], &ev, 1);
}

/* Until both clocks are well past what was stamped last: by less than that they may disagree. */
static void time_passes(void)
{
	uint64_t from = clock_mono_ns();

	while (clock_mono_ns() - from < 200000)
		;
}

static void expect_tags(const struct fixture *x, const uint64_t *tags, size_t n)
{
	assert_int_equal(x->got_len, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(x->got[i].args[0], tags[i]);
}

/* ---- what comes out ---- */

static void a_record_is_a_call(void **state)
{
	struct fixture *x = *state;
	struct record *r = record(x, 1, SYS_write, 5);

	r->args[2] = 77;
	r->ret = 70;
	recorder_sweep(&x->s);
	assert_int_equal(x->got_len, 1);
	assert_string_equal(x->got[0].def->name, "write");
	assert_int_equal(x->got[0].tid, 101);
	assert_int_equal(x->got[0].pid, getpid());
	assert_int_equal(x->got[0].thread_id, 2);
	assert_int_equal(x->got[0].ret, 70);
	assert_int_equal(x->got[0].fd_id, 1);
	assert_int_equal(x->got[0].outcome, SYS_RETURNED);
	assert_int_equal(x->got[0].seen, SEEN_RECORDED);
	assert_int_equal(x->got[0].m.bytes_moved, 70);
	assert_true(x->got[0].entry_ns <= x->got[0].exit_ns);
	assert_int_equal(x->s.recorder.swept, 1);
	recorder_sweep(&x->s); /* once */
	assert_int_equal(x->got_len, 1);
}

static void what_is_not_traced_is_not_booked(void **state)
{
	struct fixture *x = *state;

	record(x, 0, SYS_dup, 3); /* it is recorded for what it makes */
	record(x, 0, SYS_socket, AF_INET);
	assert_false(x->s.seen.xdp);
	recorder_sweep(&x->s);
	assert_int_equal(x->got_len, 1);
	assert_int_equal(x->s.recorder.swept, 2);
	record(x, 0, SYS_socket, AF_XDP);
	recorder_sweep(&x->s);
	assert_true(x->s.seen.xdp);
}

static void how_it_was_seen(void **state)
{
	struct fixture *x = *state;

	for (uint64_t i = 0; i < 100; i++) {
		if (i % 3 == 0)
			recorder_mark_stopped(x->tracees[0].recorder, block_of(x, 0)->head, 1);
		record(x, 0, SYS_write, i);
		if (i % 40 == 39) /* the same places again, without their old marks */
			recorder_sweep(&x->s);
	}
	recorder_sweep(&x->s);
	assert_int_equal(x->got_len, 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(x->got[i].seen, i % 3 ? SEEN_RECORDED : SEEN_ONE_STOP);
}

static void a_stack_belongs_to_its_record(void **state)
{
	struct fixture *x = *state;
	struct recorder_thread *rt = x->tracees[0].recorder;

	*VEC_PUSH(&rt->stacks) = (struct recorder_stack){1, 11};
	*VEC_PUSH(&rt->stacks) = (struct recorder_stack){3, 13};
	for (uint64_t i = 0; i < 4; i++)
		record(x, 0, SYS_write, i);
	recorder_sweep(&x->s);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(x->got[i].stack_id, i % 2 ? 10 + i : 0);
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
				stopped(x, n);
			else
				record(x, by[i], SYS_write, n);
			tags[n] = n;
			n++;
		}
		recorder_sweep(&x->s);
		expect_tags(x, tags, n);
	}
	for (size_t i = 1; i < n; i++)
		assert_true(x->got[i - 1].exit_ns <= x->got[i].exit_ns);
}

/* The one that began first ends last. */
static void by_end_not_by_beginning(void **state)
{
	struct fixture *x = *state;
	struct record *slow = begin(x, 0, SYS_write, 1);

	record(x, 1, SYS_write, 2);
	slow->t1 = tsc_now();
	block_of(x, 0)->head++;
	record(x, 2, SYS_write, 3);
	recorder_sweep(&x->s);
	expect_tags(x, (const uint64_t[]){2, 1, 3}, 3);
}

/* What has returned and is not committed is not overtaken. */
static void what_ends_after_it_waits(void **state)
{
	struct fixture *x = *state;
	struct record *early;

	record(x, 0, SYS_write, 1);
	time_passes();
	early = begin(x, 1, SYS_write, 2);
	early->t1 = tsc_now();
	time_passes();
	record(x, 0, SYS_write, 3);
	recorder_sweep(&x->s);
	expect_tags(x, (const uint64_t[]){1}, 1);
	assert_int_equal(block_of(x, 0)->tail, 1);
	block_of(x, 1)->head++;
	recorder_sweep(&x->s);
	expect_tags(x, (const uint64_t[]){1, 2, 3}, 3);
	assert_int_equal(block_of(x, 0)->tail, 2);
}

static void a_call_under_way_is_not_booked(void **state)
{
	struct fixture *x = *state;

	record(x, 0, SYS_write, 1);
	begin(x, 0, SYS_write, 2);
	recorder_sweep(&x->s);
	expect_tags(x, (const uint64_t[]){1}, 1);
}

static void rings_go_round(void **state)
{
	struct fixture *x = *state;
	uint64_t tags[150];

	for (uint64_t i = 0; i < 150; i++) {
		tags[i] = i;
		record(x, 0, SYS_write, i);
		if (i % 50 == 49)
			recorder_sweep(&x->s);
	}
	expect_tags(x, tags, 150);
	assert_int_equal(block_of(x, 0)->tail, 150);
	assert_int_equal(x->s.lost, 0);
}

/* The rate between two clocks is not known for good: each sweep takes a new point. */
static void every_sweep_renews_the_clock(void **state)
{
	struct fixture *x = *state;

	for (int i = 0; i < 3; i++) {
		uint64_t before = tsc_now();

		x->s.recorder.tsc.ns_per_tick = 0;
		x->s.recorder.tsc.now.ns = 1;
		record(x, 0, SYS_write, 0);
		recorder_sweep(&x->s);
		assert_true(x->s.recorder.tsc.now.ticks >= before);
		assert_true(x->s.recorder.tsc.ns_per_tick > 0);
		assert_int_equal(x->got_len, i + 1);
		assert_true(x->got[i].exit_ns <= x->s.recorder.tsc.now.ns);
		assert_true(x->got[i].exit_ns > x->s.recorder.tsc.first.ns);
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
	tsc_sync(&x->s.recorder.tsc);
	jump_only(&x->s.recorder.tsc, ahead);
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
			r = record(x, tag == 4, SYS_write, tag);
			if (tag <= 2)
				r->t0 += (uint64_t)jumps[i];
			if (tag <= 1)
				r->t1 += (uint64_t)jumps[i];
		}
		recorder_sweep(&x->s);
		assert_int_equal(x->s.lost, 0);
		assert_int_equal(x->got_len, 5);
		for (int k = 0; k < 5; k++) {
			assert_true(x->got[k].entry_ns <= x->got[k].exit_ns);
			assert_true(x->got[k].exit_ns <= clock_mono_ns());
			assert_true(x->got[k].exit_ns + 10000000 >= began);
		}
		if (i < 2)
			expect_tags(x, tags, 5);
	}
}

/* 5 ms back within 10 ms: which of the two a number is from is not known. */
static void no_call_ends_before_it_begins(void **state)
{
	struct fixture *x = *state;
	struct tsc *tsc = &x->s.recorder.tsc;
	uint64_t ms;
	struct record *r;

	jump(x, 0);
	ms = (uint64_t)(1000000 / tsc->ns_per_tick);
	tsc->first.ns -= 20000000;
	tsc->first.ticks -= 20 * ms;
	tsc->now.ns -= 10000000;
	tsc->now.ticks -= 10 * ms;
	jump_only(tsc, (int64_t)(5 * ms));
	r = record(x, 0, SYS_write, 1);
	r->t0 -= 4 * ms; /* 9 ms ago, by the counter that was */
	r->t1 -= 6 * ms;
	recorder_sweep(&x->s);
	assert_int_equal(x->s.lost, 0);
	assert_int_equal(x->got_len, 1);
	assert_true(x->got[0].entry_ns <= x->got[0].exit_ns);
}

/* Behind the clock is not before it: that cannot be, whatever the counter did. */
static void a_jump_does_not_excuse_the_future(void **state)
{
	struct fixture *x = *state;

	jump(x, HOUR_TICKS);
	record(x, 0, SYS_write, 1)->t1 += (uint64_t)HOUR_TICKS * 2;
	recorder_sweep(&x->s);
	assert_int_equal(x->s.lost, 1);
}

/* ---- what the target wrote where it should not ---- */

static void a_block_without_sense_is_not_believed(void **state)
{
	for (int how = 0; how < 5; how++) {
		struct fixture *x = *state;
		struct recorder_thread *rt = x->tracees[how % THREADS].recorder;
		struct block *b = rt->ring.block;
		struct record *r;
		uint64_t lost = x->s.lost;

		x->got_len = 0;
		rt->corrupt = rt->off = 0;
		memset(b, 0, sizeof(*b));
		b->magic = BLOCK_MAGIC_VALUE;
		rt->ring.tail = rt->ring.ended = 0;
		r = record(x, how % THREADS, SYS_write, 1);
		record(x, how % THREADS, SYS_write, 1);
		if (how == 0)
			b->head += SMALL_RING_RECORDS;
		else if (how == 1)
			b->magic = 0;
		else if (how == 2)
			r->ret = 1001; /* of 1000 asked */
		else if (how == 3)
			r->desc += TRAMP_BYTES; /* no site of this space */
		else
			r->extra = 1;
		recorder_sweep(&x->s);
		assert_int_equal(x->got_len, 0);
		assert_true(rt->corrupt && rt->off);
		assert_int_equal(b->limit, 0);
		assert_true(x->s.lost > lost);
		lost = x->s.lost;
		recorder_sweep(&x->s);
		assert_int_equal(x->s.lost, lost);
	}
}

/* The tracer has its own. */
static void what_only_the_stub_needs_does_not_matter(void **state)
{
	struct fixture *x = *state;
	struct block *b = block_of(x, 0);

	record(x, 0, SYS_write, 1);
	b->mask = b->base = b->limit = b->tail = UINT64_MAX;
	recorder_sweep(&x->s);
	expect_tags(x, (const uint64_t[]){1}, 1);
	assert_int_equal(x->s.lost, 0);
}

/* ---- measured in the target ---- */

static const struct measured {
	const char *title;
	long nr;
	int64_t ret;
	uint32_t vlen, flags;
	uint64_t bytes, dgrams, dgrams_asked;
	struct measure want;
} measured[] = {
	{"sendmsg, cut", SYS_sendmsg, 950, 0, MEASURED_SEGMENTED, 950, 0, 10,
		{950, 950, 0, 0, 10, 10, 1, 0}},
	{"sendmsg, cut, less sent than asked", SYS_sendmsg, 300, 0, MEASURED_SEGMENTED, 950, 3, 10,
		{950, 300, 0, 0, 10, 3, 1, 0}},
	{"sendmsg, cut, failed", SYS_sendmsg, -11, 0, MEASURED_SEGMENTED, 950, 0, 10,
		{950, 0, 0, 0, 10, 0, 1, 0}},
	{"sendmsg, not cut", SYS_sendmsg, 950, 0, 0, 950, 0, 1, {950, 950, 0, 0, 1, 1, 0, 0}},
	{"sendmmsg, cut", SYS_sendmmsg, 3, 3, MEASURED_SEGMENTED, 3000, 30, 30,
		{0, 3000, 3, 3, 30, 30, 1, 0}},
	{"sendmmsg, cut, not all sent", SYS_sendmmsg, 2, 3, MEASURED_SEGMENTED, 2000, 20, 30,
		{0, 2000, 3, 2, 30, 20, 1, 0}},
	{"sendmmsg, not cut, not all sent", SYS_sendmmsg, 2, 3, 0, 2000, 2, 2,
		{0, 2000, 3, 2, 3, 2, 0, 0}},
	{"recvmmsg, joined", SYS_recvmmsg, 1, 4, MEASURED_SEGMENTED, 1000, 10, 10,
		{0, 1000, 4, 1, 10, 10, 1, 0}},
};

static void segments_are_datagrams(void **state)
{
	struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(measured) / sizeof(*measured); i++) {
		const struct measured *m = &measured[i];
		struct record *r = record(x, 0, m->nr, 5);
		const struct measure *is = &x->got[i].m;

		print_message("# %s\n", m->title);
		r->args[2] = m->vlen;
		r->ret = m->ret;
		r->flags = m->flags;
		r->bytes = m->bytes;
		r->dgrams = m->dgrams;
		r->dgrams_asked = m->dgrams_asked;
		recorder_sweep(&x->s);
		assert_int_equal(x->got_len, i + 1);
		assert_int_equal(is->segmented, m->want.segmented);
		assert_int_equal(is->dgrams_asked, m->want.dgrams_asked);
		if (m->ret >= 0) {
			assert_int_equal(is->bytes_moved, m->want.bytes_moved);
			assert_int_equal(is->dgrams_moved, m->want.dgrams_moved);
		}
		if (m->vlen)
			assert_int_equal(is->batch_moved, m->want.batch_moved);
		else
			assert_int_equal(is->bytes_asked, m->want.bytes_asked);
	}
}

/* By the options of the file that it was made on: the number has another one by now. */
static void options_are_those_of_the_record(void **state)
{
	struct fixture *x = *state;
	struct files *files = x->tracees[0].files;

	files_at(files, 50, clock_mono_ns())->file->gro = 1;
	for (int i = 0; i < 2; i++) {
		struct record *r;

		time_passes();
		r = record(x, 0, SYS_recvmsg, 50);
		r->ret = 1000;
		r->flags = MEASURED_CTRUNC; /* joined from what nobody can say, if it is */
		r->dgrams = 1;
		time_passes();
		record(x, 0, SYS_close, 50);
	}
	recorder_sweep(&x->s);
	assert_int_equal(x->got_len, 4);
	assert_int_not_equal(x->got[0].fd_id, x->got[2].fd_id);
	assert_int_equal(x->got[0].fd_id, x->got[1].fd_id);
	assert_int_equal(x->got[0].m.segmented, 1);
	assert_int_equal(x->got[2].m.segmented, 0);
	assert_int_equal(x->got[2].m.dgrams_moved, 1);
}

/* ---- closes ---- */

static void close_at(struct fixture *x, int thread, uint64_t fd)
{
	record(x, thread, SYS_close, fd);
	time_passes();
}

/* A name is read at the end of a sweep, if no close of the number is under way or to be booked. */
static void names_are_read_where_nothing_closes(void **state)
{
	struct fixture *x = *state;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct fd_info *info;

	record(x, 0, SYS_read, (uint64_t)fd);
	begin(x, 1, SYS_close, (uint64_t)fd);
	recorder_sweep(&x->s);
	info = fd_registry_get(identity_registry(x->s.identity), x->got[0].fd_id);
	assert_null(info->file->target);
	begin(x, 1, SYS_close, (uint64_t)fd + 1); /* of another number */
	recorder_sweep(&x->s);
	assert_string_equal(info->file->target, "/dev/null");
	close(fd);
}

/* A thread dies in a close: what uses the number then is another file. */
static void a_close_that_is_taken_over_ends_the_file(void **state)
{
	struct fixture *x = *state;

	record(x, 1, SYS_read, 7);
	close_at(x, 0, 7);
	record(x, 1, SYS_read, 7);
	time_passes();
	begin(x, 0, SYS_close, 7);
	recorder_end(&x->s, &x->tracees[0], 0);
	assert_null(x->tracees[0].recorder);
	assert_int_equal(x->got_len, 4);
	assert_int_not_equal(x->got[0].fd_id, x->got[2].fd_id);
	assert_int_equal(x->got[3].outcome, SYS_NO_RETURN);
}

/* It dies and nobody stops at it: before its call, in it, and when it has returned. */
static void a_thread_dies_at_any_moment(void **state)
{
	struct fixture *x = *state;

	begin(x, 0, SYS_write, 1)->t0 = 0;
	recorder_end(&x->s, &x->tracees[0], 0);
	assert_int_equal(x->got_len, 0);
	begin(x, 1, SYS_write, 2);
	recorder_end(&x->s, &x->tracees[1], 0);
	assert_int_equal(x->got_len, 1);
	assert_int_equal(x->got[0].outcome, SYS_NO_RETURN);
	record(x, 2, SYS_write, 3)->ret = 5;
	block_of(x, 2)->head--; /* not committed */
	recorder_end(&x->s, &x->tracees[2], 0);
	assert_int_equal(x->got_len, 2);
	assert_int_equal(x->got[1].outcome, SYS_RETURNED);
	assert_int_equal(x->got[1].ret, 5);
	assert_int_equal(x->s.lost, 0);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH(a_record_is_a_call),
		WITH(what_is_not_traced_is_not_booked),
		WITH(how_it_was_seen),
		WITH(a_stack_belongs_to_its_record),
		WITH(calls_come_in_the_order_of_their_ends),
		WITH(by_end_not_by_beginning),
		WITH(what_ends_after_it_waits),
		WITH(a_call_under_way_is_not_booked),
		WITH(rings_go_round),
		WITH(every_sweep_renews_the_clock),
		WITH(the_counter_jumps),
		WITH(no_call_ends_before_it_begins),
		WITH(a_jump_does_not_excuse_the_future),
		WITH(a_block_without_sense_is_not_believed),
		WITH(what_only_the_stub_needs_does_not_matter),
		WITH(segments_are_datagrams),
		WITH(options_are_those_of_the_record),
		WITH(names_are_read_where_nothing_closes),
		WITH(a_close_that_is_taken_over_ends_the_file),
		WITH(a_thread_dies_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
