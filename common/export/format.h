/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef EXPORT_FORMAT_H
#define EXPORT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/out.h"
#include "common/model/result.h"

/*
 * A result in a form that other programs read. One format is one file that defines its
 * struct export_format, and one line of formats.def.
 */
struct export_source {
	const char *path; /* of the result: the files that belong to it lie beside it */
	const struct schema *schema;
	const void *doc;
	const char *stacks; /* prefix of the folded stacks; NULL: beside the result */
	const char *detail; /* file of single calls; NULL: beside the result */
	uint64_t calls_max; /* of single calls, at most so many */
};

struct export_format {
	const char *id, *meaning;
	/* Results of these schemas only; the last is NULL. NULL: any. */
	const struct schema *const *schemas;
	/* Prints it. What was left out, or is not there, is a line in notes. Errors of o are the
	 * caller's to look at. */
	int (*write)(
		const struct export_source *s, struct out *o, struct out *notes, struct err *err);
};

/* NULL with an error that says which there are, and which was maybe meant. */
const struct export_format *export_format_find(const char *id, struct err *err);
/* By number; NULL: no more. */
const struct export_format *export_format_at(size_t i);
/* The result's path without its end; the caller's. */
char *export_base(const struct export_source *s);
/* Says in notes what is left out of a result whose calls have no times. */
void export_timeless(struct out *notes, const char *what);
/* As the result's scenario, or "". */
const char *export_scenario(const struct export_source *s);

#endif
