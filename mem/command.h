/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MEM_COMMAND_H
#define MEM_COMMAND_H

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/runner/scenario.h"

/*
 * The command line of valgrind for a scenario. Pure.
 */

/* Refuses what massif would refuse, with the names of our options. */
int command_check(const struct memory_options *o, struct err *err);

/* Massif's options that the scenario asks for, NULL-terminated, in a; *ret_len of them. */
const char **command_options(struct arena *a, const struct memory_options *o, size_t *ret_len);

/* The whole of it, NULL-terminated, in a. Files go into dir under the names of files.h. vgdb: be
 * ready to be asked for a snapshot (by pipes in dir). */
const char *const *command_line(struct arena *a, const struct scenario *sc, const char *valgrind,
	const char *dir, int vgdb);

#endif
