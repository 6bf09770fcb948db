/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <stddef.h>

#include "common/base/mem.h"
#include "common/doctor/doctor_facts.h"

/*
 * Finds out what a profile needs here and what is missing: doctor_probe() tries and looks,
 * doctor_judge() says what that means and which command fixes it.
 *
 *	struct doctor_facts f = {0};
 *	struct doctor_report report = {0};
 *	doctor_probe(&f, &(struct doctor_ask){.output_dir = "results", .binary = "/bin/ls"});
 *	doctor_judge(&f, &report);
 *	... report.at[0 .. report.len-1] ...
 *	doctor_report_release(&report);
 *	doctor_facts_release(&f);
 */

struct config;
struct err;
struct doctor_ask {
	const char *output_dir; /* of the results */
	const char *binary;     /* NULL: $PROFILE_BINARY (env_binary), else the catalogue's */
	const char *env_binary;
	const char *config; /* NULL: the default one, if it is there */
	/* Reads and checks the catalogue as the commands do; *ret NULL: there is none. */
	int (*read_catalogue)(const char *path, struct config **ret, struct err *err);
};

struct doctor_line {
	const char *id;
	enum doctor_level level;
	const char *text; /* what was found and what it means */
	const char *fix;  /* a command, or what else to do; NULL: nothing */
};

struct doctor_report {
	struct arena arena;
	struct doctor_line *at;
	size_t len, cap;
};

/* Takes up to about 30 s where things hang; each trial has a limit of its own. */
void doctor_probe(struct doctor_facts *f, const struct doctor_ask *ask);
void doctor_facts_release(struct doctor_facts *f);

/* Pure. Adds a line for each check that applies (those of a target only where one is named). */
void doctor_judge(const struct doctor_facts *f, struct doctor_report *report);
/* Adds a line of another origin; the strings are copied. */
void doctor_add(struct doctor_report *report, const struct doctor_line *line);
void doctor_report_release(struct doctor_report *report);
/* The worst of all lines. */
enum doctor_level doctor_worst(const struct doctor_report *report);

/* What speaks against massif seeing a program's allocations, as half a sentence about "it"; NULL:
 * nothing. Pure. */
const char *doctor_unseen_by_massif(const struct doctor_target *t);
/* Fills of *ret what is asked by that, without the debug information. */
void doctor_look_at_allocation(const char *path, struct doctor_target *ret);

#endif
