/* SPDX-License-Identifier: GPL-3.0-only */
#include <pthread.h>

#include "tracer/launch.h"

/* The tracer has an fd for each process, shares memory of a size of its own with it, and works for
 * all of them. */
static void raise_limit(int what, struct rlimit *ret_was)
{
	struct rlimit most;

	if (getrlimit((__rlimit_resource_t)what, ret_was) < 0)
		return;
	most = (struct rlimit){ret_was->rlim_max, ret_was->rlim_max};
	setrlimit((__rlimit_resource_t)what, &most);
}

/* All that its targets cost it is its own CPU time. Where its limit cannot be lifted, a second
 * before the kernel's SIGKILL it has SIGXCPU: supervise.c. */
static void raise_cpu_limit(struct rlimit *ret_was)
{
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit most;

	if (getrlimit(RLIMIT_CPU, ret_was) < 0 || setrlimit(RLIMIT_CPU, &none) == 0)
		return;
	most = (struct rlimit){ret_was->rlim_max - (ret_was->rlim_max > 1), ret_was->rlim_max};
	setrlimit(RLIMIT_CPU, &most);
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
	raise_cpu_limit(&setup->cpu_time);
}

void launch_setup_restore(const struct launch_setup *setup)
{
	sigaction(SIGPIPE, &setup->sigpipe, NULL);
	sigaction(SIGXFSZ, &setup->sigxfsz, NULL);
	lower_limit(RLIMIT_NOFILE, &setup->fds);
	lower_limit(RLIMIT_FSIZE, &setup->file_size);
	lower_limit(RLIMIT_CPU, &setup->cpu_time);
	pthread_sigmask(SIG_SETMASK, &setup->mask, NULL);
}
