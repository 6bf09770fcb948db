/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/series.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/units.h"
#include "common/runner/control.h"
#include "common/runner/free_target.h"
#include "common/runner/helpers.h"
#include "common/runner/layout.h"
#include "common/runner/median.h"

enum { FIGURES_SHOWN = 3 };

/* One run that was kept. */
struct kept {
	char *dir;
	struct backend_result result;
};

struct series {
	struct runner *runner;
	const struct scenario *sc;
	const struct backend *backend;
	struct res_run_type *ret;
	struct {
		struct kept *at;
		size_t len, cap;
	} kept;
	uint64_t load_ns, run_ns; /* how long the last ones took, 0: not known */
	int log_told;
};

enum turn_kind { TURN_WARMUP, TURN_CONTROL, TURN_RUN };
static const struct {
	const char *label, *prefix; /* for a person; in the names of logs */
} turn_kinds[] = {
	[TURN_WARMUP] = {"warm-up", "w"},
	[TURN_CONTROL] = {"without a tool", "c"},
	[TURN_RUN] = {"", ""},
};

/* One run of whatever kind. */
struct turn {
	enum turn_kind kind;
	uint64_t number;
	const char *dir;             /* TURN_CONTROL: NULL */
	struct drive_result *native; /* filled by TURN_CONTROL, in the result of the others */
};

static void note_status(struct series *s, int status)
{
	if (!s->ret->status)
		s->ret->status = (uint64_t)status;
}

static void trouble(struct series *s, const char *text)
{
	runner_trouble(s->runner, &s->ret->troubles, text);
}

uint64_t series_total(const struct scenario *sc)
{
	return sc->warmup + sc->runs * (sc->control ? 2 : 1);
}

/* ---- one run ---- */

/* Of the same stage of an earlier run. */
static uint64_t expected_ns(const struct series *s, enum drive_stage stage)
{
	if (stage == DRIVE_LOADING)
		return s->load_ns;
	return stage == DRIVE_RUNNING ? s->run_ns : 0;
}

static void tick(void *ctx, enum drive_stage stage, uint64_t elapsed_ns, const char *figures)
{
	struct series *s = ctx;
	struct runner_live *live = &s->runner->live;
	const struct runner_ui *ui = s->runner->ui;

	live->stage = stage;
	live->elapsed_ns = elapsed_ns;
	live->figures = figures;
	live->expected_ns = expected_ns(s, stage);
	ui->live(ui->ctx, live);
}

static char *log_path(const struct series *s, const struct turn *t, const char *who)
{
	/* Runs of several types have the type in the name, so that none is written over. */
	const char *type = s->sc->types[0] && s->sc->types[1] ? s->backend->id : NULL;
	cleanup_free char *run = mem_printf("%s%llu%s%s", turn_kinds[t->kind].prefix,
		(unsigned long long)t->number, type ? "-" : "", type ? type : "");

	return layout_log(s->sc->output_dir, s->sc->name, run, who);
}

static int make_logs_dir(const struct scenario *sc, struct err *err)
{
	cleanup_free char *dir = mem_printf("%s/logs", sc->output_dir);

	return file_mkdirs(dir, err);
}

/* Of a target that we start free of the tool, for the tool to attach to. */
static int run_free(const struct series *s, const struct backend_run *in,
	struct backend_result *ret, struct err *err)
{
	struct backend_run attached = *in;
	struct program target = PROGRAM_NONE;
	int rc = free_target_start(in, &target, err);

	if (rc < 0) {
		ret->status = RUNNER_TROUBLE;
		return rc;
	}
	rc = attach_started(target.pid, !s->sc->no_tree, &attached.attach, err);
	if (rc < 0)
		ret->status = RUNNER_TROUBLE;
	else
		rc = s->backend->run(&attached, ret, err);
	if (free_target_end(&target, s->sc->grace_ns))
		runner_note(s->runner,
			"the target did not end within the grace after TERM and was killed");
	attach_free(attached.attach);
	return rc;
}

static int execute(const struct series *s, const struct turn *t, const struct backend_run *in,
	struct backend_result *ret, struct err *err)
{
	if (t->kind != TURN_CONTROL)
		return s->sc->attach_window ? run_free(s, in, ret, err)
					    : s->backend->run(in, ret, err);
	int rc = control_run(in, t->native, err);

	ret->interrupted = rc == 0 && t->native->interrupted;
	return rc;
}

