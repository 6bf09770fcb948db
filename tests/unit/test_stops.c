/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tracer/stops.h"

/* The next one is that thread's, with that status. */
#define takes(q, tid_, status_)                                                                    \
	do {                                                                                       \
		struct stop taken;                                                                 \
		assert_int_equal(stops_take((q), &taken), 1);                                      \
		assert_int_equal(taken.tid, (tid_));                                               \
		assert_int_equal(taken.status, (status_));                                         \
	} while (0)

static void assert_empty(struct stops *q)
{
	struct stop stop;

	assert_int_equal(stops_count(q), 0);
	assert_int_equal(stops_take(q, &stop), 0);
}

static void oldest_first(void **state)
{
	struct stops q = {0};

	(void)state;
	assert_empty(&q);
	for (int i = 1; i <= 1000; i++)
		stops_push(&q, i, 10 * i);
	assert_int_equal(stops_count(&q), 1000);
	for (int i = 1; i <= 1000; i++)
		takes(&q, i, 10 * i);
	assert_empty(&q);
	stops_release(&q);
}

/* Killed in a stop, by SIGKILL or another thread's execve. */
static void a_later_one_ends_the_earlier(void **state)
{
	struct stops q = {0};

	(void)state;
	stops_push(&q, 1, 1);
	stops_push(&q, 2, 2);
	stops_push(&q, 1, 3);
	takes(&q, 2, 2);
	takes(&q, 1, 3);
	stops_push(&q, 1, 4);
	takes(&q, 1, 4);
	assert_empty(&q);
	stops_release(&q);
}

static void a_held_one_comes_next_when_announced(void **state)
{
	struct stops q = {0};
	struct stop early = {7, 70, 700, 0}, other = {8, 80, 800, 0};

	(void)state;
	stops_hold(&q, &early);
	stops_hold(&q, &other);
	assert_true(stops_is_held(&q, 7));
	stops_push(&q, 1, 1);
	stops_push(&q, 2, 2);
	takes(&q, 1, 1);
	stops_unhold(&q, 7); /* into the place of what was taken */
	assert_false(stops_is_held(&q, 7));
	stops_unhold(&q, 8); /* where there is no place */
	stops_unhold(&q, 9); /* nothing was held */
	takes(&q, 8, 80);
	assert_int_equal(stops_take(&q, &other), 1);
	assert_int_equal(other.tid, 7);
	assert_int_equal(other.at_ns, 700); /* as it was stamped when it was taken */
	takes(&q, 2, 2);
	assert_empty(&q);
	stops_release(&q);
}

static void a_held_one_that_is_over_is_not_handled(void **state)
{
	struct stops q = {0};
	struct stop early = {7, 70, 700, 0}, later = {7, 71, 701, 0};

	(void)state;
	stops_hold(&q, &early);
	stops_push(&q, 7, 72);
	stops_unhold(&q, 7);
	takes(&q, 7, 72);
	assert_empty(&q);
	stops_hold(&q, &early);
	stops_hold(&q, &later);
	stops_unhold(&q, 7);
	takes(&q, 7, 71);
	stops_hold(&q, &early);
	stops_forget(&q, 7);
	stops_unhold(&q, 7);
	assert_empty(&q);
	stops_hold(&q, &early); /* for the release */
	stops_release(&q);
}

static void takes_deaths_from_the_kernel(void **state)
{
	struct stops q = {0};
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		raise(SIGSTOP);
		_exit(3);
	}
	while (waitpid(pid, NULL, WUNTRACED) < 0)
		;
	assert_int_equal(stops_wait(&q, WNOHANG), 0);
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_int_equal(stops_wait(&q, 0), 1);
	takes(&q, pid, W_EXITCODE(3, 0));
	assert_int_equal(stops_wait(&q, 0), -ECHILD);
	assert_empty(&q);
	stops_release(&q);
}

/* The dead have a clock until they are taken: read where it was known that one would die. */
static void the_clock_of_the_dead(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		struct stops q = {0};
		struct stop stop;
		siginfo_t info;
		uint64_t zombie_ns;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(0);
		if (known) {
			stops_push(&q, pid, PTRACE_EVENT_EXIT << 16 | SIGTRAP << 8 | 0x7f);
			assert_int_equal(stops_take(&q, &stop), 1);
			assert_true(stop.cpu_ns == UINT64_MAX);
		}
		assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
		zombie_ns = clock_process_ns(pid);
		assert_int_equal(stops_wait(&q, 0), 1);
		assert_int_equal(stops_take(&q, &stop), 1);
		assert_int_equal(stop.tid, pid);
		/* Our own child is gone when it was taken. */
		assert_true(stop.cpu_ns == (known ? zombie_ns : UINT64_MAX));
		assert_int_equal(q.ending.len, 0);
		stops_release(&q);
	}
}

/* What a death says counts until it has been handled, and that of the number's last one. */
static void a_death_is_known_until_it_is_handled(void **state)
{
	struct stops q = {0};
	struct stop stop;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_true(stops_death_ns(&q, pid) == UINT64_MAX);
	q.wary = 1;
	assert_int_equal(stops_wait(&q, 0), 1);
	stops_push(&q, 1, SIGSTOP << 8 | 0x7f);
	assert_true(stops_death_ns(&q, pid) != UINT64_MAX);
	assert_true(stops_death_ns(&q, 1) == UINT64_MAX);
	assert_int_equal(stops_take(&q, &stop), 1);
	assert_int_equal(stop.tid, pid);
	assert_true(stops_death_ns(&q, pid) == stop.cpu_ns); /* it is in hand */
	assert_int_equal(stops_take(&q, &stop), 1);
	assert_true(stops_death_ns(&q, pid) == UINT64_MAX);
	stops_release(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oldest_first),
		cmocka_unit_test(a_later_one_ends_the_earlier),
		cmocka_unit_test(a_held_one_comes_next_when_announced),
		cmocka_unit_test(a_held_one_that_is_over_is_not_handled),
		cmocka_unit_test(takes_deaths_from_the_kernel),
		cmocka_unit_test(the_clock_of_the_dead),
		cmocka_unit_test(a_death_is_known_until_it_is_handled),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
