/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario export: the tables of a result as CSV, or all of it in another format. */
#include "common/cli/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/export/format.h"
#include "common/model/json.h"
#include "common/write/csv.h"

struct export_args {
	const char *output, *format, *stacks, *detail;
	uint64_t calls_max;
};

#define CALLS_MAX_DEFAULT 1000000

#define OPTIONS struct export_args
static const struct optable_row option_rows[] = {
	OPT_TEXT("format", "FORMAT", format, "all of FILE in another format, see below"),
	OPT_TEXT("output", "FILE", output, "write there, - is standard output (the default)"),
	OPT_TEXT("stacks", "PREFIX", stacks,
		"of iotrace --stacks, if that is not FILE without .json"),
	OPT_TEXT("detail", "FILE", detail,
		"of iotrace --detail, if that is not FILE-detail.txt without .json"),
	OPT_COUNT("calls", "N", calls_max, 0, INT64_MAX,
		"of the detail at most so many calls (default 1000000)"),
	OPT_OF_ALL,
};

static void export_help(struct out *o)
{
	out_str(o, "\nformats:\n");
	for (size_t i = 0; export_format_at(i); i++)
		out_printf(
			o, "  %-12s %s\n", export_format_at(i)->id, export_format_at(i)->meaning);
}

/* ---- what is printed ---- */

struct listing {
	const struct csv_tables *tables;
	const void *doc;
};

static void print_list(const void *ctx, struct out *o)
{
	const struct listing *list = ctx;
	const struct csv_tables *t = list->tables;
	int width = 0;

	for (size_t i = 0; i < t->len; i++)
		if ((int)strlen(t->at[i].name) > width)
			width = (int)strlen(t->at[i].name);
	for (size_t i = 0; i < t->len; i++) {
		uint64_t rows = csv_rows(&t->at[i], list->doc);

		out_printf(o, "%-*s %7" PRIu64 " %s  %s\n", width, t->at[i].name, rows,
			rows == 1 ? "row " : "rows", t->at[i].meaning);
	}
}

static int no_table(const char *path, const struct csv_tables *t, const char *name, struct err *err)
{
	struct arena arena = {0};
	const char *names = "";
	int rc;

	for (size_t i = 0; i < t->len; i++)
		names = arena_printf(&arena, "%s%s%s", names, i ? ", " : "", t->at[i].name);
	rc = err_set(err, -ENOENT, "%.150s has no table '%.60s'; there are %s", path, name, names);
	arena_release(&arena);
	return rc;
}

/* A table, or the whole in a format: one of the two. */
struct job {
	const struct csv_table *table;
	const struct export_format *format;
	struct export_source source;
};

/* What was left out, or is not there. */
static void print_notes(struct out *notes)
{
	if (notes->len)
		fputs(out_text(notes), stderr);
}

static int print_job(const struct job *job, enum csv_style style, struct out *o, struct err *err)
{
	struct out notes;
	int rc;

	if (job->table) {
		csv_write(job->table, job->source.doc, style, o);
		return 0;
	}
	out_init_mem(&notes);
	rc = job->format->write(&job->source, o, &notes, err);
	if (rc == 0)
		print_notes(&notes);
	out_release(&notes);
	return rc;
}

static int write_job(const struct job *job, const char *path, struct err *err)
{
	int to_stdout = !strcmp(path, "-");
	enum csv_style style = to_stdout && isatty(STDOUT_FILENO) ? CSV_TERMINAL : CSV_EXACT;
	struct new_file f;
	struct out o;
	int rc = file_begin(&f, path, err), written;

	if (rc < 0)
		return rc;
	out_init(&o, f.fd);
	rc = print_job(job, style, &o, err);
	written = out_flush(&o);
	out_release(&o);
	if (rc == 0 && written < 0)
		rc = err_set(err, written, "cannot write %s: %s",
			to_stdout ? "to standard output" : path, strerror(-written));
	if (rc < 0) {
		file_abort(&f);
		return rc;
	}
	rc = file_commit(&f, err);
	if (rc == 0 && !to_stdout)
		printf("%s\n", path);
	return rc;
}

