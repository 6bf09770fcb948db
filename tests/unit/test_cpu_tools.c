/* SPDX-License-Identifier: GPL-3.0-only */
/* Running perf script and the renderer, with fakes that fail in every way. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/out.h"
#include "common/runner/flamegraph.h"
#include "common/runner/tool.h"
#include "cpu/perf.h"

static char dir[] = "/tmp/test_cpu_tools.XXXXXX";
static char *old_path;

static char *in_dir(const char *name)
{
	return mem_printf("%s/%s", dir, name);
}

/* A program of that name which is a shell script; the caller's path. */
static char *fake(const char *name, const char *script)
{
	char *path = in_dir(name);
	cleanup_free char *text = mem_printf("#!/bin/sh\n%s\n", script);
	struct err err = {0};

	assert_int_equal(file_write(path, text, strlen(text), &err), 0);
	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

static void append(void *ctx, const char *p, size_t n)
{
	out_bytes(ctx, p, n);
}

/* ---- tools ---- */

static const struct tool_case {
	const char *what, *script;
	int rc;
	const char *output, *error;
} tool_cases[] = {
	{"well", "echo one; echo two", 0, "one\ntwo\n", ""},
	{"says nothing", ":", 0, "", ""},
	{"reads nothing", "cat", 0, "", ""},
	{"fails and says why", "echo part; echo; echo more >&2; echo 'no such thing' >&2; exit 3",
		-EIO, "part\n\n", "tool failed with status 3: no such thing"},
	{"fails silently", "exit 9", -EIO, "", "tool failed with status 9"},
	{"crashes", "kill -SEGV $$", -EIO, "", "tool failed with status 139"},
	{"hangs", "sleep 100", -ETIMEDOUT, "", "tool gave no output for 1 s and was killed"},
	{"hangs after some work", "echo x; sleep 100", -ETIMEDOUT, "x\n",
		"tool gave no output for 5 s"},
	{"closes its output and hangs", "exec >&-; sleep 100", -ETIMEDOUT, "",
		"tool gave no output for 1 s"},
	{"leaves a child with its output", "sleep 30 & echo x", 0, "x\n", ""},
	{"talks a lot on stderr",
		"i=0; while [ $i -lt 3000 ]; do echo 'a long line of it' >&2; "
		"i=$((i+1)); done; echo done",
		0, "done\n", ""},
};

static void tools(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tool_cases) / sizeof(tool_cases[0]); i++) {
		const struct tool_case *c = &tool_cases[i];
		cleanup_free char *path = fake("tool", c->script);
		const char *const argv[] = {path, NULL};
		/* Time to say what it says, however busy the machine. */
		uint64_t limit_s = c->rc != -ETIMEDOUT || *c->output ? 5 : 1;
		struct err err = {0};
		struct out o;

		print_message("# %s\n", c->what);
		out_init_mem(&o);
		assert_int_equal(tool_run(&(struct tool){.argv = argv,
						  .stdin_fd = -1,
						  .take = append,
						  .ctx = &o,
						  .limit_ns = limit_s * NS_PER_SEC},
					 &err),
			c->rc);
		assert_string_equal(out_text(&o), c->output);
		assert_non_null(strstr(err.text, c->error));
		out_release(&o);
	}
}

static void tool_is_missing(void **state)
{
	static const char *const argv[] = {"/nonexistent/tool", NULL};
	struct err err = {0};

	(void)state;
	assert_int_equal(tool_run(&(struct tool){.argv = argv, .stdin_fd = -1}, &err), -ENOENT);
}

/* A signal that is meant for us ends the tool. */
static void tool_is_interrupted(void **state)
{
	static const char *const argv[] = {"sleep", "100", NULL};
	struct signals signals;
	struct err err = {0};

	(void)state;
	assert_int_equal(signals_block(&signals, &err), 0);
	raise(SIGINT);
	assert_int_equal(
		tool_run(
			&(struct tool){
				.argv = argv, .stdin_fd = -1, .take = append, .signals = &signals},
			&err),
		-EINTR);
	signals_restore(&signals);
}

/* ---- perf script ---- */

