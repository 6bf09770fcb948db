/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario history: every version, and since when a figure is what it is. */
#include "common/cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/nearest.h"
#include "common/cli/gather.h"
#include "common/cli/history_add.h"
#include "common/cli/history_print.h"
#include "common/compare/metric.h"
#include "common/history/culprit.h"
#include "common/history/tell.h"
#include "common/model/json.h"
#include "common/report/plot_history.h"

enum { STATUS_WORSE = 1, STATUS_CANNOT_TELL = 3 };

struct history_args {
	struct history_place place;
	struct history_what what;
	const char *scenario, *type, *config, *svg, *json;
	uint64_t keep;
	int all;
};

#define OPTIONS struct history_args
static const struct optable_row option_rows[] = {
	OPT_TEXT("store", "WHERE", place.store,
		"a file, or postgresql://USER@HOST/DATABASE (default DIR/" HISTORY_FILE ")"),
	OPT_TEXT("output-dir", "DIR", place.output_dir, "where the results are (default results)"),
	OPT_TEXT("label", "VERSION", what.label, "of add: what the runs are of"),
	OPT_FLAG("more", what.more, "of add: the version may have such runs already"),
	OPT_TEXT("host", "NAME", what.host,
		"of add: where they were made (default: this host's name)"),
	OPT_TEXT("scenario", "NAME", scenario, "only that scenario"),
	OPT_TEXT("type", "TYPE", type, "only io, cpu or memory"),
	OPT_TEXT("config", "FILE", config,
		"of check: the catalogue, for its limits (default profile-scenario.json, if there "
		"is one)"),
	OPT_TEXT("svg", "FILE", svg, "of trend: draw it there, of one scenario"),
	OPT_TEXT("json", "FILE", json,
		"of list, show, trend and check: the same as JSON there, - is standard output, "
		"alone"),
	OPT_FLAG("all", all, "of show: the figures of each call; of check: what is the same, too"),
	OPT_COUNT("keep", "N", keep, 1, 1000000, "of prune: the newest N versions stay"),
	OPT_OF_ALL,
};

/* ---- where it goes ---- */

static int is_stdout(const char *path)
{
	return path && !strcmp(path, "-");
}

/* Nothing for people where standard output is taken. */
static int is_quiet(const struct history_args *args)
{
	return is_stdout(args->json) || is_stdout(args->svg);
}

static void write_svg(const void *ctx, struct out *o)
{
	const struct res_history *r = ctx;

	plot_history_write(&r->series.at[0], 1, o);
}

static int write_to(const char *path, void (*write)(const void *, struct out *),
	const struct res_history *r, struct err *err)
{
	int rc = path ? file_write_with(path, write, r, err) : 0;

	if (rc == 0 && path && !is_stdout(path))
		fprintf(stderr, "wrote %s\n", path);
	return rc;
}

/* Ends the output for people and writes the files; r is freed. */
static int finish(const struct history_args *args, struct out *o, struct res_history *r, int rc,
	struct err *err)
{
	int flushed = command_flush(o, rc == 0 ? err : &(struct err){0});

	if (rc == 0)
		rc = flushed;
	if (rc == 0)
		rc = write_to(args->svg, write_svg, r, err);
	if (rc == 0)
		rc = write_to(args->json, json_write_doc, r, err);
	result_free(r);
	return rc;
}

/* ---- list, show ---- */

static int list(struct history_args *args, struct history *h, struct err *err)
{
	struct res_history *r = tell_new("list", h);
	struct history_versions v = {0};
	struct out o;
	int rc = history_list(h, &v, err);

	out_init(&o, STDOUT_FILENO);
	tell_versions(r, &v);
	history_versions_release(&v);
	if (rc == 0 && !is_quiet(args))
		history_print_versions(r, &o);
	return finish(args, &o, r, rc, err);
}

static int show(struct history_args *args, struct history *h, const char *label, struct err *err)
{
	struct res_history *r = tell_new("show", h);
	struct side s = {0};
	struct out o;
	int rc = history_side(h, label, args->scenario, args->type, &s, err);

	out_init(&o, STDOUT_FILENO);
	tell_side(r, &s);
	side_release(&s);
	if (rc == 0 && !is_quiet(args))
		history_print_figures(r, args->all, &o);
	return finish(args, &o, r, rc, err);
}

/* ---- trend ---- */

static int check_one(const struct history_args *args, const struct res_history *r, struct err *err)
{
	if (!args->svg || r->series.len == 1)
		return 0;
	return err_set(err, -EINVAL,
		"--svg: '%.60s' is of %zu scenarios and types; --scenario and --type choose one",
		r->series.at[0].figure, r->series.len);
}

