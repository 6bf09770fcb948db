/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASELINE_H
#define BASELINE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/baseline/baseline_manifest.h"
#include "common/baseline/baseline_notes.h"
#include "common/model/result.h"

/*
 * Results kept per version:
 *
 *	OUT/baselines/VERSION/{cpu,memory,io}/   what was in OUT/{flamegraphs,massif,iotrace}
 *	OUT/baselines/VERSION/METADATA.md        what, where and with what, for people
 *	OUT/baselines/VERSION/MANIFEST.sha256    for `sha256sum -c` and baseline_verify()
 */
#define BASELINE_FOLDER   "baselines"
#define BASELINE_METADATA "METADATA.md"

struct baseline_place {
	const char *out_dir;
	const struct result_kind *kinds; /* the last has a NULL id */
	int (*interrupted)(void); /* ends a save with -EINTR once it returns 1; may be NULL */
};

struct baseline_saved {
	char *path;
	uint64_t files, bytes;
	size_t results;
	struct baseline_notes warnings; /* what was left out, what is marked incomplete */
};

/*
 * Copies the results into a new baseline, which appears whole: it is made beside its place and
 * renamed. With force one of that name is exchanged for it; without, -EEXIST. Only regular files
 * are copied, symbolic links are never followed below OUT. An error leaves everything as it was.
 * ret needs baseline_saved_release() in any case.
 */
int baseline_save(const struct baseline_place *place, const char *version, int force,
	struct baseline_saved *ret, struct err *err);
void baseline_saved_release(struct baseline_saved *s);

struct baseline_entry {
	char *version, *date, *scenarios; /* date "-" if unknown; scenarios "io a b; cpu a" */
	uint64_t files, bytes;
};

struct baseline_list {
	struct baseline_entry *at;
	size_t len, cap;
};

/* By name. No baselines at all is an empty list. */
int baseline_list(const struct baseline_place *place, struct baseline_list *ret, struct err *err);
void baseline_list_release(struct baseline_list *l);

/* Compares a baseline with its manifest. -ENOENT: there is no such baseline. */
int baseline_verify(const struct baseline_place *place, const char *version,
	struct baseline_check *ret, struct err *err);

#endif
