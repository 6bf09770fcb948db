/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tracer/dispositions.h"
#include "tracer/tracee.h"

#define INFOS_MAX 3

struct fixture {
	struct tracees tracees;
	struct fd_registry *registry;
};

static struct fixture fixture;

static int set_up(void **state)
{
	tracees_init(&fixture.tracees, INFOS_MAX);
	fixture.registry = fd_registry_new(10);
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *x = *state;

	tracees_release(&x->tracees);
	fd_registry_free(x->registry);
	return 0;
}

static struct tracee *add(struct fixture *x, pid_t pid, pid_t tid)
{
	return tracees_add(&x->tracees, pid, tid, files_new(x->registry), mm_new(&x->tracees));
}

/* As at a death: the space is left first. */
static void drop(struct fixture *x, struct tracee *t)
{
	uint32_t id;

	mm_unref(t->mm, &id);
	t->mm = NULL;
	tracees_drop(&x->tracees, t);
}

static void threads_and_processes_are_counted(void **state)
{
	struct fixture *x = *state;
	struct tracees *t = &x->tracees;
	struct tracee *leader = add(x, 10, 10), *thread = add(x, 10, 11), *other = add(x, 20, 20);

	assert_int_equal(tracees_count(t), 3);
	assert_int_equal(t->threads_total, 3);
	assert_int_equal(t->processes_total, 2);
	assert_ptr_equal(leader->process, thread->process);
	assert_int_equal(leader->process->threads, 2);
	assert_int_equal(leader->process->pid, 10);
	assert_ptr_equal(tracees_get(t, 11), thread);
	assert_ptr_equal(tracees_get(t, 20), other);
	assert_null(tracees_get(t, 12));

	drop(x, thread);
	assert_null(tracees_get(t, 11));
	assert_int_equal(leader->process->threads, 1);
	drop(x, leader);
	assert_null(map_get(&t->processes, 10));
	assert_int_equal(tracees_count(t), 1);
	assert_int_equal(t->threads_total, 3); /* totals do not go down */
	assert_int_equal(t->processes_total, 2);
}

/* The last look-up is kept: it must not outlive what it found. */
static void nothing_dead_is_found(void **state)
{
	struct fixture *x = *state;
	struct tracees *t = &x->tracees;
	struct tracee *a = add(x, 10, 10);

	assert_ptr_equal(tracees_get(t, 10), a);
	drop(x, a);
	assert_null(tracees_get(t, 10));
	a = add(x, 10, 10); /* the number comes again: another thread, another process */
	assert_ptr_equal(tracees_get(t, 10), a);
	assert_int_equal(a->thread_id, 2);
	assert_int_equal(t->processes_total, 2);
}

/* Thread 11 of process 10 calls execve: the leader is gone, the thread is 10 now. */
static void an_exec_renames(void **state)
{
	struct fixture *x = *state;
	struct tracees *t = &x->tracees;
	struct tracee *leader = add(x, 10, 10), *thread = add(x, 10, 11);

	assert_ptr_equal(tracees_get(t, 11), thread);
	drop(x, leader);
	tracees_rename(t, thread, 10);
	assert_null(tracees_get(t, 11));
	assert_ptr_equal(tracees_get(t, 10), thread);
	assert_int_equal(thread->tid, 10);
	assert_int_equal(thread->process->pid, 10);
	assert_int_equal(thread->process->threads, 1);
	assert_int_equal(tracees_count(t), 1);
}

static void a_space_lives_as_long_as_its_last_user(void **state)
{
	struct fixture *x = *state;
	struct mm *a = mm_new(&x->tracees), *b = mm_new(&x->tracees);
	uint32_t id = 0;

	assert_int_not_equal(a->id, b->id);
	assert_ptr_equal(mm_ref(a), a);
	assert_int_equal(mm_unref(a, &id), 0);
	assert_int_equal(id, 0);
	assert_int_equal(mm_unref(b, &id), 1);
	assert_int_equal(id, 2);
	assert_int_equal(mm_unref(a, &id), 1);
	assert_int_equal(id, 1);
	assert_int_equal(mm_unref(NULL, &id), 0);
	a = mm_new(&x->tracees);
	assert_int_equal(a->id, 3); /* an id is never given twice */
	mm_unref(a, &id);
}

