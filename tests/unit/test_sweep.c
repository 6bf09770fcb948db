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
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tracer/session.h"

#define THREADS 3
#define EVENTS  200
#define FUTURE  (1ULL << 50) /* ticks: days */

struct fixture {
	struct session s;
	struct process process;
	struct space space;
	struct tracee tracees[THREADS];
	struct fast_block *blocks[THREADS];
	struct fast_record rings[THREADS][SMALL_RING_RECORDS];
	struct sys_event got[EVENTS];
	size_t got_len;
	uint32_t map[64];
};

static void take(void *ctx, const struct sys_event *ev)
{
	struct fixture *x = ctx;

	assert_true(x->got_len < EVENTS);
	x->got[x->got_len++] = *ev;
}

static void keep_map(void *ctx, uint32_t *at)
{
	(void)ctx;
	(void)at;
}

static void begin_thread(struct fixture *x, int i, struct files *files)
{
	struct fast_thread *ft = calloc(1, sizeof(*ft));
	struct fast_block *b = calloc(1, sizeof(*b));

	assert_non_null(ft);
	assert_non_null(b);
	b->base = (uint64_t)(uintptr_t)x->rings[i];
	b->mask = SMALL_RING_RECORDS - 1;
	b->limit = SMALL_RING_RECORDS;
	x->blocks[i] = b;
	x->tracees[i] = (struct tracee){.tid = 100 + i,
		.process = &x->process,
		.files = files,
		.space = &x->space,
		.thread_id = (uint32_t)i + 1,
		.fast = ft};
	*ft = (struct fast_thread){.tracee = &x->tracees[i], .block = b, .ring = x->rings[i]};
	*VEC_PUSH(&x->s.fast.threads) = ft;
}

static int set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct sys_set all = {0};
	struct err err = {0};
	struct files *files;

	assert_non_null(x);
	assert_int_equal(sys_set_parse(&all, "%network,%io,%memory,close,dup2", &err), 0);
	control_map_build(&x->s.map, &all);
	sys_set_release(&all);
	x->s.fds = fd_registry_new(100);
	x->s.fast.on = 1;
	x->s.fast.sink = (struct fast_sink){take, x};
	tsc_init(&x->s.fast.tsc);
	x->process.pid = getpid();
	x->space.refs = THREADS;
	files = files_new(x->s.fds);
	files_publish(files, &(struct files_known){x->map, 64, keep_map, NULL});
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
		if (x->tracees[i].fast)
			free(x->tracees[i].fast->stacks.at);
		free(x->tracees[i].fast);
		if (!region_is_block((uint64_t)(uintptr_t)x->blocks[i]))
			free(x->blocks[i]);
	}
	fast_sweep_release(&x->s.fast);
	free(x->s.fast.threads.at);
	free(x->s.fast.pending.at);
	control_map_release(&x->s.map);
	fd_registry_free(x->s.fds);
	free(x);
	return 0;
}

/* What the stub does: the record, and then the commit. The first argument is the call's name tag.
 */
static struct fast_record *begin(struct fixture *x, int thread, long nr, uint64_t tag)
{
	struct fast_block *b = x->blocks[thread];
	struct fast_record *r = &x->rings[thread][b->head & b->mask];

	*r = (struct fast_record){
		.t0 = tsc_now(), .nr = (uint32_t)nr, .args = {tag}, .kind = KIND_PLAIN};
	b->inflight = b->head + 1;
	return r;
}

static struct fast_record *record(struct fixture *x, int thread, long nr, uint64_t tag)
{
	struct fast_record *r = begin(x, thread, nr, tag);

	r->t1 = tsc_now();
	x->blocks[thread]->head++;
	return r;
}

