/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario sweep: from which value on does a larger one not pay? */
#include "common/cli/command.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/units.h"
#include "common/cli/alternate.h"
#include "common/cli/gather.h"
#include "common/compare/curve.h"
#include "common/compare/runs.h"
#include "common/model/json.h"
#include "common/report/plot_sweep.h"
#include "common/runner/fill.h"
#include "common/runner/layout.h"
#include "common/view/view.h"
#include "common/write/markdown.h"
#include "common/write/writer.h"

enum { STATUS_CANNOT_TELL = 3, RUNS_DEFAULT = 5, RUNS_MAX = 100, VALUES_MAX = 32 };

#define FOLDER "sweep"

struct sweep_args {
	struct alternate alternate;
	const char *over, *cost, *binary;
	int json;
};

#define OPTIONS struct sweep_args
static const struct optable_row option_rows[] = {
	OPT_TEXT("scenario", "NAME", alternate.scenario,
		"what the results are called; of the catalogue, if that has it"),
	OPT_TEXT("over", "NAME=V1,V2,..", over,
		"the values, numbers, which are written where {NAME} stands: in target, arguments, "
		"environment, load and commands"),
	OPT_TEXT("cost", "WHAT", cost,
		"work: time per unit of --work (default where that is known); the name of a call: "
		"time in it per unit that it moved; or a figure of compare (default wall_time)"),
	OPT_COUNT("runs", "N", alternate.runs, 1, RUNS_MAX,
		"runs of each value, in turns (default 5, with which 7 values can be judged)"),
	OPT_TEXT("prepare", "CMD", alternate.prepare,
		"shell command before each run, e.g. to build with that value"),
	OPT_TEXT("binary", "PATH", binary,
		"the target (else $PROFILE_BINARY, else the catalogue's)"),
	OPT_TEXT("output-dir", "DIR", alternate.output_dir, "where results go (default results)"),
	OPT_TEXT("config", "FILE", alternate.config,
		"the catalogue (default profile-scenario.json, if there is one)"),
	OPT_TEXT("type", "TYPE", alternate.type, "io (default), cpu or memory"),
	ALTERNATE_OPTIONS(ALTERNATE_ROW),
	OPT_FLAG("json", json, "print the sweep as JSON"),
	OPT_OF_ALL,
};

/* ---- the values ---- */

struct values {
	struct arena arena;
	const char *name;
	const char *at[VALUES_MAX];
	double numbers[VALUES_MAX];
	size_t len;
};

static int number_of(const char *text, double *ret, struct err *err)
{
	uint64_t bytes;
	char *end;

	*ret = strtod(text, &end);
	if (*text && !*end && isfinite(*ret))
		return 0;
	if (*text && units_parse_bytes(text, &bytes, NULL) == 0) {
		*ret = (double)bytes;
		return 0;
	}
	return err_set(err, -EINVAL,
		"--over: '%.60s' is no number: of other values there is no larger one", text);
}

/* Keeps them ascending. */
static int add_value(struct values *v, const char *text, struct err *err)
{
	size_t at = v->len;
	double number;

	if (number_of(text, &number, err) < 0)
		return err->code;
	if (!layout_name_ok(text))
		return err_set(err, -EINVAL, "--over: '%.60s' can be no name of a folder", text);
	if (v->len == VALUES_MAX)
		return err_set(err, -EINVAL, "--over: more than %d values", VALUES_MAX);
	for (; at > 0 && v->numbers[at - 1] >= number; at--) {
		if (v->numbers[at - 1] == number)
			return err_set(err, -EINVAL, "--over: %.60s is there twice", text);
		v->numbers[at] = v->numbers[at - 1];
		v->at[at] = v->at[at - 1];
	}
	v->numbers[at] = number;
	v->at[at] = text;
	v->len++;
	return 0;
}

static int read_values(struct values *v, const char *over, struct err *err)
{
	size_t len = over ? fill_name_len(over) : 0;
	char *save = NULL;
	int rc = 0;

	if (!len)
		return err_set(err, -EINVAL,
			"sweep needs --over NAME=V1,V2,.. (see sweep --help)%s%.60s",
			over ? ", not " : "", over ? over : "");
	v->name = arena_printf(&v->arena, "%.*s", (int)len, over);
	char *list = arena_strdup(&v->arena, over + len + 1);

	for (char *p = strtok_r(list, ",", &save); p && rc == 0; p = strtok_r(NULL, ",", &save))
		rc = add_value(v, p, err);
	if (rc == 0 && v->len < 2)
		rc = err_set(err, -EINVAL, "--over: at least two values are needed");
	return rc;
}

static const struct alternate_way *ways_of(const struct sweep_args *args, struct values *v)
{
	struct alternate_way *ways = arena_alloc(&v->arena, v->len, sizeof(*ways));

	for (size_t i = 0; i < v->len; i++)
		ways[i] = (struct alternate_way){
			.name = v->at[i],
			.label = arena_printf(&v->arena, "%s = %s", v->name, v->at[i]),
			.binary = args->binary,
			.set = arena_printf(&v->arena, "%s=%s", v->name, v->at[i]),
		};
	return ways;
}

/* ---- output ---- */

static void write_svg(const void *ctx, struct out *o)
{
	plot_sweep_write(ctx, o);
}

