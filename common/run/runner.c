/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/run/runner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/units.h"
#include "common/run/backend.h"
#include "common/run/layout.h"
#include "common/run/median.h"
#include "common/run/target.h"

/* One run that was kept. */
struct kept {
	char *dir;
	struct median_time time;
};

/* All runs of one type. */
struct series {
	struct scenario *sc;
	const struct backend *backend;
	const struct runner_ui *ui;
	const struct signals *signals;
	struct {
		struct kept *at;
		size_t len, cap;
	} kept;
	int status; /* the first that is not 0 */
	int interrupted;
};

__attribute__((format(printf, 2, 3))) static void progress(
	const struct runner_ui *ui, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cleanup_free char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	ui->progress(ui->ctx, text);
}

static void note_status(struct series *s, int status)
{
	if (!s->status)
		s->status = status;
}

/* ---- one run ---- */

static void describe_run(const struct series *s, uint64_t number, int warmup)
{
	const struct scenario *sc = s->sc;

	if (sc->runs + sc->warmup > 1)
		progress(s->ui, "[%llu/%llu] %s %s%s", (unsigned long long)number,
			(unsigned long long)(warmup ? sc->warmup : sc->runs), s->backend->id,
			sc->name, warmup ? " (warm-up)" : "");
}

static int make_logs_dir(const struct scenario *sc, struct err *err)
{
	cleanup_free char *dir = mem_printf("%s/logs", sc->output_dir);

	return file_mkdirs(dir, err);
}

static void run_once(struct series *s, uint64_t number, int warmup)
{
	const struct scenario *sc = s->sc;
	const struct backend *b = s->backend;
	int several = sc->runs + sc->warmup > 1, logs = several && !sc->show_output;
	cleanup_free char *target_log =
		layout_log(sc->output_dir, sc->name, (unsigned int)number, warmup, "target");
	cleanup_free char *load_log =
		layout_log(sc->output_dir, sc->name, (unsigned int)number, warmup, "load");
	struct backend_result result = {.status = RUNNER_NO_BACKEND};
	struct err err = {0};
	char *dir = NULL;

	describe_run(s, number, warmup);
	int rc = logs ? make_logs_dir(sc, &err) : 0;
	if (rc == 0)
		rc = layout_work_dir(sc->output_dir, b->folder, sc->name, &dir, &err);
	if (rc == 0)
		rc = b->run(&(struct backend_run){.sc = sc,
				    .signals = s->signals,
				    .dir = dir,
				    .null_stdin = several,
				    .target_log = logs ? target_log : NULL,
				    .load_log = logs ? load_log : NULL},
			&result, &err);
	s->interrupted |= result.interrupted;
	if (rc < 0 || *result.text)
		s->ui->trouble(s->ui->ctx, rc < 0 ? err.text : result.text);
	if (rc < 0 || warmup) {
		note_status(s, rc < 0 ? result.status : 0);
		layout_remove_dir(dir);
		free(dir);
		return;
	}
	note_status(s, result.status);
	*VEC_PUSH(&s->kept) = (struct kept){dir, {result.window_ns, result.incomplete}};
}

/* ---- their files ---- */

static int keep_json(struct series *s, size_t i, struct err *err)
{
	const struct scenario *sc = s->sc;
	const char *const *last = s->backend->suffixes;

	while (last[1])
		last++;
	cleanup_free char *from = mem_printf("%s/%s%s", s->kept.at[i].dir, sc->name, *last);
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
		times[i] = s->kept.at[i].time;
		if (times[i].window_ns < runs.min_ns)
			runs.min_ns = times[i].window_ns;
		if (times[i].window_ns > runs.max_ns)
			runs.max_ns = times[i].window_ns;
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

	if (rename(from, to) < 0)
		return err_set(err, -errno, "cannot write %s: %s", to, strerror(errno));
	progress(s->ui, "wrote %s", to);
	return 0;
}

