/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The io backend: runs the iotrace that lies beside profile-scenario and reads its result. It is a
 * program of its own because waitpid() and the signals of two masters do not mix.
 */
#include "common/model/json.h"
#include "common/model/result.h"
#include "common/runner/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/units.h"
#include "common/runner/control.h"
#include "common/runner/program.h"
#include "common/runner/status_line.h"
#include "common/view/view_parts.h"
#include "common/write/writer.h"

#define BASE           "-iotrace"
#define LIMIT_SLACK_NS (10 * NS_PER_SEC)

static const char *const suffixes[] = {BASE "-summary.txt", BASE "-detail.txt", BASE "-time.folded",
	BASE "-bytes.folded", BASE "-calls.folded", BASE "-messages.folded", BASE ".json", NULL};

static int io_probe(struct err *err)
{
	cleanup_free char *iotrace = program_find_beside("iotrace");

	if (!iotrace)
		return err_set(err, -ENOENT,
			"type io cannot run: iotrace is neither beside profile-scenario nor in "
			"PATH (make builds both)");
	return 0;
}

/* ---- iotrace's command line ---- */

/* Words in the making; what is put together lies in the arena. */
struct io_args {
	struct arena *arena;
	const char **at;
	size_t len, cap;
};

static void add(struct io_args *a, const char *word)
{
	*VEC_PUSH(a) = word;
}

static void add_seconds(struct io_args *a, const char *option, uint64_t ns)
{
	add(a, option);
	add(a, arena_printf(a->arena, "%llu.%09llu", (unsigned long long)(ns / NS_PER_SEC),
		       (unsigned long long)(ns % NS_PER_SEC)));
}

static const char *traced_set(const struct scenario *sc)
{
	if (sc->trace)
		return sc->trace;
	/* By stops, all of them would slow the target beyond use. */
	return strcmp(sc->mode, "auto") == 0 ? "all" : "%io";
}

/* The target's environment, which is not iotrace's. */
static void add_env(struct io_args *a, const struct scenario *sc)
{
	for (const char *const *e = sc->env; e && *e; e++) {
		add(a, "--env");
		add(a, *e);
	}
}

/* Whom it is attached to. Where the runner starts the target free, its number is not known before.
 */
static void add_attached(struct io_args *a, const struct backend_run *in)
{
	add(a, "-p");
	add(a, in->attach ? attach_pids(&in->attach->roots, a->arena) : "PID");
	if (!in->sc->no_tree)
		add(a, "--tree");
}

static int is_attaching(const struct backend_run *in)
{
	return in->attach || in->sc->attach_window;
}

/* Where iotrace keeps its line of counts for the progress line. */
static char *status_path(const struct backend_run *in)
{
	return mem_printf("%s/.%s.status", in->dir, in->sc->name);
}

static void add_options(struct io_args *a, const struct backend_run *in, int control_fd)
{
	const struct scenario *sc = in->sc;
	cleanup_free char *status = status_path(in);

	add(a, "-q");
	add(a, "-o");
	add(a, arena_printf(a->arena, "%s/%s" BASE, in->dir, sc->name));
	add(a, arena_printf(a->arena, "--mode=%s", sc->mode));
	if (sc->io_stacks) {
		add(a, "--stacks");
		add(a, arena_printf(a->arena, "%s/%s" BASE, in->dir, sc->name));
	}
	add(a, "-e");
	add(a, traced_set(sc));
	if (sc->no_times)
		add(a, "--no-times");
	if (is_attaching(in)) {
		add_attached(a, in);
	} else {
		if (sc->timeout_ns)
			add_seconds(a, "--timeout", sc->timeout_ns);
		add_seconds(a, "--grace", sc->grace_ns);
		add_env(a, sc);
	}
	if (in->watcher) {
		add(a, "--status");
		add(a, arena_strdup(a->arena, status));
	}
	if (control_fd >= 0) {
		add(a, "--control-fd");
		add(a, arena_printf(a->arena, "%d", control_fd));
		return;
	}
	if (sc->skip_ns)
		add_seconds(a, "--skip", sc->skip_ns);
	if (sc->duration_ns)
		add_seconds(a, "--duration", sc->duration_ns);
}

/* The whole command line, NULL-terminated, in the arena. control_fd -1: there is no load. */
static const char *const *command_line(
	struct arena *arena, const struct backend_run *in, const char *iotrace, int control_fd)
{
	struct io_args a = {.arena = arena};

	add(&a, arena_strdup(arena, iotrace));
	add_options(&a, in, control_fd);
	if (!is_attaching(in)) {
		add(&a, "--");
		for (const char *const *word = in->sc->argv; *word; word++)
			add(&a, *word);
	}
	const char **argv = arena_alloc(arena, a.len + 1, sizeof(*argv));

