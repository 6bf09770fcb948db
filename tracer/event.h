/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_EVENT_H
#define TRACER_EVENT_H

#include <stdint.h>

#include "tracer/syscalls.h"

/*
 * One system call as it happened: numbers only, never text. Everything after the event (decode,
 * aggregate, detail, result) does not know how it was seen.
 */
enum outcome {
	SYS_RETURNED, /* ret is final: >= 0 ok, -4095..-1 an error (mmap, rt_sigreturn: see sys_ok)
		       */
	SYS_INTERRUPTED, /* raw result -512..-516; the kernel may enter it again, as another call */
	SYS_NO_RETURN,   /* exit, or the thread died inside */
};

/* How a call was seen. */
enum seen { SEEN_STOPPED, SEEN_ONE_STOP, SEEN_RECORDED, SEEN_COUNT };

#define NOT_MEASURED UINT64_MAX

/* Does a call on the file wait where it must (no O_NONBLOCK)? */
enum blocking { BLOCKING_UNKNOWN, BLOCKING_YES, BLOCKING_NO };

/* What is known of how the file takes what is written. */
enum file_takes {
	TAKES_MESSAGES = 1, /* each write is a message, or a command, of its own */
	TAKES_SOCKET = 2,   /* ... as sendmmsg sends them */
	TAKES_SYNCED = 4,   /* it is where it is to stay when the call is over (O_SYNC, O_DSYNC) */
};

/* Has the file a path? What has none is a socket, a pipe or another that is in no file system. */
enum path { PATH_UNKNOWN, PATH_YES, PATH_NO };

/* What a decoder reads out of a call. NOT_MEASURED where it does not apply or was unreadable. */
struct measure {
	uint64_t bytes_asked, bytes_moved;
	uint64_t batch_asked, batch_moved; /* in the unit of the call's row */
	uint64_t dgrams_asked, dgrams_moved;
	uint8_t segmented;  /* GSO or GRO was seen in this call */
	uint8_t control;    /* the message that is sent has control data, as fds */
	uint8_t unreadable; /* the target's memory could not be read: figures are missing */
};

struct sys_event {
	const struct sys_def *def;
	enum abi abi;
	uint32_t nr;      /* raw number in its ABI */
	uint64_t args[6]; /* at entry, normalized to the 64-bit call's order (socketcall, old mmap)
			   */
	int64_t ret;      /* raw result; valid unless SYS_NO_RETURN */
	enum outcome outcome;
	enum seen seen;
	uint64_t entry_ns, exit_ns; /* CLOCK_MONOTONIC; exit_ns 0 with SYS_NO_RETURN */
	struct measure m;
	int32_t pid, tid;   /* tracer's view */
	uint32_t thread_id; /* registry of threads: unique for each thread that ever lived */
	uint32_t fd_id;   /* registry of fds: unique for each (files table, number, generation); 0:
			     none */
	uint32_t mm_id;   /* address space */
	uint8_t blocking; /* enum blocking: of the file that the call is about */
	uint8_t path;     /* enum path: of that file */
	uint8_t takes;    /* enum file_takes, of the same */
	uint8_t shared;   /* several processes receive from it, or read on in it */
	/* --stacks: */
	uint32_t stack_id;   /* stacks.h; 0: not taken */
	uint8_t stack_first; /* it was taken whatever the call was, not by chance */
	uint64_t site;       /* address of the call instruction; 0: not known */
};

/* 1 if the call succeeded. */
static inline int sys_ok(const struct sys_event *ev)
{
	return ev->outcome == SYS_RETURNED &&
	       ((ev->def && ev->def->always_ok) || !(ev->ret < 0 && ev->ret >= -4095));
}

/* The flags that are said with each call: MSG_*, RWF_*; 0 for a call that takes none. */
static inline uint64_t sys_flags(const struct sys_event *ev)
{
	return ev->def->flags ? ev->args[ev->def->flags - 1] : 0;
}

/* Where in its file the call says that it begins; 0 for one that says no place. */
static inline uint64_t sys_place(const struct sys_event *ev)
{
	return ev->def->offset ? ev->args[ev->def->offset - 1] : 0;
}

#endif
