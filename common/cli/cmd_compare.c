/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario compare: did this version get worse? */
#include "common/cli/command.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/cli/alternate.h"
#include "common/cli/gather.h"
#include "common/model/json.h"
#include "common/report/report.h"
#include "common/runner/backend.h"
#include "common/runner/layout.h"
#include "common/view/view.h"
#include "common/write/markdown.h"
#include "common/write/writer.h"

enum { RUNS_DEFAULT = 5, RUNS_MAX = 10000 };

struct compare_args {
	struct alternate alternate; /* with --base-binary */
	const char *base_binary, *new_binary;
	struct alternate_way ways[2]; /* base and new */
	const char *fail_on, *markdown, *html, *format;
	int all, allow_new, force, json;
};

#define OPTIONS struct compare_args
static const struct optable_row option_rows[] = {
	OPT_TEXT("output-dir", "DIR", alternate.output_dir,
		"where results and baselines are (default results)"),
	OPT_TEXT("config", "FILE", alternate.config,
		"the catalogue, for its limits (default profile-scenario.json, if there is one)"),
	OPT_TEXT("scenario", "NAME", alternate.scenario,
		"compare only this one; needed with --base-binary"),
	OPT_TEXT("base-binary", "PATH", base_binary,
		"run the scenario with this one and the new one in turns, and compare these runs"),
	OPT_TEXT("new-binary", "PATH", new_binary, "the new one"),
	OPT_COUNT("runs", "N", alternate.runs, 1, RUNS_MAX,
		"runs a side, in turns (default 5; times need 5 or more)"),
	ALTERNATE_OPTIONS(ALTERNATE_ROW),
	OPT_TEXT("type", "TYPE", alternate.type,
		"io, cpu, memory or all (default: all found; in turns: io)"),
	OPT_TEXT("fail-on", "WHAT", fail_on,
		"regressions (default), limits (only those of the catalogue), or nothing"),
	OPT_FLAG("allow-new", allow_new,
		"what BASE does not have, or all if there is no BASE yet, is new and no trouble"),
	OPT_FLAG("force", force, "compare what was made differently all the same"),
	OPT_FLAG("all", all, "show every metric"),
	OPT_FLAG("json", json, "print the comparison as JSON"),
	OPT_TEXT("markdown", "FILE", markdown, "write it as Markdown, too"),
	OPT_TEXT("html", "FILE", html, "write it as a page that loads nothing, too"),
	OPT_TEXT("format", "FORM", format,
		"text (default), or github: annotations for a workflow after the text"),
	OPT_OF_ALL,
};

/* ---- output ---- */

static void write_markdown(const void *doc, struct out *o)
{
	markdown_write_doc(doc, o);
}

static void write_html(const void *doc, struct out *o)
{
	report_doc_html("comparison", doc, o);
}

/* More runs would tell what could not be: nothing could, or this is what the gate is about. */
static int needs_runs(const struct res_compare *c, const struct res_compare_metric *m)
{
	return m->why && !strncmp(m->why, "needs ", strlen("needs ")) &&
	       (!c->judged || m->limit || !strcmp(m->verdict, "looks worse"));
}

static int are_few(const struct res_compare *c)
{
	for (size_t i = 0; i < c->parts.len; i++)
		for (size_t k = 0; k < c->parts.at[i].metrics.len; k++)
			if (needs_runs(c, &c->parts.at[i].metrics.at[k]))
				return 1;
	return 0;
}

/* All that say FAIL. */
static uint64_t count_fails(const struct res_compare *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->parts.len; i++) {
		const struct res_compare_part *p = &c->parts.at[i];

		for (size_t k = 0; k < p->runs.len; k++)
			n += !strcmp(p->runs.at[k].verdict, "REGRESSION");
		for (size_t k = 0; k < p->causes.len; k++)
			n += !strcmp(p->causes.at[k].verdict, "REGRESSION");
		for (size_t k = 0; k < p->metrics.len; k++)
			n += !p->metrics.at[k].cause &&
			     !strcmp(p->metrics.at[k].verdict, "REGRESSION");
	}
	return n;
}