	memcpy(argv, a.at, a.len * sizeof(*argv));
	free(a.at);
	return argv;
}

static const char *const *io_command(const struct backend_run *in, struct arena *a)
{
	cleanup_free char *iotrace = program_find_beside("iotrace");

	/* With a load it is a pipe, whatever its number. */
	return command_line(
		a, in, iotrace ? iotrace : "iotrace", in->sc->load || is_attaching(in) ? 3 : -1);
}

/* ---- attaching and the window ---- */

/* One run. */
struct io_session {
	const struct backend_run *in;
	const char *iotrace;
	struct arena arena;
	int control[2]; /* a pipe to iotrace, -1: none */
	int asked;      /* whether it has attached: a line is on its way */
};

static const char *const *io_attach_command(void *ctx, struct err *err)
{
	struct io_session *s = ctx;

	if (attach_look(s->in->attach, err) < 0)
		return NULL;
	if (!s->asked)
		s->asked = write(s->control[1], "\n", 1) == 1;
	return command_line(&s->arena, s->in, s->iotrace, s->control[0]);
}

/* iotrace reads its orders when it has attached; an empty line is none. True too when it has ended
 * since. */
static int io_is_attached(void *ctx)
{
	const struct io_session *s = ctx;
	int waiting = 1;

	return s->asked && ioctl(s->control[1], FIONREAD, &waiting) == 0 && !waiting;
}

/* iotrace keeps the limit of a target that it starts; this one is for an iotrace that hangs. */
static uint64_t limit_ns(const struct backend_run *in)
{
	const struct scenario *sc = in->sc;

	if (in->attach || !sc->timeout_ns)
		return sc->timeout_ns;
	return sc->timeout_ns + sc->grace_ns + LIMIT_SLACK_NS;
}

/* Writes a line on the control pipe and waits until iotrace has read it; 0: not if it has ended, or
 * where something else is to be done first. */
static int say(const struct io_session *s, int tool_pidfd, const char *line)
{
	uint64_t limit = limit_ns(s->in),
		 until = sat_add(clock_mono_ns(), limit ? limit : UINT64_MAX);
	struct pollfd others[] = {
		{.fd = tool_pidfd, .events = POLLIN}, {.fd = s->in->signals->fd, .events = POLLIN}};
	int waiting = 1;

	if (write(s->control[1], line, strlen(line)) < 0)
		return 0;
	while (ioctl(s->control[1], FIONREAD, &waiting) == 0 && waiting) {
		static const struct timespec pause = {.tv_nsec = NS_PER_MS / 10};

		if (ppoll(others, LEN(others), &pause, NULL) > 0 || clock_mono_ns() >= until)
			return 0;
	}
	return 1;
}

/* The first request of the load is inside the window and the target's end is outside: iotrace reads
 * the second line, which is none, when it has obeyed the first. */
static void io_mark(void *ctx, enum drive_mark mark, int tool_pidfd)
{
	if (say(ctx, tool_pidfd, mark == DRIVE_BEGIN ? "begin\n" : "end\n"))
		say(ctx, tool_pidfd, "\n");
}

/* ---- its result ---- */

struct written {
	const struct res_result *r;
	const struct writer *writer;
};

static void write_form(const void *ctx, struct out *o)
{
	const struct written *w = ctx;

	w->writer->write(w->r, o);
}

static int write_with(const struct res_result *r, const char *writer, const char *dir,
	const char *name, struct err *err)
{
	const struct written w = {r, writer_by_id(writer)};
	cleanup_free char *path = mem_printf("%s/%s" BASE "%s", dir, name, w.writer->suffix);

	return file_write_with(path, write_form, &w, err);
}

static int write_result(
	const struct res_result *r, const char *dir, const char *name, struct err *err)
{
	int rc = write_with(r, "summary", dir, name, err);

	return rc < 0 ? rc : write_with(r, "json", dir, name, err);
}

/* -ENOENT, without an error's text, where there is none. */
static int read_result(const char *dir, const char *name, struct res_result **ret, struct err *err)
{
	cleanup_free char *path = mem_printf("%s/%s" BASE ".json", dir, name);

	if (access(path, F_OK) < 0)
		return -ENOENT;
	return json_read_result(path, ret, err);
}

static void fill_attached(struct res_result *r, const struct attach *a)
{
	r->attached = backend_describe_attached(r, a);
	r->command = result_words(r, a->command);
	if (r->environment)
		attach_environment(a, r, r->environment);
}

