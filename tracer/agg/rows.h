/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_ROWS_H
#define AGG_ROWS_H

#include <stdint.h>

/* At most this many threads and fds have rows of their own; later ones share one row (null ids),
 * and a warning (threads_merged, fds_merged) says so. */
#define AGG_ROWS_MAX 4096

/* 0: nobody's, as its row is that of many. */
static inline uint32_t rows_id(uint32_t id)
{
	return id <= AGG_ROWS_MAX ? id : 0;
}

#endif
