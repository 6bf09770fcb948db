/* SPDX-License-Identifier: GPL-3.0-only */
/* iotrace: options, the two threads of a run, the files at its end, the exit status. */
#include "common/base/platform.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tracer/attach.h"
#include "common/runner/as_user.h"
#include "common/runner/process.h"
#include "common/write/writer.h"
#include "tracer/booking.h"
#include "tracer/front.h"
#include "tracer/launch.h"
#include "tracer/outputs.h"
#include "tracer/leave.h"
#include "tracer/live/live.h"
#include "tracer/loop.h"
#include "tracer/report.h"
#include "tracer/seize.h"
#include "tracer/session.h"
#include "tracer/supervise.h"
#include "tracer/verify.h"

enum {
	STATUS_USAGE = 2,
	STATUS_ASSERTION = 3,
	STATUS_TIMEOUT = 124,
	STATUS_FAILED = 125,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127
};

/* One run, shared by the two threads. */
struct run {
	struct options opt;
	struct launch_setup setup;
	struct session session;
	struct supervise supervise;
	struct outputs outputs;
	struct as_user user; /* of -u */
	size_t missed;       /* assertions that do not hold or cannot be judged */
	/* What is traced; of what runs already, as it was when it was attached to. */
	const char *const *command;
	char *target_path; /* heap */
	int target_fd;     /* attached: its file; else -1 */
	struct arena arena;
	uint64_t started_real_ns;
	/* of the tracing thread */
	pthread_t thread;
	int thread_rc;
	struct err thread_err;
	int ready_fd; /* eventfd: the target is under control, or the thread has failed */
};

static int fail(int status, const struct err *err)
{
	fprintf(stderr, "iotrace: %s\n", err->text);
	return status;
}

/* ---- the tracing thread ---- */

static void wake_handler(int signal)
{
	(void)signal;
	seize_interrupted();
}

static uint64_t after(uint64_t start_ns, uint64_t delay_ns)
{
	return delay_ns ? start_ns + delay_ns : UINT64_MAX;
}

static void set_window(struct run *run, uint64_t start_ns)
{
	struct book *b = &run->session.book;

	if (!run->opt.has_window)
		return;
	b->window_begin_ns = start_ns + run->opt.skip_ns;
	b->window_end_ns = after(b->window_begin_ns, run->opt.duration_ns);
	/* Clocks are read then, not later for then; at once what begins at once. */
	if (run->opt.skip_ns)
		run->supervise.begin_at_ns = b->window_begin_ns;
	else
		cputime_window_begins(
			&run->session.cputime, &run->session.tracees, &run->session.stops);
	run->supervise.end_at_ns = b->window_end_ns;
	if (run->opt.pids.len)
		run->supervise.detach_at_ns = b->window_end_ns;
}

static int begin_target(struct run *run, struct err *err)
{
	struct session *s = &run->session;
	int rc;

	if (!run->opt.pids.len && !(s->recorder.on && s->recorder.dispatch))
		return launch_target(s, &run->setup, err);
	s->launch.path = NULL;
	rc = attach_probe(s, &run->setup, err);
	if (rc == 0 && !run->opt.pids.len) {
		s->launch.path = run->target_path;
		s->unfiltered = 1;
		return launch_target(s, &run->setup, err);
	}
	if (rc == 0)
		rc = attach_processes(s, err);
	if (rc == 0) /* that may have taken longer than the window lasts */
		set_window(run, clock_mono_ns());
	return rc;
}

static void *tracing_thread(void *arg)
{
	struct run *run = arg;
	struct session *s = &run->session;
	sigset_t wake;

	sigemptyset(&wake);
	sigaddset(&wake, ORDERS_SIGNAL);
	sigaddset(&wake, SIGBUS); /* stacks/cut_files.h */
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	run->thread_rc = begin_target(run, &run->thread_err);
	eventfd_write(run->ready_fd, 1);
	if (run->thread_rc == 0)
		run->thread_rc = loop_run(s, &run->thread_err);
	if (s->attached)
		leave_attached(s);
	orders_close(&s->orders);
	loop_end(s);
	live_put(s->live, s, 1);
	eventfd_write(run->supervise.done_fd, 1);
	/* With -p the end of this thread is what detaches (leave.h). */
	return NULL;
}

