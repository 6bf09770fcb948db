/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_ANALYZE_H
#define ANALYZE_ANALYZE_H

#include "common/analyze/runs.h"
#include "common/model/result.h"
#include "common/view/doc.h"

/*
 * Findings from results. Each module of this folder makes one kind of finding
 * as data, with the figure that it rests on; io_doc.c and profiling_doc.c lay
 * them out. docs/ANALYSIS.md has every rule.
 */

#define TARGET_CALLS_MIN 100 /* about fewer calls nothing is said */

/* How easy each kind of change is, 1 to 10 (10: easy): rows of targets.def. */
enum target_kind {
#define TARGET(id, name, ease, change) TARGET_##id,
#include "common/analyze/targets.def"
#undef TARGET
	TARGET_KINDS
};
struct ease_table {
	unsigned int of[TARGET_KINDS];
};
struct ease_table ease_defaults(void);
/* Sets the ease of the kind of that name; -EINVAL: no such kind, or not 1
 * to 10. */
int ease_set(struct ease_table *t, const char *kind, uint64_t ease, struct err *err);
const char *ease_name(enum target_kind kind);   /* "batch-limit" */
const char *ease_change(enum target_kind kind); /* what to do, in words */

/* What is known of one scenario: any of the results may be NULL, as its file
 * then is. All of it stays the caller's. */
struct analyze_scenario {
	const char *name;
	struct res_result *io;
	struct res_cpu *cpu;
	struct res_memory *memory;
	const char *io_file, *cpu_file, *memory_file;
	const struct analyze_runs *io_runs; /* all runs of io; NULL: it is the only one */
};

/* What an analysis of s->io comes to, without a chapter of its own: what limits the batches, as
 * pairs; the first targets with what they save, and errors worth a look, as notes. */
void analyze_answer(struct doc *d, const struct analyze_scenario *s, const struct ease_table *ease);
/* The sections of it that are findings: targets, batching, cost model, errors, categories. */
void analyze_findings(
	struct doc *d, const struct analyze_scenario *s, const struct ease_table *ease);
/* Appends a chapter on s->io, which is there. */
void analyze_io(struct doc *d, const struct analyze_scenario *s, const struct ease_table *ease);
/* Appends all chapters: what was profiled, then CPU, memory and I/O of each
 * scenario. */
void analyze_profiling(struct doc *d, const struct analyze_scenario *list, size_t n,
	const struct ease_table *ease);

#endif
