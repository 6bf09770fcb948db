/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The cpu backend: samples the target with perf record, folds the stacks that perf script prints,
 * and has a flame graph drawn of them.
 */
#include "common/runner/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/units.h"
#include "common/model/enough.h"
#include "common/model/json.h"
#include "common/runner/control.h"
#include "common/runner/environment.h"
#include "common/runner/flamegraph.h"
#include "common/runner/program.h"
#include "cpu/diff.h"
#include "cpu/difference.h"
#include "cpu/fold.h"
#include "cpu/perf.h"
#include "cpu/stats.h"

#define SAMPLES_WANTED 1000
#define UNKNOWN_HIGH   0.1
#define CUT_HIGH       0.1
#define NO_WINDOW      "the run ended before the time to skip was over"

enum { FIGURE_FUNCTIONS = 3 };

static const char *const suffixes[] = {
	"-flamegraph.svg", ".folded", "-diff-flamegraph.svg", "-diff.folded", "-cpu.json", NULL};

/* One run, from its start to its files. */
struct session {
	const struct backend_run *in;
	struct backend_result *ret;
	char *perf, *data_path;
	char *base_path; /* of the difference; NULL: none is asked for */
	struct perf_event event;
	struct perf_control control;
	struct drive_result drive;
	struct fold fold;
	struct res_cpu *r;
	uint64_t start_ns, end_ns; /* of CLOCK_MONOTONIC */
	uint64_t started_at_ns;    /* of CLOCK_REALTIME */
	struct tree chosen;        /* whom perf is attached to */
	size_t left_out;           /* descendants that it is not */
	struct arena arena;        /* command lines */
};

static int cpu_probe(struct err *err)
{
	cleanup_free char *perf = program_find("perf");
	struct perf_event event;

	if (!perf)
		return err_set(err, -ENOENT,
			"type cpu cannot run: there is no perf (apt-get install -y linux-perf)");
	return perf_choose_event(&event, err);
}

/* ---- before the run ---- */

static int check_rate(const struct session *s, struct err *err)
{
	uint64_t max = perf_max_rate(), rate = s->in->sc->sampling_hz;

	if (!max || rate <= max)
		return 0;
	s->ret->status = BACKEND_TROUBLE;
	return err_set(err, -EINVAL,
		"--sampling-rate %llu is above this kernel's maximum of %llu "
		"(kernel.perf_event_max_sample_rate)",
		(unsigned long long)rate, (unsigned long long)max);
}

/* A folded file, or a results or baseline directory with one of this scenario. */
static int find_base(struct session *s, struct err *err)
{
	const char *base = s->in->sc->diff;

	if (!base)
		return 0;
	s->base_path = difference_find(base, s->in->sc->name);
	if (s->base_path)
		return 0;
	s->ret->status = BACKEND_TROUBLE;
	return err_set(err, -ENOENT,
		"--diff %s: neither a folded file nor a directory of results with %s", base,
		s->in->sc->name);
}

static int has_window(const struct backend_run *in)
{
	const struct scenario *sc = in->sc;

	return sc->load || sc->skip_ns || sc->duration_ns || in->attach;
}

static int prepare(struct session *s, struct err *err)
{
	int rc = check_rate(s, err);

	if (rc == 0)
		rc = find_base(s, err);
	if (rc == 0)
		rc = perf_choose_event(&s->event, err);
	if (rc == 0 && has_window(s->in))
		rc = perf_control_open(&s->control, s->in->dir, err);
	s->perf = program_find("perf");
	s->data_path = mem_printf("%s/perf.data", s->in->dir);
	if (rc == 0 && !s->perf)
		return cpu_probe(err);
	return rc;
}

/* ---- the run ---- */

static int cannot_attach(pid_t pid, int code, struct err *err)
{
	return err_set(err, code,
		"perf cannot attach to process %d: %s (run as its user or as root; "
		"a container needs --cap-add=PERFMON)",
		pid, strerror(-code));
}

/* One that was there at the last attempt too, if there was one: else some would come and go each
 * time. */
static int is_steady(const struct session *s, pid_t pid)
{
	return !s->chosen.len || tree_has(&s->chosen, pid);
}

