/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stddef.h>

#include "common/analyze/analyze.h"
#include "common/analyze/runs.h"
#include "common/base/err.h"
#include "common/base/out.h"
#include "common/model/result.h"
#include "common/view/doc.h"

/*
 * Results of one scenario as a page (HTML, one file that loads nothing) or as text.
 *
 *	struct report r = {.scenario = "dns"};
 *	rc = report_read(&r, "results/iotrace/dns-iotrace.json", err);
 *	report_html(&r, &out);
 *	report_release(&r);
 *
 * Zeroed storage is an empty report.
 */

/* Folded stacks: "outermost;..;innermost N" lines. */
struct report_stacks {
	char *path;
	const char *kind; /* of iotrace --stacks: time, bytes or calls; else NULL */
	char *text;
	size_t len;
	char *unread; /* why there is no text; NULL */
};

struct report {
	const char *scenario;          /* the caller's; NULL: what the results say */
	const struct ease_table *ease; /* the caller's; NULL: the defaults */
	struct res_result *io;
	struct res_cpu *cpu;
	struct res_memory *memory;   /* each NULL if not read */
	struct res_compare *compare; /* with other results of it */
	struct analyze_runs io_runs; /* the others of io */
	char *io_path, *cpu_path, *memory_path, *compare_path;
	struct report_stacks cpu_stacks; /* path NULL: none was looked for */
	struct {
		struct report_stacks *at;
		size_t len, cap;
	} io_stacks;
};

/* Adds a result or a comparison, whichever it is by its schema, with the folded stacks beside it.
 * One of each kind; a second one, another kind of file or one that cannot be read is an error that
 * names file and place. */
int report_read(struct report *r, const char *path, struct err *err);
void report_release(struct report *r);

/* The scenario's name, "" if nobody knows it. */
const char *report_name(const struct report *r);
/* r has a result at least: of I/O, CPU or memory. */
void report_html(const struct report *r, struct out *o);
void report_text(const struct report *r, struct out *o);
/* Folded stacks, which are changed when they are drawn. */
struct flame_text {
	char *folded;
	size_t len;
	const char *noun; /* what their numbers count: "samples", "bytes" */
	int is_difference;
};
/* As an SVG, a file of its own. */
void report_flame_file(const char *title, const struct flame_text *text, struct out *o);
/* Any doc as such a page, a section for each of its heads. */
void report_doc_html(const char *title, const struct doc *d, struct out *o);

#endif
