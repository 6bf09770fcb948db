/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario analyze: findings from results, as Markdown. */
#include "common/cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/analyze/analyze.h"
#include "common/analyze/input.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/cli/ease_options.h"
#include "common/cli/gather.h"
#include "common/runner/backend.h"
#include "common/runner/config.h"
#include "common/runner/layout.h"
#include "common/write/markdown.h"
#include "common/write/writer.h"

#define DEFAULT_DIR    "results"
#define IO_FILE        "IO-ANALYSIS.md"
#define PROFILING_FILE "PROFILING-ANALYSIS.md"

struct analyze_args {
	const char *output_dir, *scenario, *detail, *ease, *config;
	int to_stdout;
};

#define OPTIONS struct analyze_args
static const struct optable_row option_rows[] = {
	OPT_TEXT("output-dir", "DIR", output_dir,
		"where the results are, and where " IO_FILE " and " PROFILING_FILE
		" go (default results)"),
	OPT_TEXT("scenario", "NAME", scenario, "only that scenario (default: all in DIR)"),
	OPT_TEXT("detail", "FILE", detail,
		"not read any more: the result says what gathering would save"),
	OPT_TEXT("ease", "KIND=N,..", ease, EASE_HELP),
	OPT_TEXT("config", "FILE", config, CONFIG_HELP),
	OPT_FLAG("stdout", to_stdout,
		"print the I/O analysis and write no file: Markdown, on a terminal text"),
	OPT_OF_ALL,
};

static void analyze_help(struct out *o)
{
	struct ease_table ease = ease_defaults();
	out_str(o, "\nkinds of change, and how easy they are taken to be:\n ");
	for (int i = 0; i < TARGET_KINDS; i++)
		out_printf(o, "%s%s=%u", i == 4 ? "\n  " : " ", ease_name((enum target_kind)i),
			ease.of[i]);
}

/* ---- input ---- */

static int add_folder(struct analyze_input *in, const struct analyze_args *args,
	const struct backend *b, struct err *err)
{
	struct arena a = {0};
	const char *const *names = backend_results(&a, b, args->output_dir);
	int rc = 0;

	for (; *names && rc == 0; names++) {
		cleanup_free char *path =
			layout_file(args->output_dir, b->folder, *names, backend_json_suffix(b));

		if (!args->scenario || !strcmp(*names, args->scenario))
			rc = analyze_input_add(in, path, err);
		/* Of two tools that measure the same the first counts. */
		if (rc == -EEXIST)
			rc = 0;
	}
	arena_release(&a);
	return rc;
}

static int add_dir(struct analyze_input *in, const struct analyze_args *args, struct err *err)
{
	const struct backend *b;
	int rc = 0;

	for (size_t i = 0; rc == 0 && (b = backend_at(i)); i++)
		rc = add_folder(in, args, b, err);
	return rc == 0 && !in->len ? gather_nothing(args->output_dir, args->scenario, err) : rc;
}

static int gather(struct analyze_input *in, const struct analyze_args *args,
	const struct words *files, struct err *err)
{
	int rc = 0;

	if (files->len && args->scenario)
		return err_set(err, -EINVAL, "--scenario chooses from DIR; files are named here");
	for (size_t i = 0; i < files->len && rc == 0; i++)
		rc = analyze_input_add(in, files->at[i], err);
	if (rc == 0 && !files->len)
		rc = add_dir(in, args, err);
	return rc;
}

/* ---- output ---- */

static struct doc *io_doc(const struct analyze_input *in, const struct ease_table *ease)
{
	struct doc *d = NULL;

	for (size_t i = 0; i < in->len; i++) {
		if (!in->at[i].io)
			continue;
		d = d ? d : doc_new();
		analyze_io(d, &in->at[i], ease);
	}
	return d;
}

static void write_markdown(const void *doc, struct out *o)
{
	markdown_write_doc(doc, o);
}

static void write_text(const void *doc, struct out *o)
{
	text_write_doc(doc, o, out_columns(o->fd, TEXT_COLUMNS));
}

static int write_file(const struct doc *d, const char *dir, const char *name, struct err *err)
{
	cleanup_free char *path = mem_printf("%s/%s", dir, name);
	int rc = file_write_with(path, write_markdown, d, err);

	if (rc == 0)
		printf("%s\n", path);
	return rc;
}

static int write_all(const struct analyze_input *in, const struct analyze_args *args,
	const struct ease_table *ease, struct err *err)
{
	struct doc *io = io_doc(in, ease), *profiling;
	int rc = 0;

	if (args->to_stdout) {
		rc = io ? command_write(
				  isatty(STDOUT_FILENO) ? write_text : write_markdown, io, err)
			: err_set(err, -ENOENT, "there is no I/O result to print an analysis of");
		doc_free(io);
		return rc;
	}
	profiling = doc_new();
	analyze_profiling(profiling, in->at, in->len, ease);
	rc = file_mkdirs(args->output_dir, err);
	if (rc == 0 && io)
		rc = write_file(io, args->output_dir, IO_FILE, err);
	if (rc == 0)
		rc = write_file(profiling, args->output_dir, PROFILING_FILE, err);
	doc_free(io);
	doc_free(profiling);
	return rc;
}

static int analyze_run(void *ctx, const struct words *files, struct err *err)
{
	const struct analyze_args *args = ctx;
	struct ease_table ease = ease_defaults();
	struct analyze_input in = {0};
	int rc = ease_options(args->config, args->ease, &ease, err);

	if (rc == 0)
		rc = gather(&in, args, files, err);
	if (rc == 0)
		rc = write_all(&in, args, &ease, err);
	analyze_input_release(&in);
	return rc;
}

const struct command command_analyze = {
	.name = "analyze",
	.meaning = "write what results say: findings, costs, what to change first",
	.usage =
		"profile-scenario analyze [OPTIONS] [FILE.json ...]\n"
		"Writes what the results say: batching, costs, errors, and what to change first, "
		"each with its evidence.\nFILEs are results (I/O, CPU, memory); without any, those "
		"that lie in DIR.\n\n",
	.after = "\n\nexit status: 0; 2 if a file cannot be read or written, or for bad usage\n",
	.help = analyze_help,
	COMMAND_OPTIONS(option_rows),
	.defaults = &(const struct analyze_args){.output_dir = DEFAULT_DIR},
	.words = WORDS_MAX,
	.run = analyze_run,
};