static void shared_tables_are_released_once(void **state)
{
	struct fixture *x = *state;
	struct tracee *a = add(x, 10, 10), *b;

	b = tracees_add(&x->tracees, 10, 11, files_ref(a->files), mm_ref(a->mm));
	assert_ptr_equal(a->files, b->files);
	drop(x, a);
	assert_null(files_open(b->files, 1));
	assert_int_equal(b->mm->refs, 1);
}

static void infos_have_a_cap(void **state)
{
	struct fixture *x = *state;
	struct tracees *t = &x->tracees;
	struct tracee *last = NULL;

	for (pid_t tid = 10; tid < 16; tid++)
		last = add(x, 10, tid);
	assert_int_equal(t->infos.len, INFOS_MAX);
	assert_int_equal(last->thread_id, INFOS_MAX + 1);
	assert_null(tracees_info(t, last->thread_id));
	assert_null(tracees_info(t, 0));
	assert_int_equal(tracees_info(t, INFOS_MAX)->tid, 12);
	assert_int_equal(tracees_info(t, INFOS_MAX)->pid, 10);
	assert_int_equal(t->threads_total, 6);
	/* Neither may touch what is not there. */
	tracees_read_comm(t, last);
	tracees_copy_comm(t, last, tracees_get(t, 10));
	tracees_copy_comm(t, tracees_get(t, 10), last);
	assert_string_equal(tracees_info(t, 1)->comm, "");
}

static void names(void **state)
{
	static const struct {
		const char *name, *shown;
	} rows[] = {{"plain", "plain"}, {"fifteen-letters", "fifteen-letters"},
		{"two words", "two words"}};
	struct fixture *x = *state;
	struct tracee *self = add(x, getpid(), getpid()), *child = add(x, getpid(), 1 << 30);
	char before[16];

	prctl(PR_GET_NAME, before);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		prctl(PR_SET_NAME, rows[i].name);
		tracees_read_comm(&x->tracees, self);
		assert_string_equal(
			tracees_info(&x->tracees, self->thread_id)->comm, rows[i].shown);
	}
	prctl(PR_SET_NAME, before);
	tracees_copy_comm(&x->tracees, self, child);
	tracees_read_comm(&x->tracees, child); /* there is no such thread: it keeps its name */
	assert_string_equal(tracees_info(&x->tracees, child->thread_id)->comm, "two words");
}

/* ---- dispositions.h, of the test itself ---- */

static void no_action(int signal)
{
	(void)signal;
}

static void dispositions(void **state)
{
	static const struct {
		int signal;
		void (*handler)(int);
		int ignored;
	} rows[] = {
		{SIGUSR1, SIG_DFL, 0},
		{SIGUSR1, SIG_IGN, 1},
		{SIGUSR1, no_action, 0},
		{SIGCHLD, SIG_DFL, 1},
		{SIGCHLD, SIG_IGN, 1},
		{SIGCHLD, no_action, 0},
		{SIGWINCH, SIG_DFL, 1},
		{SIGURG, no_action, 0},
		{SIGCONT, SIG_DFL, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("# row %zu\n", i);
		signal(rows[i].signal, rows[i].handler);
		assert_int_equal(disposition_ignores(getpid(), rows[i].signal), rows[i].ignored);
		signal(rows[i].signal, SIG_DFL);
	}
	assert_int_equal(disposition_ignores(getpid(), 0), 0);
	assert_int_equal(disposition_ignores(getpid(), 65), 0);
	assert_int_equal(disposition_ignores(1 << 30, SIGCHLD), 0);
}

static void pids(void **state)
{
	(void)state;
	assert_int_equal(disposition_number(getpid(), "Tgid"), getpid());
	assert_int_equal(disposition_number(getpid(), "PPid"), getppid());
	assert_int_equal(disposition_number(getpid(), "NoSuchField"), -1);
	assert_int_equal(disposition_number(1 << 30, "Tgid"), -1);
	assert_int_equal(disposition_tracer(1 << 30), -1);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH(threads_and_processes_are_counted),
		WITH(nothing_dead_is_found),
		WITH(an_exec_renames),
		WITH(a_space_lives_as_long_as_its_last_user),
		WITH(shared_tables_are_released_once),
		WITH(infos_have_a_cap),
		WITH(names),
		cmocka_unit_test(dispositions),
		cmocka_unit_test(pids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
