/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/front.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer/supervise.h"

/* Not "iotrace": what is to kill all of that name would kill both. */
#define TRACER_NAME "ptracer"

static pid_t parent; /* the process that was started */

static void be_tracer(int one_group, const sigset_t *mask)
{
	prctl(PR_SET_NAME, TRACER_NAME);
	if (!one_group)
		setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (getppid() != parent)
		raise(SIGTERM);
}

/* What the terminal sends it sends to the group. A value tells who passed it on (signal_word.h). */
static void pass_on(pid_t tracer, int one_group, const siginfo_t *info)
{
	if (info->si_code == SI_KERNEL && one_group)
		return;
	if (info->si_code == SI_QUEUE)
		sigqueue(tracer, info->si_signo, info->si_value);
	else
		kill(tracer, info->si_signo);
}

/* Returns the wait status of the child. */
static int wait_for(pid_t tracer, int one_group, const sigset_t *set)
{
	siginfo_t info;
	int status;

	for (;;) {
		if (waitpid(tracer, &status, WNOHANG) == tracer)
			return status;
		if (sigwaitinfo(set, &info) > 0 && info.si_signo != SIGCHLD)
			pass_on(tracer, one_group, &info);
	}
}

int front_split(int one_group, int *ret_status, struct err *err)
{
	/* Where it is ignored nobody is told of a child's end. */
	void (*on_child)(int) = signal(SIGCHLD, SIG_DFL);
	sigset_t set, mask;
	pid_t child;
	int status;

	parent = getpid();
	supervise_signals(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &mask);
	child = fork();
	if (child < 0)
		return err_set(err, -errno, "cannot fork: %s", strerror(errno));
	if (child == 0) {
		signal(SIGCHLD, on_child);
		be_tracer(one_group, &mask);
		return 0;
	}
	status = wait_for(child, one_group, &set);
	if (WIFSIGNALED(status))
		return err_set(err, -ESRCH,
			"the tracing process was killed by signal %d (%s): there is no result",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	*ret_status = WEXITSTATUS(status);
	return 1;
}

int front_is_us(pid_t pid)
{
	return pid == getpid() || pid == parent;
}
