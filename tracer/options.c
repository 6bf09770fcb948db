/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/base/units.h"

#define TRACE_DEFAULT        "%io"
#define DETAIL_TRACE_DEFAULT "sendmmsg,recvmmsg,write,writev,mmap,munmap"
#define DETAIL_LIMIT_DEFAULT (256ULL << 20)
#define GRACE_DEFAULT_NS     (5 * 1000000000ULL)
#define INTERVAL_LEAST_NS    10000000ULL

enum {
	OPT_SUMMARY = 256,
	OPT_ASSERT,
	OPT_DETAIL,
	OPT_JSON,
	OPT_DETAIL_TRACE,
	OPT_DETAIL_LIMIT,
	OPT_MODE,
	OPT_NO_PATCH,
	OPT_NO_TIMES,
	OPT_TRAP,
	OPT_VERIFY,
	OPT_TREE,
	OPT_SKIP,
	OPT_DURATION,
	OPT_CONTROL_FD,
	OPT_STATUS,
	OPT_LIVE,
	OPT_INTERVAL,
	OPT_METRICS,
	OPT_STACKS,
	OPT_STACKS_EVERY,
	OPT_TIMEOUT,
	OPT_GRACE,
	OPT_HABITS = 1024, /* and the index of one of habits.def */
};

/* Every option once: getopt's table and --help are made from it. */
static const struct {
	int value;
	const char *name, *arg, *help;
} table[] = {
	{'o', "output", "PREFIX", "write PREFIX-summary.txt, PREFIX-detail.txt and PREFIX.json"},
	{OPT_SUMMARY, "summary", "FILE", "write the summary alone; - is standard output"},
	{OPT_DETAIL, "detail", "FILE", "write the detail alone: one line a call"},
	{OPT_JSON, "json", "FILE", "write the result as JSON alone"},
	{'c', "summary-only", NULL, "the summary on standard error too, unless it has a file"},
	{'e', "trace", "SET", "names, %io %network %file ..., all, none, /regex, !x; default %io"},
	{'P', "trace-path", "PATH",
		"only calls that name PATH or have it open; repeatable; by stops"},
	{OPT_DETAIL_TRACE, "detail-trace", "SET",
		"calls with a line; default " DETAIL_TRACE_DEFAULT},
	{OPT_DETAIL_LIMIT, "detail-limit", "BYTES",
		"keep the first BYTES of the detail, count the rest; default 256M"},
	{OPT_MODE, "mode", "auto|ptrace",
		"auto: recorder inside the target where it can; ptrace: stops only"},
	{OPT_NO_PATCH, "no-patch", NULL, "recorder without changing the target's code"},
	{OPT_NO_TIMES, "no-times", NULL,
		"read no clock around calls: all but their times, for less"},
	{OPT_TRAP, "trap", "auto|filter|dispatch",
		"what leads calls to the recorder; auto: filter, with -p dispatch"},
	{OPT_VERIFY, "verify", NULL,
		"run it in both modes, for root counted by the kernel too: the same?"},
	{'p', "attach", "PID", "attach to a process, all threads; repeatable; with CMD: as long"},
	{OPT_TREE, "tree", NULL, "with -p: and to the descendants that are there"},
	{OPT_SKIP, "skip", "SEC", "the window that counts begins SEC after the start"},
	{OPT_DURATION, "duration", "SEC", "the window that counts lasts SEC"},
	{OPT_CONTROL_FD, "control-fd", "N", "read begin, end and mark NAME from this descriptor"},
	{OPT_LIVE, "live", NULL,
		"show the counts so far on a screen that is refreshed; key h: help"},
	{OPT_INTERVAL, "interval", "SEC",
		"print the counts every SEC seconds; with --json -: as JSON lines"},
	{OPT_METRICS, "metrics", "FILE",
		"keep the counts so far in FILE for Prometheus, anew every second"},
	{OPT_STATUS, "status", "FILE", "keep one line of counts so far in FILE, anew every second"},
	{OPT_STACKS, "stacks", "PREFIX",
		"write the code paths of calls: PREFIX-{time,bytes,calls,messages}.folded"},
	{OPT_STACKS_EVERY, "stacks-every", "N",
		"one call in N of a thread; default 97, with --mode=ptrace 1"},
	{OPT_ASSERT, "assert", "LIMIT",
		"status 3 if it does not hold, as 'write.calls <= 20'; repeatable"},
	{OPT_TIMEOUT, "timeout", "SEC", "end the target after SEC: TERM, after the grace KILL"},
	{OPT_GRACE, "grace", "SEC", "time between TERM and KILL; default 5"},
	{'E', "env", "NAME[=VALUE]",
		"set a variable for the target, or without = unset it; repeatable"},
	{'u', "user", "USER", "as root: run the target as USER, who gets the files"},
	{'q', "quiet", NULL, "no messages, and no summary on standard error"},
	{'V', "version", NULL, "print the version"},
	{'h', "help", NULL, "print this help"},
};
#define TABLE_LEN (sizeof(table) / sizeof(*table))

