/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_REGION_H
#define TRACER_RECORDER_REGION_H

#include <stddef.h>

#include "common/base/err.h"
#include "tracer/recorder/layout.h"

/*
 * The arena of layout.h of one address space, from the tracer's side: who has which units. The
 * target maps it at ARENA_OFFSET, the tracer somewhere of its own; an address of the one means
 * nothing to the other.
 *
 * The memory is a memfd that the target made, and whose open file the tracer took from it (pidfd):
 * it is what the target has, whatever a number or a path means in another namespace, and the tracer
 * can do no more with it than the target could. It is sealed, so that the target cannot shrink it
 * under the tracer's feet; that it is emptied (MADV_REMOVE, FALLOC_FL_PUNCH_HOLE) no seal prevents.
 */
struct region {
	uint8_t *at;    /* the tracer's mapping of ARENA_BYTES_MAX; NULL: there is none */
	uint32_t units; /* that the target has mapped, from the start */
	uint32_t next;  /* where to look for a free one */
	uint8_t *taken; /* a byte a unit, up to `units` */
};

/* Sizes, seals and maps the memfd (which stays the caller's), of which the target has mapped
 * `units`. 0 or a negative errno: nothing is left to release. */
int region_take(struct region *r, int fd, uint32_t units, struct err *err);
void region_release(struct region *r); /* also one that is zeroed */
/* The target has mapped so many. */
void region_grown(struct region *r, uint32_t units);

/* 1 if `address` can be that of a block. */
int region_is_block(uint64_t address);
/* In the target, what is at the tracer's address. */
uint64_t region_addr(const struct region *r, const void *at);

/* n units in a row: their memory, or NULL: there is no room for them. */
void *region_units(struct region *r, uint32_t n);
int region_has_room(const struct region *r, uint32_t n);
void region_give_back(struct region *r, void *at, uint32_t n);
/* A block, ready for use by a thread; NULL: no room. */
struct block *region_block(struct region *r);

#endif
