/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef HEAP_FOLDED_H
#define HEAP_FOLDED_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/model/result.h"

/*
 * The stacks that heaptrack_print writes, a line each, outermost first: "main (t.c);make (t.c);
 *12".
 *
 *	struct folded f = {0};
 *	rc = folded_read(path, &f, err);
 *	folded_sites(&f, result);
 *	folded_release(&f);
 */
struct folded {
	char *text;
	struct folded_stack {
		const char *leaf; /* "make (t.c)" */
		uint64_t cost;
	} * at;
	size_t len, cap;
	uint64_t total; /* of all */
	size_t unread;  /* lines that are none */
};

int folded_read(const char *path, struct folded *ret, struct err *err);
/* The leaves that hold a tenth or more, most first, as the sites of a profile. Sorts f. */
void folded_sites(struct folded *f, struct res_memory *r);
void folded_release(struct folded *f); /* takes a zeroed one */

#endif