enum { HELP_COLUMN = 28 };

void options_help(struct out *o)
{
	out_str(o, "usage: iotrace [OPTIONS] [--] PROGRAM [ARGS...]\n"
		   "       iotrace [OPTIONS] -p PID [-p PID...] [--tree] [-- CMD...]\n\n"
		   "Traces a program's system calls, with all its threads and children, and "
		   "says how well its I/O is batched. Without an output option the summary goes "
		   "to standard error.\n\n");
	for (size_t i = 0; i < TABLE_LEN; i++) {
		char left[64];
		int n = 0;

		if (table[i].value < 256)
			n = snprintf(left, sizeof(left), "  -%c, ", table[i].value);
		else
			n = snprintf(left, sizeof(left), "      ");
		snprintf(left + n, sizeof(left) - (size_t)n, "--%s%s%s", table[i].name,
			table[i].arg ? " " : "", table[i].arg ? table[i].arg : "");
		if (strlen(left) >= HELP_COLUMN) {
			out_printf(o, "%s\n", left);
			*left = '\0';
		}
		out_printf(o, "%-*s%s\n", HELP_COLUMN, left, table[i].help);
	}
	out_str(o, "\nExit status: the target's, 128+N if signal N ended it; 124 time limit, "
		   "125 iotrace failed, 126 not executable, 127 not found, 2 usage.\n"
		   "strace's other options are taken where that is done anyway: see iotrace(1).\n");
}

/* What getopt wants: the table's options and strace's. */
struct getopt_tables {
	char shorts[256];
	struct option *longs; /* heap */
};

static void add_short(char **at, int letter, int has_arg)
{
	*(*at)++ = (char)letter;
	if (has_arg == required_argument)
		*(*at)++ = ':';
}

static void add_habits(char **shorts, struct option *longs)
{
	static const int has_arg[] = {[HABIT_NONE] = no_argument,
		[HABIT_ANY] = required_argument,
		[HABIT_LONG] = optional_argument};

	for (size_t i = 0; i < habits_count(); i++) {
		const struct habit *h = habits_at(i);

		if (h->name)
			*longs++ = (struct option){
				h->name, has_arg[h->value], NULL, OPT_HABITS + (int)i};
		if (h->letter)
			add_short(shorts, h->letter, has_arg[h->value]);
	}
	*longs = (struct option){0};
}

static void getopt_tables(struct getopt_tables *t)
{
	char *shorts = t->shorts;

	t->longs = mem_calloc(TABLE_LEN + habits_count() + 1, sizeof(*t->longs));
	*shorts++ = '+'; /* options end at the program's name */
	*shorts++ = ':';
	for (size_t i = 0; i < TABLE_LEN; i++) {
		int has_arg = table[i].arg ? required_argument : no_argument;

		t->longs[i] = (struct option){table[i].name, has_arg, NULL, table[i].value};
		if (table[i].value < 256)
			add_short(&shorts, table[i].value, has_arg);
	}
	add_habits(&shorts, t->longs + TABLE_LEN);
	*shorts = '\0';
}

static int set_mode(struct options *o, const char *arg, struct err *err)
{
	if (strcmp(arg, "auto") == 0)
		o->mode_auto = 1;
	else if (strcmp(arg, "ptrace") == 0)
		o->mode_auto = 0;
	else
		return err_set(err, -EINVAL, "'%s' is not auto or ptrace", arg);
	return 0;
}