static void print_end(const struct res_compare *c, const char *fail_on, struct out *o)
{
	const uint64_t fails = count_fails(c);
	const uint64_t let = c->status == COMPARE_OK ? fails : fails - c->regressions;

	if (fails)
		out_printf(o, "%llu REGRESSION%s in %llu metrics that could be judged",
			(unsigned long long)fails, fails == 1 ? "" : "S",
			(unsigned long long)c->judged);
	if (let)
		out_printf(
			o, ", %llu let through by --fail-on %s", (unsigned long long)let, fail_on);
	else if (!fails && c->status != COMPARE_CANNOT_TELL)
		out_printf(o, "no regression in %llu metrics that could be judged",
			(unsigned long long)c->judged);
	if (c->troubles)
		out_printf(o, "%s%llu trouble%s", c->status == COMPARE_CANNOT_TELL ? "" : ", ",
			(unsigned long long)c->troubles, c->troubles == 1 ? "" : "s");
	if (c->status == COMPARE_CANNOT_TELL)
		out_printf(o, "%scannot tell%s", fails ? "; " : "",
			are_few(c) ? ": of so few runs; make more of both sides (run --runs 5)"
				   : "");
	out_printf(o, ".  exit %llu\n", (unsigned long long)c->status);
}

/* A workflow command ends at the end of the line; % and line breaks are written as it wants. */
static void print_data(struct out *o, const char *text)
{
	for (; *text; text++)
		if (*text == '%' || (unsigned char)*text < ' ')
			out_printf(o, "%%%02X", (unsigned char)*text);
		else
			out_char(o, *text);
}

/* An error for what fails the gate, a warning for what it lets through. */
static void annotate(
	struct out *o, int fails, const char *scenario, const char *type, const char *text)
{
	out_str(o, fails ? "::error::" : "::warning::");
	print_data(o, scenario);
	out_char(o, ' ');
	print_data(o, type);
	out_char(o, ' ');
	print_data(o, text);
	out_char(o, '\n');
}

static char *value_text(double v)
{
	return isnan(v) ? mem_strdup("not measured") : mem_printf("%.10g", v);
}

static void annotate_metric(struct out *o, int fails, const struct res_compare_part *p,
	const struct res_compare_metric *m)
{
	cleanup_free char *base = value_text(m->base_median), *new = value_text(m->new_median);
	cleanup_free char *text = mem_printf("%s: %s -> %s, %s%s%s", m->name, base, new, m->verdict,
		m->why ? ": " : "", m->why ? m->why : "");

	annotate(o, fails, p->scenario, p->type, text);
}

static void annotate_part(
	struct out *o, const struct res_compare_part *p, enum compare_fail_on fail_on)
{
	for (size_t i = 0; i < p->runs.len; i++)
		if (strcmp(p->runs.at[i].verdict, "note") != 0)
			annotate(o, fail_on != FAIL_ON_NOTHING, p->scenario, p->type,
				p->runs.at[i].text);
	for (size_t i = 0; i < p->causes.len; i++)
		if (!strcmp(p->causes.at[i].verdict, "REGRESSION"))
			annotate(o, fail_on == FAIL_ON_REGRESSIONS, p->scenario, p->type,
				p->causes.at[i].text);
	for (size_t i = 0; i < p->metrics.len; i++) {
		const struct res_compare_metric *m = &p->metrics.at[i];
		int bad = !strcmp(m->verdict, "REGRESSION");
		int untold = !strcmp(m->verdict, "looks worse") ||
			     (m->limit && (!strcmp(m->verdict, "cannot tell") ||
						  !strcmp(m->verdict, "not compared")));

		if (m->cause || (!bad && !untold))
			continue;
		annotate_metric(o,
			fail_on == FAIL_ON_REGRESSIONS || (fail_on == FAIL_ON_LIMITS && m->limit),
			p, m);
	}
}

static int any_base(const struct res_compare *c)
{
	for (size_t i = 0; i < c->parts.len; i++)
		if (c->parts.at[i].base)
			return 1;
	return 0;
}

static void print_github(
	const struct res_compare *c, enum compare_fail_on fail_on, int allow_new, struct out *o)
{
	for (size_t i = 0; i < c->parts.len; i++)
		annotate_part(o, &c->parts.at[i], fail_on);
	if (allow_new && !any_base(c))
		out_str(o, "::warning::nothing was compared: all is new\n");
	for (size_t i = 0; allow_new && i < c->only_new.len; i++) {
		out_str(o, "::notice::");
		print_data(o, c->only_new.at[i]);
		out_str(o, " is new: the base does not have it\n");
	}
	for (size_t i = 0; i < c->only_base.len; i++) {
		out_str(o, "::warning::");
		print_data(o, c->only_base.at[i]);
		out_str(o, " is not compared: only the base has it\n");
	}
	for (size_t i = 0; i < c->missing.len; i++) {
		out_str(o, fail_on == FAIL_ON_NOTHING ? "::warning::" : "::error::");
		print_data(o, c->missing.at[i].text);
		out_char(o, '\n');
	}
}

static int print_all(const struct compare_args *args, const struct res_compare *c,
	enum compare_fail_on fail_on, struct err *err)
{
	struct doc *d = view_compare(c, args->all);
	struct out o;
	int rc = 0;

