/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_IO_DOC_H
#define ANALYZE_IO_DOC_H

#include "common/analyze/analyze.h"
#include "common/analyze/batching.h"
#include "common/analyze/targets.h"

/* The sections of the I/O analysis: findings in, blocks out. Inside this folder
 * only. */
struct io_findings {
	const struct analyze_scenario *s;
	const struct batching *batching;
	size_t batching_len;
	struct targets targets;
};

/* Owned by d's arena. */
struct io_findings io_findings(
	struct doc *d, const struct analyze_scenario *s, const struct ease_table *ease);

/* io_batching.c */
void io_batching(struct doc *d, const struct io_findings *f);
void io_cost(struct doc *d, const struct io_findings *f);
/* io_gathering.c */
void io_gathering(struct doc *d, const struct analyze_scenario *s);
/* io_tables.c */
void io_errors(struct doc *d, const struct res_result *r);
void io_categories(struct doc *d, const struct res_result *r);
void io_top(struct doc *d, const struct res_result *r);
void io_phases(struct doc *d, const struct res_result *r);
void io_mappings(struct doc *d, const struct res_result *r);
void io_all_calls(struct doc *d, const struct res_result *r);

#endif
