/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_REPORT_H
#define TRACER_REPORT_H

#include "common/model/result.h"
#include "tracer/session.h"
#include "tracer/supervise.h"

/* What main knows of the run beyond the session. */
struct report_facts {
	const struct supervise *supervise;
	const char *const *command; /* NULL-terminated */
	const char *target_path;    /* NULL: unknown */
	int target_fd;              /* attached: its file; else -1 */
	uint64_t started_real_ns;   /* CLOCK_REALTIME */
	uint64_t uid;
};

/* The result of a run that is over, without what becomes of the detail. Owned by the caller. */
struct res_result *report_build(const struct session *s, const struct report_facts *facts);
/* How much of the detail was written. */
void report_detail(const struct session *s, struct res_result *r);
/* The detail could not be written: says it in the result. */
void report_detail_failed(struct res_result *r, const char *path, int error);

#endif
