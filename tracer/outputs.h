/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_OUTPUTS_H
#define TRACER_OUTPUTS_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/base/file.h"
#include "tracer/session.h"

/*
 * The files of a run: opened before it, written after it, each by itself. Where the disk is full
 * the JSON, which is small, gets the room first, then the summary, then the detail.
 */
#define OUTPUTS_MAX (4 + STACKS_WEIGHTS)

struct outputs {
	const struct options *opt;
	struct new_file summary, detail, json; /* path NULL: not asked for */
	struct new_file stacks[STACKS_WEIGHTS];
	struct spool *spool; /* of the detail */
	int stdout_error; /* -errno: lines of --interval could not be written there; set by main */
	/* of outputs_finish: what could not be written, and why */
	struct err errs[OUTPUTS_MAX];
	size_t failed;
};

/* Opens what opt asks for, and the spool and status line of s. On failure: outputs_abort(). */
int outputs_begin(struct outputs *o, const struct options *opt, struct session *s, struct err *err);
void outputs_abort(struct outputs *o);
/* Writes all that can be, and says in r what became of the detail. */
void outputs_finish(struct outputs *o, struct session *s, struct res_result *r);

#endif
