/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario report: results as a page or as text. */
#include "common/cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/cli/ease_options.h"
#include "common/cli/gather.h"
#include "common/cli/history_add.h"
#include "common/history/tell.h"
#include "common/report/report.h"
#include "common/report/report_history.h"
#include "common/runner/backend.h"
#include "common/runner/config.h"
#include "common/runner/layout.h"

#define DEFAULT_DIR "results"

struct report_args {
	const char *output_dir, *scenario, *output, *ease, *config;
	int history, text;
};

#define OPTIONS struct report_args
static const struct optable_row option_rows[] = {
	OPT_TEXT("output-dir", "DIR", output_dir, "where the results are (default results)"),
	OPT_TEXT("scenario", "NAME", scenario,
		"whose results; needed where DIR has those of several and no FILE is given"),
	OPT_FLAG("history", history,
		"of the versions in STORE instead (default DIR/" HISTORY_FILE
		"; a file, or postgresql://USER@HOST/DATABASE)"),
	OPT_FLAG("text", text, "print to the terminal instead"),
	OPT_TEXT("output", "FILE", output,
		"the page's file, - for standard output (default DIR/NAME-report.html, "
		"DIR/history-report.html)"),
	OPT_TEXT("ease", "KIND=N,..", ease, EASE_HELP),
	OPT_TEXT("config", "FILE", config, CONFIG_HELP),
	OPT_OF_ALL,
};

/* ---- which scenario ---- */

/* The only scenario with results in dir, in a. */
static const char *find_scenario(struct arena *a, const char *dir, struct err *err)
{
	const struct backend *b;
	const char *found = NULL;

	for (size_t i = 0; (b = backend_at(i)); i++)
		for (const char *const *name = backend_results(a, b, dir); *name; name++) {
			if (found && strcmp(found, *name) != 0) {
				err_set(err, -EEXIST,
					"%s has results of several scenarios (%s, %s, ..): "
					"--scenario says which",
					dir, found, *name);
				return NULL;
			}
			found = *name;
		}
	if (!found)
		gather_nothing(dir, NULL, err);
	return found;
}

/* ---- reading and writing ---- */

/* NAME-compare.json beside the page, if somebody has put one there. */
static int read_comparison(struct report *r, const char *dir, const char *name, struct err *err)
{
	cleanup_free char *path = mem_printf("%s/%s-compare.json", dir, name);

	return access(path, F_OK) == 0 ? report_read(r, path, err) : 0;
}

static int read_scenario(struct report *r, const char *dir, const char *name, struct err *err)
{
	const struct backend *b;
	int found = 0, rc = 0;

	for (size_t i = 0; rc == 0 && (b = backend_at(i)); i++) {
		cleanup_free char *path = layout_file(dir, b->folder, name, backend_json_suffix(b));

		if (access(path, F_OK) != 0)
			continue;
		rc = report_read(r, path, err);
		/* Of two tools that measure the same the first is shown. */
		if (rc == -EEXIST)
			rc = 0;
		found = 1;
	}
	if (!found)
		return gather_nothing(dir, name, err);
	return rc < 0 ? rc : read_comparison(r, dir, name, err);
}

static int read_files(struct report *r, const struct words *f, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < f->len && rc == 0; i++)
		rc = report_read(r, f->at[i], err);
	if (rc == 0 && !r->io && !r->cpu && !r->memory)
		return err_set(err, -EINVAL,
			"%s: a comparison is shown with a result of its new side", r->compare_path);
	return rc;
}

static void write_page(const void *r, struct out *o)
{
	report_html(r, o);
}

static void write_text(const void *r, struct out *o)
{
	report_text(r, o);
}

/* The page goes where -o says, else to DIR/NAME-report.html, and where it is is printed. */
static int write_file(const struct report_args *args, const char *name,
	void (*write)(const void *ctx, struct out *o), const void *ctx, struct err *err)
{
	cleanup_free char *path = args->output
					  ? mem_strdup(args->output)
					  : mem_printf("%s/%s-report.html", args->output_dir, name);
	int rc = args->output ? 0 : file_mkdirs(args->output_dir, err);

	if (rc == 0)
		rc = file_write_with(path, write, ctx, err);
	if (rc == 0 && strcmp(path, "-") != 0)
		printf("%s\n", path);
	return rc;
}

