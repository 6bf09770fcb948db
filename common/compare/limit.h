/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef COMPARE_LIMIT_H
#define COMPARE_LIMIT_H

#include "common/base/err.h"

/*
 * A condition of the catalogue's "limits":
 *
 *	">= 1.9"  "<= 2.0"  "<= 12MiB"  "<= 5ms"  "== 120"  "> 0"  "< 10"   of the new value
 *	"+2%"  "+10"  "+0"                       how much worse than the base it may be
 */
enum limit_op { LIMIT_AT_LEAST, LIMIT_AT_MOST, LIMIT_EQUAL, LIMIT_ABOVE, LIMIT_BELOW, LIMIT_WORSE };

struct limit {
	enum limit_op op;
	double value;     /* of WORSE: how much, or the share */
	int is_share;     /* of WORSE: value is a share of the base */
	const char *unit; /* of value, as metrics have it: "ns", "bytes", "ratio"; "": any */
};

/* -EINVAL names the text and what is understood. */
int limit_parse(const char *text, struct limit *ret, struct err *err);
/* 1 if v meets a limit that is not WORSE; NAN meets none. */
int limit_met(const struct limit *l, double v);
/* How much worse than base is allowed, of WORSE. */
double limit_tolerance(const struct limit *l, double base);
/* The same condition with the number that just allows v, in the form of text ("<= 12MiB"). Heap
 * memory; NULL for WORSE. unit is that of the metric. */
char *limit_rewrite(const char *text, double v);

#endif
