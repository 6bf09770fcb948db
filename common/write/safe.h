/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef WRITE_SAFE_H
#define WRITE_SAFE_H

#include <stddef.h>

#include "common/base/mem.h"
#include "common/base/out.h"

/*
 * Text for a terminal. Names, paths and command lines are the target's: they may hold escape
 * sequences, newlines, or bytes that are no text. Safe text has none of that, and its width in
 * columns is known without asking the locale.
 *
 *	char *s = safe_text(&arena, hostile);
 *	s = safe_cut(&arena, s, 40);
 */

/* Control characters become \n, \t, \r or \xNN, as does what may not be one or two columns wide
 * (direction marks, combining characters, emoji). Bytes that are not UTF-8 become U+FFFD, as they
 * do in the JSON. */
char *safe_text(struct arena *a, const char *s);

/* All below take safe text. */
size_t safe_width(const char *s); /* in columns */
/* Bytes of the longest start of s, in whole characters, of at most that many columns. */
size_t safe_fit(const char *s, size_t columns);
/* s if it is at most that wide, else its start and its end (where a path says most) with "..."
 * between. columns is at least 8. */
char *safe_cut(struct arena *a, char *s, size_t columns);
/* For HTML and SVG, in attributes too: & < > " ' become entities. */
void safe_put_xml(struct out *o, const char *s);

#endif
