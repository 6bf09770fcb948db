/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MEM_UNSEEN_H
#define MEM_UNSEEN_H

#include <stdint.h>

#include "common/doctor/doctor.h"
#include "mem/files.h"

/*
 * What massif could not see of a process. It sees malloc and its like where it can put its own in
 * their place; what a program maps itself it does not.
 */
struct unseen_facts {
	const struct files_process *process;
	const struct doctor_target *program; /* its file */
	uint64_t seen_bytes;                 /* the most that massif saw */
	uint64_t resident_bytes; /* the most that the process held, valgrind's own with it; 0:
				    unknown */
};

struct unseen {
	const char *why; /* NULL: nothing is known to be missing */
	int all;         /* what was seen says nothing of what the program held */
	uint64_t bytes;  /* at least so much was held beside it; 0: not known, or too little to tell
			  */
};

/* Pure. */
struct unseen unseen_judge(const struct unseen_facts *f);

#endif
