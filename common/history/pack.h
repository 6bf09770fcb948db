/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef HISTORY_PACK_H
#define HISTORY_PACK_H

#include "common/compare/side.h"
#include "common/history/db.h"

/* A run as the store has it: its document, compressed, and what is said of it in columns. */
struct pack {
	struct arena arena;
	int64_t run; /* the first 63 bits of sha256 */
	const char *sha256, *machine, *started_at;
	int complete;
	size_t bytes; /* of the document */
	void *zstd;
	size_t zstd_len;
};

/* p is released with pack_release(), after an error too. */
int pack_run(const struct side_part *part, size_t run, struct pack *p, struct err *err);
void pack_release(struct pack *p);
/* The document again, which must be the one that was stored. */
struct pack_stored {
	const struct db_value *zstd;
	const char *sha256;
	const char *name; /* what errors call it */
};
int pack_open(const struct pack_stored *stored, const struct result_kind *kind, void **ret,
	struct err *err);

/* The rows of its figures and histograms. */
int pack_figures(
	struct db *db, int64_t run, const struct side_part *part, size_t at, struct err *err);
int pack_histograms(
	struct db *db, int64_t run, const struct side_part *part, size_t at, struct err *err);

#endif
