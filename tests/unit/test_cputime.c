/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tracer/cputime.h"
#include "tracer/stops.h"
#include "tracer/tracee.h"

#define MS     NS_PER_MS
#define NO_PID ((1 << 22) + 1) /* above PID_MAX_LIMIT */

/* Has a clock: a child that ends when it is killed. */
static pid_t sleeper(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static struct res_result *result_of(const struct cputime *c, int window)
{
	struct res_result *r = result_new();

	if (window)
		r->window = RES_OBJ(r, window);
	RES_LIST(r, &r->phases, window ? PHASE_COUNT : 1, phase);
	cputime_result(c, r);
	return r;
}

static void each_phase_has_its_own(void **state)
{
	struct cputime c;
	const struct tracees none = {0};
	const struct stops nobody = {0};
	struct process born = {.pid = 1, .cpu_end_ns = 9 * MS};
	struct process other = {.pid = 1, .cpu_end_ns = 20 * MS};
	struct res_result *r;

	(void)state;
	cputime_init(&c, 1);
	cputime_end(&c, &born);
	cputime_window_ends(&c, &none, &nobody); /* of one that did not begin */
	cputime_window_begins(&c, &none, &nobody);
	other.cpu_ns = 5 * MS; /* counted before */
	cputime_end(&c, &other);
	cputime_window_begins(&c, &none, &nobody);
	cputime_window_ends(&c, &none, &nobody);
	r = result_of(&c, 1);
	assert_int_equal(r->cpu_ns, 24 * MS);
	assert_int_equal(r->phases.at[PHASE_STARTUP].cpu_ns, 9 * MS);
	assert_int_equal(r->phases.at[PHASE_WINDOW].cpu_ns, 15 * MS);
	assert_int_equal(r->phases.at[PHASE_SHUTDOWN].cpu_ns, 0);
	assert_int_equal(r->warnings.len, 0);
	result_free(r);
}

static void what_does_not_count(void **state)
{
	struct cputime c;
	struct process probe = {.cpu_ns = CPUTIME_NOT_COUNTED, .cpu_end_ns = 7 * MS};
	struct res_result *r;

	(void)state;
	cputime_init(&c, 0);
	cputime_end(&c, &probe);
	r = result_of(&c, 0);
	assert_int_equal(r->cpu_ns, 0);
	assert_int_equal(r->phases.at[0].cpu_ns, 0);
	result_free(r);
}

/* Of one that nobody has waited for it is read late; of one that is gone it cannot be. */
static void unread_is_not_zero(void **state)
{
	struct cputime c;
	pid_t pid = sleeper();
	struct process lives = {.pid = pid, .cpu_end_ns = UINT64_MAX};
	struct process gone = {.pid = pid, .cpu_end_ns = UINT64_MAX};
	struct res_result *r;

	(void)state;
	cputime_init(&c, 1);
	cputime_end(&c, &lives);
	r = result_of(&c, 1);
	assert_int_not_equal(r->cpu_ns, U64_NONE);
	assert_int_equal(r->warnings.len, 0);
	result_free(r);
	end(pid);
	cputime_end(&c, &gone);
	cputime_end(&c, &gone); /* once */
	r = result_of(&c, 1);
	assert_int_equal(r->cpu_ns, U64_NONE);
	assert_int_equal(r->phases.at[PHASE_STARTUP].cpu_ns, U64_NONE);
	assert_int_equal(r->phases.at[PHASE_WINDOW].cpu_ns, 0);
	assert_int_equal(r->warnings.len, 1);
	assert_string_equal(r->warnings.at[0].code, "cpu_time");
	assert_non_null(strstr(r->warnings.at[0].text, "The CPU time of 1 process ("));
	result_free(r);
}

/* Attached to one that is gone. */
static void what_never_began_is_not_known(void **state)
{
	struct cputime c;
	pid_t pid = sleeper();
	struct process p = {.pid = pid, .cpu_end_ns = 3 * MS};
	struct res_result *r;

	(void)state;
	end(pid);
	cputime_init(&c, 0);
	cputime_begin(&c, &p);
	cputime_end(&c, &p);
	r = result_of(&c, 0);
	assert_int_equal(r->cpu_ns, U64_NONE);
	assert_int_equal(r->phases.at[0].cpu_ns, U64_NONE);
	result_free(r);
}

/* ---- at an edge, and at the end ---- */

/* A process of those, born under control. */
static struct process *add(struct tracees *t, pid_t pid)
{
	struct process *p = mem_calloc(1, sizeof(*p));

	p->pid = pid;
	p->cpu_end_ns = UINT64_MAX;
	map_set(&t->processes, (uint64_t)pid, p);
	return p;
}

static void release(struct tracees *t)
{
	struct map_iter it = {0};

	while (map_next(&t->processes, &it))
		free(it.value);
	map_release(&t->processes);
}

/* Dead when the window ends: its death waits for its turn, or threads of it for theirs. */
static void who_has_died_before_an_edge_counts_before_it(void **state)
{
	struct stop deaths[] = {{.tid = 0, .cpu_ns = 30 * MS}};
	struct stops q = {.at = deaths, .len = 1};
	struct tracees t = {0};
	struct cputime c;
	pid_t pid = sleeper();
	struct process *waits, *half;
	struct res_result *r;

	(void)state;
	end(pid);
	deaths[0].tid = pid;
	waits = add(&t, pid);
	half = add(&t, NO_PID);
	half->cpu_end_ns = 12 * MS;
	cputime_init(&c, 1);
	c.phase = PHASE_WINDOW;
	cputime_window_ends(&c, &t, &q);
	waits->cpu_end_ns = 30 * MS; /* handled afterwards */
	cputime_end(&c, waits);
	cputime_end(&c, half);
	r = result_of(&c, 1);
	assert_int_equal(r->phases.at[PHASE_WINDOW].cpu_ns, 42 * MS);
	assert_int_equal(r->phases.at[PHASE_SHUTDOWN].cpu_ns, 0);
	assert_int_equal(r->warnings.len, 0);
	result_free(r);
	release(&t);
}

/* Dead, and nothing has read its clock: what it used before the edge, or before we left, is lost.
 */
static void who_cannot_be_read_at_an_edge_is_not_left_out(void **state)
{
	struct stops q = {0};
	struct tracees t = {0};
	struct cputime c;
	pid_t pid = sleeper();
	struct process *gone;
	struct res_result *r;

	(void)state;
	end(pid);
	gone = add(&t, pid);
	add(&t, NO_PID)->cpu_ns = CPUTIME_NOT_COUNTED;
	cputime_init(&c, 1);
	c.phase = PHASE_WINDOW;
	cputime_window_ends(&c, &t, &q);
	cputime_end(&c, gone); /* once */
	r = result_of(&c, 1);
	assert_int_equal(r->cpu_ns, U64_NONE);
	assert_int_equal(r->phases.at[PHASE_WINDOW].cpu_ns, U64_NONE);
	assert_int_equal(r->phases.at[PHASE_SHUTDOWN].cpu_ns, 0);
	assert_int_equal(r->warnings.len, 1);
	assert_non_null(strstr(r->warnings.at[0].text, "The CPU time of 1 process ("));
	result_free(r);
	release(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_phase_has_its_own),
		cmocka_unit_test(what_does_not_count),
		cmocka_unit_test(unread_is_not_zero),
		cmocka_unit_test(what_never_began_is_not_known),
		cmocka_unit_test(who_has_died_before_an_edge_counts_before_it),
		cmocka_unit_test(who_cannot_be_read_at_an_edge_is_not_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