static const struct script_case {
	const char *what, *script;
	int rc;
	uint64_t samples;
	const char *error;
} script_cases[] = {
	{"well", "printf 't 1/1 1.0: e: \\n\\t1 f (/t)\\n\\n'", 0, 1, ""},
	{"no samples", ":", 0, 0, ""},
	{"garbage", "echo hello; head -c 100000 /dev/zero", 0, 0, ""},
	{"half, then a crash", "printf 't 1/1 1.0: e: \\n\\t1 f'; kill -SEGV $$", -EIO, 1,
		"perf failed with status 139"},
	{"cannot read it", "echo 'incompatible file format' >&2; exit 255", -EIO, 0,
		"incompatible file format"},
};

static void perf_scripts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(script_cases) / sizeof(script_cases[0]); i++) {
		const struct script_case *c = &script_cases[i];
		cleanup_free char *path = fake("perf", c->script);
		struct err err = {0};
		struct fold f;

		print_message("# %s\n", c->what);
		fold_init(&f);
		assert_int_equal(perf_fold(path, "/dev/null", NULL, &f, &err), c->rc);
		assert_int_equal(f.samples, c->samples);
		assert_non_null(strstr(err.text, c->error));
		fold_release(&f);
	}
}

/* ---- perf record ---- */

static void expect_command(const char *const *argv, const char *want)
{
	struct out o;

	out_init_mem(&o);
	for (size_t i = 0; argv[i]; i++)
		out_printf(&o, "%s%s", i ? " " : "", argv[i]);
	assert_string_equal(out_text(&o), want);
	out_release(&o);
}

#define RECORD "/p/perf record -q -B --no-bpf-event -o /d/perf.data -e cpu-clock "

static void record_commands(void **state)
{
	static const char *const target[] = {"./t", "-x", "a b", NULL};
	const struct perf_event event = {.name = "cpu-clock"};
	struct scenario sc = {.argv = target, .sampling_hz = 99, .call_graph = "dwarf"};
	struct perf_control control = PERF_CONTROL_NONE;
	const struct perf_recording rec = {"/p/perf", &sc, &event, &control, "/d/perf.data", NULL};
	struct arena a = {0};
	struct err err = {0};

	(void)state;
	expect_command(perf_record_command(&a, &rec),
		RECORD "-F 99 --call-graph dwarf,16384 -- ./t -x a b");
	sc.call_graph = "fp";
	sc.sampling_hz = 1000;
	assert_int_equal(perf_control_open(&control, dir, &err), 0);
	cleanup_free char *want = mem_printf(RECORD
		"-F 1000 --call-graph fp -D -1 --control fifo:%s/perf.order,%s/perf.answer "
		"-- ./t -x a b",
		dir, dir);
	expect_command(perf_record_command(&a, &rec), want);
	unlink(control.order_path);
	unlink(control.answer_path);
	perf_control_close(&control);
	arena_release(&a);
}

static void control_waits_for_the_answer(void **state)
{
	struct perf_control c;
	struct err err = {0};
	char order[16] = "";
	cleanup_close int ended =
		open("/dev/null", O_RDONLY | O_CLOEXEC); /* readable, as its pidfd */

	(void)state;
	assert_int_equal(perf_control_open(&c, dir, &err), 0);
	/* The answer is there already, as it would be from a quick perf. */
	assert_int_equal(write(c.answer, "ack\n", 4), 4);
	perf_control_mark(&c, DRIVE_BEGIN, -1);
	assert_true(c.begin_ns > 0 && !c.end_ns && !c.unconfirmed);
	assert_int_equal(read(c.order, order, sizeof(order)), 7);
	assert_string_equal(order, "enable\n");
	perf_control_mark(&c, DRIVE_END, ended);
	assert_true(c.end_ns > c.begin_ns && c.unconfirmed);
	unlink(c.order_path);
	unlink(c.answer_path);
	perf_control_close(&c);
}

/* ---- the renderer ---- */

#define SVG "printf '<?xml version=\"1.0\"?>\\n<svg>\\n</svg>\\n'"

