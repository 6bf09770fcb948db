/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TARGETS_MSGS_H
#define TARGETS_MSGS_H

#include <sys/socket.h>

#include "t.h"

#define MANY 64

/* MANY messages of 8 bytes each, for a call that sends or receives several. */
struct messages {
	struct mmsghdr at[MANY];
	struct iovec iov[MANY];
	char bytes[MANY][8];
};

static inline void msgs_fill(struct messages *m)
{
	for (int i = 0; i < MANY; i++) {
		m->iov[i] = (struct iovec){m->bytes[i], 8};
		m->at[i].msg_hdr = (struct msghdr){.msg_iov = &m->iov[i], .msg_iovlen = 1};
	}
}

#endif