static int trend(struct history_args *args, struct history *h, const char *metric, struct err *err)
{
	const struct trend_ask ask = {metric, args->scenario, args->type};
	struct res_history *r = tell_new("trend", h);
	struct trend t = {0};
	struct out o;
	int rc = metric_check_name(metric, err);

	if (rc == 0)
		rc = trend_read(h, &ask, &t, err);
	if (rc == 0)
		rc = trend_culprits(h, &t, err);
	out_init(&o, STDOUT_FILENO);
	tell_trend(r, &t);
	trend_release(&t);
	if (rc == 0 && !is_quiet(args))
		history_print_series(r, &o);
	if (rc == 0)
		rc = check_one(args, r, err);
	return finish(args, &o, r, rc, err);
}

static int all_changes(struct history_args *args, struct history *h, struct err *err)
{
	const struct trend_ask ask = {NULL, args->scenario, args->type};
	struct res_history *r = tell_new("changes", h);
	struct history_versions v = {0};
	struct changes c = {0};
	struct out o;
	int rc = args->svg ? err_set(err, -EINVAL, "--svg needs a METRIC")
			   : history_list(h, &v, err);

	tell_versions(r, &v);
	history_versions_release(&v);
	if (rc == 0)
		rc = changes_read(h, &ask, &c, err);
	tell_changes(r, &c);
	changes_release(&c);
	out_init(&o, STDOUT_FILENO);
	if (rc == 0 && !is_quiet(args))
		history_print_changes(r, &o);
	return finish(args, &o, r, rc, err);
}

/* ---- check ---- */

struct checking {
	struct history *h;
	const struct history_args *args;
	const struct compare_limits *limits;
	struct history_versions v;
	struct res_history *r;
	struct {
		struct res_compare **at;
		size_t len, cap;
	} docs; /* r has them as they are */
	size_t worse, unsure;
	struct out o;
};

/* word: "dns io" */
static int has_runs_of(const struct history_version *v, const char *word)
{
	for (size_t i = 0; i < v->scenarios.len; i++)
		if (!strcmp(v->scenarios.at[i], word))
			return 1;
	return 0;
}

/* The version before the newest that has that scenario and type; NULL: none. */
static const char *version_before(const struct checking *c, const char *word)
{
	for (size_t i = c->v.len - 1; i-- > 0;)
		if (has_runs_of(&c->v.at[i], word))
			return c->v.at[i].label;
	return NULL;
}

/* What the newest version was to have, and did not come to. */
static int check_absent(struct checking *c, const char *scenario, const char *type, struct err *err)
{
	cleanup_free char *word = mem_printf("%s %s", scenario, type);

	(void)err;
	if (has_runs_of(&c->v.at[c->v.len - 1], word))
		return 0;
	tell_note(c->r,
		arena_printf(result_arena(c->r),
			"%s: the newest version has no runs of it, the one before has", word));
	c->unsure++;
	return 0;
}

static int check_part(struct checking *c, const char *scenario, const char *type, struct err *err)
{
	cleanup_free char *word = mem_printf("%s %s", scenario, type);
	const char *before = version_before(c, word);
	struct res_compare *doc = NULL;
	int rc;

	if (!before) {
		tell_note(
			c->r, arena_printf(result_arena(c->r), "%s: nothing came before it", word));
		c->unsure++;
		return 0;
	}
	rc = culprit_compare(c->h,
		&(struct culprit_ask){.base = before,
			.new = c->v.at[c->v.len - 1].label,
			.scenario = scenario,
			.type = type,
			.limits = c->limits},
		&doc, err);
	if (rc < 0)
		return rc;
	*VEC_PUSH(&c->docs) = doc;
	c->worse += doc->status == COMPARE_REGRESSION;
	c->unsure += doc->status == COMPARE_CANNOT_TELL || doc->status == COMPARE_TROUBLE;
	return 0;
}

/* A change of level that is known since the newest version, and begins before it or with it. */
static int is_new(const struct trend_series *s, const struct trend_change *c)
{
	struct trend_series before = *s;
	int known = 0;

	before.points.len--;
	before.changes.at = NULL;
	before.changes.len = before.changes.cap = 0;
	trend_find(&before);
	for (size_t i = 0; i < before.changes.len; i++)
		known |= before.changes.at[i].at + 2 >= c->at &&
			 before.changes.at[i].at <= c->at + 2;
	free(before.changes.at);
	return !known;
}