/* Fills s->chosen. perf ends at the first process that it cannot have: only the roots must be. */
static int choose_processes(struct session *s, struct err *err)
{
	struct attach *a = s->in->attach;
	struct tree chosen = {0};
	int rc = attach_look(a, err);

	s->left_out = 0;
	for (size_t i = 0; i < a->all.len && rc == 0; i++) {
		pid_t pid = a->all.at[i];
		int code = perf_try_process(&s->event, pid);

		if (i < a->roots.len && code)
			rc = cannot_attach(pid, code, err);
		else if (code == 0 && (i < a->roots.len || is_steady(s, pid)))
			*VEC_PUSH(&chosen) = pid;
		else
			s->left_out += code != -ESRCH;
	}
	tree_release(&s->chosen);
	s->chosen = chosen;
	return rc;
}

static const char *const *command_line(struct session *s, const char *pids)
{
	return perf_record_command(&s->arena, &(struct perf_recording){s->perf, s->in->sc,
						      &s->event, &s->control, s->data_path, pids});
}

static const char *const *attach_command_line(void *ctx, struct err *err)
{
	struct session *s = ctx;

	perf_control_renew(&s->control);
	if (choose_processes(s, err) < 0)
		return NULL;
	return command_line(s, attach_pids(&s->chosen, &s->arena));
}

static int is_attached(void *ctx)
{
	return perf_control_is_heard(&((struct session *)ctx)->control);
}

static void mark(void *ctx, enum drive_mark which, int tool_pidfd)
{
	perf_control_mark(&((struct session *)ctx)->control, which, tool_pidfd);
}

static int record(struct session *s, struct err *err)
{
	const struct backend_run *in = s->in;
	const struct drive_attach attach = {in->attach, attach_command_line, is_attached};
	struct drive how = backend_drive(in);
	int rc;

	how.mark = s->control.order >= 0 ? mark : NULL;
	how.ctx = s;
	if (in->attach) {
		how.attach = &attach;
		how.insist = SIGTERM; /* it is perf that would be killed, with what it has */
	} else {
		how.tool_argv = command_line(s, NULL);
		how.target_is_child = 1;
	}
	s->started_at_ns = clock_real_ns();
	s->start_ns = clock_mono_ns();
	rc = drive_run(&how, &s->drive, err);
	s->end_ns = clock_mono_ns();
	drive_judge_end(&s->drive, s->drive.end_signal);
	return rc;
}

/* 1 if there is nothing to read: no file, or perf was killed, or everyone whom it was attached to
 * had ended, before it wrote how much there is (struct perf_file_header, tools/perf/util/header.h).
 */
static int is_empty(const char *path)
{
	struct {
		char magic[8];
		uint64_t size, attr_size, attrs[2], data_offset, data_bytes;
	} head;
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, &head, sizeof(head));

	return got <= 0 ||
	       (got == sizeof(head) && memcmp(head.magic, "PERFILE2", 8) == 0 && !head.data_bytes);
}

/* perf said on stderr why. */
static int check_data(const struct session *s, struct err *err)
{
	if (!is_empty(s->data_path))
		return 0;
	if (s->in->attach && s->drive.target_ended)
		return err_set(err, -ECHILD, "the target ended before perf had recorded anything");
	return err_set(err, -EIO, "perf record ended with status %d and left no data",
		s->drive.tool_status);
}

/* ---- its result ---- */

static void fill_exit(struct session *s)
{
	const struct drive_result *d = &s->drive;

	if (s->in->attach && !d->target_ended && !d->stopped)
		return; /* it lives */
	/* Unknown: perf had the signal itself, and ended by it; or is not its parent. */
	s->r->exit = backend_describe_exit(
		s->r, d, d->end != DRIVE_END_UNKNOWN, d->end_signal, d->end_status);
}

static void fill_window(struct session *s)
{
	const struct perf_control *c = &s->control;
	uint64_t end_ns = c->end_ns ? c->end_ns : s->end_ns;

	if (c->order < 0)
		return;
	if (c->unconfirmed)
		result_warn(s->r, "window_not_confirmed",
			"perf did not confirm in time that it began or ended to sample: the "
			"samples may be from more or less than the window");
	if (!c->begin_ns) {
		result_warn(s->r, "no_window", NO_WINDOW);
		s->r->complete = 0;
		return;
	}
	s->r->window = RES_OBJ(s->r, window);
	s->r->window->begin_ns = c->begin_ns - s->start_ns;
	s->r->window->end_ns = end_ns - s->start_ns;
	s->r->window->wall_ns = end_ns - c->begin_ns;
	s->r->window->skip_ns = s->in->sc->skip_ns;
	s->r->window->duration_ns = s->in->sc->duration_ns;
}