	if (args->markdown)
		rc = file_write_with(args->markdown, write_markdown, d, err);
	if (rc == 0 && args->html)
		rc = file_write_with(args->html, write_html, d, err);
	out_init(&o, STDOUT_FILENO);
	if (args->json) {
		json_write_doc(c, &o);
	} else {
		text_write_doc(d, &o, out_columns(STDOUT_FILENO, TEXT_COLUMNS));
		print_end(c, args->fail_on, &o);
	}
	if (args->format && !strcmp(args->format, "github"))
		print_github(c, fail_on, args->allow_new, &o);
	if (rc == 0)
		rc = command_flush(&o, err);
	else
		out_release(&o);
	doc_free(d);
	return rc;
}

/* ---- the command ---- */

static int parse_fail_on(const char *text, enum compare_fail_on *ret, struct err *err)
{
	if (!text || !strcmp(text, "regressions"))
		*ret = FAIL_ON_REGRESSIONS;
	else if (!strcmp(text, "limits"))
		*ret = FAIL_ON_LIMITS;
	else if (!strcmp(text, "nothing"))
		*ret = FAIL_ON_NOTHING;
	else
		return err_set(err, -EINVAL, "--fail-on takes regressions, limits or nothing");
	return 0;
}

static int check_args(const struct compare_args *args, const struct words *w, struct err *err)
{
	const struct alternate *a = &args->alternate;

	if (args->format && strcmp(args->format, "text") != 0 &&
		strcmp(args->format, "github") != 0)
		return err_set(err, -EINVAL, "--format takes text or github");
	if (args->json && args->format && strcmp(args->format, "text") != 0)
		return err_set(
			err, -EINVAL, "--json and --format %s: only one of them", args->format);
	if (!args->base_binary != !args->new_binary)
		return err_set(err, -EINVAL, "--base-binary and --new-binary go together");
	if (args->base_binary && (w->len || !a->scenario))
		return err_set(err, -EINVAL,
			"with --base-binary a --scenario is compared, not BASE and NEW");
	if (!args->base_binary && alternate_option(a))
		return err_set(err, -EINVAL, "--%s is for runs in turns: with --base-binary",
			alternate_option(a));
	if (args->base_binary && args->allow_new)
		return err_set(err, -EINVAL, "--allow-new is for a BASE, not for runs in turns");
	if (!args->base_binary && !w->len)
		return err_set(err, -EINVAL, "compare needs BASE (see compare --help)");
	return a->type ? gather_type(a->type, err) : 0;
}

/* NULL: all. */
static const char *only_type(const char *type)
{
	return type && strcmp(type, "all") != 0 ? type : NULL;
}

/* Leaves only what was asked for. */
static void keep_only(struct side *s, const char *scenario, const char *type)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->parts.len; i++) {
		struct side_part *p = &s->parts.at[i], swap = s->parts.at[kept];

		if ((scenario && strcmp(p->scenario, scenario) != 0) ||
			(type && strcmp(p->kind->id, type) != 0))
			continue;
		s->parts.at[kept++] = *p;
		*p = swap;
	}
	while (s->parts.len > kept)
		side_part_release(&s->parts.at[--s->parts.len]);
}

/* With --allow-new there may be none yet. */
static int read_base(
	const struct compare_args *args, const char *word, struct side *ret, struct err *err)
{
	cleanup_free char *path = gather_path(word, args->alternate.output_dir);

	if (path || !args->allow_new)
		return gather_side(ret, word, args->alternate.output_dir, err);
	ret->label = mem_strdup(word);
	return 0;
}

static int read_sides(
	struct compare_args *args, const struct words *w, struct side sides[2], struct err *err)
{
	struct alternate *a = &args->alternate;
	int rc;

	if (args->base_binary) {
		args->ways[0] =
			(struct alternate_way){"base", args->base_binary, args->base_binary, NULL};
		args->ways[1] =
			(struct alternate_way){"new", args->new_binary, args->new_binary, NULL};
		a->ways = args->ways;
		a->ways_len = 2;
		rc = alternate_run(a, sides, err);
		/* What other runs have left there is not of these. */
		for (int i = 0; i < 2; i++)
			keep_only(&sides[i], a->scenario, only_type(a->type ? a->type : "io"));
		return rc;
	}
	rc = read_base(args, w->at[0], &sides[0], err);
	if (rc == 0)
		rc = gather_side(
			&sides[1], w->len > 1 ? w->at[1] : a->output_dir, a->output_dir, err);
	for (int i = 0; i < 2; i++)
		keep_only(&sides[i], a->scenario, only_type(a->type));
	return rc;
}

/* ---- pictures ---- */

