/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_HISTORY_UNSENT_H
#define CLI_HISTORY_UNSENT_H

#include "common/history/store.h"

/* What could not be sent to a server: a store of its own beside the results, an SQLite file for
 * each server, from which the next add sends it. */

struct unsent {
	const char *output_dir, *address;
	const struct result_kind *kinds;
};

/* The path of its file. The caller's. */
char *unsent_path(const struct unsent *u);
/* Keeps the runs of a side there. */
int unsent_keep(const struct unsent *u, const struct history_what *what, const struct side *side,
	struct history_added *ret, struct err *err);
/* Sends what is there to h; *ret_runs: how many. */
int unsent_send(const struct unsent *u, struct history *h, size_t *ret_runs, struct err *err);

#endif
