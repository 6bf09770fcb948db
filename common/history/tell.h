/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef HISTORY_TELL_H
#define HISTORY_TELL_H

#include "common/compare/side.h"
#include "common/history/culprit.h"
#include "common/history/trend.h"
#include "common/model/result.h"

/*
 * What a history says as a document, which views, pages and pictures are made from; texts are
 * copied.
 *
 *	struct res_history *r = tell_new("trend", h);
 *	tell_trend(r, &trend);
 *	result_free(r);
 */
struct res_history *tell_new(const char *of, const struct history *h);
void tell_versions(struct res_history *r, const struct history_versions *v);
/* The figures of a version's runs. */
void tell_side(struct res_history *r, const struct side *s);
void tell_trend(struct res_history *r, const struct trend *t);
void tell_changes(struct res_history *r, const struct changes *c);
/* One more: a level that is worse. */
void tell_change(
	struct res_history *r, const struct trend *t, const struct trend_series *s, size_t at);
void tell_note(struct res_history *r, const char *text);

/* Everything: versions, changes, and of each scenario and type at most TELL_CHANGED_MAX figures
 * that changed, worse and last first, then those that are always looked at. Nothing is there: 0. */
enum { TELL_CHANGED_MAX = 5 };
int tell_report(
	struct history *h, const struct trend_ask *ask, struct res_history *r, struct err *err);

#endif
