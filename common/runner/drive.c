/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/drive.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/units.h"
#include "common/runner/load_output.h"
#include "common/runner/program.h"
#include "common/runner/ready_probe.h"
#include "common/runner/signal_word.h"
#include "common/runner/streams.h"
#include "common/runner/tree.h"

#define TICK_NS         (200 * NS_PER_MS)
#define INSIST_LIMIT_NS (30 * NS_PER_SEC) /* to write its files once the target was killed */
#define SEEK_EVERY_NS   (5 * NS_PER_MS)
#define SEEK_LIMIT_NS   (5 * NS_PER_SEC)
#define ASK_EVERY_NS    (2 * NS_PER_MS) /* whether the tool has attached */
#define NEVER           UINT64_MAX

enum { ATTEMPTS_MAX = 20 };
enum phase { PHASE_READY, PHASE_ATTACH, PHASE_LOAD, PHASE_WATCH };

/* Ending a program: TERM, after the grace a second signal, at last KILL. */
struct ending {
	int step;     /* signals that were due */
	int insisted; /* someone got the second */
	uint64_t next_ns;
};

struct session {
	const struct drive *d;
	struct drive_result *r;
	enum phase phase;
	struct program tool, load;
	int attempts; /* to attach, that have failed */
	struct ready_probe probe;
	struct ending tool_ending, load_ending;
	struct load_output output;
	uint64_t start_ns, tick_ns;
	uint64_t leave_ns; /* when a tool that is still attaching is ended; 0: nobody wants it */
	struct signal_last last_signal;
	int target_fd;    /* pidfd of the tool's child, -1: not found (yet) */
	uint64_t seek_ns; /* when it is looked for again; NEVER: no more */
	struct {
		uint64_t begin_ns, end_ns; /* when to mark it; NEVER: not by the clock */
		int begun, over;
	} window;
};

static const char *const trouble_codes[] = {
	[DRIVE_FINE] = "fine",
	[DRIVE_NEVER_READY] = "never_ready",
	[DRIVE_DIED_EARLY] = "target_ended_early",
	[DRIVE_LOAD_FAILED] = "load_failed",
	[DRIVE_NO_WINDOW] = "no_window",
	[DRIVE_NO_WORK] = "no_work_found",
	[DRIVE_TIMED_OUT] = "timed_out",
	[DRIVE_INTERRUPTED] = "run_interrupted",
	[DRIVE_LET_GO] = "let_go",
};

const char *drive_trouble_code(enum drive_trouble trouble)
{
	return trouble_codes[trouble];
}

const char *drive_blames(const struct drive_result *r)
{
	return r->trouble == DRIVE_LOAD_FAILED || r->trouble == DRIVE_NO_WORK ||
			       r->trouble == DRIVE_NO_WINDOW
		       ? "load"
		       : "target";
}

void drive_judge_end(struct drive_result *r, int signal)
{
	const char *name = signal > 0 ? sigabbrev_np(signal) : NULL;

	if (!r->stopped || !signal || signal == SIGTERM || signal == r->interrupted ||
		(signal == SIGKILL && r->insisted))
		return;
	r->stopped = 0;
	snprintf(r->crash, sizeof(r->crash),
		"the target was ended by signal %d%s%s%s while it shut down after TERM", signal,
		name ? " (SIG" : "", name ? name : "", name ? ")" : "");
}

/* ---- small steps ---- */

__attribute__((format(printf, 3, 4))) static void trouble(
	struct session *s, enum drive_trouble what, const char *fmt, ...)
{
	va_list ap;

	if (s->r->trouble != DRIVE_FINE)
		return;
	s->r->trouble = what;
	va_start(ap, fmt);
	vsnprintf(s->r->text, sizeof(s->r->text), fmt, ap);
	va_end(ap);
}

/* Processes that we attach to are never signalled, only the tool is. */
static int has_tool(const struct session *s)
{
	return !s->d->attach || s->d->attach->command != NULL;
}

/* 1: whom we profile has ended. The tool ends with one that it has started. */
static int target_over(const struct session *s)
{
	return s->d->attach ? attach_over(s->d->attach->to) : s->tool.ended;
}

