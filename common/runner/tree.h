/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_TREE_H
#define RUNNER_TREE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The processes that come from one we started: its descendants, and what it traces (an orphan whose
 * parent has gone is still a tracee). The root itself is not in it.
 */
struct tree {
	pid_t *at;
	size_t len, cap;
};

/* Looks through /proc; what vanishes meanwhile is left out. */
void tree_find(struct tree *t, pid_t root);
/* The child that a single-threaded process made first of those it has, 0: none, or not known. */
pid_t tree_first_child(pid_t pid);
/* The parent of a process, 0 if it is not there. */
pid_t tree_parent(pid_t pid);
int tree_has(const struct tree *t, pid_t pid);
void tree_release(struct tree *t);

#endif