/* What only the runner knows. */
static void fill(struct res_result *r, const struct backend_run *in, const struct drive_result *d)
{
	const struct scenario *sc = in->sc;

	r->scenario = arena_strdup(result_arena(r), sc->name);
	r->load = backend_describe_load(r, sc, d);
	if (r->window) {
		r->window->skip_ns = sc->skip_ns;
		r->window->duration_ns = sc->duration_ns;
	}
	r->work = backend_describe_work(r, sc, d);
	r->control = control_describe(r, in, d);
	if (in->attach)
		fill_attached(r, in->attach);
	if (d->stopped && in->attach) { /* we let go of it first, and end it now */
		r->exit = RES_OBJ(r, exit);
		r->exit->status = 0;
		r->exit->timed_out = 0;
	} else if (d->stopped && r->exit) {
		if (d->insisted && r->exit->signal == SIGKILL)
			result_warn(r, "target_killed",
				"the target did not end within the grace after TERM and was "
				"killed");
		/* Ended by us after the load: by contract that is a good end. */
		r->exit->status = 0;
		r->exit->signal = U64_NONE;
	}
	if (*d->crash)
		result_warn(r, "target_crashed", "%s", d->crash);
	if (d->trouble != DRIVE_FINE) {
		result_warn(r, drive_trouble_code(d->trouble), "%s", d->text);
		r->complete = 0;
	}
}

/* ---- the exit status ---- */

static int target_status(const struct res_result *r, const struct drive_result *d)
{
	if (!r->exit)
		return d->tool_status;
	if (r->exit->timed_out == 1)
		return BACKEND_TIME_LIMIT;
	if (r->exit->signal != U64_NONE)
		return 128 + (int)r->exit->signal;
	return r->exit->status != U64_NONE ? (int)r->exit->status : d->tool_status;
}

/* iotrace's 125 is its own trouble, unless that is what the target ended with. */
static int tracer_failed(const struct res_result *r, const struct drive_result *d)
{
	return d->tool_status == BACKEND_FAILED && !(r->exit && r->exit->status == BACKEND_FAILED);
}

static int run_status(
	const struct backend_run *in, const struct res_result *r, const struct drive_result *d)
{
	if (tracer_failed(r, d))
		return BACKEND_FAILED;
	if (d->trouble != DRIVE_FINE)
		return backend_trouble_status(in, d);
	return d->stopped ? 0 : target_status(r, d);
}

/* The target's end by iotrace's own time limit looks like an early death from outside. */
static void recognize_limit(const struct res_result *r, struct drive_result *d)
{
	if (!r->exit || r->exit->timed_out != 1 || d->trouble == DRIVE_FINE)
		return;
	d->trouble = DRIVE_TIMED_OUT;
	snprintf(d->text, sizeof(d->text), "the time limit ended the run before the load was over");
}

/* What a call asked for is said where that was the same each time. */
static void fill_batch(const struct res_syscall *s, struct backend_result *ret)
{
	struct batch_facts facts = view_batch_facts(s);
	struct backend_figure *f =
		backend_figure(ret, "", s->batch->per_call->mean, "%s per call", s->name);

	if (f && facts.most && facts.least == facts.most)
		f->of = (double)facts.most;
}

/* The calls, and how full the batches of messages were. */
static void fill_figures(const struct res_result *r, struct backend_result *ret)
{
	uint64_t calls = 0;

	for (size_t i = 0; i < r->syscalls.len; i++)
		calls = sat_add(calls, r->syscalls.at[i].calls);
	backend_figure(ret, "", (double)calls, "calls");
	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_batch *batch = r->syscalls.at[i].batch;

		if (batch && batch->unit && !strcmp(batch->unit, "messages") && batch->per_call &&
			isfinite(batch->per_call->mean))
			fill_batch(&r->syscalls.at[i], ret);
	}
	if (r->work && r->work->count && r->work->count != U64_NONE)
		backend_figure(ret, "", (double)calls / (double)r->work->count, "calls per %s",
			r->work->unit);
}

static void conclude(const struct backend_run *in, struct res_result *r,
	const struct drive_result *d, struct backend_result *ret)
{
	ret->status = run_status(in, r, d);
	ret->blamed = drive_blames(d);
	ret->incomplete = d->trouble != DRIVE_FINE || r->complete != 1;
	ret->window_ns = r->window ? r->window->wall_ns : r->wall_ns;
	fill_figures(r, ret);
	snprintf(ret->text, sizeof(ret->text), "%s", *d->text ? d->text : d->crash);
	if (!*ret->text && tracer_failed(r, d))
		snprintf(ret->text, sizeof(ret->text),
			"iotrace failed; the result says what is missing");
}