/*
 * To the target where it is the tool's child. A pidfd keeps it the one that was found: its parent,
 * which is ours, has not collected it if it is still its child after the pidfd was opened.
 */
static int signal_children(pid_t parent, int signal)
{
	struct tree t = {0};
	int sent = 0;

	tree_find(&t, parent);
	for (size_t i = 0; i < t.len; i++) {
		cleanup_close int fd = pidfd_open(t.at[i], 0);

		if (fd >= 0 && tree_parent(t.at[i]) == parent)
			sent |= pidfd_send_signal(fd, signal, NULL, 0) == 0;
	}
	tree_release(&t);
	return sent;
}

static void signal_target(const struct drive *d, const struct program *p, int signal)
{
	if (!d->target_is_child || !program_running(p) || !signal_children(p->pid, signal))
		program_signal_word(p, signal, SIGNAL_PASSED_ON);
}

/* The second signal is for a target that has not ended. A tool whose target has is writing its
 * files, which may take longer than the grace. */
static int insist_on(const struct drive *d, const struct program *p, int signal)
{
	if (d->target_is_child)
		return signal_children(p->pid, signal);
	program_signal_word(p, signal, SIGNAL_INSISTS);
	return 1;
}

/* Sends what is due; a program that has ended is left alone. */
static void end_program(
	struct ending *e, const struct program *p, const struct drive *d, uint64_t now, int insist)
{
	static const int last = SIGKILL;
	const int signals[] = {SIGTERM, insist, last};

	if (!program_running(p) || e->step > 2 || now < e->next_ns)
		return;
	if (p->own_group || e->step > 1) /* the load, or a tool that does not end either */
		program_signal(p, signals[e->step]);
	else if (e->step == 0)
		signal_target(d, p, SIGTERM);
	else
		e->insisted = insist_on(d, p, insist);
	/* A stopped program cannot take its leave. */
	if (e->step == 0 && p->own_group)
		program_signal(p, SIGCONT);
	e->next_ns = now + (e->step == 0 ? d->sc->grace_ns : INSIST_LIMIT_NS);
	e->step++;
}

/* A tool that is still attaching would die of the signal and leave nothing: it gets its grace to
 * come so far that it can take it. */
static int is_too_early(struct session *s, uint64_t now)
{
	if (s->phase != PHASE_ATTACH || s->tool_ending.step)
		return 0;
	if (!s->leave_ns)
		s->leave_ns = now + s->d->sc->grace_ns;
	return now < s->leave_ns && !s->d->attach->is_attached(s->d->ctx);
}

static void end_tool(struct session *s, uint64_t now)
{
	if (is_too_early(s, now))
		return;
	end_program(&s->tool_ending, &s->tool, s->d, now, s->d->insist);
	s->r->insisted |= s->tool_ending.insisted || s->tool_ending.step > 2;
}

static void end_load(struct session *s, uint64_t now)
{
	end_program(&s->load_ending, &s->load, s->d, now, SIGKILL);
}

static void begin_window(struct session *s)
{
	s->window.begun = 1;
	s->window.begin_ns = NEVER;
	if (s->d->mark)
		s->d->mark(s->d->ctx, DRIVE_BEGIN, s->tool.pidfd);
}

static void end_window(struct session *s)
{
	s->window.begin_ns = s->window.end_ns = NEVER;
	if (!s->window.begun || s->window.over)
		return;
	s->window.over = 1;
	if (s->d->mark)
		s->d->mark(s->d->ctx, DRIVE_END, s->tool.pidfd);
}

/* When it begins, unless it has: then, when it ends at the latest. */
static void plan_window(struct session *s, uint64_t from_ns)
{
	if (!s->window.begun)
		s->window.begin_ns = from_ns + s->d->sc->skip_ns;
	else if (s->d->sc->duration_ns)
		s->window.end_ns = from_ns + s->d->sc->duration_ns;
}

