/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tracer/options.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define WORDS    16

/* A command line's words; they point into line. */
struct words {
	char line[256];
	char *argv[WORDS + 1];
	int argc;
};

static void split(struct words *w, const char *line)
{
	char *rest = w->line, *word;

	memset(w, 0, sizeof(*w));
	assert_true(strlen(line) < sizeof(w->line));
	strcpy(w->line, line);
	w->argv[w->argc++] = (char[]){"iotrace"};
	while (*line && (word = strsep(&rest, " ")) != NULL) {
		assert_true(w->argc < WORDS);
		w->argv[w->argc++] = word;
	}
}

/* ---- what was understood, as text: only what is not the default ---- */

static void put_text(struct out *o, const char *name, const char *value)
{
	if (value)
		out_printf(o, "%s=%s ", name, value);
}

static void put_number(struct out *o, const char *name, uint64_t value, uint64_t usual)
{
	if (value != usual)
		out_printf(o, "%s=%" PRIu64 " ", name, value);
}

static void put_options(struct out *o, const struct options *opt)
{
	put_text(o, "summary", opt->summary);
	put_text(o, "detail", opt->detail);
	put_text(o, "json", opt->json);
	put_number(o, "stderr", (uint64_t)opt->summary_stderr, 1);
	put_number(o, "detail-trace", (uint64_t)opt->detail_trace_given, 0);
	put_number(o, "limit", opt->detail_limit_bytes, 256 << 20);
	put_number(o, "auto", (uint64_t)opt->mode_auto, 1);
	put_number(o, "no-patch", (uint64_t)opt->no_patch, 0);
	put_number(o, "no-times", (uint64_t)opt->no_times, 0);
	put_number(o, "trap", (uint64_t)opt->trap, OPTIONS_TRAP_AUTO);
	for (size_t i = 0; i < opt->pids.len; i++)
		put_number(o, "pid", (uint64_t)opt->pids.at[i], 0);
	put_number(o, "tree", (uint64_t)opt->tree, 0);
	put_number(o, "skip", opt->skip_ns, 0);
	put_number(o, "duration", opt->duration_ns, 0);
	put_number(o, "timeout", opt->timeout_ns, 0);
	put_number(o, "grace", opt->grace_ns, 5000000000);
	put_number(o, "window", (uint64_t)opt->has_window, 0);
	put_number(o, "control", (uint64_t)(opt->control_fd + 1), 0);
	put_number(o, "live", (uint64_t)opt->live, 0);
	put_number(o, "interval", opt->interval_ns, 0);
	put_number(o, "paths", opt->paths.len, 0);
	put_number(o, "assertions", opt->assertions.len, 0);
	put_text(o, "user", opt->user);
	put_number(o, "where", (uint64_t)opt->say_where, 0);
	put_text(o, "notes", opt->notes);
	for (size_t i = 0; i < opt->env.len; i++)
		put_text(o, "env", opt->env.at[i]);
	put_number(o, "quiet", (uint64_t)opt->quiet, 0);
	out_char(o, '|');
	for (int i = 0; i < opt->command_len; i++)
		out_printf(o, " %s", opt->command[i]);
}

