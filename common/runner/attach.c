/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/attach.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/runner/environment.h"
#include "common/runner/layout.h"
#include "common/runner/process.h"
#include "common/runner/program.h"

enum { NAME_SHOWN_MAX = 200, SOON_MS = 200 };

/* ---- the processes ---- */

static void look_at_tree(struct attach *a)
{
	struct tree below = {0};

	a->all.len = 0;
	for (size_t i = 0; i < a->roots.len; i++)
		*VEC_PUSH(&a->all) = a->roots.at[i];
	for (size_t i = 0; i < a->roots.len && a->with_tree; i++) {
		tree_find(&below, a->roots.at[i]);
		for (size_t k = 0; k < below.len; k++)
			if (!tree_has(&a->all, below.at[k]))
				*VEC_PUSH(&a->all) = below.at[k];
	}
	tree_release(&below);
}

static void look_at_first(struct attach *a)
{
	pid_t pid = a->roots.at[0];
	cleanup_free char *exe = process_exe(pid), *cwd = process_link(pid, "cwd");
	int64_t uid = process_status_number(pid, "Uid");

	a->command = process_command(pid, &a->arena);
	a->exe = arena_strdup(&a->arena, exe);
	a->cwd = arena_strdup(&a->arena, cwd);
	a->uid = uid < 0 ? U64_NONE : (uint64_t)uid;
	if (a->exe_fd >= 0)
		close(a->exe_fd);
	a->exe_fd = process_exe_fd(pid);
}

int attach_look(struct attach *a, struct err *err)
{
	look_at_tree(a);
	look_at_first(a);
	/* Now what was read is of the one that was found. */
	if (attach_over(a))
		return err_set(err, -ESRCH, "process %d has ended", a->roots.at[0]);
	return 0;
}

int attach_new(const struct tree *roots, int with_tree, struct attach **ret, struct err *err)
{
	struct attach *a = mem_calloc(1, sizeof(*a));
	int rc;

	a->with_tree = with_tree;
	a->exe_fd = -1;
	for (size_t i = 0; i < roots->len; i++)
		*VEC_PUSH(&a->roots) = roots->at[i];
	a->pidfd = pidfd_open(a->roots.at[0], 0);
	if (a->pidfd < 0)
		rc = err_set(err, -errno,
			errno == ESRCH ? "no process %d"
				       : "cannot watch process %d (pidfd_open): %s",
			a->roots.at[0], strerror(errno));
	else
		rc = attach_look(a, err);
	if (rc == 0)
		*ret = a;
	else
		attach_free(a);
	return rc;
}

int attach_started(pid_t pid, int with_tree, struct attach **ret, struct err *err)
{
	struct tree roots = {.at = &pid, .len = 1};
	int rc = attach_new(&roots, with_tree, ret, err);

	if (rc == 0)
		(*ret)->started = 1;
	return rc;
}

void attach_free(struct attach *a)
{
	if (!a)
		return;
	if (a->pidfd >= 0)
		close(a->pidfd);
	if (a->exe_fd >= 0)
		close(a->exe_fd);
	tree_release(&a->roots);
	tree_release(&a->all);
	arena_release(&a->arena);
	free(a);
}

static int is_over_within(const struct attach *a, int ms)
{
	struct pollfd p = {.fd = a->pidfd, .events = POLLIN};

	return poll(&p, 1, ms) > 0;
}

int attach_over(const struct attach *a)
{
	return is_over_within(a, 0);
}

int attach_has_lost(const struct attach *a)
{
	for (size_t i = a->roots.len; i < a->all.len; i++)
		if (process_is_no_program(a->all.at[i]))
			return 1;
	return 0;
}

int attach_soon_over(const struct attach *a)
{
	return is_over_within(a, SOON_MS);
}

int attach_end(const struct attach *a, int *ret_status)
{
	struct pollfd p = {.fd = a->pidfd, .events = 0 /* POLLHUP: its parent has collected it */};

	if (!attach_over(a))
		return 0;
	if (program_end_of(a->pidfd, ret_status))
		return 1;
	poll(&p, 1, SOON_MS);
	return program_end_of(a->pidfd, ret_status);
}

/* ---- words ---- */

const char *attach_name(struct attach *a)
{
	const char *slash = a->exe ? strrchr(a->exe, '/') : NULL;
	cleanup_free char *comm = process_comm(a->roots.at[0]);
	/* What ps and top call it; the file's name where that is cut. */
	int is_cut = comm && slash && strlen(comm) == PROCESS_COMM_MAX &&
		     !strncmp(slash + 1, comm, PROCESS_COMM_MAX);
	char *name = arena_printf(&a->arena, "%.*s", NAME_SHOWN_MAX,
		a->asked        ? a->asked
		: is_cut        ? slash + 1
		: comm && *comm ? comm
				: "process");

	for (char *p = name; *p; p++)
		if (!isascii(*p) || !(isalnum(*p) || strchr("._-", *p)))
			*p = '-';
	return layout_name_ok(name) ? name : arena_printf(&a->arena, "x%s", name);
}

const char *attach_text(struct attach *a)
{
	size_t below = a->all.len - a->roots.len;
	const char *command = process_command_text(a->roots.at[0], &a->arena);
	const char *others = "", *descendants = "";

	if (a->roots.len > 1)
		others = arena_printf(&a->arena, ", %zu other process%s", a->roots.len - 1,
			a->roots.len == 2 ? "" : "es");
	if (a->with_tree && below)
		descendants =
			arena_printf(&a->arena, " and %zu descendant%s (--no-tree leaves %s out)",
				below, below == 1 ? "" : "s", below == 1 ? "it" : "them");
	return arena_printf(&a->arena, "process %d, %.*s%s%s", a->roots.at[0], NAME_SHOWN_MAX,
		command, others, descendants);
}

const char *attach_pids(const struct tree *pids, struct arena *arena)
{
	const char *text = "";

	for (size_t i = 0; i < pids->len; i++)
		text = arena_printf(arena, "%s%s%d", text, i ? "," : "", pids->at[i]);
	return text;
}

/* ---- the result ---- */

void attach_environment(const struct attach *a, void *doc, struct res_environment *e)
{
	e->uid = a->uid;
	e->cwd = arena_strdup(result_arena(doc), a->cwd);
	environment_running(doc, e, a->exe, a->exe_fd);
}
