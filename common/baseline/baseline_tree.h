/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASELINE_TREE_H
#define BASELINE_TREE_H

#include "common/baseline/baseline_manifest.h"
#include "common/baseline/baseline_notes.h"

/*
 * Directories of results and baselines, which others may be able to write to: symbolic links are
 * never followed, only regular files are opened, and everything goes by directory descriptors so
 * that no part of a path can be exchanged meanwhile.
 */

/* Copies the files of directory `from` and of the NAME.runs directories in it to the new directory
 * `name` in to_fd, adds each with its hash to m as NAME/FILE. What is not copied is noted. With no
 * file there is no directory. A directory `from` that is not there is fine. */
struct tree_copy {
	struct manifest *manifest;
	struct baseline_notes *notes;
	int to_fd;
	int (*interrupted)(void); /* see struct baseline_place */
};
int tree_copy_results(
	const struct tree_copy *c, const char *from, const char *name, struct err *err);

/* Writes a new file into a directory, synced, adds it to m. */
int tree_write_file(int dir_fd, const char *name, const char *text, size_t len, struct manifest *m,
	struct err *err);

/* Every entry below a directory that is not a directory itself; with_hash 0: sizes only. */
int tree_scan(int dir_fd, int with_hash, struct manifest *m, struct err *err);

/* Removes name in dir_fd with all that is below it. */
void tree_remove(int dir_fd, const char *name);

#endif