static const struct {
	const char *line, *want;
} good[] = {
	{"prog", "| prog"},
	{"-- prog", "| prog"},
	{"prog -o x --json y", "| prog -o x --json y"},
	{"prog -- -q", "| prog -- -q"},
	{"-- -q", "| -q"},
	{"-- --", "| --"},
	{"-o pre prog",
		"summary=pre-summary.txt detail=pre-detail.txt json=pre.json stderr=0 | prog"},
	{"-opre prog",
		"summary=pre-summary.txt detail=pre-detail.txt json=pre.json stderr=0 | prog"},
	{"--output=p prog",
		"summary=p-summary.txt detail=p-detail.txt json=p.json stderr=0 | prog"},
	{"--summary - --json f prog", "summary=- json=f stderr=0 | prog"},
	{"-o p --detail d prog", "summary=p-summary.txt detail=d json=p.json stderr=0 | prog"},
	{"--json a --json b prog", "json=b stderr=0 | prog"},
	{"--detail d prog", "detail=d stderr=0 | prog"},
	{"--detail-trace write --detail-limit 4K prog", "detail-trace=1 limit=4096 | prog"},
	{"--mode ptrace prog", "auto=0 | prog"},
	{"--mode ptrace --mode auto prog", "| prog"},
	{"--no-patch prog", "no-patch=1 | prog"},
	{"--no-times prog", "no-times=1 | prog"},
	{"--no-times --assert write.calls<=3 --assert wall_time<1s -f prog",
		"no-times=1 assertions=2 notes=-f: always so | prog"},
	{"--trap filter prog", "trap=1 | prog"},
	{"--trap=dispatch prog", "trap=2 | prog"},
	{"--trap dispatch --trap auto prog", "| prog"},
	{"--trap dispatch -p 12", "trap=2 pid=12 |"},
	{"-p 12", "pid=12 |"},
	{"-p12", "pid=12 |"},
	{"-p 12 -p 13 --tree", "pid=12 pid=13 tree=1 |"},
	{"-p 12,13,,14", "pid=12 pid=13 pid=14 |"},
	{"--attach 12 -- cmd -p 13", "pid=12 | cmd -p 13"},
	{"--skip 1.5 --duration 200ms prog", "skip=1500000000 duration=200000000 window=1 | prog"},
	{"--skip 0 prog", "window=1 | prog"},
	{"--timeout 30 --grace 0 prog", "timeout=30000000000 grace=0 | prog"},
	{"--control-fd 0 prog", "control=1 | prog"},
	{"--live --interval 0.5 -p 12", "pid=12 live=1 interval=500000000 |"},
	{"-u nobody prog", "user=nobody | prog"},
	{"--env A=b=c --env B --env A= prog", "env=A=b=c env=B env=A= | prog"},
	{"-q prog", "stderr=0 quiet=1 | prog"},
	{"-qo p prog",
		"summary=p-summary.txt detail=p-detail.txt json=p.json stderr=0 quiet=1 | prog"},
	{"--assert write.calls<=3 --assert wall_time<1s prog", "assertions=2 | prog"},
	{"-E A=1 prog", "env=A=1 | prog"},
	{"-P /x prog", "auto=0 paths=1 | prog"},
	{"-P /x -P /y --trace-path=/z --mode auto prog", "auto=0 paths=3 | prog"},
	/* strace's */
	{"-c prog", "| prog"},
	{"-cq prog", "quiet=1 | prog"},
	{"-c --json x prog", "json=x | prog"},
	{"-c --summary x prog", "summary=x stderr=0 | prog"},
	{"-qq prog", "stderr=0 quiet=1 | prog"},
	{"-f prog", "notes=-f: always so | prog"},
	{"-ff -tt prog -f", "notes=-f -t: always so | prog -f"},
	{"-fc prog", "notes=-f: always so | prog"},
	{"-yyT --seccomp-bpf prog", "notes=-y -T --seccomp-bpf: always so | prog"},
	{"--syscall-times=ns --follow-forks prog",
		"notes=--syscall-times --follow-forks: always so | prog"},
	{"-s128 -f prog", "notes=-f: always so; -s: no bytes of buffers are kept, so none are cut "
			  "off | prog"},
	{"-s 9 -s 10 prog", "notes=-s: no bytes of buffers are kept, so none are cut off | prog"},
	{"-e signal=none prog", "notes=-e signal=: signals have no lines | prog"},
	{"-e s=none -e a=all prog", "notes=-e s=: signals have no lines; -e a=: a vector is shown "
				    "by its length and bytes | prog"},
	{"-e ?nosuch prog", "notes=no call is in the set '?nosuch': none is traced | prog"},
	{"-e none prog", "| prog"},
	{"-e trace=!all prog", "| prog"},
	{"-f -o p prog", "summary=p-summary.txt detail=p-detail.txt json=p.json stderr=0 where=1 "
			 "notes=-f: always so | prog"},
	{"-o d/p.txt prog", "summary=d/p.txt-summary.txt detail=d/p.txt-detail.txt "
			    "json=d/p.txt.json stderr=0 where=1 | prog"},
};

