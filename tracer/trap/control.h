/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_TRAP_CONTROL_H
#define TRACER_TRAP_CONTROL_H

#include "tracer/sys_set.h"

/*
 * Control calls: what the tracer must see to stay exact, whether it is traced or not. They are
 * not reported unless they are in --trace.
 */
enum control {
	CONTROL_NONE,
	CONTROL_CLONE,    /* clone clone3 fork vfork: flags; CLONE_UNTRACED is taken out */
	CONTROL_EXEC,     /* execve execveat */
	CONTROL_SECCOMP,  /* seccomp, prctl: the target's own filter, feature.h */
	CONTROL_FILLER,   /* mount fsopen userfaultfd: filler.h */
	CONTROL_UNMOUNT,  /* umount2: no file of code may be mapped by us */
	CONTROL_AFFINITY, /* sched_getaffinity sched_setaffinity: colocate.h */
	/* the rest only where fds are reported */
	CONTROL_UNSHARE, /* unshare(CLONE_FILES) */
	CONTROL_FD, /* what identity.h says changes files tables: those that close in every mode */
	CONTROL_CLOSE_RANGE,
	CONTROL_FOLDER,     /* chdir fchdir chroot: relative paths mean something else then */
	CONTROL_SETSOCKOPT, /* UDP_SEGMENT, UDP_GRO, PACKET_TX_RING, PACKET_RX_RING */
	CONTROL_SOCKET,     /* AF_XDP; and as CONTROL_FD */
	CONTROL_IO_URING,   /* io_uring_setup: SQPOLL */
	/* with the recorder */
	CONTROL_MAPPINGS, /* what could reach into its memory: recorder/ours.h */
	CONTROL_CLOSING,  /* where fds are not reported: close dup2 dup3 close_range */
};

/* The control kind of each row by index, for one choice of traced calls. */
struct control_map {
	uint8_t *kind;   /* enum control */
	uint8_t *traced; /* 1: in the set */
	uint8_t *whole;  /* 1: every such call must be seen, not those with some arguments only */
	uint8_t *said;   /* KIND_* of recorder/layout.h: what it says is needed; else 0 */
	size_t len;
	int fds; /* fds are followed: some traced call has one */
};

/* recorded: calls may be recorded instead of stopped, so what makes fds must be followed too. */
void control_map_build(struct control_map *m, const struct sys_set *traced, int recorded);
/* 1 if the call is seen for the recorder's sake only. */
int control_only_recorder(const struct control_map *m, const struct sys_def *def);
/* 1 if the call is wanted only for what it does to an fd or a mapping: one that is not made,
 * unseen, changes nothing. */
int control_only_follows(const struct control_map *m, const struct sys_def *def);
void control_map_release(struct control_map *m);

#endif
