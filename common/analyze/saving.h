/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_SAVING_H
#define ANALYZE_SAVING_H

#include "common/analyze/batching.h"
#include "common/model/result.h"
#include "common/view/doc.h"

/*
 * What a call that is not made saves, never the least time of calls that move much; the rules are
 * in docs/ANALYSIS.md. Words are constant or in d's arena.
 */
struct saving {
	double ns;       /* NAN: not known */
	const char *how; /* "at least", "about" */
	const char *why; /* how that is known, or why it is not */
};

/* 1 for write and its kind, or read and its. */
int saving_writes(const char *call);
int saving_reads(const char *call);
/* batching: of the call, or NULL. */
struct saving saving_of(struct doc *d, const struct res_result *r, const char *call,
	const struct batching *batching);
/* Of a message that sendto, sendmsg or a write sends by itself: what it takes less in a batch. */
struct saving saving_of_message(const struct res_result *r, const char *call);
/* Of a read whose bytes another one brings along. */
struct saving saving_of_read(struct doc *d, const struct res_result *r, const char *call);

#endif