/* With the helpers around it. */
static int with_helpers(const struct series *s, const struct turn *t, const struct backend_run *in,
	struct backend_result *ret, struct err *err)
{
	cleanup_free char *log = log_path(s, t, "helper");
	struct helpers helpers;
	struct err late = {0};

	if (s->runner->logs)
		(void)unlink(log);
	int rc = helpers_start(&helpers, s->sc, in->signals, s->runner->logs ? log : NULL, err);
	if (rc < 0) {
		ret->status = rc == -EINTR ? BACKEND_INTERRUPTED : BACKEND_TROUBLE;
		ret->blamed = "helper";
		return rc;
	}
	rc = execute(s, t, in, ret, err);
	if (helpers_stop(&helpers, &late) < 0 && rc == 0) {
		if (!*ret->text) {
			snprintf(ret->text, sizeof(ret->text), "%.255s", late.text);
			ret->blamed = "helper";
		}
		ret->status = ret->status ? ret->status : RUNNER_TROUBLE;
		ret->incomplete = 1;
	}
	return rc;
}

static int take_turn(
	struct series *s, const struct turn *t, struct backend_result *ret, struct err *err)
{
	struct runner *r = s->runner;
	cleanup_free char *target_log = log_path(s, t, "target");
	cleanup_free char *load_log = log_path(s, t, "load");
	const struct drive_watcher watcher = {tick, s};
	int rc = r->logs ? make_logs_dir(s->sc, err) : 0;

	r->live.number++;
	r->live.type = s->backend->id;
	r->live.scenario = s->sc->name;
	r->live.kind = turn_kinds[t->kind].label;
	*ret = (struct backend_result){.status = RUNNER_NO_BACKEND};
	if (rc == 0)
		rc = with_helpers(s, t,
			&(struct backend_run){.sc = s->sc,
				.attach = s->sc->attach,
				.signals = r->signals,
				.dir = t->dir,
				.null_stdin = r->several,
				.target_log = r->logs ? target_log : NULL,
				.load_log = r->logs ? load_log : NULL,
				/* Where target and load write to the terminal it is theirs. */
				.watcher = r->logs && r->ui->live ? &watcher : NULL,
				.native = t->kind == TURN_RUN ? t->native : NULL},
			ret, err);
	r->interrupted |= ret->interrupted || rc == -EINTR;
	return rc;
}

static void tell_turn(
	struct series *s, const struct turn *t, uint64_t ns, const struct backend_result *result)
{
	const struct runner_live *live = &s->runner->live;
	char figures[256] = "", one[128], length[UNITS_BUF];
	const char *kind = turn_kinds[t->kind].label;

	if (!s->runner->several)
		return;
	for (size_t i = 0; i < result->figures_len && i < FIGURES_SHOWN; i++) {
		size_t used = strlen(figures);

		const struct backend_figure *f = &result->figures[i];

		snprintf(figures + used, sizeof(figures) - used, "%s%s", i ? ", " : "  ",
			backend_figure_words(one, sizeof(one), f->name, f->unit,
				(const double[]){f->value, f->of}));
	}
	runner_progress(s->runner, "[%llu/%llu] %s %s%s%s  %s%s%s",
		(unsigned long long)live->number, (unsigned long long)live->total, s->backend->id,
		s->sc->name, *kind ? ", " : "", kind, units_duration(length, ns), figures,
		result->incomplete ? "  INCOMPLETE" : "");
}

/* The end of the log that says most of what went wrong, of the first run that failed. */
static void tell_log(struct series *s, const struct turn *t, const char *who)
{
	const struct runner_ui *ui = s->runner->ui;
	cleanup_free char *path = log_path(s, t, who);

	if (s->runner->logs && !s->log_told)
		ui->log(ui->ctx, path);
	s->log_told = 1;
}

/* The same without the tool. What goes wrong there is in *ret, for the result beside it. */
static void run_control(struct series *s, uint64_t number, struct drive_result *ret)
{
	struct turn t = {.kind = TURN_CONTROL, .number = number, .native = ret};
	struct backend_result result;
	struct err err = {0};
	int rc = take_turn(s, &t, &result, &err);

	/* Nothing is run after it, so nothing else says so. */
	if (s->runner->interrupted)
		note_status(s, BACKEND_INTERRUPTED);
	if (rc < 0) {
		*ret = (struct drive_result){.trouble = DRIVE_DIED_EARLY};
		snprintf(ret->text, sizeof(ret->text), "%.255s", err.text);
	}
	if (ret->trouble != DRIVE_FINE) {
		runner_note(s->runner, "the run without a tool failed: %s", ret->text);
		tell_log(s, &t, drive_blames(ret));
	} else {
		tell_turn(s, &t, ret->load_started ? ret->load_wall_ns : ret->wall_ns, &result);
	}
}

