/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_PRIVILEGES_H
#define TRACER_PRIVILEGES_H

#include <sys/types.h>

/*
 * Privileges that a program's file would have given (set-user-ID, set-group-ID, capabilities) and
 * that it did not get because it is traced: the kernel gives none under a tracer that lacks
 * CAP_SYS_PTRACE (execve(2)). 1 if the process has lost some by the execve that it stops at.
 * f: asks its file for capabilities, as a traced process may have to answer; NULL: none does.
 */
struct filler;
int privileges_lost(pid_t tid, struct filler *f);

#endif
