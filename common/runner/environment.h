/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_ENVIRONMENT_H
#define RUNNER_ENVIRONMENT_H

#include "common/model/result.h"

/*
 * What the figures depend on: kernel, CPU, memory, libc, the target's hash and build-id, the git
 * commit of the working directory (read from .git, no program is run for the commit; dirty is asked
 * of `git status` and null without git). Never values of environment variables. Nothing here fails:
 * what cannot be told stays null.
 *
 * target_path: the program's file, NULL for none. Hashing a large file takes time (1 GB/s): call it
 * after the target has ended.
 */
void environment_capture(struct res_result *r, const char *target_path);
/* Only what costs next to nothing: the machine, without hashes and git. */
void environment_machine(struct res_result *r);
/* environment_capture for any document (result.h), in its arena. Never NULL. */
struct res_environment *environment_describe(void *doc, const char *target_path);
/* Of a program that runs already, process_exe and process_exe_fd: what runs is hashed, whatever
 * lies at its path now. path: NULL, fd: -1 where unknown. */
void environment_running(void *doc, struct res_environment *e, const char *path, int fd);

/* GNU build-id of an ELF file as hex in doc's arena, NULL if there is none. */
const char *environment_build_id(void *doc, const char *path);
/* SHA-256 of a file as hex into buf[65]; 0 or a negative errno. */
int sha256_file(const char *path, char buf[65]);
int sha256_fd(int fd, char buf[65]); /* from where it is */

#endif