static const struct render_case {
	const char *what, *script;
	int rc;
	const char *error;
} render_cases[] = {
	{"well", "cat >/dev/null; " SVG, 0, ""},
	{"does not read", SVG, 0, ""},
	{"garbage", "echo hello", -EIO, "it did not write a whole SVG"},
	{"nothing", ":", -EIO, "it did not write a whole SVG"},
	{"half of it", "printf '<?xml version=\"1.0\"?>\\n<svg>'", -EIO,
		"it did not write a whole SVG"},
	{"whole, but it says it failed", SVG "; echo 'ERROR: bad' >&2; exit 2", -EIO,
		"flamegraph.pl failed with status 2: ERROR: bad"},
	{"crashes", "kill -SEGV $$", -EIO, "flamegraph.pl failed with status 139"},
};

static int render(const char *svg_path, int is_difference, struct err *err)
{
	cleanup_free char *folded = in_dir("x.folded");

	const char *stacks = is_difference ? "a;b 200 700\na;c 800 300\n" : "a;b 1\n";

	assert_int_equal(file_write(folded, stacks, strlen(stacks), err), 0);
	return flamegraph_render(&(struct flamegraph){.title = "a title",
					 .count_name = "samples",
					 .folded_path = folded,
					 .svg_path = svg_path,
					 .is_difference = is_difference},
		err);
}

static void renderers(void **state)
{
	cleanup_free char *svg = in_dir("x.svg");
	cleanup_free char *path = mem_printf("%s:%s", dir, old_path);

	(void)state;
	setenv("PATH", path, 1);
	for (size_t i = 0; i < sizeof(render_cases) / sizeof(render_cases[0]); i++) {
		const struct render_case *c = &render_cases[i];
		cleanup_free char *script = fake("flamegraph.pl", c->script);
		struct err err = {0};

		print_message("# %s\n", c->what);
		unlink(svg);
		assert_int_equal(render(svg, 0, &err), c->rc);
		assert_non_null(strstr(err.text, c->error));
		/* Whole or not at all. */
		assert_int_equal(access(svg, F_OK) == 0, c->rc == 0);
		unlink(script);
	}
	setenv("PATH", old_path, 1);
}

static void renderers_in_order(void **state)
{
	cleanup_free char *second = fake("flamegraph.pl", ":");
	cleanup_free char *first = fake("inferno-flamegraph", ":");
	cleanup_free char *found = NULL, *next = NULL, *svg = in_dir("x.svg"), *drawn = NULL;
	struct err err = {0};

	(void)state;
	setenv("PATH", dir, 1);
	found = flamegraph_renderer();
	assert_string_equal(found, first);
	unlink(first);
	next = flamegraph_renderer();
	assert_string_equal(next, second);
	unlink(second);
	/* No perl either. */
	assert_null(flamegraph_renderer());
	assert_int_equal(render(svg, 0, &err), 0);
	assert_int_equal(file_read(svg, 1 << 16, &drawn, NULL, &err), 0);
	assert_int_equal(strncmp(drawn, "<?xml", 5), 0);
	assert_non_null(strstr(drawn, "<title>b\n1 sample</title>"));
	free(drawn);
	assert_int_equal(render(svg, 1, &err), 0);
	assert_int_equal(file_read(svg, 1 << 16, &drawn, NULL, &err), 0);
	/* b has 700 of 1,000 where it had 200; c has 300 where it had 800 */
	assert_non_null(strstr(drawn, "<title>b\n700 samples, 70.0%; before 20.0%</title>"
				      "<rect class=\"u3\""));
	assert_non_null(strstr(drawn, "<title>c\n300 samples, 30.0%; before 80.0%</title>"
				      "<rect class=\"l3\""));
	assert_non_null(strstr(drawn, "<title>a\n1,000 samples, 100%; before 100%</title>"
				      "<rect class=\"l0\""));
	setenv("PATH", old_path, 1);
}

static int set_up(void **state)
{
	(void)state;
	old_path = mem_strdup(getenv("PATH"));
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"tool", "perf", "x.folded", "x.svg"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cleanup_free char *path = in_dir(names[i]);

		unlink(path);
	}
	free(old_path);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tools),
		cmocka_unit_test(tool_is_missing),
		cmocka_unit_test(tool_is_interrupted),
		cmocka_unit_test(perf_scripts),
		cmocka_unit_test(record_commands),
		cmocka_unit_test(control_waits_for_the_answer),
		cmocka_unit_test(renderers),
		cmocka_unit_test(renderers_in_order),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
