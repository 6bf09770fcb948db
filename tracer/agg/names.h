/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_NAMES_H
#define AGG_NAMES_H

#include <stdint.h>

/* The row of an fd in the result; NULL: not known. */
struct agg_fd {
	uint64_t pid, fd, generation;
	const char *target, *type;
	int shared; /* several processes read on in it, each from where the last one had ended */
};

/* Who the ids in the events are; asked when the result is built. The strings are copied. */
struct agg_names {
	/* Both return 0, or -1 when nothing is known of that id, and *ret is as it was. */
	int (*thread)(void *ctx, uint32_t thread_id, uint64_t *ret_pid, uint64_t *ret_tid,
		const char **ret_comm);
	int (*fd)(void *ctx, uint32_t fd_id, struct agg_fd *ret);
	void *ctx;
};

#endif
