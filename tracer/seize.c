/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/seize.h"

#include <errno.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "tracer/dispositions.h"
#include "tracer/tracee.h"

static sigjmp_buf out;
static atomic_int waiting;

int seize(pid_t tid)
{
	long rc;

	/* After a handler the kernel would begin anew: only a jump leads out. It may come when the
	 * thread has been seized already. */
	if (sigsetjmp(out, 1))
		return disposition_tracer(tid) == gettid() ? 0 : -EINTR;
	atomic_store(&waiting, 1);
	rc = ptrace(PTRACE_SEIZE, tid, NULL, (void *)(long)TRACEE_PTRACE_OPTIONS);
	atomic_store(&waiting, 0);
	return rc < 0 ? -errno : 0;
}

int seize_is_waiting(void)
{
	return atomic_load(&waiting);
}

void seize_interrupted(void)
{
	if (atomic_exchange(&waiting, 0))
		siglongjmp(out, 1);
}
