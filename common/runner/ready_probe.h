/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_READY_PROBE_H
#define RUNNER_READY_PROBE_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/runner/program.h"
#include "common/runner/ready.h"
#include "common/runner/scenario.h"

/*
 * Asks again and again whether a program can take load, without waiting.
 *
 *	struct ready_probe p;
 *	ready_probe_init(&p, &ready, sc, mask);
 *	while ((rc = ready_probe_step(&p, pid, clock_mono_ns(), err)) == 0)
 *		... poll p.command.pidfd (-1: none) until p.next_ns ...
 *	ready_probe_release(&p);
 */
struct ready_probe {
	const struct ready *ready; /* NULL: ready at once */
	struct as_user *caller; /* of a ready command: as whom it runs, see struct program_spec */
	const char *cwd;        /* of a ready command */
	const sigset_t *mask;
	struct program command;
	uint64_t next_ns; /* when to ask again; UINT64_MAX: when the command has ended */
	uint64_t wait_ns;
	int foreign; /* another process holds the port */
};

/* sc: as whom and where a ready command runs; must live as long. */
void ready_probe_init(struct ready_probe *p, const struct ready *ready, const struct scenario *sc,
	const sigset_t *mask);
/* 1: ready, 0: not yet, or an error. root: the port is held by it or by what comes from it. */
int ready_probe_step(struct ready_probe *p, pid_t root, uint64_t now_ns, struct err *err);
void ready_probe_release(struct ready_probe *p);

#endif
