/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_INJECT_H
#define TRACER_RECORDER_INJECT_H

#include <stdint.h>

#include "tracer/recorder/recorder.h"
#include "tracer/tracee.h"

/* Maps the stub and the shared memory into the process of t, which is in a seccomp stop. NULL, or
 * why it cannot be: static text. *ret_moved: 1 if the thread is before its call again. */
const char *inject(struct recorder *f, struct tracee *t, int *ret_moved);

/* The arena of t's mm is made larger by that many units or more, in the same way. -ENOMEM: it
 * cannot be. */
int inject_grow(struct recorder *f, struct tracee *t, uint32_t needs, int *ret_moved);

#endif
