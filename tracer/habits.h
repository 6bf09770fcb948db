/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_HABITS_H
#define TRACER_HABITS_H

#include <stddef.h>

#include "common/base/err.h"

/* strace's options that are not iotrace's own: what is made of each. See habits.def. */
struct habit {
	char letter;            /* 0: none */
	const char *name;       /* of the long option; NULL: none */
	const char *qualifiers; /* of -e, '|' between them; NULL: none */
	enum habit_value { HABIT_NONE, HABIT_ANY, HABIT_LONG } value;
	enum habit_kind { HABIT_ALWAYS, HABIT_NOTHING, HABIT_MISSING } kind;
	const char *sentence;
};

size_t habits_count(void);
const struct habit *habits_at(size_t index);
const struct habit *habits_by_letter(int letter); /* NULL: none */
/* Of "signal=..."; NULL: it is a set of calls. -EINVAL: "x=..." with an unknown x. */
int habits_by_expression(const char *expr, const struct habit **ret, struct err *err);

/* Those that were given. */
struct habits {
	struct habit_use {
		const struct habit *habit;
		char as[32]; /* "-f", "--follow-forks", "-e signal=" */
	} * at;
	size_t len, cap;
};
/* Takes one, given as `prefix` and then `name`; each is kept once. -EINVAL with its sentence where
 * it is MISSING. */
int habits_take(struct habits *h, const struct habit *habit, const char *prefix, const char *name,
	struct err *err);
/* The first that asks for times of calls, as given; NULL: none. */
const char *habits_on_times(const struct habits *h);
/* "-f -T: always so; -s: no bytes ...", heap; NULL: none was given. */
char *habits_text(const struct habits *h);
void habits_release(struct habits *h);

#endif