static void fill_tools(struct session *s, const char *renderer)
{
	struct arena *a = result_arena(s->r);

	RES_LIST(s->r, &s->r->tools, renderer ? 2 : 1, cpu_tool);
	s->r->tools.at[0].name = "perf";
	s->r->tools.at[0].path = arena_strdup(a, s->perf);
	if (*s->fold.perf_version)
		s->r->tools.at[0].version =
			arena_printf(a, "perf version %s", s->fold.perf_version);
	if (!renderer)
		return;
	s->r->tools.at[1].name = "flame graph";
	s->r->tools.at[1].path = arena_strdup(a, renderer);
}

static void fill(struct session *s)
{
	const struct scenario *sc = s->in->sc;
	struct arena *a = result_arena(s->r);
	cleanup_free char *target = program_find(sc->argv[0]);
	cleanup_free char *renderer = flamegraph_renderer();

	s->r->complete = 1;
	s->r->attached = backend_describe_attached(s->r, s->in->attach);
	if (s->r->attached)
		s->r->attached->processes = s->chosen.len;
	s->r->command = result_words(s->r, s->in->attach ? s->in->attach->command : sc->argv);
	s->r->scenario = arena_strdup(a, sc->name);
	s->r->started_at = backend_describe_time(s->r, s->started_at_ns);
	s->r->wall_ns = s->end_ns - s->start_ns;
	s->r->sampling = RES_OBJ(s->r, cpu_sampling);
	s->r->sampling->event_asked = s->event.name;
	s->r->sampling->rate_hz = sc->sampling_hz;
	s->r->sampling->call_graph = sc->call_graph;
	stats_fill(&s->fold, s->r);
	fill_exit(s);
	fill_window(s);
	s->r->load = backend_describe_load(s->r, sc, &s->drive);
	s->r->work = backend_describe_work(s->r, sc, &s->drive);
	s->r->control = control_describe(s->r, s->in, &s->drive);
	fill_tools(s, renderer);
	s->r->environment = environment_describe(s->r, s->in->attach ? NULL : target);
	if (s->in->attach)
		attach_environment(s->in->attach, s->r, s->r->environment);
}

/* ---- what a reader must know ---- */

/* The rate that would have given enough samples; perf keeps it up to a maximum. */
static uint64_t wanted_rate(const struct session *s)
{
	uint64_t max = perf_max_rate(), samples = s->fold.samples, rate;

	if (!samples)
		return 0;
	rate = sat_mul(s->in->sc->sampling_hz, SAMPLES_WANTED) / samples + 1;
	return max && rate > max ? max : rate;
}

/* Ten samples more or less are chance. */
static const char *few_say(struct session *s, uint64_t samples)
{
	if (samples < JUDGE_SAMPLES_MIN)
		return "and nothing is concluded from them";
	return arena_printf(
		result_arena(s->r), "shares below %.0f%% are chance", 1000.0 / (double)samples);
}

/* perf's own start and end. */
#define PERF_CPU_NS (UINT64_C(500) * 1000 * 1000)
/* So many samples are missing by no chance. */
#define SAMPLES_MISSED 20

/* 1 if samples were due, of all that ran. */
static int missed_samples(const struct session *s)
{
	uint64_t cpu_ns = s->drive.cpu_ns, hz = s->in->sc->sampling_hz;

	return !s->fold.samples && !s->r->window && !s->r->load && cpu_ns > PERF_CPU_NS &&
	       (double)(cpu_ns - PERF_CPU_NS) / 1e9 * (double)hz >= SAMPLES_MISSED;
}

static void warn_missed(struct session *s)
{
	char used[UNITS_BUF];

	units_duration(used, s->drive.cpu_ns);
	snprintf(
		s->ret->note, sizeof(s->ret->note), "perf took no samples of %s of CPU time", used);
	result_warn(s->r, "perf_took_none",
		"perf took no samples, though perf and the target used %s of CPU time: perf record "
		"by hand may say why (without /sys, as in some containers, perf 6.12 takes none)",
		used);
	s->r->complete = 0;
}

