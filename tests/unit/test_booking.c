/* SPDX-License-Identifier: GPL-3.0-only */
/* Calls from rings of ordinary memory into a session: what they were about, and what they moved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "tests/unit/fake_rings.h"
#include "tracer/booking.h"
#include "tracer/memory.h"
#include "tracer/session.h"

#define EVENTS 200

struct fixture {
	struct session s;
	struct rings r;
	struct recorder_sink sink; /* the session's */
	struct sys_event got[EVENTS], over;
	size_t got_len, before_stopped; /* records given before the last one that stopped */
};

/* Looks at what the session made of it. */
static void recorded(void *ctx, struct tracee *t, struct sys_event *ev,
	const struct recorded *measured, const struct said *said)
{
	struct fixture *x = ctx;

	x->sink.recorded(&x->s, t, ev, measured, said);
	assert_true(x->got_len < EVENTS);
	x->got[x->got_len++] = *ev;
}

static void taken_over(void *ctx, struct tracee *t, struct sys_event *ev)
{
	struct fixture *x = ctx;

	x->sink.taken_over(&x->s, t, ev);
	x->over = *ev;
}

static void stopped(void *ctx, void *call)
{
	struct fixture *x = ctx;

	x->before_stopped = x->got_len;
	x->sink.stopped(&x->s, call);
}

static void swept(void *ctx)
{
	struct fixture *x = ctx;

	x->sink.swept(&x->s);
}

static int set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct files *files;

	assert_non_null(x);
	x->sink = booking_sink(&x->s);
	rings_begin(&x->r, &x->s.recorder,
		&(struct recorder_sink){.ctx = x,
			.recorded = recorded,
			.taken_over = taken_over,
			.stopped = stopped,
			.swept = swept});
	x->s.map = x->r.map;
	x->s.identity = identity_new(100);
	x->s.memory = memory_reader(&x->s.reads);
	book_init(&x->s.book, 0, 0, 1);
	files = files_new(identity_registry(x->s.identity));
	files_state(files)->recorded = 1;
	for (int i = 0; i < THREADS; i++)
		x->r.tracees[i].files = files;
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *x = *state;

	files_unref(x->r.tracees[0].files);
	rings_end(&x->r);
	identity_free(x->s.identity);
	book_release(&x->s.book);
	free(x->s.touched.at);
	free(x);
	return 0;
}

static uint64_t booked(const struct fixture *x, enum seen seen)
{
	return book_seen(&x->s.book)[seen];
}

/* A call of thread 0's on fd that stopped, and ends now. */
static void stops(struct fixture *x, const char *name, uint64_t fd, int64_t ret)
{
	struct sys_event ev = {.def = sys_by_name(name),
		.args = {fd},
		.ret = ret,
		.pid = getpid(),
		.tid = 100,
		.entry_ns = clock_mono_ns()};

	time_passes();
	ev.exit_ns = clock_mono_ns();
	booking_call(&x->s, &x->r.tracees[0], &ev, x->s.map.traced[ev.def->index]);
	time_passes();
}

/* ---- what comes of a record ---- */

static void a_record_is_booked(void **state)
{
	struct fixture *x = *state;
	struct record *r = record(&x->r, 1, SYS_write, 5);

	r->args[2] = 77;
	r->ret = 70;
	recorder_sweep(&x->s.recorder);
	assert_int_equal(x->got_len, 1);
	assert_int_equal(x->got[0].fd_id, 1);
	assert_int_equal(x->got[0].m.bytes_asked, 77);
	assert_int_equal(x->got[0].m.bytes_moved, 70);
	assert_int_equal(booked(x, SEEN_RECORDED), 1);
}

