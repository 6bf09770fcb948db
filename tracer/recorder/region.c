/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/region.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <unistd.h>

#include "common/base/mem.h"

_Static_assert(REGION_ADDR >> REGION_SHIFT << REGION_SHIFT == REGION_ADDR, "alignment");
_Static_assert(1 << REGION_SHIFT == REGION_BYTES, "size");
_Static_assert(ALIVE_OFFSET + ALIVE_BYTES <= ARENA_OFFSET, "alive");
_Static_assert(ARENA_BYTES_MAX % ARENA_UNIT_BYTES == 0, "units");
_Static_assert(LARGE_RING_BYTES % ARENA_UNIT_BYTES == 0, "rings");
_Static_assert(BLOCK_RING + SMALL_RING_RECORDS * RECORD_BYTES < BLOCK_STACK_END, "block");

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* Memory that nobody has used, and nobody else's file: nothing is done to that. */
static int is_new(int fd)
{
	struct statfs fs;
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	/* What has no seals may be of a file system that answers when it likes. */
	return seals >= 0 && !(seals & F_SEAL_SEAL) && fstatfs(fd, &fs) == 0 &&
	       fs.f_type == TMPFS_MAGIC && fstat(fd, &st) == 0 && st.st_size == 0 &&
	       st.st_nlink == 0;
}

/* The target may have given it another size before it was sealed, and the tracer is going to touch
 * it. */
static int is_sound(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size == ARENA_BYTES_MAX;
}

int region_take(struct region *r, int fd, uint32_t units, struct err *err)
{
	void *at;

	*r = (struct region){0};
	if (!is_new(fd))
		return err_set(err, -EPERM, "the target's memory is not what it should be");
	if (ftruncate(fd, ARENA_BYTES_MAX) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return err_set(err, -errno, "cannot seal the target's memory: %s", strerror(errno));
	if (!is_sound(fd))
		return err_set(err, -EPERM, "the target's memory is not what it should be");
	at = mmap(NULL, ARENA_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return err_set(err, -errno, "cannot map the target's memory: %s", strerror(errno));
	r->at = at;
	region_grown(r, units);
	return 0;
}

void region_release(struct region *r)
{
	if (r->at)
		munmap(r->at, ARENA_BYTES_MAX);
	free(r->taken);
	*r = (struct region){0};
}

void region_grown(struct region *r, uint32_t units)
{
	r->taken = mem_realloc(r->taken, units, 1);
	if (units > r->units)
		memset(r->taken + r->units, 0, units - r->units);
	r->units = units;
}

int region_is_block(uint64_t address)
{
	return address >= REGION_ADDR + ARENA_OFFSET && address < REGION_ADDR + REGION_BYTES;
}

uint64_t region_addr(const struct region *r, const void *at)
{
	return REGION_ADDR + ARENA_OFFSET + (uint64_t)((const uint8_t *)at - r->at);
}

/* ---- units ---- */

static int is_free(const struct region *r, uint32_t from, uint32_t n)
{
	return from + n <= r->units && !memchr(r->taken + from, 1, n);
}

/* Where n of them begin, or UINT32_MAX. */
static uint32_t look_for(const struct region *r, uint32_t n)
{
	for (uint32_t k = 0; k < r->units; k++) {
		uint32_t i = (r->next + k) % r->units;

		if (is_free(r, i, n))
			return i;
	}
	return UINT32_MAX;
}

int region_has_room(const struct region *r, uint32_t n)
{
	return look_for(r, n) != UINT32_MAX;
}

void *region_units(struct region *r, uint32_t n)
{
	uint32_t i = look_for(r, n);

	if (i == UINT32_MAX)
		return NULL;
	memset(r->taken + i, 1, n);
	r->next = i + n;
	return r->at + (size_t)i * ARENA_UNIT_BYTES;
}

void region_give_back(struct region *r, void *at, uint32_t n)
{
	size_t from = (size_t)((uint8_t *)at - r->at);

	memset(r->taken + from / ARENA_UNIT_BYTES, 0, n);
	/* Of many the memory is worth having again. */
	if (n > 1)
		madvise(at, (size_t)n * ARENA_UNIT_BYTES, MADV_REMOVE);
}

struct block *region_block(struct region *r)
{
	struct block *b = region_units(r, 1);

	if (!b)
		return NULL;
	memset(b, 0, sizeof(*b));
	b->base = region_addr(r, b) + BLOCK_RING;
	b->mask = SMALL_RING_RECORDS - 1;
	b->limit = SMALL_RING_RECORDS;
	b->magic = BLOCK_MAGIC_VALUE;
	b->measured = KIND_FIRST_MEASURED;
	return b;
}
