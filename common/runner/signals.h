/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_SIGNALS_H
#define RUNNER_SIGNALS_H

#include <signal.h>

#include "common/base/err.h"

/* INT, TERM, HUP: what ends us. */
void signals_ending(sigset_t *ret);

/* These (and PIPE) blocked and read from fd, from signals_block() to signals_restore(). */
struct signals {
	int fd;
	sigset_t old; /* what programs are started with */
};
int signals_block(struct signals *s, struct err *err);
void signals_restore(struct signals *s);

#endif
