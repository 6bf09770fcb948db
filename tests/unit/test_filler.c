/* SPDX-License-Identifier: GPL-3.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/clock.h"
#include "tracer/filler.h"

#define MUCH_WORK_NS (600 * NS_PER_MS) /* of its own time: more than a sleep is waited for */
#define TIMEOUT_S    120

struct errand {
	int begin[2], dropped[2];
};

static uint64_t own_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

static void work_much(void *arg)
{
	uint64_t began = own_time_ns();

	while (own_time_ns() - began < MUCH_WORK_NS)
		;
	*(int *)arg += 1;
}

static void never(void *arg)
{
	(void)arg;
	fail();
}

static void await_begin(void *arg)
{
	struct errand *e = arg;
	char byte;

	assert_int_equal(read(e->begin[0], &byte, 1), 1);
}

static void say_dropped(void *arg)
{
	struct errand *e = arg;

	assert_int_equal(write(e->dropped[1], "", 1), 1);
}

/* A large file that is read on a busy machine is no sleep. */
static void test_work_is_waited_for(void **state)
{
	struct filler *f = filler_new();
	int done = 0;

	(void)state;
	assert_int_equal(filler_run(f, work_much, never, &done), 0);
	assert_int_equal(filler_run(f, work_much, never, &done), 0);
	assert_int_equal(done, 2);
	filler_free(f);
}

static void test_sleep_is_left(void **state)
{
	struct filler *f = filler_new();
	struct errand e;
	int done = 0;
	char byte;

	(void)state;
	assert_true(pipe(e.begin) == 0 && pipe(e.dropped) == 0);
	assert_int_equal(filler_run(f, await_begin, say_dropped, &e), -ETIMEDOUT);
	assert_int_equal(filler_run(f, work_much, never, &done), 0);
	assert_int_equal(done, 1);
	assert_int_equal(write(e.begin[1], "", 1), 1);
	assert_int_equal(read(e.dropped[0], &byte, 1), 1);
	filler_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_work_is_waited_for),
		cmocka_unit_test(test_sleep_is_left),
	};

	alarm(TIMEOUT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
