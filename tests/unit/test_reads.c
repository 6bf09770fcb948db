/* SPDX-License-Identifier: GPL-3.0-only */
/* What larger reads would save: sequences of calls on descriptors, and which of them go on. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "tests/unit/steps.h"
#include "tracer/agg/reads.h"

#define K 1024
#define F 9 /* a file */
#define S 5 /* a socket */
#define X 0 /* none */

/* Asked, moved (below 0: an error), the place that it names. */
struct step {
	const char *name;
	uint32_t fd;
	uint64_t asked;
	int64_t moved;
	uint64_t place;
	int read, saved;
};

static void goes(const struct step *steps, size_t n)
{
	struct reads *r = mem_calloc(1, sizeof(*r));

	for (size_t i = 0; i < n; i++) {
		const struct step *s = &steps[i];
		struct sys_event ev = step_event(s->name, s->fd);
		uint64_t saved;

		ev.args[3] = s->place;
		ev.ret = s->moved;
		ev.path = s->fd == S ? PATH_NO : PATH_YES;
		ev.m.bytes_asked = s->asked;
		ev.m.bytes_moved = s->moved < 0 ? NOT_MEASURED : (uint64_t)s->moved;
		if (reads_add(r, &ev, &saved) != s->read || saved != (uint64_t)s->saved)
			fail_msg("step %zu, %s: %llu", i, s->name, (unsigned long long)saved);
	}
	free(r);
}

static void what_filled_its_buffer_is_gone_on_with(void **state)
{
	(void)state;
	GOES({"read", F, K, K, 0, 1, 0}, {"read", F, K, K, 0, 1, 1}, {"read", F, K, 10, 0, 1, 1},
		{"read", F, K, K, 0, 1, 0});
	/* the end of the file is looked for all the same */
	GOES({"read", F, K, K, 0, 1, 0}, {"read", F, K, 0, 0, 1, 0}, {"read", F, K, 0, 0, 1, 0});
	GOES({"read", F, 0, 0, 0, 1, 0}, {"read", F, 0, 0, 0, 1, 0});
	/* another size of buffer, vectors */
	GOES({"read", F, K, K, 0, 1, 0}, {"read", F, 2 * K, 2 * K, 0, 1, 1},
		{"read", F, 1, 1, 0, 1, 1});
	GOES({"readv", F, K, K, 0, 1, 0}, {"readv", F, K, K, 0, 1, 1});
}

static void one_call_in_so_many_bytes_stays(void **state)
{
	const uint64_t half = READS_BYTES / 2;

	(void)state;
	GOES({"read", F, half, (int64_t)half, 0, 1, 0}, {"read", F, half, (int64_t)half, 0, 1, 1},
		{"read", F, half, (int64_t)half, 0, 1, 0},
		{"read", F, half, (int64_t)half, 0, 1, 1},
		{"read", F, half + 1, (int64_t)half + 1, 0, 1, 0});
	/* a large one is none that others would be part of */
	GOES({"read", F, READS_BYTES, READS_BYTES, 0, 1, 0}, {"read", F, K, K, 0, 1, 0},
		{"read", F, K, K, 0, 1, 1});
}

static void by_place(void **state)
{
	(void)state;
	GOES({"pread64", F, K, K, 0, 1, 0}, {"pread64", F, K, K, K, 1, 1},
		{"pread64", F, K, K, K, 1, 0}, {"pread64", F, K, K, 2 * K, 1, 1},
		{"pread64", F, K, K, 0, 1, 0});
	GOES({"preadv", F, K, K, 0, 1, 0}, {"preadv", F, K, K, K, 1, 1});
	GOES({"preadv2", F, K, K, 0, 1, 0}, {"preadv2", F, K, K, K, 1, 1});
}

static void what_comes_between(void **state)
{
	(void)state;
	GOES({"read", F, K, K, 0, 1, 0}, {"lseek", F, 0, 0, 0, 0, 0}, {"read", F, K, K, 0, 1, 0});
	GOES({"read", F, K, K, 0, 1, 0}, {"write", F, K, K, 0, 0, 0}, {"read", F, K, K, 0, 1, 0});
	GOES({"read", F, K, K, 0, 1, 0}, {"read", F, K, -4, 0, 0, 0}, {"read", F, K, K, 0, 1, 0});
	GOES({"read", F, K, K, 0, 1, 0}, {"pread64", F, K, K, K, 1, 0}, {"read", F, K, K, 0, 1, 0});
	/* on another descriptor, or on none */
	GOES({"read", F, K, K, 0, 1, 0}, {"write", F + 1, K, K, 0, 0, 0},
		{"read", F + 1, K, K, 0, 1, 0}, {"mmap", X, K, 0, 0, 0, 0},
		{"read", F, K, K, 0, 1, 1});
}

/* What it reads may be there since then: it did not grow a moment before. */
static void what_brings_news(void **state)
{
	static const char *const names[] = {
		"poll", "futex", "clock_nanosleep", "recvfrom", "read", "accept4", "sched_yield"};

	(void)state;
	for (size_t i = 0; i < LEN(names); i++) {
		const struct step between = {names[i], S, K, K, 0, 0, 0};

		GOES({"read", F, K, K, 0, 1, 0}, between, {"read", F, K, K, 0, 1, 0},
			{"read", F, K, K, 0, 1, 1});
	}
	GOES({"read", F, K, K, 0, 1, 0}, {"sendto", S, K, K, 0, 0, 0}, {"openat", X, 0, 5, 0, 0, 0},
		{"close", F + 1, 0, 0, 0, 0, 0}, {"read", F, K, K, 0, 1, 1});
	/* another thread reads on, or is told something */
	GOES({"read", F, K, K, 0, 1, 0}, {"2 read", F, K, K, 0, 1, 0},
		{"2 read", F, K, K, 0, 1, 1});
	GOES({"read", F, K, K, 0, 1, 0}, {"2 poll", X, 0, 1, 0, 0, 0}, {"read", F, K, K, 0, 1, 1});
}

static void only_files(void **state)
{
	(void)state;
	GOES({"read", S, K, K, 0, 0, 0}, {"read", S, K, K, 0, 0, 0});
	GOES({"recvfrom", F, K, K, 0, 0, 0}, {"recvfrom", F, K, K, 0, 0, 0});
	GOES({"read", AGG_ROWS_MAX + 1, K, K, 0, 0, 0}, {"read", AGG_ROWS_MAX + 1, K, K, 0, 0, 0});
	GOES({"read", AGG_ROWS_MAX, K, K, 0, 1, 0}, {"read", AGG_ROWS_MAX, K, K, 0, 1, 1});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_filled_its_buffer_is_gone_on_with),
		cmocka_unit_test(one_call_in_so_many_bytes_stays),
		cmocka_unit_test(by_place),
		cmocka_unit_test(what_comes_between),
		cmocka_unit_test(what_brings_news),
		cmocka_unit_test(only_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