static void warn_few_samples(struct session *s)
{
	uint64_t samples = s->fold.samples, rate = wanted_rate(s), hz = s->in->sc->sampling_hz;
	const char *longer =
		rate == perf_max_rate() ? ", the kernel's maximum, and run longer" : "";
	const char *plural = samples == 1 ? "" : "s";

	if (missed_samples(s)) {
		warn_missed(s);
		return;
	}
	if (samples >= SAMPLES_WANTED)
		snprintf(s->ret->note, sizeof(s->ret->note), "%llu samples of %s at %llu Hz",
			(unsigned long long)samples, fold_event(&s->fold), (unsigned long long)hz);
	else if (samples)
		snprintf(s->ret->note, sizeof(s->ret->note),
			"%llu sample%s of %s at %llu Hz: few; for %d use --sampling-rate %llu%s",
			(unsigned long long)samples, plural, fold_event(&s->fold),
			(unsigned long long)hz, SAMPLES_WANTED, (unsigned long long)rate, longer);
	else
		snprintf(s->ret->note, sizeof(s->ret->note),
			"no samples at %llu Hz: run it longer or raise --sampling-rate",
			(unsigned long long)hz);
	if (samples && samples < SAMPLES_WANTED)
		result_warn(s->r, "few_samples",
			"%llu sample%s few, %s; for %d use --sampling-rate %llu%s",
			(unsigned long long)samples, samples == 1 ? " is" : "s are",
			few_say(s, samples), SAMPLES_WANTED, (unsigned long long)rate, longer);
	else if (!samples)
		result_warn(s->r, "no_samples",
			"no samples: the target used too little CPU time for %llu samples a "
			"second",
			(unsigned long long)hz);
}

static void warn(struct session *s)
{
	const struct res_cpu_sampling *sampling = s->r->sampling;

	if (!s->event.hardware)
		result_warn(s->r, "no_hardware_counters",
			"this machine's CPU cycles cannot be counted (a virtual machine, or not "
			"allowed): samples are taken by the kernel's clock, which shows code that "
			"runs with interrupts off where they are switched on again");
	if (s->event.user_only)
		result_warn(s->r, "user_only",
			"the kernel's code was not sampled: kernel.perf_event_paranoid is above 1");
	warn_few_samples(s);
	if (s->left_out)
		result_warn(s->r, "descendants",
			"Not all is seen: %zu descendants are not sampled, that perf cannot attach "
			"to or that were just made.",
			s->left_out);
	if (sampling->unknown_share > UNKNOWN_HIGH && sampling->samples >= JUDGE_SAMPLES_MIN)
		result_warn(s->r, "unknown_frames",
			"%.0f%% of the frames have no symbol: install debug symbols, build with "
			"-g%s",
			100 * sampling->unknown_share,
			strcmp(sampling->call_graph, "fp") ? "" : ", or use --call-graph dwarf");
	if ((double)sampling->cut > CUT_HIGH * (double)sampling->samples)
		result_warn(s->r, "cut_stacks",
			"%llu of %llu stacks do not reach the start of their thread: %s",
			(unsigned long long)sampling->cut, (unsigned long long)sampling->samples,
			strcmp(sampling->call_graph, "fp")
				? "they are deeper than 16 KB, or perf could not unwind them (it "
				  "fails at times for processes that executed one program after "
				  "another)"
				: "they go through code without frame pointers (use --call-graph "
				  "dwarf), or are deeper than kernel.perf_event_max_stack");
	if (s->fold.lost)
		result_warn(s->r, "lost_samples", "perf lost %llu samples: lower --sampling-rate",
			(unsigned long long)s->fold.lost);
	if (s->fold.unreadable_lines)
		result_warn(s->r, "unreadable_lines",
			"%llu lines of perf script were not understood and are left out",
			(unsigned long long)s->fold.unreadable_lines);
	if (s->drive.stopped && s->drive.insisted)
		result_warn(s->r, "target_killed",
			"the target did not end within the grace after TERM and was killed");
	if (*s->drive.crash)
		result_warn(s->r, "target_crashed", "%s", s->drive.crash);
	if (s->drive.trouble != DRIVE_FINE) {
		result_warn(s->r, drive_trouble_code(s->drive.trouble), "%s", s->drive.text);
		s->r->complete = 0;
	}
}