/* ---- the command ---- */

static int export_file(
	const char *path, const char *name, const struct export_args *args, struct err *err)
{
	const struct csv_table *table;
	struct csv_tables tables;
	void *doc = NULL;
	int rc = json_read_any(path, schemas, &doc, err);

	if (rc < 0)
		return rc;
	csv_tables_init(&tables, result_schema(doc));
	table = name ? csv_find(&tables, name) : NULL;
	if (!name)
		rc = command_write(print_list, &(struct listing){&tables, doc}, err);
	else if (!table)
		rc = no_table(path, &tables, name, err);
	else
		rc = write_job(&(struct job){.table = table, .source.doc = doc},
			args->output ? args->output : "-", err);
	csv_tables_release(&tables);
	result_free(doc);
	return rc;
}

static int is_of(const struct export_format *f, const struct schema *schema)
{
	const struct schema *const *s = f->schemas;

	while (s && *s && *s != schema)
		s++;
	return !s || *s;
}

static int export_format(const char *path, const struct export_args *args, struct err *err)
{
	struct job job = {.format = export_format_find(args->format, err),
		.source = {.path = path,
			.stacks = args->stacks,
			.detail = args->detail,
			.calls_max = args->calls_max}};
	void *doc = NULL;
	int rc = job.format ? json_read_any(path, schemas, &doc, err) : -EINVAL;

	if (rc < 0)
		return rc;
	job.source.doc = doc;
	job.source.schema = result_schema(doc);
	if (!is_of(job.format, job.source.schema))
		rc = err_set(err, -EINVAL, "%s: %s is not for results of %s", path, args->format,
			job.source.schema->id);
	else
		rc = write_job(&job, args->output ? args->output : "-", err);
	result_free(doc);
	return rc;
}

/* What makes no sense together. */
static int check_args(const struct export_args *args, const struct words *words, struct err *err)
{
	if (!words->len)
		return err_set(err, -EINVAL, "export needs the FILE of a result");
	if (args->format && words->len > 1)
		return err_set(err, -EINVAL, "a TABLE is CSV: without --format");
	if (!args->format && args->output && words->len < 2)
		return err_set(err, -EINVAL, "--output needs a TABLE to write, or --format");
	if (!args->format && (args->stacks || args->detail))
		return err_set(err, -EINVAL, "--stacks and --detail are of --format");
	return 0;
}

static int export_run(void *ctx, const struct words *words, struct err *err)
{
	const struct export_args *args = ctx;
	int rc = check_args(args, words, err);

	if (rc < 0)
		return rc;
	return args->format ? export_format(words->at[0], args, err)
			    : export_file(words->at[0], words->at[1], args, err);
}

const struct command command_export = {
	.name = "export",
	.meaning = "a table of a result as CSV, or all of it for other viewers",
	.usage = "profile-scenario export FILE.json [TABLE] [OPTIONS]\n"
		 "profile-scenario export FILE.json --format FORMAT [OPTIONS]\n"
		 "Prints one TABLE of a result as CSV; without TABLE which there are, with the "
		 "number of their rows.\nFILE is any result: of iotrace, of a CPU or memory "
		 "profile, what compare --json or run --json printed.\n\n",
	.after = "\nColumns are named as in the JSON (docs/RESULT_SCHEMA.md). An empty field was "
		 "not measured; an empty text is \"\". A text that a spreadsheet would take for a "
		 "formula (it begins with = + - @, tab or CR) gets an apostrophe before it. See "
		 "docs/EXPORT.md.\n"
		 "\nexit status: 0; 2 if FILE cannot be read or has no such TABLE, or for bad "
		 "usage\n",
	.help = export_help,
	COMMAND_OPTIONS(option_rows),
	.defaults = &(const struct export_args){.calls_max = CALLS_MAX_DEFAULT},
	.words = 2,
	.run = export_run,
};
