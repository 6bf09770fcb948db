/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/runner/optable.h"
#include "common/runner/median.h"
#include "common/runner/scenario.h"

static const char *const list_ab[] = {"a", "b", NULL};
static const char *const list_io[] = {"io", NULL};
static const char *const list_all[] = {"all", NULL};
static const char *const list_load[] = {"load", "-x", NULL};
static const char *const list_command[] = {"prog", "1", NULL};
static const char *const list_shell[] = {"sh", "-c", "x; y", NULL};

#define UNSET_NUMBERS                                                                              \
	.sampling_hz = CONFIG_UNSET, .runs = CONFIG_UNSET, .warmup = CONFIG_UNSET,                 \
	.timeout_ns = CONFIG_UNSET, .ready_timeout_ns = CONFIG_UNSET, .skip_ns = CONFIG_UNSET,     \
	.duration_ns = CONFIG_UNSET

static struct config_scenario scenarios[] = {
	{.name = "plain", .args = list_ab, UNSET_NUMBERS},
	{.name = "full",
		.args = list_ab,
		.types = list_io,
		.ready = "udp:5",
		.load = list_load,
		.work_unit = "q",
		.work_regex = "(\\d+)",
		.sampling_hz = 999,
		.runs = 5,
		.warmup = 1,
		.timeout_ns = 7,
		.skip_ns = 8,
		.duration_ns = 9,
		.trace = "write",
		.no_times = 1},
	{.name = "command", .command = list_command, UNSET_NUMBERS},
	{.name = "shell", .command = list_shell, UNSET_NUMBERS},
	{.name = "window",
		.args = list_ab,
		.types = list_all,
		.load = list_load,
		.attach = 1,
		UNSET_NUMBERS},
};
static struct config config = {.path = "c.json",
	.binary = "./target",
	.build = "make",
	.scenarios = scenarios,
	.scenarios_len = 5};

static const struct scenario_type there[] = {{"cpu", NULL, 0},
	{"memory", "massif cannot attach", 0}, {"io", NULL, 0}, {"rare", NULL, 1}, {NULL, NULL, 0}};

static struct scenario_args no_args(const char *name)
{
	return (struct scenario_args){.there = there, .scenario = name, SCENARIO_ARGS_UNSET};
}

static struct scenario *merged(
	const struct scenario_args *args, struct config *c, const char *env_binary)
{
	struct err err = {0};
	struct scenario *sc = NULL;

	if (scenario_merge(args, c, env_binary, &sc, &err) < 0)
		fail_msg("%s", err.text);
	return sc;
}

static void assert_list(const char *const *list, const char *want)
{
	char text[256] = "";

	for (; *list; list++) {
		strcat(text, *list);
		strcat(text, "|");
	}
	assert_string_equal(text, want);
}

static void test_defaults(void **state)
{
	struct scenario_args args = no_args("new");
	char *rest[] = {(char[]){"-p"}, NULL};

	(void)state;
	args.binary = "/bin/x";
	args.rest = rest;
	struct scenario *sc = merged(&args, NULL, NULL);
	assert_list(sc->argv, "/bin/x|-p|");
	assert_list(sc->types, "cpu|");
	assert_string_equal(sc->output_dir, "results");
	assert_string_equal(sc->mode, "auto");
	assert_int_equal(sc->sampling_hz, 99);
	assert_int_equal(sc->runs, 1);
	assert_int_equal(sc->warmup, 0);
	assert_int_equal(sc->timeout_ns, 0);
	assert_int_equal(sc->grace_ns, 5000000000);
	assert_null(sc->build);
	assert_null(sc->load);
	scenario_free(sc);
}

static void test_catalogue_and_command_line(void **state)
{
	struct scenario_args args = no_args("full");

	(void)state;
	struct scenario *sc = merged(&args, &config, NULL);
	assert_list(sc->argv, "./target|a|b|");
	assert_string_equal(sc->build, "make");
	assert_list(sc->types, "io|");
	assert_list(sc->load, "load|-x|");
	assert_int_equal(sc->ready.port, 5);
	assert_int_equal(sc->runs, 5);
	assert_int_equal(sc->sampling_hz, 999);
	assert_int_equal(sc->timeout_ns, 7);
	assert_string_equal(sc->trace, "write");
	assert_int_equal(sc->no_times, 1);
	scenario_free(sc);

	char *rest[] = {NULL};
	args.rest = rest;
	args.type = "all";
	args.load = "x | y";
	args.ready = "test -e f";
	args.work = "req=([0-9]+) r=s";
	args.runs = 2;
	args.skip_ns = 0;
	sc = merged(&args, &config, NULL);
	assert_list(sc->argv, "./target|");
	assert_list(sc->types, "cpu|memory|io|"); /* and not what only runs by its name */
	assert_list(sc->load, "sh|-c|x | y|");
	assert_int_equal(sc->ready.kind, READY_COMMAND);
	assert_string_equal(sc->work_unit, "req");
	assert_string_equal(sc->work_regex, "([0-9]+) r=s");
	assert_int_equal(sc->runs, 2);
	assert_int_equal(sc->skip_ns, 0);
	scenario_free(sc);
}

