/* SPDX-License-Identifier: GPL-3.0-only */
#include <pthread.h>

#include "tracer/launch.h"

/* The tracer has an fd for each process, and shares memory of a size of its own with it. */
static void raise_limit(int what, struct rlimit *ret_was)
{
	struct rlimit most;

	if (getrlimit((__rlimit_resource_t)what, ret_was) < 0)
		return;
	most = (struct rlimit){ret_was->rlim_max, ret_was->rlim_max};
	setrlimit((__rlimit_resource_t)what, &most);
}

static void lower_limit(int what, const struct rlimit *was)
{
	if (was->rlim_max)
		setrlimit((__rlimit_resource_t)what, was);
}

void launch_setup_save(struct launch_setup *setup)
{
	*setup = (struct launch_setup){0};
	pthread_sigmask(SIG_SETMASK, NULL, &setup->mask);
	sigaction(SIGPIPE, NULL, &setup->sigpipe);
	sigaction(SIGXFSZ, NULL, &setup->sigxfsz);
	raise_limit(RLIMIT_NOFILE, &setup->fds);
	raise_limit(RLIMIT_FSIZE, &setup->file_size);
}

void launch_setup_restore(const struct launch_setup *setup)
{
	sigaction(SIGPIPE, &setup->sigpipe, NULL);
	sigaction(SIGXFSZ, &setup->sigxfsz, NULL);
	lower_limit(RLIMIT_NOFILE, &setup->fds);
	lower_limit(RLIMIT_FSIZE, &setup->file_size);
	pthread_sigmask(SIG_SETMASK, &setup->mask, NULL);
}
