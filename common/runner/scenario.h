/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_SCENARIO_H
#define RUNNER_SCENARIO_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/runner/attach.h"
#include "common/runner/config.h"
#include "common/runner/ready.h"

struct as_user;

/* Of type memory, passed on to massif; 0 and NULL: massif's own. */
struct memory_options {
	uint64_t detailed_freq, max_snapshots, depth;
	const char *threshold, *time_unit;
	const char *alloc_fn, *ignore_fn; /* names separated by ';' */
	int pages_as_heap, stacks;
};

/* A type that there is: what of a backend a scenario must know. */
struct scenario_type {
	const char *id, *cannot_attach; /* see struct backend */
	int by_name;
};

/* What the command line says; numbers are OPTION_UNSET and strings NULL where it says nothing. */
struct scenario_args {
	const struct scenario_type *there;   /* the types, the last without an id */
	const char *history, *history_store; /* of the command line alone: where results go too */
	const char *scenario, *type, *output_dir, *binary, *config;
	int io_stacks;
	const char *ready, *load, *work, *latency, *mode, *call_graph, *diff;
	uint64_t sampling_hz, runs, warmup, timeout_ns, grace_ns, ready_timeout_ns, skip_ns,
		duration_ns;
	int all, control, dry_run, json, quiet;
	const char *set;     /* NAME=VALUE, see fill.h */
	const char *prepare; /* as that of a scenario */
	const char *user;    /* a name, or NULL */
	const char *attach;  /* whom, see attach_find() */
	struct attach
		*attached; /* that, found; the caller's, and must live as long as a scenario */
	int attach_window, no_tree;
	int show_output, skip_unavailable;
	struct memory_options memory;
	char **rest; /* after "--", NULL without one */
};
/* For the initializer of one that says nothing. */
#define SCENARIO_ARGS_UNSET                                                                        \
	.sampling_hz = OPTION_UNSET, .runs = OPTION_UNSET, .warmup = OPTION_UNSET,                 \
	.timeout_ns = OPTION_UNSET, .grace_ns = OPTION_UNSET, .ready_timeout_ns = OPTION_UNSET,    \
	.skip_ns = OPTION_UNSET, .duration_ns = OPTION_UNSET

/* A process that is started before the target and ended after it. */
struct scenario_helper {
	const char *const *argv;
	int has_ready;
	struct ready ready;
};

/* What is to be done: command line, environment and catalogue merged, defaults filled in. */
struct scenario {
	struct arena arena;
	const char *name;
	const char *const *types; /* ids of backends, NULL-terminated; those of `all` one by one */
	const char *output_dir, *mode;
	int io_stacks;           /* --stacks of iotrace */
	const char *const *argv; /* the target and its arguments, NULL-terminated */
	struct attach *attach;   /* the target runs already; NULL: it is started */
	int attach_window;      /* it is started free of any tool, and attached to for the window */
	int no_tree;            /* attached to without its descendants */
	const char *left_out;   /* why a type of `types` is not run, or NULL */
	const char *build;      /* makes argv[0] where it is missing, or NULL */
	const char *prepare;    /* is run before the first run, or NULL */
	const char *const *env; /* for the target: "K=V" or "K" to unset, or NULL */
	const char *cwd;        /* of target, load and ready command; NULL: ours */
	const char *stdin_path; /* NULL: not given */
	struct scenario_helper *helpers;
	size_t helpers_len;
	struct as_user
		*user; /* whom target and tool run as; what else is run is the caller's; NULL */
	int has_ready;
	struct ready ready;
	uint64_t ready_timeout_ns;
	const char *const *load; /* NULL: none */
	const char *work_unit, *work_regex;
	const char *latency_regex; /* NULL: not asked */
	uint64_t latency_unit_ns;
	const char *trace;      /* NULL: the backend's default */
	int no_times;           /* of type io: no clock is read around calls */
	const char *call_graph; /* of type cpu: dwarf or fp */
	const char *diff;       /* of type cpu: the profile to compare with, or NULL */
	const char *const *limits;
	uint64_t sampling_hz, runs, warmup;
	uint64_t timeout_ns; /* 0: none */
	uint64_t grace_ns, skip_ns;
	uint64_t duration_ns; /* 0: to the end */
	int show_output, skip_unavailable;
	int control; /* a native run beside each one */
	struct memory_options memory;
};

/*
 * Merges: the command line wins over the catalogue (config, may be NULL), it over the defaults.
 * env_binary: $PROFILE_BINARY or NULL; it wins over the catalogue's target. Pure. What the
 * arguments and the config hold must live as long as the scenario.
 */
int scenario_merge(const struct scenario_args *args, struct config *config, const char *env_binary,
	struct scenario **ret, struct err *err);
/* 1 if the catalogue's scenario has that type, or all; with a type of NULL or "all" it is 1. One
 * that attaches has none that cannot. */
int scenario_has_type(
	const struct scenario_type *there, const struct config_scenario *s, const char *type);
void scenario_free(struct scenario *sc); /* takes NULL */

#endif
