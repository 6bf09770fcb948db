/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario run: runs a scenario. */
#include "common/cli/command.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/out.h"
#include "common/base/units.h"
#include "common/cli/gather.h"
#include "common/cli/history_add.h"
#include "common/cli/progress.h"
#include "common/cli/results.h"
#include "common/cli/user.h"
#include "common/model/json.h"
#include "common/runner/backend.h"
#include "common/runner/config.h"
#include "common/runner/fill.h"
#include "common/runner/plan.h"
#include "common/runner/runner.h"
#include "common/runner/scenario.h"
#include "common/runner/target.h"

enum { HZ_MAX = 1000000, RUNS_MAX = 10000, STATUS_MISSED = 1 };

#define OPTIONS struct scenario_args
static const struct optable_row option_rows[] = {
	OPT_TEXT("scenario", "NAME", scenario,
		"what the results are called; if the catalogue has it, what is run comes from "
		"there"),
	OPT_FLAG("all", all,
		"run every scenario of the catalogue; with --type those that have it, of that "
		"type"),
	OPT_TEXT("type", "TYPE", type,
		"what is measured, see below; or all, one after another (default: the scenario's "
		"types, else cpu)"),
	OPT_TEXT("output-dir", "DIR", output_dir, "where results go (default results)"),
	OPT_TEXT("binary", "PATH", binary,
		"the target (else $PROFILE_BINARY, else the catalogue's)"),
	OPT_TEXT("user", "USER", user,
		"as root: run target and tool as USER, who gets the files; load, helpers and "
		"commands stay the caller's"),
	OPT_TEXT("attach", "PID|NAME", attach,
		"profile what runs already, and leave it running; with its descendants; until "
		"--duration, the end of the load, or a signal"),
	OPT_FLAG("attach-window", attach_window,
		"start the target free of any tool, and attach to it for the load"),
	OPT_FLAG("no-tree", no_tree, "attach without the descendants"),
	OPT_TEXT("config", "FILE", config,
		"the catalogue (default " CONFIG_DEFAULT_FILE ", if there is one)"),
	OPT_COUNT("sampling-rate", "HZ", sampling_hz, 1, HZ_MAX, "of type cpu (default 99)"),
	OPT_COUNT("runs", "N", runs, 1, RUNS_MAX,
		"how often (default 1); of several, the run of median window time is kept as the "
		"result"),
	OPT_COUNT("warmup", "N", warmup, 0, RUNS_MAX, "runs before that, thrown away (default 0)"),
	OPT_SECONDS("timeout", timeout_ns,
		"time limit of a run; then the target gets TERM, after the grace KILL"),
	OPT_SECONDS("grace", grace_ns, "from TERM to KILL (default 5)"),
	OPT_TEXT("ready", "SPEC", ready,
		"when the target can take load: udp:PORT, tcp:PORT (it holds the port), or a "
		"command "
		"that ends with 0"),
	OPT_SECONDS("ready-timeout", ready_timeout_ns,
		"how long target and helpers may take to be ready (default 30)"),
	OPT_TEXT("load", "CMD", load,
		"shell command that is run against the ready target, not traced; its life is the "
		"window; when it ends the target gets TERM"),
	OPT_TEXT("work", "UNIT=REGEX", work,
		"how much the load did: a number in its output, the first (...) of REGEX"),
	OPT_TEXT("latency", "UNIT=REGEX", latency,
		"what the load says of its latency, found like --work; UNIT is ns, us, ms or s"),
	OPT_SECONDS("skip", skip_ns, "leave that much of the start out of the window"),
	OPT_SECONDS("duration", duration_ns, "end the window after that much"),
	OPT_TEXT("prepare", "CMD", prepare,
		"shell command that is run before the runs of a scenario, e.g. to build its "
		"target"),
	OPT_TEXT("set", "NAME=VALUE", set,
		"write VALUE where {NAME} stands: in target, arguments, environment, load and "
		"commands"),
	OPT_TEXT("history", "VERSION", history,
		"add the results to a history too, as runs of VERSION (see history --help)"),
	OPT_TEXT("store", "WHERE", history_store,
		"the history: a file, or postgresql://.. (default DIR/" HISTORY_FILE ")"),
	OPT_FLAG("control", control,
		"before each run one without a tool: the difference is the cost of observing"),
	OPT_FLAG("dry-run", dry_run,
		"print the command lines of target, tool and load; run nothing"),
	OPT_FLAG("json", json,
		"print what came of it as one JSON object on stdout; output of target and load "
		"goes to DIR/logs"),
	OPT_FLAG("quiet", quiet,
		"say neither where the results are nor what goes on; only what goes wrong"),
	OPT_FLAG("show-output", show_output,
		"with several runs: let output of target and load through instead of to DIR/logs"),
	OPT_FLAG("skip-unavailable", skip_unavailable,
		"a type that cannot run here is left out and does not count as a failure"),
	OPT_TEXT("mode", "MODE", mode, "of type io: auto or ptrace (default auto)"),
	OPT_FLAG("io-stacks", io_stacks,
		"of type io: also which code makes the calls, as folded stacks by time, bytes, "
		"calls, messages"),
	OPT_TEXT("call-graph", "HOW", call_graph,
		"of type cpu: how stacks are taken, dwarf or fp (default dwarf)"),
	OPT_TEXT("diff", "BASE", diff,
		"of type cpu: also draw the difference to BASE, a folded file or a results "
		"directory"),
	OPT_COUNT("detailed-freq", "N", memory.detailed_freq, 1, 1000000,
		"of type memory: every Nth snapshot says who holds the memory (default 10)"),
	OPT_COUNT("max-snapshots", "N", memory.max_snapshots, 10, 1000,
		"of type memory: how many are kept (default 100)"),
	OPT_COUNT("depth", "N", memory.depth, 1, 200, "of type memory: callers told (default 30)"),
	OPT_TEXT("threshold", "PERCENT", memory.threshold,
		"of type memory: places with less of the total are lumped together (default 1.0)"),
	OPT_TEXT("time-unit", "UNIT", memory.time_unit,
		"of type memory: i (instructions, default), ms, or B (bytes allocated and freed)"),
	OPT_TEXT("alloc-fn", "NAMES", memory.alloc_fn,
		"of type memory: functions that only wrap an allocation, separated by ';'"),
	OPT_TEXT("ignore-fn", "NAMES", memory.ignore_fn,
		"of type memory: functions whose allocations do not count, separated by ';'"),
	OPT_FLAG("pages-as-heap", memory.pages_as_heap,
		"of type memory: count mapped pages instead of what malloc gives"),
	OPT_FLAG("stacks", memory.stacks, "of type memory: measure stacks too (slow)"),
	OPT_OF_ALL,
};