static void step_window(struct session *s, uint64_t now)
{
	if (now >= s->window.begin_ns) {
		begin_window(s);
		/* It lasts from when the tool has confirmed it, which may have taken a while. */
		if (s->d->sc->duration_ns)
			s->window.end_ns = clock_mono_ns() + s->d->sc->duration_ns;
	}
	if (now >= s->window.end_ns)
		end_window(s);
}

/* ---- starting ---- */

static int start_attaching(struct session *s, struct err *err)
{
	const struct drive *d = s->d;
	const char *const *argv = d->attach->command(d->ctx, err);

	if (!argv)
		return err->code;
	s->phase = PHASE_ATTACH;
	s->r->tool_started = 1;
	/* What the tool says is for us: the target's output goes where it has gone before. */
	return program_start(&(struct program_spec){.argv = argv,
				     .streams = {PROGRAM_NULL, PROGRAM_OURS, PROGRAM_OURS},
				     .keep_fd = d->keep_fd,
				     .ends_with_us = 1,
				     .mask = &d->signals->old},
		&s->tool, err);
}

static int start_tool(struct session *s, struct err *err)
{
	const struct drive *d = s->d;
	cleanup_close int log = -1;
	cleanup_close int in = streams_stdin(d->sc, d->null_stdin, err);

	if (in < -1)
		return in;
	if (d->target_log) {
		log = streams_log(d->target_log, err);
		if (log < 0)
			return log;
	}
	if (!d->sc->load && d->mark && (d->sc->skip_ns || d->sc->duration_ns))
		plan_window(s, s->start_ns);
	return program_start(&(struct program_spec){.argv = d->tool_argv,
				     .env = d->env_by_tool ? NULL : d->sc->env,
				     .cwd = d->sc->cwd,
				     .streams = {in, log, log},
				     .keep_fd = d->keep_fd,
				     .mask = &d->signals->old},
		&s->tool, err);
}

static int exec_load(struct session *s, const int *outputs, struct err *err)
{
	return program_start(&(struct program_spec){.argv = s->d->sc->load,
				     .cwd = s->d->sc->cwd,
				     .streams = {PROGRAM_NULL, outputs[0], outputs[1]},
				     .own_group = 1,
				     .caller = s->d->sc->user,
				     .mask = &s->d->signals->old},
		&s->load, err);
}

/* A load that cannot be started has failed like any other: the run goes on to its end. */
static int start_load(struct session *s, struct err *err)
{
	const struct drive *d = s->d;
	struct err failed = {0};
	int outputs[2], rc;

	rc = load_output_begin(&s->output, d->sc, d->load_log, outputs, err);
	if (rc < 0)
		return rc;
	if (!d->sc->skip_ns)
		begin_window(s);
	if (exec_load(s, outputs, &failed) < 0) {
		trouble(s, DRIVE_LOAD_FAILED, "the load failed: %.200s", failed.text);
		s->r->load_status = failed.code == -ENOENT ? 127 : 126;
	}
	plan_window(s, clock_mono_ns());
	s->r->load_started = 1;
	s->phase = PHASE_LOAD;
	for (int i = 0; i < 2; i++)
		if (outputs[i] >= 0)
			close(outputs[i]);
	return 0;
}

/* ---- phases ---- */

static void no_window(struct session *s, const char *why)
{
	trouble(s, DRIVE_NO_WINDOW, "%s before the time to skip was over", why);
}

/* " (status 3)", where it is known how the target ended. */
static const char *status_text(const struct session *s, char *buf, size_t size)
{
	int status = s->tool.wait_status;

	*buf = '\0';
	if (!s->d->attach || attach_end(s->d->attach->to, &status))
		snprintf(buf, size, " (status %d)", program_status_of(status));
	return buf;
}

/* Starts to end the tool, or goes on with it. */
static int ending_tool(struct session *s, uint64_t now)
{
	if (!s->tool_ending.step && !s->leave_ns)
		return 0;
	end_tool(s, now);
	return 1;
}