static void what_is_not_traced_is_not_booked(void **state)
{
	struct fixture *x = *state;

	record(&x->r, 0, SYS_dup, 3); /* it is recorded for what it makes */
	record(&x->r, 0, SYS_socket, AF_INET);
	assert_false(x->s.seen.xdp);
	recorder_sweep(&x->s.recorder);
	assert_int_equal(booked(x, SEEN_RECORDED), 1);
	assert_int_equal(x->s.recorder.swept, 2);
	record(&x->r, 0, SYS_socket, AF_XDP);
	recorder_sweep(&x->s.recorder);
	assert_true(x->s.seen.xdp);
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
		{950, 950, 0, 0, 10, 10, 1, 0, 0}},
	{"sendmsg, cut, less sent than asked", SYS_sendmsg, 300, 0, MEASURED_SEGMENTED, 950, 3, 10,
		{950, 300, 0, 0, 10, 3, 1, 0, 0}},
	{"sendmsg, cut, failed", SYS_sendmsg, -11, 0, MEASURED_SEGMENTED, 950, 0, 10,
		{950, 0, 0, 0, 10, 0, 1, 0, 0}},
	{"sendmsg, not cut", SYS_sendmsg, 950, 0, 0, 950, 0, 1, {950, 950, 0, 0, 1, 1, 0, 0, 0}},
	{"sendmmsg, cut", SYS_sendmmsg, 3, 3, MEASURED_SEGMENTED, 3000, 30, 30,
		{0, 3000, 3, 3, 30, 30, 1, 0, 0}},
	{"sendmmsg, cut, not all sent", SYS_sendmmsg, 2, 3, MEASURED_SEGMENTED, 2000, 20, 30,
		{0, 2000, 3, 2, 30, 20, 1, 0, 0}},
	{"sendmmsg, not cut, not all sent", SYS_sendmmsg, 2, 3, 0, 2000, 2, 2,
		{0, 2000, 3, 2, 3, 2, 0, 0, 0}},
	{"recvmmsg, joined", SYS_recvmmsg, 1, 4, MEASURED_SEGMENTED, 1000, 10, 10,
		{0, 1000, 4, 1, 10, 10, 1, 0, 0}},
};

static void segments_are_datagrams(void **state)
{
	struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(measured) / sizeof(*measured); i++) {
		const struct measured *m = &measured[i];
		struct record *r = record(&x->r, 0, m->nr, 5);
		const struct measure *is = &x->got[i].m;

		print_message("# %s\n", m->title);
		r->args[2] = m->vlen;
		r->ret = m->ret;
		r->flags = m->flags;
		r->bytes = m->bytes;
		r->dgrams = m->dgrams;
		r->dgrams_asked = m->dgrams_asked;
		recorder_sweep(&x->s.recorder);
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
	struct files *files = x->r.tracees[0].files;

	files_at(files, 50, clock_mono_ns())->file->gro = 1;
	for (int i = 0; i < 2; i++) {
		struct record *r;

		time_passes();
		r = record(&x->r, 0, SYS_recvmsg, 50);
		r->ret = 1000;
		r->flags = MEASURED_CTRUNC; /* joined from what nobody can say, if it is */
		r->dgrams = 1;
		time_passes();
		record(&x->r, 0, SYS_close, 50);
	}
	recorder_sweep(&x->s.recorder);
	assert_int_equal(x->got_len, 4);
	assert_int_not_equal(x->got[0].fd_id, x->got[2].fd_id);
	assert_int_equal(x->got[0].fd_id, x->got[1].fd_id);
	assert_int_equal(x->got[0].m.segmented, 1);
	assert_int_equal(x->got[2].m.segmented, 0);
	assert_int_equal(x->got[2].m.dgrams_moved, 1);
}

/* A socket that cuts what it sends, and came where nobody saw it: from then on the calls stop of
 * which the target's thread cannot say how many datagrams were sent. */
static void a_socket_that_cuts_is_seen_when_it_is_named(void **state)
{
	struct fixture *x = *state;
	const int size = 100;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	record(&x->r, 0, SYS_read, (uint64_t)fd);
	recorder_sweep(&x->s.recorder);
	assert_false(x->s.recorder.segments);
	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)) < 0)
		skip();
	fd = dup(fd); /* by nobody */
	record(&x->r, 0, SYS_read, (uint64_t)fd);
	recorder_sweep(&x->s.recorder);
	assert_true(x->s.recorder.segments);
	assert_int_equal(x->s.recorder.kinds[SYS_sendmmsg], KIND_PASS);
	close(fd);
}

/* ---- closes ---- */

static void close_at(struct fixture *x, int thread, uint64_t fd)
{
	record(&x->r, thread, SYS_close, fd);
	time_passes();
}

/* A name is read at the end of a sweep, if no close of the number is under way or to be booked. */
static void names_are_read_where_nothing_closes(void **state)
{
	struct fixture *x = *state;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct fd_info *info;

	record(&x->r, 0, SYS_read, (uint64_t)fd);
	begin(&x->r, 1, SYS_close, (uint64_t)fd);
	recorder_sweep(&x->s.recorder);
	info = fd_registry_get(identity_registry(x->s.identity), x->got[0].fd_id);
	assert_null(info->file->target);
	begin(&x->r, 1, SYS_close, (uint64_t)fd + 1); /* of another number */
	recorder_sweep(&x->s.recorder);
	assert_string_equal(info->file->target, "/dev/null");
	close(fd);
}

