/* SPDX-License-Identifier: GPL-3.0-only */
/* Starts the target under control, as it would have been started without us. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "tracer/trap/filter.h"
#include "common/runner/as_user.h"
#include "common/runner/program.h"
#include "tracer/launch.h"
#include "tracer/probe.h"
#include "tracer/session.h"

/* What the child tells before its execve. */
enum launch_step { STEP_NONE, STEP_FILTER, STEP_USER, STEP_EXEC };
struct launch_shared {
	int step, error; /* where it failed: errno */
	struct probe probe;
};

/* ---- which file ---- */

int launch_resolve(const char *name, char **ret_path, struct err *err)
{
	int here = strchr(name, '/') != NULL;

	*ret_path = program_find(name);
	if (*ret_path)
		return 0;
	if (errno == EACCES)
		return err_set(err, -EACCES, "%s: %s", name,
			here ? "not an executable file" : "found in PATH, but not executable");
	return err_set(err, errno == ENOTDIR ? -ENOENT : -errno, "%s: %s", name,
		here ? strerror(errno) : "command not found");
}

/* ---- the child ---- */

static void child_fail(struct launch_shared *shared, int step, int error)
{
	shared->step = step;
	shared->error = error;
	_exit(127);
}

/* Wholly, with nothing to go back with. */
static int become(const struct as_user *id)
{
	if (setgroups((size_t)id->groups_len, id->groups) < 0 || setgid(id->gid) < 0 ||
		setuid(id->uid) < 0)
		return -errno;
	return 0;
}

static void install_filter(struct session *s)
{
	struct probe *probe = &s->launch.shared->probe;
	int rc;

	probe_before(probe);
	rc = filter_install(&s->filter);
	if (rc < 0)
		child_fail(s->launch.shared, STEP_FILTER, -rc);
	probe_after(probe, &s->colocate);
}

static void child_run(struct session *s, const struct launch_setup *setup, int go)
{
	struct launch_shared *shared = s->launch.shared;
	char byte;
	int rc;

	while (read(go, &byte, 1) < 0 && errno == EINTR)
		;
	if (!s->unfiltered)
		install_filter(s);
	if (!s->launch.path)
		_exit(0);
	rc = setup->user && setup->user->groups ? become(setup->user) : 0;
	if (rc < 0)
		child_fail(shared, STEP_USER, -rc);
	launch_setup_restore(setup);
	execve(s->launch.path, s->opt->command, s->launch.environ);
	child_fail(shared, STEP_EXEC, errno);
}

int launch_is_target(const struct session *s, long nr, uint64_t path_addr)
{
	/* The child shares our addresses: this is its pointer to the path, in its copy. */
	return s->launch.path && nr == SYS_execve &&
	       path_addr == (uint64_t)(uintptr_t)s->launch.path;
}

/* ---- the parent ---- */

void launch_finish_probes(struct session *s)
{
	const struct launch_shared *shared = s->launch.shared;

	if (!shared)
		return;
	s->record_ns = probe_record_ns(&shared->probe);
	s->plain_call_ns = probe_plain_ns(&shared->probe);
	s->near_stop_ns = probe_near_stop_ns(&shared->probe);
	s->far_stop_ns = probe_far_stop_ns(&shared->probe);
}

int launch_error(const struct session *s, struct err *err)
{
	const struct launch_shared *shared = s->launch.shared;
	int e = shared ? shared->error : 0;

	if (!e)
		return 0;
	if (shared->step == STEP_EXEC)
		return err_set(err, e == ENOENT ? -ENOENT : -EACCES, "cannot execute %s: %s%s",
			s->launch.path, strerror(e),
			e == ENOENT ? " (its interpreter or loader is missing)" : "");
	if (shared->step == STEP_USER)
		return err_set(err, -ECHILD, "cannot become user %s: %s%s", s->opt->user,
			strerror(e), as_user_hint(e));
	return err_set(err, -ECHILD,
		"cannot install the seccomp filter: %s (does the kernel have "
		"CONFIG_SECCOMP_FILTER, does the container's profile allow seccomp?)",
		strerror(e));
}

/* Without a filter of ours there are no stops by filters: those of the target's own are its own.
 * The child then stops at each call, from before the next instruction on. */
static int seize(pid_t pid, int unfiltered, struct err *err)
{
	long options = TRACEE_PTRACE_OPTIONS | PTRACE_O_EXITKILL;

	if (!unfiltered)
		options |= PTRACE_O_TRACESECCOMP;
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) == 0 &&
		(!unfiltered || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0))
		return 0;
	return err_set(err, -errno,
		"cannot trace a child of our own: %s (a container needs --cap-add=SYS_PTRACE or a "
		"seccomp profile that allows ptrace; a tracer cannot run under another one)",
		strerror(errno));
}

static size_t name_len(const char *variable)
{
	return strcspn(variable, "=");
}

/* 1 if a later one of the list is of the same name. */
static int overridden(const char *variable, const char *const *list, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name_len(list[i]) == name_len(variable) &&
			!memcmp(list[i], variable, name_len(variable)))
			return 1;
	return 0;
}

/* Ours, as --env changes it. The vector is heap, the strings are not copied. */
static char **make_environ(const struct options *o)
{
	const char *const *changes = o->env.at;
	size_t ours = 0, len = 0;

	while (environ[ours])
		ours++;
	char **list = mem_calloc(ours + o->env.len + 1, sizeof(*list));

	for (size_t i = 0; i < ours; i++)
		if (!overridden(environ[i], changes, o->env.len))
			list[len++] = environ[i];
	for (size_t i = 0; i < o->env.len; i++)
		if (strchr(changes[i], '=') &&
			!overridden(changes[i], changes + i + 1, o->env.len - i - 1))
			list[len++] = (char *)changes[i];
	return list;
}

#define CANNOT_START "cannot start the target: %s"

/* What it shares with its child, which a child that only measured (attach_probe) has left behind.
 */
static int prepare(struct session *s, struct err *err)
{
	struct launch_shared *shared;

	if (s->launch.shared) {
		s->launch.shared->step = s->launch.shared->error = 0;
		return 0;
	}
	shared = mmap(
		NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return err_set(err, -errno, CANNOT_START, strerror(errno));
	s->launch.shared = shared;
	s->launch.environ = make_environ(s->opt);
	probe_prepare(&shared->probe, &s->recorder);
	return 0;
}

int launch_target(struct session *s, const struct launch_setup *setup, struct err *err)
{
	int go[2];
	struct tracee *t;
	pid_t pid;
	int rc;

	rc = prepare(s, err);
	if (rc < 0)
		return rc;
	if (pipe2(go, O_CLOEXEC) < 0)
		return err_set(err, -errno, CANNOT_START, strerror(errno));
	colocate_begin(&s->colocate);
	pid = fork();
	if (pid < 0)
		return err_set(err, -errno, "cannot fork: %s", strerror(errno));
	if (pid == 0) {
		close(go[1]);
		child_run(s, setup, go[0]);
	}
	close(go[0]);
	rc = seize(pid, s->unfiltered, err);
	if (rc < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		close(go[1]);
		return rc;
	}
	t = tracees_add(&s->tracees, pid, pid, files_new(identity_registry(s->identity)),
		mm_new(&s->tracees));
	t->state = TRACEE_LAUNCH;
	t->process->cpu_ns = CPUTIME_NOT_COUNTED; /* from its execve on */
	t->near = s->colocate.active != 0;
	if (s->unfiltered)
		t->mode = MODE_SYSCALL;
	s->first_pid = pid;
	close(go[1]); /* it reads the end, and goes on */
	return 0;
}