static void stopped(struct fixture *x, uint64_t tag)
{
	struct sys_event ev = {.def = sys_by_number(ABI_X86_64, SYS_write),
		.nr = SYS_write,
		.args = {tag},
		.tid = 999,
		.exit_ns = clock_mono_ns()};

	fast_book(&x->s, &ev);
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
	struct fast_record *r = record(x, 1, SYS_write, 5);

	r->args[2] = 77;
	r->ret = 70;
	r->fd_id = 3;
	fast_sweep(&x->s);
	assert_int_equal(x->got_len, 1);
	assert_string_equal(x->got[0].def->name, "write");
	assert_int_equal(x->got[0].tid, 101);
	assert_int_equal(x->got[0].pid, getpid());
	assert_int_equal(x->got[0].thread_id, 2);
	assert_int_equal(x->got[0].ret, 70);
	assert_int_equal(x->got[0].fd_id, 3);
	assert_int_equal(x->got[0].outcome, SYS_RETURNED);
	assert_int_equal(x->got[0].seen, SEEN_RECORDED);
	assert_int_equal(x->got[0].m.bytes_moved, 70);
	assert_true(x->got[0].entry_ns <= x->got[0].exit_ns);
	assert_int_equal(x->s.fast.swept, 1);
	fast_sweep(&x->s); /* once */
	assert_int_equal(x->got_len, 1);
}

static void what_is_not_traced_is_not_booked(void **state)
{
	struct fixture *x = *state;

	record(x, 0, SYS_getppid, 0);
	record(x, 0, SYS_socket, AF_INET);
	assert_false(x->s.seen.xdp);
	fast_sweep(&x->s);
	assert_int_equal(x->got_len, 1);
	assert_int_equal(x->s.fast.swept, 2);
	record(x, 0, SYS_socket, AF_XDP);
	fast_sweep(&x->s);
	assert_true(x->s.seen.xdp);
}

static void how_it_was_seen(void **state)
{
	struct fixture *x = *state;

	for (uint64_t i = 0; i < 100; i++) {
		if (i % 3 == 0)
			fast_mark_stopped(x->tracees[0].fast, 1);
		record(x, 0, SYS_write, i);
		if (i % 40 == 39) /* the same places again, without their old marks */
			fast_sweep(&x->s);
	}
	fast_sweep(&x->s);
	assert_int_equal(x->got_len, 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(x->got[i].seen, i % 3 ? SEEN_RECORDED : SEEN_ONE_STOP);
}

static void a_stack_belongs_to_its_record(void **state)
{
	struct fixture *x = *state;
	struct fast_thread *ft = x->tracees[0].fast;

	*VEC_PUSH(&ft->stacks) = (struct fast_stack){1, 11};
	*VEC_PUSH(&ft->stacks) = (struct fast_stack){3, 13};
	for (uint64_t i = 0; i < 4; i++)
		record(x, 0, SYS_write, i);
	fast_sweep(&x->s);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(x->got[i].stack_id, i % 2 ? 10 + i : 0);
	assert_int_equal(ft->stacks.len, 0);
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
		fast_sweep(&x->s);
		expect_tags(x, tags, n);
	}
	for (size_t i = 1; i < n; i++)
		assert_true(x->got[i - 1].exit_ns <= x->got[i].exit_ns);
}

/* The one that began first ends last. */
static void by_end_not_by_beginning(void **state)
{
	struct fixture *x = *state;
	struct fast_record *slow = begin(x, 0, SYS_write, 1);

	record(x, 1, SYS_write, 2);
	slow->t1 = tsc_now();
	x->blocks[0]->head++;
	record(x, 2, SYS_write, 3);
	fast_sweep(&x->s);
	expect_tags(x, (const uint64_t[]){2, 1, 3}, 3);
}

static void what_ends_after_the_moment_waits(void **state)
{
	struct fixture *x = *state;
	struct fast_record *late;

	record(x, 0, SYS_write, 1);
	late = record(x, 0, SYS_write, 2);
	late->t1 += FUTURE;
	record(x, 0, SYS_write, 3)->t1 += FUTURE;
	record(x, 1, SYS_write, 4);
	fast_sweep(&x->s);
	expect_tags(x, (const uint64_t[]){1, 4}, 2);
	assert_int_equal(x->blocks[0]->tail, 1);
	late->t1 -= FUTURE;
	fast_sweep(&x->s);
	expect_tags(x, (const uint64_t[]){1, 4, 2}, 3);
	assert_int_equal(x->blocks[0]->tail, 2);
}

