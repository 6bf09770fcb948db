/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_ATTACH_H
#define RUNNER_ATTACH_H

#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/model/result.h"
#include "common/runner/tree.h"

/*
 * Processes that run already and are to be profiled. A pidfd keeps the first of them the one that
 * was found, so that a number that is given to another process is noticed.
 *
 *	struct attach *a;
 *	rc = attach_find("nginx", 1, &a, err);
 *	...
 *	rc = attach_look(a, err);    right before a tool attaches
 */
struct attach {
	struct arena arena;
	struct tree roots; /* what was asked for; the first is the one whose end counts */
	const char *asked; /* the name that they were found by, or NULL */
	int with_tree;     /* their descendants too */
	int started;       /* by us, free of any tool */
	int pidfd;         /* of the first root */
	/* As it was at the last look. */
	struct tree all;            /* the roots, then their descendants */
	const char *const *command; /* of the first root */
	const char *exe, *cwd;      /* NULL: cannot be read */
	int exe_fd;                 /* the file that it executes, also when it has ended; -1 */
	uint64_t uid;
};

/*
 * what: PIDs ("12", "12,34", "12 34"), or the name of a process: of its executable's file, or as
 * the kernel calls it (comm). Of several of that name, one must be the ancestor of the others.
 * -ESRCH: there is none; -EINVAL: several, which the error lists, or we are one of the tree.
 * The caller's.
 */
int attach_find(const char *what, int with_tree, struct attach **ret, struct err *err);
/* Looks at processes for the first time; the first root must live. */
int attach_new(const struct tree *roots, int with_tree, struct attach **ret, struct err *err);
/* One that we have started. */
int attach_started(pid_t pid, int with_tree, struct attach **ret, struct err *err);
void attach_free(struct attach *a); /* takes NULL */

/* Looks at them again. -ESRCH: the first root has ended. */
int attach_look(struct attach *a, struct err *err);
/* 1 if the first root has ended. */
int attach_over(const struct attach *a);
/* The same of a tool that has ended by itself: it sees the end of a process a moment earlier. */
int attach_soon_over(const struct attach *a);
/* 1 if a descendant of the last look has ended since. */
int attach_has_lost(const struct attach *a);
/* How the first root ended, as wait(2) says it: 1, or 0 where it lives or that is not known. */
int attach_end(const struct attach *a, int *ret_status);

/* A name for its results, in the arena: its own, as layout.h allows it. */
const char *attach_name(struct attach *a);
/* "process 812, nginx -c x, and 4 descendants", in the arena. */
const char *attach_text(struct attach *a);
/* "812,813": the roots, or all, in arena. */
const char *attach_pids(const struct tree *pids, struct arena *arena);

/* What only the process itself tells: its file, user and directory, into a described environment.
 */
void attach_environment(const struct attach *a, void *doc, struct res_environment *e);

#endif
