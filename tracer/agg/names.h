/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_NAMES_H
#define AGG_NAMES_H

#include <stdint.h>

/* Who the ids in the events are; asked when the result is built. The strings are copied. */
struct agg_names {
	/* Both return 0, or -1 when nothing is known of that id. */
	int (*thread)(void *ctx, uint32_t thread_id, uint64_t *ret_pid, uint64_t *ret_tid,
		const char **ret_comm);
	int (*fd)(void *ctx, uint32_t fd_id, uint64_t *ret_pid, uint64_t *ret_fd,
		uint64_t *ret_generation, const char **ret_target);
	void *ctx;
};

#endif