/* So long the thread waits until it may seize one; seize.h. */
#define SEIZE_LIMIT_MS 10

static int start_thread(struct run *run, struct err *err)
{
	struct sigaction wake = {.sa_handler = wake_handler};
	struct pollfd ready = {.events = POLLIN};
	int rc;

	sigemptyset(&wake.sa_mask);
	sigaction(ORDERS_SIGNAL, &wake, NULL);
	run->ready_fd = ready.fd = eventfd(0, EFD_CLOEXEC);
	run->supervise.done_fd = eventfd(0, EFD_CLOEXEC);
	rc = -pthread_create(&run->thread, NULL, tracing_thread, run);
	if (rc < 0)
		return err_set(err, rc, "cannot start a thread: %s", strerror(-rc));
	run->session.orders.taker = run->thread;
	while (poll(&ready, 1, SEIZE_LIMIT_MS) <= 0)
		if (seize_is_waiting())
			pthread_kill(run->thread, ORDERS_SIGNAL);
	return 0;
}

/* ---- a run ---- */

static void set_times(struct run *run)
{
	const struct options *o = &run->opt;
	struct supervise *v = &run->supervise;
	struct book *b = &run->session.book;
	uint64_t start = clock_mono_ns();

	run->started_real_ns = clock_real_ns();
	b->start_ns = start;
	v->timeout_at_ns = after(start, o->timeout_ns);
	v->begin_at_ns = v->end_at_ns = v->detach_at_ns = UINT64_MAX;
	v->status_at_ns = o->status ? start : UINT64_MAX;
	v->tick_at_ns = UINT64_MAX;
	if (run->session.live) {
		v->tick_ns = o->interval_ns ? o->interval_ns : NS_PER_SEC;
		/* The screen is there from the start. */
		v->tick_at_ns = o->live ? start : start + v->tick_ns;
	}
	if (!o->pids.len)
		set_window(run, start);
}

static pid_t start_command(struct run *run, struct err *err)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_set(err, -errno, "cannot fork: %s", strerror(errno));
	if (pid == 0) {
		launch_setup_restore(&run->setup);
		execvp(run->opt.command[0], run->opt.command);
		fprintf(stderr, "iotrace: cannot execute %s: %s\n", run->opt.command[0],
			strerror(errno));
		_exit(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
	}
	return pid;
}

static void say_left_out(const struct run *run)
{
	char text[128];

	if (!run->opt.quiet && attach_left_out(&run->session, text, sizeof(text)))
		fprintf(stderr, "iotrace: %s\n", text);
}

static int trace_with(struct run *run, struct err *err)
{
	struct supervise *v = &run->supervise;
	int rc;

	*v = (struct supervise){.orders = &run->session.orders,
		.grace_ns = run->opt.grace_ns,
		.control_fd = run->opt.control_fd,
		.quit_fd = live_quit_fd(run->session.live),
		.attached = run->opt.pids.len != 0};
	set_times(run);
	rc = start_thread(run, err);
	if (rc < 0)
		return rc;
	say_left_out(run);
	if (run->opt.pids.len && run->opt.command_len && run->thread_rc == 0) {
		rc = start_command(run, err);
		if (rc > 0)
			v->command = rc;
	}
	if (rc >= 0)
		rc = supervise_run(v, err);
	if (rc == -EDEADLK)
		return rc;
	pthread_join(run->thread, NULL);
	if (rc == 0 && run->thread_rc < 0)
		rc = err_set(err, run->thread_rc, "%s", run->thread_err.text);
	return rc;
}

