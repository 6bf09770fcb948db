/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario run: runs a scenario. */
#include "common/cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/run/backend.h"
#include "common/run/config.h"
#include "common/run/optable.h"
#include "common/run/runner.h"
#include "common/run/scenario.h"

enum { HZ_MAX = 1000000, RUNS_MAX = 10000 };

#define AT(member) offsetof(struct scenario_args, member)
#define FLAG(name, member, help)                                                                   \
	{                                                                                          \
		name, NULL, OPTION_FLAG, AT(member), 0, 0, help                                    \
	}
#define TEXT(name, arg, member, help)                                                              \
	{                                                                                          \
		name, arg, OPTION_TEXT, AT(member), 0, 0, help                                     \
	}
#define SECONDS(name, member, help)                                                                \
	{                                                                                          \
		name, "SEC", OPTION_SECONDS, AT(member), 0, 0, help                                \
	}
#define COUNT(name, arg, member, min, max, help)                                                   \
	{                                                                                          \
		name, arg, OPTION_NUMBER, AT(member), min, max, help                               \
	}

static const struct optable_row option_rows[] = {
	TEXT("scenario", "NAME", scenario,
		"what the results are called; if the catalogue has it, what is run comes from "
		"there"),
	TEXT("type", "TYPE", type,
		"cpu, memory, io or all (default: the scenario's types, else cpu); this version "
		"has io"),
	TEXT("output-dir", "DIR", output_dir, "where results go (default results)"),
	TEXT("binary", "PATH", binary, "the target (else $PROFILE_BINARY, else the catalogue's)"),
	TEXT("config", "FILE", config,
		"the catalogue (default " CONFIG_DEFAULT_FILE ", if there is one)"),
	COUNT("sampling-rate", "HZ", sampling_hz, 1, HZ_MAX, "of type cpu (default 99)"),
	COUNT("runs", "N", runs, 1, RUNS_MAX,
		"how often (default 1); of several, the run of median window time is kept as the "
		"result"),
	COUNT("warmup", "N", warmup, 0, RUNS_MAX, "runs before that, thrown away (default 0)"),
	SECONDS("timeout", timeout_ns,
		"time limit of a run; then the target gets TERM, after the grace KILL"),
	SECONDS("grace", grace_ns, "from TERM to KILL (default 5)"),
	TEXT("ready", "SPEC", ready,
		"when the target can take load: udp:PORT, tcp:PORT (it holds the port), or a "
		"command "
		"that ends with 0"),
	TEXT("load", "CMD", load,
		"shell command that is run against the ready target, not traced; its life is the "
		"window; when it ends the target gets TERM"),
	TEXT("work", "UNIT=REGEX", work,
		"how much the load did: a number in its output, the first (...) of REGEX"),
	SECONDS("skip", skip_ns, "leave that much of the start out of the window"),
	SECONDS("duration", duration_ns, "end the window after that much"),
	FLAG("show-output", show_output,
		"with several runs: let output of target and load through instead of to DIR/logs"),
	FLAG("skip-unavailable", skip_unavailable,
		"a type that cannot run here is left out and does not count as a failure"),
	TEXT("mode", "MODE", mode, "of type io: auto or ptrace (default auto)"),
	FLAG("help", help, "print this"),
	FLAG("version", version, "print the version"),
};

static const struct optable options = {option_rows, sizeof(option_rows) / sizeof(option_rows[0])};

static void run_help(struct out *o)
{
	out_str(o, "profile-scenario [run] --scenario NAME [OPTIONS] [-- ARGS...]\n"
		   "ARGS are the target's arguments; they replace the catalogue's.\n\n");
	optable_help(&options, o);
	out_str(o, "\nexit status: the target's (124: time limit); with a load 0, or 2 if the load "
		   "failed or the target\nwas never ready or ended early; 125 where a type cannot "
		   "run; 2 for bad usage\n");
}

static void say_trouble(void *ctx, const char *text)
{
	(void)ctx;
	command_complain(text);
}

/* On stderr: standard output is the target's. */
static void say_note(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "profile-scenario: note: %s\n", text);
}

/* For a person who waits; a script knows where the files are. */
static void say_progress(void *ctx, const char *text)
{
	(void)ctx;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "%s\n", text);
}

static int read_config(const struct scenario_args *args, struct config **ret, struct err *err)
{
	if (args->config)
		return config_read(args->config, ret, err);
	if (access(CONFIG_DEFAULT_FILE, F_OK) < 0)
		return 0;
	return config_read(CONFIG_DEFAULT_FILE, ret, err);
}

static int run_scenario(
	const struct scenario_args *args, struct config *config, int *ret_status, struct err *err)
{
	static const struct runner_ui ui = {say_trouble, say_note, say_progress, NULL};
	struct scenario *sc;
	int rc = scenario_merge(args, config, getenv("PROFILE_BINARY"), &sc, err);

	if (rc < 0)
		return rc;
	if (sc->limits && sc->limits[0])
		say_note(NULL, "the scenario's limits are not checked by this version");
	rc = runner_run(sc, &ui, ret_status, err);
	scenario_free(sc);
	return rc;
}

static int run_main(char **argv)
{
	struct scenario_args args = {
		.sampling_hz = OPTION_UNSET,
		.runs = OPTION_UNSET,
		.warmup = OPTION_UNSET,
		.timeout_ns = OPTION_UNSET,
		.grace_ns = OPTION_UNSET,
		.skip_ns = OPTION_UNSET,
		.duration_ns = OPTION_UNSET,
	};
	struct config *config = NULL;
	struct err err = {0};
	int status = STATUS_USAGE;
	int rc = optable_parse(&options, argv, &args, &args.rest, &err);

	if (rc == 0)
		rc = read_config(&args, &config, &err);
	if (rc == 0)
		rc = run_scenario(&args, config, &status, &err);
	if (rc < 0)
		command_complain(err.text);
	config_free(config);
	return rc < 0 ? STATUS_USAGE : status;
}

const struct command command_run = {
	.name = "run",
	.meaning = "run a scenario and keep its profile",
	.run = run_main,
	.help = run_help,
};