/* A thread dies in a close: what uses the number then is another file. */
static void a_close_that_is_taken_over_ends_the_file(void **state)
{
	struct fixture *x = *state;

	record(&x->r, 1, SYS_read, 7);
	close_at(x, 0, 7);
	record(&x->r, 1, SYS_read, 7);
	time_passes();
	begin(&x->r, 0, SYS_close, 7);
	recorder_end(&x->s.recorder, &x->r.tracees[0], 0);
	assert_null(x->r.tracees[0].recorder);
	assert_int_equal(x->got_len, 3);
	assert_int_not_equal(x->got[0].fd_id, x->got[2].fd_id);
	assert_int_equal(x->over.outcome, SYS_NO_RETURN);
	assert_int_equal(booked(x, SEEN_ONE_STOP), 1);
}

/* It has returned when its thread dies, and nobody asked for it: what it made is there. */
static void what_is_not_traced_is_taken_over_too(void **state)
{
	struct fixture *x = *state;
	struct fd_registry *files = identity_registry(x->s.identity);
	struct record *r;

	record(&x->r, 1, SYS_read, 7);
	time_passes();
	r = begin(&x->r, 0, SYS_dup, 7);
	r->ret = 8;
	r->t1 = tsc_now();
	time_passes();
	recorder_end(&x->s.recorder, &x->r.tracees[0], 0);
	assert_int_equal(x->over.nr, SYS_dup);
	record(&x->r, 1, SYS_read, 8);
	recorder_sweep(&x->s.recorder);
	assert_int_equal(x->got_len, 2);
	assert_ptr_equal(fd_registry_get(files, x->got[0].fd_id)->file,
		fd_registry_get(files, x->got[1].fd_id)->file);
	assert_int_equal(booked(x, SEEN_ONE_STOP), 0);
}

/* One that stopped closes the number between two records on it, though it is told of first. */
static void a_close_that_stopped_is_applied_in_its_turn(void **state)
{
	struct fixture *x = *state;

	record(&x->r, 1, SYS_read, 7);
	time_passes();
	record(&x->r, 1, SYS_read, 7);
	time_passes();
	stops(x, "close", 7, 0);
	record(&x->r, 1, SYS_read, 7);
	assert_int_equal(booked(x, SEEN_STOPPED), 0);
	recorder_sweep(&x->s.recorder);
	assert_int_equal(x->got_len, 3);
	assert_int_equal(x->got[0].fd_id, x->got[1].fd_id);
	assert_int_not_equal(x->got[0].fd_id, x->got[2].fd_id);
	assert_int_equal(booked(x, SEEN_STOPPED), 1);
}

static void what_never_returned_is_as_old_as_its_entry(void **state)
{
	struct fixture *x = *state;
	struct sys_event ev = {.def = sys_by_name("read"),
		.args = {7},
		.outcome = SYS_NO_RETURN,
		.pid = getpid(),
		.tid = 100};

	record(&x->r, 1, SYS_write, 7);
	time_passes();
	ev.entry_ns = clock_mono_ns();
	time_passes();
	record(&x->r, 1, SYS_write, 7);
	booking_call(&x->s, &x->r.tracees[0], &ev, 1);
	recorder_sweep(&x->s.recorder);
	assert_int_equal(x->got_len, 2);
	assert_int_equal(x->before_stopped, 1);
}

/* In a table without records a stopped call is about what there is at once; its turn is the same.
 */
static void only_recorded_tables_wait(void **state)
{
	struct fixture *x = *state;

	files_state(x->r.tracees[0].files)->recorded = 0;
	stops(x, "dup", 7, 8); /* not traced: no turn */
	assert_int_equal(x->s.recorder.pending.len, 0);
	stops(x, "write", 7, 8);
	assert_int_equal(booked(x, SEEN_STOPPED), 0);
	recorder_sweep(&x->s.recorder);
	assert_int_equal(booked(x, SEEN_STOPPED), 1);
	x->s.recorder.on = 0; /* nothing is recorded: no turns */
	stops(x, "write", 7, 8);
	assert_int_equal(booked(x, SEEN_STOPPED), 2);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH(a_record_is_booked),
		WITH(what_is_not_traced_is_not_booked),
		WITH(segments_are_datagrams),
		WITH(options_are_those_of_the_record),
		WITH(a_socket_that_cuts_is_seen_when_it_is_named),
		WITH(names_are_read_where_nothing_closes),
		WITH(a_close_that_is_taken_over_ends_the_file),
		WITH(what_is_not_traced_is_taken_over_too),
		WITH(a_close_that_stopped_is_applied_in_its_turn),
		WITH(what_never_returned_is_as_old_as_its_entry),
		WITH(only_recorded_tables_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
