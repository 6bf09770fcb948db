/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_HISTORY_ADD_H
#define CLI_HISTORY_ADD_H

#include "common/base/err.h"
#include "common/history/store.h"

/* Results into a history, for `history add` and `run --history`. */

#define HISTORY_FILE "history.sqlite"

struct history_place {
	const char *store; /* NULL: HISTORY_FILE of the output directory */
	const char *output_dir;
};

/* The path or address of the store. The caller's. */
char *history_address(const struct history_place *place);
/* Before anything is run: can runs be added there under that label? */
int history_check(
	const struct history_place *place, const struct history_what *what, struct err *err);
/* what->host: NULL is this one. words: files, folders, baselines, to a NULL; none: the output
 * directory. Says on stderr what was added. A server that does not answer is no error: the runs are
 * kept, and a line on stderr says where. */
int history_add_side(const struct history_place *place, const struct history_what *what,
	const struct side *side, struct err *err);
int history_add_results(const struct history_place *place, const struct history_what *what,
	const char *const *words, struct err *err);

#endif