static void write_markdown(const void *ctx, struct out *o)
{
	const struct res_sweep *s = ctx;
	struct doc *d = view_sweep(s);

	markdown_write_doc(d, o);
	out_printf(o, "\n![cost by value](%s-sweep.svg)\n", s->scenario);
	doc_free(d);
}

/* The JSON is last: when it is there, the others are. */
static int write_files(const struct sweep_args *args, const struct res_sweep *s, struct err *err)
{
	static const struct {
		const char *suffix;
		void (*write)(const void *ctx, struct out *o);
	} files[] = {{"svg", write_svg}, {"md", write_markdown}, {"json", json_write_doc}};
	const struct alternate *a = &args->alternate;
	int rc = 0;

	for (size_t i = 0; i < LEN(files) && rc == 0; i++) {
		cleanup_free char *path = mem_printf(
			"%s/" FOLDER "/%s-sweep.%s", a->output_dir, a->scenario, files[i].suffix);

		rc = file_write_with(path, files[i].write, s, err);
		if (rc == 0)
			fprintf(stderr, "wrote %s\n", path);
	}
	return rc;
}

static int print(const struct sweep_args *args, const struct res_sweep *s, struct err *err)
{
	struct doc *d = view_sweep(s);
	struct out o;

	out_init(&o, STDOUT_FILENO);
	if (args->json)
		json_write_doc(s, &o);
	else
		text_write_doc(d, &o, out_columns(STDOUT_FILENO, TEXT_COLUMNS));
	doc_free(d);
	return command_flush(&o, err);
}

static int status_of(const struct res_sweep *s)
{
	static const char *const open[] = {"unsure", "few runs", "not measured", "by stops"};

	for (size_t i = 0; i < LEN(open); i++)
		if (!strcmp(s->verdict, open[i]))
			return STATUS_CANNOT_TELL;
	return STATUS_OK;
}

/* ---- the command ---- */

static const struct result_kind *find_kind(const char *type, struct err *err)
{
	for (const struct result_kind *k = gather_kinds(); k->id; k++)
		if (!strcmp(k->id, type))
			return k;
	err_set(err, -EINVAL, "a sweep is of one type, io, cpu or memory: not of '%.60s'", type);
	return NULL;
}

static void name_results(const struct sweep_args *args, const struct values *v, struct res_sweep *s)
{
	const struct alternate *a = &args->alternate;

	s->results.at = arena_alloc(result_arena(s), v->len, sizeof(*s->results.at));
	for (s->results.len = 0; s->results.len < v->len; s->results.len++)
		s->results.at[s->results.len] = arena_printf(result_arena(s), "%s/" FOLDER "/%s/%s",
			a->output_dir, a->scenario, v->at[s->results.len]);
}

static int run_values(struct sweep_args *args, struct values *v, const struct result_kind *kind,
	struct res_sweep **ret, struct err *err)
{
	struct alternate *a = &args->alternate;
	struct side sides[VALUES_MAX] = {0};

	a->folder = FOLDER;
	a->refuse = runs_flaw;
	a->ways = ways_of(args, v);
	a->ways_len = v->len;
	int rc = alternate_run(a, sides, err);

	if (rc == 0)
		rc = curve_of(&(struct curve_ask){.scenario = a->scenario,
				      .over = v->name,
				      .cost = args->cost,
				      .kind = kind,
				      .values = v->at,
				      .len = v->len,
				      .sides = sides},
			ret, err);
	for (size_t i = 0; i < v->len; i++)
		side_release(&sides[i]);
	return rc;
}

static int sweep_run(void *ctx, const struct words *words, struct err *err)
{
	struct sweep_args *args = ctx;
	const char *type = args->alternate.type ? args->alternate.type : "io";
	const struct result_kind *kind = find_kind(type, err);
	struct values values = {0};
	struct res_sweep *s = NULL;
	int rc = kind ? read_values(&values, args->over, err) : err->code;

	args->alternate.rest = words->rest;
	if (rc == 0 && !args->alternate.scenario)
		rc = err_set(err, -EINVAL, "--scenario NAME is needed (see sweep --help)");
	if (rc == 0 && args->cost)
		rc = curve_check_cost(args->cost, kind, err);
	if (rc == 0)
		rc = run_values(args, &values, kind, &s, err);
	if (rc == 0)
		name_results(args, &values, s);
	if (rc == 0)
		rc = write_files(args, s, err);
	if (rc == 0)
		rc = print(args, s, err);
	if (rc == 0)
		rc = status_of(s);
	result_free(s);
	arena_release(&values.arena);
	return rc;
}

const struct command command_sweep = {
	.name = "sweep",
	.meaning = "run a scenario over values: from which one on does a larger one not pay?",
	.usage =
		"profile-scenario sweep --scenario NAME --over NAME=V1,V2,.. [OPTIONS] [-- "
		"ARGS...]\n"
		"Runs a scenario with each value in turns, and says from which one on a larger one "
		"does not pay: the smallest whose cost is within 5% of the best one's, where the "
		"intervals leave no doubt.\n\n",
	.after = "\nexit status: 0 there is a knee, or there is none; 2 trouble; 3 cannot tell\n",
	COMMAND_OPTIONS(option_rows),
	.defaults = &(const struct sweep_args){.alternate = {.output_dir = "results",
						       .runs = RUNS_DEFAULT}},
	.run = sweep_run,
};
