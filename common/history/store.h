/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef HISTORY_STORE_H
#define HISTORY_STORE_H

#include "common/compare/side.h"
#include "common/history/db.h"

/*
 * A history: versions, each with its runs. A run is its document, and is known by its SHA-256: it
 * is in a history once, whatever was added, sent or merged how often.
 *
 *	rc = history_open(address, 0, kinds, &h, err);
 *	rc = history_add(h, &what, side, &added, err);
 *	history_close(h);
 */
struct history {
	struct db *db;
	const struct result_kind *kinds; /* the last has no id */
};

int history_open(const char *address, int must_exist, const struct result_kind *kinds,
	struct history **ret, struct err *err);
void history_close(struct history *h); /* takes NULL */

struct history_what {
	const char *label, *host;
	int more; /* the version may have runs of that scenario, type and host */
};

struct history_added {
	size_t runs, there; /* new ones, and those that were there */
};

/* Adds all runs of a side, all of them or none. -EEXIST: the label has such runs. */
int history_add(struct history *h, const struct history_what *what, const struct side *side,
	struct history_added *ret, struct err *err);

/* Adds to `into` what `from` has more, a transaction a run, so that what is interrupted can be
 * begun again. prune: what has arrived is taken out of `from`. */
int history_merge(struct history *into, struct history *from, int prune, struct history_added *ret,
	struct err *err);

/* Takes out all but the newest `keep` versions, or the one called label; *ret: runs. */
int history_prune(
	struct history *h, uint64_t keep, const char *label, size_t *ret, struct err *err);

/* A version: as `list` shows it. */
struct history_version {
	char *label;
	struct {
		char **at; /* "dns io": scenario, which may be any text, and type */
		size_t len, cap;
	} scenarios;
	int64_t added_ns;
	uint64_t runs, hosts, machines;
};
struct history_versions {
	struct history_version *at;
	size_t len, cap;
};
/* The oldest first. */
int history_list(struct history *h, struct history_versions *ret, struct err *err);
void history_versions_release(struct history_versions *v);

/* The runs of a version, as compare takes them; of one scenario and type, or NULL: all. The side is
 * zeroed, and to be released after an error too. -ENOENT: there are none. */
int history_side(struct history *h, const char *label, const char *scenario, const char *type,
	struct side *ret, struct err *err);

#endif
