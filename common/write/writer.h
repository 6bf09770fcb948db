/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef WRITE_WRITER_H
#define WRITE_WRITER_H

#include "common/base/out.h"
#include "common/model/result.h"
#include "common/view/doc.h"

/*
 * A writer prints a result in one form. To add one: a file in this folder with a
 * `const struct writer writer_NAME`, and one line in writers.def.
 */
struct writer {
	const char *id;                                   /* "summary", "json" */
	const char *suffix;                               /* of its file: "-summary.txt", ".json" */
	void (*write)(const void *result, struct out *o); /* errors stick in o */
};

#define WRITER(name) extern const struct writer writer_##name;
#include "common/write/writers.def"
#undef WRITER

const struct writer *writer_by_id(const char *id); /* NULL: none */

/* Prints a doc as text of at most `columns` columns, OUT_COLUMNS_MIN or more. Names are cut where
 * there is not enough room for a table, but not below TEXT_CUTS columns: it is printed row by row
 * then, as it is where its numbers are too wide. TEXT_COLUMNS: of tables, on a terminal that is
 * not narrower. */
enum { TEXT_CUTS = 100, TEXT_COLUMNS = 120 };
void text_write_doc(const struct doc *d, struct out *o, size_t columns);

/* Prints lines of --help, wrapped. */
enum { HELP_COLUMNS = 100 };
void text_fold(const char *text, struct out *o, size_t columns);

#endif
