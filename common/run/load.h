/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUN_LOAD_H
#define RUN_LOAD_H

#include <regex.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * Work done by a load: a number in its output, found by a regular expression (POSIX extended, with
 * \d for a digit) whose first group is the number. It is tried on each line; the last match counts,
 * since totals come last. Thousands commas are fine. Fed piece by piece, in bounded memory.
 *
 *	struct work_scan w;
 *	rc = work_scan_init(&w, "completed: +(\\d+)", err);
 *	work_scan_feed(&w, buf, n);  ...  work_scan_end(&w);
 *	use(w.count);
 *	work_scan_release(&w);
 */
struct work_scan {
	regex_t regex;
	char line[4096]; /* longer lines are cut */
	size_t len;
	uint64_t count; /* UINT64_MAX: no match yet */
};

int work_scan_init(struct work_scan *w, const char *regex, struct err *err);
void work_scan_feed(struct work_scan *w, const char *p, size_t n);
void work_scan_end(struct work_scan *w); /* a last line without a newline */
void work_scan_release(struct work_scan *w);

/* "UNIT=REGEX" into heap memory of the caller. */
int work_split(const char *text, char **ret_unit, char **ret_regex, struct err *err);
/* A command line as a person types it; the words of `sh -c TEXT` are TEXT. The caller's. */
char *load_text(const char *const *argv);

#endif
