/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_TALLY_H
#define AGG_TALLY_H

#include <stdint.h>

#include "common/base/hist.h"
#include "common/base/map.h"
#include "common/model/result.h"
#include "tracer/agg/batch.h"
#include "tracer/agg/call.h"
#include "tracer/agg/parts.h"

/* So few bytes take no time to speak of: what such a call takes is the call's own. Up to there a
 * write costs what one of a byte does, within a tenth. */
#define TALLY_SMALL_BYTES 256

/* All counters of one system call. */
struct tally {
	const struct sys_def *def;
	uint64_t fates[CALL_FATES];
	uint64_t unreadable; /* calls whose figures are missing */
	struct counts errnos;
	struct hist
		latency; /* of all that came back, interrupted ones too, as strace counts time */
	uint64_t bytes_asked, bytes_asked_calls;
	struct hist bytes_moved; /* of ok calls */
	struct hist small;       /* latency of ok calls that moved 1 to TALLY_SMALL_BYTES */
	struct batch batch;
	uint64_t empty_again; /* asks.h */
	uint64_t segmented;   /* calls with GSO or GRO */
	uint64_t dgrams_asked;
	struct hist dgrams_moved;                            /* of ok calls */
	uint64_t dgrams_asked_unknown, dgrams_moved_unknown; /* segmented ok calls */
	struct parts_hit thread_hit, fd_hit;
};

struct tally *tally_new(const struct sys_def *def);
void tally_free(struct tally *t); /* takes NULL */
void tally_add(struct tally *t, const struct call *c);
uint64_t tally_calls(const struct tally *t);
/*
 * Whether the call moves bytes, and whether it could be told how many bytes and units: else the
 * figure is null. Where no call was ok the sum of what they moved is known: 0.
 */
int tally_has_bytes(const struct tally *t);
int tally_knows_moved_bytes(const struct tally *t);
int tally_knows_asked_units(const struct tally *t);
int tally_knows_moved_units(const struct tally *t);
/* Fills an empty row. */
void tally_result(const struct tally *t, struct res_syscall *to, struct res_result *r);

#endif