/* What the wait for the target was about. */
static const char *not_ready(const struct session *s, char *buf, size_t size)
{
	const struct ready *r = &s->d->sc->ready;

	if (s->probe.foreign)
		return ": its port is held by another process";
	if (r->kind == READY_COMMAND)
		return ": the ready command has not ended with 0";
	snprintf(buf, size, ": no process of it has %s port %u open",
		r->kind == READY_UDP ? "udp" : "tcp", r->port);
	return buf;
}

static int step_ready(struct session *s, uint64_t now, struct err *err)
{
	char status[64];

	if (target_over(s)) {
		trouble(s, DRIVE_DIED_EARLY, "the target ended before it was ready%s",
			status_text(s, status, sizeof(status)));
		return 0;
	}
	if (ending_tool(s, now))
		return 0;
	if (now - s->start_ns >= s->d->sc->ready_timeout_ns) {
		trouble(s, DRIVE_NEVER_READY, "the target was not ready within %g s%s",
			(double)s->d->sc->ready_timeout_ns / (double)NS_PER_SEC,
			not_ready(s, status, sizeof(status)));
		end_tool(s, now);
		return 0;
	}
	pid_t root = s->d->attach ? s->d->attach->to->roots.at[0] : s->tool.pid;
	int ready = ready_probe_step(&s->probe, root, now, err);
	if (ready <= 0)
		return ready;
	ready_probe_release(&s->probe);
	return s->d->attach && has_tool(s) ? start_attaching(s, err) : start_load(s, err);
}

/* A server's children may end between our look and the tool's, and perf takes all or none. */
static int is_worth_again(const struct session *s)
{
	return s->r->trouble == DRIVE_FINE && s->attempts < ATTEMPTS_MAX &&
	       !attach_soon_over(s->d->attach->to) && attach_has_lost(s->d->attach->to);
}

/* The tool has gone before we looked, having attached or not. One that cannot says why itself. */
static int attaching_over(struct session *s, int attached, struct err *err)
{
	int over = attach_soon_over(s->d->attach->to);
	const char *until = attached ? "the load began" : "it was attached to";
	char status[32];

	if (!attached && is_worth_again(s)) {
		s->attempts++;
		program_release(&s->tool);
		return start_attaching(s, err);
	}
	if (over && (!attached || s->d->sc->load))
		trouble(s, DRIVE_DIED_EARLY, "the target ended before %s%s", until,
			status_text(s, status, sizeof(status)));
	else if (attached && s->d->sc->load)
		trouble(s, DRIVE_LET_GO, "the tool let go of the target before %s (status %d)",
			until, program_status(&s->tool));
	else if (attached && s->d->sc->skip_ns)
		no_window(s, over ? "the target ended" : "the tool let go of the target");
	s->phase = PHASE_WATCH;
	return 0;
}

static int step_attach(struct session *s, uint64_t now, struct err *err)
{
	if (s->tool.ended)
		return attaching_over(s, s->d->attach->is_attached(s->d->ctx), err);
	if (ending_tool(s, now) || !s->d->attach->is_attached(s->d->ctx))
		return 0;
	if (s->d->sc->load)
		return start_load(s, err);
	plan_window(s, clock_mono_ns());
	s->phase = PHASE_WATCH;
	return 0;
}

static void load_over(struct session *s, uint64_t now)
{
	struct err unknown = {0};

	if (s->load.ended) {
		s->r->load_status = program_status(&s->load);
		s->r->load_wall_ns = s->load.end_ns - s->load.start_ns;
	}
	end_window(s);
	if (s->r->load_status)
		trouble(s, DRIVE_LOAD_FAILED, "the load failed with status %d", s->r->load_status);
	else if (!s->window.begun)
		trouble(s, DRIVE_NO_WINDOW, "the load ended before the time to skip was over");
	if (load_output_end(&s->output, &s->r->work_count, &s->r->latency_ns, &unknown) < 0)
		trouble(s, DRIVE_NO_WORK, "%.250s", unknown.text);
	s->phase = PHASE_WATCH;
	if (s->tool.ended)
		return;
	/* What was started for this run is ended after it. */
	s->r->stopped = !s->d->attach || s->d->attach->to->started;
	end_tool(s, now);
}