/* What a word names, NULL: nothing that lies in directories. */
static const char *const *word_places(const char *word, const char *out_dir, struct arena *arena)
{
	cleanup_free char *path = gather_path(word, out_dir);
	const char **places = arena_alloc(arena, 2, sizeof(*places));

	places[0] = arena_strdup(arena, path);
	return path ? places : NULL;
}

static void draw_part(const struct compare_args *args, const char *const *const places[2],
	const struct res_compare_part *p)
{
	const struct backend *b = backend_by_id(p->type);
	cleanup_free char *dir = mem_printf("%s/compare", args->alternate.output_dir);
	cleanup_free char *prefix = mem_printf("%s/%s", dir, p->scenario);
	struct err err = {0};
	int rc = 0;

	if (!b || !b->difference || !places[0] || !places[1] || !layout_name_ok(p->scenario))
		return;
	rc = file_mkdirs(dir, &err);
	if (rc == 0)
		rc = b->difference(places, p->scenario, prefix, &err);
	if (rc < 0)
		command_complain(err.text);
	else if (rc)
		fprintf(stderr, "wrote %s-diff-flamegraph.svg\n", prefix);
}

/* What can be drawn of the differences. A picture that cannot be had is no reason to fail. */
static void draw_all(
	const struct compare_args *args, const struct words *w, const struct res_compare *c)
{
	const struct alternate *a = &args->alternate;
	const char *const *places[2];
	struct arena arena = {0};

	if (args->base_binary) {
		places[0] = alternate_places(a, 0, &arena);
		places[1] = alternate_places(a, 1, &arena);
	} else {
		places[0] = word_places(w->at[0], a->output_dir, &arena);
		places[1] =
			word_places(w->len > 1 ? w->at[1] : a->output_dir, a->output_dir, &arena);
	}
	for (size_t i = 0; i < c->parts.len; i++)
		draw_part(args, places, &c->parts.at[i]);
	arena_release(&arena);
}

/* Of result files what is in them is asked about, of directories all that has limits. */
static int are_files(const struct compare_args *args, const struct words *w)
{
	struct stat st;
	int files = 0;

	for (size_t i = 0; i < w->len; i++) {
		cleanup_free char *path = gather_path(w->at[i], args->alternate.output_dir);

		files |= path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
	}
	return files;
}

static int compare_run(void *ctx, const struct words *w, struct err *err)
{
	struct compare_args *args = ctx;
	const char *type = only_type(args->alternate.type);
	const struct backend *b = type ? backend_by_id(type) : NULL;
	struct compare_options o = {.force = args->force,
		.allow_new = args->allow_new,
		.in_turns = args->base_binary != NULL,
		.scenario = args->alternate.scenario,
		.type = type,
		.schema = b ? b->schema : NULL};
	struct side sides[2] = {0};
	struct config *config = NULL;
	cleanup_free struct compare_limits *limits = NULL;
	struct res_compare *c = NULL;
	int rc = check_args(args, w, err);

	args->alternate.rest = w->rest;

	if (rc == 0)
		rc = parse_fail_on(args->fail_on, &o.fail_on, err);
	if (rc == 0)
		rc = gather_config(args->alternate.config, &config, err);
	limits = gather_limits(config);
	o.limits = limits;
	if (rc == 0)
		rc = read_sides(args, w, sides, err);
	o.only_found = args->base_binary || are_files(args, w);
	if (rc == 0)
		rc = compare_sides(&sides[0], &sides[1], &o, &c, err);
	if (rc == 0)
		rc = print_all(args, c, o.fail_on, err);
	if (rc == 0)
		draw_all(args, w, c);
	if (rc == 0)
		rc = (int)c->status;
	result_free(c);
	side_release(&sides[0]);
	side_release(&sides[1]);
	config_free(config);
	return rc;
}

const struct command command_compare = {
	.name = "compare",
	.meaning = "match two sets of results and test the differences",
	.usage = "profile-scenario compare BASE [NEW] [OPTIONS]\n"
		 "profile-scenario compare --scenario NAME --base-binary A --new-binary B "
		 "[--runs N]\n    [--ready SPEC --load CMD --work UNIT=REGEX] [OPTIONS] [-- "
		 "ARGS...]\n"
		 "BASE and NEW are baselines, directories of results or result files; without NEW "
		 "the results in DIR.\nCounts that agree between 3 or more runs of a side are "
		 "compared exactly; times by an exact rank test.\n\n",
	.after = "\nexit status: 0 no regression, 1 regression, 2 trouble, 3 cannot tell\n",
	COMMAND_OPTIONS(option_rows),
	.defaults = &(const struct compare_args){.alternate = {.output_dir = "results",
							 .folder = "compare",
							 .runs = RUNS_DEFAULT}},
	.words = 2,
	.keeps_rest = 1,
	.run = compare_run,
};