/* iotrace said on stderr why; its statuses for a bad target or set are passed on. */
static int no_result(const struct backend_run *in, const struct drive_result *d,
	struct backend_result *ret, struct err *err)
{
	if (d->trouble == DRIVE_TIMED_OUT) {
		ret->status = backend_trouble_status(in, d);
		return err_set(err, -ETIMEDOUT, "%s: iotrace left no result", d->text);
	}
	if (d->tool_status == 126 || d->tool_status == 127 || d->tool_status == BACKEND_TROUBLE)
		ret->status = d->tool_status;
	return err_set(
		err, -EIO, "iotrace ended with status %d and left no result", d->tool_status);
}

static int take_result(const struct backend_run *in, struct drive_result *d,
	struct backend_result *ret, struct err *err)
{
	const char *name = in->sc->name;
	struct res_result *r = NULL;
	int rc = backend_not_attached(in, d, ret, err);

	if (rc)
		return rc;
	rc = read_result(in->dir, name, &r, err);
	if (rc == -ENOENT)
		return no_result(in, d, ret, err);
	if (rc < 0 || !r)
		return rc;
	recognize_limit(r, d);
	if (r->exit && r->exit->signal != U64_NONE)
		drive_judge_end(d, (int)r->exit->signal);
	fill(r, in, d);
	conclude(in, r, d, ret);
	rc = write_result(r, in->dir, name, err);
	result_free(r);
	return rc;
}

/* ---- the backend ---- */

/* Between drive and who watches: adds the figures of iotrace's line. */
struct io_watch {
	const struct drive_watcher *outer;
	char *path;
	struct status_line last; /* seconds 0: none yet */
	char figures[96];
};

static void io_tick(void *ctx, enum drive_stage stage, uint64_t elapsed_ns, const char *figures)
{
	struct io_watch *w = ctx;
	cleanup_free char *text = NULL;

	(void)figures;
	if (file_read(w->path, 4096, &text, NULL, NULL) == 0)
		status_figures(text, &w->last, w->figures, sizeof(w->figures));
	w->outer->tick(w->outer->ctx, stage, elapsed_ns, w->figures);
}

static int io_drive(const struct backend_run *in, struct drive_result *ret, struct err *err)
{
	const struct scenario *sc = in->sc;
	cleanup_free char *iotrace = program_find_beside("iotrace");
	struct io_session s = {.in = in, .iotrace = iotrace, .control = {-1, -1}};
	const struct drive_attach attach = {in->attach, io_attach_command, io_is_attached};
	int with_pipe = sc->load || in->attach;
	struct io_watch watch = {.outer = in->watcher, .path = status_path(in)};
	const struct drive_watcher watcher = {io_tick, &watch};
	struct drive how = backend_drive(in);
	int rc;

	if (with_pipe && pipe2(s.control, O_CLOEXEC) < 0)
		return err_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
	how.attach = in->attach ? &attach : NULL;
	if (!in->attach)
		how.tool_argv = command_line(&s.arena, in, iotrace, s.control[0]);
	how.keep_fd = s.control[0];
	how.env_by_tool = 1;
	how.insist = SIGTERM; /* a second one it answers with KILL to its tracees, and writes */
	how.limit_ns = limit_ns(in);
	how.mark = with_pipe ? io_mark : NULL;
	how.ctx = &s;
	how.watcher = in->watcher ? &watcher : NULL;
	rc = drive_run(&how, ret, err);
	for (int i = 0; i < 2; i++)
		if (s.control[i] >= 0)
			close(s.control[i]);
	arena_release(&s.arena);
	if (in->watcher)
		(void)unlink(watch.path);
	free(watch.path);
	return rc;
}

static int io_run(const struct backend_run *in, struct backend_result *ret, struct err *err)
{
	struct drive_result d = {0};
	int rc = io_drive(in, &d, err);

	if (rc < 0)
		return rc;
	ret->interrupted = d.interrupted != 0;
	return take_result(in, &d, ret, err);
}

static int io_note_runs(
	const char *dir, const char *name, const struct backend_runs *runs, struct err *err)
{
	struct res_result *r = NULL;
	int rc = read_result(dir, name, &r, err);

	if (rc < 0)
		return rc;
	r->runs = backend_describe_runs(r, runs);
	rc = write_result(r, dir, name, err);
	result_free(r);
	return rc;
}

const struct backend backend_io = {
	.id = "io",
	.folder = "iotrace",
	.meaning = "system calls and batch sizes, by iotrace",
	.suffixes = suffixes,
	.schema = &schema_result,
	.probe = io_probe,
	.command = io_command,
	.run = io_run,
	.note_runs = io_note_runs,
};
