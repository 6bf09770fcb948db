/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MEM_MASSIF_H
#define MEM_MASSIF_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * Reads the file format of valgrind's massif (its manual's section "Massif's output format", and
 * massif/ms_print in its sources), which other heap profilers write too. Tolerant: what is unknown
 * is counted and left out, what is missing stays unmeasured.
 *
 *	struct massif m;
 *	rc = massif_read(path, &m, err);		or massif_parse(&m, text, len, err)
 *	rc = massif_read_end(end_path, &m, err);	where there is one
 *	for (size_t i = 0; i < m.snapshots.len; i++) ...
 *	massif_release(&m);
 *
 * Only one tree is kept, that of the peak: the trees are nearly all of a large file.
 *
 * Massif itself looks for a peak only where something is freed, and takes no snapshot when the
 * program ends. So a heap that only grows has no tree of its peak in massif's file. What is held at
 * the end, and by whom, valgrind tells in a file of its own (--xtree-memory): between the two, one
 * is of the peak.
 */
#define MASSIF_NONE SIZE_MAX
#define MASSIF_END  (SIZE_MAX - 1) /* in the place of a snapshot's index: the end of the program */

/* A piece of the file's text, not NUL-terminated. Lives as long as the struct massif. */
struct massif_text {
	const char *at; /* NULL: not there */
	size_t len;
};

enum massif_tree { MASSIF_EMPTY, MASSIF_DETAILED, MASSIF_PEAK };

struct massif_snapshot {
	uint64_t number;
	double time; /* in the file's time unit */
	uint64_t heap_bytes;
	uint64_t extra_bytes, stacks_bytes; /* UINT64_MAX: not measured */
	enum massif_tree tree;
	size_t tree_at; /* offset of the tree's first line, MASSIF_NONE: there is none */
};

enum massif_kind {
	MASSIF_ROOT,
	MASSIF_PLACE, /* code that allocated, or that called such code */
	MASSIF_BELOW, /* several places that were too small to be told apart */
};

/* A line of the tree; children come behind their parent, in the order of the file. */
struct massif_node {
	uint32_t depth; /* 0 is the root, 1 allocated, 2 called that, .. */
	enum massif_kind kind;
	size_t parent; /* MASSIF_NONE of the root */
	uint64_t bytes;
	uint64_t children_bytes;
	uint64_t children, children_told; /* found, and what the line said */
	uint64_t address;                 /* 0: not told */
	struct massif_text function;      /* of the others than places, the whole label */
	struct massif_text place;         /* "file.c:12" or "in /usr/lib/libx.so" */
};

struct massif {
	const char *text;
	size_t len, mapped; /* mapped: bytes that massif_release unmaps */
	struct massif_text desc, command, time_unit;
	struct {
		struct massif_snapshot *at;
		size_t len, cap;
	} snapshots;
	struct {
		struct massif_node *at;
		size_t len, cap;
	} nodes;
	struct {
		struct massif_snapshot snapshot; /* without a number and a time */
		int known;
		void *text; /* of its file, which massif_release unmaps */
		size_t mapped;
	} end;
	size_t peak; /* snapshot with the largest total, or MASSIF_END */
	size_t tree; /* snapshot whose tree is in nodes, MASSIF_NONE: no tree was found */
	/* What is not as it should be. */
	int cut;                /* the file ends in the middle of something */
	int tree_short;         /* the tree has fewer or more lines than it says */
	uint64_t unknown_lines; /* not of this format */
	uint64_t bad_lines;     /* of this format, with a value that is none */
	size_t first_bad_line;  /* line number of the first of both, 0: none */
};

/* Parses text, which must live as long as *m. -EINVAL: there is not one whole snapshot. On failure
 * there is nothing to release. */
int massif_parse(struct massif *m, const char *text, size_t len, struct err *err);
/* The same of a file, whose name is put before errors. */
int massif_read(const char *path, struct massif *m, struct err *err);
/* Adds what valgrind's --xtree-memory=allocs says of the end of the same program. It becomes the
 * peak and gives its tree where more was held then than in any snapshot. */
int massif_read_end(const char *path, struct massif *m, struct err *err);
void massif_release(struct massif *m);

/* That of an index; also of MASSIF_END. */
const struct massif_snapshot *massif_at(const struct massif *m, size_t i);
/* heap + extra + stacks, of what was measured. */
uint64_t massif_total(const struct massif_snapshot *s);
/* 1 if the profiler's options, which massif writes into desc, have that word. */
int massif_has_option(const struct massif *m, const char *word);
/* The number after an option like "--threshold=" in desc, or otherwise. */
double massif_option(const struct massif *m, const char *option, double otherwise);
/* The child of node with the most bytes that is a place, MASSIF_NONE: it has none. */
size_t massif_heaviest(const struct massif *m, size_t node);

#endif