static int write_report(const struct report *r, const struct report_args *args, struct err *err)
{
	const char *name = report_name(r);

	if (args->text)
		return command_write(write_text, r, err);
	if (!args->output && !layout_name_ok(name))
		return err_set(err, -EINVAL,
			"the result names no scenario, so -o FILE.html must say where the page "
			"goes");
	return write_file(args, name, write_page, r, err);
}

/* ---- a history ---- */

static void write_history(const void *r, struct out *o)
{
	report_history_html(r, o);
}

static void write_history_text(const void *r, struct out *o)
{
	report_history_text(r, o);
}

static int run_history(const struct report_args *args, const struct words *words, struct err *err)
{
	const struct history_place place = {words->len ? words->at[0] : NULL, args->output_dir};
	const struct trend_ask ask = {.scenario = args->scenario};
	cleanup_free char *address = history_address(&place);
	struct res_history *r = NULL;
	struct history *h = NULL;
	int rc;

	if (words->len > 1)
		return err_set(
			err, -EINVAL, "--history: '%.100s' is one STORE too many", words->at[1]);
	rc = history_open(address, 1, gather_kinds(), &h, err);
	if (rc == 0) {
		r = tell_new("report", h);
		rc = tell_report(h, &ask, r, err);
	}
	if (rc == 0 && args->scenario && r->versions.len && !r->series.len)
		rc = err_set(err, -ENOENT, "%s: no runs of %.100s", r->store, args->scenario);
	if (rc == 0)
		rc = args->text ? command_write(write_history_text, r, err)
				: write_file(args, "history", write_history, r, err);
	result_free(r);
	history_close(h);
	return rc;
}

/* ---- results ---- */

static int report_run(void *ctx, const struct words *files, struct err *err)
{
	const struct report_args *args = ctx;
	const char *dir = args->output_dir;
	struct arena arena = {0};
	struct ease_table ease = ease_defaults();
	struct report r = {.scenario = args->scenario, .ease = &ease};
	int rc = ease_options(args->config, args->ease, &ease, err);

	if (rc < 0)
		return rc;

	if (args->scenario && !layout_name_ok(args->scenario))
		return err_set(err, -EINVAL, "--scenario: '%.100s' is no name of a scenario",
			args->scenario);
	if (args->text && args->output)
		return err_set(err, -EINVAL, "--text prints to the terminal: -o is of the page");
	if (args->history)
		return run_history(args, files, err);
	if (!files->len && !args->scenario)
		r.scenario = find_scenario(&arena, dir, err);
	if (!files->len && !r.scenario)
		rc = err->code;
	if (rc == 0)
		rc = files->len ? read_files(&r, files, err)
				: read_scenario(&r, dir, r.scenario, err);
	if (rc == 0)
		rc = write_report(&r, args, err);
	report_release(&r);
	arena_release(&arena);
	return rc;
}

const struct command command_report = {
	.name = "report",
	.meaning = "results of a scenario as one HTML page, or as text",
	.usage = "profile-scenario report [OPTIONS] [FILE.json ...]\n"
		 "profile-scenario report --history [STORE] [OPTIONS]\n"
		 "Makes one page (HTML, nothing is loaded from outside) of a scenario's results: "
		 "I/O, CPU and memory, as far as they are there. FILEs are results, one of each "
		 "kind, and a comparison (compare --json); without any, those in DIR and "
		 "DIR/NAME-compare.json.\n\n",
	.after = "\nexit status: 0; 2 if a result cannot be read or the page not be written, or "
		 "for bad usage\n",
	COMMAND_OPTIONS(option_rows),
	.defaults = &(const struct report_args){.output_dir = DEFAULT_DIR},
	.words = WORDS_MAX,
	.run = report_run,
};