/* ---- files ---- */

static char *path_of(const struct session *s, const char *suffix)
{
	return mem_printf("%s/%s%s", s->in->dir, s->in->sc->name, suffix);
}

static void write_folded(const void *fold, struct out *o)
{
	fold_write(fold, o);
}

static void write_diff(const void *diff, struct out *o)
{
	diff_write(diff, o);
}

/* A picture that cannot be had is told, and the rest is kept. */
static int draw(struct session *s, const char *folded_path, const char *suffix, struct err *err)
{
	const char *name = s->in->sc->name;
	cleanup_free char *svg_path = path_of(s, suffix);
	cleanup_free char *title = mem_printf("%s: %llu samples%s", name,
		(unsigned long long)s->fold.samples, s->r->diff ? ", difference" : "");
	struct err failed = {0};
	int rc = flamegraph_render(&(struct flamegraph){.title = title,
					   .count_name = "samples",
					   .folded_path = folded_path,
					   .svg_path = svg_path,
					   .is_difference = s->r->diff != NULL,
					   .signals = s->in->signals},
		&failed);

	if (rc == 0)
		return 0;
	if (rc == -EINTR) {
		s->ret->interrupted = 1;
		return err_set(err, rc, "%s", failed.text);
	}
	result_warn(s->r, "no_flamegraph", "%s", failed.text);
	s->r->complete = 0;
	if (!*s->ret->text)
		snprintf(s->ret->text, sizeof(s->ret->text), "%.255s", failed.text);
	s->ret->status = BACKEND_FAILED;
	return 0;
}

/* What a renderer refuses to draw. */
static int draw_nothing(struct session *s, struct err *err)
{
	static const char svg[] =
		"<?xml version=\"1.0\" standalone=\"no\"?>\n"
		"<svg version=\"1.1\" width=\"600\" height=\"60\" "
		"xmlns=\"http://www.w3.org/2000/svg\">\n"
		"<text x=\"20\" y=\"35\" font-family=\"sans-serif\" font-size=\"14\">"
		"No samples were taken.</text>\n</svg>\n";
	cleanup_free char *path = path_of(s, "-flamegraph.svg");

	return file_write(path, svg, strlen(svg), err);
}

static int make_diff(struct session *s, const char *folded_path, struct err *err)
{
	cleanup_free char *path = path_of(s, "-diff.folded");
	struct diff d = {0};
	int rc = diff_read(&d, DIFF_BASE, s->base_path, err);

	if (rc < 0)
		s->ret->status = BACKEND_TROUBLE;
	if (rc == 0)
		rc = diff_read(&d, DIFF_NOW, folded_path, err);
	if (rc == 0)
		rc = file_write_with(path, write_diff, &d, err);
	if (rc == 0) {
		s->r->diff = diff_result(&d, s->r);
		rc = draw(s, path, "-diff-flamegraph.svg", err);
	}
	diff_release(&d);
	return rc;
}

static int write_files(struct session *s, struct err *err)
{
	cleanup_free char *folded_path = path_of(s, ".folded");
	cleanup_free char *json_path = path_of(s, "-cpu.json");
	int rc = file_write_with(folded_path, write_folded, &s->fold, err);

	if (rc == 0)
		rc = s->fold.samples ? draw(s, folded_path, "-flamegraph.svg", err)
				     : draw_nothing(s, err);
	if (rc == 0 && s->base_path && s->fold.samples)
		rc = make_diff(s, folded_path, err);
	if (rc == 0)
		rc = file_write_with(json_path, json_write_doc, s->r, err);
	return rc;
}

/* ---- the outcome ---- */

static int run_status(const struct session *s)
{
	const struct drive_result *d = &s->drive;

	if (d->trouble != DRIVE_FINE)
		return backend_trouble_status(s->in, d);
	if (d->stopped || (s->in->attach && !d->target_ended))
		return 0;
	if (d->end == DRIVE_END_UNKNOWN)
		return s->in->attach ? 0 : d->tool_status;
	return d->end_signal ? 128 + d->end_signal : d->end_status;
}

