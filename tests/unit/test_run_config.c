/* SPDX-License-Identifier: GPL-3.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base/file.h"
#include "common/runner/config.h"
#include "common/runner/locate.h"

static int read_text(const char *text, struct config **ret, struct err *err)
{
	char path[] = "/tmp/test-config-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	int rc = config_read(path, ret, err);
	unlink(path);
	return rc;
}

static void assert_list(const char *const *list, const char *want)
{
	char text[256] = "";

	assert_non_null(list);
	for (; *list; list++) {
		strcat(text, *list);
		strcat(text, "|");
	}
	assert_string_equal(text, want);
}

static void test_every_key(void **state)
{
	static const char text[] =
		"{\"target\": {\"binary\": \"b\", \"build\": \"make\"}, \"scenarios\": {\"a-1\": {"
		"\"args\": [\"x\", \"\"], \"env\": {\"K\": \"v=1\", \"U\": null}, \"cwd\": \"/d\","
		"\"stdin\": \"in\", \"helpers\": [\"h &\", [\"h\", \"1\"], {\"command\": \"x\", "
		"\"ready\": \"tcp:6\"}], \"types\": [\"io\", \"cpu\"], \"runs\": 5,"
		"\"warmup\": 0, \"timeout\": 60, \"ready\": \"udp:5\", \"load\": [\"l\", \"-x\"],"
		"\"work\": {\"unit\": \"q\", \"from\": \"load\", \"regex\": \"(\\\\d+)\"},"
		"\"latency\": {\"unit\": \"us\", \"regex\": \"avg (.*)\"}, \"ready_timeout\": 2, "
		"\"sampling_rate\": 199,"
		"\"skip\": 1.5, \"duration\": \"200ms\", \"trace\": \"%io\", \"no_times\": true,"
		"\"limits\": {\"a.b\": \"<= 2\", \"c\": \"> 1\"}}, \"b\": {\"command\": \"x | "
		"y\"}}}";
	struct err err = {0};
	struct config *c;

	(void)state;
	assert_int_equal(read_text(text, &c, &err), 0);
	assert_string_equal(c->binary, "b");
	assert_string_equal(c->build, "make");
	assert_int_equal(c->scenarios_len, 2);
	const struct config_scenario *s = config_find(c, "a-1");
	assert_list(s->args, "x||");
	assert_list(s->env, "K=v=1|U|");
	assert_string_equal(s->cwd, "/d");
	assert_string_equal(s->stdin_path, "in");
	assert_list(s->helpers[0].command, "sh|-c|h &|");
	assert_null(s->helpers[0].ready);
	assert_list(s->helpers[1].command, "h|1|");
	assert_list(s->helpers[2].command, "sh|-c|x|");
	assert_string_equal(s->helpers[2].ready, "tcp:6");
	assert_null(s->helpers[3].command);
	assert_list(s->types, "io|cpu|");
	assert_int_equal(s->runs, 5);
	assert_int_equal(s->sampling_hz, 199);
	assert_int_equal(s->warmup, 0);
	assert_int_equal(s->timeout_ns, 60000000000);
	assert_string_equal(s->ready, "udp:5");
	assert_list(s->load, "l|-x|");
	assert_string_equal(s->work_unit, "q");
	assert_string_equal(s->work_from, "load");
	assert_string_equal(s->work_regex, "(\\d+)");
	assert_string_equal(s->latency_unit, "us");
	assert_string_equal(s->latency_regex, "avg (.*)");
	assert_int_equal(s->ready_timeout_ns, 2000000000);
	assert_int_equal(s->skip_ns, 1500000000);
	assert_int_equal(s->duration_ns, 200000000);
	assert_string_equal(s->trace, "%io");
	assert_int_equal(s->no_times, 1);
	assert_list(s->limits, "a.b|<= 2|c|> 1|");
	assert_list(config_find(c, "b")->command, "sh|-c|x | y|");
	assert_int_equal(config_find(c, "b")->runs, CONFIG_UNSET);
	assert_null(config_find(c, "c"));
	assert_string_equal(config_names(c, "zzz"), "a-1, b");
	config_free(c);
}

static void test_null_is_not_given(void **state)
{
	static const char text[] =
		"{\"target\": {\"binary\": null, \"build\": null}, \"ease\": null, \"scenarios\": "
		"{\"a\": "
		"{\"args\": null, \"runs\": null, \"work\": null, \"stdin\": null, \"env\": "
		"null}}}";
	struct err err = {0};
	struct config *c;

	(void)state;
	assert_int_equal(read_text(text, &c, &err), 0);
	assert_null(c->binary);
	assert_null(c->scenarios[0].args);
	assert_null(c->scenarios[0].env);
	assert_int_equal(c->scenarios[0].runs, CONFIG_UNSET);
	config_free(c);
}

static void test_errors(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"", "line 1"},
		{"{", "line 1"},
		{"{\"a\": 1}", "line 1 column 2: a: unknown key"},
		{"{\"targt\": {}}", "line 1 column 2: targt: unknown key; did you mean 'target'?"},
		{"7", "should be an object"},
		{"{\"target\": \"x\"}", "target: should be an object"},
		{"{\"target\": {\"path\": \"x\"}}", "line 1 column 13: target.path: unknown key"},
		{"{\"target\": {\"binary\": 1}}", "target.binary: should be a string"},
		{"{\"scenarios\": []}", "scenarios: should be an object"},
		{"{\"scenarios\": {\"a\": 1}}", "scenarios.a: should be an object"},
		{"{\"scenarios\": {\".a\": {}}}", "line 1 column 16"},
		{"{\"scenarios\": {\"a\": {\"args\": \"x\"}}}", "a.args: should be a list"},
		{"{\"scenarios\": {\"a\": {\"args\": [[]]}}}", "a.args: should be a list"},
		{"{\"scenarios\": {\"a\": {\"load\": []}}}", "a.load: should be a command"},
		{"{\"scenarios\": {\"a\": {\"load\": [1]}}}", "a.load: should be a list"},
		{"{\"scenarios\": {\"a\": {\"runs\": 0}}}", "a.runs: should be a whole number, at"},
		{"{\"scenarios\": {\"a\": {\"runs\": 1.0}}}", "a.runs: should be a whole number"},
		{"{\"scenarios\": {\"a\": {\"warmup\": -1}}}",
			"a.warmup: should be a whole number"},
		{"{\"scenarios\": {\"a\": {\"skip\": \"x\"}}}", "a.skip: should be a time"},
		{"{\"scenarios\": {\"a\": {\"skip\": 1e300}}}", "a.skip: should be a time"},
		{"{\"scenarios\": {\"a\": {\"skip\": true}}}", "a.skip: should be a time"},
		{"{\"scenarios\": {\"a\": {\"attach\": 1}}}", "a.attach: should be true or false"},
		{"{\"scenarios\": {\"a\": {\"env\": []}}}", "a.env: should be an object"},
		{"{\"scenarios\": {\"a\": {\"env\": {\"K\": 1}}}}", "a.env.K: should be a string"},
		{"{\"scenarios\": {\"a\": {\"env\": {\"K=\": \"\"}}}}", "a.env.K=: is no name"},
		{"{\"scenarios\": {\"a\": {\"limits\": {\"x\": 1}}}}",
			"a.limits.x: should be a string"},
		{"{\"scenarios\": {\"a\": {\"work\": {\"unit\": \"q\"}}}}", "needs both"},
		{"{\"scenarios\": {\"a\": {\"work\": {\"from\": \"target\", \"unit\": \"q\","
		 "\"regex\": \"x\"}}}}",
			"a.work.from: only"},
		{"{\"scenarios\": {\"a\": {\"helpers\": \"x\"}}}", "a.helpers: should be a list"},
		{"{\"scenarios\": {\"a\":\n {\"helpers\": [{\"ready\": \"x\"}]}}}",
			"line 2 column 3: scenarios.a.helpers: a helper needs a command"},
		{"{\"scenarios\": {\"a\":\n {\"helpers\": [{\"comand\": \"x\"}]}}}",
			"line 2 column 3: scenarios.a.helpers.comand: unknown key; did you mean "
			"'command'?"},
		{"{\"scenarios\": {\"a\": {\"helpers\": [7]}}}", "a.helpers: should be a command"},
		{"{\"scenarios\": {\"a\": {\"latency\": {\"unit\": \"s\"}}}}", "needs both"},
		{"{\"scenarios\": {\"a\": {\"args\": [], \"command\": \"x\"}}}", "or command"},
		/* The place is that of this key, not of another of the same name. */
		{"{\"scenarios\": {\"a\": {\"runs\": 1}, \"runs\": {},\n \"b\": {\"runs\": []}}}",
			"line 2 column 8: scenarios.b.runs"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err = {0};
		struct config *c = NULL;

		assert_true(read_text(rows[i].text, &c, &err) < 0);
		if (!strstr(err.text, rows[i].says) ||
			strncmp(err.text, "/tmp/test-config-", 17) != 0)
			fail_msg("row %zu: '%s' does not say '%s'", i, err.text, rows[i].says);
		assert_null(strchr(err.text, '\n'));
		assert_null(c);
	}
}

static void test_locate(void **state)
{
	static const char text[] = "\n { \"a\\\"}\" : [1, {\"b\": \"]\"}], \"b\" :\n\t{\"c\":{} , "
				   "\"b\": null}, \"c\": 1e5}";
	static const struct {
		const char *keys[3];
		size_t len, line, column; /* line 0: not there */
	} rows[] = {
		{{"b"}, 1, 2, 30},
		{{"b", "c"}, 2, 3, 3},
		{{"b", "b"}, 2, 3, 12},
		{{"c"}, 1, 3, 24},
		{{"d"}, 1, 0, 0},
		{{"b", "c", "x"}, 3, 0, 0},
		{{"c", "x"}, 2, 0, 0},
		{{NULL}, 0, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t line = 0, column = 0;
		const char *at = locate_key(text, rows[i].keys, rows[i].len);

		assert_int_equal(at != NULL, rows[i].line != 0);
		if (at)
			locate_place(text, at, &line, &column);
		assert_int_equal(line, rows[i].line);
		assert_int_equal(column, rows[i].column);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key),
		cmocka_unit_test(test_null_is_not_given),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_locate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