/* The tool has gone, or what is under load where there is none. */
static int is_load_in_vain(const struct session *s)
{
	return has_tool(s) ? s->tool.ended : target_over(s) || s->r->trouble != DRIVE_FINE;
}

static void tell_vain(struct session *s)
{
	char status[32];

	if (s->d->attach ? attach_soon_over(s->d->attach->to) : target_over(s))
		trouble(s, DRIVE_DIED_EARLY, "the target ended during the load%s",
			status_text(s, status, sizeof(status)));
	else
		trouble(s, DRIVE_LET_GO,
			"the tool let go of the target during the load (status %d)",
			program_status(&s->tool));
}

static void step_load(struct session *s, uint64_t now)
{
	if (!program_running(&s->load)) {
		load_over(s, now);
		return;
	}
	if (is_load_in_vain(s)) {
		if (s->r->trouble == DRIVE_FINE)
			tell_vain(s);
		end_load(s, now);
		return;
	}
	ending_tool(s, now);
	step_window(s, now);
}

static void step_watch(struct session *s, uint64_t now)
{
	if (s->tool.ended && s->window.begin_ns != NEVER)
		no_window(
			s, s->d->attach && s->r->interrupted ? "interrupted" : "the target ended");
	else if (!s->tool.ended)
		step_window(s, now);
	/* One that it has started ends by itself. */
	if (s->d->attach && s->window.over && !s->tool_ending.step)
		end_tool(s, now);
	ending_tool(s, now);
}

/* ---- signals for us ---- */

/* 1: by now, whether we have looked or not. */
static int has_attached(const struct session *s)
{
	return s->phase == PHASE_WATCH ||
	       (s->phase == PHASE_ATTACH && s->d->attach->is_attached(s->d->ctx));
}

/* A signal means that we let go, which is how a run without load and duration ends. */
static void end_attached(struct session *s, int number)
{
	if (s->d->sc->load)
		trouble(s, DRIVE_INTERRUPTED, "interrupted by signal %d", number);
	else if (!has_attached(s))
		trouble(s, DRIVE_INTERRUPTED, "interrupted by signal %d before it was attached",
			number);
	if (!s->tool_ending.step && !s->leave_ns)
		end_tool(s, clock_mono_ns());
}

/*
 * A signal from the terminal went to the whole foreground group, the tool too; only one that was
 * sent to us is passed on. The load has a group of its own.
 */