static void run_help(struct out *o)
{
	const struct backend *b;
	out_str(o, "\ntypes:\n");
	for (size_t i = 0; (b = backend_at(i)); i++)
		out_printf(o, "  %-10s %s%s\n", b->id, b->meaning,
			b->by_name ? " (not one of all)" : "");
}

/* ---- which scenarios ---- */

struct chosen {
	struct scenario **at;
	size_t len, cap;
};

static int choose_one(
	const struct scenario_args *args, struct config *config, struct chosen *c, struct err *err)
{
	struct scenario *sc;
	int rc = scenario_merge(args, config, getenv("PROFILE_BINARY"), &sc, err);

	if (rc < 0)
		return rc;
	*VEC_PUSH(c) = sc;
	if (args->set && fill_scenario(sc, args->set, err) < 0)
		return err_wrap(err, "--set");
	return 0;
}

static int choose_all(
	const struct scenario_args *args, struct config *config, struct chosen *c, struct err *err)
{
	struct scenario_args one = *args;

	if (args->scenario || args->rest)
		return err_set(
			err, -EINVAL, "--all takes neither --scenario nor arguments after --");
	if (!config)
		return err_set(err, -ENOENT,
			"--all needs a catalogue: " CONFIG_DEFAULT_FILE
			" in the working directory, or --config FILE");
	for (size_t i = 0; i < config->scenarios_len; i++) {
		const struct config_scenario *from = &config->scenarios[i];

		if (!scenario_has_type(args->there, from, args->type))
			continue;
		one.scenario = from->name;
		/* "all" are those of the scenario. */
		one.type = args->type && strcmp(args->type, "all") != 0 ? args->type : NULL;
		int rc = choose_one(&one, config, c, err);
		if (rc < 0)
			return err_wrap(err, "scenario %s", from->name);
	}
	if (!c->len)
		return err_set(err, -ENOENT, "no scenario in %s%s%s", config->path,
			args->type ? " has type " : "", args->type ? args->type : "");
	return 0;
}

/* A name that nobody gave is no name of the catalogue's: it would start that one's load. */
static int choose_attached(
	struct scenario_args *args, struct config *config, struct chosen *c, struct err *err)
{
	int rc;

