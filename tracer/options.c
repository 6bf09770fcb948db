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
#include "common/base/units.h"

#define DETAIL_TRACE_DEFAULT "sendmmsg,recvmmsg,write,writev,mmap,munmap"
#define DETAIL_LIMIT_DEFAULT (256ULL << 20)
#define GRACE_DEFAULT_NS     (5 * 1000000000ULL)
#define INTERVAL_LEAST_NS    10000000ULL

enum {
	OPT_SUMMARY = 256,
	OPT_DETAIL,
	OPT_JSON,
	OPT_DETAIL_TRACE,
	OPT_DETAIL_LIMIT,
	OPT_MODE,
	OPT_NO_PATCH,
	OPT_TRAP,
	OPT_VERIFY,
	OPT_TREE,
	OPT_SKIP,
	OPT_DURATION,
	OPT_CONTROL_FD,
	OPT_STATUS,
	OPT_LIVE,
	OPT_INTERVAL,
	OPT_STACKS,
	OPT_STACKS_EVERY,
	OPT_TIMEOUT,
	OPT_GRACE,
	OPT_ENV,
	OPT_VERSION,
	OPT_HELP,
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
	{'e', "trace", "SET",
		"names, %io %network %file %desc %memory %process, all, !x; default %io"},
	{OPT_DETAIL_TRACE, "detail-trace", "SET",
		"calls with a line; default " DETAIL_TRACE_DEFAULT},
	{OPT_DETAIL_LIMIT, "detail-limit", "BYTES",
		"keep the first BYTES of the detail, count the rest; default 256M"},
	{OPT_MODE, "mode", "auto|ptrace",
		"auto: recorder inside the target where it can; ptrace: stops only"},
	{OPT_NO_PATCH, "no-patch", NULL, "recorder without changing the target's code"},
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
	{OPT_STATUS, "status", "FILE", "keep one line of counts so far in FILE, anew every second"},
	{OPT_STACKS, "stacks", "PREFIX",
		"write the code paths of calls: PREFIX-{time,bytes,calls}.folded"},
	{OPT_STACKS_EVERY, "stacks-every", "N",
		"one call in N of a thread; default 97, with --mode=ptrace 1"},
	{OPT_TIMEOUT, "timeout", "SEC", "end the target after SEC: TERM, after the grace KILL"},
	{OPT_GRACE, "grace", "SEC", "time between TERM and KILL; default 5"},
	{OPT_ENV, "env", "NAME[=VALUE]",
		"set a variable for the target, or without = unset it; repeatable"},
	{'u', "user", "USER", "as root: run the target as USER, who gets the files"},
	{'q', "quiet", NULL, "no messages, and no summary on standard error"},
	{OPT_VERSION, "version", NULL, "print the version"},
	{OPT_HELP, "help", NULL, "print this help"},
};
#define TABLE_LEN (sizeof(table) / sizeof(*table))

void options_help(struct out *o)
{
	out_str(o, "usage: iotrace [OPTIONS] [--] PROGRAM [ARGS...]\n"
		   "       iotrace [OPTIONS] -p PID [-p PID...] [--tree] [-- CMD...]\n\n"
		   "Traces a program's system calls, with all its threads and children, and\n"
		   "says how well its I/O is batched. Without an output option the summary goes\n"
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
		out_printf(o, "%-28s%s\n", left, table[i].help);
	}
	out_str(o, "\nExit status: the target's, 128+N if signal N ended it; 124 time limit,\n"
		   "125 iotrace failed, 126 not executable, 127 not found, 2 usage.\n"
		   "See iotrace(1).\n");
}

static void getopt_tables(char *shorts, struct option *longs)
{
	*shorts++ = '+'; /* options end at the program's name */
	*shorts++ = ':';
	for (size_t i = 0; i < TABLE_LEN; i++) {
		int has_arg = table[i].arg ? required_argument : no_argument;

		longs[i] = (struct option){table[i].name, has_arg, NULL, table[i].value};
		if (table[i].value >= 256)
			continue;
		*shorts++ = (char)table[i].value;
		if (table[i].arg)
			*shorts++ = ':';
	}
	*shorts = '\0';
	longs[TABLE_LEN] = (struct option){0};
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

/* Applies one option. arg is NULL where the table says there is none. */
static int apply(struct options *o, int value, const char *arg, struct err *err)
{
	switch (value) {
	case 'o':
		replace(&o->summary, mem_printf("%s-summary.txt", arg));
		replace(&o->detail, mem_printf("%s-detail.txt", arg));
		replace(&o->json, mem_printf("%s.json", arg));
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
		o->trace_spec = arg;
		return set_set(&o->trace, arg, err);
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
	case OPT_STACKS:
		o->stacks = arg;
		return 0;
	case OPT_STACKS_EVERY:
		return set_every(o, arg, err);
	case OPT_TIMEOUT:
		return units_parse_seconds(arg, &o->timeout_ns, err);
	case OPT_GRACE:
		return units_parse_seconds(arg, &o->grace_ns, err);
	case OPT_ENV:
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

static int parse_error(int c, char **argv, struct err *err)
{
	const char *word = argv[optind - 1];

	if (c == ':')
		return err_set(err, -EINVAL, "option '%s' needs a value (see --help)", word);
	if (optopt && optopt < 256 && strncmp(word, "--", 2) != 0)
		return err_set(err, -EINVAL, "unknown option '-%c' (see --help)", optopt);
	return err_set(
		err, -EINVAL, "unknown option '%s', or it takes no value (see --help)", word);
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
		return err_set(err, -EINVAL, "--tree is of -p");
	if (o->verify && o->pids.len)
		return err_set(err, -EINVAL, "--verify is for a program that iotrace starts");
	if (o->verify && (o->live || o->interval_ns))
		return err_set(err, -EINVAL,
			"--verify prints nothing meanwhile: no --live, no --interval");
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
	if (!o->summary && !o->detail && !o->json && !o->quiet)
		o->summary_stderr = 1;
	return 0;
}

int options_parse(
	struct options *o, int argc, char **argv, enum options_action *ret_action, struct err *err)
{
	struct option longs[TABLE_LEN + 1];
	char shorts[3 * TABLE_LEN + 3];
	int c, rc;

	*o = (struct options){.control_fd = -1,
		.mode_auto = 1,
		.grace_ns = GRACE_DEFAULT_NS,
		.detail_limit_bytes = DETAIL_LIMIT_DEFAULT};
	*ret_action = OPTIONS_RUN;
	rc = sys_set_parse(&o->trace, "%io", err);
	if (rc == 0)
		rc = sys_set_parse(&o->detail_trace, DETAIL_TRACE_DEFAULT, err);
	if (rc < 0)
		return rc;
	getopt_tables(shorts, longs);
	opterr = 0;
	optind = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == OPT_HELP || c == OPT_VERSION) {
			*ret_action = c == OPT_HELP ? OPTIONS_HELP : OPTIONS_VERSION;
			return 0;
		}
		if (c == '?' || c == ':')
			return parse_error(c, argv, err);
		rc = apply(o, c, optarg, err);
		if (rc < 0)
			return err_wrap(err, "--%s", option_name(c));
	}
	o->command = argv + optind;
	o->command_len = argc - optind;
	return check(o, err);
}

void options_release(struct options *o)
{
	free(o->summary);
	free(o->detail);
	free(o->json);
	free(o->env.at);
	free(o->pids.at);
	sys_set_release(&o->trace);
	sys_set_release(&o->detail_trace);
}
