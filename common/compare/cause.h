/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef COMPARE_CAUSE_H
#define COMPARE_CAUSE_H

#include "common/compare/judge.h"
#include "common/compare/side.h"
#include "common/compare/why.h"
#include "common/model/result.h"

/*
 * One cause behind many rows: a process that only one side starts. What it calls moves the count of
 * every call that it makes; it is told as one row, "sh, started by relay: its 40 calls".
 */
struct causes {
	struct {
		struct res_compare_cause *at;
		size_t len, cap;
	} list;
};

/* Finds causes, and names them in the `cause` of each judged row that they explain wholly; rows
 * with a limit are left alone. Causes that explain nothing are none. */
void causes_find(const struct judge *j, const struct side_part *base, const struct side_part *new,
	struct causes *ret);
/* Of which program more processes crash than of any other. */
void why_crashed(struct sentences *to, const struct side_part *base, const struct side_part *new);
void causes_into(void *doc, struct causes *c, struct res_compare_part *ret);

#endif