static void test_target(void **state)
{
	static const struct {
		const char *scenario, *binary, *env;
		int has_rest, has_config;
		const char *argv, *build;
	} rows[] = {
		{"plain", NULL, NULL, 0, 1, "./target|a|b|", "make"},
		{"plain", NULL, "", 0, 1, "./target|a|b|", "make"},
		{"plain", NULL, "/env", 0, 1, "/env|a|b|", NULL},
		{"plain", "/opt", "/env", 0, 1, "/opt|a|b|", NULL},
		{"plain", "./target", NULL, 0, 1, "./target|a|b|", "make"},
		{"plain", NULL, NULL, 1, 1, "./target|r|", "make"},
		{"new", NULL, NULL, 1, 1, "./target|r|", "make"},
		{"new", NULL, "/env", 0, 0, "/env|", NULL},
		{"command", NULL, "/env", 0, 1, "prog|1|", NULL},
		{"command", "/opt", NULL, 1, 1, "/opt|r|", NULL},
		{"shell", NULL, NULL, 0, 1, "sh|-c|x; y|", NULL},
	};
	char *rest[] = {(char[]){"r"}, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenario_args args = no_args(rows[i].scenario);

		args.binary = rows[i].binary;
		args.rest = rows[i].has_rest ? rest : NULL;
		struct scenario *sc =
			merged(&args, rows[i].has_config ? &config : NULL, rows[i].env);
		assert_list(sc->argv, rows[i].argv);
		assert_int_equal(!sc->build, !rows[i].build);
		scenario_free(sc);
	}
}

