/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_FAST_REGION_H
#define TRACER_FAST_REGION_H

#include "common/base/err.h"
#include "tracer/fast/layout.h"

/*
 * The shared memory of layout.h: who has which block, fd map and ring. The tracer maps it at the
 * same address as its targets, so that an address means the same to both.
 */
struct region {
	int fd; /* memfd; -1: none */
	uint8_t blocks[BLOCKS_MAX], fdmaps[FDMAPS_MAX], rings[LARGE_RINGS_MAX]; /* 1: taken */
	unsigned int next_block, next_fdmap;                                    /* where to look */
};

/* Makes and maps it. 0 or a negative errno. */
int region_init(struct region *r, struct err *err);
void region_release(struct region *r);

/* 1 if address range [start, end) and the region have bytes in common. */
int region_overlaps(uint64_t start, uint64_t end);
/* 1 if gs base `address` is that of a block. */
int region_is_block(uint64_t address);

/* All of them zeroed; NULL: all are taken. Memory that is given back is the system's again. */
struct fast_block *region_block(struct region *r);
void region_block_free(struct region *r, struct fast_block *b);
uint32_t *region_fdmap(struct region *r);
void region_fdmap_free(struct region *r, uint32_t *map);
struct fast_record *region_ring(struct region *r);
void region_ring_free(struct region *r, struct fast_record *ring);

#endif
