/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_PARTS_H
#define AGG_PARTS_H

#include <stdint.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "tracer/agg/call.h"
#include "tracer/agg/causes.h"

/* What one thread (or fd) did with one call. */
struct part {
	struct part *next; /* of the same owner */
	const struct sys_def *def;
	uint64_t calls, errors, wall_ns, bytes;
	uint64_t batch_asked, batch_moved; /* over ok calls */
	uint64_t batch_calls;              /* ok calls whose moved was measured */
	uint64_t *limited_by;              /* CAUSES of them; NULL: none yet */
	uint64_t larger_reads;             /* calls that larger reads would save: reads.h */
	uint8_t reads;                     /* they are known */
};

struct parts_owner {
	uint32_t id; /* thread_id or fd_id */
	struct part *first;
	size_t len;
};

/*
 * All threads, or all fds. Ids up to AGG_ROWS_MAX own their parts; the first one beyond, and who
 * comes after it, share `merged`. Zeroed storage is an empty one; parts and owners live as long as
 * it.
 */
struct parts {
	struct arena arena;
	struct map owners; /* id -> struct parts_owner */
	struct map index;  /* (id, call) -> struct part */
	struct {
		struct parts_owner **at;
		size_t len, cap;
	} list;                     /* owners in order of appearance, without `merged` */
	struct parts_owner *merged; /* NULL: nobody was merged */
};

/* The last part that a call was counted in: most calls come again from the same place. */
struct parts_hit {
	uint32_t id;
	struct part *part; /* NULL: none yet */
};

void parts_release(struct parts *p);
/* The part of that owner and call, made if need be; hit belongs to p and to this def. */
struct part *parts_get(
	struct parts *p, struct parts_hit *hit, uint32_t id, const struct sys_def *def);
void part_limited(struct parts *p, struct part *part, const struct caused *c);
void part_add(struct part *part, const struct call *c);

#endif
