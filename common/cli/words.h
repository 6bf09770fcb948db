/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/runner/optable.h"

/* The words of a command line (save VERSION), which may stand before, between and after options. */
enum { WORDS_MAX = 16384 };
struct words {
	const char *at[WORDS_MAX + 1]; /* NULL after the last */
	size_t len;
	char **rest; /* what follows "--", NULL: nothing */
};

/* Takes the words, at most `most`, out of argv, which keeps the options; what follows "--" are
 * words too, with keep_rest it is left for optable_parse().
 * -EINVAL: one too many. */
int words_split(const struct optable *options, char **argv, size_t most, int keep_rest,
	struct words *ret, struct err *err);

#endif