static void command_lines_are_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		enum options_action action = OPTIONS_HELP;
		struct err err = {0};
		struct options o;
		struct words w;
		struct out text;

		print_message("# %s\n", good[i].line);
		split(&w, good[i].line);
		assert_int_equal(options_parse(&o, w.argc, w.argv, &action, &err), 0);
		assert_int_equal(action, OPTIONS_RUN);
		assert_null(o.command[o.command_len]);
		out_init_mem(&text);
		put_options(&text, &o);
		assert_string_equal(out_text(&text), good[i].want);
		out_release(&text);
		options_release(&o);
	}
}

/* ---- what is refused ---- */

/* `says`: what the one line must have, so that a person knows where to look. */
static const struct {
	const char *line, *says;
} bad[] = {
	{"", "no program"},
	{"-q", "no program"},
	{"--", "no program"},
	{"--nonsense prog", "unknown option '--nonsense'"},
	{"-J prog", "unknown option '-J'"},
	{"-qJ prog", "unknown option '-J'"},
	{"--tree -Jq prog", "unknown option '-J'"},
	{"--sum x prog", "did you mean '--summary'"},
	{"--interv x", "--interval: 'x'"},
	{"--sumary prog", "did you mean '--summary'"},
	{"--folow-forks prog", "did you mean '--follow-forks'"},
	{"--detial=x prog", "did you mean '--detail'"},
	{"--metrics - prog", "--metrics needs"},
	{"--metrics f -u nobody prog", "--metrics and -u"},
	{"--assert wirte.calls<=3 prog",
		"--assert: no system call is called 'wirte'; did you mean"},
	{"--assert write.calls<=3 --verify prog", "--verify and --assert"},
	{"--tree=1 -p 1", "option '--tree=1' takes no value"},
	{"-s", "'-s' needs a value"},
	{"-o |cat prog", "'|cat'"},
	{"-o d/ prog", "--output: 'd/' is a directory: a prefix in it is d/run"},
	{"--output= prog", "--output: a prefix is needed, such as run"},
	{"--stacks d/ prog", "--stacks: 'd/' is a directory: a prefix in it is d/run"},
	{"-e singal=none prog", "did you mean 'signal='"},
	{"-e frobnicate=none prog", "'frobnicate=' is no expression"},
	{"-e !read,all prog", "'all,!x'"},
	{"--trace=read,!read prog", "leaves no call"},
	{"--quiet=1 prog", "'--quiet=1'"},
	{"--no-patch=1 prog", "'--no-patch=1'"},
	{"--no-times --assert write.p99<1s prog", "--assert: write.p99 needs the times of calls, "
						  "which --no-times leaves out: leave one of "
						  "them out"},
	{"--assert write.calls<1 --assert read.time<1s --no-times prog", "read.time needs"},
	{"--no-times -fT prog",
		"-T asks for times, which --no-times leaves out: leave one of them out"},
	{"-ttt --no-times prog", "-t asks for times"},
	{"-r --no-times prog", "-r asks for times"},
	{"-w --no-times prog", "-w asks for times"},
	{"--timestamps --no-times prog", "--timestamps asks for times"},
	{"--no-times --syscall-times=ns prog", "--syscall-times asks for times"},
	{"-o", "'-o' needs a value"},
	{"--json", "'--json' needs a value"},
	{"-q -p", "'-p' needs a value"},
	{"-p 0", "--attach"},
	{"-p -1", "--attach"},
	{"-p 1x", "--attach"},
	{"-p 1,x", "--attach: 'x'"},
	{"-p ,", "names no process"},
	{"-p nginx", "'nginx' is not a PID; by a name: -p \"$(pidof nginx)\""},
	{"--tree prog", "--tree"},
	{"-p 99999999999", "--attach"},
	{"-p 1 -u nobody", "-u"},
	{"--verify -u nobody true", "-u"},
	{"--verify -P / true", "-P"},
	{"--verify --live true", "--live"},
	{"--interval 0 true", "--interval: '0' is less than 0.01"},
	{"--interval x true", "--interval"},
	{"-p 1 --env A=1", "--env"},
	{"--env =1 prog", "'=1' is not NAME=VALUE or NAME"},
	{"--skip -1 prog", "--skip"},
	{"--skip x prog", "--skip"},
	{"--duration nan prog", "--duration"},
	{"--timeout 1e99 prog", "--timeout"},
	{"--grace 5h prog", "--grace"},
	{"--detail-limit 1Q prog", "--detail-limit"},
	{"--detail-limit -1 prog", "--detail-limit"},
	{"--mode fast prog", "'fast' is not auto or ptrace"},
	{"--trap fast prog", "--trap: 'fast' is not auto, filter or dispatch"},
	{"--trap filter -p 12", "a filter cannot be set from outside"},
	{"--mode ptrace --trap dispatch prog", "--trap=dispatch is of the recorder"},
	{"--control-fd 999 prog", "999 is not an open descriptor"},
	{"--control-fd x prog", "--control-fd"},
	{"--control-fd 0 --skip 1 prog", "exclude each other"},
	{"--duration 1 --control-fd 0 prog", "exclude each other"},
	{"-e sendmsgg prog", "did you mean 'sendmsg'"},
	{"-e %netwrk prog", "did you mean '%network'"},
	{"--detail-trace nonsense_call prog", "--detail-trace"},
	{"-e write,nope_nope prog", "nope_nope"},
};

