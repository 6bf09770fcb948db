/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_PROCESS_H
#define RUNNER_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "common/base/mem.h"

/* What /proc says of a process. */

/* TASK_COMM_LEN - 1: the kernel cuts its name of a process there. */
enum { PROCESS_COMM_MAX = 15 };

/* The caller's; NULL: it is gone, or that may not be read. */
char *process_text(
	pid_t pid, const char *file, size_t *ret_len); /* of "status", ..; len: may be NULL */
char *process_comm(pid_t pid);
char *process_exe(pid_t pid);                    /* path of its file, without " (deleted)" */
int process_exe_fd(pid_t pid);                   /* its file for reading, or -1 */
char *process_link(pid_t pid, const char *file); /* "cwd", .. */
/* A field of its status file that is a number; -1: cannot be read. */
int64_t process_status_number(pid_t pid, const char *field);
/* 1 if it executes nothing: a thread of the kernel's, or a zombie. */
int process_is_no_program(pid_t pid);
/* Its arguments, at least one, NULL-terminated, in a. */
const char *const *process_command(pid_t pid, struct arena *a);
/* The same as one line, for a person. */
const char *process_command_text(pid_t pid, struct arena *a);

#endif
