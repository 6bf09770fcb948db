/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_BATCHING_H
#define ANALYZE_BATCHING_H

#include "common/analyze/predict.h"
#include "common/model/result.h"
#include "common/view/doc.h"
#include "common/view/view_parts.h"

/* More calls than this share seen by stops: their times are those of stops. */
#define BATCHING_STOPS 0.1

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
