/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_ALTERNATE_H
#define CLI_ALTERNATE_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/compare/side.h"

/*
 * A scenario in several ways in turns, base, new, base, new, ..: what changes on the machine
 * meanwhile changes for all. Each run is one `profile-scenario run`; results are left in
 * OUT/FOLDER/SCENARIO/NAME/K, where NAME is that of the way.
 */
struct alternate_way {
	const char *name;   /* a name of a directory, and said of each run */
	const char *label;  /* what it is, in messages */
	const char *binary; /* NULL: that of the scenario */
	const char *set;    /* --set of run, NULL: none */
};

/* clang-format off */
/* Options of run, passed on as they are: X(NAME, ARG, member, help), members NULL: not given. */
#define ALTERNATE_OPTIONS(X) \
	X("ready", "SPEC", ready, \
		"in turns, this and the next as of run: when the target can take load"), \
	X("ready-timeout", "SEC", ready_timeout, "how long it may take to be ready"), \
	X("load", "CMD", load, "run against the ready target"), \
	X("work", "UNIT=REGEX", work, \
		"how much the load did; counts are then judged per unit of it"), \
	X("latency", "UNIT=REGEX", latency, "what the load says of its latency"), \
	X("skip", "SEC", skip, "left out of the window"), \
	X("duration", "SEC", duration, "of the window"), \
	X("timeout", "SEC", timeout, "time limit of a run"), \
	X("grace", "SEC", grace, "from TERM to KILL"), \
	X("mode", "MODE", mode, "of type io: auto or ptrace"), \
	X("user", "USER", user, "as root: run target and tool as USER")
#define ALTERNATE_MEMBER(name, arg, member, help) *member
/* Of the table of a command whose struct has a struct alternate of that name. */
#define ALTERNATE_ROW(name, arg, member, help) OPT_TEXT(name, arg, alternate.member, help)
/* clang-format on */

struct alternate {
	const char ALTERNATE_OPTIONS(ALTERNATE_MEMBER), *prepare; /* which is passed on too */
	const char *scenario, *type, *config, *output_dir;
	const char *folder; /* in the output directory */
	const struct alternate_way *ways;
	size_t ways_len;
	uint64_t runs; /* of each way */
	/* Why a result is no good, for which the rest is not run (free()), or NULL. May be NULL. */
	char *(*refuse)(const struct side_part *part, size_t run);
	char **rest; /* the target's arguments, NULL: the catalogue's */
};

/* The name of the first option of run that was given, without dashes; NULL: none. */
const char *alternate_option(const struct alternate *a);
/* Fills a side for each way; all are to be released in any case. Says on stderr which run it is at,
 * and what the log of one that fails ends with. */
int alternate_run(const struct alternate *a, struct side *sides, struct err *err);
/* The directories of the runs of a way, NULL-terminated, in the arena. */
const char *const *alternate_places(const struct alternate *a, size_t way, struct arena *arena);

#endif
