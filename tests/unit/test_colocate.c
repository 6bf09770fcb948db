/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer/colocate.h"

static cpu_set_t mask_of(pid_t pid)
{
	cpu_set_t mask;

	assert_int_equal(sched_getaffinity(pid, sizeof(mask), &mask), 0);
	return mask;
}

static int is(pid_t pid, const cpu_set_t *want)
{
	cpu_set_t mask = mask_of(pid);

	return CPU_EQUAL(&mask, want);
}

/* Each test leaves the mask as it was. */
static void need_two_cpus(void)
{
	cpu_set_t mask = mask_of(0);

	if (CPU_COUNT(&mask) < 2)
		skip();
}

/* A child that waits to be killed. */
static pid_t child_start(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	while (pid == 0)
		pause();
	return pid;
}

static void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void part(struct colocate *c, pid_t target)
{
	colocate_give_back(c, target);
	colocate_apart(c);
}

static void both_share_a_cpu_and_get_theirs_back(void **state)
{
	cpu_set_t before = mask_of(0);
	struct colocate c;
	pid_t child;

	(void)state;
	need_two_cpus();
	colocate_begin(&c);
	assert_true(c.active);
	assert_int_equal(CPU_COUNT(&c.one), 1);
	assert_true(is(0, &c.one));
	assert_true(CPU_EQUAL(&c.original, &before));
	child = child_start();
	assert_true(is(child, &c.one));
	part(&c, child);
	assert_false(c.active);
	assert_true(is(0, &before));
	assert_true(is(child, &before));
	child_end(child);
}

/* What somebody else has set since stays. */
static void a_mask_of_the_targets_own_stays(void **state)
{
	cpu_set_t before = mask_of(0), own = before;
	struct colocate c;
	pid_t child;

	(void)state;
	need_two_cpus();
	colocate_begin(&c);
	child = child_start();
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &c.one))
			CPU_CLR(cpu, &own);
	assert_int_equal(sched_setaffinity(child, sizeof(own), &own), 0);
	part(&c, child);
	assert_true(is(child, &own));
	assert_true(is(0, &before));
	child_end(child);
}

/* A target that lets itself be put there, and one that has a mask of its own. */
static void together_again(void **state)
{
	cpu_set_t before = mask_of(0);
	struct colocate c;
	pid_t child;

	(void)state;
	need_two_cpus();
	colocate_begin(&c);
	colocate_apart(&c);
	assert_true(is(0, &before));
	child = child_start();
	assert_true(is(child, &before));
	colocate_again(&c);
	assert_true(c.active);
	assert_true(is(0, &c.one));
	colocate_take(&c, child);
	assert_true(is(child, &c.one));
	part(&c, child);
	assert_true(is(child, &before));
	child_end(child);
	colocate_give_back(&c, child); /* it is dead */
	assert_true(is(0, &before));
}

static void leave_and_return(void **state)
{
	cpu_set_t before = mask_of(0);
	struct colocate c, off = {.active = 0};

	(void)state;
	need_two_cpus();
	colocate_leave(&off); /* not active: nothing */
	colocate_return(&off);
	assert_true(is(0, &before));
	colocate_begin(&c);
	colocate_leave(&c);
	assert_true(is(0, &before));
	colocate_return(&c);
	assert_true(is(0, &c.one));
	part(&c, getpid());
	assert_true(is(0, &before));
}

/* Who may run on one CPU only has nothing to share. */
static void nothing_on_one_cpu(void **state)
{
	cpu_set_t before = mask_of(0), one;
	struct colocate c;
	int cpu = sched_getcpu();

	(void)state;
	assert_true(cpu >= 0 && cpu < CPU_SETSIZE);
	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	colocate_begin(&c);
	assert_false(c.active);
	assert_false(c.able);
	assert_true(is(0, &one));
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_share_a_cpu_and_get_theirs_back),
		cmocka_unit_test(a_mask_of_the_targets_own_stays),
		cmocka_unit_test(together_again),
		cmocka_unit_test(leave_and_return),
		cmocka_unit_test(nothing_on_one_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
