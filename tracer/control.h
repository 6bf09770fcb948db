/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_CONTROL_H
#define TRACER_CONTROL_H

#include "tracer/syscalls.h"

/*
 * Control calls: what the tracer must see to stay exact, whether it is traced or not. They are
 * not reported unless they are in --trace.
 */
enum control {
	CONTROL_NONE,
	CONTROL_CLONE,    /* clone clone3 fork vfork: flags; CLONE_UNTRACED is taken out */
	CONTROL_EXEC,     /* execve execveat */
	CONTROL_SECCOMP,  /* seccomp, prctl(PR_SET_SECCOMP): the target's own filter */
	CONTROL_FILLER,   /* mount fsopen userfaultfd: filler.h */
	CONTROL_AFFINITY, /* sched_getaffinity sched_setaffinity: colocate.h */
	CONTROL_UNSHARE,  /* unshare(CLONE_FILES) */
	CONTROL_CLOSE,    /* close: the rest only where fds are reported */
	CONTROL_CLOSE_RANGE,
	CONTROL_DUP,        /* dup2 dup3: closes the new number */
	CONTROL_SETSOCKOPT, /* UDP_SEGMENT, UDP_GRO, PACKET_TX_RING, PACKET_RX_RING */
	CONTROL_SOCKET,     /* AF_XDP */
	CONTROL_IO_URING,   /* io_uring_setup: SQPOLL */
};

/* The control kind of each row by index, for one choice of traced calls. */
struct control_map {
	uint8_t *kind;   /* enum control */
	uint8_t *traced; /* 1: in the set */
	size_t len;
	int fds; /* fds are followed: some traced call has one */
};

void control_map_build(struct control_map *m, const struct sys_set *traced);
void control_map_release(struct control_map *m);

#endif
