/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/*
 * "did you mean": which of some names a word was meant to be.
 *
 *	struct nearest n = nearest_to("wirte", 2);
 *	nearest_try(&n, "read");
 *	nearest_try(&n, "write");   n.name is "write", n.distance 1
 */
struct nearest {
	const char *word;
	const char *name; /* the first of the nearest; NULL: none within `distance` */
	size_t distance;  /* letters to insert, delete or replace, or swap with the next */
};

/* most: what is further away is none. Names and word must live as long. */
struct nearest nearest_to(const char *word, size_t most);
void nearest_try(struct nearest *n, const char *name);
/* For the end of a complaint: "; did you mean 'write'?", empty if none is near. The caller's. */
char *nearest_hint(const struct nearest *n);

#endif
