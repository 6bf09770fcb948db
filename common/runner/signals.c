/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/signals.h"

#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

void signals_ending(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGHUP);
}

int signals_block(struct signals *s, struct err *err)
{
	sigset_t set;

	signals_ending(&set);
	s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->fd < 0)
		return err_set(err, -errno, "cannot watch signals: %s", strerror(errno));
	/* A pipe whose reader has gone is seen by the write's error. */
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, &s->old);
	return 0;
}

void signals_restore(struct signals *s)
{
	static const struct timespec now;
	sigset_t set;

	/* What is still pending was meant for a run that is over. */
	signals_ending(&set);
	sigaddset(&set, SIGPIPE);
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
	sigprocmask(SIG_SETMASK, &s->old, NULL);
	close(s->fd);
}