static void run_once(struct series *s, uint64_t number, int warmup, struct drive_result *native)
{
	const struct scenario *sc = s->sc;
	struct backend_result result = {.status = RUNNER_NO_BACKEND};
	struct turn t = {warmup ? TURN_WARMUP : TURN_RUN, number, NULL, native};
	struct err err = {0};
	char *dir = NULL;
	int rc = layout_work_dir(sc->output_dir, s->backend->folder, sc->name, &dir, &err);

	t.dir = dir;
	if (rc == 0)
		rc = take_turn(s, &t, &result, &err);
	if (rc < 0 || *result.text)
		trouble(s, rc < 0 ? err.text : result.text);
	if (rc < 0 || *result.text || result.status)
		tell_log(s, &t, result.blamed ? result.blamed : "target");
	if (rc == 0 && *result.note && !warmup && sc->runs == 1)
		runner_note(s->runner, "%s", result.note);
	if (rc == 0)
		tell_turn(s, &t, result.window_ns, &result);
	*(sc->load ? &s->load_ns : &s->run_ns) = result.window_ns + (sc->load ? sc->skip_ns : 0);
	if (rc < 0 || warmup) {
		note_status(s, rc < 0 ? result.status : 0);
		layout_remove_dir(dir);
		free(dir);
		return;
	}
	note_status(s, result.status);
	*VEC_PUSH(&s->kept) = (struct kept){dir, result};
}

static void run_pair(struct series *s, uint64_t number)
{
	struct drive_result native = {0};

	if (s->sc->control)
		run_control(s, number, &native);
	if (!s->runner->interrupted)
		run_once(s, number, 0, s->sc->control ? &native : NULL);
}

/* ---- their files ---- */

static int keep_json(struct series *s, size_t i, struct err *err)
{
	const struct scenario *sc = s->sc;
	cleanup_free char *from =
		mem_printf("%s/%s%s", s->kept.at[i].dir, sc->name, backend_json_suffix(s->backend));
	cleanup_free char *to =
		layout_run_json(sc->output_dir, s->backend->folder, sc->name, (unsigned int)i + 1);
	cleanup_free char *text = NULL;
	size_t len;
	int rc = file_read(from, SIZE_MAX - 1, &text, &len, err);

	return rc < 0 ? rc : file_write(to, text, len, err);
}

static int keep_every_json(struct series *s, struct err *err)
{
	const struct scenario *sc = s->sc;
	cleanup_free char *dir = layout_runs_dir(sc->output_dir, s->backend->folder, sc->name);
	int rc = file_mkdirs(dir, err);

	for (size_t i = 0; i < s->kept.len && rc == 0; i++)
		rc = keep_json(s, i, err);
	return rc;
}

static struct backend_runs choose(const struct series *s)
{
	struct median_time *times = mem_calloc(s->kept.len, sizeof(*times));
	struct backend_runs runs = {.count = s->kept.len, .min_ns = UINT64_MAX};

	for (size_t i = 0; i < s->kept.len; i++) {
		const struct backend_result *result = &s->kept.at[i].result;

		times[i] = (struct median_time){result->window_ns, result->incomplete};
		if (result->window_ns < runs.min_ns)
			runs.min_ns = result->window_ns;
		if (result->window_ns > runs.max_ns)
			runs.max_ns = result->window_ns;
	}
	runs.chosen = median_run(times, s->kept.len) + 1;
	free(times);
	return runs;
}

static int move_file(struct series *s, const char *dir, const char *suffix, struct err *err)
{
	const struct scenario *sc = s->sc;
	cleanup_free char *from = mem_printf("%s/%s%s", dir, sc->name, suffix);
	cleanup_free char *to = layout_file(sc->output_dir, s->backend->folder, sc->name, suffix);

	/* One that could not be made: what an earlier run left must not stand beside the rest. */
	if (access(from, F_OK) < 0 && errno == ENOENT) {
		(void)unlink(to);
		return 0;
	}
	if (rename(from, to) < 0)
		return err_set(err, -errno, "cannot write %s: %s", to, strerror(errno));
	result_append(s->runner->report, &s->ret->files, to);
	runner_progress(s->runner, "wrote %s", to);
	return 0;
}

