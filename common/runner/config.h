/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_CONFIG_H
#define RUNNER_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"

/*
 * The catalogue of scenarios, a JSON file (profile-scenario.json):
 *
 *	{ "target": {"binary": "PATH", "build": "SHELL COMMAND"},
 *	  "scenarios": { "NAME": { "args": [..], "ready": "udp:53", "load": [..], .. } } }
 *
 * docs/man/profile-scenario.1 lists the keys. Strings and lists live in the config's arena; lists
 * end with NULL. What is not given is NULL, numbers CONFIG_UNSET.
 */
#define CONFIG_UNSET        UINT64_MAX
#define CONFIG_DEFAULT_FILE "profile-scenario.json"

/* A process beside the target. */
struct config_helper {
	const char *const *command; /* a string becomes sh -c */
	const char *ready;          /* NULL: started is enough */
};

struct config_scenario {
	const char *name;
	const char *const *args;    /* of the target */
	const char *const *command; /* instead of target and args; a string becomes sh -c */
	const char *const *env;     /* "K=V", or "K" to unset */
	const char *cwd;
	const char *stdin_path;
	const struct config_helper *helpers; /* ends with a NULL command; NULL: none */
	const char *const *types;
	const char *ready;
	const char *const *load; /* argv; a string becomes sh -c */
	const char *work_unit, *work_from, *work_regex;
	const char *latency_unit, *latency_regex;
	const char *trace;
	const char *const *limits; /* name, condition, name, condition, .. */
	uint64_t sampling_hz, runs, warmup, timeout_ns, ready_timeout_ns, skip_ns, duration_ns;
	int no_times; /* of type io: iotrace --no-times */
	int attach;   /* the target is started free of any tool, and attached to for the window */
};

/* One that gives nothing. */
extern const struct config_scenario config_nothing;

struct config {
	struct arena arena;
	const char *path;
	const char *binary, *build;
	const char *const
		*ease; /* of changes, for analyze: name, number, name, number, ..; or NULL */
	struct config_scenario *scenarios;
	size_t scenarios_len;
};

/* Reads a catalogue. Errors name file, line and column: not JSON, unknown keys, wrong types. */
int config_read(const char *path, struct config **ret, struct err *err);
/* An error about a member of a catalogue that was read, with its place; keys lead to it. -EINVAL.
 */
int config_fault(const struct config *c, const char *const *keys, size_t len, const char *what,
	struct err *err);
void config_free(struct config *c); /* takes NULL */
/* The scenario of that name, or NULL. */
const struct config_scenario *config_find(const struct config *c, const char *name);
/* For messages, in the config's arena: "a, b, c", and "; did you mean 'a'?" where name is near. */
const char *config_names(struct config *c, const char *name);

#endif
