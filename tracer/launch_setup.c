/* SPDX-License-Identifier: GPL-3.0-only */
#include <pthread.h>

#include "tracer/launch.h"

void launch_setup_save(struct launch_setup *setup)
{
	*setup = (struct launch_setup){0};
	pthread_sigmask(SIG_SETMASK, NULL, &setup->mask);
	sigaction(SIGPIPE, NULL, &setup->sigpipe);
	sigaction(SIGXFSZ, NULL, &setup->sigxfsz);
}

void launch_setup_restore(const struct launch_setup *setup)
{
	sigaction(SIGPIPE, &setup->sigpipe, NULL);
	sigaction(SIGXFSZ, &setup->sigxfsz, NULL);
	pthread_sigmask(SIG_SETMASK, &setup->mask, NULL);
}