static void a_call_under_way_is_not_booked(void **state)
{
	struct fixture *x = *state;

	record(x, 0, SYS_write, 1);
	begin(x, 0, SYS_write, 2);
	fast_sweep(&x->s);
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
			fast_sweep(&x->s);
	}
	expect_tags(x, tags, 150);
	assert_int_equal(x->blocks[0]->tail, 150);
	assert_int_equal(x->s.lost, 0);
}

/* The rate between two clocks is not known for good: each sweep takes a new point. */
static void every_sweep_renews_the_clock(void **state)
{
	struct fixture *x = *state;

	for (int i = 0; i < 3; i++) {
		uint64_t before = tsc_now();

		x->s.fast.tsc.ns_per_tick = 1000; /* what became of the one before */
		x->s.fast.tsc.ns = 1;
		record(x, 0, SYS_write, 0);
		fast_sweep(&x->s);
		assert_true(x->s.fast.tsc.ticks >= before);
		assert_true(x->s.fast.tsc.ns_per_tick < 1000);
		assert_int_equal(x->got_len, i + 1);
		assert_true(x->got[i].exit_ns <= x->s.fast.tsc.ns);
		assert_true(x->got[i].exit_ns > x->s.fast.tsc.first_ns);
	}
}

/* ---- what the target wrote where it should not ---- */

static void a_block_without_sense_is_not_believed(void **state)
{
	for (int how = 0; how < 4; how++) {
		struct fixture *x = *state;
		struct fast_block *b = x->blocks[how % THREADS];
		struct fast_thread *ft = x->tracees[how % THREADS].fast;

		x->got_len = 0;
		ft->spoiled = ft->off = 0;
		*b = (struct fast_block){.base = (uint64_t)(uintptr_t)ft->ring,
			.mask = SMALL_RING_RECORDS - 1,
			.limit = SMALL_RING_RECORDS};
		record(x, how % THREADS, SYS_write, 1);
		if (how == 0)
			b->head += SMALL_RING_RECORDS;
		else if (how == 1)
			b->mask = LARGE_RING_RECORDS - 1;
		else if (how == 2)
			b->base += 128;
		else
			b->tail = b->head + 1;
		fast_sweep(&x->s);
		assert_int_equal(x->got_len, 0);
		assert_true(ft->spoiled);
		assert_int_equal(b->limit, 0);
		assert_int_equal(x->s.lost, how + 1);
		fast_sweep(&x->s);
		assert_int_equal(x->s.lost, how + 1);
	}
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
		struct fast_record *r = record(x, 0, m->nr, 5);
		const struct measure *is = &x->got[i].m;

		print_message("# %s\n", m->title);
		r->args[2] = m->vlen;
		r->ret = m->ret;
		r->flags = m->flags;
		r->bytes = m->bytes;
		r->dgrams = m->dgrams;
		r->dgrams_asked = m->dgrams_asked;
		fast_sweep(&x->s);
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

/* By the options of the file that it was made on: the number may have another one by now. */
static void options_are_those_of_the_record(void **state)
{
	struct fixture *x = *state;
	struct files *files = x->tracees[0].files;
	uint32_t fd = (uint32_t)open("/dev/null", O_RDONLY | O_CLOEXEC), id[2];

	assert_true(fd < 64);
	for (int i = 0; i < 2; i++) {
		struct fast_record *r;

		id[i] = files_identify(files, getpid(), getpid(), fd, 1);
		files_set_options(files, fd, &(struct fd_options){.gro = !i});
		r = record(x, 0, SYS_recvmsg, fd);
		r->fd_id = id[i];
		r->ret = 1000;
		r->flags = MEASURED_CTRUNC; /* joined from what nobody can say, if it is */
		r->dgrams = 1;
		x->map[fd] = 0; /* closed in the target */
	}
	assert_int_not_equal(id[0], id[1]);
	fast_sweep(&x->s);
	assert_int_equal(x->got_len, 2);
	assert_int_equal(x->got[0].m.segmented, 1);
	assert_int_equal(x->got[1].m.segmented, 0);
	assert_int_equal(x->got[1].m.dgrams_moved, 1);
	close((int)fd);
}

/* ---- closes ---- */

static void a_close_under_way_is_known(void **state)
{
	static const struct {
		uint32_t kind;
		uint64_t args[2];
		int closes_7;
	} calls[] = {
		{KIND_CLOSE, {7}, 1},
		{KIND_CLOSE, {0xffffffff00000007}, 1},
		{KIND_CLOSE_ANY, {7}, 1},
		{KIND_DUP, {3, 7}, 1},
		{KIND_DUP, {7, 3}, 0},
		{KIND_CLOSE, {8, 7}, 0},
		{KIND_FD, {7}, 0},
		{KIND_PLAIN, {7}, 0},
	};
	struct fixture *x = *state;
	const struct files *files = x->tracees[0].files;
	struct files *other = files_new(x->s.fds);

	assert_false(fast_is_closing(&x->s.fast, files, 7));
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		struct fast_record *r = begin(x, 1, SYS_close, 0);

		r->kind = calls[i].kind;
		memcpy(r->args, calls[i].args, sizeof(calls[i].args));
		assert_int_equal(fast_is_closing(&x->s.fast, files, 7), calls[i].closes_7);
		assert_false(fast_is_closing(&x->s.fast, other, 7));
		r->t1 = tsc_now();
		x->blocks[1]->head++; /* it is over */
		assert_false(fast_is_closing(&x->s.fast, files, 7));
	}
	files_unref(other);
}

