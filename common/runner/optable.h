/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_OPTABLE_H
#define RUNNER_OPTABLE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/out.h"

/*
 * Command line options as a table: parsing and --help derive from the same rows.
 *
 *	#define OPTIONS struct args
 *	static const struct optable_row rows[] = {
 *		OPT_COUNT("runs", "N", runs, 1, 1000, "how often"),
 *	};
 *	static const struct optable table = {rows, 1};
 *	struct args a = {.runs = OPTION_UNSET};
 *	rc = optable_parse(&table, argv, &a, &rest, err);
 */
#define OPTION_UNSET UINT64_MAX

enum option_kind {
	OPTION_FLAG,    /* int: 1 when given */
	OPTION_TEXT,    /* const char *: into argv */
	OPTION_SECONDS, /* uint64_t: ns */
	OPTION_NUMBER,  /* uint64_t in [min, max] */
};

struct optable_row {
	const char *name; /* without the dashes */
	const char *arg;  /* what stands for its value in --help; NULL for a flag */
	enum option_kind kind;
	size_t offset; /* in the caller's struct */
	uint64_t min, max;
	const char *help;
};

/* clang-format off */
#define OPT_FLAG(name, member, help) \
	{name, NULL, OPTION_FLAG, offsetof(OPTIONS, member), 0, 0, help}
#define OPT_TEXT(name, arg, member, help) \
	{name, arg, OPTION_TEXT, offsetof(OPTIONS, member), 0, 0, help}
#define OPT_SECONDS(name, member, help) \
	{name, "SEC", OPTION_SECONDS, offsetof(OPTIONS, member), 0, 0, help}
#define OPT_COUNT(name, arg, member, min, max, help) \
	{name, arg, OPTION_NUMBER, offsetof(OPTIONS, member), min, max, help}
/* The rows of every command, for --help: main() looks for them before anything is parsed. */
#define OPT_OF_ALL \
	{"help", NULL, OPTION_FLAG, SIZE_MAX, 0, 0, "print this"}, \
	{"version", NULL, OPTION_FLAG, SIZE_MAX, 0, 0, "print the version"}
/* clang-format on */

struct optable {
	const struct optable_row *rows;
	size_t len;
};

/*
 * Parses argv (NULL-terminated, without the program's name): --name VALUE, --name=VALUE, flags.
 * *ret_rest is what stands after "--", NULL if there was none. The last of a repeated option wins.
 * -EINVAL: unknown option, missing or bad value, or an argument that is no option.
 */
int optable_parse(
	const struct optable *table, char **argv, void *into, char ***ret_rest, struct err *err);

/* An argument as the table spells it: --name as it is, a letter (-o, -q ..) in full in tables that
 * have this option; NULL: it is no option. */
const char *optable_option(const struct optable *table, const char *arg);

/* The row of that name, NULL: there is none. */
const struct optable_row *optable_find(
	const struct optable *table, const char *name, size_t name_len);

/* A line or two for each row, aligned, however wide. */
void optable_help(const struct optable *table, struct out *o);

#endif
