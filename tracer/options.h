/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_OPTIONS_H
#define TRACER_OPTIONS_H

#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/base/out.h"
#include "tracer/assertions.h"
#include "tracer/habits.h"
#include "tracer/paths.h"
#include "tracer/sys_set.h"

/* Which trap leads calls to the recorder: a seccomp filter, or Syscall User Dispatch (trap.h). */
enum options_trap { OPTIONS_TRAP_AUTO, OPTIONS_TRAP_FILTER, OPTIONS_TRAP_DISPATCH };

/* What the command line asks for. Strings belong to argv or, where noted, to options. */
struct options {
	char *summary, *detail, *json; /* heap; NULL: not asked; "-": stdout */
	int summary_wanted;            /* -c */
	int summary_stderr;            /* -c without a file for it, or no output option was given */
	const char *output;            /* of -o; NULL: not given */
	int say_where;        /* 1: -o was meant as strace's, maybe: say which files there are */
	struct habits habits; /* of strace's, that change nothing */
	char *notes;          /* heap: a line that says so, and what else; NULL: none */
	struct sys_set trace, detail_trace;
	int detail_trace_given;
	uint64_t detail_limit_bytes;
	int mode_auto;
	int no_patch;
	int no_times; /* no clock is read around calls: their times are not known */
	enum options_trap trap;
	int verify;
	int live, trace_given;
	struct paths paths;     /* -P */
	const char *trace_spec; /* of --trace, without "trace="; or the default */
	struct {
		pid_t *at;
		size_t len, cap;
	} pids;                           /* -p */
	uint64_t skip_ns;                 /* 0 */
	uint64_t duration_ns, timeout_ns; /* 0: none */
	uint64_t grace_ns;
	int tree;                     /* --tree */
	int has_window;               /* --skip or --duration */
	const char *status;           /* NULL: none */
	const char *metrics;          /* NULL: none */
	uint64_t interval_ns;         /* --interval; 0: not given */
	const char *stacks;           /* prefix of the folded files, NULL: none */
	uint32_t stacks_every;        /* 0: not given */
	struct assertions assertions; /* --assert */
	int control_fd;               /* -1: none */
	const char *user;             /* NULL: none */
	struct {
		const char **at; /* "NAME=VALUE", or "NAME" to unset, in the order given */
		size_t len, cap;
	} env;
	char **command; /* NULL-terminated; the target, or with -p the CMD; may be empty with -p */
	int command_len;
	int quiet;
};

enum options_action { OPTIONS_RUN, OPTIONS_HELP, OPTIONS_VERSION };

/* Parses argv. -EINVAL with one line that names the option. */
int options_parse(
	struct options *o, int argc, char **argv, enum options_action *ret_action, struct err *err);
void options_release(struct options *o);
void options_help(struct out *o);

#endif
