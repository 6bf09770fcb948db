/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef VIEW_DOC_H
#define VIEW_DOC_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/mem.h"

/*
 * A report, apart from how it is printed: blocks of lines, notes, and tables of typed columns.
 * Views make docs from results; writers (text, Markdown, HTML) print them and know nothing of
 * syscalls.
 */
enum cell_type {
	CELL_NONE,
	CELL_TEXT,
	CELL_COUNT,
	CELL_NS,
	CELL_US,
	CELL_SECONDS,
	CELL_BYTES,
	CELL_RATIO /* printed as a percentage */,
	CELL_MEAN /* two decimals */
};

struct cell {
	enum cell_type type; /* CELL_NONE prints as "-" */
	union {
		const char *text;
		uint64_t count; /* COUNT, NS, US, SECONDS (both given in ns), BYTES */
		double real;    /* RATIO, MEAN */
	};
};

struct doc_column {
	const char *id;      /* stable, e.g. "per_call" */
	const char *title;   /* as printed, e.g. "per call" */
	const char *meaning; /* one sentence, for HTML and the docs */
	int left;            /* 1: aligned left, cut where room is short; 2: never cut */
	int width;           /* of a ruled table: its fixed width in text; else 0 */
};

struct doc_table {
	const char *id;
	const struct doc_column *columns;
	size_t columns_len;
	struct {
		struct cell *at;
		size_t len, cap;
	} cells;         /* row by row */
	int bars_column; /* column whose share is drawn as a bar in text, or -1 */
	int ruled;       /* 1: fixed widths, rules of dashes, the last row is a total (strace -c) */
};

enum doc_kind { DOC_HEAD, DOC_PAIR, DOC_SECTION, DOC_TABLE, DOC_NOTE, DOC_TEXT };
struct doc_block {
	enum doc_kind kind;
	const char *a, *b;       /* HEAD: left, right; PAIR: key, text; SECTION, NOTE, TEXT: a */
	struct doc_table *table; /* TABLE */
};

struct doc {
	struct arena arena;
	struct {
		struct doc_block *at;
		size_t len, cap;
	} blocks;
};

struct doc *doc_new(void);
void doc_free(struct doc *d);
void doc_head(struct doc *d, const char *left, const char *right);
void doc_pair(struct doc *d, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void doc_section(struct doc *d, const char *title);
void doc_note(struct doc *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doc_text(struct doc *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* In text a SECTION shares the line of the TEXT right after it, or of the header of the TABLE right
 * after it if that table's first column has no title. A row whose cells are empty text but for the
 * first is a heading: its text may run across the row. */
struct doc_table *doc_table(
	struct doc *d, const char *id, const struct doc_column *columns, size_t n);
/* Cells are added in column order, row after row. Text is copied into the doc's arena. */
void doc_cell_text(struct doc *d, struct doc_table *t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void doc_cell(struct doc_table *t, enum cell_type type, uint64_t v);    /* U64_NONE -> CELL_NONE */
void doc_cell_real(struct doc_table *t, enum cell_type type, double v); /* NAN -> CELL_NONE */

/* A cell as people read it, in the arena; of CELL_TEXT the text as it is, not made safe. */
const char *doc_cell_words(struct arena *a, const struct cell *c);

/* A share as people read it, for CELL_RATIO and for sentences: 12.3%, and 0% or 100% only if it is
 * exactly that (<0.1%, >99.9%). buf has DOC_PERCENT_BUF bytes and is returned. */
#define DOC_PERCENT_BUF 32
const char *doc_percent(char *buf, double share);

#endif