/* Each of strace's options: taken, or refused by a sentence. */
static void check_habit(const char *line, const struct habit *habit)
{
	enum options_action action;
	struct err err = {0};
	struct options o;
	struct words w;
	int rc;

	print_message("# %s\n", line);
	split(&w, line);
	rc = options_parse(&o, w.argc, w.argv, &action, &err);
	assert_int_equal(rc, habit->kind == HABIT_MISSING ? -EINVAL : 0);
	assert_non_null(strstr(rc ? err.text : o.notes,
		habit->kind == HABIT_ALWAYS ? ": always so" : habit->sentence));
	assert_null(strchr(rc ? err.text : o.notes, '\n'));
	if (rc == 0)
		assert_string_equal(o.command[0], "prog");
	options_release(&o);
}

static void straces_options(void **state)
{
	char line[128];

	(void)state;
	for (size_t i = 0; i < habits_count(); i++) {
		const struct habit *h = habits_at(i);

		snprintf(line, sizeof(line), "-%c%s prog", h->letter,
			h->value == HABIT_ANY ? " 1" : "");
		if (h->letter)
			check_habit(line, h);
		snprintf(line, sizeof(line), "--%s%s prog", h->name,
			h->value == HABIT_NONE ? "" : "=1");
		if (h->name)
			check_habit(line, h);
		snprintf(line, sizeof(line), "-e %.*s=1 prog",
			h->qualifiers ? (int)strcspn(h->qualifiers, "|") : 0, h->qualifiers);
		if (h->qualifiers)
			check_habit(line, h);
	}
}

/* No letter and no name stands for two things. */
static void options_are_apart(void **state)
{
	struct out o;

	(void)state;
	out_init_mem(&o);
	options_help(&o);
	for (size_t i = 0; i < habits_count(); i++) {
		const struct habit *h = habits_at(i);
		char text[64];

		snprintf(text, sizeof(text), "\n  -%c, ", h->letter);
		assert_true(!h->letter || !strstr(out_text(&o), text));
		snprintf(text, sizeof(text), "--%s ", h->name ? h->name : "?");
		assert_null(strstr(out_text(&o), text));
		for (size_t k = 0; k < i; k++) {
			assert_true(!h->letter || h->letter != habits_at(k)->letter);
			assert_true(!h->name || !habits_at(k)->name ||
				    strcmp(h->name, habits_at(k)->name) != 0);
		}
	}
	out_release(&o);
}

static void mistakes_are_named(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		enum options_action action;
		struct err err = {0};
		struct options o;
		struct words w;
		int rc;

		split(&w, bad[i].line);
		rc = options_parse(&o, w.argc, w.argv, &action, &err);
		options_release(&o);
		if (rc == -EINVAL && strstr(err.text, bad[i].says) && !strchr(err.text, '\n'))
			continue;
		failures++;
		print_message("# '%s': %d, %s\n", bad[i].line, rc, err.text);
	}
	assert_int_equal(failures, 0);
}