static int check_levels(struct checking *c, const char *metric, struct err *err)
{
	const struct trend_ask ask = {metric, c->args->scenario, c->args->type};
	struct err none = {0};
	struct trend t;
	int rc = trend_read(c->h, &ask, &t, &none);

	for (size_t i = 0; i < t.series.len && rc == 0; i++) {
		const struct trend_series *s = &t.series.at[i];
		const struct trend_change *last =
			s->changes.len ? &s->changes.at[s->changes.len - 1] : NULL;

		if (!last || last->why != TREND_NOISY || trend_direction(s, last) <= 0 ||
			strcmp(s->points.at[s->points.len - 1].label,
				c->v.at[c->v.len - 1].label) != 0 ||
			!is_new(s, last))
			continue;
		c->worse++;
		tell_change(c->r, &t, s, s->changes.len - 1);
	}
	trend_release(&t);
	return rc < 0 && rc != -ENOENT ? err_set(err, rc, "%s", none.text) : 0;
}

static int is_asked(const struct checking *c, const char *scenario, const char *type)
{
	return (!c->args->scenario || !strcmp(c->args->scenario, scenario)) &&
	       (!c->args->type || !strcmp(c->args->type, type));
}

/* Of each that a version has. */
static int check_each(struct checking *c, const struct history_version *v,
	int (*part)(struct checking *c, const char *scenario, const char *type, struct err *err),
	struct err *err)
{
	int rc = 0;

	for (size_t i = 0; i < v->scenarios.len && rc == 0; i++) {
		cleanup_free char *scenario = mem_strdup(v->scenarios.at[i]);
		char *type = strrchr(scenario, ' ');

		*type++ = '\0';
		if (is_asked(c, scenario, type))
			rc = part(c, scenario, type, err);
	}
	return rc;
}

static int check_all(struct checking *c, struct err *err)
{
	int rc = check_each(c, &c->v.at[c->v.len - 1], check_part, err);

	if (rc == 0 && c->v.len > 1)
		rc = check_each(c, &c->v.at[c->v.len - 2], check_absent, err);
	for (size_t i = 0; i < CHANGES_NOISY && rc == 0; i++)
		rc = check_levels(c, changes_noisy[i], err);
	return rc;
}

static int check_status(const struct checking *c)
{
	return c->worse ? STATUS_WORSE : c->unsure || !c->docs.len ? STATUS_CANNOT_TELL : STATUS_OK;
}

/* The comparisons stay those of c->docs. */
static void tell_check(struct checking *c)
{
	struct res_history *r = c->r;

	r->status = (uint64_t)check_status(c);
	r->version = arena_strdup(result_arena(r), c->v.at[c->v.len - 1].label);
	tell_versions(r, &c->v);
	RES_LIST(r, &r->comparisons, c->docs.len, compare);
	for (size_t i = 0; i < c->docs.len; i++)
		r->comparisons.at[i] = *c->docs.at[i];
}

/* The exit status, or a negative errno. */
static int check(struct history_args *args, struct history *h, struct err *err)
{
	struct config *config = NULL;
	struct checking c = {.h = h, .args = args, .r = tell_new("check", h)};
	int rc = gather_config(args->config, &config, err), status;
	cleanup_free struct compare_limits *limits = gather_limits(config);

	c.limits = limits;
	out_init(&c.o, STDOUT_FILENO);
	if (rc == 0)
		rc = history_list(h, &c.v, err);
	if (rc == 0 && !c.v.len)
		rc = err_set(err, -ENOENT, "%s: no versions: `history add` adds one", h->db->shown);
	if (rc == 0)
		rc = check_all(&c, err);
	if (rc == 0)
		tell_check(&c);
	if (rc == 0 && !is_quiet(args))
		history_print_check(c.r, args->all, &c.o);
	status = check_status(&c);
	rc = finish(args, &c.o, c.r, rc, err);
	for (size_t i = 0; i < c.docs.len; i++)
		result_free(c.docs.at[i]);
	free(c.docs.at);
	history_versions_release(&c.v);
	config_free(config);
	return rc < 0 ? rc : status;
}

/* ---- merge, prune ---- */

static int merge(struct history *h, const struct words *w, struct err *err)
{
	int rc = 0;

	for (size_t i = 1; i < w->len && rc == 0; i++) {
		struct history_added added;
		struct history *from = NULL;
		cleanup_free char *shown = db_shown(w->at[i]);

		rc = history_open(w->at[i], 1, h->kinds, &from, err);
		if (rc == 0)
			rc = history_merge(h, from, 0, &added, err);
		history_close(from);
		if (rc == 0)
			fprintf(stderr, "%s: %zu run%s added, %zu there already\n", shown,
				added.runs, added.runs == 1 ? "" : "s", added.there);
	}
	return rc;
}

static int prune(struct history_args *args, struct history *h, const char *label, struct err *err)
{
	size_t runs;
	int rc = history_prune(h, args->keep, label, &runs, err);

	if (rc == 0)
		fprintf(stderr, "%s: %zu run%s taken out\n", h->db->shown, runs,
			runs == 1 ? "" : "s");
	return rc;
}

/* ---- the command ---- */