/* What is in the report of the run that is kept. */
static void report_chosen(struct series *s, const struct backend_runs *runs)
{
	const struct backend_result *result = &s->kept.at[runs->chosen - 1].result;
	struct res_run *report = s->runner->report;

	s->ret->runs = runs->count;
	s->ret->chosen = runs->chosen;
	s->ret->window_ns = result->window_ns;
	RES_LIST(report, &s->ret->figures, result->figures_len, run_figure);
	for (size_t i = 0; i < result->figures_len; i++) {
		const struct backend_figure *from = &result->figures[i];

		s->ret->figures.at[i].name = arena_strdup(result_arena(report), from->name);
		s->ret->figures.at[i].unit = from->unit;
		s->ret->figures.at[i].value = from->value;
		s->ret->figures.at[i].of = from->of;
	}
}

static int note_runs(struct series *s, const struct backend_runs *runs, struct err *err)
{
	const struct kept *chosen = &s->kept.at[runs->chosen - 1];
	char median[UNITS_BUF], min[UNITS_BUF], max[UNITS_BUF];
	int rc = keep_every_json(s, err);

	if (rc == 0)
		rc = s->backend->note_runs
			     ? s->backend->note_runs(chosen->dir, s->sc->name, runs, err)
			     : backend_note_runs(s->backend, chosen->dir, s->sc->name, runs, err);
	if (rc == 0)
		runner_progress(s->runner,
			"%llu runs, window %s to %s; kept: run %llu, the median, %s",
			(unsigned long long)runs->count, units_duration(min, runs->min_ns),
			units_duration(max, runs->max_ns), (unsigned long long)runs->chosen,
			units_duration(median, chosen->result.window_ns));
	return rc;
}

/* Of several runs the one that is kept speaks; where it has nothing to say, the first that has. */
static void tell_notes(struct series *s, const struct backend_runs *runs)
{
	size_t spoke = (size_t)runs->chosen - 1, others = 0;
	char more[64] = "";

	for (size_t i = 0; i < s->kept.len && !*s->kept.at[spoke].result.note; i++)
		spoke = i;
	for (size_t i = 0; i < s->kept.len; i++)
		others += i != spoke && *s->kept.at[i].result.note;
	if (others)
		snprintf(more, sizeof(more), "; %zu other%s a note too", others,
			others > 1 ? "s have" : " has");
	if (*s->kept.at[spoke].result.note)
		runner_note(s->runner, "%s (run %zu of %zu%s)", s->kept.at[spoke].result.note,
			spoke + 1, s->kept.len, more);
}

static int publish(struct series *s, struct err *err)
{
	const struct scenario *sc = s->sc;
	struct backend_runs runs = choose(s);
	const char *dir = s->kept.at[runs.chosen - 1].dir;
	int rc = 0;

	layout_clear_runs(sc->output_dir, s->backend->folder, sc->name);
	if (sc->runs > 1)
		rc = note_runs(s, &runs, err);
	if (sc->runs > 1)
		tell_notes(s, &runs);
	for (const char *const *suffix = s->backend->suffixes; *suffix && rc == 0; suffix++)
		rc = move_file(s, dir, *suffix, err);
	report_chosen(s, &runs);
	return rc;
}

static void release(struct series *s)
{
	for (size_t i = 0; i < s->kept.len; i++) {
		layout_remove_dir(s->kept.at[i].dir);
		free(s->kept.at[i].dir);
	}
	free(s->kept.at);
}

void series_run(struct runner *r, const struct scenario *sc, const struct backend *backend,
	struct res_run_type *ret)
{
	struct series s = {.runner = r, .sc = sc, .backend = backend, .ret = ret};
	struct err err = {0};

	for (uint64_t i = 1; i <= sc->warmup && !r->interrupted; i++)
		run_once(&s, i, 1, NULL);
	for (uint64_t i = 1; i <= sc->runs && !r->interrupted; i++)
		run_pair(&s, i);
	if (s.kept.len && publish(&s, &err) < 0) {
		trouble(&s, err.text);
		note_status(&s, RUNNER_NO_BACKEND);
	}
	release(&s);
}