	if (args->all)
		return err_set(err, -EINVAL, "--attach is for one scenario, not for --all");
	if (args->user)
		return err_set(err, -EINVAL,
			"--user is of a target that is started: that of --attach runs already");
	rc = attach_find(args->attach, !args->no_tree, &args->attached, err);
	if (rc < 0)
		return rc;
	if (args->scenario)
		return choose_one(args, config, c, err);
	args->scenario = attach_name(args->attached);
	return choose_one(args, NULL, c, err);
}

static int choose(
	struct scenario_args *args, struct config *config, struct chosen *c, struct err *err)
{
	if (args->json && args->show_output)
		return err_set(err, -EINVAL, "--json and --show-output both want standard output");
	if (args->attach)
		return choose_attached(args, config, c, err);
	return args->all ? choose_all(args, config, c, err) : choose_one(args, config, c, err);
}

static void chosen_release(struct chosen *c)
{
	for (size_t i = 0; i < c->len; i++)
		scenario_free(c->at[i]);
	free(c->at);
}

/* ---- what is done with them ---- */

static void write_plans(const void *ctx, struct out *o)
{
	const struct chosen *c = ctx;

	for (size_t i = 0; i < c->len; i++) {
		target_locate(c->at[i], NULL, NULL);
		plan_write(c->at[i], o);
	}
}

/* ---- limits ---- */

/* What this run has left of a scenario: its other types may be of an earlier one. */
static int read_new(const struct scenario *sc, const struct res_run_scenario *ran,
	struct side *side, struct err *err)
{
	int rc = 0;

	for (const struct result_kind *k = gather_kinds(); k->id && rc == 0; k++)
		for (size_t i = 0; i < ran->types.len && rc == 0; i++)
			if (!strcmp(ran->types.at[i].type, k->id) && ran->types.at[i].files.len)
				rc = side_read_one(side, sc->output_dir, sc->name, k, err);
	return rc;
}

static void tell(
	struct res_run *report, size_t scenario, const struct runner_ui *ui, const char *text)
{
	result_append(report, &report->scenarios.at[scenario].troubles, text);
	ui->trouble(ui->ctx, text);
}

static void tell_missed(const struct res_compare *c, struct res_run *report, size_t scenario,
	const struct runner_ui *ui)
{
	for (size_t p = 0; p < c->parts.len; p++) {
		for (size_t i = 0; i < c->parts.at[p].runs.len && !report->status; i++) {
			cleanup_free char *text = mem_printf("%s: its limits cannot be judged: %s",
				c->parts.at[p].scenario, c->parts.at[p].runs.at[i].text);
			tell(report, scenario, ui, text);
		}
		for (size_t i = 0; i < c->parts.at[p].metrics.len; i++) {
			const struct res_compare_metric *m = &c->parts.at[p].metrics.at[i];
			char value[UNITS_BUF];

			if (!strcmp(m->verdict, "ok"))
				continue;
			units_figure(value, m->unit, m->new_median);
			cleanup_free char *text = mem_printf("%s: %s%s%s: %s%s%s",
				c->parts.at[p].scenario, m->name,
				isnan(m->new_median) ? "" : " is ",
				isnan(m->new_median) ? "" : value,
				!strcmp(m->verdict, "REGRESSION") ? "limit missed" : m->verdict,
				m->why ? ", " : "", m->why ? m->why : "");
			tell(report, scenario, ui, text);
		}
	}
}

/* Holds what the scenario has left against its limits. */
static int check_limits(const struct scenario *sc, size_t place, struct res_run *report,
	const struct runner_ui *ui, struct err *err)
{
	const struct compare_limits limits[] = {{sc->name, sc->limits}, {NULL, NULL}};
	struct side side = {0};
	struct res_compare *c = NULL;
	int rc = read_new(sc, &report->scenarios.at[place], &side, err);

	if (rc == 0 && side.parts.len)
		rc = compare_budgets(&side, limits, &c, err);
	if (c && c->status)
		tell_missed(c, report, place, ui);
	rc = c ? (int)c->status : rc;
	result_free(c);
	side_release(&side);
	return rc;
}

