/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASELINE_MANIFEST_H
#define BASELINE_MANIFEST_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/out.h"

/*
 * The files of a baseline with their hashes, as sha256sum writes them: "HASH  PATH" lines, paths
 * below the baseline. All pure.
 */
#define BASELINE_MANIFEST "MANIFEST.sha256"

struct manifest {
	struct arena arena; /* holds the paths */
	struct manifest_row {
		const char *path;
		char sha256[65]; /* lower case hex; "" for what is not a regular readable file */
		uint64_t bytes;
	} * at;
	size_t len, cap;
};

struct manifest_row *manifest_add(struct manifest *m, const char *path);
void manifest_sort(struct manifest *m); /* by path */
void manifest_release(struct manifest *m);

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
void baseline_check_release(struct baseline_check *c);

void manifest_write(const struct manifest *m, struct out *o);
/* -EINVAL names the line: no hash, a path that leaves the baseline (absolute, ..), a path twice. */
int manifest_parse(const char *text, struct manifest *m, struct err *err);
/* What is there against what was saved; both sorted. A row of `there` without a hash is unreadable
 * (a symbolic link in place of a file is so too). */
void manifest_compare(
	const struct manifest *saved, const struct manifest *there, struct baseline_check *ret);

/* 1 for a relative path without "", "." and ".." in it. */
int manifest_path_ok(const char *path);

#endif
