/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_LAUNCH_H
#define TRACER_LAUNCH_H

#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>

#include "common/base/err.h"

struct as_user;
struct session;

/* What iotrace changed in itself and the target must get back as it was. */
struct launch_setup {
	const struct as_user *user;             /* of -u; NULL or not filled: none */
	sigset_t mask;                          /* signal mask as inherited */
	struct sigaction sigpipe, sigxfsz;      /* dispositions as inherited */
	struct rlimit fds, file_size, cpu_time; /* limits as inherited: ours are the hard ones */
};

/* Saves it, and takes what the tracer needs of limits; at the start of main. */
void launch_setup_save(struct launch_setup *setup);
/* Gives it back; in the child. */
void launch_setup_restore(const struct launch_setup *setup);

/* The file that execvp would run: heap. -ENOENT: not found (127); -EACCES: not executable (126). */
int launch_resolve(const char *name, char **ret_path, struct err *err);
/* Forks the target (session.launch.path, options.command), puts it under control before its first
 * instruction and lets it install the filter. Its execve is the first call that counts. Without a
 * path there is only the child that measures, which ends then. Where session.unfiltered says so it
 * gets no filter, measures nothing, and stops at each call. */
int launch_target(struct session *s, const struct launch_setup *setup, struct err *err);
/* 1 if that execve is the target's own, the first call that counts. */
int launch_is_target(const struct session *s, long nr, uint64_t path_addr);
/* When the run is over: why the target never became the program; 0 if it did. -ENOENT and -EACCES
 * as launch_resolve, -ECHILD: the set-up failed. */
int launch_error(const struct session *s, struct err *err);
/* Takes session.record_ns, near_stop_ns and far_stop_ns from what the child measured. */
void launch_finish_probes(struct session *s);

#endif
