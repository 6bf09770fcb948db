/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_LOAD_H
#define RUNNER_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;

/*
 * What a load says of itself: a number in its output, found by a regular expression (PCRE2's) whose
 * first group is the number. It is tried on each line; the last match counts, since totals come
 * last. Thousands commas are fine. Fed piece by piece, in bounded memory. What is counted are units
 * of 1/scale: with a scale of 1 a fraction is cut, with 1000000 a number in ms is in ns.
 *
 *	struct work_scan w;
 *	rc = work_scan_init(&w, "completed: +(\\d+)", 1, err);
 *	work_scan_feed(&w, buf, n);  ...  work_scan_end(&w);
 *	use(w.count);
 *	work_scan_release(&w);
 */
struct work_scan {
	struct pcre2_real_code_8
		*regex; /* NULL (also of one that is all zero): nothing is sought */
	struct pcre2_real_match_data_8 *match;
	char line[4096]; /* longer lines are cut */
	size_t len;
	uint64_t scale;
	uint64_t count; /* UINT64_MAX: no match yet */
	int too_hard;   /* of a line it took too many steps to tell whether it matches: not known */
};

int work_scan_init(struct work_scan *w, const char *regex, uint64_t scale, struct err *err);
void work_scan_feed(struct work_scan *w, const char *p, size_t n);
void work_scan_end(struct work_scan *w); /* a last line without a newline */
void work_scan_release(struct work_scan *w);

/* ns in a unit of time: "ns", "us", "ms", "s"; 0: it is none. */
uint64_t load_unit_ns(const char *unit);

/* "UNIT=REGEX" into heap memory of the caller. */
int work_split(const char *text, char **ret_unit, char **ret_regex, struct err *err);
/* text_command, but the words of `sh -c TEXT` are TEXT: as the catalogue says it. The caller's. */
char *load_text(const char *const *argv);

#endif