static void test_errors(void **state)
{
	static const struct {
		const char *scenario, *type, *mode, *ready, *load, *work, *binary, *says;
	} rows[] = {
		{NULL, NULL, NULL, NULL, NULL, NULL, "x", "--scenario"},
		{"a/b", NULL, NULL, NULL, NULL, NULL, "x", "a/b"},
		{"a", "disk", NULL, NULL, NULL, NULL, "x", "disk"},
		{"a", NULL, "slow", NULL, NULL, NULL, "x", "slow"},
		{"a", NULL, NULL, "udp:0", "l", NULL, "x", "udp:0"},
		{"a", NULL, NULL, "udp:5", NULL, NULL, "x", "ready needs a load"},
		{"a", NULL, NULL, NULL, NULL, "q=(x)", "x", "work needs a load"},
		{"a", NULL, NULL, NULL, "l", "(x)", "x", "UNIT=REGEX"},
		{"a", NULL, NULL, NULL, "l", "q=x", "x", "group"},
		{"a", NULL, NULL, NULL, "l", "q=(", "x", "work: regex"},
		{"shell", NULL, NULL, NULL, NULL, NULL, "x", "shell text"},
		{"plian", NULL, NULL, NULL, NULL, NULL, NULL,
			"plain, full, command, shell, window"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenario_args args = no_args(rows[i].scenario);
		struct scenario *sc = NULL;
		struct err err = {0};

		args.type = rows[i].type;
		args.mode = rows[i].mode;
		args.ready = rows[i].ready;
		args.load = rows[i].load;
		args.work = rows[i].work;
		args.binary = rows[i].binary;
		assert_true(scenario_merge(&args, &config, NULL, &sc, &err) < 0);
		if (!strstr(err.text, rows[i].says))
			fail_msg("row %zu: '%s' does not say '%s'", i, err.text, rows[i].says);
		assert_null(sc);
	}
}

/* ---- attaching ---- */

static const char *const running_command[] = {"server", "-x", NULL};
static struct attach running = {.command = running_command};

static void test_by_name(void **state)
{
	struct scenario_args args = no_args("new");

	(void)state;
	args.type = "rare";
	args.binary = "x";
	struct scenario *sc = merged(&args, NULL, NULL);
	assert_list(sc->types, "rare|");
	scenario_free(sc);
}

static void test_attached(void **state)
{
	struct scenario_args args = no_args("running");

	(void)state;
	args.attached = &running;
	args.type = "all";
	args.duration_ns = 5;
	struct scenario *sc = merged(&args, &config, "/ignored");
	assert_ptr_equal(sc->attach, &running);
	assert_list(sc->argv, "server|-x|");
	assert_list(sc->types, "cpu|io|");
	assert_non_null(strstr(sc->left_out, "type memory"));
	assert_null(sc->build);
	scenario_free(sc);

	/* Of the catalogue, the load and the rest; not what would start the target. */
	args.scenario = "full";
	args.type = NULL;
	sc = merged(&args, &config, NULL);
	assert_list(sc->argv, "server|-x|");
	assert_list(sc->load, "load|-x|");
	assert_list(sc->types, "io|");
	assert_null(sc->left_out);
	scenario_free(sc);

	args.scenario = "window";
	sc = merged(&args, &config, NULL);
	assert_ptr_equal(sc->attach, &running);
	assert_false(sc->attach_window);
	scenario_free(sc);
}

static void test_attach_window(void **state)
{
	struct scenario_args args = no_args("window");

	(void)state;
	struct scenario *sc = merged(&args, &config, NULL);
	assert_true(sc->attach_window);
	assert_null(sc->attach);
	assert_list(sc->argv, "./target|a|b|");
	assert_list(sc->types, "cpu|io|");
	scenario_free(sc);
	assert_true(scenario_has_type(there, &scenarios[4], "io"));
	assert_false(scenario_has_type(there, &scenarios[4], "memory"));
	assert_false(scenario_has_type(there, &scenarios[4], "rare"));

	args = no_args("full");
	args.attach_window = 1;
	sc = merged(&args, &config, NULL);
	assert_true(sc->attach_window);
	scenario_free(sc);
}

static void test_attach_errors(void **state)
{
	static char *rest[] = {NULL};
	static const struct {
		struct attach *to;
		int window, no_tree, control;
		const char *type, *binary, *load;
		char **rest;
		uint64_t runs, duration_ns;
		const char *says;
	} rows[] = {
		{&running, 0, 0, 0, "memory", NULL, NULL, NULL, 1, 5, "massif cannot attach"},
		{&running, 0, 0, 0, "io", "x", NULL, NULL, 1, 5, "--binary"},
		{&running, 0, 0, 0, "io", NULL, NULL, rest, 1, 5, "after --"},
		{&running, 1, 0, 0, "io", NULL, "l", NULL, 1, 5, "exclude each other"},
		{&running, 0, 0, 0, "io", NULL, NULL, NULL, 2, OPTION_UNSET, "--duration"},
		{&running, 0, 0, 0, "all", NULL, NULL, NULL, 1, OPTION_UNSET, "--duration"},
		{&running, 0, 0, 1, "io", NULL, NULL, NULL, 1, 5, "--control"},
		{NULL, 1, 0, 0, "io", "x", NULL, NULL, 1, 5, "needs a load"},
		{NULL, 1, 0, 0, "memory", "x", "l", NULL, 1, 5, "massif cannot attach"},
		{NULL, 0, 1, 0, "io", "x", NULL, NULL, 1, 5, "--no-tree"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenario_args args = no_args("new");
		struct scenario *sc = NULL;
		struct err err = {0};

		args.attached = rows[i].to;
		args.attach_window = rows[i].window;
		args.no_tree = rows[i].no_tree;
		args.control = rows[i].control;
		args.type = rows[i].type;
		args.binary = rows[i].binary;
		args.load = rows[i].load;
		args.rest = rows[i].rest;
		args.runs = rows[i].runs;
		args.duration_ns = rows[i].duration_ns;
		assert_true(scenario_merge(&args, NULL, NULL, &sc, &err) < 0);
		if (!strstr(err.text, rows[i].says))
			fail_msg("row %zu: '%s' does not say '%s'", i, err.text, rows[i].says);
		assert_null(sc);
	}
}

static void test_median(void **state)
{
	static const struct {
		struct median_time times[5];
		size_t len, want;
	} rows[] = {
		{{{5, 0}}, 1, 0},
		{{{5, 1}}, 1, 0},
		{{{3, 0}, {1, 0}, {2, 0}}, 3, 2},
		{{{4, 0}, {1, 0}, {3, 0}, {2, 0}}, 4, 3},
		{{{1, 1}, {2, 1}, {9, 0}}, 3, 2},
		{{{1, 1}, {2, 1}, {3, 1}}, 3, 1},
		{{{7, 0}, {7, 0}, {7, 0}}, 3, 1},
		{{{1, 1}, {30, 0}, {10, 0}, {20, 0}, {0, 1}}, 5, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(median_run(rows[i].times, rows[i].len), rows[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_catalogue_and_command_line),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_attached),
		cmocka_unit_test(test_attach_window),
		cmocka_unit_test(test_attach_errors),
		cmocka_unit_test(test_median),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	arena_release(&config.arena);
	return failed;
}