static int set_trap(struct options *o, const char *arg, struct err *err)
{
	static const char *const names[] = {"auto", "filter", "dispatch"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(arg, names[i]) == 0) {
			o->trap = (enum options_trap)i;
			return 0;
		}
	return err_set(err, -EINVAL, "'%s' is not auto, filter or dispatch", arg);
}

static int set_control(struct options *o, const char *arg, struct err *err)
{
	uint64_t v = 0;
	int rc = units_parse_u64(arg, 0, INT_MAX, &v, err);

	if (rc == 0)
		o->control_fd = (int)v;
	return rc;
}

/* "12", or as pidof and pgrep print several: "12 34", "12,34". */
static int add_pids(struct options *o, const char *arg, struct err *err)
{
	cleanup_free char *copy = mem_strdup(arg);
	size_t before = o->pids.len;
	char *rest = copy, *word;

	while ((word = strsep(&rest, ", \t\n"))) {
		uint64_t v = 0;

		if (!*word)
			continue;
		if (strspn(word, "-+.0123456789") == 0)
			return err_set(err, -EINVAL,
				"'%.60s' is not a PID; by a name: -p \"$(pidof %.60s)\"", word,
				word);
		if (units_parse_u64(word, 1, INT_MAX, &v, err) < 0)
			return err->code;
		*VEC_PUSH(&o->pids) = (pid_t)v;
	}
	return o->pids.len > before ? 0 : err_set(err, -EINVAL, "'%s' names no process", arg);
}

static int set_every(struct options *o, const char *arg, struct err *err)
{
	uint64_t v = 0;
	int rc = units_parse_u64(arg, 1, 1000000, &v, err);

	o->stacks_every = (uint32_t)v;
	return rc;
}

static int set_interval(struct options *o, const char *arg, struct err *err)
{
	int rc = units_parse_seconds(arg, &o->interval_ns, err);

	if (rc == 0 && o->interval_ns < INTERVAL_LEAST_NS)
		return err_set(err, -EINVAL, "'%s' is less than 0.01 seconds", arg);
	return rc;
}

static void replace(char **to, char *text)
{
	free(*to);
	*to = text;
}

static int add_env(struct options *o, const char *arg, struct err *err)
{
	if (!*arg || *arg == '=')
		return err_set(err, -EINVAL, "'%s' is not NAME=VALUE or NAME", arg);
	*VEC_PUSH(&o->env) = arg;
	return 0;
}

static int set_set(struct sys_set *set, const char *arg, struct err *err)
{
	sys_set_release(set);
	*set = (struct sys_set){0};
	return sys_set_parse(set, arg, err);
}

/* 1 if one who says so means a file, as strace does, and not what files' names begin with. */
static int is_file_name(const char *prefix)
{
	static const char *const ends[] = {".txt", ".log", ".out", ".trace", ".strace"};
	const char *end = strrchr(prefix, '.');

	for (size_t i = 0; end && i < sizeof(ends) / sizeof(*ends); i++)
		if (!strcmp(end, ends[i]))
			return 1;
	return 0;
}

/* Files would be called "-summary.txt" and ".json". */
static int check_prefix(const char *arg, struct err *err)
{
	size_t len = strlen(arg);

	if (!len)
		return err_set(err, -EINVAL, "a prefix is needed, such as run");
	return arg[len - 1] != '/'
		       ? 0
		       : err_set(err, -EINVAL, "'%s' is a directory: a prefix in it is %srun", arg,
				 arg);
}

static int set_output(struct options *o, const char *arg, struct err *err)
{
	if (*arg == '|' || *arg == '!')
		return err_set(err, -EINVAL,
			"'%s': no program is given the output; --detail - prints the lines, for a "
			"pipe",
			arg);
	if (check_prefix(arg, err) < 0)
		return err->code;
	replace(&o->summary, mem_printf("%s-summary.txt", arg));
	replace(&o->detail, mem_printf("%s-detail.txt", arg));
	replace(&o->json, mem_printf("%s.json", arg));
	o->output = arg;
	return 0;
}

