/* SPDX-License-Identifier: GPL-3.0-only */
/* --no-times: nothing that is made of the times of calls is left of a result, and all else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/out.h"
#include "common/model/json.h"
#include "tracer/agg/agg.h"
#include "tracer/agg/timeless.h"

#define NM      NOT_MEASURED
#define THREADS 2
#define CALLS   100 /* of each thread and name */

static int thread_name(void *ctx, uint32_t id, uint64_t *pid, uint64_t *tid, const char **comm)
{
	(void)ctx;
	*pid = 10;
	*tid = 10 + id;
	*comm = "worker";
	return 0;
}

static int fd_name(void *ctx, uint32_t id, struct agg_fd *ret)
{
	(void)ctx;
	*ret = (struct agg_fd){10, id, 0, "udp 127.0.0.1:1 -> 127.0.0.1:53", NULL, 0};
	return 0;
}

static const struct agg_names names = {.thread = thread_name, .fd = fd_name};

/* ---- a run that has all of it ---- */

struct run {
	struct agg *agg;
	struct causes *causes;
	struct timeline *timeline;
	struct mappings *mappings;
	uint64_t now_ns;
};

static void call(struct run *run, const char *name, uint32_t thread, uint64_t took_ns,
	const uint64_t args[6], int64_t ret, struct measure m)
{
	struct sys_event ev = {.def = sys_by_name(name),
		.abi = ABI_NATIVE,
		.ret = ret,
		.entry_ns = run->now_ns,
		.exit_ns = run->now_ns + took_ns,
		.m = m,
		.pid = 10,
		.tid = (int32_t)(10 + thread),
		.thread_id = thread,
		.fd_id = ev.def->fd ? 5 : 0,
		.mm_id = 1};
	struct caused of[2];
	size_t n;

	if (args)
		memcpy(ev.args, args, sizeof(ev.args));
	agg_add(run->agg, &ev);
	n = causes_add(run->causes, &ev, 0, of);
	for (size_t i = 0; i < n; i++)
		agg_limited(run->agg, &of[i]);
	timeline_add(run->timeline, &ev);
	mappings_add(run->mappings, &ev);
	run->now_ns += took_ns + 500;
}

/* Few calls that take long, and many that do not. */
static struct res_result *result_of_run(void)
{
	static const uint64_t map[6] = {0, 8192, 3, 0x22, UINT64_MAX, 0},
			      unmap[6] = {1 << 20, 8192};
	struct run run = {agg_new(), causes_new(1), timeline_new(0), mappings_new(), 1000};
	struct res_result *r = result_new();
	struct caused last;

	for (uint32_t thread = 1; thread <= THREADS; thread++)
		for (int i = 0; i < CALLS; i++) {
			call(&run, "sendto", thread, 2000, NULL, 40,
				(struct measure){40, 40, NM, NM, NM, NM, 0, 0, 0});
			call(&run, "sendmmsg", thread, 9000, NULL, 1 + i % 3,
				(struct measure){
					NM, 99, 4, (uint64_t)(1 + i % 3), NM, NM, 0, 0, 0});
			if (i % 4)
				continue;
			call(&run, "mmap", thread, 90000, map, 1 << 20,
				(struct measure){8192, 8192, NM, NM, NM, NM, 0, 0, 0});
			call(&run, "munmap", thread, 90000, unmap, 0,
				(struct measure){8192, 8192, NM, NM, NM, NM, 0, 0, 0});
		}
	while (causes_end(run.causes, &last))
		agg_limited(run.agg, &last);
	RES_LIST(r, &r->phases, 1, phase);
	r->phases.at[0].wall_ns = 123456;
	agg_phase(run.agg, r, &r->phases.at[0]);
	agg_result(run.agg, &names, r);
	mappings_result(run.mappings, r);
	timeline_result(run.timeline, &names, r);
	agg_free(run.agg);
	causes_free(run.causes);
	timeline_free(run.timeline);
	mappings_free(run.mappings);
	return r;
}

static const struct res_syscall *row(const struct res_result *r, const char *name)
{
	const struct res_syscall *s = result_syscall(r, name);

	assert_non_null(s);
	return s;
}

/* Fields of that end which are no null, in the JSON. */
static size_t known(const struct res_result *r, const char *end)
{
	struct out o;
	size_t n = 0;

	out_init_mem(&o);
	json_write_line(r, &shape_result, &o);
	for (const char *p = out_text(&o); (p = strstr(p, end)) != NULL; p += strlen(end))
		n += strncmp(p + strlen(end), "null", 4) != 0;
	out_release(&o);
	return n;
}

