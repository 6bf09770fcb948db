/* SPDX-License-Identifier: GPL-3.0-only */
/* iotrace: options, the two threads of a run, the files at its end, the exit status. */
#include "common/base/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/write/writer.h"
#include "tracer/attach.h"
#include "tracer/launch.h"
#include "tracer/leave.h"
#include "tracer/report.h"
#include "tracer/session.h"
#include "tracer/supervise.h"
#include "tracer/verify.h"

enum {
	STATUS_USAGE = 2,
	STATUS_TIMEOUT = 124,
	STATUS_FAILED = 125,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127
};

/* The output files of a run; path NULL: not asked for. */
struct outputs {
	struct new_file summary, detail, json;
	struct new_file stacks[STACKS_WEIGHTS];
	struct spool *spool; /* of the detail */
};

/* One run, shared by the two threads. */
struct run {
	struct options opt;
	struct launch_setup setup;
	struct session session;
	struct supervise supervise;
	struct outputs outputs;
	struct passwd *user;
	char *target_path; /* heap */
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

/* ---- output files ---- */

static int output_begin(
	struct new_file *f, const char *path, const struct passwd *user, struct err *err)
{
	int rc;

	*f = (struct new_file){.fd = -1};
	if (!path)
		return 0;
	rc = file_begin(f, path, err);
	if (rc == 0 && user && strcmp(path, "-") != 0 &&
		fchown(f->fd, user->pw_uid, user->pw_gid) < 0)
		return err_set(err, -errno, "cannot give %s to %s: %s", path, user->pw_name,
			strerror(errno));
	return rc;
}

/* Beside the detail, where there must be room anyway; one that is no file has no such place. */
static char *spool_dir(const struct new_file *detail)
{
	const char *slash = strrchr(detail->path, '/'), *tmp = getenv("TMPDIR");

	if (!detail->temp)
		return mem_strdup(tmp && *tmp ? tmp : "/tmp");
	if (!slash)
		return mem_strdup(".");
	return mem_strndup(
		detail->path, slash == detail->path ? 1 : (size_t)(slash - detail->path));
}

static int spool_begin(struct run *run, struct err *err)
{
	cleanup_free char *dir = spool_dir(&run->outputs.detail);
	int rc = spool_new(
		&run->outputs.spool, dir, detail_calls_max(run->opt.detail_limit_bytes), err);

	if (rc == 0)
		book_detail(&run->session.book, run->outputs.spool, &run->opt.detail_trace);
	return rc;
}

static int outputs_begin(struct run *run, struct err *err)
{
	struct outputs *o = &run->outputs;
	int rc = output_begin(&o->summary, run->opt.summary, run->user, err);

	if (rc == 0)
		rc = output_begin(&o->detail, run->opt.detail, run->user, err);
	if (rc == 0)
		rc = output_begin(&o->json, run->opt.json, run->user, err);
	for (int i = 0; i < STACKS_WEIGHTS && rc == 0; i++) {
		cleanup_free char *path = run->opt.stacks
						  ? mem_printf("%s-%s.folded", run->opt.stacks,
							    stacks_weight_names[i])
						  : NULL;

		rc = output_begin(&o->stacks[i], path, run->user, err);
	}
	if (rc == 0 && run->opt.detail)
		rc = spool_begin(run, err);
	return rc;
}

/* Not a result: no temporary file, and nothing is renamed. */
static int status_open(struct run *run, struct err *err)
{
	const char *path = run->opt.status;

	if (!path)
		return 0;
	run->session.status_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (run->session.status_fd < 0)
		return err_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
	return 0;
}

static void outputs_abort(struct outputs *o)
{
	file_abort(&o->summary);
	file_abort(&o->detail);
	file_abort(&o->json);
	for (int i = 0; i < STACKS_WEIGHTS; i++)
		file_abort(&o->stacks[i]);
	spool_free(o->spool);
	o->spool = NULL;
}

static int write_result(
	struct new_file *f, const char *writer, const struct res_result *r, struct err *err)
{
	struct out o;
	int rc;