/* What a table of results shows: how much was seen, and where most of it was. */
static void note_figures(struct session *s)
{
	const struct res_cpu *r = s->r;

	backend_figure(s->ret, "", (double)r->sampling->samples, "samples");
	if (r->sampling->samples < JUDGE_SAMPLES_MIN)
		return;
	for (size_t i = 0; i < r->functions_by_self.len && i < FIGURE_FUNCTIONS; i++)
		backend_figure(s->ret, "%", 100 * r->functions_by_self.at[i].self_share,
			"%% in %.40s", r->functions_by_self.at[i].name);
}

static void conclude(struct session *s)
{
	note_figures(s);
	s->ret->status = run_status(s);
	s->ret->blamed = drive_blames(&s->drive);
	s->ret->interrupted = s->drive.interrupted != 0;
	s->ret->window_ns = s->r->window ? s->r->window->wall_ns : s->r->wall_ns;
	snprintf(s->ret->text, sizeof(s->ret->text), "%s",
		*s->drive.text ? s->drive.text : s->drive.crash);
	if (!*s->ret->text && has_window(s->in) && !s->r->window)
		snprintf(s->ret->text, sizeof(s->ret->text), NO_WINDOW);
}

static int take_result(struct session *s, struct err *err)
{
	int rc = backend_not_attached(s->in, &s->drive, s->ret, err);

	if (rc == 0)
		rc = check_data(s, err);
	if (rc == 0)
		rc = perf_fold(s->perf, s->data_path, s->in->signals, &s->fold, err);
	if (rc == -EINTR)
		s->ret->interrupted = 1;
	if (rc < 0)
		return rc;
	s->r = result_make(&schema_cpu);
	fill(s);
	warn(s);
	conclude(s);
	rc = write_files(s, err);
	s->ret->incomplete = s->r->complete != 1;
	return rc;
}

/* perf's file can be large, and a directory of several runs is kept to the end. */
static void session_release(struct session *s)
{
	if (s->data_path)
		(void)unlink(s->data_path);
	if (s->control.order_path)
		(void)unlink(s->control.order_path);
	if (s->control.answer_path)
		(void)unlink(s->control.answer_path);
	perf_control_close(&s->control);
	arena_release(&s->arena);
	tree_release(&s->chosen);
	fold_release(&s->fold);
	result_free(s->r);
	free(s->perf);
	free(s->data_path);
	free(s->base_path);
}

/* For a person: what is asked of perf, made as in a run, without making anything. */
static const char *const *cpu_command(const struct backend_run *in, struct arena *a)
{
	cleanup_free char *perf = program_find("perf");
	const char *dir = in->dir ? in->dir : ".";
	struct perf_control control = PERF_CONTROL_NONE;
	struct perf_event event = {.name = "cycles:P"};
	const char *pids = in->sc->attach_window ? "PID" : NULL;
	const char *const *argv;

	(void)perf_choose_event(&event, NULL);
	if (has_window(in))
		perf_control_name(&control, dir);
	if (in->attach)
		pids = attach_pids(&in->attach->all, a);
	argv = perf_record_command(
		a, &(struct perf_recording){arena_strdup(a, perf ? perf : "perf"), in->sc, &event,
			   &control, arena_printf(a, "%s/perf.data", dir), pids});
	perf_control_close(&control);
	return argv;
}

static int cpu_run(const struct backend_run *in, struct backend_result *ret, struct err *err)
{
	struct session s = {.in = in, .ret = ret, .control = PERF_CONTROL_NONE};
	int rc;

	fold_init(&s.fold);
	rc = prepare(&s, err);
	if (rc == 0)
		rc = record(&s, err);
	if (rc == 0) {
		ret->interrupted = s.drive.interrupted != 0;
		rc = take_result(&s, err);
	}
	session_release(&s);
	return rc;
}

const struct backend backend_cpu = {
	.id = "cpu",
	.folder = "flamegraphs",
	.meaning = "where CPU time goes, by perf: stacks and a flame graph",
	.suffixes = suffixes,
	.schema = &schema_cpu,
	.probe = cpu_probe,
	.command = cpu_command,
	.run = cpu_run,
	.difference = difference_draw,
};