static void take_signals(struct session *s)
{
	struct signalfd_siginfo info;

	while (read(s->d->signals->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int number = (int)info.ssi_signo;

		if (signal_is_again(&s->last_signal, info.ssi_signo, clock_mono_ns()))
			continue;
		s->r->interrupted = number;
		program_signal(&s->load, number);
		if (s->d->attach) {
			end_attached(s, number);
			continue;
		}
		if (info.ssi_code <= 0)
			signal_target(s->d, &s->tool, number);
		if (!s->d->sc->load)
			continue;
		trouble(s, DRIVE_INTERRUPTED, "interrupted by signal %d", number);
		if (!s->tool_ending.step)
			s->tool_ending = (struct ending){
				.step = 1, .next_ns = clock_mono_ns() + s->d->sc->grace_ns};
	}
}

/* ---- a step ---- */

static int step_phase(struct session *s, uint64_t now, struct err *err)
{
	switch (s->phase) {
	case PHASE_READY:
		return step_ready(s, now, err);
	case PHASE_ATTACH:
		return step_attach(s, now, err);
	case PHASE_LOAD:
		step_load(s, now);
		return 0;
	case PHASE_WATCH:
		step_watch(s, now);
		return 0;
	}
	return 0;
}

static int step(struct session *s, struct err *err)
{
	uint64_t now = clock_mono_ns();
	int rc;

	program_reap(&s->tool);
	program_reap(&s->load);
	/* A signal that has ended them came to us too. */
	take_signals(s);
	/* First: where there is nothing to wait for, any limit leaves time to attach. */
	rc = step_phase(s, now, err);
	if (rc == 0 && s->d->limit_ns && now - s->start_ns >= s->d->limit_ns && !s->tool.ended) {
		trouble(s, DRIVE_TIMED_OUT, "the time limit ended the run");
		end_tool(s, now);
	}
	return rc;
}

/* ---- the target, where it is the tool's child ---- */

static void seek_target(struct session *s, uint64_t now)
{
	pid_t child;

	if (now < s->seek_ns)
		return;
	child = tree_first_child(s->tool.pid);
	s->target_fd = child > 0 ? pidfd_open(child, 0) : -1;
	/* As for signal_children(): the one that was found. */
	if (s->target_fd >= 0 && tree_parent(child) != s->tool.pid) {
		close(s->target_fd);
		s->target_fd = -1;
	}
	s->seek_ns = s->target_fd >= 0 || now - s->start_ns > SEEK_LIMIT_NS ? NEVER
									    : now + SEEK_EVERY_NS;
}

/*
 * How the target ended, which the kernel tells those who are not its parent since 6.15. Elsewhere
 * the tool's end says it, unless a signal that we had too ended the tool.
 */
static void take_target_end(const struct session *s, struct drive_result *r)
{
	int status = s->tool.wait_status;

	r->end = DRIVE_END_KNOWN;
	if (s->d->attach) {
		r->target_ended = !s->tool_ending.step && attach_soon_over(s->d->attach->to);
		if (!attach_end(s->d->attach->to, &status))
			r->end = DRIVE_END_UNKNOWN;
	} else if ((s->target_fd < 0 || !program_end_of(s->target_fd, &status)) &&
		   s->d->target_is_child && r->interrupted && r->tool_signal == r->interrupted) {
		r->end = DRIVE_END_UNKNOWN;
	}
	if (WIFSIGNALED(status))
		r->end_signal = WTERMSIG(status);
	else
		r->end_status = WEXITSTATUS(status);
}

/* ---- the loop ---- */

static enum drive_stage stage(const struct session *s, uint64_t now, uint64_t *ret_elapsed_ns)
{
	*ret_elapsed_ns = now - s->start_ns;
	if (s->phase == PHASE_READY || s->phase == PHASE_ATTACH)
		return DRIVE_STARTING;
	if (s->phase == PHASE_LOAD && program_running(&s->load)) {
		*ret_elapsed_ns = now - s->load.start_ns;
		return DRIVE_LOADING;
	}
	return s->d->sc->load || s->tool_ending.step ? DRIVE_ENDING : DRIVE_RUNNING;
}

static void tick(struct session *s)
{
	const struct drive_watcher *w = s->d->watcher;
	uint64_t now = clock_mono_ns(), elapsed_ns;

	if (!w || now < s->tick_ns)
		return;
	s->tick_ns = now + TICK_NS;
	enum drive_stage at = stage(s, now, &elapsed_ns);

	w->tick(w->ctx, at, elapsed_ns, "");
}

static void sooner(uint64_t *next, uint64_t when)
{
	if (when < *next)
		*next = when;
}

static void sooner_ending(uint64_t *next, const struct ending *e, const struct program *p)
{
	if (e->step > 0 && e->step <= 2 && program_running(p))
		sooner(next, e->next_ns);
}

/* When something is to be done though nothing happened. */
static uint64_t next_deadline(const struct session *s)
{
	uint64_t next = NEVER;

	if (s->phase == PHASE_READY) {
		sooner(&next, s->probe.next_ns);
		sooner(&next, sat_add(s->start_ns, s->d->sc->ready_timeout_ns));
	}
	sooner(&next, s->seek_ns);
	sooner(&next, s->window.begin_ns);
	sooner(&next, s->window.end_ns);
	if (s->phase == PHASE_ATTACH)
		sooner(&next, clock_mono_ns() + ASK_EVERY_NS);
	if (s->phase == PHASE_LOAD && !program_running(&s->load))
		sooner(&next, 0);
	if (s->d->watcher)
		sooner(&next, s->tick_ns);
	if (s->d->limit_ns && !s->tool_ending.step && !s->leave_ns && !s->load_ending.step)
		sooner(&next, s->start_ns + s->d->limit_ns);
	sooner_ending(&next, &s->tool_ending, &s->tool);
	sooner_ending(&next, &s->load_ending, &s->load);
	return next;
}

/* A tool that is attached ends with the target. */
static int awaits_target(const struct session *s)
{
	return s->d->attach && !program_running(&s->tool) && !s->load_ending.step &&
	       !attach_over(s->d->attach->to);
}

static void wait_for_event(struct session *s)
{
	uint64_t next = next_deadline(s), now = clock_mono_ns();
	uint64_t wait_ns = next > now ? next - now : 0;
	struct timespec limit = {(time_t)(wait_ns / NS_PER_SEC), (long)(wait_ns % NS_PER_SEC)};
	/* A negative fd is left out by poll. */
	struct pollfd fds[] = {
		{.fd = s->d->signals->fd, .events = POLLIN},
		{.fd = program_running(&s->tool) ? s->tool.pidfd : -1, .events = POLLIN},
		{.fd = program_running(&s->load) ? s->load.pidfd : -1, .events = POLLIN},
		{.fd = program_running(&s->probe.command) ? s->probe.command.pidfd : -1,
			.events = POLLIN},
		{.fd = s->output.streams[0].from, .events = POLLIN},
		{.fd = s->output.streams[1].from, .events = POLLIN},
		{.fd = awaits_target(s) ? s->d->attach->to->pidfd : -1, .events = POLLIN},
	};

	if (ppoll(fds, LEN(fds), next == NEVER ? NULL : &limit, NULL) <= 0)
		return;
	take_signals(s);
	for (int i = 0; i < 2; i++)
		if (fds[4 + i].revents)
			load_output_pump(&s->output, i);
}

static int is_through(const struct session *s)
{
	if (s->phase == PHASE_LOAD)
		return 0;
	if (s->d->attach && s->phase == PHASE_READY)
		return s->r->trouble != DRIVE_FINE;
	return !program_running(&s->tool);
}

static int loop(struct session *s, struct err *err)
{
	for (;;) {
		int rc = step(s, err);

		if (rc < 0)
			return rc;
		if (is_through(s))
			return 0;
		tick(s);
		seek_target(s, clock_mono_ns());
		wait_for_event(s);
	}
}

static void session_release(struct session *s)
{
	ready_probe_release(&s->probe);
	program_release(&s->load);
	program_release(&s->tool);
	if (s->target_fd >= 0)
		close(s->target_fd);
	load_output_release(&s->output);
}

static void take_tool_end(const struct session *s, struct drive_result *r)
{
	const struct program *whole = has_tool(s) ? &s->tool : &s->load;

	r->wall_ns = whole->end_ns - whole->start_ns;
	r->cpu_ns = s->d->attach ? UINT64_MAX : s->tool.cpu_ns;
	r->most_resident_bytes = s->tool.most_resident_bytes;
	r->tool_status = program_status(&s->tool);
	if (WIFSIGNALED(s->tool.wait_status))
		r->tool_signal = WTERMSIG(s->tool.wait_status);
}

int drive_run(const struct drive *d, struct drive_result *ret, struct err *err)
{
	struct drive_result r = {.work_count = UINT64_MAX, .latency_ns = UINT64_MAX};
	struct session s = {
		.d = d,
		.r = &r,
		.phase = d->sc->load || d->attach ? PHASE_READY : PHASE_WATCH,
		.tool = PROGRAM_NONE,
		.load = PROGRAM_NONE,
		.output = LOAD_OUTPUT_NONE,
		.window = {.begin_ns = NEVER, .end_ns = NEVER},
		.target_fd = -1,
		.seek_ns = d->target_is_child ? 0 : NEVER,
		.start_ns = clock_mono_ns(),
	};
	ready_probe_init(
		&s.probe, d->sc->has_ready ? &d->sc->ready : NULL, d->sc, &d->signals->old);
	int rc = d->attach ? 0 : start_tool(&s, err);

	if (rc == 0)
		rc = loop(&s, err);
	if (rc == 0) {
		take_tool_end(&s, &r);
		take_target_end(&s, &r);
		*ret = r;
	}
	session_release(&s);
	return rc;
}
