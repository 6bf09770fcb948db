/* SPDX-License-Identifier: GPL-3.0-only */
/* Which process is meant. */
#include "common/runner/attach.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/nearest.h"
#include "common/base/units.h"
#include "common/runner/process.h"

enum { SHOWN_MAX = 6, COMMAND_SHOWN = 60 };

/* ---- by number ---- */

static int is_numbers(const char *what)
{
	return *what && what[strspn(what, "0123456789, \t\n")] == '\0' &&
	       strpbrk(what, "0123456789");
}

/* Some thread's number will do. */
static int add_pid(struct tree *t, const char *word, struct err *err)
{
	uint64_t number;
	pid_t pid;

	if (units_parse_u64(word, 1, INT32_MAX, &number, err) < 0)
		return err->code;
	pid = (pid_t)process_status_number((pid_t)number, "Tgid");
	if (pid <= 0)
		return err_set(err, -ESRCH, "no process %s", word);
	if (!tree_has(t, pid))
		*VEC_PUSH(t) = pid;
	return 0;
}

static int by_numbers(struct tree *t, const char *what, struct err *err)
{
	cleanup_free char *copy = mem_strdup(what);
	char *rest = copy, *word;
	int rc = 0;

	while (rc == 0 && (word = strsep(&rest, ", \t\n")))
		if (*word)
			rc = add_pid(t, word, err);
	return rc;
}

/* ---- by name ---- */

struct names {
	const char *wanted;
	struct nearest *nearest;
	struct arena arena; /* names, for the nearest */
	size_t looked_at;
	struct tree found;
};

/* 1 if the process is called so. A name that the kernel has cut is that of a process whose file
 * cannot be read only. */
static int is_called(struct names *n, pid_t pid)
{
	cleanup_free char *comm = process_comm(pid);
	cleanup_free char *exe = process_exe(pid);
	const char *slash = exe ? strrchr(exe, '/') : NULL;
	const char *file = slash ? slash + 1 : NULL;

	if (!comm || process_is_no_program(pid))
		return 0;
	n->looked_at++;
	nearest_try(n->nearest, arena_strdup(&n->arena, comm));
	if (file)
		nearest_try(n->nearest, arena_strdup(&n->arena, file));
	if (!strcmp(comm, n->wanted) || (file && !strcmp(file, n->wanted)))
		return 1;
	return !exe && strlen(n->wanted) > PROCESS_COMM_MAX && strlen(comm) == PROCESS_COMM_MAX &&
	       !strncmp(comm, n->wanted, PROCESS_COMM_MAX);
}

static void look_for(struct names *n)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		char *end;
		pid_t pid = (pid_t)strtol(entry->d_name, &end, 10);

		if (pid > 0 && !*end && pid != getpid() && is_called(n, pid))
			*VEC_PUSH(&n->found) = pid;
	}
	if (d)
		closedir(d);
}

/* Leaves those out that descend from another one, or have ended. */
static void keep_roots(struct tree *found)
{
	struct tree below = {0};
	struct tree roots = {0};

	for (size_t i = 0; i < found->len; i++) {
		int is_below = 0;

		for (size_t k = 0; k < found->len && !is_below; k++) {
			if (k == i)
				continue;
			tree_find(&below, found->at[k]);
			is_below = tree_has(&below, found->at[i]);
		}
		/* Of one that has ended meanwhile nobody knows the parent. */
		if (!is_below && !process_is_no_program(found->at[i]))
			*VEC_PUSH(&roots) = found->at[i];
	}
	tree_release(&below);
	tree_release(found);
	*found = roots;
}

static int none_found(const struct names *n, struct err *err)
{
	cleanup_free char *hint = nearest_hint(n->nearest);

	return err_set(err, -ESRCH,
		"no process is called '%.200s', by its executable or by the kernel (%zu were "
		"looked at)%s",
		n->wanted, n->looked_at, hint);
}

static int several_found(const struct names *n, struct err *err)
{
	struct arena a = {0};
	const char *list = "";
	size_t shown = n->found.len < SHOWN_MAX ? n->found.len : SHOWN_MAX;

	for (size_t i = 0; i < shown; i++) {
		const char *command = process_command_text(n->found.at[i], &a);

		list = arena_printf(&a, "%s%s%d (%.*s)", list, i ? ", " : "", n->found.at[i],
			COMMAND_SHOWN, command);
	}
	err_set(err, -EINVAL,
		"%zu processes are called '%.100s'; give the PID of one, or of several: %s%s",
		n->found.len, n->wanted, list, shown < n->found.len ? ", .." : "");
	arena_release(&a);
	return err->code;
}

static int by_name(struct tree *t, const char *what, struct err *err)
{
	struct nearest nearest = nearest_to(what, 1 + strlen(what) / 4);
	struct names n = {.wanted = what, .nearest = &nearest};
	int rc = 0;

	look_for(&n);
	if (n.found.len > 1)
		keep_roots(&n.found);
	if (n.found.len == 0)
		rc = none_found(&n, err);
	else if (n.found.len > 1)
		rc = several_found(&n, err);
	else
		*VEC_PUSH(t) = n.found.at[0];
	tree_release(&n.found);
	arena_release(&n.arena);
	return rc;
}

int attach_find(const char *what, int with_tree, struct attach **ret, struct err *err)
{
	struct tree roots = {0};
	struct attach *a = NULL;
	int rc = is_numbers(what) ? by_numbers(&roots, what, err) : by_name(&roots, what, err);

	if (rc == 0)
		rc = attach_new(&roots, with_tree, &a, err);
	tree_release(&roots);
	/* We and the load would be profiled too, and wait for ourselves. */
	if (rc == 0 && tree_has(&a->all, getpid()))
		rc = err_set(err, -EINVAL,
			"profile-scenario itself is a descendant of process %d: --no-tree leaves "
			"descendants out",
			a->roots.at[0]);
	if (rc == 0 && !is_numbers(what))
		a->asked = arena_strdup(&a->arena, what);
	if (rc == 0)
		*ret = a;
	else
		attach_free(a);
	return rc;
}
