/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASELINE_METADATA_H
#define BASELINE_METADATA_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/mem.h"
#include "common/base/out.h"
#include "common/model/result.h"

/*
 * METADATA.md: what a baseline is of, from what its results say of themselves.
 *
 *	struct metadata m = {.version = "1.0", .date = "2026-01-31T12:00:00Z"};
 *	metadata_read(&m, "io", &schema_result, "knotd", path);
 *	metadata_write(&m, out);
 *	metadata_release(&m);
 */

/* What the figures of a result depend on; the rows of METADATA.md's first table. */
enum metadata_field {
	META_COMMIT,
	META_KERNEL,
	META_OS,
	META_CPU,
	META_CORES,
	META_MEMORY,
	META_GOVERNOR,
	META_CLOCKSOURCE,
	META_VIRTUALIZATION,
	META_LIBC,
	META_TARGET,
	META_FIELDS
};

struct metadata_lines {
	const char **at;
	size_t len, cap;
};

/* All strings are in the metadata's arena. */
struct metadata_result {
	const char *type, *name;
	const char *error;   /* why it could not be read, or NULL */
	int complete;        /* 0: marked as not */
	const char *command; /* NULL: not known; so below */
	const char *started_at;
	const char *fields[META_FIELDS];
	uint64_t wall_ns, runs; /* UINT64_MAX: not known; runs 1 without others */
	struct metadata_lines warnings, tools, figures, findings;
};

struct metadata {
	struct arena arena;
	const char *version, *date;
	struct {
		struct metadata_result *at;
		size_t len, cap;
	} results;
};

/* Reads what every result says and the key figures of its kind. What is not there stays unknown; a
 * file that cannot be read, or is of a later schema, is a result with an error. */
void metadata_read(struct metadata *m, const char *type, const struct schema *schema,
	const char *name, const char *path);
void metadata_release(struct metadata *m);

void metadata_write(struct metadata *m, struct out *o);
/* What a reader must know before trusting it: incomplete results, results of different commits,
 * machines or builds of the target. Lines into m's arena. */
void metadata_doubts(struct metadata *m, struct metadata_lines *ret);
/* The date in the text of a METADATA.md, in a; NULL if there is none. */
const char *metadata_date(struct arena *a, const char *text);

#endif
