/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_DISPOSITIONS_H
#define TRACER_DISPOSITIONS_H

#include <stdint.h>
#include <sys/types.h>

/* What /proc/TID/status says of a thread. */

/* 1 if the thread's process ignores the signal: SIG_IGN, or SIG_DFL of one that is ignored by
 * default (CHLD, URG, WINCH, CONT). 0 when that cannot be read. */
int disposition_ignores(pid_t tid, int signal);
/* 1 if the thread's process has a handler for it. */
int disposition_catches(pid_t tid, int signal);
/* The signals that the thread blocks now, in a call with a mask of its own those of that. 0 or
 * -ESRCH. */
int disposition_mask(pid_t tid, uint64_t *ret);
/*
 * Of a thread stopped by a SIGTRAP that is our doing: where SIGTRAP was blocked the kernel has
 * unblocked it to force the signal. It is blocked again where all signals of faults are, which only
 * happens to masks of everything.
 */
void disposition_block_trap(pid_t tid);
/* The process that traces it; 0: none, -1: cannot be read. */
pid_t disposition_tracer(pid_t tid);
/* A field that is a number ("Tgid", "PPid", "FDSize"); -1: cannot be read. */
int disposition_number(pid_t tid, const char *field);

/* State of a thread as in its status file: 'R', 'S', 'D', 't' ...; 0: it is gone. */
char disposition_state(pid_t tid);
/* The CPU on which it ran last; -1: unknown. */
int disposition_cpu(pid_t tid);
/* 1 if the thread is on its way out, or a zombie; 0 too when it is gone. */
int disposition_is_ending(pid_t tid);
/* 1 if pid is a thread of the kernel's own. */
int disposition_is_kernel_thread(pid_t pid);
/* Its seccomp mode; -1: unknown. */
int disposition_seccomp(pid_t tid);

#endif
