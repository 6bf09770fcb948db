/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_TRAP_FILTER_H
#define TRACER_TRAP_FILTER_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "tracer/trap/control.h"
#include "tracer/event.h"

/*
 * The seccomp filter that makes the kernel stop a tracee at the calls we want, and at no other:
 * built by libseccomp for the native, the i386 and the x32 ABI.
 */

/* The data of our SECCOMP_RET_TRACE, to tell our stops from those of the target's own filters. */
#define FILTER_TRACE_DATA 0x10e5

/* Native calls that pass without a stop: those with numbers[nr] != 0, made by the instruction that
 * ends at address `after`. */
struct filter_pass {
	uint64_t after;
	const uint8_t *numbers;
	size_t len;
	const struct filter_pass *next; /* others, from another address; NULL: none */
};

/* Fills *ret (heap, release with free(ret->filter)). all: every call stops. pass: but for these;
 * NULL: none. */
int filter_build(const struct control_map *map, int all, const struct filter_pass *pass,
	struct sock_fprog *ret, struct err *err);

/* Installs it on the calling thread. NO_NEW_PRIVS is set only if the kernel insists (EACCES).
 * 0 or -errno; async-signal-safe. */
int filter_install(const struct sock_fprog *prog);

/*
 * Could this filter of the target answer anything but ALLOW or LOG for one of the calls? It is run
 * with the number and the architecture known and everything else unknown. Says 1 when in doubt.
 * abi: enum abi of the process; most filters kill every other one.
 */
int filter_may_interfere(
	const struct sock_filter *prog, size_t len, int abi, const struct control_map *map);

#endif