	out_init(&o, f->fd);
	writer_by_id(writer)->write(r, &o);
	rc = out_flush(&o);
	out_release(&o);
	if (rc < 0) {
		err_set(err, rc, "cannot write %s: %s", f->path, strerror(-rc));
		file_abort(f);
		return rc;
	}
	return file_commit(f, err);
}

/* The text of the detail. What was written before the disk was full is kept, in whole lines. */
static int detail_finish(struct run *run, struct err *err)
{
	struct outputs *o = &run->outputs;
	struct out text;
	int rc;

	if (!run->opt.detail)
		return 0;
	out_init(&text, o->detail.fd);
	rc = book_render(&run->session.book, &text, run->opt.detail_limit_bytes, err);
	out_release(&text);
	if (rc < 0)
		err_wrap(err, "%s", run->opt.detail);
	if (rc < 0 && o->detail.temp &&
		ftruncate(o->detail.fd, (off_t)run->session.book.detail.text.bytes) < 0)
		err_set(err, -errno, "cannot cut %s: %s", run->opt.detail, strerror(errno));
	/* Its room is for the other files. */
	spool_free(o->spool);
	o->spool = NULL;
	return rc;
}

static int write_stacks(
	struct new_file *f, const struct stacks *s, enum stacks_weight weight, struct err *err)
{
	struct out o;
	int rc;

