/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_ROWS_H
#define AGG_ROWS_H

/* At most this many threads and fds have rows of their own; later ones share one row (null ids),
 * and a warning (threads_merged, fds_merged) says so. */
#define AGG_ROWS_MAX 4096

#endif
