/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/fast/region.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(BLOCKS_OFFSET + BLOCKS_MAX * BLOCK_BYTES <= FDMAPS_OFFSET, "blocks");
_Static_assert(FDMAPS_OFFSET + FDMAPS_MAX * FDMAP_BYTES <= RINGS_OFFSET, "fd maps");
_Static_assert(RINGS_OFFSET + LARGE_RINGS_MAX * LARGE_RING_BYTES <= REGION_BYTES, "rings");
_Static_assert(REGION_ADDR >> REGION_SHIFT << REGION_SHIFT == REGION_ADDR, "alignment");
_Static_assert(1 << REGION_SHIFT == REGION_BYTES, "size");

int region_init(struct region *r, struct err *err)
{
	void *at;

	*r = (struct region){.fd = memfd_create("iotrace", MFD_CLOEXEC)};
	if (r->fd < 0)
		return err_set(err, -errno, "memfd_create: %s", strerror(errno));
	at = ftruncate(r->fd, REGION_BYTES) < 0
		     ? MAP_FAILED
		     : mmap((void *)REGION_ADDR, REGION_BYTES, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_FIXED_NOREPLACE, r->fd, 0);
	if (at == (void *)REGION_ADDR)
		return 0;
	err_set(err, -errno, "cannot map the shared memory: %s",
		at == MAP_FAILED ? strerror(errno) : "its address is taken");
	if (at != MAP_FAILED)
		munmap(at, REGION_BYTES);
	region_release(r);
	return err->code;
}

void region_release(struct region *r)
{
	if (r->fd < 0)
		return;
	munmap((void *)REGION_ADDR, REGION_BYTES);
	close(r->fd);
	r->fd = -1;
}

int region_overlaps(uint64_t start, uint64_t end)
{
	return start < REGION_ADDR + REGION_BYTES && end > REGION_ADDR;
}

int region_is_block(uint64_t address)
{
	return address >= REGION_ADDR + BLOCKS_OFFSET && address < REGION_ADDR + FDMAPS_OFFSET;
}

/* ---- places of one size ---- */

static void *take(uint8_t *taken, unsigned int n, unsigned int *next, uint64_t offset, size_t bytes)
{
	for (unsigned int k = 0; k < n; k++) {
		unsigned int i = (*next + k) % n;

		if (taken[i])
			continue;
		taken[i] = 1;
		*next = i + 1;
		return (void *)(uintptr_t)(REGION_ADDR + offset + i * bytes);
	}
	return NULL;
}

static void give_back(struct region *r, uint8_t *taken, uint64_t offset, size_t bytes, void *at)
{
	uint64_t from = (uint64_t)(uintptr_t)at - REGION_ADDR;

	taken[(from - offset) / bytes] = 0;
	/* Zeroes it for the next one. */
	if (fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from,
		    (off_t)bytes) < 0)
		memset(at, 0, bytes);
}

struct fast_block *region_block(struct region *r)
{
	struct fast_block *b =
		take(r->blocks, BLOCKS_MAX, &r->next_block, BLOCKS_OFFSET, BLOCK_BYTES);

	if (b) {
		b->base = (uint64_t)(uintptr_t)b + BLOCK_RING;
		b->mask = SMALL_RING_RECORDS - 1;
		b->limit = SMALL_RING_RECORDS;
	}
	return b;
}

void region_block_free(struct region *r, struct fast_block *b)
{
	give_back(r, r->blocks, BLOCKS_OFFSET, BLOCK_BYTES, b);
}

uint32_t *region_fdmap(struct region *r)
{
	return take(r->fdmaps, FDMAPS_MAX, &r->next_fdmap, FDMAPS_OFFSET, FDMAP_BYTES);
}

void region_fdmap_free(struct region *r, uint32_t *map)
{
	give_back(r, r->fdmaps, FDMAPS_OFFSET, FDMAP_BYTES, map);
}

struct fast_record *region_ring(struct region *r)
{
	unsigned int first = 0;

	return take(r->rings, LARGE_RINGS_MAX, &first, RINGS_OFFSET, LARGE_RING_BYTES);
}

void region_ring_free(struct region *r, struct fast_record *ring)
{
	give_back(r, r->rings, RINGS_OFFSET, LARGE_RING_BYTES, ring);
}
