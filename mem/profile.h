/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MEM_PROFILE_H
#define MEM_PROFILE_H

#include "common/model/result.h"
#include "mem/massif.h"

/*
 * What a massif file says, as a heap profile (common/model/memory.def). Pure.
 */
#define PROFILE_SITE_SHARE    0.10 /* of the peak tree's total */
#define PROFILE_SNAPSHOTS_MAX 4096
#define PROFILE_NODES_MAX     10000

/* Fills what is about the target: peak, snapshots, tree, sites, how it was measured, and warnings
 * on what is missing in m. */
void profile_fill(struct res_memory *r, const struct massif *m);
/* The same of a program whose heap massif could not see: only how it was measured. */
void profile_fill_unseen(struct res_memory *r, const struct massif *m);
/* Fills a row of `processes`: command, peak, end, sites. m may be NULL: there is no readable file;
 * unseen: massif saw nothing of its heap. */
void profile_fill_process(
	struct res_memory *r, struct res_memory_process *p, const struct massif *m, int unseen);
/* A point of its own; NULL of a snapshot that is none. */
struct res_memory_point *profile_point(struct res_memory *r, const struct massif_snapshot *s);

#endif