/* Traces to the end. The session's book is then complete. */
static int trace(struct run *run, struct err *err)
{
	struct live *live = run->session.live;
	int rc = live_start(live, err);

	if (rc == 0)
		rc = trace_with(run, err);
	run->outputs.stdout_error = live_finish(live);
	return rc;
}

static int exit_status(const struct run *run)
{
	int status = run->session.first_status;

	if (run->supervise.timed_out)
		return STATUS_TIMEOUT;
	/* A target that fails has its own status, whatever it did before; 0 is also a detach. */
	if (status <= 0)
		return run->missed ? STATUS_ASSERTION : 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int launch_status(int rc)
{
	return rc == -ENOENT   ? STATUS_NOT_FOUND
	       : rc == -EACCES ? STATUS_NOT_EXECUTABLE
			       : STATUS_FAILED;
}

/* Said beside the target's own complaint, which does not know why. */
static void say_unprivileged(const struct run *run)
{
	fprintf(stderr,
		"iotrace: %s ran without the privileges of its file: trace it as root, with -u "
		"USER\n",
		run->session.unprivileged);
}

/* Also with -q: an assertion is asked for by who wants to know. */
static size_t judge_assertions(const struct run *run, struct res_result *r)
{
	struct out o;
	size_t missed;

	out_init(&o, STDERR_FILENO);
	missed = assertions_judge(&run->opt.assertions, r, &o);
	out_flush(&o);
	out_release(&o);
	return missed;
}

/* Each file that could not be written is told; the others are. */
static int write_outputs(struct run *run)
{
	struct outputs *o = &run->outputs;
	struct report_facts facts = {&run->supervise, run->command, run->target_path,
		run->target_fd, run->started_real_ns, run->user.groups ? run->user.uid : getuid()};
	struct err err = {0};

	if (as_user_take(&run->user, &err) < 0) {
		outputs_abort(o);
		return fail(STATUS_FAILED, &err);
	}
	struct res_result *r = report_build(&run->session, &facts);

	outputs_finish(o, &run->session, r);
	if (*run->session.unprivileged && !run->opt.quiet)
		say_unprivileged(run);
	as_user_give_back(&run->user);
	if (run->opt.assertions.len)
		run->missed = judge_assertions(run, r);
	result_free(r);
	for (size_t i = 0; i < o->failed; i++)
		fail(STATUS_FAILED, &o->errs[i]);
	return o->failed ? STATUS_FAILED : 0;
}

/* strace's -o FILE has the lines. */
static void say_where(const struct options *o)
{
	fprintf(stderr,
		"iotrace: -o is a prefix: lines of calls in %s, summary in %s, JSON in %s\n",
		o->detail, o->summary, o->json);
}

static int finish(struct run *run)
{
	int status;

	supervise_writing(STATUS_FAILED);
	status = write_outputs(run);
	if (status == 0 && run->opt.say_where && !run->opt.quiet)
		say_where(&run->opt);
	return status ? status : exit_status(run);
}

static int find_user(struct run *run, struct err *err)
{
	return run->opt.user ? as_user_find(&run->user, run->opt.user, err) : 0;
}

static int begin_outputs(struct run *run, struct err *err)
{
	int rc = as_user_take(&run->user, err);

	if (rc == 0)
		rc = outputs_begin(&run->outputs, &run->opt, &run->session, err);
	as_user_give_back(&run->user);
	return rc;
}

static void abort_outputs(struct run *run)
{
	struct err ignored = {0};

	/* What has a name must lose it, as whom it was made. */
	if (as_user_take(&run->user, &ignored) == 0)
		outputs_abort(&run->outputs);
	as_user_give_back(&run->user);
}

static int run_all(struct run *run)
{
	struct err err = {0};
	int rc;

	if (find_user(run, &err) < 0)
		return fail(STATUS_USAGE, &err);
	run->setup.user = &run->user;
	if (live_new(&run->session.live, &run->opt, &err) < 0)
		return fail(STATUS_USAGE, &err);
	if (!run->opt.pids.len) {
		rc = launch_resolve(run->opt.command[0], &run->target_path, &err);
		if (rc < 0)
			return fail(launch_status(rc), &err);
		run->session.launch.path = run->target_path;
		run->command = (const char *const *)run->opt.command;
	} else {
		run->command = process_command(run->opt.pids.at[0], &run->arena);
		run->target_path = process_exe(run->opt.pids.at[0]);
		run->target_fd = process_exe_fd(run->opt.pids.at[0]);
	}
	rc = begin_outputs(run, &err);
	if (rc == 0) {
		/* Not before: who opens a pipe waits for its reader, and can be ended then. */
		supervise_block_signals();
		live_block_signals(run->session.live);
		rc = trace(run, &err);
	}
	if (rc == 0 && !run->opt.pids.len && (rc = launch_error(&run->session, &err)) < 0) {
		abort_outputs(run);
		return fail(launch_status(rc), &err);
	}
	if (rc < 0) {
		abort_outputs(run);
		fail(STATUS_FAILED, &err);
		/* Nothing may be released while the tracing thread has it. */
		if (rc == -EDEADLK)
			_exit(run->supervise.timed_out ? STATUS_TIMEOUT : STATUS_FAILED);
		return STATUS_FAILED;
	}
	return finish(run);
}

static int print(void (*text)(struct out *o))
{
	struct err err = {0};
	struct out said, o;
	int rc;

	out_init_mem(&said);
	text(&said);
	out_init(&o, STDOUT_FILENO);
	text_fold(out_text(&said), &o, out_columns(o.fd, HELP_COLUMNS));
	rc = out_flush(&o);
	out_release(&o);
	out_release(&said);
	if (rc == 0)
		return 0;
	err_set(&err, rc, "cannot write to standard output: %s", strerror(-rc));
	return fail(STATUS_FAILED, &err);
}

static void version_text(struct out *o)
{
	out_str(o, "iotrace " IOTRACE_VERSION "\n");
#ifdef IOTRACE_STATIC
	out_str(o, "static: -u knows the users of /etc/passwd only\n");
#endif
}

static int verify_modes(struct run *run)
{
	struct err err = {0};
	struct out o;
	int status;

	launch_setup_restore(&run->setup); /* the runs start as this one was */
	out_init(&o, STDOUT_FILENO);
	status = verify(&run->opt, &o, &err);
	if (out_flush(&o) < 0 && status != STATUS_FAILED) {
		err_set(&err, o.error, "cannot write the result: %s", strerror(-o.error));
		status = STATUS_FAILED;
	}
	if (status == STATUS_FAILED)
		fail(status, &err);
	out_release(&o);
	options_release(&run->opt);
	return status;
}

int main(int argc, char **argv)
{
	struct recorder_sink sink;
	static struct run run;
	struct err err = {0};
	enum options_action action;
	int status;

	run.target_fd = -1;
	launch_setup_save(&run.setup);
	file_hold_streams();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit makes writes fail, as a full disk does */
	if (options_parse(&run.opt, argc, argv, &action, &err) < 0)
		return fail(STATUS_USAGE, &err);
	if (action == OPTIONS_HELP)
		return print(options_help);
	if (action == OPTIONS_VERSION)
		return print(version_text);
	if (run.opt.notes && !run.opt.quiet)
		fprintf(stderr, "iotrace: %s\n", run.opt.notes);
	if (run.opt.verify)
		return verify_modes(&run);
	if (run.opt.pids.len) {
		int rc = front_split(run.opt.live, &status, &err);

		if (rc)
			return rc < 0 ? fail(STATUS_FAILED, &err) : status;
	}
	sink = booking_sink(&run.session);
	if (session_init(&run.session, &run.opt, &sink, &err) < 0)
		return fail(STATUS_FAILED, &err);
	status = run_all(&run);
	live_free(run.session.live);
	session_release(&run.session);
	as_user_release(&run.user);
	options_release(&run.opt);
	if (run.target_fd >= 0)
		close(run.target_fd);
	free(run.target_path);
	arena_release(&run.arena);
	return status;
}
