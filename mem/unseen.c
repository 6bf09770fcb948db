/* SPDX-License-Identifier: GPL-3.0-only */
#include "mem/unseen.h"

#include <stddef.h>

/* What is not accounted for of programs that map nothing themselves was at most 6 MiB. */
#define UNCERTAIN_BYTES ((uint64_t)16 << 20)
/* Heap that is less than a tenth of the rest is not what the program's memory is about. */
#define SEEN_MIN 10

static uint64_t beside_heap(const struct unseen_facts *f)
{
	uint64_t known = f->process->accounted_bytes;

	if (known == FILES_UNKNOWN || f->resident_bytes <= known ||
		f->resident_bytes - known < UNCERTAIN_BYTES)
		return 0;
	return f->resident_bytes - known;
}

struct unseen unseen_judge(const struct unseen_facts *f)
{
	const struct files_process *p = f->process;
	struct unseen u = {.why = doctor_unseen_by_massif(f->program)};
	int own = u.why && !f->program->is_static && !f->program->is_go;

	u.bytes = beside_heap(f);
	if (p->program && !p->replaced) {
		u.all = 1;
		if (!u.why)
			u.why = "massif's malloc could not be loaded into it";
	} else if (u.why && (!own || p->allocations == 0)) {
		u.all = 1;
	} else if (u.bytes) {
		u.all = f->seen_bytes < u.bytes / SEEN_MIN;
		if (!own)
			u.why = "it maps memory or files itself, or has an allocator that does";
	} else {
		u.why = NULL; /* it may, and no sign says that it did */
	}
	return u;
}