/*
 * A thread dies in a close: another one has used the number meanwhile, so it is known, and may have
 * used the file that is gone.
 */
static void a_close_that_is_taken_over_forgets(void **state)
{
	static const struct {
		uint32_t kind;
		uint64_t args[2];
		int forgets;
	} calls[] = {
		{KIND_CLOSE, {7}, 1},
		{KIND_CLOSE_ANY, {7}, 1},
		{KIND_DUP, {3, 7}, 1},
		{KIND_FD, {7}, 0},
		{KIND_CLOSE, {8}, 0},
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		struct fixture *x = *state;
		struct fast_thread *ft = x->tracees[0].fast;
		struct fast_record *r;
		struct err err = {0};

		if (region_init(&x->s.fast.region, &err) < 0)
			skip(); /* its address is taken here */
		free(x->blocks[0]);
		ft->block = x->blocks[0] = region_block(&x->s.fast.region);
		ft->ring = (struct fast_record *)(uintptr_t)ft->block->base;
		r = ft->ring;
		r->t0 = tsc_now();
		r->nr = calls[i].kind == KIND_DUP ? SYS_dup2 : SYS_close;
		r->kind = calls[i].kind;
		memcpy(r->args, calls[i].args, sizeof(calls[i].args));
		ft->block->inflight = 1;
		x->map[7] = 42;
		x->got_len = 0;
		fast_end(&x->s, &x->tracees[0], 0);
		assert_int_equal(x->map[7], calls[i].forgets ? 0 : 42);
		assert_null(x->tracees[0].fast);
		assert_int_equal(x->got_len, 1);
		assert_int_equal(x->got[0].outcome, SYS_NO_RETURN);
		x->blocks[0] = NULL;
		region_release(&x->s.fast.region);
		begin_thread(x, 0, x->tracees[0].files);
	}
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
		WITH(what_ends_after_the_moment_waits),
		WITH(a_call_under_way_is_not_booked),
		WITH(rings_go_round),
		WITH(every_sweep_renews_the_clock),
		WITH(a_block_without_sense_is_not_believed),
		WITH(segments_are_datagrams),
		WITH(options_are_those_of_the_record),
		WITH(a_close_under_way_is_known),
		WITH(a_close_that_is_taken_over_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
