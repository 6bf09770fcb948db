/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef REPORT_HISTORY_H
#define REPORT_HISTORY_H

#include "common/base/out.h"
#include "common/model/result.h"

/* A history as a page: since when what is worse is so, a picture of each figure, every change, the
 * versions. As text: the same without pictures. */
void report_history_html(const struct res_history *r, struct out *o);
void report_history_text(const struct res_history *r, struct out *o);

#endif