static void no_time_is_left(void **state)
{
	struct res_result *r = result_of_run();

	(void)state;
	assert_true(known(r, "_ns\": ") > 50);
	assert_non_null(r->timeline);
	assert_true(row(r, "sendmmsg")->latency_histogram.len);
	result_without_times(r);
	/* How long the phase was. */
	assert_int_equal(known(r, "_ns\": "), 1);
	assert_int_equal(r->phases.at[0].wall_ns, 123456);
	assert_int_equal(known(r, "\"saved_safely\": "), 0);
	assert_int_equal(known(r, "\"saved_at_most\": "), 0);
	assert_int_equal(known(r, "\"usual_calls\": "), 0);
	assert_true(row(r, "sendmmsg")->batch->limited_by.len);
	for (size_t i = 0; i < r->syscalls.len; i++)
		assert_int_equal(r->syscalls.at[i].latency_histogram.len, 0);
	assert_null(r->timeline);
	result_free(r);
}

static void all_else_is(void **state)
{
	struct res_result *r = result_of_run(), *with = result_of_run();
	const struct res_syscall *s, *t;

	(void)state;
	result_without_times(r);
	assert_int_equal(r->syscalls.len, with->syscalls.len);
	for (size_t i = 0; i < r->syscalls.len; i++) {
		s = &r->syscalls.at[i];
		t = row(with, s->name);
		assert_int_equal(s->calls, t->calls);
		assert_int_equal(s->bytes->transferred, t->bytes->transferred);
		assert_int_equal(s->bytes->histogram.len, t->bytes->histogram.len);
	}
	s = row(r, "sendmmsg");
	t = row(with, "sendmmsg");
	assert_int_equal(s->batch->transferred, t->batch->transferred);
	assert_int_equal(s->batch->by_transferred.len, 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
			s->batch->by_transferred.at[i].calls, t->batch->by_transferred.at[i].calls);
	assert_int_equal(s->small_calls->calls, THREADS * CALLS);
	assert_int_equal(r->mappings->anonymous->unmaps, with->mappings->anonymous->unmaps);
	assert_int_equal(r->mappings->peak_mapped, with->mappings->peak_mapped);
	assert_int_equal(r->threads.len, THREADS);
	assert_int_equal(r->fds.len, with->fds.len);
	result_free(r);
	result_free(with);
}

static void gathering_is_by_units_alone(void **state)
{
	struct res_result *r = result_of_run(), *with = result_of_run();
	size_t kept = 0;

	(void)state;
	result_without_times(r);
	for (size_t i = 0; i < with->gathering.len; i++) {
		const struct res_gathering *old = &with->gathering.at[i], *new;

		if (old->limit_units == U64_NONE)
			continue;
		new = &r->gathering.at[kept++];
		assert_int_equal(new->limit_units, old->limit_units);
		assert_int_equal(new->calls, old->calls);
		assert_int_equal(new->saved, old->saved);
		assert_string_equal(new->reason, "calls have no times (--no-times)");
	}
	assert_true(kept && kept < with->gathering.len);
	assert_int_equal(r->gathering.len, kept);
	result_free(r);
	result_free(with);
}

/* mmap took the most time, sendmmsg the most but of many calls. */
static void rows_are_by_calls(void **state)
{
	struct res_result *r = result_of_run();

	(void)state;
	assert_string_equal(r->syscalls.at[0].name, "mmap");
	result_without_times(r);
	assert_string_equal(r->syscalls.at[0].name, "sendmmsg");
	assert_string_equal(r->syscalls.at[1].name, "sendto");
	assert_string_equal(r->syscalls.at[2].name, "mmap");
	assert_string_equal(r->phases.at[0].syscalls.at[0].name, "sendmmsg");
	assert_string_equal(r->threads.at[0].syscalls.at[0].name, "sendmmsg");
	assert_string_equal(r->fds.at[0].syscalls.at[0].name, "sendmmsg");
	result_free(r);
}

static void an_empty_result(void **state)
{
	struct res_result *r = result_new();

	(void)state;
	result_without_times(r);
	assert_int_equal(r->gathering.len, 0);
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_time_is_left),
		cmocka_unit_test(all_else_is),
		cmocka_unit_test(gathering_is_by_units_alone),
		cmocka_unit_test(rows_are_by_calls),
		cmocka_unit_test(an_empty_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
