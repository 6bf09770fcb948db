/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_ALTERNATE_H
#define CLI_ALTERNATE_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/compare/side.h"

/*
 * A scenario with two programs in turns, base, new, base, new, ..: what changes on the machine
 * meanwhile changes for both. Each run is one `profile-scenario run`; results are left in
 * OUT/compare/SCENARIO/{base,new}/K.
 */
struct alternate {
	/* Options of run, passed on as they are; NULL: not given. */
	const char *ready, *ready_timeout, *load, *work, *latency, *skip, *duration, *timeout,
		*grace, *mode;
	const char *scenario, *base_binary, *new_binary, *type, *config, *output_dir;
	uint64_t runs;
	char **rest; /* the target's arguments, NULL: the catalogue's */
};

/* The name of the first option of run that was given, without dashes; NULL: none. */
const char *alternate_option(const struct alternate *a);
/* Fills sides[0] (base) and sides[1] (new); both are to be released in any case. Says on stderr
 * which run it is at. */
int alternate_run(const struct alternate *a, struct side sides[2], struct err *err);
/* The directories of a side's runs, NULL-terminated, in the arena. */
const char *const *alternate_places(const struct alternate *a, int side, struct arena *arena);

#endif
