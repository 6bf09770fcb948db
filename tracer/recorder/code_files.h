/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_CODE_FILES_H
#define TRACER_RECORDER_CODE_FILES_H

#include "tracer/recorder/plan.h"
#include "tracer/recorder/recorder.h"

/*
 * The files of code that is mapped: what is known of each, for all processes. None is kept open:
 * its file system could not be unmounted, its disk space not be freed. Where a traced process may
 * serve the file system (FUSE), they are read by a thread that can be left waiting: filler.h.
 */
struct known_code {
	struct code *code; /* NULL: no code that we know, or it could not be read */
	uint64_t dev, inode;
	int64_t mtime_s, mtime_ns;
	struct {
		uint64_t *at;
		size_t len, cap;
	} once; /* sites that some process called; the file's addresses */
	struct {
		uint64_t *at;
		size_t len, cap;
	} worth;                 /* those that some process called often enough to patch them */
	struct known_code *next; /* with the same key */
};

struct code_mapping {
	uint64_t start, end, offset, device, inode;
	char *name;
	struct known_code *file; /* once it was looked for; NULL: it cannot be read */
	const char *reason;      /* why not; static text */
	int looked;
};

/* The file of a mapping of t's, looked for once; the recorder's. NULL: *ret_reason says why. */
struct known_code *code_file(struct recorder *f, const struct tracee *t, struct code_mapping *m,
	const char **ret_reason);
/* The plan for a site of its file, at the file's address; reads the file again if there was none
 * yet. NULL, or why there is no plan. */
const char *code_file_plan(struct recorder *f, const struct tracee *t, struct code_mapping *m,
	uint64_t file_addr, struct plan *ret);
void code_files_forget(struct recorder *f);

#endif
