/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/block.h"

#include <string.h>

#include "tracer/tracee.h"

const uint8_t *block_kinds(const struct recorder *f, const struct tracee *t)
{
	return files_state(t->files)->uncertain ? f->kinds_no_fds : f->kinds;
}

void block_set(const struct recorder *f, const struct recorder_thread *rt)
{
	struct block *b = rt->ring.block;
	const struct recorder_mm *rm = rt->tracee->mm->recorder;

	_Static_assert(sizeof(b->guards) == sizeof(rm->sites.guards), "guards");
	memcpy(b->guards, rm->sites.guards, sizeof(b->guards));
	memcpy(b->kinds, block_kinds(f, rt->tracee), sizeof(b->kinds));
}

void block_set_all(const struct recorder *f, const struct mm *mm)
{
	for (size_t i = 0; i < f->threads.len; i++) {
		const struct recorder_thread *rt = f->threads.at[i];

		if ((!mm || rt->tracee->mm == mm) && !rt->off &&
			rt->tracee->mm->recorder->state == RECORDER_ON)
			block_set(f, rt);
	}
}