static int set_trace(struct options *o, const char *arg, struct err *err)
{
	const struct habit *habit;
	char name[24];
	int rc = habits_by_expression(arg, &habit, err);

	if (rc == 0 && habit) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(arg, "=") + 1, arg);
		return habits_take(&o->habits, habit, "-e ", name, err);
	}
	if (rc < 0)
		return rc;
	if (!strncmp(arg, "trace=", 6) || !strncmp(arg, "t=", 2))
		arg = strchr(arg, '=') + 1;
	o->trace_given = 1;
	o->trace_spec = arg;
	return set_set(&o->trace, arg, err);
}

/* Applies one option. arg is NULL where the table says there is none. */
static int apply(struct options *o, int value, const char *arg, struct err *err)
{
	switch (value) {
	case 'o':
		return set_output(o, arg, err);
	case 'c':
		o->summary_wanted = 1;
		return 0;
	case OPT_SUMMARY:
		replace(&o->summary, mem_strdup(arg));
		return 0;
	case OPT_DETAIL:
		replace(&o->detail, mem_strdup(arg));
		return 0;
	case OPT_JSON:
		replace(&o->json, mem_strdup(arg));
		return 0;
	case 'e':
		return set_trace(o, arg, err);
	case 'P':
		paths_add(&o->paths, arg);
		return 0;
	case OPT_DETAIL_TRACE:
		o->detail_trace_given = 1;
		return set_set(&o->detail_trace, arg, err);
	case OPT_DETAIL_LIMIT:
		return units_parse_bytes(arg, &o->detail_limit_bytes, err);
	case OPT_MODE:
		return set_mode(o, arg, err);
	case OPT_NO_PATCH:
		o->no_patch = 1;
		return 0;
	case OPT_NO_TIMES:
		o->no_times = 1;
		return 0;
	case OPT_TRAP:
		return set_trap(o, arg, err);
	case OPT_VERIFY:
		o->verify = 1;
		return 0;
	case 'p':
		return add_pids(o, arg, err);
	case OPT_TREE:
		o->tree = 1;
		return 0;
	case OPT_CONTROL_FD:
		return set_control(o, arg, err);
	case OPT_SKIP:
		o->has_window = 1;
		return units_parse_seconds(arg, &o->skip_ns, err);
	case OPT_DURATION:
		o->has_window = 1;
		return units_parse_seconds(arg, &o->duration_ns, err);
	case OPT_LIVE:
		o->live = 1;
		return 0;
	case OPT_INTERVAL:
		return set_interval(o, arg, err);
	case OPT_STATUS:
		o->status = arg;
		return 0;
	case OPT_METRICS:
		o->metrics = arg;
		return 0;
	case OPT_STACKS:
		o->stacks = arg;
		return check_prefix(arg, err);
	case OPT_STACKS_EVERY:
		return set_every(o, arg, err);
	case OPT_ASSERT:
		return assertions_add(&o->assertions, arg, err);
	case OPT_TIMEOUT:
		return units_parse_seconds(arg, &o->timeout_ns, err);
	case OPT_GRACE:
		return units_parse_seconds(arg, &o->grace_ns, err);
	case 'E':
		return add_env(o, arg, err);
	case 'u':
		o->user = arg;
		return 0;
	default: /* 'q' */
		o->quiet = 1;
		return 0;
	}
}

static const char *option_name(int value)
{
	for (size_t i = 0; i < TABLE_LEN; i++)
		if (table[i].value == value)
			return table[i].name;
	return "?";
}

static int unknown_long(const char *word, struct err *err)
{
	cleanup_free char *name = mem_strndup(word + 2, strcspn(word + 2, "="));
	struct nearest n = nearest_to(name, 1 + strnlen(name, 64) / 3);

	for (size_t i = 0; i < TABLE_LEN; i++) {
		if (*name && !strncmp(name, table[i].name, strlen(name)) && n.distance > 1)
			n = (struct nearest){name, table[i].name, 1}; /* cut too short */
		nearest_try(&n, table[i].name);
	}
	for (size_t i = 0; i < habits_count(); i++)
		if (habits_at(i)->name)
			nearest_try(&n, habits_at(i)->name);
	if (!n.name)
		return err_set(err, -EINVAL, "unknown option '%s' (see --help)", word);
	if (n.distance == 0)
		return err_set(err, -EINVAL, "option '%s' takes no value (see --help)", word);
	return err_set(err, -EINVAL, "unknown option '%s'; did you mean '--%s'? (see --help)", word,
		n.name);
}

