/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_COUNTED_H
#define AGG_COUNTED_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/mem.h"
#include "tracer/event.h"

/*
 * What was counted up to one moment, without histograms: a copy that stays as it is while the
 * aggregator goes on. Two of them make an interval (counted_since).
 */

/* Of one call, maybe by one thread or on one fd. NOT_MEASURED where the result says null. */
struct figures {
	uint64_t calls, errors, wall_ns, bytes;
	uint64_t batch_calls, batch_asked, batch_moved; /* ok calls, and sums over them */
};

struct counted_row {
	const struct sys_def *def;
	struct figures f;
};

/* Rows stay in the order in which their calls were first seen. */
struct counted_rows {
	struct counted_row *at;
	size_t len, cap;
};

/* A thread or an fd. */
struct counted_owner {
	uint64_t pid, number, generation; /* number: tid or fd; all UINT64_MAX: not known */
	const char *name;                 /* in the arena; NULL: not known */
	int merged;                       /* all those for whom there was no row */
	size_t first, len;                /* its rows */
};

/* Owners stay in the order in which they were first seen. The merged one is last: nobody gets a row
 * after it. */
struct counted_owners {
	struct counted_owner *at;
	size_t len, cap;
	struct counted_rows rows;
};

struct counted {
	struct arena names;
	uint64_t calls;
	int unreadable;                    /* some calls' figures are missing */
	struct counted_rows calls_by_name; /* by def->index */
	struct counted_owners threads, fds;
};

void counted_release(struct counted *c);
/* a less b. What is not measured is so in the difference. */
struct figures figures_less(const struct figures *a, const struct figures *b);
/* Adds f to sum; what is not measured adds nothing. */
void figures_add(struct figures *sum, const struct figures *f);

/* The same rows as `now` has, each less what it was `before` (NULL: nothing was counted). An
 * earlier copy of the same aggregator's, whose rows are still there. Names are those of now, and
 * live as long as now. */
void counted_since(
	const struct counted *before, const struct counted *now, struct counted *ret_since);

#endif