/* ---- sets ---- */

static const struct {
	const char *line, *call;
	int traced, in_detail;
} sets[] = {
	{"prog", "sendmmsg", 1, 1},
	{"prog", "epoll_wait", 1, 0},
	{"prog", "getppid", 0, 0},
	{"-e write prog", "write", 1, 1},
	{"-e write prog", "sendmmsg", 0, 1},
	{"-e trace=write,getppid prog", "getppid", 1, 0},
	{"--trace=%network prog", "socket", 1, 0},
	{"-e !write prog", "write", 0, 1},
	{"-e !write prog", "getppid", 1, 0},
	{"-e all prog", "getppid", 1, 0},
	{"-e write -e read prog", "write", 0, 0},
	{"-e write -e read prog", "read", 1, 1},
	{"-e openat prog", "openat", 1, 1},
	{"-P /x prog", "openat", 1, 1},
	{"-P /x -e write,openat prog", "openat", 1, 1},
	{"-P /x -e write,openat prog", "read", 0, 0},
	{"-P /x --detail-trace write prog", "openat", 1, 0},
	{"-e %clock prog", "clock_gettime", 1, 1},
	{"-e %clock --detail-trace write prog", "clock_gettime", 1, 0},
	{"-e t=write prog", "read", 0, 0},
	{"-e write -e signal=none prog", "write", 1, 1},
	{"--detail-trace read prog", "read", 1, 1},
	{"--detail-trace read prog", "sendmmsg", 1, 0},
	{"--detail-trace all,!read prog", "read", 1, 0},
};

static void sets_of_calls(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sets); i++) {
		const struct sys_def *def = sys_by_name(sets[i].call);
		enum options_action action;
		struct options o;
		struct words w;

		print_message("# %s: %s\n", sets[i].line, sets[i].call);
		split(&w, sets[i].line);
		assert_int_equal(options_parse(&o, w.argc, w.argv, &action, NULL), 0);
		assert_int_equal(sys_set_has(&o.trace, def) != 0, sets[i].traced);
		assert_int_equal(sys_set_has(&o.detail_trace, def) != 0, sets[i].in_detail);
		options_release(&o);
	}
}

/* ---- help and version ---- */

static void help_and_version_need_no_program(void **state)
{
	static const struct {
		const char *line;
		enum options_action action;
	} rows[] = {
		{"--help", OPTIONS_HELP},
		{"--version", OPTIONS_VERSION},
		{"-q --help prog", OPTIONS_HELP},
		{"-h", OPTIONS_HELP},
		{"-V", OPTIONS_VERSION},
		{"-fV prog", OPTIONS_VERSION},
		{"prog -h", OPTIONS_RUN},
		{"--json x --version", OPTIONS_VERSION},
		{"prog --help", OPTIONS_RUN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum options_action action;
		struct options o;
		struct words w;

		print_message("# %s\n", rows[i].line);
		split(&w, rows[i].line);
		assert_int_equal(options_parse(&o, w.argc, w.argv, &action, NULL), 0);
		assert_int_equal(action, rows[i].action);
		options_release(&o);
	}
}

static void help_names_every_option(void **state)
{
	static const char *const options[] = {"-o, --output", "--summary", "--detail ", "--json",
		"-e, --trace", "-c, --summary-only", "-E, --env", "-V, --version", "-h, --help",
		"--detail-trace", "--detail-limit", "--mode", "--no-patch", "--no-times", "--trap",
		"--verify", "-p, --attach", "--stacks ", "--stacks-every", "--skip", "--duration",
		"--control-fd", "--timeout", "--grace", "-u, --user", "-q, --quiet", "--version",
		"--help"};
	struct out o;

	(void)state;
	out_init_mem(&o);
	options_help(&o);
	for (size_t i = 0; i < COUNT(options); i++) {
		print_message("# %s\n", options[i]);
		assert_non_null(strstr(out_text(&o), options[i]));
	}
	out_release(&o);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines_are_understood),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(straces_options),
		cmocka_unit_test(options_are_apart),
		cmocka_unit_test(sets_of_calls),
		cmocka_unit_test(help_and_version_need_no_program),
		cmocka_unit_test(help_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