static int parse_error(int c, char **argv, struct err *err)
{
	const char *word = argv[optind - 1];

	if (c == ':')
		return err_set(err, -EINVAL, "option '%s' needs a value (see --help)", word);
	/* With a value that a long option does not take it is that one's letter. */
	if (optopt && optopt < 256 && !strcmp(option_name(optopt), "?") &&
		!habits_by_letter(optopt))
		return err_set(err, -EINVAL, "unknown option '-%c' (see --help)", optopt);
	return unknown_long(word, err);
}

/* 1 if that is what a set without a call says. */
static int asks_for_none(const char *spec)
{
	return !strcmp(spec, "none") || !strcmp(spec, "!all");
}

/* -P, as strace has it: all calls about the paths, each with a line. */
static int conclude_paths(struct options *o, struct err *err)
{
	if (!o->paths.len)
		return 0;
	o->mode_auto = 0; /* what a call names is read when it stops */
	if (o->trace_given)
		return 0;
	o->trace_spec = "all";
	return set_set(&o->trace, o->trace_spec, err);
}

/* A detail of other calls than those that are traced has no line. */
static int conclude_detail(struct options *o, struct err *err)
{
	if (o->detail_trace_given || sys_set_is_empty(&o->trace) ||
		(!o->paths.len && sys_set_meets(&o->trace, &o->detail_trace)))
		return 0;
	return set_set(&o->detail_trace, o->trace_spec, err);
}

/* What follows from several options together. */
static int conclude(struct options *o, struct err *err)
{
	if (!o->summary && (o->summary_wanted || (!o->detail && !o->json && !o->quiet)))
		o->summary_stderr = 1;
	o->notes = habits_text(&o->habits);
	if (sys_set_is_empty(&o->trace) && !asks_for_none(o->trace_spec))
		replace(&o->notes,
			mem_printf("%s%sno call is in the set '%s': none is traced",
				o->notes ? o->notes : "", o->notes ? "; " : "", o->trace_spec));
	o->say_where = o->output && (o->habits.len || is_file_name(o->output));
	return conclude_paths(o, err) < 0 ? err->code : conclude_detail(o, err);
}

/* What asks for the times that --no-times leaves out. */
static int check_times(const struct options *o, struct err *err)
{
	const char *figure = assertions_on_times(&o->assertions);
	const char *habit = habits_on_times(&o->habits);

	if (!o->no_times)
		return 0;
	if (figure)
		return err_set(err, -EINVAL,
			"--assert: %s needs the times of calls, which --no-times leaves out: leave "
			"one of them out",
			figure);
	if (habit)
		return err_set(err, -EINVAL,
			"%s asks for times, which --no-times leaves out: leave one of them out",
			habit);
	return 0;
}

