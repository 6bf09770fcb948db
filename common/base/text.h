/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>

#include "common/base/out.h"

/* What many do with strings. */

int text_is_control(char c);
/* Length of the character at s in UTF-8 (RFC 3629: no overlong forms, no surrogates); 0: it is
 * none. */
size_t text_utf8_len(const char *s);
/* Control characters become blanks; returns s, NULL -> NULL. */
char *text_one_line(char *s);
/* Newlines at its end come off; returns s. */
char *text_chomp(char *s);
/* Length of s before the end that it has; 0: it does not end so, or is nothing else. */
size_t text_stem_len(const char *s, const char *end);
/* Puts more at the end of *text, which is malloc'ed, after a separator where something is there. */
void text_append(char **text, const char *separator, const char *more);
/* How many texts a list has before its NULL; NULL: none. */
size_t text_list_len(const char *const *list);
/* A word as a shell reads it: in quotes where it must be. */
void text_put_word(struct out *o, const char *word);
/* A command line of such words, as a person types it. argv: NULL-terminated. The caller's. */
char *text_command(const char *const *argv);

#endif
