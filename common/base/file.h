/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/base/out.h"

/*
 * A file that appears whole: written in the directory of its final place without a name (where
 * that cannot be, as .NAME.XXXXXX), named by file_commit(), gone with file_abort() or with us.
 * "-" is standard output; that, a pipe and a device are written in place.
 *
 *	struct new_file f;
 *	rc = file_begin(&f, path, err);
 *	... write to f.fd ...
 *	rc = file_commit(&f, err);	or file_abort(&f);
 */
struct new_file {
	int fd;      /* -1 when not open */
	int appears; /* at its commit; 0: written in place */
	char *path, *temp;
};

int file_begin(struct new_file *f, const char *path, struct err *err);
int file_commit(struct new_file *f, struct err *err); /* closes; on failure the temp file is gone */
void file_abort(struct new_file *f);                  /* NULL path or half-begun is fine */

/* So that no file of ours gets a number that messages are written to: for the begin of a main.
 * Where one of the three standard streams is closed, what we start has it closed all the same. */
void file_hold_streams(void);

/* Makes path and its parents (0777 less umask); an existing directory is fine. */
int file_mkdirs(const char *path, struct err *err);
/* Reads all of a file (also of /proc) into heap memory, NUL-terminated; *ret_len may be NULL.
 * Fails with -EFBIG above max_bytes. */
int file_read(
	const char *path, size_t max_bytes, char **ret_text, size_t *ret_len, struct err *err);
/*
 * What the names in a directory that end in suffix, and do not begin with a dot, have before it: in
 * a, NULL after the last, in the order of strcmp(), by_version: of strverscmp(). NULL with errno:
 * it cannot be read.
 */
const char *const *file_names(struct arena *a, const char *dir, const char *suffix, int by_version);
/* Writes text to path whole (file_begin/commit). */
int file_write(const char *path, const void *p, size_t n, struct err *err);
/* The same with what write() prints; path - is standard output. */
int file_write_with(const char *path, void (*write)(const void *ctx, struct out *o),
	const void *ctx, struct err *err);

#endif
