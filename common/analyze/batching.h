/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_BATCHING_H
#define ANALYZE_BATCHING_H

#include "common/analyze/predict.h"
#include "common/model/result.h"
#include "common/view/doc.h"
#include "common/view/view_parts.h"

/* Shares of a call's judged calls, for the verdict. */
#define BATCHING_MOSTLY  0.5  /* full: limited by the limit */
#define BATCHING_PARTIAL 0.05 /* partial or refused: limited by the buffer */
#define BATCHING_ALIKE   0.1 /* two calls' batches and counts differ by less: one feeds the other */
/* More calls than this share seen by stops: their times are those of stops. */
#define BATCHING_STOPS 0.1

/* What keeps a call's batches from being larger. */
enum batching_verdict {
	BATCHING_FEW,      /* too few calls */
	BATCHING_NONE,     /* it is no batching call */
	BATCHING_ARRIVALS, /* no more was there */
	BATCHING_LIMIT,    /* it asked for no more, or was given the same most of the
			      time */
	BATCHING_BUFFER,   /* the kernel took no more */
	BATCHING_ECHO,     /* the caller sends what it received */
	BATCHING_CALLER,   /* it was given no more */
};

struct batching {
	struct batch_facts facts; /* its call and its batch */
	enum batching_verdict verdict;
	const char *words;       /* the verdict with its figure; in the doc's arena */
	struct cost cost;        /* of facts.batch */
	const struct cost *runs; /* of each run that has one; none: cost is the only one */
	size_t runs_len;
	const char *no_model; /* why the cost says nothing; NULL: it does */
};

/* Every call with a batch and calls, most calls first; in d's arena. */
struct batching *batching_list(struct doc *d, const struct res_result *r, size_t *ret_len);
/* Share of all calls that two stops saw; 0 if that is not known. */
double batching_stops_share(const struct res_result *r);

#endif