static int publish(struct series *s, struct err *err)
{
	const struct scenario *sc = s->sc;
	struct backend_runs runs = choose(s);
	const char *dir = s->kept.at[runs.chosen - 1].dir;
	char median[UNITS_BUF], min[UNITS_BUF], max[UNITS_BUF];
	int rc = 0;

	layout_clear_runs(sc->output_dir, s->backend->folder, sc->name);
	if (sc->runs > 1) {
		rc = keep_every_json(s, err);
		if (rc == 0)
			rc = s->backend->note_runs(dir, sc->name, &runs, err);
		if (rc == 0)
			progress(s->ui,
				"%llu runs, window %s to %s; kept: run %llu, the median, %s",
				(unsigned long long)runs.count, units_duration(min, runs.min_ns),
				units_duration(max, runs.max_ns), (unsigned long long)runs.chosen,
				units_duration(median, s->kept.at[runs.chosen - 1].time.window_ns));
	}
	for (const char *const *suffix = s->backend->suffixes; *suffix && rc == 0; suffix++)
		rc = move_file(s, dir, *suffix, err);
	return rc;
}

static void series_release(struct series *s)
{
	for (size_t i = 0; i < s->kept.len; i++) {
		layout_remove_dir(s->kept.at[i].dir);
		free(s->kept.at[i].dir);
	}
	free(s->kept.at);
}

/* All runs of one type. What goes wrong is told and is in the status; the other types go on. */
static void run_series(struct series *s)
{
	struct err err = {0};

	if (s->backend->probe(&err) < 0) {
		s->ui->trouble(s->ui->ctx, err.text);
		note_status(s, s->sc->skip_unavailable ? 0 : RUNNER_NO_BACKEND);
		return;
	}
	for (uint64_t i = 1; i <= s->sc->warmup && !s->interrupted; i++)
		run_once(s, i, 1);
	for (uint64_t i = 1; i <= s->sc->runs && !s->interrupted; i++)
		run_once(s, i, 0);
	if (s->kept.len && publish(s, &err) < 0) {
		s->ui->trouble(s->ui->ctx, err.text);
		note_status(s, RUNNER_NO_BACKEND);
	}
	series_release(s);
}

/* ---- all types ---- */

static int check_types(const struct scenario *sc, const struct runner_ui *ui, struct err *err)
{
	for (size_t i = 0; sc->types[i]; i++) {
		if (backend_by_id(sc->types[i]))
			continue;
		if (!sc->skip_unavailable)
			return err_set(err, -ENOTSUP,
				"type %s comes in a later version; this one has io (--type io)",
				sc->types[i]);
		cleanup_free char *text =
			mem_printf("type %s comes in a later version: skipped", sc->types[i]);
		ui->note(ui->ctx, text);
	}
	return 0;
}

/* Finds out before anything is run whether results can be written. */
static int check_output(const struct scenario *sc, struct err *err)
{
	char *dir = NULL;

	for (size_t i = 0; sc->types[i]; i++) {
		const struct backend *b = backend_by_id(sc->types[i]);
		int rc = b ? layout_work_dir(sc->output_dir, b->folder, sc->name, &dir, err) : 0;

		if (rc < 0)
			return rc;
		layout_remove_dir(dir);
		free(dir);
		dir = NULL;
	}
	return 0;
}

int runner_run(struct scenario *sc, const struct runner_ui *ui, int *ret_status, struct err *err)
{
	struct signals signals;
	int status = 0, interrupted = 0;
	int rc = check_types(sc, ui, err);

	if (rc == 0)
		rc = check_output(sc, err);
	if (rc == 0)
		rc = target_prepare(sc, ui->note, ui->ctx, err);
	if (rc == 0)
		rc = signals_block(&signals, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; sc->types[i] && !interrupted; i++) {
		struct series s = {.sc = sc,
			.backend = backend_by_id(sc->types[i]),
			.ui = ui,
			.signals = &signals};

		if (!s.backend)
			continue;
		run_series(&s);
		interrupted = s.interrupted;
		status = status ? status : s.status;
	}
	signals_restore(&signals);
	*ret_status = status;
	return 0;
}
