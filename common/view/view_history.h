/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef VIEW_HISTORY_H
#define VIEW_HISTORY_H

#include "common/model/result.h"
#include "common/view/doc.h"

/* A history as tables and sentences, added to a doc. */

/* Since when what is worse is so, the newest first; where nothing is said of the program. */
void view_history_answer(struct doc *d, const struct res_history *r);
/* What could not be judged. */
void view_history_notes(struct doc *d, const struct res_history *r);
void view_history_versions(struct doc *d, const struct res_history *r);
/* A head and a table for each scenario and type; all: the figures of each call too. */
void view_history_figures(struct doc *d, const struct res_history *r, int all);
void view_history_points(struct doc *d, const struct res_history_series *s);
/* 0: too few versions were there to say that nothing changed. */
int view_history_is_judged(const struct res_history_series *s);
/* What was not looked at, as notes. */
void view_history_limits(struct doc *d, const struct res_history_series *s);
/* Every change, and what is behind it as notes; of that series' scenario and type, or NULL: all. */
void view_history_changes(
	struct doc *d, const struct res_history *r, const struct res_history_series *of);
/* "WORSE, exact" */
const char *view_history_what(const struct res_history_change *c, struct arena *a);
/* "+42.9%", "from 0" */
const char *view_history_share(const struct res_history_change *c, struct arena *a);

#endif
