/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUN_BASELINE_H
#define RUN_BASELINE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"

/*
 * Results kept per version:
 *
 *	OUT/baselines/VERSION/{cpu,memory,io}/   what was in OUT/{flamegraphs,massif,iotrace}
 *	OUT/baselines/VERSION/METADATA.md        what, where and with what, for people
 *	OUT/baselines/VERSION/MANIFEST.sha256    for `sha256sum -c` and baseline_verify()
 */
#define BASELINE_FOLDER   "baselines"
#define BASELINE_METADATA "METADATA.md"
#define BASELINE_MANIFEST "MANIFEST.sha256"

/* A type of result: where it lies, and how its JSON is named (NAME + suffix). */
struct baseline_kind {
	const char *id, *folder, *json_suffix;
};

struct baseline_place {
	const char *out_dir;
	const struct baseline_kind *kinds; /* the last has a NULL id */
	int (*interrupted)(void); /* ends a save with -EINTR once it returns 1; may be NULL */
};

/* Lines for a person, in an arena of the caller. */
struct baseline_notes {
	struct arena arena;
	struct {
		const char **at;
		size_t len, cap;
	} lines;
};
__attribute__((format(printf, 2, 3))) void baseline_note(
	struct baseline_notes *n, const char *fmt, ...);
void baseline_notes_release(struct baseline_notes *n);

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

enum baseline_difference {
	BASELINE_CHANGED,
	BASELINE_MISSING,
	BASELINE_EXTRA,
	BASELINE_UNREADABLE
};

struct baseline_check {
	struct arena arena;
	struct {
		struct baseline_finding {
			enum baseline_difference what;
			const char *path; /* below the baseline */
		} * at;
		size_t len, cap;
	} findings;
	uint64_t files; /* in the manifest */
};

/* Compares a baseline with its manifest. -ENOENT: there is no such baseline. */
int baseline_verify(const struct baseline_place *place, const char *version,
	struct baseline_check *ret, struct err *err);
void baseline_check_release(struct baseline_check *c);

#endif
