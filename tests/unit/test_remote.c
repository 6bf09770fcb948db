/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Calls that a thread makes for us, while another thread of its process becomes another program or
 * somebody kills it. A process of three threads: the first one, which makes the calls, `becoming`,
 * which executes on demand, and `other`, whose end nobody takes, as when the tracer is busy.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <linux/ptrace.h> /* after sys/ptrace.h, whose names it would take */
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer/arch/regs.h"
#include "tracer/dispositions.h"
#include "tracer/orders.h"
#include "tracer/recorder/remote.h"

#define HANG_SECONDS 20
#define SYSCALL_STOP (SIGTRAP | 0x80)
#define OPTIONS                                                                                    \
	(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT |     \
		PTRACE_O_TRACEFORK)

struct fixture {
	struct recorder f;
	struct mm mm;
	struct tracee t;
	int go; /* a byte: execute */
	pid_t pid;
	pid_t tids[3];
	int came; /* the status that was handed on; -1: none */
};

/* ---- the process ---- */

static int go_end;

static void *become(void *arg)
{
	char *argv[] = {(char *)"true", NULL};
	char c;

	if (read(go_end, &c, 1) == 1)
		execv("/bin/true", argv);
	return arg;
}

static void *wait_on(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void run(int other, int ready)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, become, NULL) ||
		(other && pthread_create(&thread, NULL, wait_on, NULL)) ||
		write(ready, "r", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* ---- its tracer ---- */

static void came(void *ctx, pid_t tid, int status)
{
	struct fixture *x = ctx;

	assert_int_equal(tid, x->pid);
	x->came = status;
}

static void nothing(int signal)
{
	(void)signal;
}

static int stop_of(pid_t tid)
{
	int status;

	assert_int_equal(waitpid(tid, &status, __WALL), tid);
	assert_true(WIFSTOPPED(status));
	return status;
}

static void seize_all(pid_t pid)
{
	char path[64];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	assert_non_null(dir);
	while ((e = readdir(dir)))
		if (*e->d_name != '.')
			assert_int_equal(
				ptrace(PTRACE_SEIZE, atoi(e->d_name), NULL, (void *)(long)OPTIONS),
				0);
	closedir(dir);
}

/* The process, its first thread at the entry of a call. */
static void begin(struct fixture *x, int other)
{
	const struct sigaction wake = {.sa_handler = nothing};
	int go[2], ready[2];
	char c;

	*x = (struct fixture){.mm = {.refs = other ? 3 : 2}, .came = -1};
	assert_int_equal(sigaction(ORDERS_SIGNAL, &wake, NULL), 0);
	assert_int_equal(pipe(go) | pipe(ready), 0);
	x->pid = fork();
	assert_true(x->pid >= 0);
	go_end = go[0];
	if (x->pid == 0)
		run(other, ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(go[0]);
	close(ready[0]);
	close(ready[1]);
	x->go = go[1];
	seize_all(x->pid);
	x->f.sink = (struct recorder_sink){.ctx = x, .came = came};
	x->t = (struct tracee){.tid = x->pid, .mm = &x->mm};
	assert_int_equal(ptrace(PTRACE_INTERRUPT, x->pid, NULL, NULL), 0);
	stop_of(x->pid);
	assert_int_equal(ptrace(PTRACE_SYSCALL, x->pid, NULL, NULL), 0);
	assert_int_equal(WSTOPSIG(stop_of(x->pid)), SYSCALL_STOP);
	alarm(HANG_SECONDS);
}

/* Until the first thread is at its end: it was killed in the stop that we took. */
static void await_end(const struct fixture *x)
{
	siginfo_t info = {0};

	assert_int_equal(waitid(P_PID, (id_t)x->pid, &info, WSTOPPED | WNOWAIT | __WALL), 0);
	assert_int_equal(info.si_status >> 8, PTRACE_EVENT_EXIT);
}

/* Only when the first thread waits in a call: not in its stop. */
static void *go_when_it_waits(void *arg)
{
	struct fixture *x = arg;

	while (disposition_state(x->pid) != 'S')
		sched_yield();
	assert_int_equal(write(x->go, "x", 1), 1);
	return NULL;
}

static int64_t call_getpid(struct remote *r)
{
	const uint64_t args[6] = {0};

	return remote_call(r, regs_ip(&r->saved), SYS_getpid, args);
}

/* Lets all go on until the process is gone; 1: it became another program meanwhile. */
static int finish(struct fixture *x)
{
	int became = x->came >> 16 == PTRACE_EVENT_EXEC, status;
	pid_t tid;

	if (x->came >= 0)
		ptrace(PTRACE_CONT, x->pid, NULL, NULL);
	while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		became |= status >> 16 == PTRACE_EVENT_EXEC;
		if (tid > 0 && WIFSTOPPED(status))
			ptrace(PTRACE_CONT, tid, NULL, NULL);
	}
	alarm(0);
	close(x->go);
	if (x->f.has_timer)
		timer_delete(x->f.timer);
	return became;
}

static void kill_it(struct fixture *x)
{
	assert_int_equal(kill(x->pid, SIGKILL), 0);
	ptrace(PTRACE_CONT, x->pid, NULL, NULL);
	assert_false(finish(x));
}

static void a_call_is_made(void **state)
{
	struct fixture x;
	struct remote r;

	(void)state;
	begin(&x, 1);
	assert_int_equal(remote_begin(&r, &x.f, &x.t), 0);
	assert_int_equal(call_getpid(&r), x.pid);
	assert_int_equal(call_getpid(&r), x.pid);
	assert_int_equal(remote_end(&r), 0);
	assert_false(x.t.overtaken);
	kill_it(&x);
}

static void stay_away(void)
{
	for (;;)
		__asm__ volatile("");
}

/* Code of ours may have become anything: a thread that stays in it is taken out. */
static void one_that_stays_away_is_called_back(void **state)
{
	struct user_regs_struct regs;
	struct fixture x;
	struct remote r;

	(void)state;
	begin(&x, 1);
	assert_int_equal(remote_begin(&r, &x.f, &x.t), 0);
	regs_set_ip(&r.regs, (uint64_t)(uintptr_t)stay_away);
	arch_take_back(&r.regs);
	assert_int_equal(remote_run(&r, 1), -ETIME);
	assert_int_equal(x.f.late, 1);
	assert_int_equal(remote_end(&r), 0);
	assert_false(x.t.overtaken);
	assert_int_equal(regs_get(x.pid, &regs), 0);
	assert_int_equal(regs_ip(&regs), regs_ip(&r.saved));
	kill_it(&x);
}

static void so_is_one_that_waits(void **state)
{
	const uint64_t args[6] = {0};
	struct fixture x;
	struct remote r;

	(void)state;
	begin(&x, 1);
	assert_int_equal(remote_begin(&r, &x.f, &x.t), 0);
	assert_true(remote_call(&r, regs_ip(&r.saved), SYS_pause, args) < 0);
	assert_int_equal(x.f.late, 1);
	/* After the third nobody is waited for. */
	x.f.late = 3;
	assert_int_equal(call_getpid(&r), -EFAULT);
	assert_int_equal(remote_run(&r, 1), -EFAULT);
	assert_int_equal(remote_end(&r), 0);
	kill_it(&x);
}

static void what_is_no_call_is_not_run(void **state)
{
	const uint64_t args[6] = {0};
	struct fixture x;
	struct remote r;

	(void)state;
	begin(&x, 1);
	assert_int_equal(remote_begin(&r, &x.f, &x.t), 0);
	assert_int_equal(call_getpid(&r), x.pid);
	assert_int_equal(
		remote_call(&r, regs_ip(&r.saved) + ARCH_CALL_BYTES, SYS_getpid, args), -EFAULT);
	assert_int_equal(remote_call(&r, 0, SYS_getpid, args), -EFAULT);
	assert_int_equal(call_getpid(&r), x.pid);
	kill_it(&x);
}

/* A child that nobody has asked for is told of as ever, or it would wait for good. */
static void a_fork_is_handed_on(void **state)
{
	const uint64_t args[6] = {0};
	unsigned long child;
	struct fixture x;
	struct remote r;

	(void)state;
	begin(&x, 1);
	assert_int_equal(remote_begin(&r, &x.f, &x.t), 0);
	assert_int_equal(remote_call(&r, regs_ip(&r.saved), SYS_fork, args), -ESRCH);
	assert_true(x.t.overtaken);
	assert_int_equal(x.came >> 16, PTRACE_EVENT_FORK);
	assert_int_equal(ptrace(PTRACE_GETEVENTMSG, x.pid, NULL, &child), 0);
	assert_int_equal(kill((pid_t)child, SIGKILL), 0);
	kill_it(&x);
}

static void assert_gone(struct fixture *x, struct remote *r)
{
	assert_int_equal(call_getpid(r), -ESRCH);
	assert_true(x->t.overtaken);
	/* What has its number now is left alone. */
	assert_int_equal(call_getpid(r), -ESRCH);
	assert_int_equal(remote_end(r), -ESRCH);
}

/* The exec waits for the other thread, whose stop waits for us: the end of the first thread is not
 * told of. */
static void a_hidden_end_is_seen(void **state)
{
	struct fixture x;
	struct remote r;

	(void)state;
	begin(&x, 1);
	assert_int_equal(remote_begin(&r, &x.f, &x.t), 0);
	assert_int_equal(write(x.go, "x", 1), 1);
	await_end(&x);
	assert_gone(&x, &r);
	assert_int_equal(x.came, -1);
	assert_true(finish(&x));
}

static void so_is_one_by_a_signal(void **state)
{
	struct fixture x;
	struct remote r;

	(void)state;
	begin(&x, 1);
	assert_int_equal(remote_begin(&r, &x.f, &x.t), 0);
	assert_int_equal(kill(x.pid, SIGKILL), 0);
	await_end(&x);
	assert_gone(&x, &r);
	assert_false(finish(&x));
}

/* Without another thread the exec goes on at once, and its stop has the number. */
static void an_exec_is_handed_on(void **state)
{
	struct fixture x;
	struct remote r;

	(void)state;
	begin(&x, 0);
	assert_int_equal(remote_begin(&r, &x.f, &x.t), 0);
	assert_int_equal(write(x.go, "x", 1), 1);
	await_end(&x);
	assert_gone(&x, &r);
	/* Or seen to end a moment before that. */
	assert_true(x.came == -1 || x.came >> 16 == PTRACE_EVENT_EXEC);
	assert_true(finish(&x));
}

/* Killed while it makes the call: its end is told of as it should be. */
static void an_end_is_handed_on(void **state)
{
	struct fixture x;
	struct remote r;
	const uint64_t args[6] = {0};
	pthread_t helper;

	(void)state;
	begin(&x, 1);
	assert_int_equal(remote_begin(&r, &x.f, &x.t), 0);
	assert_int_equal(pthread_create(&helper, NULL, go_when_it_waits, &x), 0);
	assert_int_equal(remote_call(&r, regs_ip(&r.saved), SYS_pause, args), -ESRCH);
	assert_int_equal(pthread_join(helper, NULL), 0);
	assert_true(x.t.overtaken);
	assert_int_equal(x.came >> 16, PTRACE_EVENT_EXIT);
	assert_true(finish(&x));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_is_made),
		cmocka_unit_test(one_that_stays_away_is_called_back),
		cmocka_unit_test(so_is_one_that_waits),
		cmocka_unit_test(what_is_no_call_is_not_run),
		cmocka_unit_test(a_fork_is_handed_on),
		cmocka_unit_test(a_hidden_end_is_seen),
		cmocka_unit_test(so_is_one_by_a_signal),
		cmocka_unit_test(an_exec_is_handed_on),
		cmocka_unit_test(an_end_is_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