static int check(struct options *o, struct err *err)
{
	if (!o->pids.len && !o->command_len)
		return err_set(err, -EINVAL, "no program to trace (see --help)");
	if (o->pids.len && o->user)
		return err_set(err, -EINVAL, "-u is for a program that iotrace starts, not for -p");
	if (o->pids.len && o->env.len)
		return err_set(
			err, -EINVAL, "--env is for a program that iotrace starts, not for -p");
	if (o->pids.len && o->trap == OPTIONS_TRAP_FILTER)
		return err_set(err, -EINVAL,
			"--trap=filter is for a program that iotrace starts, not for -p: a filter "
			"cannot be set from outside");
	if (!o->mode_auto && o->trap == OPTIONS_TRAP_DISPATCH)
		return err_set(err, -EINVAL,
			"--trap=dispatch is of the recorder, which --mode=ptrace leaves out");
	if (o->tree && !o->pids.len)
		return err_set(err, -EINVAL,
			"--tree is for -p: of a program that iotrace starts all descendants are "
			"traced");
	if (o->verify && o->pids.len)
		return err_set(err, -EINVAL, "--verify is for a program that iotrace starts");
	if (o->verify && (o->live || o->interval_ns))
		return err_set(err, -EINVAL,
			"--verify prints nothing meanwhile: no --live, no --interval");
	if (o->verify && o->paths.len)
		return err_set(err, -EINVAL, "--verify and -P exclude each other");
	if (o->metrics && !strcmp(o->metrics, "-"))
		return err_set(err, -EINVAL, "--metrics needs the name of a file");
	if (o->metrics && o->user)
		return err_set(err, -EINVAL, "--metrics and -u exclude each other");
	if (o->verify && o->metrics)
		return err_set(err, -EINVAL, "--verify and --metrics exclude each other");
	if (o->verify && o->assertions.len)
		return err_set(err, -EINVAL, "--verify and --assert exclude each other");
	if (o->verify && o->user)
		return err_set(err, -EINVAL, "--verify and -u exclude each other");
	if (o->control_fd >= 0 && fcntl(o->control_fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set(
			err, -EINVAL, "--control-fd: %d is not an open descriptor", o->control_fd);
	if (o->stacks_every && !o->stacks)
		return err_set(err, -EINVAL, "--stacks-every is of --stacks");
	if (o->has_window && o->control_fd >= 0)
		return err_set(
			err, -EINVAL, "--control-fd and --skip or --duration exclude each other");
	if (check_times(o, err) < 0)
		return err->code;
	return conclude(o, err);
}

/* One that getopt has found. */
static int take(struct options *o, int c, struct err *err)
{
	const struct habit *habit =
		c < OPT_HABITS ? habits_by_letter(c) : habits_at((size_t)c - OPT_HABITS);
	int rc;

	if (habit)
		return c < OPT_HABITS
			       ? habits_take(&o->habits, habit, "-", (char[]){(char)c, '\0'}, err)
			       : habits_take(&o->habits, habit, "--", habit->name, err);
	rc = apply(o, c, optarg, err);
	return rc < 0 ? err_wrap(err, "--%s", option_name(c)) : 0;
}

static int parse_words(
	struct options *o, int argc, char **argv, enum options_action *ret_action, struct err *err)
{
	struct getopt_tables t;
	int c, rc = 0;

	getopt_tables(&t);
	opterr = 0;
	optind = 0;
	while (rc == 0 && (c = getopt_long(argc, argv, t.shorts, t.longs, NULL)) != -1) {
		if (c == 'h' || c == 'V') {
			*ret_action = c == 'h' ? OPTIONS_HELP : OPTIONS_VERSION;
			break;
		}
		if (c == '?' || c == ':')
			rc = parse_error(c, argv, err);
		else
			rc = take(o, c, err);
	}
	free(t.longs);
	o->command = argv + optind;
	o->command_len = argc - optind;
	return rc;
}

int options_parse(
	struct options *o, int argc, char **argv, enum options_action *ret_action, struct err *err)
{
	int rc;

	*o = (struct options){.control_fd = -1,
		.mode_auto = 1,
		.trace_spec = TRACE_DEFAULT,
		.grace_ns = GRACE_DEFAULT_NS,
		.detail_limit_bytes = DETAIL_LIMIT_DEFAULT};
	*ret_action = OPTIONS_RUN;
	rc = sys_set_parse(&o->trace, TRACE_DEFAULT, err);
	if (rc == 0)
		rc = sys_set_parse(&o->detail_trace, DETAIL_TRACE_DEFAULT, err);
	if (rc < 0)
		return rc;
	rc = parse_words(o, argc, argv, ret_action, err);
	return rc < 0 || *ret_action != OPTIONS_RUN ? rc : check(o, err);
}

void options_release(struct options *o)
{
	free(o->summary);
	free(o->detail);
	free(o->json);
	free(o->notes);
	assertions_release(&o->assertions);
	paths_release(&o->paths);
	habits_release(&o->habits);
	free(o->env.at);
	free(o->pids.at);
	sys_set_release(&o->trace);
	sys_set_release(&o->detail_trace);
}