static void check_all_limits(
	const struct chosen *c, struct res_run *report, const struct runner_ui *ui)
{
	for (size_t i = 0; i < c->len && i < report->scenarios.len; i++) {
		struct err err = {0};
		int rc = 0;

		if (c->at[i]->limits && c->at[i]->limits[0])
			rc = check_limits(c->at[i], i, report, ui, &err);
		if (rc < 0)
			ui->trouble(ui->ctx, err.text);
		if (rc && !report->status)
			report->status = rc < 0 ? STATUS_USAGE : STATUS_MISSED;
		if (rc && !report->scenarios.at[i].status)
			report->scenarios.at[i].status = rc < 0 ? STATUS_USAGE : STATUS_MISSED;
	}
}

/* ---- --history ---- */

static void add_to_history(const struct scenario_args *args, const struct chosen *c,
	struct res_run *report, const struct runner_ui *ui)
{
	struct side side = {0};
	struct err err = {0};
	int rc = 0;

	for (size_t i = 0; i < c->len && i < report->scenarios.len && rc == 0; i++)
		rc = read_new(c->at[i], &report->scenarios.at[i], &side, &err);
	if (rc == 0 && side.runs)
		rc = history_add_side(
			&(struct history_place){args->history_store, c->at[0]->output_dir},
			&(struct history_what){.label = args->history}, &side, &err);
	if (rc < 0)
		ui->trouble(ui->ctx, err.text);
	if (rc < 0 && !report->status)
		report->status = STATUS_USAGE;
	side_release(&side);
}

static int run_chosen(const struct scenario_args *args, const struct chosen *c)
{
	struct err err = {0};
	struct res_run *report = result_make(&schema_run);
	struct progress progress;
	int status;

	progress_init(&progress, args->quiet  ? PROGRESS_TROUBLES
				 : args->json ? PROGRESS_NOTES
					      : PROGRESS_ALL);
	runner_run(
		&(struct runner_job){
			.scenarios = c->at, .len = c->len, .ui = &progress.ui, .logs = args->json},
		report);
	check_all_limits(c, report, &progress.ui);
	if (args->history)
		add_to_history(args, c, report, &progress.ui);
	status = (int)report->status;
	if (!args->json && !args->quiet)
		results_tell(report, c->at);
	if (args->json && command_write(json_write_doc, report, &err) < 0) {
		command_complain(err.text);
		status = status ? status : STATUS_USAGE;
	}
	result_free(report);
	return status;
}

/* With --json bad usage is an answer too. */
static void refuse(const void *args, const struct err *err)
{
	if (!((const struct scenario_args *)args)->json)
		return;
	struct res_run *report = result_make(&schema_run);

	report->status = STATUS_USAGE;
	result_append(report, &report->troubles, err->text);
	command_write(json_write_doc, report, NULL);
	result_free(report);
}

static int run_run(void *ctx, const struct words *words, struct err *err)
{
	struct scenario_args *args = ctx;
	struct config *config = NULL;
	struct chosen chosen = {0};
	struct as_user user = {0};
	int rc = gather_config(args->config, &config, err);

	args->rest = words->rest;
	args->there = gather_types();
	if (rc == 0)
		rc = choose(args, config, &chosen, err);
	if (rc == 0 && args->history)
		rc = history_check(&(struct history_place){args->history_store, NULL},
			&(struct history_what){.label = args->history}, err);
	if (rc == 0 && !args->dry_run)
		rc = user_begin(&user, args->user, chosen.at, chosen.len, err);
	if (rc == 0)
		rc = args->dry_run ? command_write(write_plans, &chosen, err)
				   : run_chosen(args, &chosen);
	user_end(&user);
	chosen_release(&chosen);
	attach_free(args->attached);
	config_free(config);
	return rc;
}

const struct command command_run = {
	.name = "run",
	.meaning = "run a scenario and keep its profile",
	.usage = "profile-scenario [run] --scenario NAME [OPTIONS] [-- ARGS...]\n"
		 "profile-scenario [run] --attach PID|NAME [OPTIONS]\n"
		 "profile-scenario [run] --all [OPTIONS]\n"
		 "ARGS are the target's arguments; they replace the catalogue's.\n\n",
	.after = "\nexit status: the target's (124: time limit); with a load 0, or 2 if the load "
		 "failed or the target was never ready or ended early; 1 where a limit of the "
		 "catalogue is missed; 125 where a type cannot run; 2 for bad usage. Of several "
		 "the first that is not 0.\n",
	.help = run_help,
	COMMAND_OPTIONS(option_rows),
	.defaults = &(const struct scenario_args){SCENARIO_ARGS_UNSET},
	.run = run_run,
	.refuse = refuse,
};
