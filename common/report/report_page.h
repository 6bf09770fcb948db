/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include "common/analyze/analyze.h"
#include "common/base/mem.h"
#include "common/base/out.h"
#include "common/report/report.h"
#include "common/view/doc.h"

/* The pieces of the page. Inside this folder only. */

struct page {
	struct out *o;
	struct arena arena;
	size_t whole_left; /* bytes that whole names in titles may still take */
};

/* ---- report_page.c ---- */

/* Up to <body>; from </main> on. */
void html_page(struct page *p, const char *name);
void html_page_end(struct page *p);

/* ---- report_html.c ---- */

/* The only ways in which anything of a target gets into the page: control characters and what is
 * no text are made visible (safe.h), and & < > " ' become entities, so that it is text everywhere,
 * in attributes too. */
void html_text(struct page *p, const char *s);
/* One that is wider is cut in the middle, with the whole in a tooltip (an attribute, or in SVG
 * what html_whole() writes). */
void html_name(struct page *p, const char *s, size_t columns);
/* The name for a tooltip: whole while the page's budget for long ones lasts, then cut. */
void html_whole(struct page *p, const char *s);

/* <section> with its heading; id and title are ours. */
void html_section(struct page *p, const char *id, const char *title);
void html_section_end(struct page *p);
/* A line of our own words about what is drawn below it. */
void html_legend(struct page *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Blocks of a doc in their order, headings of sections as <h3>. */
void html_doc(struct page *p, const struct doc *d);
void html_doc_end(struct page *p, struct doc *d); /* and d is freed */
void html_blocks(struct page *p, const struct doc_block *at, size_t n);
void html_table(struct page *p, const struct doc_table *t);

/* Opens a box that scrolls by itself with an SVG of that height, SVG_WIDTH wide; what is for those
 * who cannot see it. */
#define SVG_WIDTH 1200
/* Pictures over time stand under each other; left of them is room for a thread's name and number.
 */
#define TIME_LEFT  190
#define TIME_RIGHT 1100
void svg_begin(struct page *p, const char *class, double height, const char *what);
void svg_end(struct page *p);
/* at: start, middle, end */
void svg_text(struct page *p, double x, double y, const char *at, const char *s);
/* A time axis or one of plain numbers from 0 to max below y, left to right. */
struct svg_axis {
	double left, right; /* where 0 and max are */
	double max;
	const char *(*label)(char *buf, uint64_t v);
};
void svg_x_axis(struct page *p, const struct svg_axis *a, double top, double bottom);
/* Three lines across with their values: 0, the half, max. */
void svg_y_axis(struct page *p, const struct svg_axis *a, double top, double bottom);

/* ---- what is drawn, a file each ---- */

void report_batches(struct page *p, const struct res_result *r);
void report_latencies(struct page *p, const struct res_result *r);
void report_time(struct page *p, const struct res_result *r);
void report_heat(struct page *p, const struct res_result *r);
void report_latency_map(struct page *p, const struct res_result *r);
void report_threads_map(struct page *p, const struct res_result *r);
struct flame;
void report_flame_svg(struct page *p, const struct flame *f, const char *what);

/* ---- tables and words, for the page and for text ---- */

/* The first screen; summary: of the I/O result, NULL without. */
void report_answer(struct doc *d, const struct report *r, const struct doc *summary);
/* The report's results as analyze takes them; nothing is owned. */
struct analyze_scenario report_scenario(const struct report *r);

void report_syscalls_table(struct doc *d, const struct res_result *r);
void report_fds_table(struct doc *d, const struct res_result *r);
void report_threads_table(struct doc *d, const struct res_result *r);
void report_errors_table(struct doc *d, const struct res_result *r);
void report_environment(struct doc *d, const struct res_environment *e);
/* NAN where there are too few samples for one. */
double report_cpu_share(const struct res_cpu *c, double share);
void report_cpu_head(struct doc *d, const struct res_cpu *c);
void report_cpu_tables(struct doc *d, const struct res_cpu *c);
void report_memory_head(struct doc *d, const struct res_memory *m);
void report_memory_tables(struct doc *d, const struct res_memory *m);
/* The calls of batches that are drawn, most moved first; in the arena. *ret_left_out: the others.
 */
const struct res_syscall **report_batch_calls(
	struct arena *a, const struct res_result *r, size_t *ret_len, size_t *ret_left_out);
/* The calls whose latencies are drawn: of messages first, then most time. */
const struct res_syscall **report_latency_calls(
	struct arena *a, const struct res_result *r, size_t *ret_len, size_t *ret_left_out);
/* "12 calls": for sentences; in the arena. */
const char *report_plural(struct arena *a, uint64_t n, const char *noun);

/* ---- the parts of the page that are the same in each ---- */

extern const char report_style[], report_script[];
extern const char report_flame_style[]; /* of a flame graph that is a file of its own */

#endif
