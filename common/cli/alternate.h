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

struct alternate {
	/* Options of run, passed on as they are; NULL: not given. */
	const char *ready, *ready_timeout, *load, *work, *latency, *skip, *duration, *timeout,
		*grace, *mode, *prepare, *user;
	const char *scenario, *type, *config, *output_dir;
	const char *folder; /* in the output directory */
	const struct alternate_way *ways;
	size_t ways_len;
	uint64_t runs; /* of each way */
	int and_back;  /* each second time in the opposite order: a steady drift meets all alike */
	/* Why a result is no good, for which the rest is not run (free()), or NULL. May be NULL. */
	char *(*refuse)(const struct side_part *part, size_t run);
	char **rest; /* the target's arguments, NULL: the catalogue's */
};

/* Rows of options of run for a table of options, into a struct with a struct alternate. */
#define ALTERNATE_ROW(id, arg, type, member, help)                                                 \
	{                                                                                          \
		id, arg, OPTION_TEXT, offsetof(type, member), 0, 0, help                           \
	}
#define ALTERNATE_ROWS(type, at)                                                                   \
	ALTERNATE_ROW("ready", "SPEC", type, at.ready,                                             \
		"in turns, this and the next as of run: when the target can take load"),           \
		ALTERNATE_ROW("ready-timeout", "SEC", type, at.ready_timeout,                      \
			"how long it may take to be ready"),                                       \
		ALTERNATE_ROW("load", "CMD", type, at.load, "run against the ready target"),       \
		ALTERNATE_ROW("work", "UNIT=REGEX", type, at.work,                                 \
			"how much the load did; counts are then judged per unit of it"),           \
		ALTERNATE_ROW("latency", "UNIT=REGEX", type, at.latency,                           \
			"what the load says of its latency"),                                      \
		ALTERNATE_ROW("skip", "SEC", type, at.skip, "left out of the window"),             \
		ALTERNATE_ROW("duration", "SEC", type, at.duration, "of the window"),              \
		ALTERNATE_ROW("timeout", "SEC", type, at.timeout, "time limit of a run"),          \
		ALTERNATE_ROW("grace", "SEC", type, at.grace, "from TERM to KILL"),                \
		ALTERNATE_ROW("mode", "MODE", type, at.mode, "of type io: auto or ptrace"),        \
		ALTERNATE_ROW(                                                                     \
			"user", "USER", type, at.user, "as root: run target and tool as USER")

/* The name of the first option of run that was given, without dashes; NULL: none. */
const char *alternate_option(const struct alternate *a);
/* Fills a side for each way; all are to be released in any case. Says on stderr which run it is at,
 * and what the log of one that fails ends with. */
int alternate_run(const struct alternate *a, struct side *sides, struct err *err);
/* The directories of the runs of a way, NULL-terminated, in the arena. */
const char *const *alternate_places(const struct alternate *a, size_t way, struct arena *arena);

#endif
