/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_ATTACH_H
#define TRACER_ATTACH_H

#include <sys/types.h>

#include "common/base/err.h"

struct session;
struct tracee;

/* Seizes all threads of a running process and asks each to stop once, so that its calls can be
 * seen. It gets no filter and no EXITKILL: nothing of ours may outlive us in it. */
int attach_process(struct session *s, pid_t pid, struct err *err);

/* That one stop made a never-restarted call (epoll_wait) fail with EINTR. Where it waits without a
 * limit and no signal is there to explain it, it is entered again, and the program sees nothing. */
void attach_mend_interrupted(const struct tracee *t);

#endif