static const struct verb {
	const char *name;
	size_t least, most; /* words after it */
	const char *needs;
	int has_json;
} verbs[] = {
	{"add", 0, WORDS_MAX, "", 0},
	{"list", 0, 0, "", 1},
	{"show", 1, 1, "a VERSION", 1},
	{"trend", 0, 1, "", 1},
	{"check", 0, 0, "", 1},
	{"merge", 1, WORDS_MAX, "a STORE", 0},
	{"prune", 0, 1, "", 0},
};

static const struct verb *find_verb(const char *word, struct err *err)
{
	struct nearest n = nearest_to(word, 2);

	for (size_t i = 0; i < LEN(verbs); i++) {
		if (!strcmp(verbs[i].name, word))
			return &verbs[i];
		nearest_try(&n, verbs[i].name);
	}
	cleanup_free char *hint = nearest_hint(&n);

	err_set(err, -EINVAL,
		"history is followed by add, list, show, trend, check, merge or prune%s%.60s%s%s",
		*word ? ", not '" : " (see history --help)", word, *word ? "'" : "", hint);
	return NULL;
}

static int check_words(const struct verb *v, const struct words *w, struct err *err)
{
	if (w->len - 1 < v->least)
		return err_set(err, -EINVAL, "history %s needs %s", v->name, v->needs);
	if (w->len - 1 > v->most)
		return err_set(
			err, -EINVAL, "'%.100s' is one argument too many", w->at[v->most + 1]);
	return 0;
}

static int check_files(const struct verb *v, const struct history_args *args, struct err *err)
{
	if (args->json && !v->has_json)
		return err_set(err, -EINVAL, "--json: history %s says nothing as JSON", v->name);
	if (args->svg && strcmp(v->name, "trend") != 0)
		return err_set(err, -EINVAL, "--svg is of history trend");
	if (is_stdout(args->json) && is_stdout(args->svg))
		return err_set(err, -EINVAL, "--json - and --svg -: only one of them");
	return 0;
}

static int check_prune(const struct history_args *args, const struct words *w, struct err *err)
{
	int both = w->len > 1 && args->keep != OPTION_UNSET;
	int none = w->len < 2 && args->keep == OPTION_UNSET;

	return both || none
		       ? err_set(err, -EINVAL, "history prune needs either a VERSION or --keep N")
		       : 0;
}

static int run_on(
	struct history_args *args, struct history *h, const struct words *w, struct err *err)
{
	const char *verb = w->at[0];

	if (!strcmp(verb, "list"))
		return list(args, h, err);
	if (!strcmp(verb, "show"))
		return show(args, h, w->at[1], err);
	if (!strcmp(verb, "trend"))
		return w->len > 1 ? trend(args, h, w->at[1], err) : all_changes(args, h, err);
	if (!strcmp(verb, "check"))
		return check(args, h, err);
	if (!strcmp(verb, "merge"))
		return merge(h, w, err);
	return prune(args, h, w->at[1], err);
}

static int history_run(void *ctx, const struct words *w, struct err *err)
{
	struct history_args *args = ctx;
	const struct verb *v = find_verb(w->len ? w->at[0] : "", err);
	cleanup_free char *address = history_address(&args->place);
	struct history *h = NULL;
	int rc;

	if (!v)
		return -EINVAL;
	rc = check_words(v, w, err);
	if (rc == 0)
		rc = check_files(v, args, err);
	if (rc == 0 && !strcmp(v->name, "prune"))
		rc = check_prune(args, w, err);
	if (rc < 0)
		return rc;
	if (!strcmp(v->name, "add"))
		return history_add_results(&args->place, &args->what, w->at + 1, err);
	rc = history_open(address, strcmp(v->name, "merge") != 0, gather_kinds(), &h, err);
	if (rc == 0)
		rc = run_on(args, h, w, err);
	history_close(h);
	return rc;
}

const struct command command_history = {
	.name = "history",
	.meaning = "every version in one store: since when is a figure what it is?",
	.usage =
		"profile-scenario history add [RESULTS..] --label VERSION [OPTIONS]\n"
		"profile-scenario history list | show VERSION | check [OPTIONS]\n"
		"profile-scenario history trend [METRIC] [OPTIONS]\n"
		"profile-scenario history merge STORE.. | prune VERSION | prune --keep N "
		"[OPTIONS]\n"
		"Keeps the runs of every version in one file, or on a server. trend shows a figure "
		"over the versions and where it changed, without METRIC every change; check holds "
		"the newest version against what came before. docs/HISTORY.md has the "
		"tables.\n\n",
	.after = "\nexit status: 0; of check 1 something got worse, 3 cannot tell; 2 trouble\n",
	COMMAND_OPTIONS(option_rows),
	.defaults = &(const struct history_args){.place = {.output_dir = "results"},
		.keep = OPTION_UNSET},
	.words = WORDS_MAX,
	.run = history_run,
};