	out_init(&o, f->fd);
	stacks_write(s, weight, &o);
	rc = out_flush(&o);
	out_release(&o);
	if (rc < 0)
		return err_set(err, rc, "cannot write %s: %s", f->path, strerror(-rc));
	return file_commit(f, err);
}

/* Every file that can be written is written; the first error is the one that is told.
 * rc: what became of the detail; err is then filled. */
static int outputs_finish(struct run *run, struct res_result *r, int rc, struct err *err)
{
	struct outputs *o = &run->outputs;
	struct err later = {0};

	if (rc < 0)
		report_detail_failed(r, run->opt.detail, rc);
	if (run->opt.detail && file_commit(&o->detail, &later) < 0 && rc == 0)
		rc = err_set(err, later.code, "%s", later.text);
	for (int i = 0; run->opt.stacks && i < STACKS_WEIGHTS; i++) {
		later = (struct err){0};
		if (write_stacks(&o->stacks[i], run->session.stacks, (enum stacks_weight)i,
			    &later) < 0 &&
			rc == 0)
			rc = err_set(err, later.code, "%s", later.text);
	}
	later = (struct err){0};
	if (run->opt.json && write_result(&o->json, "json", r, &later) < 0 && rc == 0)
		rc = err_set(err, later.code, "%s", later.text);
	later = (struct err){0};
	if (run->opt.summary && write_result(&o->summary, "summary", r, &later) < 0 && rc == 0)
		rc = err_set(err, later.code, "%s", later.text);
	if (run->opt.summary_stderr) {
		struct new_file f = {.fd = STDERR_FILENO};

		f.path = mem_strdup("-");
		if (write_result(&f, "summary", r, &later) < 0 && rc == 0)
			rc = err_set(err, later.code, "%s", later.text);
	}
	return rc;
}

/* ---- the tracing thread ---- */

static void wake_handler(int signal)
{
	(void)signal;
}

static int begin_target(struct run *run, struct err *err)
{
	struct session *s = &run->session;
	int rc;

	if (!run->opt.pids.len)
		return launch_target(s, &run->setup, err);
	rc = launch_probe(s, &run->setup, err);
	return rc < 0 ? rc : attach_processes(s, err);
}

static void *tracing_thread(void *arg)
{
	struct run *run = arg;
	struct session *s = &run->session;
	sigset_t wake;

	sigemptyset(&wake);
	sigaddset(&wake, ORDERS_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	run->thread_rc = begin_target(run, &run->thread_err);
	eventfd_write(run->ready_fd, 1);
	if (run->thread_rc == 0)
		run->thread_rc = session_loop(s, &run->thread_err);
	if (s->attached)
		leave_attached(s);
	orders_close(&s->orders);
	session_end(s);
	eventfd_write(run->supervise.done_fd, 1);
	/* With -p the end of this thread is what detaches (leave.h). */
	return NULL;
}

static int start_thread(struct run *run, struct err *err)
{
	struct sigaction wake = {.sa_handler = wake_handler};
	eventfd_t value;
	int rc;

	sigemptyset(&wake.sa_mask);
	sigaction(ORDERS_SIGNAL, &wake, NULL);
	run->ready_fd = eventfd(0, EFD_CLOEXEC);
	run->supervise.done_fd = eventfd(0, EFD_CLOEXEC);
	rc = -pthread_create(&run->thread, NULL, tracing_thread, run);
	if (rc < 0)
		return err_set(err, rc, "cannot start a thread: %s", strerror(-rc));
	run->session.orders.taker = run->thread;
	while (eventfd_read(run->ready_fd, &value) < 0 && errno == EINTR)
		;
	return 0;
}

/* ---- a run ---- */

static uint64_t after(uint64_t start_ns, uint64_t delay_ns)
{
	return delay_ns ? start_ns + delay_ns : UINT64_MAX;
}

static void set_times(struct run *run)
{
	const struct options *o = &run->opt;
	struct supervise *v = &run->supervise;
	struct book *b = &run->session.book;
	uint64_t start = clock_mono_ns();

	run->started_real_ns = clock_real_ns();
	b->start_ns = start;
	v->timeout_at_ns = after(start, o->timeout_ns);
	v->detach_at_ns = UINT64_MAX;
	v->status_at_ns = o->status ? start : UINT64_MAX;
	if (!o->has_window)
		return;
	b->window_begin_ns = start + o->skip_ns;
	b->window_end_ns = after(b->window_begin_ns, o->duration_ns);
	if (o->pids.len)
		v->detach_at_ns = b->window_end_ns;
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

/* Traces to the end. The session's book is then complete. */
static int trace(struct run *run, struct err *err)
{
	struct supervise *v = &run->supervise;
	int rc;

	*v = (struct supervise){.orders = &run->session.orders,
		.grace_ns = run->opt.grace_ns,
		.control_fd = run->opt.control_fd,
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
	pthread_join(run->thread, NULL);
	if (rc == 0 && run->thread_rc < 0)
		rc = err_set(err, run->thread_rc, "%s", run->thread_err.text);
	return rc;
}

static int exit_status(const struct run *run)
{
	int status = run->session.first_status;

	if (run->supervise.timed_out)
		return STATUS_TIMEOUT;
	if (status < 0)
		return 0; /* detached */
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int launch_status(int rc)
{
	return rc == -ENOENT   ? STATUS_NOT_FOUND
	       : rc == -EACCES ? STATUS_NOT_EXECUTABLE
			       : STATUS_FAILED;
}

static int finish(struct run *run)
{
	struct err err = {0};
	struct report_facts facts = {&run->supervise, run->target_path, run->started_real_ns,
		run->user ? run->user->pw_uid : getuid()};
	int rc = detail_finish(run, &err);
	struct res_result *r = report_build(&run->session, &facts);

	rc = outputs_finish(run, r, rc, &err);
	result_free(r);
	return rc < 0 ? fail(STATUS_FAILED, &err) : exit_status(run);
}

static int run_all(struct run *run)
{
	struct err err = {0};
	int rc;

	if (run->opt.user) {
		run->user = getpwnam(run->opt.user);
		if (!run->user) {
			err_set(&err, -ENOENT, "-u: no user '%s'", run->opt.user);
			return fail(STATUS_USAGE, &err);
		}
		run->setup.user = run->user;
	}
	if (!run->opt.pids.len) {
		rc = launch_resolve(run->opt.command[0], &run->target_path, &err);
		if (rc < 0)
			return fail(launch_status(rc), &err);
		run->session.launch.path = run->target_path;
	} else {
		run->target_path = mem_printf("/proc/%d/exe", run->opt.pids.at[0]);
	}
	rc = outputs_begin(run, &err);
	if (rc == 0)
		rc = status_open(run, &err);
	if (rc == 0)
		rc = trace(run, &err);
	if (rc == 0 && !run->opt.pids.len && (rc = launch_error(&run->session, &err)) < 0) {
		outputs_abort(&run->outputs);
		return fail(launch_status(rc), &err);
	}
	if (rc < 0) {
		outputs_abort(&run->outputs);
		return fail(STATUS_FAILED, &err);
	}
	return finish(run);
}

static int print(void (*text)(struct out *o))
{
	struct out o;
	int rc;

	out_init(&o, STDOUT_FILENO);
	text(&o);
	rc = out_flush(&o);
	out_release(&o);
	return rc < 0 ? STATUS_FAILED : 0;
}

static void version_text(struct out *o)
{
	out_str(o, "iotrace " IOTRACE_VERSION "\n");
}

/* So that none of ours gets a number that messages are written to. The target's stay closed. */
static void hold_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
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
	static struct run run;
	struct err err = {0};
	enum options_action action;
	int status;

	launch_setup_save(&run.setup);
	hold_standard_fds();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit makes writes fail, as a full disk does */
	if (options_parse(&run.opt, argc, argv, &action, &err) < 0)
		return fail(STATUS_USAGE, &err);
	if (action == OPTIONS_HELP)
		return print(options_help);
	if (action == OPTIONS_VERSION)
		return print(version_text);
	if (run.opt.verify)
		return verify_modes(&run);
	supervise_block_signals();
	if (session_init(&run.session, &run.opt, &err) < 0)
		return fail(STATUS_FAILED, &err);
	status = run_all(&run);
	session_release(&run.session);
	options_release(&run.opt);
	free(run.target_path);
	return status;
}
